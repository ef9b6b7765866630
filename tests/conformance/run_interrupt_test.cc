/* SPDX-License-Identifier: MIT
 *
 * conformance/run_interrupt_test.cc: whole programs and Ctrl-C.
 */
#include "programs.h"

#include <cstring>
#include <thread>

#include <unistd.h>

namespace hoya_test
{

namespace
{

void (*InterruptAction())(int)
{
    struct sigaction now;
    sigaction(SIGINT, nullptr, &now);
    return now.sa_handler;
}

volatile sig_atomic_t interrupts_caught;

void CatchInterrupt(int)
{
    interrupts_caught = interrupts_caught + 1;
}

} // namespace

// Holds: S154
TEST_P(RunConformance, TheFirstInterruptCancelsMainAndCleansUp)
{
    EXPECT_EQ(RunMain([this](hoya_task *) {
                  SpawnWaiting("other");
                  EXPECT_EQ(hoya_sleep(0), 0);
                  raise(SIGINT);
                  int rc = hoya_sleep(HOYA_SEC(60));
                  EXPECT_STREQ(hoya_error_detail() + strlen(hoya_error_detail()) - 11, "interrupted");
                  Note(std::string("main ") + hoya_error_name(rc));
                  return rc;
              }),
              HOYA_EINTR);
    EXPECT_STREQ(hoya_error_detail(), "interrupted");
    EXPECT_EQ(trace, (Trace{"main HOYA_ECANCELED", "other HOYA_ECANCELED"}));
    EXPECT_EQ(InterruptAction(), SIG_DFL);
}

// Holds: S154
TEST_P(RunConformance, AnInterruptThatAnotherThreadTookWakesTheLoop)
{
    std::thread sender;
    EXPECT_EQ(RunMain([&](hoya_task *) {
                  sender = std::thread([] { raise(SIGINT); });
                  return hoya_sleep(HOYA_SEC(60));
              }),
              HOYA_EINTR);
    sender.join();
}

// Holds: S154
TEST_P(RunConformance, AMainThatDoesNotEndByTheInterruptReturnsWhatItLikes)
{
    EXPECT_EQ(RunMain([](hoya_task *) {
                  raise(SIGINT);
                  EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                  return 5;
              }),
              5);
    EXPECT_EQ(RunMain([](hoya_task *self) {
                  raise(SIGINT);
                  EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                  EXPECT_EQ(hoya_task_cancel(self, "by somebody else"), 1);
                  return int(HOYA_ECANCELED);
              }),
              HOYA_ECANCELED);
    EXPECT_EQ(RunMain([](hoya_task *self) { return hoya_task_cancel(self, nullptr), hoya_sleep(1); }),
              HOYA_ECANCELED);
}

// Holds: S154
TEST_P(RunConformance, TheSecondInterruptEndsTheWaitingForMain)
{
    EXPECT_EQ(RunMain([this](hoya_task *) {
                  SpawnWaiting("other");
                  EXPECT_EQ(hoya_shield_enter(), 0);
                  raise(SIGINT);
                  while (!hoya_task_cancelling(hoya_current_task())) EXPECT_EQ(hoya_sleep(0), 0);
                  EXPECT_NE(InterruptAction(), SIG_DFL);
                  raise(SIGINT);
                  int rc = hoya_sleep(HOYA_SEC(60));
                  Note(std::string("main ") + hoya_error_name(rc));
                  EXPECT_EQ(InterruptAction(), SIG_DFL) << "the third one is the system's";
                  return 5;
              }),
              HOYA_EINTR);
    EXPECT_STREQ(hoya_error_detail(), "interrupted");
    EXPECT_EQ(trace, (Trace{"main HOYA_ECANCELED", "other HOYA_ECANCELED"}));
    EXPECT_TRUE(Logged("closed with 2 tasks"));
}

// Holds: S154
TEST_P(RunConformance, AnInterruptInTheCleanUpEndsTheWaiting)
{
    auto program = [this](int result) {
        return RunMain([this, result](hoya_task *) {
            Spawn([this](hoya_task *) {
                hoya_sleep(HOYA_SEC(60));
                EXPECT_EQ(hoya_shield_enter(), 0);
                raise(SIGINT);
                int rc = hoya_sleep(HOYA_SEC(60));
                Note(hoya_error_name(rc));
                return 0;
            });
            EXPECT_EQ(hoya_sleep(0), 0);
            return result;
        });
    };
    EXPECT_EQ(program(5), HOYA_EINTR);
    EXPECT_STREQ(hoya_error_detail(), "interrupted while the last tasks ended");
    EXPECT_EQ(program(HOYA_EPIPE), HOYA_EPIPE) << "the first failure";
    EXPECT_EQ(trace, (Trace{"HOYA_ECANCELED", "HOYA_ECANCELED"}));
    EXPECT_EQ(InterruptAction(), SIG_DFL);
}

TEST_P(RunConformance, TheProgramsOwnInterruptsAreLeftAlone)
{
    for (void (*action)(int) : {CatchInterrupt, static_cast<void (*)(int)>(SIG_IGN)}) {
        interrupts_caught = 0;
        signal(SIGINT, action);
        EXPECT_EQ(RunMain([action](hoya_task *) {
                      EXPECT_EQ(InterruptAction(), action);
                      raise(SIGINT);
                      return hoya_sleep(HOYA_MSEC(1));
                  }),
                  0);
        EXPECT_EQ(interrupts_caught, action == CatchInterrupt);
        EXPECT_EQ(InterruptAction(), action);
    }
    signal(SIGINT, SIG_DFL);
    EXPECT_EQ(RunMain(
                  [](hoya_task *) {
                      EXPECT_EQ(InterruptAction(), SIG_DFL);
                      return 0;
                  },
                  RunOptions(HOYA_RUN_NO_SIGINT)),
              0);
}

TEST_P(RunConformance, AHandlerOfTheProgramsTakesTheInterruptsOver)
{
    int calls = 0;
    auto work = [&](int) { calls++; };
    EXPECT_EQ(RunMain([&](hoya_task *) {
                  EXPECT_EQ(hoya_loop_replace_signal_handler(loop, SIGINT, Lambda::RunSignal, new SignalWork(work),
                                                             Lambda::DestroySignal),
                            0);
                  for (int i = 0; i < 3; i++) raise(SIGINT); /* none of which the loop has seen */
                  while (!calls) EXPECT_EQ(hoya_sleep(0), 0);
                  return 5;
              }),
              5);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(InterruptAction(), SIG_DFL);
}

/* ---- where there is no host, it makes no difference --------------------------------------------------------- */

TEST(Run, OnAnotherThreadInterruptsAreNotItsBusiness)
{
    void (*before)(int) = signal(SIGINT, SIG_DFL);
    std::thread([] {
        auto look = [](hoya_task *, void *) { return InterruptAction() == SIG_DFL ? 3 : 4; };
        EXPECT_EQ(hoya_run(look, nullptr, nullptr), 3);
    }).join();
    signal(SIGINT, before);
}

/* What ends the process. */
static int Program(hoya_task_function main)
{
    alarm(20);
    signal(SIGINT, SIG_DFL);
    return hoya_run(main, nullptr, nullptr);
}

// Holds: S154
TEST(RunDeathTest, ASecondInterruptWhileACallbackBlocksEndsTheProcess)
{
    auto main = [](hoya_task *, void *) {
        raise(SIGINT);
        raise(SIGINT);
        return 0;
    };
    EXPECT_EXIT(Program(main), testing::KilledBySignal(SIGINT), "");
}

// Holds: S154
TEST(RunDeathTest, TheThirdInterruptEndsTheProcess)
{
    auto main = [](hoya_task *self, void *) {
        hoya_shield_enter();
        raise(SIGINT);
        while (!hoya_task_cancelling(self)) hoya_sleep(0);
        raise(SIGINT);
        hoya_sleep(HOYA_SEC(60));
        raise(SIGINT);
        return 0;
    };
    EXPECT_EXIT(Program(main), testing::KilledBySignal(SIGINT), "");
}

// Holds: S154
TEST(RunDeathTest, AnInterruptThatTheLoopDidNotGetToSeeIsNotLost)
{
    auto main = [](hoya_task *self, void *) {
        /* In the last round, after its look. */
        hoya_future_add_done_callback(
            hoya_task_future(self), [](hoya_future *, void *) { raise(SIGINT); }, nullptr, nullptr, nullptr);
        return 0;
    };
    EXPECT_EXIT(Program(main), testing::KilledBySignal(SIGINT), "");
}

} // namespace hoya_test
