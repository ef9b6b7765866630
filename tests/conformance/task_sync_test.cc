/* SPDX-License-Identifier: MIT
 *
 * conformance/task_sync_test.cc: locks, events, conditions, semaphores and barriers. Who waits is served in the order of
 * coming, a cancel loses nothing, and what is free costs no turn of the loop.
 */
#include "sync.h"
#include "tasks.h"

#include <thread>

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

INSTANTIATE_TEST_SUITE_P(Hosts, TaskSync, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- lock -------------------------------------------------------------------------------------------------- */

// Holds: S135
TEST_P(TaskSync, ALockGoesFromTaskToTaskInTheOrderInWhichTheyCame)
{
    Lock lock = NewLock(loop);
    Task a = Taker(lock, "a"), b = Taker(lock, "b"), c = Taker(lock, "c");
    RunUntilDone({Of(a), Of(b), Of(c)});
    EXPECT_EQ(trace, (Trace{"a", "b", "c"}));
    EXPECT_EQ(hoya_lock_locked(lock.get()), 0);
}

// Holds: S135
TEST_P(TaskSync, NobodyOvertakesWhoWaitsForALock)
{
    Lock lock = NewLock(loop);
    InTask([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        Task waiter = Taker(lock, "waiter");
        Rounds(1);
        EXPECT_EQ(hoya_lock_release(lock.get()), 0);
        EXPECT_EQ(hoya_lock_locked(lock.get()), 1) << "it is handed over";
        EXPECT_EQ(hoya_lock_try_acquire(lock.get()), HOYA_EAGAIN);
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        Note("the first again");
        return hoya_lock_release(lock.get());
    });
    EXPECT_EQ(trace, (Trace{"waiter", "the first again"}));
}

// Holds: S136
TEST_P(TaskSync, ATaskThatGotTheLockAndWasCancelledHasItAndTheNextOneGetsItFromThere)
{
    Lock lock = NewLock(loop);
    InTask([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        Task first = Taker(lock, "first"), second = Taker(lock, "second");
        Rounds(1);
        EXPECT_EQ(hoya_lock_release(lock.get()), 0);
        EXPECT_EQ(hoya_task_cancel(first.get(), nullptr), 1);
        EXPECT_EQ(hoya_wait_done(Of(second)), 0);
        return 0;
    });
    EXPECT_EQ(trace, (Trace{"first", "second"}));
}

// Holds: S136
TEST_P(TaskSync, ATaskThatIsCancelledInTheLineLeavesIt)
{
    Lock lock = NewLock(loop);
    InTask([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        Task first = Taker(lock, "first"), second = Taker(lock, "second");
        Rounds(1);
        EXPECT_EQ(hoya_task_cancel(first.get(), nullptr), 1);
        Rounds(1);
        EXPECT_EQ(hoya_lock_release(lock.get()), 0);
        return hoya_wait_done(Of(second));
    });
    EXPECT_EQ(trace, (Trace{"first: HOYA_ECANCELED", "second"}));
}

TEST_P(TaskSync, ACancelThatIsTakenBackCostsNobodyHisPlaceInTheLine)
{
    Lock lock = NewLock(loop);
    InTask([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        Task first = Taker(lock, "first"), second = Taker(lock, "second");
        Rounds(1);
        EXPECT_EQ(hoya_task_cancel(first.get(), nullptr), 1);
        EXPECT_EQ(hoya_task_uncancel(first.get()), 0);
        Rounds(2);
        EXPECT_EQ(hoya_lock_release(lock.get()), 0);
        return hoya_wait_done(Of(second));
    });
    EXPECT_EQ(trace, (Trace{"first", "second"}));
}

TEST_P(TaskSync, AWaitForALockEndsWithItsTime)
{
    Lock lock = NewLock(loop);
    Task holder = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        Task late = Create([&](hoya_task *) {
            hoya_timeout *scope = nullptr;
            EXPECT_EQ(hoya_timeout_enter(HOYA_USEC(100), &scope), 0);
            EXPECT_EQ(hoya_lock_acquire(lock.get()), HOYA_EDEADLINE);
            EXPECT_EQ(hoya_lock_release(lock.get()), HOYA_EPERM);
            EXPECT_EQ(hoya_timeout_leave(scope), 1);
            return 0;
        });
        EXPECT_EQ(hoya_await(Of(late), nullptr), 0);
        return hoya_lock_release(lock.get());
    });
    RunUntilDone({Of(holder)});
    EXPECT_EQ(Result(holder), 0);
}

TEST_P(TaskSync, ALockBelongsToItsTask)
{
    Lock lock = NewLock(loop, "the till");
    EXPECT_EQ(hoya_lock_acquire(lock.get()), HOYA_ESTATE) << "no task";
    EXPECT_EQ(hoya_lock_try_acquire(lock.get()), HOYA_ESTATE);
    EXPECT_EQ(hoya_lock_release(lock.get()), HOYA_ESTATE) << "it is not locked";
    InTask([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_try_acquire(lock.get()), 0);
        EXPECT_EQ(hoya_lock_acquire(lock.get()), HOYA_EDEADLK) << "it would wait for itself";
        EXPECT_STREQ(hoya_error_detail(), "main has the lock the till already");
        Task other = Create([&](hoya_task *) { return hoya_lock_release(lock.get()); });
        EXPECT_EQ(hoya_await(Of(other), nullptr), HOYA_EPERM);
        CallSoon([&] { EXPECT_EQ(hoya_lock_release(lock.get()), HOYA_EPERM) << "a callback"; });
        Rounds(2);
        EXPECT_EQ(hoya_lock_locked(lock.get()), 1);
        EXPECT_EQ(hoya_lock_release(lock.get()), 0);
        EXPECT_EQ(hoya_lock_release(lock.get()), HOYA_ESTATE);
        return 0;
    });
}

TEST_P(TaskSync, ALockThatATaskKeptWhenItEndedStaysLockedAndCanBeFreed)
{
    Lock lock = NewLock(loop);
    InTask([&](hoya_task *) { return hoya_lock_acquire(lock.get()); });
    InTask([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_try_acquire(lock.get()), HOYA_EAGAIN);
        Task waiter = Taker(lock, "waiter");
        Rounds(1);
        EXPECT_NE(Dump().find("waits for a lock, held by a task that has ended"), std::string::npos) << Dump();
        EXPECT_EQ(hoya_task_cancel(waiter.get(), nullptr), 1);
        return hoya_wait_done(Of(waiter));
    });
    EXPECT_EQ(trace, Trace{"waiter: HOYA_ECANCELED"});
}

/* ---- event ------------------------------------------------------------------------------------------------- */

// Holds: S137
TEST_P(TaskSync, AnEventThatIsSetAndClearedAtOnceWakesAllWhoWaited)
{
    Event event = NewEvent(loop);
    auto wait = [&] { return hoya_event_wait(event.get()); };
    Task a = Waiter("a", wait), b = Waiter("b", wait);
    CallSoon([&] {
        EXPECT_EQ(hoya_event_set(event.get()), 0);
        EXPECT_EQ(hoya_event_is_set(event.get()), 1);
        EXPECT_EQ(hoya_event_clear(event.get()), 0);
        EXPECT_EQ(hoya_event_is_set(event.get()), 0);
        Note("cleared");
    });
    RunUntilDone({Of(a), Of(b)});
    EXPECT_EQ(trace, (Trace{"cleared", "a", "b"}));
    InTask([&](hoya_task *) {
        Task late = Waiter("late", wait);
        Rounds(2);
        EXPECT_FALSE(Done(late));
        EXPECT_EQ(hoya_event_set(event.get()), 0);
        return hoya_await(Of(late), nullptr);
    });
}

/* ---- condition --------------------------------------------------------------------------------------------- */

TEST_P(TaskSync, AConditionGivesUpTheLockWhileItWaitsAndHasItAfterwards)
{
    Lock lock = NewLock(loop);
    Condition condition = NewCondition(lock);
    bool ready = false;
    auto predicate = [](void *arg) { return static_cast<int>(*static_cast<bool *>(arg)); };
    Task waiter = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        EXPECT_EQ(hoya_condition_wait_for(condition.get(), predicate, &ready), 0);
        EXPECT_TRUE(ready);
        Note("ready");
        return hoya_lock_release(lock.get());
    });
    Task maker = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0) << "it is free while the other one waits";
        EXPECT_EQ(hoya_condition_notify(condition.get(), 1), 1) << "for nothing";
        EXPECT_EQ(hoya_lock_release(lock.get()), 0);
        Rounds(2);
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        ready = true;
        EXPECT_EQ(hoya_condition_notify_all(condition.get()), 1);
        Note("made");
        return hoya_lock_release(lock.get());
    });
    RunUntilDone({Of(waiter), Of(maker)});
    EXPECT_EQ(trace, (Trace{"made", "ready"}));
    EXPECT_EQ(Result(waiter), 0);
}

TEST_P(TaskSync, NotifyWakesSoManyTheFirstOnesFirst)
{
    Lock lock = NewLock(loop);
    Condition condition = NewCondition(lock);
    std::vector<Task> tasks;
    std::vector<hoya_future *> ends;
    for (const char *word : {"a", "b", "c", "d"}) {
        tasks.push_back(Waiter(word, [&] {
            EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
            int rc = hoya_condition_wait(condition.get());
            EXPECT_EQ(hoya_lock_release(lock.get()), 0);
            return rc;
        }));
        ends.push_back(Of(tasks.back()));
    }
    RunRounds(2);
    EXPECT_EQ(hoya_condition_notify(condition.get(), -1), HOYA_EINVAL);
    EXPECT_EQ(hoya_condition_notify(condition.get(), 0), 0);
    EXPECT_EQ(hoya_condition_notify(condition.get(), 2), 2) << "in a callback, too";
    RunRounds(4);
    EXPECT_EQ(trace, (Trace{"a", "b"}));
    EXPECT_EQ(hoya_condition_notify(condition.get(), 7), 2);
    RunUntilDone(ends);
    EXPECT_EQ(trace, (Trace{"a", "b", "c", "d"}));
}

// Holds: S138
TEST_P(TaskSync, AConditionHasItsLockAgainHoweverOftenItWasCancelled)
{
    Lock lock = NewLock(loop);
    Condition condition = NewCondition(lock);
    Task waiter = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        EXPECT_EQ(hoya_condition_wait(condition.get()), HOYA_ECANCELED);
        Note("has it again");
        EXPECT_EQ(hoya_condition_wait(condition.get()), HOYA_ECANCELED) << "at once, with the lock";
        return hoya_lock_release(lock.get());
    });
    InTask([&](hoya_task *) {
        Rounds(1);
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        for (int i = 0; i < 3; i++) {
            EXPECT_EQ(hoya_task_cancel(waiter.get(), nullptr), 1);
            Rounds(1);
        }
        Note("gives it");
        EXPECT_EQ(hoya_lock_release(lock.get()), 0);
        return hoya_await(Of(waiter), nullptr);
    });
    EXPECT_EQ(trace, (Trace{"gives it", "has it again"}));
    EXPECT_EQ(Result(waiter), 0);
    EXPECT_EQ(hoya_lock_locked(lock.get()), 0);
}

// Holds: S138
TEST_P(TaskSync, ATimeoutWhileAConditionTakesItsLockBackIsWaitedOut)
{
    Lock lock = NewLock(loop);
    Condition condition = NewCondition(lock);
    Task waiter = Create([&](hoya_task *) {
        hoya_timeout *scope = nullptr;
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        EXPECT_EQ(hoya_timeout_enter(HOYA_USEC(100), &scope), 0);
        EXPECT_EQ(hoya_condition_wait(condition.get()), HOYA_EDEADLINE);
        EXPECT_EQ(hoya_timeout_leave(scope), 1);
        return hoya_lock_release(lock.get());
    });
    InTask([&](hoya_task *) {
        Rounds(1);
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(2)), 0);
        EXPECT_FALSE(Done(waiter));
        EXPECT_EQ(hoya_lock_release(lock.get()), 0);
        return hoya_await(Of(waiter), nullptr);
    });
    EXPECT_EQ(Result(waiter), 0);
}

// Holds: S138
TEST_P(TaskSync, ATaskThatWasNotifiedAndThenCancelledWasNotified)
{
    Lock lock = NewLock(loop);
    Condition condition = NewCondition(lock);
    auto wait = [&] {
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        int rc = hoya_condition_wait(condition.get());
        EXPECT_EQ(hoya_lock_release(lock.get()), 0);
        return rc;
    };
    Task gone = Waiter("gone", wait), first = Waiter("first", wait), second = Waiter("second", wait);
    InTask([&](hoya_task *) {
        Rounds(1);
        EXPECT_EQ(hoya_task_cancel(gone.get(), nullptr), 1);
        Rounds(1);
        EXPECT_EQ(hoya_condition_notify(condition.get(), 1), 1);
        EXPECT_EQ(hoya_task_cancel(first.get(), nullptr), 1);
        Rounds(2);
        EXPECT_FALSE(Done(second)) << "there was one notification";
        EXPECT_EQ(hoya_condition_notify_all(condition.get()), 1);
        return hoya_wait_done(Of(second));
    });
    EXPECT_EQ(trace, (Trace{"gone: HOYA_ECANCELED", "first", "second"}));
}

TEST_P(TaskSync, AConditionWantsItsLock)
{
    Lock lock = NewLock(loop);
    Condition condition = NewCondition(lock);
    hoya_condition *none = nullptr;
    EXPECT_EQ(hoya_condition_new(nullptr, nullptr, &none), HOYA_EINVAL);
    InTask([&](hoya_task *) {
        EXPECT_EQ(hoya_condition_wait(condition.get()), HOYA_EPERM);
        EXPECT_EQ(hoya_condition_wait_for(
                      condition.get(), [](void *) { return 1; }, nullptr),
                  HOYA_EPERM);
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        EXPECT_EQ(hoya_condition_wait_for(condition.get(), nullptr, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_condition_wait_for(
                      condition.get(), [](void *) { return 1; }, nullptr),
                  0)
            << "it is so already";
        return hoya_lock_release(lock.get());
    });
}

/* ---- semaphore --------------------------------------------------------------------------------------------- */

// Holds: S139
TEST_P(TaskSync, PermitsGoToThoseWhoWaitInTheOrderOfComing)
{
    Semaphore semaphore = NewSemaphore(loop, 1);
    auto take = [&] { return hoya_semaphore_acquire(semaphore.get()); };
    Task a = Waiter("a", take), b = Waiter("b", take), c = Waiter("c", take);
    InTask([&](hoya_task *) {
        Rounds(1);
        EXPECT_EQ(hoya_semaphore_release(semaphore.get()), 0);
        EXPECT_EQ(hoya_semaphore_value(semaphore.get()), 0u);
        EXPECT_EQ(hoya_semaphore_try_acquire(semaphore.get()), HOYA_EAGAIN) << "it is b's";
        EXPECT_EQ(hoya_semaphore_release(semaphore.get()), 0);
        EXPECT_EQ(hoya_semaphore_release(semaphore.get()), 0);
        Task d = Waiter("d", take);
        EXPECT_EQ(hoya_await(Of(d), nullptr), 0);
        EXPECT_EQ(hoya_semaphore_release(semaphore.get()), 0);
        EXPECT_EQ(hoya_semaphore_try_acquire(semaphore.get()), 0);
        return 0;
    });
    EXPECT_EQ(trace, (Trace{"a", "b", "c", "d"}));
}

// Holds: S136 S139
TEST_P(TaskSync, ACancelLosesNoPermit)
{
    Semaphore semaphore = NewSemaphore(loop, 0);
    auto take = [&] { return hoya_semaphore_acquire(semaphore.get()); };
    Task gone = Waiter("gone", take), first = Waiter("first", take), second = Waiter("second", take);
    InTask([&](hoya_task *) {
        Rounds(1);
        EXPECT_EQ(hoya_task_cancel(gone.get(), nullptr), 1);
        Rounds(1);
        EXPECT_EQ(hoya_semaphore_release(semaphore.get()), 0);
        EXPECT_EQ(hoya_task_cancel(first.get(), nullptr), 1);
        Rounds(1);
        EXPECT_EQ(hoya_semaphore_release(semaphore.get()), 0);
        EXPECT_EQ(hoya_await(Of(second), nullptr), 0);
        EXPECT_EQ(hoya_semaphore_value(semaphore.get()), 0u);
        return 0;
    });
    EXPECT_EQ(trace, (Trace{"gone: HOYA_ECANCELED", "first", "second"}));
}

TEST_P(TaskSync, ABoundedSemaphoreHasNeverMorePermitsThanItsBound)
{
    hoya_semaphore *none = nullptr;
    EXPECT_EQ(hoya_semaphore_new(loop, nullptr, 3, 2, &none), HOYA_EINVAL);
    Semaphore semaphore = NewSemaphore(loop, 2, 2);
    EXPECT_EQ(hoya_semaphore_release(semaphore.get()), HOYA_ELIMIT);
    EXPECT_EQ(hoya_semaphore_try_acquire(semaphore.get()), 0) << "in a callback, too";
    EXPECT_EQ(hoya_semaphore_release(semaphore.get()), 0);
    EXPECT_EQ(hoya_semaphore_value(semaphore.get()), 2u);
    Semaphore unbounded = NewSemaphore(loop, UINT32_MAX);
    EXPECT_EQ(hoya_semaphore_release(unbounded.get()), HOYA_EOVERFLOW);
}

/* ---- barrier ----------------------------------------------------------------------------------------------- */

// Holds: S140
TEST_P(TaskSync, ABarrierGivesEachOfAPartyANumberOfItsOwnInTheOrderOfComing)
{
    Barrier barrier = NewBarrier(loop, 3);
    std::vector<int> numbers(6, -1);
    std::vector<Task> tasks;
    std::vector<hoya_future *> ends;
    for (int &number : numbers) {
        tasks.push_back(Create([&](hoya_task *) {
            number = hoya_barrier_wait(barrier.get());
            return 0;
        }));
        ends.push_back(Of(tasks.back()));
    }
    Task gone;
    gone = Create([&](hoya_task *) { return hoya_barrier_wait(barrier.get()); });
    RunUntilDone(ends);
    EXPECT_EQ(numbers, (std::vector<int>{0, 1, 2, 0, 1, 2}));
    RunRounds(1);
    EXPECT_EQ(hoya_barrier_waiting(barrier.get()), 1u);
    EXPECT_EQ(hoya_task_cancel(gone.get(), nullptr), 1);
    RunRounds(1);
    EXPECT_EQ(Result(gone), HOYA_ECANCELED);
    EXPECT_EQ(hoya_barrier_waiting(barrier.get()), 0u) << "it has stepped back";
    EXPECT_EQ(hoya_barrier_broken(barrier.get()), 0);
}

// Holds: S140
TEST_P(TaskSync, WhoWasLetThroughABarrierIsNotMetByAResetOrAnAbort)
{
    Barrier barrier = NewBarrier(loop, 2, "the gate");
    auto wait = [&] { return hoya_barrier_wait(barrier.get()); };
    InTask([&](hoya_task *) {
        Task first = Waiter("first", wait);
        Rounds(1);
        EXPECT_EQ(hoya_barrier_wait(barrier.get()), 1);
        EXPECT_EQ(hoya_barrier_abort(barrier.get()), 0);
        EXPECT_EQ(hoya_barrier_broken(barrier.get()), 1);
        EXPECT_EQ(hoya_await(Of(first), nullptr), 0);
        EXPECT_EQ(hoya_barrier_wait(barrier.get()), HOYA_ESTATE);
        EXPECT_STREQ(hoya_error_detail(), "the barrier the gate is broken");
        EXPECT_EQ(hoya_barrier_reset(barrier.get()), 0);
        Task met = Waiter("met", wait);
        Rounds(1);
        EXPECT_EQ(hoya_barrier_reset(barrier.get()), 0);
        EXPECT_EQ(hoya_barrier_waiting(barrier.get()), 0u);
        Task again = Waiter("again", wait);
        Rounds(1);
        EXPECT_EQ(hoya_barrier_wait(barrier.get()), 1) << "it is as new";
        EXPECT_EQ(hoya_await(Of(again), nullptr), 0);
        EXPECT_EQ(hoya_await(Of(met), nullptr), HOYA_ESTATE);
        return 0;
    });
    EXPECT_EQ(trace, (Trace{"first", "met: HOYA_ESTATE", "again"}));
    hoya_barrier *none = nullptr;
    EXPECT_EQ(hoya_barrier_new(loop, nullptr, 0, &none), HOYA_EINVAL);
}

/* ---- all --------------------------------------------------------------------------------------------------- */

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
