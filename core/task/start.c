/* SPDX-License-Identifier: MIT
 *
 * task/start.c: how tasks begin that another thread starts.
 *
 * A start is an entry of the inbox. It has the argument, a copy of the options, and the
 * outcome (a future of threads) until it has its turn on the loop's thread: that turn is the task's first step, so
 * that there is nothing between the question whether somebody has cancelled it and the task. From then on a bridge
 * (future/bridge.c) stands between the task and the outcome, for the result and for the cancel.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "loop/handle.h"
#include "task/task.h"

typedef struct start {
    hoya_runnable runnable;
    hoya_task_function fn;
    void *arg;
    hoya_task_options options;   /* its destroy function is NULL once the task has the argument */
    hoya_thread_future *outcome; /* a reference, or NULL */
    const void *place;
    char name[];
} start;

static void free_start(start *s)
{
    hoya_destroy_arg(s->options.destroy, s->arg);
    hoya_thread_future_unref(s->outcome);
    hoya_free(s);
}

/* The task with its bridge; with neither on failure. */
static int make(hoya_loop *loop, start *s, hoya_task **out)
{
    hoya_task *task;
    int rc = hoya_task_make(loop, s->fn, s->arg, &s->options, s->place, &task);
    if (rc < 0) return rc;
    s->options.destroy = NULL;
    if (s->outcome) rc = hoya_bridge(&task->future, s->outcome, HOYA_BRIDGE_TO_THREADS, NULL);
    if (rc < 0) hoya_task_end_unstarted(task);
    else *out = task;
    return rc;
}

static bool run(hoya_loop *loop, hoya_runnable *runnable)
{
    start *s = (start *)runnable;
    bool wanted = !s->outcome || !hoya_thread_future_cancelled(s->outcome);
    hoya_task *task = NULL;
    int rc = wanted ? make(loop, s, &task) : 0;
    if (rc < 0 && s->outcome) hoya_thread_future_set_exception(s->outcome, rc, hoya_error_detail());
    else if (rc < 0) hoya_loop_report(loop, rc, HOYA_INVALID_FD, "a task of another thread could not be made");
    free_start(s);
    if (task) hoya_task_step(task);
    return wanted;
}

static void drop(hoya_loop *loop, hoya_runnable *runnable)
{
    (void)loop;
    start *s = (start *)runnable;
    if (s->outcome) hoya_thread_future_cancel(s->outcome, "the loop was closed");
    free_start(s);
}

static hoya_description describe(const hoya_runnable *runnable)
{
    const start *s = (const start *)runnable;
    return (hoya_description){"start of a task", (uintptr_t)s->fn, s->place, .live = true};
}

static const hoya_runnable_class start_class = {run, drop, describe};

/* Takes the argument on success. */
static int new_start(hoya_task_function fn, void *arg, const hoya_task_options *options, start **out)
{
    size_t name_size = options->name ? strlen(options->name) + 1 : 0;
    start *s = hoya_new_zeroed(sizeof *s + name_size);
    if (!s) return HOYA_ENOMEM;
    s->runnable.class = &start_class;
    s->fn = fn;
    s->arg = arg;
    s->options = *options;
    if (name_size) s->options.name = memcpy(s->name, options->name, name_size);
    *out = s;
    return 0;
}

int hoya_create_task_threadsafe(hoya_loop *loop, hoya_task_function fn, void *arg, const hoya_task_options *given,
                                hoya_thread_future **out)
{
    hoya_task_options options;
    start *s;
    int rc = hoya_task_options_read(&options, given);
    if (rc >= 0 && (!loop || !fn))
        rc = hoya_error_set(HOYA_EINVAL, "create_task_threadsafe without a loop or a function");
    if (rc >= 0 && options.owner)
        rc = hoya_error_set(HOYA_EINVAL, "an owner gets its children on the thread of its loop");
    if (rc >= 0) rc = new_start(fn, arg, &options, &s);
    if (rc < 0) {
        hoya_destroy_arg(options.destroy, arg);
        return rc;
    }
    s->place = HOYA_CALLER();
    if (out) rc = hoya_thread_future_new(&s->outcome);
    /* Before the post: the task may have ended by the time this returns. */
    hoya_thread_future *outcome = s->outcome ? hoya_thread_future_ref(s->outcome) : NULL;
    if (rc >= 0) rc = hoya_inbox_offer(loop, &s->runnable);
    if (rc < 0) {
        hoya_thread_future_unref(outcome);
        free_start(s);
    } else if (out) {
        *out = outcome;
    }
    return rc;
}
