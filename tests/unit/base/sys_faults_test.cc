/* SPDX-License-Identifier: MIT
 *
 * unit/base/sys_faults_test.cc: system calls that fail, through the table of builds with HOYA_FAULTS; descriptors from birth.
 */
#include <gtest/gtest.h>

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <hoya/hoya.h>

extern "C" {
#include "base/clock.h"
#include "base/fd.h"
}

TEST(Fd, IsCloexecAndNonblockingFromBirth)
{
    for (int (*open)() : {hoya_fd_open_event, hoya_fd_open_timer, hoya_fd_open_epoll}) {
        hoya_fd fd = open();
        ASSERT_GE(fd, 0);
        EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        if (open != hoya_fd_open_epoll) {
            EXPECT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
        }
        hoya_fd_close(&fd);
        EXPECT_EQ(fd, HOYA_INVALID_FD);
        hoya_fd_close(&fd);
    }
}

// Holds: S20
TEST(Fd, SignallingAFullCounterIsFineAndKeepsErrno)
{
    hoya_fd fd = hoya_fd_open_event();
    uint64_t full = UINT64_MAX - 1;
    ASSERT_EQ(write(fd, &full, sizeof full), 8);
    errno = EXDEV;
    hoya_fd_signal_event(fd);
    EXPECT_EQ(errno, EXDEV);
    pollfd ready{fd, POLLIN, 0};
    EXPECT_EQ(poll(&ready, 1, 0), 1);
    hoya_fd_drain_event(fd);
    EXPECT_EQ(poll(&ready, 1, 0), 0);
    hoya_fd_close(&fd);
}

// Holds: F8
TEST(Fd, ATimerInThePastFiresAtOnceAndNeverDisarms)
{
    hoya_fd fd = hoya_fd_open_timer();
    pollfd ready{fd, POLLIN, 0};
    for (int64_t past : {HOYA_NOW, int64_t(-5), int64_t(0), int64_t(1)}) {
        ASSERT_EQ(hoya_fd_set_timer(fd, past), 0);
        EXPECT_EQ(poll(&ready, 1, 5000), 1);
        ASSERT_EQ(hoya_fd_set_timer(fd, HOYA_NEVER), 0);
        EXPECT_EQ(poll(&ready, 1, 0), 0);
    }
    ASSERT_EQ(hoya_fd_set_timer(fd, HOYA_NEVER - 1), 0) << "in 292 years";
    EXPECT_EQ(poll(&ready, 1, 0), 0);
    hoya_fd_close(&fd);
}

#ifdef HOYA_FAULTS

extern "C" {
#include "base/sys.h"
}

namespace
{
class SystemCallsThatFail : public testing::Test
{
  protected:
    void TearDown() override { hoya_sys = hoya_sys_real; }
};

int calls;
} // namespace

TEST_F(SystemCallsThatFail, ALoopThatRunsOutOfDescriptorsIsNotMadeAndLeavesNothing)
{
    hoya_loop *loop = nullptr;
    hoya_sys.epoll_create1 = [](int) { return errno = EMFILE, -1; };
    EXPECT_EQ(hoya_loop_new(nullptr, &loop), HOYA_EMFILE);
    hoya_sys = hoya_sys_real;
    hoya_sys.eventfd = [](unsigned, int) { return errno = EMFILE, -1; };
    EXPECT_EQ(hoya_loop_new(nullptr, &loop), HOYA_EMFILE);
    hoya_sys = hoya_sys_real;
    hoya_sys.timerfd_create = [](int, int) { return errno = ENFILE, -1; };
    EXPECT_EQ(hoya_loop_new(nullptr, &loop), -ENFILE);
    EXPECT_EQ(loop, nullptr);
}

TEST_F(SystemCallsThatFail, AnOldKernelWaitsInMillisecondsRoundedUp)
{
    hoya_selector *selector = nullptr;
    ASSERT_EQ(hoya_selector_new("epoll", &selector), 0);
    calls = 0;
    hoya_sys.epoll_pwait2 = [](int, epoll_event *, int, const timespec *, const sigset_t *) {
        return calls++, errno = ENOSYS, -1;
    };
    static int asked;
    hoya_sys.epoll_wait = [](int, epoll_event *, int, int timeout) { return asked = timeout, 0; };
    hoya_selector_event found;
    for (auto [timeout, milliseconds] : {std::pair{int64_t(1), 1}, {HOYA_USEC(1500), 2}, {HOYA_MSEC(2), 2}}) {
        EXPECT_EQ(hoya_selector_select(selector, timeout, &found, 1), 0);
        EXPECT_EQ(asked, milliseconds);
    }
    hoya_selector_select(selector, HOYA_SEC(86400 * 365), &found, 1);
    EXPECT_EQ(asked, INT32_MAX);
    EXPECT_EQ(calls, 1) << "asked once, remembered";
    hoya_selector_free(selector);
}

TEST_F(SystemCallsThatFail, ASelectorThatFailsEndsTheRunWithItsError)
{
    hoya_loop *loop = nullptr;
    ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
    hoya_sys.epoll_wait = [](int, epoll_event *, int, int) { return errno = EBADF, -1; };
    EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_EBADF);
    EXPECT_EQ(hoya_loop_is_running(loop), 0);
    hoya_sys = hoya_sys_real;
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 0);
    hoya_loop_unref(loop);
}

TEST_F(SystemCallsThatFail, ADescriptorThatCannotComeBackIsTriedAgainUntilItCan)
{
    struct State {
        hoya_loop *loop;
        int calls = 0;
    } state;
    ASSERT_EQ(hoya_loop_new(nullptr, &state.loop), 0);
    hoya_fd fd = hoya_fd_open_event();
    hoya_fd_signal_event(fd);
    ASSERT_EQ(hoya_loop_add_reader(
                  state.loop, fd,
                  [](hoya_fd, uint32_t, void *arg) {
                      State *s = static_cast<State *>(arg);
                      if (s->calls++) return;
                      hoya_guest *guest = reinterpret_cast<hoya_guest *>(s->loop);
                      hoya_guest_dispatch(guest, HOYA_NEVER); /* a nested loop sees it again: out of the selector */
                      hoya_sys.epoll_ctl = [](int, int, int, epoll_event *) { return errno = ENOSPC, -1; };
                  },
                  &state, nullptr),
              0);
    EXPECT_EQ(hoya_loop_run_once(state.loop, HOYA_NOW), 1);
    EXPECT_EQ(hoya_loop_run_once(state.loop, HOYA_NOW), 0) << "still no space";
    hoya_sys = hoya_sys_real;
    for (int i = 0; i < 100 && state.calls < 2; i++) hoya_loop_run_once(state.loop, HOYA_SEC(1));
    EXPECT_EQ(state.calls, 2);
    hoya_loop_unref(state.loop);
    hoya_fd_close(&fd);
}

TEST_F(SystemCallsThatFail, ATimerThatCannotBeSetIsRefused)
{
    hoya_loop *loop = nullptr;
    ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
    hoya_sys.timerfd_settime = [](int, int, const itimerspec *, itimerspec *) { return errno = EINVAL, -1; };
    int destroyed = 0;
    EXPECT_EQ(hoya_loop_call_later(
                  loop, 5, [](void *) {}, &destroyed, [](void *arg) { ++*static_cast<int *>(arg); }, nullptr),
              HOYA_EINVAL);
    EXPECT_EQ(destroyed, 1);
    hoya_sys = hoya_sys_real;
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 0);
    hoya_loop_unref(loop);
}

#endif
