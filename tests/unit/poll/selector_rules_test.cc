/* SPDX-License-Identifier: MIT
 *
 * unit/poll/selector_rules_test.cc: what the header of selectors says in passing, of each kind: outputs that stay
 * untouched, refusals that change nothing, what is reported unasked, very long waits, want of memory; and of epoll
 * alone: edges, nesting, descriptors that were closed too early. What the kernel refuses is in
 * selector_faults_test.cc.
 */
#include <algorithm>
#include <csignal>
#include <netinet/in.h>
#include <set>
#include <string>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <thread>

#include "unit/poll/descriptors.h"

extern "C" {
#include "base/clock.h"
}

using namespace hoya_test;

namespace
{

class SelectorRules : public WithSelector, public testing::WithParamInterface<const char *>
{
  public:
    SelectorRules() { kind = GetParam(); }
};

class EpollRules : public WithSelector
{
};

/* A timer descriptor that becomes readable `delay` from now. */
struct Alarm : Descriptor {
    explicit Alarm(int64_t delay) : Descriptor(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC))
    {
        itimerspec value{{}, {0, static_cast<long>(delay)}};
        EXPECT_EQ(timerfd_settime(fd, 0, &value, nullptr), 0);
    }
};

/* A signal each millisecond, with a handler that only counts, while this lives. */
struct Signals {
    static inline volatile sig_atomic_t count;
    struct sigaction before = {};

    Signals()
    {
        count = 0;
        struct sigaction action = {};
        action.sa_handler = [](int) { count = count + 1; };
        action.sa_flags = SA_RESTART;
        sigaction(SIGALRM, &action, &before);
        every(1000);
    }
    ~Signals()
    {
        every(0);
        sigaction(SIGALRM, &before, nullptr);
    }
    static void every(long us)
    {
        itimerval value{{0, us}, {0, us}};
        EXPECT_EQ(setitimer(ITIMER_REAL, &value, nullptr), 0);
    }
};

} // namespace

/* ---- making ------------------------------------------------------------------------------------------- */

TEST_P(SelectorRules, AnUnknownNameIsNotFound)
{
    hoya_selector *out = selector;
    for (const char *name : {"wepoll", "epoll2", "epol"}) {
        EXPECT_EQ(hoya_selector_new(name, &out), HOYA_ENOENT) << name;
        EXPECT_NE(std::string(hoya_error_detail()).find("'" + std::string(name) + "'"), std::string::npos);
    }
    EXPECT_EQ(out, selector) << "the output is untouched";
}

TEST_P(SelectorRules, FreeingNothingIsFineAndFreeingOneLeavesItsDescriptorsOpen)
{
    hoya_selector_free(nullptr);
    Event event;
    ASSERT_EQ(watch(event.fd, HOYA_IN), 0);
    hoya_selector_free(selector);
    selector = nullptr;
    EXPECT_GE(fcntl(event.fd, F_GETFD), 0);
}

TEST_F(EpollRules, ItsOwnDescriptorIsNotInherited)
{
    EXPECT_TRUE(fcntl(hoya_selector_fileno(selector), F_GETFD) & FD_CLOEXEC);
}

/* ---- registering -------------------------------------------------------------------------------------- */

TEST_P(SelectorRules, ADescriptorIsRegisteredOnce)
{
    Event event;
    int first, second;
    EXPECT_EQ(watch(event.fd, HOYA_IN, &first), 0);
    EXPECT_EQ(watch(event.fd, HOYA_OUT, &second), HOYA_EEXIST);
    hoya_selector_key key{};
    ASSERT_EQ(hoya_selector_get_key(selector, event.fd, &key), 0);
    EXPECT_EQ(key.events, HOYA_IN);
    EXPECT_EQ(key.data, &first);
}

TEST_P(SelectorRules, OnlyEventsThatCanBeAskedForAreAccepted)
{
    Event event;
    const uint32_t wrong[] = {0, HOYA_EDGE, HOYA_IN | HOYA_ERR, HOYA_IN | HOYA_HUP, 1u << 5, HOYA_IN | 1u << 17};
    for (uint32_t events : wrong) {
        EXPECT_EQ(watch(event.fd, events), HOYA_EINVAL) << events;
        EXPECT_EQ(hoya_selector_unregister(selector, event.fd), HOYA_ENOENT) << events;
    }
}

TEST_P(SelectorRules, WhatIsNoDescriptorIsABadDescriptor)
{
    Event event;
    int closed = event.fd;
    event.shut();
    for (int fd : {-1, INT32_MIN, closed}) EXPECT_EQ(watch(fd, HOYA_IN), HOYA_EBADF) << fd;
    hoya_selector_key key;
    EXPECT_EQ(hoya_selector_get_key(selector, closed, &key), HOYA_ENOENT);
}

TEST_P(SelectorRules, WhatIsNotRegisteredIsNotFound)
{
    Event event;
    hoya_selector_key key{-7, 0, nullptr};
    for (int fd : {event.fd, -1, 100000}) {
        EXPECT_EQ(hoya_selector_unregister(selector, fd), HOYA_ENOENT) << fd;
        EXPECT_EQ(hoya_selector_get_key(selector, fd, &key), HOYA_ENOENT) << fd;
    }
    EXPECT_EQ(hoya_selector_modify(selector, event.fd, HOYA_IN, nullptr), HOYA_ENOENT);
    EXPECT_EQ(key.fd, -7) << "the output is untouched";
}

TEST_F(EpollRules, TheKeyDoesNotSpeakOfEdges)
{
    Ends socket = Ends::of_socket();
    int data;
    ASSERT_EQ(watch(socket.a.fd, HOYA_IN | HOYA_OUT | HOYA_PRI | HOYA_EDGE, &data), 0);
    hoya_selector_key key{};
    ASSERT_EQ(hoya_selector_get_key(selector, socket.a.fd, &key), 0);
    EXPECT_EQ(key.fd, socket.a.fd);
    EXPECT_EQ(key.events, uint32_t{HOYA_IN | HOYA_OUT | HOYA_PRI});
    EXPECT_EQ(key.data, &data);
}

TEST_P(SelectorRules, UnregisteringEndsTheReportsAndTheNumberIsFreeAgain)
{
    Event event(1);
    ASSERT_EQ(watch(event.fd, HOYA_IN), 0);
    EXPECT_EQ(hoya_selector_unregister(selector, event.fd), 0);
    EXPECT_TRUE(look().empty());
    EXPECT_EQ(hoya_selector_unregister(selector, event.fd), HOYA_ENOENT);
    EXPECT_EQ(watch(event.fd, HOYA_IN), 0);
    EXPECT_EQ(events_of(event.fd), HOYA_IN);
}

TEST_P(SelectorRules, ModifyChangesEventsAndData)
{
    Ends socket = Ends::of_socket();
    int before, after;
    ASSERT_EQ(watch(socket.a.fd, HOYA_IN, &before), 0);
    EXPECT_TRUE(look().empty());
    ASSERT_EQ(hoya_selector_modify(selector, socket.a.fd, HOYA_OUT, &after), 0);
    Found found = look();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].events, HOYA_OUT);
    EXPECT_EQ(found[0].data, &after);
    hoya_selector_key key{};
    ASSERT_EQ(hoya_selector_get_key(selector, socket.a.fd, &key), 0);
    EXPECT_EQ(key.events, HOYA_OUT);
    EXPECT_EQ(key.data, &after);
}

TEST_P(SelectorRules, ModifyMayChangeTheDataAlone)
{
    Event event(1);
    int before, after;
    ASSERT_EQ(watch(event.fd, HOYA_IN, &before), 0);
    ASSERT_EQ(hoya_selector_modify(selector, event.fd, HOYA_IN, &after), 0);
    Found found = look();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].data, &after);
}

TEST_P(SelectorRules, AModifyThatIsRefusedChangesNothing)
{
    Event event(1);
    int data, other;
    ASSERT_EQ(watch(event.fd, HOYA_IN, &data), 0);
    EXPECT_EQ(hoya_selector_modify(selector, event.fd, 0, &other), HOYA_EINVAL);
    EXPECT_EQ(hoya_selector_modify(selector, event.fd, HOYA_HUP, &other), HOYA_EINVAL);
    EXPECT_EQ(hoya_selector_modify(selector, -1, HOYA_IN, &other), HOYA_EBADF);
    Found found = look();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].events, HOYA_IN);
    EXPECT_EQ(found[0].data, &data);
}

TEST_F(EpollRules, AModifyThatTheKernelRefusesChangesNothing)
{
    Event event;
    int fd = event.fd, data, other;
    ASSERT_EQ(watch(fd, HOYA_IN, &data), 0);
    event.shut();
    EXPECT_EQ(hoya_selector_modify(selector, fd, HOYA_OUT, &other), HOYA_EBADF);
    hoya_selector_key key{};
    ASSERT_EQ(hoya_selector_get_key(selector, fd, &key), 0);
    EXPECT_EQ(key.events, HOYA_IN);
    EXPECT_EQ(key.data, &data);
}

TEST_P(SelectorRules, UnregisteringOneLeavesTheOthersAsTheyWere)
{
    Event first(1), second(1), third(1);
    int before, after;
    for (int fd : {first.fd, second.fd, third.fd}) ASSERT_EQ(watch(fd, HOYA_IN, &before), 0);
    ASSERT_EQ(hoya_selector_unregister(selector, first.fd), 0);
    ASSERT_EQ(hoya_selector_modify(selector, third.fd, HOYA_IN, &after), 0);
    Found found = look();
    ASSERT_EQ(found.size(), 2u);
    for (const hoya_selector_event &event : found) EXPECT_EQ(event.data, event.fd == third.fd ? &after : &before);
    ASSERT_EQ(hoya_selector_unregister(selector, third.fd), 0);
    EXPECT_EQ(events_of(second.fd), HOYA_IN);
}

TEST_P(SelectorRules, GreatNumbersFindRoomAndSmallOnesStay)
{
    Event small(1);
    Descriptor great(fcntl(small.fd, F_DUPFD_CLOEXEC, 900));
    ASSERT_EQ(watch(small.fd, HOYA_IN, &small), 0);
    ASSERT_EQ(watch(great.fd, HOYA_IN, &great), 0);
    std::set<void *> data;
    for (const hoya_selector_event &event : look()) data.insert(event.data);
    EXPECT_EQ(data, (std::set<void *>{&small, &great}));
    hoya_selector_key key;
    EXPECT_EQ(hoya_selector_get_key(selector, great.fd - 1, &key), HOYA_ENOENT);
}

/* ---- what a look finds -------------------------------------------------------------------------------- */

TEST_P(SelectorRules, OnlyWhatWasAskedForIsReported)
{
    Ends socket = Ends::of_socket();
    ASSERT_EQ(write(socket.b.fd, "x", 1), 1); /* `a` can be read and written */
    ASSERT_EQ(watch(socket.a.fd, HOYA_IN), 0);
    EXPECT_EQ(events_of(socket.a.fd), HOYA_IN);
    ASSERT_EQ(hoya_selector_modify(selector, socket.a.fd, HOYA_OUT, nullptr), 0);
    EXPECT_EQ(events_of(socket.a.fd), HOYA_OUT);
    ASSERT_EQ(hoya_selector_modify(selector, socket.a.fd, HOYA_IN | HOYA_OUT, nullptr), 0);
    EXPECT_EQ(events_of(socket.a.fd), uint32_t{HOYA_IN | HOYA_OUT});
    ASSERT_EQ(hoya_selector_modify(selector, socket.a.fd, HOYA_PRI, nullptr), 0);
    EXPECT_EQ(events_of(socket.a.fd), 0u);
}

// Holds: S80
TEST_P(SelectorRules, AHangUpIsReportedUnasked)
{
    Ends pipe = Ends::of_pipe(), socket = Ends::of_socket();
    ASSERT_EQ(watch(pipe.a.fd, HOYA_PRI), 0);
    pipe.b.shut();
    EXPECT_EQ(events_of(pipe.a.fd), HOYA_HUP);
    ASSERT_EQ(hoya_selector_unregister(selector, pipe.a.fd), 0);
    ASSERT_EQ(watch(socket.a.fd, HOYA_IN), 0);
    socket.b.shut();
    EXPECT_EQ(events_of(socket.a.fd), uint32_t{HOYA_IN | HOYA_HUP});
}

// Holds: S80
TEST_P(SelectorRules, AnErrorIsReportedUnasked)
{
    Ends pipe = Ends::of_pipe();
    ASSERT_EQ(watch(pipe.b.fd, HOYA_PRI), 0);
    EXPECT_EQ(events_of(pipe.b.fd), 0u);
    pipe.a.shut();
    EXPECT_EQ(events_of(pipe.b.fd), HOYA_ERR);
}

TEST_P(SelectorRules, MoreThanTheRoomThereIsComesWithTheNextLooks)
{
    std::vector<Event> events;
    for (int i = 0; i < 5; i++) ASSERT_EQ(watch(events.emplace_back(1).fd, HOYA_IN), 0);
    std::set<int> seen;
    for (int i = 0; i < 3; i++) {
        hoya_selector_event found[3] = {{}, {}, {-7, 0, nullptr}};
        ASSERT_EQ(hoya_selector_select(selector, HOYA_NOW, found, 2), 2);
        EXPECT_EQ(found[2].fd, -7) << "written behind the room";
        seen.insert({found[0].fd, found[1].fd});
    }
    EXPECT_EQ(seen.size(), 5u);
}

TEST_P(SelectorRules, ALookWithoutRoomIsInvalid)
{
    hoya_selector_event found;
    EXPECT_EQ(hoya_selector_select(selector, HOYA_NOW, &found, 0), HOYA_EINVAL);
    EXPECT_EQ(hoya_selector_select(selector, HOYA_NEVER, &found, -1), HOYA_EINVAL);
}

/* ---- how long it waits -------------------------------------------------------------------------------- */

TEST_P(SelectorRules, ATimeoutUpToZeroOnlyLooks)
{
    Event event;
    ASSERT_EQ(watch(event.fd, HOYA_IN), 0);
    for (int64_t timeout : {INT64_C(0), INT64_C(-1), -HOYA_SEC(5), HOYA_NOW}) EXPECT_TRUE(look(timeout).empty());
    event.set();
    for (int64_t timeout : {INT64_C(0), INT64_C(-1), HOYA_NOW}) EXPECT_EQ(events_of(event.fd, timeout), HOYA_IN);
}

// Holds: F8
TEST_P(SelectorRules, AWaitIsExactToMoreThanAMillisecond)
{
    int64_t shortest = HOYA_NEVER;
    for (int i = 0; i < 50; i++) {
        int64_t start = hoya_clock_monotonic(nullptr);
        look(HOYA_USEC(50));
        shortest = std::min(shortest, hoya_clock_monotonic(nullptr) - start);
    }
    EXPECT_LT(shortest, HOYA_MSEC(1));
}

// Holds: S27
TEST_P(SelectorRules, AnEventEndsAVeryLongWait)
{
    for (int64_t timeout : {HOYA_SEC(86400), HOYA_NEVER - 1, HOYA_NEVER}) {
        Alarm alarm(HOYA_MSEC(3));
        ASSERT_EQ(watch(alarm.fd, HOYA_IN), 0);
        int64_t start = hoya_clock_monotonic(nullptr);
        EXPECT_EQ(events_of(alarm.fd, timeout), HOYA_IN) << timeout;
        EXPECT_LT(hoya_clock_monotonic(nullptr) - start, HOYA_SEC(60));
        EXPECT_EQ(hoya_selector_unregister(selector, alarm.fd), 0);
    }
}

TEST_P(SelectorRules, ASignalEndsAWaitAndIsNoError)
{
    for (int64_t timeout : {HOYA_SEC(86400), HOYA_NEVER}) {
        Signals signals;
        hoya_error_set(HOYA_EBUSY, "before");
        EXPECT_TRUE(look(timeout).empty());
        EXPECT_GT(Signals::count, 0);
        EXPECT_STREQ(hoya_error_detail(), "before");
    }
}

/* ---- closed before unregistered ----------------------------------------------------------------------- */

// Holds: S81
TEST_F(EpollRules, AnotherFileUnderTheNumberDoesNotDisturbTheUnregistering)
{
    Event event, other(1);
    ASSERT_EQ(watch(event.fd, HOYA_IN), 0);
    ASSERT_EQ(dup2(other.fd, event.fd), event.fd);
    EXPECT_TRUE(look().empty());
    EXPECT_EQ(hoya_selector_unregister(selector, event.fd), 0);
    EXPECT_EQ(watch(event.fd, HOYA_IN), 0);
    EXPECT_EQ(events_of(event.fd), HOYA_IN);
}

// Holds: S81
TEST_P(SelectorRules, AFileThatLivesOnInADuplicateIsNotReportedAfterUnregister)
{
    Event event;
    int fd = event.fd;
    ASSERT_EQ(watch(fd, HOYA_IN), 0);
    Descriptor duplicate(dup(fd));
    event.shut();
    EXPECT_EQ(hoya_selector_unregister(selector, fd), 0);
    ASSERT_EQ(eventfd_write(duplicate.fd, 1), 0);
    EXPECT_TRUE(look().empty());
}

TEST_P(SelectorRules, TheSameFileMayComeBackUnderItsNumber)
{
    Event event(1);
    int fd = event.fd, old_data, new_data;
    ASSERT_EQ(watch(fd, HOYA_IN, &old_data), 0);
    Descriptor duplicate(dup(fd));
    event.shut();
    EXPECT_EQ(hoya_selector_unregister(selector, fd), 0);
    ASSERT_EQ(dup2(duplicate.fd, fd), fd);
    event.fd = fd;
    ASSERT_EQ(watch(fd, HOYA_IN, &new_data), 0);
    Found found = look();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].data, &new_data);
    EXPECT_EQ(hoya_selector_unregister(selector, fd), 0);
    EXPECT_TRUE(look().empty());
}

/* ---- edges -------------------------------------------------------------------------------------------- */

TEST_F(EpollRules, ModifyTurnsALevelIntoAnEdge)
{
    Event event(1);
    ASSERT_EQ(watch(event.fd, HOYA_IN), 0);
    look();
    ASSERT_EQ(hoya_selector_modify(selector, event.fd, HOYA_IN | HOYA_EDGE, nullptr), 0);
    EXPECT_EQ(events_of(event.fd), HOYA_IN);
    EXPECT_TRUE(look().empty());
    ASSERT_EQ(hoya_selector_modify(selector, event.fd, HOYA_IN, nullptr), 0);
    for (int i = 0; i < 2; i++) EXPECT_EQ(events_of(event.fd), HOYA_IN);
}

TEST_F(EpollRules, AKindWithoutEdgesSaysThatItHasNone)
{
    Event event;
    hoya_selector_ops plain = *selector->ops;
    plain.caps &= ~uint32_t{HOYA_SELECTOR_EDGE};
    selector->ops = &plain;
    EXPECT_EQ(watch(event.fd, HOYA_IN | HOYA_EDGE), HOYA_ENOTSUP);
    EXPECT_EQ(watch(event.fd, HOYA_IN), 0);
    EXPECT_EQ(hoya_selector_modify(selector, event.fd, HOYA_IN | HOYA_EDGE, nullptr), HOYA_ENOTSUP);
    hoya_selector_free(std::exchange(selector, nullptr));
}

/* ---- nesting ------------------------------------------------------------------------------------------ */

TEST_F(EpollRules, TheKernelKnowsOfEachChangeAtOnce)
{
    Event event(1);
    pollfd outside{hoya_selector_fileno(selector), POLLIN, 0};
    ASSERT_EQ(watch(event.fd, HOYA_PRI), 0);
    EXPECT_EQ(poll(&outside, 1, 0), 0);
    ASSERT_EQ(hoya_selector_modify(selector, event.fd, HOYA_IN, nullptr), 0);
    EXPECT_EQ(poll(&outside, 1, 0), 1);
    ASSERT_EQ(hoya_selector_unregister(selector, event.fd), 0);
    EXPECT_EQ(poll(&outside, 1, 0), 0);
}

TEST_F(EpollRules, OneSelectorMayWatchAnother)
{
    Event event;
    hoya_selector *outer = nullptr;
    ASSERT_EQ(hoya_selector_new(HOYA_TEST_SELECTOR, &outer), 0);
    ASSERT_EQ(hoya_selector_register(outer, hoya_selector_fileno(selector), HOYA_IN, selector), 0);
    ASSERT_EQ(watch(event.fd, HOYA_IN), 0);
    hoya_selector_event found{};
    EXPECT_EQ(hoya_selector_select(outer, HOYA_NOW, &found, 1), 0);
    event.set();
    ASSERT_EQ(hoya_selector_select(outer, HOYA_NEVER, &found, 1), 1);
    EXPECT_EQ(found.data, selector);
    EXPECT_EQ(events_of(event.fd), HOYA_IN);
    hoya_selector_free(outer);
}

TEST_F(EpollRules, AKindWithoutADescriptorSaysThatItHasNone)
{
    hoya_selector_ops flat = *selector->ops;
    flat.fileno = nullptr;
    selector->ops = &flat;
    EXPECT_EQ(hoya_selector_fileno(selector), HOYA_INVALID_FD);
    hoya_selector_free(std::exchange(selector, nullptr));
}

/* ---- memory ------------------------------------------------------------------------------------------- */

class SelectorMemory : public testing::TestWithParam<const char *>
{
};

TEST_P(SelectorMemory, WithoutMemoryNothingIsMadeOrRegistered)
{
    OwnMemory memory;
    Event event(1);
    hoya_selector *selector = nullptr;
    memory.granted = 0;
    EXPECT_EQ(hoya_selector_new(GetParam(), &selector), HOYA_ENOMEM);
    EXPECT_EQ(selector, nullptr);
    memory.granted = 1;
    ASSERT_EQ(hoya_selector_new(GetParam(), &selector), 0);
    int refused = 0;
    hoya_selector_key key;
    hoya_selector_event found;
    for (memory.granted = 0; hoya_selector_register(selector, event.fd, HOYA_IN, nullptr) < 0;
         memory.granted = ++refused) {
        ASSERT_STREQ(hoya_error_detail(), "out of memory");
        EXPECT_EQ(hoya_selector_get_key(selector, event.fd, &key), HOYA_ENOENT);
        EXPECT_EQ(hoya_selector_select(selector, HOYA_NOW, &found, 1), 0);
    }
    EXPECT_GT(refused, 0);
    EXPECT_EQ(hoya_selector_select(selector, HOYA_NOW, &found, 1), 1);
    hoya_selector_free(selector);
}

TEST_P(SelectorMemory, UnregisteringModifyingAndLookingNeedNoMemory)
{
    OwnMemory memory;
    Event event(1);
    hoya_selector *selector = nullptr;
    ASSERT_EQ(hoya_selector_new(GetParam(), &selector), 0);
    ASSERT_EQ(hoya_selector_register(selector, event.fd, HOYA_PRI, nullptr), 0);
    memory.granted = 0;
    int before = memory.requests;
    hoya_selector_event found;
    EXPECT_EQ(hoya_selector_modify(selector, event.fd, HOYA_IN, nullptr), 0);
    EXPECT_EQ(hoya_selector_select(selector, HOYA_NOW, &found, 1), 1);
    EXPECT_EQ(hoya_selector_unregister(selector, event.fd), 0);
    EXPECT_EQ(memory.requests, before);
    hoya_selector_free(selector);
}

INSTANTIATE_TEST_SUITE_P(Kinds, SelectorRules, testing::Values(HOYA_TEST_SELECTOR, "poll", "select"),
                         [](const auto &kind) { return std::string(kind.param); });
INSTANTIATE_TEST_SUITE_P(Kinds, SelectorMemory, testing::Values(HOYA_TEST_SELECTOR, "poll", "select"),
                         [](const auto &kind) { return std::string(kind.param); });
