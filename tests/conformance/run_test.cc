/* SPDX-License-Identifier: MIT
 *
 * conformance/run_test.cc: whole programs: main, and the end of everything behind it.
 */
#include "programs.h"

#include <atomic>
#include <future>

#include <sys/wait.h>
#include <unistd.h>

namespace hoya_test
{

INSTANTIATE_TEST_SUITE_P(Hosts, RunConformance, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- main ------------------------------------------------------------------------------------------------- */

TEST_P(RunConformance, RunReturnsWhatMainReturns)
{
    hoya_run_options options = RunOptions(HOYA_RUN_DEBUG);
    options.name = "main";
    EXPECT_EQ(RunMain(
                  [this](hoya_task *self) {
                      hoya_loop *current = nullptr;
                      EXPECT_EQ(hoya_get_event_loop(&current), 0);
                      EXPECT_EQ(current, loop);
                      EXPECT_EQ(hoya_loop_get_debug(loop), 1);
                      EXPECT_STREQ(hoya_task_get_name(self), "main");
                      EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
                      return 7;
                  },
                  options),
              7);
    EXPECT_EQ(hoya_get_running_loop(), nullptr);
    EXPECT_EQ(RunMain([](hoya_task *) { return 0; }), 0) << "and again";
}

TEST_P(RunConformance, MainsFailureComesWithItsDetailAndIsNotReported)
{
    int rc = RunMain([this](hoya_task *) {
        SpawnWaiting("other"); /* whose wait fails later */
        EXPECT_EQ(hoya_sleep(0), 0);
        return hoya_error_set(HOYA_EPIPE, "port %d is gone", 7);
    });
    EXPECT_EQ(rc, HOYA_EPIPE);
    EXPECT_STREQ(hoya_error_detail(), "port 7 is gone");
    EXPECT_EQ(trace, (Trace{"other HOYA_ECANCELED"}));
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(RunConformance, ADetailOfSomethingElseIsNotTakenForMains)
{
    EXPECT_EQ(RunMain([](hoya_task *) {
                  hoya_error_set(HOYA_EPERM, "that did not matter");
                  return int(HOYA_EPIPE);
              }),
              HOYA_EPIPE);
    EXPECT_STREQ(hoya_error_detail(), hoya_strerror(HOYA_EPIPE));
}

TEST_P(RunConformance, TheCurrentLoopOfTheThreadStaysWhatItIs)
{
    hoya_loop *mine = nullptr, *current = nullptr;
    ASSERT_EQ(hoya_loop_new(nullptr, &mine), 0);
    EXPECT_EQ(hoya_set_event_loop(mine), 0);
    EXPECT_EQ(RunMain([](hoya_task *) { return 0; }), 0);
    EXPECT_EQ(hoya_get_event_loop(&current), 0);
    EXPECT_EQ(current, mine);
    EXPECT_EQ(hoya_set_event_loop(nullptr), 0);
    Release(mine);
}

// Holds: S14 S162
TEST_P(RunConformance, WhatIsRefusedHasDestroyedTheArgument)
{
    auto value = std::make_shared<int>(0);
    auto work = [value](hoya_task *) { return 0; };
    hoya_run_options options = RunOptions();
    options.destroy = DestroyMainWork;
    EXPECT_EQ(hoya_run(nullptr, new MainWork(work), &options), HOYA_EINVAL);
    options.flags = 1u << 31;
    EXPECT_EQ(hoya_run(RunMainWork, new MainWork(work), &options), HOYA_EINVAL);
    hoya_policy none{};
    options.flags = 0;
    options.policy = &none;
    EXPECT_EQ(hoya_run(RunMainWork, new MainWork(work), &options), HOYA_EINVAL);
    VariantPolicy failing(GetParam(), host.get(), nullptr);
    failing.ops.new_event_loop = [](hoya_policy *, hoya_loop **) { return hoya_error_set(HOYA_EMFILE, "of mine"); };
    options.policy = &failing.base;
    EXPECT_EQ(hoya_run(RunMainWork, new MainWork(work), &options), HOYA_EMFILE);
    EXPECT_STREQ(hoya_error_detail(), "of mine");
    EXPECT_EQ(RunMain([&](hoya_task *) {
                  options.policy = nullptr;
                  EXPECT_EQ(hoya_run(RunMainWork, new MainWork(work), &options), HOYA_EBUSY);
                  return 0;
              }),
              0);
    EXPECT_EQ(RunMain(work), 0);
    EXPECT_EQ(value.use_count(), 2) << "the one in work";
    hoya_run_options wrong = RunOptions();
    wrong.size = 3;
    EXPECT_EQ(hoya_run(RunMainWork, nullptr, &wrong), HOYA_EINVAL);
}

// Holds: S12
TEST_P(RunConformance, AStopBeforeMainHasEndedCancelsIt)
{
    EXPECT_EQ(RunMain([this](hoya_task *) {
                  Stop();
                  int rc = hoya_sleep(HOYA_SEC(60));
                  Note(hoya_error_name(rc));
                  return rc;
              }),
              HOYA_ESTATE);
    EXPECT_STREQ(hoya_error_detail(), "the loop was stopped before the future was done");
    EXPECT_EQ(trace, (Trace{"HOYA_ECANCELED"}));
}

// Holds: S11
TEST_P(RunConformance, AnAbortsCodeIsTheResult)
{
    EXPECT_EQ(RunMain([this](hoya_task *) {
                  EXPECT_EQ(hoya_loop_abort(loop, HOYA_EPERM), 0);
                  int rc = hoya_sleep(HOYA_SEC(60));
                  Note(hoya_error_name(rc));
                  return rc;
              }),
              HOYA_EPERM);
    EXPECT_EQ(trace, (Trace{"HOYA_ECANCELED"}));
}

/* ---- the end ---------------------------------------------------------------------------------------------- */

// Holds: S155
TEST_P(RunConformance, WhatIsLeftIsCancelledAndWaitedFor)
{
    EXPECT_EQ(RunMain([this](hoya_task *) {
                  Spawn([this](hoya_task *) {
                      int rc = hoya_sleep(HOYA_SEC(60));
                      EXPECT_EQ(hoya_shield_enter(), 0);
                      EXPECT_EQ(hoya_sleep(HOYA_MSEC(2)), 0) << "there is time to clean up";
                      EXPECT_EQ(hoya_shield_leave(), 0);
                      Note("cleaned up");
                      return rc;
                  });
                  SpawnWaiting("other");
                  EXPECT_EQ(hoya_sleep(0), 0);
                  Note("main");
                  return 3;
              }),
              3);
    EXPECT_EQ(trace, (Trace{"main", "other HOYA_ECANCELED", "cleaned up"}));
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: S155
TEST_P(RunConformance, AFailureOnTheWayOutIsReported)
{
    EXPECT_EQ(RunMain([](hoya_task *) {
                  Spawn([](hoya_task *) {
                      hoya_sleep(HOYA_SEC(60));
                      return hoya_error_set(HOYA_EPIPE, "could not say good-bye");
                  });
                  return hoya_sleep(0);
              }),
              0);
    EXPECT_TRUE(Logged("HOYA_EPIPE: could not say good-bye"));
}

TEST_P(RunConformance, TasksThatAreMadeOnTheWayOutAreAskedWhenTheirMakersHaveEnded)
{
    EXPECT_EQ(RunMain([this](hoya_task *) {
                  Spawn([this](hoya_task *) {
                      int rc = hoya_sleep(HOYA_SEC(60));
                      Spawn([this](hoya_task *) {
                          int slept = hoya_sleep(HOYA_MSEC(1));
                          SpawnWaiting("grandchild");
                          EXPECT_EQ(hoya_sleep(0), 0); /* it has begun: else it would have nothing to say */
                          Note(std::string("helper ") + hoya_error_name(slept));
                          return 0;
                      });
                      EXPECT_EQ(hoya_shield_enter(), 0);
                      for (int i = 0; trace.empty() && i < 5000; i++) EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
                      EXPECT_EQ(hoya_shield_leave(), 0);
                      Note("maker");
                      return rc;
                  });
                  return hoya_sleep(0);
              }),
              0);
    EXPECT_EQ(trace, (Trace{"helper HOYA_OK", "maker", "grandchild HOYA_ECANCELED"}));
}

TEST_P(RunConformance, JobsOfTheDefaultExecutorAreWaitedFor)
{
    std::promise<void> main_has_ended;
    std::atomic<bool> job_has_ended{false};
    std::function<void()> job = [&, ended = main_has_ended.get_future().share()] {
        ended.wait();
        AwaitSleep(); /* that is its work: until somebody waits for it */
        job_has_ended = true;
    };
    EXPECT_EQ(RunMain([&](hoya_task *self) {
                  auto run = [](hoya_job *, void *arg) {
                      Lambda::Run(arg);
                      return 0;
                  };
                  EXPECT_EQ(hoya_run_in_executor(loop, nullptr, run, &job, nullptr, nullptr), 0);
                  InTheLastRound(self, [&] { main_has_ended.set_value(); });
                  return 3;
              }),
              3);
    EXPECT_TRUE(job_has_ended);
}

TEST_P(RunConformance, AStopOnTheWayOutKeepsNobodyFromEnding)
{
    EXPECT_EQ(RunMain([this](hoya_task *) {
                  Spawn([this](hoya_task *) {
                      hoya_sleep(HOYA_SEC(60));
                      for (int i = 0; i < 3; i++) {
                          Stop();
                          hoya_shield_enter();
                          EXPECT_EQ(hoya_sleep(0), 0);
                          hoya_shield_leave();
                      }
                      Note("ended");
                      return 0;
                  });
                  return hoya_sleep(0);
              }),
              0);
    EXPECT_EQ(trace, (Trace{"ended"}));
}

TEST_P(RunConformance, AnAbortOnTheWayOutIsTheResultOfAMainThatEndedWell)
{
    auto program = [this](int result) {
        return RunMain([this, result](hoya_task *) {
            Spawn([this](hoya_task *) {
                hoya_sleep(HOYA_SEC(60));
                EXPECT_EQ(hoya_loop_abort(loop, HOYA_EPERM), 0);
                int rc = hoya_shield_enter() + hoya_sleep(HOYA_SEC(60)); /* the loop is closed */
                Note(hoya_error_name(rc));
                return 0;
            });
            EXPECT_EQ(hoya_sleep(0), 0);
            return result;
        });
    };
    EXPECT_EQ(program(5), HOYA_EPERM);
    EXPECT_EQ(program(HOYA_EPIPE), HOYA_EPIPE) << "the first failure";
    EXPECT_EQ(trace, (Trace{"HOYA_ECANCELED", "HOYA_ECANCELED"}));
}

TEST_P(RunConformance, ACancelOfATaskMayEndTheOnesBesideIt)
{
    /* Two that have not started: the first one's argument, when it is destroyed, cancels the second. */
    struct Canceller {
        hoya_task *other = nullptr;
        ~Canceller()
        {
            hoya_task_cancel(other, nullptr);
            hoya_task_unref(other);
        }
    };
    EXPECT_EQ(RunMain([this](hoya_task *self) {
                  InTheLastRound(self, [this] {
                      auto canceller = std::make_shared<Canceller>();
                      Spawn([canceller](hoya_task *) { return 0; });
                      hoya_task_options options = {};
                      options.size = sizeof options;
                      options.destroy = DestroyMainWork;
                      auto never = new MainWork([this](hoya_task *) { return Note("never"), 0; });
                      EXPECT_EQ(hoya_create_task(loop, RunMainWork, never, &options, &canceller->other), 0);
                      Spawn([this](hoya_task *) { return Note("never"), 0; });
                      Note("made");
                  });
                  return 0;
              }),
              0);
    EXPECT_EQ(trace, (Trace{"made"}));
}

/* ---- where there is no host, it makes no difference --------------------------------------------------------- */

TEST(Run, WithoutOptionsThePolicyMakesTheLoop)
{
    std::string name;
    auto main = [](hoya_task *self, void *arg) {
        *static_cast<std::string *>(arg) = hoya_loop_host_name(hoya_task_get_loop(self));
        return hoya_sleep(HOYA_USEC(1));
    };
    EXPECT_EQ(hoya_run(main, &name, nullptr), 0);
    EXPECT_EQ(name, "native");
}

TEST(Run, TheChildOfAForkInMainIsToldSo)
{
    static pid_t child;
    child = -1;
    int rc = hoya_run(
        [](hoya_task *, void *) {
            child = fork();
            return child == 0 ? 0 : hoya_sleep(HOYA_MSEC(1));
        },
        nullptr, nullptr);
    if (child == 0) _exit(rc == HOYA_ECHILD ? 7 : 8);
    EXPECT_EQ(rc, 0);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
}

/* ---- in a host that the application runs -------------------------------------------------------------------- */

TEST_P(NestingConformance, AHostsCallbackMayRunAProgram)
{
    VariantPolicy policy(GetParam(), host.get(), nullptr);
    auto value = std::make_shared<int>(0);
    int rc = 1;
    host->CallOnce([&] {
        hoya_run_options options = RunOptions();
        options.policy = &policy.base;
        options.destroy = DestroyMainWork;
        rc = hoya_run(RunMainWork, new MainWork([value](hoya_task *) {
                          int slept = hoya_sleep(HOYA_MSEC(1));
                          return slept < 0 ? slept : 9;
                      }),
                      &options);
        Note("returned");
    });
    RunHostUntilSeen("returned");
    EXPECT_EQ(rc, 9) << hoya_error_detail();
    EXPECT_EQ(value.use_count(), 1);
}

} // namespace hoya_test
