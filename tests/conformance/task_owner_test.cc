/* SPDX-License-Identifier: MIT
 *
 * conformance/task_owner_test.cc: tasks that own tasks: the children end with their owner, and before it.
 */
#include "task_owner.h"

namespace hoya_test
{

INSTANTIATE_TEST_SUITE_P(Hosts, TaskOwner, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- the end --------------------------------------------------------------------------------------------- */

TEST_P(TaskOwner, TheChildrenOfATaskThatReturnsAreCancelledAndEndBeforeIt)
{
    Task first, second;
    Task owner = Create(
        [&](hoya_task *self) {
            first = CreateChild(self, Sleeper("first returns"));
            second = CreateChild(self, Sleeper("second returns"));
            NoteEnd(first, "first is done");
            NoteEnd(second, "second is done");
            EXPECT_EQ(hoya_sleep(0), 0);
            Note("owner returns");
            return 7;
        },
        "the owner");
    NoteEnd(owner, "owner is done");
    RunUntilDone({Of(owner)});
    EXPECT_EQ(trace, (Trace{"owner returns", "first returns", "second returns", "first is done", "second is done",
                            "owner is done"}));
    EXPECT_EQ(Result(owner), 0);
    EXPECT_EQ(Result(first), HOYA_ECANCELED);
    EXPECT_STREQ(hoya_error_detail(), "its owner the owner has ended");
    EXPECT_EQ(Result(second), HOYA_ECANCELED);
}

TEST_P(TaskOwner, AnOwnerWhoseChildrenHaveEndedWaitsForNobody)
{
    Task owner = Create([&](hoya_task *self) {
        Task child = CreateChild(self, [](hoya_task *) { return 0; });
        EXPECT_EQ(hoya_await(Of(child), nullptr), 0) << "an owner may wait for its child";
        CallSoon([&] { Note(Done(owner) ? "done at once" : "waits"); });
        return 0;
    });
    RunUntilDone({Of(owner)});
    EXPECT_EQ(trace, Trace{"done at once"});
}

TEST_P(TaskOwner, ATaskWithoutAnOwnerOutlivesItsMaker)
{
    Future end = NewFuture();
    Task child;
    Task maker = Create([&](hoya_task *) {
        child = Create([&](hoya_task *) { return hoya_await(end.get(), nullptr); });
        EXPECT_EQ(hoya_sleep(0), 0);
        return 0;
    });
    RunUntilDone({Of(maker)});
    EXPECT_FALSE(Done(child));
    EXPECT_EQ(hoya_future_set_result(end.get(), nullptr, nullptr), 0);
    RunUntilDone({Of(child)});
    EXPECT_EQ(Result(child), 0);
}

TEST_P(TaskOwner, AChildThatHasNotBegunNeverDoes)
{
    auto value = std::make_shared<int>(0);
    Task child;
    Task owner = Create([&](hoya_task *self) {
        child = CreateChild(self, [this, value](hoya_task *) { return Note("ran"), 0; });
        return 0;
    });
    RunUntilDone({Of(owner)});
    EXPECT_EQ(trace, Trace{});
    EXPECT_EQ(Result(child), HOYA_ECANCELED);
    EXPECT_EQ(value.use_count(), 1);
}

TEST_P(TaskOwner, AChildThatRefusesIsWaitedForAndCancelledOnce)
{
    Task child;
    Task owner = Create([&](hoya_task *self) {
        child = CreateChild(self, [this](hoya_task *me) {
            EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
            EXPECT_EQ(hoya_task_uncancel(me), 0);
            EXPECT_EQ(hoya_sleep(HOYA_MSEC(3)), 0) << "nobody asks again";
            Note("child returns");
            return 0;
        });
        EXPECT_EQ(hoya_sleep(0), 0);
        Note("owner returns");
        return 0;
    });
    NoteEnd(owner, "owner is done");
    RunUntilDone({Of(owner)});
    EXPECT_EQ(trace, (Trace{"owner returns", "child returns", "owner is done"}));
    EXPECT_EQ(Result(child), 0);
}

TEST_P(TaskOwner, ChildrenThatAreMadeAfterOthersWereAskedAreAskedAsWell)
{
    Future end = NewFuture();
    Task owner = Create([&](hoya_task *self) {
        hoya_group *group = nullptr;
        auto refuses = [&](hoya_task *) {
            EXPECT_EQ(hoya_shield_enter(), 0);
            int rc = hoya_wait_done(end.get());
            Note("the first ends");
            return rc;
        };
        EXPECT_EQ(hoya_group_enter(nullptr, &group), 0);
        for (int i = 0; i < 2; i++) {
            auto work = new TaskWork(refuses);
            hoya_task_options options = {};
            options.size = sizeof options;
            options.destroy = DestroyWork;
            EXPECT_EQ(hoya_group_create_task(group, RunWork, work, &options, nullptr), 0);
        }
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_group_cancel(group, nullptr), 1);
        CreateChild(self, Sleeper("second"));
        CreateChild(self, Sleeper("third"));
        EXPECT_EQ(hoya_shield_enter(), 0);
        EXPECT_EQ(hoya_sleep(0), 0);
        return 0;
    });
    RunUntilNoted(2);
    EXPECT_EQ(trace, (Trace{"second", "third"}));
    EXPECT_FALSE(Done(owner));
    EXPECT_EQ(hoya_future_set_result(end.get(), nullptr, nullptr), 0);
    RunUntilDone({Of(owner)});
    EXPECT_EQ(Result(owner), 0);
}

TEST_P(TaskOwner, AChildThatEndsAfterItWasAskedMakesRoomForLaterOnes)
{
    Future end = NewFuture();
    Task owner = Create([&](hoya_task *self) {
        hoya_group *group = nullptr;
        auto add = [&](TaskWork work) {
            hoya_task_options options = {};
            options.size = sizeof options;
            options.destroy = DestroyWork;
            EXPECT_EQ(hoya_group_create_task(group, RunWork, new TaskWork(std::move(work)), &options, nullptr), 0);
        };
        EXPECT_EQ(hoya_group_enter(nullptr, &group), 0);
        add(Sleeper("first"));
        add([&](hoya_task *) {
            EXPECT_EQ(hoya_shield_enter(), 0);
            return hoya_wait_done(end.get());
        });
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_group_cancel(group, nullptr), 1);
        EXPECT_EQ(hoya_shield_enter(), 0);
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(trace, Trace{"first"});
        CreateChild(self, Sleeper("third"));
        EXPECT_EQ(hoya_sleep(0), 0);
        return 0;
    });
    RunUntilNoted(2);
    EXPECT_EQ(trace, (Trace{"first", "third"}));
    EXPECT_EQ(hoya_future_set_result(end.get(), nullptr, nullptr), 0);
    RunUntilDone({Of(owner)});
}

TEST_P(TaskOwner, ChildrenOfChildrenEndInsideOut)
{
    Task owner = Create([&](hoya_task *self) {
        Task child = CreateChild(self, [&](hoya_task *me) {
            Task grandchild = CreateChild(me, Sleeper("grandchild returns"));
            NoteEnd(grandchild, "grandchild is done");
            int rc = hoya_sleep(HOYA_SEC(60));
            Note("child returns");
            return rc;
        });
        NoteEnd(child, "child is done");
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_sleep(0), 0);
        Note("owner returns");
        return 0;
    });
    NoteEnd(owner, "owner is done");
    RunUntilDone({Of(owner)});
    EXPECT_EQ(trace, (Trace{"owner returns", "child returns", "grandchild returns", "grandchild is done",
                            "child is done", "owner is done"}));
}

TEST_P(TaskOwner, AChildMayUseTheArgumentOfItsOwner)
{
    auto value = std::make_shared<int>(42);
    std::weak_ptr<int> seen = value;
    Task owner = Create([this, value, seen](hoya_task *self) {
        CreateChild(self, [this, seen](hoya_task *) {
            EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
            Note(seen.expired() ? "destroyed" : "there");
            return 0;
        });
        return hoya_sleep(0);
    });
    value.reset();
    RunUntilDone({Of(owner)});
    EXPECT_EQ(trace, Trace{"there"});
    EXPECT_TRUE(seen.expired());
}

/* Each child's argument, when it is destroyed, cancels the one after the next; none has started. */
TEST_P(TaskOwner, ChildrenThatEndEachOtherAreAllEnded)
{
    struct Canceller {
        hoya_task *other = nullptr;
        ~Canceller()
        {
            if (other) hoya_task_cancel(other, nullptr);
            hoya_task_unref(other);
        }
    };
    std::vector<Task> children;
    Task owner = Create([&](hoya_task *self) {
        std::vector<std::shared_ptr<Canceller>> cancellers;
        for (int i = 0; i < 6; i++) {
            auto canceller = std::make_shared<Canceller>();
            cancellers.push_back(canceller);
            children.push_back(CreateChild(self, [canceller](hoya_task *) { return 0; }));
        }
        for (size_t i = 0; i + 2 < children.size(); i++)
            cancellers[i]->other = hoya_task_ref(children[i + 2].get());
        return 0;
    });
    RunUntilDone({Of(owner)});
    for (const Task &child : children) EXPECT_EQ(Result(child), HOYA_ECANCELED);
}

/* ---- the outcome ----------------------------------------------------------------------------------------- */

TEST_P(TaskOwner, AFailureOfAChildIsReportedAndChangesNothingForItsOwner)
{
    Task sibling;
    Task owner = Create([&](hoya_task *self) {
        CreateChild(
            self, [](hoya_task *) { return hoya_error_set(HOYA_EPIPE, "the pipe"); }, "the child");
        sibling = CreateChild(self, [](hoya_task *) { return hoya_sleep(HOYA_MSEC(1)); });
        EXPECT_EQ(hoya_await(Of(sibling), nullptr), 0) << "a group would cancel it";
        return 0;
    });
    RunUntilDone({Of(owner)});
    EXPECT_TRUE(Logged("nobody looked at the error of the child: HOYA_EPIPE: the pipe"));
    EXPECT_EQ(LogLines(), 1u);
    EXPECT_EQ(Result(owner), 0);
}

TEST_P(TaskOwner, AnOwnerKeepsTheFailureAndTheTextThatItReturned)
{
    Task owner = Create([&](hoya_task *self) {
        CreateChild(self, [](hoya_task *) {
            EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
            hoya_error_set(HOYA_EPIPE, "the child's");
            return 0;
        });
        EXPECT_EQ(hoya_sleep(0), 0);
        return hoya_error_set(HOYA_EPIPE, "the owner's");
    });
    RunUntilDone({Of(owner)});
    EXPECT_EQ(Result(owner), HOYA_EPIPE);
    EXPECT_STREQ(hoya_error_detail(), "the owner's");
}

TEST_P(TaskOwner, AnOwnerThatIsCancelledWhileItWaitsGoesOnWaiting)
{
    Future end = NewFuture();
    int answer = 42;
    Task owner = Create([&](hoya_task *self) {
        CreateChild(self, [&](hoya_task *) {
            EXPECT_EQ(hoya_shield_enter(), 0);
            EXPECT_EQ(hoya_wait_done(end.get()), 0);
            EXPECT_EQ(hoya_shield_leave(), 0);
            return 0;
        });
        EXPECT_EQ(hoya_sleep(0), 0);
        return hoya_task_set_value(self, &answer, nullptr);
    });
    RunRounds(4);
    EXPECT_EQ(hoya_task_cancel(owner.get(), nullptr), 1) << "it has not ended";
    RunRounds(3);
    EXPECT_FALSE(Done(owner));
    EXPECT_EQ(hoya_future_set_result(end.get(), nullptr, nullptr), 0);
    RunUntilDone({Of(owner)});
    void *value = nullptr;
    EXPECT_EQ(Result(owner, &value), 0) << "its outcome was settled";
    EXPECT_EQ(value, &answer);
}

TEST_P(TaskOwner, TheTimeoutsOfAnOwnerAreOverWhenItWaits)
{
    Task owner = Create([&](hoya_task *self) {
        hoya_timeout *timeout = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_SEC(60), &timeout), 0);
        EXPECT_EQ(hoya_timeout_enter(HOYA_NOW, &timeout), 0);
        CreateChild(self, [&](hoya_task *) {
            EXPECT_EQ(hoya_shield_enter(), 0);
            EXPECT_EQ(hoya_sleep(0), 0);
            EXPECT_EQ(Stats().timers, 0u);
            Note("child");
            return 0;
        });
        EXPECT_EQ(hoya_sleep(0), HOYA_EDEADLINE);
        EXPECT_EQ(hoya_shield_enter(), 0);
        EXPECT_EQ(hoya_sleep(0), 0);
        return 0;
    });
    RunUntilDone({Of(owner)});
    EXPECT_EQ(trace, Trace{"child"});
    EXPECT_EQ(Result(owner), 0);
}

/* The destroy function of a child that never began runs in the owner, whose value is settled by then. */
TEST_P(TaskOwner, AnOwnerWhoseFunctionHasReturnedSetsNoValue)
{
    struct Late {
        hoya_task *owner;
        int *rc;
        ~Late() { *rc = hoya_task_set_value(owner, nullptr, nullptr); }
    };
    Probe value;
    int rc = 0;
    Task owner = Create([&](hoya_task *self) {
        std::shared_ptr<Late> late(new Late{self, &rc});
        CreateChild(self, [late](hoya_task *) { return 0; });
        return hoya_task_set_value(self, &value, Probe::Destroy);
    });
    RunUntilDone({Of(owner)});
    EXPECT_EQ(rc, HOYA_ESTATE);
    EXPECT_EQ(value.destroyed, 0);
    void *result = nullptr;
    EXPECT_EQ(Result(owner, &result), 0);
    EXPECT_EQ(result, &value);
    owner.reset();
    EXPECT_EQ(value.destroyed, 1);
}

/* ---- before the first step ------------------------------------------------------------------------------- */

TEST_P(TaskOwner, AnOwnerThatIsCancelledBeforeItsFirstStepNeverRunsAndEndsItsChildren)
{
    auto value = std::make_shared<int>(0);
    Task owner = Create([this, value](hoya_task *) { return Note("owner ran"), 0; });
    Task child = CreateChild(owner.get(), [this](hoya_task *) { return Note("child ran"), 0; });
    NoteEnd(child, "child is done");
    NoteEnd(owner, "owner is done");
    EXPECT_EQ(hoya_task_cancel(owner.get(), "no need"), 1);
    EXPECT_EQ(hoya_task_cancel(owner.get(), "once more"), 1) << "it waits for its child";
    EXPECT_EQ(hoya_task_uncancel(owner.get()), 1);
    EXPECT_EQ(hoya_task_uncancel(owner.get()), 0) << "too late";
    EXPECT_EQ(Refused(loop, owner.get()), HOYA_ESTATE);
    EXPECT_FALSE(Done(owner));
    RunUntilDone({Of(owner)});
    EXPECT_EQ(trace, (Trace{"child is done", "owner is done"}));
    EXPECT_EQ(value.use_count(), 1);
    EXPECT_EQ(Result(owner), HOYA_ECANCELED);
    EXPECT_STREQ(hoya_error_detail(), "no need");
    EXPECT_EQ(Result(child), HOYA_ECANCELED);
}

/* ---- dialogs --------------------------------------------------------------------------------------------- */

TEST_P(NestingTaskConformance, AnOwnerThatReturnsInADialogWaitsForItsChildrenInIt)
{
    Task owner = Create([&](hoya_task *self) {
        CreateChild(self, [this](hoya_task *) {
            EXPECT_EQ(hoya_shield_enter(), 0);
            EXPECT_EQ(hoya_sleep(HOYA_MSEC(2)), 0);
            Note("child returns");
            return 0;
        });
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        Note("owner returns");
        return 0;
    });
    Task dialog = Create([&](hoya_task *) {
        EXPECT_TRUE(host->RunNestedUntil([&] { return Done(owner); }));
        EXPECT_EQ(trace, (Trace{"owner returns", "child returns"}));
        return 0;
    });
    RunUntilDone({Of(dialog)});
}

TEST_P(NestingTaskConformance, AnOwnerMayReturnWhileItsChildRunsADialog)
{
    bool returned = false;
    Task owner = Create([&](hoya_task *self) {
        CreateChild(self, [&](hoya_task *me) {
            EXPECT_TRUE(host->RunNestedUntil([&] { return returned && hoya_task_cancelling(me); }));
            Note("dialog closed");
            return hoya_sleep(0);
        });
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        returned = true;
        return 0;
    });
    RunUntilDone({Of(owner)});
    EXPECT_EQ(trace, Trace{"dialog closed"});
}

} // namespace hoya_test
