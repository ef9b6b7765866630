/* SPDX-License-Identifier: MIT
 *
 * unit/base/fd_test.cc: the library's own descriptors: how they are born and counted, the event descriptor,
 * and the timer descriptor. What the system refuses is in fd_faults_test.cc.
 */
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "unit/base/own_memory.h"

extern "C" {
#include "base/clock.h"
#include "base/fd.h"
}
#include <hoya/error.h>

using namespace hoya_test;

namespace
{

bool readable(int fd, int timeout = 0)
{
    pollfd p{fd, POLLIN, 0};
    return poll(&p, 1, timeout) == 1 && p.revents == POLLIN;
}

/* One descriptor of each test, closed at its end. */
class OwnFd : public testing::Test
{
  public:
    hoya_fd fd = HOYA_INVALID_FD;
    void TearDown() override { hoya_fd_close(&fd); }
};

class EventFd : public OwnFd
{
  public:
    void SetUp() override { ASSERT_GE(fd = hoya_fd_open_event(), 0); }
};

class TimerFd : public OwnFd
{
  public:
    void SetUp() override { ASSERT_GE(fd = hoya_fd_open_timer(), 0); }
};

} // namespace

TEST_F(EventFd, IsBornCloexecNonblockingAndUnreadable)
{
    EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    EXPECT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
    EXPECT_FALSE(readable(fd));
}

TEST_F(TimerFd, IsBornCloexecNonblockingAndUnreadable)
{
    EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    EXPECT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
    EXPECT_FALSE(readable(fd));
}

TEST_F(OwnFd, AnEpollDescriptorIsBornCloexec)
{
    ASSERT_GE(fd = hoya_fd_open_epoll(), 0);
    EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

TEST_F(OwnFd, DescriptorsAreCountedFromBirthToDeath)
{
    int64_t before = Live().fds;
    hoya_fd fds[] = {hoya_fd_open_event(), hoya_fd_open_timer(), hoya_fd_open_epoll()};
    EXPECT_EQ(Live().fds, before + 3);
    for (hoya_fd &each : fds) hoya_fd_close(&each);
    EXPECT_EQ(Live().fds, before);
}

TEST_F(OwnFd, ClosingForgetsTheNumberAndMayBeRepeated)
{
    fd = hoya_fd_open_event();
    int number = fd;
    int64_t before = Live().fds;
    hoya_fd_close(&fd);
    EXPECT_EQ(fd, HOYA_INVALID_FD);
    EXPECT_EQ(fcntl(number, F_GETFD), -1);
    hoya_fd_close(&fd);
    EXPECT_EQ(Live().fds, before - 1);
}

TEST_F(EventFd, SignalMakesReadableAndDrainUnreadable)
{
    hoya_fd_signal_event(fd);
    EXPECT_TRUE(readable(fd));
    hoya_fd_drain_event(fd);
    EXPECT_FALSE(readable(fd));
}

TEST_F(EventFd, ManySignalsAreDrainedAtOnce)
{
    for (int i = 0; i < 10; i++) hoya_fd_signal_event(fd);
    hoya_fd_drain_event(fd);
    EXPECT_FALSE(readable(fd));
    hoya_fd_drain_event(fd); /* nothing there: does not block */
    hoya_fd_signal_event(fd);
    EXPECT_TRUE(readable(fd));
}

// Holds: S20
TEST_F(EventFd, SignalOnAFullCounterIsFineAndKeepsErrno)
{
    uint64_t all = UINT64_MAX - 1;
    ASSERT_EQ(write(fd, &all, sizeof all), 8);
    errno = E2BIG;
    hoya_fd_signal_event(fd);
    EXPECT_EQ(errno, E2BIG);
    EXPECT_TRUE(readable(fd));
    hoya_fd_drain_event(fd);
    EXPECT_FALSE(readable(fd));
}

// Holds: S20
TEST_F(OwnFd, SignalOnAClosedDescriptorKeepsErrno)
{
    errno = E2BIG;
    hoya_fd_signal_event(HOYA_INVALID_FD);
    EXPECT_EQ(errno, E2BIG);
}

TEST_F(TimerFd, ADeadlineThatPassedIsDueAtOnce)
{
    for (int64_t deadline :
         {HOYA_NOW, HOYA_NOW + 1, INT64_C(-1), INT64_C(0), INT64_C(1), hoya_clock_monotonic(nullptr)}) {
        EXPECT_EQ(hoya_fd_set_timer(fd, HOYA_NEVER), 0);
        EXPECT_FALSE(readable(fd)) << deadline;
        EXPECT_EQ(hoya_fd_set_timer(fd, deadline), 0);
        EXPECT_TRUE(readable(fd, 10000)) << deadline;
    }
}

TEST_F(TimerFd, ADeadlineAheadIsKeptOnTheMonotonicClock)
{
    ASSERT_EQ(hoya_fd_set_timer(fd, hoya_clock_monotonic(nullptr) + HOYA_SEC(3600)), 0);
    EXPECT_FALSE(readable(fd));
    itimerspec left{};
    ASSERT_EQ(timerfd_gettime(fd, &left), 0);
    EXPECT_LE(left.it_value.tv_sec, 3600);
    EXPECT_GT(left.it_value.tv_sec, 3500);
    EXPECT_EQ(left.it_interval.tv_sec, 0);
    EXPECT_EQ(left.it_interval.tv_nsec, 0);
}

// Holds: S24
TEST_F(TimerFd, FiresNeverEarly)
{
    for (int64_t delay : {HOYA_USEC(1), HOYA_USEC(999), HOYA_MSEC(1) + 1, HOYA_MSEC(7)}) {
        int64_t deadline = hoya_clock_monotonic(nullptr) + delay;
        ASSERT_EQ(hoya_fd_set_timer(fd, deadline), 0);
        ASSERT_TRUE(readable(fd, 10000));
        EXPECT_GE(hoya_clock_monotonic(nullptr), deadline);
    }
}

TEST_F(TimerFd, ANewDeadlineReplacesTheOldOne)
{
    ASSERT_EQ(hoya_fd_set_timer(fd, HOYA_NOW), 0);
    ASSERT_TRUE(readable(fd, 10000));
    EXPECT_EQ(hoya_fd_set_timer(fd, hoya_clock_monotonic(nullptr) + HOYA_SEC(3600)), 0);
    EXPECT_FALSE(readable(fd)) << "what had fired is taken back";
    EXPECT_EQ(hoya_fd_set_timer(fd, HOYA_NOW), 0);
    EXPECT_TRUE(readable(fd, 10000));
}

TEST_F(TimerFd, TheLastDeadlineBeforeNeverIsAccepted)
{
    EXPECT_EQ(hoya_fd_set_timer(fd, HOYA_NEVER - 1), 0);
    EXPECT_FALSE(readable(fd));
}

TEST_F(OwnFd, SettingWhatIsNoTimerSaysWhy)
{
    EXPECT_EQ(hoya_fd_set_timer(HOYA_INVALID_FD, 1), HOYA_EBADF);
    EXPECT_STREQ(hoya_error_detail(), "timerfd_settime: bad descriptor");
    fd = hoya_fd_open_event();
    EXPECT_EQ(hoya_fd_set_timer(fd, 1), HOYA_EINVAL);
}
