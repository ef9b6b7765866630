/* SPDX-License-Identifier: MIT
 *
 * unit/task/sync_memory_test.cc: locks, conditions, semaphores, barriers and queues without memory.
 */
#include "unit/task/task_memory.h"

#include <array>
#include <vector>

namespace hoya_test
{
namespace
{

class SyncMemory : public TaskMemory
{
};

} // namespace

TEST_F(SyncMemory, MakingOneNeedsIt)
{
    hoya_lock *lock = nullptr, *no_lock = nullptr;
    hoya_event *event = nullptr;
    hoya_condition *condition = nullptr;
    hoya_semaphore *semaphore = nullptr;
    hoya_barrier *barrier = nullptr;
    hoya_queue *queue = nullptr;
    ASSERT_EQ(hoya_lock_new(loop, "lock", &lock), 0);
    allocator.fail = true;
    EXPECT_EQ(hoya_lock_new(loop, nullptr, &no_lock), HOYA_ENOMEM);
    EXPECT_EQ(hoya_event_new(loop, nullptr, &event), HOYA_ENOMEM);
    EXPECT_EQ(hoya_condition_new(lock, nullptr, &condition), HOYA_ENOMEM);
    EXPECT_EQ(hoya_semaphore_new(loop, nullptr, 1, 1, &semaphore), HOYA_ENOMEM);
    EXPECT_EQ(hoya_barrier_new(loop, nullptr, 1, &barrier), HOYA_ENOMEM);
    EXPECT_EQ(hoya_queue_new(loop, nullptr, &queue), HOYA_ENOMEM);
    EXPECT_EQ(hoya_lock_free(lock), 0);
}

TEST_F(SyncMemory, WaitingServingAndCancellingNeedNone)
{
    hoya_lock *lock = nullptr;
    hoya_event *event = nullptr;
    hoya_condition *condition = nullptr;
    hoya_semaphore *semaphore = nullptr;
    hoya_barrier *barrier = nullptr;
    hoya_queue *queue = nullptr;
    ASSERT_EQ(hoya_lock_new(loop, nullptr, &lock), 0);
    ASSERT_EQ(hoya_event_new(loop, nullptr, &event), 0);
    ASSERT_EQ(hoya_condition_new(lock, nullptr, &condition), 0);
    ASSERT_EQ(hoya_semaphore_new(loop, nullptr, 0, 0, &semaphore), 0);
    ASSERT_EQ(hoya_barrier_new(loop, nullptr, 2, &barrier), 0);
    ASSERT_EQ(hoya_queue_new(loop, nullptr, &queue), 0);
    Work on_lock = [&] {
        EXPECT_EQ(hoya_lock_acquire(lock), 0);
        EXPECT_EQ(hoya_condition_wait(condition), 0);
        return hoya_lock_release(lock);
    };
    Work on_event = [&] { return hoya_event_wait(event); };
    Work on_semaphore = [&] { return hoya_semaphore_acquire(semaphore); };
    Work on_barrier = [&] { return hoya_barrier_wait(barrier) < 0 ? -1 : 0; };
    Work on_get = [&] {
        void *item = nullptr;
        int rc = hoya_queue_get(queue, &item);
        return rc < 0 ? rc : hoya_queue_put(queue, item);
    };
    Work on_put = [&] {
        void *item = nullptr;
        int rc = hoya_queue_put(queue, lock);
        if (rc == 0) rc = hoya_queue_get(queue, &item);
        EXPECT_EQ(item, lock);
        return rc;
    };
    Work gone = [&] { return hoya_event_wait(event) == HOYA_ECANCELED ? 0 : -1; };
    std::vector<hoya_task *> tasks;
    for (Work *work :
         {&on_lock, &on_lock, &on_event, &on_semaphore, &on_barrier, &on_barrier, &on_get, &on_put, &gone})
        tasks.push_back(Create(work));
    int before = allocator.calls;
    allocator.fail = true;
    RunRounds(2);
    EXPECT_EQ(hoya_task_cancel(tasks.back(), nullptr), 1);
    RunRounds(2);
    EXPECT_EQ(hoya_event_set(event), 0);
    EXPECT_EQ(hoya_semaphore_release(semaphore), 0);
    EXPECT_EQ(hoya_condition_notify_all(condition), 2);
    RunRounds(6);
    for (hoya_task *task : tasks) EXPECT_EQ(hoya_future_result(hoya_task_future(task), nullptr), 0);
    EXPECT_EQ(allocator.calls, before);
    for (hoya_task *task : tasks) hoya_task_unref(task);
    EXPECT_EQ(hoya_queue_free(queue), 0);
    EXPECT_EQ(hoya_barrier_free(barrier), 0);
    EXPECT_EQ(hoya_semaphore_free(semaphore), 0);
    EXPECT_EQ(hoya_condition_free(condition), 0);
    EXPECT_EQ(hoya_event_free(event), 0);
    EXPECT_EQ(hoya_lock_free(lock), 0);
}

TEST_F(SyncMemory, AQueueNeedsItToGrowAndAPutThatFailedHasDoneNothing)
{
    for (hoya_queue_kind kind : {HOYA_QUEUE_FIFO, HOYA_QUEUE_LIFO, HOYA_QUEUE_PRIORITY}) {
        hoya_queue_options options = {};
        options.size = sizeof options;
        options.kind = kind;
        options.capacity = HOYA_QUEUE_UNBOUNDED;
        hoya_queue *queue = nullptr;
        ASSERT_EQ(hoya_queue_new(loop, &options, &queue), 0);
        std::array<int, 100> items = {};
        size_t put = 0;
        allocator.fail = true;
        EXPECT_EQ(hoya_queue_put_nowait(queue, &items[0]), HOYA_ENOMEM);
        EXPECT_EQ(hoya_queue_task_done(queue), HOYA_ESTATE) << "nothing was put";
        allocator.fail = false;
        EXPECT_EQ(hoya_queue_put_nowait(queue, &items[put++]), 0);
        allocator.fail = true;
        while (hoya_queue_put_nowait(queue, &items[put]) == 0) put++;
        EXPECT_EQ(hoya_queue_size(queue), put);
        void *item = nullptr;
        EXPECT_EQ(hoya_queue_get_nowait(queue, &item), 0);
        EXPECT_EQ(hoya_queue_put_nowait(queue, item), 0) << "where one has just been there is room";
        EXPECT_EQ(hoya_queue_put_nowait(queue, item), HOYA_ENOMEM);
        EXPECT_EQ(hoya_queue_shutdown(queue, 1), 0);
        EXPECT_EQ(hoya_queue_free(queue), 0);
        allocator.fail = false;
    }
}

} // namespace hoya_test
