/* SPDX-License-Identifier: MIT
 *
 * conformance/signals_test.cc: signals as callbacks. They are the process's: whoever had one before gets it back.
 */
#include "conformance.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace hoya_test
{
namespace
{

volatile sig_atomic_t caught;

void Catch(int)
{
    caught = caught + 1;
}

/* An action of the application's, put in place for the time of a test. */
struct Action {
    int signum;
    struct sigaction before;

    Action(int number, void (*handler)(int)) : signum(number)
    {
        struct sigaction action = {};
        action.sa_handler = handler;
        sigaction(signum, &action, &before);
        caught = 0;
    }
    ~Action() { sigaction(signum, &before, nullptr); }
};

void (*HandlerOf(int signum))(int)
{
    struct sigaction now;
    sigaction(signum, nullptr, &now);
    return now.sa_handler;
}

} // namespace

// Holds: S132
TEST_P(LoopConformance, ASignalHandlerRunsAsACallbackAndIsToldTheSignal)
{
    int seen = 0;
    hoya_loop *running = nullptr;
    AddSignal(SIGUSR1, [&](int signum) {
        seen = signum;
        running = hoya_get_running_loop();
        Stop();
    });
    raise(SIGUSR1);
    EXPECT_EQ(seen, 0) << "not in signal context";
    Run();
    EXPECT_EQ(seen, SIGUSR1);
    EXPECT_EQ(running, loop);
}

// Holds: S132
TEST_P(LoopConformance, ASignalWakesABlockedLoop)
{
    AddSignal(SIGUSR1, [&](int) { Stop(); });
    pthread_t thread = pthread_self();
    std::thread sender([this, thread] {
        AwaitSleep();
        pthread_kill(thread, SIGUSR1);
    });
    Run();
    sender.join();
}

// Holds: S132
TEST_P(LoopConformance, ASignalThatAnotherThreadTookWakesTheLoop)
{
    AddSignal(SIGUSR1, [&](int) { Stop(); });
    std::thread sender([] { raise(SIGUSR1); });
    Run();
    sender.join();
}

TEST_P(LoopConformance, ASignalHandlerMayCallEverything)
{
    AddSignal(SIGUSR1, [&](int) {
        CallSoon(Say("soon"));
        CallLater(0, [&] {
            Note("later");
            Stop();
        });
        EXPECT_EQ(hoya_loop_remove_signal_handler(loop, SIGUSR1), 1);
        Note("signal");
    });
    raise(SIGUSR1);
    Run();
    EXPECT_EQ(trace, (Trace{"signal", "soon", "later"}));
}

TEST_P(LoopConformance, WhatWasQueuedComesBeforeASignalThatCameLater)
{
    AddSignal(SIGUSR1, [&](int) {
        Note("signal");
        Stop();
    });
    CallSoon(Say("soon"));
    raise(SIGUSR1);
    Run();
    EXPECT_EQ(trace, (Trace{"soon", "signal"}));
}

TEST_P(LoopConformance, SignalsBeforeTheHandlerRunsAreOneCallAndNoneIsLost)
{
    int calls = 0;
    AddSignal(SIGUSR1, [&](int) { calls++; });
    for (int i = 0; i < 5; i++) raise(SIGUSR1);
    RunRounds(2);
    EXPECT_EQ(calls, 1);
    raise(SIGUSR1);
    RunRounds(2);
    EXPECT_EQ(calls, 2);
}

TEST_P(LoopConformance, AStormFromManyThreadsEndsWithACallAfterItsLastSignal)
{
    constexpr int kSenders = 4, kSignals = 2000;
    std::atomic<int> sent{0};
    int calls = 0, seen = 0;
    AddSignal(SIGUSR1, [&](int) {
        calls++;
        seen = sent.load(); /* what was sent before the last call is part of it */
        if (seen == kSenders * kSignals) Stop();
    });
    std::vector<std::thread> senders;
    for (int i = 0; i < kSenders; i++)
        senders.emplace_back([&sent] {
            for (int j = 0; j < kSignals; j++) {
                sent++;
                raise(SIGUSR1);
            }
        });
    Run();
    for (std::thread &sender : senders) sender.join();
    EXPECT_EQ(seen, kSenders * kSignals);
    EXPECT_GE(calls, 1);
    EXPECT_LE(calls, kSenders * kSignals);
}

TEST_P(LoopConformance, TwoSignalsHaveTwoHandlers)
{
    AddSignal(SIGUSR1, [&](int) { Note("one"); });
    AddSignal(SIGUSR2, [&](int) { Note("two"); });
    raise(SIGUSR2);
    RunRounds(2);
    EXPECT_EQ(trace, (Trace{"two"}));
    raise(SIGUSR1);
    RunRounds(2);
    EXPECT_EQ(trace, (Trace{"two", "one"}));
}

TEST_P(LoopConformance, TheHighestRealTimeSignalIsOneToo)
{
    AddSignal(SIGRTMAX, [&](int) { Stop(); });
    raise(SIGRTMAX);
    Run();
}

/* ---- whose it is ---- */

// Holds: S133
TEST_P(LoopConformance, RemovingASignalHandlerRestoresTheActionThatWasThere)
{
    Action action(SIGUSR1, Catch);
    AddSignal(SIGUSR1, [&](int) { Note("loop"); });
    raise(SIGUSR1);
    EXPECT_EQ(caught, 0) << "replaced, not called";
    EXPECT_EQ(hoya_loop_remove_signal_handler(loop, SIGUSR1), 1);
    raise(SIGUSR1);
    EXPECT_EQ(caught, 1);
    RunRounds(2);
    EXPECT_EQ(trace, Trace{}) << "what was signalled before the removal has no handler any more";
    EXPECT_EQ(hoya_loop_remove_signal_handler(loop, SIGUSR1), 0);
}

// Holds: S134 F26
TEST_P(LoopConformance, ClosingTheLoopRestoresTheActionsOfItsSignals)
{
    Action one(SIGUSR1, Catch), two(SIGUSR2, SIG_IGN);
    hoya_loop *other = NewSibling();
    Probe probe;
    auto run = [](int, void *arg) { Probe::Run(arg); };
    EXPECT_EQ(hoya_loop_add_signal_handler(other, SIGUSR1, run, &probe, Probe::Destroy), 0);
    EXPECT_EQ(hoya_loop_add_signal_handler(other, SIGUSR2, run, &probe, Probe::Destroy), 0);
    raise(SIGUSR2);
    Release(other);
    EXPECT_EQ(probe.destroyed, 2);
    EXPECT_EQ(probe.runs, 0);
    EXPECT_EQ(HandlerOf(SIGUSR1), Catch);
    EXPECT_EQ(HandlerOf(SIGUSR2), SIG_IGN);
}

// Holds: F26
TEST_P(LoopConformance, ALoopHandlesNoSignalUnasked)
{
    void (*interrupt)(int) = HandlerOf(SIGINT);
    void (*child)(int) = HandlerOf(SIGCHLD);
    void (*pipe)(int) = HandlerOf(SIGPIPE);
    RunRounds(2);
    EXPECT_EQ(HandlerOf(SIGINT), interrupt);
    EXPECT_EQ(HandlerOf(SIGCHLD), child);
    EXPECT_EQ(HandlerOf(SIGPIPE), pipe);
}

TEST_P(LoopConformance, ASignalActionThatSomebodySetSinceIsLeftAlone)
{
    AddSignal(SIGUSR1, [&](int) { Note("loop"); });
    Action later(SIGUSR1, Catch);
    EXPECT_EQ(hoya_loop_remove_signal_handler(loop, SIGUSR1), 1);
    EXPECT_EQ(HandlerOf(SIGUSR1), Catch);
    later.before.sa_handler = SIG_DFL; /* what it found was the loop's */
    later.before.sa_flags = 0;
}

TEST_P(LoopConformance, ASignalHasOneOwner)
{
    hoya_loop *other = NewSibling();
    Probe probe;
    auto run = [](int, void *arg) { Probe::Run(arg); };
    AddSignal(SIGUSR1, [&](int) { Stop(); });
    EXPECT_EQ(hoya_loop_add_signal_handler(loop, SIGUSR1, run, &probe, Probe::Destroy), HOYA_EEXIST);
    EXPECT_EQ(probe.destroyed, 1);
    EXPECT_EQ(hoya_loop_add_signal_handler(other, SIGUSR1, run, &probe, Probe::Destroy), HOYA_EBUSY);
    EXPECT_EQ(probe.destroyed, 2);
    EXPECT_EQ(hoya_loop_replace_signal_handler(other, SIGUSR1, run, &probe, Probe::Destroy), HOYA_EBUSY);
    EXPECT_EQ(hoya_loop_remove_signal_handler(other, SIGUSR1), 0) << "not that loop's";
    raise(SIGUSR1);
    Run();
    EXPECT_EQ(hoya_loop_remove_signal_handler(loop, SIGUSR1), 1);
    EXPECT_EQ(hoya_loop_add_signal_handler(other, SIGUSR1, run, &probe, Probe::Destroy), 0) << "free again";
    Release(other);
}

TEST_P(LoopConformance, ReplaceSignalHandlerTakesOverWhatWasSignalled)
{
    Probe probe;
    auto run = [](int, void *arg) { Probe::Run(arg); };
    EXPECT_EQ(hoya_loop_add_signal_handler(loop, SIGUSR1, run, &probe, Probe::Destroy), 0);
    raise(SIGUSR1);
    CallSoon([&] { /* in the round in which the first handler is queued */
                   auto work = new SignalWork([&](int) {
                       Note("second");
                       Stop();
                   });
                   EXPECT_EQ(hoya_loop_replace_signal_handler(loop, SIGUSR1, Lambda::RunSignal, work,
                                                              Lambda::DestroySignal),
                             0);
                   EXPECT_EQ(probe.destroyed, 1);
    });
    Run();
    EXPECT_EQ(probe.runs, 0);
    EXPECT_EQ(trace, (Trace{"second"}));
    EXPECT_EQ(hoya_loop_replace_signal_handler(loop, SIGUSR2, run, &probe, nullptr), 0) << "or begins one";
}

// Holds: S133
TEST_P(LoopConformance, ASignalThatCannotBeHandledIsRefused)
{
    Probe probe;
    auto run = [](int, void *arg) { Probe::Run(arg); };
    int wrong[] = {-1, 0, 65, 100000, INT32_MIN, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, 32};
    int destroyed = 0;
    for (int signum : wrong) {
        EXPECT_EQ(hoya_loop_add_signal_handler(loop, signum, run, &probe, Probe::Destroy), HOYA_EINVAL) << signum;
        EXPECT_EQ(probe.destroyed, ++destroyed) << signum;
        EXPECT_STRNE(hoya_error_detail(), "");
        EXPECT_LE(hoya_loop_remove_signal_handler(loop, signum), 0) << signum;
    }
    EXPECT_EQ(hoya_loop_remove_signal_handler(loop, 65), HOYA_EINVAL);
    EXPECT_EQ(hoya_loop_add_signal_handler(loop, SIGUSR1, nullptr, &probe, Probe::Destroy), HOYA_EINVAL);
    EXPECT_EQ(probe.runs, 0);
}

// Holds: S162
TEST_P(LoopConformance, ASignalHandlerThatRemovesItselfKeepsItsArgumentUntilItReturns)
{
    struct Self {
        hoya_loop *loop;
        int destroyed = 0, destroyed_inside = -1;
    } self{loop};
    auto run = [](int signum, void *arg) {
        Self *me = static_cast<Self *>(arg);
        EXPECT_EQ(hoya_loop_remove_signal_handler(me->loop, signum), 1);
        me->destroyed_inside = me->destroyed;
    };
    EXPECT_EQ(hoya_loop_add_signal_handler(loop, SIGUSR1, run, &self,
                                           [](void *arg) { static_cast<Self *>(arg)->destroyed++; }),
              0);
    raise(SIGUSR1);
    RunRounds(2);
    EXPECT_EQ(self.destroyed_inside, 0);
    EXPECT_EQ(self.destroyed, 1);
}

// Holds: F15
TEST_P(LoopConformance, SignalsOnAWrongThreadOrAClosedLoopAreRefused)
{
    Probe probe;
    auto run = [](int, void *arg) { Probe::Run(arg); };
    RunRounds(1);
    std::thread([&] {
        EXPECT_EQ(hoya_loop_add_signal_handler(loop, SIGUSR1, run, &probe, Probe::Destroy), HOYA_ETHREAD);
        EXPECT_EQ(hoya_loop_remove_signal_handler(loop, SIGUSR1), HOYA_ETHREAD);
    }).join();
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hoya_loop_add_signal_handler(loop, SIGUSR1, run, &probe, Probe::Destroy), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_remove_signal_handler(loop, SIGUSR1), 0);
    EXPECT_EQ(probe.destroyed, 2);
}

// Holds: F25
TEST_P(LoopConformance, TheSignalOfChildrenReachesItsOldHandlerToo)
{
    Action action(SIGCHLD, Catch);
    AddSignal(SIGCHLD, [&](int) { Stop(); });
    pid_t child = fork();
    if (child == 0) _exit(0);
    Run();
    EXPECT_EQ(waitpid(child, nullptr, 0), child) << "nobody else has waited for it";
    EXPECT_EQ(caught, 1);
}

/* ---- with a host ---- */

TEST_P(GuestConformance, ASignalWakesTheHost)
{
    auto run = [](int, void *arg) { static_cast<Trace *>(arg)->push_back("signal"); };
    EXPECT_EQ(hoya_loop_add_signal_handler(loop, SIGUSR1, run, &trace, nullptr), 0);
    pthread_t thread = pthread_self();
    std::thread sender([thread] { pthread_kill(thread, SIGUSR1); });
    RunHostUntilSeen("signal");
    sender.join();
}

// Holds: S160
TEST_P(NestingConformance, ASignalHandlerOnTheStackIsNotEnteredAgainAndComesBackAfterIt)
{
    int depth = 0, deepest = 0, calls = 0;
    AddSignal(SIGUSR1, [&](int) {
        deepest = std::max(deepest, ++depth);
        if (++calls == 1) {
            raise(SIGUSR1);
            NestFor(HOYA_MSEC(20));
            EXPECT_EQ(calls, 1);
        }
        depth--;
    });
    raise(SIGUSR1);
    RunHostUntil([&] { return calls == 2; });
    EXPECT_EQ(deepest, 1);
}

// Holds: S160
TEST_P(NestingConformance, ASignalThatCameDuringTheNestedLoopIsTheReplacementsToo)
{
    bool second = false;
    AddSignal(SIGUSR1, [&](int) {
        raise(SIGUSR1);
        NestFor(HOYA_MSEC(5));
        auto next = new SignalWork([&](int) { second = true; });
        EXPECT_EQ(hoya_loop_replace_signal_handler(loop, SIGUSR1, Lambda::RunSignal, next, Lambda::DestroySignal),
                  0);
    });
    raise(SIGUSR1);
    RunHostUntil([&] { return second; });
}

} // namespace hoya_test
