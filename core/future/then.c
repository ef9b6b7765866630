/* SPDX-License-Identifier: MIT
 *
 * future/then.c: what comes next, as a future: a done callback with a result of its own.
 *
 * Who has `next` has the callback: `next` refers to its source, and takes the callback back when it goes. Where nobody
 * asked for it the callback has `next`. So nobody refers to himself, whatever is let go first. A result that is a future
 * again is followed by a callback as well, not inside the call that completes it: a promise may follow a promise without
 * end, and no stack grows.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/error_place.h"
#include "future/combine.h"

typedef struct then {
    hoya_future future; /* `next` */
    hoya_then_function on_value, on_error;
    void *arg;
    hoya_destroy destroy;
    hoya_future *source; /* which it waits for; a reference. NULL: none, or the callback has this */
    hoya_handle *callback;
    bool follows;  /* the source is one that a function has named */
    bool detached; /* nobody asked for `next`: each callback has a reference to it */
    bool called;   /* the callback runs, and has one, too, until it is gone */
} then;

static then *of_future(hoya_future *future)
{
    return HOYA_CONTAINER_OF(future, then, future);
}

/* Takes the callback back, if it has not run. */
static void let_go(then *t)
{
    hoya_future *source = t->source;
    hoya_handle *callback = t->callback;
    t->source = NULL;
    t->callback = NULL;
    if (callback) hoya_handle_cancel(callback);
    hoya_handle_unref(callback);
    hoya_future_unref(source);
}

static int cancel(hoya_future *future, const char *reason)
{
    then *t = of_future(future);
    hoya_future_ref(future);
    hoya_future *source = t->source ? hoya_future_ref(t->source) : NULL;
    hoya_future_complete(future, hoya_outcome_error(HOYA_ECANCELED, reason));
    let_go(t);
    if (source && !source->outcome.done && !hoya_future_is_wanted(source)) hoya_future_cancel(source, reason);
    hoya_future_unref(source);
    hoya_future_unref(future);
    return 1;
}

static void free_then(hoya_future *future)
{
    hoya_loop *loop = future->loop;
    let_go(of_future(future));
    hoya_free(future);
    hoya_loop_unref(loop);
}

static const char *name(const hoya_future *future)
{
    (void)future;
    return "what comes then";
}

static const hoya_future_class then_class = {.cancel = cancel, .free = free_then, .name = name, .open = true};

/* The callback begins, and ends: what it calls may let go of `next`. */
static void enter_callback(then *t)
{
    if (!t->detached) hoya_future_ref(&t->future);
    t->called = true;
}

static void leave_callback(then *t)
{
    bool has_one = t->detached || t->called;
    t->called = false;
    if (has_one) hoya_future_unref(&t->future);
}

/* ---- following ----------------------------------------------------------------------------------------- */

static void on_followed(hoya_future *other, void *arg)
{
    then *t = arg;
    enter_callback(t);
    if (!t->future.outcome.done) hoya_future_complete(&t->future, hoya_future_hand_on(other));
}

static void on_followed_gone(void *arg)
{
    then *t = arg;
    let_go(t);
    leave_callback(t);
}

int hoya_future_follow(hoya_future *next, hoya_future *other)
{
    if (!next || !other || next == other)
        return hoya_error_set(HOYA_EINVAL, "to follow takes two different futures");
    if (next->class != &then_class)
        return hoya_error_set(HOYA_ESTATE, "only what comes then follows another future");
    then *t = of_future(next);
    int rc = hoya_loop_enter(next->loop);
    if (rc >= 0 && other->loop != next->loop)
        rc = hoya_error_set(HOYA_EINVAL, "what comes then cannot follow a future of another loop");
    if (rc >= 0 && (next->outcome.done || t->follows || t->source))
        rc = hoya_error_set(HOYA_ESTATE, "what comes then is done, follows another one, or is not yet asked");
    if (rc < 0) return rc;
    if (t->detached) hoya_future_ref(next);
    rc = hoya_future_add_done_callback(other, on_followed, t, on_followed_gone, &t->callback);
    if (rc < 0) return rc;
    t->source = hoya_future_ref(other);
    t->follows = true;
    return 0;
}

/* ---- the callback -------------------------------------------------------------------------------------- */

/* The function's errors are its own, as a task's: what it returns is not told with the text of an older failure. */
static void call(then *t, hoya_then_function fn, hoya_future *source)
{
    hoya_error_place errors;
    errors.code = 0;
    errors.text[0] = 0;
    hoya_error_place *before = hoya_error_move(&errors);
    int status = fn(source, &t->future, t->arg);
    hoya_error_move(before);
    if (t->future.outcome.done || t->follows) return;
    hoya_outcome outcome = status < 0 ? hoya_outcome_error(status, status == errors.code ? errors.text : NULL)
                                      : hoya_outcome_value(NULL, NULL);
    hoya_future_complete(&t->future, outcome);
}

static void on_source_done(hoya_future *source, void *arg)
{
    then *t = arg;
    enter_callback(t);
    hoya_future_ref(source);
    let_go(t); /* it runs already: the argument goes afterwards */
    bool failed = source->outcome.code < 0;
    hoya_then_function fn = failed ? t->on_error : t->on_value;
    if (t->future.outcome.done) {
        ; /* somebody knew better */
    } else if (!fn) {
        hoya_future_complete(&t->future, hoya_future_hand_on(source));
    } else {
        if (failed) source->looked = true;
        call(t, fn, source);
    }
    hoya_future_unref(source);
}

static void on_source_gone(void *arg)
{
    then *t = arg;
    hoya_destroy_arg(t->destroy, t->arg);
    leave_callback(t);
}

int hoya_future_then(hoya_future *source, hoya_then_function on_value, hoya_then_function on_error, void *arg,
                     hoya_destroy destroy, hoya_future **next)
{
    int rc = source ? hoya_loop_enter(source->loop) : hoya_error_set(HOYA_EINVAL, "the future is NULL");
    if (rc >= 0 && !on_value && !on_error) rc = hoya_error_set(HOYA_EINVAL, "then what? there is no function");
    then *t = rc < 0 ? NULL : hoya_new(then);
    if (!t) {
        hoya_destroy_arg(destroy, arg);
        return rc < 0 ? rc : HOYA_ENOMEM;
    }
    hoya_future_init(&t->future, &then_class, hoya_loop_ref(source->loop), HOYA_CALLER());
    t->on_value = on_value;
    t->on_error = on_error;
    t->arg = arg;
    t->destroy = destroy;
    t->detached = !next;
    rc = hoya_future_add_done_callback(source, on_source_done, t, on_source_gone, next ? &t->callback : NULL);
    if (!next) return rc;
    if (rc < 0) {
        hoya_future_unref(&t->future);
        return rc;
    }
    t->source = hoya_future_ref(source);
    *next = &t->future;
    return 0;
}
