/* SPDX-License-Identifier: MIT
 *
 * unit/loop/host_seam_test.cc: what the loop asks of its host, and when: kicks, watches, deadlines, coming
 * and going.
 */
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

#include "unit/loop/fake_host.h"

using namespace hoya_test;
using Trace = std::vector<std::string>;

class HostSeam : public FakeHosted
{
};

TEST_F(HostSeam, ANewLoopAttachesWithItsPriorityAndHasItsDescriptorWatched)
{
    make(0, 3);
    EXPECT_EQ(host->calls, (Trace{"attach 3", "watch 1"}));
    EXPECT_STREQ(hoya_loop_host_name(loop), "fake");
}

// Holds: F4 F10
TEST_F(HostSeam, CallsFromOutsideADispatchKickOnce)
{
    make();
    for (int i = 0; i < 5; i++) soon(note("x"));
    EXPECT_EQ(host->count("kick"), 1);
    EXPECT_EQ(host->turn(), 5);
    EXPECT_EQ(host->count("kick"), 2) << "one before the first callback: four were left behind it";
    soon(note("y"));
    EXPECT_EQ(host->count("kick"), 2) << "that one is still on its way";
    host->turn();
    soon(note("z"));
    EXPECT_EQ(host->count("kick"), 3);
}

// Holds: F4
TEST_F(HostSeam, ACallFromACallbackKicksAtOnceSinceTheCallbackMayNest)
{
    make();
    int kicks = -1;
    soon([&] {
        soon(note("inner"));
        kicks = host->count("kick");
    });
    host->turn();
    EXPECT_EQ(kicks, 2);
    EXPECT_EQ(host->count("kick"), 2) << "the end of the dispatch asks for no second turn";
}

// Holds: F4
TEST_F(HostSeam, WhatIsLeftBehindACallbackIsAnnouncedBeforeItRuns)
{
    make();
    int kicks = -1;
    soon([&] { kicks = host->count("kick"); });
    soon(note("behind"));
    host->turn();
    EXPECT_EQ(kicks, 2);
}

// Holds: F4 F10
TEST_F(HostSeam, DescriptorsThatAreLeftBehindAnnounceThemselvesAndNothingElseDoes)
{
    make();
    int ready[] = {eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)};
    int kicks = 0;
    auto react = [&] { kicks = host->count("kick"); };
    auto call_fd = [](hoya_fd fd, uint32_t, void *arg) {
        eventfd_t value;
        EXPECT_EQ(eventfd_read(fd, &value), 0);
        call(arg);
    };
    for (int fd : ready) EXPECT_EQ(hoya_loop_add_reader(loop, fd, call_fd, keep(react), nullptr), 0);
    host->calls.clear();
    EXPECT_EQ(host->turn(), 2);
    EXPECT_EQ(host->count("kick"), 0) << "the second is behind the first, and stays ready";

    for (int fd : ready) EXPECT_EQ(eventfd_write(fd, 1), 0);
    later(0, note("timer")); /* due, behind them */
    host->calls.clear();
    kicks = 0;
    EXPECT_EQ(host->turn(), 3);
    EXPECT_EQ(kicks, 1);

    for (int fd : ready) EXPECT_EQ(eventfd_write(fd, 1), 0);
    soon(note("soon")); /* before them */
    host->calls.clear();
    EXPECT_EQ(host->turn(), 3);
    EXPECT_EQ(host->count("kick"), 0);
    for (int fd : ready) {
        EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 1);
        close(fd);
    }
}

// Holds: F5 F32
TEST_F(HostSeam, AnIdleLoopAsksForNothing)
{
    make();
    soon(note("x"));
    host->turn();
    host->calls.clear();
    host->turn();
    EXPECT_EQ(host->calls, Trace{});
    EXPECT_EQ(hoya_guest_deadline(host->guest), HOYA_NEVER);
}

// Holds: F13
TEST_F(HostSeam, DispatchAndReadyMayComeForNoReasonAtAll)
{
    make();
    hoya_watch record{};
    hoya_guest_ready(host->guest, &record, HOYA_IN);
    EXPECT_EQ(host->turn(), 0);
    hoya_guest_ready(host->guest, &record, HOYA_ERR);
    EXPECT_EQ(host->turn(0), 0);
    soon(note("x"));
    EXPECT_EQ(host->turn(), 1);
}

// Holds: F30
TEST_F(HostSeam, NothingRunsInsideTheCallThatSchedulesIt)
{
    make(HOYA_LOOP_NO_TIMERFD);
    soon(note("soon"));
    later(0, note("later"));
    later(-HOYA_SEC(1), note("negative"));
    EXPECT_EQ(trace, Trace{});
    host->turn();
    EXPECT_EQ(trace, (Trace{"soon", "negative", "later"}));
}

// Holds: S159 F8
TEST_F(HostSeam, WithoutTimerfdAnEarlierDeadlineReArmsTheHostAndALaterOneDoesNot)
{
    make(HOYA_LOOP_NO_TIMERFD);
    int64_t now = hoya_loop_time(loop);
    EXPECT_EQ(hoya_loop_call_at(loop, now + HOYA_SEC(10), call, keep(note("10")), nullptr, nullptr), 0);
    EXPECT_EQ(host->deadline, now + HOYA_SEC(10));
    EXPECT_EQ(hoya_loop_call_at(loop, now + HOYA_SEC(20), call, keep(note("20")), nullptr, nullptr), 0);
    EXPECT_EQ(host->count("arm"), 1);
    EXPECT_EQ(hoya_loop_call_at(loop, now + HOYA_SEC(5), call, keep(note("5")), nullptr, nullptr), 0);
    EXPECT_EQ(host->deadline, now + HOYA_SEC(5));
    EXPECT_EQ(hoya_guest_deadline(host->guest), now + HOYA_SEC(5));
}

// Holds: F8
TEST_F(HostSeam, ADeadlineThatHasFiredIsTakenDown)
{
    make(HOYA_LOOP_NO_TIMERFD);
    later(0, note("due"));
    EXPECT_NE(host->deadline, HOYA_NEVER);
    host->turn();
    EXPECT_EQ(trace, Trace{"due"});
    EXPECT_EQ(host->deadline, HOYA_NEVER);
}

TEST_F(HostSeam, ATimerThatTheHostCannotArmIsRefusedWithItsArgumentDestroyed)
{
    make(HOYA_LOOP_NO_TIMERFD);
    host->arm_result = HOYA_ENOMEM;
    int destroyed = 0;
    EXPECT_EQ(
        hoya_loop_call_later(
            loop, HOYA_SEC(1), [](void *) {}, &destroyed, [](void *arg) { ++*static_cast<int *>(arg); }, nullptr),
        HOYA_ENOMEM);
    EXPECT_EQ(destroyed, 1);
    host->arm_result = 0;
    EXPECT_EQ(hoya_guest_deadline(host->guest), HOYA_NEVER);
}

// Holds: F3 F5
TEST_F(HostSeam, StopWithoutARunPausesAndUnwatchesUntilStart)
{
    make();
    soon(note("x"));
    EXPECT_EQ(hoya_loop_stop(loop), 0);
    EXPECT_EQ(host->turn(), 0);
    EXPECT_EQ(host->mask, 0u);
    EXPECT_EQ(hoya_guest_deadline(host->guest), HOYA_NEVER);
    EXPECT_EQ(hoya_loop_start(loop), 0);
    EXPECT_EQ(host->mask, HOYA_IN);
    EXPECT_EQ(hoya_guest_deadline(host->guest), HOYA_NOW);
    host->turn();
    EXPECT_EQ(trace, Trace{"x"});
}

TEST_F(HostSeam, StopInACallbackLetsTheRestOfTheRoundRunAndThenPauses)
{
    make();
    soon([&] {
        trace.push_back("a");
        hoya_loop_stop(loop);
        soon(note("next round"));
    });
    soon(note("b"));
    host->turn();
    host->turn();
    EXPECT_EQ(trace, (Trace{"a", "b"}));
    hoya_loop_start(loop);
    host->turn();
    EXPECT_EQ(trace, (Trace{"a", "b", "next round"}));
}

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

// Holds: F5
TEST_F(HostSeam, APausedLoopOffersNoDescriptorThatCouldKeepAnApplicationAwake)
{
    ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
    hoya_fd fd = hoya_loop_pollfd(loop);
    EXPECT_GE(fd, 0);
    hoya_loop_stop(loop);
    EXPECT_EQ(hoya_loop_pollfd(loop), HOYA_INVALID_FD);
    EXPECT_EQ(hoya_loop_deadline(loop), HOYA_NEVER);
    hoya_loop_start(loop);
    EXPECT_EQ(hoya_loop_pollfd(loop), fd);
    hoya_host *unused = &host->base;
    unused->ops->free(unused);
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

TEST_F(HostSeam, AHostThatAsksBeforeItBlocksIsToldOfEveryChangeIfItWantsToBe)
{
    host->ops.caps |= HOYA_HOST_BEFORE_BLOCK;
    make();
    soon(note("a"));
    soon(note("b"));
    EXPECT_EQ(host->count("kick"), 2) << "it knows whether it is about to wait; the loop does not";
    host->turn();
    soon(note("c"));
    EXPECT_GE(host->count("kick"), 3);
}

TEST_F(HostSeam, HoldFollowsWorkThatIsPending)
{
    host->ops.hold = [](hoya_host *h, int on) { FakeHost::self(h)->calls.push_back("hold " + std::to_string(on)); };
    make();
    host->calls.clear();
    hoya_handle *timer = nullptr;
    ASSERT_EQ(hoya_loop_call_later(
                  loop, HOYA_SEC(9), [](void *) {}, nullptr, nullptr, &timer),
              0);
    EXPECT_EQ(host->calls, Trace{"hold 1"});
    hoya_handle_cancel(timer);
    hoya_handle_unref(timer);
    EXPECT_EQ(host->calls, (Trace{"hold 1", "hold 0"}));
    soon(note("x"));
    host->turn();
    EXPECT_EQ(host->count("hold 1"), 2);
    EXPECT_EQ(host->count("hold 0"), 2);
}

// Holds: F24
TEST_F(HostSeam, APausedLoopHoldsNothingWhateverIsPending)
{
    host->ops.hold = [](hoya_host *h, int on) { FakeHost::self(h)->calls.push_back("hold " + std::to_string(on)); };
    make();
    later(HOYA_SEC(9), note("timer"));
    host->calls.clear();
    hoya_loop_stop(loop);
    host->turn();
    EXPECT_EQ(host->count("hold 0"), 1);
    soon(note("x"));
    EXPECT_EQ(host->count("hold 1"), 0);
    hoya_loop_start(loop);
    EXPECT_EQ(host->count("hold 1"), 1);
    host->turn();
    EXPECT_EQ(trace, Trace{"x"});
}

// Holds: F24
TEST_F(HostSeam, AStopThatIsTakenBackInTheSameRoundLetsGoOfNothing)
{
    host->ops.hold = [](hoya_host *h, int on) { FakeHost::self(h)->calls.push_back("hold " + std::to_string(on)); };
    make();
    soon([&] {
        hoya_loop_stop(loop);
        soon(note("x"));
        hoya_loop_start(loop);
    });
    host->turn();
    EXPECT_EQ(host->count("hold 0"), 0);
    host->turn();
    EXPECT_EQ(trace, Trace{"x"});
    EXPECT_EQ(host->count("hold 0"), 1);
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

// Holds: F28
TEST_F(HostSeam, WithASelectorThatDoesNotNestTheHostWatchesEachDescriptor)
{
    hoya_loop_options options{};
    options.size = sizeof options;
    options.host = &host->base;
    ASSERT_EQ(hoya_selector_new("poll", &options.selector), 0);
    ASSERT_EQ(hoya_loop_new(&options, &loop), 0);
    EXPECT_EQ(host->calls, (Trace{"attach 0", "watch 1", "watch 1"})) << "the eventfd and the timerfd";
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    auto nothing = [](hoya_fd, uint32_t, void *) {};
    host->calls.clear();
    EXPECT_EQ(hoya_loop_add_reader(loop, fd, nothing, nullptr, nullptr), 0);
    EXPECT_EQ(hoya_loop_add_writer(loop, fd, nothing, nullptr, nullptr), 0);
    EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 1);
    EXPECT_EQ(hoya_loop_remove_writer(loop, fd), 1);
    EXPECT_EQ(host->calls, (Trace{"watch 1", "watch 3", "watch 2", "watch 0"})) << "one watch a descriptor";
    close(fd);
}

// Holds: F21
TEST_F(HostSeam, ADescriptorThatTheHostCannotWatchIsRefused)
{
    make(HOYA_LOOP_PER_FD);
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), destroyed = 0;
    host->watch_result = HOYA_ENOSPC;
    EXPECT_EQ(
        hoya_loop_add_reader(
            loop, fd, [](hoya_fd, uint32_t, void *) {}, &destroyed, [](void *arg) { ++*static_cast<int *>(arg); }),
        HOYA_ENOSPC);
    EXPECT_EQ(destroyed, 1);
    host->watch_result = 0;
    EXPECT_EQ(hoya_loop_add_reader(
                  loop, fd, [](hoya_fd, uint32_t, void *) {}, nullptr, nullptr),
              0);
    EXPECT_EQ(hoya_loop_detach(loop), 0) << "and what was watched goes on natively";
    hoya_loop_statistics stats{};
    stats.size = sizeof stats;
    EXPECT_EQ(hoya_loop_stats(loop, &stats), 0);
    EXPECT_EQ(stats.watches, 1u);
    close(fd);
}
