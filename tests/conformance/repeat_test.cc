/* SPDX-License-Identifier: MIT
 *
 * conformance/repeat_test.cc: timers that go off again and again, on every host. The raster itself is
 * unit/loop/repeat_test.cc's.
 */
#include "conformance.h"

namespace hoya_test
{

class RepeatConformance : public LoopConformance
{
  protected:
    Handle Every(int64_t interval, Work work, int64_t slack = 0)
    {
        hoya_handle *handle = nullptr;
        EXPECT_EQ(hoya_loop_call_every(
                      loop, interval, slack, [](void *arg) { (*static_cast<Work *>(arg))(); },
                      new Work(std::move(work)), Lambda::Destroy, &handle),
                  0)
            << hoya_error_detail();
        return Handle(handle);
    }
};

TEST_P(RepeatConformance, ItIsCalledAtTimesOfItsRasterAndNeverEarly)
{
    std::vector<int64_t> meant;
    int64_t start = hoya_loop_time(loop);
    Handle timer;
    timer = Every(HOYA_MSEC(2), [&] {
        meant.push_back(hoya_handle_when(timer.get()));
        EXPECT_GE(hoya_loop_time(loop), meant.back());
        if (meant.size() == 10) Stop();
    });
    int64_t first = hoya_handle_when(timer.get());
    EXPECT_GE(first, start + HOYA_MSEC(2));
    Run();
    for (size_t i = 0; i < meant.size(); i++) {
        EXPECT_EQ((meant[i] - first) % HOYA_MSEC(2), 0) << i;
        if (i) EXPECT_GT(meant[i], meant[i - 1]);
    }
    EXPECT_EQ(hoya_handle_cancel(timer.get()), 1);
    EXPECT_EQ(hoya_handle_cancel(timer.get()), 0);
    EXPECT_EQ(hoya_handle_cancelled(timer.get()), 1);
}

TEST_P(RepeatConformance, ItWakesALoopThatHasNothingElse)
{
    int64_t start = hoya_loop_time(loop);
    int calls = 0;
    Handle timer = Every(
        HOYA_MSEC(5),
        [&] {
            if (++calls == 3) Stop();
        },
        HOYA_MSEC(1));
    Run();
    EXPECT_GE(hoya_loop_time(loop), start + HOYA_MSEC(15));
    EXPECT_LE(Stats().rounds, 8u) << "it does not look more often than it has to";
    hoya_handle_cancel(timer.get());
}

TEST_P(RepeatConformance, ItMayBeCancelledInItsOwnCallback)
{
    auto held = std::make_shared<int>(0);
    Handle timer;
    timer = Every(HOYA_MSEC(1), [&, held] {
        EXPECT_EQ(hoya_handle_cancel(timer.get()), 1);
        EXPECT_EQ(held.use_count(), 2) << "it runs: its argument is still there";
        Note("once");
    });
    CallLater(HOYA_MSEC(6), [this] { Stop(); });
    Run();
    EXPECT_EQ(trace, Trace{"once"});
    EXPECT_EQ(held.use_count(), 1);
}

TEST_P(RepeatConformance, OneThatIsDueAndCancelledIsNotCalled)
{
    Handle timer;
    CallLater(HOYA_MSEC(1), [&] { EXPECT_EQ(hoya_handle_cancel(timer.get()), 1); });
    timer = Every(HOYA_MSEC(1) + HOYA_USEC(1), Say("never"));
    while (Now() < hoya_handle_when(timer.get())) continue; /* both are due in the same round */
    RunRounds(3);
    EXPECT_EQ(trace, Trace{});
}

TEST_P(RepeatConformance, OneWhoseHandleNobodyHasGoesOnUntilTheLoopIsClosed)
{
    auto held = std::make_shared<int>(0);
    Every(HOYA_MSEC(1), [this, held] {
        if (++*held == 3) Stop();
    });
    Run();
    EXPECT_EQ(*held, 3);
    EXPECT_EQ(held.use_count(), 2);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(held.use_count(), 1);
}

TEST_P(RepeatConformance, ALoopIsClosedWithOneThatIsQueued)
{
    Handle timer;
    CallSoon([&] {
        timer = Every(HOYA_MSEC(1), Say("never"));
        while (Now() < hoya_handle_when(timer.get())) continue;
        CallLater(0, [] {}); /* both are collected by the next round, which an abort leaves at once */
    });
    CallSoon([] {});
    EXPECT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
    CallSoon([this] { hoya_loop_abort(loop, HOYA_EIO); });
    EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_EIO);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hoya_handle_cancel(timer.get()), 0);
    EXPECT_EQ(trace, Trace{});
}

TEST_P(RepeatConformance, ADumpNamesIt)
{
    Handle timer = Every(HOYA_SEC(3600), [] {});
    std::string text;
    auto line = [](const char *one, void *arg) { *static_cast<std::string *>(arg) += std::string(one) + "\n"; };
    EXPECT_EQ(hoya_loop_dump(loop, line, &text), 0);
    EXPECT_NE(text.find("repeating timer"), std::string::npos) << text;
    hoya_handle_cancel(timer.get());
}

class RepeatNesting : public NestingConformance
{
};

// Holds: F1
TEST_P(RepeatNesting, WhileItsCallbackRunsADialogItIsNotCalledAgainAndAllOthersAre)
{
    int calls = 0, others = 0;
    hoya_handle *timer = nullptr, *other = nullptr;
    Work open = [&] {
        if (++calls > 1) return Note("again");
        NestUntilSeen("enough");
        Note("returned");
    };
    Work count = [&] {
        if (++others == 5) Note("enough");
    };
    auto call = [](void *arg) { (*static_cast<Work *>(arg))(); };
    EXPECT_EQ(hoya_loop_call_every(loop, HOYA_MSEC(1), 0, call, &open, nullptr, &timer), 0);
    EXPECT_EQ(hoya_loop_call_every(loop, HOYA_MSEC(1), 0, call, &count, nullptr, &other), 0);
    RunHostUntilSeen("again");
    EXPECT_EQ((Trace{trace[0], trace[1], trace[2]}), (Trace{"enough", "returned", "again"}));
    for (hoya_handle *one : {timer, other}) {
        hoya_handle_cancel(one);
        hoya_handle_unref(one);
    }
}

INSTANTIATE_TEST_SUITE_P(Hosts, RepeatConformance, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });
INSTANTIATE_TEST_SUITE_P(Hosts, RepeatNesting, ::testing::ValuesIn(nesting_variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace hoya_test
