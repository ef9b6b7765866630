/* SPDX-License-Identifier: MIT
 *
 * conformance/glib_test.cc: what only GLib has: several contexts in a thread, numbers for priorities, and a log.
 */
#include "conformance.h"

#if __has_include(<glib.h>) && __has_include(<hoya/glib.h>)

#include <atomic>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <glib-unix.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hoya/glib.h>

#include "support/executors.h"
#include "support/leaks.h"

namespace hoya_test
{

/* Both open descriptors that stay: GLib's worker thread takes signals. */
static WarmUp global_context([] { g_main_context_default(); });
static WarmUp signal_worker([] { g_source_unref(g_unix_signal_source_new(SIGUSR2)); });

/* The fixture's loop lives in a private context that is not the thread's default. */
class GlibConformance : public GuestConformance
{
  protected:
    /* Turns of `context` until nothing is ready. */
    static void Settle(GMainContext *context)
    {
        while (g_main_context_iteration(context, FALSE)) continue;
    }

    static void CallSoonIn(hoya_loop *of, Probe *probe)
    {
        EXPECT_EQ(hoya_loop_call_soon(of, Probe::Run, probe), 0);
    }
};

static std::vector<Variant> GlibVariants()
{
    std::vector<Variant> found;
    for (const Variant &variant : foreign_variants())
        if (std::string(variant.name).rfind("glib", 0) == 0) found.push_back(variant);
    return found;
}

INSTANTIATE_TEST_SUITE_P(Hosts, GlibConformance, ::testing::ValuesIn(GlibVariants()),
                         [](const auto &of) { return std::string(of.param.name); });

// Holds: F17
TEST_P(GlibConformance, AnExplicitContextIsNeverTheDefaultOne)
{
    CallSoon(Say("soon"));
    CallLater(0, Say("timer"));
    Settle(nullptr);
    EXPECT_EQ(trace, Trace{}) << "the global default context has no part in it";
    RunHostUntil([this] { return trace.size() == 2; });
}

/* A source that schedules guest work from its prepare, once: after ours has been asked, and before GLib waits. */
struct Preparing {
    GSource base;
    hoya_loop *loop;
    Probe *probe;

    static gboolean Prepare(GSource *source, gint *timeout)
    {
        auto self = reinterpret_cast<Preparing *>(source);
        *timeout = 10000;
        if (self->probe) {
            EXPECT_EQ(hoya_loop_call_soon(self->loop, Probe::Run, self->probe), 0);
            self->probe = nullptr;
        }
        return FALSE;
    }
    static gboolean Dispatch(GSource *, GSourceFunc, gpointer) { return G_SOURCE_CONTINUE; }
};

// Holds: F4 F13
TEST_P(GlibConformance, WorkFromTheLastPrepareBeforeTheWaitIsNotForgotten)
{
    Probe probe;
    GMainContext *context = g_main_context_new();
    hoya_loop *guest = nullptr;
    ASSERT_EQ(hoya_glib_loop_new(context, 0, &guest), 0);
    static GSourceFuncs funcs = {Preparing::Prepare, nullptr, Preparing::Dispatch, nullptr, nullptr, nullptr};
    GSource *late = g_source_new(&funcs, sizeof(Preparing));
    reinterpret_cast<Preparing *>(late)->loop = guest;
    reinterpret_cast<Preparing *>(late)->probe = &probe;
    g_source_set_priority(late, G_PRIORITY_LOW);
    Settle(context); /* no wake-up is left over that would end the wait */
    g_source_attach(late, context);
    int64_t before = Now();
    while (!probe.runs) g_main_context_iteration(context, TRUE);
    EXPECT_LT(Now() - before, HOYA_SEC(5)) << "the wait would have been ten seconds";
    g_source_destroy(late);
    g_source_unref(late);
    Settle(context); /* the ready time of the kick is taken back: no turn for nothing is left */
    EXPECT_FALSE(g_main_context_pending(context));
    Release(guest);
    g_main_context_unref(context);
}

/* In per-fd mode GLib has read by then what it will wait for. */
TEST_P(GlibConformance, AWriterFromTheContextsPollFunctionIsNotForgotten)
{
    static Work at_poll;
    at_poll = nullptr;
    GMainContext *context = g_main_context_new();
    g_main_context_set_poll_func(context, [](GPollFD *fds, guint count, gint timeout) {
        if (timeout) std::exchange(at_poll, [] {})();
        return g_poll(fds, count, timeout);
    });
    hoya_loop_options options = {};
    options.size = sizeof options;
    options.flags = GetParam().per_fd() ? HOYA_LOOP_PER_FD : 0;
    ASSERT_EQ(hoya_glib_host_new(context, &options.host), 0);
    hoya_loop *other = nullptr;
    ASSERT_EQ(hoya_loop_new(&options, &other), 0) << hoya_error_detail();
    bool wrote = false, late = false;
    int fd = MakePair()[0];
    auto nothing = [](hoya_fd, uint32_t, void *) {};
    auto note = [](hoya_fd, uint32_t, void *arg) { *static_cast<bool *>(arg) = true; };
    EXPECT_EQ(hoya_loop_add_reader(other, fd, nothing, nullptr, nullptr), 0);
    at_poll = [] {};
    Settle(context);
    at_poll = [&] { EXPECT_EQ(hoya_loop_add_writer(other, fd, note, &wrote, nullptr), 0); };
    GSource *patience = g_timeout_source_new(3000);
    g_source_set_callback(
        patience, [](gpointer flag) -> gboolean { return *static_cast<bool *>(flag) = true, FALSE; }, &late,
        nullptr);
    g_source_attach(patience, context);
    while (!wrote && !late) g_main_context_iteration(context, TRUE);
    EXPECT_FALSE(late);
    g_source_destroy(patience);
    g_source_unref(patience);
    Release(other);
    g_main_context_unref(context);
}

// Holds: F17
TEST_P(GlibConformance, NoContextMeansTheThreadDefaultOne)
{
    Probe probe;
    GMainContext *own = g_main_context_new();
    hoya_loop *guest = nullptr;
    g_main_context_push_thread_default(own);
    ASSERT_EQ(hoya_glib_loop_new(nullptr, G_PRIORITY_DEFAULT, &guest), 0);
    g_main_context_pop_thread_default(own);
    CallSoonIn(guest, &probe);
    Settle(nullptr);
    EXPECT_EQ(probe.runs, 0);
    Settle(own);
    EXPECT_EQ(probe.runs, 1);
    Release(guest);
    g_main_context_unref(own);
}

// Holds: F17
TEST_P(GlibConformance, WithoutAThreadDefaultContextItIsTheGlobalOne)
{
    Probe probe;
    hoya_loop *guest = nullptr;
    ASSERT_EQ(hoya_glib_loop_new(nullptr, G_PRIORITY_DEFAULT, &guest), 0);
    CallSoonIn(guest, &probe);
    Settle(nullptr);
    EXPECT_EQ(probe.runs, 1);
    Release(guest);
}

// Holds: F17
TEST_P(GlibConformance, ThePolicyMakesLoopsInTheContextOfTheThread)
{
    Probe probe;
    GMainContext *own = g_main_context_new();
    hoya_loop *guest = nullptr;
    EXPECT_EQ(hoya_set_event_loop_policy(hoya_glib_policy()), 0);
    g_main_context_push_thread_default(own);
    EXPECT_EQ(hoya_new_event_loop(&guest), 0);
    g_main_context_pop_thread_default(own);
    EXPECT_EQ(hoya_set_event_loop_policy(nullptr), 0);
    ASSERT_NE(guest, nullptr);
    EXPECT_STREQ(hoya_loop_host_name(guest), "glib") << "a loop keeps its host when the policy changes";
    CallSoonIn(guest, &probe);
    Settle(own);
    EXPECT_EQ(probe.runs, 1);
    Release(guest);
    g_main_context_unref(own);
}

// Holds: F11 F12
TEST_P(GlibConformance, ABackgroundLoopComesAfterRedrawsAndBeforeIdleWork)
{
    constexpr int kBackground = 150;
    hoya_host *adapter = host->NewAdapter();
    Detach();
    ASSERT_EQ(hoya_loop_attach(loop, adapter, kBackground), 0);
    int redraws = 0, idles_before = -1, idles = 0;
    HostLoop::Id idle = host->AddIdle(Rank::kIdle, [&] { idles++; });
    HostLoop::Id redraw = 0;
    redraw = host->AddIdle(Rank::kRedraw, [&] {
        if (++redraws == 10) host->Remove(redraw);
    });
    CallSoon([&] {
        EXPECT_EQ(redraws, 10) << "the loop waited";
        idles_before = idles;
        Note("soon");
    });
    RunHostUntilSeen("soon");
    EXPECT_EQ(idles_before, 0);
    host->Remove(idle);
}

// Holds: F3
TEST_P(GlibConformance, TheApplicationsMainLoopEndsByItsOwnQuitOnly)
{
    GMainContext *context = g_main_context_new();
    GMainLoop *application = g_main_loop_new(context, FALSE);
    hoya_loop *guest = nullptr;
    ASSERT_EQ(hoya_glib_loop_new(context, G_PRIORITY_DEFAULT, &guest), 0);
    auto quit = [](gpointer data) -> gboolean {
        g_main_loop_quit(static_cast<GMainLoop *>(data));
        return G_SOURCE_REMOVE;
    };
    auto stop = [](void *arg) { EXPECT_EQ(hoya_loop_stop(static_cast<hoya_loop *>(arg)), 0); };
    GSource *timer = g_timeout_source_new(10);
    g_source_set_callback(timer, quit, application, nullptr);
    g_source_attach(timer, context);
    EXPECT_EQ(hoya_loop_call_soon(guest, stop, guest), 0);
    int64_t start = Now();
    g_main_loop_run(application);
    EXPECT_GE(Now() - start, HOYA_MSEC(9)) << "until its timer, not until our stop";
    g_source_unref(timer);
    Release(guest);
    g_main_loop_unref(application);
    g_main_context_unref(context);
}

// Holds: F22
TEST_P(GlibConformance, DetachingLeavesNoSourceInTheContext)
{
    GMainContext *context = g_main_context_new();
    auto attach_one = [context] {
        GSource *source = g_idle_source_new();
        guint id = g_source_attach(source, context);
        g_source_destroy(source);
        g_source_unref(source);
        return id;
    };
    hoya_loop *guest = nullptr;
    guint before = attach_one(); /* numbers grow: ours lies between these two */
    ASSERT_EQ(hoya_glib_loop_new(context, G_PRIORITY_DEFAULT, &guest), 0);
    guint after = attach_one();
    auto sources = [&] {
        int found = 0;
        for (guint id = before; id <= after; id++)
            found += g_main_context_find_source_by_id(context, id) != nullptr;
        return found;
    };
    EXPECT_EQ(sources(), 1);
    EXPECT_EQ(hoya_loop_detach(guest), 0);
    EXPECT_EQ(sources(), 0);
    Release(guest);
    g_main_context_unref(context);
}

// Holds: F26
TEST_P(GlibConformance, SignalsOfGlibsOwnGoOnBesideTheLoops)
{
    GMainContext *context = g_main_context_new();
    hoya_loop *guest = nullptr;
    ASSERT_EQ(hoya_glib_loop_new(context, G_PRIORITY_DEFAULT, &guest), 0);
    int glibs = 0, ours = 0;
    auto count = [](gpointer data) -> gboolean {
        ++*static_cast<int *>(data);
        return G_SOURCE_CONTINUE;
    };
    auto count_ours = [](int, void *arg) { ++*static_cast<int *>(arg); };
    GSource *source = g_unix_signal_source_new(SIGUSR2);
    g_source_set_callback(source, count, &glibs, nullptr);
    g_source_attach(source, context);
    auto until = [&](const int &counter, int value) {
        while (counter < value) g_main_context_iteration(context, TRUE);
    };
    EXPECT_EQ(hoya_loop_add_signal_handler(guest, SIGUSR1, count_ours, &ours, nullptr), 0);
    raise(SIGUSR1);
    raise(SIGUSR2);
    until(ours, 1);
    until(glibs, 1);

    /* The same one: the loop has it until it gives it back. */
    EXPECT_EQ(hoya_loop_add_signal_handler(guest, SIGUSR2, count_ours, &ours, nullptr), 0);
    raise(SIGUSR2);
    until(ours, 2);
    EXPECT_EQ(hoya_loop_remove_signal_handler(guest, SIGUSR2), 1);
    raise(SIGUSR2);
    until(glibs, 2);
    EXPECT_EQ(ours, 2);
    g_source_destroy(source);
    g_source_unref(source);
    Release(guest);
    g_main_context_unref(context);
}

// Holds: F25
TEST_P(GlibConformance, AChildWatchOfGlibsGoesOnBesideTheLoopsSigchld)
{
    GMainContext *context = g_main_context_new();
    hoya_loop *guest = nullptr;
    ASSERT_EQ(hoya_glib_loop_new(context, G_PRIORITY_DEFAULT, &guest), 0);
    int ours = 0, status = -1;
    auto [go, let_go] = MakePipe();
    ASSERT_EQ(fcntl(go, F_SETFL, 0), 0); /* the child blocks in it */
    pid_t child = fork();
    if (child == 0) {
        char byte;
        _exit(read(go, &byte, 1) == 1 ? 3 : 4);
    }
    GSource *source = g_child_watch_source_new(child);
    GChildWatchFunc ended = [](GPid, gint how, gpointer data) { *static_cast<int *>(data) = how; };
    g_source_set_callback(source, reinterpret_cast<GSourceFunc>(reinterpret_cast<void (*)()>(ended)), &status,
                          nullptr);
    g_source_attach(source, context);
    auto count = [](int, void *arg) { ++*static_cast<int *>(arg); };
    EXPECT_EQ(hoya_loop_add_signal_handler(guest, SIGCHLD, count, &ours, nullptr), 0);
    Feed(let_go); /* everybody watches now */
    while (status < 0 || !ours) g_main_context_iteration(context, TRUE);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << status;
    g_source_unref(source);
    Release(guest);
    g_main_context_unref(context);
}

// Holds: S156
TEST_P(GlibConformance, WithoutALogFunctionTheTextGoesToGLog)
{
    static std::string logged;
    static GLogLevelFlags level;
    logged.clear();
    auto take = [](const gchar *, GLogLevelFlags flags, const gchar *text, gpointer) {
        level = flags;
        logged += text;
    };
    hoya_set_log_function(nullptr, nullptr);
    GLogFunc before = g_log_set_default_handler(take, nullptr);
    hoya_exception_context context = {};
    context.size = sizeof context;
    context.message = "the pipe broke";
    context.fd = HOYA_INVALID_FD;
    hoya_loop_call_exception_handler(loop, &context);
    g_log_set_default_handler(before, nullptr);
    EXPECT_NE(logged.find("the pipe broke"), std::string::npos) << logged;
    EXPECT_FALSE(level & G_LOG_LEVEL_ERROR) << "which would abort the application";
}

/* ---- GLib's threads under an executor, as docs/executors.md has it ------------------------------------------ */

namespace
{

std::atomic<int> pools_freed{0};
std::atomic<int> handed_over{0}; /* the sanitizer does not see how GLib hands a job from thread to thread */

void RunExecutor(gpointer data, gpointer)
{
    EXPECT_GT(handed_over, 0);
    auto executor = static_cast<hoya_executor *>(data);
    hoya_executor_run(executor);
    hoya_executor_unref(executor);
}

int WakeGThread(hoya_executor *executor, void *pool)
{
    handed_over++;
    g_thread_pool_push(static_cast<GThreadPool *>(pool), hoya_executor_ref(executor), nullptr);
    return 0;
}

void FreeGThreadPool(void *pool)
{
    g_thread_pool_free(static_cast<GThreadPool *>(pool), FALSE, FALSE);
    pools_freed++;
}

} // namespace

TEST_P(GlibConformance, AGThreadPoolRunsTheJobsOfAnExecutor)
{
    static const hoya_executor_ops ops = {sizeof ops, "GThreadPool", WakeGThread, FreeGThreadPool};
    hoya_live_counts before = {}, after = {};
    before.size = after.size = sizeof before;
    hoya_get_live_counts(&before);
    pools_freed = 0;
    hoya_executor *raw = nullptr;
    ASSERT_EQ(hoya_executor_new(&ops, g_thread_pool_new(RunExecutor, nullptr, 3, FALSE, nullptr), &raw), 0);
    Executor executor(raw);
    std::atomic<int> ran{0};
    std::vector<ThreadFuture> futures;
    for (int i = 0; i < 50; i++) futures.push_back(Submit(executor, [&](hoya_job *) { return ++ran; }));
    int cancelled = hoya_thread_future_cancel(futures.back().get(), nullptr);
    EXPECT_EQ(hoya_executor_shutdown(raw, HOYA_NEVER, 0), 0);
    EXPECT_EQ(ran, 50 - cancelled);
    for (const ThreadFuture &future : futures) EXPECT_EQ(hoya_thread_future_done(future.get()), 1);
    futures.clear();
    executor.reset();
    /* GLib's threads come late, and the last of them ends it. */
    while (pools_freed == 0 || after.blocks != before.blocks) hoya_get_live_counts(&after);
    EXPECT_EQ(pools_freed, 1);
}

} // namespace hoya_test

#endif
