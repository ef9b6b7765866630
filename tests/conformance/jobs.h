/* SPDX-License-Identifier: MIT
 *
 * conformance/jobs.h: jobs of a loop, from callbacks and from tasks.
 */
#ifndef HOYA_TESTS_JOBS_H
#define HOYA_TESTS_JOBS_H

#include "conformance.h"
#include "support/executors.h"

namespace hoya_test
{

using TaskWork = std::function<int(hoya_task *)>;

/* Ends as a well-kept program does: the default executor first, so that nothing of it is alive when a test is over. */
class ExecutorConformance : public LoopConformance
{
  protected:
    void TearDown() override
    {
        if (!hoya_loop_is_closed(loop)) {
            hoya_future *raw = nullptr;
            EXPECT_EQ(hoya_shutdown_default_executor(loop, HOYA_NEVER, &raw), 0) << hoya_error_detail();
            RunUntilDone(Future(raw));
        }
        LoopConformance::TearDown();
    }

    Future Start(JobWork work, hoya_executor *executor = nullptr)
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(
            hoya_run_in_executor(loop, executor, Job::Run, new JobWork(std::move(work)), Job::Destroy, &future), 0)
            << hoya_error_detail();
        return Future(future);
    }

    void RunUntilDone(const Future &future)
    {
        WhenDone(future, [this] { Stop(); });
        Run();
        EXPECT_EQ(hoya_future_done(future.get()), 1);
    }

    Future CreateTask(TaskWork work)
    {
        hoya_task_options options = {};
        options.size = sizeof options;
        options.destroy = [](void *arg) { delete static_cast<TaskWork *>(arg); };
        auto run = [](hoya_task *self, void *arg) { return (*static_cast<TaskWork *>(arg))(self); };
        hoya_task *task = nullptr;
        EXPECT_EQ(hoya_create_task(loop, run, new TaskWork(std::move(work)), &options, &task), 0);
        return Future(hoya_task_future(task));
    }

    static int ToThread(JobWork work, void **value = nullptr, hoya_destroy *destroy = nullptr)
    {
        return hoya_to_thread(Job::Run, new JobWork(std::move(work)), Job::Destroy, value, destroy);
    }
};

} // namespace hoya_test

#endif
