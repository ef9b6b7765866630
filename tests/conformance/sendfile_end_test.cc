/* SPDX-License-Identifier: MIT
 *
 * conformance/sendfile_end_test.cc: how a file that goes out of a connection ends before its end, and what the
 * connection is after.
 */
#include "sendfiles.h"

#include <csignal>

namespace hoya_test
{

// Holds: S108
TEST_P(SendFile, TheOtherSideClosesInTheMiddle)
{
    for (uint32_t way : kWays) {
        Recorder recorder(&trace, "a");
        int peer;
        Transport transport = Connected(recorder, &peer);
        Future future = Start(transport, MakeFile(Much()), 0, HOYA_SENDFILE_ALL, way);
        RunUntilStuck(future);
        std::string first(1000, ' ');
        EXPECT_EQ(recv(peer, &first[0], first.size(), 0), 1000);
        EXPECT_EQ(shutdown(peer, SHUT_RD), 0); /* what has come can still be read */
        std::string rest = ReceiveAll(peer, recorder);
        EXPECT_EQ(Result(future), HOYA_EPIPE) << hoya_error_detail();
        EXPECT_EQ(recorder.code, HOYA_EPIPE);
        EXPECT_EQ(Sent(future), static_cast<int64_t>(1000 + rest.size()));
        EXPECT_EQ(LogLines(), 0u) << "that is the network's way";
    }
}

// Holds: S120
TEST_P(SendFile, ASocketThatIsAWritePipeIsBrokenWhenNobodyReadsTheFile)
{
    Recorder recorder(&trace, "a");
    auto pair = MakePair(), pipe = MakePipe();
    hoya_transport *raw = nullptr;
    ASSERT_EQ(hoya_connect_write_pipe(loop, dup(pair[0]), recorder.protocol(), nullptr, &raw), 0);
    Transport transport(raw);
    RunRounds(1);
    Future future = Start(transport, pipe[0]); /* which has nothing: nothing is written that could find out */
    RunRounds(3);
    Close(pair[0]);
    Close(pair[1]);
    RunUntil([&] { return recorder.released; });
    EXPECT_EQ(Result(future), HOYA_EPIPE);
    EXPECT_EQ(recorder.code, HOYA_EPIPE);
}

TEST_P(SendFile, AResetHasItsCode)
{
    for (uint32_t way : kWays) {
        Recorder recorder(&trace, "a");
        int peer;
        Transport transport = ConnectedByTcp(recorder, &peer);
        Future future = Start(transport, MakeFile(Much(16u << 20)), 0, HOYA_SENDFILE_ALL, way);
        RunUntilStuck(future);
        Close(peer); /* with unread data: a reset */
        RunUntil([&] { return recorder.released; });
        EXPECT_EQ(recorder.code, HOYA_ECONNRESET) << hoya_error_name(recorder.code);
        EXPECT_EQ(Result(future), recorder.code);
    }
}

TEST_P(SendFile, NoSignalComesOfABrokenPipeAndOneThatWasThereStays)
{
    static volatile sig_atomic_t signals;
    signals = 0;
    auto before = signal(SIGPIPE, [](int) { signals = signals + 1; });
    sigset_t sigpipe, old, pending;
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    for (bool blocked : {false, true}) {
        Recorder recorder(&trace, "a");
        int peer;
        Transport transport = Connected(recorder, &peer);
        if (blocked) pthread_sigmask(SIG_BLOCK, &sigpipe, &old);
        if (blocked) raise(SIGPIPE);
        Future future = Start(transport, MakeFile(Much()), 0, HOYA_SENDFILE_ALL, HOYA_SENDFILE_NATIVE);
        shutdown(peer, SHUT_RD);
        RunUntil([&] { return recorder.released; });
        EXPECT_EQ(Result(future), HOYA_EPIPE);
        sigpending(&pending);
        EXPECT_EQ(sigismember(&pending, SIGPIPE), blocked);
        if (blocked) pthread_sigmask(SIG_SETMASK, &old, nullptr);
        EXPECT_EQ(signals, blocked ? 1 : 0);
    }
    signal(SIGPIPE, before);
}

TEST_P(SendFile, AnAbortEndsIt)
{
    for (uint32_t way : kWays) {
        for (bool waits : {false, true}) { /* for what was written before */
            Recorder recorder(&trace, "a");
            int peer;
            Transport transport = Connected(recorder, &peer);
            if (waits) EXPECT_EQ(Write(transport, Much()), 0);
            Future future = Start(transport, MakeFile(Much()), 0, HOYA_SENDFILE_ALL, way);
            if (!waits) RunUntilStuck(future);
            EXPECT_EQ(hoya_transport_abort(transport.get()), 0);
            EXPECT_EQ(Result(future), HOYA_ECLOSED);
            EXPECT_EQ(Sent(future), waits ? 0 : static_cast<int64_t>(Receive(peer).size()));
            EXPECT_EQ(Write(transport, "x"), HOYA_ECLOSED);
            RunUntil([&] { return recorder.released; });
            EXPECT_EQ(recorder.code, 0);
        }
    }
}

TEST_P(SendFile, AfterCloseItGoesToItsEnd)
{
    const std::string data = Much();
    int file = MakeFile(data);
    for (uint32_t way : kWays) {
        Recorder recorder(&trace, "a");
        int peer;
        Transport transport = Connected(recorder, &peer);
        Future future = Start(transport, file, 0, HOYA_SENDFILE_ALL, way);
        RunUntilStuck(future);
        EXPECT_EQ(hoya_transport_close(transport.get()), 0);
        EXPECT_EQ(hoya_sendfile(transport.get(), file, 0, 1, 0, nullptr), HOYA_ECLOSED);
        RunRounds(3);
        EXPECT_EQ(recorder.lost, 0);
        EXPECT_TRUE(ReceiveAll(peer, recorder) == data);
        EXPECT_EQ(Result(future), 0);
        EXPECT_EQ(recorder.code, 0);
    }
}

TEST_P(SendFile, ACancelStopsItAtOnceAndTheConnectionGoesOn)
{
    const std::string data = Much();
    int file = MakeFile(data);
    for (uint32_t way : kWays) {
        Recorder recorder(&trace, "a");
        int peer;
        Transport transport = Connected(recorder, &peer);
        Future future = Start(transport, file, 0, HOYA_SENDFILE_ALL, way);
        RunUntilStuck(future);
        Send(peer, "unread");
        EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
        EXPECT_EQ(Result(future), HOYA_ECANCELED);
        EXPECT_EQ(Write(transport, "after"), 0);
        std::string all;
        RunUntil([&] {
            all += Receive(peer);
            return !hoya_transport_get_write_buffer_size(transport.get()) && recorder.data == "unread";
        });
        all += Receive(peer);
        EXPECT_TRUE(all == data.substr(0, static_cast<size_t>(Sent(future))) + "after");
    }
}

TEST_P(SendFile, ACancelBeforeItsTurnLeavesWhatWasWritten)
{
    for (uint32_t way : kWays) {
        for (bool closes : {false, true}) {
            Recorder recorder(&trace, "a");
            int peer;
            Transport transport = Connected(recorder, &peer);
            EXPECT_EQ(Write(transport, Much()), 0);
            Future future = Start(transport, MakeFile("file"), 0, HOYA_SENDFILE_ALL, way);
            if (closes) EXPECT_EQ(hoya_transport_close(transport.get()), 0);
            EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
            EXPECT_EQ(Sent(future), 0);
            if (!closes) EXPECT_EQ(Write(transport, "after"), 0);
            EXPECT_EQ(hoya_transport_close(transport.get()), 0);
            EXPECT_TRUE(ReceiveAll(peer, recorder) == Much() + (closes ? "" : "after"));
        }
    }
}

TEST_P(SendFile, ACancelAfterCloseEndsTheConnection)
{
    for (uint32_t way : kWays) {
        Recorder recorder(&trace, "a");
        int peer;
        Transport transport = Connected(recorder, &peer);
        Future future = Start(transport, MakeFile(Much()), 0, HOYA_SENDFILE_ALL, way);
        RunUntilStuck(future);
        EXPECT_EQ(hoya_transport_close(transport.get()), 0);
        EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
        RunRounds(2);
        EXPECT_EQ(recorder.released, 1);
        EXPECT_EQ(recorder.code, 0);
    }
}

TEST_P(SendFile, WhatFailsAboutTheFileLeavesTheConnectionAlone)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    int directory = Own(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    int written = Own(open("/dev/null", O_WRONLY | O_CLOEXEC));
    for (uint32_t way : kWays) {
        Future of_directory = Start(transport, directory, 0, HOYA_SENDFILE_ALL, way);
        Finish(of_directory, peer);
        EXPECT_EQ(Result(of_directory), way == HOYA_SENDFILE_NATIVE ? HOYA_ENOTSUP : HOYA_EISDIR);
        Future of_written = Start(transport, written, 0, HOYA_SENDFILE_ALL, way);
        Finish(of_written, peer);
        EXPECT_EQ(Result(of_written), HOYA_EBADF);
        EXPECT_EQ(Sent(of_written), 0);
    }
    EXPECT_EQ(Write(transport, "x"), 0);
    EXPECT_EQ(Receive(peer), "x");
    Send(peer, "y");
    RunUntil([&] { return recorder.data == "y"; });
}

TEST_P(SendFile, AFailureThatNobodyLooksAtIsReported)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    int directory = Own(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    EXPECT_EQ(hoya_sendfile(transport.get(), directory, 0, 1, HOYA_SENDFILE_NATIVE, nullptr), 0);
    RunUntil([&] { return LogLines() > 0; });
    EXPECT_TRUE(Logged("nobody looked at the error of a sendfile"));
}

TEST_P(SendFile, WhereThreadsAreNotToBeHadItSaysSo)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    hoya_future *over = nullptr;
    ASSERT_EQ(hoya_shutdown_default_executor(loop, HOYA_SEC(10), &over), 0);
    Future shut(over);
    RunUntil([&] { return Done(shut); });
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_sendfile(transport.get(), MakeFile("x"), 0, 1, HOYA_SENDFILE_READ, &future), HOYA_ECLOSED);
    EXPECT_EQ(future, nullptr);
    Future fallback = Start(transport, MakePipe()[0]);
    Finish(fallback, peer);
    EXPECT_EQ(Result(fallback), HOYA_ECLOSED);
    EXPECT_EQ(Finish(Start(transport, MakeFile("native")), peer), "native");
}

TEST_P(SendFile, ALoopThatIsClosedLeavesItPendingAndClosesTheFile)
{
    for (uint32_t way : kWays) {
        for (bool waits : {false, true}) {
            hoya_loop *sibling = NewSibling();
            std::swap(loop, sibling);
            EXPECT_EQ(hoya_set_default_executor(loop, threads.get()), 0);
            Recorder recorder(&trace, "a");
            int peer, file = MakeFile(Much());
            Transport transport = Connected(recorder, &peer);
            if (waits) EXPECT_EQ(Write(transport, Much()), 0);
            Future future = Start(transport, file, 0, HOYA_SENDFILE_ALL, way);
            if (!waits) RunUntilStuck(future);
            EXPECT_EQ(hoya_loop_close(loop), 0);
            EXPECT_EQ(recorder.released, 1);
            EXPECT_FALSE(Done(future));
            EXPECT_GE(Sent(future), 0);
            EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
            EXPECT_EQ(Result(future), HOYA_ECANCELED);
            transport.reset();
            future.reset();
            std::swap(loop, sibling);
            hoya_loop_unref(sibling);
        }
    }
}

TEST_P(SendFile, ADumpSaysThatAFileIsSent)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    Future future = Start(transport, MakeFile(Much()));
    std::string text;
    hoya_loop_dump(
        loop, [](const char *line, void *arg) { *static_cast<std::string *>(arg) += line; }, &text);
    EXPECT_NE(text.find("not reading, sending a file"), std::string::npos) << text;
    Finish(future, peer);
}

} // namespace hoya_test
