/* SPDX-License-Identifier: MIT
 *
 * conformance/thread_future_test.cc: the future of threads, and wrap_future, which brings it to a loop.
 */
#include "conformance.h"

#include <atomic>
#include <thread>

#include "support/futures.h"

namespace hoya_test
{
namespace
{

void CountInline(hoya_thread_future *, void *arg)
{
    Probe::Run(arg);
}

} // namespace

/* ---- the future of threads ------------------------------------------------------------------------------ */

// Holds: S31 S32 S162
TEST(ThreadFuture, IsCompletedOnceAndKeepsItsValue)
{
    Value value, late;
    void *out = nullptr;
    {
        ThreadFuture future = NewThreadFuture();
        EXPECT_EQ(hoya_thread_future_done(future.get()), 0);
        EXPECT_EQ(hoya_thread_future_set_result(future.get(), &value, Value::Destroy), 0);
        EXPECT_EQ(hoya_thread_future_set_result(future.get(), &late, Value::Destroy), HOYA_ESTATE);
        EXPECT_EQ(hoya_thread_future_set_exception(future.get(), HOYA_EPIPE, "late"), HOYA_ESTATE);
        EXPECT_EQ(hoya_thread_future_cancel(future.get(), nullptr), 0);
        EXPECT_EQ(hoya_thread_future_done(future.get()), 1);
        EXPECT_EQ(hoya_thread_future_cancelled(future.get()), 0);
        EXPECT_EQ(hoya_thread_future_result(future.get(), HOYA_NOW, &out), 0);
        EXPECT_EQ(out, &value);
        EXPECT_EQ(late.destroyed, 1);
        EXPECT_EQ(value.destroyed, 0);
    }
    EXPECT_EQ(value.destroyed, 1);
}

// Holds: S31
TEST(ThreadFuture, ResultWaitsForAnotherThread)
{
    ThreadFuture future = NewThreadFuture();
    std::atomic<int> code{0};
    std::thread waiter([&] { code = hoya_thread_future_result(future.get(), HOYA_NEVER, nullptr); });
    EXPECT_EQ(hoya_thread_future_set_exception(future.get(), HOYA_EPIPE, "gone"), 0);
    waiter.join();
    EXPECT_EQ(code, HOYA_EPIPE);
}

// Holds: S31
TEST(ThreadFuture, ResultGivesUpWhenItsTimeIsUp)
{
    ThreadFuture future = NewThreadFuture();
    int64_t start = Now();
    EXPECT_EQ(hoya_thread_future_result(future.get(), HOYA_NOW, nullptr), HOYA_ETIMEDOUT);
    EXPECT_EQ(hoya_thread_future_result(future.get(), HOYA_MSEC(2), nullptr), HOYA_ETIMEDOUT);
    EXPECT_GE(Now() - start, HOYA_MSEC(2));
}

// Holds: S33
TEST(ThreadFuture, WorkThatHasBegunIsNotCancelled)
{
    ThreadFuture begun = NewThreadFuture(), cancelled = NewThreadFuture();
    EXPECT_EQ(hoya_thread_future_set_running_or_notify_cancel(begun.get()), 1);
    EXPECT_EQ(hoya_thread_future_set_running_or_notify_cancel(begun.get()), HOYA_ESTATE);
    EXPECT_EQ(hoya_thread_future_cancel(begun.get(), nullptr), 0);
    EXPECT_EQ(hoya_thread_future_set_result(begun.get(), nullptr, nullptr), 0);
    EXPECT_EQ(hoya_thread_future_cancel(cancelled.get(), "too slow"), 1);
    EXPECT_EQ(hoya_thread_future_set_running_or_notify_cancel(cancelled.get()), 0);
    EXPECT_EQ(hoya_thread_future_cancelled(cancelled.get()), 1);
    EXPECT_EQ(hoya_thread_future_result(cancelled.get(), HOYA_NEVER, nullptr), HOYA_ECANCELED);
    EXPECT_STREQ(hoya_error_detail(), "too slow");
}

// Holds: S30 S34 S162
TEST(ThreadFuture, CallbacksRunInlineInOrderOnce)
{
    ThreadFuture future = NewThreadFuture();
    Trace trace;
    Probe removed, dropped;
    WhenDone(future, [&] { trace.push_back("first"); });
    for (int i = 0; i < 2; i++)
        EXPECT_EQ(hoya_thread_future_add_done_callback(future.get(), CountInline, &removed, Probe::Destroy), 0);
    WhenDone(future, [&] { trace.push_back("second"); });
    EXPECT_EQ(hoya_thread_future_remove_done_callback(future.get(), CountInline, &removed), 2);
    EXPECT_EQ(hoya_thread_future_set_result(future.get(), nullptr, nullptr), 0);
    EXPECT_EQ(trace, (Trace{"first", "second"}));
    WhenDone(future, [&] { trace.push_back("late"); });
    EXPECT_EQ(trace.size(), 3u);
    EXPECT_EQ(removed.runs, 0);
    EXPECT_EQ(removed.destroyed, 2);

    ThreadFuture pending = NewThreadFuture();
    EXPECT_EQ(hoya_thread_future_add_done_callback(pending.get(), CountInline, &dropped, Probe::Destroy), 0);
    pending.reset();
    EXPECT_EQ(dropped.destroyed, 1);
    EXPECT_EQ(dropped.runs, 0);
}

// Holds: S35
TEST(ThreadFuture, ACallbackMayLetTheFutureGo)
{
    ThreadFuture future = NewThreadFuture();
    hoya_thread_future *raw = future.get();
    int ran = 0;
    WhenDone(future, [&] { future.reset(); });
    WhenDone(future, [&] { ran++; });
    EXPECT_EQ(hoya_thread_future_set_result(raw, nullptr, nullptr), 0);
    EXPECT_EQ(ran, 1);
}

TEST(ThreadFuture, WhereThereIsNoFutureEverybodySaysSo)
{
    Value value;
    Probe probe;
    EXPECT_EQ(hoya_thread_future_set_result(nullptr, &value, Value::Destroy), HOYA_EINVAL);
    EXPECT_EQ(value.destroyed, 1);
    EXPECT_EQ(hoya_thread_future_set_exception(nullptr, HOYA_EPIPE, nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_thread_future_cancel(nullptr, nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_thread_future_set_running_or_notify_cancel(nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_thread_future_result(nullptr, HOYA_NOW, nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_thread_future_add_done_callback(nullptr, CountInline, &probe, Probe::Destroy), HOYA_EINVAL);
    EXPECT_EQ(probe.destroyed, 1);
    EXPECT_EQ(hoya_thread_future_remove_done_callback(nullptr, CountInline, &probe), HOYA_EINVAL);
    EXPECT_EQ(hoya_thread_future_done(nullptr), 0);
    EXPECT_EQ(hoya_thread_future_cancelled(nullptr), 0);
}

// Holds: S31
TEST_P(LoopConformance, AThreadThatRunsALoopDoesNotBlockForAFuture)
{
    ThreadFuture future = NewThreadFuture();
    CallSoon([&] {
        EXPECT_EQ(hoya_thread_future_result(future.get(), HOYA_SEC(60), nullptr), HOYA_EDEADLK);
        EXPECT_EQ(hoya_thread_future_result(future.get(), HOYA_NOW, nullptr), HOYA_ETIMEDOUT);
        EXPECT_EQ(hoya_thread_future_set_result(future.get(), nullptr, nullptr), 0);
        EXPECT_EQ(hoya_thread_future_result(future.get(), HOYA_SEC(60), nullptr), 0);
        Note("done");
    });
    RunUntilNoted(1);
}

// Holds: F14
TEST_P(LoopConformance, AThreadThatWaitsForAFutureIsToldWhatTheLoopSays)
{
    ThreadFuture answer = NewThreadFuture(), refusal = NewThreadFuture();
    Value value;
    std::thread waiter([&] {
        void *seen = nullptr;
        EXPECT_EQ(hoya_thread_future_result(answer.get(), HOYA_NEVER, &seen), 0);
        EXPECT_EQ(seen, &value);
        EXPECT_EQ(hoya_thread_future_result(refusal.get(), HOYA_NEVER, &seen), HOYA_EPIPE);
        EXPECT_STREQ(hoya_error_detail(), "no more");
        Stop();
    });
    CallSoon([&] { EXPECT_EQ(hoya_thread_future_set_result(answer.get(), &value, Value::Destroy), 0); });
    CallLater(HOYA_USEC(100),
              [&] { EXPECT_EQ(hoya_thread_future_set_exception(refusal.get(), HOYA_EPIPE, "no more"), 0); });
    Run();
    waiter.join();
    answer.reset();
    EXPECT_EQ(value.destroyed, 1);
}

/* ---- wrap_future ---------------------------------------------------------------------------------------- */

// Holds: S38 F14
TEST_P(LoopConformance, AThreadsResultReachesTheLoop)
{
    ThreadFuture source = NewThreadFuture();
    Future future = Wrap(loop, source);
    Value value;
    void *seen = nullptr;
    WhenDone(future, [&] {
        EXPECT_EQ(hoya_future_result(future.get(), &seen), 0);
        Note("done");
    });
    std::thread worker([&] { hoya_thread_future_set_result(source.get(), &value, Value::Destroy); });
    RunUntilNoted(1);
    worker.join();
    EXPECT_EQ(seen, &value);
    EXPECT_EQ(hoya_thread_future_result(source.get(), HOYA_NOW, nullptr), HOYA_ESTATE) << "it has moved";
    source.reset();
    EXPECT_EQ(value.destroyed, 0);
    future.reset();
    EXPECT_EQ(value.destroyed, 1);
}

// Holds: S38
TEST_P(LoopConformance, AThreadsErrorAndACancelReachTheLoop)
{
    ThreadFuture failed = NewThreadFuture(), cancelled = NewThreadFuture();
    Future first = Wrap(loop, failed), second = Wrap(loop, cancelled);
    WhenDone(first, Say("failed"));
    WhenDone(second, Say("cancelled"));
    std::thread([&] {
        hoya_thread_future_set_exception(failed.get(), HOYA_EPIPE, "gone");
        hoya_thread_future_cancel(cancelled.get(), "no more");
    }).join();
    RunUntilNoted(2);
    EXPECT_EQ(trace, (Trace{"failed", "cancelled"}));
    EXPECT_EQ(hoya_future_result(first.get(), nullptr), HOYA_EPIPE);
    EXPECT_EQ(TextOf(first), "gone");
    EXPECT_EQ(hoya_future_cancelled(second.get()), 1);
    EXPECT_EQ(TextOf(second), "no more");
}

// Holds: S38
TEST_P(LoopConformance, CancellingTheWrapCancelsTheThreadFuture)
{
    ThreadFuture source = NewThreadFuture();
    Future future = Wrap(loop, source);
    EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
    EXPECT_EQ(hoya_thread_future_cancelled(source.get()), 0) << "not inside the call";
    RunRounds(2);
    EXPECT_EQ(hoya_thread_future_cancelled(source.get()), 1);
}

// Holds: S38
TEST_P(LoopConformance, AWrapOfWhatIsDoneIsDoneSoon)
{
    ThreadFuture source = NewThreadFuture();
    EXPECT_EQ(hoya_thread_future_set_result(source.get(), this, nullptr), 0);
    Future future = Wrap(loop, source);
    WhenDone(future, Say("done"));
    EXPECT_EQ(hoya_future_done(future.get()), 0);
    RunUntilNoted(1);
    void *value = nullptr;
    EXPECT_EQ(hoya_future_result(future.get(), &value), 0);
    EXPECT_EQ(value, this);
    EXPECT_EQ(hoya_thread_future_result(source.get(), HOYA_NOW, &value), 0) << "nobody's value is everybody's";
}

// Holds: S38
TEST_P(LoopConformance, AWrapThatIsDoneOtherwiseForgetsTheThreadFuture)
{
    ThreadFuture source = NewThreadFuture();
    Future future = Wrap(loop, source);
    Value value;
    ASSERT_EQ(hoya_future_set_result(future.get(), this, nullptr), 0);
    EXPECT_EQ(hoya_thread_future_set_result(source.get(), &value, Value::Destroy), 0);
    RunRounds(3);
    EXPECT_EQ(hoya_future_result(future.get(), nullptr), 0);
    EXPECT_EQ(hoya_thread_future_result(source.get(), HOYA_NOW, nullptr), 0) << "it was not moved";
    source.reset();
    EXPECT_EQ(value.destroyed, 1);
}

// Holds: S38
TEST_P(LoopConformance, AWrapIsKeptForItsCallbacksWhileItIsPending)
{
    ThreadFuture source = NewThreadFuture();
    Future future = Wrap(loop, source);
    WhenDone(future, Say("done"));
    future.reset();
    EXPECT_EQ(hoya_thread_future_set_result(source.get(), nullptr, nullptr), 0);
    source.reset();
    RunUntilNoted(1);
}

// Holds: S38 S15
TEST_P(LoopConformance, AClosedLoopDropsAChainWithoutAnError)
{
    hoya_loop *sibling = NewSibling();
    ThreadFuture source = NewThreadFuture(), posted = NewThreadFuture();
    Future future = Wrap(sibling, source), other = Wrap(sibling, posted);
    Value value;
    EXPECT_EQ(hoya_thread_future_set_result(posted.get(), &value, Value::Destroy), 0);
    Release(sibling);
    EXPECT_EQ(hoya_thread_future_set_result(source.get(), &value, Value::Destroy), 0);
    EXPECT_EQ(hoya_future_done(future.get()), 0);
    EXPECT_EQ(hoya_future_done(other.get()), 0);
    source.reset();
    posted.reset();
    EXPECT_EQ(value.destroyed, 2);
}

// Holds: S38 S15 F14
TEST_P(LoopConformance, AThreadMayCompleteWhileTheLoopIsBeingClosed)
{
    constexpr int kFutures = 50;
    for (int turn = 0; turn < 5; turn++) {
        hoya_loop *sibling = NewSibling();
        std::vector<ThreadFuture> sources;
        std::vector<Future> futures;
        for (int i = 0; i < kFutures; i++) {
            sources.push_back(NewThreadFuture());
            futures.push_back(Wrap(sibling, sources.back()));
        }
        std::atomic<bool> go{false};
        std::thread worker([&] {
            while (!go) continue;
            for (const ThreadFuture &source : sources)
                EXPECT_EQ(hoya_thread_future_set_result(source.get(), this, nullptr), 0);
        });
        go = true;
        Release(sibling);
        worker.join();
        for (const Future &future : futures) EXPECT_EQ(hoya_future_done(future.get()), 0);
    }
}

// Holds: S38 S4
TEST_P(LoopConformance, AThreadsResultIsInLineWithItsPosts)
{
    ThreadFuture source = NewThreadFuture();
    Future future = Wrap(loop, source);
    WhenDone(future, Say("done"));
    std::thread([&] {
        CallSoonThreadsafe([&] { CallSoon(Say("before")); });
        hoya_thread_future_set_result(source.get(), nullptr, nullptr);
        CallSoonThreadsafe([&] { CallSoon(Say("after")); });
    }).join();
    RunUntilNoted(3);
    EXPECT_EQ(trace, (Trace{"before", "done", "after"}));
}

// Holds: S38 F14
TEST_P(LoopConformance, ManyThreadsCompleteWhatTheLoopCancels)
{
    constexpr int kFutures = 200;
    std::vector<ThreadFuture> sources;
    std::vector<Future> futures;
    for (int i = 0; i < kFutures; i++) {
        sources.push_back(NewThreadFuture());
        futures.push_back(Wrap(loop, sources.back()));
        WhenDone(futures.back(), Say("done"));
    }
    std::atomic<bool> go{false};
    std::vector<std::thread> workers;
    for (int worker = 0; worker < 3; worker++)
        workers.emplace_back([&] {
            while (!go) std::this_thread::yield();
            for (const ThreadFuture &source : sources)
                hoya_thread_future_set_result(source.get(), nullptr, nullptr);
        });
    go = true;
    for (int i = 0; i < kFutures; i += 3) hoya_future_cancel(futures[i].get(), nullptr);
    RunUntilNoted(kFutures);
    for (std::thread &worker : workers) worker.join();
    for (const Future &future : futures) EXPECT_EQ(hoya_future_done(future.get()), 1);
    RunRounds(3);
}

} // namespace hoya_test
