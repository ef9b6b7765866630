/* SPDX-License-Identifier: MIT
 *
 * conformance/programs.h: whole programs on a host, with lambdas for their main.
 */
#ifndef HOYA_TESTS_PROGRAMS_H
#define HOYA_TESTS_PROGRAMS_H

#include "conformance.h"

#include <csignal>

namespace hoya_test
{

using MainWork = std::function<int(hoya_task *)>;

/* A policy that makes loops of a variant on a host; the last one is in `*loop` while it lives. */
struct VariantPolicy {
    hoya_policy base{}; /* first: the library hands this back */
    hoya_policy_ops ops{};
    const Variant &variant;
    HostLoop *host;
    hoya_loop **loop;

    VariantPolicy(const Variant &of, HostLoop *on, hoya_loop **out) : variant(of), host(on), loop(out)
    {
        ops.size = sizeof ops;
        ops.name = of.name;
        ops.new_event_loop = [](hoya_policy *policy, hoya_loop **made) {
            auto self = reinterpret_cast<VariantPolicy *>(policy);
            int rc = NewLoop(self->variant, self->host, made);
            if (rc >= 0 && self->loop) *self->loop = *made;
            return rc;
        };
        base.ops = &ops;
    }
};

inline int RunMainWork(hoya_task *self, void *arg)
{
    return (*static_cast<MainWork *>(arg))(self);
}

inline void DestroyMainWork(void *arg)
{
    delete static_cast<MainWork *>(arg);
}

/* Inside a task: makes another one that nobody keeps. */
inline void Spawn(MainWork work)
{
    hoya_task_options options = {};
    options.size = sizeof options;
    options.destroy = DestroyMainWork;
    EXPECT_EQ(
        hoya_create_task(hoya_get_running_loop(), RunMainWork, new MainWork(std::move(work)), &options, nullptr),
        0);
}

inline hoya_run_options RunOptions(uint32_t flags = 0)
{
    hoya_run_options options = {};
    options.size = sizeof options;
    options.flags = flags;
    return options;
}

/* `loop` is that of the program while it runs. */
class RunConformance : public LoopConformance
{
  protected:
    void SetUp() override
    {
        LoopConformance::SetUp();
        Release(loop);
        loop = nullptr;
        struct sigaction action = {};
        action.sa_handler = SIG_DFL;
        sigaction(SIGINT, &action, &before_);
    }
    void TearDown() override
    {
        sigaction(SIGINT, &before_, nullptr);
        LoopConformance::TearDown();
    }

    int RunMain(MainWork work, hoya_run_options options = RunOptions())
    {
        VariantPolicy policy(GetParam(), host.get(), &loop);
        options.policy = &policy.base;
        options.destroy = DestroyMainWork;
        int rc = hoya_run(RunMainWork, new MainWork(std::move(work)), &options);
        loop = nullptr;
        return rc;
    }

    /* A task that waits until it is cancelled, and says so. */
    void SpawnWaiting(std::string name)
    {
        Spawn([this, name = std::move(name)](hoya_task *) {
            int rc = hoya_sleep(HOYA_SEC(60));
            Note(name + " " + hoya_error_name(rc));
            return rc;
        });
    }

    /* When main has ended; after this the run ends. */
    static void InTheLastRound(hoya_task *main, Work work)
    {
        auto run = [](hoya_future *, void *arg) { Lambda::Run(arg); };
        EXPECT_EQ(hoya_future_add_done_callback(hoya_task_future(main), run, new Work(std::move(work)),
                                                Lambda::Destroy, nullptr),
                  0);
    }

  private:
    struct sigaction before_ = {};
};

} // namespace hoya_test

#endif
