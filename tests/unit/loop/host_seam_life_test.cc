/* SPDX-License-Identifier: MIT
 *
 * unit/loop/host_seam_life_test.cc: hosts that come and go, and hosts that run the loop.
 */
#include <thread>

#include "unit/loop/fake_host.h"

using namespace hoya_test;
using Trace = std::vector<std::string>;

// Holds: F23
TEST_F(HostSeam, AnAbsentHostIsAskedAgainAtEveryLaterCallAndQueuedWorkSurvives)
{
    host->attach_result = HOYA_ENOHOST;
    make();
    EXPECT_STREQ(hoya_loop_host_name(loop), "native");
    soon(note("queued"));
    EXPECT_EQ(host->count("attach 0"), 2);
    host->attach_result = 0;
    soon(note("too"));
    EXPECT_STREQ(hoya_loop_host_name(loop), "fake");
    EXPECT_EQ(host->count("kick"), 1);
    host->turn();
    EXPECT_EQ(trace, (Trace{"queued", "too"}));
}

// Holds: F16
TEST_F(HostSeam, AHostThatHearsOfItsMainLoopHasTheLoopAttach)
{
    host->attach_result = HOYA_ENOHOST;
    make();
    soon(note("queued"));
    host->attach_result = 0;
    hoya_guest_host_appeared(host->guest);
    EXPECT_STREQ(hoya_loop_host_name(loop), "fake");
    EXPECT_EQ(host->count("kick"), 1) << "for what is queued";
    host->calls.clear();
    hoya_guest_host_appeared(host->guest);
    EXPECT_EQ(host->calls, Trace{}) << "twice is once";
    EXPECT_EQ(trace, Trace{}) << "and nothing runs inside it";
    host->turn();
    EXPECT_EQ(trace, Trace{"queued"});
}

TEST_F(HostSeam, AnAbsentHostThatNeverComesIsFreedAndTheLoopRunsNatively)
{
    bool freed = false;
    host->freed = &freed;
    host->attach_result = HOYA_ENOHOST;
    make();
    soon(note("x"));
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
    EXPECT_EQ(hoya_loop_detach(loop), 0);
    EXPECT_TRUE(freed);
    EXPECT_EQ(hoya_loop_detach(loop), HOYA_ESTATE);
}

TEST_F(HostSeam, AHostThatRefusesIsFreedAndItsErrorComesThrough)
{
    bool freed = false;
    host->freed = &freed;
    host->attach_result = HOYA_EPERM;
    hoya_loop_options options{};
    options.size = sizeof options;
    options.host = &host->base;
    EXPECT_EQ(hoya_loop_new(&options, &loop), HOYA_EPERM);
    EXPECT_EQ(loop, nullptr);
    EXPECT_TRUE(freed);
}

TEST_F(HostSeam, AHostThatCannotWatchIsLetGoAndTheLoopIsNativeAgain)
{
    ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
    bool freed = false;
    host->freed = &freed;
    host->watch_result = HOYA_ENOSPC;
    EXPECT_EQ(hoya_loop_attach(loop, &host->base, 0), HOYA_ENOSPC);
    EXPECT_TRUE(freed);
    soon(note("x"));
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
}

TEST_F(HostSeam, ASecondHostIsRefusedAndFreed)
{
    make();
    bool freed = false;
    FakeHost *second = new FakeHost;
    second->freed = &freed;
    EXPECT_EQ(hoya_loop_attach(loop, &second->base, 0), HOYA_EBUSY);
    EXPECT_TRUE(freed);
    EXPECT_STREQ(hoya_loop_host_name(loop), "fake");
}

// Holds: F22
TEST_F(HostSeam, AHostMayLetGoLaterAndOutliveTheLoopUntilThen)
{
    make();
    bool freed = false;
    host->freed = &freed;
    host->detach_later = true;
    EXPECT_EQ(hoya_loop_close(loop), 0);
    hoya_loop_unref(loop);
    loop = nullptr;
    EXPECT_FALSE(freed);
    host->done(host->done_arg);
    EXPECT_TRUE(freed);
}

// Holds: F22
TEST_F(HostSeam, DetachUnwatchesFirstAndMayComeFromInsideADispatch)
{
    make();
    host->detach_later = true;
    FakeHost *old = host;
    soon([&] {
        trace.push_back("a");
        old->calls.clear();
        EXPECT_EQ(hoya_loop_detach(loop), 0);
    });
    soon(note("b"));
    host->turn();
    EXPECT_EQ(old->calls, (Trace{"watch 0", "detach"}));
    EXPECT_EQ(trace, (Trace{"a", "b"})) << "the round is run to its end";
    EXPECT_STREQ(hoya_loop_host_name(loop), "native");
    old->done(old->done_arg);
}

// Holds: F23
TEST_F(HostSeam, AHostThatIsGoneLeavesANativeLoopWithAllItsWork)
{
    make();
    bool freed = false;
    host->freed = &freed;
    soon(note("x"));
    hoya_guest_host_gone(host->guest);
    EXPECT_TRUE(freed);
    hoya_guest_host_gone(reinterpret_cast<hoya_guest *>(loop)); /* twice is once */
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
    EXPECT_EQ(trace, Trace{"x"});
}

TEST_F(HostSeam, AHostThatCannotBeRunAnswersNotSupported)
{
    make();
    EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_ENOTSUP);
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), HOYA_ENOTSUP);
    EXPECT_EQ(hoya_loop_is_running(loop), 0);
}

TEST_F(HostSeam, ARunThatTheHostRefusesReturnsTheHostsError)
{
    host->make_runnable([] { return HOYA_EPERM; });
    make();
    EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_EPERM);
    EXPECT_EQ(hoya_loop_is_running(loop), 0);
}

// Holds: S16
TEST_F(HostSeam, AFirstRunWhereTheHostCannotBeRunIsRefusedAndClaimsNothing)
{
    host->make_runnable([] { return 0; });
    host->ops.is_owner = [](const hoya_host *h) -> int { return FakeHost::self(h)->owner; };
    host->owner = false;
    make();
    std::thread([this] { EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_ETHREAD); }).join();
    soon(note("it is still its maker's"));
    host->owner = true;
    std::thread([this] { EXPECT_EQ(hoya_loop_run_forever(loop), 0); }).join();
    EXPECT_EQ(hoya_loop_call_soon(loop, call, nullptr), HOYA_ETHREAD) << "it has moved";
    std::thread([this] { EXPECT_EQ(hoya_loop_close(loop), 0); }).join();
}

// Holds: S2
TEST_F(HostSeam, ATurnForNothingIsNotTheRoundThatRunOnceWaitsFor)
{
    int turns = 0;
    host->make_runnable([this, &turns] {
        while (!host->quit) {
            if (++turns == 3) soon(note("x"));
            host->turn();
        }
        return 0;
    });
    make();
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NEVER), 1);
    EXPECT_EQ(turns, 3);
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 0) << "here one turn is all that was asked for";
    EXPECT_EQ(turns, 4);
}

TEST_F(HostSeam, ARunOfTheHostThatEndsByItselfEndsOurs)
{
    host->make_runnable([] { return 0; });
    make();
    EXPECT_EQ(hoya_loop_run_forever(loop), 0);
    EXPECT_EQ(host->count("quit"), 0);
}

// Holds: S6 F3
TEST_F(HostSeam, StopTellsTheHostToQuitOnceAtTheEndOfTheRound)
{
    host->make_runnable([this] {
        while (!host->quit) host->turn();
        return 0;
    });
    make();
    soon([&] {
        hoya_loop_stop(loop);
        hoya_loop_stop(loop);
        EXPECT_EQ(host->count("quit"), 0);
    });
    soon(note("rest of the round"));
    EXPECT_EQ(hoya_loop_run_forever(loop), 0);
    EXPECT_EQ(host->count("quit"), 1);
    EXPECT_EQ(trace, Trace{"rest of the round"});
}

TEST_F(HostSeam, DetachDuringARunGoesOnNatively)
{
    host->make_runnable([this] {
        FakeHost *me = host;
        hoya_guest_dispatch(me->guest, HOYA_NEVER);
        EXPECT_TRUE(me->quit);
        return 0;
    });
    host->detach_later = true;
    make();
    FakeHost *old = host;
    soon([&] {
        hoya_loop_detach(loop);
        later(0, [&] {
            trace.push_back(hoya_loop_host_name(loop));
            hoya_loop_stop(loop);
        });
    });
    EXPECT_EQ(hoya_loop_run_forever(loop), 0);
    EXPECT_EQ(trace, Trace{"native"});
    old->done(old->done_arg);
}

TEST_F(HostSeam, AHostThatCannotBeRunEndsARunThatItComesInto)
{
    ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
    soon([&] { EXPECT_EQ(hoya_loop_attach(loop, &host->base, 0), 0); });
    EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_ENOTSUP);
    EXPECT_EQ(hoya_loop_is_running(loop), 0);
}

TEST_F(HostSeam, StopInTheRoundInWhichSuchAHostComesIsAStop)
{
    ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
    soon([&] { EXPECT_EQ(hoya_loop_attach(loop, &host->base, 0), 0); });
    soon([&] { hoya_loop_stop(loop); });
    EXPECT_EQ(hoya_loop_run_forever(loop), 0);
}

TEST_F(HostSeam, ALoopWithAClockOfItsOwnHasNoForeignHost)
{
    static const hoya_clock stopped{[](void *) { return int64_t(1); }, nullptr};
    bool freed = false;
    host->freed = &freed;
    hoya_loop_options options{};
    options.size = sizeof options;
    options.clock = &stopped;
    options.host = &host->base;
    EXPECT_EQ(hoya_loop_new(&options, &loop), HOYA_ENOTSUP);
    EXPECT_TRUE(freed);
}

// Holds: F3
TEST_F(HostSeam, AHostThatDoesNotNestIsNotRunWhileItRunsAndAStopIsNotUsedUpByThat)
{
    static int turns;
    turns = 1;
    host->ops.caps = 0;
    host->ops.depth = [](const hoya_host *) { return turns; };
    host->make_runnable([&] {
        host->turn();
        return 0;
    });
    make();
    soon(note("x"));
    hoya_loop_stop(loop);
    EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_ENOTSUP);
    host->turn();
    EXPECT_EQ(trace, Trace{}) << "paused";
    turns = 0;
    EXPECT_EQ(hoya_loop_run_forever(loop), 0);
    EXPECT_EQ(trace, Trace{"x"});
}

TEST_F(HostSeam, ALoopFollowsItsHostsMainLoopToAnotherThreadIfTheHostSaysSo)
{
    host->ops.is_owner = [](const hoya_host *h) -> int { return FakeHost::self(h)->owner; };
    make();
    host->turn();
    int refused = 0, ran = 0;
    host->owner = false;
    std::thread([&] { refused = host->turn(); }).join();
    host->owner = true;
    soon(note("x"));
    std::thread([&] { ran = host->turn(); }).join();
    EXPECT_EQ(refused, HOYA_ETHREAD);
    EXPECT_EQ(ran, 1);
    EXPECT_EQ(hoya_loop_call_soon(loop, call, nullptr), HOYA_ETHREAD);
    host->turn(); /* back home, for the end of the test */
}
