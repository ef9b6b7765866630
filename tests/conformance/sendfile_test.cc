/* SPDX-License-Identifier: MIT
 *
 * conformance/sendfile_test.cc: files that go out of connections: by the system where it can, else by way of a thread that
 * reads; and what a connection is meanwhile, and after.
 */
#include "net.h"

#include <csignal>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "support/executors.h"

namespace hoya_test
{
namespace
{

const uint32_t kWays[] = {HOYA_SENDFILE_NATIVE, HOYA_SENDFILE_READ, 0};

class SendFile : public NetConformance
{
  protected:
    void SetUp() override
    {
        NetConformance::SetUp();
        threads = NewPool(2);
        EXPECT_EQ(hoya_set_default_executor(loop, threads.get()), 0);
    }
    /* What was given up may still be read. */
    void TearDown() override
    {
        NetConformance::TearDown();
        EXPECT_EQ(hoya_executor_shutdown(threads.get(), HOYA_SEC(10), 0), 0);
        threads.reset();
    }
    int MakeFile(const std::string &content)
    {
        int fd = Own(memfd_create("file", MFD_CLOEXEC));
        EXPECT_EQ(write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
        return fd;
    }
    static Future Start(const Transport &transport, int file, int64_t offset = 0, int64_t count = HOYA_SENDFILE_ALL,
                        uint32_t flags = 0)
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_sendfile(transport.get(), file, offset, count, flags, &future), 0) << hoya_error_detail();
        return Future(future);
    }
    static bool Done(const Future &future) { return hoya_future_done(future.get()); }
    static int64_t Sent(const Future &future) { return hoya_sendfile_sent(future.get()); }
    static int Result(const Future &future) { return hoya_future_result(future.get(), nullptr); }
    /* Until it is done, while the other side reads: what came. */
    std::string Finish(const Future &future, int peer)
    {
        std::string all;
        RunUntil([&] {
            all += Receive(peer);
            return Done(future);
        });
        return all + Receive(peer);
    }
    void RunUntilStuck(const Future &future)
    {
        int64_t before = -1;
        RunUntil([&] {
            int64_t last = before;
            RunRounds(2);
            before = Sent(future);
            return before > 0 && before == last;
        });
        EXPECT_FALSE(Done(future));
    }
    /* A connection over TCP. */
    Transport ConnectedByTcp(Recorder &recorder, int *peer)
    {
        int listener = Own(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr *>(&address), length), 0);
        EXPECT_EQ(listen(listener, 1), 0);
        getsockname(listener, reinterpret_cast<sockaddr *>(&address), &length);
        *peer = Own(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(connect(*peer, reinterpret_cast<sockaddr *>(&address), length), 0);
        fcntl(*peer, F_SETFL, O_NONBLOCK);
        int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        hoya_transport *transport = nullptr;
        EXPECT_EQ(hoya_connect_accepted_socket(loop, fd, recorder.protocol(), nullptr, &transport), 0);
        RunRounds(1);
        trace.clear();
        return Transport(transport);
    }

    Executor threads;
};

INSTANTIATE_TEST_SUITE_P(Hosts, SendFile, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

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
            EXPECT_TRUE(Finish(future, peer) == data);
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

/* ---- its end ---- */

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
