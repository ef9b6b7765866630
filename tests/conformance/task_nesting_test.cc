/* SPDX-License-Identifier: MIT
 *
 * conformance/task_nesting_test.cc: main loops in a task: dialogs.
 */
#include "sync.h"
#include "tasks.h"

#include <algorithm>

namespace hoya_test
{

INSTANTIATE_TEST_SUITE_P(Hosts, NestingTaskConformance, ::testing::ValuesIn(nesting_variants()),
                         [](const auto &of) { return std::string(of.param.name); });

// Holds: F1 F2 S54
TEST_P(NestingTaskConformance, ATaskMayRunADialogAndAllOthersGoOn)
{
    std::vector<int> steps(10, 0);
    std::vector<Task> others;
    bool open = true;
    for (int &count : steps)
        others.push_back(Create([&](hoya_task *) {
            while (open) {
                EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
                count++;
            }
            return 0;
        }));
    Task dialog = Create([&](hoya_task *self) {
        EXPECT_EQ(hoya_sleep(0), 0);
        host->CallOnce([&] {
            EXPECT_EQ(hoya_current_task(), nullptr) << "a callback of the dialog's is nobody's";
            Note("host's callback");
        });
        CallSoon([&] {
            EXPECT_EQ(hoya_current_task(), nullptr);
            EXPECT_EQ(hoya_sleep(0), HOYA_EDEADLK);
        });
        EXPECT_TRUE(host->RunNestedUntil(
            [&] { return std::all_of(steps.begin(), steps.end(), [](int count) { return count >= 20; }); }));
        open = false;
        EXPECT_EQ(hoya_current_task(), self);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0) << "and it can wait again";
        return 0;
    });
    std::vector<hoya_future *> all{Of(dialog)};
    for (const Task &other : others) all.push_back(Of(other));
    RunUntilDone(all);
    EXPECT_TRUE(Seen("host's callback"));
}

TEST_P(NestingTaskConformance, InADialogThatADestroyFunctionOpensTasksWait)
{
    Work open = [&] {
        bool woken = false;
        Task other = Create([&](hoya_task *) {
            EXPECT_EQ(hoya_sleep(HOYA_USEC(100)), 0) << hoya_error_detail();
            woken = true;
            return 0;
        });
        EXPECT_TRUE(host->RunNestedUntil([&] { return woken; }));
        EXPECT_EQ(hoya_sleep(0), HOYA_EPERM) << "it is still no place to wait";
    };
    Task task = Create([&](hoya_task *) {
        auto call = [](void *work) { (*static_cast<Work *>(work))(); };
        hoya_handle *handle = nullptr;
        EXPECT_EQ(hoya_loop_call_soon_full(
                      loop, [](void *) {}, &open, call, &handle),
                  0);
        EXPECT_EQ(hoya_handle_cancel(handle), 1);
        hoya_handle_unref(handle);
        return hoya_sleep(0);
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), 0);
}

TEST_P(NestingTaskConformance, ATaskThatMovesItsLoopOutOfTheHostAndBackWaitsAsBefore)
{
    bool over = false;
    Task task = Create([&](hoya_task *self) {
        EXPECT_EQ(hoya_loop_detach(loop), 0);
        EXPECT_EQ(hoya_current_task(), self);
        EXPECT_EQ(hoya_loop_attach(loop, host->NewAdapter(), 0), 0);
        EXPECT_EQ(hoya_current_task(), self);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0) << hoya_error_detail();
        over = true;
        return 0;
    });
    EXPECT_TRUE(host->RunUntil([&] { return over; }));
}

TEST_P(NestingTaskConformance, ATaskThatBringsItsLoopAHostIsAskedAboutThatHostFromThenOn)
{
    hoya_loop *other = nullptr;
    ASSERT_EQ(hoya_loop_new(nullptr, &other), 0);
    struct {
        HostLoop *dialogs;
        hoya_loop *loop;
        int in_dialog, result;
    } seen = {host.get(), other, 1, 1};
    auto run = [](hoya_task *self, void *arg) {
        auto *s = static_cast<decltype(seen) *>(arg);
        Lock lock = NewLock(s->loop);
        EXPECT_EQ(hoya_lock_acquire(lock.get()), 0);
        EXPECT_EQ(hoya_lock_release(lock.get()), 0);
        EXPECT_EQ(hoya_loop_attach(s->loop, s->dialogs->NewAdapter(), 0), 0) << hoya_error_detail();
        EXPECT_EQ(hoya_current_task(), self);
        s->dialogs->CallOnce([&] { s->in_dialog = hoya_lock_acquire(lock.get()); });
        EXPECT_TRUE(s->dialogs->RunNestedUntil([&] { return s->in_dialog <= 0; }));
        EXPECT_EQ(s->result = hoya_lock_acquire(lock.get()), 0) << hoya_error_detail();
        EXPECT_EQ(hoya_lock_release(lock.get()), 0);
        return 0;
    };
    ASSERT_EQ(hoya_create_task(other, run, &seen, nullptr, nullptr), 0);
    EXPECT_GE(hoya_loop_dispatch(other, HOYA_NEVER), 1);
    EXPECT_EQ(seen.in_dialog, HOYA_EDEADLK);
    EXPECT_EQ(seen.result, 0);
    EXPECT_EQ(hoya_loop_close(other), 0);
    hoya_loop_unref(other);
}

TEST_P(NestingTaskConformance, ACallbackOfADialogHasNoValuesOfTheTaskThatRunsIt)
{
    static char key, value;
    Task dialog = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_task_set_local(&key, &value, nullptr), 0);
        host->CallOnce([&] {
            EXPECT_EQ(hoya_task_get_local(&key), nullptr);
            EXPECT_EQ(hoya_task_set_local(&key, nullptr, nullptr), HOYA_ESTATE);
            Note("callback");
        });
        EXPECT_TRUE(host->RunNestedUntil([&] { return Seen("callback"); }));
        EXPECT_EQ(hoya_task_get_local(&key), &value);
        return 0;
    });
    RunUntilDone({Of(dialog)});
}

TEST_P(NestingTaskConformance, WhatFailsInADialogIsNotTheErrorDetailOfTheTaskThatRunsIt)
{
    bool other_ran = false, callback_ran = false;
    Task dialog = Create([&](hoya_task *) {
        hoya_error_set(HOYA_EPIPE, "the task's own");
        EXPECT_TRUE(host->RunNestedUntil([&] { return other_ran && callback_ran; }));
        EXPECT_STREQ(hoya_error_detail(), "the task's own");
        return 0;
    });
    Task other = Create([&](hoya_task *) {
        hoya_error_set(HOYA_EPIPE, "another task's");
        other_ran = true;
        return 0;
    });
    CallSoon([&] {
        hoya_error_set(HOYA_EPIPE, "a callback's");
        callback_ran = true;
    });
    RunUntilDone({Of(dialog)});
}

} // namespace hoya_test
