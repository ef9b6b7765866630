/* SPDX-License-Identifier: MIT
 *
 * conformance/seam_test.cc: the seam from the host's side. A host that only writes down what it is asked, and the
 * test in the part of its main loop: what a loop asks for, when, how often; and hosts that refuse, that let go
 * late, that die.
 */
#include "conformance.h"

#include <algorithm>

namespace hoya_test
{
namespace
{

/* A host whose main loop is the test. */
struct ScriptedHost {
    hoya_host base; /* first */
    hoya_guest *guest = nullptr;
    hoya_watch *record = nullptr;
    int64_t deadline = HOYA_NEVER;
    int kicks = 0;
    int held = 0;
    bool attached = false;
    bool freed = false;

    int attach_answer = 0;
    bool lets_go_late = false;
    void (*done)(void *) = nullptr;
    void *done_arg = nullptr;

    ScriptedHost() : base{&kOps, nullptr} {}

    int Dispatch() { return hoya_guest_dispatch(guest, HOYA_NEVER); }
    void FinishDetach() { done(done_arg); }

    static ScriptedHost *Of(hoya_host *host) { return reinterpret_cast<ScriptedHost *>(host); }

    static int Attach(hoya_host *host, hoya_guest *guest, int)
    {
        ScriptedHost *self = Of(host);
        if (self->attach_answer < 0) return hoya_error_set(self->attach_answer, "the script says no");
        self->guest = guest;
        self->attached = true;
        return 0;
    }
    static int Watch(hoya_host *host, hoya_watch *record, uint32_t mask)
    {
        Of(host)->record = mask ? record : nullptr;
        return 0;
    }
    static int Arm(hoya_host *host, int64_t deadline)
    {
        Of(host)->deadline = deadline;
        return 0;
    }
    static void Kick(hoya_host *host) { Of(host)->kicks++; }
    static void Detach(hoya_host *host, void (*done)(void *), void *arg)
    {
        ScriptedHost *self = Of(host);
        self->attached = false;
        self->done = done;
        self->done_arg = arg;
        if (!self->lets_go_late) done(arg);
    }
    static void Free(hoya_host *host)
    {
        EXPECT_FALSE(Of(host)->freed);
        Of(host)->freed = true;
    }
    static void Hold(hoya_host *host, int on) { Of(host)->held = on; }

    static const hoya_host_ops kOps;
};

hoya_host_ops Ops()
{
    hoya_host_ops ops = {};
    ops.size = sizeof ops;
    ops.caps = HOYA_HOST_NESTS;
    ops.name = "scripted";
    ops.attach = ScriptedHost::Attach;
    ops.watch = ScriptedHost::Watch;
    ops.arm = ScriptedHost::Arm;
    ops.kick = ScriptedHost::Kick;
    ops.detach = ScriptedHost::Detach;
    ops.free = ScriptedHost::Free;
    ops.hold = ScriptedHost::Hold;
    return ops;
}

const hoya_host_ops ScriptedHost::kOps = Ops();

int64_t LiveHosts()
{
    hoya_live_counts counts = {};
    counts.size = sizeof counts;
    EXPECT_EQ(hoya_get_live_counts(&counts), 0);
    return counts.hosts;
}

} // namespace

/* With the loop's own timer descriptor, and with the host's `arm`. */
class SeamConformance : public ::testing::TestWithParam<uint32_t>
{
  public:
    int Make(int attach_answer = 0)
    {
        script.attach_answer = attach_answer;
        hoya_loop_options options = {};
        options.size = sizeof options;
        options.flags = GetParam();
        options.host = &script.base;
        return hoya_loop_new(&options, &loop);
    }
    void TearDown() override
    {
        if (!loop) return;
        EXPECT_EQ(hoya_loop_close(loop), 0);
        hoya_loop_unref(loop);
        EXPECT_TRUE(script.freed);
    }
    void CallSoon() { EXPECT_EQ(hoya_loop_call_soon(loop, Probe::Run, &probe), 0); }
    hoya_handle *CallLater(int64_t delay)
    {
        hoya_handle *handle = nullptr;
        EXPECT_EQ(hoya_loop_call_later(loop, delay, Probe::Run, &probe, nullptr, &handle), 0);
        return handle;
    }
    bool OwnTimer() const { return !(GetParam() & HOYA_LOOP_NO_TIMERFD); }

    ScriptedHost script;
    hoya_loop *loop = nullptr;
    Probe probe;
};

INSTANTIATE_TEST_SUITE_P(Timers, SeamConformance, ::testing::Values(0u, uint32_t{HOYA_LOOP_NO_TIMERFD}),
                         [](const auto &of) { return of.param ? "host" : "timerfd"; });

/* ---- what a loop asks of its host ---- */

// Holds: F10
TEST_P(SeamConformance, TheHostWatchesOneDescriptor)
{
    ASSERT_EQ(Make(), 0);
    ASSERT_NE(script.record, nullptr);
    EXPECT_EQ(script.record->fd, hoya_guest_pollfd(script.guest));
    EXPECT_EQ(script.record->mask, uint32_t{HOYA_IN});
    EXPECT_STREQ(hoya_loop_host_name(loop), "scripted");
}

// Holds: F4 F10
TEST_P(SeamConformance, KicksCoalesceUntilTheNextDispatch)
{
    ASSERT_EQ(Make(), 0);
    for (int i = 0; i < 100; i++) CallSoon();
    EXPECT_EQ(script.kicks, 1);
    EXPECT_EQ(script.Dispatch(), 100);
    EXPECT_LE(script.kicks, 2);
    script.Dispatch();
    int before = script.kicks;
    CallSoon();
    EXPECT_EQ(script.kicks, before + 1);
    EXPECT_EQ(script.Dispatch(), 1);
}

// Holds: F1 F4 S160
TEST_P(SeamConformance, WhatIsBehindACallbackIsAnnouncedBeforeItRuns)
{
    ASSERT_EQ(Make(), 0);
    struct Seen {
        ScriptedHost *script;
        int kicks = 0;
    } seen{&script};
    auto look = [](void *arg) {
        auto it = static_cast<Seen *>(arg);
        it->kicks = it->script->kicks;
    };
    EXPECT_EQ(hoya_loop_call_soon(loop, look, &seen), 0);
    CallSoon();
    int before = script.kicks;
    EXPECT_EQ(script.Dispatch(), 2);
    EXPECT_EQ(seen.kicks, before + 1) << "the first might have run the host's loop, for the second";
}

// Holds: F4 F33 S158
TEST_P(SeamConformance, WhatARoundLeavesBehindAsksForAnotherTurn)
{
    ASSERT_EQ(Make(), 0);
    auto again = [](void *arg) {
        auto self = static_cast<SeamConformance *>(arg);
        self->CallSoon();
    };
    EXPECT_EQ(hoya_loop_call_soon(loop, again, this), 0);
    int before = script.kicks;
    EXPECT_EQ(script.Dispatch(), 1) << "one round, not two";
    EXPECT_EQ(script.kicks - before, 1);
    EXPECT_EQ(hoya_guest_deadline(script.guest), HOYA_NOW);
    EXPECT_EQ(script.Dispatch(), 1);
    EXPECT_EQ(probe.runs, 1);
}

// Holds: F5
TEST_P(SeamConformance, AnIdleLoopAsksForNothing)
{
    ASSERT_EQ(Make(), 0);
    CallSoon();
    script.Dispatch();
    int kicks = script.kicks;
    EXPECT_EQ(hoya_guest_deadline(script.guest), HOYA_NEVER);
    EXPECT_EQ(script.deadline, HOYA_NEVER);
    script.Dispatch();
    EXPECT_EQ(script.kicks, kicks);
}

// Holds: S159 F8
TEST_P(SeamConformance, TheHostIsArmedForTheNearestTimer)
{
    ASSERT_EQ(Make(), 0);
    hoya_handle *late = CallLater(HOYA_SEC(60)), *early = CallLater(HOYA_SEC(30));
    if (OwnTimer()) {
        EXPECT_EQ(script.deadline, HOYA_NEVER) << "timers ride on the loop's own descriptor";
    } else {
        EXPECT_EQ(script.deadline, hoya_handle_when(early));
        EXPECT_EQ(script.Dispatch(), 0) << "an early firing runs nothing";
        EXPECT_EQ(script.deadline, hoya_handle_when(early)) << "and does not consume the promise";
        EXPECT_EQ(hoya_guest_deadline(script.guest), hoya_handle_when(early));
    }
    EXPECT_EQ(hoya_handle_cancel(early), 1);
    EXPECT_EQ(hoya_handle_cancel(late), 1);
    hoya_handle_unref(early);
    hoya_handle_unref(late);
}

// Holds: F13
TEST_P(SeamConformance, ADispatchTooManyIsNothing)
{
    ASSERT_EQ(Make(), 0);
    for (int i = 0; i < 10; i++) EXPECT_EQ(script.Dispatch(), 0);
    hoya_guest_ready(script.guest, script.record, HOYA_IN);
    EXPECT_EQ(script.Dispatch(), 0) << "a hint that was not true";
    CallSoon();
    hoya_guest_ready(script.guest, script.record, HOYA_IN | HOYA_HUP);
    EXPECT_EQ(probe.runs, 0) << "a hint runs nothing";
    EXPECT_EQ(script.Dispatch(), 1);
}

// Holds: F24
TEST_P(SeamConformance, TheHostIsHeldWhileTheLoopHasWork)
{
    ASSERT_EQ(Make(), 0);
    EXPECT_EQ(script.held, 0);
    hoya_handle *timer = CallLater(HOYA_SEC(60));
    EXPECT_EQ(script.held, 1) << "a timer waits";
    EXPECT_EQ(hoya_handle_cancel(timer), 1);
    hoya_handle_unref(timer);
    EXPECT_EQ(script.held, 0);
    CallSoon();
    EXPECT_EQ(script.held, 1) << "a callback is queued";
    script.Dispatch();
    EXPECT_EQ(script.held, 0);
}

// Holds: F24
TEST_P(SeamConformance, AnAnswerOfAThreadHoldsTheHostUntilItHasCome)
{
    ASSERT_EQ(Make(), 0);
    hoya_thread_future *source = nullptr;
    hoya_future *future = nullptr;
    for (bool cancelled : {false, true}) {
        ASSERT_EQ(hoya_thread_future_new(&source), 0);
        ASSERT_EQ(hoya_wrap_future(loop, source, &future), 0) << hoya_error_detail();
        EXPECT_EQ(script.held, 1);
        script.Dispatch();
        EXPECT_EQ(script.held, 1);
        if (cancelled) EXPECT_EQ(hoya_future_cancel(future, nullptr), 1);
        else EXPECT_EQ(hoya_thread_future_set_result(source, nullptr, nullptr), 0);
        EXPECT_EQ(script.held, 1) << "somebody is to hear of it";
        script.Dispatch();
        script.Dispatch();
        EXPECT_EQ(script.held, 0);
        EXPECT_EQ(hoya_future_done(future), 1);
        hoya_future_unref(future);
        hoya_thread_future_unref(source);
    }
}

// Holds: F3
TEST_P(SeamConformance, AHostThatCannotBeRunSaysSo)
{
    ASSERT_EQ(Make(), 0);
    EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_ENOTSUP);
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), HOYA_ENOTSUP);
    CallSoon();
    EXPECT_EQ(script.Dispatch(), 1) << "but it serves";
}

/* ---- attach ---- */

// Holds: F21 F22
TEST_P(SeamConformance, ARefusalIsTheMakersAndTheHostIsFreed)
{
    EXPECT_EQ(Make(HOYA_ENOSPC), HOYA_ENOSPC);
    EXPECT_EQ(loop, nullptr);
    EXPECT_STREQ(hoya_error_detail(), "the script says no");
    EXPECT_TRUE(script.freed);
}

// Holds: F16 F21 F4
TEST_P(SeamConformance, AHostThatIsNotThereYetIsAskedAgain)
{
    ASSERT_EQ(Make(HOYA_ENOHOST), 0);
    EXPECT_STREQ(hoya_loop_host_name(loop), "native");
    CallSoon();
    EXPECT_FALSE(script.attached);
    script.attach_answer = 0; /* the application object appears */
    CallSoon();
    EXPECT_TRUE(script.attached);
    EXPECT_GE(script.kicks, 1) << "there is work";
    EXPECT_EQ(script.Dispatch(), 2);
}

// Holds: F16 F21
TEST_P(SeamConformance, ALoopThatNeverFindsItsHostIsNative)
{
    ASSERT_EQ(Make(HOYA_ENOHOST), 0);
    CallSoon();
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
}

/* ---- letting go ---- */

// Holds: F22
TEST_P(SeamConformance, AHostThatLetsGoLateIsKeptUntilItHas)
{
    ASSERT_EQ(Make(), 0);
    script.lets_go_late = true;
    int64_t hosts = LiveHosts();
    CallSoon();
    EXPECT_EQ(hoya_loop_detach(loop), 0);
    EXPECT_STREQ(hoya_loop_host_name(loop), "native");
    EXPECT_EQ(script.record, nullptr) << "nothing is watched any more";
    EXPECT_FALSE(script.freed);
    EXPECT_EQ(LiveHosts(), hosts);
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1) << "the loop does not wait for that";
    script.FinishDetach();
    EXPECT_TRUE(script.freed);
    EXPECT_EQ(LiveHosts(), hosts - 1);
}

// Holds: F22 F4
TEST_P(SeamConformance, ANewHostIsToldOfTheWorkThatTheOldOneLeft)
{
    ASSERT_EQ(Make(), 0);
    CallSoon();
    EXPECT_EQ(script.kicks, 1);
    hoya_handle *timer = CallLater(HOYA_SEC(60));
    EXPECT_EQ(hoya_loop_detach(loop), 0);
    ScriptedHost next;
    EXPECT_EQ(hoya_loop_attach(loop, &next.base, 0), 0);
    EXPECT_EQ(next.kicks, 1);
    EXPECT_EQ(next.held, 1);
    EXPECT_NE(next.record, nullptr);
    EXPECT_EQ(next.deadline, OwnTimer() ? HOYA_NEVER : hoya_handle_when(timer));
    EXPECT_EQ(next.Dispatch(), 1);
    hoya_handle_unref(timer);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_TRUE(next.freed);
}

// Holds: F22
TEST_P(SeamConformance, ALoopMayBeGoneBeforeItsHostHasLetGo)
{
    ASSERT_EQ(Make(), 0);
    script.lets_go_late = true;
    EXPECT_EQ(hoya_loop_close(loop), 0);
    hoya_loop_unref(loop);
    loop = nullptr;
    EXPECT_FALSE(script.freed);
    script.FinishDetach();
    EXPECT_TRUE(script.freed);
}

// Holds: F23
TEST_P(SeamConformance, AHostThatDiesIsFreedAndNotCalledAgain)
{
    ASSERT_EQ(Make(), 0);
    CallSoon();
    hoya_guest_host_gone(script.guest);
    EXPECT_TRUE(script.freed);
    EXPECT_TRUE(script.attached) << "no detach from a host that is gone";
    int kicks = script.kicks;
    CallSoon();
    EXPECT_EQ(script.kicks, kicks);
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 2);
}

// Holds: F23 F20
TEST_P(SeamConformance, AHostMayDieInsideADispatch)
{
    ASSERT_EQ(Make(), 0);
    auto die = [](void *arg) { hoya_guest_host_gone(static_cast<ScriptedHost *>(arg)->guest); };
    EXPECT_EQ(hoya_loop_call_soon(loop, die, &script), 0);
    CallSoon();
    script.Dispatch();
    EXPECT_STREQ(hoya_loop_host_name(loop), "native");
    EXPECT_TRUE(script.freed);
    EXPECT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
    EXPECT_EQ(probe.runs, 1);
}

} // namespace hoya_test
