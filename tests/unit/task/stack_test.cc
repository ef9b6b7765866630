/* SPDX-License-Identifier: MIT
 *
 * unit/task/stack_test.cc: pools of stacks: which one comes next, what is kept, what guards it, and what happens when the
 * kernel says no.
 */
#include <gtest/gtest.h>

#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <set>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <hoya/hoya.h>

extern "C" {
#include "base/alloc.h"
#include "base/sys.h"
#include "task/annotate.h"
#include "task/stack.h"
}

#include "unit/base/own_memory.h"
#include "unit/failing_allocator.h"
#include "unit/loop/fake_host.h"

namespace
{

const size_t kPage = size_t(sysconf(_SC_PAGESIZE));

struct Pool {
    hoya_stack_pool *pool = nullptr;
    std::set<hoya_stack *> taken; /* each keeps the pool */

    explicit Pool(unsigned keep = 0, uint32_t flags = 0)
    {
        hoya_stack_pool_options options{sizeof options, flags, keep};
        EXPECT_EQ(hoya_stack_pool_new(&options, &pool), 0);
    }
    Pool(const Pool &) = delete;
    ~Pool()
    {
        while (!taken.empty()) Release(*taken.begin());
        hoya_stack_pool_unref(pool);
    }

    hoya_stack *Take(size_t size = 0)
    {
        hoya_stack *stack = nullptr;
        EXPECT_EQ(hoya_stack_take(pool, size, &stack), 0) << hoya_error_detail();
        taken.insert(stack);
        return stack;
    }
    void Release(hoya_stack *stack)
    {
        taken.erase(stack);
        hoya_stack_release(pool, stack);
    }
};

bool is_resident(const hoya_stack *stack)
{
    unsigned char resident = 0;
    char *top = stack->base + stack->size - kPage;
    EXPECT_EQ(mincore(top, kPage, &resident), 0);
    return resident & 1;
}

/* Does touching this byte end in SIGSEGV? */
bool faults(char *address)
{
    static sigjmp_buf back;
    struct sigaction action {
    }, before;
    action.sa_handler = [](int) { siglongjmp(back, 1); };
    sigaction(SIGSEGV, &action, &before);
    bool hit = sigsetjmp(back, 1) != 0;
    if (!hit) *const_cast<volatile char *>(address) = 1;
    sigaction(SIGSEGV, &before, nullptr);
    return hit;
}

} // namespace

TEST(StackPool, TheStackUsedLastComesFirst)
{
    Pool pool;
    hoya_stack *a = pool.Take(), *b = pool.Take(), *c = pool.Take();
    pool.Release(b);
    pool.Release(a);
    pool.Release(c);
    EXPECT_EQ(pool.Take(), c);
    EXPECT_EQ(pool.Take(), a);
    EXPECT_EQ(pool.Take(), b);
    for (auto stack : {a, b, c}) pool.Release(stack);
}

TEST(StackPool, SizesAreRoundedUpToAPowerOfTwoAndDoNotMix)
{
    Pool pool;
    hoya_stack *standard = pool.Take(), *small = pool.Take(1), *odd = pool.Take(100000);
    EXPECT_EQ(standard->size + kPage, size_t(256 << 10) * HOYA_STACK_SCALE);
    EXPECT_EQ(small->size + kPage, size_t(16 << 10) * HOYA_STACK_SCALE);
    EXPECT_EQ(odd->size + kPage, size_t(128 << 10) * HOYA_STACK_SCALE);
    pool.Release(small);
    EXPECT_NE(pool.Take(), small);
    EXPECT_EQ(pool.Take(16384), small);
}

TEST(StackPool, IdleStacksBeyondTheMarkGiveTheirMemoryBackTheOldestFirst)
{
    Pool pool(2);
    std::vector<hoya_stack *> stacks;
    for (int i = 0; i < 4; i++) {
        stacks.push_back(pool.Take());
        stacks[i]->base[stacks[i]->size - 1] = 1;
    }
    for (auto stack : stacks) pool.Release(stack);
    EXPECT_FALSE(is_resident(stacks[0]));
    EXPECT_FALSE(is_resident(stacks[1]));
    EXPECT_TRUE(is_resident(stacks[2]));
    EXPECT_TRUE(is_resident(stacks[3]));
    EXPECT_EQ(pool.Take(), stacks[3]);
    EXPECT_EQ(pool.Take(), stacks[2]) << "warm ones first";
    EXPECT_EQ(pool.Take(), stacks[1]);
}

TEST(StackPool, AFewThatComeAndGoNeverLoseTheirMemory)
{
    Pool pool(2);
    hoya_stack *crowd[4];
    for (auto &stack : crowd) stack = pool.Take();
    for (auto &stack : crowd) pool.Release(stack);
    hoya_stack *stack = pool.Take();
    stack->base[stack->size - 1] = 1;
    for (int i = 0; i < 10; i++) {
        pool.Release(stack);
        EXPECT_EQ(pool.Take(), stack);
        EXPECT_TRUE(is_resident(stack));
    }
}

TEST(StackPool, AStackHasAGuardBelowItAndNoneInIt)
{
    Pool pool;
    hoya_stack *first = pool.Take(), *second = pool.Take();
    for (auto stack : {first, second}) {
        EXPECT_TRUE(faults(stack->base - 1));
        EXPECT_TRUE(faults(stack->base - kPage));
        EXPECT_FALSE(faults(stack->base));
        EXPECT_FALSE(faults(stack->base + stack->size - 1));
        EXPECT_TRUE(hoya_stack_guard_has(stack, stack->base - 1));
        EXPECT_TRUE(hoya_stack_guard_has(stack, stack->base - kPage));
        EXPECT_FALSE(hoya_stack_guard_has(stack, stack->base));
        EXPECT_FALSE(hoya_stack_guard_has(stack, stack->base - kPage - 1));
    }
}

TEST(StackPool, LivesAsLongAsItsReferences)
{
    hoya_stack_pool *pool;
    ASSERT_EQ(hoya_stack_pool_new(nullptr, &pool), 0);
    hoya_coroutine_options options{sizeof options, 0, nullptr, pool};
    hoya_coroutine *co;
    ASSERT_EQ(hoya_coroutine_new([](void *arg) { return arg; }, nullptr, &options, &co), 0);
    hoya_stack_pool_unref(hoya_stack_pool_ref(pool));
    hoya_stack_pool_unref(pool);
    EXPECT_EQ(hoya_coroutine_send(co, nullptr, nullptr), 0);
    hoya_coroutine_free(co);
    hoya_stack_pool_unref(nullptr);
}

TEST(StackPool, WithoutReferencesItWaitsForTheLastOfItsStacks)
{
    int64_t blocks = hoya_test::Live().blocks;
    hoya_stack_pool *pool;
    const hoya_stack_pool_options options{sizeof options, 0, 1}; /* the second one that comes back is cold */
    ASSERT_EQ(hoya_stack_pool_new(&options, &pool), 0);
    hoya_stack *stacks[7];
    for (size_t i = 0; i < 7; i++) ASSERT_EQ(hoya_stack_take(pool, i % 2 * 65536, &stacks[i]), 0);
    for (size_t i = 0; i < 4; i++) hoya_stack_release(pool, stacks[i]);
    hoya_stack_pool_unref(pool);
    for (size_t i = 4; i < 7; i++) {
        EXPECT_GT(hoya_test::Live().blocks, blocks);
        *stacks[i]->base = 1;
        hoya_stack_release(pool, stacks[i]);
    }
    EXPECT_EQ(hoya_test::Live().blocks, blocks);
}

TEST(StackPool, WithoutMemoryNothingIsMadeAndNothingLost)
{
    hoya_test::FailingAllocator memory;
    memory.fail = true;
    hoya_stack_pool *none = nullptr;
    EXPECT_EQ(hoya_stack_pool_new(nullptr, &none), HOYA_ENOMEM);
    memory.fail = false;
    {
        Pool pool;
        memory.fail = true;
        hoya_stack *stack = nullptr;
        EXPECT_EQ(hoya_stack_take(pool.pool, 0, &stack), HOYA_ENOMEM);
        EXPECT_EQ(stack, nullptr);
        hoya_coroutine *co = nullptr;
        EXPECT_EQ(hoya_coroutine_new([](void *arg) { return arg; }, nullptr, nullptr, &co), HOYA_ENOMEM);
        EXPECT_EQ(co, nullptr);
        memory.fail = false;
        pool.Release(pool.Take());
    }
}

TEST(StackPool, OnceMadeACoroutineNeedsNoMemory)
{
    hoya_test::FailingAllocator memory;
    hoya_coroutine *co = nullptr;
    auto fn = [](void *arg) {
        while (hoya_yield(arg, nullptr) == 0) {
        }
        return arg;
    };
    ASSERT_EQ(hoya_coroutine_new(fn, nullptr, nullptr, &co), 0);
    memory.fail = true;
    EXPECT_EQ(hoya_coroutine_send(co, nullptr, nullptr), 1);
    EXPECT_EQ(hoya_coroutine_send(co, nullptr, nullptr), 1);
    hoya_coroutine_free(co);
}

#ifdef HOYA_FAULTS

namespace
{

/* The system, as long as this lives, with calls that fail; counts what the log says. */
struct OldSystem {
    static int protects, log_lines, protects_allowed;

    static void TakeLog(hoya_log_level level, const char *text, void *)
    {
        EXPECT_EQ(level, HOYA_LOG_WARNING);
        EXPECT_NE(strstr(text, "vm.max_map_count"), nullptr);
        log_lines++;
    }

    OldSystem()
    {
        protects = log_lines = 0;
        protects_allowed = 1 << 20;
        hoya_set_log_function(TakeLog, nullptr);
        hoya_stack_told_unguarded = false;
        hoya_sys.madvise = [](void *start, size_t size, int advice) {
            if (advice != 102) return madvise(start, size, advice);
            errno = EINVAL;
            return -1;
        };
        hoya_sys.mprotect = [](void *start, size_t size, int protection) {
            if (protects++ < protects_allowed) return mprotect(start, size, protection);
            errno = ENOMEM;
            return -1;
        };
    }
    ~OldSystem()
    {
        hoya_sys = hoya_sys_real;
        hoya_set_log_function(nullptr, nullptr);
    }
};
int OldSystem::protects, OldSystem::log_lines, OldSystem::protects_allowed;

/* An open file from which `text` is read. */
void pretend_that_max_map_count_is(const char *text)
{
    static const char *content;
    content = text;
    hoya_sys.open_readonly = [](const char *) {
        int fd = memfd_create("max_map_count", MFD_CLOEXEC);
        EXPECT_EQ(write(fd, content, strlen(content)), ssize_t(strlen(content)));
        lseek(fd, 0, SEEK_SET);
        return fd;
    };
}

} // namespace

TEST(StackPoolFaults, AMappingThatFailsIsTold)
{
    Pool pool;
    hoya_sys.mmap = [](void *, size_t, int, int, int, off_t) -> void * {
        errno = ENOMEM;
        return MAP_FAILED;
    };
    hoya_stack *stack = nullptr;
    EXPECT_EQ(hoya_stack_take(pool.pool, 0, &stack), HOYA_ENOMEM);
    EXPECT_EQ(stack, nullptr);
    hoya_coroutine *co = nullptr;
    EXPECT_EQ(hoya_coroutine_new([](void *arg) { return arg; }, nullptr, nullptr, &co), HOYA_ENOMEM);
    hoya_sys = hoya_sys_real;
    pool.Release(pool.Take());
}

TEST(StackPoolFaults, AGuardThatFailsForWantOfMemoryIsToldAndTriedAgain)
{
    Pool pool;
    hoya_sys.madvise = [](void *, size_t, int) {
        errno = ENOMEM;
        return -1;
    };
    hoya_stack *stack = nullptr;
    EXPECT_EQ(hoya_stack_take(pool.pool, 0, &stack), HOYA_ENOMEM);
    hoya_sys = hoya_sys_real;
    EXPECT_TRUE(faults(pool.Take()->base - 1));
}

TEST(StackPoolFaults, AnOlderKernelGuardsByMprotect)
{
    OldSystem system;
    int64_t before = hoya_live_count(HOYA_LIVE_GUARDS);
    {
        Pool pool;
        EXPECT_TRUE(faults(pool.Take()->base - 1));
        EXPECT_EQ(OldSystem::protects, 1);
        EXPECT_EQ(hoya_live_count(HOYA_LIVE_GUARDS), before + 1);
    }
    EXPECT_EQ(hoya_live_count(HOYA_LIVE_GUARDS), before);
    EXPECT_EQ(OldSystem::log_lines, 0);
}

TEST(StackPoolFaults, GuardsByMprotectStopAtAQuarterOfTheMappingsWithOneLineInTheLog)
{
    OldSystem system;
    pretend_that_max_map_count_is("12\n");
    Pool pool;
    for (int i = 0; i < 3; i++) EXPECT_TRUE(faults(pool.Take()->base - 1));
    EXPECT_EQ(OldSystem::log_lines, 0);
    for (int i = 0; i < 3; i++) EXPECT_FALSE(faults(pool.Take()->base - 1));
    EXPECT_EQ(OldSystem::protects, 3);
    EXPECT_EQ(OldSystem::log_lines, 1);
}

TEST(StackPoolFaults, ACrowdOfTasksSleepsAndWakesAlsoBeyondTheGuards)
{
    OldSystem system;
    pretend_that_max_map_count_is("400\n");
    int64_t before = hoya_live_count(HOYA_LIVE_GUARDS);
    struct Crowd {
        hoya_loop *loop;
        int asleep, awake;
    } crowd = {};
    ASSERT_EQ(hoya_loop_new(nullptr, &crowd.loop), 0);
    auto sleeper = [](hoya_task *, void *arg) {
        Crowd *all = static_cast<Crowd *>(arg);
        int rc = hoya_sleep(++all->asleep < 3000 ? HOYA_SEC(3600) : HOYA_NOW); /* the last one wakes them */
        if (rc == 0)
            hoya_all_tasks(
                all->loop, [](hoya_task *task, void *) { hoya_task_cancel(task, "morning"); }, nullptr);
        if (++all->awake == 3000) hoya_loop_stop(all->loop);
        return 0;
    };
    for (int i = 0; i < 3000; i++) ASSERT_EQ(hoya_create_task(crowd.loop, sleeper, &crowd, nullptr, nullptr), 0);
    EXPECT_EQ(hoya_live_count(HOYA_LIVE_GUARDS), before + 100);
    EXPECT_EQ(hoya_loop_run_forever(crowd.loop), 0);
    EXPECT_EQ(crowd.awake, 3000);
    EXPECT_EQ(OldSystem::protects, 100);
    EXPECT_EQ(OldSystem::log_lines, 1);
    hoya_loop_close(crowd.loop);
    hoya_loop_unref(crowd.loop);
    EXPECT_EQ(hoya_live_count(HOYA_LIVE_GUARDS), before);
}

TEST(StackPoolFaults, TheProcessHasOneLineOfItHoweverManyPoolsThereAre)
{
    OldSystem system;
    OldSystem::protects_allowed = 0;
    for (int i = 0; i < 3; i++) {
        Pool pool;
        EXPECT_FALSE(faults(pool.Take()->base - 1));
        hoya_coroutine *co = nullptr; /* which has a pool of its own */
        EXPECT_EQ(hoya_coroutine_new([](void *arg) { return arg; }, nullptr, nullptr, &co), 0);
        hoya_coroutine_free(co);
    }
    EXPECT_EQ(OldSystem::log_lines, 1);
}

TEST(StackPoolFaults, ALineThatNobodyHeardIsSaidAgain)
{
    OldSystem system;
    OldSystem::protects_allowed = 0;
    hoya_set_log_function(nullptr, nullptr);
    Pool pool;
    pool.Take();
    hoya_set_log_function(OldSystem::TakeLog, nullptr);
    pool.Take();
    pool.Take();
    EXPECT_EQ(OldSystem::log_lines, 1);
}

TEST(StackPoolFaults, WithoutALogFunctionTheLineGoesToThePoolsOwnLog)
{
    OldSystem system;
    OldSystem::protects_allowed = 0;
    hoya_set_log_function(nullptr, nullptr);
    Pool pool;
    hoya_log_sink sink = {[](void *arg, hoya_log_level level, const char *text) {
                              OldSystem::TakeLog(level, text, nullptr);
                              ++*static_cast<int *>(arg);
                          },
                          nullptr};
    int lines = 0;
    sink.arg = &lines;
    hoya_stack_pool_set_log(pool.pool, sink);
    pool.Take();
    pool.Take();
    EXPECT_EQ(lines, 1);
    EXPECT_EQ(OldSystem::log_lines, 1);
}

class HostedStacks : public hoya_test::FakeHosted
{
};

TEST_F(HostedStacks, ATasksLineGoesToTheLogOfItsHost)
{
    host->ops.log = [](hoya_host *h, hoya_log_level, const char *text) {
        if (strstr(text, "vm.max_map_count")) hoya_test::FakeHost::self(h)->calls.push_back("log");
    };
    make();
    OldSystem system;
    OldSystem::protects_allowed = 0;
    hoya_set_log_function(nullptr, nullptr);
    for (int i = 0; i < 2; i++)
        EXPECT_EQ(hoya_create_task(
                      loop, [](hoya_task *, void *) { return 0; }, nullptr, nullptr, nullptr),
                  0);
    EXPECT_EQ(host->count("log"), 1);
    host->turn();
}

TEST(StackPoolFaults, AStrictPoolRefusesAStackWithoutAGuard)
{
    OldSystem system;
    pretend_that_max_map_count_is("4");
    Pool pool(0, HOYA_STACK_STRICT);
    hoya_stack *guarded = pool.Take(), *unguarded = nullptr;
    EXPECT_EQ(hoya_stack_take(pool.pool, 0, &unguarded), HOYA_ENOMEM);
    EXPECT_EQ(unguarded, nullptr);
    EXPECT_EQ(OldSystem::log_lines, 0);
    pool.Release(guarded);
    EXPECT_EQ(pool.Take(), guarded);
}

TEST(StackPoolFaults, AFailingMprotectIsTheSameLimit)
{
    OldSystem system;
    OldSystem::protects_allowed = 1;
    Pool pool;
    EXPECT_TRUE(faults(pool.Take()->base - 1));
    EXPECT_FALSE(faults(pool.Take()->base - 1));
    EXPECT_EQ(OldSystem::log_lines, 1);
}

TEST(StackPoolFaults, WithoutProcTheKernelsOwnDefaultHolds)
{
    OldSystem system;
    for (const char *text : {"", "nonsense", "-5"}) {
        pretend_that_max_map_count_is(text);
        Pool pool(0, HOYA_STACK_STRICT);
        for (int i = 0; i < 10; i++) pool.Take();
    }
    hoya_sys.open_readonly = [](const char *) {
        errno = ENOENT;
        return -1;
    };
    Pool pool(0, HOYA_STACK_STRICT);
    for (int i = 0; i < 10; i++) pool.Take();
}

#endif
