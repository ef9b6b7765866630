/* SPDX-License-Identifier: MIT
 *
 * loop/run.c: running and stopping.
 *
 * A hoya run is a level: there is one at most (statement 14), and it is opened on whatever host the loop
 * has, nested in the application's own loops if those run already. stop and abort address that level: the
 * host is told to return from the run that hoya opened, which it does when the loops that were opened above
 * it have returned. Nothing else of the host is ever ended.
 *
 * Without a level, stop means pause: the host drives the loop, and is asked not to.
 */
#include "base/clock.h"
#include "base/error.h"
#include "loop/loop.h"

HOYA_THREAD_LOCAL hoya_loop *hoya_loop_running;

hoya_loop *hoya_get_running_loop(void)
{
    /* In the child of a fork nothing runs: statement 56. */
    hoya_loop *loop = hoya_loop_running;
    return loop && !hoya_loop_is_forked(loop) ? loop : NULL;
}

static void send_quit(hoya_loop *loop)
{
    if (!loop->level || loop->quit_sent) return;
    loop->quit_sent = true;
    if (loop->host->ops->quit) loop->host->ops->quit(loop->host); /* else it is not in a run of ours */
}

/* A host may give us a turn for nothing: that is not what run_once has waited for. */
static bool single_round_is_over(const hoya_loop *loop)
{
    return loop->stats.callbacks != loop->run_callbacks ||
           (loop->run_deadline != HOYA_NEVER && loop->clock.now(loop->clock.arg) >= loop->run_deadline);
}

void hoya_run_end_of_round(hoya_loop *loop)
{
    if (atomic_load_explicit(&loop->stopping, memory_order_relaxed) || (loop->single && single_round_is_over(loop)))
        send_quit(loop);
}

static int check_runnable(const hoya_host *host)
{
    const hoya_host_ops *ops = host->ops;
    if (!ops->run || !ops->quit)
        return hoya_error_set(HOYA_ENOTSUP, "the host %s cannot be run from here", ops->name);
    if (!(ops->caps & HOYA_HOST_NESTS) && ops->depth && ops->depth(host))
        return hoya_error_set(HOYA_ENOTSUP, "the host %s is running, and cannot be run inside that", ops->name);
    return 0;
}

/* Before the first run, on another thread than the maker's: a main loop may be bound to its thread. */
static bool can_be_run_here(const hoya_loop *loop)
{
    const hoya_host *host = loop->host;
    return hoya_loop_on_thread(loop) || !host->ops->is_owner || host->ops->is_owner(host);
}

static int begin_run(hoya_loop *loop)
{
    /* The first run settles whose loop this is; a run that is refused settles nothing. */
    int rc = loop && !loop->settled && !hoya_loop_is_forked(loop) ? 0 : hoya_loop_check_thread(loop);
    if (rc < 0) return rc;
    if (hoya_loop_is_closed(loop)) return hoya_error_set(HOYA_ECLOSED, "the loop is closed");
    if (loop->level || loop->depth) return hoya_error_set(HOYA_EBUSY, "the loop is running already");
    if (hoya_get_running_loop()) return hoya_error_set(HOYA_EBUSY, "another loop is running on this thread");
    hoya_loop_ask_host(loop);
    rc = check_runnable(loop->host);
    if (rc < 0) return rc;
    if (!can_be_run_here(loop))
        return hoya_error_set(HOYA_ETHREAD, "the host %s is another thread's", hoya_loop_host_name(loop));
    atomic_store(&loop->owner, hoya_thread_self());
    loop->settled = true;
    return hoya_loop_enter(loop);
}

/* Opens the level, runs hosts until it is over (there may be several: the host can change or die under a
 * run), closes it. */
static int run_level(hoya_loop *loop, bool single, int64_t deadline)
{
    hoya_loop_ref(loop);
    hoya_loop_run_here(loop);
    loop->level = 1;
    atomic_store(&loop->running, true);
    loop->quit_sent = false;
    loop->single = single;
    loop->run_callbacks = loop->stats.callbacks;
    loop->run_deadline = deadline;
    int rc = hoya_loop_sync_host(loop);
    if (rc >= 0) rc = hoya_timers_sync(loop);
    hoya_loop_rearm(loop);
    while (rc >= 0 && !loop->quit_sent) {
        unsigned changes = loop->host_changes;
        rc = check_runnable(loop->host);
        if (rc >= 0) rc = loop->host->ops->run(loop->host);
        if (changes == loop->host_changes) break; /* it returned by itself, or was told to */
    }
    bool forked = hoya_loop_is_forked(loop);
    if (forked) rc = hoya_loop_check_thread(loop);
    if (loop->abort_code) rc = loop->abort_code;
    loop->abort_code = 0;
    loop->level = 0;
    atomic_store(&loop->running, false);
    loop->single = false;
    loop->run_deadline = HOYA_NEVER;
    atomic_store(&loop->stopping, false); /* consumed */
    hoya_loop_run_here(NULL);
    if (!forked) {
        hoya_loop_sync_host(loop);
        hoya_timers_sync(loop);
        hoya_loop_rearm(loop);
    }
    hoya_loop_unref(loop);
    return rc;
}

int hoya_loop_run_forever(hoya_loop *loop)
{
    int rc = begin_run(loop);
    if (rc < 0) return rc;
    rc = run_level(loop, false, HOYA_NEVER);
    return rc < 0 ? rc : 0;
}

int hoya_loop_run_once(hoya_loop *loop, int64_t timeout)
{
    int rc = begin_run(loop);
    if (rc < 0) return rc;
    uint64_t callbacks = loop->stats.callbacks;
    int64_t deadline = timeout <= 0 ? HOYA_NOW : hoya_time_add(hoya_loop_time(loop), timeout);
    hoya_loop_ref(loop);
    rc = run_level(loop, true, deadline);
    uint64_t ran = loop->stats.callbacks - callbacks;
    hoya_loop_unref(loop);
    return rc < 0 ? rc : ran > INT32_MAX ? INT32_MAX : (int)ran;
}

int hoya_loop_stop(hoya_loop *loop)
{
    /* Any thread, and signal handlers: two atomics and a write. The flag first: the round that is woken
     * must see it. */
    if (!hoya_loop_is_forked(loop)) atomic_store(&loop->stopping, true);
    return hoya_loop_wakeup(loop);
}

int hoya_loop_start(hoya_loop *loop)
{
    int rc = hoya_loop_enter(loop);
    if (rc < 0) return rc;
    atomic_store(&loop->stopping, false);
    rc = hoya_loop_sync_host(loop);
    if (rc >= 0) rc = hoya_timers_sync(loop);
    hoya_loop_rearm(loop);
    return rc;
}

int hoya_loop_abort(hoya_loop *loop, int code)
{
    int rc = hoya_loop_enter(loop);
    if (rc < 0) return rc;
    if (code >= 0) return hoya_error_set(HOYA_EINVAL, "abort with %d: a code is negative", code);
    if (!loop->level) return hoya_error_set(HOYA_ESTATE, "abort without a run");
    loop->abort_code = code;
    send_quit(loop);
    return 0;
}

int hoya_loop_is_running(const hoya_loop *loop)
{
    return atomic_load(&loop->running) && !hoya_loop_is_forked(loop);
}
