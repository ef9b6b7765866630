/* SPDX-License-Identifier: MIT
 *
 * conformance/task_sync_all_test.cc: what holds for locks, events, conditions, semaphores and barriers alike: what is
 * free costs no turn of the loop, when they can be freed, what is refused, the end of the loop, and the dump.
 */
#include "task_sync.h"

#include <thread>

namespace hoya_test
{

// Holds: S143
TEST_P(TaskSync, WhatIsFreeIsTakenWithoutLettingAnybodyElseRun)
{
    Lock lock = NewLock(loop);
    Event event = NewEvent(loop);
    Semaphore semaphore = NewSemaphore(loop, 5);
    Barrier barrier = NewBarrier(loop, 1);
    EXPECT_EQ(hoya_event_set(event.get()), 0);
    InTask([&](hoya_task *self) {
        CallSoon(Say("others"));
        for (int cancelled = 0; cancelled < 2; cancelled++) {
            EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
            EXPECT_EQ(hoya_lock_release(lock.get()), 0);
            EXPECT_EQ(hoya_event_wait(event.get()), 0);
            EXPECT_EQ(hoya_semaphore_acquire(semaphore.get()), 0);
            EXPECT_EQ(hoya_barrier_wait(barrier.get()), 0);
            EXPECT_EQ(hoya_task_cancel(self, nullptr), 1);
        }
        EXPECT_EQ(trace, Trace{});
        return 0;
    });
}

TEST_P(TaskSync, WhatTasksWaitForCannotBeFreed)
{
    Lock lock = NewLock(loop, "a lock");
    Event event = NewEvent(loop);
    Condition condition = NewCondition(lock);
    Semaphore semaphore = NewSemaphore(loop, 0);
    Barrier barrier = NewBarrier(loop, 2);
    InTask([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        std::vector<Task> tasks;
        tasks.push_back(Create([&](hoya_task *) { return hoya_lock_acquire(lock.get()); }));
        tasks.push_back(Create([&](hoya_task *) { return hoya_event_wait(event.get()); }));
        tasks.push_back(Create([&](hoya_task *) { return hoya_semaphore_acquire(semaphore.get()); }));
        tasks.push_back(Create([&](hoya_task *) { return hoya_barrier_wait(barrier.get()); }));
        Rounds(1);
        EXPECT_EQ(hoya_lock_free(lock.get()), HOYA_EBUSY);
        EXPECT_EQ(hoya_event_free(event.get()), HOYA_EBUSY);
        EXPECT_EQ(hoya_semaphore_free(semaphore.get()), HOYA_EBUSY);
        EXPECT_EQ(hoya_barrier_free(barrier.get()), HOYA_EBUSY);
        for (const Task &task : tasks) EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
        Rounds(1);
        Task waiter = Create([&](hoya_task *) {
            EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
            EXPECT_EQ(hoya_condition_wait(condition.get()), 0);
            return hoya_lock_release(lock.get());
        });
        EXPECT_EQ(hoya_lock_release(lock.get()), 0);
        Rounds(1);
        EXPECT_EQ(hoya_condition_free(condition.get()), HOYA_EBUSY);
        EXPECT_EQ(hoya_condition_notify_all(condition.get()), 1);
        return hoya_await(Of(waiter), nullptr);
    });
    EXPECT_EQ(hoya_lock_free(nullptr), 0);
    EXPECT_EQ(hoya_event_free(nullptr), 0);
    EXPECT_EQ(hoya_condition_free(nullptr), 0);
    EXPECT_EQ(hoya_semaphore_free(nullptr), 0);
    EXPECT_EQ(hoya_barrier_free(nullptr), 0);
}

TEST_P(TaskSync, WhatTasksWereWokenFromIsFreedOnlyWhenTheyHaveGoneOn)
{
    Lock lock = NewLock(loop);
    Event event = NewEvent(loop);
    Condition condition = NewCondition(lock);
    Barrier barrier = NewBarrier(loop, 2);
    Semaphore semaphore = NewSemaphore(loop, 0);
    Queue queue = NewQueue(loop, 1);
    InTask([&](hoya_task *) {
        std::vector<Task> tasks;
        tasks.push_back(Create([&](hoya_task *) { return hoya_event_wait(event.get()); }));
        tasks.push_back(Create([&](hoya_task *) { return hoya_semaphore_acquire(semaphore.get()); }));
        tasks.push_back(Create([&](hoya_task *) { return hoya_barrier_wait(barrier.get()); }));
        tasks.push_back(Create([&](hoya_task *) {
            void *item = nullptr;
            return hoya_queue_get(queue.get(), &item) == HOYA_ECLOSED ? 0 : -1;
        }));
        tasks.push_back(Create([&](hoya_task *) {
            EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
            EXPECT_EQ(hoya_condition_wait_for(
                          condition.get(), [](void *arg) { return (*static_cast<int *>(arg))++; },
                          std::make_unique<int>(0).get()),
                      0);
            return hoya_lock_release(lock.get());
        }));
        Rounds(1);
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        EXPECT_EQ(hoya_event_set(event.get()), 0);
        EXPECT_EQ(hoya_semaphore_release(semaphore.get()), 0);
        EXPECT_EQ(hoya_barrier_abort(barrier.get()), 0);
        EXPECT_EQ(hoya_queue_shutdown(queue.get(), 1), 0);
        EXPECT_EQ(hoya_condition_notify_all(condition.get()), 1);
        EXPECT_EQ(hoya_event_free(event.get()), HOYA_EBUSY);
        EXPECT_EQ(hoya_semaphore_free(semaphore.get()), HOYA_EBUSY);
        EXPECT_EQ(hoya_barrier_free(barrier.get()), HOYA_EBUSY);
        EXPECT_EQ(hoya_queue_free(queue.get()), HOYA_EBUSY);
        EXPECT_EQ(hoya_condition_free(condition.get()), HOYA_EBUSY);
        Rounds(1);
        EXPECT_EQ(hoya_event_free(event.release()), 0);
        EXPECT_EQ(hoya_semaphore_free(semaphore.release()), 0);
        EXPECT_EQ(hoya_barrier_free(barrier.release()), 0);
        EXPECT_EQ(hoya_queue_free(queue.release()), 0);
        EXPECT_EQ(hoya_condition_free(condition.get()), HOYA_EBUSY) << "it waits for the lock, and then asks again";
        EXPECT_EQ(hoya_lock_release(lock.get()), 0);
        EXPECT_EQ(hoya_lock_free(lock.get()), HOYA_EBUSY) << "it was handed on";
        Rounds(2);
        EXPECT_EQ(hoya_condition_free(condition.release()), 0);
        EXPECT_EQ(hoya_lock_free(lock.release()), 0);
        return 0;
    });
}

TEST_P(TaskSync, AtTheCloseOfTheLoopAConditionDoesNotTakeItsLockBack)
{
    Lock lock = NewLock(loop);
    Condition condition = NewCondition(lock);
    int first = 1, second = 1, released = 1;
    Task waiter = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        first = hoya_condition_wait(condition.get());
        released = hoya_lock_release(lock.get());
        EXPECT_EQ(hoya_lock_try_acquire(lock.get()), 0);
        second = hoya_condition_wait(condition.get());
        EXPECT_EQ(hoya_lock_release(lock.get()), HOYA_ESTATE);
        return 0;
    });
    RunRounds(2);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(first, HOYA_ECANCELED);
    EXPECT_EQ(released, HOYA_ESTATE);
    EXPECT_EQ(second, HOYA_ECANCELED);
}

TEST_P(TaskSync, InAForkedChildTheObjectsOfALoopThatWasClosedBeforeCanBeFreed)
{
    hoya_lock *lock = NewLock(loop).release();
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(InChild([&] { EXPECT_EQ(hoya_lock_free(lock), 0); }), 0);
    EXPECT_EQ(hoya_lock_free(lock), 0);
}

TEST_P(TaskSync, NothingIsAnErrorAndNoCrash)
{
    InTask([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_lock_try_acquire(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_lock_release(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_lock_locked(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_event_set(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_event_clear(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_event_is_set(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_event_wait(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_condition_wait(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_condition_notify(nullptr, 1), HOYA_EINVAL);
        EXPECT_EQ(hoya_semaphore_acquire(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_semaphore_try_acquire(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_semaphore_release(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_semaphore_value(nullptr), 0u);
        EXPECT_EQ(hoya_barrier_wait(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_barrier_reset(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_barrier_abort(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_barrier_broken(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_barrier_waiting(nullptr), 0u);
        return 0;
    });
}

// Holds: S54
TEST_P(TaskSync, WhatATaskRunsOnAnotherStackIsNotTheTask)
{
    struct Things {
        Lock lock;
        Queue queue;
        Future done;
        bool ran;
    } things = {NewLock(loop), NewQueue(loop, 4), NewFuture(), false};
    EXPECT_EQ(hoya_future_set_result(things.done.get(), nullptr, nullptr), 0);
    auto try_all = [](void *arg) {
        auto *t = static_cast<Things *>(arg);
        void *item = nullptr;
        EXPECT_EQ(hoya_queue_put_nowait(t->queue.get(), t), 0);
        EXPECT_EQ(hoya_lock_acquire(t->lock.get()), HOYA_EDEADLK);
        EXPECT_EQ(hoya_queue_put(t->queue.get(), t), HOYA_EDEADLK);
        EXPECT_EQ(hoya_queue_get(t->queue.get(), &item), HOYA_EDEADLK);
        EXPECT_EQ(hoya_await(t->done.get(), nullptr), HOYA_EDEADLK);
        t->ran = true;
        return 0;
    };
    auto in_coroutine = [](void *arg) -> void * {
        auto *both = static_cast<std::pair<int (*)(void *), Things *> *>(arg);
        both->first(both->second);
        return nullptr;
    };
    Task task = Create([&](hoya_task *) {
        std::pair<int (*)(void *), Things *> both = {try_all, &things};
        hoya_coroutine *co = nullptr;
        EXPECT_EQ(hoya_coroutine_new(in_coroutine, &both, nullptr, &co), 0);
        EXPECT_EQ(hoya_coroutine_send(co, nullptr, nullptr), 0);
        hoya_coroutine_free(co);
        EXPECT_TRUE(things.ran);
        things.ran = false;
        EXPECT_EQ(hoya_call_on_thread_stack(try_all, &things), 0);
        EXPECT_TRUE(things.ran);
        EXPECT_EQ(hoya_lock_acquire(things.lock.get()), 0) << "and it goes on as before";
        EXPECT_EQ(hoya_lock_release(things.lock.get()), 0);
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), 0);
}

TEST_P(TaskSync, AnotherThreadAndAnotherLoopAreRefused)
{
    Lock lock = NewLock(loop);
    Event event = NewEvent(loop);
    hoya_loop *sibling = NewSibling();
    Lock foreign = NewLock(sibling);
    Event far = NewEvent(sibling);
    std::thread([&] {
        EXPECT_EQ(hoya_lock_release(lock.get()), HOYA_ETHREAD);
        EXPECT_EQ(hoya_event_set(event.get()), HOYA_ETHREAD);
        EXPECT_EQ(hoya_event_free(event.get()), HOYA_ETHREAD);
    }).join();
    InTask([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(foreign.get()), HOYA_EINVAL);
        EXPECT_EQ(hoya_lock_try_acquire(foreign.get()), HOYA_EINVAL);
        EXPECT_EQ(hoya_event_wait(far.get()), HOYA_EINVAL);
        return 0;
    });
    Release(sibling);
}

TEST_P(TaskSync, TheCloseOfTheLoopEndsAllWaitsAndTheObjectsGoLater)
{
    Lock lock = NewLock(loop);
    Event event = NewEvent(loop);
    Condition condition = NewCondition(lock);
    Semaphore semaphore = NewSemaphore(loop, 0);
    Barrier barrier = NewBarrier(loop, 2);
    Task holder = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        EXPECT_EQ(hoya_condition_wait(condition.get()), HOYA_ECANCELED);
        EXPECT_EQ(hoya_lock_acquire(lock.get()), HOYA_ECANCELED) << "another one has it";
        EXPECT_EQ(hoya_semaphore_release(semaphore.get()), 0) << "to one who waits, too";
        return 0;
    });
    Task second = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        return hoya_lock_release(lock.get());
    });
    Task third = Waiter("lock", [&] { return hoya_lock_acquire(lock.get()); });
    Task fourth = Waiter("permit", [&] { return hoya_semaphore_acquire(semaphore.get()); });
    Task fifth = Waiter("event", [&] { return hoya_event_wait(event.get()); });
    Task sixth = Waiter("barrier", [&] { return hoya_barrier_wait(barrier.get()); });
    RunRounds(2);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(trace, (Trace{"lock", "permit", "event: HOYA_ECANCELED", "barrier: HOYA_ECANCELED"}))
        << "what was handed over meanwhile has come";
    EXPECT_EQ(hoya_event_set(event.get()), 0);
    EXPECT_EQ(hoya_semaphore_release(semaphore.get()), 0);
    EXPECT_EQ(hoya_barrier_abort(barrier.get()), 0);
    EXPECT_EQ(hoya_condition_notify_all(condition.get()), 0);
    hoya_lock *late = nullptr;
    EXPECT_EQ(hoya_lock_new(loop, nullptr, &late), HOYA_ECLOSED);
    ClearLog();
}

// Holds: S51
TEST_P(TaskSync, ADumpTellsWhoWaitsForWhat)
{
    Lock lock = NewLock(loop, "the till");
    Event event = NewEvent(loop, "spring");
    Condition condition = NewCondition(lock, "empty");
    Semaphore semaphore = NewSemaphore(loop, 0, 0, "seats");
    Barrier barrier = NewBarrier(loop, 3);
    std::vector<Task> tasks;
    tasks.push_back(Create([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        return hoya_condition_wait(condition.get());
    }));
    InTask([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        tasks.push_back(Taker(lock, "taker"));
        tasks.push_back(Create([&](hoya_task *) { return hoya_event_wait(event.get()); }));
        tasks.push_back(Create([&](hoya_task *) { return hoya_semaphore_acquire(semaphore.get()); }));
        tasks.push_back(Create([&](hoya_task *) { return hoya_barrier_wait(barrier.get()); }));
        Rounds(1);
        std::string text = Dump();
        for (const char *words : {"waits for the condition empty\n", "waits for the lock the till, held by main\n",
                                  "waits for the event spring\n", "waits for a permit of the semaphore seats\n",
                                  "waits at a barrier, where 1 of 3 tasks are\n"})
            EXPECT_NE(text.find(words), std::string::npos) << words << text;
        EXPECT_EQ(hoya_lock_release(lock.get()), 0);
        for (const Task &task : tasks) hoya_task_cancel(task.get(), nullptr);
        for (const Task &task : tasks) EXPECT_EQ(hoya_wait_done(Of(task)), 0);
        return 0;
    });
}

} // namespace hoya_test
