/* SPDX-License-Identifier: MIT
 *
 * conformance/callbacks_test.cc: call_soon, the order of a round, stop and abort.
 */
#include "conformance.h"

namespace hoya_test
{

/* ---- the queue ---- */

// Holds: S1
TEST_P(LoopConformance, CallSoonIsFifo)
{
    static Trace *words;
    words = &trace;
    auto say = [](void *word) { words->push_back(static_cast<const char *>(word)); };
    static char a[] = "a", b[] = "b", c[] = "c";
    for (char *word : {a, b, c}) EXPECT_EQ(hoya_loop_call_soon(loop, say, word), 0);
    CallSoon([this] { Stop(); });
    Run();
    EXPECT_EQ(trace, (Trace{"a", "b", "c"}));
}

// Holds: S1
TEST_P(LoopConformance, EachCallbackRunsExactlyOnce)
{
    std::vector<int> runs(1000);
    for (int &count : runs) CallSoon([&count] { count++; });
    CallSoon([this] { Stop(); });
    Run();
    CallSoon([this] { Stop(); });
    Run();
    EXPECT_EQ(runs, std::vector<int>(1000, 1));
}

// Holds: F30
TEST_P(LoopConformance, NothingRunsInsideTheCallThatSchedulesIt)
{
    int fd = MakeReadable();
    auto schedule = [this, fd] {
        CallSoon(Say("ran"));
        CallSoonThreadsafe(Say("ran"));
        CallLater(0, Say("ran"));
        CallAt(HOYA_NOW, Say("ran"));
        AddReader(fd, [this, fd] {
            Note("ran");
            hoya_loop_remove_reader(loop, fd);
        });
        EXPECT_EQ(hoya_loop_wakeup(loop), 0);
        EXPECT_FALSE(Seen("ran"));
    };
    CallSoon(schedule);
    RunUntilNoted(5);

    trace.clear();
    schedule(); /* outside a run as well */
    RunUntilNoted(5);
}

// Holds: S2
TEST_P(LoopConformance, WhatACallbackSchedulesRunsInTheNextRound)
{
    uint64_t first = 0, second = 0;
    CallSoon([&] {
        Note("a");
        first = Stats().rounds;
        CallSoon([&] {
            Note("a2");
            second = Stats().rounds;
        });
    });
    CallSoon(Say("b"));
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 2);
    EXPECT_EQ(trace, (Trace{"a", "b"}));
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
    EXPECT_EQ(trace, (Trace{"a", "b", "a2"}));
    EXPECT_EQ(second, first + 1);
}

// Holds: S3
TEST_P(LoopConformance, EveryRoundLooksAtTheKernel)
{
    auto [ours, theirs] = MakePair();
    int links = 0;
    Work chain = [&, fd = theirs] {
        if (++links == 10) Feed(fd);
        if (links < 1000) CallSoon(chain);
        else Stop();
    };
    AddReader(ours, [&] {
        EXPECT_EQ(links, 11) << "the round after the one that fed the socket";
        Stop();
    });
    CallSoon(chain);
    Run();
    EXPECT_LT(links, 1000);
}

// Holds: S3
TEST_P(LoopConformance, AnUndrainedDescriptorIsReportedInEveryRound)
{
    int reports = 0;
    AddReader(MakeReadable(), [&] {
        if (++reports == 100) Stop();
    });
    uint64_t before = Stats().rounds;
    Run();
    EXPECT_EQ(reports, 100);
    EXPECT_LE(Stats().rounds - before, 102u);
}

// Holds: S4 S5
TEST_P(LoopConformance, ARoundRunsWhatWasQueuedThenWhatIsReadyThenWhatIsDue)
{
    auto [ours, theirs] = MakePair();
    Feed(theirs);
    CallLater(0, Say("timer"));
    AddWriter(ours, [&, fd = ours] {
        Note("writer");
        hoya_loop_remove_writer(loop, fd);
    });
    AddReader(ours, [&, fd = ours] {
        Note("reader");
        hoya_loop_remove_reader(loop, fd);
    });
    CallSoon(Say("soon"));
    CallSoonThreadsafe(Say("threadsafe"));
    CallSoon(Say("soon again"));
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 6);
    EXPECT_EQ(trace, (Trace{"soon", "threadsafe", "soon again", "reader", "writer", "timer"}));
}

/* ---- stop ---- */

// Holds: S6 S8
TEST_P(LoopConformance, StopLetsTheRoundFinishAndKeepsTheRest)
{
    CallSoon([this] {
        Note("a");
        Stop();
        CallSoon(Say("a2"));
    });
    CallSoon([this] {
        Note("b");
        CallSoon([this] {
            Note("b2");
            Stop();
        });
    });
    Run();
    EXPECT_EQ(trace, (Trace{"a", "b"}));
    Run();
    EXPECT_EQ(trace, (Trace{"a", "b", "a2", "b2"}));
}

// Holds: S7
TEST_P(LoopConformance, StopBeforeARunGivesExactlyOneRound)
{
    CallLater(0, Say("timer"));
    CallLater(HOYA_SEC(3600), Say("an hour"));
    CallSoon([this] {
        Note("a");
        CallSoon(Say("a2"));
    });
    Stop();
    Run();
    EXPECT_EQ(trace, (Trace{"a", "timer"}));
    CallSoon([this] { Stop(); }); /* the stop is used up: this run needs another */
    Run();
    EXPECT_EQ(trace, (Trace{"a", "timer", "a2"}));
}

// Holds: S7
TEST_P(LoopConformance, StopBeforeARunDoesNotBlock)
{
    AddReader(MakePipe()[0], Say("never"));
    Stop();
    Run(); /* the watchdog is the judge */
    EXPECT_EQ(trace, Trace{});
}

// Holds: S7
TEST_P(LoopConformance, StartTakesAStopBack)
{
    Stop();
    EXPECT_EQ(hoya_loop_start(loop), 0);
    EXPECT_EQ(hoya_loop_start(loop), 0) << "there is none to take back";
    CallSoon([this] { CallSoon([this] { CallSoon([this] { Stop(); }); }); });
    uint64_t before = Stats().callbacks;
    Run();
    EXPECT_EQ(Stats().callbacks - before, 3u);
}

// Holds: S8 S9
TEST_P(LoopConformance, StopLosesNothingOfTheRound)
{
    auto [ours, theirs] = MakePair();
    Feed(theirs);
    AddReader(ours, [&, fd = ours] {
        Note("reader");
        Drain(fd);
    });
    CallSoon([this] {
        Note("stop");
        Stop();
        Stop(); /* a flag */
    });
    CallSoon(Say("b"));
    CallLater(0, Say("timer"));
    Run();
    EXPECT_EQ(trace, (Trace{"stop", "b", "reader", "timer"}));
}

// Holds: S9
TEST_P(LoopConformance, OneReadyReaderDoesNotSilenceAnotherByStopping)
{
    int reports = 0;
    for (int fd : {MakeReadable(), MakeReadable(), MakeReadable()})
        AddReader(fd, [&] {
            reports++;
            Stop();
        });
    Run();
    EXPECT_EQ(reports, 3);
}

/* ---- errors and abort ---- */

// Holds: S10
TEST_P(LoopConformance, AnErrorInOneCallbackLeavesTheNextOneAlone)
{
    CallSoon([this] {
        hoya_exception_context context = {};
        context.size = sizeof context;
        context.message = "the first callback failed";
        context.code = HOYA_EINVAL;
        context.fd = HOYA_INVALID_FD;
        hoya_loop_call_exception_handler(loop, &context);
    });
    CallSoon(Say("next"));
    CallSoon([this] { Stop(); });
    Run();
    EXPECT_EQ(trace, Trace{"next"});
    EXPECT_TRUE(Logged("the first callback failed"));
}

// Holds: S11
TEST_P(LoopConformance, AbortLeavesTheRunAtOnceAndTheNextRunGoesOn)
{
    CallSoon(Say("a"));
    CallSoon([this] {
        Note("abort");
        CallSoon(Say("scheduled before the abort"));
        EXPECT_EQ(hoya_loop_abort(loop, HOYA_EPIPE), 0);
    });
    CallSoon(Say("b"));
    CallSoon(Say("c"));
    Run(HOYA_EPIPE);
    EXPECT_EQ(trace, (Trace{"a", "abort"}));
    EXPECT_EQ(hoya_loop_is_running(loop), 0);
    CallSoon([this] { Stop(); });
    Run();
    EXPECT_EQ(trace, (Trace{"a", "abort", "b", "c", "scheduled before the abort"}));
}

// Holds: S11
TEST_P(LoopConformance, AbortKeepsWhatWasReadyAndDue)
{
    auto [ours, theirs] = MakePair();
    Feed(theirs);
    AddReader(ours, [&, fd = ours] {
        Note("reader");
        Drain(fd);
    });
    CallLater(0, Say("timer"));
    CallSoon([this] { EXPECT_EQ(hoya_loop_abort(loop, HOYA_ECANCELED), 0); });
    Run(HOYA_ECANCELED);
    EXPECT_EQ(trace, Trace{});
    RunRounds(2);
    EXPECT_EQ(trace, (Trace{"reader", "timer"})) << "each once";
}

// Holds: S11
TEST_P(LoopConformance, TheRoundThatAnAbortLeftIsFinishedBeforeTheNextLook)
{
    auto [ours, theirs] = MakePair();
    AddReader(ours, [this, fd = ours] {
        Drain(fd);
        Note("reader");
    });
    CallSoon([this, fd = theirs] {
        Feed(fd);
        EXPECT_EQ(hoya_loop_abort(loop, HOYA_ECANCELED), 0);
    });
    CallSoon([this] {
        Note("b");
        CallSoon(Say("b2"));
    });
    Run(HOYA_ECANCELED);
    RunUntilNoted(3);
    EXPECT_EQ(trace, (Trace{"b", "b2", "reader"})) << "as if nothing had happened";
}

// Holds: S11
TEST_P(LoopConformance, AbortNeedsAnOpenRunAndANegativeCode)
{
    EXPECT_EQ(hoya_loop_abort(loop, HOYA_EPIPE), HOYA_ESTATE);
    CallSoon([this] {
        EXPECT_EQ(hoya_loop_abort(loop, 0), HOYA_EINVAL);
        EXPECT_EQ(hoya_loop_abort(loop, 1), HOYA_EINVAL);
        Stop();
    });
    Run();
}

} // namespace hoya_test
