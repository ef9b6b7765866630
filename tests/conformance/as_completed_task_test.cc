/* SPDX-License-Identifier: MIT
 *
 * conformance/as_completed_task_test.cc: tasks that take several futures as they end, and the first of several
 * attempts: as_completed and staggered_race.
 */
#include "combine_tasks.h"

namespace hoya_test
{

/* ---- as_completed ---------------------------------------------------------------------------------------------- */

TEST_P(TaskConformance, FuturesAreGivenAsTheyAreDone)
{
    std::vector<Future> futures;
    Parts parts;
    for (int i = 0; i < 5; i++) futures.push_back(NewFuture()), parts.push_back(futures.back().get());
    hoya_future_set_result(parts[4], nullptr, nullptr);
    hoya_future_set_result(parts[1], nullptr, nullptr);
    Parts twice = parts;
    twice.push_back(parts[0]);
    Task task = Create([&](hoya_task *) {
        AsCompleted iterator = Iterate(loop, twice);
        hoya_future *future = nullptr;
        int rc;
        while ((rc = hoya_as_completed_next(iterator.get(), &future)) == 1)
            for (size_t i = 0; i < parts.size(); i++)
                if (parts[i] == future) Note(std::to_string(i));
        EXPECT_EQ(hoya_as_completed_next(iterator.get(), &future), 0);
        return rc;
    });
    RunRounds(1);
    EXPECT_EQ(trace, (Trace{"1", "4"})) << "those that were done in the order of the arguments";
    hoya_future_set_exception(parts[3], HOYA_EPIPE, "unseen");
    hoya_future_cancel(parts[0], nullptr);
    RunRounds(1);
    EXPECT_EQ(trace, (Trace{"1", "4", "3", "0"}));
    hoya_future_set_result(parts[2], nullptr, nullptr);
    RunUntilDone({Of(task)});
    EXPECT_EQ(trace.back(), "2");
    EXPECT_EQ(Result(task), 0);
    futures.clear();
    EXPECT_TRUE(Logged("unseen"));
}

// Holds: S43
TEST_P(TaskConformance, ACancelledIterationLosesNoFuture)
{
    Future a = NewFuture(), b = NewFuture();
    Task task = Create([&](hoya_task *self) {
        AsCompleted iterator = Iterate(loop, {a.get(), b.get()});
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_as_completed_next(iterator.get(), &future), 1) << "it came before the cancel";
        EXPECT_EQ(future, a.get());
        EXPECT_EQ(hoya_as_completed_next(iterator.get(), &future), HOYA_ECANCELED);
        EXPECT_EQ(hoya_task_uncancel(self), 0);
        EXPECT_EQ(hoya_as_completed_next(iterator.get(), &future), 1);
        EXPECT_EQ(future, b.get());
        return 0;
    });
    RunRounds(1);
    EXPECT_EQ(hoya_future_set_result(a.get(), nullptr, nullptr), 0);
    EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
    RunRounds(1);
    EXPECT_EQ(hoya_future_set_result(b.get(), nullptr, nullptr), 0);
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), 0);
}

TEST_P(TaskConformance, TasksMayShareAnIterationAndCallbacksTakeWhatIsThere)
{
    Future a = NewFuture(), b = NewFuture(), c = NewFuture();
    AsCompleted iterator = Iterate(loop, {a.get(), b.get(), c.get()});
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_as_completed_next(iterator.get(), &future), HOYA_ESTATE) << "no task, and nothing there";
    hoya_future_set_result(b.get(), nullptr, nullptr);
    EXPECT_EQ(hoya_as_completed_next(iterator.get(), &future), 1);
    EXPECT_EQ(future, b.get());
    std::vector<Task> tasks;
    for (int i = 0; i < 3; i++)
        tasks.push_back(Create([&](hoya_task *) { return hoya_as_completed_next(iterator.get(), nullptr); }));
    RunRounds(1);
    hoya_future_set_result(c.get(), nullptr, nullptr);
    RunRounds(2);
    EXPECT_EQ(Done(tasks[0]) + Done(tasks[1]) + Done(tasks[2]), 1) << "each is given once";
    hoya_future_set_result(a.get(), nullptr, nullptr);
    RunUntilDone({Of(tasks[0]), Of(tasks[1]), Of(tasks[2])});
    EXPECT_EQ(hoya_as_completed_next(iterator.get(), &future), 0);
    AsCompleted pending = Iterate(loop, {NewFuture().get()}), none = Iterate(loop, {});
    EXPECT_EQ(hoya_as_completed_next(none.get(), nullptr), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
}

/* ---- staggered race ------------------------------------------------------------------------------------------- */

// Holds: S74
TEST_P(TaskConformance, AnAttemptBeginsWhenTheOneBeforeItTakesLongOrHasFailed)
{
    int answer = 42;
    int64_t asked = 0, begun[4] = {}, failed = 0;
    Task main = Create([&](hoya_task *) {
        Attempts attempts({[&](hoya_task *task) { return SleepLong(task); },
                           [&](hoya_task *) {
                               begun[1] = Now();
                               failed = Now();
                               return hoya_error_set(HOYA_EIO, "the second");
                           },
                           [&](hoya_task *self) {
                               begun[2] = Now();
                               return hoya_task_set_value(self, &answer, nullptr);
                           },
                           [&](hoya_task *) { return begun[3] = Now(), 0; }});
        size_t winner = 9;
        asked = Now();
        EXPECT_EQ(attempts.Race(HOYA_MSEC(50), &winner), 0);
        EXPECT_EQ(winner, 2u);
        EXPECT_EQ(attempts.Result(0), HOYA_ECANCELED);
        EXPECT_EQ(attempts.Result(1), HOYA_EIO);
        EXPECT_STREQ(hoya_error_detail(), "the second");
        void *value = nullptr;
        EXPECT_EQ(attempts.Result(2, &value), 0);
        EXPECT_EQ(value, &answer);
        EXPECT_FALSE(attempts.Begun(3));
        return 0;
    });
    RunUntilDone({Of(main)});
    EXPECT_EQ(Result(main), 0);
    EXPECT_GE(begun[1], asked + HOYA_MSEC(50)) << "by its delay";
    EXPECT_GE(begun[2], failed) << "by the failure of the one before it";
    EXPECT_EQ(begun[3], 0);
    EXPECT_EQ(LogLines(), 0u);
    EXPECT_EQ(Stats().timers, 0u);
}

// Holds: S74
TEST_P(TaskConformance, OnlyTheLastAttemptsFailureBringsTheNextOneForward)
{
    Future fails = NewFuture();
    Task main = Create([&](hoya_task *) {
        Attempts attempts({[&](hoya_task *) { return hoya_await(fails.get(), nullptr); },
                           [&](hoya_task *) {
                               hoya_future_set_exception(fails.get(), HOYA_EIO, nullptr);
                               int rc = hoya_sleep(HOYA_MSEC(5)); /* the first one's failure is known by now */
                               EXPECT_EQ(trace, Trace{});
                               return rc < 0 ? rc : HOYA_EPIPE;
                           },
                           [&](hoya_task *) { return Note("third"), 0; }});
        size_t winner = 9;
        EXPECT_EQ(attempts.Race(HOYA_MSEC(20), &winner), 0);
        EXPECT_EQ(winner, 2u);
        return 0;
    });
    RunUntilDone({Of(main)});
    EXPECT_EQ(trace, Trace{"third"});
}

// Holds: S74
TEST_P(TaskConformance, TheAttemptThatEndsFirstWinsWhereverItStands)
{
    Future ends[2] = {NewFuture(), NewFuture()};
    Task main = Create([&](hoya_task *) {
        Attempts attempts({[&](hoya_task *) { return hoya_await(ends[0].get(), nullptr); },
                           [&](hoya_task *) { return hoya_await(ends[1].get(), nullptr); }});
        size_t winner = 9;
        EXPECT_EQ(attempts.Race(0, &winner), 0);
        EXPECT_EQ(winner, 1u);
        EXPECT_EQ(attempts.Result(0), 0) << "it ended in the same round";
        return 0;
    });
    RunRounds(6);
    for (int i : {1, 0}) EXPECT_EQ(hoya_future_set_result(ends[i].get(), nullptr, nullptr), 0);
    RunUntilDone({Of(main)});
}

// Holds: S74
TEST_P(TaskConformance, ARaceInWhichAllFailHasEveryError)
{
    Task main = Create([&](hoya_task *) {
        for (int64_t delay : {HOYA_NOW, int64_t(0), HOYA_SEC(60), HOYA_NEVER}) {
            Attempts attempts({[](hoya_task *) { return hoya_error_set(HOYA_EIO, "one"); },
                               [](hoya_task *) { return hoya_error_set(HOYA_EPIPE, "two"); },
                               [](hoya_task *) { return HOYA_ECANCELED; }});
            size_t winner = 9;
            EXPECT_EQ(attempts.Race(delay, &winner), HOYA_EIO);
            EXPECT_STREQ(hoya_error_detail(), "one");
            EXPECT_EQ(winner, 9u);
            EXPECT_EQ(attempts.Result(1), HOYA_EPIPE);
            EXPECT_STREQ(hoya_error_detail(), "two");
            EXPECT_EQ(attempts.Result(2), HOYA_ECANCELED);
        }
        return 0;
    });
    RunUntilDone({Of(main)});
    EXPECT_EQ(Result(main), 0);
    EXPECT_EQ(LogLines(), 0u) << "they are the caller's";
}

// Holds: S74
TEST_P(TaskConformance, ARaceReturnsWhenItsLosersHaveEnded)
{
    Task main = Create([&](hoya_task *self) {
        bool cleaned = false;
        Attempts attempts({[&](hoya_task *task) {
                               EXPECT_EQ(SleepLong(task), HOYA_ECANCELED);
                               EXPECT_EQ(hoya_shield_enter(), 0);
                               EXPECT_EQ(hoya_sleep(HOYA_MSEC(2)), 0);
                               EXPECT_EQ(hoya_shield_leave(), 0);
                               cleaned = true;
                               return HOYA_EIO;
                           },
                           [&](hoya_task *) {
                               EXPECT_EQ(hoya_await(hoya_task_future(self), nullptr), HOYA_EDEADLK)
                                   << "they are children";
                               return 0;
                           }});
        size_t winner = 9;
        EXPECT_EQ(attempts.Race(0, &winner), 0);
        EXPECT_EQ(winner, 1u);
        EXPECT_TRUE(cleaned);
        return 0;
    });
    RunUntilDone({Of(main)});
    EXPECT_EQ(Result(main), 0);
    EXPECT_EQ(LogLines(), 0u) << "the loser's failure is the caller's, too";
}

// Holds: S74 S43
TEST_P(TaskConformance, AnInterruptedRaceCancelsAllAndBelievesWhoWinsAllTheSame)
{
    for (bool refuses : {false, true}) {
        auto witness = std::make_shared<int>(0);
        Task main = Create([refuses, witness](hoya_task *self) {
            auto attempt = [&](hoya_task *task) {
                EXPECT_EQ(hoya_task_cancel(self, "not so long"), 1);
                int rc = SleepLong(task);
                return refuses ? 0 : rc;
            };
            Attempts attempts(
                {[](hoya_task *) { return HOYA_EIO; }, attempt, [witness](hoya_task *) { return 0; }});
            size_t winner = 9;
            int rc = attempts.Race(HOYA_SEC(60), &winner);
            EXPECT_EQ(hoya_task_cancelling(self), 1) << "it stays";
            EXPECT_EQ(winner, refuses ? 1u : 9u);
            EXPECT_EQ(attempts.Result(0), HOYA_EIO);
            EXPECT_FALSE(attempts.Begun(2));
            return rc;
        });
        RunUntilDone({Of(main)});
        EXPECT_EQ(Result(main), refuses ? 0 : HOYA_ECANCELED);
        main.reset();
        EXPECT_EQ(witness.use_count(), 1) << "the argument of one that never began is destroyed";
    }
}

// Holds: S55 S74
TEST_P(TaskConformance, TasksThatWaitForSeveralFuturesEndWithTheirLoop)
{
    Future a = NewFuture(), b = NewFuture();
    AsCompleted iterator = Iterate(loop, {a.get()});
    Task waits = Create([&](hoya_task *) { return Wait({a.get(), b.get()}, HOYA_ALL_COMPLETED, HOYA_SEC(60)); });
    Task next = Create([&](hoya_task *) { return hoya_as_completed_next(iterator.get(), nullptr); });
    Task limited = Create([&](hoya_task *) { return hoya_wait_for(b.get(), HOYA_SEC(60), nullptr); });
    Task races = Create([&](hoya_task *) { return Attempts({SleepLong, SleepLong}).Race(0, nullptr); });
    Task gathers = Create([&](hoya_task *) {
        return hoya_await(Gather(loop, {a.get(), Of(waits)}).get(), nullptr);
    });
    RunRounds(3);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    for (const Task *task : {&waits, &next, &limited, &races, &gathers}) EXPECT_EQ(Result(*task), HOYA_ECANCELED);
}

} // namespace hoya_test
