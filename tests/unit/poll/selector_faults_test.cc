/* SPDX-License-Identifier: MIT
 *
 * unit/poll/selector_faults_test.cc: what the kernel refuses to a selector, and the kernel that has no
 * epoll_pwait2, by way of the table of system calls. In builds without that table there is nothing here.
 */
#ifdef HOYA_FAULTS
#include <cerrno>

#include "unit/poll/descriptors.h"

extern "C" {
#include "base/clock.h"
#include "base/sys.h"
}

using namespace hoya_test;

namespace
{

int asked;     /* how often the replaced function was called */
int last_wait; /* milliseconds, of the last epoll_wait */

int fail(int code)
{
    asked++;
    errno = code;
    return -1;
}

class SelectorFaults : public WithSelector
{
  public:
    void SetUp() override
    {
        asked = 0;
        last_wait = -2;
        WithSelector::SetUp();
    }
    void TearDown() override
    {
        hoya_sys = hoya_sys_real;
        WithSelector::TearDown();
    }

    /* The kernel before Linux 5.11, in which no wait takes any time. */
    static void old_kernel()
    {
        hoya_sys.epoll_pwait2 = [](int, epoll_event *, int, const timespec *, const sigset_t *) {
            return fail(ENOSYS);
        };
        hoya_sys.epoll_wait = [](int, epoll_event *, int, int ms) {
            last_wait = ms;
            return 0;
        };
    }
};

} // namespace

TEST_F(SelectorFaults, OneThatCannotBeOpenedLeavesNothing)
{
    hoya_live_counts before = Live();
    hoya_selector *out = nullptr;
    hoya_sys.epoll_create1 = [](int) { return fail(EMFILE); };
    EXPECT_EQ(hoya_selector_new("epoll", &out), HOYA_EMFILE);
    EXPECT_EQ(out, nullptr);
    EXPECT_EQ(Live().blocks, before.blocks);
    EXPECT_EQ(Live().selectors, before.selectors);
}

TEST_F(SelectorFaults, WhatTheKernelSaysToARegisterComesThroughAndNothingIsRegistered)
{
    Event event(1);
    hoya_sys.epoll_ctl = [](int, int, int, epoll_event *) { return fail(ENOSPC); };
    EXPECT_EQ(watch(event.fd, HOYA_IN), HOYA_ENOSPC);
    hoya_sys.epoll_ctl = [](int, int, int, epoll_event *) { return fail(ENOMEM); };
    EXPECT_EQ(watch(event.fd, HOYA_IN), HOYA_ENOMEM);
    hoya_selector_key key;
    EXPECT_EQ(hoya_selector_get_key(selector, event.fd, &key), HOYA_ENOENT);
    hoya_sys = hoya_sys_real;
    EXPECT_EQ(watch(event.fd, HOYA_IN), 0);
    EXPECT_EQ(events_of(event.fd), HOYA_IN);
}

TEST_F(SelectorFaults, AnUnregisterSucceedsWhateverTheKernelSays)
{
    Event event(1);
    for (int code : {EBADF, ENOENT, ENOMEM}) {
        static int answer;
        answer = code;
        ASSERT_EQ(watch(event.fd, HOYA_IN), 0);
        hoya_sys.epoll_ctl = [](int, int, int, epoll_event *) { return fail(answer); };
        EXPECT_EQ(hoya_selector_unregister(selector, event.fd), 0);
        hoya_sys = hoya_sys_real;
        EXPECT_TRUE(look().empty()) << "it is in the kernel's set still, but nobody's";
    }
    EXPECT_EQ(asked, 3);
}

TEST_F(SelectorFaults, ALookThatTheKernelRefusesSaysWhy)
{
    hoya_sys.epoll_wait = [](int, epoll_event *, int, int) { return fail(EBADF); };
    hoya_sys.epoll_pwait2 = [](int, epoll_event *, int, const timespec *, const sigset_t *) {
        return fail(EINVAL);
    };
    hoya_selector_event found;
    EXPECT_EQ(hoya_selector_select(selector, HOYA_NOW, &found, 1), HOYA_EBADF);
    EXPECT_STREQ(hoya_error_detail(), "epoll_wait: bad descriptor");
    EXPECT_EQ(hoya_selector_select(selector, HOYA_SEC(1), &found, 1), HOYA_EINVAL);
}

TEST_F(SelectorFaults, ASignalIsNoErrorHoweverLongTheWait)
{
    hoya_sys.epoll_wait = [](int, epoll_event *, int, int) { return fail(EINTR); };
    hoya_sys.epoll_pwait2 = [](int, epoll_event *, int, const timespec *, const sigset_t *) { return fail(EINTR); };
    for (int64_t timeout : {HOYA_NOW, HOYA_SEC(1), HOYA_NEVER}) EXPECT_TRUE(look(timeout).empty());
    EXPECT_EQ(asked, 3);
}

TEST_F(SelectorFaults, AWaitWithAnEndIsGivenToTheKernelToTheNanosecond)
{
    static timespec given;
    hoya_sys.epoll_pwait2 = [](int, epoll_event *, int, const timespec *timeout, const sigset_t *mask) {
        EXPECT_EQ(mask, nullptr);
        given = *timeout;
        return 0;
    };
    look(HOYA_SEC(86400) + 7);
    EXPECT_EQ(given.tv_sec, 86400);
    EXPECT_EQ(given.tv_nsec, 7);
    look(1);
    EXPECT_EQ(given.tv_sec, 0);
    EXPECT_EQ(given.tv_nsec, 1);
}

TEST_F(SelectorFaults, TheOtherKindsGiveTheWaitToTheNanosecondToo)
{
    static timespec given;
    static bool endless;
    hoya_sys.ppoll = [](pollfd *, nfds_t, const timespec *timeout, const sigset_t *) {
        return (endless = !timeout) ? 0 : (given = *timeout, 0);
    };
    hoya_sys.pselect = [](int, fd_set *, fd_set *, fd_set *, const timespec *timeout, const sigset_t *) {
        return (endless = !timeout) ? 0 : (given = *timeout, 0);
    };
    for (const char *name : {"poll", "select"}) {
        hoya_selector_free(std::exchange(selector, nullptr));
        ASSERT_EQ(hoya_selector_new(name, &selector), 0);
        look(HOYA_SEC(86400) + 7);
        EXPECT_EQ(given.tv_sec, 86400) << name;
        EXPECT_EQ(given.tv_nsec, 7) << name;
        EXPECT_FALSE(endless) << name;
        look(HOYA_NEVER);
        EXPECT_TRUE(endless) << name;
    }
}

// Holds: F8
TEST_F(SelectorFaults, AnOldKernelWaitsInMillisecondsRoundedUp)
{
    old_kernel();
    const struct {
        int64_t timeout;
        int ms;
    } waits[] = {{1, 1},
                 {HOYA_USEC(999), 1},
                 {HOYA_MSEC(1), 1},
                 {HOYA_MSEC(1) + 1, 2},
                 {HOYA_SEC(86400), 86400000},
                 {HOYA_SEC(86400) + 1, 86400001},
                 {HOYA_NOW, 0},
                 {HOYA_NEVER, -1}};
    for (auto [timeout, ms] : waits) {
        look(timeout);
        EXPECT_EQ(last_wait, ms) << timeout;
    }
}

TEST_F(SelectorFaults, AnOldKernelIsAskedOnce)
{
    old_kernel();
    for (int i = 0; i < 5; i++) look(HOYA_SEC(1));
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(last_wait, 1000);
}

// Holds: F8
TEST_F(SelectorFaults, AnOldKernelsWaitIsNeverTooShort)
{
    old_kernel();
    hoya_sys.epoll_wait = hoya_sys_real.epoll_wait;
    Event event;
    ASSERT_EQ(watch(event.fd, HOYA_IN), 0);
    for (int64_t timeout : {INT64_C(1), HOYA_USEC(999), HOYA_MSEC(1) + 1, HOYA_USEC(3700)}) {
        int64_t start = hoya_clock_monotonic(nullptr);
        EXPECT_TRUE(look(timeout).empty());
        EXPECT_GE(hoya_clock_monotonic(nullptr) - start, timeout);
    }
    event.set();
    EXPECT_EQ(events_of(event.fd, HOYA_SEC(86400)), HOYA_IN);
}

#endif
