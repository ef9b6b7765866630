/* SPDX-License-Identifier: MIT
 *
 * conformance/executor_test.cc: jobs of a loop: run_in_executor, and a loop's default executor; on every host.
 */
#include "jobs.h"

#include <atomic>
#include <thread>

namespace hoya_test
{

INSTANTIATE_TEST_SUITE_P(Hosts, ExecutorConformance, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- run_in_executor --------------------------------------------------------------------------------------- */

// Holds: S29 F14
TEST_P(ExecutorConformance, AJobRunsElsewhereAndItsValueComesByWayOfTheLoop)
{
    Value value;
    std::thread::id here = std::this_thread::get_id(), there;
    Future future = Start([&](hoya_job *self) {
        there = std::this_thread::get_id();
        hoya_job_set_value(self, &value, Value::Destroy);
        return 0;
    });
    WhenDone(future, [&] { EXPECT_EQ(std::this_thread::get_id(), here); });
    RunUntilDone(future);
    EXPECT_NE(there, here);
    void *out = nullptr;
    EXPECT_EQ(hoya_future_result(future.get(), &out), 0);
    EXPECT_EQ(out, &value);
    EXPECT_EQ(value.destroyed, 0);
    future.reset();
    EXPECT_EQ(value.destroyed, 1);
}

TEST_P(ExecutorConformance, TheLoopGoesOnWhileAJobRuns)
{
    Door door;
    Future future = Start([&](hoya_job *) { return door.Pass(), 0; });
    WhenDone(future, Say("job"));
    CallLater(HOYA_MSEC(1), [&] {
        Note("timer");
        CallSoon([&] {
            Note("callback");
            door.Open();
        });
    });
    RunUntilNoted(3);
    EXPECT_EQ(trace, (Trace{"timer", "callback", "job"}));
}

// Holds: S36
TEST_P(ExecutorConformance, AFailureBringsItsTextAndIsReportedIfNobodyLooks)
{
    Future future = Start([](hoya_job *) { return hoya_error_set(HOYA_EPIPE, "pipe 7 broke"); });
    RunUntilDone(future);
    EXPECT_EQ(hoya_future_result(future.get(), nullptr), HOYA_EPIPE);
    EXPECT_EQ(TextOf(future), "pipe 7 broke");

    auto report = [](hoya_loop *, const hoya_exception_context *context, void *arg) {
        static_cast<Trace *>(arg)->push_back(context->detail);
        return 0;
    };
    ASSERT_EQ(hoya_loop_set_exception_handler(loop, report, &trace), 0);
    ASSERT_EQ(hoya_run_in_executor(
                  loop, nullptr, [](hoya_job *, void *) { return hoya_error_set(HOYA_EPIPE, "nobody looks"); },
                  nullptr, nullptr, nullptr),
              0);
    while (trace.empty()) EXPECT_GE(hoya_loop_run_once(loop, HOYA_SEC(10)), 0);
    EXPECT_EQ(trace, (Trace{"nobody looks"}));
    EXPECT_EQ(hoya_loop_set_exception_handler(loop, nullptr, nullptr), 0);
}

TEST_P(ExecutorConformance, ADumpShowsTheJobsWhoseOutcomesHaveNotCome)
{
    auto dump = [this] {
        std::string text;
        auto line = [](const char *one, void *arg) { *static_cast<std::string *>(arg) += std::string(one) + "\n"; };
        EXPECT_EQ(hoya_loop_dump(loop, line, &text), 0);
        return text;
    };
    EXPECT_EQ(dump().find("jobs of executors"), std::string::npos) << "there were none";
    Door door;
    Future future = Start([&](hoya_job *) { return door.Pass(), 0; });
    door.Await(1);
    std::string text = dump();
    EXPECT_NE(text.find("  jobs of executors: 1\n    "), std::string::npos) << text;
    EXPECT_NE(text.find(", begun\n"), std::string::npos) << text;
    door.Open();
    RunUntilDone(future);
}

// Holds: S32
TEST_P(ExecutorConformance, AJobsFutureIsNotCompletedFromOutside)
{
    Door door;
    Future future = Start([&](hoya_job *) { return door.Pass(), 0; });
    EXPECT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), HOYA_ESTATE);
    EXPECT_EQ(hoya_future_set_exception(future.get(), HOYA_EPIPE, nullptr), HOYA_ESTATE);
    door.Open();
    RunUntilDone(future);
    EXPECT_EQ(hoya_future_result(future.get(), nullptr), 0);
}

// Holds: S33
TEST_P(ExecutorConformance, ACancelBeforeTheStartTakesTheJobOutAtOnce)
{
    Executor pool = NewPool(1);
    Door door;
    Probe probe;
    Future first = Start([&](hoya_job *) { return door.Pass(), 0; }, pool.get());
    door.Await(1);
    hoya_future *raw = nullptr;
    auto run = [](hoya_job *, void *arg) { return Probe::Run(arg), 0; };
    ASSERT_EQ(hoya_run_in_executor(loop, pool.get(), run, &probe, Probe::Destroy, &raw), 0);
    Future second(raw), third = Start([](hoya_job *) { return 0; }, pool.get());
    WhenDone(second, Say("cancelled"));
    EXPECT_EQ(hoya_future_cancel(raw, "too slow"), 1);
    EXPECT_EQ(probe.destroyed, 1);
    EXPECT_EQ(hoya_future_cancelled(raw), 1);
    EXPECT_EQ(trace, Trace{}) << "callbacks come from the loop";
    EXPECT_EQ(hoya_future_cancel(raw, nullptr), 0);
    door.Open();
    RunUntilDone(third);
    EXPECT_EQ(trace, (Trace{"cancelled"}));
    EXPECT_EQ(probe.runs, 0);
    EXPECT_EQ(TextOf(second), "too slow");
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NEVER, 0), 0);
}

// Holds: S33
TEST_P(ExecutorConformance, ACancelOfARunningJobIsForTheWaiterAndTheJobIsTold)
{
    Executor pool = NewPool(1);
    Door door;
    Value value;
    std::atomic<int> told{0};
    Future future = Start(
        [&](hoya_job *self) {
            door.Pass();
            told = hoya_job_cancelled(self);
            hoya_job_set_value(self, &value, Value::Destroy);
            return 0;
        },
        pool.get());
    door.Await(1);
    EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
    EXPECT_EQ(hoya_future_cancelled(future.get()), 1);
    RunUntilDone(future);
    door.Open();
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NEVER, 0), 0);
    EXPECT_EQ(told, 1);
    RunRounds(3);
    EXPECT_EQ(value.destroyed, 1);
    EXPECT_EQ(hoya_future_cancelled(future.get()), 1);
}

// Holds: S15 S16 S162
TEST_P(ExecutorConformance, ARefusedJobHasDestroyedItsArgument)
{
    auto run = [](hoya_job *, void *arg) { return Probe::Run(arg), 0; };
    Probe probe;
    hoya_loop *sibling = NewSibling();
    EXPECT_EQ(hoya_run_in_executor(sibling, nullptr, nullptr, &probe, Probe::Destroy, nullptr), HOYA_EINVAL);
    std::thread([&] {
        EXPECT_EQ(hoya_run_in_executor(sibling, nullptr, run, &probe, Probe::Destroy, nullptr), HOYA_ETHREAD);
    }).join();
    InlineExecutor nobody;
    nobody.refuses = true;
    Executor refusing = nobody.New();
    EXPECT_EQ(hoya_run_in_executor(sibling, refusing.get(), run, &probe, Probe::Destroy, nullptr), HOYA_EAGAIN);
    EXPECT_EQ(hoya_loop_close(sibling), 0);
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_run_in_executor(sibling, nullptr, run, &probe, Probe::Destroy, &future), HOYA_ECLOSED);
    EXPECT_EQ(future, nullptr);
    EXPECT_EQ(probe.destroyed, 4);
    EXPECT_EQ(probe.runs, 0);
    hoya_loop_unref(sibling);
}

// Holds: S38 S15
TEST_P(ExecutorConformance, AJobWhoseLoopIsClosedIsRunAllTheSame)
{
    Executor pool = NewPool(1);
    Door door;
    Value first, second, third;
    hoya_loop *sibling = NewSibling(), *mine = loop;
    loop = sibling;
    auto give = [&](Value *value) {
        return
            [&, value](hoya_job *self) { return door.Pass(), hoya_job_set_value(self, value, Value::Destroy), 0; };
    };
    Future running = Start(give(&first), pool.get()), queued = Start(give(&second), pool.get());
    Start(give(&third), pool.get());
    loop = mine;
    door.Await(1);
    Release(sibling);
    EXPECT_EQ(hoya_future_done(running.get()), 0);
    EXPECT_EQ(hoya_future_cancel(running.get(), nullptr), 1) << "a future lives on";
    running.reset();
    door.Open();
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NEVER, 0), 0);
    EXPECT_EQ(hoya_future_done(queued.get()), 0);
    EXPECT_EQ(first.destroyed + second.destroyed + third.destroyed, 3);
}

// Holds: S38 F14
TEST_P(ExecutorConformance, JobsEndWhileTheLoopIsBeingClosed)
{
    for (int turn = 0; turn < 10; turn++) {
        Executor pool = NewPool(3);
        hoya_loop *sibling = NewSibling(), *mine = loop;
        std::vector<Value> values(60);
        std::vector<Future> kept;
        loop = sibling;
        for (Value &value : values) {
            kept.push_back(Start(
                [&](hoya_job *self) { return hoya_job_set_value(self, &value, Value::Destroy), 0; }, pool.get()));
            if (kept.size() % 3 == 0) hoya_future_cancel(kept.back().get(), nullptr);
            if (kept.size() % 3 == 1) kept.back().reset();
        }
        loop = mine;
        Release(sibling);
        EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NEVER, 0), 0);
        for (size_t i = 0; i < values.size(); i++)
            if (i % 3 != 2) EXPECT_EQ(values[i].destroyed, 1);
    }
}

// Holds: S33 F14
TEST_P(ExecutorConformance, CancelsRaceWithJobs)
{
    Executor pool = NewPool(3);
    constexpr int kJobs = 300;
    std::vector<Probe> probes(kJobs);
    std::vector<Future> futures;
    auto run = [](hoya_job *, void *arg) { return Probe::Run(arg), 0; };
    for (Probe &probe : probes) {
        hoya_future *raw = nullptr;
        ASSERT_EQ(hoya_run_in_executor(loop, pool.get(), run, &probe, Probe::Destroy, &raw), 0);
        futures.emplace_back(raw);
        WhenDone(futures.back(), Say("done"));
        if (futures.size() % 2) hoya_future_cancel(futures[futures.size() / 2].get(), nullptr);
    }
    RunUntilNoted(kJobs);
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NEVER, 0), 0);
    RunRounds(3);
    for (int i = 0; i < kJobs; i++) {
        EXPECT_EQ(probes[i].destroyed, 1);
        EXPECT_TRUE(probes[i].runs == 1 || hoya_future_cancelled(futures[i].get()));
    }
}

/* ---- the default ------------------------------------------------------------------------------------------- */

TEST_P(ExecutorConformance, TheDefaultCanBeSet)
{
    InlineExecutor threads;
    Executor executor = threads.New();
    ASSERT_EQ(hoya_set_default_executor(loop, executor.get()), 0);
    executor.reset();
    std::thread::id there;
    Future future = Start([&](hoya_job *) { return there = std::this_thread::get_id(), 0; });
    EXPECT_EQ(there, std::this_thread::get_id());
    EXPECT_EQ(hoya_future_done(future.get()), 0) << "not inside the call";
    RunUntilDone(future);
    EXPECT_EQ(threads.freed, 0);
    ASSERT_EQ(hoya_set_default_executor(loop, nullptr), 0);
    EXPECT_EQ(threads.freed, 1);
    future = Start([&](hoya_job *) { return there = std::this_thread::get_id(), 0; });
    RunUntilDone(future);
    EXPECT_NE(there, std::this_thread::get_id());
}

// Holds: S15
TEST_P(ExecutorConformance, ShutdownOfTheDefaultIsAFutureAndTheLoopGoesOn)
{
    Door door;
    Future job = Start([&](hoya_job *) { return door.Pass(), 0; });
    WhenDone(job, Say("job"));
    hoya_future *raw = nullptr;
    ASSERT_EQ(hoya_shutdown_default_executor(loop, HOYA_SEC(60), &raw), 0);
    Future end(raw);
    WhenDone(end, Say("end"));
    Probe probe;
    auto run = [](hoya_job *, void *arg) { return Probe::Run(arg), 0; };
    EXPECT_EQ(hoya_run_in_executor(loop, nullptr, run, &probe, Probe::Destroy, nullptr), HOYA_ECLOSED);
    EXPECT_EQ(probe.destroyed, 1);
    CallSoon([&] {
        Note("callback");
        door.Open();
    });
    RunUntilNoted(3);
    EXPECT_EQ(trace, (Trace{"callback", "job", "end"}));
    EXPECT_EQ(hoya_future_result(end.get(), nullptr), 0);
}

TEST_P(ExecutorConformance, AShutdownThatTakesTooLongSaysSo)
{
    Door door;
    Future job = Start([&](hoya_job *) { return door.Pass(), 0; });
    hoya_future *raw = nullptr;
    ASSERT_EQ(hoya_shutdown_default_executor(loop, HOYA_MSEC(1), &raw), 0);
    Future late(raw);
    ASSERT_EQ(hoya_shutdown_default_executor(loop, HOYA_NEVER, &raw), 0);
    Future given_up(raw);
    EXPECT_EQ(hoya_future_cancel(raw, nullptr), 1);
    RunUntilDone(late);
    EXPECT_EQ(hoya_future_result(late.get(), nullptr), HOYA_ETIMEDOUT);
    EXPECT_EQ(hoya_future_done(job.get()), 0);
    door.Open();
    RunUntilDone(job);
    EXPECT_EQ(hoya_future_result(job.get(), nullptr), 0) << "the cancel was for the waiting";
}

TEST_P(ExecutorConformance, AnExecutorIsNotWaitedForOnAThreadThatRunsALoop)
{
    Executor pool = NewPool(1);
    Door door;
    Future job = Start([&](hoya_job *) { return door.Pass(), 0; }, pool.get());
    CallSoon([&] {
        EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_SEC(60), 0), HOYA_EDEADLK);
        EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NOW, 0), HOYA_ETIMEDOUT);
        door.Open();
    });
    RunUntilDone(job);
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_SEC(60), 0), 0);
}

// Holds: S56 F27
TEST_P(ExecutorConformance, AForkedChildThatTakesTheLoopOverHasADefaultOfItsOwn)
{
    Door door;
    Future job = Start([&](hoya_job *) { return door.Pass(), 0; });
    door.Await(1);
    EXPECT_EQ(InChild([&] {
                  auto nothing = [](hoya_job *, void *) { return 0; };
                  EXPECT_EQ(hoya_run_in_executor(loop, nullptr, nothing, nullptr, nullptr, nullptr), HOYA_ECHILD);
                  EXPECT_EQ(hoya_loop_after_fork(loop), 0) << hoya_error_detail();
                  EXPECT_EQ(hoya_future_cancel(job.get(), nullptr), 1);
                  Future own = Start([](hoya_job *) { return 0; });
                  RunUntilDone(own);
                  EXPECT_EQ(hoya_future_result(own.get(), nullptr), 0);
                  own.reset();
                  EXPECT_EQ(hoya_loop_close(loop), 0);
              }),
              0);
    door.Open();
    RunUntilDone(job);
    EXPECT_EQ(hoya_future_result(job.get(), nullptr), 0);
}

} // namespace hoya_test
