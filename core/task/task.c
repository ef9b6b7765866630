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
#include "base/options.h"
#include "future/combine.h"
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

static void set_value(hoya_task *task, void *value, hoya_destroy destroy)
{
    hoya_outcome *outcome = &task->future.outcome;
    void *old = outcome->value;
    hoya_destroy destroy_old = outcome->destroy;
    outcome->value = value;
    outcome->destroy = destroy;
    hoya_destroy_arg(destroy_old, old); /* last: it may set another one */
}

/* What most tasks have not got when they end. */
static __attribute__((noinline)) void drop_rest(hoya_task_body *body)
{
    hoya_locals_unref(body->locals);
    hoya_free(body->reason);
    body->locals = NULL;
    body->reason = NULL;
}

static void end_task(hoya_task *task)
{
    hoya_loop *loop = task->future.loop;
    hoya_task_body *body = task->body;
    task->ended = true;
    hoya_list_take_out(&body->of_loop);
    /* An entry that is queued takes the place along. */
    if (!task->queued) hoya_ring_unreserve(&loop->ready, 1);
    hoya_destroy_arg(body->destroy, body->arg);
    if (hoya_unlikely(body->locals || body->reason)) drop_rest(body);
    if (hoya_unlikely(task->future.outcome.code < 0)) set_value(task, NULL, NULL); /* a failure has none */
    hoya_future_settle(&task->future);
    if (body->owner || body->member) hoya_owner_tell(task);
    task->body = NULL;
    hoya_fiber_give_up_stack(&body->fiber);
    hoya_future_drop(&task->future); /* the list's */
}

static __attribute__((noinline)) void fail(hoya_task *task, int code, const char *why)
{
    hoya_outcome *outcome = &task->future.outcome, failure = hoya_outcome_error(code, why);
    outcome->code = code;
    outcome->text = failure.text;
}

void hoya_task_end_unstarted(hoya_task *task)
{
    if (!task->ending) fail(task, HOYA_ECANCELED, task->body->reason);
    task->ending = true;
    if (!hoya_list_is_empty(&task->body->children)) {
        hoya_task_wake(task); /* queued already, unless it waits for its turn in a group */
        return;
    }
    task->wanted = false;
    end_task(task);
}

/* Nothing can stand above it, and nobody else has to be asked: not while it is gone on with at its loop's close, nor in a
 * host that can tell how deep it is. */
static inline bool is_usual(const hoya_loop *loop)
{
    return hoya_loop_running == loop && !loop->unusual && !hoya_loop_is_forked(loop) && !loop->host->ops->depth;
}

static inline void step(hoya_task *task)
{
    hoya_task_body *body = task->body;
    hoya_task *before = hoya_task_innermost;
    hoya_error_place *errors = hoya_error_move(body->errors);
    task->wanted = false;
    task->running = hoya_loop_running;
    task->depth = task->future.loop->depth;
    remember_host(task);
    task->budget = HOYA_TASK_BUDGET;
    hoya_task_innermost = task;
    hoya_turn = is_usual(task->future.loop) ? task : NULL;
    int result = hoya_likely(!hoya_loop_debugs(task->future.loop))
                     ? hoya_fiber_resume(&body->fiber, 0)
                     : hoya_overflow_resume(&body->fiber, &hoya_tasks_of(task->future.loop)->handlers);
    hoya_turn = NULL; /* before it goes: what has its memory next may be another fiber */
    hoya_task_innermost = before;
    hoya_error_move(errors);
    if (result == HOYA_FIBER_ENDED) end_task(task);
}

void hoya_task_step(hoya_task *task)
{
    step(task);
}

/* If the last that failed in it is what it failed with. */
static const char *why_failed(const hoya_task *task, int status)
{
    const hoya_error_place *errors = task->body->errors;
    return status == HOYA_ECANCELED ? task->body->reason : status == errors->code ? errors->text : NULL;
}

static void run_function(hoya_task *task)
{
    hoya_task_body *body = task->body;
    int status = task->status = body->fn(task, body->arg);
    if (hoya_unlikely(status < 0)) fail(task, status, why_failed(task, status));
    while (body->scopes) hoya_scope_drop_innermost(task);
}

static void run_fiber(hoya_fiber *fiber)
{
    hoya_task_body *body = (hoya_task_body *)fiber;
    hoya_task *task = body->task;
    hoya_error_place errors;
    errors.code = 0;
    errors.text[0] = 0;
    hoya_error_move(body->errors = &errors);
    if (hoya_likely(!task->ending)) run_function(task);
    if (hoya_unlikely(!hoya_list_is_empty(&body->children))) hoya_owner_wait(task);
    hoya_error_move(body->errors = NULL);
}

static const char *name_of_fiber(const hoya_fiber *fiber)
{
    return hoya_task_get_name(((const hoya_task_body *)fiber)->task);
}

/* The body lies on the stack, and has to be there until end_task is through with it. */
static int after_fiber(void *fiber)
{
    (void)fiber;
    return HOYA_FIBER_ENDED;
}

static const hoya_fiber_class fiber_class = {"task", run_fiber, name_of_fiber, after_fiber};

static bool run_wake(hoya_loop *loop, hoya_runnable *runnable)
{
    hoya_task *task = HOYA_CONTAINER_OF(runnable, hoya_task, wake);
    task->queued = false;
    if (!task->ended) hoya_ring_keep(&loop->ready);
    bool run = task->wanted;
    if (run) step(task);
    hoya_future_drop(&task->future);
    return run;
}

static void drop_wake(hoya_loop *loop, hoya_runnable *runnable)
{
    hoya_task *task = HOYA_CONTAINER_OF(runnable, hoya_task, wake);
    (void)loop;
    task->queued = false;
    hoya_future_drop(&task->future);
}

static hoya_description describe_wake(const hoya_runnable *runnable)
{
    const hoya_task *task = (const hoya_task *)((const char *)runnable - offsetof(hoya_task, wake));
    uintptr_t function = task->body ? (uintptr_t)task->body->fn : 0;
    return (hoya_description){"task", function, task->future.place, .live = task->wanted, .lasts = true};
}

static const hoya_runnable_class wake_class = {run_wake, drop_wake, describe_wake};

void hoya_task_wake(hoya_task *task)
{
    if (task->queued || task->ended) return;
    hoya_loop *loop = task->future.loop;
    hoya_inbox_keep_order(loop);
    hoya_task_queue(task);
    hoya_loop_rearm(loop);
}

/* ---- the loop's ------------------------------------------------------------------------------------------ */

static hoya_task *pop_spare(hoya_tasks *tasks)
{
    hoya_list *spare = tasks->spare;
    if (!spare) return NULL;
    tasks->spare = spare->next;
    tasks->spares--;
    return HOYA_CONTAINER_OF(spare, hoya_task, future.callbacks);
}

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
        hoya_owner_disown(hoya_task_of_node(node));
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
        hoya_task *task = hoya_task_of_node(node);
        hoya_task_ref(task); /* it may be its last step */
        if (hoya_task_state(task) == HOYA_COROUTINE_CREATED) hoya_task_cancel(task, NULL);
        else if (hoya_task_state(task) == HOYA_COROUTINE_SUSPENDED) hoya_task_step(task);
        node = hoya_task_state(task) == HOYA_COROUTINE_RUNNING ? node->next : tasks->all.next;
        hoya_task_unref(task);
    }
    hoya_overflow_end(tasks->pool, &tasks->handlers);
    hoya_stack_pool_unref(tasks->pool);
    tasks->pool = NULL;
    for (hoya_task *spare; (spare = pop_spare(tasks));) hoya_free(spare);
    if (!hoya_list_is_empty(&tasks->all)) return;
    loop->slots[HOYA_SLOT_TASKS] = (hoya_slot){.data = NULL};
    hoya_free(tasks);
}

static __attribute__((noinline)) int begin_tasks(hoya_loop *loop)
{
    hoya_tasks *tasks = hoya_new(hoya_tasks);
    if (!tasks) return HOYA_ENOMEM;
    int rc = hoya_stack_pool_new(NULL, &tasks->pool);
    if (rc < 0) {
        hoya_free(tasks);
        return rc;
    }
    hoya_list_init(&tasks->all);
    loop->slots[HOYA_SLOT_TASKS] = (hoya_slot){tasks, close_tasks, hoya_tasks_dump, hoya_tasks_tell_stuck};
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------------------ */

void hoya_task_wake_waiting(hoya_waiting *waiting)
{
    hoya_task_wake(HOYA_CONTAINER_OF(waiting, hoya_task_body, waiting)->task);
}

bool hoya_task_awaited(const hoya_future *future)
{
    for (hoya_list *node = future->callbacks.next; node != &future->callbacks; node = node->next) {
        hoya_waiting *waiting = HOYA_CONTAINER_OF(node, hoya_waiting, of_source);
        if (waiting->wake || hoya_waiting_is_then(waiting)) return true;
    }
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

/* The members that each task finds zero, whoever had the block before. */
#define BEGINS_WITH_ZEROS offsetof(hoya_task, cancels)
#define ENDS_WITH_ZEROS offsetof(hoya_task, name)

static __attribute__((noinline)) hoya_task *new_block(size_t name_size)
{
    hoya_task *task = hoya_new_zeroed(offsetof(hoya_task, name) + name_size);
    if (task) task->wake.class = &wake_class;
    return task;
}

static inline hoya_task *take_block(hoya_tasks *tasks)
{
    hoya_task *task = pop_spare(tasks);
    if (hoya_unlikely(!task)) return new_block(HOYA_TASK_NAME);
    memset((char *)task + BEGINS_WITH_ZEROS, 0, ENDS_WITH_ZEROS - BEGINS_WITH_ZEROS);
    task->naming = HOYA_NAME_NUMBER;
    return task;
}

static __attribute__((noinline)) hoya_task *take_block_named(hoya_tasks *tasks, const char *name)
{
    size_t size = strlen(name) + 1;
    bool is_long = size > HOYA_TASK_NAME;
    hoya_task *task = is_long ? new_block(size) : take_block(tasks);
    if (!task) return NULL;
    task->naming = is_long ? HOYA_NAME_LONG : HOYA_NAME_SHORT;
    memcpy(task->name, name, size);
    return task;
}

static void free_block(hoya_tasks *tasks, hoya_task *task)
{
    if (!tasks || task->naming == HOYA_NAME_LONG || tasks->spares == HOYA_SPARE_TASKS) {
        hoya_free(task);
        return;
    }
    tasks->spares++;
    task->future.callbacks.next = tasks->spare;
    tasks->spare = &task->future.callbacks;
}

static void free_task(hoya_future *future)
{
    hoya_task *task = of_future(future);
    hoya_loop *loop = future->loop;
    hoya_tasks *tasks = open_tasks(loop);
    hoya_check(!task->body, "a task was freed before its end");
    free_block(tasks, task);
    if (!tasks || --tasks->alive == 0) hoya_loop_unref(loop);
}

static const char *name_future(const hoya_future *future)
{
    return hoya_task_get_name((const hoya_task *)future);
}

static const hoya_future_class task_class = {.cancel = cancel_future, .free = free_task, .name = name_future};

hoya_task *hoya_task_of_future(const hoya_future *future)
{
    return future->class == &task_class ? (hoya_task *)(uintptr_t)future : NULL; /* its first member */
}

/* The body on its stack, where others may have been before. */
static inline void make_body(hoya_task *task, hoya_stack_pool *pool, hoya_stack *stack)
{
    hoya_task_body *body = (hoya_task_body *)(void *)(stack->base + stack->used) - 1;
    task->body = body;
    hoya_fiber_init(&body->fiber, pool, stack, sizeof *body, &fiber_class);
    body->task = task;
    body->describe_wait = NULL;
    body->errors = NULL;
    body->scopes = NULL;
    hoya_list_init(&body->children);
    body->reason = NULL;
    body->locals = NULL;
    body->member = NULL;
    body->owner = NULL;
    body->seen = NULL;
}

static inline void inherit(hoya_task *task)
{
    const hoya_task *parent = hoya_task_innermost;
    hoya_locals *locals = parent ? parent->body->locals : NULL;
    if (hoya_likely(!locals) || parent->future.loop != task->future.loop || hoya_current_task() != parent) return;
    task->body->locals = hoya_locals_share(locals);
}

/* Inlined, as a call by so many arguments, and their way by the stack, is a tenth of it. */
static inline __attribute__((always_inline)) int make(hoya_loop *loop, hoya_task_function fn, void *arg,
                                                      const hoya_task_options *options, const void *place,
                                                      hoya_task **out)
{
    int rc = hoya_loop_enter(loop);
    if (rc >= 0 && !fn) rc = hoya_error_set(HOYA_EINVAL, "a task needs a function");
    if (rc >= 0 && options->owner) rc = hoya_owner_check(options->owner, loop);
    if (rc >= 0 && !hoya_tasks_of(loop)) rc = begin_tasks(loop);
    if (rc < 0) return rc;
    hoya_tasks *tasks = hoya_tasks_of(loop);
    if (hoya_unlikely(tasks->host_changes != loop->host_changes)) {
        tasks->host_changes = loop->host_changes;
        hoya_stack_pool_set_log(tasks->pool, hoya_loop_log_sink(loop));
    }
    const char *name = options->name;
    hoya_task *task = hoya_likely(!name) ? take_block(tasks) : take_block_named(tasks, name);
    if (!task) return HOYA_ENOMEM;
    hoya_stack *stack;
    rc = hoya_ring_reserve(&loop->ready, 1);
    if (rc >= 0) {
        rc = hoya_stack_take(tasks->pool, options->stack_size, &stack);
        if (rc < 0) hoya_ring_unreserve(&loop->ready, 1);
    }
    if (rc < 0) {
        free_block(tasks, task);
        return rc;
    }
    if (tasks->alive++ == 0) hoya_loop_ref(loop);
    hoya_future_init(&task->future, &task_class, loop, place);
    make_body(task, tasks->pool, stack);
    task->number = ++tasks->made;
    task->body->fn = fn;
    task->body->arg = arg;
    task->body->destroy = options->destroy;
    inherit(task);
    if (options->owner) hoya_owner_adopt(options->owner, task);
    hoya_list_append(&tasks->all, &task->body->of_loop);
    task->wanted = true;
    *out = task;
    return 0;
}

int hoya_task_make(hoya_loop *loop, hoya_task_function fn, void *arg, const hoya_task_options *options,
                   const void *place, hoya_task **out)
{
    return make(loop, fn, arg, options, place, out);
}

int hoya_task_options_read(hoya_task_options *options, const hoya_task_options *given)
{
    bool known = hoya_options_read(options, sizeof *options, given);
    if (known) return 0;
    options->destroy = NULL; /* whatever it is */
    return hoya_error_set(HOYA_EINVAL, "hoya_task_options: not of this version");
}

static inline int create(hoya_loop *loop, hoya_task_function fn, void *arg, const hoya_task_options *options,
                         const void *place, hoya_task **out)
{
    hoya_task *task;
    int rc = make(loop, fn, arg, options, place, &task);
    if (hoya_unlikely(rc < 0)) {
        hoya_destroy_arg(options->destroy, arg);
        return rc;
    }
    if (out) {
        hoya_future_hold(&task->future);
        *out = task;
    }
    hoya_inbox_keep_order(loop);
    hoya_task_queue(task); /* its first step is not in here */
    hoya_loop_rearm(loop);
    return 0;
}

int hoya_create_task(hoya_loop *loop, hoya_task_function fn, void *arg, const hoya_task_options *given,
                     hoya_task **out)
{
    static const hoya_task_options usual = {.size = sizeof usual};
    if (hoya_likely(!given)) return create(loop, fn, arg, &usual, HOYA_CALLER(), out);
    hoya_task_options options;
    int rc = hoya_task_options_read(&options, given);
    if (rc >= 0) return create(loop, fn, arg, &options, HOYA_CALLER(), out);
    return rc;
}

hoya_task *hoya_task_ref(hoya_task *task)
{
    hoya_future_hold(&task->future);
    return task;
}

void hoya_task_unref(hoya_task *task)
{
    if (task) hoya_future_drop(&task->future);
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
    set_value(self, value, destroy);
    return 0;
}

hoya_loop *hoya_task_get_loop(const hoya_task *task)
{
    return task->future.loop;
}

/* ---- whose turn it is ------------------------------------------------------------------------------------ */

int hoya_task_here(hoya_task **out)
{
    hoya_task *task = hoya_task_here_at_once();
    if (hoya_likely(task != NULL)) {
        *out = task;
        return 0;
    }
    task = hoya_task_innermost;
    if (!task) return hoya_error_set(HOYA_ESTATE, "this is no task: nothing can wait here");
    const hoya_loop *loop = task->future.loop;
    if (hoya_unlikely(hoya_loop_is_forked(loop))) return hoya_loop_check_thread(loop);
    if (!is_current(task))
        return hoya_error_set(HOYA_EDEADLK,
                              "a callback of a main loop that %s runs cannot wait: the task is below it",
                              hoya_task_get_name(task));
    if (!hoya_fiber_runs(&task->body->fiber))
        return hoya_error_set(HOYA_EDEADLK, "%s: what it calls on the thread's stack cannot wait",
                              hoya_task_get_name(task));
    if (hoya_inlines)
        return hoya_error_set(HOYA_EPERM,
                              "%s: what runs inline cannot wait: a destroy function, pause_writing, a handler",
                              hoya_task_get_name(task));
    if (hoya_fiber_running != &task->body->fiber)
        return hoya_error_set(HOYA_EDEADLK, "a coroutine that %s runs cannot wait", hoya_task_get_name(task));
    *out = task;
    return 0;
}

hoya_task *hoya_current_task(void)
{
    hoya_task *task = hoya_task_here_at_once();
    if (hoya_likely(task != NULL)) return task;
    task = hoya_task_innermost;
    if (!task) return NULL;
    const hoya_loop *loop = task->future.loop;
    if (hoya_unlikely(hoya_loop_is_forked(loop))) return NULL; /* statement 56 */
    return is_current(task) && hoya_fiber_runs(&task->body->fiber) ? task : NULL;
}
