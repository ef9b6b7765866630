/* SPDX-License-Identifier: MIT
 *
 * loop/signal.c: signals as callbacks. One table for the process, since signal actions are the process's: a row a
 * signal, and a loop owns a row or does not.
 *
 * In signal context two things happen: the row is marked, and the loop's eventfd is written. The next look at the
 * kernel queues the handlers of marked rows. A storm is therefore one callback a round, and the last signal of it is
 * always followed by one.
 *
 * The row's owner may go while another thread is in the signal handler, which is about to wake that loop. So threads
 * in there are counted, and who lets a row go waits until none of them can have seen the owner. The wait is as long as
 * an eventfd's write; the waiting thread itself cannot be inside.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sys.h"
#include "loop/handle.h"

_Static_assert(NSIG <= 65, "hoya_loop.signals has a bit for each signal");

typedef struct row {
    _Atomic(hoya_loop *) owner; /* NULL: free. BUSY: being taken, or let go */
    atomic_bool marked;
    atomic_bool insists; /* the signal is not for the loop alone: see hoya_signal_insists */
    atomic_int inside;   /* threads in the signal handler */
    atomic_int process;  /* the one that the action was set for; a forked child inherits the action */
    struct sigaction before;
} row;

static row rows[NSIG];
#define BUSY ((hoya_loop *)(void *)rows) /* not a loop's address */

/* ---- in signal context ----------------------------------------------------------------------------------- */

/* As if we had never been here: the action that was there before, which the signal meets as soon as this returns. */
static void pass_on(const row *r, int signum)
{
    int saved = errno;
    hoya_sys_sigaction(signum, &r->before, NULL);
    hoya_sys_raise(signum);
    errno = saved;
}

/* SIGCHLD belongs to everybody who has children: GLib's and Qt's watchers go on. */
static void tell_others(const row *r, int signum, siginfo_t *info, void *context)
{
    if (r->before.sa_flags & SA_SIGINFO) r->before.sa_sigaction(signum, info, context);
    else if (r->before.sa_handler != SIG_DFL && r->before.sa_handler != SIG_IGN) r->before.sa_handler(signum);
}

static void on_signal(int signum, siginfo_t *info, void *context)
{
    row *r = &rows[signum];
    atomic_fetch_add(&r->inside, 1);
    hoya_loop *loop = atomic_load(&r->owner);
    if (!loop || loop == BUSY || atomic_load(&r->process) != hoya_sys_getpid()) {
        pass_on(r, signum);
    } else if (atomic_exchange(&r->marked, true) && atomic_load(&r->insists)) {
        pass_on(r, signum); /* the loop has not even seen the last one */
    } else {
        hoya_loop_wakeup(loop);
        if (signum == SIGCHLD) tell_others(r, signum, info, context);
    }
    atomic_fetch_sub(&r->inside, 1);
}

/* ---- owning a row ---------------------------------------------------------------------------------------- */

static bool is_ours(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == on_signal;
}

static uint64_t bit(int signum)
{
    return UINT64_C(1) << (signum - 1);
}

/* A free row becomes BUSY; in a forked child the parent's rows are free. The owner's memory is not looked at: another
 * thread may be freeing it. */
static bool claim(row *r)
{
    hoya_loop *owner = NULL;
    if (!atomic_compare_exchange_strong(&r->owner, &owner, BUSY)) {
        if (owner == BUSY || atomic_load(&r->process) == hoya_sys_getpid()) return false;
        if (!atomic_compare_exchange_strong(&r->owner, &owner, BUSY)) return false;
        /* Whoever was in the signal handler at the fork does not exist here. */
        atomic_store(&r->inside, 0);
        atomic_store(&r->marked, false);
    }
    /* A straggler of the last owner's is putting the old action back: after that ours can be set. */
    while (atomic_load(&r->inside)) sched_yield();
    return true;
}

static int set_action(row *r, int signum, hoya_loop *loop)
{
    struct sigaction now;
    if (hoya_sys_sigaction(signum, NULL, &now) < 0) return -errno;
    /* Ours, if it is inherited, or could not be put back: what was there before is known. */
    if (!is_ours(&now)) r->before = now;
    atomic_store(&r->process, hoya_sys_getpid());
    atomic_store(&r->owner, loop); /* last: the signal may come at once */
    struct sigaction ours = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    return hoya_sys_sigaction(signum, &ours, NULL) < 0 ? -errno : 0;
}

static void let_go(row *r, int signum, hoya_loop *loop)
{
    if (atomic_load(&r->owner) != loop) return; /* the parent's: a loop of this child took it */
    struct sigaction now;
    /* Another action than ours: somebody else has taken the signal since, and keeps it. */
    bool ours = hoya_sys_sigaction(signum, NULL, &now) == 0 && is_ours(&now);
    if (ours) hoya_sys_sigaction(signum, &r->before, NULL);
    atomic_store(&r->owner, BUSY);
    while (atomic_load(&r->inside)) sched_yield();
    bool unseen = ours && atomic_load(&r->insists) && atomic_load(&r->marked) &&
                  atomic_load(&r->process) == hoya_sys_getpid(); /* else it was the parent's */
    atomic_store(&r->marked, false);
    atomic_store(&r->owner, NULL);
    if (unseen) hoya_sys_raise(signum);
}

static bool owns(const hoya_loop *loop, int signum)
{
    return signum > 0 && signum < NSIG && (loop->signals & bit(signum));
}

/* ---- the loop's side ------------------------------------------------------------------------------------- */

static int check(int signum)
{
    if (signum < 1 || signum >= NSIG) return hoya_error_set(HOYA_EINVAL, "%d is no signal", signum);
    if (signum == SIGSEGV || signum == SIGBUS || signum == SIGFPE || signum == SIGILL)
        return hoya_error_set(HOYA_EINVAL,
                              "signal %d is a fault of the thread that runs: no callback can answer it", signum);
    return 0;
}

static hoya_handle *new_handle(hoya_loop *loop, int signum, hoya_signal_callback fn, void *arg,
                               hoya_destroy destroy, const void *place)
{
    hoya_handle *handle = hoya_handle_new(loop, HOYA_HANDLE_SIGNAL, arg, destroy, place);
    if (!handle) return NULL;
    handle->fn.signal = fn;
    handle->of.signum = signum;
    return handle;
}

static int take(hoya_loop *loop, int signum, hoya_handle *handle)
{
    if (!loop->handlers) loop->handlers = hoya_new_zeroed(NSIG * sizeof(hoya_handle *));
    if (!loop->handlers) return HOYA_ENOMEM;
    row *r = &rows[signum];
    if (!claim(r)) return hoya_error_set(HOYA_EBUSY, "signal %d belongs to another loop", signum);
    atomic_store(&r->insists, false);
    int rc = set_action(r, signum, loop);
    if (rc < 0) {
        atomic_store(&r->owner, NULL);
        return hoya_error_set(rc, "signal %d cannot be handled: %s", signum, hoya_strerror(rc));
    }
    loop->handlers[signum] = handle;
    loop->signals |= bit(signum);
    return 0;
}

static int add(hoya_loop *loop, int signum, bool replace, hoya_signal_callback fn, void *arg, hoya_destroy destroy,
               const void *place)
{
    int rc = hoya_loop_enter(loop);
    if (rc >= 0 && !fn) rc = hoya_error_set(HOYA_EINVAL, "a signal handler without a function");
    if (rc >= 0) rc = check(signum);
    bool owned = rc >= 0 && owns(loop, signum);
    if (owned && !replace) rc = hoya_error_set(HOYA_EEXIST, "signal %d has a handler already", signum);
    if (rc >= 0) rc = hoya_ring_reserve(&loop->ready, 1);
    if (rc < 0) {
        hoya_destroy_arg(destroy, arg);
        return rc;
    }
    hoya_handle *handle = new_handle(loop, signum, fn, arg, destroy, place);
    if (!handle) {
        hoya_ring_unreserve(&loop->ready, 1);
        return HOYA_ENOMEM;
    }
    if (owned) {
        hoya_handle *old = loop->handlers[signum];
        loop->handlers[signum] = handle;
        atomic_store(&rows[signum].insists, false);
        /* What the old one was queued for, or was to come back to, is the new one's. */
        if (old->queued) atomic_store(&rows[signum].marked, true);
        if (atomic_load(&rows[signum].marked)) hoya_loop_wakeup(loop);
        hoya_handle_retire(loop, old);
        return 0;
    }
    rc = take(loop, signum, handle);
    if (rc < 0) hoya_handle_retire(loop, handle);
    return rc;
}

int hoya_loop_add_signal_handler(hoya_loop *loop, int signum, hoya_signal_callback fn, void *arg,
                                 hoya_destroy destroy)
{
    return add(loop, signum, false, fn, arg, destroy, HOYA_CALLER());
}

int hoya_loop_replace_signal_handler(hoya_loop *loop, int signum, hoya_signal_callback fn, void *arg,
                                     hoya_destroy destroy)
{
    return add(loop, signum, true, fn, arg, destroy, HOYA_CALLER());
}

void hoya_signal_insists(hoya_loop *loop, int signum)
{
    if (owns(loop, signum)) atomic_store(&rows[signum].insists, true);
}

static void remove_one(hoya_loop *loop, int signum)
{
    hoya_handle *handle = loop->handlers[signum];
    loop->signals &= ~bit(signum);
    let_go(&rows[signum], signum, loop);
    hoya_handle_retire(loop, handle);
}

int hoya_loop_remove_signal_handler(hoya_loop *loop, int signum)
{
    int rc = hoya_loop_enter(loop);
    if (rc < 0) return rc == HOYA_ECLOSED ? 0 : rc;
    rc = check(signum);
    if (rc < 0 || !owns(loop, signum)) return rc;
    remove_one(loop, signum);
    return 1;
}

void hoya_signals_collect(hoya_loop *loop)
{
    for (uint64_t left = loop->signals; left; left &= left - 1) {
        int signum = __builtin_ctzll(left) + 1;
        hoya_handle *handle = loop->handlers[signum];
        /* A handler on the stack is not entered again; hoya_signal_returned comes back to it. */
        if (!atomic_load(&rows[signum].marked) || handle->running) continue;
        atomic_store(&rows[signum].marked, false);
        if (handle->queued) continue;
        hoya_handle_ref(handle);
        hoya_handle_queue(loop, handle);
    }
}

void hoya_signal_returned(hoya_loop *loop, hoya_handle *handle)
{
    if (atomic_load(&rows[handle->of.signum].marked)) hoya_loop_wakeup(loop);
}

/* The actions were inherited (unless one was passed on since); whoever was in the signal handler was not. */
void hoya_signals_after_fork(hoya_loop *loop)
{
    for (uint64_t left = loop->signals; left; left &= left - 1) {
        int signum = __builtin_ctzll(left) + 1;
        bool ours = atomic_load(&rows[signum].owner) == loop;
        if (ours) atomic_store(&rows[signum].inside, 0);
        int rc = ours ? set_action(&rows[signum], signum, loop) : HOYA_EBUSY;
        if (rc < 0) hoya_loop_report(loop, rc, HOYA_INVALID_FD, "a signal could not be handled after the fork");
    }
}

void hoya_signals_close(hoya_loop *loop)
{
    while (loop->signals) remove_one(loop, __builtin_ctzll(loop->signals) + 1);
    hoya_free(loop->handlers);
    loop->handlers = NULL;
}
