/* SPDX-License-Identifier: MIT
 *
 * conformance/to_thread_test.cc: a task calls a job like a function: to_thread; and jobs that wait for what loops do.
 */
#include "jobs.h"

#include <atomic>
#include <thread>

namespace hoya_test
{

/* ---- to_thread --------------------------------------------------------------------------------------------- */

TEST_P(ExecutorConformance, ATaskCallsAJobLikeAFunction)
{
    Door door;
    Value value, unwanted;
    Future task = CreateTask([&](hoya_task *) {
        void *out = nullptr;
        hoya_destroy destroy = nullptr;
        EXPECT_EQ(ToThread(
                      [&](hoya_job *self) {
                          door.Pass();
                          hoya_job_set_value(self, &value, Value::Destroy);
                          return 0;
                      },
                      &out, &destroy),
                  0);
        EXPECT_EQ(out, &value);
        EXPECT_EQ(destroy, &Value::Destroy);
        EXPECT_EQ(value.destroyed, 0) << "it is the task's now";
        EXPECT_EQ(ToThread([&](hoya_job *self) { return hoya_job_set_value(self, &unwanted, Value::Destroy), 0; }),
                  0);
        EXPECT_EQ(unwanted.destroyed, 1);
        EXPECT_EQ(ToThread([](hoya_job *) { return hoya_error_set(HOYA_EPIPE, "pipe 7 broke"); }), HOYA_EPIPE);
        EXPECT_STREQ(hoya_error_detail(), "pipe 7 broke");
        return 0;
    });
    CallLater(0, [&] { door.Open(); }); /* the loop goes on meanwhile */
    RunUntilDone(task);
    EXPECT_EQ(hoya_future_result(task.get(), nullptr), 0);
}

// Holds: S44
TEST_P(ExecutorConformance, ACancelTellsTheJobOfATaskAndWaitsForItsEnd)
{
    Door door;
    std::atomic<bool> ended{false};
    Future heeds = CreateTask([&](hoya_task *) {
        int on_the_stack = 0;
        EXPECT_EQ(ToThread([&](hoya_job *self) {
                      door.Pass();
                      while (!hoya_job_cancelled(self)) std::this_thread::yield();
                      on_the_stack++;
                      ended = true;
                      return HOYA_ECANCELED;
                  }),
                  HOYA_ECANCELED);
        EXPECT_TRUE(ended);
        EXPECT_EQ(on_the_stack, 1);
        return HOYA_ECANCELED;
    });
    Future refuses = CreateTask([&](hoya_task *) {
        EXPECT_EQ(ToThread([&](hoya_job *) { return door.Pass(), 0; }), 0) << "what it did is done";
        EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED) << "and the cancel stays";
        return HOYA_ECANCELED;
    });
    Future never = CreateTask([&](hoya_task *self) {
        hoya_task_cancel(self, nullptr);
        Probe probe;
        auto run = [](hoya_job *, void *arg) { return Probe::Run(arg), 0; };
        EXPECT_EQ(hoya_to_thread(run, &probe, Probe::Destroy, nullptr, nullptr), HOYA_ECANCELED);
        EXPECT_EQ(probe.runs, 0);
        EXPECT_EQ(probe.destroyed, 1);
        return HOYA_ECANCELED;
    });
    RunUntilDone(never);
    door.Await(2);
    EXPECT_EQ(hoya_future_cancel(heeds.get(), nullptr), 1);
    EXPECT_EQ(hoya_future_cancel(refuses.get(), nullptr), 1);
    RunRounds(3);
    EXPECT_EQ(hoya_future_done(heeds.get()), 0);
    door.Open();
    RunUntilDone(heeds);
    if (!hoya_future_done(refuses.get())) RunUntilDone(refuses);
}

TEST_P(ExecutorConformance, ATaskThatIsCancelledBeforeItsJobHasBegunDoesNotWait)
{
    Executor pool = NewPool(1);
    ASSERT_EQ(hoya_set_default_executor(loop, pool.get()), 0);
    Door door;
    Future first = Start([&](hoya_job *) { return door.Pass(), 0; });
    door.Await(1);
    Future task = CreateTask([&](hoya_task *) {
        return ToThread([](hoya_job *) {
            ADD_FAILURE() << "it ran";
            return 0;
        });
    });
    RunRounds(2);
    EXPECT_EQ(hoya_future_cancel(task.get(), nullptr), 1);
    RunUntilDone(task);
    EXPECT_EQ(hoya_future_cancelled(task.get()), 1);
    door.Open();
    RunUntilDone(first);
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NEVER, 0), 0);
}

// Holds: S69
TEST_P(ExecutorConformance, ATimeoutTellsTheJobOfATask)
{
    Future task = CreateTask([&](hoya_task *) {
        hoya_timeout *timeout = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &timeout), 0);
        int rc = ToThread([](hoya_job *self) {
            while (!hoya_job_cancelled(self)) std::this_thread::yield();
            return HOYA_ECANCELED;
        });
        EXPECT_EQ(hoya_timeout_leave(timeout), 1);
        return rc;
    });
    RunUntilDone(task);
    EXPECT_EQ(hoya_future_result(task.get(), nullptr), HOYA_EDEADLINE);
}

TEST_P(ExecutorConformance, ALoopThatIsClosedTellsTheJobOfATaskAndDoesNotWait)
{
    Executor pool = NewPool(1);
    Door door;
    std::atomic<int> told{0};
    hoya_loop *sibling = NewSibling(), *mine = loop;
    loop = sibling;
    ASSERT_EQ(hoya_set_default_executor(loop, pool.get()), 0);
    ASSERT_EQ(hoya_loop_set_exception_handler(
                  loop, [](hoya_loop *, const hoya_exception_context *, void *) { return 0; }, nullptr),
              0);
    int rc = 0;
    Future task = CreateTask([&](hoya_task *) {
        return rc = ToThread([&](hoya_job *self) {
                   door.Pass();
                   told = hoya_job_cancelled(self);
                   return 0;
               });
    });
    RunRounds(2);
    door.Await(1);
    loop = mine;
    Release(sibling);
    EXPECT_EQ(rc, HOYA_ECANCELED);
    door.Open();
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NEVER, 0), 0);
    EXPECT_EQ(told, 1);
}

TEST_P(ExecutorConformance, WhereThereIsNoTaskNothingCanWaitForAJob)
{
    Probe probe;
    auto run = [](hoya_job *, void *arg) { return Probe::Run(arg), 0; };
    EXPECT_EQ(hoya_to_thread(run, &probe, Probe::Destroy, nullptr, nullptr), HOYA_ESTATE);
    EXPECT_EQ(probe.destroyed, 1);
    EXPECT_EQ(probe.runs, 0);
}

TEST_P(ExecutorConformance, JobsThatWaitInTasksEndInAnyOrder)
{
    InlineExecutor threads;
    Executor first = threads.New(), second = threads.New();
    Future one = NewFuture(loop), two = NewFuture(loop);
    auto wait = [](const Executor &executor, const Future &future) {
        return ResultOf(Submit(executor, [&](hoya_job *) { return hoya_await(future.get(), nullptr); }));
    };
    Future below = CreateTask([&](hoya_task *) { return wait(first, one); });
    Future above = CreateTask([&](hoya_task *) { return wait(second, two); });
    WhenDone(below, [&] { EXPECT_EQ(hoya_future_set_result(two.get(), nullptr, nullptr), 0); });
    CallSoon([&] { EXPECT_EQ(hoya_future_set_result(one.get(), nullptr, nullptr), 0); });
    RunUntilDone(above);
    EXPECT_EQ(hoya_future_result(below.get(), nullptr), 0);
    EXPECT_EQ(hoya_future_result(above.get(), nullptr), 0);
    for (const Executor *executor : {&first, &second})
        EXPECT_EQ(hoya_executor_shutdown(executor->get(), HOYA_SEC(20), 0), 0) << "no job is below";
}

/* ---- a thread waits for what the loop does ------------------------------------------------------------------- */

// Holds: S16
TEST_P(ExecutorConformance, AJobWaitsForAThreadFutureAndALoopsFutureIsRefused)
{
    ThreadFuture answer = NewThreadFuture();
    Future wrong = NewFuture(loop);
    Executor pool = NewPool(2);
    Door door;
    Future job = Start(
        [&](hoya_job *) {
            EXPECT_EQ(hoya_future_result(wrong.get(), nullptr), HOYA_ETHREAD);
            EXPECT_EQ(hoya_wait_done(wrong.get()), HOYA_ESTATE);
            EXPECT_EQ(hoya_future_add_done_callback(
                          wrong.get(), [](hoya_future *, void *) {}, nullptr, nullptr, nullptr),
                      HOYA_ETHREAD);
            void *value = nullptr;
            EXPECT_EQ(ResultOf(answer, &value), 0);
            EXPECT_EQ(value, this);
            return 0;
        },
        pool.get());
    CallSoon([&] { EXPECT_EQ(hoya_thread_future_set_result(answer.get(), this, nullptr), 0); });
    RunUntilDone(job);
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NEVER, 0), 0);
}

} // namespace hoya_test
