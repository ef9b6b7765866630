/* SPDX-License-Identifier: MIT
 *
 * task/task.c: the life of tasks: made, gone on with, ended; and what the loop keeps of them.
 *
 * The context to which a task returns lives in the task (task/fiber.h), so tasks are gone on with at any depth: in a main
 * loop that another task runs, too. The loop's end asks tasks to end as a cancel does that nobody can take back.
 */
#include "task/task.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "loop/handle.h"
#include "task/overflow.h"

HOYA_THREAD_LOCAL hoya_task *hoya_task_innermost;

static hoya_task *of_future(hoya_future *future)
{
    return HOYA_CONTAINER_OF(future, hoya_task, future);
}

static int host_depth(const hoya_loop *loop)
{
    const hoya_host_ops *ops = loop->host->ops;
    return ops->depth ? ops->depth(loop->host) : 0;
}

static void remember_host(hoya_task *task)
{
    task->host_changes = task->future.loop->host_changes;
    task->host_depth = host_depth(task->future.loop);
}

/* What runs is the task, or something that it calls, and no callback: of no loop of ours, and of no main loop that the
 * task runs. A host that came since is asked for the first time now. */
static bool is_current(hoya_task *task)
{
    const hoya_loop *loop = task->future.loop;
    if (hoya_loop_running != task->running || loop->depth != task->depth) return false;
    if (task->host_changes != loop->host_changes) remember_host(task);
    return host_depth(loop) == task->host_depth;
}

/* ---- going on ------------------------------------------------------------------------------------------- */

static void end_task(hoya_task *task)
{
    hoya_loop *loop = task->future.loop;
    task->ended = true;
    hoya_list_remove(&task->of_loop);
    /* An entry that is queued takes the place along. */
    if (!task->queued) hoya_ring_unreserve(&loop->ready, 1);
    hoya_destroy_arg(task->destroy, task->arg);
    hoya_locals_unref(task->locals);
    task->locals = NULL;
    if (hoya_likely(task->outcome.code >= 0)) {
        hoya_future_complete_value(&task->future, task->value, task->destroy_value);
    } else {
        hoya_destroy_arg(task->destroy_value, task->value);
        hoya_future_complete(&task->future, task->outcome);
    }
    if (task->owner) hoya_owner_tell(task);
    hoya_future_unref(&task->future); /* the list's */
}

void hoya_task_end_unstarted(hoya_task *task)
{
    if (!task->ending) task->outcome = hoya_outcome_error(HOYA_ECANCELED, task->reason);
    task->ending = true;
    if (!hoya_list_is_empty(&task->children)) return;
    hoya_fiber_discard(&task->fiber);
    task->wanted = false;
    end_task(task);
}

void hoya_task_step(hoya_task *task)
{
    hoya_task *before = hoya_task_innermost;
    hoya_error_place *errors = hoya_error_move(task->errors);
    task->wanted = false;
    task->running = hoya_loop_running;
    task->depth = task->future.loop->depth;
    remember_host(task);
    hoya_task_innermost = task;
    if (hoya_likely(!hoya_loop_debugs(task->future.loop))) hoya_fiber_resume(&task->fiber, 0);
    else hoya_overflow_resume(&task->fiber, &hoya_tasks_of(task->future.loop)->handlers);
    hoya_task_innermost = before;
    hoya_error_move(errors);
    if (task->fiber.state == HOYA_COROUTINE_CLOSED) end_task(task);
}

static void run_function(hoya_task *task)
{
    int status = task->status = task->fn(task, task->arg);
    /* Why it failed, if the last that failed in it is what it failed with. */
    const hoya_error_place *errors = task->errors;
    const char *why = status == HOYA_ECANCELED ? task->reason : status == errors->code ? errors->text : NULL;
    if (hoya_unlikely(status < 0)) task->outcome = hoya_outcome_error(status, why);
    while (task->scopes) hoya_task_drop_scope(task);
}

static void run_fiber(hoya_fiber *fiber)
{
    hoya_task *task = HOYA_CONTAINER_OF(fiber, hoya_task, fiber);
    hoya_error_place errors;
    errors.code = 0;
    errors.text[0] = 0;
    hoya_error_move(task->errors = &errors);
    if (hoya_likely(!task->ending)) run_function(task);
    if (hoya_unlikely(!hoya_list_is_empty(&task->children))) hoya_owner_wait(task);
    hoya_error_move(task->errors = NULL);
}

static const char *name_of_fiber(const hoya_fiber *fiber)
{
    return ((const hoya_task *)((const char *)fiber - offsetof(hoya_task, fiber)))->name;
}

static const hoya_fiber_class fiber_class = {"task", run_fiber, name_of_fiber};

static bool run_wake(hoya_loop *loop, hoya_runnable *runnable)
{
    hoya_task *task = HOYA_CONTAINER_OF(runnable, hoya_task, wake);
    task->queued = false;
    if (!task->ended) hoya_ring_keep(&loop->ready);
    bool run = task->wanted;
    if (run) hoya_task_step(task);
    hoya_future_unref(&task->future);
    return run;
}

static void drop_wake(hoya_loop *loop, hoya_runnable *runnable)
{
    hoya_task *task = HOYA_CONTAINER_OF(runnable, hoya_task, wake);
    (void)loop;
    task->queued = false;
    hoya_future_unref(&task->future);
}

static hoya_description describe_wake(const hoya_runnable *runnable)
{
    const hoya_task *task = (const hoya_task *)((const char *)runnable - offsetof(hoya_task, wake));
    return (hoya_description){"task", (uintptr_t)task->fn, task->future.place, task->wanted, true};
}

static const hoya_runnable_class wake_class = {run_wake, drop_wake, describe_wake};

void hoya_task_queue(hoya_task *task)
{
    task->queued = true;
    hoya_future_ref(&task->future);
    hoya_ring_push(&task->future.loop->ready, NULL, &task->wake);
}

void hoya_task_wake(hoya_task *task)
{
    if (task->queued || task->ended) return;
    hoya_loop *loop = task->future.loop;
    hoya_inbox_keep_order(loop);
    hoya_task_queue(task);
    hoya_loop_rearm(loop);
}

/* ---- the loop's ------------------------------------------------------------------------------------------ */

static void close_tasks(hoya_loop *loop)
{
    hoya_tasks *tasks = hoya_tasks_of(loop);
    if (!tasks->closing) {
        for (unsigned i = 0; i < tasks->alive; i++) hoya_loop_ref(loop);
        if (tasks->alive) hoya_loop_unref(loop);
    }
    tasks->closing = true;
    /* Everybody is asked to end at once, the oldest first: there is nothing to wait for. */
    for (hoya_list *node = tasks->all.next; node != &tasks->all; node = node->next)
        hoya_owner_disown(HOYA_CONTAINER_OF(node, hoya_task, of_loop));
    int count = hoya_all_tasks(loop, NULL, NULL);
    if (count) {
        char text[80];
        snprintf(text, sizeof text, "the loop was closed with %d tasks that had not ended: they are cancelled",
                 count);
        hoya_loop_report(loop, HOYA_ECANCELED, HOYA_INVALID_FD, text);
        if (hoya_loop_debugs(loop)) hoya_tasks_tell_left(loop);
    }
    /* From the front, always: what a task does on its way out may end others. One that runs now (it has dropped the
     * last reference of its loop) ends by itself. */
    hoya_list *node = tasks->all.next;
    while (node != &tasks->all) {
        hoya_task *task = HOYA_CONTAINER_OF(node, hoya_task, of_loop);
        hoya_task_ref(task); /* it may be its last step */
        if (task->fiber.state == HOYA_COROUTINE_CREATED) hoya_task_cancel(task, NULL);
        else if (task->fiber.state == HOYA_COROUTINE_SUSPENDED) hoya_task_step(task);
        node = task->fiber.state == HOYA_COROUTINE_RUNNING ? node->next : tasks->all.next;
        hoya_task_unref(task);
    }
    hoya_overflow_end(tasks->pool, &tasks->handlers);
    hoya_stack_pool_unref(tasks->pool);
    tasks->pool = NULL;
    for (hoya_list *spare; (spare = hoya_list_pop(&tasks->spare));)
        hoya_free(HOYA_CONTAINER_OF(spare, hoya_task, of_loop));
    if (!hoya_list_is_empty(&tasks->all)) return;
    loop->slots[HOYA_SLOT_TASKS] = (hoya_slot){NULL};
    hoya_free(tasks);
}

static int begin_tasks(hoya_loop *loop)
{
    if (hoya_tasks_of(loop)) return 0;
    hoya_tasks *tasks = hoya_new(hoya_tasks);
    if (!tasks) return HOYA_ENOMEM;
    int rc = hoya_stack_pool_new(NULL, &tasks->pool);
    if (rc < 0) {
        hoya_free(tasks);
        return rc;
    }
    hoya_list_init(&tasks->all);
    hoya_list_init(&tasks->spare);
    memcpy(tasks->next_name, "Task-1", sizeof "Task-1");
    loop->slots[HOYA_SLOT_TASKS] = (hoya_slot){tasks, close_tasks, hoya_tasks_dump, hoya_tasks_tell_stuck};
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------------------ */

static void wake_waiting(hoya_waiting *waiting)
{
    hoya_task_wake(HOYA_CONTAINER_OF(waiting, hoya_task, waiting));
}

bool hoya_task_awaited(const hoya_future *future)
{
    for (hoya_list *node = future->callbacks.next; node != &future->callbacks; node = node->next)
        if (HOYA_CONTAINER_OF(node, hoya_waiting, of_source)->wake == wake_waiting) return true;
    return false;
}

static int cancel_future(hoya_future *future, const char *reason)
{
    return hoya_task_cancel(of_future(future), reason);
}

/* Whether what the loop keeps of its tasks may still be touched by those who let one go. */
static hoya_tasks *open_tasks(const hoya_loop *loop)
{
    hoya_tasks *tasks = hoya_tasks_of(loop);
    return tasks && !tasks->closing ? tasks : NULL;
}

static void keep_loop(hoya_loop *loop)
{
    if (hoya_tasks_of(loop)->alive++ == 0) hoya_loop_ref(loop);
}

static void let_loop_go(hoya_loop *loop)
{
    hoya_tasks *tasks = open_tasks(loop);
    if (!tasks || --tasks->alive == 0) hoya_loop_unref(loop);
}

static hoya_task *new_block(hoya_tasks *tasks, size_t name_size)
{
    hoya_list *spare = name_size > HOYA_TASK_NAME ? NULL : hoya_list_pop(&tasks->spare);
    if (!spare) {
        hoya_task *task = hoya_new_zeroed(sizeof *task + (name_size > HOYA_TASK_NAME ? name_size : HOYA_TASK_NAME));
        if (task) task->long_name = name_size > HOYA_TASK_NAME;
        return task;
    }
    tasks->spares--;
    return memset(HOYA_CONTAINER_OF(spare, hoya_task, of_loop), 0, sizeof(hoya_task));
}

static void free_block(hoya_tasks *tasks, hoya_task *task)
{
    if (!tasks || task->long_name || tasks->spares == HOYA_SPARE_TASKS) {
        hoya_free(task);
        return;
    }
    tasks->spares++;
    hoya_list_push(&tasks->spare, &task->of_loop);
}

static void free_task(hoya_future *future)
{
    hoya_task *task = of_future(future);
    hoya_fiber_clear(&task->fiber);
    hoya_free(task->reason);
    free_block(open_tasks(future->loop), task);
}

static const char *name_future(const hoya_future *future)
{
    return ((const hoya_task *)future)->name;
}

static const hoya_future_class task_class = {cancel_future, free_task, name_future, keep_loop, let_loop_go};

hoya_task *hoya_task_of_future(const hoya_future *future)
{
    return future->class == &task_class ? (hoya_task *)(uintptr_t)future : NULL; /* its first member */
}

/* "Task-9" becomes "Task-10". printf would take longer than all the rest of a task. */
static void count_up(char *name)
{
    char *first = name + strlen("Task-"), *end = name + strlen(name), *digit = end;
    while (digit > first && digit[-1] == '9') *--digit = '0';
    if (digit > first) {
        digit[-1]++;
        return;
    }
    *first = '1';
    *end = '0';
    end[1] = 0;
}

int hoya_task_make(hoya_loop *loop, hoya_task_function fn, void *arg, const hoya_task_options *options,
                   const void *place, hoya_task **out)
{
    int rc = hoya_loop_enter(loop);
    if (rc >= 0 && !fn) rc = hoya_error_set(HOYA_EINVAL, "a task needs a function");
    if (rc >= 0 && options->owner) rc = hoya_owner_check(options->owner, loop);
    if (rc >= 0) rc = begin_tasks(loop);
    if (rc < 0) return rc;
    hoya_tasks *tasks = hoya_tasks_of(loop);
    size_t name_size = options->name ? strlen(options->name) + 1 : 0;
    hoya_task *task = new_block(tasks, name_size);
    if (!task) return HOYA_ENOMEM;
    rc = hoya_ring_reserve(&loop->ready, 1);
    if (rc >= 0) {
        hoya_stack_pool_move_here(tasks->pool); /* the loop is this thread's, whoever made it */
        hoya_stack_pool_set_log(tasks->pool, hoya_loop_log_sink(loop));
        rc = hoya_fiber_init(&task->fiber, tasks->pool, options->stack_size, &fiber_class);
        if (rc < 0) hoya_ring_unreserve(&loop->ready, 1);
    }
    if (rc < 0) {
        free_block(tasks, task);
        return rc;
    }
    task->number = ++tasks->made;
    if (options->name) memcpy(task->name, options->name, name_size);
    else memcpy(task->name, tasks->next_name, sizeof tasks->next_name);
    count_up(tasks->next_name);
    hoya_future_init(&task->future, &task_class, loop, place);
    task->wake.class = &wake_class;
    hoya_list_init(&task->waiting.of_source);
    task->waiting.wake = wake_waiting;
    task->fn = fn;
    task->arg = arg;
    task->destroy = options->destroy;
    const hoya_task *parent = hoya_current_task();
    if (parent && parent->future.loop == loop) task->locals = hoya_locals_share(parent->locals);
    hoya_list_init(&task->of_owner);
    hoya_list_init(&task->children);
    if (options->owner) hoya_owner_adopt(options->owner, task);
    hoya_list_append(&tasks->all, &task->of_loop);
    task->wanted = true;
    *out = task;
    return 0;
}

hoya_task *hoya_task_ref(hoya_task *task)
{
    hoya_future_ref(&task->future);
    return task;
}

void hoya_task_unref(hoya_task *task)
{
    if (task) hoya_future_unref(&task->future);
}

hoya_future *hoya_task_future(hoya_task *task)
{
    return &task->future;
}

int hoya_task_set_value(hoya_task *self, void *value, hoya_destroy destroy)
{
    if (!self || self != hoya_current_task() || self->ending) {
        hoya_destroy_arg(destroy, value);
        return hoya_error_set(HOYA_ESTATE, "only a task itself sets its value, in its function");
    }
    void *old = self->value;
    hoya_destroy destroy_old = self->destroy_value;
    self->value = value;
    self->destroy_value = destroy;
    hoya_destroy_arg(destroy_old, old); /* last: it may set another one */
    return 0;
}

const char *hoya_task_get_name(const hoya_task *task)
{
    return task->name;
}

hoya_loop *hoya_task_get_loop(const hoya_task *task)
{
    return task->future.loop;
}

hoya_task *hoya_tasks_after(const hoya_loop *loop, unsigned long number)
{
    const hoya_tasks *tasks = hoya_tasks_of(loop);
    for (hoya_list *node = tasks ? tasks->all.next : NULL; tasks && node != &tasks->all; node = node->next) {
        hoya_task *task = HOYA_CONTAINER_OF(node, hoya_task, of_loop);
        if (task->number > number) return task;
    }
    return NULL;
}

int hoya_all_tasks(hoya_loop *loop, void (*fn)(hoya_task *task, void *arg), void *arg)
{
    int rc = hoya_loop_check_thread(loop);
    if (rc < 0) return rc;
    const hoya_tasks *tasks = hoya_tasks_of(loop);
    int count = 0;
    unsigned long last = tasks ? tasks->made : 0;
    hoya_task *task = hoya_tasks_after(loop, 0), *next;
    for (; task && task->number <= last; task = next, count++) {
        unsigned long number = task->number;
        next = task->of_loop.next == &tasks->all ? NULL : HOYA_CONTAINER_OF(task->of_loop.next, hoya_task, of_loop);
        if (!fn || !next) {
            if (fn) fn(task, arg);
            continue;
        }
        hoya_task_ref(next);
        fn(task, arg);
        /* A cancel ends one that has not started, and its destroy function may end any other. */
        bool gone = next->ended;
        hoya_task_unref(next);
        if (gone) next = hoya_tasks_after(loop, number);
    }
    return count;
}

/* ---- whose turn it is ------------------------------------------------------------------------------------ */

int hoya_task_here(hoya_task **out)
{
    hoya_task *task = hoya_task_innermost;
    if (!task) return hoya_error_set(HOYA_ESTATE, "this is no task: nothing can wait here");
    const hoya_loop *loop = task->future.loop;
    if (hoya_unlikely(hoya_loop_is_forked(loop))) return hoya_loop_check_thread(loop);
    if (!is_current(task))
        return hoya_error_set(
            HOYA_EDEADLK, "a callback of a main loop that %s runs cannot wait: the task is below it", task->name);
    if (!hoya_fiber_runs(&task->fiber))
        return hoya_error_set(HOYA_EDEADLK, "%s: what it calls on the thread's stack cannot wait", task->name);
    if (hoya_fiber_running != &task->fiber)
        return hoya_error_set(HOYA_EDEADLK, "a coroutine that %s runs cannot wait", task->name);
    *out = task;
    return 0;
}

hoya_task *hoya_current_task(void)
{
    hoya_task *task = hoya_task_innermost;
    if (!task) return NULL;
    const hoya_loop *loop = task->future.loop;
    if (hoya_unlikely(hoya_loop_is_forked(loop))) return NULL; /* statement 56 */
    return is_current(task) && hoya_fiber_runs(&task->fiber) ? task : NULL;
}
