/* SPDX-License-Identifier: MIT
 *
 * conformance/stream_write_test.cc: what tasks write to a stream, how they are slowed down, and how it ends.
 */
#include "streams.h"

#include <algorithm>

namespace hoya_test
{
namespace
{

class StreamWriting : public StreamConformance
{
  protected:
    /* In a task: a stream that takes no more: what it has to send. */
    static std::string Fill(const Stream &stream)
    {
        const std::string much = Much(1 << 20);
        EXPECT_EQ(Write(stream, much), 0);
        EXPECT_GT(Unsent(stream), 65536u);
        return much;
    }
    /* In a task: all that comes until the end. */
    static std::string ReceiveAll(int peer)
    {
        std::string all;
        Until([&] {
            all += Receive(peer);
            return AtEnd(peer);
        });
        return all;
    }
};

INSTANTIATE_TEST_SUITE_P(Hosts, StreamWriting, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

// Holds: S147
TEST_P(StreamWriting, AWriteWaitsOnlyAboveTheHighWaterMark)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        bool ran = false;
        CallSoon([&] { ran = true; });
        EXPECT_EQ(Write(stream, "small"), 0);
        EXPECT_EQ(hoya_stream_drain(stream.get()), 0);
        std::string sent = "small" + Fill(stream);
        EXPECT_FALSE(ran) << "nothing has waited so far";
        Task writer = Create([&](hoya_task *) {
            EXPECT_EQ(Write(stream, "more"), 0);
            EXPECT_LE(Unsent(stream), 16384u + 4) << "the low-water mark";
            return 0;
        });
        Rounds(5);
        EXPECT_FALSE(Done(writer));
        std::string got;
        Until([&] {
            got += Receive(peer);
            return Done(writer);
        });
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NOW), 0);
        got += ReceiveAll(peer);
        EXPECT_TRUE(got == sent + "more");
        return Join(writer);
    });
}

// Holds: S147
TEST_P(StreamWriting, SeveralMayWaitAndAllGoOn)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        std::string sent = Fill(stream);
        std::vector<Task> tasks;
        for (int i = 0; i < 3; i++)
            tasks.push_back(Create([&, i](hoya_task *) { return Write(stream, std::to_string(i)); }));
        for (int i = 0; i < 3; i++)
            tasks.push_back(Create([&](hoya_task *) { return hoya_stream_drain(stream.get()); }));
        Rounds(5);
        for (const Task &task : tasks) EXPECT_FALSE(Done(task));
        std::string got;
        Until([&] {
            got += Receive(peer);
            return std::all_of(tasks.begin(), tasks.end(), [](const Task &task) { return Done(task); });
        });
        for (const Task &task : tasks) EXPECT_EQ(Join(task), 0);
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NOW), 0);
        EXPECT_TRUE(got + ReceiveAll(peer) == sent + "012") << "in their order";
        return 0;
    });
}

// Holds: S147
TEST_P(StreamWriting, AFailureWakesWhoWaitsToWrite)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Fill(stream);
        Task writer = Create([&](hoya_task *) { return Write(stream, "more"); });
        Task drainer = Create([&](hoya_task *) { return hoya_stream_drain(stream.get()); });
        Rounds(3);
        Close(peer);
        for (const Task *task : {&writer, &drainer}) {
            int rc = Join(*task);
            EXPECT_TRUE(rc == HOYA_ECONNRESET || rc == HOYA_EPIPE) << hoya_error_name(rc);
        }
        EXPECT_LT(hoya_stream_wait_closed(stream.get()), 0);
        return 0;
    });
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: S147
TEST_P(StreamWriting, ADrainOfWhatIsClosingLetsTheEndBeSeen)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Rounds(2);
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NOW), 0);
        bool ran = false;
        CallSoon([&] { ran = true; });
        EXPECT_EQ(hoya_stream_drain(stream.get()), HOYA_ECLOSED);
        EXPECT_TRUE(ran) << "it has let others run";
        EXPECT_EQ(Write(stream, "x"), HOYA_ECLOSED);
        return 0;
    });
}

TEST_P(StreamWriting, AWriteThatIsCancelledHasWrittenNothing)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        std::string sent = Fill(stream);
        Task writer = Create([&](hoya_task *) { return Write(stream, "lost"); });
        Rounds(3);
        EXPECT_EQ(hoya_task_cancel(writer.get(), nullptr), 1);
        EXPECT_EQ(Join(writer), HOYA_ECANCELED);
        EXPECT_EQ(hoya_stream_write_eof(stream.get()), 0);
        EXPECT_TRUE(ReceiveAll(peer) == sent);
        return 0;
    });
}

TEST_P(StreamWriting, WhoIsCancelledWritesWhatNeedNotWait)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Task writer = Create([&](hoya_task *self) {
            EXPECT_EQ(hoya_task_cancel(self, nullptr), 1);
            EXPECT_EQ(Write(stream, "done"), 0);
            Fill(stream);
            EXPECT_EQ(Write(stream, "more"), HOYA_ECANCELED);
            EXPECT_EQ(hoya_stream_drain(stream.get()), HOYA_ECANCELED);
            return 0;
        });
        EXPECT_EQ(Join(writer), 0);
        EXPECT_EQ(Receive(peer).substr(0, 4), "done");
        return 0;
    });
}

TEST_P(StreamWriting, SeveralPiecesGoOutInOrder)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        char one[] = "one ", two[] = "two ", three[] = "three";
        iovec parts[] = {{one, 4}, {two, 4}, {nullptr, 0}, {three, 5}};
        EXPECT_EQ(hoya_stream_writelines(stream.get(), parts, 4), 0);
        EXPECT_EQ(hoya_stream_writelines(stream.get(), nullptr, 0), 0);
        EXPECT_EQ(Receive(peer), "one two three");
        return 0;
    });
}

TEST_P(StreamWriting, AfterWriteEofTheOtherDirectionGoesOn)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        EXPECT_EQ(Write(stream, "last words"), 0);
        EXPECT_EQ(hoya_stream_write_eof(stream.get()), 0);
        EXPECT_EQ(hoya_stream_write_eof(stream.get()), 0);
        EXPECT_EQ(Write(stream, "x"), HOYA_ESTATE);
        EXPECT_EQ(Receive(peer), "last words");
        EXPECT_TRUE(AtEnd(peer));
        Send(peer, "answer");
        EXPECT_EQ(Read(stream), "answer");
        return 0;
    });
}

TEST_P(StreamWriting, WhatIsWrittenCountsByItsBytes)
{
    const std::string some(48u << 10, 'x');
    for (bool lines : {false, true})
        InTask([&](hoya_task *) {
            int peer;
            Stream stream = Open(&peer);
            Rounds(2);
            bool ran = false;
            int turns = 0;
            CallSoon([&] { ran = true; });
            for (; !ran && turns < 1000; turns++) {
                iovec parts[] = {{const_cast<char *>(some.data()), 10},
                                 {const_cast<char *>(some.data()), some.size() - 10}};
                int rc = lines ? hoya_stream_writelines(stream.get(), parts, 2) : Write(stream, some);
                EXPECT_EQ(rc, 0);
                EXPECT_EQ(Receive(peer).size(), some.size()) << "nothing has to wait";
            }
            EXPECT_GT(turns, 5);
            EXPECT_LT(turns, 300) << "by calls alone it would be 513";
            return 0;
        });
}

/* ---- close ---- */

TEST_P(StreamWriting, CloseWaitsUntilAllHasGoneOut)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        std::string sent = Fill(stream), got;
        Task closer = Create([&](hoya_task *) { return hoya_stream_close(stream.get(), HOYA_SEC(60)); });
        Task waiter = Create([&](hoya_task *) { return hoya_stream_wait_closed(stream.get()); });
        Rounds(5);
        EXPECT_FALSE(Done(closer) || Done(waiter));
        Until([&] {
            got += Receive(peer);
            return Done(closer);
        });
        EXPECT_TRUE(got + Receive(peer) == sent);
        EXPECT_TRUE(AtEnd(peer));
        EXPECT_EQ(Join(closer), 0);
        EXPECT_EQ(Join(waiter), 0);
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NEVER), 0) << "again";
        EXPECT_EQ(Stats().timers, 0u);
        return 0;
    });
}

TEST_P(StreamWriting, ACloseThatTakesTooLongAborts)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Fill(stream);
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_MSEC(1)), HOYA_ETIMEDOUT);
        EXPECT_EQ(hoya_stream_wait_closed(stream.get()), HOYA_ECLOSED) << "not all went out";
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NEVER), HOYA_ECLOSED);
        EXPECT_LT(ReceiveAll(peer).size(), 1u << 20);
        return 0;
    });
}

TEST_P(StreamWriting, ACloseWithNoTimeDropsOnlyWhatCannotGoAtOnce)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Fill(stream);
        EXPECT_EQ(hoya_stream_close(stream.get(), 0), HOYA_ETIMEDOUT);
        Stream small = Open(&peer);
        EXPECT_EQ(Write(small, "all of it"), 0);
        Rounds(2);
        EXPECT_EQ(hoya_stream_close(small.get(), 0), 0);
        EXPECT_EQ(ReceiveAll(peer), "all of it");
        EXPECT_EQ(Stats().timers, 0u);
        return 0;
    });
}

TEST_P(StreamWriting, ACancelEndsTheWaitingOfACloseAndNotTheClose)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        std::string sent = Fill(stream);
        Task closer = Create([&](hoya_task *self) {
            EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_SEC(60)), HOYA_ECANCELED);
            EXPECT_EQ(hoya_stream_wait_closed(stream.get()), HOYA_ECANCELED);
            return hoya_task_cancelling(self);
        });
        Rounds(3);
        EXPECT_EQ(hoya_task_cancel(closer.get(), nullptr), 1);
        EXPECT_EQ(Join(closer), 0);
        EXPECT_EQ(Write(stream, "x"), HOYA_ECLOSED);
        EXPECT_TRUE(ReceiveAll(peer) == sent) << "it goes on by itself";
        return hoya_stream_wait_closed(stream.get());
    });
}

TEST_P(StreamWriting, AnAbortWakesAllWhoWait)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Fill(stream);
        Task reader = Create([&](hoya_task *) { return Read(stream) == "HOYA_ECLOSED" ? 0 : 1; });
        Task writer = Create([&](hoya_task *) { return Write(stream, "x") == HOYA_ECLOSED ? 0 : 1; });
        Task closer = Create([&](hoya_task *) { return hoya_stream_close(stream.get(), HOYA_NEVER); });
        Rounds(1);
        EXPECT_EQ(hoya_stream_abort(stream.get()), 0);
        for (const Task *task : {&reader, &writer}) EXPECT_EQ(Join(*task), 0);
        EXPECT_EQ(Join(closer), HOYA_ECLOSED) << "not all went out";
        EXPECT_LT(ReceiveAll(peer).size(), 1u << 20);
        return 0;
    });
}

/* ---- what a dump says ---- */

TEST_P(StreamWriting, ADumpSaysWhatEachWaitsFor)
{
    std::string text;
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Fill(stream);
        Task reader = Create([&](hoya_task *) { return Read(stream) == "" ? 0 : 1; }, "reader");
        Task writer = Create([&](hoya_task *) { return Write(stream, "x") < 0 ? 0 : 1; }, "writer");
        Rounds(3);
        auto take = [](const char *line, void *arg) {
            *static_cast<std::string *>(arg) += std::string(line) + "\n";
        };
        EXPECT_EQ(hoya_loop_dump(loop, take, &text), 0);
        EXPECT_EQ(hoya_stream_abort(stream.get()), 0);
        Join(reader);
        Join(writer);
        return 0;
    });
    EXPECT_NE(text.find("reads from unix:"), std::string::npos) << text;
    EXPECT_NE(text.find("bytes are written"), std::string::npos) << text;
}

/* ---- dialogs ---- */

namespace
{
class StreamNesting : public StreamConformance
{
};
INSTANTIATE_TEST_SUITE_P(Hosts, StreamNesting, ::testing::ValuesIn(nesting_variants()),
                         [](const auto &of) { return std::string(of.param.name); });
} // namespace

// Holds: S160
TEST_P(StreamNesting, StreamsGoOnInADialogOfATask)
{
    int peer;
    Stream stream;
    Task echo = Create([&](hoya_task *) {
        stream = Open(&peer);
        for (std::string text; (text = Read(stream)) != "";) EXPECT_EQ(Write(stream, text), 0);
        return 0;
    });
    Task dialog = Create([&](hoya_task *) {
        Rounds(2);
        for (int i = 0; i < 3; i++) {
            Send(peer, "ping");
            std::string got;
            EXPECT_TRUE(host->RunNestedUntil([&] { return (got += Receive(peer)) == "ping"; }));
        }
        char byte;
        int rc = 1;
        CallSoon([&] { rc = static_cast<int>(hoya_stream_read(stream.get(), &byte, 1)); });
        EXPECT_TRUE(host->RunNestedUntil([&] { return rc != 1; }));
        EXPECT_EQ(rc, HOYA_EDEADLK) << "that callback is nobody's";
        return shutdown(peer, SHUT_WR);
    });
    RunUntilDone({Of(echo), Of(dialog)});
    EXPECT_EQ(Result(echo), 0);
}

// Holds: S160
TEST_P(StreamNesting, ATaskThatOpensADialogDoesNotHoldUpItsConnection)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        CallSoon([&] { Send(peer, "open"); });
        EXPECT_EQ(Read(stream), "open") << "it goes on inside the turn of the connection";
        bool heard = false;
        Task other = Create([&](hoya_task *) {
            EXPECT_EQ(Read(stream), "inside");
            heard = true;
            return Write(stream, Much(1 << 20));
        });
        Send(peer, "inside");
        std::string got;
        EXPECT_TRUE(host->RunNestedUntil([&] { return (got += Receive(peer)).size() == 1u << 20; }));
        EXPECT_TRUE(heard);
        return Join(other);
    });
}

} // namespace hoya_test
