/* SPDX-License-Identifier: MIT
 *
 * faults/sendfile_test.cc: files and descriptors that go out of connections, and descriptors that come, with each fallible
 * call failing, and with a system that takes as little at a time as it may.
 */
#include "faults/sweep.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/futures.h"

#ifdef HOYA_FAULTS
extern "C" {
#include "base/sys.h"
}
#endif

namespace hoya_test
{
namespace
{

std::string Receive(int fd)
{
    std::string all;
    char some[65536];
    for (ssize_t n; (n = recv(fd, some, sizeof some, 0)) > 0;) all.append(some, static_cast<size_t>(n));
    return all;
}

std::string Pattern(size_t size)
{
    std::string data(size, ' ');
    for (size_t i = 0; i < size; i++) data[i] = static_cast<char>('!' + i % 89);
    return data;
}

/* So that some KiB are more than it takes. */
void MakeSmall(int socket)
{
    int size = 4096;
    EXPECT_EQ(setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
}

int MakeFile(const std::string &content)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    EXPECT_EQ(write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    return fd;
}

/* One end of a pair, which takes descriptors and closes them; and the plain other end. */
struct End {
    int lost = 0, released = 0, code = 1, peer = -1;
    size_t fds = 0;
    std::string data;

    End() = default;
    End(const End &) = delete;
    ~End() { close(peer); }

    int Connect(hoya_loop *loop, hoya_transport **transport)
    {
        int ends[2];
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        MakeSmall(ends[0]);
        peer = ends[1];
        int rc = Take(loop, ends[0], transport);
        if (rc < 0) close(ends[0]);
        return rc;
    }
    int Take(hoya_loop *loop, int fd, hoya_transport **transport)
    {
        static const hoya_protocol_ops ops = [] {
            hoya_protocol_ops o = {};
            o.size = sizeof o;
            o.data_received = [](hoya_transport *, const void *bytes, size_t size, void *arg) {
                of(arg)->data.append(static_cast<const char *>(bytes), size);
                return 0;
            };
            o.fds_received = [](hoya_transport *, const hoya_fd *taken, size_t count, void *arg) {
                of(arg)->fds += count;
                for (size_t i = 0; i < count; i++) close(taken[i]);
                return 0;
            };
            o.connection_lost = [](hoya_transport *, int why, void *arg) {
                of(arg)->lost++;
                of(arg)->code = why;
            };
            o.released = [](void *arg) { of(arg)->released++; };
            return o;
        }();
        return hoya_connect_accepted_socket(loop, fd, {&ops, this}, nullptr, transport);
    }
    static End *of(void *arg) { return static_cast<End *>(arg); }
};

/* Threads of a loop's, which are waited for at the end: what was given up may still be read. */
struct Threads {
    hoya_executor *pool = nullptr;

    explicit Threads(Faults &faults) { faults.Ok(hoya_thread_pool_new(nullptr, &pool)); }
    Threads(const Threads &) = delete;
    ~Threads()
    {
        if (pool) EXPECT_EQ(hoya_executor_shutdown(pool, HOYA_SEC(10), 0), 0);
        hoya_executor_unref(pool);
    }
    bool Serve(Faults &faults, hoya_loop *loop)
    {
        return pool && loop && faults.Ok(hoya_set_default_executor(loop, pool));
    }
};

class SendFileFaults : public VariantFaults
{
};

INSTANTIATE_TEST_SUITE_P(Hosts, SendFileFaults, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

// Holds: S108
TEST_P(SendFileFaults, AFileGoesOrItsFutureSaysWhyNotAndHowMuchWent)
{
    for (uint32_t flags : {0u, uint32_t(HOYA_SENDFILE_NATIVE), uint32_t(HOYA_SENDFILE_READ)}) {
        Sweep(Name(("sendfile, flags " + std::to_string(flags)).c_str()).c_str(), [&](Faults &faults) {
            const std::string before = Pattern(20000), content = Pattern(30000);
            End end;
            hoya_transport *transport = nullptr;
            hoya_future *raw = nullptr;
            Threads threads(faults);
            Loop loop(faults, variant(), host.get());
            if (!threads.Serve(faults, loop) || !faults.Ok(end.Connect(loop, &transport))) return;
            bool wrote = faults.Ok(hoya_transport_write(transport, before.data(), before.size()));
            int file = MakeFile(content);
            int rc = hoya_sendfile(transport, file, 0, HOYA_SENDFILE_ALL, flags, &raw);
            close(file);
            std::string back;
            if (!faults.Ok(rc)) {
                EXPECT_EQ(raw, nullptr);
            } else {
                EXPECT_TRUE(loop.RunUntil([&] {
                    back += Receive(end.peer);
                    return hoya_future_done(raw) == 1;
                }));
                back += Receive(end.peer);
                bool ok = faults.Ok(hoya_future_result(raw, nullptr));
                size_t sent = static_cast<size_t>(hoya_sendfile_sent(raw));
                EXPECT_TRUE(!ok || sent == content.size());
                EXPECT_LE(sent, content.size());
                if (wrote && back.size() >= before.size())
                    EXPECT_TRUE(back == before + content.substr(0, sent)) << "what it says is what went";
                hoya_future_unref(raw);
            }
            /* What fails about a file leaves the connection alone. */
            bool after =
                !hoya_transport_is_closing(transport) && faults.Ok(hoya_transport_write(transport, "after", 5));
            EXPECT_EQ(hoya_transport_close(transport), 0);
            EXPECT_TRUE(loop.RunUntil([&] {
                back += Receive(end.peer);
                return end.lost == 1;
            }));
            back += Receive(end.peer);
            if (after && faults.Ok(end.code)) EXPECT_EQ(back.substr(back.size() - 5), "after");
            hoya_transport_unref(transport);
        });
    }
}

TEST_P(SendFileFaults, AFileThatIsGivenUpAnywhereLeavesNothing)
{
    for (int how = 0; how < 3; how++) {
        for (uint32_t flags : {uint32_t(HOYA_SENDFILE_NATIVE), uint32_t(HOYA_SENDFILE_READ)}) {
            Sweep(Name(("sendfile that ends early, " + std::to_string(how)).c_str()).c_str(), [&](Faults &faults) {
                End end;
                hoya_transport *transport = nullptr;
                hoya_future *raw = nullptr;
                Threads threads(faults);
                {
                    Loop loop(faults, variant(), host.get());
                    if (!threads.Serve(faults, loop) || !faults.Ok(end.Connect(loop, &transport))) return;
                    int file = MakeFile(Pattern(60000));
                    faults.Ok(hoya_sendfile(transport, file, 0, HOYA_SENDFILE_ALL, flags, &raw));
                    close(file);
                    for (int i = 0; i < 3; i++) faults.Ok(hoya_loop_run_once(loop, HOYA_MSEC(1)));
                    if (how == 0 && raw) EXPECT_GE(hoya_future_cancel(raw, nullptr), 0);
                    if (how == 1) EXPECT_EQ(hoya_transport_abort(transport), 0);
                    hoya_transport_unref(transport);
                    if (raw && how == 1) faults.Ok(hoya_future_done(raw) ? 0 : HOYA_EINVAL);
                }
                if (raw && how < 2) hoya_future_exception(raw, nullptr);
                hoya_future_unref(raw);
                EXPECT_EQ(end.released, 1);
            });
        }
    }
}

TEST_P(SendFileFaults, DescriptorsArriveWithTheirBytesOrTheConnectionEnds)
{
    Sweep(Name("descriptors").c_str(), [&](Faults &faults) {
        End from, to;
        hoya_transport *out = nullptr, *in = nullptr;
        int ends[2];
        Loop loop(faults, variant(), host.get());
        if (!loop) return;
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        MakeSmall(ends[0]);
        if (!faults.Ok(from.Take(loop, ends[0], &out))) {
            close(ends[0]);
            close(ends[1]);
            return;
        }
        if (!faults.Ok(to.Take(loop, ends[1], &in))) close(ends[1]);
        const std::string much = Pattern(20000);
        int file = MakeFile("file");
        const hoya_fd fds[3] = {file, file, file};
        size_t passed = 0, written = 0;
        auto pass = [&](const std::string &data, size_t count) {
            int rc = count ? hoya_transport_write_fds(out, data.data(), data.size(), fds, count)
                           : hoya_transport_write(out, data.data(), data.size());
            if (!faults.Ok(rc)) return;
            passed += count;
            written += data.size();
        };
        pass("now", 2);
        pass(much, 0);
        pass("waits", 1);
        pass("plain", 0);
        pass(much, 3);
        close(file);
        EXPECT_EQ(hoya_transport_close(out), 0);
        EXPECT_TRUE(loop.RunUntil([&] { return from.released && (to.released || !in); }));
        if (faults.Ok(from.code) && in && faults.Ok(to.code)) {
            /* Where its name could not be asked it does not know that they may come. */
            hoya_address name;
            if (faults.Ok(hoya_transport_get_sockname(in, &name))) EXPECT_EQ(to.fds, passed);
            EXPECT_EQ(to.data.size(), written);
        }
        hoya_transport_unref(out);
        hoya_transport_unref(in);
    });
}

#ifdef HOYA_FAULTS

namespace
{

/* How the system is. */
struct System {
    size_t most = SIZE_MAX;
    std::vector<int> codes; /* of calls in turn; 0: it works */
    size_t calls = 0, asked = 0;

    int Next()
    {
        int code = codes.empty() ? 0 : codes[calls % codes.size()];
        calls++;
        return code;
    }
} * systems;

class StingyFiles : public VariantFaults
{
  protected:
    void SetUp() override
    {
        VariantFaults::SetUp();
        systems = &system;
        hoya_sys.send_file = [](int socket, int file, int64_t offset, size_t count) -> ssize_t {
            systems->asked = std::max(systems->asked, count);
            if ((errno = systems->Next())) return -1;
            return hoya_sys_real.send_file(socket, file, offset, std::min(count, systems->most));
        };
        hoya_sys.pread = [](int fd, void *buffer, size_t size, off_t offset) -> ssize_t {
            systems->asked = std::max(systems->asked, size);
            return hoya_sys_real.pread(fd, buffer, std::min(size, systems->most), offset);
        };
        hoya_sys.send = [](int fd, const void *data, size_t size, int flags) -> ssize_t {
            if ((errno = systems->Next())) return -1;
            return hoya_sys_real.send(fd, data, std::min(size, systems->most), flags);
        };
        hoya_sys.sendmsg = [](int fd, const msghdr *message, int flags) -> ssize_t {
            if ((errno = systems->Next())) return -1;
            msghdr less = *message;
            iovec part = message->msg_iov[0];
            part.iov_len = std::min(part.iov_len, systems->most);
            less.msg_iov = &part;
            less.msg_iovlen = 1;
            return hoya_sys_real.sendmsg(fd, &less, flags);
        };
        hoya_sys.recvmsg = [](int fd, msghdr *message, int flags) {
            message->msg_iov[0].iov_len = std::min(message->msg_iov[0].iov_len, systems->most);
            return hoya_sys_real.recvmsg(fd, message, flags);
        };
        ASSERT_EQ(NewLoop(variant(), host.get(), &loop), 0) << hoya_error_detail();
        ASSERT_EQ(hoya_thread_pool_new(nullptr, &threads), 0);
        ASSERT_EQ(hoya_set_default_executor(loop, threads), 0);
    }
    void TearDown() override
    {
        if (loop) {
            EXPECT_EQ(hoya_loop_close(loop), 0);
            hoya_loop_unref(loop);
        }
        if (threads) EXPECT_EQ(hoya_executor_shutdown(threads, HOYA_SEC(10), 0), 0); /* its last job may still go */
        hoya_executor_unref(threads);
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
    /* The result; what came must be as much of the file as was said. */
    int SendAFile(size_t size, uint32_t flags)
    {
        const std::string content = Pattern(size);
        End end;
        hoya_transport *transport = nullptr;
        hoya_future *raw = nullptr;
        int file = MakeFile(content);
        EXPECT_EQ(end.Connect(loop, &transport), 0);
        EXPECT_EQ(hoya_sendfile(transport, file, 0, HOYA_SENDFILE_ALL, flags, &raw), 0);
        close(file);
        Future future(raw);
        std::string back;
        RunUntil([&] {
            back += Receive(end.peer);
            return hoya_future_done(raw) == 1;
        });
        back += Receive(end.peer);
        int rc = hoya_future_result(raw, nullptr);
        EXPECT_TRUE(back == content.substr(0, static_cast<size_t>(hoya_sendfile_sent(raw))));
        if (rc >= 0) EXPECT_EQ(back.size(), size);
        hoya_transport_abort(transport);
        hoya_transport_unref(transport);
        RunUntil([&] { return end.released; });
        end_code = end.code;
        return rc;
    }

    System system;
    hoya_loop *loop = nullptr;
    hoya_executor *threads = nullptr;
    int end_code = 1; /* of the last connection */
};

INSTANTIATE_TEST_SUITE_P(Hosts, StingyFiles, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

TEST_P(StingyFiles, AFileGoesByAFewBytesAtATime)
{
    system.most = 7;
    for (uint32_t flags : {0u, uint32_t(HOYA_SENDFILE_READ)}) EXPECT_EQ(SendAFile(1000, flags), 0);
    EXPECT_GE(system.calls, 2 * 143u);
}

// Holds: S103
TEST_P(StingyFiles, InterruptedAndNotNowAreNoFailuresOfAFile)
{
    system.most = 100;
    system.codes = {EINTR, 0, EAGAIN, EAGAIN, 0};
    for (uint32_t flags : {0u, uint32_t(HOYA_SENDFILE_READ)}) EXPECT_EQ(SendAFile(2000, flags), 0);
}

TEST_P(StingyFiles, OneCallIsForAMebibyteAtMost)
{
    EXPECT_EQ(SendAFile(3u << 20, HOYA_SENDFILE_NATIVE), 0);
    EXPECT_EQ(system.asked, 1u << 20) << "others have their turns in between";
    system.asked = 0;
    EXPECT_EQ(SendAFile(3u << 20, HOYA_SENDFILE_READ), 0);
    EXPECT_EQ(system.asked, 256u << 10);
}

TEST_P(StingyFiles, WhatTheSystemWillNotSendFromIsReadFromWhereItStopped)
{
    for (int code : {EINVAL, ENOSYS, EOVERFLOW, EOPNOTSUPP, ESPIPE}) {
        system.most = 1000;
        system.calls = 0;
        system.codes = {0, 0, code, 0, 0, 0, 0, 0};
        EXPECT_EQ(SendAFile(7000, 0), 0);
        system.calls = 0;
        EXPECT_EQ(SendAFile(7000, HOYA_SENDFILE_NATIVE), HOYA_ENOTSUP);
    }
}

/* ENOTCONN: a FUSE mount whose server has died. ETIMEDOUT: NFS. */
TEST_P(StingyFiles, AMediumThatFailsIsOfTheFileAndLeavesTheConnectionAlone)
{
    for (int code : {EIO, ENOTCONN, ETIMEDOUT, EHOSTUNREACH, ECONNREFUSED, ECONNABORTED}) {
        static int the_code;
        the_code = code;
        system.most = 1000;
        hoya_sys.send_file = [](int socket, int file, int64_t offset, size_t) -> ssize_t {
            if (offset >= 2000) return errno = the_code, -1;
            return hoya_sys_real.send_file(socket, file, offset, 1000);
        };
        EXPECT_EQ(SendAFile(7000, HOYA_SENDFILE_NATIVE), -code);
        EXPECT_EQ(end_code, 0) << "the connection's is the abort's";
        EXPECT_EQ(SendAFile(7000, 0), 0) << "it can be read all the same";
        hoya_sys.pread = [](int, void *, size_t, off_t) -> ssize_t { return errno = the_code, -1; };
        EXPECT_EQ(SendAFile(7000, 0), -code);
        EXPECT_EQ(end_code, 0);
        hoya_sys.pread = hoya_sys_real.pread;
    }
}

TEST_P(StingyFiles, WhatTheConnectionSaysIsTheConnections)
{
    for (int code : {EPIPE, ECONNRESET, ETIMEDOUT, EHOSTUNREACH}) {
        system.calls = 0;
        system.most = 1000;
        system.codes = {0, 0, code,
                        EPIPE}; /* an error is told once; the send after it finds the connection closed */
        EXPECT_EQ(SendAFile(7000, 0), -code);
        EXPECT_EQ(end_code, -code);
    }
    system.calls = 0;
    system.codes = {0, 0, EINVAL, EPIPE};
    EXPECT_EQ(SendAFile(7000, 0), HOYA_EPIPE);
    EXPECT_EQ(end_code, HOYA_EPIPE);
}

/* Sends "<digit>" with so many descriptors, between plain ones. */
TEST_P(StingyFiles, DescriptorsStayWithTheirBytesWhereverTheseAreCut)
{
    for (size_t most : {1, 3, 11}) {
        for (const std::vector<int> &codes : {std::vector<int>{0}, {EAGAIN, 0, EINTR, EAGAIN, 0, 0}}) {
            system.most = most;
            system.codes = codes;
            End from, to;
            hoya_transport *out = nullptr;
            int ends[2];
            ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
            ASSERT_EQ(from.Take(loop, ends[0], &out), 0);
            ASSERT_EQ(to.Take(loop, ends[1], nullptr), 0);
            int file = MakeFile("file");
            const hoya_fd fds[3] = {file, file, file};
            std::string expected;
            size_t count = 0;
            for (size_t i = 0; i < 40; i++) {
                const std::string data = Pattern(1 + i * 7 % 20);
                if (i % 2) EXPECT_EQ(hoya_transport_write(out, data.data(), data.size()), 0);
                else EXPECT_EQ(hoya_transport_write_fds(out, data.data(), data.size(), fds, 1 + i % 3), 0);
                expected += data;
                count += i % 2 ? 0 : 1 + i % 3;
            }
            close(file);
            EXPECT_EQ(hoya_transport_close(out), 0);
            RunUntil([&] { return from.released && to.released; });
            EXPECT_EQ(to.data, expected);
            EXPECT_EQ(to.fds, count);
            hoya_transport_unref(out);
        }
    }
}

TEST_P(StingyFiles, DescriptorsThatTheSystemRefusesLeaveTheConnectionUnlessTheyHaveWaited)
{
    for (bool waited : {false, true}) {
        End end;
        hoya_transport *out = nullptr;
        ASSERT_EQ(end.Connect(loop, &out), 0);
        int file = MakeFile("file");
        if (waited) {
            system.codes = {EAGAIN};
            EXPECT_EQ(hoya_transport_write_fds(out, "x", 1, &file, 1), 0);
        }
        system.codes = {ETOOMANYREFS};
        if (waited) {
            RunUntil([&] { return end.released; });
            EXPECT_EQ(end.code, HOYA_ETOOMANYREFS);
        } else {
            EXPECT_EQ(hoya_transport_write_fds(out, "x", 1, &file, 1), HOYA_ETOOMANYREFS);
            EXPECT_FALSE(hoya_transport_is_closing(out));
            system.codes = {EPIPE};
            EXPECT_EQ(hoya_transport_write_fds(out, "x", 1, &file, 1), HOYA_EPIPE);
            EXPECT_TRUE(hoya_transport_is_closing(out));
        }
        system.codes = {};
        close(file);
        hoya_transport_unref(out);
        RunUntil([&] { return end.released; });
    }
}

#endif

} // namespace hoya_test
