/* SPDX-License-Identifier: MIT
 *
 * conformance/cancel_points_groups_test.cc: programs of groups, cancelled wherever they wait: cancel_points.h. Who
 * was started in a group has ended when the group is left, whatever was struck; no failure is lost, and no value.
 */
#include "cancel_points.h"

namespace hoya_test
{
namespace
{

/* With the groups' own tools. */
class Groups : public Program
{
  public:
    using Program::Program;

  protected:
    hoya_group *Enter(hoya_group_policy policy, unsigned limit = 0)
    {
        hoya_group_options options = {};
        options.size = sizeof options;
        options.policy = policy;
        options.limit = limit;
        hoya_group *group = nullptr;
        EXPECT_EQ(hoya_group_enter(&options, &group), 0) << hoya_error_detail();
        return group;
    }
    int Add(hoya_group *group, const char *name, TaskWork work)
    {
        hoya_task_options options = Options(name);
        return hoya_group_create_task(group, Run, new TaskWork(Counted(std::move(work))), &options, nullptr);
    }
    int Start(hoya_group *group, const char *name, TaskWork work, void **value, hoya_destroy *destroy)
    {
        hoya_task_options options = Options(name);
        return hoya_group_start(group, Run, new TaskWork(Counted(std::move(work))), &options, value, destroy);
    }
    /* As programs do it: what a child failed with, else what the body came to. */
    static int Leave(hoya_group *group, int rc)
    {
        if (rc < 0) hoya_group_cancel(group, nullptr);
        int end = hoya_group_leave(group);
        return end < 0 ? end : rc;
    }
    int running = 0; /* children */

  private:
    static hoya_task_options Options(const char *name)
    {
        hoya_task_options options = {};
        options.size = sizeof options;
        options.name = name;
        options.destroy = [](void *arg) { delete static_cast<TaskWork *>(arg); };
        return options;
    }
    static int Run(hoya_task *self, void *arg) { return (*static_cast<TaskWork *>(arg))(self); }
    TaskWork Counted(TaskWork work)
    {
        return [this, work = std::move(work)](hoya_task *self) {
            running++;
            int rc = work(self);
            running--;
            return rc;
        };
    }
};

/* ---- producers in a group in a group, one at a time -------------------------------------------------------------
 */

class Producers : public Groups
{
  public:
    using Groups::Groups;

    int Main(hoya_task *self) override
    {
        int before = hoya_task_cancelling(self);
        hoya_group *outer = Enter(HOYA_GROUP_FAIL_FAST);
        int rc = Add(outer, "watcher", [](hoya_task *) { return hoya_sleep(kShort); });
        if (rc == 0) rc = Inner();
        int inner = running;
        rc = Leave(outer, rc);
        EXPECT_LE(inner, 1) << "the watcher; the inner group's have ended";
        EXPECT_EQ(running, 0) << "all have ended";
        EXPECT_GE(hoya_task_cancelling(self), before);
        return rc;
    }
    bool Whole() override { return made_ == kItems && done_; }
    void Check() override { EXPECT_EQ(running, 0); }

  private:
    static constexpr int kItems = 3;

    int Inner()
    {
        hoya_group *group = Enter(HOYA_GROUP_FAIL_FAST, 1);
        static const char *const names[] = {"first", "second", "third"};
        int rc = 0;
        for (int i = 0; rc == 0 && i < kItems; i++)
            rc = Add(group, names[i], [this](hoya_task *task) { return Produce(task); });
        if (rc == 0) rc = hoya_sleep(0);
        if (rc == 0) rc = hoya_group_join(group);
        done_ = rc == 0;
        return Leave(group, rc);
    }

    int Produce(hoya_task *task)
    {
        EXPECT_LE(running, 2) << "one at a time, and the watcher";
        int rc = hoya_sleep(kShort);
        made_ += 1; /* those that were cancelled, too: how many had begun */
        return rc < 0 ? rc : hoya_task_set_value(task, ledger.NewParcel(), Ledger::Destroy);
    }

    int made_ = 0;
    bool done_ = false;
};

/* ---- a server that says when it is ready, and fails in the end
 * --------------------------------------------------- */

class Servers : public Groups
{
  public:
    using Groups::Groups;

    int Main(hoya_task *) override
    {
        hoya_group *group = Enter(HOYA_GROUP_FAIL_FAST);
        void *value = nullptr;
        hoya_destroy destroy = nullptr;
        int rc = Start(
            group, "server", [this](hoya_task *self) { return Serve(self); }, &value, &destroy);
        EXPECT_LE(rc, 0);
        if (rc == 0) {
            Ledger::Receive(value, destroy);
            received_++;
            rc = hoya_group_join(group); /* until the server fails */
        }
        rc = Leave(group, rc);
        EXPECT_EQ(running, 0);
        return rc == HOYA_EPIPE ? 0 : rc;
    }
    bool Whole() override { return received_ == 1; }
    void Check() override { EXPECT_EQ(received_, made_) << "who was ready is believed"; }

  private:
    int Serve(hoya_task *self)
    {
        int rc = hoya_sleep(kShort);
        if (rc < 0) return rc;
        made_++;
        EXPECT_EQ(hoya_task_started(self, ledger.NewParcel(), Ledger::Destroy), 1);
        rc = hoya_sleep(kShort);
        return rc < 0 ? rc : hoya_error_set(HOYA_EPIPE, "the server fell");
    }

    int made_ = 0, received_ = 0;
};

/* ---- a race
 * ------------------------------------------------------------------------------------------------------- */

class Race : public Groups
{
  public:
    using Groups::Groups;

    int Main(hoya_task *) override
    {
        hoya_group *group = Enter(HOYA_GROUP_RACE);
        int rc = Add(group, "slow", [this](hoya_task *self) { return Go(self, 50 * kShort); });
        if (rc == 0) rc = Add(group, "fallen", [](hoya_task *) { return hoya_error_set(HOYA_EIO, "fell"); });
        if (rc == 0) rc = Add(group, "quick", [this](hoya_task *self) { return Go(self, kShort); });
        int end = hoya_group_join(group);
        EXPECT_EQ(running, 0);
        hoya_task *winner = hoya_group_winner(group);
        if (winner) {
            Future value(hoya_future_ref(hoya_task_future(winner)));
            Ledger::ReceiveFrom(value);
            won_++;
            EXPECT_EQ(end, 0);
        }
        EXPECT_LE(hoya_group_leave(group), 0);
        if (end == HOYA_EIO) rc = hoya_sleep(0); /* nobody could win: whose fault was it? */
        return end == HOYA_EIO ? rc : end;
    }
    bool Whole() override { return won_ == 1; }
    void Check() override { EXPECT_EQ(won_, arrived_ > 0); }

  private:
    int Go(hoya_task *self, int64_t time)
    {
        int rc = hoya_sleep(time);
        if (rc < 0) return rc;
        arrived_++;
        return hoya_task_set_value(self, ledger.NewParcel(), Ledger::Destroy);
    }

    int arrived_ = 0, won_ = 0;
};

} // namespace

// Holds: S64 S65 S66
TEST_P(CancelPoints, AGroupInAGroupIsLeftAfterItsChildren)
{
    Sweep<Producers>();
}

// Holds: S64 S65
TEST_P(CancelPoints, AServerThatWasReadyIsBelieved)
{
    Sweep<Servers>();
}

TEST_P(CancelPoints, WhoWinsARaceIsBelieved)
{
    Sweep<Race>();
}

} // namespace hoya_test
