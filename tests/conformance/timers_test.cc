/* SPDX-License-Identifier: MIT
 *
 * conformance/timers_test.cc: call_later and call_at: order, never early, and a silence until the deadline.
 *
 * Machines are noisy: nothing here says how late a timer may be. What is counted instead are the rounds that a loop
 * makes while it waits.
 */
#include "conformance.h"

#include <algorithm>
#include <numeric>

namespace hoya_test
{

/* ---- order ---- */

// Holds: S22
TEST_P(LoopConformance, EqualDeadlinesRunInOrderOfInsertion)
{
    std::vector<int> order, expected(100);
    std::iota(expected.begin(), expected.end(), 0);
    int64_t when = hoya_loop_time(loop) + HOYA_MSEC(2);
    for (int i : expected) CallAt(when, [&order, i] { order.push_back(i); });
    CallAt(when, [this] { Stop(); });
    Run();
    EXPECT_EQ(order, expected);
}

// Holds: S22
TEST_P(LoopConformance, CancellingSomeLeavesTheOrderOfTheOthers)
{
    std::vector<int> order, expected;
    std::vector<Handle> timers;
    int64_t when = hoya_loop_time(loop) + HOYA_MSEC(2);
    for (int i = 0; i < 100; i++) timers.push_back(CallAt(when, [&order, i] { order.push_back(i); }));
    CallAt(when, [this] { Stop(); });
    for (int i = 0; i < 100; i++)
        if (i % 3 == 1) expected.push_back(i);
        else EXPECT_EQ(hoya_handle_cancel(timers[static_cast<size_t>(i)].get()), 1);
    Run();
    EXPECT_EQ(order, expected);
}

// Holds: S22
TEST_P(LoopConformance, TimersRunInOrderOfTheirDeadlines)
{
    std::vector<int> order, expected(50);
    std::iota(expected.begin(), expected.end(), 0);
    int64_t start = hoya_loop_time(loop);
    for (int i = 0; i < 50; i++) {
        int rank = i * 17 % 50; /* every one of the 50, shuffled */
        CallAt(start + HOYA_USEC(100 * rank), [&order, rank] { order.push_back(rank); });
    }
    CallAt(start + HOYA_MSEC(5), [this] { Stop(); });
    Run();
    EXPECT_EQ(order, expected);
}

// Holds: S23
TEST_P(LoopConformance, NoDelayMeansAfterWhatIsQueuedAndTheMoreNegativeFirst)
{
    CallLater(0, Say("none"));
    CallLater(-HOYA_SEC(1), Say("negative"));
    CallLater(HOYA_NOW, Say("most negative"));
    CallSoon(Say("soon"));
    RunUntilNoted(4);
    EXPECT_EQ(trace, (Trace{"soon", "most negative", "negative", "none"}));
}

// Holds: S23 S2
TEST_P(LoopConformance, NoDelayInsideACallbackMeansTheNextRound)
{
    CallLater(0, [this] {
        CallLater(0, Say("a2"));
        Note("a");
    });
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
    EXPECT_EQ(trace, Trace{"a"});
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
    EXPECT_EQ(trace, (Trace{"a", "a2"}));
}

// Holds: S23 S3
TEST_P(LoopConformance, AChainOfTimersWithoutDelayLetsDescriptorsIn)
{
    auto [ours, theirs] = MakePair();
    int links = 0;
    Work chain = [&, fd = theirs] {
        if (++links == 10) Feed(fd);
        if (links < 1000) CallLater(0, chain);
        else Stop();
    };
    AddReader(ours, [this] { Stop(); });
    chain();
    Run();
    EXPECT_LE(links, 11);
}

/* ---- never early, never spinning ---- */

// Holds: S24 F8 F9
TEST_P(LoopConformance, ATimerIsNeverEarly)
{
    std::vector<int64_t> early;
    int pending = 0;
    for (int64_t delay : {50, 300, 700, 999, 1000, 1001, 1500, 2200, 3999, 7777, 20000}) {
        int64_t when = hoya_loop_time(loop) + HOYA_USEC(delay);
        pending++;
        CallAt(when, [&, when] {
            if (Now() < when || hoya_loop_time(loop) < when) early.push_back(when - Now());
            if (--pending == 0) Stop();
        });
    }
    Run();
    EXPECT_EQ(early, std::vector<int64_t>{});
}

// Holds: S24 F8
TEST_P(LoopConformance, ATimerOfLessThanAMillisecondDoesNotSpin)
{
    int left = 50;
    Work again = [&] {
        if (--left > 0) CallLater(HOYA_USEC(1500), again);
        else Stop();
    };
    CallLater(HOYA_USEC(1500), again);
    uint64_t before = Stats().rounds;
    Run();
    EXPECT_LE(Stats().rounds - before, 50u * 2) << "one round a timer, and room for a spurious one";
}

// Holds: S24 F8 F32
TEST_P(LoopConformance, WaitingForATimerTakesOneRound)
{
    uint64_t before = Stats().rounds;
    RunFor(HOYA_MSEC(100));
    EXPECT_LE(Stats().rounds - before, 3u);
}

// Holds: F9
TEST_P(LoopConformance, TheClockIsTheMonotonicOne)
{
    int64_t before = Now();
    int64_t loop_time = hoya_loop_time(loop);
    int64_t after = Now();
    EXPECT_LE(before, loop_time);
    EXPECT_LE(loop_time, after);
}

/* ---- cancelling ---- */

// Holds: S25
TEST_P(LoopConformance, ATimerThatIsDueMayBeCancelledByTheOneBefore)
{
    int64_t when = hoya_loop_time(loop) + HOYA_MSEC(1);
    Handle second;
    CallAt(when, [&] {
        Note("first");
        EXPECT_EQ(hoya_handle_cancel(second.get()), 1);
    });
    second = CallAt(when, Say("second"));
    CallAt(when, Say("third"));
    RunUntilNoted(2);
    EXPECT_EQ(trace, (Trace{"first", "third"}));
    EXPECT_EQ(hoya_handle_cancelled(second.get()), 1);
}

// Holds: S25 S17 S162
TEST_P(LoopConformance, CancellingATimerDestroysItsArgumentAtOnce)
{
    Probe probe;
    hoya_handle *timer = nullptr;
    ASSERT_EQ(hoya_loop_call_later(loop, HOYA_SEC(60), Probe::Run, &probe, Probe::Destroy, &timer), 0);
    EXPECT_EQ(hoya_handle_cancel(timer), 1);
    EXPECT_EQ(probe.destroyed, 1);
    EXPECT_EQ(hoya_handle_cancel(timer), 0);
    EXPECT_EQ(probe.destroyed, 1);
    hoya_handle_unref(timer);
}

// Holds: S26 F32
TEST_P(LoopConformance, CancelledTimersDoNotShortenTheWait)
{
    std::vector<Handle> timers;
    for (int i = 0; i < 1000; i++) timers.push_back(CallLater(HOYA_USEC(20000 + 20 * i), Say("cancelled")));
    for (Handle &timer : timers) EXPECT_EQ(hoya_handle_cancel(timer.get()), 1);
    uint64_t before = Stats().rounds;
    RunFor(HOYA_MSEC(100));
    EXPECT_LE(Stats().rounds - before, 3u) << "at most one spurious wake-up after a cancel";
    EXPECT_EQ(trace, Trace{});
}

// Holds: S26
TEST_P(LoopConformance, TheCountOfTimersIsExact)
{
    std::vector<Handle> timers;
    for (int i = 0; i < 200; i++) timers.push_back(CallLater(HOYA_SEC(60 + i % 7), Say("never")));
    EXPECT_EQ(Stats().timers, 200u);
    for (size_t i = 0; i < 150; i++) hoya_handle_cancel(timers[i * 7 % 200].get()); /* from all over the heap */
    EXPECT_EQ(Stats().timers, 50u);
    for (Handle &timer : timers) hoya_handle_cancel(timer.get());
    for (Handle &timer : timers) EXPECT_EQ(hoya_handle_cancel(timer.get()), 0);
    EXPECT_EQ(Stats().timers, 0u);
    RunFor(HOYA_MSEC(1));
    EXPECT_EQ(Stats().timers, 0u);
}

/* ---- the far end of the clock ---- */

// Holds: S27
TEST_P(LoopConformance, ADistantTimerNeitherFiresNorSpins)
{
    CallLater(HOYA_SEC(3600) * 24, Say("a day"));
    CallLater(HOYA_SEC(3600) * 24 * 60, Say("two months"));
    CallLater(HOYA_SEC(3600) * 24 * 365 * 200, Say("two centuries"));
    CallAt(HOYA_NEVER - 1, Say("the last moment"));
    CallAt(HOYA_NEVER, Say("never"));
    uint64_t before = Stats().rounds;
    RunFor(HOYA_MSEC(50));
    EXPECT_LE(Stats().rounds - before, 3u);
    EXPECT_EQ(trace, Trace{});
}

// Holds: S27
TEST_P(LoopConformance, OnlyDistantTimersStillLeaveTheLoopAsleep)
{
    CallLater(HOYA_SEC(3600) * 24 * 365 * 200, Say("two centuries"));
    uint64_t before = Stats().rounds;
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_MSEC(50)), 0);
    EXPECT_LE(Stats().rounds - before, 3u);
}

// Holds: S27
TEST_P(LoopConformance, SumsBeyondTheClockAreNever)
{
    Handle far = CallLater(INT64_MAX - 1, Say("never"));
    EXPECT_EQ(hoya_handle_when(far.get()), HOYA_NEVER);
    Handle near = CallAt(12345, Say("due"));
    EXPECT_EQ(hoya_handle_when(near.get()), 12345);
    Handle soon = CallSoonHandle(Say("soon"));
    EXPECT_EQ(hoya_handle_when(soon.get()), HOYA_NOW);
}

/* ---- changes under way ---- */

// Holds: S159
TEST_P(LoopConformance, AnEarlierTimerSetInACallbackIsKept)
{
    CallLater(HOYA_SEC(3600), Say("an hour"));
    CallLater(HOYA_MSEC(1), [this] { CallLater(HOYA_MSEC(1), Say("soon after")); });
    RunUntilNoted(1);
    EXPECT_EQ(trace, Trace{"soon after"});
}

// Holds: S159
TEST_P(LoopConformance, ALaterTimerLeftAfterACancelIsKept)
{
    Handle early = CallLater(HOYA_MSEC(5), Say("early"));
    CallLater(HOYA_MSEC(10), Say("late"));
    CallSoon([&] { EXPECT_EQ(hoya_handle_cancel(early.get()), 1); });
    RunUntilNoted(1);
    EXPECT_EQ(trace, Trace{"late"});
}

TEST_P(LoopConformance, ATimerSetAfterADeadlineThatNobodySawIsKeptAndDoesNotSpin)
{
    Handle earlier = CallLater(HOYA_MSEC(1), Say("cancelled"));
    int64_t when = hoya_handle_when(earlier.get());
    ASSERT_EQ(hoya_handle_cancel(earlier.get()), 1);
    while (hoya_loop_time(loop) <= when) { /* what was set for it fires, and no look sees it */
    }
    uint64_t rounds = Stats().rounds;
    CallLater(HOYA_MSEC(20), [this] { Note("kept"), Stop(); });
    Run();
    EXPECT_EQ(trace, Trace{"kept"});
    EXPECT_LE(Stats().rounds - rounds, 3u);
}

// Holds: S159 S1
TEST_P(LoopConformance, ATimerOutlivesTheRunInWhichItWasSet)
{
    CallLater(HOYA_MSEC(5), Say("timer"));
    RunRounds(2);
    RunUntilNoted(1);
}

// Holds: F10
TEST_P(LoopConformance, AThousandTimersCostTheHostNothing)
{
    int fds = OpenFds();
    int watched = host ? host->WatchedFds() : 0;
    for (int i = 0; i < 1000; i++) CallLater(HOYA_SEC(60) + i, Say("never"));
    EXPECT_EQ(OpenFds(), fds);
    EXPECT_EQ(host ? host->WatchedFds() : 0, watched);
}

/* ---- with a host ---- */

// Holds: F4 S159
TEST_P(GuestConformance, ADeadlineBeforeTheClockBeganWakesTheHostAtOnce)
{
    for (int64_t when : {HOYA_NOW, HOYA_NOW + 1, int64_t{-1}, int64_t{0}}) {
        RunHostFor(HOYA_MSEC(2));
        trace.clear();
        host->CallOnce([&] { CallAt(when, Say("past")); });
        RunHostUntilSeen("past");
        CallLater(HOYA_SEC(60), Say("never")); /* and armed it is, for this one */
        ExpectSilence();
    }
}

/* The host's timer fires once, and the turn that it brings goes on with the round before it looks at any timer. */
// Holds: F9
TEST_P(GuestConformance, ATimerThatIsUpWhileARoundIsCutShortIsNotForgotten)
{
    CallSoon([this] {
        CallLater(HOYA_MSEC(1), Say("timer"));
        Burn(HOYA_MSEC(10)); /* longer than a turn may take */
    });
    CallSoon(Say("the rest of the round"));
    RunHostUntilSeen("timer");
    EXPECT_EQ(trace, (Trace{"the rest of the round", "timer"}));
}

} // namespace hoya_test
