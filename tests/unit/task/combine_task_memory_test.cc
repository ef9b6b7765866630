/* SPDX-License-Identifier: MIT
 *
 * unit/task/combine_task_memory_test.cc: what tasks that wait for several futures do without memory.
 */
#include <functional>
#include <vector>

#include "support/futures.h"
#include "unit/failing_allocator.h"

namespace hoya_test
{
namespace
{

class CombineTaskMemory : public testing::Test
{
  protected:
    using Work = std::function<int()>;

    void SetUp() override { ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0); }
    void TearDown() override
    {
        allocator.fail = false;
        futures.clear();
        hoya_loop_unref(loop);
    }
    void Run(Work work)
    {
        hoya_task *task = nullptr;
        auto run = [](hoya_task *, void *arg) { return (*static_cast<Work *>(arg))(); };
        ASSERT_EQ(hoya_create_task(loop, run, &work, nullptr, &task), 0);
        while (!hoya_future_done(hoya_task_future(task))) {
            ASSERT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
            if (on_round) on_round();
        }
        EXPECT_EQ(hoya_future_result(hoya_task_future(task), nullptr), 0) << hoya_error_detail();
        hoya_task_unref(task);
    }
    std::vector<hoya_future *> Make(int n)
    {
        std::vector<hoya_future *> parts;
        for (int i = 0; i < n; i++) {
            futures.push_back(NewFuture(loop));
            parts.push_back(futures.back().get());
        }
        return parts;
    }

    FailingAllocator allocator;
    hoya_loop *loop = nullptr;
    std::vector<Future> futures;
    Work on_round;
};

int Win(hoya_task *, void *)
{
    return 0;
}

void Count(void *arg)
{
    ++*static_cast<int *>(arg);
}

} // namespace

TEST_F(CombineTaskMemory, AWaitForAFewFuturesNeedsNone)
{
    auto parts = Make(16), many = Make(17);
    on_round = [&] { return hoya_future_set_result(parts[7], nullptr, nullptr); };
    Run([&] {
        int before = allocator.calls;
        allocator.fail = true;
        EXPECT_EQ(hoya_wait(parts.data(), parts.size(), HOYA_FIRST_COMPLETED, HOYA_NEVER), 1);
        EXPECT_EQ(allocator.calls, before);
        EXPECT_EQ(hoya_wait(parts.data(), parts.size(), HOYA_ALL_COMPLETED, HOYA_SEC(1)), HOYA_ENOMEM) << "a timer";
        EXPECT_EQ(hoya_wait(many.data(), many.size(), HOYA_ALL_COMPLETED, HOYA_NEVER), HOYA_ENOMEM);
        EXPECT_EQ(hoya_wait_for(many[0], HOYA_SEC(1), nullptr), HOYA_ENOMEM);
        EXPECT_FALSE(hoya_future_done(many[0])) << "it has done nothing";
        EXPECT_EQ(hoya_wait_for(parts[7], HOYA_SEC(1), nullptr), 0) << "what is done needs none";
        allocator.fail = false;
        return 0;
    });
}

TEST_F(CombineTaskMemory, AnIterationNeedsItOnlyToBeMade)
{
    auto parts = Make(3);
    hoya_as_completed *iterator = nullptr;
    allocator.fail = true;
    EXPECT_EQ(hoya_as_completed_new(loop, parts.data(), 3, &iterator), HOYA_ENOMEM);
    allocator.fail = false;
    ASSERT_EQ(hoya_as_completed_new(loop, parts.data(), 3, &iterator), 0);
    int round = 0;
    on_round = [&] { return round < 3 ? hoya_future_set_result(parts[size_t(2 - round++)], nullptr, nullptr) : 0; };
    Run([&] {
        int before = allocator.calls;
        allocator.fail = true;
        hoya_future *future = nullptr;
        for (size_t i = 3; i-- > 0;) {
            EXPECT_EQ(hoya_as_completed_next(iterator, &future), 1);
            EXPECT_EQ(future, parts[i]);
        }
        EXPECT_EQ(hoya_as_completed_next(iterator, &future), 0);
        hoya_as_completed_free(iterator);
        EXPECT_EQ(allocator.calls, before);
        allocator.fail = false;
        return 0;
    });
}

TEST_F(CombineTaskMemory, ARaceThatRunsOutOfItEndsWholeAndDestroysItsArguments)
{
    Run([&] {
        for (int allowed = 0;; allowed++) {
            int destroyed = 0;
            size_t winner = 9;
            hoya_attempt attempts[3];
            for (hoya_attempt &attempt : attempts) attempt = {Win, &destroyed, Count, nullptr, nullptr};
            allocator.fail_after = allowed;
            int rc = hoya_staggered_race(attempts, 3, 0, &winner);
            bool enough = allocator.fail_after >= 0;
            allocator.fail_after = -1;
            EXPECT_EQ(destroyed, 3) << allowed;
            for (hoya_attempt &attempt : attempts) {
                if (attempt.task) EXPECT_TRUE(hoya_future_done(hoya_task_future(attempt.task)));
                hoya_task_unref(attempt.task);
            }
            EXPECT_TRUE(rc == 0 || rc == HOYA_ENOMEM) << rc;
            if (rc == 0) EXPECT_EQ(winner, 0u);
            if (enough) return rc;
        }
    });
}

} // namespace hoya_test
