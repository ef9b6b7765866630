/* SPDX-License-Identifier: MIT
 *
 * unit/loop/round_test.cc: the round: cut short, resumed, entered again. The nested main loop is played by
 * a dispatch inside a callback.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "unit/loop/fake_host.h"

using namespace hoya_test;
using Trace = std::vector<std::string>;

class Round : public FakeHosted
{
  public:
    int pair[2] = {-1, -1};
    void open_pair() { ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0); }
    void TearDown() override
    {
        FakeHosted::TearDown();
        for (int fd : pair)
            if (fd >= 0) close(fd);
    }
    using FdWork = std::function<void()>;
    static void on_fd(hoya_fd, uint32_t, void *arg) { call(arg); }
    void reader(int fd, Work work)
    {
        EXPECT_EQ(hoya_loop_replace_reader(loop, fd, on_fd, keep(std::move(work)), nullptr), 0)
            << hoya_error_detail();
    }
};

// Holds: S158 F11
TEST_F(Round, ADispatchRunsAtMostOneRound)
{
    make();
    soon([&] { soon(note("next")); });
    EXPECT_EQ(host->turn(), 1);
    EXPECT_EQ(trace, Trace{});
    EXPECT_EQ(host->turn(), 1);
}

// Holds: F11
TEST_F(Round, WhatTheBudgetLeavesAsksForAnotherTurn)
{
    make();
    for (int i = 0; i < 3; i++) soon(note("x"));
    EXPECT_EQ(host->turn(0), 1);
    EXPECT_GE(host->count("kick"), 2);
    EXPECT_EQ(host->turn(0), 1);
    EXPECT_EQ(hoya_guest_deadline(host->guest), HOYA_NOW);
    EXPECT_EQ(host->turn(0), 1);
    EXPECT_EQ(hoya_guest_deadline(host->guest), HOYA_NEVER);
}

// Holds: F11
TEST_F(Round, AFewSlowCallbacksAreCutInTime)
{
    make();
    auto burn = [this] {
        for (int64_t end = hoya_loop_time(loop) + HOYA_MSEC(1); hoya_loop_time(loop) < end;) continue;
    };
    for (int i = 0; i < 12; i++) soon(burn);
    EXPECT_LE(host->turn(HOYA_MSEC(2)), 2);
    host->turn(); /* the rest of that round */
    for (int i = 0; i < 20; i++) soon([] {});
    for (int i = 0; i < 30; i++) soon(burn);
    EXPECT_LE(host->turn(HOYA_MSEC(2)), 20 + 18) << "at most sixteen are not looked at, once";
}

// Holds: F11
TEST_F(Round, QuickCallbacksAreNotCut)
{
    make();
    for (int i = 0; i < 1000; i++) soon(note("x"));
    EXPECT_EQ(host->turn(HOYA_SEC(10)), 1000);
}

TEST_F(Round, ARoundThatWasCutIsResumedBeforeTheKernelIsLookedAtAgain)
{
    make();
    open_pair();
    for (int i = 0; i < 3; i++) soon(note("s"));
    host->turn(0);
    /* All of this comes after the round is cut, and must come after its rest. */
    reader(pair[0], [&] {
        trace.push_back("fd");
        hoya_loop_remove_reader(loop, pair[0]);
    });
    ASSERT_EQ(write(pair[1], "x", 1), 1);
    later(0, note("timer"));
    soon(note("new"));
    host->turn(0);
    host->turn(0);
    EXPECT_EQ(trace, Trace(3, "s"));
    host->turn();
    EXPECT_EQ(Trace(trace.begin() + 3, trace.end()), (Trace{"new", "fd", "timer"}));
}

// Holds: S160 F2
TEST_F(Round, ANestedDispatchResumesTheOuterRoundAndEachEntryRunsOnce)
{
    make();
    soon([&] {
        trace.push_back("nest");
        EXPECT_EQ(host->turn(), 2);
        trace.push_back("back");
    });
    soon(note("b"));
    soon(note("c"));
    EXPECT_EQ(host->turn(), 1);
    EXPECT_EQ(trace, (Trace{"nest", "b", "c", "back"}));
}

// Holds: S160
TEST_F(Round, ANestedLoopStartsRoundsOfItsOwnAfterThat)
{
    make();
    soon([&] {
        soon(note("scheduled, then nested"));
        later(0, note("due, then nested"));
        host->turn(); /* nothing is left of the outer round: a round of its own */
        trace.push_back("back");
    });
    host->turn();
    EXPECT_EQ(trace, (Trace{"scheduled, then nested", "due, then nested", "back"}));
}

TEST_F(Round, TheOuterRoundGoesOnWhereTheInnerOneWasCut)
{
    make();
    soon([&] {
        EXPECT_EQ(host->turn(0), 1);
        trace.push_back("back");
    });
    for (int i = 0; i < 20; i++) soon(note("x"));
    host->turn();
    Trace expected(1, "x");
    expected.push_back("back");
    expected.insert(expected.end(), 19, "x");
    EXPECT_EQ(trace, expected);
}

// Holds: S25
TEST_F(Round, ATimerThatIsQueuedButHasNotRunCanBeCancelledFromANestedLoop)
{
    make();
    hoya_handle *timer = nullptr;
    int destroyed = 0;
    later(-HOYA_SEC(3),
          [&] { EXPECT_EQ(host->turn(), 1); }); /* resumes the outer round: the canceller, then nothing */
    later(-HOYA_SEC(2), [&] { EXPECT_EQ(hoya_handle_cancel(timer), 1); });
    ASSERT_EQ(hoya_loop_call_later(
                  loop, -HOYA_SEC(1), [](void *) { FAIL(); }, &destroyed,
                  [](void *arg) { ++*static_cast<int *>(arg); }, &timer),
              0);
    EXPECT_EQ(host->turn(), 1);
    EXPECT_EQ(destroyed, 1);
    EXPECT_EQ(hoya_handle_cancelled(timer), 1);
    hoya_handle_unref(timer);
}

// Holds: F7
TEST_F(Round, ADescriptorWhoseCallbackIsOnTheStackLeavesTheSelectorAndComesBack)
{
    make();
    open_pair();
    ASSERT_EQ(write(pair[1], "x", 1), 1);
    int depth = 0, calls = 0;
    reader(pair[0], [&] {
        calls++;
        if (depth++) return;
        for (int i = 0; i < 10; i++) EXPECT_EQ(host->turn(), 0);
        char c;
        EXPECT_EQ(read(pair[0], &c, 1), 1);
    });
    hoya_loop_statistics stats{};
    stats.size = sizeof stats;
    host->turn();
    EXPECT_EQ(calls, 1);
    hoya_loop_stats(loop, &stats);
    EXPECT_EQ(stats.events, 2u)
        << "the second sighting takes it out of the selector; the other nine looks do not see it";
    ASSERT_EQ(write(pair[1], "y", 1), 1);
    host->turn();
    EXPECT_EQ(calls, 2) << "back in the selector";
}

// Holds: F7
TEST_F(Round, AHangUpDoesNotSpinANestedLoopEither)
{
    make();
    open_pair();
    close(pair[1]);
    pair[1] = -1;
    int calls = 0;
    reader(pair[0], [&] {
        calls++;
        for (int i = 0; i < 10; i++) host->turn();
        hoya_loop_remove_reader(loop, pair[0]);
    });
    host->turn();
    host->turn();
    hoya_loop_statistics stats{};
    stats.size = sizeof stats;
    hoya_loop_stats(loop, &stats);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(stats.events, 2u);
    EXPECT_EQ(stats.watches, 0u);
}

TEST_F(Round, TheOtherDirectionGoesOnWhileOneIsOnTheStack)
{
    make();
    open_pair();
    ASSERT_EQ(write(pair[1], "x", 1), 1);
    int writes = 0;
    reader(pair[0], [&] {
        for (int i = 0; i < 3; i++) host->turn();
        hoya_loop_remove_reader(loop, pair[0]);
    });
    ASSERT_EQ(hoya_loop_add_writer(loop, pair[0], on_fd, keep([&] { writes++; }), nullptr), 0);
    host->turn();
    EXPECT_GE(writes, 3);
    int before = writes;
    host->turn();
    EXPECT_EQ(writes, before + 1);
}

TEST_F(Round, ANewRegistrationOfTheSameDescriptorIsReportedInTheNestedLoop)
{
    make();
    open_pair();
    ASSERT_EQ(write(pair[1], "x", 1), 1);
    reader(pair[0], [&] {
        trace.push_back("old");
        reader(pair[0], [&] {
            trace.push_back("new");
            hoya_loop_remove_reader(loop, pair[0]);
        });
        host->turn();
        trace.push_back("back");
    });
    host->turn();
    EXPECT_EQ(trace, (Trace{"old", "new", "back"}));
}

TEST_F(Round, ARemovedReaderIsNotPutBackWhenItsCallbackReturns)
{
    make();
    open_pair();
    ASSERT_EQ(write(pair[1], "x", 1), 1);
    int destroyed = 0;
    struct State {
        Round *test;
        int *destroyed;
    } state{this, &destroyed};
    ASSERT_EQ(hoya_loop_add_reader(
                  loop, pair[0],
                  [](hoya_fd fd, uint32_t, void *arg) {
                      State *s = static_cast<State *>(arg);
                      s->test->host->turn(); /* seen again: blocked */
                      EXPECT_EQ(hoya_loop_remove_reader(s->test->loop, fd), 1);
                      EXPECT_EQ(*s->destroyed, 0) << "not under the feet of the callback";
                  },
                  &state, [](void *arg) { ++*static_cast<State *>(arg)->destroyed; }),
              0);
    host->turn();
    EXPECT_EQ(destroyed, 1);
    host->calls.clear();
    EXPECT_EQ(host->turn(), 0);
}

// Holds: S11
TEST_F(Round, AbortLeavesTheRestQueuedInOrderForTheNextRun)
{
    host->make_runnable([this] {
        while (!host->quit) host->turn();
        return 0;
    });
    make();
    soon([&] {
        trace.push_back("a");
        EXPECT_EQ(hoya_loop_abort(loop, HOYA_EDEADLINE), 0);
    });
    soon(note("b"));
    soon(note("c"));
    EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_EDEADLINE);
    EXPECT_EQ(trace, Trace{"a"});
    soon([&] { hoya_loop_stop(loop); });
    EXPECT_EQ(hoya_loop_run_forever(loop), 0);
    EXPECT_EQ(trace, (Trace{"a", "b", "c"}));
}

TEST_F(Round, AbortInANestedLoopStopsEveryDispatchOnTheStack)
{
    host->make_runnable([this] {
        while (!host->quit) host->turn();
        return 0;
    });
    make();
    soon([&] {
        soon([&] {
            hoya_loop_abort(loop, HOYA_ECANCELED);
            EXPECT_EQ(host->turn(), 0);
        });
        soon(note("inner rest"));
        host->turn();
        EXPECT_EQ(host->turn(), 0);
    });
    EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_ECANCELED);
    EXPECT_EQ(trace, Trace{});
    EXPECT_EQ(host->turn(), 1) << "the host drives the loop again";
    EXPECT_EQ(trace, Trace{"inner rest"});
}
