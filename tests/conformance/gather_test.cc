/* SPDX-License-Identifier: MIT
 *
 * conformance/gather_test.cc: all results, or the first failure, of several futures, with callbacks alone.
 */
#include "combine.h"

namespace hoya_test
{

// Holds: S59
TEST_P(TaskConformance, AGatherHasItsResultsInTheOrderOfItsArguments)
{
    int values[3];
    Future a = NewFuture(), b = NewFuture(), c = NewFuture();
    Future all = Gather(loop, {a.get(), b.get(), c.get()});
    WhenDone(all, Say("all"));
    SetValue(c, &values[2]);
    SetValue(a, &values[0]);
    EXPECT_FALSE(IsDone(all));
    SetValue(b, &values[1]);
    EXPECT_EQ(trace, Trace{}) << "not inside the call that completes a part";
    RunRounds(1);
    EXPECT_EQ(trace, Trace{"all"});
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(ListOf(all)[i].code, 0);
        EXPECT_EQ(ListOf(all)[i].value, &values[i]);
        EXPECT_STREQ(ListOf(all)[i].text, "");
    }
}

// Holds: S59
TEST_P(TaskConformance, TheSameFutureTwiceIsGatheredOnce)
{
    int steps = 0;
    Task task = Create([&](hoya_task *self) {
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        EXPECT_EQ(hoya_task_cancelling(self), 1) << "one cancel, not one for each time";
        return ++steps, 0;
    });
    Future a = NewFuture();
    Future all = Gather(loop, {Of(task), a.get(), Of(task), a.get()});
    RunRounds(2);
    SetValue(a, &steps);
    EXPECT_EQ(hoya_future_cancel(all.get(), nullptr), 1);
    RunRounds(2);
    EXPECT_EQ(steps, 1);
    EXPECT_EQ(ListOf(all)[1].value, &steps);
    EXPECT_EQ(ListOf(all)[3].value, &steps);
}

// Holds: S59
TEST_P(TaskConformance, AGatherOfNoneAndOneOfWhatIsDoneAreDone)
{
    int value;
    Future none = Gather(loop, {});
    EXPECT_TRUE(IsDone(none));
    Future a = NewFuture(), b = NewFuture();
    SetValue(a, &value);
    SetValue(b, nullptr);
    Future all = Gather(loop, {a.get(), b.get(), a.get()});
    ASSERT_TRUE(IsDone(all));
    EXPECT_EQ(ListOf(all)[2].value, &value);
    WhenDone(all, Say("all"));
    EXPECT_EQ(trace, Trace{}) << "not inside the call that adds it";
    RunRounds(1);
    EXPECT_EQ(trace, Trace{"all"});
}

TEST_P(TaskConformance, AGatherKeepsItsPartsAndTheirValues)
{
    Value value;
    Future a = NewFuture();
    Future all = Gather(loop, {a.get()});
    EXPECT_EQ(hoya_future_set_result(a.get(), &value, Value::Destroy), 0);
    a.reset();
    EXPECT_EQ(value.destroyed, 0);
    EXPECT_EQ(ListOf(all)[0].value, &value);
    all.reset();
    EXPECT_EQ(value.destroyed, 1);
}

// Holds: S60
TEST_P(TaskConformance, TheFirstFailureOfAGatherIsItsOwnAndCancelsTheOthers)
{
    Future a = NewFuture(), b = NewFuture();
    Task slow = Create([](hoya_task *) { return hoya_sleep(HOYA_SEC(60)); });
    Future all = Gather(loop, {a.get(), Of(slow), b.get()});
    WhenDone(all, [&] { EXPECT_TRUE(IsCancelled(a)) << "before anybody hears of the failure"; });
    Fail(b);
    EXPECT_EQ(TextOf(all), "gone") << "at once";
    EXPECT_FALSE(IsDone(a)) << "not inside the call";
    RunRounds(3);
    EXPECT_EQ(Result(slow), HOYA_ECANCELED);
    b.reset();
    EXPECT_EQ(LogLines(), 0u) << "the gather answers for the failure";
}

// Holds: S60
TEST_P(TaskConformance, AGatherMayLeaveTheSiblingsOfAFailureAlone)
{
    Future a = NewFuture(), b = NewFuture(), c = NewFuture();
    Future all = Gather(loop, {a.get(), b.get(), c.get()}, HOYA_GATHER_KEEP_SIBLINGS);
    Fail(a);
    EXPECT_EQ(TextOf(all), "gone");
    EXPECT_FALSE(IsDone(b));
    EXPECT_EQ(SetValue(b, nullptr), 0);
    EXPECT_EQ(Fail(c, HOYA_EIO, "a second one"), 0);
    EXPECT_EQ(LogLines(), 0u);
    c.reset();
    EXPECT_TRUE(Logged("a second one")) << "nobody was told of this one";
    EXPECT_EQ(LogLines(), 1u);
}

// Holds: S60 S36
TEST_P(TaskConformance, AFailureThatAGatherPassedOnIsReportedOnceIfNobodyLooks)
{
    Future a = NewFuture();
    Future all = Gather(loop, {a.get()});
    Fail(a, HOYA_EPIPE, "unheard");
    a.reset();
    EXPECT_EQ(LogLines(), 0u);
    all.reset();
    EXPECT_TRUE(Logged("unheard"));
    EXPECT_EQ(LogLines(), 1u);
}

// Holds: S60
TEST_P(TaskConformance, AGatherOfAFailureThatIsThereAlreadyFails)
{
    Future a = NewFuture(), b = NewFuture();
    Fail(b);
    Future all = Gather(loop, {a.get(), b.get()});
    EXPECT_EQ(TextOf(all), "gone");
    all.reset();
    RunRounds(1);
    EXPECT_TRUE(IsCancelled(a)) << "whoever has the gather";
}

// Holds: S61
TEST_P(TaskConformance, ACancelledGatherEndsWithTheLastOfItsParts)
{
    auto clean_up = [](int rounds) {
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        EXPECT_EQ(hoya_shield_enter(), 0);
        for (int i = 0; i < rounds; i++) EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_shield_leave(), 0);
        return HOYA_ECANCELED;
    };
    Task quick = Create([&](hoya_task *) { return clean_up(1); });
    Task slow = Create([&](hoya_task *) { return clean_up(5); });
    Future all = Gather(loop, {Of(quick), Of(slow)});
    WhenDone(all, [&] {
        EXPECT_TRUE(Done(quick) && Done(slow));
        Note("gather");
    });
    RunRounds(2);
    EXPECT_EQ(hoya_future_cancel(all.get(), "enough"), 1);
    RunRounds(3);
    EXPECT_TRUE(Done(quick));
    EXPECT_FALSE(Done(slow));
    EXPECT_FALSE(IsDone(all));
    RunUntilNoted(1);
    EXPECT_TRUE(IsCancelled(all));
    EXPECT_EQ(TextOf(all), "enough");
}

// Holds: S61 S42
TEST_P(TaskConformance, PartsOfACancelledGatherThatRefuseAreBelieved)
{
    int value;
    auto refuse = [&](hoya_task *self) {
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        return hoya_task_set_value(self, &value, nullptr);
    };
    auto fail = [](hoya_task *) {
        hoya_sleep(HOYA_SEC(60));
        return HOYA_EIO;
    };
    auto obey = [](hoya_task *) { return hoya_sleep(HOYA_SEC(60)); };
    struct {
        TaskWork first, second;
        uint32_t flags;
        int result;
    } table[] = {{refuse, refuse, 0, 0},
                 {refuse, obey, 0, HOYA_ECANCELED},
                 {obey, fail, 0, HOYA_EIO},
                 {refuse, fail, HOYA_GATHER_RETURN_ERRORS, 0},
                 {obey, fail, HOYA_GATHER_RETURN_ERRORS, HOYA_ECANCELED}};
    for (const auto &row : table) {
        Task first = Create(row.first), second = Create(row.second);
        Future all = Gather(loop, {Of(first), Of(second)}, row.flags);
        RunRounds(2);
        EXPECT_EQ(hoya_future_cancel(all.get(), nullptr), 1);
        EXPECT_FALSE(IsDone(all));
        RunRounds(3);
        EXPECT_EQ(hoya_future_result(all.get(), nullptr), row.result);
        if (row.result == 0) EXPECT_EQ(ListOf(all)[0].value, &value);
        Result(second); /* a failure that the gather has not passed on */
    }
}

// Holds: S62
TEST_P(TaskConformance, ACancelledPartIsAFailureOfItsGatherAndMayBeAResult)
{
    int value;
    Future a = NewFuture(), b = NewFuture();
    Future all = Gather(loop, {a.get(), b.get()}, HOYA_GATHER_RETURN_ERRORS);
    EXPECT_EQ(hoya_future_cancel(a.get(), "just this one"), 1);
    EXPECT_FALSE(IsDone(all)) << "the others go on";
    EXPECT_FALSE(IsDone(b));
    SetValue(b, &value);
    EXPECT_EQ(ListOf(all)[0].code, HOYA_ECANCELED);
    EXPECT_STREQ(ListOf(all)[0].text, "just this one");
    EXPECT_EQ(ListOf(all)[1].value, &value);

    Future c = NewFuture(), d = NewFuture();
    Future strict = Gather(loop, {c.get(), d.get()}, HOYA_GATHER_KEEP_SIBLINGS);
    EXPECT_EQ(hoya_future_cancel(c.get(), nullptr), 1);
    EXPECT_EQ(hoya_future_result(strict.get(), nullptr), HOYA_ECANCELED);
    EXPECT_FALSE(IsDone(d));
}

// Holds: S62 S36
TEST_P(TaskConformance, ErrorsThatAGatherHasInItsListAreItsOwn)
{
    Future a = NewFuture(), b = NewFuture();
    Future all = Gather(loop, {a.get(), b.get()}, HOYA_GATHER_RETURN_ERRORS);
    Fail(a, HOYA_EPIPE, "one");
    Fail(b, HOYA_EIO, "two");
    a.reset();
    b.reset();
    EXPECT_EQ(ListOf(all)[0].code, HOYA_EPIPE);
    EXPECT_EQ(ListOf(all)[0].value, nullptr);
    EXPECT_STREQ(ListOf(all)[1].text, "two");
    all.reset();
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(TaskConformance, AValueThatWasTakenIsNotInTheListOfAGather)
{
    Value value;
    void *taken = nullptr;
    Future a = NewFuture();
    EXPECT_EQ(hoya_future_set_result(a.get(), &value, Value::Destroy), 0);
    EXPECT_EQ(hoya_future_take(a.get(), &taken, nullptr), 0);
    Future all = Gather(loop, {a.get()});
    EXPECT_EQ(ListOf(all)[0].code, HOYA_ESTATE);
    EXPECT_EQ(ListOf(all)[0].value, nullptr);
}

TEST_P(TaskConformance, AGatherThatIsLetGoLeavesItsPartsAlone)
{
    Future a = NewFuture(), b = NewFuture();
    Future all = Gather(loop, {a.get(), b.get(), a.get()});
    all.reset();
    EXPECT_FALSE(IsDone(a) || IsDone(b));
    Fail(a, HOYA_EPIPE, "not the gather's");
    EXPECT_FALSE(IsDone(b));
    a.reset();
    EXPECT_TRUE(Logged("not the gather's"));
}

TEST_P(TaskConformance, GathersOfGathersEndTogether)
{
    Future a = NewFuture(), b = NewFuture(), c = NewFuture();
    Future inner = Gather(loop, {a.get(), b.get()});
    Future outer = Gather(loop, {inner.get(), c.get(), a.get()});
    Fail(a);
    EXPECT_EQ(TextOf(outer), "gone");
    EXPECT_EQ(TextOf(inner), "gone");
    RunRounds(1);
    EXPECT_TRUE(IsCancelled(b) && IsCancelled(c));

    Future d = NewFuture(), e = NewFuture();
    inner = Gather(loop, {d.get(), e.get()});
    outer = Gather(loop, {inner.get(), d.get()});
    EXPECT_EQ(hoya_future_cancel(outer.get(), nullptr), 1);
    EXPECT_TRUE(IsCancelled(outer) && IsCancelled(inner) && IsCancelled(d) && IsCancelled(e));
}

/* A job that has not begun is dropped by its cancel, and its destroy function, which is the application's, comes from inside
 * that. */
TEST_P(TaskConformance, WhatAPartDestroysMayLetTheGatherGo)
{
    auto never = [](hoya_executor *, void *) { return 0; };
    const hoya_executor_ops ops = {sizeof ops, "never", never, [](void *) {}};
    hoya_executor *executor = nullptr;
    ASSERT_EQ(hoya_executor_new(&ops, nullptr, &executor), 0);
    for (bool cancel : {false, true}) {
        Future all;
        auto let_go = [](void *arg) { static_cast<Future *>(arg)->reset(); };
        auto nothing = [](hoya_job *, void *) { return 0; };
        hoya_future *job = nullptr, *other = nullptr;
        ASSERT_EQ(hoya_run_in_executor(loop, executor, nothing, &all, let_go, &job), 0) << hoya_error_detail();
        ASSERT_EQ(hoya_run_in_executor(loop, executor, nothing, nullptr, nullptr, &other), 0);
        Future a = NewFuture(), first(job), second(other);
        all = Gather(loop, {a.get(), first.get(), second.get()});
        if (cancel) EXPECT_EQ(hoya_future_cancel(all.get(), nullptr), 1);
        else Fail(a, HOYA_EPIPE, "nobody asks");
        RunRounds(1);
        EXPECT_EQ(all, nullptr);
        EXPECT_TRUE(IsCancelled(first) && IsCancelled(second));
    }
    EXPECT_EQ(LogLines(), 1u);
    EXPECT_EQ(hoya_executor_shutdown(executor, HOYA_NOW, 1), 0);
    hoya_executor_unref(executor);
}

} // namespace hoya_test
