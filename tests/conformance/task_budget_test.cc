/* SPDX-License-Identifier: MIT
 *
 * conformance/task_budget_test.cc: a task that only ever finds ready things does not keep the loop for itself.
 */
#include "sync.h"
#include "tasks.h"

namespace hoya_test
{

class TaskBudget : public TaskConformance
{
  protected:
    static constexpr int kMany = 1000000;

    /* One task does that again and again; meanwhile a callback, a timer, a descriptor and another task have their turns. */
    void ExpectOthersRun(const std::function<int()> &call)
    {
        int calls = 0;
        bool stop = false;
        auto ends = MakePipe();
        Task busy = Create([&](hoya_task *) {
            int rc = 0;
            while (rc == 0 && !stop && calls < kMany) rc = call(), calls++;
            return rc;
        });
        Task other = Create([&](hoya_task *) {
            Note("task");
            return 0;
        });
        CallSoon(Say("callback"));
        Handle timer = CallLater(HOYA_USEC(10), [&] { Note("timer"); });
        Feed(ends[1]);
        AddReader(ends[0], [&] {
            Drain(ends[0]);
            Note("descriptor");
        });
        Task last = Create([&](hoya_task *) {
            int rc = 0;
            while (rc == 0 && trace.size() < 4) rc = hoya_sleep(0);
            stop = true;
            return rc;
        });
        RunUntilDone({Of(busy), Of(other), Of(last)});
        EXPECT_EQ(Result(busy), 0);
        EXPECT_LT(calls, kMany) << "nobody else had a turn";
        EXPECT_TRUE(Seen("task") && Seen("callback") && Seen("timer") && Seen("descriptor"));
        EXPECT_GT(calls, 10) << "a turn for each call is not what fast means";
    }
};

INSTANTIATE_TEST_SUITE_P(Hosts, TaskBudget, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

// Holds: S143
TEST_P(TaskBudget, AwaitingFuturesThatAreDoneLetsTheLoopTurn)
{
    Future good = NewFuture(), bad = NewFuture();
    EXPECT_EQ(hoya_future_set_result(good.get(), nullptr, nullptr), 0);
    EXPECT_EQ(hoya_future_set_exception(bad.get(), HOYA_EIO, nullptr), 0);
    ExpectOthersRun([&] { return hoya_await(good.get(), nullptr); });
    trace.clear();
    ExpectOthersRun([&] { return hoya_await(bad.get(), nullptr) == HOYA_EIO ? 0 : -1; });
    trace.clear();
    ExpectOthersRun([&] { return hoya_wait_done(good.get()); });
    trace.clear();
    Future pending = NewFuture();
    hoya_future *futures[] = {good.get(), pending.get()};
    ExpectOthersRun([&] { return hoya_wait(futures, 2, HOYA_FIRST_COMPLETED, HOYA_NEVER) == 1 ? 0 : -1; });
    trace.clear();
    ExpectOthersRun([&] { return hoya_wait(futures, 2, HOYA_ALL_COMPLETED, 0) == 1 ? 0 : -1; });
}

// Holds: S143
TEST_P(TaskBudget, ALockThatIsFreeLetsTheLoopTurn)
{
    Lock lock = NewLock(loop);
    ExpectOthersRun([&] {
        int rc = hoya_lock_acquire(lock.get());
        return rc < 0 ? rc : hoya_lock_release(lock.get());
    });
}

// Holds: S143
TEST_P(TaskBudget, ASemaphoreAnEventAndABarrierLetTheLoopTurn)
{
    Semaphore semaphore = NewSemaphore(loop, 1);
    Event event = NewEvent(loop);
    Barrier barrier = NewBarrier(loop, 1);
    EXPECT_EQ(hoya_event_set(event.get()), 0);
    ExpectOthersRun([&] {
        int rc = hoya_semaphore_acquire(semaphore.get());
        return rc < 0 ? rc : hoya_semaphore_release(semaphore.get());
    });
    trace.clear();
    ExpectOthersRun([&] { return hoya_event_wait(event.get()); });
    trace.clear();
    ExpectOthersRun([&] { return hoya_barrier_wait(barrier.get()); });
}

// Holds: S143
TEST_P(TaskBudget, AGroupWithoutChildrenLetsTheLoopTurn)
{
    hoya_group *group = nullptr;
    ExpectOthersRun([&] {
        int rc = group ? 0 : hoya_group_enter(nullptr, &group);
        return rc < 0 ? rc : hoya_group_join(group);
    });
    trace.clear();
    ExpectOthersRun([&] {
        int rc = hoya_group_enter(nullptr, &group);
        return rc < 0 ? rc : hoya_group_leave(group);
    });
}

// Holds: S143
TEST_P(TaskBudget, AQueueWithRoomOrItemsLetsTheLoopTurn)
{
    Queue queue = NewQueue(loop, HOYA_QUEUE_UNBOUNDED);
    int item = 0;
    ExpectOthersRun([&] { return hoya_queue_put(queue.get(), &item); });
    void *got = nullptr;
    while (hoya_queue_get_nowait(queue.get(), &got) == 0) continue;
    for (int i = 0; i < kMany; i++) EXPECT_EQ(hoya_queue_put_nowait(queue.get(), &item), 0);
    trace.clear();
    ExpectOthersRun([&] { return hoya_queue_get(queue.get(), &got); });
    while (hoya_queue_task_done(queue.get()) == 0) continue;
    trace.clear();
    ExpectOthersRun([&] { return hoya_queue_join(queue.get()); });
}

// Holds: S143
TEST_P(TaskBudget, WhatIsThereIsDeliveredThoughACancelCameDuringTheTurn)
{
    Queue queue = NewQueue(loop, HOYA_QUEUE_UNBOUNDED);
    int item = 0, got = 0, turns = 0;
    for (int i = 0; i < kMany / 10; i++) EXPECT_EQ(hoya_queue_put_nowait(queue.get(), &item), 0);
    Task getter = Create([&](hoya_task *) {
        void *next = nullptr;
        for (; got < kMany / 10; got++) EXPECT_EQ(hoya_queue_get(queue.get(), &next), 0);
        EXPECT_GT(turns, 1);
        EXPECT_EQ(hoya_queue_get(queue.get(), &next), HOYA_ECANCELED) << "the cancel is still there";
        return 0;
    });
    Task other = Create([&](hoya_task *) {
        for (; !Done(getter); turns++) {
            hoya_task_cancel(getter.get(), nullptr);
            EXPECT_EQ(hoya_sleep(0), 0);
        }
        return 0;
    });
    RunUntilDone({Of(getter), Of(other)});
    EXPECT_EQ(Result(getter), 0);
}

TEST_P(TaskBudget, ATaskThatIsLetToItsEndByTheCloseIsNotHeldUp)
{
    Future done = NewFuture();
    EXPECT_EQ(hoya_future_set_result(done.get(), nullptr, nullptr), 0);
    int calls = 0;
    Task busy = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        for (; calls < kMany / 10; calls++) EXPECT_EQ(hoya_await(done.get(), nullptr), 0);
        return 0;
    });
    Task paused = Create([&](hoya_task *) {
        for (int i = 0; i < kMany / 10; i++) EXPECT_EQ(hoya_await(done.get(), nullptr), 0);
        Note("paused ended");
        return 0;
    });
    RunRounds(2);
    EXPECT_EQ(trace, Trace{});
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(calls, kMany / 10);
    EXPECT_EQ(trace, Trace{"paused ended"});
    ClearLog();
}

// Holds: S143
TEST_P(TaskBudget, AConditionThatIsSoAlreadyLetsTheLoopTurn)
{
    Lock lock = NewLock(loop);
    Condition condition = NewCondition(lock);
    ExpectOthersRun([&] {
        int rc = hoya_lock_try_acquire(lock.get());
        if (rc == 0)
            rc = hoya_condition_wait_for(
                condition.get(), [](void *) { return 1; }, nullptr);
        return rc < 0 ? rc : hoya_lock_release(lock.get());
    });
}

// Holds: S143
TEST_P(TaskBudget, FuturesThatAreDoneAndGivenOneByOneLetTheLoopTurn)
{
    Future good = NewFuture();
    EXPECT_EQ(hoya_future_set_result(good.get(), nullptr, nullptr), 0);
    ExpectOthersRun([&] {
        hoya_future *future = good.get();
        hoya_as_completed *iterator = nullptr;
        EXPECT_EQ(hoya_as_completed_new(loop, &future, 1, &iterator), 0);
        int rc = hoya_as_completed_next(iterator, &future);
        hoya_as_completed_free(iterator);
        return rc == 1 ? 0 : -1;
    });
}

} // namespace hoya_test
