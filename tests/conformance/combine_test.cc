/* SPDX-License-Identifier: MIT
 *
 * conformance/combine_test.cc: one future out of several: a race, a timeout, a shield, and a wait, with callbacks
 * alone; and what all of them have in common, with a gather (gather_test.cc).
 */
#include "combine.h"

namespace hoya_test
{

/* ---- all of them ---------------------------------------------------------------------------------------------- */

TEST_P(TaskConformance, ACombinatorThatIsLetGoHearsNoMoreOfItsParts)
{
    auto fail = [](void *arg) {
        auto *part = static_cast<hoya_future *>(arg);
        EXPECT_EQ(hoya_future_set_exception(part, HOYA_EPIPE, "nobody wants it"), 0);
        hoya_future_unref(part);
    };
    auto nothing = [](hoya_future *, void *) {};
    using Make = std::function<Future(hoya_future *)>;
    const Make all[] = {
        [this](hoya_future *part) { return Gather(loop, {part}); },
        [this](hoya_future *part) { return Race(loop, {part}); },
        [](hoya_future *part) { return WithTimeout(part, HOYA_SEC(60)); },
        [](hoya_future *part) { return Shield(part); },
        [this](hoya_future *part) { return WaitFutures(loop, {part}, HOYA_ALL_COMPLETED, HOYA_SEC(60)); },
    };
    for (const Make &make : all) {
        Future part = NewFuture(), whole = make(part.get());
        EXPECT_EQ(hoya_future_add_done_callback(whole.get(), nothing, hoya_future_ref(part.get()), fail, nullptr),
                  0);
        whole.reset();
        EXPECT_EQ(Stats().timers, 0u);
        EXPECT_TRUE(IsDone(part)) << "the argument of the callback went";
        part.reset();
        EXPECT_EQ(LogLines(), 1u) << "the failure stayed with the part";
        ClearLog();
    }
}

/* What a combinator cancels is told of after what made it do so. */
TEST_P(TaskConformance, AllHearOfTheFirstEndFirst)
{
    Future a = NewFuture(), b = NewFuture();
    Future race = Race(loop, {a.get(), b.get()}), all = Gather(loop, {a.get(), b.get()});
    WhenDone(b, Say("b"));
    WhenDone(a, Say("a"));
    Fail(a);
    EXPECT_EQ(TextOf(all), "gone") << "not the cancel of the other one";
    RunRounds(2);
    EXPECT_EQ(trace, (Trace{"a", "b"}));
    hoya_future_result(race.get(), nullptr);
}

TEST_P(TaskConformance, PartsThatEndBeforeTheyCouldBeCancelledHaveTheirOutcome)
{
    int value;
    Future a = NewFuture(), b = NewFuture(), c = NewFuture();
    Future first = Race(loop, {a.get(), b.get(), c.get()});
    SetValue(a, &value);
    Fail(b, HOYA_EIO, "too late");
    EXPECT_EQ(ValueOf(first), &value);
    RunRounds(1);
    EXPECT_EQ(LogLines(), 0u);
    b.reset();
    EXPECT_TRUE(Logged("too late")) << "nobody was told of it";
    EXPECT_TRUE(IsCancelled(c));
}

TEST_P(TaskConformance, CombinatorsRefuseWhatIsNotTheirs)
{
    hoya_loop *sibling = NewSibling();
    Future here = NewFuture(), there = hoya_test::NewFuture(sibling);
    hoya_future *out = nullptr;
    for (hoya_future *wrong : {there.get(), static_cast<hoya_future *>(nullptr)}) {
        hoya_future *const futures[] = {here.get(), wrong};
        EXPECT_EQ(hoya_gather(loop, futures, 2, 0, &out), HOYA_EINVAL);
        EXPECT_EQ(hoya_race(loop, futures, 2, &out), HOYA_EINVAL);
        EXPECT_EQ(hoya_wait_futures(loop, futures, 2, HOYA_ALL_COMPLETED, HOYA_NEVER, &out), HOYA_EINVAL);
    }
    hoya_future *const one[] = {here.get()};
    EXPECT_EQ(hoya_gather(loop, one, 1, 4, &out), HOYA_EINVAL);
    EXPECT_EQ(hoya_gather(loop, nullptr, 1, 0, &out), HOYA_EINVAL);
    EXPECT_EQ(hoya_race(loop, one, 0, &out), HOYA_EINVAL);
    EXPECT_EQ(hoya_wait_futures(loop, one, 1, hoya_when(3), HOYA_NEVER, &out), HOYA_EINVAL);
    EXPECT_EQ(hoya_shield(nullptr, &out), HOYA_EINVAL);
    EXPECT_EQ(hoya_with_timeout(nullptr, 1, &out), HOYA_EINVAL);
    Future all = Gather(loop, {here.get()});
    EXPECT_EQ(hoya_future_set_result(all.get(), nullptr, nullptr), HOYA_ESTATE) << "its parts decide";
    EXPECT_EQ(out, nullptr);
    there.reset();
    Release(sibling);
}

TEST_P(TaskConformance, MorePartsThanMemoryHoldsAreRefused)
{
    Future a = NewFuture();
    hoya_future *part = a.get(), *out = nullptr;
    for (size_t count : {SIZE_MAX, SIZE_MAX / 16, SIZE_MAX / sizeof(hoya_future *)}) {
        EXPECT_EQ(hoya_gather(loop, &part, count, 0, &out), HOYA_ENOMEM);
        EXPECT_EQ(hoya_race(loop, &part, count, &out), HOYA_ENOMEM);
        hoya_as_completed *iterator = nullptr;
        EXPECT_EQ(hoya_as_completed_new(loop, &part, count, &iterator), HOYA_ENOMEM);
    }
}

TEST_P(TaskConformance, CombinatorsOutliveTheirLoop)
{
    Future a = NewFuture(), b = NewFuture();
    Parts parts{a.get(), b.get()};
    std::vector<Future> all;
    all.push_back(Gather(loop, parts));
    all.push_back(Race(loop, parts));
    all.push_back(WaitFutures(loop, parts, HOYA_ALL_COMPLETED, HOYA_SEC(60)));
    all.push_back(Shield(a.get()));
    all.push_back(WithTimeout(a.get(), HOYA_SEC(60)));
    hoya_future *out = nullptr;
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hoya_gather(loop, parts.data(), 2, 0, &out), HOYA_ECLOSED);
    EXPECT_EQ(SetValue(a, nullptr), 0);
    for (const Future &future : all) EXPECT_FALSE(IsDone(future));
    for (const Future &future : all) EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
    a.reset();
    all.clear();
    EXPECT_TRUE(IsCancelled(b));
}

/* ---- the first ------------------------------------------------------------------------------------------------ */

TEST_P(TaskConformance, ARaceEndsAsTheFirstAndCancelsTheOthers)
{
    int value;
    Future a = NewFuture(), b = NewFuture(), c = NewFuture();
    Future first = Race(loop, {a.get(), b.get(), c.get()});
    WhenDone(first, Say("race"));
    EXPECT_EQ(hoya_future_cancel(c.get(), nullptr), 1);
    EXPECT_FALSE(IsDone(first)) << "who is cancelled is out of it";
    SetValue(b, &value);
    EXPECT_EQ(trace, Trace{});
    EXPECT_EQ(ValueOf(first), &value);
    RunRounds(1);
    EXPECT_TRUE(IsCancelled(a));

    Future d = NewFuture(), e = NewFuture();
    first = Race(loop, {d.get(), e.get()});
    Fail(d);
    d.reset();
    EXPECT_EQ(TextOf(first), "gone");
    RunRounds(1);
    EXPECT_TRUE(IsCancelled(e));
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(TaskConformance, ARaceAmongThoseThatAreDoneIsWonByTheFirstArgument)
{
    int value, other;
    Future a = NewFuture(), b = NewFuture(), c = NewFuture();
    hoya_future_cancel(a.get(), nullptr);
    SetValue(b, &value);
    SetValue(c, &other);
    EXPECT_EQ(ValueOf(Race(loop, {a.get(), b.get(), c.get()})), &value);
    EXPECT_TRUE(IsCancelled(Race(loop, {a.get(), a.get()}))) << "nobody was left";
}

TEST_P(TaskConformance, ACancelledRaceWaitsForItsPartsAndWhoRefusesWins)
{
    int value;
    Task obeys = Create([](hoya_task *) { return hoya_sleep(HOYA_SEC(60)); });
    Task refuses = Create([&](hoya_task *self) {
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        return hoya_task_set_value(self, &value, nullptr);
    });
    Future first = Race(loop, {Of(obeys), Of(refuses)});
    RunRounds(2);
    EXPECT_EQ(hoya_future_cancel(first.get(), nullptr), 1);
    EXPECT_FALSE(IsDone(first));
    RunRounds(2);
    EXPECT_EQ(ValueOf(first), &value);

    Future a = NewFuture();
    first = Race(loop, {a.get()});
    EXPECT_EQ(hoya_future_cancel(first.get(), "no"), 1);
    EXPECT_EQ(TextOf(first), "no");
    EXPECT_TRUE(IsCancelled(first) && IsCancelled(a));
}

TEST_P(TaskConformance, ACancelledRaceHasNoWinnerBeforeTheLastPartHasEnded)
{
    int values[2];
    Future ends[3] = {NewFuture(), NewFuture(), NewFuture()};
    std::vector<Task> tasks;
    for (int i = 0; i < 3; i++)
        tasks.push_back(Create([&, i](hoya_task *self) {
            EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
            EXPECT_EQ(hoya_shield_enter(), 0);
            EXPECT_EQ(hoya_await(ends[i].get(), nullptr), 0);
            EXPECT_EQ(hoya_shield_leave(), 0);
            return i < 2 ? hoya_task_set_value(self, &values[i], nullptr) : HOYA_ECANCELED;
        }));
    Future race = Race(loop, {Of(tasks[0]), Of(tasks[1]), Of(tasks[2])});
    RunRounds(2);
    EXPECT_EQ(hoya_future_cancel(race.get(), nullptr), 1);
    for (int i : {1, 0, 2}) {
        RunRounds(3);
        EXPECT_FALSE(IsDone(race));
        SetValue(ends[i], nullptr);
    }
    RunUntilDone({race.get()});
    EXPECT_EQ(ValueOf(race), &values[1]) << "the first that refused";
}

TEST_P(TaskConformance, ACancelOfAFutureWithATimeoutTakesItsTimeBack)
{
    Future end = NewFuture();
    Task task = Create([&](hoya_task *self) {
        Future never = NewFuture();
        EXPECT_EQ(hoya_await(never.get(), nullptr), HOYA_ECANCELED);
        EXPECT_EQ(hoya_shield_enter(), 0);
        EXPECT_EQ(hoya_await(end.get(), nullptr), 0);
        EXPECT_EQ(hoya_shield_leave(), 0);
        EXPECT_EQ(hoya_task_cancelling(self), 1);
        return HOYA_ECANCELED;
    });
    Future outer = WithTimeout(Of(task), HOYA_SEC(60));
    RunRounds(2);
    EXPECT_EQ(Stats().timers, 1u);
    EXPECT_EQ(hoya_future_cancel(outer.get(), "enough"), 1);
    EXPECT_EQ(Stats().timers, 0u) << "what cleans up takes its time";
    RunRounds(2);
    EXPECT_FALSE(IsDone(outer));
    SetValue(end, nullptr);
    RunUntilDone({outer.get()});
    EXPECT_EQ(hoya_future_result(outer.get(), nullptr), HOYA_ECANCELED);
}

// Holds: S72
TEST_P(TaskConformance, AFutureWithATimeoutThatIsOverStillHasItsResult)
{
    int value;
    for (int64_t timeout : {int64_t(0), int64_t(-1), HOYA_NOW}) {
        Future done = NewFuture();
        SetValue(done, &value);
        EXPECT_EQ(ValueOf(WithTimeout(done.get(), timeout)), &value);
        Task unborn = Create([this](hoya_task *) { return Note("it began"), 0; });
        Future outer = WithTimeout(Of(unborn), timeout);
        EXPECT_EQ(hoya_future_result(outer.get(), nullptr), HOYA_ETIMEDOUT);
        RunRounds(2);
        EXPECT_EQ(Result(unborn), HOYA_ECANCELED);
    }
    EXPECT_EQ(trace, Trace{});
}

// Holds: S73
TEST_P(TaskConformance, AFutureWhoseTimeIsUpIsCancelledAndWaitedFor)
{
    int value;
    Task obeys = Create([](hoya_task *) {
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        EXPECT_EQ(hoya_shield_enter(), 0);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        EXPECT_EQ(hoya_shield_leave(), 0);
        return HOYA_ECANCELED;
    });
    Task refuses = Create([&](hoya_task *self) {
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        return hoya_task_set_value(self, &value, nullptr);
    });
    Future late = WithTimeout(Of(obeys), HOYA_MSEC(1)), believed = WithTimeout(Of(refuses), HOYA_MSEC(1));
    WhenDone(late, [&] { Note(Done(obeys) ? "late" : "too early"); });
    RunUntilDone({late.get(), believed.get()});
    EXPECT_EQ(trace, Trace{"late"});
    EXPECT_EQ(hoya_future_result(late.get(), nullptr), HOYA_ETIMEDOUT);
    EXPECT_EQ(ValueOf(believed), &value);
}

TEST_P(TaskConformance, AFutureInTimeLeavesNoTimerBehind)
{
    int value;
    Future a = NewFuture(), b = NewFuture(), c = NewFuture(), d = NewFuture();
    Future in_time = WithTimeout(a.get(), HOYA_SEC(60)), cancelled = WithTimeout(b.get(), HOYA_SEC(60));
    Future alone = WithTimeout(c.get(), HOYA_SEC(60)),
           waits = WaitFutures(loop, {d.get()}, HOYA_ALL_COMPLETED, HOYA_SEC(60));
    EXPECT_EQ(Stats().timers, 4u);
    SetValue(a, &value);
    EXPECT_EQ(ValueOf(in_time), &value);
    hoya_future_cancel(cancelled.get(), nullptr);
    EXPECT_TRUE(IsCancelled(b) && IsCancelled(cancelled)) << "a cancel is no timeout";
    alone.reset();
    SetValue(d, nullptr);
    EXPECT_EQ(Stats().timers, 0u);
    EXPECT_FALSE(IsDone(c));
}

// Holds: S63
TEST_P(TaskConformance, ACancelOfAShieldLeavesTheFutureAlone)
{
    int value;
    Future inner = NewFuture(), other = NewFuture();
    Future outer = Shield(inner.get()), second = Shield(inner.get()), third = Shield(other.get());
    EXPECT_EQ(hoya_future_cancel(outer.get(), "me alone"), 1);
    EXPECT_EQ(TextOf(outer), "me alone");
    EXPECT_TRUE(IsCancelled(outer));
    EXPECT_FALSE(IsDone(inner));
    SetValue(inner, &value);
    EXPECT_EQ(ValueOf(second), &value);
    EXPECT_EQ(hoya_future_cancel(other.get(), nullptr), 1);
    EXPECT_TRUE(IsCancelled(third)) << "a shield does not keep its future alive";
}

// Holds: S63 S36
TEST_P(TaskConformance, AShieldedFailureIsReportedOnce)
{
    for (bool cancel_outer : {false, true}) {
        Future inner = NewFuture();
        Future outer = Shield(inner.get());
        if (cancel_outer) EXPECT_EQ(hoya_future_cancel(outer.get(), nullptr), 1);
        Fail(inner, HOYA_EPIPE, "in the shade");
        inner.reset();
        EXPECT_EQ(LogLines(), cancel_outer ? 1u : 0u) << "nobody but the inner one answers for it";
        outer.reset();
        EXPECT_EQ(LogLines(), 1u);
        EXPECT_TRUE(Logged("in the shade"));
        ClearLog();
    }
}

/* ---- some ------------------------------------------------------------------------------------------------------ */

// Holds: S57
TEST_P(TaskConformance, AWaitCancelsNothingAndItsTimeoutIsNoError)
{
    Future a = NewFuture(), b = NewFuture();
    Parts parts{a.get(), b.get()};
    Future late = WaitFutures(loop, parts, HOYA_ALL_COMPLETED, HOYA_MSEC(1));
    Future at_once = WaitFutures(loop, parts, HOYA_FIRST_COMPLETED, 0);
    EXPECT_EQ(ValueOf(at_once), nullptr);
    Future cancelled = WaitFutures(loop, parts, HOYA_FIRST_COMPLETED);
    EXPECT_EQ(hoya_future_cancel(cancelled.get(), nullptr), 1);
    EXPECT_TRUE(IsCancelled(cancelled));
    RunUntilDone({late.get()});
    EXPECT_EQ(ValueOf(late), nullptr);
    EXPECT_FALSE(IsDone(a) || IsDone(b));
}

// Holds: S57
TEST_P(TaskConformance, AWaitForTheFirstExceptionDoesNotCountCancels)
{
    Future a = NewFuture(), b = NewFuture(), c = NewFuture(), d = NewFuture();
    Parts parts{a.get(), b.get(), c.get(), d.get()};
    Future first = WaitFutures(loop, parts, HOYA_FIRST_EXCEPTION),
           all = WaitFutures(loop, parts, HOYA_ALL_COMPLETED);
    hoya_future_cancel(a.get(), nullptr);
    SetValue(b, nullptr);
    EXPECT_FALSE(IsDone(first));
    Fail(c, HOYA_EPIPE, "unseen");
    EXPECT_TRUE(IsDone(first));
    EXPECT_FALSE(IsDone(all));
    c.reset();
    SetValue(d, nullptr);
    EXPECT_TRUE(IsDone(all));
    all.reset();
    EXPECT_TRUE(Logged("unseen")) << "a wait looks at no error";

    Future e = NewFuture();
    first = WaitFutures(loop, {e.get()}, HOYA_FIRST_EXCEPTION);
    SetValue(e, nullptr);
    EXPECT_TRUE(IsDone(first)) << "there will be none";
}

// Holds: S57
TEST_P(TaskConformance, AWaitForNoFuturesIsAnError)
{
    hoya_future *out = nullptr;
    EXPECT_EQ(hoya_wait_futures(loop, nullptr, 0, HOYA_ALL_COMPLETED, HOYA_NEVER, &out), HOYA_EINVAL);
}

// Holds: S58
TEST_P(TaskConformance, AWaitForTheFirstMayFindSeveralDone)
{
    Future a = NewFuture(), b = NewFuture(), c = NewFuture();
    Future first = WaitFutures(loop, {a.get(), b.get(), c.get()}, HOYA_FIRST_COMPLETED);
    WhenDone(first, [&] { Note(IsDone(a) && IsDone(b) && !IsDone(c) ? "two" : "?"); });
    SetValue(b, nullptr);
    SetValue(a, nullptr);
    RunRounds(1);
    EXPECT_EQ(trace, Trace{"two"});
}

} // namespace hoya_test
