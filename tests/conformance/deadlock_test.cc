/* SPDX-License-Identifier: MIT
 *
 * conformance/deadlock_test.cc: in debug mode a native loop says when all tasks wait and nothing will wake them.
 */
#include "tasks.h"

#include <atomic>
#include <thread>

namespace hoya_test
{

class Deadlock : public TaskConformance
{
  protected:
    void SetUp() override
    {
        TaskConformance::SetUp();
        hoya_loop_set_debug(loop, 1);
    }

    /* Until the loop has said it, or its rounds are over: another thread stops it then. */
    void RunUntilTold()
    {
        std::atomic<bool> over{false};
        std::thread watcher([&] {
            while (!over && !Logged("deadlock: ")) std::this_thread::yield();
            hoya_loop_stop(loop);
        });
        Run();
        over = true;
        watcher.join();
    }
    Task Waiter(const char *name, hoya_future *future)
    {
        return Create([future](hoya_task *) { return hoya_await(future, nullptr); }, name);
    }
    void End(const std::vector<hoya_task *> &tasks)
    {
        hoya_loop_set_debug(loop, 0);
        for (hoya_task *task : tasks) hoya_task_cancel(task, nullptr);
        RunRounds(3);
        for (hoya_task *task : tasks) EXPECT_EQ(hoya_future_done(hoya_task_future(task)), 1);
    }
};

TEST_P(Deadlock, TasksThatWaitForEverAreNamedWithWhatTheyWaitFor)
{
    Future never = NewFuture();
    Task first = Waiter("first", never.get()), second = Waiter("second", Of(first));
    RunUntilTold();
    EXPECT_TRUE(Logged("deadlock: all tasks wait"));
    EXPECT_TRUE(Logged("deadlock: first waits for a future from "));
    EXPECT_TRUE(Logged("deadlock: second waits for first"));
    End({first.get(), second.get()});
}

TEST_P(Deadlock, ItIsSaidOnce)
{
    Future never = NewFuture();
    Task task = Waiter("task", never.get());
    RunUntilTold();
    ClearLog();
    CallSoon([] {});
    std::thread stopper([this] {
        while (!hoya_loop_is_running(loop)) std::this_thread::yield();
        hoya_loop_stop(loop);
    });
    Run();
    stopper.join();
    EXPECT_FALSE(Logged("deadlock"));
    End({task.get()});
}

TEST_P(Deadlock, WhoHasATimerADescriptorASignalOrAnAnswerToWaitForIsNotTold)
{
    Future never = NewFuture();
    Task task = Waiter("task", never.get());
    std::vector<std::function<std::function<void()>()>> things = {
        [this] {
            auto timer = std::make_shared<Handle>(CallLater(HOYA_SEC(3600), [] {}));
            return [timer] { hoya_handle_cancel(timer->get()); };
        },
        [this] {
            int fd = MakePair()[0];
            AddReader(fd, [] {});
            return [this, fd] { hoya_loop_remove_reader(loop, fd); };
        },
        [this] {
            AddSignal(SIGUSR2, [](int) {});
            return [this] { hoya_loop_remove_signal_handler(loop, SIGUSR2); };
        },
        [this] {
            hoya_thread_future *answer = nullptr;
            hoya_future *here = nullptr;
            EXPECT_EQ(hoya_thread_future_new(&answer), 0);
            EXPECT_EQ(hoya_wrap_future(loop, answer, &here), 0);
            return [answer, here] {
                hoya_thread_future_set_result(answer, nullptr, nullptr);
                hoya_thread_future_unref(answer);
                hoya_future_unref(here);
            };
        },
    };
    for (auto &make : things) {
        auto end = make();
        std::thread stopper([this] {
            AwaitSleep();
            hoya_loop_stop(loop);
        });
        Run();
        stopper.join();
        end();
        EXPECT_FALSE(Logged("deadlock")) << &make - things.data();
    }
    RunRounds(2);
    End({task.get()});
}

TEST_P(Deadlock, WhoWaitsForAJobIsNotTold)
{
    std::atomic<bool> looked{false};
    Task task = Create([&](hoya_task *) {
        auto job = [](hoya_job *, void *arg) {
            while (!*static_cast<std::atomic<bool> *>(arg)) std::this_thread::yield();
            return 0;
        };
        return hoya_to_thread(job, &looked, nullptr, nullptr, nullptr);
    });
    std::thread looker([&] {
        AwaitSleep();
        looked = true;
    });
    RunUntilDone({Of(task)});
    looker.join();
    EXPECT_FALSE(Logged("deadlock"));
    hoya_future *shut = nullptr;
    EXPECT_EQ(hoya_shutdown_default_executor(loop, HOYA_NEVER, &shut), 0);
    RunUntilDone({shut});
    hoya_future_unref(shut);
}

TEST_P(Deadlock, ALoopWithoutTasksWaitsForOtherThreads)
{
    std::thread poster([this] {
        AwaitSleep();
        CallSoonThreadsafe([this] { Stop(); });
    });
    Run();
    poster.join();
    EXPECT_FALSE(Logged("deadlock"));
}

std::vector<Variant> NativeVariants()
{
    std::vector<Variant> found;
    for (const Variant &variant : variants())
        if (std::string(variant.name).rfind("native", 0) == 0) found.push_back(variant);
    return found;
}

INSTANTIATE_TEST_SUITE_P(Hosts, Deadlock, ::testing::ValuesIn(NativeVariants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace hoya_test
