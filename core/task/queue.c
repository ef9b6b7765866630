/* SPDX-License-Identifier: MIT
 *
 * task/queue.c: a queue: items, a line of those who want to put one, a line of those who want to get one, and a line of
 * those who wait for the work to be done.
 *
 * Getters wait only while it is empty, and putters only while it is full, so the two lines never have somebody in them at
 * the same time, and nobody waits for what is there. Whatever comes is handed on at once: an item to the first getter, room to
 * the first putter, whose item goes in. With no room at all the two meet directly.
 *
 * Most calls find nobody in the other line, and the ring with something in it and some room: these put or get, and that is
 * all. Whatever else is the case, such a call does nothing of its own, and asks the long way.
 */
#include <hoya/queue.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/options.h"
#include "task/items.h"
#include "task/waitlist.h"

struct hoya_queue {
    hoya_sync sync;
    size_t capacity;
    hoya_destroy destroy;
    hoya_items items;
    hoya_list getters, putters, joiners;
    size_t unfinished; /* items that were put, and of which nobody has said that they are done */
    /* While fewer items are there, and no getter is, one more goes into the ring without a question: as many as it has
     * room for and the capacity allows; none once the queue is shut, or by priority. */
    size_t plain_room;
    bool shut;
};

static void find_plain_room(hoya_queue *queue)
{
    size_t size = queue->items.size;
    queue->plain_room = queue->shut || queue->items.kind == HOYA_QUEUE_PRIORITY ? 0
                        : size < queue->capacity                                ? size
                                                                                : queue->capacity;
}

static void shut(hoya_queue *queue)
{
    queue->shut = true;
    find_plain_room(queue);
}

/* ---- life ------------------------------------------------------------------------------------------------ */

int hoya_queue_new(hoya_loop *loop, const hoya_queue_options *given, hoya_queue **out)
{
    hoya_queue_options options;
    if (!hoya_options_read(&options, sizeof options, given) || options.kind > HOYA_QUEUE_PRIORITY)
        return hoya_error_set(HOYA_EINVAL, "unknown options of a queue");
    if (options.kind != HOYA_QUEUE_FIFO && !options.capacity)
        return hoya_error_set(HOYA_EINVAL, "a queue without room has no order but that of coming");
    int rc;
    hoya_queue *queue = hoya_sync_new(loop, options.name, sizeof *queue, &rc);
    if (!queue) return rc;
    queue->capacity = options.capacity;
    queue->destroy = options.destroy;
    queue->items.kind = options.kind;
    hoya_list_init(&queue->getters);
    hoya_list_init(&queue->putters);
    hoya_list_init(&queue->joiners);
    *out = queue;
    return 0;
}

int hoya_queue_free(hoya_queue *queue)
{
    if (!queue) return 0;
    int rc = hoya_sync_check_idle(&queue->sync);
    if (rc < 0) return rc;
    shut(queue); /* a destroy function may not put anything any more */
    while (queue->items.count) hoya_destroy_arg(queue->destroy, hoya_items_pop(&queue->items));
    hoya_items_free(&queue->items);
    hoya_sync_free(&queue->sync);
    return 0;
}

size_t hoya_queue_size(const hoya_queue *queue)
{
    return queue ? queue->items.count : 0;
}

size_t hoya_queue_capacity(const hoya_queue *queue)
{
    return queue ? queue->capacity : 0;
}

static int enter(const hoya_queue *queue)
{
    return hoya_sync_enter(queue ? &queue->sync : NULL);
}

static int here(const hoya_queue *queue, hoya_task **task)
{
    return hoya_sync_task(queue ? &queue->sync : NULL, task);
}

static int say_shut(const hoya_queue *queue)
{
    char what[120];
    return hoya_error_set(HOYA_ECLOSED, "%s was shut down",
                          hoya_sync_text(&queue->sync, "queue", what, sizeof what));
}

static const char *text_of(const hoya_task *task, char *text, size_t size)
{
    const hoya_place *place = task->body->waits_for;
    return hoya_sync_text(place->sync, "queue", text, size);
}

/* ---- putting --------------------------------------------------------------------------------------------- */

/* Without waiting: 0, or HOYA_EAGAIN without a text. */
static int put_at_once(hoya_queue *queue, void *item, int64_t priority)
{
    if (queue->shut) return say_shut(queue);
    hoya_place *getter = hoya_first_in_line(&queue->getters);
    if (getter) {
        getter->item = item;
        hoya_serve(getter, 0);
    } else {
        if (queue->items.count >= queue->capacity) return HOYA_EAGAIN;
        int rc = hoya_items_push(&queue->items, item, priority);
        if (rc < 0) return rc;
        find_plain_room(queue); /* it may have grown */
    }
    queue->unfinished++;
    return 0;
}

static void describe_put(const hoya_task *task, char *text, size_t size)
{
    char what[120];
    snprintf(text, size, "waits for room in %s", text_of(task, what, sizeof what));
}

static __attribute__((noinline)) int put(hoya_queue *queue, void *item, int64_t priority)
{
    hoya_task *task;
    int rc = here(queue, &task);
    if (rc < 0) return rc;
    rc = put_at_once(queue, item, priority);
    if (hoya_likely(rc >= 0)) hoya_task_spend(task);
    if (rc != HOYA_EAGAIN) return rc;
    hoya_place place = {.item = item, .priority = priority};
    rc = hoya_wait_in_line(task, &queue->sync, &queue->putters, &place, describe_put);
    return place.served && rc < 0 ? say_shut(queue) : rc;
}

static int put_nowait(hoya_queue *queue, void *item, int64_t priority)
{
    int rc = enter(queue);
    if (rc >= 0) rc = put_at_once(queue, item, priority);
    return rc == HOYA_EAGAIN ? hoya_error_set(rc, "the queue has no room") : rc;
}

static int check_priority(const hoya_queue *queue)
{
    if (!queue || queue->items.kind == HOYA_QUEUE_PRIORITY) return 0;
    return hoya_error_set(HOYA_EINVAL, "the queue has no priorities");
}

int hoya_queue_put(hoya_queue *queue, void *item)
{
    hoya_task *task = hoya_sync_task_at_once(queue ? &queue->sync : NULL);
    if (hoya_unlikely(!task || queue->items.count >= queue->plain_room || !hoya_list_is_empty(&queue->getters) ||
                      --task->budget < 0))
        return put(queue, item, 0);
    hoya_ring_of_items_push(&queue->items, item);
    queue->unfinished++;
    return 0;
}

int hoya_queue_put_nowait(hoya_queue *queue, void *item)
{
    return put_nowait(queue, item, 0);
}

int hoya_queue_put_priority(hoya_queue *queue, void *item, int64_t priority)
{
    int rc = check_priority(queue);
    return rc < 0 ? rc : put(queue, item, priority);
}

int hoya_queue_put_priority_nowait(hoya_queue *queue, void *item, int64_t priority)
{
    int rc = check_priority(queue);
    return rc < 0 ? rc : put_nowait(queue, item, priority);
}

/* ---- getting --------------------------------------------------------------------------------------------- */

/* Without waiting: 0, or HOYA_EAGAIN without a text. */
static int get_at_once(hoya_queue *queue, void **item)
{
    hoya_place *putter = hoya_first_in_line(&queue->putters);
    if (!queue->items.count && !putter) return queue->shut ? say_shut(queue) : HOYA_EAGAIN;
    if (queue->items.count) *item = hoya_items_pop(&queue->items);
    else *item = putter->item;
    if (!putter) return 0;
    /* It was full: where an item has just been there is room for his. */
    if (queue->capacity) hoya_items_push(&queue->items, putter->item, putter->priority);
    queue->unfinished++;
    hoya_serve(putter, 0);
    return 0;
}

static void describe_get(const hoya_task *task, char *text, size_t size)
{
    char what[120];
    snprintf(text, size, "waits for an item of %s", text_of(task, what, sizeof what));
}

static __attribute__((noinline)) int get(hoya_queue *queue, void **item)
{
    hoya_task *task;
    int rc = here(queue, &task);
    if (rc >= 0 && !item) rc = hoya_error_set(HOYA_EINVAL, "get without a place for the item");
    if (rc < 0) return rc;
    rc = get_at_once(queue, item);
    if (hoya_likely(rc >= 0)) hoya_task_spend(task);
    if (rc != HOYA_EAGAIN) return rc;
    hoya_place place = {0};
    rc = hoya_wait_in_line(task, &queue->sync, &queue->getters, &place, describe_get);
    if (rc >= 0) *item = place.item;
    return place.served && rc < 0 ? say_shut(queue) : rc;
}

int hoya_queue_get(hoya_queue *queue, void **item)
{
    hoya_task *task = hoya_sync_task_at_once(queue ? &queue->sync : NULL);
    if (hoya_unlikely(!task || !item || !queue->items.count || !hoya_list_is_empty(&queue->putters) ||
                      queue->items.kind != HOYA_QUEUE_FIFO || --task->budget < 0))
        return get(queue, item);
    *item = hoya_ring_of_items_pop(&queue->items);
    return 0;
}

int hoya_queue_get_nowait(hoya_queue *queue, void **item)
{
    int rc = enter(queue);
    if (rc >= 0 && !item) rc = hoya_error_set(HOYA_EINVAL, "get without a place for the item");
    if (rc >= 0) rc = get_at_once(queue, item);
    return rc == HOYA_EAGAIN ? hoya_error_set(rc, "the queue is empty") : rc;
}

/* ---- the end --------------------------------------------------------------------------------------------- */

static void finish_one(hoya_queue *queue)
{
    if (--queue->unfinished == 0) hoya_serve_all(&queue->joiners, 0);
}

int hoya_queue_task_done(hoya_queue *queue)
{
    int rc = enter(queue);
    if (rc >= 0 && !queue->unfinished)
        rc = hoya_error_set(HOYA_ESTATE, "task_done was called more often than an item was put");
    if (rc >= 0) finish_one(queue);
    return rc;
}

static void describe_join(const hoya_task *task, char *text, size_t size)
{
    char what[120];
    const hoya_place *place = task->body->waits_for;
    const hoya_queue *queue = (const hoya_queue *)place->sync;
    snprintf(text, size, "waits until %zu items of %s are done", queue->unfinished,
             text_of(task, what, sizeof what));
}

int hoya_queue_join(hoya_queue *queue)
{
    hoya_task *task;
    int rc = here(queue, &task);
    if (rc < 0) return rc;
    if (!queue->unfinished) {
        hoya_task_spend(task);
        return 0;
    }
    hoya_place place = {0};
    return hoya_wait_in_line(task, &queue->sync, &queue->joiners, &place, describe_join);
}

int hoya_queue_shutdown(hoya_queue *queue, int immediate)
{
    int rc = enter(queue);
    if (rc < 0) return rc;
    shut(queue);
    hoya_serve_all(&queue->putters, HOYA_ECLOSED);
    hoya_serve_all(&queue->getters, HOYA_ECLOSED);
    while (immediate && queue->items.count) {
        void *item = hoya_items_pop(&queue->items);
        if (queue->unfinished) finish_one(queue); /* task_done may have been called too early */
        hoya_destroy_arg(queue->destroy, item);   /* last: it may call us */
    }
    return 0;
}
