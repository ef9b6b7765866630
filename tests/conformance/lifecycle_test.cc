/* SPDX-License-Identifier: MIT
 *
 * conformance/lifecycle_test.cc: making, running, closing; one iteration by hand; errors that nobody asked for.
 */
#include "conformance.h"

#include <algorithm>

#include <poll.h>
#include <unistd.h>

namespace hoya_test
{

/* ---- one run at a time ---- */

// Holds: S14
TEST_P(LoopConformance, ARunInsideARunIsBusy)
{
    CallSoon([this] {
        EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_EBUSY);
        EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), HOYA_EBUSY);
        Note("refused");
    });
    RunUntilNoted(1);
}

// Holds: S14
TEST_P(LoopConformance, AnotherLoopOfTheThreadIsBusyMeanwhile)
{
    hoya_loop *sibling = NewSibling();
    CallSoon([&] {
        EXPECT_EQ(hoya_loop_run_forever(sibling), HOYA_EBUSY);
        EXPECT_EQ(hoya_loop_run_once(sibling, HOYA_NOW), HOYA_EBUSY);
        Note("refused");
    });
    RunUntilNoted(1);
    EXPECT_EQ(hoya_loop_run_once(sibling, HOYA_NOW), 0) << "afterwards it is free";
    Release(sibling);
}

// Holds: S14
TEST_P(LoopConformance, ARunningLoopCannotBeClosed)
{
    CallSoon([this] {
        EXPECT_EQ(hoya_loop_close(loop), HOYA_EBUSY);
        CallSoon(Say("goes on"));
    });
    RunUntilNoted(1);
    EXPECT_EQ(hoya_loop_is_closed(loop), 0);
}

// Holds: S14 S11
TEST_P(LoopConformance, IsRunningTellsWhetherARunIsOpen)
{
    EXPECT_EQ(hoya_loop_is_running(loop), 0);
    CallSoon([this] {
        EXPECT_EQ(hoya_loop_is_running(loop), 1);
        EXPECT_EQ(hoya_loop_abort(loop, HOYA_ECANCELED), 0);
    });
    Run(HOYA_ECANCELED);
    EXPECT_EQ(hoya_loop_is_running(loop), 0);
    CallSoon([this] { Stop(); });
    Run();
    EXPECT_EQ(hoya_loop_is_running(loop), 0);
}

// Holds: S14
TEST_P(LoopConformance, TheRunningLoopIsTheOneWhoseCallbackIsOnTheStack)
{
    EXPECT_EQ(hoya_get_running_loop(), nullptr);
    AddReader(MakeReadable(), [this] { EXPECT_EQ(hoya_get_running_loop(), loop); });
    CallLater(0, [this] { EXPECT_EQ(hoya_get_running_loop(), loop); });
    CallSoon([this] { EXPECT_EQ(hoya_get_running_loop(), loop); });
    RunRounds(1);
    EXPECT_EQ(hoya_get_running_loop(), nullptr);
}

/* ---- close ---- */

// Holds: S15
TEST_P(LoopConformance, CloseIsIdempotent)
{
    EXPECT_EQ(hoya_loop_is_closed(loop), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hoya_loop_is_closed(loop), 1);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hoya_loop_is_closed(loop), 1);
}

// Holds: S15
TEST_P(LoopConformance, AClosedLoopRefusesEverything)
{
    EXPECT_EQ(hoya_loop_close(loop), 0);
    auto nothing = [](void *) {};
    EXPECT_EQ(hoya_loop_call_soon(loop, nothing, nullptr), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_call_later(loop, 0, nothing, nullptr, nullptr, nullptr), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_call_at(loop, 0, nothing, nullptr, nullptr, nullptr), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, nothing, nullptr, nullptr, nullptr), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_stop(loop), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_is_running(loop), 0);
}

// Holds: S15 S20
TEST_P(LoopConformance, WakingAClosedLoopHarmsNothing)
{
    int fds = OpenFds();
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_LT(OpenFds(), fds) << "the loop's own descriptors are closed now";
    EXPECT_LE(hoya_loop_wakeup(loop), 0);
}

// Holds: S15
TEST_P(LoopConformance, CloseDropsWhatWaitsAndLeavesDescriptorsOpen)
{
    auto [ours, theirs] = MakePair();
    Feed(theirs);
    AddReader(ours, Say("dropped"));
    CallSoon(Say("dropped"));
    CallLater(0, Say("dropped"));
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(trace, Trace{});
    char byte = 0;
    EXPECT_EQ(read(ours, &byte, 1), 1);
    EXPECT_EQ(byte, 'x');
}

// Holds: S15 S162
TEST_P(LoopConformance, TheLastUnrefCloses)
{
    Probe probe;
    hoya_loop *sibling = NewSibling();
    EXPECT_EQ(hoya_loop_call_later(sibling, HOYA_SEC(60), Probe::Run, &probe, Probe::Destroy, nullptr), 0);
    hoya_loop_ref(sibling);
    hoya_loop_unref(sibling);
    EXPECT_EQ(probe.destroyed, 0);
    hoya_loop_unref(sibling);
    EXPECT_EQ(probe.destroyed, 1);
}

// Holds: S15 F20
TEST_P(LoopConformance, TheLastUnrefMayComeFromACallback)
{
    Probe probe;
    hoya_loop *sibling = NewSibling();
    auto leave = new Work([&] {
        EXPECT_EQ(hoya_loop_stop(sibling), 0);
        hoya_loop_unref(sibling);
        EXPECT_EQ(probe.destroyed, 0) << "the run needs the loop";
    });
    EXPECT_EQ(hoya_loop_call_later(sibling, HOYA_SEC(60), Probe::Run, &probe, Probe::Destroy, nullptr), 0);
    EXPECT_EQ(hoya_loop_call_soon_full(sibling, Lambda::Run, leave, Lambda::Destroy, nullptr), 0);
    EXPECT_EQ(hoya_loop_run_forever(sibling), 0);
    EXPECT_EQ(probe.destroyed, 1);
}

// Holds: S21
TEST_P(LoopConformance, TheLoopsOwnDescriptorsAreNotTheUsers)
{
    EXPECT_EQ(Stats().watches, 0u);
    EXPECT_EQ(hoya_loop_wakeup(loop), 0);
    CallLater(HOYA_MSEC(1), [this] { Stop(); });
    EXPECT_EQ(Stats().watches, 0u);
    Run();
    EXPECT_EQ(Stats().events, 0u) << "a wake-up and a timer are no events of a user's descriptor";
    AddReader(MakePair()[0], Say("never"));
    EXPECT_EQ(Stats().watches, 1u);
}

/* ---- run_once ---- */

// Holds: S2 S24
TEST_P(LoopConformance, RunOnceWaitsForTheFirstThingAndRunsOneRound)
{
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 0) << "nothing to do, and no time to wait";
    CallLater(HOYA_MSEC(2), Say("timer"));
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NEVER), 1);
    EXPECT_EQ(trace, Trace{"timer"});
    AddReader(MakeReadable(), Say("reader"));
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NEVER), 1);
    EXPECT_EQ(trace, (Trace{"timer", "reader"}));
}

// Holds: S24
TEST_P(LoopConformance, RunOnceEndsWhenItsTimeIsUp)
{
    CallLater(HOYA_SEC(60), Say("never"));
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_MSEC(5)), 0);
    EXPECT_EQ(trace, Trace{});
}

// Holds: S158 S159
TEST_P(LoopConformance, AnApplicationMayDriveANativeLoopByHand)
{
    if (GetParam().foreign()) EXPECT_EQ(hoya_loop_detach(loop), 0);
    if (GetParam().selector) {
        EXPECT_EQ(hoya_loop_pollfd(loop), HOYA_INVALID_FD) << "poll and select have no descriptor to be watched";
        return;
    }
    auto [ours, theirs] = MakePair();
    EXPECT_EQ(hoya_loop_dispatch(loop, HOYA_NEVER), 0) << "a dispatch too many costs nothing";
    EXPECT_EQ(hoya_loop_deadline(loop), HOYA_NEVER);
    CallSoon([this, fd = theirs] {
        Note("soon");
        CallLater(HOYA_MSEC(1), [this, fd] {
            Note("timer");
            Feed(fd);
        });
    });
    AddReader(ours, Say("reader"));
    EXPECT_EQ(hoya_loop_deadline(loop), HOYA_NOW) << "there is work";
    while (!Seen("reader")) {
        int64_t deadline = hoya_loop_deadline(loop);
        int64_t rest = deadline == HOYA_NOW ? 0 : std::min(deadline - Now(), HOYA_SEC(10));
        pollfd look = {hoya_loop_pollfd(loop), POLLIN, 0};
        poll(&look, 1, static_cast<int>(std::max<int64_t>(rest + 999999, 0) / 1000000));
        EXPECT_LE(hoya_loop_dispatch(loop, HOYA_NEVER), 1) << "at most one round";
    }
    EXPECT_EQ(trace, (Trace{"soon", "timer", "reader"}));
}

/* ---- options ---- */

// Holds: F21
TEST_P(LoopConformance, OptionsThatThisVersionDoesNotKnowAreRefused)
{
    struct {
        hoya_loop_options known;
        char tail[16];
    } future = {};
    hoya_loop *made = nullptr;
    future.known.size = sizeof future;
    EXPECT_EQ(hoya_loop_new(&future.known, &made), 0) << "a tail of zeros asks for nothing";
    Release(made);
    made = nullptr;
    future.tail[15] = 1;
    EXPECT_EQ(hoya_loop_new(&future.known, &made), HOYA_EINVAL);
    future.tail[15] = 0;
    future.known.flags = 1u << 31;
    future.known.host = host ? host->NewAdapter() : nullptr; /* taken, also on failure */
    EXPECT_EQ(hoya_loop_new(&future.known, &made), HOYA_EINVAL);
    EXPECT_EQ(made, nullptr);
    EXPECT_EQ(hoya_loop_new(nullptr, &made), 0) << "no options at all";
    Release(made);
}

/* ---- errors that nobody asked for ---- */

namespace
{

hoya_exception_context Failure(const char *message)
{
    hoya_exception_context context = {};
    context.size = sizeof context;
    context.message = message;
    context.code = HOYA_EPIPE;
    context.fd = HOYA_INVALID_FD;
    return context;
}

} // namespace

// Holds: S156 S10
TEST_P(LoopConformance, TheExceptionHandlerIsTold)
{
    struct Heard {
        hoya_loop *loop = nullptr;
        std::string message;
        int code = 0;
    } heard;
    auto handler = [](hoya_loop *of, const hoya_exception_context *context, void *arg) {
        *static_cast<Heard *>(arg) = {of, context->message, context->code};
        return 0;
    };
    void *arg = nullptr;
    EXPECT_EQ(hoya_loop_get_exception_handler(loop, &arg), nullptr);
    EXPECT_EQ(hoya_loop_set_exception_handler(loop, handler, &heard), 0);
    EXPECT_EQ(hoya_loop_get_exception_handler(loop, &arg), static_cast<hoya_exception_handler>(handler));
    EXPECT_EQ(arg, &heard);
    hoya_exception_context context = Failure("the pipe broke");
    hoya_loop_call_exception_handler(loop, &context);
    EXPECT_EQ(heard.loop, loop);
    EXPECT_EQ(heard.message, "the pipe broke");
    EXPECT_EQ(heard.code, HOYA_EPIPE);
    EXPECT_FALSE(Logged("the pipe broke"));
}

// Holds: S156
TEST_P(LoopConformance, WithoutAHandlerTheErrorIsLogged)
{
    hoya_exception_context context = Failure("the pipe broke");
    context.detail = "pipe number seven";
    hoya_loop_call_exception_handler(loop, &context);
    EXPECT_TRUE(Logged("error: "));
    EXPECT_TRUE(Logged("the pipe broke"));
    EXPECT_TRUE(Logged("pipe number seven"));
}

// Holds: S156
TEST_P(LoopConformance, AHandlerThatFailsFallsBackToTheDefaultWhichIsToldOfBoth)
{
    auto failing = [](hoya_loop *, const hoya_exception_context *, void *) -> int { return HOYA_ENOMEM; };
    EXPECT_EQ(hoya_loop_set_exception_handler(loop, failing, nullptr), 0);
    hoya_exception_context context = Failure("the pipe broke");
    CallSoon([&] { hoya_loop_call_exception_handler(loop, &context); });
    CallSoon(Say("next"));
    RunUntilNoted(1);
    EXPECT_TRUE(Logged("the pipe broke"));
    EXPECT_TRUE(Logged(hoya_strerror(HOYA_ENOMEM)) || Logged("HOYA_ENOMEM")) << "the handler's own failure";
}

// Holds: S156
TEST_P(LoopConformance, NullRestoresTheDefaultHandler)
{
    auto silent = [](hoya_loop *, const hoya_exception_context *, void *) { return 0; };
    EXPECT_EQ(hoya_loop_set_exception_handler(loop, silent, nullptr), 0);
    EXPECT_EQ(hoya_loop_set_exception_handler(loop, nullptr, nullptr), 0);
    hoya_exception_context context = Failure("the pipe broke");
    hoya_loop_call_exception_handler(loop, &context);
    EXPECT_TRUE(Logged("the pipe broke"));
}

// Holds: S156
TEST_P(LoopConformance, AHandlerMayCallTheDefault)
{
    auto passing = [](hoya_loop *of, const hoya_exception_context *context, void *) {
        hoya_loop_default_exception_handler(of, context);
        return 0;
    };
    EXPECT_EQ(hoya_loop_set_exception_handler(loop, passing, nullptr), 0);
    hoya_exception_context context = Failure("the pipe broke");
    hoya_loop_call_exception_handler(loop, &context);
    EXPECT_TRUE(Logged("the pipe broke"));
}

/* ---- debug mode ---- */

// Holds: S157
TEST_P(LoopConformance, ASlowCallbackIsNamedInDebugMode)
{
    EXPECT_EQ(hoya_loop_get_slow_callback_duration(loop), HOYA_MSEC(100));
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    EXPECT_EQ(hoya_loop_get_debug(loop), 1);
    EXPECT_EQ(hoya_loop_set_slow_callback_duration(loop, HOYA_MSEC(10)), 0);
    CallSoon([] { Burn(HOYA_MSEC(12)); });
    RunRounds(1);
    EXPECT_TRUE(Logged("ms") || Logged("second")) << "the duration";
    EXPECT_TRUE(Logged("warning: "));
}

// Holds: S157
TEST_P(LoopConformance, TheThresholdOfASlowCallbackIsInclusive)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    EXPECT_EQ(hoya_loop_set_slow_callback_duration(loop, 0), 0);
    EXPECT_EQ(hoya_loop_get_slow_callback_duration(loop), 0);
    RunRounds(1); /* no callback takes less than nothing */
    EXPECT_TRUE(Logged("warning: "));
}

// Holds: S157
TEST_P(LoopConformance, WithoutDebugModeNobodyLooksAtTheTime)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 0), 0);
    EXPECT_EQ(hoya_loop_set_slow_callback_duration(loop, 0), 0);
    RunRounds(2);
    EXPECT_FALSE(Logged("warning: "));
}

} // namespace hoya_test
