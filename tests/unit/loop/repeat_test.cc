/* SPDX-License-Identifier: MIT
 *
 * unit/loop/repeat_test.cc: call_every on a clock that the test turns: the raster, what is left out, and slack.
 */
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <hoya/hoya.h>

#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"

namespace
{

class Repeat : public testing::Test
{
  public:
    int64_t now = 0;
    hoya_loop *loop = nullptr;
    std::vector<int64_t> called; /* when */
    std::vector<int64_t> meant;  /* for when */
    hoya_handle *timer = nullptr;
    int64_t takes = 0; /* each call */
    int destroyed = 0;

    void SetUp() override { MakeAt(1000); }
    void MakeAt(int64_t start)
    {
        Close();
        now = start;
        hoya_clock clock = {[](void *arg) { return *static_cast<int64_t *>(arg); }, &now};
        hoya_loop_options options = {};
        options.size = sizeof options;
        options.clock = &clock;
        ASSERT_EQ(hoya_loop_new(&options, &loop), 0) << hoya_error_detail();
    }
    void Close()
    {
        hoya_handle_unref(timer);
        timer = nullptr;
        if (loop) hoya_loop_close(loop);
        hoya_loop_unref(loop);
        loop = nullptr;
    }
    void TearDown() override { Close(); }

    static void Called(void *arg)
    {
        auto self = static_cast<Repeat *>(arg);
        self->called.push_back(self->now);
        if (self->timer) self->meant.push_back(hoya_handle_when(self->timer));
        self->now += self->takes;
    }
    static void Destroyed(void *arg) { static_cast<Repeat *>(arg)->destroyed++; }
    int Every(int64_t interval, int64_t slack = 0)
    {
        return hoya_loop_call_every(loop, interval, slack, Called, this, Destroyed, &timer);
    }
    void Until(int64_t end)
    {
        for (; now < end; now++) ASSERT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
    }
    void Jump(int64_t to)
    {
        now = to;
        ASSERT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
    }
};

using Times = std::vector<int64_t>;

} // namespace

TEST_F(Repeat, ItGoesOffAtEachTimeOfTheRaster)
{
    ASSERT_EQ(Every(10), 0);
    Until(1035);
    EXPECT_EQ(called, (Times{1010, 1020, 1030}));
    EXPECT_EQ(hoya_handle_when(timer), 1040);
}

TEST_F(Repeat, ACallThatTakesTimeMakesNoLaterOneLate)
{
    takes = 7;
    ASSERT_EQ(Every(10), 0);
    Until(1045);
    EXPECT_EQ(called, (Times{1010, 1020, 1030, 1040}));
}

TEST_F(Repeat, ALateCallMakesNoLaterOneLate)
{
    ASSERT_EQ(Every(10), 0);
    Jump(1018);
    Until(1035);
    EXPECT_EQ(called, (Times{1018, 1020, 1030}));
}

TEST_F(Repeat, TimesThatHaveGoneByAreLeftOut)
{
    ASSERT_EQ(Every(10), 0);
    Jump(1057);
    Until(1075);
    EXPECT_EQ(called, (Times{1057, 1060, 1070}));
    EXPECT_EQ(meant, (Times{1010, 1060, 1070}));
}

TEST_F(Repeat, ACallThatTakesLongerThanTheIntervalLeavesTimesOut)
{
    takes = 25;
    ASSERT_EQ(Every(10), 0);
    Until(1100);
    EXPECT_EQ(called, (Times{1010, 1040, 1070}));
}

TEST_F(Repeat, ACallThatEndsAtATimeOfTheRasterWaitsForTheNextOne)
{
    takes = 10;
    ASSERT_EQ(Every(10), 0);
    Until(1051);
    EXPECT_EQ(called, (Times{1010, 1030, 1050}));
}

TEST_F(Repeat, SlackPutsADeadlineOnTheRoundestTimeThatItAllows)
{
    ASSERT_EQ(Every(10, 6), 0); /* 1010-1016, 1020-1026, 1030-1036, 1040-1046, 1050-1056 */
    Until(1060);
    EXPECT_EQ(called, (Times{1016, 1024, 1032, 1040, 1056}));
}

TEST_F(Repeat, SlackNeverAddsUp)
{
    ASSERT_EQ(Every(1000, 999), 0);
    for (int i = 1; i <= 50; i++) {
        int64_t due = 1000 + 1000 * i;
        ASSERT_GE(hoya_handle_when(timer), due);
        ASSERT_LE(hoya_handle_when(timer), due + 999);
        Jump(hoya_handle_when(timer));
        ASSERT_EQ(called.size(), size_t(i));
    }
}

TEST_F(Repeat, TimersWithSlackMeet)
{
    hoya_handle *other = nullptr;
    ASSERT_EQ(Every(HOYA_SEC(1), HOYA_MSEC(300)), 0);
    now += HOYA_MSEC(123);
    ASSERT_EQ(hoya_loop_call_every(loop, HOYA_SEC(1), HOYA_MSEC(300), Called, this, nullptr, &other), 0);
    int met = 0;
    for (int i = 0; i < 20; i++) {
        met += hoya_handle_when(timer) == hoya_handle_when(other);
        Jump(std::max(hoya_handle_when(timer), hoya_handle_when(other)));
    }
    hoya_handle_cancel(other);
    hoya_handle_unref(other);
    EXPECT_GE(met, 10);
}

TEST_F(Repeat, TheClockMayBeginBeforeZero)
{
    MakeAt(-25);
    ASSERT_EQ(Every(10, 3), 0); /* -15 to -12, -5 to -2, 5 to 8, 15 to 18 */
    Until(20);
    EXPECT_EQ(called, (Times{-12, -4, 8, 16}));
}

TEST_F(Repeat, AnIntervalBeyondTheClockNeverComes)
{
    ASSERT_EQ(Every(HOYA_NEVER, HOYA_NEVER - 1), 0);
    EXPECT_EQ(hoya_handle_when(timer), HOYA_NEVER);
    Jump(HOYA_NEVER - 1);
    EXPECT_EQ(called, Times{});
}

TEST_F(Repeat, WhatIsNoIntervalAndNoSlackIsRefused)
{
    EXPECT_EQ(Every(0), HOYA_EINVAL);
    EXPECT_EQ(Every(-1), HOYA_EINVAL);
    EXPECT_EQ(Every(10, -1), HOYA_EINVAL);
    EXPECT_EQ(Every(10, 10), HOYA_EINVAL);
    EXPECT_EQ(hoya_loop_call_every(loop, 10, 0, nullptr, this, Destroyed, nullptr), HOYA_EINVAL);
    EXPECT_EQ(destroyed, 5) << "the argument was taken all the same";
    EXPECT_EQ(hoya_loop_call_every(nullptr, 10, 0, Called, this, Destroyed, nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(Every(10), HOYA_ECLOSED);
    EXPECT_EQ(destroyed, 7);
    EXPECT_EQ(timer, nullptr);
}

TEST_F(Repeat, ManyThatAreCancelledInAnyOrderLeaveTheOthersAlone)
{
    std::vector<hoya_handle *> timers(100);
    for (size_t i = 0; i < timers.size(); i++)
        ASSERT_EQ(hoya_loop_call_every(loop, 5 + int64_t(i % 7), 0, Called, this, Destroyed, &timers[i]), 0);
    Until(1030);
    for (size_t i = 0; i < timers.size(); i += 2) EXPECT_EQ(hoya_handle_cancel(timers[i]), 1);
    EXPECT_EQ(destroyed, 50);
    called.clear();
    size_t expected = 0;
    for (int64_t time = now; time < now + 420; time++)
        for (size_t i = 1; i < timers.size(); i += 2) expected += (time - 1000) % (5 + int64_t(i % 7)) == 0;
    Until(now + 420);
    EXPECT_EQ(called.size(), expected);
    for (hoya_handle *one : timers) {
        hoya_handle_cancel(one);
        hoya_handle_unref(one);
    }
    EXPECT_EQ(destroyed, 100);
}

#ifdef HOYA_FAULTS
static int timers_set;

// Holds: F27
TEST(RepeatFaults, OneThatReturnsInAForkedChildLeavesTheParentsTimerAlone)
{
    hoya_loop *loop = nullptr;
    hoya_handle *timer = nullptr;
    pid_t child = -1;
    ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
    auto fork_once = [](void *arg) {
        if (*static_cast<pid_t *>(arg) < 0) *static_cast<pid_t *>(arg) = fork();
    };
    ASSERT_EQ(hoya_loop_call_every(loop, HOYA_MSEC(1), 0, fork_once, &child, nullptr, &timer), 0);
    hoya_sys.timerfd_settime = [](int fd, int flags, const itimerspec *when, itimerspec *before) {
        timers_set++;
        return timerfd_settime(fd, flags, when, before);
    };
    timers_set = 0;
    while (child < 0) hoya_loop_run_once(loop, HOYA_NEVER);
    if (child == 0) _exit(timers_set);
    hoya_sys = hoya_sys_real;
    EXPECT_GT(timers_set, 0) << "the parent's own";
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    hoya_handle_cancel(timer);
    hoya_handle_unref(timer);
    hoya_loop_close(loop);
    hoya_loop_unref(loop);
}
#endif
