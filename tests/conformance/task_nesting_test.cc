/* SPDX-License-Identifier: MIT
 *
 * conformance/task_nesting_test.cc: main loops in a task: dialogs.
 */
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
