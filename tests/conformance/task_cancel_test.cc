/* SPDX-License-Identifier: MIT
 *
 * conformance/task_cancel_test.cc: what ends a task's waiting: cancels, shields, deadlines.
 */
#include "tasks.h"

namespace hoya_test
{

/* ---- cancelling ------------------------------------------------------------------------------------------ */

// Holds: S40 S48
TEST_P(TaskConformance, ATaskThatIsCancelledBeforeItsFirstStepNeverStarts)
{
    Task task = Create([this](hoya_task *) {
        Note("started");
        return 0;
    });
    EXPECT_EQ(hoya_task_cancel(task.get(), "no need"), 1);
    EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 0) << "it has ended";
    EXPECT_EQ(Result(task), HOYA_ECANCELED);
    EXPECT_STREQ(hoya_error_detail(), "no need");
    RunRounds(3);
    EXPECT_EQ(trace, Trace{});
}

// Holds: S41
TEST_P(TaskConformance, ACancelOfAnAwaitingTaskCancelsWhatItWaitsFor)
{
    Future future = NewFuture();
    Task task = Create([&](hoya_task *) { return hoya_await(future.get(), nullptr); });
    CallLater(HOYA_MSEC(1), [&] { EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1); });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), HOYA_ECANCELED);
    EXPECT_TRUE(hoya_future_cancelled(future.get()));
}

// Holds: S41
TEST_P(TaskConformance, ACancelLeavesAloneWhatOtherTasksAwaitAsWell)
{
    Future future = NewFuture();
    int answer = 42;
    void *value = nullptr;
    Task impatient = Create([&](hoya_task *) { return hoya_await(future.get(), nullptr); });
    Task patient = Create([&](hoya_task *) { return hoya_await(future.get(), &value); });
    Task late = Create([&](hoya_task *) {
        hoya_timeout *scope = nullptr;
        EXPECT_EQ(hoya_wait_done(Of(impatient)),
                  0); /* a result that is there before the cancel would be delivered (S43) */
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &scope), 0);
        EXPECT_EQ(hoya_await(future.get(), nullptr), HOYA_EDEADLINE);
        EXPECT_EQ(hoya_timeout_leave(scope), 1);
        EXPECT_EQ(hoya_future_set_result(future.get(), &answer, nullptr), 0);
        return 0;
    });
    CallSoon([&] { EXPECT_EQ(hoya_task_cancel(impatient.get(), nullptr), 1); });
    RunUntilDone({Of(impatient), Of(patient), Of(late)});
    EXPECT_EQ(Result(impatient), HOYA_ECANCELED);
    EXPECT_EQ(Result(patient), 0);
    EXPECT_EQ(value, &answer);
}

// Holds: S50
TEST_P(TaskConformance, TasksThatWouldWaitForEachOtherAreToldSo)
{
    Task first, second, third;
    first = Create([&](hoya_task *) { return hoya_await(Of(second), nullptr); });
    second = Create([&](hoya_task *) { return hoya_wait_done(Of(third)); });
    third = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_await(Of(first), nullptr), HOYA_EDEADLK);
        EXPECT_EQ(hoya_wait_done(Of(first)), HOYA_EDEADLK);
        return 0;
    });
    RunUntilDone({Of(first), Of(second), Of(third)});
    EXPECT_EQ(Result(first), 0);
}

TEST_P(TaskConformance, ACancelThatWasTakenBackTakesItsReasonAlong)
{
    Task task = Create([&](hoya_task *self) {
        EXPECT_EQ(hoya_task_cancel(self, "first"), 1);
        EXPECT_EQ(hoya_task_uncancel(self), 0);
        EXPECT_EQ(hoya_task_cancel(self, "second"), 1);
        EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED);
        EXPECT_NE(std::string(hoya_error_detail()).find("second"), std::string::npos) << hoya_error_detail();
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(hoya_task_cancelling(nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_task_uncancel(nullptr), HOYA_EINVAL);
}

TEST_P(TaskConformance, WaitDoneOnlyLetsGo)
{
    Future future = NewFuture();
    Task task = Create([&](hoya_task *) { return hoya_wait_done(future.get()); });
    CallLater(HOYA_MSEC(1), [&] { EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1); });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), HOYA_ECANCELED);
    EXPECT_FALSE(hoya_future_done(future.get()));
}

// Holds: S42
TEST_P(TaskConformance, ACancelReachesTheChildAndAChildThatRefusesIsBelieved)
{
    int answer = 7;
    Task stubborn = Create([&](hoya_task *self) {
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        EXPECT_EQ(hoya_task_uncancel(self), 0);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0) << "it can wait again";
        return hoya_task_set_value(self, &answer, nullptr);
    });
    Task parent = Create([&](hoya_task *self) {
        void *value = nullptr;
        EXPECT_EQ(hoya_await(Of(stubborn), &value), 0);
        EXPECT_EQ(value, &answer);
        EXPECT_EQ(hoya_task_cancelling(self), 1) << "the cancel stays";
        EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED);
        return 0;
    });
    CallLater(HOYA_MSEC(1), [&] { EXPECT_EQ(hoya_task_cancel(parent.get(), nullptr), 1); });
    RunUntilDone({Of(parent)});
    EXPECT_EQ(Result(parent), 0);
}

// Holds: S43
TEST_P(TaskConformance, AResultThatCameFirstIsNotLostToACancel)
{
    int answer = 42;
    Future future = NewFuture();
    Task task = Create([&](hoya_task *) {
        void *value = nullptr;
        EXPECT_EQ(hoya_await(future.get(), &value), 0);
        EXPECT_EQ(value, &answer);
        EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED);
        return 0;
    });
    CallLater(HOYA_MSEC(1), [&] {
        EXPECT_EQ(hoya_future_set_result(future.get(), &answer, nullptr), 0);
        EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), 0);
}

// Holds: S44 S47
TEST_P(TaskConformance, CancelsAreSticky)
{
    Task task = Create([&](hoya_task *self) {
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED) << "and again";
        EXPECT_EQ(hoya_task_cancelling(self), 2);
        EXPECT_EQ(hoya_task_uncancel(self), 1);
        EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED);
        EXPECT_EQ(hoya_task_uncancel(self), 0);
        EXPECT_EQ(hoya_task_uncancel(self), 0) << "below none there is nothing";
        return hoya_sleep(0);
    });
    CallLater(HOYA_MSEC(1), [&] {
        EXPECT_EQ(hoya_task_cancel(task.get(), "one"), 1);
        EXPECT_EQ(hoya_task_cancel(task.get(), "two"), 1);
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), 0);
}

// Holds: S46
TEST_P(TaskConformance, ATaskMayCancelItself)
{
    Task task = Create([&](hoya_task *self) {
        EXPECT_EQ(hoya_task_cancel(self, "enough"), 1);
        Note("goes on until it would wait");
        return hoya_sleep(0);
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), HOYA_ECANCELED);
    EXPECT_TRUE(Seen("goes on until it would wait"));
}

/* It had no reason to wait, so nothing was refused, and nothing is lost: see docs/decisions. */
// Holds: S46 S49
TEST_P(TaskConformance, ATaskThatEndsBeforeItWouldWaitHasItsResultInSpiteOfACancel)
{
    int answer = 42;
    Task task = Create([&](hoya_task *self) {
        EXPECT_EQ(hoya_task_cancel(self, nullptr), 1);
        return hoya_task_set_value(self, &answer, nullptr);
    });
    RunUntilDone({Of(task)});
    void *value = nullptr;
    EXPECT_EQ(Result(task, &value), 0);
    EXPECT_EQ(value, &answer);
    EXPECT_FALSE(hoya_future_cancelled(Of(task)));
}

// Holds: S49
TEST_P(TaskConformance, ATaskIsNotCancelledBeforeItHasEnded)
{
    Task task = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        EXPECT_FALSE(hoya_future_cancelled(Of(task)));
        EXPECT_FALSE(Done(task));
        return HOYA_ECANCELED;
    });
    CallLater(HOYA_MSEC(1), [&] {
        EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
        EXPECT_FALSE(hoya_future_cancelled(Of(task)));
    });
    RunUntilDone({Of(task)});
    EXPECT_TRUE(hoya_future_cancelled(Of(task)));
}

// Holds: S47
TEST_P(TaskConformance, ACancelThatIsTakenBackInTimeIsNotNoticed)
{
    Future future = NewFuture();
    Task awaiting = Create([&](hoya_task *) { return hoya_await(future.get(), nullptr); });
    Task sleeping = Create([&](hoya_task *) { return hoya_sleep(HOYA_MSEC(3)); });
    CallLater(HOYA_MSEC(1), [&] {
        for (const Task &task : {std::cref(awaiting), std::cref(sleeping)}) {
            EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
            EXPECT_EQ(hoya_task_uncancel(task.get()), 0);
        }
    });
    CallLater(HOYA_MSEC(2), [&] { EXPECT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), 0); });
    RunUntilDone({Of(awaiting), Of(sleeping)});
    EXPECT_EQ(Result(awaiting), 0);
    EXPECT_EQ(Result(sleeping), 0);
}

/* What would be lost is destroyed by nobody but its owner: the one who waits for it gets it. */
// Holds: S43
TEST_P(TaskConformance, AValueThatCameFirstIsTakenInSpiteOfACancel)
{
    Probe probe;
    Future future = NewFuture();
    Task task = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_await(future.get(), nullptr), 0);
        void *value = nullptr;
        hoya_destroy destroy = nullptr;
        EXPECT_EQ(hoya_future_take(future.get(), &value, &destroy), 0);
        EXPECT_EQ(value, &probe);
        destroy(value);
        return hoya_sleep(0);
    });
    CallLater(HOYA_MSEC(1), [&] {
        EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1) << "before the result, this time";
        EXPECT_EQ(hoya_future_set_result(future.get(), &probe, Probe::Destroy), 0);
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(probe.destroyed, 1);
    EXPECT_EQ(Result(task), HOYA_ECANCELED) << "the cancel stays";
}

// Holds: S45 S49
TEST_P(TaskConformance, ATaskThatRefusesACancelEndsAsItLikes)
{
    Task task = Create([](hoya_task *) {
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        return 0;
    });
    CallLater(HOYA_MSEC(1), [&] { EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1); });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), 0);
    EXPECT_FALSE(hoya_future_cancelled(Of(task)));
    EXPECT_EQ(hoya_task_cancelling(task.get()), 1);
}

// Holds: S53
TEST_P(TaskConformance, ASleepThatIsCancelledLeavesNoTimer)
{
    Task task = Create([](hoya_task *) { return hoya_sleep(HOYA_SEC(60)); });
    CallLater(HOYA_MSEC(1), [&] { EXPECT_EQ(hoya_future_cancel(Of(task), nullptr), 1) << "as a future"; });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Stats().timers, 0u);
}

TEST_P(TaskConformance, InsideAShieldCancelsWait)
{
    Task task = Create([this](hoya_task *) {
        EXPECT_EQ(hoya_shield_enter(), 0);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(4)), 0);
        EXPECT_EQ(hoya_shield_enter(), 0);
        EXPECT_EQ(hoya_shield_leave(), 0);
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_shield_leave(), 0);
        EXPECT_EQ(hoya_shield_leave(), HOYA_ESTATE);
        Note("undisturbed");
        return hoya_sleep(HOYA_SEC(60));
    });
    CallLater(HOYA_MSEC(1), [&] { EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1); });
    RunUntilDone({Of(task)});
    EXPECT_EQ(trace, Trace{"undisturbed"});
    EXPECT_EQ(Result(task), HOYA_ECANCELED);
}

/* ---- deadlines ------------------------------------------------------------------------------------------- */

// Holds: S69
TEST_P(TaskConformance, ATimeoutEndsTheWaitingAndLeavingTellsOfIt)
{
    Task task = Create([](hoya_task *) {
        hoya_timeout *timeout = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(2), &timeout), 0);
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_EDEADLINE);
        EXPECT_EQ(hoya_sleep(0), HOYA_EDEADLINE) << "until the scope is left";
        EXPECT_EQ(hoya_timeout_leave(timeout), 1);
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_timeout_enter(HOYA_SEC(60), &timeout), 0);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        EXPECT_EQ(hoya_timeout_leave(timeout), 0) << "in time";
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Stats().timers, 0u);
}

// Holds: S70
TEST_P(TaskConformance, OfNestedTimeoutsTheOuterOneCountsInsideToo)
{
    Task task = Create([](hoya_task *) {
        hoya_timeout *outer = nullptr, *inner = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(2), &outer), 0);
        EXPECT_EQ(hoya_timeout_enter(HOYA_SEC(60), &inner), 0);
        EXPECT_EQ(hoya_timeout_leave(outer), HOYA_ESTATE) << "not the innermost";
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_EDEADLINE);
        EXPECT_EQ(hoya_timeout_leave(inner), 0) << "it was the outer one";
        EXPECT_EQ(hoya_sleep(0), HOYA_EDEADLINE);
        EXPECT_EQ(hoya_timeout_leave(outer), 1);
        return 0;
    });
    RunUntilDone({Of(task)});
}

TEST_P(TaskConformance, ACancelComesBeforeATimeout)
{
    Task task = Create([](hoya_task *self) {
        hoya_timeout *timeout = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &timeout), 0);
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_EDEADLINE);
        EXPECT_EQ(hoya_task_cancel(self, nullptr), 1);
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        EXPECT_EQ(hoya_task_uncancel(self), 0);
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_EDEADLINE);
        EXPECT_EQ(hoya_timeout_leave(timeout), 1);
        return 0;
    });
    RunUntilDone({Of(task)});
}

// Holds: S69
TEST_P(TaskConformance, ACancelOfSomebodyElseIsNoTimeout)
{
    Task task = Create([](hoya_task *) {
        hoya_timeout *timeout = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_SEC(60), &timeout), 0);
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        EXPECT_EQ(hoya_timeout_leave(timeout), 0);
        return HOYA_ECANCELED;
    });
    CallLater(HOYA_MSEC(1), [&] { EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1); });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), HOYA_ECANCELED);
}

// Holds: S70
TEST_P(TaskConformance, NestedTimeoutsThatAreUpTogetherReportOneAfterTheOther)
{
    Task task = Create([](hoya_task *) {
        hoya_timeout *outer = nullptr, *inner = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &outer), 0);
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &inner), 0);
        Burn(HOYA_MSEC(2));
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_EDEADLINE);
        EXPECT_EQ(hoya_timeout_leave(inner), 1);
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_EDEADLINE);
        EXPECT_EQ(hoya_timeout_leave(outer), 1);
        return 0;
    });
    RunUntilDone({Of(task)});
}

// Holds: S71
TEST_P(TaskConformance, ATimeoutInThePastEndsTheFirstWaitAndIsNotUpWithoutOne)
{
    Task task = Create([this](hoya_task *) {
        hoya_timeout *timeout = nullptr;
        for (int64_t delay : {int64_t(0), -HOYA_SEC(1), HOYA_NOW}) {
            EXPECT_EQ(hoya_timeout_enter(delay, &timeout), 0);
            EXPECT_EQ(hoya_timeout_leave(timeout), 0) << "nothing waited in it";
            EXPECT_EQ(hoya_timeout_enter(delay, &timeout), 0);
            CallSoon(Say("a round"));
            EXPECT_EQ(hoya_sleep(0), HOYA_EDEADLINE);
            EXPECT_EQ(trace, Trace{}) << "and it did not even wait";
            EXPECT_EQ(hoya_timeout_leave(timeout), 1);
            EXPECT_EQ(hoya_sleep(0), 0);
            trace.clear();
        }
        EXPECT_EQ(hoya_timeout_enter_at(Now() - 1, &timeout), 0);
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_EDEADLINE);
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Stats().timers, 0u);
}

TEST_P(TaskConformance, ATaskThatEndsLeavesItsTimeouts)
{
    Task task = Create([](hoya_task *) {
        hoya_timeout *timeout = nullptr;
        EXPECT_EQ(hoya_timeout_leave(timeout), HOYA_ESTATE);
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &timeout), 0);
        EXPECT_EQ(hoya_timeout_enter_at(HOYA_NEVER, &timeout), 0);
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Stats().timers, 0u);
    RunFor(HOYA_MSEC(3)); /* nobody is told of a time that is up */
}

TEST_P(TaskConformance, AllTasksCanBeCancelledInOneGo)
{
    std::vector<Task> tasks;
    for (int i = 0; i < 3; i++) tasks.push_back(Create([](hoya_task *) { return hoya_sleep(HOYA_SEC(60)); }));
    RunRounds(2);
    tasks.push_back(Create([](hoya_task *) { return 0; }));
    auto cancel = [](hoya_task *task, void *) { EXPECT_EQ(hoya_task_cancel(task, nullptr), 1); };
    EXPECT_EQ(hoya_all_tasks(loop, cancel, nullptr), 4);
    RunUntilDone({Of(tasks[0]), Of(tasks[1]), Of(tasks[2])});
    for (const Task &task : tasks) EXPECT_EQ(Result(task), HOYA_ECANCELED);
}

} // namespace hoya_test
