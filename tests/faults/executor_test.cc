/* SPDX-License-Identifier: MIT
 *
 * faults/executor_test.cc: executors, with each fallible call failing, and the making of threads among them. A job that was
 * refused has destroyed its argument; one that was accepted is run, or cancelled, and its future completed.
 */
#include "faults/sweep.h"

#include "support/executors.h"

namespace hoya_test
{
namespace
{

class ExecutorFaults : public VariantFaults
{
};

struct Cargo {
    std::atomic<int> ran{0}, destroyed{0};

    static int Run(hoya_job *self, void *arg)
    {
        static_cast<Cargo *>(arg)->ran++;
        hoya_job_set_value(self, arg, nullptr);
        return hoya_error_set(HOYA_EPIPE, "with a text that wants memory");
    }
    static void Destroy(void *arg) { static_cast<Cargo *>(arg)->destroyed++; }
};

Executor TryPool(Faults &faults)
{
    hoya_thread_pool_options options = {};
    options.size = sizeof options;
    options.max_threads = 2;
    hoya_executor *executor = nullptr;
    if (!faults.Ok(hoya_thread_pool_new(&options, &executor))) EXPECT_EQ(executor, nullptr);
    return Executor(executor);
}

/* On the loop, as a careful program ends. */
void EndJobs(Loop &loop)
{
    hoya_future *end = nullptr;
    Faults::Pause pause;
    EXPECT_EQ(hoya_shutdown_default_executor(loop, HOYA_NEVER, &end), 0);
    EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(end) == 1; }));
    hoya_future_unref(end);
}

} // namespace

TEST(ExecutorFaultsAlone, JobsOfThreads)
{
    Sweep("jobs of threads", [](Faults &faults) {
        Executor pool = TryPool(faults);
        if (!pool) return;
        Cargo cargo;
        int accepted = 0;
        for (int i = 0; i < 4; i++) {
            hoya_thread_future *raw = nullptr;
            int before = cargo.destroyed - cargo.ran;
            bool ok = faults.Ok(hoya_executor_submit(pool.get(), Cargo::Run, &cargo, Cargo::Destroy, &raw));
            ThreadFuture future(raw);
            if (!ok) EXPECT_EQ(cargo.destroyed - cargo.ran, before + 1);
            else if (i < 3) EXPECT_EQ(ResultOf(future), HOYA_EPIPE);
            accepted += ok;
        }
        EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NEVER, 0), 0) << "needs no memory";
        EXPECT_EQ(cargo.ran, accepted);
        EXPECT_EQ(cargo.destroyed, 4);
    });
}

TEST_P(ExecutorFaults, JobsOfALoop)
{
    Sweep(Name("jobs of a loop").c_str(), [&](Faults &faults) {
        Loop loop(faults, GetParam(), host.get());
        if (!loop) return;
        Cargo cargo;
        for (int i = 0; i < 3; i++) {
            hoya_future *raw = nullptr;
            bool ok = faults.Ok(hoya_run_in_executor(loop, nullptr, Cargo::Run, &cargo, Cargo::Destroy, &raw));
            Future future(raw);
            if (!ok) continue;
            if (i == 2) hoya_future_cancel(raw, nullptr);
            EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(raw) == 1; }));
            if (i < 2) EXPECT_EQ(hoya_future_exception(raw, nullptr), HOYA_EPIPE);
        }
        EndJobs(loop);
        EXPECT_EQ(cargo.destroyed, 3);
    });
}

TEST_P(ExecutorFaults, AShutdownThatDoesNotBlock)
{
    Sweep(Name("shutdown of the default").c_str(), [&](Faults &faults) {
        Loop loop(faults, GetParam(), host.get());
        if (!loop) return;
        Cargo cargo;
        int refused = !faults.Ok(hoya_run_in_executor(loop, nullptr, Cargo::Run, &cargo, Cargo::Destroy, nullptr));
        hoya_future *end = nullptr;
        if (faults.Ok(hoya_shutdown_default_executor(loop, HOYA_SEC(60), &end)))
            EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(end) == 1; }));
        else EXPECT_EQ(end, nullptr);
        hoya_future_unref(end);
        EndJobs(loop);
        EXPECT_EQ(cargo.ran + refused, 1);
        EXPECT_EQ(cargo.destroyed, 1);
    });
}

TEST_P(ExecutorFaults, AJobOfATask)
{
    struct Story {
        Faults *faults;
        Cargo cargo;
        bool ended = false;
    };
    Sweep(Name("to_thread").c_str(), [&](Faults &faults) {
        Loop loop(faults, GetParam(), host.get());
        if (!loop) return;
        Story story{&faults, {}, false};
        auto tell = [](hoya_task *, void *arg) {
            auto self = static_cast<Story *>(arg);
            int rc = hoya_to_thread(Cargo::Run, &self->cargo, Cargo::Destroy, nullptr, nullptr);
            EXPECT_EQ(self->cargo.destroyed, 1);
            if (rc != HOYA_EPIPE) self->faults->Ok(rc);
            self->ended = true;
            return 0;
        };
        if (faults.Ok(hoya_create_task(loop, tell, &story, nullptr, nullptr)))
            EXPECT_TRUE(loop.RunUntil([&] { return story.ended; }));
        EndJobs(loop);
    });
}

INSTANTIATE_TEST_SUITE_P(Hosts, ExecutorFaults, testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace hoya_test
