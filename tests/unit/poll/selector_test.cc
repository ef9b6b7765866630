/* SPDX-License-Identifier: MIT
 *
 * unit/poll/selector_test.cc: a selector without a loop.
 */
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <thread>
#include <unistd.h>

#include <hoya/hoya.h>

extern "C" {
#include "base/clock.h"
}

namespace
{
class Selector : public testing::Test
{
  protected:
    hoya_selector *selector = nullptr;
    int pair[2] = {-1, -1};
    hoya_selector_event found[8];
    int tag = 0;

    void SetUp() override
    {
        ASSERT_EQ(hoya_selector_new(nullptr, &selector), 0);
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    }
    void TearDown() override
    {
        hoya_selector_free(selector);
        hang_up();
        if (pair[0] >= 0) close(pair[0]);
    }
    void hang_up()
    {
        if (pair[1] >= 0) close(pair[1]);
        pair[1] = -1;
    }
    int look(int64_t timeout = HOYA_NOW, int max = 8)
    {
        return hoya_selector_select(selector, timeout, found, max);
    }
};
} // namespace

TEST_F(Selector, IsMadeByNameAndAnUnknownNameIsNotFound)
{
    hoya_selector *named = nullptr;
    ASSERT_EQ(hoya_selector_new("epoll", &named), 0);
    EXPECT_STREQ(hoya_selector_name(named), "epoll");
    hoya_selector_free(named);
    hoya_selector_free(nullptr);
    EXPECT_EQ(hoya_selector_new("abacus", &named), HOYA_ENOENT);
    EXPECT_STREQ(hoya_error_detail(), "this build has no selector named 'abacus'");
}

TEST_F(Selector, FindsWhatIsReadyWithItsData)
{
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_IN | HOYA_OUT, &tag), 0);
    ASSERT_EQ(look(), 1);
    EXPECT_EQ(found[0].fd, pair[0]);
    EXPECT_EQ(found[0].events, HOYA_OUT);
    EXPECT_EQ(found[0].data, &tag);
    ASSERT_EQ(write(pair[1], "x", 1), 1);
    ASSERT_EQ(look(), 1);
    EXPECT_EQ(found[0].events, HOYA_IN | HOYA_OUT);
}

TEST_F(Selector, KeysCanBeLookedUp)
{
    hoya_selector_key key{};
    EXPECT_EQ(hoya_selector_get_key(selector, pair[0], &key), HOYA_ENOENT);
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_IN | HOYA_EDGE, &tag), 0);
    ASSERT_EQ(hoya_selector_get_key(selector, pair[0], &key), 0);
    EXPECT_EQ(key.fd, pair[0]);
    EXPECT_EQ(key.events, HOYA_IN);
    EXPECT_EQ(key.data, &tag);
    EXPECT_EQ(hoya_selector_get_key(selector, -1, &key), HOYA_ENOENT);
    EXPECT_EQ(hoya_selector_get_key(selector, 1 << 20, &key), HOYA_ENOENT);
}

TEST_F(Selector, RegisterModifyAndUnregisterMindWhatIsRegistered)
{
    EXPECT_EQ(hoya_selector_modify(selector, pair[0], HOYA_IN, nullptr), HOYA_ENOENT);
    EXPECT_EQ(hoya_selector_unregister(selector, pair[0]), HOYA_ENOENT);
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_OUT, nullptr), 0);
    EXPECT_EQ(hoya_selector_register(selector, pair[0], HOYA_IN, nullptr), HOYA_EEXIST);
    EXPECT_EQ(look(), 1);
    ASSERT_EQ(hoya_selector_modify(selector, pair[0], HOYA_IN, nullptr), 0);
    EXPECT_EQ(look(), 0);
    ASSERT_EQ(hoya_selector_modify(selector, pair[0], HOYA_OUT, nullptr), 0);
    ASSERT_EQ(hoya_selector_unregister(selector, pair[0]), 0);
    EXPECT_EQ(look(), 0);
}

TEST_F(Selector, BadArgumentsAreRefused)
{
    EXPECT_EQ(hoya_selector_register(selector, -1, HOYA_IN, nullptr), HOYA_EBADF);
    EXPECT_EQ(hoya_selector_register(selector, pair[0], 0, nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_selector_register(selector, pair[0], HOYA_HUP, nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_selector_register(selector, pair[0], HOYA_EDGE, nullptr), HOYA_EINVAL);
    EXPECT_EQ(look(HOYA_NOW, 0), HOYA_EINVAL);
    hang_up();
    int closed = dup(pair[0]);
    close(closed);
    EXPECT_EQ(hoya_selector_register(selector, closed, HOYA_IN, nullptr), HOYA_EBADF);
}

TEST_F(Selector, ARegularFileIsNotPermitted)
{
    FILE *file = tmpfile();
    EXPECT_EQ(hoya_selector_register(selector, fileno(file), HOYA_IN, nullptr), HOYA_EPERM);
    hoya_selector_key key;
    EXPECT_EQ(hoya_selector_get_key(selector, fileno(file), &key), HOYA_ENOENT);
    fclose(file);
}

TEST_F(Selector, HangUpIsReportedUnasked)
{
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_OUT, nullptr), 0);
    hang_up();
    ASSERT_EQ(look(), 1);
    EXPECT_EQ(found[0].events, HOYA_OUT | HOYA_HUP);
}

TEST_F(Selector, AnEdgeIsReportedOnce)
{
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_IN | HOYA_EDGE, nullptr), 0);
    ASSERT_EQ(write(pair[1], "x", 1), 1);
    EXPECT_EQ(look(), 1);
    EXPECT_EQ(look(), 0);
    ASSERT_EQ(write(pair[1], "y", 1), 1);
    EXPECT_EQ(look(), 1);
}

TEST_F(Selector, WhatDoesNotFitComesWithTheNextLook)
{
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_OUT, nullptr), 0);
    ASSERT_EQ(hoya_selector_register(selector, pair[1], HOYA_OUT, nullptr), 0);
    ASSERT_EQ(look(HOYA_NOW, 1), 1);
    int first = found[0].fd;
    ASSERT_EQ(look(HOYA_NOW, 1), 1);
    EXPECT_NE(found[0].fd, first);
}

// Holds: F8
TEST_F(Selector, NeverReturnsBeforeItsTimeout)
{
    for (int64_t timeout : {int64_t(1), HOYA_USEC(50), HOYA_USEC(1500), HOYA_MSEC(3)}) {
        int64_t before = hoya_clock_monotonic(nullptr);
        EXPECT_EQ(look(timeout), 0);
        EXPECT_GE(hoya_clock_monotonic(nullptr) - before, timeout);
    }
}

TEST_F(Selector, AWaitWithoutEndEndsWithAnEvent)
{
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_IN, nullptr), 0);
    std::thread writer([this] { EXPECT_EQ(write(pair[1], "x", 1), 1); });
    EXPECT_EQ(look(HOYA_NEVER), 1);
    writer.join();
}

TEST_F(Selector, ASignalEndsTheWaitAndIsNoError)
{
    struct sigaction action {
    }, before;
    action.sa_handler = [](int) {};
    sigaction(SIGALRM, &action, &before);
    itimerval soon{{0, 1000}, {0, 1000}}; /* again and again: the first may come before the wait */
    setitimer(ITIMER_REAL, &soon, nullptr);
    EXPECT_EQ(look(HOYA_NEVER), 0);
    itimerval off{};
    setitimer(ITIMER_REAL, &off, nullptr);
    sigaction(SIGALRM, &before, nullptr);
}

TEST_F(Selector, ItsDescriptorIsReadableWhileSomethingIsReady)
{
    ASSERT_TRUE(hoya_selector_caps(selector) & HOYA_SELECTOR_NESTS);
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_IN, nullptr), 0);
    pollfd outer{hoya_selector_fileno(selector), POLLIN, 0};
    EXPECT_EQ(poll(&outer, 1, 0), 0);
    ASSERT_EQ(write(pair[1], "x", 1), 1);
    EXPECT_EQ(poll(&outer, 1, 0), 1);
    EXPECT_EQ(look(), 1);
    EXPECT_EQ(poll(&outer, 1, 0), 1) << "level-triggered: nobody has read";
}

// Holds: S81
TEST_F(Selector, ADescriptorThatWasClosedFirstIsForgottenAllTheSame)
{
    int fd = dup(pair[0]);
    ASSERT_EQ(hoya_selector_register(selector, fd, HOYA_OUT, nullptr), 0);
    close(fd);
    EXPECT_EQ(hoya_selector_unregister(selector, fd), 0);
    EXPECT_EQ(hoya_selector_unregister(selector, fd), HOYA_ENOENT);
}

// Holds: S81
TEST_F(Selector, AnEventOfAClosedDescriptorDoesNotReachTheNumbersNextOwner)
{
    int fd = dup(pair[0]);
    ASSERT_EQ(hoya_selector_register(selector, fd, HOYA_OUT, nullptr), 0);
    close(fd); /* the open file lives on in pair[0], and goes on reporting */
    hoya_selector_unregister(selector, fd);
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    ASSERT_EQ(dup2(pipe_ends[0], fd), fd);
    ASSERT_EQ(hoya_selector_register(selector, fd, HOYA_IN, &tag), 0);
    EXPECT_EQ(look(), 0);
    ASSERT_EQ(write(pipe_ends[1], "x", 1), 1);
    ASSERT_EQ(look(), 1);
    EXPECT_EQ(found[0].events, HOYA_IN);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    close(fd);
}
