/* SPDX-License-Identifier: MIT
 *
 * unit/task/task_memory.h: a loop with tasks, whose memory a test takes away.
 */
#ifndef HOYA_TESTS_TASK_MEMORY_H
#define HOYA_TESTS_TASK_MEMORY_H

#include <functional>

#include "unit/failing_allocator.h"

namespace hoya_test
{

class TaskMemory : public testing::Test
{
  protected:
    using Work = std::function<int()>;

    void SetUp() override { ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0); }
    void TearDown() override
    {
        allocator.fail = false;
        hoya_loop_close(
            loop); /* else whoever has the last reference would have to, and that may be a thread of an executor's */
        hoya_loop_unref(loop);
    }

    /* The arguments are the test's own, and outlive the loop's rounds. */
    hoya_task *Create(Work *work)
    {
        hoya_task *task = nullptr;
        auto run = [](hoya_task *, void *arg) { return (*static_cast<Work *>(arg))(); };
        EXPECT_EQ(hoya_create_task(loop, run, work, nullptr, &task), 0);
        return task;
    }
    void RunRounds(int n)
    {
        for (int i = 0; i < n; i++) EXPECT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
    }

    FailingAllocator allocator;
    hoya_loop *loop = nullptr;
};

} // namespace hoya_test

#endif
