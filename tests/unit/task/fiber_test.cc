/* SPDX-License-Identifier: MIT
 *
 * unit/task/fiber_test.cc: what tools see of coroutines: an overflow is a clear death, and no sanitizer takes a switch
 * for something else. Without its annotations ThreadSanitizer crashes in ManyMayBeSuspendedDeepInside.
 */
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <unistd.h>

#include <hoya/hoya.h>

extern "C" {
#include "task/stack.h"
}

namespace
{

struct Pool {
    hoya_stack_pool *pool = nullptr;
    Pool() { EXPECT_EQ(hoya_stack_pool_new(nullptr, &pool), 0); }
    ~Pool() { hoya_stack_pool_unref(pool); }
};

hoya_coroutine *make(const Pool &pool, hoya_coroutine_function fn, void *arg, size_t size = 0)
{
    hoya_coroutine_options options{sizeof options, size, nullptr, pool.pool};
    hoya_coroutine *co = nullptr;
    EXPECT_EQ(hoya_coroutine_new(fn, arg, &options, &co), 0) << hoya_error_detail();
    return co;
}

/* Frames smaller than a page, so that none of them jumps over the guard. */
__attribute__((noinline)) int down(int depth)
{
    volatile char frame[512];
    frame[0] = char(depth);
    return depth == 0 ? frame[0] : down(depth - 1) + frame[0];
}

void *overflow(void *)
{
    down(1 << 30);
    return nullptr;
}

uintptr_t guard_begin, guard_end;

/* What a program's own handler sees, on a stack of its own. */
void look_where(int, siginfo_t *info, void *)
{
    uintptr_t address = reinterpret_cast<uintptr_t>(info->si_addr);
    _exit(address >= guard_begin && address < guard_end ? 42 : 43);
}

} // namespace

TEST(FiberDeathTest, AnOverflowIsSigsegvInTheGuard)
{
    EXPECT_EXIT(
        {
            Pool pool;
            hoya_stack *stack;
            hoya_stack_take(pool.pool, 0, &stack); /* the coroutine's: last in, first out */
            hoya_stack_release(pool.pool, stack);
            guard_begin = reinterpret_cast<uintptr_t>(stack->base) - size_t(sysconf(_SC_PAGESIZE));
            guard_end = reinterpret_cast<uintptr_t>(stack->base);
            static char own[1 << 16];
            stack_t alternative{};
            alternative.ss_sp = own;
            alternative.ss_size = sizeof own;
            sigaltstack(&alternative, nullptr);
            struct sigaction action {
            };
            action.sa_sigaction = look_where;
            action.sa_flags = SA_SIGINFO | SA_ONSTACK;
            sigaction(SIGSEGV, &action, nullptr);
            hoya_coroutine_send(make(pool, overflow, nullptr), nullptr, nullptr);
        },
        testing::ExitedWithCode(42), "");
}

#ifdef HOYA_CHECKS

TEST(FiberDeathTest, FreeingOneThatRunsIsAMistakeThatBuildsWithChecksName)
{
    auto suicide = [](void *) -> void * {
        hoya_coroutine_free(hoya_coroutine_current());
        return nullptr;
    };
    EXPECT_DEATH(
        {
            Pool pool;
            hoya_coroutine_send(make(pool, suicide, nullptr), nullptr, nullptr);
        },
        "freed while it ran");
}

#endif

/* ThreadSanitizer counts calls and returns: those of fibers that stop in the middle must not add up in one place. */
TEST(Fiber, ManyMayBeSuspendedDeepInside)
{
    struct Deep {
        static __attribute__((noinline)) int Yield(int depth)
        {
            if (depth == 0) return hoya_yield(nullptr, nullptr);
            volatile int rc = Yield(depth - 1);
            return rc;
        }
    };
    Pool pool;
    std::vector<hoya_coroutine *> all;
    for (int i = 0; i < 2000; i++) {
        all.push_back(make(
            pool,
            [](void *) -> void * {
                Deep::Yield(1000);
                return nullptr;
            },
            nullptr));
        EXPECT_EQ(hoya_coroutine_send(all.back(), nullptr, nullptr), 1);
    }
    for (auto co : all) hoya_coroutine_free(co);
}

/* AddressSanitizer has marked the frames that an exception, a longjmp or a switch leaves for good: the next user of the
 * stack must not run into their marks. */
TEST(Fiber, AReusedStackHasNoMarksOfItsFormerUser)
{
    Pool pool;
    for (size_t size : {size_t(0), size_t(1), size_t(0)}) {
        hoya_coroutine *co = make(
            pool,
            [](void *) -> void * {
                for (int i = 0; i < 10; i++) {
                    try {
                        char words[100 + 50];
                        memset(words, i, sizeof words);
                        hoya_yield(words, nullptr);
                        throw i;
                    } catch (int) {
                    }
                }
                return nullptr;
            },
            nullptr, size);
        void *words;
        while (hoya_coroutine_send(co, nullptr, &words) > 0) EXPECT_EQ(static_cast<char *>(words)[149] & ~15, 0);
        hoya_coroutine_free(co);
    }
}
