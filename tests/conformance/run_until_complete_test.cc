/* SPDX-License-Identifier: MIT
 *
 * conformance/run_until_complete_test.cc: runs that end when a future is done.
 */
#include "conformance.h"

namespace hoya_test
{
namespace
{

struct FutureOf {
    hoya_future *future = nullptr;
    explicit FutureOf(hoya_loop *loop) { EXPECT_EQ(hoya_future_new(loop, &future), 0); }
    ~FutureOf() { hoya_future_unref(future); }
    FutureOf(const FutureOf &) = delete;
    operator hoya_future *() const { return future; }
};

} // namespace

TEST_P(LoopConformance, RunUntilCompleteReturnsTheFuturesResult)
{
    int answer = 42;
    void *value = nullptr;
    FutureOf good(loop), bad(loop), gone(loop);
    CallLater(HOYA_MSEC(1), [&] { EXPECT_EQ(hoya_future_set_result(good, &answer, nullptr), 0); });
    EXPECT_EQ(hoya_run_until_complete(loop, good, &value), 0) << hoya_error_detail();
    EXPECT_EQ(value, &answer);
    CallSoon([&] { EXPECT_EQ(hoya_future_set_exception(bad, HOYA_EPIPE, "it broke"), 0); });
    EXPECT_EQ(hoya_run_until_complete(loop, bad, &value), HOYA_EPIPE);
    EXPECT_STREQ(hoya_error_detail(), "it broke");
    CallSoon([&] { EXPECT_EQ(hoya_future_cancel(gone, "enough"), 1); });
    EXPECT_EQ(hoya_run_until_complete(loop, gone, nullptr), HOYA_ECANCELED);
    EXPECT_EQ(value, &answer) << "untouched on failure";
}

TEST_P(LoopConformance, RunUntilCompleteOfADoneFutureRunsTheLoopAllTheSame)
{
    FutureOf done(loop);
    EXPECT_EQ(hoya_future_set_result(done, nullptr, nullptr), 0);
    CallSoon(Say("a round"));
    EXPECT_EQ(hoya_run_until_complete(loop, done, nullptr), 0);
    EXPECT_EQ(trace, (Trace{"a round"}));
}

// Holds: S12
TEST_P(LoopConformance, RunUntilCompleteOfALoopThatIsStoppedFailsAndLeavesNoStopBehind)
{
    FutureOf future(loop);
    CallSoon([this] { Stop(); });
    EXPECT_EQ(hoya_run_until_complete(loop, future, nullptr), HOYA_ESTATE);
    EXPECT_STREQ(hoya_error_detail(), "the loop was stopped before the future was done");
    EXPECT_EQ(hoya_future_set_result(future, nullptr, nullptr), 0);
    CallSoon([this] {
        CallSoon([this] {
            Note("not stopped");
            Stop();
        });
    });
    Run();
    EXPECT_EQ(trace, (Trace{"not stopped"}));
}

// Holds: S12
TEST_P(LoopConformance, AStopInTheRoundThatCompletesTheFutureIsNoError)
{
    FutureOf future(loop);
    CallSoon([&] {
        EXPECT_EQ(hoya_future_set_result(future, nullptr, nullptr), 0);
        Stop();
    });
    EXPECT_EQ(hoya_run_until_complete(loop, future, nullptr), 0);
    CallSoon([this] {
        CallSoon([this] {
            Note("not stopped");
            Stop();
        });
    });
    Run();
    EXPECT_EQ(trace, (Trace{"not stopped"})) << "the done callback was queued, and did not run later";
}

// Holds: S11
TEST_P(LoopConformance, RunUntilCompleteReturnsTheCodeOfAnAbort)
{
    FutureOf future(loop);
    CallSoon([this] { EXPECT_EQ(hoya_loop_abort(loop, HOYA_EPERM), 0); });
    EXPECT_EQ(hoya_run_until_complete(loop, future, nullptr), HOYA_EPERM);
}

// Holds: S13
TEST_P(LoopConformance, RunUntilCompleteRefusesAnotherLoopsFuture)
{
    hoya_loop *other = NewSibling();
    {
        FutureOf future(other);
        EXPECT_EQ(hoya_run_until_complete(loop, future, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_run_until_complete(nullptr, future, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_run_until_complete(loop, nullptr, nullptr), HOYA_EINVAL);
    }
    Release(other);
}

// Holds: S14 S15
TEST_P(LoopConformance, RunUntilCompleteIsRefusedInsideARunAndOnAClosedLoop)
{
    FutureOf future(loop);
    CallSoon([&] {
        EXPECT_EQ(hoya_run_until_complete(loop, future, nullptr), HOYA_EBUSY);
        EXPECT_EQ(hoya_future_set_result(future, nullptr, nullptr), 0);
        CallSoon([this] {
            CallSoon([this] {
                Note("not stopped");
                Stop();
            });
        });
    });
    Run();
    EXPECT_EQ(trace, (Trace{"not stopped"}));
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hoya_run_until_complete(loop, future, nullptr), HOYA_ECLOSED);
}

TEST_P(LoopConformance, RunUntilCompleteKeepsTheFutureThatItsCallerLetGo)
{
    hoya_future *future = nullptr;
    ASSERT_EQ(hoya_future_new(loop, &future), 0);
    CallSoon([&] {
        hoya_future_set_result(future, nullptr, nullptr);
        hoya_future_unref(future);
    });
    EXPECT_EQ(hoya_run_until_complete(loop, future, nullptr), 0);
}

} // namespace hoya_test
