/* SPDX-License-Identifier: MIT
 *
 * unit/task/spare_test.cc: the block of a task that was let go is the next one's, which finds nothing of it.
 */
#include <functional>
#include <string>

#include "unit/failing_allocator.h"

extern "C" {
#include "task/annotate.h"
}

namespace hoya_test
{
namespace
{

class SpareTask : public testing::Test
{
  protected:
    using Work = std::function<int(hoya_task *)>;

    void SetUp() override { ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0); }
    void TearDown() override { hoya_loop_unref(loop); }

    hoya_task *Create(Work *work, const char *name = nullptr, hoya_task *owner = nullptr)
    {
        hoya_task *task = nullptr;
        hoya_task_options options{};
        options.size = sizeof options;
        options.name = name;
        options.owner = owner;
        auto run = [](hoya_task *self, void *arg) { return (*static_cast<Work *>(arg))(self); };
        EXPECT_EQ(hoya_create_task(loop, run, work, name || owner ? &options : nullptr, &task), 0);
        return task;
    }
    void RunRounds(int n)
    {
        for (int i = 0; i < n; i++) EXPECT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
    }

    FailingAllocator allocator;
    hoya_loop *loop = nullptr;
};

int ended_well(hoya_task *)
{
    return 0;
}

} // namespace

TEST_F(SpareTask, TheNextOneFindsNothingOfTheOneBefore)
{
    static const int key = 0;
    int destroyed = 0;
    Work child = [](hoya_task *) { return hoya_sleep(HOYA_SEC(100)); };
    Work rich = [&](hoya_task *self) {
        hoya_timeout *scope;
        EXPECT_EQ(hoya_task_set_local(&key, &destroyed, [](void *n) { ++*static_cast<int *>(n); }), 0);
        EXPECT_EQ(hoya_timeout_enter(HOYA_SEC(100), &scope), 0);
        hoya_task_unref(Create(&child, nullptr, self));
        EXPECT_EQ(hoya_sleep(HOYA_SEC(50)), HOYA_ECANCELED);
        EXPECT_EQ(hoya_shield_enter(), 0);
        EXPECT_EQ(hoya_task_set_value(self, &destroyed, [](void *n) { ++*static_cast<int *>(n); }), 0);
        return HOYA_ECANCELED;
    };
    hoya_task *first = Create(&rich, "rich");
    RunRounds(1);
    EXPECT_EQ(hoya_task_cancel(first, "no more"), 1);
    RunRounds(4);
    EXPECT_EQ(hoya_future_cancelled(hoya_task_future(first)), 1);
    EXPECT_EQ(destroyed, 2);
    hoya_task_unref(first);

    Work poor = [&](hoya_task *self) {
        EXPECT_STREQ(hoya_task_get_name(self), "Task-3");
        EXPECT_EQ(hoya_task_cancelling(self), 0);
        EXPECT_EQ(hoya_task_get_local(&key), nullptr);
        EXPECT_STREQ(hoya_error_detail(), "");
        EXPECT_EQ(hoya_shield_leave(), HOYA_ESTATE);
        EXPECT_EQ(hoya_sleep(0), 0);
        return 7;
    };
    int before = allocator.calls;
    hoya_task *second = Create(&poor);
    if (HOYA_SPARE_TASKS) EXPECT_EQ(allocator.calls, before) << "it is a spare one";
    RunRounds(3);
    void *value = &destroyed;
    EXPECT_EQ(hoya_future_result(hoya_task_future(second), &value), 0);
    EXPECT_EQ(value, nullptr);
    hoya_task_unref(second);
    EXPECT_EQ(destroyed, 2);
}

TEST_F(SpareTask, ANameThatIsTooLongForTheBlockGetsOneOfItsOwn)
{
    Work work = ended_well;
    std::string longer(100, 'x'), just(23, 'y');
    for (const std::string &name : {longer, just, longer}) {
        hoya_task *task = Create(&work, name.c_str());
        EXPECT_EQ(hoya_task_get_name(task), name);
        RunRounds(1);
        hoya_task_unref(task);
    }
    hoya_task *task = Create(&work);
    EXPECT_STREQ(hoya_task_get_name(task), "Task-4");
    RunRounds(1);
    hoya_task_unref(task);
}

TEST_F(SpareTask, TheNumbersOfNamesGrow)
{
    Work work = ended_well;
    for (int i = 1; i <= 1001; i++) {
        hoya_task *task = Create(&work);
        EXPECT_EQ(hoya_task_get_name(task), "Task-" + std::to_string(i));
        RunRounds(1);
        hoya_task_unref(task);
    }
}

} // namespace hoya_test
