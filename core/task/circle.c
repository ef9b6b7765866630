/* SPDX-License-Identifier: MIT
 *
 * task/circle.c: would a task wait for itself?
 *
 * Each task that waits stands still until others have ended: the one that it awaits, the one that it starts, all the
 * children of the group that it joins. So who waits for whom is a graph, and a wait for a future that leads back to us
 * would never end. An owner counts, wherever it is and whatever it does: it is done after us.
 *
 * The look goes over each task once, the nearest first, and remembers by the tasks themselves which it has seen: they
 * are chained for as long as it lasts. A task that is queued leads nowhere: it will ask again before it waits; but who
 * joins a group that is ending has nothing to ask. Nor does a combinator lead anywhere that waits for several; with one
 * left it waits for that. Locks, queues and callbacks are not followed.
 */
#include "future/combine.h"
#include "task/group.h"
#include "task/task.h"

typedef struct look {
    hoya_task *first, *last; /* the last one is chained to itself */
} look;

static void see(look *l, hoya_task *task)
{
    if (!task || !task->body || task->body->seen) return;
    task->body->seen = task;
    if (l->last) l->last->body->seen = task;
    else l->first = task;
    l->last = task;
}

/* The part that a combinator waits for, if it is one that waits for one; or NULL. One with a timer that ends alone waits
 * for the time. */
static const hoya_future *only_part(const hoya_future *future)
{
    if (future->outcome.done || !future->class || future->class->free != hoya_combined_free) return NULL;
    const hoya_combined *whole = (const hoya_combined *)future;
    if (whole->pending != 1 || (whole->timer && future->class->cancel == hoya_combined_cancel_alone)) return NULL;
    for (size_t i = 0; i < whole->count; i++)
        if (hoya_part_is_pending(&whole->parts[i])) return whole->parts[i].future;
    return NULL;
}

static void see_future(look *l, const hoya_future *future)
{
    for (const hoya_future *part; (part = only_part(future));) future = part;
    if (!future->outcome.done) see(l, hoya_task_of_future(future));
}

static void see_members(look *l, const hoya_list *members)
{
    for (hoya_list *node = members->next; node != members; node = node->next)
        see(l, HOYA_CONTAINER_OF(node, hoya_member, node)->task);
}

/* What the task waits for. */
static void see_next(look *l, const hoya_task *task)
{
    const hoya_task_body *body = task->body;
    if (!task->wanted) return;
    const hoya_group *joined = body->describe_wait == hoya_describe_join ? body->waits_for : NULL;
    if (task->queued && !(joined && joined->ending)) return;
    if (body->describe_wait == hoya_describe_future) {
        see_future(l, body->waits_for);
    } else if (body->describe_wait == hoya_describe_start) {
        see(l, (hoya_task *)(uintptr_t)body->waits_for);
    } else if (joined) {
        see_members(l, &joined->queue);
        see_members(l, &joined->begun);
    }
}

bool hoya_task_is_in_circle(const hoya_task *us, const hoya_future *future)
{
    look l = {0};
    bool found = false;
    see_future(&l, future);
    for (hoya_task *task = l.first, *next; task; task = next) {
        found = hoya_owner_is(task, us);
        if (!found) see_next(&l, task);
        next = found || task == l.last ? NULL : task->body->seen;
    }
    for (hoya_task *task = l.first, *next; task; task = next) {
        next = task == l.last ? NULL : task->body->seen;
        task->body->seen = NULL;
    }
    return found;
}
