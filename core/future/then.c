/* SPDX-License-Identifier: MIT
 *
 * future/then.c: what comes next, as a future: a done callback with a result of its own.
 *
 * Who has `next` has the callback: `next` refers to its source, and takes the callback back when it goes. Where nobody
 * asked for it the callback has `next`. So nobody refers to himself, whatever is let go first. A result that is a future
 * again is followed by a callback as well, not inside the call that completes it: a promise may follow a promise without
 * end, and no stack grows.
 *
 * Whatever calls the application (a function, the destroy function of an argument) may let go of `next`: who does so in
 * here has a reference to it.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/error_place.h"
#include "future/combine.h"

typedef struct then then;

/* One of its two callbacks: of its source, and of what it follows. */
typedef struct step {
    then *of;
    bool has; /* a reference to `next`: when it runs, until it is gone; from the start if nobody asked for `next` */
} step;

struct then {
    hoya_future future; /* first: `next` */
    hoya_then_function on_value, on_error;
    void *arg;
    hoya_destroy destroy;
    hoya_future *source; /* which it waits for; a reference. NULL: none, or the callback has this */
    hoya_handle *callback;
    hoya_future *lender; /* of a value that was passed on without its owner; a reference. NULL: none */
    step first, following;
    bool follows;  /* the source is one that a function has named */
    bool detached; /* nobody asked for `next` */
};

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

static void leave(hoya_future *future)
{
    let_go(of_future(future));
}

static void free_then(hoya_future *future)
{
    hoya_loop *loop = future->loop;
    hoya_future_unref(of_future(future)->lender);
    hoya_free(future);
    hoya_loop_unref(loop);
}

static const char *name(const hoya_future *future)
{
    (void)future;
    return "what comes then";
}

static const hoya_future_class then_class = {
    .cancel = cancel, .free = free_then, .name = name, .open = true, .leave = leave};

/* A callback takes its reference, once; and lets it go. */
static void take(step *s)
{
    if (!s->has) hoya_future_ref(&s->of->future);
    s->has = true;
}

static void give_back(step *s)
{
    bool had = s->has;
    s->has = false;
    if (had) hoya_future_unref(&s->of->future);
}

/* A value without an owner is good as long as who lends it: a combinator, from its parts. Of a chain that is the first
 * one, so that the others go when they are done. */
static void pass_on(then *t, hoya_future *source)
{
    hoya_outcome outcome = hoya_future_hand_on(source);
    hoya_future *lender = source->class == &then_class ? of_future(source)->lender : source;
    if (lender && outcome.value && !outcome.destroy) t->lender = hoya_future_ref(lender);
    hoya_future_complete(&t->future, outcome);
}

/* ---- following ----------------------------------------------------------------------------------------- */

static void on_followed(hoya_future *other, void *arg)
{
    step *s = arg;
    take(s);
    if (!s->of->future.outcome.done) pass_on(s->of, other);
}

static void on_followed_gone(void *arg)
{
    step *s = arg;
    then *t = s->of;
    hoya_future_ref(&t->future);
    let_go(t);
    give_back(s);
    hoya_future_unref(&t->future);
}

/* Would it wait for itself? */
static bool waits_for(const hoya_future *future, const hoya_future *next)
{
    while (future && future != next) future = future->class == &then_class ? ((const then *)future)->source : NULL;
    return future;
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
    if (rc >= 0 && waits_for(other, next))
        rc = hoya_error_set(HOYA_EDEADLK, "what comes then cannot follow a future that waits for it");
    if (rc < 0) return rc;
    t->following.of = t;
    if (t->detached) take(&t->following);
    rc = hoya_future_add_done_callback(other, on_followed, &t->following, on_followed_gone, &t->callback);
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
    hoya_error_place *before = hoya_error_begin(&errors);
    int status = fn(source, &t->future, t->arg);
    hoya_error_move(before);
    if (t->future.outcome.done || t->follows) return;
    hoya_outcome outcome = status < 0 ? hoya_outcome_error(status, status == errors.code ? errors.text : NULL)
                                      : hoya_outcome_value(NULL, NULL);
    hoya_future_complete(&t->future, outcome);
}

static void on_source_done(hoya_future *source, void *arg)
{
    step *s = arg;
    then *t = s->of;
    take(s);
    hoya_future_ref(source);
    let_go(t); /* it runs already: the argument goes afterwards */
    bool failed = source->outcome.code < 0;
    hoya_then_function fn = failed ? t->on_error : t->on_value;
    if (t->future.outcome.done) {
        ; /* somebody knew better */
    } else if (!fn) {
        pass_on(t, source);
    } else {
        if (failed) source->looked = true;
        call(t, fn, source);
    }
    hoya_future_unref(source);
}

static void on_source_gone(void *arg)
{
    step *s = arg;
    then *t = s->of;
    hoya_future_ref(&t->future);
    hoya_destroy_arg(t->destroy, t->arg);
    give_back(s);
    hoya_future_unref(&t->future);
}

bool hoya_waiting_is_then(const hoya_waiting *waiting)
{
    if (waiting->wake) return false;
    const hoya_handle *handle =
        &((const hoya_waiter *)((const char *)waiting - offsetof(hoya_waiter, waiting)))->handle;
    hoya_waiter_function fn = handle->fn.waiter;
    bool is_then = fn == (hoya_waiter_function)on_source_done || fn == (hoya_waiter_function)on_followed;
    return is_then && !((const step *)handle->arg)->of->detached;
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
    t->first = (step){.of = t, .has = t->detached};
    rc = hoya_future_add_done_callback(source, on_source_done, &t->first, on_source_gone,
                                       next ? &t->callback : NULL);
    if (!next) return rc;
    if (rc < 0) {
        hoya_future_unref(&t->future);
        return rc;
    }
    t->source = hoya_future_ref(source);
    *next = &t->future;
    return 0;
}
