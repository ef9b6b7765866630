/* SPDX-License-Identifier: MIT
 *
 * conformance/task_group_turn_test.cc: a group with a limit: so many run, and whose turn it is.
 */
#include "groups.h"

#include <algorithm>

namespace hoya_test
{

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

} // namespace hoya_test
