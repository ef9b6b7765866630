/* SPDX-License-Identifier: MIT
 *
 * conformance/idle_test.cc: silence and punctuality, with figures. What is asserted holds on a noisy machine and
 * under sanitizers; what is printed is for the reader.
 */
#include "conformance.h"

#include <algorithm>
#include <cstdio>
#include <thread>

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace hoya_test
{
namespace
{

constexpr int64_t kIdle = HOYA_SEC(2);
constexpr int64_t kLooseCpu = HOYA_MSEC(50); /* 5 ms on a quiet machine without sanitizers */

double Milliseconds(int64_t time)
{
    return static_cast<double>(time) / 1e6;
}

} // namespace

/* ---- idle is silent ---- */

// Holds: F5 F32
TEST_P(LoopConformance, AnIdleRunIsSilent)
{
    hoya_loop_statistics before = {};
    int64_t cpu = 0;
    std::thread alarm_clock;
    CallSoon([&] {
        alarm_clock = std::thread([&] {
            std::this_thread::sleep_for(std::chrono::nanoseconds(kIdle));
            CallSoonThreadsafe([&] {
                cpu = ThreadCpu() - cpu;
                Stop();
            });
        });
        before = Stats();
        cpu = ThreadCpu();
    });
    Run();
    alarm_clock.join();
    uint64_t dispatches = Stats().dispatches - before.dispatches - 1; /* the last one is the alarm clock's */
    printf("%s, run, idle for 2 s: %llu dispatches, %.2f ms of processor\n", GetParam().name,
           static_cast<unsigned long long>(dispatches), Milliseconds(cpu));
    EXPECT_EQ(dispatches, 0u);
    EXPECT_LT(cpu, kLooseCpu);
}

// Holds: F5 S24
TEST_P(LoopConformance, AfterATimerHasRunTheLoopIsSilentAgain)
{
    CallLater(HOYA_MSEC(1), Say("timer"));
    RunUntilNoted(1);
    uint64_t rounds = Stats().rounds;
    std::thread alarm_clock([this] {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        Stop();
    });
    Run(); /* without a timer: setting one would clear what the last one left */
    alarm_clock.join();
    EXPECT_LE(Stats().rounds - rounds, 3u);
}

// Holds: F5 F32
TEST_P(LoopConformance, ARunThatWaitsForQuietThingsIsSilent)
{
    AddReader(MakePair()[0], Say("never"));
    AddReader(MakePipe()[0], Say("never"));
    CallLater(HOYA_SEC(3600), Say("never"));
    uint64_t before = 0, after = 0;
    int64_t cpu = 0;
    CallLater(HOYA_MSEC(10), [&] {
        before = Stats().dispatches;
        cpu = ThreadCpu();
        CallLater(kIdle / 4, [&] {
            cpu = ThreadCpu() - cpu;
            after = Stats().dispatches;
            Stop();
        });
    });
    Run();
    EXPECT_EQ(after - before, 1u) << "the timer's own";
    EXPECT_LT(cpu, kLooseCpu);
    EXPECT_EQ(trace, Trace{});
}

// Holds: F5 F32
TEST_P(GuestConformance, AnIdleGuestIsSilent)
{
    CallSoon(Say("a guest that has worked"));
    RunHostUntil([this] { return !trace.empty(); });
    RunHostFor(HOYA_MSEC(10));
    uint64_t dispatches = Stats().dispatches, polls = host->PollReturns();
    int64_t cpu = ThreadCpu();
    RunHostFor(kIdle); /* ends by a timer of the host's, which is one return of its poll */
    cpu = ThreadCpu() - cpu;
    dispatches = Stats().dispatches - dispatches;
    polls = host->PollReturns() - polls;
    printf("%s, guest, idle for 2 s: %llu dispatches, %llu returns of poll, %.2f ms of processor\n",
           GetParam().name, static_cast<unsigned long long>(dispatches), static_cast<unsigned long long>(polls),
           Milliseconds(cpu));
    EXPECT_EQ(dispatches, 0u);
    EXPECT_LE(polls, 2u);
    EXPECT_LT(cpu, kLooseCpu);
}

// Holds: F5 F32
TEST_P(GuestConformance, AGuestThatWaitsForQuietThingsIsSilent)
{
    AddReader(MakePair()[0], Say("never"));
    CallLater(HOYA_SEC(3600), Say("never"));
    Handle cancelled = CallLater(HOYA_MSEC(100), Say("never"));
    RunHostFor(HOYA_MSEC(10));
    EXPECT_EQ(hoya_handle_cancel(cancelled.get()), 1);
    uint64_t dispatches = Stats().dispatches, polls = host->PollReturns();
    RunHostFor(kIdle / 4);
    EXPECT_LE(Stats().dispatches - dispatches, 1u) << "at most one spurious wake-up after a cancel";
    EXPECT_LE(host->PollReturns() - polls, 5u);
    EXPECT_EQ(trace, Trace{});
}

/* ---- punctuality ---- */

namespace
{

constexpr int64_t kDelay = HOYA_USEC(1500);
constexpr size_t kSamples = 200;

/* How late the kernel's own timer comes on this machine, now. */
std::vector<int64_t> RawLateness()
{
    std::vector<int64_t> lateness;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    while (lateness.size() < kSamples) {
        itimerspec spec = {};
        int64_t when = Now() + kDelay;
        spec.it_value = {when / HOYA_SEC(1), static_cast<long>(when % HOYA_SEC(1))};
        timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, nullptr);
        pollfd look = {fd, POLLIN, 0};
        poll(&look, 1, -1);
        lateness.push_back(Now() - when);
        uint64_t expirations;
        EXPECT_EQ(read(fd, &expirations, sizeof expirations), ssize_t{8});
    }
    close(fd);
    return lateness;
}

double MedianMicroseconds(std::vector<int64_t> values)
{
    auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return static_cast<double>(*middle) / 1e3;
}

} // namespace

// Holds: F8 F9 S24
TEST_P(LoopConformance, ShortTimersAreAsPunctualAsTheKernels)
{
    std::vector<int64_t> raw = RawLateness(), lateness;
    int64_t when = 0;
    Work next = [&] {
        when = hoya_loop_time(loop) + kDelay;
        CallAt(when, [&] {
            lateness.push_back(Now() - when);
            if (lateness.size() == kSamples) Stop();
            else next();
        });
    };
    next();
    Run();
    printf("%s, run, timers of 1.5 ms: median lateness %.1f us, a raw timerfd's %.1f us\n", GetParam().name,
           MedianMicroseconds(lateness), MedianMicroseconds(raw));
    EXPECT_GE(*std::min_element(lateness.begin(), lateness.end()), 0) << "never early";
}

// Holds: F8 F9 S24 S159
TEST_P(GuestConformance, ShortTimersOfAGuestAreAsPunctualAsTheKernels)
{
    std::vector<int64_t> raw = RawLateness(), lateness;
    int64_t when = 0;
    Work next = [&] {
        when = hoya_loop_time(loop) + kDelay;
        CallAt(when, [&] {
            lateness.push_back(Now() - when);
            next();
        });
    };
    next();
    RunHostUntil([&] { return lateness.size() >= kSamples; });
    printf("%s, guest, timers of 1.5 ms: median lateness %.1f us, a raw timerfd's %.1f us\n", GetParam().name,
           MedianMicroseconds(lateness), MedianMicroseconds(raw));
    EXPECT_GE(*std::min_element(lateness.begin(), lateness.end()), 0) << "never early";
}

} // namespace hoya_test
