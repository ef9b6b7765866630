/* SPDX-License-Identifier: MIT
 *
 * faults/coroutine_test.cc: coroutines and their stacks, with each fallible call failing. One that was made needs nothing
 * more: it runs to its end, and calls on the thread's stack, whatever fails.
 */
#include "faults/sweep.h"

#include <cerrno>

#ifdef HOYA_FAULTS
extern "C" {
#include "base/sys.h"
}
#endif

namespace hoya_test
{
namespace
{

void *Work(void *arg)
{
    auto rounds = static_cast<int *>(arg);
    while (hoya_yield(arg, nullptr) == 0) *rounds += hoya_call_on_thread_stack([](void *) { return 1; }, nullptr);
    return arg;
}

/* A crowd from one pool, which keeps one idle stack's memory, and one coroutine without a pool. */
void Coroutines(Faults &faults, uint32_t flags)
{
    hoya_stack_pool_options kept = {};
    kept.size = sizeof kept;
    kept.flags = flags;
    kept.keep = 1;
    hoya_stack_pool *pool = nullptr;
    if (!faults.Ok(hoya_stack_pool_new(&kept, &pool))) EXPECT_EQ(pool, nullptr);

    hoya_coroutine *all[6] = {};
    int rounds[6] = {};
    for (int i = 0; i < 6; i++) {
        hoya_coroutine_options options = {};
        options.size = sizeof options;
        options.pool = i == 0 ? nullptr : pool;
        if (!faults.Ok(hoya_coroutine_new(Work, &rounds[i], &options, &all[i]))) EXPECT_EQ(all[i], nullptr);
    }
    for (int i = 0; i < 6; i++) {
        if (!all[i]) continue;
        void *value = nullptr;
        for (int k = 0; k < 3; k++) EXPECT_EQ(hoya_coroutine_send(all[i], nullptr, &value), 1);
        EXPECT_EQ(value, &rounds[i]);
        EXPECT_EQ(rounds[i], 2);
    }
    for (hoya_coroutine *co : all) hoya_coroutine_free(co);
    hoya_stack_pool_unref(pool);
}

} // namespace

TEST(CoroutineFaults, ACrowdComesAndGoes)
{
    Sweep("coroutines", [](Faults &faults) { Coroutines(faults, 0); });
}

TEST(CoroutineFaults, ACrowdWithStrictGuardsComesAndGoes)
{
    Sweep("coroutines with guards", [](Faults &faults) { Coroutines(faults, HOYA_STACK_STRICT); });
}

#ifdef HOYA_FAULTS

/* Under a kernel that knows guards of mprotect alone: what it reads and asks may fail as well. */
TEST(CoroutineFaults, ACrowdOnAnOlderKernelComesAndGoes)
{
    for (uint32_t flags : {0u, uint32_t(HOYA_STACK_STRICT)})
        Sweep(flags ? "strict coroutines on an older kernel" : "coroutines on an older kernel",
              [flags](Faults &faults) {
                  auto madvise = hoya_sys.madvise;
                  hoya_sys.madvise = [](void *start, size_t size, int advice) {
                      if (advice != 102) return hoya_sys_real.madvise(start, size, advice);
                      errno = EINVAL;
                      return -1;
                  };
                  Coroutines(faults, flags);
                  hoya_sys.madvise = madvise;
              });
}

#endif

} // namespace hoya_test
