/* SPDX-License-Identifier: MIT
 *
 * conformance/task_threads_test.cc: tasks that another thread starts.
 */
#include "tasks.h"

#include <atomic>
#include <thread>

namespace hoya_test
{
namespace
{

/* A function of a task, with a look at the end of its argument. */
struct Order {
    TaskWork work;
    std::atomic<int> *destroyed;

    static int Run(hoya_task *self, void *arg) { return static_cast<Order *>(arg)->work(self); }
    static void Destroy(void *arg)
    {
        ++*static_cast<Order *>(arg)->destroyed;
        delete static_cast<Order *>(arg);
    }
};

} // namespace

class TaskThreads : public TaskConformance
{
  protected:
    int Start(TaskWork work, ThreadFuture *future, const char *name = nullptr)
    {
        hoya_task_options options = {};
        options.size = sizeof options;
        options.name = name;
        options.destroy = Order::Destroy;
        hoya_thread_future *made = nullptr;
        int rc = hoya_create_task_threadsafe(loop, Order::Run, new Order{std::move(work), &destroyed}, &options,
                                             future ? &made : nullptr);
        if (future) future->reset(made);
        return rc;
    }
    std::atomic<int> destroyed{0};
};

INSTANTIATE_TEST_SUITE_P(Hosts, TaskThreads, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

TEST_P(TaskThreads, ATaskOfAnotherThreadGivesItsValueAndItsFailureToThat)
{
    int answer = 42;
    std::thread other([&] {
        char name[] = "from afar";
        ThreadFuture good, bad;
        auto work = [&](hoya_task *self) {
            EXPECT_STREQ(hoya_task_get_name(self), "from afar");
            EXPECT_EQ(hoya_current_task(), self);
            EXPECT_EQ(hoya_sleep(HOYA_USEC(100)), 0);
            return hoya_task_set_value(self, &answer, nullptr);
        };
        EXPECT_EQ(Start(work, &good, name), 0);
        name[0] = 0; /* it was copied */
        EXPECT_EQ(Start([](hoya_task *) { return hoya_error_set(HOYA_EPIPE, "the pipe"); }, &bad), 0);
        void *value = nullptr;
        EXPECT_EQ(hoya_thread_future_result(good.get(), HOYA_SEC(10), &value), 0);
        EXPECT_EQ(value, &answer);
        EXPECT_EQ(hoya_thread_future_result(bad.get(), HOYA_SEC(10), nullptr), HOYA_EPIPE);
        EXPECT_STREQ(hoya_error_detail(), "the pipe");
        Stop();
    });
    Run();
    other.join();
    EXPECT_EQ(destroyed, 2);
}

// Holds: S40
TEST_P(TaskThreads, OneThatIsCancelledBeforeItBeganNeverRuns)
{
    ThreadFuture future;
    EXPECT_EQ(Start([this](hoya_task *) { return Note("ran"), 0; }, &future), 0);
    std::thread([&] { EXPECT_EQ(hoya_thread_future_cancel(future.get(), nullptr), 1); }).join();
    RunRounds(3);
    EXPECT_EQ(trace, Trace{});
    EXPECT_EQ(destroyed, 1);
    EXPECT_EQ(hoya_all_tasks(loop, nullptr, nullptr), 0);
}

TEST_P(TaskThreads, CancellingTheFutureCancelsTheTask)
{
    ThreadFuture future;
    std::atomic<bool> began{false};
    auto work = [&](hoya_task *) {
        began = true;
        int rc = hoya_sleep(HOYA_SEC(60));
        Note(hoya_error_name(rc));
        Stop();
        return rc;
    };
    EXPECT_EQ(Start(work, &future), 0);
    std::thread other([&] {
        while (!began) std::this_thread::yield();
        EXPECT_EQ(hoya_thread_future_cancel(future.get(), nullptr), 1);
        EXPECT_EQ(hoya_thread_future_result(future.get(), HOYA_NOW, nullptr), HOYA_ECANCELED) << "at once";
    });
    Run();
    other.join();
    EXPECT_EQ(trace, Trace{"HOYA_ECANCELED"});
    EXPECT_EQ(destroyed, 1);
}

TEST_P(TaskThreads, CancellingTheTaskCancelsTheFuture)
{
    ThreadFuture future;
    EXPECT_EQ(Start([](hoya_task *) { return hoya_sleep(HOYA_SEC(60)); }, &future), 0);
    RunRounds(2);
    auto cancel = [](hoya_task *task, void *) { EXPECT_EQ(hoya_task_cancel(task, nullptr), 1); };
    EXPECT_EQ(hoya_all_tasks(loop, cancel, nullptr), 1);
    RunRounds(3);
    EXPECT_EQ(hoya_thread_future_cancelled(future.get()), 1);
}

TEST_P(TaskThreads, TheStartKeepsItsOrderAmongPosts)
{
    CallSoonThreadsafe(Say("before"));
    EXPECT_EQ(Start([this](hoya_task *) { return Note("task"), 0; }, nullptr), 0);
    CallSoonThreadsafe(Say("after"));
    RunUntilNoted(3);
    EXPECT_EQ(trace, (Trace{"before", "task", "after"}));
    CallSoon([&] {
        EXPECT_EQ(Start([this](hoya_task *) { return Note("from inside"), 0; }, nullptr), 0);
        Note("callback");
    });
    RunUntilNoted(5);
    EXPECT_EQ(trace[3], "callback") << "never inside the call";
}

// Holds: S36
TEST_P(TaskThreads, AFailureThatNobodyAskedForIsReported)
{
    EXPECT_EQ(Start([](hoya_task *) { return HOYA_EPIPE; }, nullptr, "unasked"), 0);
    RunRounds(2);
    EXPECT_TRUE(Logged("nobody looked at the error of unasked"));
}

// Holds: S162 S15
TEST_P(TaskThreads, AClosedLoopRefusesAndOneThatIsClosedFirstCancels)
{
    ThreadFuture late, queued, suspended;
    EXPECT_EQ(Start([](hoya_task *) { return hoya_sleep(HOYA_SEC(60)); }, &suspended), 0);
    RunRounds(2);
    EXPECT_EQ(Start([](hoya_task *) { return 0; }, &queued), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hoya_thread_future_result(queued.get(), HOYA_NOW, nullptr), HOYA_ECANCELED);
    EXPECT_EQ(hoya_thread_future_result(suspended.get(), HOYA_NOW, nullptr), HOYA_ECANCELED);
    EXPECT_EQ(destroyed, 2);
    std::thread([&] {
        EXPECT_EQ(Start([](hoya_task *) { return 0; }, &late), HOYA_ECLOSED);
        EXPECT_EQ(late, nullptr);
        EXPECT_EQ(destroyed, 3);
    }).join();
}

TEST_P(TaskThreads, WhatCannotBeStartedIsTold)
{
    hoya_task_options options = {};
    options.size = 3;
    EXPECT_EQ(hoya_create_task_threadsafe(loop, Order::Run, nullptr, &options, nullptr), HOYA_EINVAL);
    options.size = sizeof options;
    options.destroy = Order::Destroy;
    EXPECT_EQ(hoya_create_task_threadsafe(loop, nullptr, new Order{nullptr, &destroyed}, &options, nullptr),
              HOYA_EINVAL);
    EXPECT_EQ(hoya_create_task_threadsafe(nullptr, Order::Run, new Order{nullptr, &destroyed}, &options, nullptr),
              HOYA_EINVAL);
    EXPECT_EQ(destroyed, 2);
}

} // namespace hoya_test
