/* SPDX-License-Identifier: MIT
 *
 * conformance/task_group_cancel_test.cc: a group that is cancelled: by anybody, from outside, by its own task;
 * timeouts and shields around it and in it.
 */
#include "groups.h"

namespace hoya_test
{

/* ---- cancelling ------------------------------------------------------------------------------------------ */

TEST_P(TaskGroup, AnybodyMayCancelItAndTheTaskIsNotCancelledByThat)
{
    for (bool by_child : {true, false}) {
        ClearLog();
        trace.clear();
        EXPECT_EQ(RunTask([&](hoya_task *self) {
                      hoya_group *group = Enter(HOYA_GROUP_WAIT_ALL, 0, "many");
                      auto cancel = [group] {
                          EXPECT_EQ(hoya_group_cancel(group, "enough"), 1);
                          EXPECT_EQ(hoya_group_cancel(group, "again"), 0);
                      };
                      if (by_child)
                          Add(group, [=](hoya_task *) {
                              EXPECT_EQ(hoya_sleep(0), 0);
                              cancel();
                              return hoya_sleep(0);
                          });
                      else CallLater(HOYA_USEC(50), cancel);
                      Task child = Add(group, Sleeper("child"));
                      EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                      EXPECT_STREQ(hoya_error_detail(), "main: the group many was cancelled: enough");
                      EXPECT_EQ(hoya_task_cancelling(self), 0);
                      EXPECT_EQ(hoya_group_join(group), 0) << "nobody has failed";
                      EXPECT_EQ(Result(child), HOYA_ECANCELED);
                      EXPECT_STREQ(hoya_error_detail(), "the group many was cancelled: enough");
                      EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED) << "until it is left";
                      EXPECT_EQ(hoya_group_leave(group), 0);
                      return hoya_sleep(0);
                  }),
                  0);
        EXPECT_EQ(trace, Trace{"child"});
    }
}

TEST_P(TaskGroup, ABodyThatFailsCancelsTheGroupAndLeavesIt)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  Task child = Add(group, Sleeper("child"));
                  EXPECT_EQ(hoya_sleep(0), 0);
                  int rc = HOYA_EIO;
                  EXPECT_EQ(hoya_group_cancel(group, nullptr), 1);
                  int end = hoya_group_leave(group);
                  EXPECT_EQ(end, 0);
                  EXPECT_EQ(Result(child), HOYA_ECANCELED);
                  return end < 0 ? end : rc;
              }),
              HOYA_EIO);
}

// Holds: S65
TEST_P(TaskGroup, ACancelFromOutsideEndsTheChildrenAndStays)
{
    Task child;
    Task main = Create(
        [&](hoya_task *self) {
            hoya_group *group = Enter();
            child = Add(group, [&](hoya_task *) {
                EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                EXPECT_EQ(hoya_shield_enter(), 0);
                EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
                EXPECT_EQ(hoya_shield_leave(), 0);
                Note("child");
                return HOYA_ECANCELED;
            });
            EXPECT_EQ(hoya_group_leave(group), HOYA_ECANCELED);
            Note("left");
            EXPECT_EQ(hoya_task_cancelling(self), 1);
            EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED) << "it stays";
            return HOYA_ECANCELED;
        },
        "main");
    RunRounds(2);
    EXPECT_EQ(hoya_task_cancel(main.get(), "no time"), 1);
    RunUntilDone({Of(main)});
    EXPECT_EQ(trace, (Trace{"child", "left"}));
    EXPECT_EQ(Result(child), HOYA_ECANCELED);
    EXPECT_STREQ(hoya_error_detail(), "the group Group-1 was cancelled: main was cancelled: no time");
}

// Holds: S65
TEST_P(TaskGroup, AFailureWinsOverACancelFromOutsideWhichStays)
{
    Task main = Create([&](hoya_task *self) {
        hoya_group *group = Enter();
        Add(group, [&](hoya_task *) {
            EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
            return hoya_error_set(HOYA_EPIPE, "while it cleaned up");
        });
        EXPECT_EQ(hoya_group_leave(group), HOYA_EPIPE);
        EXPECT_STREQ(hoya_error_detail(), "while it cleaned up");
        EXPECT_EQ(hoya_task_cancelling(self), 1);
        EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED);
        return 0;
    });
    RunRounds(2);
    EXPECT_EQ(hoya_task_cancel(main.get(), nullptr), 1);
    RunUntilDone({Of(main)});
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: S65
TEST_P(TaskGroup, ACancelThatComesAfterAFailureStays)
{
    Task main = Create([&](hoya_task *self) {
        hoya_group *group = Enter();
        Add(group, Fail(HOYA_EPIPE, "first", 1));
        Add(group, [&](hoya_task *) {
            EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
            EXPECT_EQ(hoya_task_cancel(self, nullptr), 1);
            return HOYA_ECANCELED;
        });
        EXPECT_EQ(hoya_group_leave(group), HOYA_EPIPE);
        EXPECT_EQ(hoya_task_cancelling(self), 1);
        EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED);
        EXPECT_EQ(hoya_task_uncancel(self), 0);
        return hoya_sleep(0);
    });
    RunUntilDone({Of(main)});
    EXPECT_EQ(Result(main), 0);
}

TEST_P(TaskGroup, ACancelThatIsTakenBackEndsNothing)
{
    Task main = Create([&](hoya_task *) {
        hoya_group *group = Enter();
        Add(group, Sayer("child", 5));
        return hoya_group_leave(group);
    });
    RunRounds(2);
    EXPECT_EQ(hoya_task_cancel(main.get(), nullptr), 1);
    EXPECT_EQ(hoya_task_uncancel(main.get()), 0);
    RunUntilDone({Of(main)});
    EXPECT_EQ(Result(main), 0);
    EXPECT_EQ(trace, Trace{"child"});
}

// Holds: S66
TEST_P(TaskGroup, NestedGroupsAreBothCancelledInnerThenOuterAndNothingLeaksOut)
{
    EXPECT_EQ(RunTask([&](hoya_task *self) {
                  hoya_group *outer = Enter(HOYA_GROUP_FAIL_FAST, 0, "outer");
                  Add(outer, Fail(HOYA_EPIPE, "of the outer one", 2));
                  Add(outer, Sleeper("outer's child"));
                  hoya_group *inner = Enter(HOYA_GROUP_FAIL_FAST, 0, "inner");
                  Add(inner, [&](hoya_task *) {
                      EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                      Note("inner's child");
                      return hoya_error_set(HOYA_EIO, "of the inner one");
                  });
                  EXPECT_EQ(hoya_group_leave(inner), HOYA_EIO);
                  Note("inner is left");
                  EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED) << "the outer one is cancelled, still";
                  EXPECT_EQ(hoya_group_leave(outer), HOYA_EPIPE);
                  Note("outer is left");
                  EXPECT_EQ(hoya_task_cancelling(self), 0);
                  return hoya_sleep(0);
              }),
              0);
    EXPECT_EQ(trace, (Trace{"outer's child", "inner's child", "inner is left", "outer is left"}));
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: S66
TEST_P(TaskGroup, AFailureInAnInnerGroupIsTheInnerOnes)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *outer = Enter();
                  Add(outer, Sayer("outer's child", 6));
                  hoya_group *inner = Enter();
                  Add(inner, Fail(HOYA_EIO, "of the inner one"));
                  EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                  EXPECT_EQ(hoya_group_leave(inner), HOYA_EIO);
                  EXPECT_EQ(hoya_sleep(0), 0);
                  return hoya_group_leave(outer);
              }),
              0);
    EXPECT_EQ(trace, Trace{"outer's child"});
}

// Holds: S67
TEST_P(TaskGroup, TakesNoChildrenWhenItEndsAndDestroysTheirArguments)
{
    hoya_group *group = nullptr;
    EXPECT_EQ(RunTask([&](hoya_task *self) {
                  group = Enter();
                  Task stranger = Create([](hoya_task *) { return 0; });
                  EXPECT_EQ(Refused(group, stranger.get()), HOYA_EINVAL) << "another owner";
                  Add(group, [&](hoya_task *) {
                      EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                      EXPECT_EQ(Refused(group), HOYA_ESTATE) << "it is being cancelled";
                      Note("refused");
                      return HOYA_ECANCELED;
                  });
                  Add(group, Fail(HOYA_EPIPE, "the pipe"));
                  EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                  EXPECT_EQ(Refused(group), HOYA_ESTATE);
                  EXPECT_EQ(Start(group, Sayer("never")), HOYA_ECANCELED) << "and cannot wait for it either";
                  EXPECT_EQ(hoya_group_join(group), HOYA_EPIPE);
                  EXPECT_EQ(Refused(group, self), HOYA_ESTATE) << "it was cancelled";
                  return hoya_group_leave(group);
              }),
              HOYA_EPIPE);
    EXPECT_EQ(trace, Trace{"refused"});
    EXPECT_EQ(Refused(nullptr), HOYA_EINVAL);
}

// Holds: S67
TEST_P(TaskGroup, OfATaskThatHasReturnedTakesNoChildren)
{
    Task main = Create([&](hoya_task *) {
        hoya_group *group = Enter();
        Add(
            group,
            [&, group](hoya_task *me) {
                EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                EXPECT_EQ(Refused(group), HOYA_ESTATE);
                EXPECT_EQ(hoya_group_cancel(group, nullptr), 0);
                EXPECT_EQ(hoya_task_cancelling(me), 1) << "asked once";
                Note("child");
                return hoya_error_set(HOYA_EPIPE, "the pipe");
            },
            "child");
        EXPECT_EQ(hoya_sleep(0), 0);
        Note("returns");
        return 7; /* without leaving it */
    });
    RunUntilDone({Of(main)});
    EXPECT_EQ(trace, (Trace{"returns", "child"})) << "it was waited for all the same";
    EXPECT_EQ(Result(main), 0);
    EXPECT_TRUE(Logged("nobody looked at the error of child: HOYA_EPIPE: the pipe"));
    EXPECT_EQ(LogLines(), 1u);
}

TEST_P(TaskGroup, ChildrenThatWereCancelledWithItAreNotAskedAgainByTheEndOfTheirTask)
{
    RunTask([&](hoya_task *) {
        hoya_group *group = Enter();
        Add(group, [&](hoya_task *me) {
            EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
            EXPECT_EQ(hoya_task_uncancel(me), 0);
            EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0) << "it refuses, once and for all";
            Note("child");
            return 0;
        });
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_group_cancel(group, nullptr), 1);
        return 0; /* without leaving it */
    });
    EXPECT_EQ(trace, Trace{"child"});
}

/* Each child's argument, when it is destroyed, cancels the one after the next; none has started. */
TEST_P(TaskGroup, ChildrenThatEndEachOtherAreAllEndedOnce)
{
    struct Canceller {
        hoya_task *other = nullptr;
        ~Canceller()
        {
            if (other) hoya_task_cancel(other, nullptr);
            hoya_task_unref(other);
        }
    };
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter(HOYA_GROUP_FAIL_FAST, 3);
                  std::vector<Task> children;
                  std::vector<std::shared_ptr<Canceller>> cancellers;
                  for (int i = 0; i < 8; i++) {
                      auto canceller = std::make_shared<Canceller>();
                      cancellers.push_back(canceller);
                      children.push_back(Add(group, [canceller](hoya_task *) { return 0; }));
                  }
                  for (size_t i = 0; i + 2 < children.size(); i++)
                      cancellers[i]->other = hoya_task_ref(children[i + 2].get());
                  cancellers.clear();
                  EXPECT_EQ(hoya_group_cancel(group, nullptr), 1);
                  for (const Task &child : children) EXPECT_EQ(Result(child), HOYA_ECANCELED);
                  return hoya_group_leave(group);
              }),
              0);
}

/* ---- with timeouts and shields --------------------------------------------------------------------------- */

TEST_P(TaskGroup, ATimeoutAroundItEndsTheChildren)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_timeout *timeout = nullptr;
                  EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &timeout), 0);
                  hoya_group *group = Enter();
                  Task child = Add(group, Sleeper("child"));
                  EXPECT_EQ(hoya_timeout_leave(timeout), HOYA_ESTATE) << "not the innermost one";
                  EXPECT_EQ(hoya_group_leave(group), HOYA_EDEADLINE);
                  EXPECT_EQ(Result(child), HOYA_ECANCELED);
                  EXPECT_EQ(hoya_timeout_leave(timeout), 1);
                  return hoya_sleep(0);
              }),
              0);
}

TEST_P(TaskGroup, OfSeveralScopesThatAreUpTheOutermostAnswers)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_timeout *timeout = nullptr;
                  hoya_group *group = Enter();
                  EXPECT_EQ(hoya_timeout_enter(HOYA_NOW, &timeout), 0);
                  EXPECT_EQ(hoya_sleep(0), HOYA_EDEADLINE);
                  EXPECT_EQ(hoya_group_cancel(group, nullptr), 1);
                  EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED);
                  EXPECT_EQ(hoya_group_leave(group), HOYA_ESTATE) << "not the innermost one";
                  EXPECT_EQ(hoya_timeout_leave(timeout), 1);
                  EXPECT_EQ(hoya_group_leave(group), 0);

                  EXPECT_EQ(hoya_timeout_enter(HOYA_NOW, &timeout), 0);
                  group = Enter();
                  EXPECT_EQ(hoya_group_cancel(group, nullptr), 1);
                  EXPECT_EQ(hoya_sleep(0), HOYA_EDEADLINE);
                  EXPECT_EQ(hoya_group_leave(group), 0);
                  EXPECT_EQ(hoya_timeout_leave(timeout), 1);
                  return hoya_sleep(0);
              }),
              0);
}

TEST_P(TaskGroup, ATimeoutInsideItMayEndAJoin)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  Task child = Add(group, Sleeper("child"));
                  hoya_timeout *timeout = nullptr;
                  EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &timeout), 0);
                  EXPECT_EQ(hoya_group_join(group), HOYA_EDEADLINE);
                  EXPECT_TRUE(Done(child));
                  EXPECT_EQ(hoya_timeout_leave(timeout), 1);
                  return hoya_group_leave(group);
              }),
              0);
}

TEST_P(TaskGroup, ALaterShieldOfTheBodyIsNotDisturbed)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  Add(group, Fail(HOYA_EPIPE, "the pipe"));
                  EXPECT_EQ(hoya_shield_enter(), 0);
                  EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
                  EXPECT_EQ(hoya_shield_leave(), 0);
                  EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), HOYA_ECANCELED);
                  EXPECT_EQ(hoya_group_leave(group), HOYA_EPIPE);

                  EXPECT_EQ(hoya_shield_enter(), 0);
                  group = Enter();
                  Add(group, Fail(HOYA_EPIPE, "the pipe"));
                  EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED) << "the shield is around the group";
                  EXPECT_EQ(hoya_group_leave(group), HOYA_EPIPE);
                  return hoya_shield_leave();
              }),
              0);
}

} // namespace hoya_test
