/* SPDX-License-Identifier: MIT
 *
 * conformance/chain_test.cc: chains between two futures, of one thread and of two.
 */
#include "elsewhere.h"
#include "support/futures.h"

namespace hoya_test
{

/* ---- chain, one thread ---------------------------------------------------------------------------------- */

// Holds: S38
TEST_P(LoopConformance, AChainHandsTheOutcomeOn)
{
    Value value;
    Future sources[3], destinations[3];
    for (int i = 0; i < 3; i++) {
        sources[i] = NewFuture(loop);
        destinations[i] = NewFuture(loop);
        ASSERT_EQ(hoya_future_chain(sources[i].get(), destinations[i].get()), 0);
    }
    EXPECT_EQ(hoya_future_set_result(sources[0].get(), &value, Value::Destroy), 0);
    EXPECT_EQ(hoya_future_set_exception(sources[1].get(), HOYA_EPIPE, "gone"), 0);
    EXPECT_EQ(hoya_future_cancel(sources[2].get(), "no more"), 1);
    EXPECT_EQ(hoya_future_done(destinations[0].get()), 0) << "not inside the call";
    RunRounds(2);
    EXPECT_EQ(hoya_future_result(destinations[0].get(), nullptr), 0);
    EXPECT_EQ(hoya_future_result(sources[0].get(), nullptr), HOYA_ESTATE) << "it has moved";
    EXPECT_EQ(TextOf(destinations[1]), "gone");
    EXPECT_EQ(TextOf(sources[1]), "gone");
    EXPECT_EQ(hoya_future_cancelled(destinations[2].get()), 1);
    EXPECT_EQ(TextOf(destinations[2]), "no more");
    sources[0].reset();
    EXPECT_EQ(value.destroyed, 0);
    destinations[0].reset();
    EXPECT_EQ(value.destroyed, 1);
}

// Holds: S38
TEST_P(LoopConformance, CancellingTheDestinationOfAChainCancelsItsSource)
{
    hoya_loop *sibling = NewSibling();
    for (hoya_loop *other : {loop, sibling}) {
        Future source = NewFuture(other), destination = NewFuture(loop);
        ASSERT_EQ(hoya_future_chain(source.get(), destination.get()), 0);
        EXPECT_EQ(hoya_future_cancel(destination.get(), nullptr), 1);
        RunRounds(2);
        EXPECT_EQ(hoya_future_cancelled(source.get()), 1);
    }
    Release(sibling);
}

// Holds: S38 S36
TEST_P(LoopConformance, TheDestinationOfAChainAnswersForTheError)
{
    int reports = 0;
    auto count = [](hoya_loop *, const hoya_exception_context *, void *arg) {
        return ++*static_cast<int *>(arg), 0;
    };
    ASSERT_EQ(hoya_loop_set_exception_handler(loop, count, &reports), 0);
    Future source = NewFuture(loop), destination = NewFuture(loop);
    ASSERT_EQ(hoya_future_chain(source.get(), destination.get()), 0);
    EXPECT_EQ(hoya_future_set_exception(source.get(), HOYA_EPIPE, nullptr), 0);
    RunRounds(2);
    source.reset();
    EXPECT_EQ(reports, 0);
    destination.reset();
    EXPECT_EQ(reports, 1);
}

// Holds: S38
TEST_P(LoopConformance, ASourceThatIsLetGoCancelsItsDestination)
{
    Future source = NewFuture(loop), destination = NewFuture(loop);
    ASSERT_EQ(hoya_future_chain(source.get(), destination.get()), 0);
    source.reset();
    EXPECT_EQ(hoya_future_cancelled(destination.get()), 1);
    RunRounds(2);
}

// Holds: S38
TEST_P(LoopConformance, ADestinationThatIsDoneLeavesTheSourceAlone)
{
    Future source = NewFuture(loop), destination = NewFuture(loop);
    ASSERT_EQ(hoya_future_chain(source.get(), destination.get()), 0);
    EXPECT_EQ(hoya_future_set_result(destination.get(), this, nullptr), 0);
    RunRounds(2);
    EXPECT_EQ(hoya_future_done(source.get()), 0);
    Value value;
    EXPECT_EQ(hoya_future_set_result(source.get(), &value, Value::Destroy), 0);
    RunRounds(2);
    EXPECT_EQ(hoya_future_result(source.get(), nullptr), 0) << "it was not moved";
    source.reset();
    EXPECT_EQ(value.destroyed, 1);
}

// Holds: S38 S15
TEST_P(LoopConformance, AChainEndsWithEitherLoop)
{
    hoya_loop *sibling = NewSibling();
    Future there = NewFuture(sibling), here = NewFuture(loop);
    ASSERT_EQ(hoya_future_chain(here.get(), there.get()), 0);
    Release(sibling);
    EXPECT_EQ(hoya_future_set_result(here.get(), this, nullptr), 0);
    RunRounds(2);
    EXPECT_EQ(hoya_future_done(there.get()), 0) << "dropped without an error";

    sibling = NewSibling();
    Future source = NewFuture(sibling), destination = NewFuture(loop);
    ASSERT_EQ(hoya_future_chain(source.get(), destination.get()), 0);
    Release(sibling);
    EXPECT_EQ(hoya_future_cancelled(destination.get()), 1) << "its source cannot reach it any more";
}

// Holds: S38
TEST_P(LoopConformance, AChainNeedsTwoFutures)
{
    Future future = NewFuture(loop);
    EXPECT_EQ(hoya_future_chain(future.get(), future.get()), HOYA_EINVAL);
    EXPECT_EQ(hoya_future_chain(future.get(), nullptr), HOYA_EINVAL);
    Future other = NewFuture(loop);
    std::thread([&] { EXPECT_EQ(hoya_future_chain(future.get(), other.get()), HOYA_ETHREAD); }).join();
    hoya_future *none = nullptr;
    EXPECT_EQ(hoya_wrap_future(loop, nullptr, &none), HOYA_EINVAL);
}

/* ---- chain, two threads --------------------------------------------------------------------------------- */

// Holds: S38 F14
TEST_P(LoopConformance, AChainCrossesThreads)
{
    Elsewhere there;
    for (bool built_here : {true, false}) {
        Future source, destination = NewFuture(loop);
        Value value;
        there.Do([&] { source = NewFuture(there.loop); });
        auto build = [&] {
            EXPECT_EQ(hoya_future_chain(source.get(), destination.get()), 0) << hoya_error_detail();
        };
        if (built_here) build();
        else there.Do(build);
        trace.clear();
        WhenDone(destination, Say("done"));
        there.Do([&] { EXPECT_EQ(hoya_future_set_result(source.get(), &value, Value::Destroy), 0); });
        RunUntilNoted(1);
        void *seen = nullptr;
        EXPECT_EQ(hoya_future_result(destination.get(), &seen), 0);
        EXPECT_EQ(seen, &value);
        there.Do([&] { source.reset(); });
        EXPECT_EQ(value.destroyed, 0);
        destination.reset();
        EXPECT_EQ(value.destroyed, 1);
    }
}

// Holds: S38 F14
TEST_P(LoopConformance, ACancelCrossesThreadsAgainstTheChain)
{
    Elsewhere there;
    Future source, destination = NewFuture(loop);
    there.Do([&] { source = NewFuture(there.loop); });
    EXPECT_EQ(hoya_future_chain(source.get(), destination.get()), 0);
    std::atomic<bool> cancelled{false};
    there.Do([&] { WhenDone(source, [&] { cancelled = hoya_future_cancelled(source.get()) != 0; }); });
    EXPECT_EQ(hoya_future_cancel(destination.get(), nullptr), 1);
    RunRounds(2);
    while (!cancelled) std::this_thread::yield();
    there.Do([&] { source.reset(); });
}

// Holds: S38
TEST_P(LoopConformance, AChainAcrossThreadsEndsWithEitherLoop)
{
    Future source, orphan, destination = NewFuture(loop), sender = NewFuture(loop);
    Value value;
    {
        Elsewhere there;
        there.Do([&] {
            source = NewFuture(there.loop);
            orphan = NewFuture(there.loop);
        });
        there.at_end = [&] { source.reset(); };
        EXPECT_EQ(hoya_future_chain(source.get(), destination.get()), 0);
        EXPECT_EQ(hoya_future_chain(sender.get(), orphan.get()), 0);
        there.Do([] {});
        there.Join();
        EXPECT_EQ(hoya_future_set_result(sender.get(), &value, Value::Destroy), 0);
        RunRounds(3);
        EXPECT_EQ(hoya_future_done(orphan.get()), 0) << "dropped without an error";
        Future late = NewFuture(loop);
        EXPECT_EQ(hoya_future_chain(late.get(), orphan.get()), HOYA_ECLOSED);
        EXPECT_EQ(hoya_future_set_result(late.get(), this, nullptr), 0) << "as if nothing had been";
        RunRounds(2);
        EXPECT_EQ(hoya_future_result(late.get(), nullptr), 0);
        orphan.reset();
    }
    EXPECT_EQ(hoya_future_cancelled(destination.get()), 1);
    sender.reset();
    EXPECT_EQ(value.destroyed, 1);
}

} // namespace hoya_test
