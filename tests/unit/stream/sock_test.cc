/* SPDX-License-Identifier: MIT
 *
 * unit/stream/sock_test.cc: plain sockets in tasks, without memory, and with a system that does things by halves.
 */
#include "unit/task/task_memory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

extern "C" {
#include "base/sys.h"
}

namespace hoya_test
{
namespace
{

class SockUnit : public TaskMemory
{
  protected:
    void SetUp() override
    {
        TaskMemory::SetUp();
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    }
    void TearDown() override
    {
        TaskMemory::TearDown(); /* which waits for the threads, that use the table until then */
#ifdef HOYA_FAULTS
        hoya_sys = hoya_sys_real;
#endif
        close(fds[0]);
        close(fds[1]);
    }
    std::string Received()
    {
        std::string all;
        char some[65536];
        for (ssize_t n; (n = recv(fds[1], some, sizeof some, 0)) > 0;) all.append(some, static_cast<size_t>(n));
        return all;
    }
    unsigned long Watches() const
    {
        hoya_loop_statistics stats = {};
        stats.size = sizeof stats;
        EXPECT_EQ(hoya_loop_stats(loop, &stats), 0);
        return stats.watches;
    }

    int fds[2];
};

} // namespace

TEST_F(SockUnit, WhatNeedsNotWaitNeedsNoMemory)
{
    int rc = 1;
    Work work = [&] {
        char bytes[10];
        EXPECT_EQ(hoya_sock_sendall(fds[0], "hello", 5, nullptr), 0);
        EXPECT_EQ(hoya_sock_recv(fds[1], bytes, sizeof bytes), 5);
        EXPECT_EQ(hoya_sock_recv(fds[1], bytes, sizeof bytes), HOYA_ENOMEM) << "waiting does";
        EXPECT_STRNE(hoya_error_detail(), "");
        allocator.fail = false;
        EXPECT_EQ(hoya_sock_sendall(fds[0], "again", 5, nullptr), 0);
        EXPECT_EQ(hoya_sock_recv(fds[1], bytes, sizeof bytes), 5) << "nothing is left of that";
        return rc = 0;
    };
    hoya_task *task = Create(&work);
    allocator.fail = true;
    RunRounds(2);
    EXPECT_EQ(rc, 0);
    EXPECT_EQ(Watches(), 0u);
    hoya_task_unref(task);
}

TEST_F(SockUnit, ACancelNeedsNone)
{
    int rc = 1;
    Work work = [&] {
        char byte;
        return rc = static_cast<int>(hoya_sock_recv(fds[0], &byte, 1));
    };
    hoya_task *task = Create(&work);
    RunRounds(2);
    EXPECT_EQ(Watches(), 1u);
    allocator.fail = true;
    EXPECT_EQ(hoya_task_cancel(task, nullptr), 1);
    RunRounds(2);
    EXPECT_EQ(rc, HOYA_ECANCELED);
    EXPECT_EQ(Watches(), 0u);
    hoya_task_unref(task);
}

#ifdef HOYA_FAULTS

/* Each takes turns of one byte, "not now" and an interruption. */
namespace
{
int call;

template <typename Answer> ssize_t ByHalves(size_t size, Answer answer)
{
    switch (call++ % 3) {
    case 0:
        return answer(std::min<size_t>(size, 1));
    case 1:
        return errno = EAGAIN, -1;
    default:
        return errno = EINTR, -1;
    }
}
} // namespace

TEST_F(SockUnit, BytesGoAndComeOneByOneAndAllOfThem)
{
    call = 0;
    hoya_sys.send = [](int fd, const void *data, size_t size, int flags) {
        return ByHalves(size, [&](size_t n) { return hoya_sys_real.send(fd, data, n, flags); });
    };
    hoya_sys.recvfrom = [](int fd, void *data, size_t size, int flags, sockaddr *from, socklen_t *length) {
        return ByHalves(size, [&](size_t n) { return hoya_sys_real.recvfrom(fd, data, n, flags, from, length); });
    };
    std::string got;
    Work sender = [&] {
        size_t sent = 0;
        EXPECT_EQ(hoya_sock_sendall(fds[0], "all of it", 9, &sent), 0);
        EXPECT_EQ(sent, 9u);
        return 0;
    };
    Work receiver = [&] {
        char some[100];
        while (got.size() < 9) {
            ssize_t n = hoya_sock_recv(fds[1], some, sizeof some);
            EXPECT_GT(n, 0);
            if (n <= 0) return -1;
            got.append(some, static_cast<size_t>(n));
        }
        return 0;
    };
    hoya_task *one = Create(&sender), *other = Create(&receiver);
    RunRounds(200);
    EXPECT_EQ(got, "all of it");
    EXPECT_EQ(Watches(), 0u);
    hoya_task_unref(one);
    hoya_task_unref(other);
}

namespace
{
size_t total; /* of what was sent to nobody, who always has room */

void SendToNobody()
{
    total = 0;
    hoya_sys.send = [](int, const void *, size_t size, int) -> ssize_t {
        size_t n = std::min<size_t>(size, 65536);
        total += n;
        return static_cast<ssize_t>(n);
    };
}
} // namespace

/* Of sendall's side nobody may come between, also while it only lets others have their turn. */
TEST_F(SockUnit, WhatAlwaysGoesLetsOthersRunAndKeepsItsSide)
{
    SendToNobody();
    std::string data(64u << 20, 'x');
    size_t seen = 0;
    int between = 1;
    Work sender = [&] { return hoya_sock_sendall(fds[0], data.data(), data.size(), nullptr); };
    Work other = [&] {
        seen = total;
        between = hoya_sock_sendall(fds[0], "between", 7, nullptr);
        return 0;
    };
    hoya_task *one = Create(&sender), *two = Create(&other);
    RunRounds(2);
    EXPECT_GT(seen, 0u);
    EXPECT_LT(seen, 16u << 20) << "a turn of some megabytes";
    EXPECT_EQ(between, HOYA_EBUSY);
    RunRounds(50);
    EXPECT_EQ(total, data.size());
    EXPECT_EQ(Watches(), 0u);
    hoya_task_unref(one);
    hoya_task_unref(two);
}

TEST_F(SockUnit, WithoutMemoryToKeepItsSideASenderKeepsItsTurn)
{
    SendToNobody();
    std::string data(64u << 20, 'x');
    Work sender = [&] {
        EXPECT_EQ(hoya_sock_sendall(fds[0], data.data(), data.size(), nullptr), 0);
        EXPECT_STREQ(hoya_error_detail(), "") << "nothing has failed";
        return 0;
    };
    hoya_task *task = Create(&sender);
    allocator.fail = true;
    RunRounds(1);
    EXPECT_EQ(total, data.size());
    RunRounds(1);
    hoya_task_unref(task);
}

TEST_F(SockUnit, AConnectThatWasBegunBeforeIsWaitedFor)
{
    static int code;
    hoya_sys.connect = [](int, const sockaddr *, socklen_t) { return errno = EALREADY, -1; };
    hoya_sys.getsockopt = [](int, int, int, void *value, socklen_t *) {
        *static_cast<int *>(value) = code;
        return 0;
    };
    hoya_address address;
    ASSERT_EQ(hoya_address_set(&address, "127.0.0.1", "9"), 0);
    for (int expected : {0, ECONNREFUSED}) {
        code = expected;
        int rc = 1;
        Work work = [&] { return rc = hoya_sock_connect(fds[0], &address); };
        hoya_task *task = Create(&work);
        RunRounds(3);
        EXPECT_EQ(rc, -expected);
        if (rc < 0) EXPECT_EQ(hoya_future_exception(hoya_task_future(task), nullptr), HOYA_ECONNREFUSED);
        hoya_task_unref(task);
    }
    EXPECT_EQ(Watches(), 0u);
}

TEST_F(SockUnit, WhoFindsASocketWithAnErrorAndNothingElseIsToldIt)
{
    hoya_sys.recvfrom = [](int, void *, size_t, int, sockaddr *, socklen_t *) -> ssize_t {
        return errno = EAGAIN, -1;
    };
    hoya_sys.getsockopt = [](int, int, int option, void *value, socklen_t *) {
        *static_cast<int *>(value) = option == SO_ERROR ? EHOSTUNREACH : 0;
        return 0;
    };
    int rc = 1;
    Work work = [&] {
        char byte;
        rc = static_cast<int>(hoya_sock_recv(fds[0], &byte, 1));
        EXPECT_STREQ(hoya_error_detail(), "recv: host unreachable");
        return 0;
    };
    hoya_task *task = Create(&work);
    RunRounds(2);
    EXPECT_EQ(rc, 1) << "it waits";
    EXPECT_EQ(shutdown(fds[0], SHUT_RDWR), 0);
    RunRounds(20); /* it may be somebody else who is faster */
    EXPECT_EQ(rc, HOYA_EHOSTUNREACH);
    EXPECT_EQ(Watches(), 0u);
    hoya_task_unref(task);
}

namespace
{
std::vector<int> gone; /* how accept fails, one after the other */
}

/* accept(2): what the network has done to a connection that nobody had accepted yet is accept's own error. */
TEST_F(SockUnit, AcceptPassesOverThoseWhoHaveGone)
{
    gone = {ECONNABORTED, EPROTO, EHOSTUNREACH, ENETDOWN, ENONET, EOPNOTSUPP, ENETUNREACH, EHOSTDOWN, ENOPROTOOPT};
    hoya_sys.accept4 = [](int fd, sockaddr *address, socklen_t *length, int flags) {
        if (gone.empty()) return hoya_sys_real.accept4(fd, address, length, flags);
        errno = gone.back();
        gone.pop_back();
        return -1;
    };
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int caller = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    socklen_t length = sizeof(sa_family_t);
    address.sun_family = AF_UNIX; /* and a name of the kernel's */
    ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr *>(&address), length), 0);
    ASSERT_EQ(listen(listener, 1), 0);
    length = sizeof address;
    ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr *>(&address), &length), 0);
    ASSERT_EQ(connect(caller, reinterpret_cast<sockaddr *>(&address), length), 0);
    hoya_fd got = -1;
    int rc = 1;
    Work work = [&] { return rc = hoya_sock_accept(listener, &got, nullptr); };
    hoya_task *task = Create(&work);
    RunRounds(1);
    EXPECT_EQ(rc, 0);
    EXPECT_GE(got, 0);
    EXPECT_TRUE(gone.empty());
    for (int fd : {got, caller, listener}) close(fd);
    hoya_task_unref(task);
}

TEST_F(SockUnit, WhoPassesOverManyThatHaveGoneLetsOthersRun)
{
    call = 0;
    hoya_sys.accept4 = [](int, sockaddr *, socklen_t *, int) {
        return errno = ++call < 100000 ? ENETDOWN : EMFILE, -1;
    };
    int rc = 1, seen = 0;
    Work work = [&] {
        hoya_fd got;
        rc = hoya_sock_accept(fds[0], &got, nullptr);
        return 0;
    };
    Work other = [&] { return seen = call, 0; };
    hoya_task *one = Create(&work), *two = Create(&other);
    RunRounds(1);
    EXPECT_GT(seen, 0);
    EXPECT_LT(seen, 100000);
    for (int i = 0; i < 10000 && rc == 1; i++) RunRounds(1);
    EXPECT_EQ(rc, HOYA_EMFILE);
    EXPECT_EQ(Watches(), 0u);
    hoya_task_unref(one);
    hoya_task_unref(two);
}

TEST_F(SockUnit, WhereNobodyCanEverConnectAcceptSaysSo)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc = 1;
    Work work = [&] {
        hoya_fd got;
        rc = hoya_sock_accept(fd, &got, nullptr);
        return 0;
    };
    hoya_task *task = Create(&work);
    RunRounds(1);
    EXPECT_EQ(rc, -EOPNOTSUPP);
    close(fd);
    hoya_task_unref(task);
}

/* ---- files that the system does not send itself ------------------------------------------------------------- */

namespace
{

class SockFile : public SockUnit
{
  protected:
    void SetUp() override
    {
        SockUnit::SetUp();
        hoya_sys.send_file = [](int, int, int64_t, size_t) -> ssize_t { return errno = EINVAL, -1; };
        file = memfd_create("hoya-sock", MFD_CLOEXEC);
        for (size_t i = 0; i < 300000; i++) data += static_cast<char>('a' + i % 23);
        ASSERT_EQ(write(file, data.data(), data.size()), static_cast<ssize_t>(data.size()));
    }
    void TearDown() override
    {
        close(file);
        SockUnit::TearDown();
    }
    /* Sends and receives, until the task has ended. */
    int Send(int64_t offset, int64_t count, uint32_t flags, int64_t cancel_at = -1)
    {
        int rc = 1;
        Work work = [&] {
            rc = hoya_sock_sendfile(fds[0], file, offset, count, flags, &sent);
            detail = rc < 0 ? hoya_error_detail() : "";
            hoya_future *future = nullptr;
            EXPECT_EQ(hoya_shutdown_default_executor(loop, HOYA_NEVER, &future), 0);
            EXPECT_EQ(hoya_shield_enter(), 0);
            EXPECT_EQ(hoya_await(future, nullptr), 0);
            hoya_future_unref(future);
            return 0;
        };
        hoya_task *task = Create(&work);
        got.clear();
        while (!hoya_future_done(hoya_task_future(task))) {
            EXPECT_GE(hoya_loop_run_once(loop, HOYA_MSEC(1)), 0);
            got += Received();
            if (cancel_at >= 0 && static_cast<int64_t>(got.size()) >= cancel_at) hoya_task_cancel(task, nullptr);
        }
        got += Received();
        hoya_task_unref(task);
        EXPECT_EQ(Watches(), 0u);
        return rc;
    }

    int file = -1;
    int64_t sent = 0;
    std::string data, got, detail;
};

} // namespace

TEST_F(SockFile, IsReadByTheExecutorAndSent)
{
    EXPECT_EQ(Send(0, HOYA_SENDFILE_ALL, 0), 0);
    EXPECT_EQ(sent, static_cast<int64_t>(data.size()));
    EXPECT_TRUE(got == data);
}

TEST_F(SockFile, IsReadFromItsOffsetAndNoFartherThanAskedFor)
{
    EXPECT_EQ(Send(100000, 100000, 0), 0);
    EXPECT_EQ(sent, 100000);
    EXPECT_TRUE(got == data.substr(100000, 100000));
}

TEST_F(SockFile, IsNotSentAtAllWhereOnlyTheSystemMay)
{
    EXPECT_EQ(Send(0, HOYA_SENDFILE_ALL, HOYA_SENDFILE_NATIVE), HOYA_ENOTSUP);
    EXPECT_NE(detail, "");
    EXPECT_EQ(sent, 0);
    EXPECT_EQ(got, "");
}

TEST_F(SockFile, ThatIsCancelledTellsHowMuchWent)
{
    EXPECT_EQ(Send(0, HOYA_SENDFILE_ALL, 0, 65536), HOYA_ECANCELED);
    EXPECT_GE(sent, 65536);
    EXPECT_LT(sent, static_cast<int64_t>(data.size()));
    EXPECT_TRUE(got == data.substr(0, static_cast<size_t>(sent)));
}

/* The system has sent some of it, and cannot go on. */
TEST_F(SockFile, GoesOnWhereTheSystemHasStopped)
{
    hoya_sys.send_file = [](int fd, int from, int64_t offset, size_t) -> ssize_t {
        return offset ? (errno = EINVAL, -1) : hoya_sys_real.send_file(fd, from, offset, 1000);
    };
    EXPECT_EQ(Send(0, HOYA_SENDFILE_ALL, 0), 0);
    EXPECT_EQ(sent, static_cast<int64_t>(data.size()));
    EXPECT_TRUE(got == data);
}

/* It is its task's alone while the file is read, too. */
TEST_F(SockFile, KeepsItsSideWhileItIsRead)
{
    int between = 1;
    Work work = [&] {
        between = hoya_sock_sendall(fds[0], "between", 7, nullptr);
        return 0;
    };
    hoya_task *other = nullptr;
    static std::function<void()> meanwhile; /* a task, whose turn comes while the file is read */
    meanwhile = [&] {
        if (!other) other = Create(&work);
    };
    hoya_sys.send_file = [](int, int, int64_t, size_t) -> ssize_t {
        meanwhile();
        return errno = EINVAL, -1;
    };
    EXPECT_EQ(Send(0, HOYA_SENDFILE_ALL, 0), 0);
    EXPECT_EQ(between, HOYA_EBUSY);
    EXPECT_TRUE(got == data);
    hoya_task_unref(other);
}

/* The socket has room, as it has had since it was waited for; that is no news now. */
TEST_F(SockFile, KeepsTheLoopQuietWhileItIsRead)
{
    call = 0;
    hoya_sys.send = [](int fd, const void *bytes, size_t size, int flags) {
        return call++ ? hoya_sys_real.send(fd, bytes, size, flags) : (errno = EAGAIN, ssize_t(-1));
    };
    hoya_sys.pread = [](int fd, void *bytes, size_t size, off_t offset) {
        usleep(20000);
        return hoya_sys_real.pread(fd, bytes, size, offset);
    };
    EXPECT_EQ(Send(0, 100000, 0), 0);
    hoya_loop_statistics stats = {};
    stats.size = sizeof stats;
    EXPECT_EQ(hoya_loop_stats(loop, &stats), 0);
    EXPECT_LT(stats.events, 200u) << "in 40 ms, where a loop that spins has thousands";
}

TEST_F(SockFile, ThatCannotBeReadSaysWhy)
{
    hoya_sys.pread = [](int, void *, size_t, off_t) -> ssize_t { return errno = EIO, -1; };
    EXPECT_EQ(Send(0, 10, 0), HOYA_EIO);
    EXPECT_NE(detail.find("the file to send"), std::string::npos) << detail;
}

#endif

} // namespace hoya_test
