/* SPDX-License-Identifier: MIT
 *
 * conformance/arguments_test.cc: handles and arguments: what cancel does, from this thread and from others, and
 * that an argument is destroyed exactly once, whatever happens.
 */
#include "conformance.h"

#include <atomic>
#include <thread>

namespace hoya_test
{

/* ---- cancel ---- */

// Holds: S17 S162
TEST_P(LoopConformance, CancelDestroysTheArgumentAtOnce)
{
    Probe probe;
    hoya_handle *handle = nullptr;
    ASSERT_EQ(hoya_loop_call_soon_full(loop, Probe::Run, &probe, Probe::Destroy, &handle), 0);
    EXPECT_EQ(hoya_handle_cancelled(handle), 0);
    EXPECT_EQ(hoya_handle_cancel(handle), 1);
    EXPECT_EQ(probe.destroyed, 1) << "before the loop has run";
    EXPECT_EQ(hoya_handle_cancelled(handle), 1);
    EXPECT_EQ(hoya_handle_cancel(handle), 0) << "the second cancel has nothing to do";
    hoya_handle_unref(handle);
    RunRounds(2);
    EXPECT_EQ(probe.runs, 0);
    EXPECT_EQ(probe.destroyed, 1);
}

// Holds: S25 S1
TEST_P(LoopConformance, AnEarlierCallbackOfTheRoundMayCancelALaterOne)
{
    Handle second;
    CallSoon([&] { EXPECT_EQ(hoya_handle_cancel(second.get()), 1); });
    second = CallSoonHandle(Say("cancelled"));
    CallSoon([this] {
        Note("third");
        Stop();
    });
    Run();
    EXPECT_EQ(trace, Trace{"third"});
}

// Holds: S17 S162
TEST_P(LoopConformance, CancelAfterTheRunChangesNothing)
{
    Probe probe;
    hoya_handle *handle = nullptr;
    ASSERT_EQ(hoya_loop_call_soon_full(loop, Probe::Run, &probe, Probe::Destroy, &handle), 0);
    RunRounds(2);
    EXPECT_EQ(hoya_handle_cancel(handle), 0);
    EXPECT_EQ(hoya_handle_cancelled(handle), 0);
    hoya_handle_unref(handle);
    EXPECT_EQ(probe.runs, 1);
    EXPECT_EQ(probe.destroyed, 1);
}

// Holds: S17 F20
TEST_P(LoopConformance, ACallbackThatCancelsItselfKeepsItsArgumentUntilItReturns)
{
    struct Self {
        Probe probe;
        hoya_handle *handle = nullptr;
        int destroyed_while_running = -1;
    } self;
    auto run = [](void *arg) {
        auto it = static_cast<Self *>(arg);
        hoya_handle_cancel(it->handle);
        it->destroyed_while_running = it->probe.destroyed;
    };
    auto destroy = [](void *arg) { static_cast<Self *>(arg)->probe.destroyed++; };
    ASSERT_EQ(hoya_loop_call_soon_full(loop, run, &self, destroy, &self.handle), 0);
    RunRounds(2);
    hoya_handle_unref(self.handle);
    EXPECT_EQ(self.destroyed_while_running, 0);
    EXPECT_EQ(self.probe.destroyed, 1);
}

// Holds: S17
TEST_P(LoopConformance, AHandleMayOutliveItsLoop)
{
    hoya_loop *sibling = NewSibling();
    Probe probe;
    hoya_handle *handle = nullptr;
    ASSERT_EQ(hoya_loop_call_soon_full(sibling, Probe::Run, &probe, Probe::Destroy, &handle), 0);
    hoya_handle *again = hoya_handle_ref(handle);
    hoya_handle_unref(handle);
    Release(sibling);
    EXPECT_EQ(probe.destroyed, 1);
    EXPECT_EQ(hoya_handle_cancel(again), 0) << "dropped before";
    EXPECT_EQ(hoya_handle_cancelled(again), 0);
    hoya_handle_unref(again);
}

/* ---- destroy: exactly once, whatever happens ---- */

// Holds: S162
TEST_P(LoopConformance, DestroyComesAfterTheRun)
{
    struct Words {
        Work run, destroy;
    } words = {Say("run"), Say("destroy")};
    auto run = [](void *arg) { static_cast<Words *>(arg)->run(); };
    auto destroy = [](void *arg) { static_cast<Words *>(arg)->destroy(); };
    ASSERT_EQ(hoya_loop_call_soon_full(loop, run, &words, destroy, nullptr), 0);
    CallSoon(Say("next"));
    ASSERT_EQ(hoya_loop_call_later(loop, HOYA_USEC(100), run, &words, destroy, nullptr), 0);
    RunUntilNoted(5);
    EXPECT_EQ(trace, (Trace{"run", "destroy", "next", "run", "destroy"}));
}

// Holds: S162 S15
TEST_P(LoopConformance, CloseDestroysEveryArgumentOnce)
{
    Probe probe;
    int fd = MakePair()[0];
    EXPECT_EQ(hoya_loop_call_soon_full(loop, Probe::Run, &probe, Probe::Destroy, nullptr), 0);
    EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, Probe::Run, &probe, Probe::Destroy, nullptr), 0);
    EXPECT_EQ(hoya_loop_call_later(loop, 0, Probe::Run, &probe, Probe::Destroy, nullptr), 0);
    EXPECT_EQ(hoya_loop_call_later(loop, HOYA_SEC(60), Probe::Run, &probe, Probe::Destroy, nullptr), 0);
    EXPECT_EQ(hoya_loop_add_reader(loop, fd, Probe::RunFd, &probe, Probe::Destroy), 0);
    EXPECT_EQ(hoya_loop_add_writer(loop, fd, Probe::RunFd, &probe, Probe::Destroy), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(probe.runs, 0);
    EXPECT_EQ(probe.destroyed, 6);
}

// Holds: S162 S79
TEST_P(LoopConformance, AFailedSubmissionDestroysTheArgument)
{
    EXPECT_EQ(hoya_loop_close(loop), 0);
    Probe probe;
    hoya_handle *handle = nullptr;
    int fd = MakeReadable();
    EXPECT_EQ(hoya_loop_call_soon_full(loop, Probe::Run, &probe, Probe::Destroy, &handle), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_call_later(loop, 0, Probe::Run, &probe, Probe::Destroy, &handle), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_call_at(loop, HOYA_NOW, Probe::Run, &probe, Probe::Destroy, &handle), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, Probe::Run, &probe, Probe::Destroy, nullptr), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_add_reader(loop, fd, Probe::RunFd, &probe, Probe::Destroy), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_replace_reader(loop, fd, Probe::RunFd, &probe, Probe::Destroy), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_add_writer(loop, fd, Probe::RunFd, &probe, Probe::Destroy), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_replace_writer(loop, fd, Probe::RunFd, &probe, Probe::Destroy), HOYA_ECLOSED);
    EXPECT_EQ(probe.destroyed, 8);
    EXPECT_EQ(handle, nullptr) << "outputs are untouched on failure";
}

// Holds: S162
TEST_P(LoopConformance, ADestroyFunctionMayScheduleAgain)
{
    struct Again {
        hoya_loop *loop;
        Probe probe;
    } again{loop, {}};
    auto schedule = [](void *arg) {
        auto it = static_cast<Again *>(arg);
        EXPECT_EQ(hoya_loop_call_soon(it->loop, Probe::Run, &it->probe), 0);
    };
    auto nothing = [](void *) {};
    hoya_handle *handle = nullptr;
    ASSERT_EQ(hoya_loop_call_soon_full(loop, nothing, &again, schedule, nullptr), 0);
    ASSERT_EQ(hoya_loop_call_soon_full(loop, nothing, &again, schedule, &handle), 0);
    EXPECT_EQ(hoya_handle_cancel(handle), 1);
    hoya_handle_unref(handle);
    RunRounds(2);
    EXPECT_EQ(again.probe.runs, 2);
}

// Holds: S162 S15
TEST_P(LoopConformance, ADestroyFunctionAtCloseFindsTheLoopClosed)
{
    struct Late {
        hoya_loop *loop;
        int answer = 0;
    } late{loop};
    auto schedule = [](void *arg) {
        auto it = static_cast<Late *>(arg);
        it->answer = hoya_loop_call_soon(
            it->loop, [](void *) {}, nullptr);
    };
    ASSERT_EQ(hoya_loop_call_soon_full(
                  loop, [](void *) {}, &late, schedule, nullptr),
              0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(late.answer, HOYA_ECLOSED);
}

/* ---- cancelling from elsewhere ---- */

// Holds: S18
TEST_P(LoopConformance, CancelFromAnotherThreadWaitsForTheCallbackThatRuns)
{
    struct Meeting {
        std::atomic<bool> running{false}, cancelling{false}, finished{false};
    } meeting;
    auto run = [](void *arg) {
        auto it = static_cast<Meeting *>(arg);
        it->running = true;
        while (!it->cancelling) std::this_thread::yield();
        Burn(HOYA_MSEC(5)); /* a cancel that does not wait would return in this time */
        it->finished = true;
    };
    hoya_threadsafe_handle *handle = nullptr;
    ASSERT_EQ(hoya_loop_call_soon_threadsafe(loop, run, &meeting, nullptr, &handle), 0);
    std::thread canceller([&] {
        while (!meeting.running) std::this_thread::yield();
        meeting.cancelling = true;
        EXPECT_EQ(hoya_threadsafe_handle_cancel(handle), 0) << "it has run";
        EXPECT_TRUE(meeting.finished);
    });
    RunRounds(2);
    canceller.join();
    EXPECT_EQ(hoya_threadsafe_handle_cancelled(handle), 0);
    hoya_threadsafe_handle_unref(handle);
}

// Holds: S18
TEST_P(LoopConformance, CancelInsideTheCallbackReturnsAtOnce)
{
    ThreadsafeHandle handle;
    hoya_threadsafe_handle *made = nullptr;
    auto work = new Work([&] {
        hoya_threadsafe_handle_cancel(handle.get());
        Note("returned");
    });
    ASSERT_EQ(hoya_loop_call_soon_threadsafe(loop, Lambda::Run, work, Lambda::Destroy, &made), 0);
    handle.reset(made);
    RunUntilNoted(1);
}

// Holds: S18 S17 S162
TEST_P(LoopConformance, CancelFromAnotherThreadInTimeDestroysTheArgumentThere)
{
    Probe probe;
    hoya_threadsafe_handle *handle = nullptr;
    ASSERT_EQ(hoya_loop_call_soon_threadsafe(loop, Probe::Run, &probe, Probe::Destroy, &handle), 0);
    std::thread([&] {
        EXPECT_EQ(hoya_threadsafe_handle_cancel(handle), 1);
        EXPECT_EQ(probe.destroyed, 1);
        EXPECT_EQ(hoya_threadsafe_handle_cancelled(handle), 1);
        EXPECT_EQ(hoya_threadsafe_handle_cancel(handle), 0);
        hoya_threadsafe_handle_unref(handle);
    }).join();
    RunRounds(2);
    EXPECT_EQ(probe.runs, 0);
    EXPECT_EQ(probe.destroyed, 1);
}

// Holds: S18 S162
TEST_P(LoopConformance, APostIsRunOrCancelledNeverBoth)
{
    constexpr size_t kPosts = 1000;
    struct Fate {
        std::atomic<int> runs{0}, destroyed{0};
        int cancelled = 0;
    };
    std::vector<Fate> fates(kPosts);
    auto run = [](void *arg) { static_cast<Fate *>(arg)->runs++; };
    auto destroy = [](void *arg) { static_cast<Fate *>(arg)->destroyed++; };
    std::thread other([&] {
        for (Fate &fate : fates) {
            hoya_threadsafe_handle *handle = nullptr;
            EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, run, &fate, destroy, &handle), 0);
            fate.cancelled = hoya_threadsafe_handle_cancel(handle);
            EXPECT_EQ(hoya_threadsafe_handle_cancelled(handle), fate.cancelled);
            hoya_threadsafe_handle_unref(handle);
        }
        Stop();
    });
    Run();
    other.join();
    RunRounds(2);
    int wrong = 0;
    for (Fate &fate : fates) wrong += fate.runs + fate.cancelled != 1 || fate.destroyed != 1;
    EXPECT_EQ(wrong, 0);
}

} // namespace hoya_test
