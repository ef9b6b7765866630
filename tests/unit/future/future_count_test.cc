/* SPDX-License-Identifier: MIT
 *
 * unit/future/future_count_test.cc: how many futures are alive: exact for the thread that asks at any time, and for all of
 * them when no callback runs.
 */
#include <thread>
#include <vector>

#include <hoya/hoya.h>

#include "unit/base/own_memory.h"
#include "unit/loop/fake_host.h"

using namespace hoya_test;

namespace
{

int64_t seen_by_another_thread()
{
    int64_t count = 0;
    std::thread([&count] { count = Live().futures; }).join();
    return count;
}

} // namespace

class FutureCount : public FakeHosted
{
  public:
    int64_t before = Live().futures;
    std::vector<hoya_future *> futures;

    void more(int n)
    {
        for (int i = 0; i < n; i++) {
            futures.push_back(nullptr);
            EXPECT_EQ(hoya_future_new(loop, &futures.back()), 0);
        }
    }
    void less(size_t n)
    {
        for (; n > 0; n--, futures.pop_back()) hoya_future_unref(futures.back());
    }
};

TEST_F(FutureCount, ItsOwnThreadSeesACallbacksFuturesAtOnceAndOthersWhenTheDispatchIsOver)
{
    make();
    soon([this] {
        more(3);
        EXPECT_EQ(Live().futures, before + 3);
        EXPECT_EQ(seen_by_another_thread(), before);
        less(1);
        EXPECT_EQ(Live().futures, before + 2);
    });
    host->turn();
    EXPECT_EQ(Live().futures, before + 2);
    EXPECT_EQ(seen_by_another_thread(), before + 2);
    soon([this] { less(2); });
    host->turn();
    EXPECT_EQ(seen_by_another_thread(), before);
}

TEST_F(FutureCount, ADispatchInsideACallbackHandsInWhatBothHaveMade)
{
    make();
    soon([this] {
        more(1);
        soon([this] { more(2); });
        host->turn();
        EXPECT_EQ(seen_by_another_thread(), before + 3);
        more(4);
        EXPECT_EQ(Live().futures, before + 7);
        EXPECT_EQ(seen_by_another_thread(), before + 3) << "the outer one goes on";
    });
    host->turn();
    EXPECT_EQ(seen_by_another_thread(), before + 7);
    less(futures.size());
}

TEST_F(FutureCount, OutsideADispatchEachCountsAtOnce)
{
    make();
    soon([] {});
    host->turn();
    more(2);
    EXPECT_EQ(seen_by_another_thread(), before + 2);
    less(2);
    EXPECT_EQ(seen_by_another_thread(), before);
}

TEST(FutureCountOfThreads, TheTasksOfManyThreadsAddUpToNone)
{
    int64_t before = Live().futures;
    auto spawner = [](hoya_task *, void *of) {
        for (int i = 0; i < 1000; i++) {
            hoya_task *task = nullptr;
            EXPECT_EQ(
                hoya_create_task(
                    static_cast<hoya_loop *>(of), [](hoya_task *, void *) { return 0; }, nullptr, nullptr, &task),
                0);
            if (i % 3 != 1) EXPECT_EQ(hoya_await(hoya_task_future(task), nullptr), 0);
            hoya_task_unref(task);
        }
        return hoya_loop_stop(static_cast<hoya_loop *>(of));
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&spawner] {
            hoya_loop *own = nullptr;
            EXPECT_EQ(hoya_loop_new(nullptr, &own), 0);
            EXPECT_EQ(hoya_create_task(own, spawner, own, nullptr, nullptr), 0);
            EXPECT_EQ(hoya_loop_run_forever(own), 0);
            hoya_loop_unref(own);
        });
    for (auto &thread : threads) thread.join();
    EXPECT_EQ(Live().futures, before);
}
