/* SPDX-License-Identifier: MIT
 *
 * conformance/task_sync.h: tasks that take locks and wait, and say what became of it.
 */
#ifndef HOYA_TESTS_TASK_SYNC_H
#define HOYA_TESTS_TASK_SYNC_H

#include "sync.h"
#include "tasks.h"

namespace hoya_test
{

class TaskSync : public TaskConformance
{
  protected:
    /* A task that takes the lock, says so, and gives it back after a round. */
    Task Taker(const Lock &lock, const std::string &word)
    {
        return Create([this, &lock, word](hoya_task *) {
            int rc = hoya_lock_acquire(lock.get());
            Note(rc == 0 ? word : word + ": " + hoya_error_name(rc));
            if (rc < 0) return rc;
            hoya_sleep(0);
            EXPECT_EQ(hoya_lock_release(lock.get()), 0);
            return 0;
        });
    }
    /* What waits and says with what the wait ended. */
    Task Waiter(const std::string &word, std::function<int()> wait)
    {
        return Create([this, word, wait](hoya_task *) {
            int rc = wait();
            Note(rc == 0 ? word : word + ": " + hoya_error_name(rc));
            return rc;
        });
    }
    /* In a task, until it has returned. */
    void InTask(TaskWork work)
    {
        Task task = Create(std::move(work), "main");
        RunUntilDone({Of(task)});
    }
    std::string Dump()
    {
        std::string text;
        auto line = [](const char *words, void *arg) {
            *static_cast<std::string *>(arg) += std::string(words) + "\n";
        };
        EXPECT_EQ(hoya_loop_dump(loop, line, &text), 0) << hoya_error_detail();
        return text;
    }
    static void Rounds(int n)
    {
        for (; n > 0; n--) EXPECT_EQ(hoya_sleep(0), 0);
    }
};

} // namespace hoya_test

#endif
