/* SPDX-License-Identifier: MIT
 *
 * unit/task/group_memory_test.cc: what groups do without memory: everything but entering them and making children.
 */
#include <functional>

#include "unit/failing_allocator.h"

namespace hoya_test
{
namespace
{

class GroupMemory : public testing::Test
{
  protected:
    using Body = std::function<int(hoya_task *)>;

    void SetUp() override { ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0); }
    void TearDown() override
    {
        allocator.fail = false;
        hoya_loop_unref(loop);
    }
    static int RunBody(hoya_task *self, void *arg) { return (*static_cast<Body *>(arg))(self); }

    /* The bodies are the test's own. */
    int RunMain(Body body)
    {
        hoya_task *task = nullptr;
        EXPECT_EQ(hoya_create_task(loop, RunBody, &body, nullptr, &task), 0);
        for (int i = 0; i < 50 && !hoya_future_done(hoya_task_future(task)); i++)
            EXPECT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
        int rc = hoya_future_result(hoya_task_future(task), nullptr);
        hoya_task_unref(task);
        return rc;
    }

    FailingAllocator allocator;
    hoya_loop *loop = nullptr;
};

} // namespace

TEST_F(GroupMemory, AFailureTheCancelItMeansAndTheEndNeedNone)
{
    for (hoya_group_policy policy : {HOYA_GROUP_FAIL_FAST, HOYA_GROUP_WAIT_ALL}) {
        allocator.fail = false;
        Body fail = [](hoya_task *) { return HOYA_EPIPE; };
        Body wait = [](hoya_task *) {
            int rc = 0;
            for (int i = 0; rc == 0 && i < 3; i++) rc = hoya_sleep(0);
            return rc;
        };
        EXPECT_EQ(RunMain([&](hoya_task *) {
                      hoya_group_options options = {sizeof options, nullptr, policy, 2};
                      hoya_group *group = nullptr;
                      EXPECT_EQ(hoya_group_enter(&options, &group), 0);
                      for (Body *body : {&wait, &fail, &fail, &wait, &fail})
                          EXPECT_EQ(hoya_group_create_task(group, RunBody, body, nullptr, nullptr), 0);
                      int before = allocator.calls, counted = 0;
                      allocator.fail = true;
                      auto count = [](hoya_task *, int code, const char *, void *arg) {
                          EXPECT_EQ(code, HOYA_EPIPE);
                          ++*static_cast<int *>(arg);
                      };
                      EXPECT_EQ(hoya_group_join(group), HOYA_EPIPE);
                      EXPECT_EQ(hoya_group_errors(group, count, &counted), counted);
                      EXPECT_EQ(counted, policy == HOYA_GROUP_WAIT_ALL ? 3 : 1);
                      EXPECT_EQ(hoya_group_leave(group), HOYA_EPIPE);
                      EXPECT_EQ(hoya_sleep(0), 0);
                      if (policy == HOYA_GROUP_WAIT_ALL) EXPECT_EQ(allocator.calls, before);
                      allocator.fail = false;
                      return 0;
                  }),
                  0);
    }
}

TEST_F(GroupMemory, ACancelARaceAndBeingReadyNeedNone)
{
    int answer = 42;
    Body serve = [&](hoya_task *self) {
        EXPECT_EQ(hoya_sleep(0), 0);
        allocator.fail = true;
        EXPECT_EQ(hoya_task_started(self, &answer, nullptr), 1);
        return 0;
    };
    Body wait = [](hoya_task *) {
        while (hoya_sleep(0) == 0) continue;
        return HOYA_ECANCELED;
    };
    EXPECT_EQ(RunMain([&](hoya_task *) {
                  hoya_group_options options = {sizeof options, nullptr, HOYA_GROUP_RACE, 0};
                  hoya_group *race = nullptr, *group = nullptr;
                  EXPECT_EQ(hoya_group_enter(nullptr, &group), 0);
                  EXPECT_EQ(hoya_group_create_task(group, RunBody, &wait, nullptr, nullptr), 0);
                  EXPECT_EQ(hoya_group_enter(&options, &race), 0);
                  EXPECT_EQ(hoya_group_create_task(race, RunBody, &wait, nullptr, nullptr), 0);
                  void *value = nullptr;
                  EXPECT_EQ(hoya_group_start(race, RunBody, &serve, nullptr, &value, nullptr), 0);
                  EXPECT_EQ(value, &answer);
                  EXPECT_EQ(hoya_group_join(race), 0);
                  EXPECT_NE(hoya_group_winner(race), nullptr);
                  EXPECT_EQ(hoya_group_leave(race), 0);
                  EXPECT_EQ(hoya_group_cancel(group, "no memory"), 1);
                  EXPECT_EQ(hoya_group_leave(group), 0);
                  allocator.fail = false;
                  return 0;
              }),
              0);
}

TEST_F(GroupMemory, AGroupOrAChildThatCannotBeMadeChangesNothing)
{
    Body end = [](hoya_task *) { return 0; };
    EXPECT_EQ(RunMain([&](hoya_task *) {
                  hoya_group *group = nullptr;
                  allocator.fail = true;
                  EXPECT_EQ(hoya_group_enter(nullptr, &group), HOYA_ENOMEM);
                  allocator.fail = false;
                  EXPECT_EQ(group, nullptr);
                  EXPECT_EQ(hoya_group_enter(nullptr, &group), 0);
                  int destroyed = 0, refused = 0, rc = HOYA_ENOMEM;
                  hoya_task_options options = {};
                  options.size = sizeof options;
                  options.name = "a name that is longer than what tasks that have ended leave room for";
                  options.destroy = [](void *arg) { ++*static_cast<int *>(arg); };
                  auto nothing = [](hoya_task *, void *) { return 0; };
                  for (; rc == HOYA_ENOMEM && refused < 20; refused++) {
                      allocator.fail_after = refused;
                      rc = hoya_group_create_task(group, nothing, &destroyed, &options, nullptr);
                      allocator.fail_after = -1;
                      if (rc < 0) EXPECT_EQ(destroyed, refused + 1);
                  }
                  EXPECT_EQ(rc, 0);
                  EXPECT_GT(refused, 2) << "the member, and the task";
                  EXPECT_EQ(hoya_group_leave(group), 0);
                  EXPECT_EQ(destroyed, refused);
                  return 0;
              }),
              0);
}

} // namespace hoya_test
