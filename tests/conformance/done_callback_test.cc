/* SPDX-License-Identifier: MIT
 *
 * conformance/done_callback_test.cc: done callbacks: their order, their removal, and arguments that meddle.
 */
#include "conformance.h"

#include "support/futures.h"

namespace hoya_test
{
namespace
{

void Count(hoya_future *, void *arg)
{
    Probe::Run(arg);
}

} // namespace

/* ---- callbacks ----------------------------------------------------------------------------------------- */

// Holds: S29 S30
TEST_P(LoopConformance, CallbacksRunInOrderAndNeverInsideTheCallThatCompletes)
{
    Future future = NewFuture(loop);
    WhenDone(future, Say("first"));
    WhenDone(future, Say("second"));
    CallSoon([&] {
        CallSoon(Say("before"));
        EXPECT_EQ(hoya_future_set_result(future.get(), this, nullptr), 0);
        Note("set");
        CallSoon(Say("after"));
    });
    RunUntilNoted(5);
    EXPECT_EQ(trace, (Trace{"set", "before", "first", "second", "after"}));
}

// Holds: S29 S4
TEST_P(LoopConformance, OutsideARunCallbacksAreInLineWithPostsOfTheSameThread)
{
    Future future = NewFuture(loop);
    WhenDone(future, Say("done"));
    CallSoonThreadsafe(Say("posted"));
    ASSERT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), 0);
    CallSoon(Say("soon"));
    RunUntilNoted(3);
    EXPECT_EQ(trace, (Trace{"posted", "done", "soon"}));
}

// Holds: S30
TEST_P(LoopConformance, ACallbackOfADoneFutureRunsInTheNextRound)
{
    Future future = NewFuture(loop);
    ASSERT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), 0);
    CallSoon([&] {
        WhenDone(future, [&] {
            Note("first");
            WhenDone(future, Say("from first"));
            CallSoon(Say("after it"));
        });
        WhenDone(future, Say("second"));
        Note("added");
    });
    RunUntilNoted(5);
    EXPECT_EQ(trace, (Trace{"added", "first", "second", "from first", "after it"}));
}

// Holds: S34
TEST_P(LoopConformance, RemoveTakesAllEqualCallbacksThatAreNotQueued)
{
    Future future = NewFuture(loop);
    Probe removed, kept;
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(hoya_future_add_done_callback(future.get(), Count, &removed, Probe::Destroy, nullptr), 0);
        EXPECT_EQ(hoya_future_add_done_callback(future.get(), Count, &kept, Probe::Destroy, nullptr), 0);
    }
    EXPECT_EQ(hoya_future_remove_done_callback(future.get(), Count, &removed), 3);
    EXPECT_EQ(hoya_future_remove_done_callback(future.get(), Count, &removed), 0);
    EXPECT_EQ(removed.destroyed, 3);
    ASSERT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), 0);
    EXPECT_EQ(hoya_future_remove_done_callback(future.get(), Count, &kept), 0) << "they are queued";
    RunRounds(2);
    EXPECT_EQ(removed.runs, 0);
    EXPECT_EQ(kept.runs, 3);
    EXPECT_EQ(kept.destroyed, 3);
}

// Holds: S34 S17
TEST_P(LoopConformance, AHandleTakesItsOwnCallbackBackAndNoOther)
{
    for (bool queued : {false, true}) {
        Future future = NewFuture(loop);
        Probe probes[3];
        Handle handles[3];
        for (int i = 0; i < 3; i++) {
            hoya_handle *handle = nullptr;
            ASSERT_EQ(hoya_future_add_done_callback(future.get(), Count, &probes[i], Probe::Destroy, &handle), 0);
            handles[i].reset(handle);
        }
        if (queued) ASSERT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), 0);
        EXPECT_EQ(hoya_handle_cancel(handles[1].get()), 1);
        EXPECT_EQ(hoya_handle_cancel(handles[1].get()), 0);
        EXPECT_EQ(hoya_handle_cancelled(handles[1].get()), 1);
        EXPECT_EQ(probes[1].destroyed, 1) << "at once";
        if (!queued) ASSERT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), 0);
        RunRounds(2);
        EXPECT_EQ(probes[0].runs, 1);
        EXPECT_EQ(probes[1].runs, 0);
        EXPECT_EQ(probes[2].runs, 1);
        EXPECT_EQ(hoya_handle_cancel(handles[0].get()), 0) << "it has run";
        EXPECT_EQ(probes[0].destroyed + probes[1].destroyed + probes[2].destroyed, 3);
    }
}

// Holds: S162
TEST_P(LoopConformance, AFutureStaysUntilItsQueuedCallbacksHaveRun)
{
    Value value;
    Future future = NewFuture(loop);
    hoya_future *raw = future.get();
    WhenDone(future, [&, raw] {
        EXPECT_EQ(hoya_future_result(raw, nullptr), 0);
        EXPECT_EQ(value.destroyed, 0);
        Note("ran");
    });
    ASSERT_EQ(hoya_future_set_result(raw, &value, Value::Destroy), 0);
    future.reset();
    RunUntilNoted(1);
    RunRounds(1);
    EXPECT_EQ(value.destroyed, 1);
}

// Holds: S162
TEST_P(LoopConformance, LettingAPendingFutureGoDropsItsCallbacks)
{
    Probe probe;
    hoya_handle *handle = nullptr;
    Future future = NewFuture(loop);
    ASSERT_EQ(hoya_future_add_done_callback(future.get(), Count, &probe, Probe::Destroy, &handle), 0);
    future.reset();
    EXPECT_EQ(probe.destroyed, 1);
    EXPECT_EQ(hoya_handle_cancel(handle), 0);
    EXPECT_EQ(hoya_handle_cancelled(handle), 0);
    hoya_handle_unref(handle);
    RunRounds(2);
    EXPECT_EQ(probe.runs, 0);
}

/* ---- destroy functions that come back ------------------------------------------------------------------- */

namespace
{

/* An argument whose destruction does something to the future. */
struct Meddler {
    std::function<void()> work;
    static void Never(hoya_future *, void *) { ADD_FAILURE() << "a removed callback ran"; }
    static void Meddle(void *arg) { static_cast<Meddler *>(arg)->work(); }
};

} // namespace

// Holds: S35
TEST_P(LoopConformance, ADestroyFunctionMayRemoveAddAndCompleteWhileCallbacksAreRemoved)
{
    Future future = NewFuture(loop);
    Probe other;
    hoya_handle *neighbour = nullptr;
    int calls = 0;
    Meddler meddler;
    meddler.work = [&] {
        if (++calls > 1) return;
        EXPECT_EQ(hoya_future_remove_done_callback(future.get(), Count, &other), 1);
        EXPECT_EQ(hoya_handle_cancel(neighbour), 1) << "is being removed by the same call";
        WhenDone(future, Say("added meanwhile"));
        EXPECT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), 0);
    };
    auto add = [&](hoya_done_callback fn, void *arg, hoya_destroy destroy, hoya_handle **handle) {
        EXPECT_EQ(hoya_future_add_done_callback(future.get(), fn, arg, destroy, handle), 0);
    };
    add(Meddler::Never, &meddler, Meddler::Meddle, nullptr);
    add(Count, &other, Probe::Destroy, nullptr);
    add(Meddler::Never, &meddler, Meddler::Meddle, &neighbour);
    EXPECT_EQ(hoya_future_remove_done_callback(future.get(), Meddler::Never, &meddler), 2);
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(other.destroyed, 1);
    hoya_handle_unref(neighbour);
    RunUntilNoted(1);
}

// Holds: S35 S15
TEST_P(LoopConformance, ADestroyFunctionMayCloseTheLoopAndLetTheFutureGo)
{
    hoya_loop *sibling = NewSibling();
    Future future = NewFuture(sibling);
    Probe probe;
    Meddler meddler;
    meddler.work = [&] {
        EXPECT_EQ(hoya_loop_close(sibling), 0);
        future.reset();
    };
    ASSERT_EQ(hoya_future_add_done_callback(future.get(), Meddler::Never, &meddler, Meddler::Meddle, nullptr), 0);
    ASSERT_EQ(hoya_future_add_done_callback(future.get(), Count, &probe, Probe::Destroy, nullptr), 0);
    EXPECT_EQ(hoya_future_remove_done_callback(future.get(), Meddler::Never, &meddler), 1);
    EXPECT_EQ(probe.destroyed, 1);
    hoya_loop_unref(sibling);
}

// Holds: S35 S15
TEST_P(LoopConformance, ADestroyFunctionAtCloseMayCompleteOtherFutures)
{
    Future first = NewFuture(loop), second = NewFuture(loop);
    Probe probe;
    Meddler meddler;
    meddler.work = [&] { EXPECT_EQ(hoya_future_set_result(second.get(), nullptr, nullptr), 0); };
    ASSERT_EQ(hoya_future_add_done_callback(first.get(), Meddler::Never, &meddler, Meddler::Meddle, nullptr), 0);
    ASSERT_EQ(hoya_future_add_done_callback(second.get(), Count, &probe, Probe::Destroy, nullptr), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(probe.runs, 0);
    EXPECT_EQ(probe.destroyed, 1);
    EXPECT_EQ(hoya_future_done(second.get()), 1);
}

// Holds: S35 S17
TEST_P(LoopConformance, AnArgumentMayHoldTheLastReferenceToItsLoopByItsFuture)
{
    hoya_loop *sibling = NewSibling();
    auto own = new Future(NewFuture(sibling));
    hoya_handle *handle = nullptr;
    ASSERT_EQ(hoya_future_add_done_callback(
                  own->get(), Meddler::Never, own, [](void *arg) { delete static_cast<Future *>(arg); }, &handle),
              0);
    hoya_loop_unref(sibling);
    EXPECT_EQ(hoya_handle_cancel(handle), 1) << "closes the loop on its way";
    EXPECT_EQ(hoya_handle_cancelled(handle), 1);
    hoya_handle_unref(handle);
}

} // namespace hoya_test
