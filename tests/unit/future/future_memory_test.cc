/* SPDX-License-Identifier: MIT
 *
 * unit/future/future_memory_test.cc: completing, cancelling and letting go need no memory, and leave no place behind.
 */
#include <thread>
#include <vector>

#include "support/futures.h"
#include "unit/failing_allocator.h"

namespace hoya_test
{
namespace
{

class FutureMemory : public testing::Test
{
  public:
    FailingAllocator memory; /* before the loop is made, and until it is freed */
    hoya_loop *loop = nullptr;

    void SetUp() override { ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0); }
    void TearDown() override
    {
        hoya_loop_close(loop);
        hoya_loop_unref(loop);
    }
    void Turn(int rounds)
    {
        while (rounds--) EXPECT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
    }
};

} // namespace

TEST_F(FutureMemory, CompletingAndLettingGoAskForNone)
{
    int done = 0;
    std::vector<Future> futures;
    for (int i = 0; i < 300; i++) {
        futures.push_back(NewFuture(loop));
        WhenDone(futures.back(), [&done] { done++; });
    }
    memory.fail = true;
    memory.calls = 0;
    for (int i = 0; i < 100; i++) {
        EXPECT_EQ(hoya_future_set_result(futures[3 * i].get(), nullptr, nullptr), 0);
        EXPECT_EQ(hoya_future_cancel(futures[3 * i + 1].get(), nullptr), 1);
        futures[3 * i + 2].reset();
    }
    Turn(2);
    EXPECT_EQ(done, 200);
    EXPECT_EQ(memory.calls, 0);
    futures.clear();
    memory.fail = false;
}

TEST_F(FutureMemory, ATextThatCannotBeCopiedIsDroppedAndTheCodeIsNot)
{
    Future future = NewFuture(loop);
    memory.fail = true;
    EXPECT_EQ(hoya_future_set_exception(future.get(), HOYA_EPIPE, "a text"), 0);
    EXPECT_EQ(hoya_future_result(future.get(), nullptr), HOYA_EPIPE);
    EXPECT_STREQ(hoya_error_detail(), "broken pipe");
    memory.fail = false;
}

/* More than the arrays of the inbox hold at first, with other posts between them. */
TEST_F(FutureMemory, WhatOtherThreadsCompleteArrivesWithoutAny)
{
    std::vector<ThreadFuture> sources;
    std::vector<Future> futures;
    int done = 0;
    for (int i = 0; i < 200; i++) {
        sources.push_back(NewThreadFuture());
        futures.push_back(Wrap(loop, sources.back()));
        WhenDone(futures.back(), [&done] { done++; });
    }
    auto nothing = [](void *) {};
    for (int half = 0; half < 2; half++) {
        /* The two arrays change places, and are filled by others as far as they let them. */
        Turn(1);
        memory.fail = true;
        std::thread([&] {
            while (hoya_loop_call_soon_threadsafe(loop, nothing, nullptr, nullptr, nullptr) == 0) continue;
            for (int i = 0; i < 100; i++)
                EXPECT_EQ(hoya_thread_future_set_result(sources[half * 100 + i].get(), nullptr, nullptr), 0);
        }).join();
        for (int i = 0; i < 2000 && done < 100 * (half + 1); i++) hoya_loop_run_once(loop, HOYA_NOW);
        EXPECT_EQ(done, 100 * (half + 1));
        memory.fail = false;
    }
}

TEST_F(FutureMemory, WhatIsCompletedInsideTheLoopArrivesWithoutAny)
{
    ThreadFuture source = NewThreadFuture();
    Future future = Wrap(loop, source);
    auto complete = [](void *arg) {
        auto test = static_cast<std::pair<FutureMemory *, ThreadFuture *> *>(arg);
        while (hoya_loop_call_soon(
                   test->first->loop, [](void *) {}, nullptr) == 0)
            continue;
        EXPECT_EQ(hoya_thread_future_set_result(test->second->get(), nullptr, nullptr), 0);
    };
    std::pair<FutureMemory *, ThreadFuture *> arg{this, &source};
    ASSERT_EQ(hoya_loop_call_soon(loop, complete, &arg), 0);
    memory.fail = true;
    Turn(4);
    EXPECT_EQ(hoya_future_done(future.get()), 1);
    memory.fail = false;
}

TEST_F(FutureMemory, PlacesOfCallbacksThatAreDroppedAreGivenBack)
{
    memory.largest = 0;
    for (int turn = 0; turn < 1000; turn++) {
        Future future = NewFuture(loop);
        WhenDone(future, [] {});
    }
    EXPECT_LT(memory.largest, 4096u);
}

/* A place that is not given back makes the ring or the inbox grow beyond a kilobyte, in a thousand turns. */
TEST_F(FutureMemory, PlacesAreGivenBackHoweverAChainEnds)
{
    memory.largest = 0;
    for (int turn = 0; turn < 5000; turn++) {
        int how = turn % 5;
        ThreadFuture source = NewThreadFuture();
        Future future = Wrap(loop, source), other = NewFuture(loop);
        ASSERT_EQ(hoya_future_chain(future.get(), other.get()), 0);
        if (how == 0) hoya_thread_future_set_result(source.get(), nullptr, nullptr);
        if (how == 1) hoya_thread_future_cancel(source.get(), nullptr);
        if (how == 2) hoya_future_cancel(other.get(), nullptr);
        if (how == 3) hoya_future_set_result(future.get(), nullptr, nullptr);
        if (how == 4) hoya_future_set_result(other.get(), nullptr, nullptr);
        Turn(5);
        if (how == 4) hoya_future_cancel(future.get(), nullptr);
        Turn(3);
    }
    EXPECT_LT(memory.largest, 4096u);
}

TEST_F(FutureMemory, ARefusedWrapLeavesNoPlace)
{
    int made = 0;
    memory.largest = 0;
    for (int turn = 0; turn < 8000; turn++) {
        ThreadFuture source = NewThreadFuture();
        hoya_future *future = nullptr;
        memory.fail_after = turn % 8; /* the future, the bridge, two callbacks, two arrays */
        int rc = hoya_wrap_future(loop, source.get(), &future);
        memory.fail_after = -1;
        made += rc == 0;
        if (rc < 0) EXPECT_EQ(rc, HOYA_ENOMEM);
        if (rc < 0) continue;
        hoya_future_cancel(future, nullptr);
        hoya_future_unref(future);
        Turn(2);
    }
    EXPECT_GE(made, 1000);
    EXPECT_LE(made, 4000);
    EXPECT_LT(memory.largest, 4096u);
}

} // namespace hoya_test
