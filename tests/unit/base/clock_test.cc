/* SPDX-License-Identifier: MIT
 *
 * unit/base/clock_test.cc: the monotonic clock, and sums and distances that stop at the ends of the range.
 */
#include <ctime>

#include <gtest/gtest.h>

extern "C" {
#include "base/clock.h"
}

namespace
{

int64_t system_clock()
{
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

} // namespace

// Holds: F9
TEST(Clock, TheTimeIsTheSystemsMonotonicTimeInNanoseconds)
{
    int64_t before = system_clock(), now = hoya_clock_monotonic(nullptr), after = system_clock();
    EXPECT_LE(before, now);
    EXPECT_LE(now, after);
}

TEST(Clock, TheTimeNeverGoesBackAndIsNotCoarse)
{
    int64_t last = hoya_clock_monotonic(nullptr), smallest = HOYA_NEVER;
    for (int i = 0; i < 10000; i++) {
        int64_t now = hoya_clock_monotonic(nullptr);
        ASSERT_GE(now, last);
        if (now > last && now - last < smallest) smallest = now - last;
        last = now;
    }
    EXPECT_LT(smallest, HOYA_MSEC(1));
}

TEST(Clock, UnitsAreNanoseconds)
{
    EXPECT_EQ(HOYA_USEC(3), 3000);
    EXPECT_EQ(HOYA_MSEC(-3), -3000000);
    EXPECT_EQ(HOYA_SEC(1 << 30), INT64_C(1073741824000000000)) << "in 64 bits";
}

TEST(Clock, ASumInTheRangeIsTheSum)
{
    EXPECT_EQ(hoya_time_add(100, 23), 123);
    EXPECT_EQ(hoya_time_add(100, -23), 77);
    EXPECT_EQ(hoya_time_add(100, 0), 100);
    EXPECT_EQ(hoya_time_add(-100, -23), -123);
}

// Holds: S27
TEST(Clock, ASumBeyondTheRangeIsNever)
{
    EXPECT_EQ(hoya_time_add(1, HOYA_NEVER - 1), HOYA_NEVER);
    EXPECT_EQ(hoya_time_add(2, HOYA_NEVER - 1), HOYA_NEVER);
    EXPECT_EQ(hoya_time_add(HOYA_NEVER - 1, HOYA_NEVER - 1), HOYA_NEVER);
    EXPECT_EQ(hoya_time_add(HOYA_NEVER - 5, 4), HOYA_NEVER - 1) << "still in the range";
}

TEST(Clock, ADelayOfNeverIsNeverAtAnyTime)
{
    for (int64_t now : {HOYA_NOW, INT64_C(-1), INT64_C(0), INT64_C(1), HOYA_NEVER - 1})
        EXPECT_EQ(hoya_time_add(now, HOYA_NEVER), HOYA_NEVER);
}

TEST(Clock, ASumBelowTheRangeIsLongPastButNotTheWordNow)
{
    EXPECT_EQ(hoya_time_add(-2, HOYA_NOW + 1), HOYA_NOW + 1);
    EXPECT_EQ(hoya_time_add(HOYA_NOW + 5, -HOYA_SEC(1)), HOYA_NOW + 1);
    EXPECT_EQ(hoya_time_add(-1, HOYA_NOW), HOYA_NOW + 1);
}

TEST(Clock, TheDistanceToADeadlineThatPassedIsZero)
{
    EXPECT_EQ(hoya_time_until(100, 99), 0);
    EXPECT_EQ(hoya_time_until(100, 100), 0);
    EXPECT_EQ(hoya_time_until(100, HOYA_NOW), 0);
    EXPECT_EQ(hoya_time_until(HOYA_NEVER - 1, HOYA_NOW), 0);
}

TEST(Clock, TheDistanceToADeadlineAheadIsExact)
{
    EXPECT_EQ(hoya_time_until(100, 101), 1);
    EXPECT_EQ(hoya_time_until(-100, 100), 200);
    EXPECT_EQ(hoya_time_until(0, HOYA_NEVER - 1), HOYA_NEVER - 1);
}

TEST(Clock, TheDistanceToNeverAndBeyondTheRangeIsNever)
{
    EXPECT_EQ(hoya_time_until(100, HOYA_NEVER), HOYA_NEVER);
    EXPECT_EQ(hoya_time_until(HOYA_NEVER, HOYA_NEVER), HOYA_NEVER);
    EXPECT_EQ(hoya_time_until(HOYA_NOW, HOYA_NEVER - 1), HOYA_NEVER);
    EXPECT_EQ(hoya_time_until(-10, HOYA_NEVER - 1), HOYA_NEVER);
}
