/* SPDX-License-Identifier: MIT
 *
 * task/task.h: a task: a future, an entry of the ready queue, and a body.
 *
 * The body is what a task has until it ends. It lies at the top of the task's own stack, in a page that is touched
 * anyway, and goes with the stack. What may still be asked of a task that has ended is in the block that is the
 * future; and what a switch between tasks looks at. So of a million tasks that sleep each costs a page, and little beside
 * it (tests/unit/task/sleeping_test.cc).
 *
 * Who goes on with a task: its own entry, `wake`, for which it has a place from its birth to its end. Whatever a task may
 * wait for queues that: the first step, a future, a round, a cancel, a deadline. Whoever comes second finds it queued; and
 * the task finds out by itself what has come.
 *
 * References: the application's, the loop's list of tasks until the task has ended, and the queue's while `wake` is in it.
 */
#ifndef HOYA_TASK_TASK_H
#define HOYA_TASK_TASK_H

#include <hoya/task.h>

#include "base/error_place.h"
#include "base/turn.h"
#include "future/future.h"
#include "loop/waiter.h"
#include "task/fiber.h"

typedef struct hoya_locals hoya_locals; /* task/local.c */
typedef struct hoya_member hoya_member; /* task/group.h */

/* task/scope.c: a part of a task in which waiting may end: a timeout, a group. They nest, and are left in the opposite
 * order. */
typedef struct hoya_scope hoya_scope;

typedef struct hoya_scope_class {
    void (*drop)(hoya_scope *scope); /* it is out of the list; it was left, or its task has ended */
    void (*describe)(const hoya_scope *scope, char *text, size_t size); /* for a dump */
} hoya_scope_class;

struct hoya_scope {
    const hoya_scope_class *class;
    hoya_task *task;
    hoya_scope *outer;
    int shields;     /* around it */
    int up;          /* the code that what would wait inside answers from now on, or 0 */
    const char *why; /* that is so */
    bool overdue;    /* a timeout that was in the past: up from the first wait on */
};

/* Says what a suspended task waits for ("sleeps"), into `text`. */
typedef void hoya_wait_describe(const hoya_task *task, char *text, size_t size);

/* Four cache lines; a task that comes and goes without a wait, a child or a group touches three. */
typedef struct hoya_task_body {
    _Alignas(64) hoya_fiber fiber; /* first: who has that has the body */
    hoya_task *task;

    hoya_wait_describe *describe_wait;
    const void *waits_for;
    hoya_error_place *errors; /* on the stack: what hoya_error_detail is to it. NULL: its function does not run */
    hoya_scope *scopes;       /* the innermost one */
    hoya_list of_loop;
    /* That have not ended, in the order of their birth; and behind them, from `asked_children` on, those that were asked
     * to end. */
    hoya_list children;

    hoya_task_function fn;
    void *arg;
    hoya_destroy destroy;
    char *reason;        /* of the first cancel, or NULL */
    hoya_locals *locals; /* a reference, or NULL */
    hoya_member *member; /* of a group, or NULL */
    hoya_task *owner;    /* NULL: none, or the loop's close has taken it away */
    hoya_task *seen;     /* in a look for circles, the next one in it (task/circle.c); or NULL */

    hoya_list of_owner;
    hoya_list *asked_children; /* the head of the list: there are none. While there are children */
    hoya_waiting waiting;      /* among the callbacks of the future that it waits for, while it does */
} hoya_task_body;

enum {
    HOYA_NAME_NUMBER, /* "Task-" and its number; stands in `name` when somebody has asked for it */
    HOYA_NAME_SHORT,
    HOYA_NAME_LONG /* longer than most: the block is no use to another task */
};

struct hoya_task {
    hoya_future future; /* first: a task is one. Its outcome is settled some time before it is done */
    hoya_runnable wake;
    hoya_task_body *body; /* NULL: it has ended */
    unsigned long number; /* the older, the smaller */
    /* When it was gone on with: the loop that ran (its own, but at that one's close), and on the stack were so many
     * dispatches, and so many loops of the host's, which may be another one since. */
    const hoya_loop *running;
    int depth, host_depth;
    unsigned host_changes;
    int16_t budget; /* see hoya_task_spend */
    /* It waits to be gone on with. Not beside `queued`: the two are asked about together when this was just written. */
    bool wanted;
    uint8_t naming; /* HOYA_NAME_... */

    /* What stands from here on is zero when a task is made, whoever had the block before (task.c). */
    int cancels, shields;
    int status;  /* what its function has returned */
    bool queued; /* `wake` is */
    bool ended;
    bool
        ending; /* its function has returned, or is left out: its outcome is settled, and it waits for its children */
    bool asked; /* to end, by its owner */
    char name[];
};

#define HOYA_TASK_NAME 24 /* there is room for a name of so many bytes, at least */

static inline hoya_task *hoya_task_of_node(hoya_list *of_loop)
{
    return HOYA_CONTAINER_OF(of_loop, hoya_task_body, of_loop)->task;
}

static inline enum hoya_coroutine_state hoya_task_state(const hoya_task *task)
{
    return task->body ? task->body->fiber.state : HOYA_COROUTINE_CLOSED;
}

/* What the loop keeps of its tasks. */
typedef struct hoya_tasks {
    hoya_list all;
    hoya_stack_pool *pool;
    hoya_stack *handlers; /* task/overflow.h, in debug mode */
    unsigned long made;
    /* Blocks of tasks that were let go, the last one first, for the next ones; chained by the `next` of their callbacks. They
     * go when the loop is closed. */
    hoya_list *spare;
    unsigned spares;
    /* Tasks that somebody has, ended or not. The loop is kept by one reference for all of them; from its close on by one for
     * each, as they may be let go on any thread then. */
    unsigned alive;
    unsigned host_changes; /* of the loop, when the pool was told where the log is */
    unsigned groups;       /* made; for their names */
    bool closing;
} hoya_tasks;

/* The task that this thread has gone on with last; what runs may be a callback above it. */
extern HOYA_THREAD_LOCAL hoya_task *hoya_task_innermost;

/* The task that may wait here, if a look tells (base/turn.h): it runs, on its own stack. */
static inline hoya_task *hoya_task_here_at_once(void)
{
    hoya_task *task = hoya_turn;
    return hoya_likely(task && hoya_fiber_running == &task->body->fiber) ? task : NULL;
}
/* The same, for something of this loop. */
static inline hoya_task *hoya_task_at_once(const hoya_loop *loop)
{
    hoya_task *task = hoya_task_here_at_once();
    return hoya_likely(task && task->future.loop == loop) ? task : NULL;
}

static inline hoya_tasks *hoya_tasks_of(const hoya_loop *loop)
{
    return loop->slots[HOYA_SLOT_TASKS].data;
}

/* One that was not begun: `wake` or `step` is its first step. Takes the argument if it succeeds. */
int hoya_task_make(hoya_loop *loop, hoya_task_function fn, void *arg, const hoya_task_options *options,
                   const void *place, hoya_task **task);

/* The oldest one that has not ended, of those made after the task `number` (0: of all); or NULL. */
hoya_task *hoya_tasks_after(const hoya_loop *loop, unsigned long number);

/* Goes on with it soon, if it still waits then. Needs no memory. */
void hoya_task_wake(hoya_task *task);
/* Puts `wake` into the queue, where it is not yet, and does nothing else. */
static inline void hoya_task_queue(hoya_task *task)
{
    task->queued = true;
    hoya_future_hold(&task->future);
    hoya_ring_push(&task->future.loop->ready, NULL, &task->wake);
}
/* Goes on with it now; in an entry of the ready queue. */
void hoya_task_step(hoya_task *task);

/* It is about to be gone on with: what that touches is fetched meanwhile. Its body, and the frame in which it waits, are told
 * by who knows them without a look at the task. (Where it is not inlined gcc 12 leaves it out, as a function of no effect.) */
static inline __attribute__((always_inline)) void hoya_task_fetch(const hoya_task *task, const hoya_task_body *body,
                                                                  const void *frame)
{
    enum { LINE = 64, INNER = 4, OUTER = 3 }; /* frames: of the calls inside that one, and of those around it */
    for (int i = 0; i < (int)sizeof *task; i += LINE) __builtin_prefetch((const char *)task + i);
    for (int i = 0; i < 2 * LINE; i += LINE) __builtin_prefetch((const char *)body + i);
    for (int i = -INNER * LINE; i <= OUTER * LINE; i += LINE) __builtin_prefetch((const char *)frame + i);
}

/* Lets others run until somebody goes on with the task; in it. For a dump: what it waits for, and who can say so. */
static inline void hoya_task_suspend(hoya_task *task, hoya_wait_describe *describe, const void *waits_for)
{
    hoya_task_body *body = task->body;
    body->describe_wait = describe;
    body->waits_for = waits_for;
    task->wanted = true;
    hoya_fiber_suspend(&body->fiber, 1);
}

/* Gone on with when what has the list is done; out of it by hoya_list_remove. */
void hoya_task_wake_waiting(hoya_waiting *waiting);
static inline void hoya_task_begin_waiting(hoya_task *task, hoya_list *waiters)
{
    task->body->waiting.wake = hoya_task_wake_waiting;
    hoya_waiting_begin(&task->body->waiting, waiters);
}

/* Statement 143 has two sides: what is there already is not waited for; and who always finds something there would never
 * let anybody else run. So of so many calls in a row that need not wait, one lets the loop have a round before it returns.
 * A round without anything to do costs as much as a hundred such calls: with this number it is a fifth of one. */
#define HOYA_TASK_BUDGET 512

/* The task, which runs, has not had to wait. */
void hoya_task_pause(hoya_task *task);
static inline void hoya_task_spend(hoya_task *task)
{
    if (hoya_unlikely(--task->budget < 0)) hoya_task_pause(task);
}

/* Bytes count, too: so many as much as a call. It does not pause for them, but by the call itself, which is spent after
 * them. */
#define HOYA_TASK_BYTES_A_CALL 16384
static inline void hoya_task_spend_bytes(hoya_task *task, size_t bytes)
{
    size_t calls = bytes / HOYA_TASK_BYTES_A_CALL;
    task->budget -= (int16_t)(calls < HOYA_TASK_BUDGET ? calls : HOYA_TASK_BUDGET);
}

/* The task that this future is, or NULL. */
hoya_task *hoya_task_of_future(const hoya_future *future);
/* Another task waits for the future, or a combinator does. */
bool hoya_task_awaited(const hoya_future *future);
/* A task that waits in this way waits for the future `waits_for`. */
void hoya_describe_future(const hoya_task *task, char *text, size_t size);
/* task/circle.c: the future cannot be done before this task goes on. Needs no memory. */
bool hoya_task_is_in_circle(const hoya_task *us, const hoya_future *future);
/* HOYA_EDEADLK, HOYA_EINVAL: the task that may wait here cannot wait for this future. */
int hoya_task_may_wait_for(const hoya_task *task, const hoya_future *future);

/* task/local.c: the values of one task are those of another, until one of them sets one. NULL: none. */
hoya_locals *hoya_locals_share(hoya_locals *locals);
void hoya_locals_unref(hoya_locals *locals);

/* task/owner.c. May the task have children in this loop? HOYA_EINVAL, HOYA_ESTATE. */
int hoya_owner_check(const hoya_task *owner, const hoya_loop *loop);
void hoya_owner_adopt(hoya_task *owner, hoya_task *child);
/* In the owner, whose outcome is settled: its children are asked to end; returns when they have. Needs no memory. */
void hoya_owner_wait(hoya_task *owner);
/* Asks a child to end, once. Those that were asked stand behind the others. */
void hoya_owner_ask(hoya_task *child, const char *reason);
/* The child, which has an owner or is of a group, is done. */
void hoya_owner_tell(hoya_task *child);
/* Its children have no owner any more. */
void hoya_owner_disown(hoya_task *owner);
/* The task, or an owner above it: not done before the task is. */
static inline bool hoya_owner_is(const hoya_task *owner, const hoya_task *task)
{
    while (task && task != owner) task = task->body ? task->body->owner : NULL;
    return task;
}

/* task/dump.c: the tasks of a loop that has some, for a dump, and in debug mode at its end, and when nobody is left who could
 * wake them: whether there are any. */
void hoya_tasks_dump(const hoya_loop *loop, const hoya_printer *to);
void hoya_tasks_tell_left(hoya_loop *loop);
bool hoya_tasks_tell_stuck(hoya_loop *loop);

/* One that never started does not start any more; if it has children, its first step waits for them, and does
 * nothing else. */
void hoya_task_end_unstarted(hoya_task *task);

/* The options, with those that are not given zero. HOYA_EINVAL; then `destroy` is NULL: whatever it is. */
int hoya_task_options_read(hoya_task_options *options, const hoya_task_options *given);

/* Cannot fail. */
void hoya_scope_enter(hoya_scope *scope, const hoya_scope_class *class, hoya_task *task);
/* It is up; the task hears of it if it waits. Needs no memory. */
void hoya_scope_raise(hoya_scope *scope, int code);
/* Is this the innermost one of the task that runs? HOYA_ESTATE, HOYA_EDEADLK. */
int hoya_scope_check_innermost(const hoya_scope *scope, const char *what);
void hoya_scope_drop_innermost(hoya_task *task);

/* The task that may wait here; else HOYA_ESTATE or HOYA_EDEADLK. */
int hoya_task_here(hoya_task **task);
/* hoya_task_cancel, of the loop's thread also in the child of a fork: there an owner that returns asks its children to
 * end, and nothing but memory is touched. 1, or 0: it has ended. */
int hoya_task_ask(hoya_task *task, const char *reason);
/* Why it may not wait now: HOYA_ECANCELED, HOYA_EDEADLINE, or 0. */
int hoya_task_interrupted(hoya_task *task);

#endif
