/* SPDX-License-Identifier: MIT
 *
 * conformance/gio_test.cc: GIO's operations awaited, and GCancellables joined: real files, and operations that end
 * when the test says so.
 */
#include "await.h"

#if __has_include(<gio/gio.h>) && __has_include(<hoya/gio.h>)

#include "gio.h"

#include <cstring>
#include <thread>

#include "support/leaks.h"

namespace hoya_test
{

/* GIO's threads and what they open. */
static WarmUp gio([] {
    GFile *file = g_file_new_for_path("/proc/self/stat");
    bool done = false;
    auto on_done = [](GObject *, GAsyncResult *, gpointer arg) { *static_cast<bool *>(arg) = true; };
    g_file_load_contents_async(file, nullptr, on_done, &done);
    while (!done) g_main_context_iteration(nullptr, TRUE);
    g_object_unref(file);
});

INSTANTIATE_TEST_SUITE_P(Hosts, GioConformance, ::testing::ValuesIn(VariantsOf("glib")),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- the three lines ------------------------------------------------------------------------------------- */

TEST_P(GioConformance, AFileIsRead)
{
    Task task = Create([this](hoya_task *) {
        GFile *file = g_file_new_for_path("/proc/self/comm");
        hoya_gio_call *call;
        GAsyncResult *result;
        GError *error = nullptr;
        char *text = nullptr;
        int rc = hoya_gio_begin(loop, &call);
        EXPECT_EQ(rc, 0);
        g_file_load_contents_async(file, hoya_gio_cancellable(call), hoya_gio_ready, call);
        if (hoya_gio_await(call, &result) >= 0)
            g_file_load_contents_finish(file, result, &text, nullptr, nullptr, &error);
        rc = hoya_gio_end(call, &error);
        EXPECT_EQ(std::string(text ? text : ""), "hoya-conformanc\n");
        g_free(text);
        g_object_unref(file);
        return rc;
    });
    EXPECT_EQ(RunUntilDone(task), 0);
}

TEST_P(GioConformance, AGErrorBecomesACode)
{
    Task task = Create([this](hoya_task *) {
        GFile *file = g_file_new_for_path("/there/is/no/such/file");
        hoya_gio_call *call;
        GAsyncResult *result;
        GError *error = nullptr;
        EXPECT_EQ(hoya_gio_begin(loop, &call), 0);
        g_file_read_async(file, G_PRIORITY_DEFAULT, hoya_gio_cancellable(call), hoya_gio_ready, call);
        EXPECT_EQ(hoya_gio_await(call, &result), 0) << "the waiting did not fail";
        EXPECT_EQ(g_file_read_finish(file, result, &error), nullptr);
        int rc = hoya_gio_end(call, &error);
        EXPECT_EQ(error, nullptr);
        EXPECT_NE(strstr(hoya_error_detail(), "g-io-error"), nullptr) << hoya_error_detail();
        EXPECT_NE(strstr(hoya_error_detail(), "/there/is/no/such/file"), nullptr) << hoya_error_detail();
        g_object_unref(file);
        return rc;
    });
    EXPECT_EQ(RunUntilDone(task), HOYA_ENOENT);
}

TEST_P(GioConformance, OthersGoOnWhileATaskWaits)
{
    Operation operation;
    int ticks = 0;
    Task ticker = CreateTicker(&ticks);
    Task task = Create([&](hoya_task *) { return Perform(operation); });
    CallSoon([&] { EXPECT_TRUE(operation.Begun()); });
    while (ticks < 3) RunFor(HOYA_MSEC(1));
    EXPECT_FALSE(Done(task));
    operation.Succeed();
    EXPECT_EQ(RunUntilDone(task), 0);
    Cancel(ticker);
    EXPECT_EQ(RunUntilDone(ticker), HOYA_ECANCELED);
}

TEST_P(GioConformance, AnOperationThatHasEndedIsThereAtOnce)
{
    Task task = Create([&](hoya_task *) {
        Operation operation;
        hoya_gio_call *call = operation.Begin(loop);
        operation.Succeed();
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(2)), 0);
        CallSoon(Say("later"));
        EXPECT_EQ(operation.End(call), 0);
        EXPECT_EQ(trace, Trace{}) << "nobody else ran";
        return 0;
    });
    EXPECT_EQ(RunUntilDone(task), 0);
}

/* ---- cancels at each point ------------------------------------------------------------------------------- */

TEST_P(GioConformance, ACancelIsPassedOnAndWaitedFor)
{
    Operation operation;
    Task task = Create([&](hoya_task *) { return Perform(operation); });
    RunRounds(3);
    EXPECT_FALSE(operation.IsCancelled());
    EXPECT_TRUE(Cancel(task));
    RunRounds(3);
    EXPECT_TRUE(operation.IsCancelled());
    EXPECT_FALSE(Done(task)) << "the operation may still write to the task's stack";
    operation.ReturnCancelled();
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
    EXPECT_TRUE(hoya_future_cancelled(Of(task)));
}

TEST_P(GioConformance, AResultThatComesDespiteTheCancelIsDelivered)
{
    Operation operation;
    Task task = Create([&](hoya_task *) {
        int rc = Perform(operation);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), HOYA_ECANCELED) << "the cancel stays";
        return rc;
    });
    RunRounds(3);
    EXPECT_TRUE(Cancel(task));
    RunRounds(3);
    operation.Succeed();
    EXPECT_EQ(RunUntilDone(task), 0);
}

TEST_P(GioConformance, ACancelBeforeTheWaitIsPassedOnToo)
{
    Operation operation;
    Task task = Create([&](hoya_task *self) {
        hoya_task_cancel(self, nullptr);
        return Perform(operation);
    });
    RunRounds(3);
    EXPECT_TRUE(operation.IsCancelled());
    EXPECT_FALSE(Done(task));
    operation.ReturnCancelled();
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
}

TEST_P(GioConformance, ARealOperationEndsByACancel)
{
    Task task = Create([this](hoya_task *self) {
        GFile *file = g_file_new_for_path("/proc/self/comm");
        hoya_gio_call *call;
        GAsyncResult *result;
        GError *error = nullptr;
        EXPECT_EQ(hoya_gio_begin(loop, &call), 0);
        g_file_read_async(file, G_PRIORITY_DEFAULT, hoya_gio_cancellable(call), hoya_gio_ready, call);
        hoya_task_cancel(self, nullptr);
        EXPECT_EQ(hoya_gio_await(call, &result), 0) << "it has ended: how, the finish function tells";
        GFileInputStream *stream = g_file_read_finish(file, result, &error);
        EXPECT_EQ(stream, nullptr);
        int rc = hoya_gio_end(call, &error);
        g_clear_object(&stream);
        g_object_unref(file);
        return rc;
    });
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
}

TEST_P(GioConformance, ATimeoutIsPassedOnAndIsADeadlineInTheEnd)
{
    Operation operation;
    Task task = Create([&](hoya_task *) {
        hoya_timeout *scope;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &scope), 0);
        int rc = Perform(operation);
        EXPECT_EQ(hoya_timeout_leave(scope), 1);
        return rc;
    });
    while (!operation.IsCancelled()) RunFor(HOYA_MSEC(1));
    EXPECT_FALSE(Done(task));
    operation.ReturnCancelled();
    EXPECT_EQ(RunUntilDone(task), HOYA_EDEADLINE);
}

TEST_P(GioConformance, AnOperationThatNobodyWaitsForIsCancelledAtItsEnd)
{
    Operation operation;
    hoya_gio_call *call = operation.Begin(loop);
    EXPECT_EQ(hoya_gio_end(call, nullptr), HOYA_ECANCELED);
    EXPECT_TRUE(operation.IsCancelled());
    operation.ReturnCancelled();
    RunUntilReleased(operation);
}

TEST_P(GioConformance, ALoopThatIsClosedDoesNotWait)
{
    Operation operation;
    Task task = Create([&](hoya_task *) { return Perform(operation); });
    RunRounds(3);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_TRUE(Done(task));
    EXPECT_EQ(hoya_future_result(Of(task), nullptr), HOYA_ECANCELED);
    EXPECT_TRUE(operation.IsCancelled());
    operation.ReturnCancelled(); /* finds nobody */
    RunUntilReleased(operation);
}

/* ---- the future form ------------------------------------------------------------------------------------- */

TEST_P(GioConformance, ACallbackGetsTheResultAsTheValueOfAFuture)
{
    Operation operation;
    hoya_gio_call *call = operation.Begin(loop);
    auto on_done = [](hoya_future *future, void *arg) {
        void *result = nullptr;
        EXPECT_EQ(hoya_future_result(future, &result), 0);
        EXPECT_EQ(g_task_propagate_int(static_cast<GTask *>(result), nullptr), 42);
        Lambda::Run(arg);
    };
    Work note = Say("done");
    EXPECT_EQ(hoya_future_add_done_callback(hoya_gio_future(call), on_done, &note, nullptr, nullptr), 0);
    operation.Succeed();
    RunUntilNoted(1);
    EXPECT_EQ(hoya_gio_end(call, nullptr), 0);
}

TEST_P(GioConformance, CancellingTheFutureCancelsTheOperation)
{
    Operation operation;
    hoya_gio_call *call = operation.Begin(loop);
    EXPECT_EQ(hoya_future_cancel(hoya_gio_future(call), nullptr), 1);
    RunRounds(2);
    EXPECT_TRUE(operation.IsCancelled());
    EXPECT_EQ(hoya_gio_end(call, nullptr), HOYA_ECANCELED);
    operation.Succeed(); /* its result is dropped */
    RunUntilReleased(operation);
}

TEST_P(GioConformance, AwaitOutsideATaskSaysSo)
{
    Operation operation;
    hoya_gio_call *call = operation.Begin(loop);
    EXPECT_EQ(hoya_gio_await(call, nullptr), HOYA_ESTATE);
    EXPECT_FALSE(operation.IsCancelled());
    operation.Succeed();
    RunUntilDone(hoya_gio_future(call));
    EXPECT_EQ(hoya_gio_end(call, nullptr), HOYA_ESTATE) << "what waiting answered";
}

TEST_P(GioConformance, AClosedLoopBeginsNothing)
{
    hoya_gio_call *call = nullptr;
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hoya_gio_begin(loop, &call), HOYA_ECLOSED);
    EXPECT_EQ(call, nullptr);
    EXPECT_EQ(hoya_gio_end(nullptr, nullptr), 0);
}

// Holds: F14
TEST_P(GioConformance, AnotherThreadMayRunTheContextOfTheCall)
{
    GMainContext *elsewhere = g_main_context_new();
    GMainLoop *main_loop = g_main_loop_new(elsewhere, FALSE);
    Operation operation;
    g_main_context_push_thread_default(elsewhere);
    hoya_gio_call *call = operation.Begin(loop);
    g_main_context_pop_thread_default(elsewhere);
    Task task = Create([&](hoya_task *) { return operation.End(call); });
    RunRounds(3);
    std::thread other([main_loop] { g_main_loop_run(main_loop); });
    operation.Succeed();
    EXPECT_EQ(RunUntilDone(task), 0);
    g_main_loop_quit(main_loop);
    other.join();
    g_main_loop_unref(main_loop);
    g_main_context_unref(elsewhere);
}

/* ---- errors ---------------------------------------------------------------------------------------------- */

static int CodeOf(GQuark domain, int code)
{
    GError *error = g_error_new_literal(domain, code, "as it happens");
    int rc = hoya_gio_error(&error);
    EXPECT_EQ(error, nullptr);
    return rc;
}

TEST(GioError, WhatGioMakesOfAnErrnoComesBack)
{
    for (int number :
         {ENOENT, EEXIST,   EISDIR,      ENOTDIR,      ENOTEMPTY,    ENAMETOOLONG, ELOOP,  ENOSPC, EINVAL,
          EACCES, ENOTSUP,  ECANCELED,   EROFS,        ETIMEDOUT,    EBUSY,        EAGAIN, EMFILE, EADDRINUSE,
          EPIPE,  ENOTCONN, ENETUNREACH, EHOSTUNREACH, ECONNREFUSED, EMSGSIZE,     ENODEV})
        EXPECT_EQ(CodeOf(G_IO_ERROR, g_io_error_from_errno(number)), -number) << strerror(number);
    for (int number = 1; number < 134; number++) { /* and all others come back as what GIO takes for the same */
        int code = g_io_error_from_errno(number);
        if (code != G_IO_ERROR_FAILED && code != G_IO_ERROR_CLOSED)
            EXPECT_EQ(g_io_error_from_errno(-CodeOf(G_IO_ERROR, code)), code) << strerror(number);
    }
}

TEST(GioError, WhatIsNoErrnoHasACodeOfItsOwnOrIsAFailureOfInputAndOutput)
{
    EXPECT_EQ(CodeOf(G_IO_ERROR, G_IO_ERROR_CANCELLED), HOYA_ECANCELED);
    EXPECT_EQ(CodeOf(G_IO_ERROR, G_IO_ERROR_CLOSED), HOYA_ECLOSED);
    EXPECT_EQ(CodeOf(G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT), HOYA_EEOF);
    EXPECT_EQ(CodeOf(G_IO_ERROR, G_IO_ERROR_PENDING), HOYA_EBUSY);
    EXPECT_EQ(CodeOf(G_IO_ERROR, G_IO_ERROR_FAILED), HOYA_EIO);
    EXPECT_EQ(CodeOf(G_IO_ERROR, 4711), HOYA_EIO);
    EXPECT_EQ(CodeOf(G_CONVERT_ERROR, G_IO_ERROR_CANCELLED), HOYA_EIO) << "of another domain";
    EXPECT_STREQ(hoya_error_detail(), "g_convert_error: as it happens");
}

TEST(GioError, NoErrorIsNoCode)
{
    GError *none = nullptr;
    EXPECT_EQ(hoya_gio_error(&none), 0);
    EXPECT_EQ(hoya_gio_error(nullptr), 0);
}

/* ---- a GCancellable of the program's --------------------------------------------------------------------- */

TEST_P(GioConformance, AGCancellableCancelsATask)
{
    Cancellable stop = NewCancellable();
    Task task = Create([](hoya_task *) { return hoya_sleep(HOYA_SEC(60)); });
    EXPECT_EQ(hoya_gio_cancel_on(Of(task), stop.get()), 0);
    RunRounds(3);
    EXPECT_EQ(Handlers(stop), 1);
    g_cancellable_cancel(stop.get());
    EXPECT_FALSE(Done(task)) << "never inside the call";
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
    RunRounds(3);
    EXPECT_EQ(Handlers(stop), 0);
}

// Holds: F14
TEST_P(GioConformance, AGCancellableMayBeCancelledOnAnyThread)
{
    Cancellable stop = NewCancellable();
    Operation operation;
    Task task = Create([&](hoya_task *) { return Perform(operation); });
    EXPECT_EQ(hoya_gio_cancel_on(Of(task), stop.get()), 0);
    RunRounds(3);
    std::thread other([&] { g_cancellable_cancel(stop.get()); });
    while (!operation.IsCancelled()) RunFor(HOYA_MSEC(1)); /* through the task to the operation's own */
    other.join();
    operation.ReturnCancelled();
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
}

TEST_P(GioConformance, OneThatWasCancelledBeforeCancelsSoon)
{
    Cancellable stop = NewCancellable();
    g_cancellable_cancel(stop.get());
    Future future = NewFuture(loop);
    EXPECT_EQ(hoya_gio_cancel_on(future.get(), stop.get()), 0);
    EXPECT_FALSE(hoya_future_done(future.get()));
    EXPECT_EQ(RunUntilDone(future), HOYA_ECANCELED);
    EXPECT_EQ(TextOf(future), "its GCancellable was cancelled");
}

TEST_P(GioConformance, AFutureThatEndsLetsGoOfTheGCancellable)
{
    Cancellable stop = NewCancellable();
    Future done = NewFuture(loop), dropped = NewFuture(loop), late = NewFuture(loop);
    EXPECT_EQ(hoya_future_set_exception(late.get(), HOYA_EPIPE, nullptr), 0);
    for (const Future *future : {&done, &dropped, &late})
        EXPECT_EQ(hoya_gio_cancel_on(future->get(), stop.get()), 0);
    EXPECT_EQ(Handlers(stop), 3);
    EXPECT_EQ(hoya_future_set_result(done.get(), nullptr, nullptr), 0);
    dropped.reset();
    g_cancellable_cancel(stop.get()); /* too late for all of them */
    RunRounds(5);
    EXPECT_EQ(hoya_future_result(done.get(), nullptr), 0);
    EXPECT_EQ(Handlers(stop), 0);
    late.reset();
    EXPECT_TRUE(Logged("nobody looked at the error")) << "we did not";
}

TEST_P(GioConformance, ACancelThatComesAMomentTooLateIsNoLookAtTheError)
{
    Cancellable stop = NewCancellable();
    Future future = NewFuture(loop);
    EXPECT_EQ(hoya_gio_cancel_on(future.get(), stop.get()), 0);
    CallSoon([&] {
        g_cancellable_cancel(stop.get()); /* is on its way when the future fails */
        CallSoon([&] { EXPECT_EQ(hoya_future_set_exception(future.get(), HOYA_EPIPE, nullptr), 0); });
    });
    RunRounds(5);
    future.reset();
    EXPECT_TRUE(Logged("nobody looked at the error"));
}

TEST_P(GioConformance, TheEndOfTheLoopLetsGoOfTheGCancellable)
{
    Cancellable stop = NewCancellable();
    Future future = NewFuture(loop);
    EXPECT_EQ(hoya_gio_cancel_on(future.get(), stop.get()), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(Handlers(stop), 0);
    g_cancellable_cancel(stop.get());
    EXPECT_FALSE(hoya_future_done(future.get()));
    EXPECT_EQ(hoya_gio_cancel_on(future.get(), stop.get()), HOYA_ECLOSED);
    EXPECT_EQ(hoya_gio_cancel_on(future.get(), nullptr), HOYA_EINVAL);
}

TEST_P(GioConformance, ATaskMayEndInAHandlerOfItsGCancellable)
{
    Cancellable stop = NewCancellable();
    Future future = NewFuture(loop);
    Work work = [this] { /* a program that waits in its handler */
                         RunRounds(5);
                         Note("handled");
    };
    auto handler = +[](GCancellable *, gpointer arg) { Lambda::Run(arg); };
    gulong first = g_cancellable_connect(stop.get(), G_CALLBACK(handler), &work, nullptr);
    EXPECT_EQ(hoya_gio_cancel_on(future.get(), stop.get()), 0);
    EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
    g_cancellable_cancel(stop.get()); /* disconnects in the middle, and does not wait for itself */
    EXPECT_EQ(trace, Trace{"handled"});
    EXPECT_EQ(Handlers(stop), 1);
    g_cancellable_disconnect(stop.get(), first);
}

} // namespace hoya_test

#endif
