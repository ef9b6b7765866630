/* SPDX-License-Identifier: MIT
 *
 * loop/guest.c: the loop's dealings with its host: attach and detach, when to ask for a turn, and what the
 * host may ask.
 *
 * A loop always has a host: the native one when there is no other. Changing hosts moves nothing: the queue,
 * the timers and the selector are the loop's own, and the host watches the selector's descriptor.
 *
 *   native --attach--> foreign --detach, or host_gone--> native
 *   native --attach says ENOHOST--> native with an absent host, asked again at every call --> foreign
 *
 * The wake rule: after every change, made inside a dispatch or outside, a loop that has work makes sure
 * that a turn is on its way. `armed` says that one is; the entry into dispatch takes it down, and nothing
 * else does.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "loop/loop.h"
#include "loop/selector_host.h"

/* ---- when to ask for a turn ----------------------------------------------------------------------------- */

bool hoya_loop_wants_turn(const hoya_loop *loop)
{
    if (hoya_loop_is_paused(loop)) return false;
    if (hoya_ring_count(&loop->ready) || loop->looked) return true;
    /* A run that is to end makes one more round, also if nothing is ready (statement 7). */
    return loop->level && !loop->quit_sent &&
           (loop->run_deadline == HOYA_NOW || atomic_load_explicit(&loop->stopping, memory_order_relaxed));
}

static void update_hold(hoya_loop *loop)
{
    const hoya_host_ops *ops = loop->host->ops;
    /* A loop that is paused waits for nothing but start. The pause begins behind the callbacks on the stack. */
    bool waits = loop->depth || !hoya_loop_is_stopped(loop);
    bool busy = waits && (hoya_ring_count(&loop->ready) || loop->timers.count || loop->stats.watches ||
                          hoya_inbox_expects(loop));
    if (busy == loop->held) return;
    loop->held = busy;
    ops->hold(loop->host, busy);
}

void hoya_loop_tell_host(hoya_loop *loop)
{
    if (hoya_unlikely(loop->holds) && !hoya_loop_is_forked(loop)) update_hold(loop);
    if (!hoya_loop_wants_turn(loop)) return; /* before the host's memory is looked at: so it is behind most turns */
    const hoya_host_ops *ops = loop->host->ops;
    bool asks = ops->caps & HOYA_HOST_BEFORE_BLOCK; /* it knows best whether it has asked already */
    if (asks ? !ops->kick : loop->armed) return;
    if (hoya_unlikely(hoya_loop_is_forked(loop))) return; /* what ends there would kick the parent's host */
    loop->armed = true;
    loop->stats.kicks += !asks;
    ops->kick(loop->host);
}

int hoya_loop_sync_host(hoya_loop *loop)
{
    /* Level-triggered, the selector's descriptor would keep a paused loop's host awake (fault F5). */
    if (loop->selector != loop->own_selector)
        return hoya_selector_host_pause(loop->selector, hoya_loop_is_paused(loop));
    uint32_t mask = hoya_loop_is_paused(loop) || loop->watch.fd == HOYA_INVALID_FD ? 0 : HOYA_IN;
    if (loop->watch.mask == mask) return 0;
    int rc = loop->host->ops->watch(loop->host, &loop->watch, mask);
    if (rc >= 0) loop->watch.mask = mask;
    return rc;
}

/* ---- attach and detach ---------------------------------------------------------------------------------- */

static void free_host(hoya_host *host)
{
    hoya_live_add(HOYA_LIVE_HOSTS, -1);
    host->ops->free(host);
}

/* Tried, not looked up: does the selector's descriptor become readable when one inside is? */
static bool selector_nests(hoya_loop *loop)
{
    if (loop->per_fd || loop->watch.fd == HOYA_INVALID_FD) return false;
    hoya_fd fd = hoya_fd_open_event();
    if (fd < 0) return true; /* no descriptor left to try it with: what the selector says of itself */
    struct timespec now = {0, 0};
    struct pollfd outer = {.fd = loop->watch.fd, .events = POLLIN};
    bool nests = true;
    hoya_fd_signal_event(fd);
    if (hoya_selector_register(loop->own_selector, fd, HOYA_IN, NULL) >= 0) {
        nests = hoya_sys_ppoll(&outer, 1, &now, NULL) == 1;
        hoya_selector_unregister(loop->own_selector, fd);
    }
    hoya_fd_close(&fd);
    return nests;
}

static int enter_per_fd_mode(hoya_loop *loop)
{
    hoya_selector *per_fd;
    int rc = hoya_selector_host_new(loop->own_selector, loop->host, &per_fd);
    if (rc < 0) return rc;
    rc = hoya_watch_adopt(loop, per_fd);
    if (rc < 0) {
        hoya_selector_free(per_fd);
        return rc;
    }
    loop->selector = per_fd;
    loop->edge = false; /* hosts watch levels */
    return 0;
}

/* Needs no memory: the own selector has known everything all the time. */
static void leave_per_fd_mode(hoya_loop *loop, bool host_is_gone)
{
    if (loop->selector == loop->own_selector) return;
    if (host_is_gone) hoya_selector_host_forget(loop->selector);
    hoya_selector_free(loop->selector);
    loop->selector = loop->own_selector;
    loop->edge = hoya_selector_caps(loop->selector) & HOYA_SELECTOR_EDGE;
}

static void change_host(hoya_loop *loop, hoya_host *host)
{
    loop->host = host;
    loop->host_changes++;                             /* a run that is open goes on with the new one */
    loop->watch = (hoya_watch){.fd = loop->watch.fd}; /* the new one has not been asked yet */
    loop->armed = loop->held = loop->seen = false;
    loop->holds = host->ops->hold != NULL;
    loop->quiet_host = !host->ops->kick && !loop->holds;
    loop->may_nest = !loop->quiet_host && (host->ops->caps & HOYA_HOST_NESTS);
    hoya_loop_doubt(loop);                                              /* it may know how deep it is */
    if (loop->timer_fd == HOYA_INVALID_FD) loop->armed_at = HOYA_NEVER; /* that was the old host's */
}

/* Tells the host to return from our run, if it is in one. */
static void leave_host(hoya_loop *loop)
{
    if (loop->level && loop->host->ops->quit) loop->host->ops->quit(loop->host);
}

int hoya_loop_begin_service(hoya_loop *loop)
{
    int rc = selector_nests(loop) ? 0 : enter_per_fd_mode(loop);
    if (rc >= 0) rc = hoya_loop_sync_host(loop);
    if (rc >= 0) rc = hoya_timers_sync(loop);
    if (rc >= 0) hoya_loop_rearm(loop);
    return rc;
}

static int attach(hoya_loop *loop, hoya_host *host, int priority)
{
    host->guest_data = loop;
    int rc = host->ops->attach(host, hoya_loop_guest(loop), priority);
    if (rc == HOYA_ENOHOST) {
        loop->absent = host;
        hoya_loop_doubt(loop);
        loop->absent_priority = priority;
        return 0;
    }
    if (rc < 0) {
        free_host(host);
        return rc;
    }
    leave_host(loop);
    change_host(loop, host);
    rc = hoya_loop_begin_service(loop);
    if (rc < 0) hoya_loop_let_host_go(loop);
    return rc;
}

int hoya_loop_take_host(hoya_loop *loop, hoya_host *host, int priority)
{
    hoya_live_add(HOYA_LIVE_HOSTS, 1);
    if (loop->clock.now != hoya_clock_monotonic) {
        free_host(host);
        return hoya_error_set(HOYA_ENOTSUP, "a loop with a clock of the application's has no foreign host");
    }
    if (loop->host == loop->native && !loop->absent) return attach(loop, host, priority);
    const char *name = (loop->absent ? loop->absent : loop->host)->ops->name;
    free_host(host);
    return hoya_error_set(HOYA_EBUSY, "the loop is a guest of %s already", name);
}

void hoya_loop_try_absent_host(hoya_loop *loop)
{
    hoya_host *host = loop->absent;
    loop->absent = NULL; /* attach puts it back if there is still no main loop */
    int rc = attach(loop, host, loop->absent_priority);
    if (rc < 0)
        hoya_loop_report(loop, rc, HOYA_INVALID_FD,
                         "the host that this loop waited for refused it; it stays native");
}

void hoya_loop_drop_absent_host(hoya_loop *loop)
{
    if (loop->absent) free_host(loop->absent);
    loop->absent = NULL;
}

static void host_has_let_go(void *arg)
{
    hoya_host *host = arg;
    hoya_loop *loop = host->guest_data;
    free_host(host);
    hoya_loop_unref(loop);
}

void hoya_loop_let_host_go(hoya_loop *loop)
{
    hoya_host *host = loop->host;
    if (loop->watch.mask) host->ops->watch(host, &loop->watch, 0);
    leave_per_fd_mode(loop, false);
    leave_host(loop);
    change_host(loop, loop->native);
    /* The reference is for hosts that close asynchronously; the loop itself may be closed and forgotten
     * meanwhile. */
    hoya_loop_ref(loop);
    host->ops->detach(host, host_has_let_go, host);
}

int hoya_loop_attach(hoya_loop *loop, hoya_host *host, int priority)
{
    if (!host || !host->ops || host->ops->size != sizeof *host->ops)
        return hoya_error_set(HOYA_EINVAL, "attach: this is no host of this version");
    int rc = hoya_loop_check_thread(loop);
    if (rc >= 0 && hoya_loop_is_closed(loop)) rc = hoya_error_set(HOYA_ECLOSED, "the loop is closed");
    if (rc < 0) {
        host->ops->free(host);
        return rc;
    }
    hoya_loop_ask_host(loop);
    return hoya_loop_take_host(loop, host, priority);
}

void hoya_loop_ask_host(hoya_loop *loop)
{
    const hoya_host *host = loop->host;
    if (host->ops->is_gone && host->ops->is_gone(host)) hoya_guest_host_gone(hoya_loop_guest(loop));
}

int hoya_loop_detach(hoya_loop *loop)
{
    int rc = hoya_loop_check_thread(loop);
    if (rc < 0) return rc;
    hoya_loop_ask_host(loop);
    if (loop->absent) {
        hoya_loop_drop_absent_host(loop);
        return 0;
    }
    if (loop->host == loop->native) return hoya_error_set(HOYA_ESTATE, "the loop has no foreign host");
    hoya_loop_let_host_go(loop);
    return 0;
}

void hoya_loop_fork_host(hoya_loop *loop)
{
    hoya_host *host = loop->host;
    if (host == loop->native) return;
    leave_per_fd_mode(loop, true);
    bool goes_on = host->ops->after_fork && host->ops->after_fork(host) >= 0;
    change_host(loop, goes_on ? host : loop->native);
    if (!goes_on) free_host(host);
}

void hoya_guest_host_appeared(hoya_guest *guest)
{
    hoya_loop_enter((hoya_loop *)guest); /* every call asks an absent host again */
}

void hoya_guest_host_gone(hoya_guest *guest)
{
    hoya_loop *loop = (hoya_loop *)guest;
    hoya_host *host = loop->host;
    if (host == loop->native) return;
    leave_per_fd_mode(loop, true);
    change_host(loop, loop->native);
    free_host(host);
}

/* ---- what a host, or an application with its own main loop, may ask -------------------------------------- */

void hoya_guest_ready(hoya_guest *guest, hoya_watch *record, uint32_t events)
{
    (void)events;
    hoya_loop *loop = (hoya_loop *)guest;
    if (record == &loop->watch) loop->seen = true;
    else if (loop->selector != loop->own_selector) hoya_selector_host_ready(loop->selector, record);
}

int64_t hoya_guest_deadline(hoya_guest *guest)
{
    hoya_loop *loop = (hoya_loop *)guest;
    if (hoya_unlikely(hoya_loop_is_forked(loop))) return HOYA_NEVER; /* the parent's work */
    if (hoya_loop_wants_turn(loop)) return HOYA_NOW;
    if (loop->timer_fd != HOYA_INVALID_FD || hoya_loop_is_paused(loop)) return HOYA_NEVER;
    return hoya_loop_next_deadline(loop);
}

hoya_fd hoya_guest_pollfd(const hoya_guest *guest)
{
    return ((const hoya_loop *)guest)->watch.fd;
}

hoya_fd hoya_loop_pollfd(const hoya_loop *loop)
{
    /* Paused, it could be readable all the time, and nobody would look into it. */
    return hoya_loop_is_paused(loop) || hoya_loop_is_forked(loop) ? HOYA_INVALID_FD : loop->watch.fd;
}

int64_t hoya_loop_deadline(hoya_loop *loop)
{
    return hoya_guest_deadline(hoya_loop_guest(loop));
}

int hoya_loop_dispatch(hoya_loop *loop, int64_t budget)
{
    if (hoya_loop_is_closed(loop)) return hoya_error_set(HOYA_ECLOSED, "the loop is closed");
    return hoya_guest_dispatch(hoya_loop_guest(loop), budget);
}

const char *hoya_loop_host_name(const hoya_loop *loop)
{
    return loop->host->ops->name;
}

uint32_t hoya_loop_host_caps(const hoya_loop *loop)
{
    return loop->host->ops->caps;
}

const char *hoya_loop_selector_name(const hoya_loop *loop)
{
    return loop->own_selector ? hoya_selector_name(loop->own_selector) : "";
}

uint32_t hoya_loop_selector_caps(const hoya_loop *loop)
{
    return loop->own_selector ? hoya_selector_caps(loop->own_selector) : 0;
}
