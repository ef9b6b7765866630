/* SPDX-License-Identifier: MIT
 *
 * conformance/combine_task_test.cc: tasks that wait for several futures: wait and wait_for; and what a task has of
 * the combinators.
 */
#include "combine_tasks.h"

namespace hoya_test
{

/* ---- await what others want -------------------------------------------------------------------------------------- */

// Holds: S41
TEST_P(TaskConformance, ACancelledTaskSparesWhatIsToCome)
{
    auto fine = [](hoya_future *, hoya_future *, void *) { return 0; };
    for (bool asked : {true, false}) {
        Future future = NewFuture();
        hoya_future *next = nullptr;
        EXPECT_EQ(hoya_future_then(future.get(), fine, nullptr, nullptr, nullptr, asked ? &next : nullptr), 0);
        Task task = Create([&](hoya_task *) { return hoya_await(future.get(), nullptr); });
        RunRounds(2);
        EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
        RunUntilDone({Of(task)});
        EXPECT_EQ(Result(task), HOYA_ECANCELED);
        EXPECT_EQ(IsDone(future), !asked) << "a callback is no reason to spare it";
        hoya_future_unref(next);
        RunRounds(1);
        ClearLog();
    }
}

/* ---- await a combinator ---------------------------------------------------------------------------------------- */

// Holds: S61
TEST_P(TaskConformance, ACancelledTaskThatAwaitsAGatherWaitsForAllOfIt)
{
    int ended = 0;
    auto clean_up = [&](hoya_task *) {
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        EXPECT_EQ(hoya_shield_enter(), 0);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        EXPECT_EQ(hoya_shield_leave(), 0);
        return ++ended, HOYA_ECANCELED;
    };
    Task first = Create(clean_up), second = Create(clean_up);
    Task main = Create([&](hoya_task *) {
        int rc = hoya_await(Gather(loop, {Of(first), Of(second)}).get(), nullptr);
        EXPECT_EQ(ended, 2);
        return rc;
    });
    RunRounds(2);
    EXPECT_EQ(hoya_task_cancel(main.get(), nullptr), 1);
    RunUntilDone({Of(main)});
    EXPECT_EQ(Result(main), HOYA_ECANCELED);
}

// Holds: S63
TEST_P(TaskConformance, ACancelledTaskThatAwaitsAShieldLeavesTheFutureAlone)
{
    Future inner = NewFuture();
    Task main = Create([&](hoya_task *) { return hoya_await(Shield(inner.get()).get(), nullptr); });
    RunRounds(1);
    EXPECT_EQ(hoya_task_cancel(main.get(), nullptr), 1);
    RunUntilDone({Of(main)});
    EXPECT_EQ(Result(main), HOYA_ECANCELED);
    EXPECT_FALSE(IsDone(inner));
}

// Holds: S41
TEST_P(TaskConformance, ACancelLeavesAloneWhatACombinatorWaitsForAsWell)
{
    Future future = NewFuture();
    Future outer = Shield(future.get());
    Task waits = Create([&](hoya_task *) { return Wait({future.get()}, HOYA_ALL_COMPLETED) == 1 ? 0 : HOYA_EIO; });
    Task awaits = Create([&](hoya_task *) { return hoya_await(future.get(), nullptr); });
    for (int i = 0; i < 2; i++) {
        RunRounds(1);
        EXPECT_EQ(hoya_task_cancel(awaits.get(), nullptr), 1);
        RunRounds(2);
        EXPECT_EQ(Result(awaits), HOYA_ECANCELED);
        EXPECT_FALSE(IsDone(future));
        outer.reset();
        awaits = Create([&](hoya_task *) { return hoya_await(future.get(), nullptr); });
    }
    EXPECT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), 0);
    RunUntilDone({Of(waits), Of(awaits)});
    EXPECT_EQ(Result(waits), 0);
}

/* ---- wait ------------------------------------------------------------------------------------------------------ */

// Holds: S57 S58
TEST_P(TaskConformance, ATaskWaitsForSomeOfItsFutures)
{
    constexpr int kMany = 40; /* more than there is room for on a stack */
    std::vector<Future> futures;
    Parts parts;
    for (int i = 0; i < kMany; i++) futures.push_back(NewFuture()), parts.push_back(futures.back().get());
    Parts few(parts.begin(), parts.begin() + 3);
    auto start = [&](const Parts &of, hoya_when when, int expected) {
        return Create([&, of, when, expected](hoya_task *) {
            EXPECT_EQ(Wait(of, when), expected);
            Note(std::to_string(expected));
            return 0;
        });
    };
    Task first = start(few, HOYA_FIRST_COMPLETED, 2), failure = start(parts, HOYA_FIRST_EXCEPTION, 4),
         all = start(few, HOYA_ALL_COMPLETED, 3), many = start(parts, HOYA_ALL_COMPLETED, kMany);
    RunRounds(1);
    hoya_future_cancel(parts[0], nullptr);
    hoya_future_set_result(parts[2], nullptr, nullptr);
    RunRounds(1);
    EXPECT_EQ(trace, Trace{"2"}) << "all that are done when it is woken";
    hoya_future_set_result(parts[1], nullptr, nullptr);
    hoya_future_set_exception(parts[3], HOYA_EPIPE, "unseen");
    RunRounds(1);
    EXPECT_EQ(trace, (Trace{"2", "3", "4"}));
    for (int i = 4; i < kMany; i++) hoya_future_set_result(parts[size_t(i)], nullptr, nullptr);
    RunUntilDone({Of(first), Of(failure), Of(all), Of(many)});
    futures.clear();
    EXPECT_TRUE(Logged("unseen")) << "a wait looks at no error";
}

// Holds: S57
TEST_P(TaskConformance, AWaitOfATaskHasATimeoutThatIsNoError)
{
    Future a = NewFuture(), b = NewFuture();
    Task task = Create([&](hoya_task *) {
        Parts parts{a.get(), b.get()};
        EXPECT_EQ(Wait(parts, HOYA_FIRST_COMPLETED, HOYA_MSEC(1)), 0);
        EXPECT_EQ(Wait(parts, HOYA_FIRST_COMPLETED, 0), 0);
        EXPECT_EQ(hoya_future_set_result(a.get(), nullptr, nullptr), 0);
        EXPECT_EQ(Wait(parts, HOYA_ALL_COMPLETED, HOYA_MSEC(1)), 1);
        hoya_timeout *scope = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &scope), 0);
        EXPECT_EQ(Wait(parts, HOYA_ALL_COMPLETED, HOYA_SEC(60)), HOYA_EDEADLINE) << "that is the scope's";
        EXPECT_EQ(Wait(parts, HOYA_FIRST_COMPLETED, HOYA_SEC(60)), 1) << "what is there already comes first";
        EXPECT_EQ(hoya_timeout_leave(scope), 1);
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_FALSE(IsDone(b));
    EXPECT_EQ(Stats().timers, 0u);
}

// Holds: S57 S43
TEST_P(TaskConformance, ACancelledWaitLeavesItsFuturesAloneAndLosesNothing)
{
    Future a = NewFuture(), b = NewFuture();
    Task task = Create([&](hoya_task *self) {
        Parts parts{a.get(), b.get()};
        EXPECT_EQ(Wait(parts, HOYA_FIRST_COMPLETED), HOYA_ECANCELED);
        EXPECT_EQ(hoya_task_uncancel(self), 0);
        EXPECT_EQ(Wait(parts, HOYA_FIRST_COMPLETED), 1) << "it came before the cancel";
        EXPECT_EQ(Wait(parts, HOYA_ALL_COMPLETED), HOYA_ECANCELED) << "which stays";
        return 0;
    });
    RunRounds(1);
    EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
    RunRounds(1);
    EXPECT_EQ(hoya_future_set_result(a.get(), nullptr, nullptr), 0);
    EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), 0);
    EXPECT_FALSE(IsDone(b));
}

/* A cancel that is taken back wakes the task, which then has nothing to say. */
TEST_P(TaskConformance, AWaitGoesOnAfterACancelThatWasTakenBack)
{
    Future a = NewFuture();
    AsCompleted iterator = Iterate(loop, {a.get()});
    Task waits = Create([&](hoya_task *) { return Wait({a.get()}, HOYA_ALL_COMPLETED) == 1 ? 0 : HOYA_EIO; });
    Task next =
        Create([&](hoya_task *) { return hoya_as_completed_next(iterator.get(), nullptr) == 1 ? 0 : HOYA_EIO; });
    for (const Task *task : {&waits, &next}) {
        RunRounds(1);
        EXPECT_EQ(hoya_task_cancel(task->get(), nullptr), 1);
        EXPECT_EQ(hoya_task_uncancel(task->get()), 0);
    }
    RunRounds(1);
    EXPECT_FALSE(Done(waits) || Done(next));
    EXPECT_EQ(hoya_future_set_result(a.get(), nullptr, nullptr), 0);
    RunUntilDone({Of(waits), Of(next)});
    EXPECT_EQ(Result(waits), 0);
    EXPECT_EQ(Result(next), 0);
}

TEST_P(TaskConformance, WhatATaskCannotWaitForIsRefused)
{
    Future a = NewFuture();
    Parts parts{a.get()};
    EXPECT_EQ(Wait(parts, HOYA_ALL_COMPLETED), HOYA_ESTATE) << "no task";
    EXPECT_EQ(hoya_wait_for(a.get(), 0, nullptr), HOYA_ESTATE);
    size_t winner = 0;
    EXPECT_EQ(Attempts({SleepLong}).Race(0, &winner), HOYA_ESTATE);
    hoya_loop *sibling = NewSibling();
    Future there = hoya_test::NewFuture(sibling);
    Task task = Create([&](hoya_task *self) {
        EXPECT_EQ(Wait({}, HOYA_ALL_COMPLETED), HOYA_EINVAL);
        EXPECT_EQ(Wait(parts, hoya_when(7)), HOYA_EINVAL);
        EXPECT_EQ(Wait({a.get(), nullptr}, HOYA_FIRST_COMPLETED), HOYA_EINVAL);
        EXPECT_EQ(Wait({a.get(), there.get()}, HOYA_FIRST_COMPLETED), HOYA_EINVAL);
        EXPECT_EQ(hoya_wait(nullptr, 1, HOYA_FIRST_COMPLETED, 0), HOYA_EINVAL);
        EXPECT_EQ(Wait({a.get(), hoya_task_future(self)}, HOYA_FIRST_COMPLETED), HOYA_EDEADLK);
        EXPECT_EQ(hoya_wait_for(nullptr, 0, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_staggered_race(nullptr, 1, 0, nullptr), HOYA_EINVAL);
        EXPECT_EQ(Attempts({}).Race(0, nullptr), HOYA_EINVAL);
        return 0;
    });
    RunUntilDone({Of(task)});
    hoya_as_completed *iterator = nullptr;
    hoya_future *const wrong[] = {there.get()};
    EXPECT_EQ(hoya_as_completed_new(loop, wrong, 1, &iterator), HOYA_EINVAL);
    EXPECT_EQ(hoya_as_completed_new(loop, nullptr, 1, &iterator), HOYA_EINVAL);
    EXPECT_EQ(hoya_as_completed_next(nullptr, nullptr), HOYA_EINVAL);
    there.reset();
    Release(sibling);
}

// Holds: S51
TEST_P(TaskConformance, ADumpTellsForHowManyFuturesATaskWaits)
{
    Future a = NewFuture(), b = NewFuture();
    Task task = Create([&](hoya_task *) {
        return Wait({a.get(), b.get()}, HOYA_FIRST_COMPLETED) == 1 ? 0 : HOYA_EIO;
    });
    AsCompleted iterator = Iterate(loop, {a.get(), b.get()});
    Task next =
        Create([&](hoya_task *) { return hoya_as_completed_next(iterator.get(), nullptr) == 1 ? 0 : HOYA_EIO; });
    Task gather = Create([&](hoya_task *) { return hoya_await(Gather(loop, {a.get(), b.get()}).get(), nullptr); });
    RunRounds(1);
    std::string text;
    auto line = [](const char *words, void *arg) { *static_cast<std::string *>(arg) += std::string(words) + "\n"; };
    EXPECT_EQ(hoya_loop_dump(loop, line, &text), 0);
    EXPECT_NE(text.find("waits for the first of 2 futures, of which 2 are pending"), std::string::npos) << text;
    EXPECT_NE(text.find("waits for the next of 2 futures, of which 2 are left"), std::string::npos) << text;
    EXPECT_NE(text.find("waits for a gather"), std::string::npos) << text;
    hoya_future_set_result(a.get(), nullptr, nullptr);
    hoya_future_set_result(b.get(), nullptr, nullptr);
    RunUntilDone({Of(task), Of(next), Of(gather)});
}

/* ---- wait_for -------------------------------------------------------------------------------------------------- */

// Holds: S72
TEST_P(TaskConformance, AWaitWithoutTimeTakesWhatIsDoneAndBeginsNothing)
{
    int answer = 42;
    Future done = NewFuture();
    EXPECT_EQ(hoya_future_set_result(done.get(), &answer, nullptr), 0);
    Task main = Create([&](hoya_task *) {
        for (int64_t timeout : {int64_t(0), int64_t(-1), HOYA_NOW}) {
            void *value = nullptr;
            EXPECT_EQ(hoya_wait_for(done.get(), timeout, &value), 0);
            EXPECT_EQ(value, &answer);
            Task unborn = Create([this](hoya_task *) { return Note("it began"), 0; });
            EXPECT_EQ(hoya_wait_for(Of(unborn), timeout, nullptr), HOYA_ETIMEDOUT);
            EXPECT_EQ(Result(unborn), HOYA_ECANCELED);
        }
        return hoya_sleep(0);
    });
    RunUntilDone({Of(main)});
    EXPECT_EQ(trace, Trace{});
    EXPECT_EQ(Result(main), 0);
}

// Holds: S73
TEST_P(TaskConformance, AWaitWhoseTimeIsUpEndsWithTheTaskThatItCancelled)
{
    int answer = 42;
    Task main = Create([&](hoya_task *) {
        bool cleaned = false;
        Task obeys = Create([&](hoya_task *) {
            EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
            EXPECT_EQ(hoya_shield_enter(), 0);
            EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
            EXPECT_EQ(hoya_shield_leave(), 0);
            cleaned = true;
            return HOYA_ECANCELED;
        });
        EXPECT_EQ(hoya_sleep(0), 0); /* it begins, as the next two */
        EXPECT_EQ(hoya_wait_for(Of(obeys), HOYA_MSEC(1), nullptr), HOYA_ETIMEDOUT);
        EXPECT_TRUE(cleaned);
        Task refuses = Create([&](hoya_task *self) {
            EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
            return hoya_task_set_value(self, &answer, nullptr);
        });
        void *value = nullptr;
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_wait_for(Of(refuses), HOYA_MSEC(1), &value), 0) << "who refuses is believed";
        EXPECT_EQ(value, &answer);
        Task fails = Create([](hoya_task *) { return hoya_sleep(HOYA_SEC(60)), HOYA_EDEADLINE; });
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_wait_for(Of(fails), HOYA_MSEC(1), nullptr), HOYA_EDEADLINE) << "that is its own failure";
        return 0;
    });
    RunUntilDone({Of(main)});
    EXPECT_EQ(Result(main), 0);
    EXPECT_EQ(Stats().timers, 0u);
}

// Holds: S73 S41
TEST_P(TaskConformance, AWaitInTimeTellsItsOwnTimeFromOthers)
{
    int answer = 42;
    Future soon = NewFuture(), never = NewFuture();
    Task other = Create([&](hoya_task *) { return hoya_wait_done(never.get()); });
    Task main = Create([&](hoya_task *self) {
        void *value = nullptr;
        EXPECT_EQ(hoya_wait_for(soon.get(), HOYA_SEC(60), &value), 0);
        EXPECT_EQ(value, &answer);
        EXPECT_EQ(hoya_wait_for(never.get(), HOYA_MSEC(1), nullptr), HOYA_ETIMEDOUT);
        EXPECT_FALSE(IsDone(never)) << "another task waits for it";
        hoya_timeout *scope = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &scope), 0);
        EXPECT_EQ(hoya_wait_for(never.get(), HOYA_SEC(60), nullptr), HOYA_EDEADLINE);
        EXPECT_EQ(hoya_timeout_leave(scope), 1);
        EXPECT_EQ(hoya_task_cancel(self, nullptr), 1);
        EXPECT_EQ(hoya_wait_for(never.get(), HOYA_SEC(60), nullptr), HOYA_ECANCELED);
        EXPECT_EQ(hoya_future_set_result(never.get(), nullptr, nullptr), 0);
        return 0;
    });
    CallLater(HOYA_MSEC(1), [&] { hoya_future_set_result(soon.get(), &answer, nullptr); });
    RunUntilDone({Of(main), Of(other)});
    EXPECT_EQ(Result(main), 0);
    EXPECT_EQ(Stats().timers, 0u);
}

} // namespace hoya_test
