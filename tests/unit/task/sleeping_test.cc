/* SPDX-License-Identifier: MIT
 *
 * unit/task/sleeping_test.cc: what a task costs that sleeps: a page of its stack, and a few hundred bytes.
 */
#include <cstdint>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "unit/failing_allocator.h"

extern "C" {
#include "task/annotate.h"
#include "task/context.h"
}

namespace hoya_test
{
namespace
{

class SleepingTask : public testing::Test
{
  protected:
    static constexpr int kTasks = 960; /* a little less than a power of two, to which the loop's arrays grow */

    void SetUp() override { ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0); }
    void TearDown() override
    {
        EXPECT_EQ(hoya_all_tasks(
                      loop, [](hoya_task *task, void *) { hoya_task_cancel(task, nullptr); }, nullptr),
                  int(stacks.size()));
        EXPECT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
        hoya_loop_unref(loop);
    }

    void Sleep(int count)
    {
        auto sleeper = [](hoya_task *, void *arg) {
            char here = 0;
            static_cast<SleepingTask *>(arg)->stacks.push_back(&here);
            return hoya_sleep(HOYA_SEC(1000)) < 0 ? HOYA_ECANCELED : int(here);
        };
        for (int i = 0; i < count; i++)
            ASSERT_EQ(hoya_create_task(loop, sleeper, this, nullptr, nullptr), 0) << hoya_error_detail();
        while (hoya_all_tasks(loop, nullptr, nullptr) != int(stacks.size()))
            ASSERT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
    }

    FailingAllocator allocator;
    hoya_loop *loop = nullptr;
    std::vector<char *> stacks; /* a place in each */
};

bool is_in_memory(const char *address)
{
    auto page = size_t(sysconf(_SC_PAGESIZE));
    unsigned char there = 0;
    void *begin = reinterpret_cast<void *>(reinterpret_cast<uintptr_t>(address) / page * page);
    EXPECT_EQ(mincore(begin, page, &there), 0);
    return there & 1;
}

} // namespace

/* The block 176, the entry of the timers 24, of the ready queue 16, the record of the stack 40; with what the arrays have
 * too much it is 260 on 64 bits. */
TEST_F(SleepingTask, KeepsFewBytesBesideItsStack)
{
    Sleep(1);
    size_t before = allocator.alive;
    Sleep(kTasks);
    EXPECT_LE((allocator.alive - before) / kTasks, 272u);
}

/* One page: but a few have called what the dynamic linker had to look for first. */
TEST_F(SleepingTask, HasTouchedOnePageOfItsStack)
{
    bool small = HOYA_STACK_SCALE == 1 && sizeof(hoya_context) == sizeof(void *);
    if (!small) return; /* the frames of a sanitizer are larger, and the contexts of ucontext */
    auto page = sysconf(_SC_PAGESIZE);
    Sleep(kTasks);
    int more = 0;
    for (const char *here : stacks) {
        EXPECT_TRUE(is_in_memory(here));
        more += is_in_memory(here - page);
    }
    EXPECT_LE(more, kTasks / 100);
}

} // namespace hoya_test
