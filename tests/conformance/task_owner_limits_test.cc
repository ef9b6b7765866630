/* SPDX-License-Identifier: MIT
 *
 * conformance/task_owner_limits_test.cc: who may own and wait for whom, and owners at their loop's end.
 */
#include "task_owner.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace hoya_test
{

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

} // namespace hoya_test
