/* SPDX-License-Identifier: MIT
 *
 * conformance/await.h: tasks that await what a toolkit does, on the variants of that toolkit's hosts.
 */
#ifndef HOYA_TESTS_AWAIT_H
#define HOYA_TESTS_AWAIT_H

#include "conformance.h"
#include "support/futures.h"

namespace hoya_test
{

using TaskWork = std::function<int(hoya_task *)>;

struct UnrefTask {
    void operator()(hoya_task *task) const { hoya_task_unref(task); }
};
using Task = std::unique_ptr<hoya_task, UnrefTask>;

class AwaitConformance : public LoopConformance
{
  protected:
    Task Create(TaskWork work)
    {
        hoya_task_options options = {};
        options.size = sizeof options;
        options.destroy = [](void *arg) { delete static_cast<TaskWork *>(arg); };
        auto run = [](hoya_task *self, void *arg) { return (*static_cast<TaskWork *>(arg))(self); };
        hoya_task *task = nullptr;
        EXPECT_EQ(hoya_create_task(loop, run, new TaskWork(std::move(work)), &options, &task), 0)
            << hoya_error_detail();
        return Task(task);
    }
    static hoya_future *Of(const Task &task) { return hoya_task_future(task.get()); }
    static bool Done(const Task &task) { return hoya_future_done(Of(task)); }
    static bool Cancel(const Task &task) { return hoya_task_cancel(task.get(), "by the test") == 1; }

    /* What the task, or the future, ended with. */
    int RunUntilDone(hoya_future *future)
    {
        auto stop = [](hoya_future *, void *arg) { static_cast<AwaitConformance *>(arg)->Stop(); };
        EXPECT_EQ(hoya_future_add_done_callback(future, stop, this, nullptr, nullptr), 0);
        Run();
        return hoya_future_result(future, nullptr);
    }
    int RunUntilDone(const Task &task) { return RunUntilDone(Of(task)); }
    int RunUntilDone(const Future &future) { return RunUntilDone(future.get()); }

    /* A task that takes part as long as the test likes: counts its turns. */
    Task CreateTicker(int *ticks)
    {
        return Create([ticks](hoya_task *) {
            int rc = 0;
            while ((rc = hoya_sleep(HOYA_USEC(100))) == 0) ++*ticks;
            return rc;
        });
    }
};

/* The variants whose names begin so. */
inline std::vector<Variant> VariantsOf(const std::string &host)
{
    std::vector<Variant> found;
    for (const Variant &variant : foreign_variants())
        if (std::string(variant.name).rfind(host, 0) == 0) found.push_back(variant);
    return found;
}

} // namespace hoya_test

#endif
