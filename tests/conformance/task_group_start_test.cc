/* SPDX-License-Identifier: MIT
 *
 * conformance/task_group_start_test.cc: a child that is waited for until it says that it is ready.
 */
#include "groups.h"

namespace hoya_test
{

TEST_P(TaskGroup, StartWaitsUntilTheChildIsReadyAndGivesItsValue)
{
    Probe probe;
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  void *value = nullptr;
                  hoya_destroy destroy = nullptr;
                  EXPECT_EQ(Start(
                                group,
                                [&](hoya_task *self) {
                                    EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
                                    EXPECT_EQ(hoya_task_started(self, &probe, Destroy), 1);
                                    Note("ready");
                                    EXPECT_EQ(hoya_task_started(self, &probe, Destroy), 0) << "once";
                                    EXPECT_EQ(probe.destroyed, 1);
                                    int rc = hoya_sleep(HOYA_MSEC(1));
                                    Note("ends");
                                    return rc;
                                },
                                &value, &destroy),
                            0);
                  Note("started");
                  EXPECT_EQ(value, &probe);
                  EXPECT_EQ(probe.destroyed, 1);
                  destroy(value);
                  return hoya_group_leave(group);
              }),
              0);
    EXPECT_EQ(trace, (Trace{"ready", "started", "ends"}));
    EXPECT_EQ(probe.destroyed, 2);
}

TEST_P(TaskGroup, AValueThatStartDoesNotWantIsDestroyed)
{
    Probe probe;
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  EXPECT_EQ(Start(group, [&](hoya_task *self) { return hoya_task_started(self, &probe, Destroy); }),
                            0);
                  EXPECT_EQ(probe.destroyed, 1);
                  return hoya_group_leave(group);
              }),
              0);
}

TEST_P(TaskGroup, AChildThatEndsBeforeItIsReadyConcernsOnlyWhoStartedIt)
{
    for (hoya_group_policy policy : {HOYA_GROUP_FAIL_FAST, HOYA_GROUP_RACE}) {
        EXPECT_EQ(RunTask([&](hoya_task *) {
                      hoya_group *group = Enter(policy);
                      EXPECT_EQ(Start(group, Fail(HOYA_EPIPE, "no port", 2)), HOYA_EPIPE);
                      EXPECT_STREQ(hoya_error_detail(), "no port");
                      EXPECT_EQ(Start(group, Sayer("well")), HOYA_ESTATE);
                      EXPECT_STREQ(hoya_error_detail(), "server has ended and was never ready");
                      EXPECT_EQ(Start(group, [](hoya_task *) { return HOYA_ECANCELED; }), HOYA_ECANCELED);
                      EXPECT_EQ(hoya_sleep(0), 0) << "the group goes on";
                      EXPECT_EQ(hoya_group_errors(group, nullptr, nullptr), 0);
                      EXPECT_EQ(hoya_group_winner(group), nullptr);
                      return hoya_group_leave(group);
                  }),
                  0);
    }
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(TaskGroup, AChildThatWasReadyIsAChildLikeOthers)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  EXPECT_EQ(Start(group,
                                  [](hoya_task *self) {
                                      EXPECT_EQ(hoya_task_started(self, nullptr, nullptr), 1);
                                      EXPECT_EQ(hoya_sleep(0), 0);
                                      return hoya_error_set(HOYA_EPIPE, "later");
                                  }),
                            0);
                  EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                  return hoya_group_leave(group);
              }),
              HOYA_EPIPE);
}

TEST_P(TaskGroup, AStartThatIsCancelledEndsTheChildAndWaitsForIt)
{
    Task main = Create([&](hoya_task *self) {
        hoya_group *group = Enter();
        EXPECT_EQ(Start(group,
                        [&](hoya_task *) {
                            EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                            EXPECT_EQ(hoya_shield_enter(), 0);
                            EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
                            EXPECT_EQ(hoya_shield_leave(), 0);
                            Note("child");
                            return 0;
                        }),
                  HOYA_ECANCELED);
        Note("cancelled");
        EXPECT_EQ(Start(group, Sayer("never")), HOYA_ECANCELED) << "and has done nothing";
        EXPECT_EQ(hoya_task_cancelling(self), 1);
        EXPECT_EQ(hoya_task_uncancel(self), 0);
        EXPECT_EQ(hoya_sleep(0), 0) << "the group is as it was";
        return hoya_group_leave(group);
    });
    RunRounds(2);
    EXPECT_EQ(hoya_task_cancel(main.get(), nullptr), 1);
    RunUntilDone({Of(main)});
    EXPECT_EQ(Result(main), 0);
    EXPECT_EQ(trace, (Trace{"child", "cancelled"}));
}

TEST_P(TaskGroup, AStartWhoseTimeIsUpSaysSoAndBelievesWhoIsReadyAllTheSame)
{
    Probe probe;
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  hoya_timeout *timeout = nullptr;
                  EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &timeout), 0);
                  EXPECT_EQ(Start(group, Sleeper("child")), HOYA_EDEADLINE);
                  EXPECT_EQ(hoya_timeout_leave(timeout), 1);
                  EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &timeout), 0);
                  EXPECT_EQ(Start(group,
                                  [](hoya_task *) {
                                      EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                                      return HOYA_EIO;
                                  }),
                            HOYA_EIO)
                      << "a failure says more";
                  EXPECT_EQ(hoya_timeout_leave(timeout), 1);
                  EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &timeout), 0);
                  void *value = nullptr;
                  EXPECT_EQ(Start(
                                group,
                                [&](hoya_task *self) {
                                    EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                                    EXPECT_EQ(hoya_task_started(self, &probe, nullptr), 1);
                                    return 0;
                                },
                                &value),
                            0);
                  EXPECT_EQ(value, &probe);
                  EXPECT_EQ(hoya_timeout_leave(timeout), 1);
                  return hoya_group_leave(group);
              }),
              0);
    EXPECT_EQ(trace, Trace{"child"});
}

TEST_P(TaskGroup, AChildMayStartAnotherOne)
{
    int port = 80;
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  Add(group, [&, group](hoya_task *) {
                      void *value = nullptr;
                      EXPECT_EQ(Start(
                                    group,
                                    [&](hoya_task *self) {
                                        EXPECT_EQ(hoya_sleep(0), 0);
                                        return hoya_task_started(self, &port, nullptr) - 1;
                                    },
                                    &value),
                                0);
                      EXPECT_EQ(value, &port);
                      Note("started");
                      return 0;
                  });
                  return hoya_group_leave(group);
              }),
              0);
    EXPECT_EQ(trace, Trace{"started"});
}

TEST_P(TaskGroup, OnlyATaskItselfSaysThatItIsReady)
{
    Probe probe;
    EXPECT_EQ(hoya_task_started(nullptr, &probe, Destroy), HOYA_ESTATE);
    Task task = Create([&](hoya_task *self) { return hoya_task_started(self, &probe, Destroy); });
    EXPECT_EQ(hoya_task_started(task.get(), &probe, Destroy), HOYA_ESTATE);
    EXPECT_EQ(probe.destroyed, 2);
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), 0) << "nobody waits for it: no error";
    EXPECT_EQ(probe.destroyed, 3);
    EXPECT_EQ(Start(nullptr, Sayer("never")), HOYA_ESTATE) << "and only tasks can wait for it";
}

} // namespace hoya_test
