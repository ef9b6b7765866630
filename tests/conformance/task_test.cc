/* SPDX-License-Identifier: MIT
 *
 * conformance/task_test.cc: tasks: sequential code on every host.
 */
#include "tasks.h"

#include <cerrno>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace hoya_test
{

INSTANTIATE_TEST_SUITE_P(Hosts, TaskConformance, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- life ------------------------------------------------------------------------------------------------ */

// Holds: S39
TEST_P(TaskConformance, TheFirstStepIsQueuedAndNotRunInsideTheCall)
{
    CallSoon(Say("before"));
    Task task = Create([this](hoya_task *) {
        Note("task");
        return 0;
    });
    CallSoon(Say("after"));
    EXPECT_EQ(trace, Trace{});
    RunUntilDone({Of(task)});
    EXPECT_EQ(trace, (Trace{"before", "task", "after"}));
    EXPECT_EQ(Result(task), 0);
}

TEST_P(TaskConformance, AStatusAValueAndAName)
{
    int answer = 42;
    Task named = Create(
        [&](hoya_task *self) {
            EXPECT_EQ(hoya_current_task(), self);
            EXPECT_STREQ(hoya_task_get_name(self), "the answer");
            EXPECT_EQ(hoya_task_get_loop(self), loop);
            return hoya_task_set_value(self, &answer, nullptr);
        },
        "the answer");
    Task failing = Create([](hoya_task *) { return HOYA_EPIPE; });
    EXPECT_EQ(hoya_current_task(), nullptr);
    RunUntilDone({Of(named), Of(failing)});
    void *value = nullptr;
    EXPECT_EQ(Result(named, &value), 0);
    EXPECT_EQ(value, &answer);
    EXPECT_EQ(Result(failing), HOYA_EPIPE);
    EXPECT_EQ(std::string(hoya_task_get_name(failing.get())).rfind("Task-", 0), 0u);
}

TEST_P(TaskConformance, NamesAreCountedOnBeyondNine)
{
    std::vector<Task> tasks;
    std::vector<hoya_future *> futures;
    std::string longer(100, 'x');
    for (int i = 1; i <= 101; i++) tasks.push_back(Create([](hoya_task *) { return 0; }));
    Task named = Create([](hoya_task *) { return 0; }, longer.c_str());
    for (int i : {1, 9, 10, 19, 20, 99, 100, 101})
        EXPECT_EQ(hoya_task_get_name(tasks[size_t(i) - 1].get()), "Task-" + std::to_string(i));
    EXPECT_EQ(hoya_task_get_name(named.get()), longer);
    for (const Task &task : tasks) futures.push_back(Of(task));
    futures.push_back(Of(named));
    RunUntilDone(futures);
}

/* The loop keeps what a task was made of for the next one; what it was must not show. */
TEST_P(TaskConformance, ATaskBeginsAnewWhateverTheOneBeforeItWas)
{
    for (int i = 0; i < 3; i++) {
        Task first = Create([](hoya_task *self) {
            EXPECT_EQ(hoya_task_cancelling(self), 0);
            hoya_task_set_value(self, self, nullptr);
            return hoya_sleep(HOYA_SEC(3600));
        });
        CallSoon([&] { hoya_task_cancel(first.get(), "a reason"); });
        RunUntilDone({Of(first)});
        EXPECT_EQ(Result(first), HOYA_ECANCELED);
        first.reset();
        Task second = Create([](hoya_task *) { return 0; });
        EXPECT_EQ(hoya_task_cancelling(second.get()), 0);
        RunUntilDone({Of(second)});
        void *value = this;
        EXPECT_EQ(Result(second, &value), 0);
        EXPECT_EQ(value, nullptr);
    }
}

TEST_P(TaskConformance, AValueWhoseEndSetsAnotherIsDestroyedOnce)
{
    static int destroyed;
    destroyed = 0;
    int first = 1, second = 2;
    Task task = Create([&](hoya_task *self) {
        EXPECT_EQ(hoya_task_set_value(self, &first,
                                      [](void *) {
                                          destroyed++;
                                          hoya_task_set_value(hoya_current_task(), nullptr, nullptr);
                                      }),
                  0);
        return hoya_task_set_value(self, &second, nullptr);
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(destroyed, 1);
}

TEST_P(TaskConformance, ATaskIsNotTheDestinationOfAChain)
{
    Future source = NewFuture();
    Task task = Create([](hoya_task *) { return hoya_sleep(0); });
    EXPECT_EQ(hoya_future_chain(source.get(), Of(task)), HOYA_ESTATE);
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), 0);
    EXPECT_FALSE(hoya_future_done(source.get()));
}

TEST_P(TaskConformance, WhatRunsInlineInATaskCannotWaitAndTheTaskCan)
{
    std::vector<int> said;
    auto wait = [](void *list) { static_cast<std::vector<int> *>(list)->push_back(hoya_sleep(0)); };
    auto handler = [](hoya_loop *, const hoya_exception_context *, void *list) {
        static_cast<std::vector<int> *>(list)->push_back(hoya_sleep(0));
        return 0;
    };
    Task task = Create([&](hoya_task *) {
        hoya_handle *handle = nullptr;
        EXPECT_EQ(hoya_loop_call_soon_full(
                      loop, [](void *) {}, &said, wait, &handle),
                  0);
        EXPECT_EQ(hoya_handle_cancel(handle), 1);
        hoya_handle_unref(handle);
        EXPECT_EQ(hoya_sleep(0), 0);

        Future future = NewFuture();
        EXPECT_EQ(hoya_future_set_result(future.get(), &said, wait), 0);
        future.reset();
        EXPECT_EQ(hoya_sleep(0), 0);

        EXPECT_EQ(hoya_loop_set_exception_handler(loop, handler, &said), 0);
        hoya_exception_context context = {sizeof context, "something", HOYA_EPIPE, nullptr, HOYA_INVALID_FD};
        hoya_loop_call_exception_handler(loop, &context);
        EXPECT_EQ(hoya_loop_set_exception_handler(loop, nullptr, nullptr), 0);
        return hoya_sleep(0);
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), 0);
    EXPECT_EQ(said, std::vector<int>(3, HOYA_EPERM));
}

TEST_P(TaskConformance, CallbacksOfAnotherLoopThatATaskRunsHaveNoCurrentTask)
{
    Task task = Create([&](hoya_task *self) {
        hoya_loop *other = nullptr;
        EXPECT_EQ(hoya_loop_new(nullptr, &other), 0);
        auto look = [](void *arg) {
            EXPECT_EQ(hoya_current_task(), nullptr);
            EXPECT_EQ(hoya_task_set_value(static_cast<hoya_task *>(arg), nullptr, nullptr), HOYA_ESTATE);
            EXPECT_EQ(hoya_sleep(0), HOYA_EDEADLK);
        };
        EXPECT_EQ(hoya_loop_call_soon(other, look, self), 0);
        EXPECT_EQ(hoya_loop_dispatch(other, HOYA_NEVER), 1);
        EXPECT_EQ(hoya_current_task(), self);
        EXPECT_EQ(hoya_loop_close(other), 0);
        hoya_loop_unref(other);
        return 0;
    });
    RunUntilDone({Of(task)});
}

// Holds: S162
TEST_P(TaskConformance, TheArgumentIsDestroyedOnceWhateverBecomesOfTheTask)
{
    auto value = std::make_shared<int>(0);
    Task ran = Create([value](hoya_task *) { return 0; });
    Task cancelled = Create([value](hoya_task *) { return 0; });
    EXPECT_EQ(hoya_task_cancel(cancelled.get(), nullptr), 1);
    EXPECT_EQ(value.use_count(), 2);
    hoya_task_options options = {};
    options.size = 3;
    EXPECT_EQ(hoya_create_task(loop, RunWork, nullptr, &options, nullptr), HOYA_EINVAL);
    options.size = sizeof options;
    options.destroy = DestroyWork;
    EXPECT_EQ(hoya_create_task(loop, nullptr, new TaskWork([value](hoya_task *) { return 0; }), &options, nullptr),
              HOYA_EINVAL);
    RunUntilDone({Of(ran)});
    EXPECT_EQ(value.use_count(), 1);
}

TEST_P(TaskConformance, ATaskThatNobodyKeepsRunsToItsEnd)
{
    Create([this](hoya_task *) {
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        Note("done");
        return 0;
    });
    RunUntilNoted(1);
}

// Holds: S36
TEST_P(TaskConformance, AFailureThatNobodyLooksAtIsReported)
{
    Create([](hoya_task *) { return HOYA_EPIPE; });
    RunRounds(2);
    EXPECT_TRUE(Logged("nobody looked at"));
}

TEST_P(TaskConformance, AFailureTakesItsDetailAlongAndNoOther)
{
    Task telling = Create([](hoya_task *) { return hoya_error_set(HOYA_EPIPE, "port %d is gone", 7); });
    Task silent = Create([](hoya_task *) {
        hoya_error_set(HOYA_EPERM, "that did not matter");
        return int(HOYA_EPIPE);
    });
    RunUntilDone({Of(telling), Of(silent)});
    const char *text = nullptr;
    EXPECT_EQ(hoya_future_exception(Of(telling), &text), HOYA_EPIPE);
    EXPECT_STREQ(text, "port 7 is gone");
    EXPECT_EQ(hoya_future_exception(Of(silent), &text), HOYA_EPIPE);
    EXPECT_STREQ(text, "");
}

TEST_P(TaskConformance, AWalkOverAllTasksMayEndAnyOfThem)
{
    /* The first one's argument, when it is destroyed, cancels the second; none has started. */
    struct Canceller {
        hoya_task *other = nullptr;
        ~Canceller()
        {
            hoya_task_cancel(other, nullptr);
            hoya_task_unref(other);
        }
    };
    auto canceller = std::make_shared<Canceller>();
    Task first = Create([canceller](hoya_task *) { return 0; });
    canceller->other = Create([](hoya_task *) { return 0; }).release();
    Task third = Create([](hoya_task *) { return 0; });
    canceller.reset();
    auto cancel = [](hoya_task *task, void *) { hoya_task_cancel(task, nullptr); };
    EXPECT_EQ(hoya_all_tasks(loop, cancel, nullptr), 2);
    EXPECT_TRUE(Done(first));
    EXPECT_TRUE(Done(third));
    EXPECT_EQ(hoya_all_tasks(loop, nullptr, nullptr), 0);
}

TEST_P(TaskConformance, ATaskIsAFutureThatNobodyElseCanComplete)
{
    Probe probe;
    Task task = Create([](hoya_task *) { return 0; });
    EXPECT_EQ(hoya_future_set_result(Of(task), &probe, Probe::Destroy), HOYA_ESTATE);
    EXPECT_EQ(probe.destroyed, 1);
    EXPECT_EQ(hoya_future_set_exception(Of(task), HOYA_EPIPE, nullptr), HOYA_ESTATE);
    RunUntilDone({Of(task)});
}

TEST_P(TaskConformance, AllTasksAreThoseThatHaveNotEnded)
{
    EXPECT_EQ(hoya_all_tasks(loop, nullptr, nullptr), 0);
    Future end = NewFuture();
    Task first = Create([&](hoya_task *) { return hoya_await(end.get(), nullptr); });
    Task second = Create([](hoya_task *) { return 0; });
    std::vector<hoya_task *> seen;
    auto note = [](hoya_task *task, void *arg) { static_cast<std::vector<hoya_task *> *>(arg)->push_back(task); };
    EXPECT_EQ(hoya_all_tasks(loop, note, &seen), 2);
    EXPECT_EQ(seen, (std::vector<hoya_task *>{first.get(), second.get()}));
    RunUntilDone({Of(second)});
    EXPECT_EQ(hoya_all_tasks(loop, nullptr, nullptr), 1);
    EXPECT_EQ(hoya_future_set_result(end.get(), nullptr, nullptr), 0);
    RunUntilDone({Of(first)});
    EXPECT_EQ(hoya_all_tasks(loop, nullptr, nullptr), 0);
}

// Holds: S16
TEST_P(TaskConformance, TasksGoWithALoopThatIsRunElsewhere)
{
    if (host && !host->RunsElsewhere()) return;
    int made_there = 0;
    Task task = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sleep(0), 0);
        hoya_task *child = nullptr;
        auto count = [](hoya_task *, void *arg) { return ++*static_cast<int *>(arg), hoya_sleep(HOYA_MSEC(1)); };
        EXPECT_EQ(hoya_create_task(loop, count, &made_there, nullptr, &child), 0) << hoya_error_detail();
        EXPECT_EQ(hoya_await(hoya_task_future(child), nullptr), 0);
        hoya_task_unref(child);
        Stop();
        return 0;
    });
    std::thread([&] {
        Run();
        task.reset();
        EXPECT_EQ(hoya_loop_close(loop), 0);
    }).join();
    EXPECT_EQ(made_there, 1);
    hoya_loop_unref(loop);
    loop = nullptr;
}

/* ---- waiting --------------------------------------------------------------------------------------------- */

TEST_P(TaskConformance, AwaitGivesTheValueThatComes)
{
    int answer = 42;
    Future future = NewFuture();
    Task task = Create([&](hoya_task *) {
        void *value = nullptr;
        EXPECT_EQ(hoya_await(future.get(), &value), 0);
        EXPECT_EQ(value, &answer);
        Note("resumed");
        return 0;
    });
    CallLater(HOYA_MSEC(1), [&] {
        EXPECT_EQ(hoya_future_set_result(future.get(), &answer, nullptr), 0);
        Note("completed");
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(trace, (Trace{"completed", "resumed"}));
}

// Holds: S37
TEST_P(TaskConformance, AwaitOfADoneFutureDoesNotSuspend)
{
    Future future = NewFuture();
    EXPECT_EQ(hoya_future_set_exception(future.get(), HOYA_EPIPE, "the pipe"), 0);
    Task task = Create([&](hoya_task *) {
        CallSoon(Say("queued before"));
        EXPECT_EQ(hoya_await(future.get(), nullptr), HOYA_EPIPE);
        EXPECT_STREQ(hoya_error_detail(), "the pipe");
        Note("after");
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(trace[0], "after");
}

TEST_P(TaskConformance, RunBrieflyIsRunOnceWithoutAWait)
{
    Future future = NewFuture();
    Task task = Create([&](hoya_task *) {
        Note("first step");
        EXPECT_EQ(hoya_await(future.get(), nullptr), 0);
        Note("second step");
        return 0;
    });
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
    EXPECT_EQ(trace, Trace{"first step"});
    EXPECT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), 0);
    EXPECT_EQ(trace, Trace{"first step"});
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
    EXPECT_EQ(trace, (Trace{"first step", "second step"}));
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 0) << "an iteration with nothing in it";
}

// Holds: S52
TEST_P(TaskConformance, SleepZeroIsOneRoundAndTwoTasksAlternate)
{
    std::vector<Task> tasks;
    for (std::string name : {"a", "b"})
        tasks.push_back(Create([this, name](hoya_task *) {
            for (int i = 0; i < 3; i++) {
                Note(name + std::to_string(i));
                EXPECT_EQ(hoya_sleep(0), 0);
            }
            return 0;
        }));
    RunUntilDone({Of(tasks[0]), Of(tasks[1])});
    EXPECT_EQ(trace, (Trace{"a0", "b0", "a1", "b1", "a2", "b2"}));
}

/* The timer is queued behind the cancel, which queues the task behind the timer: it goes on once, by one of the two. */
TEST_P(TaskConformance, ARoundIsARoundAlsoIfATimerAndACancelCameTogether)
{
    Task task = Create([this](hoya_task *self) {
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0) << "the time was there first";
        EXPECT_EQ(hoya_task_uncancel(self), 0);
        CallSoon(Say("a round"));
        EXPECT_EQ(hoya_sleep(0), 0);
        Note("after it");
        return 0;
    });
    RunRounds(1);
    CallSoon([&] {
        Burn(HOYA_MSEC(2));
        CallSoon([&] { EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1); });
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(trace, (Trace{"a round", "after it"}));
}

TEST_P(TaskConformance, SleepTakesItsTimeAndOthersRunMeanwhile)
{
    Task task = Create([this](hoya_task *) {
        int64_t start = Now();
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(5)), 0);
        EXPECT_GE(Now() - start, HOYA_MSEC(5));
        Note("woke");
        return 0;
    });
    CallLater(HOYA_MSEC(1), Say("meanwhile"));
    RunUntilDone({Of(task)});
    EXPECT_EQ(trace, (Trace{"meanwhile", "woke"}));
}

// Holds: S50
TEST_P(TaskConformance, WhatCannotBeWaitedForIsTold)
{
    EXPECT_EQ(hoya_sleep(0), HOYA_ESTATE) << "outside of a task";
    EXPECT_EQ(hoya_await(nullptr, nullptr), HOYA_EINVAL);
    hoya_loop *other = nullptr;
    ASSERT_EQ(hoya_loop_new(nullptr, &other), 0);
    hoya_future *foreign = nullptr;
    ASSERT_EQ(hoya_future_new(other, &foreign), 0);
    Task task = Create([&](hoya_task *self) {
        EXPECT_EQ(hoya_await(hoya_task_future(self), nullptr), HOYA_EDEADLK);
        EXPECT_EQ(hoya_await(foreign, nullptr), HOYA_EINVAL);
        return 0;
    });
    RunUntilDone({Of(task)});
    hoya_future_unref(foreign);
    Release(other);
}

// Holds: S54
TEST_P(TaskConformance, ACallbackHasNoCurrentTask)
{
    Task task = Create([](hoya_task *self) {
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        EXPECT_EQ(hoya_current_task(), self);
        return 0;
    });
    CallSoon([this] {
        EXPECT_EQ(hoya_current_task(), nullptr);
        EXPECT_EQ(hoya_sleep(0), HOYA_ESTATE);
        Note("callback");
    });
    RunUntilDone({Of(task)});
    EXPECT_TRUE(Seen("callback"));
}

// Holds: S54
TEST_P(TaskConformance, TheCurrentTaskIsTheOneThatRunsHoweverTheyAlternate)
{
    std::vector<Task> tasks;
    for (int i = 0; i < 3; i++)
        tasks.push_back(Create([this, i](hoya_task *self) {
            for (int n = 0; n <= i; n++) {
                EXPECT_EQ(hoya_current_task(), self);
                CallSoon([] { EXPECT_EQ(hoya_current_task(), nullptr); });
                EXPECT_EQ(hoya_sleep(n % 2 ? HOYA_USEC(10) : 0), 0);
            }
            EXPECT_EQ(hoya_current_task(), self);
            return 0;
        }));
    RunUntilDone({Of(tasks[0]), Of(tasks[1]), Of(tasks[2])});
    EXPECT_EQ(hoya_current_task(), nullptr);
}

// Holds: S50
TEST_P(TaskConformance, ATaskOfAnotherLoopCannotBeWaitedForEither)
{
    hoya_loop *other = nullptr;
    ASSERT_EQ(hoya_loop_new(nullptr, &other), 0);
    hoya_task *foreign = nullptr;
    ASSERT_EQ(hoya_create_task(
                  other, [](hoya_task *, void *) { return 0; }, nullptr, nullptr, &foreign),
              0);
    Task task = Create([&](hoya_task *self) {
        EXPECT_EQ(hoya_wait_done(hoya_task_future(self)), HOYA_EDEADLK);
        EXPECT_EQ(hoya_wait_done(hoya_task_future(foreign)), HOYA_EINVAL);
        EXPECT_FALSE(hoya_future_cancelled(hoya_task_future(foreign)));
        return hoya_sleep(0);
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), 0) << "and goes on";
    EXPECT_EQ(hoya_loop_run_once(other, HOYA_NOW), 1);
    hoya_task_unref(foreign);
    Release(other);
}

// Holds: S56 F27
TEST_P(TaskConformance, AChildForkedInATaskHasNoCurrentTask)
{
    Task task = Create([&](hoya_task *self) {
        int status = InChild([&] {
            EXPECT_EQ(hoya_current_task(), nullptr);
            EXPECT_EQ(hoya_get_running_loop(), nullptr);
            EXPECT_EQ(hoya_sleep(0), HOYA_ECHILD);
            EXPECT_EQ(hoya_wait_done(Of(task)), HOYA_ECHILD);
            EXPECT_EQ(hoya_task_cancel(self, nullptr), HOYA_ECHILD);
            EXPECT_EQ(hoya_create_task(loop, RunWork, nullptr, nullptr, nullptr), HOYA_ECHILD);
        });
        EXPECT_EQ(status, 0);
        EXPECT_EQ(hoya_current_task(), self);
        return hoya_sleep(0);
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), 0);
}

/* AddressSanitizer sees what becomes of the scope. */
// Holds: F27
TEST_P(TaskConformance, ATaskThatEndsInAForkedChildLeavesItsTimeouts)
{
    pid_t child = -1;
    int status = -1;
    Task task = Create([&](hoya_task *) {
        hoya_timeout *scope = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &scope), 0);
        fflush(stdout);
        child = fork();
        if (child == 0) return alarm(10), 0;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
        return 0;
    });
    while (child < 0 && hoya_loop_run_once(loop, HOYA_NEVER) >= 0) continue;
    if (child == 0) {
        if (host) host->AfterFork();
        EXPECT_EQ(hoya_loop_after_fork(loop), 0);
        CallLater(HOYA_MSEC(3), [this] { Stop(); });
        Run();
        EXPECT_TRUE(Done(task));
        _exit(HasFailure());
    }
    RunUntilDone({Of(task)});
    EXPECT_EQ(status, 0);
}

/* ---- errors ---------------------------------------------------------------------------------------------- */

TEST_P(TaskConformance, WhatOthersFailInWhileATaskWaitsIsNotItsErrorDetail)
{
    std::vector<Task> tasks;
    for (std::string name : {"a", "b"})
        tasks.push_back(Create([name](hoya_task *) {
            EXPECT_STREQ(hoya_error_detail(), "") << "nothing has failed in it";
            for (int i = 0; i < 3; i++) {
                std::string words = name + std::to_string(i);
                hoya_error_set(HOYA_EPIPE, "%s", words.c_str());
                EXPECT_EQ(hoya_sleep(0), 0);
                EXPECT_EQ(hoya_error_detail(), words);
            }
            return 0;
        }));
    CallSoon([] { hoya_error_set(HOYA_EPIPE, "the callback"); });
    RunUntilDone({Of(tasks[0]), Of(tasks[1])});
    EXPECT_STREQ(hoya_error_detail(), "the callback");
}

TEST_P(TaskConformance, WhyATaskFailedGoesWithTheFailure)
{
    Task failing = Create([](hoya_task *) { return hoya_error_set(HOYA_EPIPE, "the pipe of %d", 7); });
    Task other = Create([](hoya_task *) {
        hoya_error_set(HOYA_ENOENT, "something else");
        return HOYA_EPIPE;
    });
    Task parent = Create([&](hoya_task *) { return hoya_await(Of(failing), nullptr); });
    RunUntilDone({Of(parent), Of(other)});
    EXPECT_EQ(Result(parent), HOYA_EPIPE);
    EXPECT_STREQ(hoya_error_detail(), "the pipe of 7");
    EXPECT_EQ(Result(other), HOYA_EPIPE);
    EXPECT_STREQ(hoya_error_detail(), hoya_strerror(HOYA_EPIPE));
}

/* ---- the end of the loop --------------------------------------------------------------------------------- */

// Holds: S55
TEST_P(TaskConformance, ClosingTheLoopEndsItsTasksAndSaysSo)
{
    auto value = std::make_shared<int>(0);
    Future never = NewFuture();
    Task waiting = Create([&, value](hoya_task *) {
        EXPECT_EQ(hoya_await(never.get(), nullptr), HOYA_ECANCELED);
        EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED);
        Note("cleaned up");
        return HOYA_ECANCELED;
    });
    Task sleeping = Create([value](hoya_task *) { return hoya_sleep(HOYA_SEC(60)); });
    RunRounds(2);
    Task new_one = Create([value](hoya_task *) { return 0; });
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(trace, Trace{"cleaned up"});
    EXPECT_EQ(value.use_count(), 1);
    EXPECT_TRUE(Done(waiting) && Done(sleeping) && Done(new_one));
    EXPECT_TRUE(Logged("3 tasks that had not ended"));
    EXPECT_EQ(hoya_create_task(loop, RunWork, nullptr, nullptr, nullptr), HOYA_ECLOSED);
}

} // namespace hoya_test
