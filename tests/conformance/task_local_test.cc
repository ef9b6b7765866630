/* SPDX-License-Identifier: MIT
 *
 * conformance/task_local_test.cc: values that a task has by key, and hands on to the tasks that it makes.
 */
#include "tasks.h"

namespace hoya_test
{
namespace
{

const char user = 0, place = 0; /* keys */

std::string Get(const char *key)
{
    auto value = static_cast<const char *>(hoya_task_get_local(key));
    return value ? value : "none";
}

int Set(const char *key, const char *value)
{
    return hoya_task_set_local(key, const_cast<char *>(value), nullptr);
}

} // namespace

TEST_P(TaskConformance, AValueOfATaskIsSeenByTheTasksThatItMakesAndByNobodyElse)
{
    Task child, late;
    Task parent = Create([&](hoya_task *) {
        EXPECT_EQ(Get(&user), "none");
        EXPECT_EQ(Set(&user, "anna"), 0);
        EXPECT_EQ(Set(&place, "here"), 0);
        child = Create([&](hoya_task *) {
            EXPECT_EQ(Get(&user), "anna") << "as it was at the child's creation";
            EXPECT_EQ(Set(&user, "bert"), 0);
            EXPECT_EQ(hoya_sleep(0), 0);
            EXPECT_EQ(Get(&user), "bert");
            EXPECT_EQ(Get(&place), "here");
            return 0;
        });
        EXPECT_EQ(Set(&user, "carl"), 0);
        EXPECT_EQ(hoya_await(Of(child), nullptr), 0);
        EXPECT_EQ(Get(&user), "carl") << "the child's is the child's";
        late = Create([&](hoya_task *) {
            EXPECT_EQ(Get(&user), "carl");
            return 0;
        });
        return hoya_await(Of(late), nullptr);
    });
    Task sibling = Create([&](hoya_task *) {
        EXPECT_EQ(Set(&place, "there"), 0);
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(Get(&user), "none");
        EXPECT_EQ(Get(&place), "there");
        return 0;
    });
    RunUntilDone({Of(parent), Of(sibling)});
}

TEST_P(TaskConformance, AValueIsDestroyedWhenTheLastTaskThatHasItHasEndedOrReplacedIt)
{
    Probe shared, replaced;
    Task child;
    Task parent = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_task_set_local(&place, &replaced, Probe::Destroy), 0);
        EXPECT_EQ(hoya_task_set_local(&user, &shared, Probe::Destroy), 0);
        EXPECT_EQ(Set(&place, "another"), 0);
        EXPECT_EQ(replaced.destroyed, 1) << "it had it alone";
        child = Create([&](hoya_task *) {
            EXPECT_EQ(hoya_task_get_local(&user), &shared);
            EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
            EXPECT_EQ(shared.destroyed, 0) << "the child still has it";
            EXPECT_EQ(Set(&user, "own"), 0);
            EXPECT_EQ(shared.destroyed, 1);
            return 0;
        });
        return 0;
    });
    RunUntilDone({Of(parent)});
    EXPECT_EQ(shared.destroyed, 0);
    RunUntilDone({Of(child)});
    EXPECT_EQ(shared.destroyed, 1);
}

TEST_P(TaskConformance, ATaskThatNeverRunsGivesUpItsValues)
{
    Probe probe;
    Task child;
    Task parent = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_task_set_local(&user, &probe, Probe::Destroy), 0);
        child = Create([](hoya_task *) { return 0; });
        EXPECT_EQ(hoya_task_cancel(child.get(), nullptr), 1);
        return 0;
    });
    RunUntilDone({Of(parent)});
    EXPECT_EQ(probe.destroyed, 1);
}

TEST_P(TaskConformance, OutsideOfTasksThereAreNoValues)
{
    Probe probe;
    EXPECT_EQ(hoya_task_set_local(&user, &probe, Probe::Destroy), HOYA_ESTATE);
    EXPECT_EQ(hoya_task_get_local(&user), nullptr);
    EXPECT_EQ(probe.destroyed, 1) << "it was taken";
    Task task = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_task_set_local(nullptr, &probe, Probe::Destroy), HOYA_EINVAL);
        EXPECT_EQ(probe.destroyed, 2);
        EXPECT_EQ(hoya_task_get_local(nullptr), nullptr);
        EXPECT_EQ(Set(&user, "anna"), 0);
        CallSoon([] { EXPECT_EQ(Get(&user), "none"); });
        EXPECT_EQ(hoya_sleep(0), 0);
        return hoya_sleep(0);
    });
    RunUntilDone({Of(task)});
}

/* The old value goes last, when the new one is in its place. */
TEST_P(TaskConformance, ADestroyFunctionOfAValueMaySetIt)
{
    Task task = Create([&](hoya_task *) {
        static char value;
        auto set_again = [](void *) { EXPECT_EQ(Set(&user, "by the destroy function"), 0); };
        EXPECT_EQ(hoya_task_set_local(&user, &value, set_again), 0);
        EXPECT_EQ(Set(&user, "new"), 0);
        EXPECT_EQ(Get(&user), "by the destroy function");
        return 0;
    });
    RunUntilDone({Of(task)});
}

} // namespace hoya_test
