/* SPDX-License-Identifier: MIT
 *
 * task/staggered.c: several tries at the same thing, each begun when those before it take too long: one that is almost sure
 * to work need not wait until the others have failed ("happy eyeballs", RFC 8305).
 *
 * All tasks are children of the caller, who has a reference to each, and does not return before they have ended.
 */
#include <hoya/wait.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "loop/handle.h"
#include "task/task.h"

typedef struct staggered staggered;

/* Stands among the callbacks of an attempt's task, to hear of its end first. */
typedef struct ending {
    hoya_waiting waiting;
    staggered *of;
    hoya_attempt *attempt;
} ending;

struct staggered {
    hoya_task *self;
    hoya_attempt *attempts;
    ending *endings;       /* one for each attempt */
    hoya_future **running; /* their tasks that have not ended, in their order; behind the endings */
    size_t count, begun, alive;
    int64_t delay, next; /* when the next one begins at the latest */
    hoya_attempt *winner;
};

static void on_end(hoya_waiting *waiting)
{
    const ending *e = HOYA_CONTAINER_OF(waiting, ending, waiting);
    if (e->attempt->task->future.outcome.code >= 0 && !e->of->winner) e->of->winner = e->attempt;
}

static int begin_next(staggered *s)
{
    ending *e = &s->endings[s->begun];
    hoya_attempt *attempt = &s->attempts[s->begun++];
    *e = (ending){.waiting.wake = on_end, .of = s, .attempt = attempt};
    hoya_list_init(&e->waiting.of_source);
    hoya_task_options options = {
        .size = sizeof options, .name = attempt->name, .destroy = attempt->destroy, .owner = s->self};
    hoya_loop *loop = s->self->future.loop;
    int rc = hoya_create_task(loop, attempt->fn, attempt->arg, &options, &attempt->task);
    if (rc < 0) return rc;
    hoya_waiting_begin(&e->waiting, &attempt->task->future.callbacks);
    s->running[s->alive++] = &attempt->task->future;
    s->next = s->delay <= 0 ? HOYA_NOW : hoya_time_add(hoya_loop_time(loop), s->delay);
    return 0;
}

/* Takes out those that have ended. A failure is the caller's from now on. */
static void look(staggered *s)
{
    size_t alive = 0;
    for (size_t i = 0; i < s->alive; i++) {
        hoya_future *future = s->running[i];
        if (!future->outcome.done) s->running[alive++] = future;
    }
    s->alive = alive;
    for (size_t i = 0; i < s->begun; i++) {
        hoya_attempt *attempt = &s->attempts[i];
        hoya_future *future = attempt->task ? &attempt->task->future : NULL;
        if (!future || !future->outcome.done) continue;
        future->looked = true;
        if (future->outcome.code >= 0 && !s->winner) s->winner = attempt; /* a loop's close tells nobody */
    }
}

/* Is it the next one's turn? */
static bool is_due(const staggered *s)
{
    if (s->begun == s->count) return false;
    const hoya_attempt *last = &s->attempts[s->begun - 1];
    return last->task->future.outcome.done || s->next <= hoya_loop_time(s->self->future.loop);
}

/* Until one has won, all have failed, or the task was interrupted. */
static int race(staggered *s)
{
    int rc = begin_next(s);
    while (rc >= 0 && s->alive) {
        int64_t now = hoya_loop_time(s->self->future.loop);
        int64_t most = s->begun < s->count ? hoya_time_until(now, s->next) : HOYA_NEVER;
        rc = hoya_wait(s->running, s->alive, HOYA_FIRST_COMPLETED, most);
        look(s);
        if (rc < 0 || s->winner) return rc;
        if (is_due(s)) rc = begin_next(s);
    }
    return rc;
}

/* Nobody is left alone: only the loop's close ends the waiting. */
static void end_all(staggered *s)
{
    s->self->shields++;
    for (size_t i = 0; i < s->alive; i++)
        hoya_future_cancel(s->running[i], s->winner ? "another attempt has won" : "the race was given up");
    for (size_t i = 0; i < s->alive; i++)
        if (hoya_wait_done(s->running[i]) < 0) break;
    s->self->shields--;
    look(s);
    for (size_t i = 0; i < s->begun; i++) hoya_list_remove(&s->endings[i].waiting.of_source);
    for (; s->begun < s->count; s->begun++)
        hoya_destroy_arg(s->attempts[s->begun].destroy, s->attempts[s->begun].arg);
}

static int refuse(const hoya_attempt *attempts, size_t count, int rc)
{
    for (size_t i = 0; attempts && i < count; i++) hoya_destroy_arg(attempts[i].destroy, attempts[i].arg);
    return rc;
}

int hoya_staggered_race(hoya_attempt *attempts, size_t count, int64_t delay, size_t *winner)
{
    staggered s = {.attempts = attempts, .count = count, .delay = delay};
    for (size_t i = 0; attempts && i < count; i++) attempts[i].task = NULL;
    int rc = attempts && count ? hoya_task_here(&s.self) : hoya_error_set(HOYA_EINVAL, "there are no attempts");
    for (size_t i = 0; rc >= 0 && i < count; i++)
        if (!attempts[i].fn) rc = hoya_error_set(HOYA_EINVAL, "attempt %zu has no function", i);
    if (rc >= 0) rc = hoya_task_interrupted(s.self);
    if (rc < 0) return refuse(attempts, count, rc);
    s.endings = hoya_resize(NULL, count, sizeof *s.endings + sizeof *s.running);
    if (!s.endings) return refuse(attempts, count, HOYA_ENOMEM);
    s.running = (hoya_future **)(void *)(s.endings + count);
    rc = race(&s);
    end_all(&s);
    hoya_free(s.endings);
    if (s.winner) {
        if (winner) *winner = (size_t)(s.winner - attempts);
        return 0;
    }
    return rc < 0 ? rc : hoya_future_result(&attempts[0].task->future, NULL);
}
