/* SPDX-License-Identifier: MIT
 *
 * conformance/sendfile_test.cc: files that go out of connections: by the system where it can, else by way of a thread
 * that reads; and what a connection is meanwhile.
 */
#include "sendfiles.h"

#include <sys/ioctl.h>

namespace hoya_test
{

INSTANTIATE_TEST_SUITE_P(Hosts, SendFile, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- what goes ---- */

// Holds: S108
TEST_P(SendFile, TheWholeFileGoes)
{
    const std::string data = Much();
    int file = MakeFile(data);
    for (bool tcp : {false, true}) {
        for (uint32_t way : kWays) {
            SCOPED_TRACE((tcp ? "TCP, way " : "Unix, way ") + std::to_string(way));
            Recorder recorder(&trace, "a");
            int peer;
            Transport transport = tcp ? ConnectedByTcp(recorder, &peer) : Connected(recorder, &peer);
            Future future = Start(transport, file, 0, HOYA_SENDFILE_ALL, way);
            EXPECT_EQ(Receive(peer), "") << "never inside the call";
            EXPECT_TRUE(Finish(future, peer, data.size()) == data);
            EXPECT_EQ(Result(future), 0) << hoya_error_detail();
            EXPECT_EQ(Sent(future), static_cast<int64_t>(data.size()));
            EXPECT_EQ(Write(transport, "after"), 0);
            RunUntil([&] { return Receive(peer) == "after"; });
        }
    }
}

// Holds: S108
TEST_P(SendFile, WhatWasWrittenBeforeGoesFirst)
{
    const std::string before = Much(), data = std::string(300000, 'f');
    int file = MakeFile(data);
    for (uint32_t way : kWays) {
        Recorder recorder(&trace, "a");
        int peer;
        Transport transport = Connected(recorder, &peer);
        EXPECT_EQ(Write(transport, before), 0);
        EXPECT_GT(hoya_transport_get_write_buffer_size(transport.get()), 0u);
        Future future = Start(transport, file, 0, HOYA_SENDFILE_ALL, way);
        RunRounds(3);
        EXPECT_EQ(Sent(future), 0);
        EXPECT_TRUE(Finish(future, peer) == before + data);
        EXPECT_EQ(Sent(future), 300000);
    }
}

TEST_P(SendFile, APartGoesAndAFileThatIsShorterEndsItSooner)
{
    int file = MakeFile("0123456789");
    for (uint32_t way : kWays) {
        Recorder recorder(&trace, "a");
        int peer;
        Transport transport = Connected(recorder, &peer);
        const struct {
            int64_t offset, count;
            const char *expected;
        } parts[] = {{2, 3, "234"}, {7, 100, "789"}, {9, HOYA_SENDFILE_ALL, "9"}, {10, 1, ""}, {1000, 5, ""}};
        for (auto part : parts) {
            Future future = Start(transport, file, part.offset, part.count, way);
            EXPECT_EQ(Finish(future, peer), part.expected);
            EXPECT_EQ(Result(future), 0) << hoya_error_detail();
            EXPECT_EQ(Sent(future), static_cast<int64_t>(strlen(part.expected)));
        }
    }
}

/* Room for output is still asked for then, by what has just gone. */
TEST_P(SendFile, OneThatBeginsWhereAllHasGoneReadsOnce)
{
    for (uint32_t way : kWays) {
        for (bool by_pipe : {false, true}) {
            if (by_pipe && way == HOYA_SENDFILE_NATIVE) continue; /* which takes none */
            SCOPED_TRACE((by_pipe ? "a pipe, way " : "a file, way ") + std::to_string(way));
            Recorder recorder(&trace, "a");
            int peer, ends[2];
            ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
            int source = by_pipe ? ends[0] : MakeFile("0123456789");
            Future future;
            recorder.on_resume = [&](hoya_transport *t) {
                hoya_future *raw = nullptr;
                EXPECT_EQ(hoya_sendfile(t, source, 0, HOYA_SENDFILE_ALL, way, &raw), 0) << hoya_error_detail();
                future.reset(raw);
                return 0;
            };
            Transport transport = Connected(recorder, &peer);
            EXPECT_EQ(Write(transport, Much()), 0);
            std::string all;
            RunUntil([&] {
                all += Receive(peer);
                return future != nullptr;
            });
            RunRounds(3);
            EXPECT_EQ(write(ends[1], "0123456789", 10), 10);
            close(ends[1]);
            all += Finish(future, peer);
            EXPECT_EQ(Result(future), 0) << hoya_error_detail();
            EXPECT_TRUE(all == Much() + "0123456789");
            close(ends[0]);
        }
    }
}

TEST_P(SendFile, TheFilesPositionIsNeitherUsedNorMovedAndItMayBeClosedAtOnce)
{
    const std::string data = Much(300000);
    for (uint32_t way : kWays) {
        Recorder recorder(&trace, "a");
        int peer, file = MakeFile(data), same = Own(dup(file));
        Transport transport = Connected(recorder, &peer);
        lseek(file, 5, SEEK_SET);
        Future future = Start(transport, file, 0, HOYA_SENDFILE_ALL, way);
        Close(file);
        EXPECT_TRUE(Finish(future, peer) == data);
        EXPECT_EQ(lseek(same, 0, SEEK_CUR), 5);
    }
}

TEST_P(SendFile, NeitherAFileNorADescriptorThatWaitsTakesAStandardDescriptorThatWasClosed)
{
    Recorder recorder(&trace, "a");
    int peer, file = MakeFile(Much()), kept = Own(fcntl(0, F_DUPFD_CLOEXEC, 3));
    Transport transport = Connected(recorder, &peer);
    auto is_free = [] { return fcntl(0, F_GETFD) < 0; };
    close(0);
    Future future = Start(transport, file);
    bool free_while_it_is_sent = is_free();
    dup2(kept, 0);
    std::string all = Finish(future, peer);
    EXPECT_EQ(Write(transport, Much()), 0);
    close(0);
    EXPECT_EQ(hoya_transport_write_fds(transport.get(), "x", 1, &file, 1), 0);
    bool free_while_it_waits = is_free();
    dup2(kept, 0);
    EXPECT_TRUE(free_while_it_is_sent);
    EXPECT_TRUE(free_while_it_waits);
    EXPECT_TRUE(all == Much());
}

TEST_P(SendFile, APipeIsReadAsItComes)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    auto pipe = MakePipe();
    std::string all;
    Future future = Start(transport, pipe[0]);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(write(pipe[1], "some", 4), 4);
        RunUntil([&] {
            all += Receive(peer);
            return all.size() == 4 * static_cast<size_t>(i + 1);
        });
    }
    Close(pipe[1]);
    Finish(future, peer);
    EXPECT_EQ(Result(future), 0) << hoya_error_detail();
    EXPECT_EQ(Sent(future), 12);

    auto other = MakePipe();
    Future native = Start(transport, other[0], 0, 1, HOYA_SENDFILE_NATIVE);
    Finish(native, peer);
    EXPECT_EQ(Result(native), HOYA_ENOTSUP);
    EXPECT_NE(TextOf(native).find("cannot send this file"), std::string::npos);
    Future later = Start(transport, other[0], 7, 1);
    Finish(later, peer);
    EXPECT_EQ(Result(later), HOYA_EINVAL);
    EXPECT_NE(TextOf(later).find("without positions"), std::string::npos);
    EXPECT_EQ(Write(transport, "x"), 0);
}

TEST_P(SendFile, OfAPipeThatIsGivenUpLittleIsLost)
{
    Recorder recorder(&trace, "a");
    int peer, size = 4096, unread = 0;
    Transport transport = Connected(recorder, &peer);
    EXPECT_EQ(setsockopt(hoya_transport_fileno(transport.get()), SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    auto pipe = MakePipe();
    const std::string data = Much(512u << 10);
    ASSERT_GE(fcntl(pipe[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
    ASSERT_EQ(write(pipe[1], data.data(), data.size()), static_cast<ssize_t>(data.size()));
    Future future = Start(transport, pipe[0]);
    RunUntilStuck(future);
    EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
    EXPECT_EQ(ioctl(pipe[0], FIONREAD, &unread), 0);
    EXPECT_LE(static_cast<int64_t>(data.size()) - unread - Sent(future), 65536);
}

TEST_P(SendFile, APipeThatSaysNothingMayBeGivenUp)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    auto pipe = MakePipe();
    int flags = fcntl(pipe[0], F_GETFL);
    fcntl(pipe[0], F_SETFL, flags & ~O_NONBLOCK);
    Future future = Start(transport, pipe[0]);
    RunFor(HOYA_MSEC(20));
    EXPECT_FALSE(Done(future));
    EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
    EXPECT_TRUE(Done(future));
    EXPECT_EQ(Write(transport, "x"), 0);
    EXPECT_EQ(Receive(peer), "x");
    hoya_future *over = nullptr;
    ASSERT_EQ(hoya_shutdown_default_executor(loop, HOYA_SEC(10), &over), 0);
    Future shut(over);
    RunUntil([&] { return Done(shut); });
    EXPECT_EQ(Result(shut), 0) << "and no thread waits for it any more";
}

/* ---- meanwhile ---- */

// Holds: S108
TEST_P(SendFile, NothingElseIsWrittenMeanwhile)
{
    const std::string data = Much();
    int file = MakeFile(data);
    for (uint32_t way : kWays) {
        Recorder recorder(&trace, "a");
        int peer;
        Transport transport = Connected(recorder, &peer);
        Future future = Start(transport, file, 0, HOYA_SENDFILE_ALL, way);
        iovec part = {const_cast<char *>("x"), 1};
        auto expect_refusals = [&] {
            EXPECT_EQ(Write(transport, "x"), HOYA_EBUSY);
            EXPECT_STREQ(hoya_error_detail(), "write while a file is sent");
            EXPECT_EQ(hoya_transport_writelines(transport.get(), &part, 1), HOYA_EBUSY);
            EXPECT_EQ(hoya_transport_write_fds(transport.get(), "x", 1, &file, 1), HOYA_EBUSY);
            EXPECT_EQ(hoya_transport_write_eof(transport.get()), HOYA_EBUSY);
            EXPECT_EQ(hoya_sendfile(transport.get(), file, 0, 1, 0, nullptr), HOYA_EBUSY);
        };
        expect_refusals();
        RunUntilStuck(future);
        expect_refusals();
        EXPECT_TRUE(Finish(future, peer) == data);
        EXPECT_EQ(hoya_transport_write_eof(transport.get()), 0);
        EXPECT_TRUE(AtEnd(peer));
        EXPECT_EQ(hoya_sendfile(transport.get(), file, 0, 1, 0, nullptr), HOYA_ESTATE);
    }
}

// Holds: S108
TEST_P(SendFile, NothingIsReadMeanwhileAndThePausesAreTwo)
{
    int file = MakeFile(Much());
    for (bool pauses_before : {false, true}) {
        for (bool resumes : {false, true}) {
            Recorder recorder(&trace, "a");
            int peer;
            Transport transport = Connected(recorder, &peer);
            hoya_transport *t = transport.get();
            if (pauses_before) EXPECT_EQ(hoya_transport_pause_reading(t), 0);
            Future future = Start(transport, file);
            EXPECT_FALSE(hoya_transport_is_reading(t));
            Send(peer, "x");
            if (resumes) EXPECT_EQ(hoya_transport_resume_reading(t), 0);
            else EXPECT_EQ(hoya_transport_pause_reading(t), 0);
            RunRounds(3);
            EXPECT_EQ(recorder.data, "") << "the program's is not the only one";
            Finish(future, peer);
            EXPECT_EQ(hoya_transport_is_reading(t), resumes);
            RunRounds(2);
            EXPECT_EQ(recorder.data, resumes ? "x" : "");
            EXPECT_EQ(hoya_transport_resume_reading(t), 0);
            RunRounds(1);
            EXPECT_EQ(recorder.data, "x");
        }
    }
}

TEST_P(SendFile, AProtocolThatWasPausedMayWriteWhenTheFileHasGone)
{
    int file = MakeFile(Much(100000));
    for (uint32_t way : kWays) {
        Recorder recorder(&trace, "a");
        int peer, rc = 1;
        recorder.on_resume = [&](hoya_transport *t) { return rc = hoya_transport_write(t, "resumed", 7); };
        Transport transport = Connected(recorder, &peer);
        EXPECT_EQ(Write(transport, Much()), 0);
        Future future = Start(transport, file, 0, HOYA_SENDFILE_ALL, way);
        EXPECT_EQ(trace, Trace{"a pause"});
        std::string all = Finish(future, peer);
        EXPECT_EQ(trace, (Trace{"a pause", "a resume"}));
        EXPECT_EQ(rc, 0);
        EXPECT_EQ(all.substr(all.size() - 7), "resumed");
        EXPECT_EQ(all.size(), Much().size() + 100000 + 7);
        trace.clear();
    }
}

TEST_P(SendFile, AFileMayFollowAFile)
{
    Recorder recorder(&trace, "a");
    int peer, left = 3;
    Transport transport = Connected(recorder, &peer);
    int file = MakeFile("again ");
    std::vector<Future> futures;
    Work next = [&] {
        if (!left--) return;
        futures.push_back(Start(transport, file, 0, HOYA_SENDFILE_ALL, left % 2 ? HOYA_SENDFILE_READ : 0));
        WhenDone(futures.back(), next);
    };
    next();
    std::string all;
    RunUntil([&] {
        all += Receive(peer);
        return left < 0;
    });
    EXPECT_EQ(all + Receive(peer), "again again again ");
}

TEST_P(SendFile, ItBeginsBeforeTheConnectionWasMadeToo)
{
    Recorder recorder(&trace, "a");
    int peer, in_made = 1;
    recorder.on_made = [&](hoya_transport *t) {
        in_made = hoya_transport_write(t, "x", 1);
        return 0;
    };
    Transport transport = Connect(recorder, &peer);
    Future future = Start(transport, MakeFile("early"));
    EXPECT_EQ(Finish(future, peer), "early");
    EXPECT_EQ(in_made, HOYA_EBUSY);
    Send(peer, "back");
    RunUntil([&] { return recorder.data == "back"; });
}

TEST_P(SendFile, NobodyNeedsTheFutureOrTheConnection)
{
    const std::string data = Much();
    int file = MakeFile(data);
    for (uint32_t way : kWays) {
        Recorder recorder(&trace, "a");
        int peer;
        Transport transport = Connected(recorder, &peer);
        EXPECT_EQ(hoya_sendfile(transport.get(), file, 0, HOYA_SENDFILE_ALL, way, nullptr), 0);
        EXPECT_EQ(hoya_transport_close(transport.get()), 0);
        transport.reset();
        EXPECT_TRUE(ReceiveAll(peer, recorder) == data);
        EXPECT_EQ(recorder.code, 0);
    }
}

/* ---- refusals ---- */

TEST_P(SendFile, BadArgumentsAreRefusedBeforeAnythingIsOpened)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    hoya_transport *t = transport.get();
    int file = MakeFile("x"), before = OpenFds();
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_sendfile(t, file, -1, 1, 0, &future), HOYA_EINVAL);
    EXPECT_EQ(hoya_sendfile(t, file, 0, 0, 0, &future), HOYA_EINVAL);
    EXPECT_EQ(hoya_sendfile(t, file, 0, -1, 0, &future), HOYA_EINVAL);
    EXPECT_EQ(hoya_sendfile(t, file, 0, 1, HOYA_SENDFILE_NATIVE | HOYA_SENDFILE_READ, &future), HOYA_EINVAL);
    EXPECT_EQ(hoya_sendfile(t, file, 0, 1, 64, &future), HOYA_EINVAL);
    EXPECT_EQ(hoya_sendfile(t, -1, 0, 1, 0, &future), HOYA_EBADF);
    EXPECT_EQ(future, nullptr);
    EXPECT_EQ(OpenFds(), before);
    EXPECT_TRUE(hoya_transport_is_reading(t));
    Future other = NewFuture(loop);
    EXPECT_EQ(hoya_sendfile_sent(other.get()), HOYA_EINVAL);
    EXPECT_EQ(hoya_sendfile_sent(nullptr), HOYA_EINVAL);
    hoya_transport_abort(t);
    EXPECT_EQ(hoya_sendfile(t, file, 0, 1, 0, &future), HOYA_ECLOSED);
    RunRounds(2);
    EXPECT_EQ(hoya_sendfile(t, file, 0, 1, 0, &future), HOYA_ECLOSED);
}

TEST_P(SendFile, APipeOrAFileIsNoConnection)
{
    for (bool pipes : {false, true}) {
        Recorder recorder(&trace, "a");
        int file = MakeFile("x"), fd = pipes ? dup(MakePipe()[1]) : dup(file);
        hoya_transport *transport = nullptr;
        ASSERT_EQ(hoya_connect_write_pipe(loop, fd, recorder.protocol(), nullptr, &transport), 0);
        RunRounds(1);
        EXPECT_EQ(hoya_sendfile(transport, file, 0, 1, 0, nullptr), HOYA_ENOTSUP);
        EXPECT_EQ(hoya_transport_write_fds(transport, "x", 1, &file, 1), HOYA_ENOTSUP);
        hoya_transport_abort(transport);
        hoya_transport_unref(transport);
        RunUntil([&] { return recorder.released; });
    }
}

/* ---- tasks and dialogs ---- */

struct TaskOfFile {
    std::function<int()> work;
    static int Run(hoya_task *, void *arg) { return static_cast<TaskOfFile *>(arg)->work(); }
};

TEST_P(SendFile, ATaskWaitsForItAndItsCancelIsTheFiles)
{
    const std::string data = Much();
    int file = MakeFile(data);
    for (bool cancels : {false, true}) {
        Recorder recorder(&trace, "a");
        int peer;
        Transport transport = Connected(recorder, &peer);
        int64_t sent = -1;
        TaskOfFile body{[&] {
            Future future = Start(transport, file);
            int rc = hoya_await(future.get(), nullptr);
            sent = Sent(future);
            return rc;
        }};
        hoya_task *task = nullptr;
        ASSERT_EQ(hoya_create_task(loop, TaskOfFile::Run, &body, nullptr, &task), 0);
        RunRounds(3);
        if (cancels) EXPECT_EQ(hoya_task_cancel(task, nullptr), 1);
        std::string all;
        RunUntil([&] {
            if (!cancels) all += Receive(peer);
            return hoya_future_done(hoya_task_future(task)) == 1;
        });
        all += Receive(peer);
        EXPECT_EQ(hoya_future_result(hoya_task_future(task), nullptr), cancels ? HOYA_ECANCELED : 0);
        EXPECT_TRUE(all == data.substr(0, static_cast<size_t>(sent)));
        EXPECT_EQ(Write(transport, "after"), 0);
        hoya_task_unref(task);
    }
}

namespace
{

class SendFileNesting : public SendFile
{
};

INSTANTIATE_TEST_SUITE_P(Hosts, SendFileNesting, ::testing::ValuesIn(nesting_variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

TEST_P(SendFileNesting, AFileGoesOnWhileItsProtocolIsInADialog)
{
    const std::string data = Much();
    for (uint32_t way : kWays) {
        Recorder recorder(&trace, "a");
        int peer;
        std::string all;
        recorder.on_data = [&](hoya_transport *t, const std::string &) {
            hoya_future *raw = nullptr;
            EXPECT_EQ(hoya_sendfile(t, MakeFile(data), 0, HOYA_SENDFILE_ALL, way, &raw), 0);
            Future future(raw);
            EXPECT_TRUE(host->RunNestedUntil([&] {
                all += Receive(peer);
                return Done(future);
            }));
            return 0;
        };
        Transport transport = Connected(recorder, &peer);
        Send(peer, "x");
        EXPECT_TRUE(host->RunUntil([&] {
            all += Receive(peer);
            return all.size() == data.size();
        }));
        EXPECT_TRUE(all == data);
    }
}

TEST_P(SendFileNesting, ADialogInResumeWritingAtItsEndMaySendAnother)
{
    const std::string data = Much(100000);
    for (uint32_t way : kWays) {
        Recorder recorder(&trace, "a");
        int peer, dialogs = 0;
        std::string all;
        Future second;
        recorder.on_resume = [&](hoya_transport *t) {
            hoya_future *raw = nullptr;
            EXPECT_EQ(hoya_sendfile(t, MakeFile("second"), 0, HOYA_SENDFILE_ALL, way, &raw), 0);
            second.reset(raw);
            bool turned = false;
            host->CallOnce([&] { turned = true; });
            EXPECT_TRUE(host->RunNestedUntil([&] {
                all += Receive(peer);
                return turned;
            }));
            dialogs++;
            return 0;
        };
        Transport transport = Connected(recorder, &peer);
        EXPECT_EQ(Write(transport, Much()), 0);
        Future first = Start(transport, MakeFile(data), 0, HOYA_SENDFILE_ALL, way);
        EXPECT_TRUE(host->RunUntil([&] {
            all += Receive(peer);
            return dialogs && second && Done(second);
        }));
        all += Receive(peer);
        EXPECT_EQ(dialogs, 1);
        EXPECT_EQ(Result(first), 0);
        EXPECT_TRUE(all == Much() + data + "second");
    }
}

} // namespace hoya_test
