/* SPDX-License-Identifier: MIT
 *
 * conformance/task_sync_test.cc: locks, events, conditions, semaphores and barriers, each by itself. Who waits is
 * served in the order of coming, and a cancel loses nothing.
 */
#include "task_sync.h"

namespace hoya_test
{

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
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(5), &scope), 0);
        EXPECT_EQ(hoya_condition_wait(condition.get()), HOYA_EDEADLINE);
        EXPECT_EQ(hoya_timeout_leave(scope), 1);
        return hoya_lock_release(lock.get());
    });
    InTask([&](hoya_task *) {
        /* Still the round in which the waiter has begun to wait. */
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(10)), 0);
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

} // namespace hoya_test
