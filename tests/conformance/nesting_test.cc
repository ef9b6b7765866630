/* SPDX-License-Identifier: MIT
 *
 * conformance/nesting_test.cc: dialogs. A callback of the loop, or of the host, runs the host's loop again;
 * everything goes on inside it except what is on the stack, and returning continues where it was.
 */
#include "conformance.h"

#include <cstdio>
#include <numeric>
#include <thread>

namespace hoya_test
{

/* ---- wake-ups that a nested loop could lose ---- */

// Holds: F1 S160
TEST_P(NestingConformance, CallSoonThenNest)
{
    CallSoon([this] {
        CallSoon(Say("soon"));
        NestUntilSeen("soon");
        Note("returned");
    });
    RunHostUntilSeen("returned");
    EXPECT_EQ(trace, (Trace{"soon", "returned"}));
}

// Holds: F1 S160 S159
TEST_P(NestingConformance, CallLaterThenNest)
{
    CallSoon([this] {
        CallLater(HOYA_MSEC(2), Say("timer"));
        NestUntilSeen("timer");
        Note("returned");
    });
    RunHostUntilSeen("returned");
    EXPECT_EQ(trace, (Trace{"timer", "returned"}));
}

// Holds: F1 S160 S159
TEST_P(NestingConformance, ATimerMayNestUntilTheNextOne)
{
    CallLater(HOYA_MSEC(1), [this] {
        NestUntilSeen("second"); /* without a word to the loop in between */
        Note("returned");
    });
    CallLater(HOYA_MSEC(5), Say("second"));
    RunHostUntilSeen("returned");
    EXPECT_EQ(trace, (Trace{"second", "returned"}));
}

// Holds: F1 F4 S160
TEST_P(NestingConformance, AHostCallbackInsideTheNestedLoopMaySchedule)
{
    CallSoon([this] {
        host->CallOnce([this] {
            CallSoon(Say("soon"));
            CallLater(HOYA_MSEC(1), Say("timer"));
        });
        Nest([this] { return trace.size() == 2; });
        Note("returned");
    });
    RunHostUntilSeen("returned");
    EXPECT_EQ(trace, (Trace{"soon", "timer", "returned"}));
}

// Holds: F1 S160
TEST_P(NestingConformance, AnEntryBehindTheNestingOneIsNotHeldUp)
{
    CallSoon([this] {
        NestUntilSeen("behind");
        Note("returned");
    });
    CallSoon(Say("behind"));
    RunHostUntilSeen("returned");
    EXPECT_EQ(trace, (Trace{"behind", "returned"}));
}

// Holds: F1 S19
TEST_P(NestingConformance, APostWakesANestedLoop)
{
    CallSoon([this] {
        std::thread poster([this] { CallSoonThreadsafe(Say("posted")); });
        NestUntilSeen("posted");
        poster.join();
        Note("returned");
    });
    RunHostUntilSeen("returned");
}

// Holds: F1
TEST_P(NestingConformance, ADescriptorBecomesReadyInsideANestedLoop)
{
    auto [ours, theirs] = MakePair();
    AddReader(ours, [this, fd = ours] {
        Drain(fd);
        Note("reader");
    });
    CallSoon([this, fd = theirs] {
        Feed(fd);
        NestUntilSeen("reader");
        Note("returned");
    });
    RunHostUntilSeen("returned");
}

// Holds: F1 S160
TEST_P(NestingConformance, WhatComesAfterTheNestedLoopIsNotLostEither)
{
    CallSoon([this] {
        NestFor(HOYA_MSEC(5));
        CallSoon(Say("afterwards"));
        CallLater(HOYA_MSEC(1), Say("later"));
    });
    RunHostUntil([this] { return trace.size() == 2; });
}

// Holds: F2
TEST_P(NestingConformance, ADialogOfTheHostsOwnLetsTheLoopGoOn)
{
    auto [ours, theirs] = MakePair();
    AddReader(ours, [this, fd = ours] {
        Drain(fd);
        Note("reader");
    });
    CallLater(HOYA_MSEC(2), [this, fd = theirs] {
        Note("timer");
        Feed(fd);
    });
    host->CallOnce([this] {
        Nest([this] { return Seen("reader"); });
        Note("returned");
    });
    RunHostUntilSeen("returned");
    EXPECT_EQ(trace, (Trace{"timer", "reader", "returned"}));
}

// Holds: F1 S160
TEST_P(NestingConformance, NestingWorksInARunOfHoyasToo)
{
    CallSoon([this] {
        CallSoon(Say("soon"));
        CallLater(HOYA_MSEC(1), Say("timer"));
        Nest([this] { return Seen("soon") && Seen("timer"); });
        Note("returned");
    });
    RunUntilNoted(3);
    EXPECT_EQ(trace, (Trace{"soon", "timer", "returned"}));
}

/* ---- each entry once, in order ---- */

// Holds: S160 S1
TEST_P(NestingConformance, EntriesRunOnceWhoeverRunsThem)
{
    std::vector<int> order, expected(100);
    std::iota(expected.begin(), expected.end(), 0);
    for (int i : expected)
        CallSoon([this, &order, i] {
            order.push_back(i);
            if (i % 10 == 0) NestFor(HOYA_MSEC(1));
        });
    RunHostUntil([&] { return order.size() >= 100; });
    RunHostFor(HOYA_MSEC(2));
    EXPECT_EQ(order, expected);
}

// Holds: S160 S25
TEST_P(NestingConformance, ATimerThatIsDueMayBeCancelledInsideANestedLoop)
{
    int64_t when = hoya_loop_time(loop) + HOYA_MSEC(1);
    Handle third;
    CallAt(when, [this] {
        NestUntilSeen("second");
        NestFor(HOYA_MSEC(5));
        Note("returned");
    });
    CallAt(when, [&] {
        EXPECT_EQ(hoya_handle_cancel(third.get()), 1);
        Note("second");
    });
    third = CallAt(when, Say("third"));
    RunHostUntilSeen("returned");
    RunHostFor(HOYA_MSEC(5));
    EXPECT_EQ(trace, (Trace{"second", "returned"}));
}

// Holds: S160 S162 S17
TEST_P(NestingConformance, ACallbackOnTheStackMayBeCancelledInsideItsNestedLoop)
{
    struct Self {
        NestingConformance *test;
        Work nest;
        Probe probe;
        hoya_handle *handle = nullptr;
    } self = {this, {}, {}, nullptr};
    self.nest = [&] {
        CallSoon([&] {
            hoya_handle_cancel(self.handle);
            EXPECT_EQ(self.probe.destroyed, 0) << "it is still running";
            Note("cancelled");
        });
        NestUntilSeen("cancelled");
        EXPECT_EQ(self.probe.destroyed, 0);
        Note("returned");
    };
    auto run = [](void *arg) { static_cast<Self *>(arg)->nest(); };
    auto destroy = [](void *arg) { static_cast<Self *>(arg)->probe.destroyed++; };
    ASSERT_EQ(hoya_loop_call_soon_full(loop, run, &self, destroy, &self.handle), 0);
    RunHostUntilSeen("returned");
    EXPECT_EQ(self.probe.destroyed, 1);
    hoya_handle_unref(self.handle);
}

/* ---- stop and run inside nested loops ---- */

// Holds: F3 S160
TEST_P(NestingConformance, StopInsideANestedLoopEndsTheRunWhenThatLoopHasReturned)
{
    CallSoon([this] {
        CallSoon([this] {
            Note("stop");
            Stop();
        });
        host->RunNestedUntil([] { return false; }, HOYA_MSEC(20)); /* a dialog that the user closes in 20 ms */
        Note("dialog is closed");
    });
    Run();
    Note("run is over");
    EXPECT_EQ(trace, (Trace{"stop", "dialog is closed", "run is over"}));
}

// Holds: F3
TEST_P(NestingConformance, StopInsideANestedLoopDoesNotQuitThatLoop)
{
    int ticks = 0;
    HostLoop::Id timer = host->AddTimer(HOYA_MSEC(1), [&] { ticks++; });
    CallSoon([&] {
        CallSoon([&] {
            Stop();
            ticks = 0;
        });
        Nest([&] { return ticks >= 5 && hoya_loop_is_running(loop); });
        Note("dialog is closed");
    });
    Run();
    EXPECT_EQ(trace, Trace{"dialog is closed"});
    host->Remove(timer);
}

// Holds: F3 S160
TEST_P(NestingConformance, APausedGuestLetsADialogGoOnAndReturn)
{
    CallSoon([this] {
        CallSoon([this] { Stop(); });
        NestFor(HOYA_MSEC(10));
        Note("dialog is closed");
        CallSoon(Say("after start"));
    });
    RunHostUntilSeen("dialog is closed");
    RunHostFor(HOYA_MSEC(5));
    EXPECT_FALSE(Seen("after start"));
    EXPECT_EQ(hoya_loop_start(loop), 0);
    RunHostUntilSeen("after start");
}

// Holds: S14 S160
TEST_P(NestingConformance, ALoopWithACallbackOnTheStackCannotBeRunFromANestedHostCallback)
{
    CallSoon([this] {
        host->CallOnce([this] {
            EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_EBUSY);
            EXPECT_EQ(hoya_loop_close(loop), HOYA_EBUSY);
            Note("refused");
        });
        NestUntilSeen("refused");
    });
    RunHostUntilSeen("refused");
}

// Holds: S11 F3 S160
TEST_P(NestingConformance, AbortInsideANestedLoopSilencesTheRunAndEndsItWhenThatLoopHasReturned)
{
    CallSoon([this] {
        CallSoon([this] {
            Note("abort");
            EXPECT_EQ(hoya_loop_abort(loop, HOYA_EPIPE), 0);
        });
        CallSoon(Say("kept"));
        NestFor(HOYA_MSEC(10));
        Note("dialog is closed");
    });
    Run(HOYA_EPIPE);
    EXPECT_EQ(trace, (Trace{"abort", "dialog is closed"}));
    RunUntilNoted(3);
    EXPECT_EQ(trace.back(), "kept");
}

// Holds: F22 S160
TEST_P(NestingConformance, ALoopMayLeaveItsHostInsideANestedLoop)
{
    CallSoon([this] {
        host->CallOnce([this] {
            Detach();
            Note("detached");
        });
        NestUntilSeen("detached");
        NestFor(HOYA_MSEC(5));
        Note("returned");
        CallSoon(Say("natively"));
    });
    RunUntilNoted(3);
    EXPECT_EQ(trace, (Trace{"detached", "returned", "natively"}));
    EXPECT_TRUE(IsNative());
}

/* ---- deep ---- */

// Holds: F1 F7 S160
TEST_P(NestingConformance, TwentyLevelsUnwindLastInFirstOut)
{
    constexpr int kLevels = 20;
    std::vector<int> entered, left;
    std::function<void(int)> descend = [&](int level) {
        entered.push_back(level);
        if (level < kLevels) {
            CallSoon([&descend, level] { descend(level + 1); });
            Nest([&, level] { return !left.empty() && left.back() == level + 1; });
        }
        left.push_back(level);
    };
    CallSoon([&] { descend(1); });
    RunHostUntil([&] { return left.size() == kLevels; });
    std::vector<int> down(kLevels);
    std::iota(down.begin(), down.end(), 1);
    EXPECT_EQ(entered, down);
    EXPECT_EQ(left, std::vector<int>(down.rbegin(), down.rend()));
}

// Holds: F1 F7 S160 F32
TEST_P(NestingConformance, TwentyLevelsOverAnUndrainedDescriptorLetEverythingElseGoOn)
{
    constexpr int kLevels = 20;
    int entered = 0, ticks = 0, reads = 0, posts = 0, deepest = 0;
    auto [ours, theirs] = MakePair();
    AddReader(ours, [&, fd = ours] {
        Drain(fd);
        reads++;
    });
    std::function<void()> tick = [&, fd = theirs] {
        ticks++;
        Feed(fd);
        std::thread([&] { CallSoonThreadsafe([&] { posts++; }); }).join();
        CallLater(HOYA_MSEC(100), tick);
    };
    auto bottom = [&] {
        tick();
        uint64_t dispatches = Stats().dispatches;
        int64_t cpu = ThreadCpu();
        NestFor(HOYA_SEC(1));
        cpu = ThreadCpu() - cpu;
        dispatches = Stats().dispatches - dispatches;
        printf(
            "20 levels deep for a second: %d timers, %d reads, %d posts, %llu dispatches, %.1f ms of processor\n",
            ticks, reads, posts, static_cast<unsigned long long>(dispatches), static_cast<double>(cpu) / 1e6);
        EXPECT_LE(dispatches, 200u);
        EXPECT_LE(cpu, HOYA_MSEC(200)) << "20 ms on a quiet machine without sanitizers";
    };
    std::function<void(int)> descend = [&](int level) {
        deepest = level;
        if (level == kLevels) return bottom();
        bool inner_has_returned = false;
        CallSoon([&, level] {
            descend(level + 1);
            inner_has_returned = true;
        });
        Nest([&] { return inner_has_returned; });
    };
    int undrained = MakeReadable();
    AddReader(undrained, [&] {
        if (++entered == 1) descend(1);
        else hoya_loop_remove_reader(loop, undrained);
        Note("returned");
    });
    RunHostUntil([this] { return trace.size() == 2; });
    EXPECT_EQ(deepest, kLevels);
    EXPECT_EQ(entered, 2) << "never while on the stack, and again afterwards";
    EXPECT_GE(ticks, 3);
    EXPECT_GE(reads, ticks - 1);
    EXPECT_GE(posts, ticks - 1);
}

} // namespace hoya_test
