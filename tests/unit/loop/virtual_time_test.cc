/* SPDX-License-Identifier: MIT
 *
 * unit/loop/virtual_time_test.cc: timers on a clock that the test turns: thousands of them against a model, and times at
 * the ends of the range. Nothing here waits.
 */
#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <hoya/hoya.h>

namespace
{

class VirtualTime : public testing::Test
{
  public:
    int64_t now = HOYA_SEC(100);
    hoya_loop *loop = nullptr;
    std::vector<int> order;

    struct Tick {
        VirtualTime *test;
        int number;
        static void Run(void *arg)
        {
            Tick *tick = static_cast<Tick *>(arg);
            tick->test->order.push_back(tick->number);
        }
        static void Destroy(void *arg) { delete static_cast<Tick *>(arg); }
    };

    void make_at(int64_t start)
    {
        now = start;
        hoya_clock clock = {[](void *arg) { return *static_cast<int64_t *>(arg); }, &now};
        hoya_loop_options options = {};
        options.size = sizeof options;
        options.clock = &clock;
        ASSERT_EQ(hoya_loop_new(&options, &loop), 0) << hoya_error_detail();
    }
    void TearDown() override
    {
        if (!loop) return;
        EXPECT_EQ(hoya_loop_close(loop), 0);
        hoya_loop_unref(loop);
    }
    void later(int64_t delay, int number, hoya_handle **handle = nullptr)
    {
        EXPECT_EQ(hoya_loop_call_later(loop, delay, Tick::Run, new Tick{this, number}, Tick::Destroy, handle), 0);
    }
    void at(int64_t when, int number)
    {
        EXPECT_EQ(hoya_loop_call_at(loop, when, Tick::Run, new Tick{this, number}, Tick::Destroy, nullptr), 0);
    }
    int round() { return hoya_loop_run_once(loop, HOYA_NOW); }
};

using Numbers = std::vector<int>;

} // namespace

// Holds: S22 S24 S25
TEST_F(VirtualTime, ThousandsOfTimersRunInTheOrderOfTheirDeadlinesThenOfTheirMaking)
{
    const char *given = getenv("HOYA_SEED");
    unsigned seed = given ? static_cast<unsigned>(atol(given)) : 20260101u;
    SCOPED_TRACE("HOYA_SEED=" + std::to_string(seed));
    std::mt19937 random(seed);
    make_at(HOYA_SEC(1));

    struct Waiting {
        hoya_handle *handle;
        int64_t when;
    };
    std::map<std::pair<int64_t, int>, Waiting> model; /* by deadline, then number */
    int next = 0;
    auto drop = [](Waiting &waiting) { hoya_handle_unref(waiting.handle); };
    for (int step = 0; step < 20000; step++) {
        unsigned dice = random() % 10;
        if (dice < 6) {
            int64_t delay = static_cast<int64_t>(random() % 50) * 1000 - 2000; /* many are equal, some negative */
            Waiting waiting{nullptr, now + delay};
            later(delay, next, &waiting.handle);
            EXPECT_EQ(hoya_handle_when(waiting.handle), waiting.when);
            model[{waiting.when, next++}] = waiting;
        } else if (dice < 8 && !model.empty()) {
            auto it = std::next(model.begin(), static_cast<long>(random() % std::min<size_t>(model.size(), 50)));
            EXPECT_EQ(hoya_handle_cancel(it->second.handle), 1);
            drop(it->second);
            model.erase(it);
        } else {
            now += static_cast<int64_t>(random() % 20000);
            Numbers expected;
            while (!model.empty() && model.begin()->first.first <= now) {
                expected.push_back(model.begin()->first.second);
                drop(model.begin()->second);
                model.erase(model.begin());
            }
            order.clear();
            ASSERT_EQ(round(), static_cast<int>(expected.size()));
            ASSERT_EQ(order, expected) << "in step " << step;
        }
        hoya_loop_statistics stats = {};
        stats.size = sizeof stats;
        ASSERT_EQ(hoya_loop_stats(loop, &stats), 0);
        ASSERT_EQ(stats.timers, model.size());
    }
    for (auto &[key, waiting] : model) drop(waiting);
}

// Holds: S24
TEST_F(VirtualTime, ATimerIsDueToTheNanosecond)
{
    make_at(HOYA_SEC(5));
    later(1000, 1);
    now += 999;
    EXPECT_EQ(round(), 0);
    now += 1;
    EXPECT_EQ(round(), 1);
}

// Holds: S23
TEST_F(VirtualTime, ADelayOfZeroOrLessIsDueInTheNextRoundBehindWhatIsQueued)
{
    make_at(HOYA_SEC(5));
    later(0, 2);
    later(-1, 1);
    later(HOYA_NOW + 1, 0);
    at(HOYA_NOW, -1);
    Tick soon{this, -2};
    EXPECT_EQ(hoya_loop_call_soon(loop, Tick::Run, &soon), 0);
    EXPECT_EQ(order, Numbers{}) << "never inside the caller";
    EXPECT_EQ(round(), 5);
    EXPECT_EQ(order, (Numbers{-2, -1, 0, 1, 2}));
}

// Holds: S27
TEST_F(VirtualTime, ATimeTooFarToAddIsNeverAndNotSooner)
{
    make_at(HOYA_SEC(5));
    later(HOYA_NEVER, 1);
    later(HOYA_NEVER - 1, 2);
    later(HOYA_NEVER - HOYA_SEC(4), 3);
    at(HOYA_NEVER, 4);
    at(HOYA_NEVER - 1, 5);
    now = HOYA_NEVER - HOYA_SEC(1);
    EXPECT_EQ(round(), 0);
    now = HOYA_NEVER - 1;
    EXPECT_EQ(round(), 1);
    EXPECT_EQ(order, (Numbers{5})) << "the last nanosecond that is a time";
}

// Holds: S27
TEST_F(VirtualTime, ADelayBeyondThirtyTwoBitsOfMillisecondsIsKept)
{
    make_at(HOYA_SEC(5));
    int64_t days_25 = HOYA_SEC(25 * 86400), days_50 = HOYA_SEC(50 * 86400);
    later(days_50, 2);
    later(days_25, 1);
    now += days_25 - 1;
    EXPECT_EQ(round(), 0);
    now += 1;
    EXPECT_EQ(round(), 1);
    now += days_25;
    EXPECT_EQ(round(), 1);
    EXPECT_EQ(order, (Numbers{1, 2}));
}

// Holds: F12
TEST_F(VirtualTime, TheStatisticsSayHowLateTheLoopWasForItsTimers)
{
    make_at(HOYA_SEC(5));
    auto lag = [this] {
        hoya_loop_statistics stats = {};
        stats.size = sizeof stats;
        EXPECT_EQ(hoya_loop_stats(loop, &stats), 0);
        return std::make_pair(stats.timer_lag, stats.timer_lag_max);
    };
    later(1000, 1);
    now += 1300;
    EXPECT_EQ(round(), 1);
    EXPECT_EQ(lag(), std::make_pair(int64_t{300}, int64_t{300}));
    later(1000, 2);
    later(1050, 3);
    now += 1100;
    EXPECT_EQ(round(), 2);
    EXPECT_EQ(lag(), std::make_pair(int64_t{100}, int64_t{300})) << "the first of them is the latest";
    later(-5000, 4);
    later(7, 5);
    EXPECT_EQ(round(), 1);
    EXPECT_EQ(lag(), std::make_pair(int64_t{100}, int64_t{300})) << "it was past when it was made";
    now += 7;
    EXPECT_EQ(round(), 1);
    EXPECT_EQ(lag(), std::make_pair(int64_t{0}, int64_t{300}));
    now += 500; /* without a timer nobody looks for one */
    at(now - 100, 6);
    EXPECT_EQ(round(), 1);
    now += 500;
    later(-100, 7);
    EXPECT_EQ(round(), 1);
    EXPECT_EQ(lag(), std::make_pair(int64_t{0}, int64_t{300})) << "nor was it late for the first since long";
    later(10, 8);
    EXPECT_EQ(round(), 0);
    at(now - 1000, 9);
    now += 60;
    EXPECT_EQ(round(), 2);
    EXPECT_EQ(lag(), std::make_pair(int64_t{50}, int64_t{300})) << "one of the past hides no late one";
}

TEST_F(VirtualTime, AClockThatBeginsBelowZeroIsAClock)
{
    make_at(-HOYA_SEC(2));
    later(HOYA_SEC(1), 1);
    later(HOYA_SEC(3), 2);
    now = -HOYA_SEC(1);
    EXPECT_EQ(round(), 1);
    now = HOYA_SEC(1) - 1;
    EXPECT_EQ(round(), 0);
    now = HOYA_SEC(1);
    EXPECT_EQ(round(), 1);
}

TEST_F(VirtualTime, AClockAtItsBeginningHasAPastThatIsNotTheFuture)
{
    make_at(HOYA_NOW + 1);
    later(-HOYA_SEC(5), 1); /* the sum does not wrap to the far future */
    EXPECT_EQ(round(), 1);
}

TEST_F(VirtualTime, NearTheEndOfTheClockDelaysDoNotWrapToThePast)
{
    make_at(HOYA_NEVER - HOYA_SEC(1));
    later(HOYA_SEC(2), 1);
    later(HOYA_MSEC(1), 2);
    EXPECT_EQ(round(), 0);
    now += HOYA_MSEC(1);
    EXPECT_EQ(round(), 1);
    EXPECT_EQ(order, (Numbers{2}));
}

// Holds: S157
TEST_F(VirtualTime, ACallbackIsSlowFromTheThresholdOn)
{
    make_at(HOYA_SEC(5));
    static int lines;
    lines = 0;
    hoya_set_log_function([](hoya_log_level, const char *, void *) { lines++; }, nullptr);
    ASSERT_EQ(hoya_loop_set_debug(loop, 1), 0);
    ASSERT_EQ(hoya_loop_set_slow_callback_duration(loop, HOYA_MSEC(100)), 0);
    auto take_99 = [](void *arg) { *static_cast<int64_t *>(arg) += HOYA_MSEC(100) - 1; };
    auto take_100 = [](void *arg) { *static_cast<int64_t *>(arg) += HOYA_MSEC(100); };
    EXPECT_EQ(hoya_loop_call_soon(loop, take_99, &now), 0);
    EXPECT_EQ(round(), 1);
    EXPECT_EQ(lines, 0);
    EXPECT_EQ(hoya_loop_call_soon(loop, take_100, &now), 0);
    EXPECT_EQ(round(), 1);
    EXPECT_EQ(lines, 1);
    hoya_set_log_function(nullptr, nullptr);
}
