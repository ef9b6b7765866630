/* SPDX-License-Identifier: MIT
 *
 * future/thread_future.c: the future of threads: an outcome under a lock, a condition for those who wait, and callbacks
 * that the completing thread calls, with the lock open.
 */
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "future/future.h"
#include "loop/handle.h"

typedef struct callback {
    hoya_list node;
    hoya_thread_done_callback fn;
    void *arg;
    hoya_destroy destroy;
} callback;

static void init_lock(hoya_thread_future *future)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&future->completed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&future->lock, NULL);
    future->generation = hoya_fork_generation();
}

static void lock(hoya_thread_future *future)
{
    /* In the child of a fork: whoever held it does not exist here. */
    if (hoya_unlikely(future->generation != hoya_fork_generation())) init_lock(future);
    pthread_mutex_lock(&future->lock);
}

static void unlock(hoya_thread_future *future)
{
    pthread_mutex_unlock(&future->lock);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

void hoya_thread_future_init(hoya_thread_future *future, const hoya_thread_future_class *class)
{
    future->class = class;
    atomic_init(&future->refs, 1);
    init_lock(future);
    hoya_list_init(&future->callbacks);
    hoya_live_add(HOYA_LIVE_FUTURES, 1);
}

int hoya_thread_future_new(hoya_thread_future **out)
{
    int rc = hoya_fork_notice();
    if (rc < 0) return rc;
    hoya_thread_future *future = hoya_new(hoya_thread_future);
    if (!future) return HOYA_ENOMEM;
    hoya_thread_future_init(future, NULL);
    *out = future;
    return 0;
}

hoya_thread_future *hoya_thread_future_ref(hoya_thread_future *future)
{
    int before = atomic_fetch_add_explicit(&future->refs, 1, memory_order_relaxed);
    hoya_check(before > 0, "a thread future was used after it was freed");
    (void)before;
    return future;
}

/* The first callback that has not begun, out of the list; NULL if there is none. */
static callback *next_callback(hoya_thread_future *future)
{
    lock(future);
    hoya_list *node = hoya_list_pop(&future->callbacks);
    unlock(future);
    return node ? HOYA_CONTAINER_OF(node, callback, node) : NULL;
}

static void free_callback(callback *gone)
{
    hoya_destroy_arg(gone->destroy, gone->arg);
    hoya_free(gone);
}

void hoya_thread_future_unref(hoya_thread_future *future)
{
    if (!future) return;
    int before = atomic_fetch_sub_explicit(&future->refs, 1, memory_order_acq_rel);
    hoya_check(before > 0, "a thread future was unreferenced once too often");
    if (before != 1) return;
    for (callback *left; (left = next_callback(future));) free_callback(left);
    hoya_outcome_clear(&future->outcome);
    pthread_cond_destroy(&future->completed);
    pthread_mutex_destroy(&future->lock);
    if (future->class) future->class->free(future);
    else hoya_free(future);
    hoya_live_add(HOYA_LIVE_FUTURES, -1);
}

static int there_is_none(void)
{
    return hoya_error_set(HOYA_EINVAL, "the future is NULL");
}

/* ---- completing ---------------------------------------------------------------------------------------- */

/* 1, or 0 if it was too late: `outcome` is the caller's then. */
static int complete(hoya_thread_future *future, const hoya_outcome *outcome, bool is_cancel)
{
    lock(future);
    bool late = future->outcome.done || (is_cancel && future->running);
    if (!late) {
        future->outcome = *outcome;
        pthread_cond_broadcast(&future->completed);
    }
    unlock(future);
    if (late) return 0;

    hoya_thread_future_ref(future); /* a callback may drop what the caller thinks is the last one */
    for (callback *next; (next = next_callback(future));) {
        hoya_inline_begin();
        next->fn(future, next->arg);
        hoya_inline_end();
        free_callback(next);
    }
    hoya_thread_future_unref(future);
    return 1;
}

int hoya_thread_future_complete(hoya_thread_future *future, hoya_outcome outcome)
{
    int rc = future ? complete(future, &outcome, false) : there_is_none();
    if (rc > 0) return 0;
    hoya_outcome_clear(&outcome);
    return rc < 0 ? rc : hoya_error_set(HOYA_ESTATE, "the future is done already");
}

/* What a job's function returns decides, and nobody else. */
static int check_alone(const hoya_thread_future *future)
{
    return future && future->class ? hoya_error_set(HOYA_ESTATE, "a job cannot be completed from outside") : 0;
}

int hoya_thread_future_set_result(hoya_thread_future *future, void *value, hoya_destroy destroy)
{
    int rc = check_alone(future);
    if (rc < 0) {
        hoya_destroy_arg(destroy, value);
        return rc;
    }
    return hoya_thread_future_complete(future, hoya_outcome_value(value, destroy));
}

int hoya_thread_future_set_exception(hoya_thread_future *future, int code, const char *text)
{
    int rc = check_alone(future);
    if (rc < 0) return rc;
    if (code >= 0) return hoya_error_set(HOYA_EINVAL, "set_exception with %d: a code is negative", code);
    return hoya_thread_future_complete(future, hoya_outcome_error(code, text));
}

int hoya_thread_future_cancel(hoya_thread_future *future, const char *reason)
{
    if (!future) return there_is_none();
    if (future->class) return future->class->cancel(future, reason);
    hoya_outcome outcome = hoya_outcome_error(HOYA_ECANCELED, reason);
    int cancelled = complete(future, &outcome, true);
    if (!cancelled) hoya_outcome_clear(&outcome);
    return cancelled;
}

int hoya_thread_future_set_running_or_notify_cancel(hoya_thread_future *future)
{
    int rc = future ? check_alone(future) : there_is_none();
    if (rc < 0) return rc;
    lock(future);
    bool cancelled = hoya_outcome_is_cancel(&future->outcome);
    bool late = future->running || future->outcome.done;
    future->running = future->running || !late;
    unlock(future);
    if (cancelled) return 0;
    return late ? hoya_error_set(HOYA_ESTATE, "the work of the future has begun already") : 1;
}

/* ---- looking ------------------------------------------------------------------------------------------- */

int hoya_thread_future_done(hoya_thread_future *future)
{
    if (!future) return 0;
    lock(future);
    bool done = future->outcome.done;
    unlock(future);
    return done;
}

int hoya_thread_future_cancelled(hoya_thread_future *future)
{
    if (!future) return 0;
    lock(future);
    bool cancelled = hoya_outcome_is_cancel(&future->outcome);
    unlock(future);
    return cancelled;
}

hoya_outcome hoya_thread_future_hand_on(hoya_thread_future *future)
{
    lock(future);
    hoya_outcome outcome = hoya_outcome_hand_on(&future->outcome);
    unlock(future);
    return outcome;
}

/* At most a day of the way to the deadline; under the lock, which is open meanwhile. */
static void wait_some(hoya_thread_future *future, int64_t now, int64_t deadline)
{
    int64_t until = hoya_time_add(now, HOYA_SEC(86400));
    if (deadline < until) until = deadline;
    struct timespec time = {.tv_sec = (time_t)(until / HOYA_SEC(1)), .tv_nsec = (long)(until % HOYA_SEC(1))};
    pthread_cond_timedwait(&future->completed, &future->lock, &time);
}

/* Under the lock. */
static int wait_until_done(hoya_thread_future *future, int64_t timeout)
{
    if (future->outcome.done) return 0;
    if (timeout > 0 && hoya_get_running_loop())
        return hoya_error_set(HOYA_EDEADLK, "a thread that runs a loop cannot block for a future; wrap it");
    int64_t now = hoya_clock_monotonic(NULL), deadline = timeout > 0 ? hoya_time_add(now, timeout) : now;
    for (; !future->outcome.done; now = hoya_clock_monotonic(NULL)) {
        if (now >= deadline) return hoya_error_set(HOYA_ETIMEDOUT, "the future is pending");
        wait_some(future, now, deadline);
    }
    return 0;
}

int hoya_thread_future_result(hoya_thread_future *future, int64_t timeout, void **value)
{
    if (!future) return there_is_none();
    lock(future);
    int rc = wait_until_done(future, timeout);
    if (rc >= 0) rc = hoya_outcome_result(&future->outcome, value);
    unlock(future);
    return rc;
}

/* ---- callbacks ----------------------------------------------------------------------------------------- */

int hoya_thread_future_add_done_callback(hoya_thread_future *future, hoya_thread_done_callback fn, void *arg,
                                         hoya_destroy destroy)
{
    int rc = future && fn ? 0 : hoya_error_set(HOYA_EINVAL, "add_done_callback without a future or a function");
    callback *added = rc < 0 ? NULL : hoya_new(callback);
    if (!added) {
        hoya_destroy_arg(destroy, arg);
        return rc < 0 ? rc : HOYA_ENOMEM;
    }
    added->fn = fn;
    added->arg = arg;
    added->destroy = destroy;
    lock(future);
    bool done = future->outcome.done;
    if (!done) hoya_list_append(&future->callbacks, &added->node);
    unlock(future);
    if (done) {
        fn(future, arg);
        free_callback(added);
    }
    return 0;
}

int hoya_thread_future_remove_done_callback(hoya_thread_future *future, hoya_thread_done_callback fn, void *arg)
{
    if (!future) return there_is_none();
    int count = 0;
    hoya_list removed;
    hoya_list_init(&removed);
    lock(future);
    for (hoya_list *node = future->callbacks.next, *next; node != &future->callbacks; node = next) {
        const callback *it = HOYA_CONTAINER_OF(node, callback, node);
        next = node->next;
        if (it->fn != fn || it->arg != arg) continue;
        hoya_list_remove(node);
        hoya_list_append(&removed, node);
        count++;
    }
    unlock(future);
    for (hoya_list *node; (node = hoya_list_pop(&removed));) free_callback(HOYA_CONTAINER_OF(node, callback, node));
    return count;
}
