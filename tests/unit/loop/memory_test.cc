/* SPDX-License-Identifier: MIT
 *
 * unit/loop/memory_test.cc: nothing is lost for want of memory.
 */
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

#include <vector>

#include "unit/failing_allocator.h"

class Memory : public testing::Test
{
  public:
    hoya_test::FailingAllocator memory; /* before the loop is made, and until it is freed */
    hoya_loop *loop = nullptr;
    std::vector<int> order;

    void SetUp() override { ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0); }
    void TearDown() override
    {
        hoya_loop_close(loop);
        hoya_loop_unref(loop);
    }
};

TEST_F(Memory, PostsOfOtherThreadsArriveInOrderWhenTheReadyQueueCannotGrow)
{
    struct Post {
        Memory *test;
        int number;
    };
    std::vector<Post> posts;
    for (int i = 0; i < 500; i++) posts.push_back({this, i});
    std::thread([&] {
        for (Post &post : posts)
            EXPECT_EQ(hoya_loop_call_soon_threadsafe(
                          loop,
                          [](void *arg) {
                              Post *p = static_cast<Post *>(arg);
                              p->test->order.push_back(p->number);
                          },
                          &post, nullptr, nullptr),
                      0);
    }).join();
    memory.fail = true;
    for (int turns = 0; turns < 2000 && order.size() < posts.size(); turns++) hoya_loop_run_once(loop, HOYA_NOW);
    ASSERT_EQ(order.size(), posts.size());
    for (int i = 0; i < 500; i++) EXPECT_EQ(order[i], i);
}

TEST_F(Memory, APostBehindABatchThatCouldNotBeMovedIsNotForgotten)
{
    struct Job {
        Memory *test;
        int number;
        static void Run(void *arg)
        {
            Job *job = static_cast<Job *>(arg);
            job->test->order.push_back(job->number);
            if (job->number == 299) hoya_loop_stop(job->test->loop);
        }
    };
    std::vector<Job> jobs;
    for (int i = 0; i < 300; i++) jobs.push_back({this, i});
    std::thread([&] {
        for (int i = 0; i < 200; i++)
            EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, Job::Run, &jobs[i], nullptr, nullptr), 0);
    }).join();
    memory.fail = true;
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1) << "one at a time";
    memory.fail = false;
    std::thread([&] {
        for (int i = 200; i < 300; i++)
            EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, Job::Run, &jobs[i], nullptr, nullptr), 0);
    }).join();
    memory.fail = true;
    EXPECT_EQ(hoya_loop_run_forever(loop), 0)
        << "the last of them stops the loop, which blocks when it has no work";
    ASSERT_EQ(order.size(), 300u);
    for (int i = 0; i < 300; i++) EXPECT_EQ(order[i], i);
}

TEST_F(Memory, OnlyMakingFails)
{
    int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
    int destroyed = 0, ran = 0;
    auto run = [](void *arg) { ++*static_cast<int *>(arg); };
    auto on_fd = [](hoya_fd number, uint32_t, void *arg) {
        uint64_t n;
        EXPECT_EQ(read(number, &n, sizeof n), 8);
        ++*static_cast<int *>(arg);
    };
    ASSERT_EQ(hoya_loop_call_later(loop, 0, run, &ran, nullptr, nullptr), 0);
    ASSERT_EQ(hoya_loop_add_reader(loop, fd, on_fd, &ran, nullptr), 0);
    hoya_handle *cancelled = nullptr;
    ASSERT_EQ(hoya_loop_call_later(loop, HOYA_SEC(9), run, &destroyed, run, &cancelled), 0);

    memory.fail = true;
    EXPECT_EQ(hoya_loop_call_later(loop, 0, run, &destroyed, run, nullptr), HOYA_ENOMEM);
    EXPECT_EQ(hoya_loop_call_soon_full(loop, run, &destroyed, run, nullptr), HOYA_ENOMEM);
    EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, run, &destroyed, run, nullptr), HOYA_ENOMEM);
    EXPECT_EQ(hoya_loop_replace_reader(loop, fd, on_fd, &destroyed, run), HOYA_ENOMEM);
    EXPECT_EQ(destroyed, 4);
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 2);
    EXPECT_EQ(ran, 2);
    EXPECT_EQ(hoya_handle_cancel(cancelled), 1);
    EXPECT_EQ(destroyed, 5);
    EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 1);
    hoya_handle_unref(cancelled);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    close(fd);
}

TEST_F(Memory, ARepeatingTimerGoesOnWithoutMemory)
{
    int calls = 0, destroyed = 0;
    auto count = [](void *arg) { ++*static_cast<int *>(arg); };
    hoya_handle *timer = nullptr;
    ASSERT_EQ(hoya_loop_call_every(loop, HOYA_USEC(100), 0, count, &calls, nullptr, &timer), 0);
    memory.fail = true;
    EXPECT_EQ(hoya_loop_call_every(loop, HOYA_USEC(100), 0, count, &destroyed, count, nullptr), HOYA_ENOMEM);
    EXPECT_EQ(destroyed, 1);
    while (calls < 5) ASSERT_GE(hoya_loop_run_once(loop, HOYA_NEVER), 0);
    EXPECT_EQ(hoya_handle_cancel(timer), 1);
    hoya_handle_unref(timer);
}

TEST_F(Memory, ALoopThatCannotBeMadeLeavesNothingBehind)
{
    memory.fail = true;
    hoya_loop *second = nullptr;
    EXPECT_EQ(hoya_loop_new(nullptr, &second), HOYA_ENOMEM);
    EXPECT_EQ(second, nullptr);
    EXPECT_STREQ(hoya_error_detail(), "out of memory");
}
