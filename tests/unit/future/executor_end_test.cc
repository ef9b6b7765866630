/* SPDX-License-Identifier: MIT
 *
 * unit/future/executor_end_test.cc: how executors end: in a shutdown, with the last reference, in a fork; and what
 * races with that.
 */
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "unit/failing_allocator.h"
#include "unit/future/cargo.h"

namespace hoya_test
{

namespace
{

int64_t LiveBlocks()
{
    hoya_live_counts counts = {};
    counts.size = sizeof counts;
    hoya_get_live_counts(&counts);
    return counts.blocks;
}

/* In a process of its own: threads that end by themselves, and that nobody can wait for. */
void InChild(const std::function<void()> &work)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        work();
        fflush(stdout);
        _exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

} // namespace

/* ---- the end --------------------------------------------------------------------------------------------- */

// Holds: S15
TEST(Executor, AfterAShutdownEverythingQueuedHasRunAndNothingNewIsTaken)
{
    Executor pool = NewPool(2);
    Cargo cargo;
    for (int i = 0; i < 100; i++)
        EXPECT_EQ(hoya_executor_submit(pool.get(), Cargo::Run, &cargo, Cargo::Destroy, nullptr), 0);
    Finish(pool);
    EXPECT_EQ(cargo.ran, 100);
    EXPECT_EQ(hoya_executor_submit(pool.get(), Cargo::Run, &cargo, Cargo::Destroy, nullptr), HOYA_ECLOSED);
    EXPECT_EQ(cargo.ran, 100);
    EXPECT_EQ(cargo.destroyed, 101);
    Finish(pool);
}

TEST(Executor, AfterAShutdownTheLastUnrefWaitsForTheThreads)
{
    int64_t before = LiveBlocks();
    for (int i = 0; i < 2000; i++) {
        Executor pool = NewPool(1);
        ThreadFuture job = Submit(pool, [](hoya_job *) { return 0; });
        if (i % 2) EXPECT_EQ(ResultOf(job), 0);
        job.reset();
        /* Asks for the lock again and again: the thread has it when the last job ends, and gives it to us. */
        while (hoya_executor_shutdown(pool.get(), HOYA_NOW, 0) == HOYA_ETIMEDOUT) continue;
        pool.reset();
        ASSERT_EQ(LiveBlocks(), before) << i;
    }
}

TEST(Executor, AShutdownGivesUpWhenItsTimeIsUpAndTheJobsGoOn)
{
    Executor pool = NewPool(1);
    Door door;
    ThreadFuture running = Submit(pool, [&](hoya_job *) { return door.Pass(), 0; });
    ThreadFuture queued = Submit(pool, [](hoya_job *) { return 0; });
    door.Await(1);
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NOW, 0), HOYA_ETIMEDOUT);
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_MSEC(1), 0), HOYA_ETIMEDOUT);
    Submit(
        pool, [](hoya_job *) { return 0; }, HOYA_ECLOSED);
    door.Open();
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NEVER, 0), 0);
    EXPECT_EQ(hoya_thread_future_result(running.get(), HOYA_NOW, nullptr), 0);
    EXPECT_EQ(hoya_thread_future_result(queued.get(), HOYA_NOW, nullptr), 0);
}

TEST(Executor, AShutdownMayCancelWhatHasNotBegun)
{
    Executor pool = NewPool(1);
    Door door;
    Cargo cargo;
    ThreadFuture running = Submit(pool, [&](hoya_job *self) { return door.Pass(), hoya_job_cancelled(self); });
    door.Await(1);
    std::vector<ThreadFuture> queued;
    for (int i = 0; i < 3; i++) {
        hoya_thread_future *raw = nullptr;
        EXPECT_EQ(hoya_executor_submit(pool.get(), Cargo::Run, &cargo, Cargo::Destroy, &raw), 0);
        queued.emplace_back(raw);
    }
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NOW, 1), HOYA_ETIMEDOUT);
    for (const ThreadFuture &future : queued) EXPECT_EQ(hoya_thread_future_cancelled(future.get()), 1);
    EXPECT_EQ(cargo.destroyed, 3);
    door.Open();
    EXPECT_EQ(ResultOf(running), 0) << "its token is not touched";
    Finish(pool);
    EXPECT_EQ(cargo.ran, 0);
}

TEST(Executor, AJobDoesNotWaitForItsOwnEnd)
{
    Executor pool = NewPool(1);
    ThreadFuture future =
        Submit(pool, [&](hoya_job *) { return hoya_executor_shutdown(pool.get(), HOYA_NEVER, 0); });
    EXPECT_EQ(ResultOf(future), HOYA_EDEADLK);
    Finish(pool);
}

TEST(Executor, NorDoesAJobOfAnotherExecutorInsideIt)
{
    InlineExecutor threads;
    Executor pool = NewPool(1), inner = threads.New();
    int in_the_job = 0, after_it = 0;
    ThreadFuture future = Submit(pool, [&](hoya_job *) {
        Submit(inner, [&](hoya_job *) {
            in_the_job = hoya_executor_shutdown(pool.get(), HOYA_SEC(20), 0);
            return 0;
        });
        after_it = hoya_executor_shutdown(inner.get(), HOYA_SEC(20), 0);
        return hoya_executor_shutdown(pool.get(), HOYA_SEC(20), 0);
    });
    EXPECT_EQ(ResultOf(future), HOYA_EDEADLK);
    EXPECT_EQ(in_the_job, HOYA_EDEADLK);
    EXPECT_EQ(after_it, 0) << "no job of that one is below any more";
    Finish(pool);
}

TEST(Executor, TheLastUnrefLetsWhatIsQueuedRun)
{
    InChild([] {
        int64_t before = LiveBlocks();
        Executor pool = NewPool(1);
        Door door;
        ThreadFuture first = Submit(pool, [&](hoya_job *) { return door.Pass(), 0; });
        ThreadFuture last = Submit(pool, [](hoya_job *) { return 0; });
        door.Await(1);
        pool.reset();
        door.Open();
        EXPECT_EQ(ResultOf(last), 0);
        first.reset();
        last.reset();
        while (LiveBlocks() != before) std::this_thread::yield();
    });
}

TEST(Executor, AJobMayDropTheLastReference)
{
    for (int threads : {1, 4}) {
        InChild([threads] {
            int64_t before = LiveBlocks();
            hoya_executor *pool = NewPool(threads).release();
            Door door;
            auto drop = [](hoya_job *, void *arg) {
                return hoya_executor_unref(static_cast<hoya_executor *>(arg)), 0;
            };
            auto pass = [](hoya_job *, void *arg) { return static_cast<Door *>(arg)->Pass(), 0; };
            for (int i = 1; i < threads; i++)
                EXPECT_EQ(hoya_executor_submit(pool, pass, &door, nullptr, nullptr), 0);
            door.Await(threads - 1);
            EXPECT_EQ(hoya_executor_submit(pool, drop, pool, nullptr, nullptr), 0);
            door.Open();
            while (LiveBlocks() != before) std::this_thread::yield();
        });
    }
}

TEST(Executor, TheEndNeedsNoMemory)
{
    FailingAllocator memory;
    Executor pool = NewPool(1);
    Door door;
    ThreadFuture running = Submit(pool, [&](hoya_job *) { return door.Pass(), 0; });
    ThreadFuture failing = Submit(pool, [](hoya_job *) { return hoya_error_set(HOYA_EPIPE, "gone"); });
    ThreadFuture cancelled = Submit(pool, [](hoya_job *) { return 0; });
    ThreadFuture dropped = Submit(pool, [](hoya_job *) { return 0; });
    door.Await(1);
    memory.fail = true;
    EXPECT_EQ(hoya_thread_future_cancel(cancelled.get(), nullptr), 1);
    door.Open();
    EXPECT_EQ(ResultOf(running), 0);
    EXPECT_EQ(ResultOf(failing), HOYA_EPIPE);
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NEVER, 1), 0);
    EXPECT_EQ(hoya_thread_future_done(dropped.get()), 1);
    pool.reset();
    memory.fail = false;
}

/* ---- races ----------------------------------------------------------------------------------------------- */

TEST(Executor, SubmittingWhileItIsShutDownIsRefusedOrRuns)
{
    for (int turn = 0; turn < 20; turn++) {
        Executor pool = NewPool(3);
        Cargo cargo;
        std::atomic<int> accepted{0}, tried{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; i++)
            threads.emplace_back([&] {
                for (int rc = 0; rc >= 0; tried++) {
                    rc = hoya_executor_submit(pool.get(), Cargo::Run, &cargo, Cargo::Destroy, nullptr);
                    accepted += rc >= 0;
                    if (rc < 0) EXPECT_EQ(rc, HOYA_ECLOSED);
                }
            });
        while (accepted < 50) std::this_thread::yield();
        EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NEVER, turn % 2), 0);
        for (std::thread &thread : threads) thread.join();
        EXPECT_EQ(cargo.destroyed, tried);
        if (turn % 2 == 0) EXPECT_EQ(cargo.ran, accepted);
    }
}

// Holds: S33
TEST(Executor, ACancelRacesWithTheStartAndOneOfThemWins)
{
    Executor pool = NewPool(2);
    constexpr int kJobs = 3000;
    std::vector<Cargo> cargo(kJobs);
    std::vector<ThreadFuture> futures;
    for (Cargo &one : cargo) {
        hoya_thread_future *raw = nullptr;
        ASSERT_EQ(hoya_executor_submit(pool.get(), Cargo::Run, &one, Cargo::Destroy, &raw), 0);
        futures.emplace_back(raw);
        if (futures.size() >= 3) hoya_thread_future_cancel(futures[futures.size() - 3].get(), nullptr);
    }
    Finish(pool);
    for (int i = 0; i < kJobs; i++) {
        EXPECT_EQ(cargo[i].ran, !hoya_thread_future_cancelled(futures[i].get()));
        EXPECT_EQ(cargo[i].destroyed, 1);
        EXPECT_EQ(hoya_thread_future_done(futures[i].get()), 1);
    }
}

TEST(Executor, ManyThreadsSubmitAndWait)
{
    Executor pool = NewPool(4);
    Cargo cargo;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&] {
            for (int j = 0; j < 300; j++) {
                hoya_thread_future *raw = nullptr;
                EXPECT_EQ(hoya_executor_submit(pool.get(), Cargo::Run, &cargo, Cargo::Destroy, &raw), 0);
                EXPECT_EQ(ResultOf(ThreadFuture(raw)), 0);
            }
        });
    for (std::thread &thread : threads) thread.join();
    Finish(pool);
    EXPECT_EQ(cargo.ran, 1200);
    EXPECT_EQ(cargo.destroyed, 1200);
}

/* ---- a fork ---------------------------------------------------------------------------------------------- */

// Holds: S56
TEST(Executor, InAForkedChildThereAreNoThreadsAndNothingHangs)
{
    Executor busy = NewPool(1), idle = NewPool(1);
    Door door;
    Cargo cargo;
    ThreadFuture running = Submit(busy, [&](hoya_job *) { return door.Pass(), 0; });
    door.Await(1);
    ThreadFuture queued = Submit(busy, [](hoya_job *) { return 0; });
    EXPECT_EQ(ResultOf(Submit(idle, [](hoya_job *) { return 0; })), 0);
    InChild([&] {
        for (hoya_executor *executor : {busy.get(), idle.get()}) {
            EXPECT_EQ(hoya_executor_submit(executor, Cargo::Run, &cargo, Cargo::Destroy, nullptr), HOYA_ECHILD);
            EXPECT_EQ(hoya_executor_shutdown(executor, HOYA_NEVER, 1), HOYA_ECHILD);
            EXPECT_EQ(hoya_executor_run(executor), HOYA_ECHILD);
            EXPECT_EQ(hoya_executor_set_queue_limit(executor, 1), HOYA_ECHILD);
        }
        EXPECT_EQ(cargo.destroyed, 2);
        EXPECT_EQ(hoya_thread_future_cancel(queued.get(), nullptr), 1);
        EXPECT_EQ(hoya_thread_future_cancel(running.get(), nullptr), 0);
        idle.reset();
        busy.reset();
        Executor own = NewPool(1);
        EXPECT_EQ(ResultOf(Submit(own, [](hoya_job *) { return 0; })), 0);
        Finish(own);
        own.reset();
    });
    door.Open();
    EXPECT_EQ(ResultOf(queued), 0) << "the child did not touch it";
    Finish(busy);
    Finish(idle);
}

} // namespace hoya_test
