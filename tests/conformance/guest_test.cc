/* SPDX-License-Identifier: MIT
 *
 * conformance/guest_test.cc: a loop in an application that runs its own main loop: no wake-up is lost, neither
 * starves the other, and stop is a pause.
 */
#include "conformance.h"

#include <cstdio>
#include <numeric>
#include <thread>

namespace hoya_test
{

/* ---- work that a host's callback leaves for the loop ---- */

// Holds: F4 F33
TEST_P(GuestConformance, CallSoonInAHostCallbackNeedsNoCeremony)
{
    host->CallOnce([this] { CallSoon(Say("soon")); });
    RunHostUntilSeen("soon");
}

// Holds: F4 F33 F30
TEST_P(GuestConformance, NothingOfTheLoopRunsInsideAHostCallback)
{
    int fd = MakeReadable();
    host->CallOnce([this, fd] {
        CallSoon(Say("soon"));
        CallLater(0, Say("timer"));
        CallSoonThreadsafe(Say("posted"));
        AddReader(fd, [this, fd] {
            Note("reader");
            hoya_loop_remove_reader(loop, fd);
        });
        EXPECT_EQ(trace, Trace{});
        EXPECT_EQ(hoya_get_running_loop(), nullptr);
    });
    RunHostUntil([this] { return trace.size() == 4; });
    EXPECT_EQ(trace, (Trace{"soon", "posted", "reader", "timer"})) << "in the order of a round";
}

// Holds: F4 F33
TEST_P(GuestConformance, AHostTimerMayScheduleLongAfterTheLoopFellSilent)
{
    HostLoop::Id tick = host->AddTimer(HOYA_MSEC(20), [&] { CallSoon(Say("soon")); });
    RunHostUntil([this] { return trace.size() == 3; });
    host->Remove(tick);
}

// Holds: F4 S159
TEST_P(GuestConformance, AnEarlierTimerSetInAHostCallbackIsKept)
{
    CallLater(HOYA_SEC(3600), Say("an hour"));
    host->CallOnce([this] { CallLater(HOYA_MSEC(2), Say("soon after")); });
    RunHostUntilSeen("soon after");
    EXPECT_EQ(trace, Trace{"soon after"});
}

// Holds: F4 S159
TEST_P(GuestConformance, EarlierAndEarlierTimersAllComeInTime)
{
    for (int64_t delay : {9, 7, 5, 3, 1})
        host->CallOnce([this, delay] { CallLater(HOYA_MSEC(delay), Say(std::to_string(delay))); });
    RunHostUntil([this] { return trace.size() == 5; });
}

// Holds: F4
TEST_P(GuestConformance, ADescriptorWatchedInAHostCallbackIsLookedAt)
{
    auto [ours, theirs] = MakePair();
    host->CallOnce([this, fd = ours] {
        AddReader(fd, [this, fd] {
            Drain(fd);
            Note("reader");
        });
    });
    host->AddTimer(HOYA_MSEC(2), [this, fd = theirs] {
        if (trace.empty()) Feed(fd);
    });
    RunHostUntilSeen("reader");
}

// Holds: F4
TEST_P(GuestConformance, AWriterAddedInAHostCallbackIsCalled)
{
    int fd = MakePair()[0];
    host->CallOnce([this, fd] {
        AddWriter(fd, [this, fd] {
            hoya_loop_remove_writer(loop, fd);
            Note("writer");
        });
    });
    RunHostUntilSeen("writer");
}

// Holds: F4 S19 F14
TEST_P(GuestConformance, APostWakesTheHost)
{
    std::thread poster;
    host->CallOnce([&] { poster = std::thread([this] { CallSoonThreadsafe(Say("posted")); }); });
    RunHostUntilSeen("posted");
    poster.join();
}

// Holds: F10 F4
TEST_P(GuestConformance, AThousandCallbacksAreOneTurnOfTheHosts)
{
    std::vector<int> order, expected(1000);
    std::iota(expected.begin(), expected.end(), 0);
    hoya_loop_statistics before = Stats();
    host->CallOnce([&] {
        for (int i : expected) CallSoon([&order, i] { order.push_back(i); });
    });
    RunHostUntil([&] { return order.size() == 1000; });
    hoya_loop_statistics after = Stats();
    EXPECT_EQ(order, expected);
    /* Where a callback may nest and nobody asks before the wait, what is left behind the first one is announced. */
    bool announced = (hoya_loop_host_caps(loop) & (HOYA_HOST_NESTS | HOYA_HOST_BEFORE_BLOCK)) == HOYA_HOST_NESTS;
    EXPECT_LE(after.kicks - before.kicks, 1 + announced + after.cut - before.cut);
    EXPECT_LE(after.dispatches - before.dispatches, 2 + after.cut - before.cut);
}

// Holds: F4 S1
TEST_P(GuestConformance, WhatWasScheduledBeforeTheHostRanIsDone)
{
    auto [ours, theirs] = MakePair();
    Feed(theirs);
    AddReader(ours, [this, fd = ours] {
        Drain(fd);
        Note("reader");
    });
    CallLater(HOYA_MSEC(1), Say("timer"));
    CallSoon(Say("soon"));
    RunHostUntil([this] { return trace.size() == 3; });
    EXPECT_EQ(trace[0], "soon");
}

/* ---- whose thread, whose run ---- */

// Holds: S14
TEST_P(GuestConformance, ACallbackCannotRunItsLoop)
{
    CallSoon([this] {
        EXPECT_EQ(hoya_loop_is_running(loop), 1);
        EXPECT_EQ(hoya_get_running_loop(), loop);
        EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_EBUSY);
        EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), HOYA_EBUSY);
        EXPECT_EQ(hoya_loop_close(loop), HOYA_EBUSY);
        EXPECT_EQ(hoya_loop_abort(loop, HOYA_EPIPE), HOYA_ESTATE) << "there is no run of hoya's to leave";
        Note("refused");
    });
    RunHostUntilSeen("refused");
    EXPECT_EQ(hoya_loop_is_running(loop), 0);
}

// Holds: S16 F17
TEST_P(GuestConformance, TheLoopFollowsTheThreadThatRunsTheHost)
{
    CallSoon(Say("here"));
    RunHostUntilSeen("here");
    if (!host->Moves()) return;
    CallSoonThreadsafe([this] { CallSoon(Say("there")); });
    std::thread([this] { RunHostUntilSeen("there"); }).join();
    CallSoonThreadsafe([this] { CallSoon(Say("here again")); });
    RunHostUntilSeen("here again");
    EXPECT_EQ(trace, (Trace{"here", "there", "here again"}));
}

// Holds: F3
TEST_P(GuestConformance, ARunInsideAHostCallbackIsALevelOfItsOwn)
{
    host->CallOnce([this] {
        CallLater(HOYA_MSEC(1), [this] {
            Note("stop");
            Stop();
        });
        Run();
        Note("run is over");
        CallSoon(Say("the application goes on"));
    });
    RunHostUntilSeen("the application goes on");
    EXPECT_EQ(trace, (Trace{"stop", "run is over", "the application goes on"}));
}

// Holds: F3 F11
TEST_P(GuestConformance, TheHostLivesWhileHoyaRunsIt)
{
    int ticks = 0;
    HostLoop::Id timer = host->AddTimer(HOYA_MSEC(1), [&] {
        if (++ticks == 5) Stop();
    });
    Run();
    EXPECT_GE(ticks, 5);
    host->Remove(timer);
}

// Holds: F3 S6
TEST_P(GuestConformance, ARunAndTheApplicationTakeTurns)
{
    for (int turn = 0; turn < 3; turn++) {
        CallSoon([this] {
            Note("run");
            Stop();
        });
        Run();
        CallSoon(Say("guest" + std::to_string(turn)));
        RunHostUntilSeen("guest" + std::to_string(turn));
    }
    EXPECT_EQ(trace, (Trace{"run", "guest0", "run", "guest1", "run", "guest2"}));
}

/* ---- stop is a pause ---- */

// Holds: F3
TEST_P(GuestConformance, StopPausesAtTheEndOfTheRoundUntilStart)
{
    CallSoon([this] {
        Note("stop");
        Stop();
        CallSoon(Say("later"));
    });
    CallSoon(Say("same round"));
    RunHostFor(HOYA_MSEC(20));
    EXPECT_EQ(trace, (Trace{"stop", "same round"})) << "and the application's loop went on";
    EXPECT_EQ(hoya_loop_start(loop), 0);
    RunHostUntilSeen("later");
}

// Holds: F3 F5
TEST_P(GuestConformance, APausedLoopIsSilentHoweverMuchWaits)
{
    AddReader(MakeReadable(), Say("reader"));
    Stop();
    CallSoon(Say("soon"));
    CallLater(HOYA_MSEC(1), Say("timer"));
    CallSoonThreadsafe(Say("posted"));
    uint64_t dispatches = Stats().dispatches, polls = host->PollReturns();
    RunHostFor(HOYA_MSEC(100));
    EXPECT_LE(Stats().dispatches - dispatches, 4u);
    EXPECT_LE(host->PollReturns() - polls, 8u);
    EXPECT_EQ(trace, Trace{});

    EXPECT_EQ(hoya_loop_start(loop), 0);
    RunHostUntil([this] { return Seen("reader") && Seen("soon") && Seen("timer") && Seen("posted"); });
}

// Holds: F3 F14
TEST_P(GuestConformance, AnotherThreadMayPauseTheLoop)
{
    host->CallOnce([this] { std::thread([this] { Stop(); }).join(); });
    host->CallOnce([this] { CallSoon(Say("later")); });
    RunHostFor(HOYA_MSEC(20));
    EXPECT_EQ(trace, Trace{});
    host->CallOnce([this] { EXPECT_EQ(hoya_loop_start(loop), 0); });
    RunHostUntilSeen("later");
}

// Holds: S7 F3
TEST_P(GuestConformance, ARunOfAPausedLoopIsOneRoundAndEndsThePause)
{
    CallSoon([this] {
        Note("a");
        CallSoon(Say("a2"));
    });
    Stop();
    Run();
    EXPECT_EQ(trace, Trace{"a"});
    RunHostUntilSeen("a2");
}

/* ---- turns ---- */

// Holds: S158
TEST_P(GuestConformance, ATurnOfTheHostIsAtMostOneRound)
{
    Work chain = [&] { CallSoon(chain); };
    CallSoon(chain);
    for (int turn = 0; turn < 100; turn++) {
        uint64_t before = Stats().rounds;
        host->Iterate();
        EXPECT_LE(Stats().rounds - before, 1u);
    }
    EXPECT_GE(Stats().callbacks, 10u);
}

// Holds: S158 F11
TEST_P(GuestConformance, TheHostHasItsTurnBetweenTwoRounds)
{
    int links = 0;
    std::vector<int> seen;
    Work chain = [&] {
        links++;
        Burn(HOYA_USEC(100));
        CallSoon(chain);
    };
    CallSoon(chain);
    HostLoop::Id busy = host->AddIdle(Rank::kNormal, [&] { seen.push_back(links); });
    RunHostUntil([&] { return links >= 50; });
    host->Remove(busy);
    for (size_t i = 1; i < seen.size(); i++)
        EXPECT_LE(seen[i] - seen[i - 1], 1) << "two rounds without a turn of the host's";
}

// Holds: F11
TEST_P(GuestConformance, AnEndlessChainLetsTheHostRedrawAndIdle)
{
    int links = 0;
    Work chain = [&] {
        links++;
        CallSoon(chain);
    };
    CallSoon(chain);
    for (Rank rank : {Rank::kRedraw, Rank::kIdle}) {
        int runs = 0, turns = 0, links_before = 0, links_at_start = links;
        HostLoop::Id work = host->AddIdle(rank, [&] {
            runs++;
            turns += links != links_before; /* the chain has run since */
            links_before = links;
        });
        RunHostFor(HOYA_MSEC(500));
        host->Remove(work);
        printf("%s, half a second beside an endless chain of %d callbacks: %s work ran %d times, in %d turns\n",
               GetParam().name, links - links_at_start, rank == Rank::kRedraw ? "redraw" : "idle", runs, turns);
        EXPECT_GE(runs, 25);
        EXPECT_GE(turns, 3);
    }
}

// Holds: F11 S158
TEST_P(GuestConformance, ALongRoundIsCutAndResumedInOrder)
{
    auto [ours, theirs] = MakePair();
    std::vector<int> order, expected(300);
    std::iota(expected.begin(), expected.end(), 0);
    size_t done_at_tick = 0;
    HostLoop::Id busy = host->AddIdle(Rank::kNormal, [&] {
        if (!order.empty() && done_at_tick == 0) done_at_tick = order.size();
    });
    for (int i : expected)
        CallSoon([&, i, fd = theirs] {
            order.push_back(i);
            if (i == 0) Feed(fd);
            if (i == 299) CallSoon([&] { order.push_back(-1); });
            Burn(HOYA_USEC(100));
        });
    AddReader(ours, [&, fd = ours] {
        Drain(fd);
        order.push_back(-2);
    });
    /* The look that finds the descriptor comes after the whole round; what that left behind is in line first. */
    expected.insert(expected.end(), {-1, -2});
    RunHostUntil([&] { return order.size() == expected.size(); });
    host->Remove(busy);
    EXPECT_EQ(order, expected);
    EXPECT_LT(done_at_tick, 300u) << "the host had a turn in the middle";
    EXPECT_GE(Stats().cut, 1u);
}

// Holds: F12
TEST_P(GuestConformance, ABusyHostDoesNotStarveTheLoop)
{
    HostLoop::Id busy = host->AddIdle(Rank::kNormal, [] { Burn(HOYA_USEC(20)); });
    int links = 0;
    Work chain = [&] {
        if (++links < 100) CallSoon(chain);
    };
    CallSoon(chain);
    CallLater(HOYA_MSEC(1), Say("timer"));
    AddReader(MakeReadable(), Say("reader"));
    RunHostUntil([&] { return links == 100 && Seen("timer") && Seen("reader"); });
    host->Remove(busy);
}

/* ---- hosts with strange habits ---- */

// Holds: F13
TEST_P(GuestConformance, PhasesInAnyOrderLoseNothing)
{
    auto [ours, theirs] = MakePair();
    AddReader(ours, [this, fd = ours] {
        Drain(fd);
        Note("reader");
    });
    CallSoon([this] {
        Note("a");
        CallSoon(Say("b"));
    });
    CallLater(HOYA_MSEC(1), Say("timer"));
    for (int i = 0; i < 20; i++) host->Prod();
    Feed(theirs);
    for (int i = 0; i < 20; i++) host->Prod();
    RunHostUntil([this] { return trace.size() == 4; });
}

// Holds: F13 F5
TEST_P(GuestConformance, SpuriousTurnsRunNothing)
{
    CallLater(HOYA_SEC(60), Say("never"));
    AddReader(MakePair()[0], Say("never"));
    for (int i = 0; i < 100; i++) host->Prod();
    EXPECT_EQ(Stats().callbacks, 0u);
    CallSoon(Say("soon"));
    RunHostUntilSeen("soon");
}

/* ---- company ---- */

// Holds: F3 F10 S1
TEST_P(GuestConformance, TwoLoopsShareAHost)
{
    hoya_loop *sibling = NewSibling();
    Probe probe;
    Work chain = [&] { CallSoon(chain); };
    CallSoon(chain);
    for (int i = 0; i < 10; i++)
        EXPECT_EQ(hoya_loop_call_later(sibling, HOYA_MSEC(i), Probe::Run, &probe, Probe::Destroy, nullptr), 0);
    RunHostUntil([&] { return probe.runs == 10; });

    Stop(); /* pauses the one and not the other */
    RunHostFor(HOYA_MSEC(5));
    uint64_t before = Stats().callbacks;
    EXPECT_EQ(hoya_loop_call_soon(sibling, Probe::Run, &probe), 0);
    RunHostUntil([&] { return probe.runs == 11; });
    EXPECT_EQ(Stats().callbacks, before);
    Release(sibling);
}

// Holds: F10 F4
TEST_P(GuestConformance, ALoopMayScheduleInItsSibling)
{
    hoya_loop *sibling = NewSibling();
    CallSoon([&] {
        EXPECT_EQ(hoya_get_running_loop(), loop);
        auto back = new Work([&] {
            EXPECT_EQ(hoya_get_running_loop(), sibling);
            CallSoon(Say("there and back"));
        });
        EXPECT_EQ(hoya_loop_call_soon_full(sibling, Lambda::Run, back, Lambda::Destroy, nullptr), 0);
    });
    RunHostUntilSeen("there and back");
    Release(sibling);
}

/* ---- what the host says is a hint ---- */

// Holds: F28
TEST_P(GuestConformance, ADescriptorThatWasDrainedBeforeItsTurnIsStillWatched)
{
    auto first = MakePair(), second = MakePair();
    int calls = 0;
    AddReader(first[0], [&](hoya_fd fd, uint32_t) {
        Drain(fd);
        Drain(second[0]);
        Note("first");
    });
    AddReader(second[0], [&](hoya_fd fd, uint32_t) {
        Drain(fd);
        calls++;
    });
    Feed(first[1]);
    host->CallOnce([&] { Drain(second[0]); }); /* the host has seen it, or not */
    Feed(second[1]);
    RunHostUntilSeen("first");
    calls = 0;
    Feed(second[1]);
    RunHostUntil([&] { return calls > 0; });
}

// Holds: F19
TEST_P(GuestConformance, ADescriptorClosedWhileItWasWatchedDoesNotKeepTheHostAwake)
{
    auto pair = MakePair();
    AddReader(pair[0], [](hoya_fd, uint32_t) {});
    RunHostFor(HOYA_MSEC(1));
    Close(pair[0]);
    RunHostFor(HOYA_MSEC(5)); /* it may be noticed once */
    uint64_t returns = host->PollReturns();
    RunHostFor(HOYA_MSEC(50));
    EXPECT_LE(host->PollReturns() - returns, 5u);
    EXPECT_EQ(hoya_loop_remove_reader(loop, pair[0]), 1);
}

} // namespace hoya_test
