/* SPDX-License-Identifier: MIT
 *
 * faults/run_test.cc: a whole program, with each fallible call failing. Main has run to its end, or its argument was
 * destroyed without that; nobody is left, and Ctrl-C has its old meaning.
 */
#include "faults/sweep.h"

#include <csignal>

#ifdef HOYA_FAULTS
extern "C" {
#include "base/sys.h"
}
#endif

namespace hoya_test
{
namespace
{

class RunFaults : public VariantFaults
{
};

struct Program {
    Faults *faults;
    const Variant *variant;
    HostLoop *host;
    int begun = 0, ended = 0, destroyed = 0;
    bool interrupted = false, finished = false;

    static int Other(hoya_task *, void *arg)
    {
        auto self = static_cast<Program *>(arg);
        self->begun++;
        int rc = hoya_sleep(HOYA_SEC(60));
        EXPECT_LT(rc, 0) << "cancelled, or refused";
        self->ended++;
        return HOYA_ECANCELED;
    }
    static int Main(hoya_task *task, void *arg)
    {
        auto self = static_cast<Program *>(arg);
        hoya_task_options options = {};
        options.size = sizeof options;
        options.destroy = Destroy;
        self->begun++;
        for (int i = 0; i < 2; i++)
            self->faults->Ok(hoya_create_task(hoya_task_get_loop(task), Other, self, &options, nullptr));
        hoya_sleep(0);
        if (self->interrupted) {
            raise(SIGINT);
            while (!hoya_task_cancelling(task)) EXPECT_EQ(hoya_sleep(0), 0);
        }
        self->ended++;
        self->finished = true;
        return self->interrupted ? int(HOYA_ECANCELED) : 3;
    }
    static void Destroy(void *arg) { static_cast<Program *>(arg)->destroyed++; }
};

/* A Ctrl-C that the loop never saw, because its selector failed and failed, comes again at the end, and would end this
 * process. */
void SurviveInterrupts()
{
#ifdef HOYA_FAULTS
    hoya_sys.raise = [](int signum) {
        EXPECT_EQ(signum, SIGINT);
        return 0;
    };
#endif
}

/* A policy whose loops are the variant's. */
struct ProgramPolicy {
    hoya_policy base{};
    hoya_policy_ops ops{};
    Program *program;

    explicit ProgramPolicy(Program *of) : program(of)
    {
        ops.size = sizeof ops;
        ops.name = "variant";
        ops.new_event_loop = [](hoya_policy *policy, hoya_loop **loop) {
            Program *made = reinterpret_cast<ProgramPolicy *>(policy)->program;
            return NewLoop(*made->variant, made->host, loop);
        };
        base.ops = &ops;
    }
};

} // namespace

TEST_P(RunFaults, AProgramThatIsInterruptedOrNot)
{
    for (bool interrupted : {false, true}) {
        Sweep(Name(interrupted ? "an interrupted program" : "a program").c_str(), [&](Faults &faults) {
            void (*before)(int) = signal(SIGINT, SIG_DFL);
            Program program{&faults, &variant(), host.get()};
            program.interrupted = interrupted;
            SurviveInterrupts();
            ProgramPolicy policy(&program);
            hoya_run_options options = {};
            options.size = sizeof options;
            options.policy = &policy.base;
            options.destroy = Program::Destroy;
            int rc = hoya_run(Program::Main, &program, &options);
            int wanted = interrupted ? int(HOYA_EINTR) : 3;
            if (rc != wanted) faults.Ok(rc);
            if (rc == wanted) EXPECT_TRUE(program.finished);
            EXPECT_EQ(program.ended, program.begun) << "everybody who began has ended";
            EXPECT_EQ(program.destroyed, program.begun ? 3 : 1);
            EXPECT_EQ(signal(SIGINT, before), SIG_DFL);
        });
    }
}

INSTANTIATE_TEST_SUITE_P(Hosts, RunFaults, testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace hoya_test
