/* SPDX-License-Identifier: MIT
 *
 * support/hosts.cc: the table of variants, and GLib in the part of the application.
 */
#include "support/hosts.h"
#include "support/leaks.h"
#include "support/poll_host_loop.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <utility>

#include <sys/wait.h>

#if __has_include(<glib.h>) && __has_include(<hoya/glib.h>)
#define HOYA_TEST_GLIB 1
#include <glib-unix.h>
#include <hoya/glib.h>
#endif

#if __has_include(<uv.h>) && __has_include(<hoya/uv.h>)
#define HOYA_TEST_UV 1
#include <hoya/uv.h>
#endif

#if __has_include(<hoya/qt.h>)
#define HOYA_TEST_QT 1
#include "support/qt_loop.h"
#endif

namespace hoya_test
{
namespace
{

#ifdef HOYA_TEST_GLIB

thread_local uint64_t poll_returns;

gint CountingPoll(GPollFD *fds, guint count, gint timeout)
{
    gint found = g_poll(fds, count, timeout);
    poll_returns++;
    return found;
}

/* A piece of work as the user data of a GSource. */
struct Job {
    Work work;
    bool repeats;

    static gboolean Run(gpointer data)
    {
        auto job = static_cast<Job *>(data);
        job->work();
        return job->repeats ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
    }
    static gboolean RunFd(gint, GIOCondition, gpointer data) { return Run(data); }
    static void Free(gpointer data) { delete static_cast<Job *>(data); }
};

/* A function of another type that a kind of source takes for a GSourceFunc. */
template <typename Function> GSourceFunc AsSourceFunc(Function *function)
{
    return reinterpret_cast<GSourceFunc>(reinterpret_cast<void (*)()>(function));
}

struct Ending {
    std::function<void(int)> ended;

    static void Run(GPid, gint status, gpointer data) { static_cast<Ending *>(data)->ended(WEXITSTATUS(status)); }
    static void Free(gpointer data) { delete static_cast<Ending *>(data); }
};

/* A running GMainLoop that ends when its predicate holds: a source that is asked before every wait and does
 * nothing. */
struct Level {
    GMainLoop *loop;
    Predicate done;
    bool held = false;
};

struct LevelSource {
    GSource base;
    Level *level;

    static gboolean Prepare(GSource *source, gint *timeout)
    {
        Level *level = reinterpret_cast<LevelSource *>(source)->level;
        *timeout = -1;
        if (level->held || !level->done()) return FALSE;
        level->held = true;
        g_main_loop_quit(level->loop);
        return TRUE;
    }
    static gboolean Dispatch(GSource *, GSourceFunc, gpointer) { return G_SOURCE_CONTINUE; }

    static GSource *New(Level *level)
    {
        static GSourceFuncs funcs = {Prepare, nullptr, Dispatch, nullptr, nullptr, nullptr};
        GSource *source = g_source_new(&funcs, sizeof(LevelSource));
        reinterpret_cast<LevelSource *>(source)->level = level;
        g_source_set_priority(source, G_MININT); /* prepare is skipped only behind a higher source that is ready */
        return source;
    }
};

/* A private GMainContext, run by GMainLoops; never the default of its thread, so that what strays is noticed. */
class GlibLoop final : public HostLoop
{
  public:
    GlibLoop() : context_(g_main_context_new()) { g_main_context_set_poll_func(context_, CountingPoll); }
    ~GlibLoop() override
    {
        if (context_) g_main_context_unref(context_);
    }

    hoya_host *NewAdapter() override
    {
        hoya_host *host = nullptr;
        return hoya_glib_host_new(context_, &host) == 0 ? host : nullptr;
    }

    bool RunUntil(Predicate done, int64_t timeout) override
    {
        Level level{g_main_loop_new(context_, FALSE), std::move(done)}; /* has the context, if it dies meanwhile */
        GSource *asking = LevelSource::New(&level);
        g_source_attach(asking, context_);
        Id limit = AddTimer(timeout, [&level] { g_main_loop_quit(level.loop); });
        g_main_loop_run(level.loop);
        Remove(limit);
        g_source_destroy(asking);
        g_source_unref(asking);
        g_main_loop_unref(level.loop);
        return level.held;
    }

    void Iterate() override { g_main_context_iteration(context_, TRUE); }

    Id AddTimer(int64_t interval, Work work) override
    {
        int64_t ms = std::clamp<int64_t>((interval + 999999) / 1000000, 0, G_MAXINT);
        return Attach(g_timeout_source_new(static_cast<guint>(ms)), G_PRIORITY_DEFAULT, {std::move(work), true});
    }

    Id AddIdle(Rank rank, Work work) override
    {
        static const int priority[] = {G_PRIORITY_DEFAULT, G_PRIORITY_HIGH_IDLE + 20, G_PRIORITY_DEFAULT_IDLE};
        return Attach(g_idle_source_new(), priority[static_cast<int>(rank)], {std::move(work), true});
    }

    void CallOnce(Work work) override { Attach(g_idle_source_new(), G_PRIORITY_DEFAULT, {std::move(work), false}); }

    void Remove(Id id) override
    {
        if (!context_) return;
        if (GSource *source = g_main_context_find_source_by_id(context_, id)) g_source_destroy(source);
    }

    Id AddReader(int fd, Work work) override
    {
        GSource *source = g_unix_fd_source_new(fd, G_IO_IN);
        return Attach(source, G_PRIORITY_DEFAULT, {std::move(work), true}, AsSourceFunc(Job::RunFd));
    }

    Id AddSignal(int signum, Work work) override
    {
        return Attach(g_unix_signal_source_new(signum), G_PRIORITY_DEFAULT, {std::move(work), true});
    }

    bool Spawn(const char *script, std::function<void(int)> ended) override
    {
        std::string shell = "/bin/sh", option = "-c", text = script;
        char *argv[] = {shell.data(), option.data(), text.data(), nullptr};
        GPid child;
        if (!g_spawn_async(nullptr, argv, nullptr, G_SPAWN_DO_NOT_REAP_CHILD, nullptr, nullptr, &child, nullptr))
            return false;
        GSource *source = g_child_watch_source_new(child);
        g_source_set_callback(source, AsSourceFunc(Ending::Run), new Ending{std::move(ended)}, Ending::Free);
        g_source_attach(source, context_);
        g_source_unref(source);
        return true;
    }

    void Prod() override
    {
        gint priority, timeout;
        GPollFD fds[16] = {};
        auto prepare_and_query = [&] {
            g_main_context_prepare(context_, &priority);
            return std::min(g_main_context_query(context_, priority, &timeout, fds, 16), 16);
        };
        (void)g_main_context_acquire(context_);
        g_main_context_prepare(context_, &priority); /* and no check */
        int count = prepare_and_query();
        g_main_context_check(context_, priority, fds, count); /* nothing was polled, nothing is dispatched */
        count = prepare_and_query();
        g_poll(fds, static_cast<guint>(count), 0);
        g_main_context_check(context_, priority, fds, count);
        g_main_context_dispatch(context_);
        g_main_context_dispatch(context_); /* twice */
        (void)g_main_context_pending(context_);
        g_main_context_release(context_);
    }

    void Die() override { g_main_context_unref(std::exchange(context_, nullptr)); }
    bool DiesInCallbacks() const override { return true; }

    int WatchedFds() override
    {
        gint priority, timeout;
        (void)g_main_context_acquire(context_);
        g_main_context_prepare(context_, &priority);
        int count = g_main_context_query(context_, G_MAXINT, &timeout, nullptr, 0);
        g_main_context_release(context_);
        return count;
    }

    uint64_t PollReturns() const override { return poll_returns; }

  private:
    Id Attach(GSource *source, int priority, Job job, GSourceFunc run = Job::Run)
    {
        g_source_set_priority(source, priority);
        g_source_set_callback(source, run, new Job(std::move(job)), Job::Free);
        Id id = g_source_attach(source, context_);
        g_source_unref(source);
        return id;
    }

    GMainContext *context_;
};

std::unique_ptr<HostLoop> MakeGlib()
{
    return std::make_unique<GlibLoop>();
}

#endif

#ifdef HOYA_TEST_UV

/* A uv_loop_t of the test's own. Its handles are closed before it is; a handle's memory goes with its close callback. */
class UvLoop final : public HostLoop
{
  public:
    UvLoop()
    {
        uv_loop_init(&uv_);
        uv_check_init(&uv_, &returns_);
        returns_.data = this;
        uv_check_start(&returns_, [](uv_check_t *check) {
            auto loop = static_cast<UvLoop *>(check->data);
            loop->poll_returns_ += loop->waits_;
        });
        uv_unref(reinterpret_cast<uv_handle_t *>(&returns_));
    }
    ~UvLoop() override
    {
        if (!dead_) Die();
    }

    hoya_host *NewAdapter() override
    {
        hoya_host *host = nullptr;
        return hoya_uv_host_new(&uv_, &host) == 0 ? host : nullptr;
    }

    bool RunUntil(Predicate done, int64_t timeout) override
    {
        struct Run {
            UvLoop *loop;
            uv_loop_t *uv;
            Predicate done;
            bool held = false, over = false;
        } level{this, &uv_, std::move(done)};
        auto asking = New<uv_prepare_t>();
        uv_prepare_init(&uv_, asking);
        asking->data = &level;
        uv_prepare_start(asking, [](uv_prepare_t *prepare) {
            Run *l = static_cast<Run *>(prepare->data);
            l->loop->waits_ = uv_backend_timeout(l->uv) != 0; /* a look that does not wait is no return of a wait */
            if (l->held || !l->done()) return;
            l->held = true;
            uv_stop(l->uv);
        });
        Id limit = AddTimer(timeout, [&level] {
            level.over = true;
            uv_stop(level.uv);
        });
        while (!level.held && !level.over) uv_run(&uv_, UV_RUN_DEFAULT);
        Remove(limit);
        Close(asking);
        return level.held;
    }

    void Iterate() override { uv_run(&uv_, UV_RUN_ONCE); }

    Id AddTimer(int64_t interval, Work work) override
    {
        uint64_t ms = static_cast<uint64_t>(std::max<int64_t>((interval + 999999) / 1000000, 1));
        auto timer = New<uv_timer_t>();
        uv_timer_init(&uv_, timer);
        uv_update_time(&uv_);
        uv_timer_start(
            timer, [](uv_timer_t *t) { static_cast<Job *>(t->data)->Run(); }, ms, ms);
        return Keep(timer, std::move(work), true);
    }

    Id AddIdle(Rank, Work work) override { return StartIdle(std::move(work), true); }
    void CallOnce(Work work) override { StartIdle(std::move(work), false); }

    Id AddReader(int fd, Work work) override
    {
        auto poll = New<uv_poll_t>();
        uv_poll_init(&uv_, poll, fd);
        uv_poll_start(poll, UV_READABLE, [](uv_poll_t *p, int, int) { static_cast<Job *>(p->data)->Run(); });
        return Keep(poll, std::move(work), true);
    }

    Id AddSignal(int signum, Work work) override
    {
        auto signal = New<uv_signal_t>();
        uv_signal_init(&uv_, signal);
        uv_signal_start(
            signal, [](uv_signal_t *s, int) { static_cast<Job *>(s->data)->Run(); }, signum);
        return Keep(signal, std::move(work), true);
    }

    bool Spawn(const char *script, std::function<void(int)> ended) override
    {
        auto child = new Child{{}, std::move(ended)};
        std::string shell = "/bin/sh", option = "-c", text = script;
        char *argv[] = {shell.data(), option.data(), text.data(), nullptr};
        uv_process_options_t options = {};
        options.file = argv[0];
        options.args = argv;
        options.exit_cb = [](uv_process_t *process, int64_t code, int) {
            static_cast<Child *>(process->data)->ended(static_cast<int>(code));
            uv_close(reinterpret_cast<uv_handle_t *>(process),
                     [](uv_handle_t *handle) { delete static_cast<Child *>(handle->data); });
        };
        bool begun = uv_spawn(&uv_, &child->process, &options) == 0;
        child->process.data = child;
        return begun;
    }

    void Remove(Id id) override
    {
        auto job = jobs_.find(id);
        if (job == jobs_.end()) return;
        uv_handle_t *handle = job->second->handle;
        jobs_.erase(job);
        uv_close(handle, [](uv_handle_t *h) {
            delete static_cast<Job *>(h->data);
            free(h);
        });
    }

    void Prod() override
    {
        uv_run(&uv_, UV_RUN_NOWAIT);
        uv_update_time(&uv_);
        (void)uv_backend_timeout(&uv_);
        uv_run(&uv_, UV_RUN_NOWAIT);
        (void)uv_loop_alive(&uv_);
        uv_run(&uv_, UV_RUN_NOWAIT);
    }

    bool Moves() const override { return false; } /* libuv does not tell who runs it */
    void Settle() override { uv_run(&uv_, UV_RUN_NOWAIT); }
    bool Forks() const override { return true; }
    void AfterFork() override { uv_loop_fork(&uv_); }

    void Die() override
    {
        dead_ = true;
        while (!jobs_.empty()) Remove(jobs_.begin()->first);
        uv_run(&uv_, UV_RUN_NOWAIT); /* what a guest that was let go is still closing */
        uv_walk(
            &uv_,
            [](uv_handle_t *handle, void *) {
                if (!uv_is_closing(handle)) uv_close(handle, nullptr);
            },
            nullptr);
        while (uv_loop_close(&uv_) == UV_EBUSY) uv_run(&uv_, UV_RUN_NOWAIT);
    }

    int WatchedFds() override
    {
        int count = 0;
        uv_walk(
            &uv_,
            [](uv_handle_t *handle, void *arg) {
                *static_cast<int *>(arg) += handle->type == UV_POLL && uv_is_active(handle);
            },
            &count);
        return count;
    }

    uint64_t PollReturns() const override { return poll_returns_; }

  private:
    struct Job {
        UvLoop *loop;
        Id id;
        uv_handle_t *handle;
        Work work;
        bool repeats;

        void Run()
        {
            Work now = work; /* it may be removed by what it does */
            if (!repeats) loop->Remove(id);
            now();
        }
    };

    struct Child {
        uv_process_t process;
        std::function<void(int)> ended;
    };

    template <typename Handle> static Handle *New() { return static_cast<Handle *>(calloc(1, sizeof(Handle))); }
    template <typename Handle> static void Close(Handle *handle)
    {
        uv_close(reinterpret_cast<uv_handle_t *>(handle), [](uv_handle_t *h) { free(h); });
    }
    template <typename Handle> Id Keep(Handle *handle, Work work, bool repeats)
    {
        Id id = ++last_id_;
        auto generic = reinterpret_cast<uv_handle_t *>(handle);
        auto job = new Job{this, id, generic, std::move(work), repeats};
        generic->data = job;
        jobs_[id] = job;
        return id;
    }
    Id StartIdle(Work work, bool repeats)
    {
        auto idle = New<uv_idle_t>();
        uv_idle_init(&uv_, idle);
        uv_idle_start(idle, [](uv_idle_t *i) { static_cast<Job *>(i->data)->Run(); });
        return Keep(idle, std::move(work), repeats);
    }

    uv_loop_t uv_;
    uv_check_t returns_;
    std::map<Id, Job *> jobs_;
    Id last_id_ = 0;
    uint64_t poll_returns_ = 0;
    bool waits_ = false, dead_ = false;
};

/* The first loop of a process opens descriptors that stay. */
WarmUp uv_signals([] { UvLoop(); });

std::unique_ptr<HostLoop> MakeUv()
{
    return std::make_unique<UvLoop>();
}

#endif

const Variant table[] = {
    /* name, selector, flags, nests, make_host */
    {"native", nullptr, 0, false, nullptr},
    {"native_hosttimer", nullptr, HOYA_LOOP_NO_TIMERFD, false, nullptr},
    {"native_poll", "poll", 0, false, nullptr},
    {"native_select", "select", 0, false, nullptr},
    {"poll_host", nullptr, 0, true, MakePoll},
    {"poll_host_perfd", nullptr, HOYA_LOOP_PER_FD, true, MakePoll},
    {"poll_host_hosttimer", nullptr, HOYA_LOOP_NO_TIMERFD, true, MakePoll},
#ifdef HOYA_TEST_GLIB
    {"glib", nullptr, 0, true, MakeGlib},
    {"glib_perfd", nullptr, HOYA_LOOP_PER_FD, true, MakeGlib},
    {"glib_poll", "poll", 0, true, MakeGlib},
    {"glib_hosttimer", nullptr, HOYA_LOOP_NO_TIMERFD, true, MakeGlib},
#endif
#ifdef HOYA_TEST_QT
    {"qt", nullptr, 0, true, MakeQt},
    {"qt_perfd", nullptr, HOYA_LOOP_PER_FD, true, MakeQt},
    {"qt_poll", "poll", 0, true, MakeQt},
    {"qt_hosttimer", nullptr, HOYA_LOOP_NO_TIMERFD, true, MakeQt},
    {"qt_noglib", nullptr, 0, true, MakeQtWithoutGlib},
    {"qt_noglib_perfd", nullptr, HOYA_LOOP_PER_FD, true, MakeQtWithoutGlib},
    {"qt_noglib_poll", "poll", 0, true, MakeQtWithoutGlib},
    {"qt_noglib_hosttimer", nullptr, HOYA_LOOP_NO_TIMERFD, true, MakeQtWithoutGlib},
#endif
#ifdef HOYA_TEST_UV
    {"libuv", nullptr, 0, false, MakeUv},
    {"libuv_perfd", nullptr, HOYA_LOOP_PER_FD, false, MakeUv},
    {"libuv_poll", "poll", 0, false, MakeUv},
    {"libuv_hosttimer", nullptr, HOYA_LOOP_NO_TIMERFD, false, MakeUv},
#endif
};

template <typename Condition> std::vector<Variant> Select(Condition condition)
{
    std::vector<Variant> selected;
    std::copy_if(std::begin(table), std::end(table), std::back_inserter(selected), condition);
    return selected;
}

} // namespace

std::ostream &operator<<(std::ostream &out, const Variant &variant)
{
    return out << variant.name;
}

std::vector<Variant> variants()
{
    return {std::begin(table), std::end(table)};
}

std::vector<Variant> foreign_variants()
{
    return Select([](const Variant &variant) { return variant.foreign(); });
}

std::vector<Variant> nesting_variants()
{
    return Select([](const Variant &variant) { return variant.nests; });
}

int NewLoop(const Variant &variant, HostLoop *host, hoya_loop **loop)
{
    hoya_loop_options options = {};
    options.size = sizeof options;
    options.flags = variant.flags;
    if (variant.selector) {
        int rc = hoya_selector_new(variant.selector, &options.selector);
        if (rc < 0) return rc;
    }
    options.host = host ? host->NewAdapter() : nullptr;
    return hoya_loop_new(&options, loop);
}

} // namespace hoya_test
