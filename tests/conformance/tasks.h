/* SPDX-License-Identifier: MIT
 *
 * conformance/tasks.h: tasks as tests like them: owned, with lambdas for functions, on every host.
 */
#ifndef HOYA_TESTS_TASKS_H
#define HOYA_TESTS_TASKS_H

#include "conformance.h"
#include "support/futures.h"

namespace hoya_test
{

using TaskWork = std::function<int(hoya_task *)>;

struct UnrefTask {
    void operator()(hoya_task *task) const { hoya_task_unref(task); }
};
using Task = std::unique_ptr<hoya_task, UnrefTask>;

class TaskConformance : public LoopConformance
{
  protected:
    static int RunWork(hoya_task *self, void *arg) { return (*static_cast<TaskWork *>(arg))(self); }
    static void DestroyWork(void *arg) { delete static_cast<TaskWork *>(arg); }

    Task Create(TaskWork work, const char *name = nullptr, hoya_task *owner = nullptr)
    {
        hoya_task_options options = {};
        options.size = sizeof options;
        options.name = name;
        options.owner = owner;
        options.destroy = DestroyWork;
        hoya_task *task = nullptr;
        EXPECT_EQ(hoya_create_task(loop, RunWork, new TaskWork(std::move(work)), &options, &task), 0)
            << hoya_error_detail();
        return Task(task);
    }
    Task CreateChild(hoya_task *owner, TaskWork work, const char *name = nullptr)
    {
        return Create(std::move(work), name, owner);
    }
    Future NewFuture() { return hoya_test::NewFuture(loop); }
    static hoya_future *Of(const Task &task) { return hoya_task_future(task.get()); }
    static bool Done(const Task &task) { return hoya_future_done(Of(task)); }
    static int Result(const Task &task, void **value = nullptr) { return hoya_future_result(Of(task), value); }

    /* Until all of them have ended. */
    void RunUntilDone(const std::vector<hoya_future *> &all)
    {
        size_t left = all.size();
        for (hoya_future *future : all) {
            auto count = new Work([&] {
                if (!--left) Stop();
            });
            EXPECT_EQ(hoya_future_add_done_callback(
                          future, [](hoya_future *, void *arg) { (*static_cast<Work *>(arg))(); }, count,
                          Lambda::Destroy, nullptr),
                      0);
        }
        Run();
        EXPECT_EQ(left, 0u);
    }
};

/* Those whose main loop may be run again inside a task. */
class NestingTaskConformance : public TaskConformance
{
};

} // namespace hoya_test

#endif
