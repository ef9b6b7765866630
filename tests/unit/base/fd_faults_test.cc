/* SPDX-License-Identifier: MIT
 *
 * unit/base/fd_faults_test.cc: what the system refuses to the library's own descriptors, by way of the table
 * of system calls. In builds without that table there is nothing here.
 */
#ifdef HOYA_FAULTS
#include <cerrno>
#include <cstring>
#include <string>

#include "unit/base/own_memory.h"

extern "C" {
#include "base/fd.h"
#include "base/sys.h"
}
#include <hoya/error.h>

using namespace hoya_test;

namespace
{

int calls; /* of the replaced function; the first one is interrupted */

int fail(int code)
{
    errno = code;
    return -1;
}

class FdFaults : public testing::Test
{
  public:
    void SetUp() override { calls = 0; }
    void TearDown() override { hoya_sys = hoya_sys_real; }
};

} // namespace

TEST_F(FdFaults, WithoutAFreeNumberOpeningAnswersEmfileAndCountsNothing)
{
    int64_t before = Live().fds;
    hoya_sys.eventfd = [](unsigned, int) { return fail(EMFILE); };
    hoya_sys.timerfd_create = [](int, int) { return fail(EMFILE); };
    hoya_sys.epoll_create1 = [](int) { return fail(EMFILE); };
    EXPECT_EQ(hoya_fd_open_event(), HOYA_EMFILE);
    EXPECT_EQ(std::string(hoya_error_detail()).rfind("eventfd: ", 0), 0u) << hoya_error_detail();
    EXPECT_EQ(hoya_fd_open_timer(), HOYA_EMFILE);
    EXPECT_EQ(std::string(hoya_error_detail()).rfind("timerfd_create: ", 0), 0u) << hoya_error_detail();
    EXPECT_EQ(hoya_fd_open_epoll(), HOYA_EMFILE);
    EXPECT_EQ(std::string(hoya_error_detail()).rfind("epoll_create1: ", 0), 0u) << hoya_error_detail();
    EXPECT_EQ(Live().fds, before);
}

TEST_F(FdFaults, AnInterruptedSignalIsRepeated)
{
    hoya_sys.write = [](int, const void *buffer, size_t size) -> ssize_t {
        uint64_t one;
        memcpy(&one, buffer, sizeof one);
        EXPECT_EQ(one, 1u);
        return calls++ == 0 ? fail(EINTR) : static_cast<ssize_t>(size);
    };
    errno = E2BIG;
    hoya_fd_signal_event(0);
    EXPECT_EQ(errno, E2BIG);
    EXPECT_EQ(calls, 2);
}

TEST_F(FdFaults, ASignalThatFailsOtherwiseIsNotRepeated)
{
    hoya_sys.write = [](int, const void *, size_t) -> ssize_t { return fail(calls++ < 9 ? EAGAIN : EBADF); };
    errno = E2BIG;
    hoya_fd_signal_event(0);
    EXPECT_EQ(errno, E2BIG);
    EXPECT_EQ(calls, 1);
}

TEST_F(FdFaults, AnInterruptedDrainIsRepeated)
{
    hoya_fd fd = hoya_fd_open_event();
    hoya_fd_signal_event(fd);
    hoya_sys.read = [](int number, void *buffer, size_t size) -> ssize_t {
        return calls++ == 0 ? fail(EINTR) : hoya_sys_real.read(number, buffer, size);
    };
    hoya_fd_drain_event(fd);
    EXPECT_EQ(calls, 2);
    uint64_t count;
    EXPECT_EQ(hoya_sys_real.read(fd, &count, sizeof count), -1) << "it has been emptied";
    hoya_fd_close(&fd);
}

TEST_F(FdFaults, AnInterruptedCloseIsNotRepeated)
{
    hoya_fd fd = hoya_fd_open_event();
    int64_t before = Live().fds;
    hoya_sys.close = [](int number) {
        hoya_sys_real.close(number);
        calls++;
        return fail(EINTR);
    };
    hoya_fd_close(&fd);
    EXPECT_EQ(calls, 1) << "the number is free by then and may belong to another thread";
    EXPECT_EQ(fd, HOYA_INVALID_FD);
    EXPECT_EQ(Live().fds, before - 1);
}

TEST_F(FdFaults, ATimerThatCannotBeSetSaysWhy)
{
    hoya_fd fd = hoya_fd_open_timer();
    hoya_sys.timerfd_settime = [](int, int, const itimerspec *, itimerspec *) { return fail(ENOMEM); };
    EXPECT_EQ(hoya_fd_set_timer(fd, 1), HOYA_ENOMEM);
    EXPECT_STREQ(hoya_error_detail(), "timerfd_settime: out of memory");
    hoya_fd_close(&fd);
}

#endif
