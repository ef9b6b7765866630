/* SPDX-License-Identifier: MIT
 *
 * future/future.c: the future of a loop: an outcome, and the callbacks that wait for it.
 *
 * Its life: made pending; completed once, which hands all callbacks to the ready queue in the order in which they came;
 * let go, which reports an error that nobody looked at. A callback that comes later is queued at once. Nothing in here
 * calls one.
 */
#include "future/future.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "loop/waiter.h"

/* ---- whose --------------------------------------------------------------------------------------------- */

/* On the loop's thread; the loop may be closed. */
static int enter(const hoya_future *future)
{
    if (hoya_unlikely(!future)) return hoya_error_set(HOYA_EINVAL, "the future is NULL");
    hoya_loop *loop = future->loop;
    if (hoya_likely(hoya_loop_is_usual(loop))) return 0;
    return hoya_loop_is_closed(loop) ? hoya_loop_check_thread(loop) : hoya_loop_enter(loop);
}

static int enter_open(const hoya_future *future)
{
    return future ? hoya_loop_enter(future->loop) : hoya_error_set(HOYA_EINVAL, "the future is NULL");
}

/* ---- life ---------------------------------------------------------------------------------------------- */

int hoya_future_new(hoya_loop *loop, hoya_future **out)
{
    int rc = hoya_loop_enter(loop);
    if (rc < 0) return rc;
    hoya_future *future = hoya_new(hoya_future);
    if (!future) return HOYA_ENOMEM;
    hoya_future_init(future, NULL, hoya_loop_ref(loop), HOYA_CALLER());
    *out = future;
    return 0;
}

hoya_future *hoya_future_ref(hoya_future *future)
{
    hoya_future_hold(future);
    return future;
}

/* Statement 36: an error that nobody looked at. In the child of a fork it is the parent's to tell. */
static void report_unseen(const hoya_future *future)
{
    const hoya_outcome *outcome = &future->outcome;
    if (future->looked || hoya_outcome_is_cancel(outcome)) return;
    if (hoya_loop_is_forked(future->loop)) return;
    const char *text = hoya_outcome_text(outcome);
    char place[160], detail[512], message[200] = "nobody looked at the error of a future";
    if (future->class)
        snprintf(message, sizeof message, "nobody looked at the error of %s", future->class->name(future));
    if (hoya_loop_debugs(future->loop)) {
        snprintf(detail, sizeof detail, "%s%sthe future is from %s", text, text[0] ? "; " : "",
                 hoya_code_name(future->place, place, sizeof place));
        text = detail;
    }
    hoya_exception_context context = {sizeof context, message, outcome->code, text, HOYA_INVALID_FD};
    hoya_loop_call_exception_handler(future->loop, &context);
}

/* What most futures have not got when they end. It has a reference of its own meanwhile: what this calls may come back. */
static __attribute__((noinline)) void drop_rest(hoya_future *future)
{
    future->refs = 1;
    if (future->class && future->class->leave) future->class->leave(future);
    if (future->outcome.code < 0) report_unseen(future);
    while (!hoya_list_is_empty(&future->callbacks)) hoya_waiters_drop(&future->callbacks, NULL, NULL);
    hoya_outcome_clear(&future->outcome);
    hoya_check(future->refs == 1, "a future was referenced while it was freed");
}

static void free_alone(hoya_future *future)
{
    hoya_loop *loop = future->loop;
    hoya_free(future);
    hoya_loop_unref(loop);
}

void hoya_future_free(hoya_future *future)
{
    hoya_check(hoya_loop_is_closed(future->loop) || hoya_loop_is_forked(future->loop) ||
                   hoya_loop_on_thread(future->loop),
               "the last reference of a future was dropped on a wrong thread");
    const hoya_outcome *outcome = &future->outcome;
    bool leaves = future->class && future->class->leave;
    if (hoya_unlikely(leaves || outcome->code < 0 || outcome->destroy || !hoya_list_is_empty(&future->callbacks)))
        drop_rest(future);
    hoya_live_add_future(-1);
    if (future->class) future->class->free(future);
    else free_alone(future);
}

void hoya_future_unref(hoya_future *future)
{
    if (future) hoya_future_drop(future);
}

hoya_loop *hoya_future_get_loop(const hoya_future *future)
{
    return future->loop;
}

int hoya_future_done(const hoya_future *future)
{
    return future ? future->outcome.done : hoya_error_set(HOYA_EINVAL, "the future is NULL");
}

int hoya_future_cancelled(const hoya_future *future)
{
    return future ? hoya_outcome_is_cancel(&future->outcome) : hoya_error_set(HOYA_EINVAL, "the future is NULL");
}

/* ---- completing ---------------------------------------------------------------------------------------- */

void hoya_future_tell(hoya_future *future)
{
    hoya_future_ref(
        future); /* callbacks of a closed loop are dropped: their arguments may hold the last reference */
    hoya_waiters_queue(future->loop, &future->callbacks);
    hoya_future_unref(future);
}

int hoya_future_complete(hoya_future *future, hoya_outcome outcome)
{
    int rc = enter(future);
    if (rc >= 0 && future->outcome.done) rc = hoya_error_set(HOYA_ESTATE, "the future is done already");
    if (rc < 0) {
        hoya_outcome_clear(&outcome);
        return rc;
    }
    future->outcome = outcome;
    hoya_future_settle(future);
    return 0;
}

/* What the function of a task or a job returns decides, and nobody else. */
int hoya_future_check_alone(const hoya_future *future)
{
    return future && future->class && !future->class->open
               ? hoya_error_set(HOYA_ESTATE, "a task or a job cannot be completed from outside")
               : 0;
}

int hoya_future_set_result(hoya_future *future, void *value, hoya_destroy destroy)
{
    int rc = hoya_future_check_alone(future);
    if (rc < 0) {
        hoya_destroy_arg(destroy, value);
        return rc;
    }
    return hoya_future_complete(future, hoya_outcome_value(value, destroy));
}

int hoya_future_set_exception(hoya_future *future, int code, const char *text)
{
    int rc = enter(future);
    if (rc >= 0) rc = hoya_future_check_alone(future);
    if (rc < 0) return rc;
    if (code >= 0) return hoya_error_set(HOYA_EINVAL, "set_exception with %d: a code is negative", code);
    return hoya_future_complete(future, hoya_outcome_error(code, text));
}

int hoya_future_cancel(hoya_future *future, const char *reason)
{
    int rc = enter(future);
    if (rc < 0) return rc;
    if (future->outcome.done) {
        future->looked = true;
        return 0;
    }
    if (future->class) return future->class->cancel(future, reason);
    rc = hoya_future_complete(future, hoya_outcome_error(HOYA_ECANCELED, reason));
    return rc < 0 ? rc : 1;
}

/* ---- looking ------------------------------------------------------------------------------------------- */

static int look(hoya_future *future)
{
    int rc = enter(future);
    if (rc >= 0) future->looked = future->outcome.done;
    return rc;
}

int hoya_future_result(hoya_future *future, void **value)
{
    int rc = look(future);
    return rc < 0 ? rc : hoya_outcome_result(&future->outcome, value);
}

int hoya_future_take(hoya_future *future, void **value, hoya_destroy *destroy)
{
    int rc = look(future);
    if (rc >= 0 && !value) rc = hoya_error_set(HOYA_EINVAL, "take without a place for the value");
    return rc < 0 ? rc : hoya_outcome_take(&future->outcome, value, destroy);
}

int hoya_future_exception(hoya_future *future, const char **text)
{
    int rc = look(future);
    if (rc >= 0 && !future->outcome.done) rc = hoya_error_set(HOYA_ESTATE, "the future is pending");
    if (rc < 0) return rc;
    if (text) *text = hoya_outcome_text(&future->outcome);
    return future->outcome.code;
}

hoya_outcome hoya_future_hand_on(hoya_future *future)
{
    future->looked = true;
    return hoya_outcome_hand_on(&future->outcome);
}

/* ---- callbacks ----------------------------------------------------------------------------------------- */

static void ref_source(void *source)
{
    hoya_future_ref(source);
}

static void unref_source(void *source)
{
    hoya_future_unref(source);
}

static void call(void *source, hoya_waiter_function fn, void *arg)
{
    ((hoya_done_callback)fn)(source, arg);
}

static const hoya_source_class source_class = {"done callback", ref_source, unref_source, call};

int hoya_future_add_done_callback(hoya_future *future, hoya_done_callback fn, void *arg, hoya_destroy destroy,
                                  hoya_handle **handle)
{
    int rc = enter_open(future);
    if (rc >= 0 && !fn) rc = hoya_error_set(HOYA_EINVAL, "add_done_callback without a function");
    if (rc < 0) {
        hoya_destroy_arg(destroy, arg);
        return rc;
    }
    rc = hoya_waiter_new(future->loop, &source_class, future, &future->callbacks, (hoya_waiter_function)fn, arg,
                         destroy, HOYA_CALLER(), handle);
    if (rc >= 0 && future->outcome.done) hoya_waiters_queue(future->loop, &future->callbacks);
    return rc;
}

int hoya_future_remove_done_callback(hoya_future *future, hoya_done_callback fn, void *arg)
{
    int rc = enter(future);
    if (rc < 0 || !fn) return rc;
    hoya_future_ref(future); /* a destroy function may drop what the caller thinks is the last one */
    int count = hoya_waiters_drop(&future->callbacks, (hoya_waiter_function)fn, arg);
    hoya_future_unref(future);
    return count;
}
