/* SPDX-License-Identifier: MIT
 *
 * unit/task/overflow_test.cc: a stack that overflows: a clear death in every build, with a name in debug mode, and a signal
 * that is taken from nobody.
 */
#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hoya/hoya.h>

extern "C" {
#include "base/sys.h"
#include "task/annotate.h"
#include "task/stack.h"
}

namespace
{

/* Frames smaller than a page, so that none of them jumps over the guard. */
__attribute__((noinline)) int down(int depth)
{
    volatile char frame[512];
    frame[0] = char(depth);
    return depth == 0 ? frame[0] : down(depth - 1) + frame[0];
}

int overflow(hoya_task *, void *)
{
    return down(1 << 30);
}

int crash(hoya_task *, void *)
{
    return *static_cast<volatile int *>(mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

/* A loop with a task, in debug mode or not. */
struct Loop {
    hoya_loop *loop = nullptr;
    explicit Loop(bool debug)
    {
        EXPECT_EQ(hoya_loop_new(nullptr, &loop), 0);
        EXPECT_EQ(hoya_loop_set_debug(loop, debug), 0);
    }
    ~Loop()
    {
        if (loop) Close();
    }
    void Close()
    {
        EXPECT_EQ(hoya_loop_close(loop), 0);
        hoya_loop_unref(loop);
        loop = nullptr;
    }
    void Run(hoya_task_function fn, void *arg = nullptr, const char *name = "greedy", size_t size = 0)
    {
        hoya_task_options options = {};
        options.size = sizeof options;
        options.name = name;
        options.stack_size = size;
        hoya_task *task = nullptr;
        EXPECT_EQ(hoya_create_task(loop, fn, arg, &options, &task), 0) << hoya_error_detail();
        while (!hoya_future_done(hoya_task_future(task))) EXPECT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
        hoya_task_unref(task);
    }
};

const bool kSanitized = HOYA_STACK_SCALE > 1;

/* The default action's; a sanitizer ends the program with a report of its own. */
bool died(int status)
{
    return kSanitized ? !WIFEXITED(status) || WEXITSTATUS(status)
                      : WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

std::string sentence(const char *who, size_t kib)
{
    return std::string("hoya: the stack of ") + who + " \\(" + std::to_string(kib * HOYA_STACK_SCALE) +
           " KiB\\) overflowed";
}

struct sigaction action_of_segv()
{
    struct sigaction now;
    EXPECT_EQ(sigaction(SIGSEGV, nullptr, &now), 0);
    return now;
}

bool same(const struct sigaction &a, const struct sigaction &b)
{
    const int flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESETHAND; /* the C library adds one of its own */
    return a.sa_sigaction == b.sa_sigaction && (a.sa_flags & flags) == (b.sa_flags & flags);
}

/* The program's own, on a stack of its own. */
void exit_42(int, siginfo_t *, void *)
{
    _exit(42);
}
void exit_44(int)
{
    _exit(44);
}

void set_own_stack()
{
    static char own[1 << 16];
    stack_t alternative{};
    alternative.ss_sp = own;
    alternative.ss_size = sizeof own;
    EXPECT_EQ(sigaltstack(&alternative, nullptr), 0);
}

void set_own_handler(void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action {
    };
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    EXPECT_EQ(sigaction(SIGSEGV, &action, nullptr), 0);
}

} // namespace

/* ---- the end --------------------------------------------------------------------------------------------- */

TEST(OverflowDeathTest, InDebugModeTheTaskIsNamed)
{
    EXPECT_EXIT(Loop(true).Run(overflow), died, sentence("task greedy", 256));
}

TEST(OverflowDeathTest, TheSizeIsTheOneThatWasAskedFor)
{
    EXPECT_EXIT(Loop(true).Run(overflow, nullptr, "small", 1), died, sentence("task small", 16));
}

TEST(OverflowDeathTest, ALongNameIsCut)
{
    EXPECT_EXIT(Loop(true).Run(overflow, nullptr, std::string(1000, 'x').c_str()), died,
                sentence(("task " + std::string(127, 'x')).c_str(), 256));
}

TEST(OverflowDeathTest, ACoroutineOfATaskIsNamedAndNotTheTask)
{
    auto run_coroutine = [](hoya_task *, void *) {
        hoya_coroutine_options options = {};
        options.size = sizeof options;
        options.name = "deep";
        hoya_coroutine *co = nullptr;
        auto fn = [](void *arg) -> void * {
            down(1 << 30);
            return arg;
        };
        EXPECT_EQ(hoya_coroutine_new(fn, nullptr, &options, &co), 0);
        return hoya_coroutine_send(co, nullptr, nullptr);
    };
    EXPECT_EXIT(Loop(true).Run(run_coroutine), died, sentence("coroutine deep", 256));
}

TEST(OverflowDeathTest, WithoutDebugModeItIsSigsegvAndNothingIsSaid)
{
    if (kSanitized) EXPECT_EXIT(Loop(false).Run(overflow), died, "Sanitizer");
    else EXPECT_EXIT(Loop(false).Run(overflow), died, testing::Eq(""));
}

TEST(OverflowDeathTest, AnotherFaultOfATaskIsNotCalledAnOverflow)
{
    if (kSanitized) EXPECT_EXIT(Loop(true).Run(crash), died, "Sanitizer");
    else EXPECT_EXIT(Loop(true).Run(crash), died, testing::Eq(""));
}

TEST(OverflowDeathTest, ASignalThatWasSentEndsTheProgramToo)
{
    auto send = [](hoya_task *, void *) { return raise(SIGSEGV); };
    EXPECT_EXIT(Loop(true).Run(send), died, "");
}

/* ---- the program's own handler ---------------------------------------------------------------------------- */

TEST(OverflowDeathTest, TheProgramsOwnHandlerComesAfterTheName)
{
    EXPECT_EXIT(
        {
            set_own_handler(exit_42);
            Loop(true).Run(overflow);
        },
        testing::ExitedWithCode(42), sentence("task greedy", 256));
}

TEST(OverflowDeathTest, TheProgramsOwnHandlerGetsWhatIsNoOverflow)
{
    EXPECT_EXIT(
        {
            set_own_handler(exit_42);
            Loop(true).Run(crash);
        },
        testing::ExitedWithCode(42), testing::Eq(""));
    EXPECT_EXIT(
        {
            signal(SIGSEGV, exit_44);
            Loop(true).Run(crash);
        },
        testing::ExitedWithCode(44), testing::Eq(""));
}

/* ---- politeness ------------------------------------------------------------------------------------------- */

TEST(Overflow, WithoutDebugModeNoHandlerIsThere)
{
    struct sigaction before = action_of_segv();
    Loop loop(false);
    auto look = [](hoya_task *, void *arg) {
        EXPECT_TRUE(same(action_of_segv(), *static_cast<struct sigaction *>(arg)));
        return 0;
    };
    loop.Run(look, &before);
}

TEST(Overflow, TheHandlerGoesWithTheLastLoopThatDebugs)
{
    struct sigaction before = action_of_segv();
    auto nothing = [](hoya_task *, void *) { return 0; };
    Loop first(true), second(true);
    EXPECT_TRUE(same(action_of_segv(), before)) << "there is no task yet";
    first.Run(nothing);
    second.Run(nothing);
    EXPECT_FALSE(same(action_of_segv(), before));
    first.Close();
    EXPECT_FALSE(same(action_of_segv(), before));
    second.Close();
    EXPECT_TRUE(same(action_of_segv(), before));
}

TEST(Overflow, AHandlerThatCameLaterStays)
{
    struct sigaction before = action_of_segv();
    auto set = [](hoya_task *, void *) {
        set_own_handler(exit_42);
        return 0;
    };
    Loop loop(true);
    loop.Run(set);
    loop.Close();
    EXPECT_EQ(action_of_segv().sa_sigaction, exit_42);
    sigaction(SIGSEGV, &before, nullptr);
}

TEST(Overflow, TheThreadHasAnAlternateStackOnlyWhileATaskRuns)
{
    stack_t before, after;
    sigaltstack(nullptr, &before);
    if (!(before.ss_flags & SS_DISABLE)) return; /* a sanitizer's */
    Loop loop(true);
    auto look = [](hoya_task *, void *) {
        stack_t now;
        EXPECT_EQ(sigaltstack(nullptr, &now), 0);
        EXPECT_FALSE(now.ss_flags & SS_DISABLE);
        EXPECT_GE(now.ss_size, size_t(32) << 10);
        return 0;
    };
    loop.Run(look);
    sigaltstack(nullptr, &after);
    EXPECT_TRUE(after.ss_flags & SS_DISABLE);
}

TEST(Overflow, AnAlternateStackOfTheProgramsIsLeftAlone)
{
    stack_t before, after;
    sigaltstack(nullptr, &before);
    auto look = [](hoya_task *, void *arg) {
        stack_t now;
        sigaltstack(nullptr, &now);
        EXPECT_TRUE(arg == nullptr || now.ss_sp == arg);
        set_own_stack();
        return 0;
    };
    Loop loop(true);
    loop.Run(look); /* it comes while the task runs */
    sigaltstack(nullptr, &after);
    EXPECT_FALSE(after.ss_flags & SS_DISABLE);
    loop.Run(look, after.ss_sp); /* it is there before */
    stack_t now;
    sigaltstack(nullptr, &now);
    EXPECT_EQ(now.ss_sp, after.ss_sp);
    sigaltstack(&before, nullptr);
}

#ifdef HOYA_FAULTS

TEST(Overflow, WithoutAlternateStacksTasksRunAllTheSame)
{
    hoya_sys.sigaltstack = [](const stack_t *, stack_t *) {
        errno = ENOMEM;
        return -1;
    };
    bool ran = false;
    {
        Loop loop(true);
        loop.Run([](hoya_task *, void *arg) { return *static_cast<bool *>(arg) = true, 0; }, &ran);
    }
    hoya_sys = hoya_sys_real;
    EXPECT_TRUE(ran);
}

#endif
