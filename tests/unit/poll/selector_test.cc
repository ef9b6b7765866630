/* SPDX-License-Identifier: MIT
 *
 * unit/poll/selector_test.cc: a selector without a loop.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <set>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <hoya/hoya.h>

extern "C" {
#include "base/clock.h"
}

namespace
{
class Selector : public testing::TestWithParam<const char *>
{
  protected:
    hoya_selector *selector = nullptr;
    int pair[2] = {-1, -1};
    hoya_selector_event found[8];
    int tag = 0;

    void SetUp() override
    {
        ASSERT_EQ(hoya_selector_new(GetParam(), &selector), 0);
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
    static std::pair<int, int> tcp_pair()
    {
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr *>(&address), size), 0);
        EXPECT_EQ(listen(listener, 1), 0);
        getsockname(listener, reinterpret_cast<sockaddr *>(&address), &size);
        int theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(connect(theirs, reinterpret_cast<sockaddr *>(&address), size), 0);
        int ours = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        close(listener);
        return {ours, theirs};
    }
    int look(int64_t timeout = HOYA_NOW, int max = 8)
    {
        return hoya_selector_select(selector, timeout, found, max);
    }
};
} // namespace

TEST_P(Selector, IsMadeByNameAndAnUnknownNameIsNotFound)
{
    hoya_selector *named = nullptr;
    ASSERT_EQ(hoya_selector_new(GetParam(), &named), 0);
    EXPECT_STREQ(hoya_selector_name(named), GetParam());
    hoya_selector_free(named);
    hoya_selector_free(nullptr);
    EXPECT_EQ(hoya_selector_new("abacus", &named), HOYA_ENOENT);
    EXPECT_STREQ(hoya_error_detail(), "this build has no selector named 'abacus'");
}

TEST_P(Selector, FindsWhatIsReadyWithItsData)
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

// Holds: F27
TEST_P(Selector, AfterForkTheChildsSetIsItsOwn)
{
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_IN, &tag), 0);
    ASSERT_EQ(write(pair[1], "x", 1), 1);
    pid_t child = fork();
    if (child == 0) {
        bool good = hoya_selector_after_fork(selector) == 0 && look() == 1 && found[0].data == &tag &&
                    hoya_selector_unregister(selector, pair[0]) == 0 && look() == 0;
        hoya_selector_free(selector);
        _exit(good ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(look(), 1) << "the child unregistered its own";
}

TEST_P(Selector, KeysCanBeLookedUp)
{
    hoya_selector_key key{};
    EXPECT_EQ(hoya_selector_get_key(selector, pair[0], &key), HOYA_ENOENT);
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_IN, &tag), 0);
    ASSERT_EQ(hoya_selector_get_key(selector, pair[0], &key), 0);
    EXPECT_EQ(key.fd, pair[0]);
    EXPECT_EQ(key.events, HOYA_IN);
    EXPECT_EQ(key.data, &tag);
    EXPECT_EQ(hoya_selector_get_key(selector, -1, &key), HOYA_ENOENT);
    EXPECT_EQ(hoya_selector_get_key(selector, 1 << 20, &key), HOYA_ENOENT);
}

TEST_P(Selector, RegisterModifyAndUnregisterMindWhatIsRegistered)
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

TEST_P(Selector, BadArgumentsAreRefused)
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

TEST_P(Selector, ARegularFileIsNotPermitted)
{
    FILE *file = tmpfile();
    EXPECT_EQ(hoya_selector_register(selector, fileno(file), HOYA_IN, nullptr), HOYA_EPERM);
    hoya_selector_key key;
    EXPECT_EQ(hoya_selector_get_key(selector, fileno(file), &key), HOYA_ENOENT);
    fclose(file);
}

TEST_P(Selector, HangUpIsReportedUnasked)
{
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_OUT, nullptr), 0);
    hang_up();
    ASSERT_EQ(look(), 1);
    EXPECT_EQ(found[0].events, HOYA_OUT | HOYA_HUP);
}

TEST_P(Selector, HangUpIsReportedToAReaderWithWhatIsLeftToRead)
{
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_IN, nullptr), 0);
    ASSERT_EQ(write(pair[1], "x", 1), 1);
    hang_up();
    ASSERT_EQ(look(), 1);
    EXPECT_EQ(found[0].events, HOYA_IN | HOYA_HUP);
}

TEST_P(Selector, AHalfCloseIsReadableAndNoHangUp)
{
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_IN | HOYA_OUT, nullptr), 0);
    shutdown(pair[1], SHUT_WR);
    ASSERT_EQ(look(), 1);
    EXPECT_EQ(found[0].events, HOYA_IN | HOYA_OUT);
}

TEST_P(Selector, AWaitForWritingAloneEndsWithAHangUpAndDoesNotSpinOnUnreadData)
{
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    ASSERT_EQ(hoya_selector_register(selector, ends[0], HOYA_OUT, nullptr), 0); /* never writable */
    ASSERT_EQ(write(ends[1], "x", 1), 1);
    EXPECT_EQ(look(), 0);
    int64_t before = hoya_clock_monotonic(nullptr);
    EXPECT_EQ(look(HOYA_MSEC(2)), 0);
    EXPECT_GE(hoya_clock_monotonic(nullptr) - before, HOYA_MSEC(2));
    ASSERT_EQ(hoya_selector_modify(selector, ends[0], HOYA_OUT | HOYA_PRI, nullptr), 0);
    close(ends[1]);
    ASSERT_EQ(look(HOYA_SEC(5)), 1);
    EXPECT_EQ(found[0].events, HOYA_HUP);
    hoya_selector_key key;
    ASSERT_EQ(hoya_selector_get_key(selector, ends[0], &key), 0);
    EXPECT_EQ(key.events, HOYA_OUT | HOYA_PRI);
    hoya_selector_unregister(selector, ends[0]);
    close(ends[0]);
}

TEST_P(Selector, AReaderThatWentAwayIsAnErrorOfThePipe)
{
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    ASSERT_EQ(hoya_selector_register(selector, ends[1], HOYA_OUT, nullptr), 0);
    close(ends[0]);
    ASSERT_EQ(look(), 1);
    EXPECT_EQ(found[0].events, HOYA_OUT | HOYA_ERR);
    hoya_selector_unregister(selector, ends[1]);
    close(ends[1]);
}

TEST_P(Selector, AResetIsReadableWritableAnErrorAndAHangUp)
{
    auto [ours, theirs] = tcp_pair();
    ASSERT_EQ(hoya_selector_register(selector, ours, HOYA_IN | HOYA_OUT, nullptr), 0);
    linger reset{1, 0};
    setsockopt(theirs, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(theirs);
    ASSERT_EQ(look(), 1);
    EXPECT_EQ(found[0].events, HOYA_IN | HOYA_OUT | HOYA_ERR | HOYA_HUP);
    hoya_selector_unregister(selector, ours);
    close(ours);
}

TEST_P(Selector, OutOfBandDataIsReportedWhereItIsAskedFor)
{
    auto [ours, theirs] = tcp_pair();
    ASSERT_EQ(send(theirs, "!", 1, MSG_OOB), 1);
    ASSERT_EQ(hoya_selector_register(selector, ours, HOYA_PRI, nullptr), 0);
    ASSERT_EQ(look(HOYA_SEC(5)), 1);
    EXPECT_EQ(found[0].events, HOYA_PRI);
    ASSERT_EQ(hoya_selector_modify(selector, ours, HOYA_IN, nullptr), 0);
    EXPECT_EQ(look(), 0);
    hoya_selector_unregister(selector, ours);
    close(ours);
    close(theirs);
}

TEST_P(Selector, ADescriptorThatIsClosedWhileItIsRegisteredIsSilentAndTheOthersGoOn)
{
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    ASSERT_EQ(hoya_selector_register(selector, ends[0], HOYA_IN, nullptr), 0);
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_OUT, nullptr), 0);
    close(ends[0]);
    close(ends[1]);
    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(look(), 1);
        EXPECT_EQ(found[0].fd, pair[0]);
    }
    EXPECT_EQ(hoya_selector_unregister(selector, ends[0]), 0);
}

TEST_P(Selector, DescriptorsBeyondItsSizeAreRefusedBySelectAndWelcomeElsewhere)
{
    rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 2000) {
        limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 2000);
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    int high = fcntl(pair[0], F_DUPFD_CLOEXEC, FD_SETSIZE);
    ASSERT_GE(high, FD_SETSIZE);
    bool is_select = std::string(GetParam()) == "select";
    EXPECT_EQ(hoya_selector_register(selector, high, HOYA_OUT, nullptr), is_select ? HOYA_ELIMIT : 0);
    EXPECT_EQ(look(), is_select ? 0 : 1);
    EXPECT_EQ(hoya_selector_unregister(selector, high), is_select ? HOYA_ENOENT : 0);
    close(high);
}

TEST_P(Selector, TheEnvironmentNamesTheDefault)
{
    hoya_selector *chosen = nullptr;
    setenv("HOYA_SELECTOR", GetParam(), 1);
    EXPECT_EQ(hoya_selector_new(nullptr, &chosen), 0);
    EXPECT_STREQ(hoya_selector_name(chosen), GetParam());
    hoya_selector_free(chosen);
    setenv("HOYA_SELECTOR", "abacus", 1);
    EXPECT_EQ(hoya_selector_new(nullptr, &chosen), HOYA_ENOENT);
    unsetenv("HOYA_SELECTOR");
}

TEST_P(Selector, HundredsOfRegistrationsComeAndGoInAnyOrder)
{
    std::vector<int> fds;
    for (int i = 0; i < 400; i++) fds.push_back(dup(pair[i % 2]));
    for (int fd : fds) ASSERT_EQ(hoya_selector_register(selector, fd, HOYA_OUT, nullptr), 0);
    for (size_t i = 0; i < fds.size(); i += 3) ASSERT_EQ(hoya_selector_unregister(selector, fds[i]), 0);
    std::set<int> seen;
    for (int i = 0; i < 200; i++)
        for (int n = look(); n > 0; n--) seen.insert(found[n - 1].fd);
    EXPECT_EQ(seen.size(), fds.size() - (fds.size() + 2) / 3);
    for (size_t i = 0; i < fds.size(); i++) {
        EXPECT_EQ(hoya_selector_unregister(selector, fds[i]), i % 3 ? 0 : HOYA_ENOENT);
        close(fds[i]);
    }
}

TEST_P(Selector, AnEdgeIsReportedOnceOrRefused)
{
    if (!(hoya_selector_caps(selector) & HOYA_SELECTOR_EDGE)) {
        EXPECT_EQ(hoya_selector_register(selector, pair[0], HOYA_IN | HOYA_EDGE, nullptr), HOYA_ENOTSUP);
        return;
    }
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_IN | HOYA_EDGE, nullptr), 0);
    ASSERT_EQ(write(pair[1], "x", 1), 1);
    EXPECT_EQ(look(), 1);
    EXPECT_EQ(look(), 0);
    ASSERT_EQ(write(pair[1], "y", 1), 1);
    EXPECT_EQ(look(), 1);
}

TEST_P(Selector, WhatDoesNotFitComesWithTheNextLook)
{
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_OUT, nullptr), 0);
    ASSERT_EQ(hoya_selector_register(selector, pair[1], HOYA_OUT, nullptr), 0);
    ASSERT_EQ(look(HOYA_NOW, 1), 1);
    int first = found[0].fd;
    ASSERT_EQ(look(HOYA_NOW, 1), 1);
    EXPECT_NE(found[0].fd, first);
}

// Holds: F8
TEST_P(Selector, NeverReturnsBeforeItsTimeout)
{
    for (int64_t timeout : {int64_t(1), HOYA_USEC(50), HOYA_USEC(1500), HOYA_MSEC(3)}) {
        int64_t before = hoya_clock_monotonic(nullptr);
        EXPECT_EQ(look(timeout), 0);
        EXPECT_GE(hoya_clock_monotonic(nullptr) - before, timeout);
    }
}

TEST_P(Selector, AWaitWithoutEndEndsWithAnEvent)
{
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_IN, nullptr), 0);
    std::thread writer([this] { EXPECT_EQ(write(pair[1], "x", 1), 1); });
    EXPECT_EQ(look(HOYA_NEVER), 1);
    writer.join();
}

TEST_P(Selector, ASignalEndsTheWaitAndIsNoError)
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

TEST_P(Selector, ItsDescriptorIsReadableWhileSomethingIsReadyOrThereIsNone)
{
    if (!(hoya_selector_caps(selector) & HOYA_SELECTOR_NESTS)) {
        EXPECT_EQ(hoya_selector_fileno(selector), HOYA_INVALID_FD);
        return;
    }
    ASSERT_EQ(hoya_selector_register(selector, pair[0], HOYA_IN, nullptr), 0);
    pollfd outer{hoya_selector_fileno(selector), POLLIN, 0};
    EXPECT_EQ(poll(&outer, 1, 0), 0);
    ASSERT_EQ(write(pair[1], "x", 1), 1);
    EXPECT_EQ(poll(&outer, 1, 0), 1);
    EXPECT_EQ(look(), 1);
    EXPECT_EQ(poll(&outer, 1, 0), 1) << "level-triggered: nobody has read";
}

// Holds: S81
TEST_P(Selector, ADescriptorThatWasClosedFirstIsForgottenAllTheSame)
{
    int fd = dup(pair[0]);
    ASSERT_EQ(hoya_selector_register(selector, fd, HOYA_OUT, nullptr), 0);
    close(fd);
    EXPECT_EQ(hoya_selector_unregister(selector, fd), 0);
    EXPECT_EQ(hoya_selector_unregister(selector, fd), HOYA_ENOENT);
}

// Holds: S81
TEST_P(Selector, AnEventOfAClosedDescriptorDoesNotReachTheNumbersNextOwner)
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

INSTANTIATE_TEST_SUITE_P(Kinds, Selector, testing::Values(HOYA_TEST_SELECTOR, "poll", "select"),
                         [](const auto &kind) { return std::string(kind.param); });
