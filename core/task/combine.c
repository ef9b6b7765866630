/* SPDX-License-Identifier: MIT
 *
 * task/combine.c: a task that waits for several futures at once, or for one for a limited time.
 *
 * The nodes with which it stands in the lists of the futures are on its stack, as many as usual; the one that makes it
 * enough wakes the task. The limit of the time is a timeout scope (task/scope.c): whose time was up says the leave.
 */
#include <hoya/wait.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "future/some.h"
#include "task/task.h"

/* ---- several --------------------------------------------------------------------------------------------- */

#define USUAL 16

typedef struct several several;

typedef struct one {
    hoya_waiting waiting;
    hoya_future *future; /* a reference */
    several *of;
} one;

struct several {
    hoya_task *task;
    one *all;
    size_t count, pending;
    hoya_when when;
    bool enough;
};

static void note(several *s, const hoya_future *ended)
{
    s->pending--;
    if (!s->pending || hoya_when_is_enough(s->when, ended)) s->enough = true;
}

static void one_done(hoya_waiting *waiting)
{
    const one *o = HOYA_CONTAINER_OF(waiting, one, waiting);
    several *s = o->of;
    note(s, o->future);
    if (s->enough) hoya_task_wake(s->task);
}

static void begin(several *s, hoya_future *const *futures)
{
    s->pending = s->count;
    for (size_t i = 0; i < s->count; i++) {
        one *o = &s->all[i];
        *o = (one){.waiting.wake = one_done, .future = hoya_future_ref(futures[i]), .of = s};
        hoya_list_init(&o->waiting.of_source);
        if (o->future->outcome.done) note(s, o->future);
        else hoya_waiting_begin(&o->waiting, &o->future->callbacks);
    }
}

static int end(several *s)
{
    int done = 0;
    for (size_t i = 0; i < s->count; i++) hoya_list_remove(&s->all[i].waiting.of_source);
    for (size_t i = 0; i < s->count; i++) {
        done += s->all[i].future->outcome.done;
        hoya_future_unref(s->all[i].future);
    }
    return done;
}

static void describe_several(const hoya_task *task, char *text, size_t size)
{
    static const char *const what[] = {"all", "the first", "the first failure"};
    const several *s = task->body->waits_for; /* on its stack */
    snprintf(text, size, "waits for %s of %zu futures, of which %zu are pending", what[s->when], s->count,
             s->pending);
}

/* 0 if it is enough; else why it may wait no longer. */
static int wait_several(several *s)
{
    int rc = 0;
    while (!s->enough && rc == 0) {
        rc = hoya_task_interrupted(s->task);
        if (rc == 0) hoya_task_suspend(s->task, describe_several, s);
    }
    return s->enough ? 0 : rc;
}

/* The same until the time is up, which is no error. */
static int wait_limited(several *s, int64_t timeout)
{
    hoya_timeout *scope;
    if (s->enough || timeout <= 0) {
        hoya_task_spend(s->task);
        return 0;
    }
    if (timeout == HOYA_NEVER) return wait_several(s);
    int rc = hoya_timeout_enter(timeout, &scope);
    if (rc < 0) return rc;
    rc = wait_several(s);
    bool late = hoya_timeout_leave(scope) == 1;
    return rc == HOYA_EDEADLINE && late ? 0 : rc;
}

int hoya_wait(hoya_future *const *futures, size_t count, hoya_when when, int64_t timeout)
{
    one usual[USUAL];
    several s = {.all = usual, .count = count, .when = when};
    int rc = hoya_when_check(count, when);
    if (rc >= 0) rc = hoya_task_here(&s.task);
    if (rc >= 0 && !futures) rc = hoya_error_set(HOYA_EINVAL, "there are no futures to wait for");
    for (size_t i = 0; rc >= 0 && i < count; i++)
        rc = futures[i] ? hoya_task_may_wait_for(s.task, futures[i])
                        : hoya_error_set(HOYA_EINVAL, "future %zu to wait for is NULL", i);
    if (rc >= 0 && count > USUAL && !(s.all = hoya_resize(NULL, count, sizeof *s.all))) rc = HOYA_ENOMEM;
    if (rc < 0) return rc;
    begin(&s, futures);
    rc = wait_limited(&s, timeout);
    int done = end(&s);
    if (s.all != usual) hoya_free(s.all);
    return rc < 0 ? rc : done;
}

/* ---- one, for a limited time ------------------------------------------------------------------------------- */

int hoya_wait_for(hoya_future *future, int64_t timeout, void **value)
{
    hoya_timeout *scope;
    if (!future || future->outcome.done || timeout == HOYA_NEVER) return hoya_await(future, value);
    int rc = hoya_timeout_enter(timeout, &scope);
    if (rc < 0) return rc;
    hoya_future_ref(future);
    rc = hoya_await(future, value);
    bool late = hoya_timeout_leave(scope) == 1;
    bool believed = future->outcome.done && !hoya_future_cancelled(future);
    if (rc == HOYA_EDEADLINE && late && !believed) rc = hoya_error_set(HOYA_ETIMEDOUT, "the time was up");
    hoya_future_unref(future);
    return rc;
}
