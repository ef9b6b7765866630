/* SPDX-License-Identifier: MIT
 *
 * conformance/task_group_refused_test.cc: what a group refuses: who is not its task, who is in another thread,
 * and waits that close a circle.
 */
#include "groups.h"

#include <thread>

namespace hoya_test
{

TEST_P(TaskGroup, IsEnteredAndLeftByTasks)
{
    hoya_group *group = nullptr, *untouched = nullptr;
    EXPECT_EQ(hoya_group_enter(nullptr, &untouched), HOYA_ESTATE);
    EXPECT_EQ(hoya_group_leave(nullptr), HOYA_ESTATE);
    EXPECT_EQ(hoya_group_join(nullptr), HOYA_ESTATE);
    EXPECT_EQ(hoya_group_cancel(nullptr, nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_group_errors(nullptr, nullptr, nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_group_winner(nullptr), nullptr);
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group_options options = {};
                  EXPECT_EQ(hoya_group_enter(&options, &untouched), HOYA_EINVAL) << "no size";
                  options.size = sizeof options;
                  options.policy = static_cast<hoya_group_policy>(3);
                  EXPECT_EQ(hoya_group_enter(&options, &untouched), HOYA_EINVAL);
                  EXPECT_EQ(hoya_group_leave(nullptr), HOYA_ESTATE);
                  EXPECT_EQ(hoya_group_enter(nullptr, &group), 0);
                  Add(group, [&](hoya_task *) {
                      EXPECT_EQ(hoya_group_leave(group), HOYA_ESTATE) << "it is another task's";
                      EXPECT_EQ(hoya_group_join(group), HOYA_ESTATE);
                      return 0;
                  });
                  CallSoon([&] { EXPECT_EQ(hoya_group_join(group), HOYA_ESTATE); });
                  EXPECT_EQ(hoya_group_join(group), 0);
                  return hoya_group_leave(group);
              }),
              0);
    EXPECT_EQ(untouched, nullptr);
}

TEST_P(TaskGroup, AChildCannotWaitForTheTaskOfItsGroup)
{
    EXPECT_EQ(RunTask([&](hoya_task *self) {
                  hoya_group *group = Enter();
                  Add(group, [&, self](hoya_task *) {
                      EXPECT_EQ(hoya_await(hoya_task_future(self), nullptr), HOYA_EDEADLK);
                      return 0;
                  });
                  return hoya_group_leave(group);
              }),
              0);
}

TEST_P(TaskGroup, ACircleThroughItsJoinIsNoticed)
{
    Task a, b;
    b = Create([&](hoya_task *) {
        while (trace.empty()) EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_await(Of(a), nullptr), HOYA_EDEADLK);
        EXPECT_EQ(hoya_wait_done(Of(a)), HOYA_EDEADLK) << "whoever looked once looks again";
        return 0;
    });
    a = Create([&](hoya_task *) {
        hoya_group *group = Enter();
        Add(group, Sayer("another one"));
        Add(group, [&](hoya_task *) { return hoya_await(Of(b), nullptr); });
        return hoya_group_leave(group);
    });
    RunUntilDone({Of(a), Of(b)});
    EXPECT_EQ(Result(a), 0);
}

TEST_P(TaskGroup, ACircleThroughAStartIsNoticed)
{
    Task starter;
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  starter = Create([&, group](hoya_task *) {
                      return Start(group, [&](hoya_task *self) {
                          EXPECT_EQ(hoya_await(Of(starter), nullptr), HOYA_EDEADLK);
                          EXPECT_EQ(hoya_task_started(self, nullptr, nullptr), 1);
                          return hoya_await(Of(starter), nullptr);
                      });
                  });
                  EXPECT_EQ(hoya_await(Of(starter), nullptr), 0);
                  return hoya_group_leave(group);
              }),
              0);
}

TEST_P(TaskGroup, ACircleThroughACombinatorThatHasOnePartLeftIsNoticed)
{
    EXPECT_EQ(RunTask([&](hoya_task *self) {
                  hoya_group *group = Enter();
                  Add(group, [&, self](hoya_task *) {
                      hoya_future *owner = hoya_task_future(self), *made[4] = {};
                      EXPECT_EQ(hoya_with_timeout(owner, HOYA_SEC(60), &made[0]), 0);
                      EXPECT_EQ(hoya_shield(owner, &made[1]), 0);
                      EXPECT_EQ(hoya_gather(loop, &made[1], 1, 0, &made[2]), 0);
                      EXPECT_EQ(hoya_wait_futures(loop, &owner, 1, HOYA_ALL_COMPLETED, HOYA_NEVER, &made[3]), 0);
                      for (hoya_future *one : made) {
                          EXPECT_EQ(hoya_await(one, nullptr), HOYA_EDEADLK);
                      }
                      for (hoya_future *one : made) hoya_future_unref(one);
                      return 0;
                  });
                  return hoya_group_leave(group);
              }),
              0);
}

TEST_P(TaskGroup, AChildMayWaitForAnythingElseOrForTheTaskOfItsGroup)
{
    Future other = NewFuture();
    EXPECT_EQ(RunTask([&](hoya_task *self) {
                  hoya_group *group = Enter();
                  Add(group, [&, self](hoya_task *) {
                      hoya_future *both[] = {hoya_task_future(self), other.get()}, *race = nullptr, *late = nullptr;
                      EXPECT_EQ(hoya_wait_futures(loop, both, 2, HOYA_FIRST_COMPLETED, HOYA_NEVER, &race), 0);
                      EXPECT_EQ(hoya_wait_futures(loop, both, 1, HOYA_ALL_COMPLETED, HOYA_MSEC(1), &late), 0);
                      EXPECT_EQ(hoya_await(late, nullptr), 0) << "for so long";
                      EXPECT_EQ(hoya_await(race, nullptr), 0);
                      EXPECT_EQ(hoya_await(race, nullptr), 0) << "and when it is done";
                      hoya_future_unref(race);
                      hoya_future_unref(late);
                      return 0;
                  });
                  Add(group, [&](hoya_task *) {
                      EXPECT_EQ(hoya_sleep(HOYA_MSEC(2)), 0);
                      return hoya_future_set_result(other.get(), nullptr, nullptr);
                  });
                  return hoya_group_leave(group);
              }),
              0);
}

TEST_P(TaskGroup, ATaskThatWillGoOnClosesNoCircle)
{
    Task a, b, c;
    b = Create([&](hoya_task *) {
        while (trace.empty()) EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_task_cancel(c.get(), nullptr), 1);
        return hoya_await(Of(a), nullptr);
    });
    a = Create([&](hoya_task *) {
        hoya_group *group = Enter();
        Add(group, Sayer("another one"));
        c = Add(group, [&](hoya_task *) { return hoya_wait_done(Of(b)); });
        return hoya_group_leave(group);
    });
    RunUntilDone({Of(a), Of(b)});
    EXPECT_EQ(Result(b), 0);
}

TEST_P(TaskGroup, ACircleThatAJoinClosesEndsWithACancel)
{
    Task a, b;
    b = Create([&](hoya_task *) {
        for (int i = 0; i < 4; i++) EXPECT_EQ(hoya_sleep(0), 0);
        Note("waits for the task of the group");
        return hoya_await(Of(a), nullptr);
    });
    a = Create([&](hoya_task *) {
        hoya_group *group = Enter();
        Add(group, [&](hoya_task *) { return hoya_await(Of(b), nullptr); });
        while (trace.empty()) EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_sleep(0), 0);
        return hoya_group_leave(group);
    });
    RunUntilNoted(1);
    RunRounds(4);
    EXPECT_EQ(hoya_task_cancel(a.get(), nullptr), 1);
    RunUntilDone({Of(a), Of(b)});
    EXPECT_EQ(Result(a), HOYA_ECANCELED);
    EXPECT_EQ(Result(b), HOYA_ECANCELED);
}

// Holds: S36
TEST_P(TaskGroup, MayBeAskedByWhoIsToldOfAFailureThatNobodyLookedAt)
{
    static hoya_group *group;
    static int told;
    told = 0;
    auto ask = [](hoya_loop *, const hoya_exception_context *, void *) {
        told++;
        EXPECT_GE(hoya_group_errors(group, nullptr, nullptr), 0);
        return 0;
    };
    EXPECT_EQ(hoya_loop_set_exception_handler(loop, ask, nullptr), 0);
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  group = Enter(HOYA_GROUP_WAIT_ALL);
                  Add(group, Fail(HOYA_EIO, "one"));
                  Add(group, Fail(HOYA_EPIPE, "two"));
                  EXPECT_EQ(hoya_group_leave(group), HOYA_EIO);
                  return 0;
              }),
              0);
    EXPECT_EQ(told, 1);
    EXPECT_EQ(hoya_loop_set_exception_handler(loop, nullptr, nullptr), 0);
}

// Holds: S16
TEST_P(TaskGroup, BelongsToTheThreadOfItsLoop)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  std::thread([&] {
                      EXPECT_EQ(Refused(group), HOYA_ETHREAD);
                      EXPECT_EQ(hoya_group_cancel(group, nullptr), HOYA_ETHREAD);
                      EXPECT_EQ(hoya_group_errors(group, nullptr, nullptr), HOYA_ETHREAD);
                  }).join();
                  return hoya_group_leave(group);
              }),
              0);
}

TEST_P(TaskGroup, EachLoopOfAThreadHasGroupsOfItsOwn)
{
    hoya_loop *other = NewSibling();
    ASSERT_NE(other, nullptr);
    hoya_group *group = nullptr;
    Task main = Create([&](hoya_task *) {
        group = Enter();
        Add(group, Sleeper("child"));
        return hoya_group_leave(group);
    });
    RunRounds(2);
    hoya_task_options options = Options("guest");
    hoya_task *guest = nullptr;
    TaskWork work = [&](hoya_task *) {
        EXPECT_EQ(Start(group, Sayer("never")), HOYA_EINVAL);
        EXPECT_EQ(hoya_group_join(group), HOYA_ESTATE);
        hoya_group *own = Enter();
        Add(own, Sayer("guest's child"));
        EXPECT_EQ(hoya_group_leave(own), 0);
        EXPECT_EQ(hoya_group_cancel(group, nullptr), 1) << "of the same thread";
        return 0;
    };
    ASSERT_EQ(hoya_create_task(other, RunWork, new TaskWork(work), &options, &guest), 0);
    EXPECT_EQ(hoya_run_until_complete(other, hoya_task_future(guest), nullptr), 0) << hoya_error_detail();
    hoya_task_unref(guest);
    RunUntilDone({Of(main)});
    EXPECT_EQ(Result(main), 0);
    EXPECT_EQ(trace, (Trace{"guest's child", "child"}));
    Release(other);
}

} // namespace hoya_test
