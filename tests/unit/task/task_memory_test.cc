/* SPDX-License-Identifier: MIT
 *
 * unit/task/task_memory_test.cc: what tasks do without memory.
 */
#include "unit/task/task_memory.h"

namespace hoya_test
{

TEST_F(TaskMemory, WaitingForAFutureNeedsNone)
{
    hoya_future *future = nullptr;
    ASSERT_EQ(hoya_future_new(loop, &future), 0);
    int ended = 0;
    Work await = [&] { return ended++, hoya_await(future, nullptr); };
    Work wait = [&] { return ended++, hoya_wait_done(future); };
    hoya_task *first = Create(&await), *second = Create(&wait);
    int before = allocator.calls;
    allocator.fail = true;
    RunRounds(2);
    EXPECT_EQ(ended, 2);
    EXPECT_EQ(hoya_future_set_result(future, &ended, nullptr), 0);
    RunRounds(2);
    EXPECT_EQ(hoya_future_result(hoya_task_future(first), nullptr), 0);
    EXPECT_EQ(hoya_future_result(hoya_task_future(second), nullptr), 0);
    EXPECT_EQ(allocator.calls, before);
    hoya_task_unref(first);
    hoya_task_unref(second);
    hoya_future_unref(future);
}

TEST_F(TaskMemory, ARoundACancelAndTheEndNeedNone)
{
    Work work = [] {
        while (hoya_sleep(0) == 0) continue;
        return HOYA_ECANCELED;
    };
    hoya_task *task = Create(&work);
    RunRounds(2);
    int before = allocator.calls;
    allocator.fail = true;
    RunRounds(2);
    EXPECT_EQ(hoya_task_cancel(task, nullptr), 1);
    RunRounds(2);
    EXPECT_EQ(hoya_future_result(hoya_task_future(task), nullptr), HOYA_ECANCELED);
    EXPECT_EQ(allocator.calls, before);
    hoya_task_unref(task);
}

TEST_F(TaskMemory, ValuesOfATaskNeedItToBeSetAndForNothingElse)
{
    static char key, other;
    int destroyed = 0;
    auto count = [](void *arg) { ++*static_cast<int *>(arg); };
    Work work = [&] {
        EXPECT_EQ(hoya_task_set_local(&key, &destroyed, count), 0);
        for (int after = 0; after < 2; after++) {
            allocator.fail_after = after;
            EXPECT_EQ(hoya_task_set_local(&other, &destroyed, count), HOYA_ENOMEM);
            EXPECT_EQ(destroyed, after + 1);
        }
        allocator.fail = true;
        EXPECT_EQ(hoya_task_set_local(&key, nullptr, nullptr), HOYA_ENOMEM);
        EXPECT_EQ(hoya_task_get_local(&key), &destroyed) << "the old one stays";
        EXPECT_EQ(hoya_task_get_local(&other), nullptr);
        return 0;
    };
    hoya_task *task = Create(&work);
    RunRounds(1);
    EXPECT_EQ(destroyed, 3);
    hoya_task_unref(task);
}

TEST_F(TaskMemory, ADumpNeedsNone)
{
    Work sleep = [] { return hoya_sleep(HOYA_SEC(60)); };
    hoya_task *task = Create(&sleep);
    RunRounds(1);
    int lines = 0, before = allocator.calls;
    allocator.fail = true;
    auto count = [](const char *, void *arg) { ++*static_cast<int *>(arg); };
    EXPECT_EQ(hoya_loop_dump(loop, count, &lines), 0);
    EXPECT_GT(lines, 10);
    EXPECT_EQ(allocator.calls, before);
    allocator.fail = false;
    EXPECT_EQ(hoya_task_cancel(task, nullptr), 1);
    RunRounds(1);
    hoya_task_unref(task);
}

} // namespace hoya_test
