/* SPDX-License-Identifier: MIT
 *
 * conformance/fairness_test.cc: how much a busy guest leaves to its host, and a busy host to its guest. The lines
 * that begin with "fairness:" are shown by tests/run.sh. A machine on which others work, too, gets several tries.
 */
#include "conformance.h"

#include <algorithm>
#include <cstdio>

namespace hoya_test
{
namespace
{

constexpr int kTries = 5;
constexpr int64_t kInterval = HOYA_MSEC(10);
constexpr int64_t kLate = HOYA_MSEC(20);
constexpr double kShare = 0.25;
constexpr int kSlices = 5;
constexpr int64_t kSlice = HOYA_MSEC(40);

double Milliseconds(int64_t time)
{
    return static_cast<double>(time) / 1e6;
}

double Median(std::vector<double> values)
{
    auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

} // namespace

// Holds: F11
TEST_P(GuestConformance, AnEndlessChainOfCallbacksDelaysATimerOfTheHostsLittle)
{
    Work chain = [&] { CallSoon(chain); };
    CallSoon(chain);
    int64_t late = kLate, spent = kLate; /* at most: by the clock, and in processor time of this thread */
    int ticks = 0;
    for (int tries = 0; tries < kTries && spent >= kLate; tries++) {
        int64_t last = Now(), last_cpu = ThreadCpu();
        late = spent = ticks = 0;
        auto look = [&] {
            int64_t now = Now(), cpu = ThreadCpu();
            late = std::max(late, now - last - kInterval);
            spent = std::max(spent, cpu - last_cpu - kInterval);
            last = now;
            last_cpu = cpu;
        };
        HostLoop::Id timer = host->AddTimer(kInterval, [&] {
            ticks++;
            look();
        });
        RunHostFor(HOYA_MSEC(500));
        host->Remove(timer);
        look(); /* it might never have come */
    }
    printf("fairness: %s: a 10 ms timer of the host's beside an endless chain: %d times in 500 ms, %.2f ms late at "
           "most, %.2f ms in the thread's processor time\n",
           GetParam().name, ticks, Milliseconds(late), Milliseconds(spent));
    EXPECT_GE(ticks, 3);
    EXPECT_LT(spent, kLate) << "the rest is the machine's: the chain never waits";
}

// Holds: F12
TEST_P(GuestConformance, ABusyHostLeavesTheLoopAShareOfItsRate)
{
    int64_t links = 0, works = 0, burnt = 0;
    Work chain = [&] {
        links++;
        CallSoon(chain);
    };
    CallSoon(chain);
    /* Callbacks a second, of the time that the host's own work leaves. */
    auto rate = [&] {
        links = works = burnt = 0;
        int64_t start = Now();
        RunHostFor(kSlice);
        return static_cast<double>(links) / (static_cast<double>(Now() - start - burnt) / 1e9);
    };
    double alone = 0, busy = 0, turns = 0;
    for (int tries = 0; tries < kTries && (alone == 0 || busy / alone < kShare || turns < kShare); tries++) {
        std::vector<double> alones, busies, turnses;
        for (int i = 0; i < kSlices; i++) { /* in turn, so that what else the machine does is everybody's */
            alones.push_back(rate());
            HostLoop::Id work = host->AddIdle(Rank::kNormal, [&] {
                int64_t start = Now();
                Burn(HOYA_USEC(50));
                burnt += Now() - start;
                works++;
            });
            busies.push_back(rate());
            turnses.push_back(static_cast<double>(links) / static_cast<double>(works));
            host->Remove(work);
        }
        alone = Median(alones);
        busy = Median(busies);
        turns = Median(turnses);
    }
    printf(
        "fairness: %s: %.0f callbacks/s of a chain alone, %.0f beside work of the host's, not counting its time: "
        "%.0f %%, %.2f for each piece of that work\n",
        GetParam().name, alone, busy, 100 * busy / alone, turns);
    EXPECT_GE(busy / alone, kShare);
    EXPECT_GE(turns, kShare);
}

// Holds: F12
TEST_P(GuestConformance, AHostThatKeepsTheLoopWaitingIsSeenInTheTimersLag)
{
    EXPECT_EQ(Stats().timer_lag_max, 0);
    auto timer = CallLater(HOYA_MSEC(1), Say("timer"));
    host->CallOnce([] { Burn(HOYA_MSEC(10)); });
    RunHostUntilSeen("timer");
    EXPECT_GE(Stats().timer_lag_max, HOYA_MSEC(8));
    EXPECT_EQ(Stats().timer_lag, Stats().timer_lag_max);
}

} // namespace hoya_test
