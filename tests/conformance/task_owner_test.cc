/* SPDX-License-Identifier: MIT
 *
 * conformance/task_owner_test.cc: tasks that own tasks: the children end with their owner, and before it.
 */
#include "tasks.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace hoya_test
{

class TaskOwner : public TaskConformance
{
  protected:
    /* Sleeps until somebody ends it, and says so. */
    TaskWork Sleeper(const char *word)
    {
        return [this, word](hoya_task *) {
            int rc = hoya_sleep(HOYA_SEC(60));
            Note(word);
            return rc;
        };
    }
    void NoteEnd(const Task &task, const char *word)
    {
        auto note = new Work(Say(word));
        EXPECT_EQ(hoya_future_add_done_callback(
                      Of(task), [](hoya_future *, void *arg) { (*static_cast<Work *>(arg))(); }, note,
                      Lambda::Destroy, nullptr),
                  0);
    }
    std::string Dump()
    {
        std::string text;
        auto line = [](const char *words, void *arg) {
            *static_cast<std::string *>(arg) += std::string(words) + "\n";
        };
        EXPECT_EQ(hoya_loop_dump(loop, line, &text), 0) << hoya_error_detail();
        return text;
    }
    /* What creating a task with this owner answers; its argument is destroyed whatever that is. */
    int Refused(hoya_loop *of, hoya_task *owner)
    {
        Probe probe;
        hoya_task_options options = {};
        options.size = sizeof options;
        options.destroy = Probe::Destroy;
        options.owner = owner;
        hoya_task *untouched = nullptr;
        int rc = hoya_create_task(
            of, [](hoya_task *, void *) { return 0; }, &probe, &options, &untouched);
        EXPECT_EQ(probe.destroyed, 1);
        EXPECT_EQ(untouched, nullptr);
        return rc;
    }
};

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

/* ---- circles --------------------------------------------------------------------------------------------- */

TEST_P(TaskOwner, AChildCannotWaitForItsOwnerNorForThoseAbove)
{
    Task owner;
    owner = Create([&](hoya_task *self) {
        Task child = CreateChild(self, [&](hoya_task *me) {
            EXPECT_EQ(hoya_await(Of(owner), nullptr), HOYA_EDEADLK);
            Task grandchild = CreateChild(me, [&](hoya_task *) {
                EXPECT_EQ(hoya_await(Of(owner), nullptr), HOYA_EDEADLK);
                EXPECT_EQ(hoya_wait_done(Of(owner)), HOYA_EDEADLK);
                return 0;
            });
            return hoya_await(Of(grandchild), nullptr);
        });
        while (!Done(child))
            EXPECT_EQ(hoya_sleep(0), 0); /* no wait for the child, by which it would be noticed, too */
        Task sibling = CreateChild(self, Sleeper("sibling"));
        Task waits = CreateChild(self, [&](hoya_task *) { return hoya_wait_done(Of(sibling)); });
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_task_cancel(sibling.get(), nullptr), 1);
        EXPECT_EQ(hoya_await(Of(waits), nullptr), 0) << "for a sibling it can";
        return 0;
    });
    RunUntilDone({Of(owner)});
}

TEST_P(TaskOwner, AChildCannotWaitForATaskThatWaitsForItsOwner)
{
    Task owner, between;
    owner = Create([&](hoya_task *self) {
        CreateChild(self, [&](hoya_task *) {
            EXPECT_EQ(hoya_await(Of(between), nullptr), HOYA_EDEADLK);
            Note("told");
            return 0;
        });
        return hoya_sleep(0);
    });
    between = Create([&](hoya_task *) { return hoya_await(Of(owner), nullptr); });
    RunUntilDone({Of(between)});
    EXPECT_EQ(trace, Trace{"told"});
}

TEST_P(TaskOwner, AChildMayCancelItsOwner)
{
    Task owner = Create([&](hoya_task *self) {
        Task child = CreateChild(self, [self](hoya_task *) {
            EXPECT_EQ(hoya_task_cancel(self, "the child wants it"), 1);
            return hoya_sleep(HOYA_SEC(60));
        });
        return hoya_await(Of(child), nullptr);
    });
    RunUntilDone({Of(owner)});
    EXPECT_EQ(Result(owner), HOYA_ECANCELED);
}

/* ---- who may own whom ------------------------------------------------------------------------------------ */

TEST_P(TaskOwner, AnOwnerMustBeATaskOfTheSameLoopThatHasNotEnded)
{
    hoya_loop *other = NewSibling();
    hoya_task *foreign = nullptr;
    auto nothing = [](hoya_task *, void *) { return 0; };
    ASSERT_EQ(hoya_create_task(other, nothing, nullptr, nullptr, &foreign), 0);
    EXPECT_EQ(Refused(loop, foreign), HOYA_EINVAL);
    hoya_task_unref(foreign);
    Release(other);

    Task ended = Create([](hoya_task *) { return 0; });
    RunUntilDone({Of(ended)});
    EXPECT_EQ(Refused(loop, ended.get()), HOYA_ESTATE);
    ended = Create([](hoya_task *) { return 0; });
    EXPECT_EQ(hoya_task_cancel(ended.get(), nullptr), 1);
    EXPECT_EQ(Refused(loop, ended.get()), HOYA_ESTATE);
    EXPECT_EQ(hoya_all_tasks(loop, nullptr, nullptr), 0);
}

TEST_P(TaskOwner, AnOwnerWhoseFunctionHasReturnedTakesNoChildren)
{
    Task owner = Create([&](hoya_task *self) {
        CreateChild(self, [this, self](hoya_task *) {
            EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
            EXPECT_EQ(Refused(loop, self), HOYA_ESTATE);
            Note("asked");
            return 0;
        });
        EXPECT_EQ(hoya_sleep(0), 0);
        return 0;
    });
    RunUntilDone({Of(owner)});
    EXPECT_EQ(trace, Trace{"asked"});
}

TEST_P(TaskOwner, AnotherThreadsTaskHasNoOwner)
{
    Task owner = Create([](hoya_task *) { return 0; });
    Probe probe;
    hoya_task_options options = {};
    options.size = sizeof options;
    options.destroy = Probe::Destroy;
    options.owner = owner.get();
    auto nothing = [](hoya_task *, void *) { return 0; };
    hoya_thread_future *untouched = nullptr;
    EXPECT_EQ(hoya_create_task_threadsafe(loop, nothing, &probe, &options, &untouched), HOYA_EINVAL);
    EXPECT_EQ(probe.destroyed, 1);
    EXPECT_EQ(untouched, nullptr);
    RunUntilDone({Of(owner)});
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

/* ---- the loop's end -------------------------------------------------------------------------------------- */

TEST_P(TaskOwner, ALoopThatIsClosedEndsOwnersThatWaitAndTheirChildren)
{
    Task child, grandchild;
    Task owner = Create([&](hoya_task *self) {
        child = CreateChild(self, [&](hoya_task *me) {
            grandchild = CreateChild(me, [&](hoya_task *) {
                EXPECT_EQ(hoya_shield_enter(), 0);
                return hoya_sleep(HOYA_SEC(60));
            });
            EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
            return HOYA_EPIPE;
        });
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_sleep(0), 0);
        return 0;
    });
    RunRounds(6);
    EXPECT_FALSE(Done(owner));
    EXPECT_FALSE(Done(child));
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(Result(owner), 0) << "it had its outcome";
    EXPECT_EQ(Result(child), HOYA_EPIPE);
    EXPECT_EQ(Result(grandchild), HOYA_ECANCELED);
}

TEST_P(TaskOwner, ALoopThatIsClosedWaitsForNoChildren)
{
    Task owner = Create([&](hoya_task *self) {
        CreateChild(self, Sleeper("child returns"));
        int rc = hoya_sleep(HOYA_SEC(60));
        Note("owner returns");
        return rc;
    });
    RunRounds(3);
    Task unstarted = Create([](hoya_task *) { return 0; });
    CreateChild(unstarted.get(), [](hoya_task *) { return 0; });
    Task left_out = Create([](hoya_task *) { return 0; });
    CreateChild(left_out.get(), [](hoya_task *) { return 0; });
    EXPECT_EQ(hoya_task_cancel(left_out.get(), nullptr), 1);
    NoteEnd(owner, "callbacks of a closed loop are dropped");
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(trace, (Trace{"owner returns", "child returns"})) << "the oldest first";
    for (const Task &task : {std::cref(owner), std::cref(unstarted), std::cref(left_out)})
        EXPECT_EQ(Result(task), HOYA_ECANCELED);
}

// Holds: S56
TEST_P(TaskOwner, InAForkedChildALoopIsClosedWithAnOwnerThatWaits)
{
    Future end = NewFuture();
    Task owner = Create([&](hoya_task *self) {
        CreateChild(self, [&](hoya_task *) {
            EXPECT_EQ(hoya_shield_enter(), 0);
            return hoya_wait_done(end.get());
        });
        return hoya_sleep(0);
    });
    RunRounds(4);
    EXPECT_EQ(InChild([&] {
                  EXPECT_EQ(hoya_loop_close(loop), 0);
                  EXPECT_EQ(hoya_all_tasks(loop, nullptr, nullptr), 0);
              }),
              0);
    EXPECT_FALSE(Done(owner));
    EXPECT_EQ(hoya_future_set_result(end.get(), nullptr, nullptr), 0);
    RunUntilDone({Of(owner)});
    EXPECT_EQ(Result(owner), 0) << "the parent's goes on";
}

// Holds: S56
TEST_P(TaskOwner, AnOwnerThatReturnsInAForkedChildAsksItsChildrenToEndThere)
{
    bool forked = false;
    int status = -1;
    Task owner = Create([&](hoya_task *self) {
        CreateChild(self, Sleeper("the child ends"));
        EXPECT_EQ(hoya_sleep(0), 0);
        fflush(stdout);
        pid_t child = fork();
        forked = child == 0;
        if (forked) alarm(10);
        while (!forked && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
        return 0; /* in both */
    });
    for (int i = 0; !forked && !Done(owner) && i < 1000; i++) hoya_loop_run_once(loop, HOYA_MSEC(10));
    if (forked) {
        if (host) host->AfterFork();
        EXPECT_FALSE(Done(owner));
        EXPECT_EQ(hoya_loop_after_fork(loop), 0) << hoya_error_detail();
        RunUntilDone({Of(owner)});
        EXPECT_EQ(trace, Trace{"the child ends"});
        fflush(stdout);
        _exit(HasFailure() ? 1 : 0);
    }
    EXPECT_EQ(status, 0);
    EXPECT_EQ(trace, Trace{"the child ends"});
}

TEST_P(TaskOwner, InADumpAnOwnerWaitsForItsChildrenAndAChildNamesItsOwner)
{
    Future end = NewFuture();
    Task owner = Create(
        [&](hoya_task *self) {
            CreateChild(
                self,
                [&](hoya_task *) {
                    EXPECT_EQ(hoya_shield_enter(), 0);
                    return hoya_wait_done(end.get());
                },
                "the child");
            EXPECT_EQ(hoya_sleep(0), 0);
            return 0;
        },
        "the owner");
    RunRounds(4);
    std::string text = Dump();
    EXPECT_NE(text.find("    the owner: waits for its children\n"), std::string::npos) << text;
    EXPECT_NE(text.find("      its owner is the owner\n      cancelled 1 times: its owner the owner has ended\n"),
              std::string::npos)
        << text;
    EXPECT_EQ(hoya_future_set_result(end.get(), nullptr, nullptr), 0);
    RunUntilDone({Of(owner)});
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
