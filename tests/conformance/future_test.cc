/* SPDX-License-Identifier: MIT
 *
 * conformance/future_test.cc: the future of a loop: its states, its errors, its end.
 */
#include "conformance.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "support/futures.h"

namespace hoya_test
{
namespace
{

/* What the loop's exception handler was told. */
struct Reports {
    int count = 0, code = 0;
    std::string detail;

    static int Take(hoya_loop *, const hoya_exception_context *context, void *arg)
    {
        auto it = static_cast<Reports *>(arg);
        it->count++;
        it->code = context->code;
        it->detail = context->detail ? context->detail : "";
        return 0;
    }
};

void Count(hoya_future *, void *arg)
{
    Probe::Run(arg);
}

} // namespace

/* ---- states -------------------------------------------------------------------------------------------- */

// Holds: S31
TEST_P(LoopConformance, APendingFutureHasNoOutcome)
{
    Future future = NewFuture(loop);
    void *value = this;
    const char *text = "untouched";
    EXPECT_EQ(hoya_future_get_loop(future.get()), loop);
    EXPECT_EQ(hoya_future_done(future.get()), 0);
    EXPECT_EQ(hoya_future_cancelled(future.get()), 0);
    EXPECT_EQ(hoya_future_result(future.get(), &value), HOYA_ESTATE);
    EXPECT_EQ(hoya_future_exception(future.get(), &text), HOYA_ESTATE);
    EXPECT_EQ(hoya_future_take(future.get(), &value, nullptr), HOYA_ESTATE);
    EXPECT_EQ(value, this);
    EXPECT_STREQ(text, "untouched");
}

// Holds: S31 S162
TEST_P(LoopConformance, AValueIsBorrowedUntilTheLastUnref)
{
    Value given;
    {
        Future future = NewFuture(loop);
        ASSERT_EQ(hoya_future_set_result(future.get(), &given, Value::Destroy), 0);
        void *value = nullptr;
        EXPECT_EQ(hoya_future_done(future.get()), 1);
        EXPECT_EQ(hoya_future_result(future.get(), &value), 0);
        EXPECT_EQ(value, &given);
        EXPECT_EQ(hoya_future_exception(future.get(), nullptr), 0);
        EXPECT_EQ(TextOf(future), "");
        EXPECT_EQ(given.destroyed, 0);
    }
    EXPECT_EQ(given.destroyed, 1);
}

// Holds: S31
TEST_P(LoopConformance, AnErrorHasACodeAndAText)
{
    Future future = NewFuture(loop), bare = NewFuture(loop);
    std::string text = "port 7 is taken";
    ASSERT_EQ(hoya_future_set_exception(future.get(), HOYA_EBUSY, text.c_str()), 0);
    text = "overwritten";
    EXPECT_EQ(hoya_future_result(future.get(), nullptr), HOYA_EBUSY);
    EXPECT_STREQ(hoya_error_detail(), "port 7 is taken");
    EXPECT_EQ(hoya_future_exception(future.get(), nullptr), HOYA_EBUSY);
    EXPECT_EQ(TextOf(future), "port 7 is taken");
    EXPECT_EQ(hoya_future_set_exception(bare.get(), 0, nullptr), HOYA_EINVAL);
    ASSERT_EQ(hoya_future_set_exception(bare.get(), HOYA_EPIPE, nullptr), 0);
    EXPECT_EQ(hoya_future_result(bare.get(), nullptr), HOYA_EPIPE);
    EXPECT_STREQ(hoya_error_detail(), "broken pipe");
    EXPECT_EQ(TextOf(bare), "");
}

// Holds: S31 S33
TEST_P(LoopConformance, CancelCompletesWhatIsPendingAndChangesNothingElse)
{
    Future future = NewFuture(loop), done = NewFuture(loop);
    WhenDone(future, Say("called"));
    EXPECT_EQ(hoya_future_cancel(future.get(), "the window was closed"), 1);
    EXPECT_EQ(hoya_future_cancel(future.get(), "again"), 0);
    EXPECT_EQ(hoya_future_cancelled(future.get()), 1);
    EXPECT_EQ(hoya_future_result(future.get(), nullptr), HOYA_ECANCELED);
    EXPECT_STREQ(hoya_error_detail(), "the window was closed");
    EXPECT_EQ(hoya_future_exception(future.get(), nullptr), HOYA_ECANCELED);
    ASSERT_EQ(hoya_future_set_result(done.get(), this, nullptr), 0);
    EXPECT_EQ(hoya_future_cancel(done.get(), nullptr), 0);
    EXPECT_EQ(hoya_future_cancelled(done.get()), 0);
    EXPECT_EQ(hoya_future_result(done.get(), nullptr), 0);
    RunUntilNoted(1);
}

// Holds: S33
TEST_P(LoopConformance, TheCodeOfACancelIsACancel)
{
    Future future = NewFuture(loop);
    ASSERT_EQ(hoya_future_set_exception(future.get(), HOYA_ECANCELED, "why not"), 0);
    EXPECT_EQ(hoya_future_cancelled(future.get()), 1);
    EXPECT_EQ(TextOf(future), "why not");
}

// Holds: S32 S162
TEST_P(LoopConformance, AFutureIsCompletedOnce)
{
    Value late;
    for (int how = 0; how < 3; how++) {
        Future future = NewFuture(loop);
        if (how == 0) EXPECT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), 0);
        if (how == 1) EXPECT_EQ(hoya_future_set_exception(future.get(), HOYA_EPIPE, nullptr), 0);
        if (how == 2) EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
        int code = hoya_future_exception(future.get(), nullptr);
        EXPECT_EQ(hoya_future_set_result(future.get(), &late, Value::Destroy), HOYA_ESTATE);
        EXPECT_EQ(late.destroyed, how + 1) << "at once";
        EXPECT_EQ(hoya_future_set_exception(future.get(), HOYA_EBUSY, "late"), HOYA_ESTATE);
        EXPECT_EQ(hoya_future_exception(future.get(), nullptr), code);
    }
}

// Holds: S162
TEST_P(LoopConformance, TakeMovesTheValueOutOnce)
{
    Value given;
    Future future = NewFuture(loop);
    ASSERT_EQ(hoya_future_set_result(future.get(), &given, Value::Destroy), 0);
    void *value = nullptr;
    hoya_destroy destroy = nullptr;
    EXPECT_EQ(hoya_future_take(future.get(), nullptr, &destroy), HOYA_EINVAL);
    ASSERT_EQ(hoya_future_take(future.get(), &value, &destroy), 0);
    EXPECT_EQ(value, &given);
    EXPECT_EQ(hoya_future_take(future.get(), &value, &destroy), HOYA_ESTATE);
    EXPECT_EQ(hoya_future_result(future.get(), &value), HOYA_ESTATE);
    future.reset();
    EXPECT_EQ(given.destroyed, 0);
    destroy(value);
    EXPECT_EQ(given.destroyed, 1);
}

/* ---- errors that nobody looked at ----------------------------------------------------------------------- */

// Holds: S36
TEST_P(LoopConformance, AnErrorThatNobodyLookedAtIsReportedOnce)
{
    Reports reports;
    ASSERT_EQ(hoya_loop_set_exception_handler(loop, Reports::Take, &reports), 0);
    Future future = NewFuture(loop);
    WhenDone(future, Say("called"));
    ASSERT_EQ(hoya_future_set_exception(future.get(), HOYA_EPIPE, "the peer is gone"), 0);
    RunUntilNoted(1);
    EXPECT_EQ(reports.count, 0) << "somebody may still look";
    future.reset();
    EXPECT_EQ(reports.count, 1);
    EXPECT_EQ(reports.code, HOYA_EPIPE);
    EXPECT_EQ(reports.detail, "the peer is gone");
}

// Holds: S36
TEST_P(LoopConformance, LookingOrCancellingSilencesTheReport)
{
    Reports reports;
    ASSERT_EQ(hoya_loop_set_exception_handler(loop, Reports::Take, &reports), 0);
    void *value;
    for (int how = 0; how < 6; how++) {
        Future future = NewFuture(loop);
        hoya_future *raw = future.get();
        if (how == 0) EXPECT_EQ(hoya_future_result(raw, nullptr), HOYA_ESTATE) << "too soon to count";
        if (how == 0) WhenDone(future, [raw] { hoya_future_result(raw, nullptr); });
        if (how == 5) EXPECT_EQ(hoya_future_cancel(raw, nullptr), 1);
        else EXPECT_EQ(hoya_future_set_exception(raw, HOYA_EPIPE, nullptr), 0);
        if (how == 1) EXPECT_EQ(hoya_future_result(raw, nullptr), HOYA_EPIPE);
        if (how == 2) EXPECT_EQ(hoya_future_exception(raw, nullptr), HOYA_EPIPE);
        if (how == 3) EXPECT_EQ(hoya_future_take(raw, &value, nullptr), HOYA_EPIPE);
        if (how == 4) EXPECT_EQ(hoya_future_cancel(raw, nullptr), 0);
        RunRounds(2);
        future.reset();
        EXPECT_EQ(reports.count, 0) << how;
    }
    Future future = NewFuture(loop);
    EXPECT_EQ(hoya_future_result(future.get(), nullptr), HOYA_ESTATE);
    EXPECT_EQ(hoya_future_set_exception(future.get(), HOYA_EPIPE, nullptr), 0);
    future.reset();
    EXPECT_EQ(reports.count, 1) << "a look at a pending future is none";
}

// Holds: S36
TEST_P(LoopConformance, DebugModeNamesThePlaceThatMadeTheFuture)
{
    Reports reports;
    ASSERT_EQ(hoya_loop_set_exception_handler(loop, Reports::Take, &reports), 0);
    ASSERT_EQ(hoya_loop_set_debug(loop, 1), 0);
    Future future = NewFuture(loop);
    ASSERT_EQ(hoya_future_set_exception(future.get(), HOYA_EPIPE, "why"), 0);
    future.reset();
    EXPECT_EQ(reports.detail.rfind("why; the future is from ", 0), 0u) << reports.detail;
    EXPECT_NE(reports.detail.find("[0x"), std::string::npos) << reports.detail;
}

// Holds: S15
TEST_P(LoopConformance, TheDumpAndDebugModesCloseNameCallbacksThatWait)
{
    ASSERT_EQ(hoya_loop_set_debug(loop, 1), 0);
    Future future = NewFuture(loop);
    WhenDone(future, Say("never"));
    Trace lines;
    auto take = [](const char *text, void *arg) { static_cast<Trace *>(arg)->push_back(text); };
    ASSERT_EQ(hoya_loop_dump(loop, take, &lines), 0);
    std::string dump;
    for (const std::string &line : lines) dump += line + "\n";
    EXPECT_NE(dump.find("  waiting for futures: 1\n    done callback "), std::string::npos) << dump;
    ASSERT_EQ(hoya_loop_close(loop), 0);
    EXPECT_TRUE(Logged("left in a loop that is closed: done callback "));
}

/* ---- the end of the loop, other threads, children ------------------------------------------------------- */

// Holds: S15 S162
TEST_P(LoopConformance, AFutureOutlivesItsLoop)
{
    hoya_loop *sibling = NewSibling();
    Future future = NewFuture(sibling), queued = NewFuture(sibling);
    Probe probe;
    for (hoya_future *each : {future.get(), queued.get()})
        EXPECT_EQ(hoya_future_add_done_callback(each, Count, &probe, Probe::Destroy, nullptr), 0);
    ASSERT_EQ(hoya_future_set_result(queued.get(), nullptr, nullptr), 0);
    Release(sibling);
    EXPECT_EQ(probe.destroyed, 2);
    EXPECT_EQ(hoya_future_set_result(future.get(), this, nullptr), 0);
    void *value = nullptr;
    EXPECT_EQ(hoya_future_result(future.get(), &value), 0);
    EXPECT_EQ(value, this);
    EXPECT_EQ(hoya_future_add_done_callback(future.get(), Count, &probe, Probe::Destroy, nullptr), HOYA_ECLOSED);
    EXPECT_EQ(probe.destroyed, 3);
    EXPECT_EQ(probe.runs, 0);
    hoya_future *none = nullptr;
    EXPECT_EQ(hoya_future_new(hoya_future_get_loop(future.get()), &none), HOYA_ECLOSED);
}

// Holds: S16 S162
TEST_P(LoopConformance, AFutureBelongsToTheThreadOfItsLoop)
{
    Future future = NewFuture(loop);
    Value value;
    Probe probe;
    std::thread([&] {
        hoya_future *raw = future.get(), *made = nullptr;
        void *out;
        EXPECT_EQ(hoya_future_new(loop, &made), HOYA_ETHREAD);
        EXPECT_EQ(hoya_future_set_result(raw, &value, Value::Destroy), HOYA_ETHREAD);
        EXPECT_EQ(hoya_future_set_exception(raw, HOYA_EPIPE, "text"), HOYA_ETHREAD);
        EXPECT_EQ(hoya_future_cancel(raw, "reason"), HOYA_ETHREAD);
        EXPECT_EQ(hoya_future_result(raw, nullptr), HOYA_ETHREAD);
        EXPECT_EQ(hoya_future_exception(raw, nullptr), HOYA_ETHREAD);
        EXPECT_EQ(hoya_future_take(raw, &out, nullptr), HOYA_ETHREAD);
        EXPECT_EQ(hoya_future_add_done_callback(raw, Count, &probe, Probe::Destroy, nullptr), HOYA_ETHREAD);
        EXPECT_EQ(hoya_future_remove_done_callback(raw, Count, &probe), HOYA_ETHREAD);
    }).join();
    EXPECT_EQ(value.destroyed, 1);
    EXPECT_EQ(probe.destroyed, 1);
    EXPECT_EQ(hoya_future_done(future.get()), 0);
}

// Holds: S56
TEST_P(LoopConformance, InAForkedChildAFutureIsTheParentsUntilTheLoopIsTakenOver)
{
    Future future = NewFuture(loop);
    WhenDone(future, Say("called"));
    auto in_child = [&] {
        EXPECT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), HOYA_ECHILD);
        ASSERT_EQ(hoya_loop_after_fork(loop), 0) << hoya_error_detail();
        EXPECT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), 0);
        RunUntilNoted(1);
    };
    EXPECT_EQ(InChild(in_child), 0);
    EXPECT_EQ(hoya_future_done(future.get()), 0);
}

// Holds: S29
TEST_P(LoopConformance, NothingIsAFuture)
{
    Value value;
    EXPECT_EQ(hoya_future_set_result(nullptr, &value, Value::Destroy), HOYA_EINVAL);
    EXPECT_EQ(value.destroyed, 1);
    EXPECT_EQ(hoya_future_result(nullptr, nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_future_cancel(nullptr, nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_future_done(nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_future_cancelled(nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_future_add_done_callback(nullptr, Count, &value, Value::Destroy, nullptr), HOYA_EINVAL);
    EXPECT_EQ(value.destroyed, 2);
    hoya_future_unref(nullptr);
}

namespace
{

/* A service with a callback interface, as most libraries have: it answers later, once. */
using OnReply = void (*)(int error, const char *reply, void *arg);

void AskService(hoya_loop *loop, const char *question, OnReply on_reply, void *arg)
{
    auto answer = [question, on_reply, arg] {
        if (*question) on_reply(0, question, arg);
        else on_reply(EINVAL, nullptr, arg);
    };
    EXPECT_EQ(hoya_loop_call_later(loop, HOYA_USEC(100), Lambda::Run, new Work(answer), Lambda::Destroy, nullptr),
              0);
}

/* Its other side: docs/futures.md. */
void CompleteFuture(int error, const char *reply, void *arg)
{
    auto future = static_cast<hoya_future *>(arg);
    if (error) hoya_future_set_exception(future, -error, "the service refused");
    else hoya_future_set_result(future, strdup(reply), free);
    hoya_future_unref(future);
}

Future AskForFuture(hoya_loop *loop, const char *question)
{
    Future future = NewFuture(loop);
    AskService(loop, question, CompleteFuture, hoya_future_ref(future.get()));
    return future;
}

} // namespace

TEST_P(LoopConformance, ACallbackInterfaceTurnsIntoAFutureWithBothOutcomesRight)
{
    Future given_up = AskForFuture(loop, "late"), good = AskForFuture(loop, "hello"), bad = AskForFuture(loop, "");
    EXPECT_EQ(hoya_future_cancel(given_up.get(), nullptr), 1);
    void *value = nullptr;
    EXPECT_EQ(hoya_run_until_complete(loop, good.get(), &value), 0);
    EXPECT_STREQ(static_cast<char *>(value), "hello");
    EXPECT_EQ(hoya_run_until_complete(loop, bad.get(), &value), -EINVAL);
    EXPECT_STREQ(hoya_error_detail(), "the service refused");
    EXPECT_STREQ(static_cast<char *>(value), "hello") << "untouched";
    EXPECT_EQ(Stats().timers, 0u) << "the first reply has come, too, and did no harm";
    EXPECT_EQ(hoya_future_result(given_up.get(), nullptr), HOYA_ECANCELED);
}

// Holds: F4
TEST_P(GuestConformance, AHostsCallbackMayCompleteAFuture)
{
    Future future = NewFuture(loop);
    WhenDone(future, Say("called"));
    host->CallOnce([&] { EXPECT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), 0); });
    RunHostUntilSeen("called");
}

} // namespace hoya_test
