/* SPDX-License-Identifier: MIT
 *
 * conformance/task_group_test.cc: tasks that are waited for together: what one's end means for the others, for the
 * body and for whoever cancels; whose turn it is; who is ready.
 */
#include "tasks.h"

#include <algorithm>
#include <thread>

namespace hoya_test
{

using Errors = std::vector<std::pair<std::string, int>>;

class TaskGroup : public TaskConformance
{
  protected:
    static hoya_group *Enter(hoya_group_policy policy = HOYA_GROUP_FAIL_FAST, unsigned limit = 0,
                             const char *name = nullptr)
    {
        hoya_group_options options = {};
        options.size = sizeof options;
        options.name = name;
        options.policy = policy;
        options.limit = limit;
        hoya_group *group = nullptr;
        EXPECT_EQ(hoya_group_enter(&options, &group), 0) << hoya_error_detail();
        return group;
    }
    static hoya_task_options Options(const char *name)
    {
        hoya_task_options options = {};
        options.size = sizeof options;
        options.name = name;
        options.destroy = DestroyWork;
        return options;
    }
    static Task Add(hoya_group *group, TaskWork work, const char *name = nullptr)
    {
        hoya_task_options options = Options(name);
        hoya_task *task = nullptr;
        EXPECT_EQ(hoya_group_create_task(group, RunWork, new TaskWork(std::move(work)), &options, &task), 0)
            << hoya_error_detail();
        return Task(task);
    }
    static int Start(hoya_group *group, TaskWork work, void **value = nullptr, hoya_destroy *destroy = nullptr)
    {
        hoya_task_options options = Options("server");
        return hoya_group_start(group, RunWork, new TaskWork(std::move(work)), &options, value, destroy);
    }
    /* What creating a child answers; its argument is destroyed whatever that is. */
    static int Refused(hoya_group *group, hoya_task *owner = nullptr)
    {
        Probe probe;
        hoya_task_options options = {};
        options.size = sizeof options;
        options.destroy = Probe::Destroy;
        options.owner = owner;
        auto never = [](hoya_task *, void *arg) { return static_cast<Probe *>(arg)->runs++; };
        hoya_task *untouched = nullptr;
        int rc = hoya_group_create_task(group, never, &probe, &options, &untouched);
        EXPECT_EQ(probe.destroyed, 1);
        EXPECT_EQ(untouched, nullptr);
        return rc;
    }
    static Errors ErrorsOf(hoya_group *group)
    {
        Errors errors;
        auto add = [](hoya_task *child, int code, const char *text, void *arg) {
            static_cast<Errors *>(arg)->push_back({std::string(hoya_task_get_name(child)) + ": " + text, code});
        };
        int count = hoya_group_errors(group, add, &errors);
        EXPECT_EQ(count, static_cast<int>(errors.size()));
        return errors;
    }
    static TaskWork Fail(int code, const char *text, int rounds = 0)
    {
        return [=](hoya_task *) -> int {
            for (int i = 0; i < rounds; i++)
                if (hoya_sleep(0) < 0) return HOYA_ECANCELED;
            return hoya_error_set(code, "%s", text);
        };
    }
    /* Sleeps until somebody ends it, and says so. */
    TaskWork Sleeper(const char *word)
    {
        return [this, word](hoya_task *) {
            int rc = hoya_sleep(HOYA_SEC(60));
            Note(word);
            return rc;
        };
    }
    TaskWork Sayer(const char *word, int rounds = 0)
    {
        return [this, word, rounds](hoya_task *) -> int {
            for (int i = 0; i < rounds; i++)
                if (hoya_sleep(0) < 0) return HOYA_ECANCELED;
            Note(word);
            return 0;
        };
    }
    static void Destroy(void *arg) { static_cast<Probe *>(arg)->destroyed++; }
    std::string Dump()
    {
        std::string text;
        auto line = [](const char *words, void *arg) {
            *static_cast<std::string *>(arg) += std::string(words) + "\n";
        };
        EXPECT_EQ(hoya_loop_dump(loop, line, &text), 0) << hoya_error_detail();
        return text;
    }
    /* Runs the task to its end; its result. */
    int RunTask(TaskWork work, const char *name = "main")
    {
        Task task = Create(std::move(work), name);
        RunUntilDone({Of(task)});
        return Result(task);
    }
};

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

/* ---- whose turn it is ------------------------------------------------------------------------------------ */

TEST_P(TaskGroup, WithALimitSoManyRunAndTheOthersWaitTheirTurn)
{
    int running = 0, most = 0;
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter(HOYA_GROUP_FAIL_FAST, 2);
                  for (int i = 0; i < 7; i++)
                      Add(group, [&, i](hoya_task *) {
                          Note(std::to_string(i));
                          most = std::max(most, ++running);
                          for (int round = 0; round < 1 + i % 3; round++) EXPECT_EQ(hoya_sleep(0), 0);
                          running--;
                          return 0;
                      });
                  return hoya_group_leave(group);
              }),
              0);
    EXPECT_EQ(most, 2);
    EXPECT_EQ(trace, (Trace{"0", "1", "2", "3", "4", "5", "6"}));
}

TEST_P(TaskGroup, AChildThatIsCancelledBeforeItBeganGivesItsTurnAwayIfItHadOne)
{
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter(HOYA_GROUP_FAIL_FAST, 1);
                  Task has_turn = Add(group, Sayer("never"));
                  Task waits = Add(group, Sayer("never"));
                  Task third = Add(group, Sleeper("third"));
                  EXPECT_EQ(hoya_task_cancel(waits.get(), nullptr), 1);
                  EXPECT_EQ(Result(waits), HOYA_ECANCELED) << "at once";
                  EXPECT_EQ(hoya_task_cancel(has_turn.get(), nullptr), 1);
                  Task fourth = Add(group, Sayer("never"));
                  Add(group, Sayer("fifth"));
                  EXPECT_EQ(hoya_sleep(0), 0);
                  EXPECT_EQ(hoya_task_cancel(fourth.get(), nullptr), 1);
                  for (int i = 0; i < 3; i++) EXPECT_EQ(hoya_sleep(0), 0);
                  EXPECT_EQ(trace, Trace{}) << "it is still the third one's turn";
                  EXPECT_EQ(hoya_task_cancel(third.get(), nullptr), 1);
                  return hoya_group_leave(group);
              }),
              0);
    EXPECT_EQ(trace, (Trace{"third", "fifth"}));
}

TEST_P(TaskGroup, ThoseThatWaitTheirTurnNeverBeginWhenItIsCancelled)
{
    auto value = std::make_shared<int>(0);
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter(HOYA_GROUP_FAIL_FAST, 1);
                  Add(group, Fail(HOYA_EPIPE, "the pipe", 2));
                  for (int i = 0; i < 3; i++) Add(group, [this, value](hoya_task *) { return Note("ran"), 0; });
                  return hoya_group_leave(group);
              }),
              HOYA_EPIPE);
    EXPECT_EQ(trace, Trace{});
    EXPECT_EQ(value.use_count(), 1);
}

TEST_P(TaskGroup, AChildThatWaitsItsTurnWithChildrenOfItsOwnEndsAfterThem)
{
    Task waits;
    EXPECT_EQ(RunTask([&](hoya_task *) {
                  hoya_group *group = Enter(HOYA_GROUP_FAIL_FAST, 1);
                  Task first = Add(group, Sleeper("first"));
                  waits = Add(group, Sayer("never"));
                  CreateChild(waits.get(), Sleeper("grandchild"));
                  EXPECT_EQ(hoya_sleep(0), 0);
                  EXPECT_EQ(hoya_task_cancel(waits.get(), nullptr), 1);
                  EXPECT_EQ(hoya_wait_done(Of(waits)), 0);
                  EXPECT_FALSE(Done(first));
                  EXPECT_EQ(hoya_group_cancel(group, nullptr), 1);
                  return hoya_group_leave(group);
              }),
              0);
    EXPECT_EQ(Result(waits), HOYA_ECANCELED);
    EXPECT_EQ(trace, (Trace{"grandchild", "first"}));
}

/* ---- who is ready ---------------------------------------------------------------------------------------- */

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

/* ---- what is refused ------------------------------------------------------------------------------------- */

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
