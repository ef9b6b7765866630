/* SPDX-License-Identifier: MIT
 *
 * conformance/combine_task_test.cc: tasks that wait for several futures: wait, wait_for, as_completed, staggered_race; and what
 * a task has of the combinators.
 */
#include "combine.h"

namespace hoya_test
{
namespace
{

int Wait(const Parts &parts, hoya_when when, int64_t timeout = HOYA_NEVER)
{
    return hoya_wait(parts.data(), parts.size(), when, timeout);
}

struct FreeIterator {
    void operator()(hoya_as_completed *iterator) const { hoya_as_completed_free(iterator); }
};
using AsCompleted = std::unique_ptr<hoya_as_completed, FreeIterator>;

AsCompleted Iterate(hoya_loop *loop, const Parts &parts)
{
    hoya_as_completed *iterator = nullptr;
    EXPECT_EQ(hoya_as_completed_new(loop, parts.data(), parts.size(), &iterator), 0) << hoya_error_detail();
    return AsCompleted(iterator);
}

/* The attempts of a race, from lambdas; their tasks are let go at the end. */
class Attempts
{
  public:
    explicit Attempts(std::vector<TaskWork> works)
    {
        for (TaskWork &work : works) {
            auto run = [](hoya_task *self, void *arg) { return (*static_cast<TaskWork *>(arg))(self); };
            auto destroy = [](void *arg) { delete static_cast<TaskWork *>(arg); };
            all_.push_back({run, new TaskWork(std::move(work)), destroy, nullptr, nullptr});
        }
    }
    Attempts(const Attempts &) = delete;
    Attempts &operator=(const Attempts &) = delete;
    ~Attempts()
    {
        for (hoya_attempt &attempt : all_) hoya_task_unref(attempt.task);
    }
    int Race(int64_t delay, size_t *winner) { return hoya_staggered_race(all_.data(), all_.size(), delay, winner); }
    bool Begun(size_t i) const { return all_[i].task; }
    int Result(size_t i, void **value = nullptr) const
    {
        return hoya_future_result(hoya_task_future(all_[i].task), value);
    }

  private:
    std::vector<hoya_attempt> all_;
};

int SleepLong(hoya_task *)
{
    return hoya_sleep(HOYA_SEC(60));
}

} // namespace

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
