/* SPDX-License-Identifier: MIT
 *
 * conformance/attach_test.cc: into a host and out of it, in the middle of everything, and hosts that die first.
 */
#include "conformance.h"

namespace hoya_test
{

/* ---- out of the host ---- */

// Holds: F22
TEST_P(GuestConformance, DetachBeforeARunLosesNothing)
{
    Scatter();
    Detach();
    EXPECT_TRUE(IsNative());
    RunUntilNoted(5);
    EXPECT_EQ(trace[0], "soon");
    EXPECT_EQ(trace[1], "posted");
    EXPECT_EQ(trace[4], "timer");
}

// Holds: F22
TEST_P(GuestConformance, DetachInsideAHostCallbackLosesNothing)
{
    host->CallOnce([this] {
        Scatter();
        Detach();
    });
    host->Iterate();
    RunHostFor(HOYA_MSEC(20));
    EXPECT_EQ(trace, Trace{}) << "the host has let go";
    RunUntilNoted(5);
}

// Holds: F22 F20
TEST_P(GuestConformance, DetachInsideACallbackEndsTheHostsPartAtOnce)
{
    CallSoon([this] {
        Detach();
        Note("detached");
    });
    CallSoon(Say("same round"));
    CallSoon([this] { CallSoon(Say("next round")); });
    RunHostUntilSeen("detached");
    RunHostFor(HOYA_MSEC(10));
    EXPECT_FALSE(Seen("next round"));
    RunUntilNoted(3);
    EXPECT_EQ(trace, (Trace{"detached", "same round", "next round"}));
}

// Holds: F22 F23
TEST_P(GuestConformance, ARunGoesOnNativelyAfterADetachInsideACallback)
{
    CallSoon([this] {
        Detach();
        Scatter();
    });
    RunUntilNoted(5);
    EXPECT_TRUE(IsNative());
}

// Holds: F22 F23
TEST_P(GuestConformance, ARunGoesOnNativelyAfterADetachInsideAHostCallback)
{
    host->CallOnce([this] {
        Detach();
        Scatter();
    });
    RunUntilNoted(5);
    EXPECT_TRUE(IsNative());
}

/* ---- into the host ---- */

// Holds: F22 F4
TEST_P(GuestConformance, AttachInsideAHostCallbackTakesEverythingAlong)
{
    Detach();
    Scatter();
    host->CallOnce([this] { Attach(); });
    RunHostUntil([this] { return trace.size() == 5; });
    EXPECT_FALSE(IsNative());
}

// Holds: F22
TEST_P(GuestConformance, ARunGoesOnInTheHostAfterAnAttachInsideACallback)
{
    Detach();
    HostLoop::Id timer = host->AddTimer(HOYA_MSEC(1), [this] {
        if (!Seen("the host runs")) Note("the host runs");
    });
    CallSoon([this] {
        Attach();
        Scatter();
    });
    RunUntilNoted(6);
    EXPECT_TRUE(Seen("the host runs"));
    host->Remove(timer);
}

// Holds: F22
TEST_P(GuestConformance, OutAndInAgainInsideOneCallback)
{
    Scatter();
    CallSoon([this] {
        Detach();
        Attach();
        Detach();
        Attach();
    });
    RunUntilNoted(5);
    EXPECT_FALSE(IsNative());
}

// Holds: F22
TEST_P(GuestConformance, OneHostALoop)
{
    EXPECT_EQ(hoya_loop_attach(loop, host->NewAdapter(), 0), HOYA_EBUSY);
    Detach();
    EXPECT_EQ(hoya_loop_detach(loop), HOYA_ESTATE);
    Attach();
    CallSoon(Say("soon"));
    RunHostUntilSeen("soon");
}

// Holds: F22
TEST_P(GuestConformance, AHundredMovesLeaveNothingBehind)
{
    int fds = OpenFds(), watched = host->WatchedFds();
    for (int i = 0; i < 100; i++) {
        Detach();
        Attach();
    }
    EXPECT_EQ(OpenFds(), fds);
    EXPECT_EQ(host->WatchedFds(), watched);
    Scatter();
    RunHostUntil([this] { return trace.size() == 5; });
}

// Holds: F22 F3
TEST_P(GuestConformance, ThePauseEndsWithTheHost)
{
    CallSoon([this] {
        Note("a");
        CallSoon(Say("a2"));
    });
    Stop();
    Detach(); /* a stopped native loop: its next run is one round */
    Run();
    EXPECT_EQ(trace, Trace{"a"});
    RunUntilNoted(2);
}

/* ---- the host dies first ---- */

// Holds: F23
TEST_P(GuestConformance, WhenTheHostDiesTheLoopIsNativeAndFinishes)
{
    Scatter();
    host->Die();
    EXPECT_TRUE(IsNative());
    RunUntilNoted(5);
}

// Holds: F23
TEST_P(GuestConformance, WhenTheHostDiesTheLoopCanBeClosed)
{
    Scatter();
    host->Die();
    EXPECT_EQ(hoya_loop_detach(loop), HOYA_ESTATE) << "there is no host to leave";
    EXPECT_EQ(hoya_loop_close(loop), 0);
}

// Holds: F23
TEST_P(GuestConformance, ALoopMayOutliveOneHostAndEnterAnother)
{
    CallSoon(Say("in the first"));
    RunHostUntilSeen("in the first");
    Scatter();
    host->Die();
    host = GetParam().make_host();
    Attach();
    RunHostUntil([this] { return trace.size() == 6; });
}

// Holds: F23 F24
TEST_P(GuestConformance, AfterTheApplicationsLoopHasEndedTheLoopCanFinish)
{
    CallSoon(Say("a"));
    RunHostUntilSeen("a"); /* the application leaves its main */
    Scatter();
    RunUntilNoted(6);
}

/* ---- a visitor ---- */

// Holds: F3 F22 F23
TEST_P(GuestConformance, AHostThatALoopVisitsNoticesNothing)
{
    Release(loop); /* the host alone */
    loop = nullptr;
    host->Settle();
    int fds = OpenFds(), watched = host->WatchedFds(), ticks = 0, last_tick = 0;
    HostLoop::Id timer = host->AddTimer(HOYA_MSEC(1), [&] { ticks++; });
    RunHostUntil([&] { return ticks >= 3; });
    hoya_loop *visitor = nullptr;
    host->CallOnce([&] {
        loop = visitor = NewSibling();
        Scatter();
    });
    RunHostUntil([&] { return trace.size() == 5; });
    host->CallOnce([&] {
        Release(visitor);
        loop = nullptr;
        last_tick = ticks;
    });
    RunHostUntil([&] { return last_tick && ticks >= last_tick + 3; });
    host->Remove(timer);
    host->Settle();
    EXPECT_EQ(OpenFds(), fds + 2) << "the test's own pair";
    EXPECT_EQ(host->WatchedFds(), watched);
}

// Holds: S15 F20
TEST_P(GuestConformance, AGuestMayGoInItsOwnCallback)
{
    Probe probe;
    hoya_loop *sibling = NewSibling();
    auto leave = new Work([&] {
        hoya_loop_unref(sibling); /* the last reference */
        Note("left");
    });
    EXPECT_EQ(hoya_loop_call_soon_full(sibling, Lambda::Run, leave, Lambda::Destroy, nullptr), 0);
    EXPECT_EQ(hoya_loop_call_later(sibling, HOYA_SEC(60), Probe::Run, &probe, Probe::Destroy, nullptr), 0);
    RunHostUntilSeen("left");
    RunHostFor(HOYA_MSEC(2));
    EXPECT_EQ(probe.destroyed, 1);
}

} // namespace hoya_test
