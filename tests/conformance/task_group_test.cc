/* SPDX-License-Identifier: MIT
 *
 * conformance/task_group_test.cc: tasks that are waited for together: what one's end means for the others
 * and for the body; what is told of them.
 */
#include "groups.h"

namespace hoya_test
{

INSTANTIATE_TEST_SUITE_P(Hosts, TaskGroup, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- the end --------------------------------------------------------------------------------------------- */

TEST_P(TaskGroup, IsLeftWhenAllChildrenHaveEnded)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  Add(group, Sayer("slow", 5));
                  Add(group, Sayer("quick"));
                  Note("body");
                  EXPECT_EQ(hoya_group_leave(group), 0);
                  Note("left");
                  return 0;
              }),
              0);
    EXPECT_EQ(trace, (Trace{"body", "quick", "slow", "left"}));
}

TEST_P(TaskGroup, WithoutChildrenIsLeftAtOnceCancelledOrNot)
{
    EXPECT_EQ(RunTask([&](hoya_task *self) {
                  CallSoon(Say("a round"));
                  EXPECT_EQ(hoya_group_leave(Enter()), 0);
                  EXPECT_EQ(hoya_task_cancel(self, nullptr), 1);
                  EXPECT_EQ(hoya_group_leave(Enter()), 0) << "there was nothing to wait for";
                  EXPECT_EQ(trace, Trace{});
                  return 0;
              }),
              0);
}

TEST_P(TaskGroup, MayBeJoinedAgainWithNewChildren)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  Add(group, Sayer("first"));
                  EXPECT_EQ(hoya_group_join(group), 0);
                  Note("joined");
                  Add(group, Sayer("second"));
                  EXPECT_EQ(hoya_group_join(group), 0);
                  EXPECT_EQ(hoya_group_join(group), 0);
                  return hoya_group_leave(group);
              }),
              0);
    EXPECT_EQ(trace, (Trace{"first", "joined", "second"}));
}

TEST_P(TaskGroup, ChildrenMayMakeMoreWhileTheGroupIsLeft)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  Add(group, [&, group](hoya_task *) {
                      EXPECT_EQ(hoya_sleep(0), 0);
                      Add(group, Sayer("child of a child", 2));
                      return 0;
                  });
                  EXPECT_EQ(hoya_group_leave(group), 0);
                  Note("left");
                  return 0;
              }),
              0);
    EXPECT_EQ(trace, (Trace{"child of a child", "left"}));
}

// Holds: S64
TEST_P(TaskGroup, AFailureCancelsTheSiblingsAndTheBodyAndAllAreAwaited)
{
    Task sibling, unborn;
    EXPECT_EQ(RunTask([&](hoya_task *self) {
                  hoya_group *group = Enter(HOYA_GROUP_FAIL_FAST, 0, "pair");
                  sibling = Add(group, [&](hoya_task *) {
                      EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                      EXPECT_EQ(hoya_shield_enter(), 0);
                      EXPECT_EQ(hoya_sleep(HOYA_MSEC(2)), 0);
                      EXPECT_EQ(hoya_shield_leave(), 0);
                      Note("sibling has cleaned up");
                      return HOYA_ECANCELED;
                  });
                  Add(
                      group,
                      [&, group](hoya_task *) {
                          unborn = Add(group, Sayer("never"));
                          return hoya_error_set(HOYA_EPIPE, "the pipe");
                      },
                      "writer");
                  EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                  EXPECT_STREQ(hoya_error_detail(), "main: writer of the group pair has failed");
                  Note("body is awake");
                  EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED) << "until it is left";
                  EXPECT_EQ(hoya_group_leave(group), HOYA_EPIPE);
                  EXPECT_STREQ(hoya_error_detail(), "the pipe");
                  Note("left");
                  EXPECT_EQ(hoya_task_cancelling(self), 0);
                  EXPECT_EQ(hoya_sleep(0), 0) << "and no longer";
                  return 0;
              }),
              0);
    EXPECT_EQ(trace, (Trace{"body is awake", "sibling has cleaned up", "left"}));
    EXPECT_EQ(Result(sibling), HOYA_ECANCELED);
    EXPECT_EQ(Result(unborn), HOYA_ECANCELED);
    EXPECT_STREQ(hoya_error_detail(), "writer of the group pair has failed");
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: S64
TEST_P(TaskGroup, ErrorsAreCollectedInTheOrderOfTheFailures)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  Add(
                      group,
                      [](hoya_task *) {
                          EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                          return hoya_error_set(HOYA_EIO, "the disk");
                      },
                      "cleaner");
                  Add(group, Fail(HOYA_EPIPE, "the pipe", 3), "writer");
                  Add(group, Sleeper("cancelled"), "no error");
                  Add(
                      group, [](hoya_task *) { return HOYA_EDEADLINE; }, "late");
                  EXPECT_EQ(hoya_group_join(group), HOYA_EDEADLINE);
                  EXPECT_EQ(ErrorsOf(group), (Errors{{"late: ", HOYA_EDEADLINE}, {"cleaner: the disk", HOYA_EIO}}))
                      << "writer was cancelled before it could fail";
                  EXPECT_EQ(hoya_group_leave(group), HOYA_EDEADLINE) << "again";
                  return 0;
              }),
              0);
    EXPECT_EQ(LogLines(), 0u) << "all were looked at";
}

TEST_P(TaskGroup, FailuresThatNobodyLookedAtAreReported)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter(HOYA_GROUP_WAIT_ALL);
                  Add(group, Fail(HOYA_EPIPE, "the pipe"), "first");
                  Add(group, Fail(HOYA_EIO, "the disk"), "second");
                  Task seen = Add(group, Fail(HOYA_EIO, "the disk"), "third");
                  EXPECT_EQ(hoya_await(Of(seen), nullptr), HOYA_EIO);
                  EXPECT_EQ(hoya_group_errors(group, nullptr, nullptr), 3) << "counting is not looking";
                  EXPECT_EQ(LogLines(), 0u);
                  EXPECT_EQ(hoya_group_leave(group), HOYA_EPIPE);
                  return 0;
              }),
              0);
    EXPECT_TRUE(Logged("nobody looked at the error of second: HOYA_EIO: the disk"));
    EXPECT_EQ(LogLines(), 1u);
}

// Holds: S64
TEST_P(TaskGroup, AChildThatIsCancelledHasNotFailed)
{
    Task sibling;
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  Task child = Add(group, Sleeper("cancelled"));
                  sibling = Add(group, Sayer("goes on", 4));
                  EXPECT_EQ(hoya_sleep(0), 0);
                  EXPECT_EQ(hoya_task_cancel(child.get(), nullptr), 1);
                  EXPECT_EQ(hoya_sleep(0), 0);
                  return hoya_group_leave(group);
              }),
              0);
    EXPECT_EQ(trace, (Trace{"cancelled", "goes on"}));
    EXPECT_EQ(Result(sibling), 0);
}

// Holds: S68
TEST_P(TaskGroup, AChildThatFailsAtOnceDoesNotCancelItsMakerInTheCall)
{
    EXPECT_EQ(RunTask([&](hoya_task *self) {
                  hoya_group *group = Enter();
                  Task child = Add(group, Fail(HOYA_EPIPE, "at once"));
                  EXPECT_FALSE(Done(child)) << "nothing runs inside the call";
                  Add(group, Sayer("never"));
                  Future ready = NewFuture();
                  EXPECT_EQ(hoya_future_set_result(ready.get(), nullptr, nullptr), 0);
                  EXPECT_EQ(hoya_await(ready.get(), nullptr), 0);
                  EXPECT_EQ(hoya_sleep(0), 0) << "a round goes by, and is done";
                  EXPECT_EQ(hoya_await(ready.get(), nullptr), 0) << "what is there is there";
                  EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED);
                  EXPECT_EQ(hoya_task_cancelling(self), 0);
                  return hoya_group_leave(group);
              }),
              HOYA_EPIPE);
    EXPECT_EQ(trace, Trace{}) << "a sibling that has not begun never does";
}

TEST_P(TaskGroup, WaitAllCancelsNobody)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter(HOYA_GROUP_WAIT_ALL);
                  Add(group, Fail(HOYA_EPIPE, "the pipe"));
                  Add(group, Sayer("sibling", 3));
                  EXPECT_EQ(hoya_sleep(0), 0);
                  EXPECT_EQ(hoya_sleep(0), 0);
                  Add(group, Sayer("made after the failure", 5));
                  EXPECT_EQ(hoya_group_leave(group), HOYA_EPIPE);
                  return 0;
              }),
              0);
    EXPECT_EQ(trace, (Trace{"sibling", "made after the failure"}));
}

/* ---- races ----------------------------------------------------------------------------------------------- */

TEST_P(TaskGroup, TheFirstToEndWellWinsARaceAndCancelsTheOthers)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter(HOYA_GROUP_RACE);
                  Task loser = Add(group, Sleeper("loser"));
                  Add(group, Fail(HOYA_EPIPE, "fell"), "fallen");
                  Task winner = Add(group, Sayer("winner", 2));
                  Add(group, [](hoya_task *) {
                      EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                      return 0; /* well, but too late */
                  });
                  EXPECT_EQ(hoya_group_winner(group), nullptr);
                  for (int i = 0; i < 6; i++) EXPECT_EQ(hoya_sleep(0), 0) << "the body goes on";
                  EXPECT_EQ(hoya_group_winner(group), winner.get());
                  EXPECT_EQ(Refused(group), HOYA_ESTATE) << "it is over";
                  EXPECT_EQ(hoya_group_join(group), 0);
                  EXPECT_EQ(Result(loser), HOYA_ECANCELED);
                  EXPECT_EQ(hoya_group_errors(group, nullptr, nullptr), 1);
                  EXPECT_EQ(hoya_group_winner(group), winner.get()) << "the first one only";
                  return hoya_group_leave(group);
              }),
              0);
    EXPECT_EQ(trace, (Trace{"winner", "loser"}));
    EXPECT_EQ(LogLines(), 0u) << "to lose is no accident";
}

TEST_P(TaskGroup, WhoWinsARaceInSpiteOfACancelIsBelieved)
{
    Task main = Create([&](hoya_task *self) {
        hoya_group *group = Enter(HOYA_GROUP_RACE);
        Task child = Add(group, [](hoya_task *) {
            EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
            return 0;
        });
        EXPECT_EQ(hoya_group_join(group), 0);
        EXPECT_EQ(hoya_group_winner(group), child.get());
        EXPECT_EQ(hoya_task_cancelling(self), 1) << "and the cancel stays";
        return hoya_group_leave(group);
    });
    RunRounds(2);
    EXPECT_EQ(hoya_task_cancel(main.get(), nullptr), 1);
    RunUntilDone({Of(main)});
    EXPECT_EQ(Result(main), 0);
}

TEST_P(TaskGroup, ARaceThatAllLoseEndsWithTheirFailures)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter(HOYA_GROUP_RACE);
                  Add(group, Fail(HOYA_EIO, "slow", 2), "a");
                  Add(group, Fail(HOYA_EPIPE, "quick"), "b");
                  EXPECT_EQ(hoya_group_join(group), HOYA_EPIPE);
                  EXPECT_EQ(hoya_group_winner(group), nullptr);
                  EXPECT_EQ(ErrorsOf(group), (Errors{{"b: quick", HOYA_EPIPE}, {"a: slow", HOYA_EIO}}));
                  return hoya_group_leave(group);
              }),
              HOYA_EPIPE);
    EXPECT_EQ(LogLines(), 0u);
}

/* ---- the loop's end -------------------------------------------------------------------------------------- */

TEST_P(TaskGroup, AtTheLoopsCloseNobodyIsWaitedForAndNothingIsLost)
{
    Probe probe;
    hoya_group *group = nullptr;
    Create([&](hoya_task *) {
        group = Enter(HOYA_GROUP_WAIT_ALL, 3);
        Add(group, Fail(HOYA_EPIPE, "before", 1), "failed");
        Add(group, [&](hoya_task *) {
            EXPECT_EQ(hoya_shield_enter(), 0);
            EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED) << "the loop is closed";
            EXPECT_LT(Refused(group), 0) << "the group is there for those that are";
            Note("child");
            return 0;
        });
        Add(group, [&](hoya_task *) {
            TaskWork late = [&](hoya_task *self) {
                EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
                EXPECT_EQ(hoya_task_started(self, &probe, Destroy), 0) << "nobody waits any more";
                return 0;
            };
            EXPECT_EQ(Start(group, late), HOYA_ECANCELED);
            Note("starter");
            return 0;
        });
        EXPECT_EQ(hoya_sleep(0), 0);
        Add(group, Sayer("never"));
        EXPECT_EQ(hoya_group_leave(group), HOYA_EPIPE);
        Note("left");
        return 0;
    });
    RunRounds(5);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(trace, (Trace{"left", "child", "starter"}));
    EXPECT_EQ(probe.destroyed, 1);
}

TEST_P(TaskGroup, AtTheLoopsCloseAStartAnswersForItselfAndNotForAChildThatHasNotEnded)
{
    Create([&](hoya_task *) {
        hoya_group *group = Enter();
        TaskWork returned = [&](hoya_task *self) {
            CreateChild(self, [&](hoya_task *) {
                EXPECT_EQ(hoya_shield_enter(), 0);
                return hoya_sleep(HOYA_SEC(60));
            });
            EXPECT_EQ(hoya_sleep(0), 0);
            return HOYA_EPIPE; /* and waits for its child */
        };
        EXPECT_EQ(Start(group, returned), HOYA_ECANCELED);
        Note("starter");
        return hoya_group_leave(group);
    });
    RunRounds(4);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(trace, Trace{"starter"});
}

/* ---- what is told ---------------------------------------------------------------------------------------- */

// Holds: S51
TEST_P(TaskGroup, ADumpNamesGroupsTheirChildrenAndWhoWaits)
{
    Task main = Create(
        [&](hoya_task *) {
            hoya_group *outer = Enter();
            hoya_group *group = Enter(HOYA_GROUP_RACE, 1, "fetchers");
            Add(
                group,
                [&, group](hoya_task *) {
                    EXPECT_EQ(Start(group, Sleeper("server")), HOYA_ECANCELED);
                    return HOYA_ECANCELED;
                },
                "one");
            Add(group, Sayer("two"), "two");
            EXPECT_EQ(hoya_group_leave(group), HOYA_ECANCELED);
            return hoya_group_leave(outer);
        },
        "main");
    RunRounds(2);
    std::string text = Dump();
    EXPECT_NE(text.find("    main: waits for the children of the group fetchers\n"), std::string::npos) << text;
    EXPECT_NE(text.find("      a group, fetchers: race, 3 children, 2 wait for their turn\n"
                        "      a group, Group-1: fail fast, 0 children\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("    one: waits until server is ready\n"), std::string::npos) << text;
    EXPECT_NE(text.find("      its owner is main\n      in the group fetchers\n"), std::string::npos) << text;
    EXPECT_NE(text.find("    two: waits for its turn, has not begun\n"), std::string::npos) << text;
    CallSoon([&] {
        EXPECT_EQ(hoya_task_cancel(main.get(), "no time"), 1);
        CallSoon([&] {
            text = Dump();
            EXPECT_NE(text.find("; the group fetchers was cancelled: main was cancelled: no time\n"),
                      std::string::npos)
                << text;
        });
    });
    RunUntilDone({Of(main)});
    EXPECT_EQ(trace, Trace{});
}

/* ---- dialogs --------------------------------------------------------------------------------------------- */

class NestingTaskGroup : public TaskGroup
{
};

INSTANTIATE_TEST_SUITE_P(Hosts, NestingTaskGroup, ::testing::ValuesIn(nesting_variants()),
                         [](const auto &of) { return std::string(of.param.name); });

TEST_P(NestingTaskGroup, ChildrenGoOnInADialogOfTheBody)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  int steps = 0;
                  Add(group, [&](hoya_task *) {
                      for (; steps < 5; steps++) EXPECT_EQ(hoya_sleep(HOYA_USEC(100)), 0);
                      Note("child");
                      return 0;
                  });
                  EXPECT_EQ(hoya_sleep(0), 0);
                  CallSoon([&, group] { EXPECT_EQ(hoya_group_join(group), HOYA_EDEADLK); });
                  EXPECT_TRUE(host->RunNestedUntil([&] { return Seen("child"); }));
                  Note("dialog");
                  return hoya_group_leave(group);
              }),
              0);
    EXPECT_EQ(trace, (Trace{"child", "dialog"}));
}

TEST_P(NestingTaskGroup, AFailureInADialogIsNoticedByTheBodyAfterIt)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter();
                  Task child = Add(group, Fail(HOYA_EPIPE, "the pipe", 2));
                  EXPECT_EQ(hoya_sleep(0), 0);
                  EXPECT_TRUE(host->RunNestedUntil([&] { return Done(child); }));
                  EXPECT_EQ(hoya_sleep(0), HOYA_ECANCELED);
                  return hoya_group_leave(group);
              }),
              HOYA_EPIPE);
}

} // namespace hoya_test
