/* SPDX-License-Identifier: MIT
 *
 * unit/base/small_test.cc: the allocator hook, the clock's sums, the log hook, option structs, the version.
 */
#include <gtest/gtest.h>

#include <string>

#include "unit/failing_allocator.h"

extern "C" {
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/options.h"
}

TEST(Alloc, EverythingComesThroughTheHookAndIsCounted)
{
    hoya_test::FailingAllocator memory;
    hoya_live_counts counts{};
    counts.size = sizeof counts;
    ASSERT_EQ(hoya_get_live_counts(&counts), 0);
    int64_t before = counts.blocks;
    char *block = static_cast<char *>(hoya_new_zeroed(100));
    for (int i = 0; i < 100; i++) EXPECT_EQ(block[i], 0);
    block = static_cast<char *>(hoya_resize(block, 50, 4));
    hoya_get_live_counts(&counts);
    EXPECT_EQ(counts.blocks, before + 1);
    EXPECT_EQ(memory.calls, 2);
    hoya_free(block);
    hoya_free(nullptr);
    hoya_get_live_counts(&counts);
    EXPECT_EQ(counts.blocks, before);
}

TEST(Alloc, TheHookCannotChangeWhileABlockOfTheOldOneIsInUse)
{
    void *block = hoya_new_zeroed(1);
    EXPECT_EQ(hoya_set_allocator(nullptr), HOYA_EBUSY);
    hoya_free(block);
    EXPECT_EQ(hoya_set_allocator(nullptr), 0);
}

TEST(Alloc, AnIncompleteAllocatorIsRefused)
{
    hoya_allocator incomplete{};
    EXPECT_EQ(hoya_set_allocator(&incomplete), HOYA_EINVAL);
    incomplete.size = sizeof incomplete;
    EXPECT_EQ(hoya_set_allocator(&incomplete), HOYA_EINVAL);
    hoya_live_counts counts{};
    EXPECT_EQ(hoya_get_live_counts(&counts), HOYA_EINVAL);
}

TEST(Alloc, ASizeThatOverflowsIsOutOfMemory)
{
    EXPECT_EQ(hoya_resize(nullptr, SIZE_MAX / 2, 16), nullptr);
    EXPECT_STREQ(hoya_error_detail(), "out of memory");
}

TEST(Clock, SumsStopAtTheEndsOfTime)
{
    EXPECT_EQ(hoya_time_add(5, 7), 12);
    EXPECT_EQ(hoya_time_add(5, HOYA_NEVER), HOYA_NEVER);
    EXPECT_EQ(hoya_time_add(HOYA_NEVER - 1, 2), HOYA_NEVER);
    EXPECT_EQ(hoya_time_add(-5, INT64_MIN), HOYA_NOW + 1) << "in the past, but a point in time";
    EXPECT_EQ(hoya_time_until(5, 12), 7);
    EXPECT_EQ(hoya_time_until(12, 5), 0);
    EXPECT_EQ(hoya_time_until(5, HOYA_NOW), 0);
    EXPECT_EQ(hoya_time_until(5, HOYA_NEVER), HOYA_NEVER);
    EXPECT_EQ(hoya_time_until(-5, 7), 12);
    EXPECT_EQ(hoya_time_until(INT64_MIN + 1, HOYA_NEVER - 1), HOYA_NEVER);
}

// Holds: F9
TEST(Clock, IsMonotonicAndInNanoseconds)
{
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t before = int64_t(now.tv_sec) * 1000000000 + now.tv_nsec;
    int64_t first = hoya_clock_monotonic(nullptr), second = hoya_clock_monotonic(nullptr);
    EXPECT_LE(before, first);
    EXPECT_LE(first, second);
    EXPECT_LT(second - before, HOYA_SEC(10));
}

TEST(Log, TheApplicationsFunctionComesBeforeTheSink)
{
    std::string function, sink;
    auto append = [](hoya_log_level, const char *text, void *arg) { *static_cast<std::string *>(arg) += text; };
    hoya_log_sink fallback{
        [](void *arg, hoya_log_level, const char *text) { *static_cast<std::string *>(arg) += text; }, &sink};
    hoya_log(&fallback, HOYA_LOG_INFO, "%d", 1);
    hoya_set_log_function(append, &function);
    hoya_log(&fallback, HOYA_LOG_INFO, "%d", 2);
    hoya_log(nullptr, HOYA_LOG_INFO, "%s", std::string(600, 'x').c_str());
    hoya_set_log_function(nullptr, nullptr);
    hoya_log(nullptr, HOYA_LOG_INFO, "nobody hears this");
    EXPECT_EQ(sink, "1");
    EXPECT_EQ(function, "2" + std::string(511, 'x'));
}

TEST(Options, AShorterStructEndsInZerosAndALongerOneMustAskForNothingUnknown)
{
    struct Old {
        size_t size;
        int a;
    } old{sizeof old, 1};
    struct Known {
        size_t size;
        int a, b, c, d;
    } known;
    struct New {
        size_t size;
        int a, b, c, d, e, f;
    } newer{sizeof newer, 1, 2, 3, 4, 0, 0};
    EXPECT_TRUE(hoya_options_read(&known, sizeof known, &old));
    EXPECT_EQ(known.a, 1);
    EXPECT_EQ(known.c + known.d, 0);
    EXPECT_TRUE(hoya_options_read(&known, sizeof known, &newer));
    EXPECT_EQ(known.d, 4);
    newer.f = 1;
    EXPECT_FALSE(hoya_options_read(&known, sizeof known, &newer));
    old.size = 0;
    EXPECT_FALSE(hoya_options_read(&known, sizeof known, &old)) << "the size was forgotten";
    EXPECT_TRUE(hoya_options_read(&known, sizeof known, nullptr));
    EXPECT_EQ(known.a, 0);
}

TEST(Version, IsTheHeaders)
{
    std::string version = std::to_string(HOYA_VERSION_MAJOR) + "." + std::to_string(HOYA_VERSION_MINOR) + "." +
                          std::to_string(HOYA_VERSION_PATCH);
    EXPECT_EQ(hoya_version(), version);
}
