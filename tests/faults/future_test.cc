/* SPDX-License-Identifier: MIT
 *
 * faults/future_test.cc: futures, with each fallible call failing. What was refused has destroyed its argument; what was
 * made is completed, whatever fails then.
 */
#include "faults/sweep.h"

#include <string>
#include <thread>

#include <unistd.h>

#include "support/futures.h"

namespace hoya_test
{
namespace
{

struct Seen {
    int runs = 0, destroyed = 0;

    static void Run(hoya_future *, void *arg) { static_cast<Seen *>(arg)->runs++; }
    static void RunInline(hoya_thread_future *, void *arg) { static_cast<Seen *>(arg)->runs++; }
    static void Destroy(void *arg) { static_cast<Seen *>(arg)->destroyed++; }
};

class FutureFaults : public VariantFaults
{
  protected:
    void SweepLoop(const char *what, const std::function<void(Faults &, Loop &)> &scenario)
    {
        Sweep((std::string(what) + " on " + GetParam().name).c_str(), [&](Faults &faults) {
            Loop loop(faults, GetParam(), host.get());
            if (loop) scenario(faults, loop);
        });
    }
};

Future TryFuture(Faults &faults, hoya_loop *loop)
{
    hoya_future *future = nullptr;
    if (!faults.Ok(hoya_future_new(loop, &future))) EXPECT_EQ(future, nullptr);
    return Future(future);
}

ThreadFuture TryThreadFuture(Faults &faults)
{
    hoya_thread_future *future = nullptr;
    if (!faults.Ok(hoya_thread_future_new(&future))) EXPECT_EQ(future, nullptr);
    return ThreadFuture(future);
}

bool TryWhenDone(Faults &faults, const Future &future, Seen *seen)
{
    int before = seen->destroyed;
    bool added = faults.Ok(hoya_future_add_done_callback(future.get(), Seen::Run, seen, Seen::Destroy, nullptr));
    EXPECT_EQ(seen->destroyed - before, !added);
    return added;
}

} // namespace

/* Ninety callbacks: the ring grows on the way. */
TEST_P(FutureFaults, ACallbackThatWasAddedRuns)
{
    SweepLoop("done callbacks", [](Faults &faults, Loop &loop) {
        Future future = TryFuture(faults, loop);
        if (!future) return;
        Seen seen;
        Value value;
        int added = 0;
        for (int i = 0; i < 90; i++) added += TryWhenDone(faults, future, &seen);
        EXPECT_EQ(hoya_future_set_result(future.get(), &value, Value::Destroy), 0);
        added += TryWhenDone(faults, future, &seen);
        future.reset();
        EXPECT_TRUE(loop.RunUntil([&] { return seen.runs == added; })) << seen.runs << " of " << added;
        EXPECT_TRUE(loop.RunUntil([&] { return value.destroyed == 1; }) || !added);
        EXPECT_EQ(value.destroyed, 1);
    });
}

TEST_P(FutureFaults, AnErrorIsKeptWithOrWithoutItsText)
{
    SweepLoop("errors", [](Faults &faults, Loop &loop) {
        int reports = 0;
        auto count = [](hoya_loop *, const hoya_exception_context *context, void *arg) {
            EXPECT_EQ(context->code, HOYA_EPIPE);
            return ++*static_cast<int *>(arg), 0;
        };
        if (!faults.Ok(hoya_loop_set_exception_handler(loop, count, &reports))) return;
        Future failed = TryFuture(faults, loop), cancelled = TryFuture(faults, loop);
        if (failed) {
            EXPECT_EQ(hoya_future_set_exception(failed.get(), HOYA_EPIPE, "gone"), 0);
            failed.reset();
            EXPECT_EQ(reports, 1);
        }
        if (cancelled) {
            EXPECT_EQ(hoya_future_cancel(cancelled.get(), "no more"), 1);
            std::string text = TextOf(cancelled);
            EXPECT_TRUE(text == "no more" || text.empty()) << text;
            EXPECT_EQ(hoya_future_exception(cancelled.get(), nullptr), HOYA_ECANCELED);
        }
        EXPECT_EQ(hoya_loop_set_exception_handler(loop, nullptr, nullptr), 0);
    });
}

TEST_P(FutureFaults, AWrapThatWasMadeIsCompletedByAnotherThread)
{
    SweepLoop("wrap_future", [](Faults &faults, Loop &loop) {
        Value values[3];
        for (Value &value : values) {
            ThreadFuture source = TryThreadFuture(faults);
            if (!source) continue;
            hoya_future *raw = nullptr;
            bool wrapped = faults.Ok(hoya_wrap_future(loop, source.get(), &raw));
            Future future(raw);
            std::thread([&] { hoya_thread_future_set_result(source.get(), &value, Value::Destroy); }).join();
            if (!wrapped) EXPECT_EQ(hoya_thread_future_result(source.get(), HOYA_NOW, nullptr), 0);
            else EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(future.get()) == 1; }));
            source.reset();
            EXPECT_EQ(value.destroyed, !wrapped);
            future.reset();
            EXPECT_EQ(value.destroyed, 1);
        }
    });
}

TEST_P(FutureFaults, AWrapThatIsCancelledCancelsItsSource)
{
    SweepLoop("a wrap that is cancelled", [](Faults &faults, Loop &loop) {
        ThreadFuture source = TryThreadFuture(faults);
        hoya_future *raw = nullptr;
        if (!source || !faults.Ok(hoya_wrap_future(loop, source.get(), &raw))) return;
        Future future(raw);
        EXPECT_EQ(hoya_future_cancel(raw, nullptr), 1);
        EXPECT_TRUE(loop.RunUntil([&] { return hoya_thread_future_cancelled(source.get()) == 1; }));
    });
}

TEST_P(FutureFaults, AChainThatWasMadeHandsTheOutcomeOn)
{
    SweepLoop("chain", [](Faults &faults, Loop &loop) {
        Future source = TryFuture(faults, loop), destination = TryFuture(faults, loop);
        if (!source || !destination) return;
        Value value;
        bool chained = faults.Ok(hoya_future_chain(source.get(), destination.get()));
        EXPECT_EQ(hoya_future_set_result(source.get(), &value, Value::Destroy), 0);
        if (chained) EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(destination.get()) == 1; }));
        EXPECT_EQ(hoya_future_done(destination.get()), chained) << "a refused chain leaves nothing behind";
        source.reset();
        EXPECT_EQ(value.destroyed, !chained);
        destination.reset();
        EXPECT_EQ(value.destroyed, 1);
    });
}

/* The far end is made known by a post, and may find no memory there: then the destination hears of it. */
TEST_P(FutureFaults, AChainAcrossThreadsEndsInAnOutcome)
{
    SweepLoop("chain across threads", [](Faults &faults, Loop &loop) {
        Future destination = TryFuture(faults, loop);
        if (!destination) return;
        Value value;
        bool sent = false;
        std::thread([&] {
            hoya_loop *other = nullptr;
            if (!faults.Ok(hoya_loop_new(nullptr, &other))) return;
            Future source = TryFuture(faults, other);
            if (source && faults.Ok(hoya_future_chain(source.get(), destination.get()))) {
                sent = hoya_future_set_result(source.get(), &value, Value::Destroy) == 0;
                for (int i = 0; i < 3; i++) hoya_loop_run_once(other, HOYA_NOW);
            }
            source.reset();
            EXPECT_EQ(hoya_loop_close(other), 0);
            hoya_loop_unref(other);
        }).join();
        if (sent) EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(destination.get()) == 1; }));
        if (sent && hoya_future_exception(destination.get(), nullptr) < 0)
            EXPECT_FALSE(faults.Ok(hoya_future_result(destination.get(), nullptr)));
        destination.reset();
        EXPECT_TRUE(loop.RunUntil([&] { return value.destroyed == sent; }));
    });
}

INSTANTIATE_TEST_SUITE_P(Hosts, FutureFaults, testing::ValuesIn(variants()),
                         [](const auto &test) { return std::string(test.param.name); });

TEST(ThreadFutureFaults, AloneAndWithCallbacks)
{
    Sweep("thread futures", [](Faults &faults) {
        ThreadFuture future = TryThreadFuture(faults);
        if (!future) return;
        Seen seen;
        int added = 0;
        for (int i = 0; i < 3; i++)
            added += faults.Ok(
                hoya_thread_future_add_done_callback(future.get(), Seen::RunInline, &seen, Seen::Destroy));
        EXPECT_EQ(hoya_thread_future_set_exception(future.get(), HOYA_EPIPE, "gone"), 0);
        EXPECT_EQ(seen.runs, added);
        EXPECT_EQ(seen.destroyed, 3);
        EXPECT_EQ(hoya_thread_future_result(future.get(), HOYA_NEVER, nullptr), HOYA_EPIPE);
    });
}

} // namespace hoya_test
