/* SPDX-License-Identifier: MIT
 *
 * loop/loop.c: the iteration. The only place from which callbacks are called is the while loop of
 * hoya_guest_dispatch.
 *
 *   1. look at the kernel (block only in hoya_guest_poll, and only when nothing is ready; not where it could say nothing,
 *      or nothing but what the host has seen)
 *   2. what other threads posted is queued behind what is queued already, then the handlers of signals
 *   3. ready descriptors queue their callbacks, reader before writer; 4. due timers queue theirs
 *   5. run the snapshot: as many entries as are queued now. What they schedule waits for the next round.
 *
 * A dispatch runs at most one round. It may end early (the host's budget): then the next one resumes the
 * round before it looks at the kernel again, so that the order of callbacks does not depend on the budget.
 * It may be entered from inside a callback, when that runs the host's loop: the inner dispatch resumes the
 * outer round, each entry running once, and later starts rounds of its own. Both cases are one case here:
 * the snapshot is [ready.head, round_end) in absolute numbers, and a dispatch goes on where the head is.
 * The entry that nests has left the queue before it was called and is never entered again.
 *
 * What is left behind a callback is announced to the host before that callback runs, since it may nest; but for
 * descriptors, which announce themselves as long as nobody has read them.
 */
#include "loop/loop.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/error_place.h"
#include "base/fd.h"
#include "base/live.h"
#include "loop/watch.h"

#define EVENTS 256 /* descriptors a look */
#define QUICK 16   /* callbacks between two looks at the clock, if they take no time to speak of */

/* When a dispatch of at most `budget` has to end. The clock is looked at after the first callback and then after each one, or
 * after each 16 while those take less than a quarter of the budget in all: a few slow ones must not hold up the host. */
typedef struct cut {
    int64_t budget, end, last;
    int until_look;
} cut;

static cut cut_begin(int64_t budget)
{
    int64_t now = hoya_clock_monotonic(NULL);
    return (cut){.budget = budget, .end = hoya_time_add(now, budget), .last = now, .until_look = 1};
}

/* After a callback. */
static bool cut_has_come(cut *c)
{
    if (--c->until_look > 0) return false;
    int64_t now = hoya_clock_monotonic(NULL);
    c->until_look = now - c->last < c->budget / (4 * QUICK) ? QUICK : 1;
    c->last = now;
    return now >= c->end;
}

/* The loop's own descriptors among what was found; their data is NULL afterwards. */
static void take_own_events(hoya_loop *loop, hoya_selector_event *found, int n)
{
    for (int i = 0; i < n; i++) {
        bool is_timer = found[i].data == &loop->timer_fd;
        if (!is_timer && found[i].data != &loop->wake_fd) continue;
        if (!loop->edge) hoya_fd_drain_event(found[i].fd);
        if (is_timer) loop->armed_at = HOYA_NEVER;
        found[i].data = NULL;
    }
}

/* Who has work does not wait, and need not ask the kernel where nothing is watched and nobody has raised the flag: due timers
 * are known by the clock. What our own descriptors say then is heard by the next look without work. */
static bool can_find_nothing(const hoya_loop *loop)
{
    return hoya_ring_count(&loop->ready) && !loop->stats.watches &&
           !atomic_load_explicit(&loop->wake_pending, memory_order_relaxed);
}

/* Whose host has seen the selector's descriptor knows that something in it is ready, and where one descriptor is all that is
 * watched, what: of our own two the flag and the clock tell. A host has waited already, and a second system call that says no
 * more would be a good part of what a guest costs (decision 007). It is one that such a look has found alone before, and that
 * was not tried in vain since: a flag that a look has lowered may be one whose descriptor no look has read yet. */
static bool can_find_one_only(const hoya_loop *loop)
{
    return loop->lone && loop->stats.watches == 1 &&
           !atomic_load_explicit(&loop->wake_pending, memory_order_relaxed) &&
           (loop->armed_at == HOYA_NEVER || loop->armed_at > hoya_loop_time(loop)) && !hoya_loop_debugs(loop);
}

static void note_lone(hoya_loop *loop, const hoya_selector_event *found, int n)
{
    hoya_fd_record *record = n == 1 ? found->data : NULL;
    if (record && record->class->guess) loop->lone = record;
}

static int look_at_kernel(hoya_loop *loop, int64_t timeout, hoya_selector_event *found)
{
    if (timeout == HOYA_NOW && can_find_nothing(loop)) return 0;
    return hoya_unlikely(hoya_loop_debugs(loop)) ? hoya_debug_select(loop, timeout, found, EVENTS)
                                                 : hoya_selector_select(loop->selector, timeout, found, EVENTS);
}

/* The flag is lowered after its descriptor was read, and before the inbox is emptied: a post that comes after either of the
 * two raises it again. While it is down nothing was posted or signalled, or its poster is about to raise it. */
static void hear_others(hoya_loop *loop)
{
    if (!atomic_load(&loop->wake_pending) || !atomic_exchange(&loop->wake_pending, false)) return;
    loop->stats.wakeups++;
    hoya_inbox_collect(loop);
    if (loop->signals) hoya_signals_collect(loop);
}

/* Steps 1 to 4. */
int hoya_loop_look(hoya_loop *loop, int64_t timeout)
{
    hoya_selector_event found[EVENTS];
    int n = 0;
    bool seen = loop->seen;
    loop->seen = false;
    loop->found = loop->ready.tail;
    if (!seen || !can_find_one_only(loop) || !loop->lone->class->guess(loop, loop->lone)) {
        n = look_at_kernel(loop, timeout, found);
        take_own_events(loop, found, n);
        if (seen) note_lone(loop, found, n);
        hear_others(loop);
        loop->found = loop->ready.tail;
    }

    for (int i = 0; i < n; i++) {
        if (!found[i].data) continue;
        loop->stats.events++;
        hoya_fd_record *record = found[i].data;
        record->class->found(loop, record, found[i].events);
    }
    loop->found_end = loop->ready.tail;
    hoya_watch_retry(loop);
    hoya_timers_collect(loop);
    return n < 0 ? n : 0;
}

/* What the callback leaves behind is for a nested loop of the host to run, which has to hear of it, unless it is
 * descriptors alone: they stay ready until their callbacks have run, and the host sees that for itself. */
static bool leaves_work_behind(const hoya_loop *loop)
{
    const hoya_ring *ready = &loop->ready;
    return hoya_ring_count(ready) && (ready->head < loop->found || ready->tail != loop->found_end);
}

static void begin_round(hoya_loop *loop)
{
    if (!loop->looked) {
        int rc = hoya_loop_look(loop, HOYA_NOW);
        if (rc < 0) hoya_loop_report(loop, rc, HOYA_INVALID_FD, "the selector failed");
    }
    loop->looked = false;
    loop->stats.rounds++;
    loop->round_end = loop->ready.tail;
    /* Before any callback runs: it may nest, and the host's loop must know when to wake us. */
    hoya_timers_sync(loop);
}

/* A host's main loop may move between threads while nobody is in it; its own lock orders the two. */
static bool may_move_here(const hoya_loop *loop)
{
    if (loop->depth || loop->level) return false;
    if (!loop->settled) return true;
    const hoya_host_ops *ops = loop->host->ops;
    return loop->host != loop->native && (!ops->is_owner || ops->is_owner(loop->host));
}

int hoya_guest_dispatch(hoya_guest *guest, int64_t budget)
{
    hoya_loop *loop = (hoya_loop *)guest;
    if (hoya_unlikely(hoya_loop_is_forked(loop))) return hoya_loop_check_thread(loop);
    if (hoya_unlikely(!hoya_loop_on_thread(loop))) {
        if (!may_move_here(loop))
            return hoya_error_set(HOYA_ETHREAD, "dispatch on a thread that does not own the loop");
        atomic_store_explicit(&loop->owner, hoya_thread_self(), memory_order_relaxed);
    }
    loop->settled = true;
    loop->armed = false;
    loop->stats.dispatches++;
    if (atomic_load_explicit(&loop->closed, memory_order_relaxed)) return 0;
    /* A pause begins at the end of a round, an abort at once. */
    if (hoya_loop_is_paused(loop) && (loop->abort_code || loop->ready.head >= loop->round_end)) {
        hoya_timers_sync(loop);
        hoya_loop_sync_host(loop);
        hoya_loop_rearm(loop); /* it holds the application no longer */
        return 0;
    }

    hoya_loop_ref(loop);
    hoya_loop *before = hoya_loop_running;
    hoya_loop_run_here(loop);
    hoya_error_place *errors = hoya_error_move(NULL); /* a task may run this: callbacks are not it */
    bool gathered = hoya_live_gather();
    unsigned inlines = hoya_inlines;
    hoya_inlines = 0; /* callbacks may wait, also in a dialog that something inline has opened */
    loop->depth++;
    atomic_store_explicit(&loop->running, true, memory_order_relaxed);
    if (loop->ready.head >= loop->round_end) begin_round(loop);
    else hoya_timers_set_again(loop);

    /* An inner dispatch may begin rounds of its own and move round_end on; this round is still this one. */
    uint64_t end = loop->round_end;
    bool bounded = budget != HOYA_NEVER && loop->ready.head + 1 < end; /* behind the last one nothing is cut off */
    cut limit;
    if (bounded) limit = cut_begin(budget);
    int ran = 0;
    while (loop->ready.head < end) {
        hoya_ring_entry entry = hoya_ring_pop(&loop->ready);
        if (loop->may_nest && !loop->armed && leaves_work_behind(loop)) hoya_loop_tell_host(loop);
        ran += hoya_unlikely(hoya_loop_debugs(loop)) ? hoya_debug_run(loop, entry) : hoya_entry_run(loop, entry);
        if (hoya_unlikely(loop->abort_code || hoya_loop_is_forked(loop))) break;
        if (bounded && loop->ready.head < end && cut_has_come(&limit)) {
            loop->stats.cut++;
            break;
        }
    }

    loop->stats.callbacks += (uint64_t)ran;
    if (loop->ready.head >= loop->round_end) hoya_run_end_of_round(loop);
    loop->depth--;
    atomic_store_explicit(&loop->running, loop->depth || loop->level, memory_order_relaxed);
    hoya_loop_run_here(before);
    hoya_error_move(errors);
    hoya_live_hand_in(gathered);
    hoya_inlines = inlines;
    if (hoya_unlikely(hoya_loop_is_forked(loop))) { /* the callback forked, and returned in the child as well */
        ran = hoya_loop_check_thread(loop);
    } else {
        hoya_timers_sync(loop);
        hoya_loop_sync_host(loop);
        hoya_loop_rearm(loop);
    }
    hoya_loop_unref(loop);
    return ran;
}

int hoya_guest_poll(hoya_guest *guest, int64_t deadline)
{
    hoya_loop *loop = (hoya_loop *)guest;
    if (hoya_unlikely(hoya_loop_is_forked(loop))) return hoya_loop_check_thread(loop);
    /* A round that was cut short goes on first; a look that has not been used is still good. */
    if (loop->looked || loop->ready.head < loop->round_end) return 0;
    int64_t timeout = HOYA_NOW;
    if (!hoya_loop_wants_turn(loop)) {
        int64_t next = loop->timer_fd == HOYA_INVALID_FD ? hoya_loop_next_deadline(loop) : HOYA_NEVER;
        if (deadline < next) next = deadline;
        timeout = next == HOYA_NEVER ? HOYA_NEVER : hoya_time_until(loop->clock.now(loop->clock.arg), next);
        /* Statement 27: no single wait is longer than a day. */
        if (timeout != HOYA_NEVER && timeout > HOYA_SEC(86400)) timeout = HOYA_SEC(86400);
    }
    int rc = hoya_loop_look(loop, timeout);
    if (rc < 0) return rc;
    loop->looked = true;
    return 0;
}
