/* SPDX-License-Identifier: MIT
 *
 * conformance/stream_reader_test.cc: who reads a stream: one task at a time, its cancel, its turn, and what it hears
 * of the end. Nothing is lost.
 */
#include "streams.h"

#include <thread>

namespace hoya_test
{

/* ---- one reader ---- */

// Holds: S145
TEST_P(StreamConformance, OneTaskReadsAtATime)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Task reader = Create(
            [&](hoya_task *) {
                EXPECT_EQ(ReadExactly(stream, 4), "data");
                return 0;
            },
            "the reader");
        Rounds(1);
        Send(peer, "da");
        Rounds(3);
        EXPECT_EQ(Read(stream), "HOYA_EBUSY") << "though there is something";
        EXPECT_NE(std::string(hoya_error_detail()).find("the reader"), std::string::npos);
        EXPECT_EQ(ReadExactly(stream, 1), "HOYA_EBUSY after ");
        EXPECT_EQ(ReadUntil(stream, "a"), "HOYA_EBUSY");
        EXPECT_EQ(ReadLine(stream), "HOYA_EBUSY");
        EXPECT_EQ(Peek(stream, 0), "HOYA_EBUSY");
        EXPECT_EQ(hoya_stream_consume(stream.get(), 1), HOYA_EBUSY);
        Send(peer, "ta");
        EXPECT_EQ(Join(reader), 0);
        Send(peer, "x");
        EXPECT_EQ(Read(stream), "x");
        return 0;
    });
}

/* ---- cancelled ---- */

TEST_P(StreamConformance, ACancelledReadLosesNothing)
{
    for (const char *how : {"read", "big", "exactly", "until", "line", "peek"}) {
        SCOPED_TRACE(how);
        InTask([&](hoya_task *) {
            int peer;
            Stream stream = Open(&peer);
            auto run = [&](const char *of) -> int {
                char memory[5000];
                const void *data = nullptr;
                const char *line = nullptr;
                size_t count;
                ssize_t rc = *of == 'r'   ? hoya_stream_read(stream.get(), memory, 10)
                             : *of == 'b' ? hoya_stream_read(stream.get(), memory, sizeof memory)
                             : *of == 'e' ? hoya_stream_readexactly(stream.get(), memory, 10, &count)
                             : *of == 'u' ? hoya_stream_readuntil(stream.get(), "x", 1, &data)
                             : *of == 'l' ? hoya_stream_readline(stream.get(), &line)
                                          : hoya_stream_peek(stream.get(), 10, &data);
                return static_cast<int>(rc);
            };
            Task reader = Create([&](hoya_task *) { return run(how); });
            Rounds(1);
            std::string expected = "after";
            if (*how != 'r' && *how != 'b') {
                Send(peer, "before ");
                Rounds(3);
                expected = "before after";
            }
            EXPECT_EQ(hoya_task_cancel(reader.get(), nullptr), 1);
            EXPECT_EQ(Join(reader), HOYA_ECANCELED);
            Send(peer, "after");
            Rounds(3);
            EXPECT_EQ(Read(stream), expected);
            return 0;
        });
    }
}

TEST_P(StreamConformance, ACancelledReadexactlySaysWhatItHasTaken)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        char memory[5000];
        size_t count = 0;
        Task reader = Create(
            [&](hoya_task *) { return hoya_stream_readexactly(stream.get(), memory, sizeof memory, &count); });
        Send(peer, "begin ");
        Rounds(4);
        EXPECT_EQ(hoya_task_cancel(reader.get(), nullptr), 1);
        Send(peer, "rest");
        EXPECT_EQ(Join(reader), HOYA_ECANCELED);
        EXPECT_EQ(std::string(memory, count) + Read(stream), "begin rest");
        return 0;
    });
}

TEST_P(StreamConformance, WhoIsCancelledReadsWhatIsThereAndDoesNotWait)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Task reader = Create([&](hoya_task *self) {
            Send(peer, "there\nmore");
            Rounds(3);
            EXPECT_EQ(hoya_task_cancel(self, nullptr), 1);
            EXPECT_EQ(ReadExactly(stream, 5000), "HOYA_ECANCELED after ") << "it would have had to wait";
            EXPECT_EQ(Peek(stream, 100), "HOYA_ECANCELED");
            EXPECT_EQ(ReadLine(stream), "there\n");
            EXPECT_EQ(ReadLine(stream), "HOYA_ECANCELED");
            EXPECT_EQ(ReadExactly(stream, 100), "HOYA_ECANCELED after ");
            EXPECT_EQ(Read(stream), "more");
            EXPECT_EQ(Read(stream), "HOYA_ECANCELED");
            EXPECT_EQ(Read(stream, 1), "HOYA_ECANCELED");
            return 0;
        });
        return Join(reader);
    });
}

TEST_P(StreamConformance, ACancelThatIsTakenBackChangesNothing)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Task reader = Create([&](hoya_task *) {
            EXPECT_EQ(Read(stream), "data");
            return 0;
        });
        Rounds(1);
        EXPECT_EQ(hoya_task_cancel(reader.get(), nullptr), 1);
        EXPECT_EQ(hoya_task_uncancel(reader.get()), 0);
        Rounds(3);
        EXPECT_FALSE(Done(reader));
        Send(peer, "data");
        return Join(reader);
    });
}

TEST_P(StreamConformance, ATimeoutEndsAReadAndTheStreamGoesOn)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        hoya_timeout *scope = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &scope), 0);
        EXPECT_EQ(Read(stream), "HOYA_EDEADLINE");
        EXPECT_EQ(hoya_timeout_leave(scope), 1);
        Send(peer, "data");
        EXPECT_EQ(Read(stream), "data");
        return 0;
    });
}

/* ---- fairness ---- */

// Holds: S143
TEST_P(StreamConformance, WhoAlwaysFindsSomethingLetsTheLoopTurn)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Send(peer, Much(2000));
        Rounds(3);
        bool ran = false;
        CallSoon([&] { ran = true; });
        int reads = 0;
        for (; reads < 1500 && !ran; reads++) EXPECT_EQ(Read(stream, 1).size(), 1u);
        EXPECT_TRUE(ran);
        EXPECT_GT(reads, 100) << "not each time";
        return 0;
    });
}

/* ---- the end ---- */

TEST_P(StreamConformance, AfterAFailureReadsGiveWhatIsBufferedAndThenTheCode)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Send(peer, "some");
        EXPECT_EQ(Write(stream, "unread"), 0);
        Rounds(2);
        Close(peer); /* with data unread: a reset */
        Until([&] { return hoya_stream_is_closing(stream.get()) == 1; });
        EXPECT_EQ(ReadExactly(stream, 10), "HOYA_ECONNRESET after some");
        EXPECT_EQ(Read(stream), "HOYA_ECONNRESET");
        EXPECT_EQ(ReadLine(stream), "HOYA_ECONNRESET");
        EXPECT_EQ(Peek(stream, 1), "HOYA_ECONNRESET");
        EXPECT_EQ(Write(stream, "x"), HOYA_ECONNRESET);
        EXPECT_EQ(hoya_stream_drain(stream.get()), HOYA_ECONNRESET);
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NEVER), HOYA_ECONNRESET);
        EXPECT_EQ(hoya_stream_at_eof(stream.get()), 1);
        return 0;
    });
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(StreamConformance, AFailureWakesWhoReads)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        EXPECT_EQ(Write(stream, "unread"), 0);
        CallSoon([&] { Close(peer); });
        EXPECT_EQ(Read(stream), "HOYA_ECONNRESET");
        return 0;
    });
}

TEST_P(StreamConformance, WhatWasClosedHereReadsAsClosed)
{
    for (auto end : {hoya_stream_abort, +[](hoya_stream *of) { return hoya_stream_close(of, HOYA_NOW); }}) {
        InTask([&](hoya_task *) {
            int peer;
            Stream stream = Open(&peer);
            Send(peer, "some");
            Rounds(4);
            EXPECT_EQ(hoya_stream_is_closing(stream.get()), 0);
            EXPECT_EQ(end(stream.get()), 0);
            EXPECT_EQ(hoya_stream_is_closing(stream.get()), 1);
            EXPECT_EQ(Read(stream), "some");
            EXPECT_EQ(Read(stream), "HOYA_ECLOSED");
            Rounds(2);
            EXPECT_EQ(Read(stream), "HOYA_ECLOSED");
            EXPECT_EQ(hoya_stream_wait_closed(stream.get()), 0);
            return 0;
        });
    }
}

TEST_P(StreamConformance, ACloseEndsTheReadOfAnotherTask)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Task reader = Create([&](hoya_task *) {
            EXPECT_EQ(Read(stream), "HOYA_ECLOSED");
            return 0;
        });
        Rounds(2);
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NOW), 0);
        return Join(reader);
    });
}

TEST_P(StreamConformance, TheLastUnrefClosesAndWhatWasWrittenStillGoesOut)
{
    const std::string much = Much();
    int peer = -1;
    InTask([&](hoya_task *) {
        Stream stream = Open(&peer);
        Stream same(hoya_stream_ref(stream.get()));
        stream.reset();
        return Write(same, much);
    });
    std::string all;
    RunUntil([&] {
        all += Receive(peer);
        return AtEnd(peer);
    });
    EXPECT_EQ(all.size(), much.size());
    EXPECT_TRUE(all == much);
}

TEST_P(StreamConformance, AStreamOutlivesItsLoop)
{
    Stream kept;
    int peer;
    Task reader = Create([&](hoya_task *) {
        kept = Open(&peer);
        EXPECT_EQ(Read(kept), "HOYA_ECANCELED") << "the loop is closed";
        EXPECT_EQ(hoya_stream_close(kept.get(), HOYA_NEVER), HOYA_ECANCELED);
        return 0;
    });
    RunRounds(3);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_TRUE(AtEnd(peer));
    EXPECT_EQ(hoya_stream_is_closing(kept.get()), 1);
    EXPECT_EQ(hoya_stream_at_eof(kept.get()), 1);
    EXPECT_EQ(hoya_stream_write_eof(kept.get()), 0);
    EXPECT_EQ(hoya_stream_abort(kept.get()), 0);
    reader.reset();
    kept.reset();
}

/* ---- what is refused ---- */

TEST_P(StreamConformance, WhatCannotBeIsRefused)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        hoya_stream *s = stream.get(), *none = nullptr;
        char byte;
        const void *data;
        EXPECT_EQ(hoya_stream_read(s, nullptr, 1), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_read(s, &byte, 0), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_readexactly(s, nullptr, 1, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_readuntil(s, nullptr, 1, &data), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_readuntil(s, "", 0, &data), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_readuntil(s, "x", 1, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_readline(s, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_peek(s, 0, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_write(s, nullptr, 1), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_writelines(s, nullptr, 1), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_read(nullptr, &byte, 1), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_write(nullptr, &byte, 1), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_drain(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_close(nullptr, HOYA_NOW), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_abort(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_wait_closed(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_consume(nullptr, 0), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_write_eof(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_at_eof(nullptr), 0);
        hoya_stream_unref(nullptr);

        hoya_stream_options options = StreamOptions(SIZE_MAX / 2);
        EXPECT_EQ(hoya_open_connection("127.0.0.1", "1", &options, &none), HOYA_EINVAL);
        options.limit = 0;
        options.size = 1;
        EXPECT_EQ(hoya_open_unix_connection("@x", &options, &none), HOYA_EINVAL);
        EXPECT_EQ(hoya_open_connection_on_socket(peer, &options, &none), HOYA_EINVAL);
        EXPECT_EQ(hoya_open_connection(nullptr, "1", nullptr, &none), HOYA_EINVAL);
        EXPECT_EQ(hoya_open_connection("127.0.0.1", "1", nullptr, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_open_connection_on_socket(HOYA_INVALID_FD, nullptr, &none), HOYA_EBADF);
        EXPECT_EQ(none, nullptr);
        return 0;
    });
}

TEST_P(StreamConformance, OnlyTasksWait)
{
    hoya_stream *none = nullptr;
    Stream stream;
    int peer;
    EXPECT_EQ(hoya_open_connection("127.0.0.1", "1", nullptr, &none), HOYA_ESTATE);
    EXPECT_EQ(hoya_start_server(
                  nullptr, "127.0.0.1", "0", [](hoya_task *, hoya_stream *, void *) { return 0; }, nullptr, nullptr,
                  nullptr, nullptr),
              HOYA_ESTATE);
    InTask([&](hoya_task *) {
        stream = Open(&peer);
        return 0;
    });
    EXPECT_EQ(Read(stream), "HOYA_ESTATE");
    EXPECT_EQ(Write(stream, "x"), HOYA_ESTATE);
    EXPECT_EQ(hoya_stream_drain(stream.get()), HOYA_ESTATE);
    EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NEVER), HOYA_ESTATE);
    EXPECT_EQ(hoya_stream_is_closing(stream.get()), 0) << "nothing was done";
    EXPECT_EQ(hoya_stream_consume(stream.get(), 0), 0);
    EXPECT_EQ(hoya_stream_write_eof(stream.get()), 0);
    std::thread([&] {
        char byte;
        EXPECT_EQ(hoya_stream_read(stream.get(), &byte, 1), HOYA_ETHREAD);
        EXPECT_EQ(hoya_stream_write(stream.get(), "x", 1), HOYA_ETHREAD);
        EXPECT_EQ(hoya_stream_consume(stream.get(), 0), HOYA_ETHREAD);
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NOW), HOYA_ETHREAD);
        EXPECT_EQ(hoya_stream_abort(stream.get()), HOYA_ETHREAD);
    }).join();
    EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NOW), 0);
}

} // namespace hoya_test
