/* SPDX-License-Identifier: MIT
 *
 * support/hosts.cc: the table of variants, and GLib in the part of the application.
 */
#include "support/hosts.h"

#include <algorithm>
#include <iterator>
#include <utility>

#if __has_include(<glib.h>) && __has_include(<hoya/glib.h>)
#define HOYA_TEST_GLIB 1
#include <hoya/glib.h>
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
    static void Free(gpointer data) { delete static_cast<Job *>(data); }
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
        Level level{g_main_loop_new(context_, FALSE), std::move(done)};
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
        if (GSource *source = g_main_context_find_source_by_id(context_, id)) g_source_destroy(source);
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
    Id Attach(GSource *source, int priority, Job job)
    {
        g_source_set_priority(source, priority);
        g_source_set_callback(source, Job::Run, new Job(std::move(job)), Job::Free);
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

const Variant table[] = {
    /* name, selector, flags, nests, make_host */
    {"native", nullptr, 0, false, nullptr},     {"native_hosttimer", nullptr, HOYA_LOOP_NO_TIMERFD, false, nullptr},
    {"native_poll", "poll", 0, false, nullptr}, {"native_select", "select", 0, false, nullptr},
#ifdef HOYA_TEST_GLIB
    {"glib", nullptr, 0, true, MakeGlib},       {"glib_perfd", nullptr, HOYA_LOOP_PER_FD, true, MakeGlib},
    {"glib_poll", "poll", 0, true, MakeGlib},   {"glib_hosttimer", nullptr, HOYA_LOOP_NO_TIMERFD, true, MakeGlib},
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
