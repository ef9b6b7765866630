/* SPDX-License-Identifier: MIT
 *
 * faults/pipe_test.cc: pipes, terminals and files with each fallible call failing, with a system that takes and gives a byte at
 * a time, and with a kernel whose writes raise SIGPIPE.
 */
#include "faults/fds.h"
#include "faults/sweep.h"

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <fcntl.h>
#include <hoya/pipe.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef HOYA_FAULTS
extern "C" {
#include "base/sys.h"
}
#endif

namespace hoya_test
{
namespace
{

/* Takes what comes, and counts what it hears. */
struct Sink {
    int made = 0, eof = 0, lost = 0, released = 0, code = 1;
    std::string data;

    hoya_protocol protocol() { return {&kOps, this}; }

  private:
    static Sink *of(void *arg) { return static_cast<Sink *>(arg); }
    static int Made(hoya_transport *, void *arg) { return of(arg)->made++, 0; }
    static int Data(hoya_transport *, const void *data, size_t size, void *arg)
    {
        of(arg)->data.append(static_cast<const char *>(data), size);
        return 0;
    }
    static int Eof(hoya_transport *, void *arg) { return of(arg)->eof++, 0; }
    static void Lost(hoya_transport *, int why, void *arg)
    {
        of(arg)->lost++;
        of(arg)->code = why;
    }
    static void Released(void *arg) { of(arg)->released++; }
    static constexpr hoya_protocol_ops kOps = {
        sizeof(hoya_protocol_ops), Made, nullptr, nullptr, Data, Eof, nullptr, nullptr, Lost, Released, nullptr};
};

std::string Get(int fd)
{
    std::string all;
    char some[65536];
    for (ssize_t n; (n = read(fd, some, sizeof some)) > 0;) all.append(some, static_cast<size_t>(n));
    return all;
}

void Put(int fd, const std::string &data)
{
    EXPECT_EQ(write(fd, data.data(), data.size()), static_cast<ssize_t>(data.size()));
}

int NewFile()
{
    char path[] = "/tmp/hoya-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    unlink(path);
    return fd;
}

/* What is to be read, by somebody else than the test. */
enum class Kind { kPipe, kTerminal, kFile };

struct Ends {
    int ours = -1, peer = -1;
};

Ends OpenEnds(Kind kind, bool reads)
{
    int fds[2] = {-1, -1};
    if (kind == Kind::kPipe) {
        EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
        if (!reads) std::swap(fds[0], fds[1]);
    } else if (kind == Kind::kTerminal) {
        EXPECT_EQ(openpty(&fds[1], &fds[0], nullptr, nullptr, nullptr), 0);
        termios mode;
        tcgetattr(fds[0], &mode);
        cfmakeraw(&mode);
        tcsetattr(fds[0], TCSANOW, &mode);
    } else {
        fds[0] = NewFile();
        fds[1] = dup(fds[0]);
    }
    if (kind != Kind::kFile) fcntl(fds[1], F_SETFL, O_NONBLOCK);
    return {fds[0], fds[1]};
}

/* On the loop, as a careful program ends. */
template <typename RunUntil> void EndJobs(hoya_loop *loop, RunUntil run_until)
{
    hoya_future *end = nullptr;
    Faults::Pause pause;
    EXPECT_EQ(hoya_shutdown_default_executor(loop, HOYA_NEVER, &end), 0);
    run_until([&] { return hoya_future_done(end) == 1; });
    hoya_future_unref(end);
}

class PipeFaults : public VariantFaults
{
};

INSTANTIATE_TEST_SUITE_P(Hosts, PipeFaults, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

TEST_P(PipeFaults, WhatIsReadComesWholeOrItsProtocolIsToldWhyNotAndTheDescriptorStaysOrGoes)
{
    for (Kind kind : {Kind::kPipe, Kind::kTerminal, Kind::kFile}) {
        Sweep(Name("a read pipe").c_str(), [&](Faults &faults) {
            Fds fds;
            Sink sink;
            Loop loop(faults, variant(), host.get());
            if (!loop) return;
            Ends ends = OpenEnds(kind, true);
            fds.Own(ends.ours), fds.Own(ends.peer);
            Put(ends.peer, "content");
            if (kind == Kind::kFile) EXPECT_EQ(lseek(ends.peer, 0, SEEK_SET), 0);
            int flags = fcntl(ends.ours, F_GETFL);
            hoya_transport *transport = nullptr;
            if (!faults.Ok(hoya_connect_read_pipe(loop, ends.ours, sink.protocol(), nullptr, &transport))) {
                EXPECT_EQ(transport, nullptr);
                EXPECT_EQ(sink.released, 1);
                EXPECT_EQ(fcntl(ends.ours, F_GETFL) & O_NONBLOCK, flags & O_NONBLOCK);
                return;
            }
            fds.Forget(ends.ours);
            EXPECT_TRUE(loop.RunUntil([&] { return sink.data == "content" || sink.lost; }));
            if (kind != Kind::kFile) {
                close(ends.peer);
                fds.Forget(ends.peer);
            }
            EXPECT_TRUE(loop.RunUntil([&] { return sink.lost; }));
            EXPECT_EQ(sink.released, 1);
            if (faults.Ok(sink.code)) {
                EXPECT_EQ(sink.data, "content");
                EXPECT_EQ(sink.eof, 1);
            }
            EndJobs(loop, [&](const Predicate &done) { EXPECT_TRUE(loop.RunUntil(done)); });
            hoya_transport_unref(transport);
        });
    }
}

TEST_P(PipeFaults, WhatIsWrittenGoesWholeOrItsProtocolIsToldWhyNot)
{
    for (Kind kind : {Kind::kPipe, Kind::kFile}) {
        Sweep(Name("a write pipe").c_str(), [&](Faults &faults) {
            Fds fds;
            Sink sink;
            const std::string much(150000, 'm');
            hoya_pipe_options options = {sizeof options, 1000, 0, 0};
            Loop loop(faults, variant(), host.get());
            if (!loop) return;
            Ends ends = OpenEnds(kind, false);
            fds.Own(ends.ours), fds.Own(ends.peer);
            hoya_transport *transport = nullptr;
            if (!faults.Ok(hoya_connect_write_pipe(loop, ends.ours, sink.protocol(), &options, &transport))) {
                EXPECT_EQ(sink.released, 1);
                return;
            }
            fds.Forget(ends.ours);
            EXPECT_TRUE(loop.RunUntil([&] { return sink.made; }));
            bool wrote = faults.Ok(hoya_transport_write(transport, much.data(), much.size()));
            if (!hoya_transport_is_closing(transport)) faults.Ok(hoya_transport_write_eof(transport));
            std::string all;
            EXPECT_TRUE(loop.RunUntil([&] {
                if (kind == Kind::kPipe) all += Get(ends.peer);
                return sink.lost == 1;
            }));
            if (kind == Kind::kFile) EXPECT_EQ(lseek(ends.peer, 0, SEEK_SET), 0);
            all += Get(ends.peer);
            EXPECT_EQ(sink.released, 1);
            if (faults.Ok(sink.code) && wrote) EXPECT_TRUE(all == much);
            EndJobs(loop, [&](const Predicate &done) { EXPECT_TRUE(loop.RunUntil(done)); });
            hoya_transport_unref(transport);
        });
    }
}

TEST_P(PipeFaults, ALoopThatIsClosedClosesItsPipes)
{
    Sweep(Name("pipes at a loop's close").c_str(), [&](Faults &faults) {
        Fds fds;
        Sink sinks[4];
        {
            Loop loop(faults, variant(), host.get());
            if (!loop) return;
            for (int i = 0; i < 4; i++) {
                Ends ends = OpenEnds(i % 2 ? Kind::kTerminal : Kind::kPipe, i < 2);
                fds.Own(ends.peer);
                auto connect = i < 2 ? hoya_connect_read_pipe : hoya_connect_write_pipe;
                if (!faults.Ok(connect(loop, ends.ours, sinks[i].protocol(), nullptr, nullptr))) close(ends.ours);
                if (i == 1) loop.RunUntil([&] { return sinks[0].made || sinks[0].released; });
            }
        }
        for (Sink &sink : sinks) EXPECT_EQ(sink.released, 1);
    });
}

#ifdef HOYA_FAULTS

namespace
{

/* A kernel before 6.18 has no quiet write. */
class OldKernel : public VariantFaults
{
  protected:
    static size_t most;

    void SetUp() override
    {
        VariantFaults::SetUp();
        most = SIZE_MAX;
        hoya_sys.writev_quietly = [](int, const iovec *, int) -> ssize_t {
            errno = EOPNOTSUPP;
            return -1;
        };
        ASSERT_EQ(NewLoop(variant(), host.get(), &loop), 0) << hoya_error_detail();
    }
    void TearDown() override
    {
        EndJobs(loop, [this](const Predicate &done) { RunUntil(done); });
        EXPECT_EQ(hoya_loop_close(loop), 0);
        hoya_loop_unref(loop);
        if (host) host->Settle();
        hoya_sys = hoya_sys_real;
        VariantFaults::TearDown();
    }
    void RunUntil(const Predicate &done)
    {
        int64_t end = hoya_loop_time(loop) + HOYA_SEC(20);
        while (!done() && hoya_loop_time(loop) < end) EXPECT_GE(hoya_loop_run_once(loop, HOYA_MSEC(10)), 0);
        EXPECT_TRUE(done());
    }
    /* The status of a child in which nothing of the signal is set, and this runs. */
    template <typename Run> int InPlainChild(Run run)
    {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            alarm(10);
            signal(SIGPIPE, SIG_DFL);
            sigset_t none;
            sigemptyset(&none);
            pthread_sigmask(SIG_SETMASK, &none, nullptr);
            run();
            _exit(HasFailure() ? 1 : 0);
        }
        int status = -1;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
        return status;
    }
    /* In that child: a write that finds nobody, on a loop of its own. */
    static void WriteToNobody()
    {
        Sink sink;
        hoya_loop *own;
        hoya_transport *transport;
        int ends[2];
        ASSERT_EQ(hoya_loop_new(nullptr, &own), 0);
        ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
        ASSERT_EQ(hoya_connect_write_pipe(own, ends[1], sink.protocol(), nullptr, &transport), 0);
        EXPECT_EQ(hoya_transport_write(transport, "x", 1), 0);
        close(ends[0]);
        EXPECT_EQ(hoya_transport_write(transport, "x", 1), HOYA_EPIPE);
        hoya_loop_close(own);
        hoya_transport_unref(transport);
        hoya_loop_unref(own);
    }
    static bool IsPending()
    {
        sigset_t pending;
        EXPECT_EQ(sigpending(&pending), 0);
        return sigismember(&pending, SIGPIPE) > 0;
    }
    static bool IsBlocked()
    {
        sigset_t mask;
        EXPECT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &mask), 0);
        return sigismember(&mask, SIGPIPE) > 0;
    }
    static void BlockSigpipe()
    {
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, SIGPIPE);
        EXPECT_EQ(pthread_sigmask(SIG_BLOCK, &one, nullptr), 0);
    }

    hoya_loop *loop = nullptr;
};
size_t OldKernel::most;

INSTANTIATE_TEST_SUITE_P(Hosts, OldKernel, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

TEST_P(OldKernel, ASigpipeOfTheLibrarysReachesNobody)
{
    EXPECT_EQ(InPlainChild([] {
                  WriteToNobody();
                  EXPECT_FALSE(IsBlocked());
                  EXPECT_FALSE(IsPending());
              }),
              0);
}

TEST_P(OldKernel, WhoBlocksSigpipeFindsNothingOfTheLibrarysPending)
{
    EXPECT_EQ(InPlainChild([] {
                  BlockSigpipe();
                  WriteToNobody();
                  EXPECT_TRUE(IsBlocked());
                  EXPECT_FALSE(IsPending());
              }),
              0);
}

TEST_P(OldKernel, ASigpipeThatWasPendingBeforeStays)
{
    EXPECT_EQ(InPlainChild([] {
                  BlockSigpipe();
                  raise(SIGPIPE);
                  WriteToNobody();
                  EXPECT_TRUE(IsPending());
              }),
              0);
}

TEST_P(OldKernel, AByteAtATimeGoesThroughAPipe)
{
    most = 1;
    hoya_sys.writev = [](int fd, const iovec *parts, int) {
        return hoya_sys_real.write(fd, parts->iov_base, std::min(parts->iov_len, most));
    };
    hoya_sys.read = [](int fd, void *memory, size_t size) {
        /* The loop's own descriptors do not know less than eight. */
        return hoya_sys_real.read(fd, memory, size > 8 ? 1 : size);
    };
    const std::string data(3000, 'd');
    Sink reads, writes;
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    hoya_transport *to;
    ASSERT_EQ(hoya_connect_read_pipe(loop, ends[0], reads.protocol(), nullptr, nullptr), 0);
    ASSERT_EQ(hoya_connect_write_pipe(loop, ends[1], writes.protocol(), nullptr, &to), 0);
    EXPECT_EQ(hoya_transport_write(to, data.data(), data.size()), 0);
    EXPECT_EQ(hoya_transport_write_eof(to), 0);
    RunUntil([&] { return reads.released && writes.released; });
    EXPECT_TRUE(reads.data == data);
    EXPECT_EQ(reads.code, 0);
    hoya_transport_unref(to);
}

TEST_P(OldKernel, AFileIsWrittenAndReadWhateverTheSystemTakesAtATime)
{
    most = 7;
    hoya_sys.write = [](int fd, const void *data, size_t size) {
        return hoya_sys_real.write(fd, data, size > 8 ? std::min(size, most) : size);
    };
    hoya_sys.read = [](int fd, void *memory, size_t size) {
        return hoya_sys_real.read(fd, memory, size > 8 ? std::min(size, size_t{13}) : size);
    };
    std::string data(3000, ' ');
    for (size_t i = 0; i < data.size(); i++) data[i] = static_cast<char>('!' + i % 89);
    Fds fds;
    Sink reads, writes;
    int fd = NewFile(), shared = fds.Own(dup(fd));
    hoya_transport *to;
    ASSERT_EQ(hoya_connect_write_pipe(loop, fd, writes.protocol(), nullptr, &to), 0);
    EXPECT_EQ(hoya_transport_write(to, data.data(), data.size()), 0);
    EXPECT_EQ(hoya_transport_write_eof(to), 0);
    RunUntil([&] { return writes.released; });
    hoya_transport_unref(to);
    EXPECT_EQ(lseek(shared, 0, SEEK_SET), 0);
    ASSERT_EQ(hoya_connect_read_pipe(loop, dup(shared), reads.protocol(), nullptr, nullptr), 0);
    RunUntil([&] { return reads.released; });
    EXPECT_TRUE(reads.data == data);
}

TEST_P(OldKernel, ATerminalThatCannotBeOpenedAgainGetsItsFlagBack)
{
    for (int step = 0; step < 2; step++) {
        if (step == 0)
            hoya_sys.reopen_terminal = [](int, int) {
                errno = EACCES;
                return -1;
            };
        else
            hoya_sys.dup3 = [](int, int, int) {
                errno = EBUSY;
                return -1;
            };
        Fds fds;
        Sink sink;
        Ends ends = OpenEnds(Kind::kTerminal, true);
        fds.Own(ends.peer);
        int shared = fds.Own(dup(ends.ours));
        hoya_transport *transport;
        ASSERT_EQ(hoya_connect_read_pipe(loop, ends.ours, sink.protocol(), nullptr, &transport), 0);
        EXPECT_TRUE(fcntl(shared, F_GETFL) & O_NONBLOCK);
        Put(ends.peer, "typed");
        RunUntil([&] { return sink.data == "typed"; });
        EXPECT_EQ(hoya_transport_close(transport), 0);
        RunUntil([&] { return sink.released; });
        EXPECT_FALSE(fcntl(shared, F_GETFL) & O_NONBLOCK);
        hoya_transport_unref(transport);
        hoya_sys.reopen_terminal = hoya_sys_real.reopen_terminal;
    }
}

#endif

} // namespace hoya_test
