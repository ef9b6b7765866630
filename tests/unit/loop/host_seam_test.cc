/* SPDX-License-Identifier: MIT
 *
 * unit/loop/host_seam_test.cc: what the loop asks of its host, and when: kicks, watches, deadlines.
 */
#include <sys/eventfd.h>
#include <unistd.h>

#include "unit/loop/fake_host.h"

using namespace hoya_test;
using Trace = std::vector<std::string>;

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
