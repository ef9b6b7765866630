/* SPDX-License-Identifier: MIT
 *
 * task/as_completed.c: futures in the order in which they are done.
 *
 * One node for each future, in one of three places: among the callbacks of the future while that is pending, in the list of
 * those that have come, and, when it was given, in none.
 */
#include <hoya/wait.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/error.h"
#include "task/task.h"

typedef struct item {
    hoya_waiting waiting;
    hoya_future *future; /* a reference */
    hoya_as_completed *of;
} item;

struct hoya_as_completed {
    hoya_loop *loop;   /* a reference */
    hoya_list come;    /* done, and not given */
    hoya_list waiters; /* tasks */
    size_t count, left;
    item items[];
};

static item *of_node(hoya_list *node)
{
    return HOYA_CONTAINER_OF(node, item, waiting.of_source);
}

static void on_done(hoya_waiting *waiting)
{
    hoya_as_completed *iterator = HOYA_CONTAINER_OF(waiting, item, waiting)->of;
    hoya_list_append(&iterator->come, &waiting->of_source);
    hoya_waiters_queue(iterator->loop, &iterator->waiters);
}

/* The same future twice: nobody has come between our two nodes. */
static bool waits_already(const hoya_as_completed *iterator, const hoya_future *future)
{
    if (hoya_list_is_empty(&future->callbacks)) return false;
    const item *last = of_node(future->callbacks.prev);
    return last->waiting.wake == on_done && last->of == iterator;
}

static int check(hoya_loop *loop, hoya_future *const *futures, size_t count)
{
    int rc = hoya_loop_enter(loop);
    if (rc >= 0 && count > (SIZE_MAX - sizeof(hoya_as_completed)) / sizeof(item))
        rc = hoya_error_set(HOYA_ENOMEM, "no memory holds %zu futures", count);
    if (rc >= 0 && count && !futures) rc = hoya_error_set(HOYA_EINVAL, "there are no futures to wait for");
    for (size_t i = 0; rc >= 0 && i < count; i++)
        if (!futures[i] || futures[i]->loop != loop)
            rc = hoya_error_set(HOYA_EINVAL, "future %zu is NULL, or of another loop", i);
    return rc;
}

int hoya_as_completed_new(hoya_loop *loop, hoya_future *const *futures, size_t count, hoya_as_completed **out)
{
    int rc = check(loop, futures, count);
    if (rc < 0) return rc;
    hoya_as_completed *iterator = hoya_new_zeroed(sizeof *iterator + count * sizeof(item));
    if (!iterator) return HOYA_ENOMEM;
    iterator->loop = hoya_loop_ref(loop);
    iterator->count = count;
    hoya_list_init(&iterator->come);
    hoya_list_init(&iterator->waiters);
    for (size_t i = 0; i < count; i++) {
        item *it = &iterator->items[i];
        *it = (item){.waiting.wake = on_done, .future = hoya_future_ref(futures[i]), .of = iterator};
        hoya_list_init(&it->waiting.of_source);
        if (!it->future->outcome.done && waits_already(iterator, it->future)) continue;
        hoya_list_append(it->future->outcome.done ? &iterator->come : &it->future->callbacks,
                         &it->waiting.of_source);
        iterator->left++;
    }
    *out = iterator;
    return 0;
}

void hoya_as_completed_free(hoya_as_completed *iterator)
{
    if (!iterator) return;
    hoya_check(hoya_list_is_empty(&iterator->waiters), "hoya_as_completed_free while a task waits in next");
    for (size_t i = 0; i < iterator->count; i++) hoya_list_remove(&iterator->items[i].waiting.of_source);
    for (size_t i = 0; i < iterator->count; i++) hoya_future_unref(iterator->items[i].future);
    hoya_loop_unref(iterator->loop);
    hoya_free(iterator);
}

static void describe_next(const hoya_task *task, char *text, size_t size)
{
    const hoya_as_completed *iterator = task->body->waits_for;
    snprintf(text, size, "waits for the next of %zu futures, of which %zu are left", iterator->count,
             iterator->left);
}

int hoya_as_completed_next(hoya_as_completed *iterator, hoya_future **future)
{
    if (!iterator) return hoya_error_set(HOYA_EINVAL, "the iterator is NULL");
    int rc = hoya_loop_check_thread(iterator->loop);
    for (bool waited = false; rc >= 0 && iterator->left; waited = true) {
        hoya_task *task;
        hoya_list *node = hoya_list_pop(&iterator->come);
        if (node) {
            iterator->left--;
            if (future) *future = of_node(node)->future;
            if (!waited && hoya_task_here(&task) >= 0) hoya_task_spend(task);
            return 1;
        }
        rc = hoya_task_here(&task);
        if (rc >= 0 && task->future.loop != iterator->loop)
            rc = hoya_error_set(HOYA_EINVAL, "%s: the futures are of another loop", hoya_task_get_name(task));
        if (rc >= 0) rc = hoya_task_interrupted(task);
        if (rc < 0) return rc;
        hoya_task_begin_waiting(task, &iterator->waiters);
        hoya_task_suspend(task, describe_next, iterator);
        hoya_list_remove(&task->body->waiting.of_source); /* if it was not this that came */
    }
    return rc;
}
