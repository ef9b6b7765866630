/* SPDX-License-Identifier: MIT
 *
 * unit/base/alloc_test.cc: the allocator hook (everything comes from it, and it changes only while nothing of
 * the old one is in use), arrays whose size would overflow, and the counters of what is alive.
 */
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

#include "unit/base/own_memory.h"

extern "C" {
#include "base/alloc.h"
}
#include <hoya/error.h>

using namespace hoya_test;

namespace
{

struct Thing {
    uint64_t words[8];
};

hoya_allocator ordinary()
{
    return {
        sizeof(hoya_allocator),
        [](size_t size, void *) { return malloc(size); },
        [](void *block, size_t size, void *) { return realloc(block, size); },
        [](void *block, void *) { free(block); },
        nullptr,
    };
}

} // namespace

TEST(Alloc, NewMemoryIsZeroed)
{
    OwnMemory memory;
    Thing *thing = hoya_new(Thing);
    ASSERT_NE(thing, nullptr);
    for (uint64_t word : thing->words) EXPECT_EQ(word, 0u);
    EXPECT_EQ(memory.largest, sizeof(Thing));
    hoya_free(thing);
}

TEST(Alloc, EveryBlockComesFromTheHookAndGoesBackToIt)
{
    OwnMemory memory;
    void *a = hoya_new_zeroed(10), *b = hoya_resize(nullptr, 3, 7);
    EXPECT_EQ(memory.blocks, 2);
    EXPECT_EQ(memory.largest, 21u);
    b = hoya_resize(b, 30, 7);
    EXPECT_EQ(memory.blocks, 2);
    EXPECT_EQ(memory.requests, 3);
    EXPECT_EQ(memory.largest, 210u);
    hoya_free(a);
    hoya_free(b);
    EXPECT_EQ(memory.blocks, 0);
}

TEST(Alloc, ResizingKeepsWhatIsInTheBlock)
{
    OwnMemory memory;
    char *text = static_cast<char *>(hoya_resize(nullptr, 6, 1));
    strcpy(text, "hello");
    text = static_cast<char *>(hoya_resize(text, 1000000, 1));
    EXPECT_STREQ(text, "hello");
    hoya_free(text);
}

TEST(Alloc, FreeingNothingIsFine)
{
    OwnMemory memory;
    int64_t before = Live().blocks;
    hoya_free(nullptr);
    EXPECT_EQ(memory.blocks, 0);
    EXPECT_EQ(Live().blocks, before);
}

TEST(Alloc, WantOfMemoryIsNullWithADetail)
{
    OwnMemory memory;
    memory.granted = 0;
    hoya_error_set(HOYA_EBUSY, "before");
    EXPECT_EQ(hoya_new(Thing), nullptr);
    EXPECT_STREQ(hoya_error_detail(), "out of memory");
    hoya_error_set(HOYA_EBUSY, "before");
    EXPECT_EQ(hoya_resize(nullptr, 1, 1), nullptr);
    EXPECT_STREQ(hoya_error_detail(), "out of memory");
    EXPECT_EQ(Live().blocks, 0);
}

TEST(Alloc, AResizeThatFailsLeavesTheOldBlock)
{
    OwnMemory memory;
    int *numbers = static_cast<int *>(hoya_resize(nullptr, 2, sizeof(int)));
    numbers[1] = 42;
    memory.granted = 0;
    EXPECT_EQ(hoya_resize(numbers, 1000, sizeof(int)), nullptr);
    EXPECT_EQ(numbers[1], 42);
    EXPECT_EQ(Live().blocks, 1);
    hoya_free(numbers);
    EXPECT_EQ(Live().blocks, 0);
}

TEST(Alloc, ASizeThatWouldOverflowIsRefusedWithoutAskingTheHook)
{
    OwnMemory memory;
    EXPECT_EQ(hoya_resize(nullptr, SIZE_MAX / 4 + 2, 4), nullptr);
    EXPECT_EQ(hoya_resize(nullptr, 2, SIZE_MAX), nullptr);
    EXPECT_EQ(memory.requests, 0);
    EXPECT_STREQ(hoya_error_detail(), "out of memory");
    void *block = hoya_resize(nullptr, 4, 4);
    EXPECT_EQ(hoya_resize(block, SIZE_MAX / 4 + 2, 4), nullptr);
    EXPECT_EQ(memory.requests, 1);
    EXPECT_EQ(memory.blocks, 1);
    hoya_free(block);
}

TEST(Alloc, TheHookIsNotReplacedWhileABlockIsInUse)
{
    OwnMemory memory;
    void *block = hoya_new_zeroed(1);
    hoya_allocator other = ordinary();
    EXPECT_EQ(hoya_set_allocator(&other), HOYA_EBUSY);
    EXPECT_EQ(hoya_set_allocator(nullptr), HOYA_EBUSY);
    hoya_free(block);
    EXPECT_EQ(memory.blocks, 0) << "the block went back where it came from";
    EXPECT_EQ(hoya_set_allocator(&other), 0);
    hoya_free(hoya_new_zeroed(1));
    EXPECT_EQ(memory.requests, 1) << "the new hook is used now";
}

TEST(Alloc, AHookThatIsNotWholeIsRefusedAndTheOldOneStays)
{
    OwnMemory memory;
    hoya_allocator bad[5];
    for (hoya_allocator &hook : bad) hook = ordinary();
    bad[0].size = 0;
    bad[1].size++;
    bad[2].malloc = nullptr;
    bad[3].realloc = nullptr;
    bad[4].free = nullptr;
    for (hoya_allocator &hook : bad) EXPECT_EQ(hoya_set_allocator(&hook), HOYA_EINVAL) << "number " << &hook - bad;
    hoya_free(hoya_new_zeroed(1));
    EXPECT_EQ(memory.requests, 1);
}

TEST(Alloc, TheHookIsCopied)
{
    hoya_allocator hook = ordinary();
    ASSERT_EQ(hoya_set_allocator(&hook), 0);
    hook = hoya_allocator{};
    void *block = hoya_new_zeroed(1);
    EXPECT_NE(block, nullptr);
    hoya_free(block);
    EXPECT_EQ(hoya_set_allocator(nullptr), 0);
}

TEST(Alloc, NullRestoresTheCLibrarysMemory)
{
    OwnMemory memory;
    ASSERT_EQ(hoya_set_allocator(nullptr), 0);
    void *block = hoya_resize(hoya_resize(nullptr, 1, 1), 1000, 1);
    EXPECT_NE(block, nullptr);
    hoya_free(block);
    EXPECT_EQ(memory.requests, 0);
}

TEST(Alloc, ABusyLoopTakesAllItsMemoryFromTheHook)
{
    OwnMemory memory;
    hoya_loop *loop = nullptr;
    ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    auto nothing = [](void *) {};
    for (int i = 0; i < 100; i++) {
        EXPECT_EQ(hoya_loop_call_soon(loop, nothing, nullptr), 0);
        EXPECT_EQ(hoya_loop_call_later(loop, HOYA_SEC(i), nothing, nullptr, nullptr, nullptr), 0);
        EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, nothing, nullptr, nullptr, nullptr), 0);
    }
    EXPECT_EQ(hoya_loop_add_reader(
                  loop, fd, [](hoya_fd, uint32_t, void *) {}, nullptr, nullptr),
              0);
    EXPECT_EQ(memory.blocks, Live().blocks);
    EXPECT_GT(memory.blocks, 100);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    hoya_loop_unref(loop);
    EXPECT_EQ(memory.blocks, 0);
    close(fd);
}

TEST(Alloc, TheCountsFollowWhatIsAlive)
{
    hoya_live_counts before = Live();
    hoya_selector *selector = nullptr;
    hoya_loop *loop = nullptr;
    hoya_handle *handle = nullptr;
    ASSERT_EQ(hoya_selector_new("epoll", &selector), 0);
    EXPECT_EQ(Live().selectors, before.selectors + 1);
    EXPECT_EQ(Live().fds, before.fds + 1);
    ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
    EXPECT_EQ(Live().loops, before.loops + 1);
    EXPECT_EQ(Live().selectors, before.selectors + 2);
    ASSERT_EQ(hoya_loop_call_soon_full(
                  loop, [](void *) {}, nullptr, nullptr, &handle),
              0);
    EXPECT_EQ(Live().handles, before.handles + 1);
    EXPECT_GT(Live().blocks, before.blocks + 2);
    EXPECT_EQ(Live().hosts, before.hosts) << "the native host does not count";
    hoya_handle_unref(handle);
    hoya_loop_unref(loop);
    hoya_selector_free(selector);
}

TEST(Alloc, CountsAreTheSumOfAllThreads)
{
    int64_t before = Live().loops;
    std::atomic<int> ready{0};
    auto change = [&ready](int n) {
        ready++;
        while (ready < 2) std::this_thread::yield(); /* both at once */
        for (int i = 0; i < 1000000; i++) hoya_live_add(HOYA_LIVE_LOOPS, n);
    };
    std::thread up(change, 2), down(change, -1);
    up.join();
    down.join();
    EXPECT_EQ(Live().loops, before + 1000000);
    hoya_live_add(HOYA_LIVE_LOOPS, -1000000);
}

TEST(Alloc, CountsWithoutTheirSizeAreRefused)
{
    hoya_live_counts counts{};
    counts.loops = -7;
    EXPECT_EQ(hoya_get_live_counts(&counts), HOYA_EINVAL);
    counts.size = sizeof counts + 8;
    EXPECT_EQ(hoya_get_live_counts(&counts), HOYA_EINVAL);
    EXPECT_EQ(counts.loops, -7);
    EXPECT_EQ(hoya_get_live_counts(nullptr), HOYA_EINVAL);
}
