/* SPDX-License-Identifier: MIT
 *
 * hoya/queue.h: items from tasks to tasks: first in first out, last in first out, or by priority; with room for so many, or
 * with none at all, which is a channel: an item goes straight from who puts it to who gets it. asyncio's queues.
 *
 * Fair as hoya/sync.h says, and with the same rules for waiting, threads, loops, `free` and cancels: an item that was handed
 * to a task is returned in spite of a cancel, and one whose put was interrupted is still the caller's. The _nowait functions
 * are for callbacks, too.
 *
 * Room that was there needs no memory; a queue grows as it is filled.
 */
#ifndef HOYA_QUEUE_H
#define HOYA_QUEUE_H

#include <hoya/base.h>
#include <hoya/loop.h>

HOYA_BEGIN_DECLS

typedef struct hoya_queue hoya_queue;

typedef enum hoya_queue_kind {
    HOYA_QUEUE_FIFO = 0,
    HOYA_QUEUE_LIFO = 1,
    HOYA_QUEUE_PRIORITY = 2 /* the smallest first; equal ones in the order in which they came */
} hoya_queue_kind;

#define HOYA_QUEUE_UNBOUNDED SIZE_MAX

typedef struct hoya_queue_options {
    size_t size;      /* sizeof(hoya_queue_options) */
    const char *name; /* copied; for dumps and texts. NULL: none */
    hoya_queue_kind kind;
    size_t capacity;      /* 0: no room, each item is handed over */
    hoya_destroy destroy; /* of items that nobody gets: at an immediate shutdown, and with the queue. Inline;
                           * must not free the queue */
} hoya_queue_options;

/* options NULL: all zero. Errors: HOYA_ECLOSED, HOYA_ENOMEM, HOYA_EINVAL (an unknown kind; a kind other than FIFO without
 * room). Origin: asyncio.Queue, LifoQueue, PriorityQueue; their maxsize 0 is HOYA_QUEUE_UNBOUNDED. */
HOYA_API int hoya_queue_new(hoya_loop *loop, const hoya_queue_options *options, hoya_queue **queue);
HOYA_API int hoya_queue_free(hoya_queue *queue);

/* 0, and the item is the queue's or its getter's; on failure it is still the caller's. Waits for room, in the order of
 * coming. Errors: HOYA_ECLOSED (it was shut down, maybe meanwhile), HOYA_ENOMEM. Origin: Queue.put. */
HOYA_API int hoya_queue_put(hoya_queue *queue, void *item);
/* HOYA_EAGAIN if there is no room; without any room: if nobody waits for an item. Origin: Queue.put_nowait. */
HOYA_API int hoya_queue_put_nowait(hoya_queue *queue, void *item);
/* With a priority; without one it is 0. Errors: HOYA_EINVAL (the queue has none). */
HOYA_API int hoya_queue_put_priority(hoya_queue *queue, void *item, int64_t priority);
HOYA_API int hoya_queue_put_priority_nowait(hoya_queue *queue, void *item, int64_t priority);

/* The next item, which is the caller's. Waits until there is one. Errors: HOYA_ECLOSED (it was shut down, and is empty),
 * HOYA_EINVAL (no place for it). Origin: Queue.get. */
HOYA_API int hoya_queue_get(hoya_queue *queue, void **item);
HOYA_API int hoya_queue_get_nowait(hoya_queue *queue, void **item); /* HOYA_EAGAIN if it is empty */

HOYA_API size_t hoya_queue_size(const hoya_queue *queue); /* how many items are in it. Queue.qsize */
HOYA_API size_t hoya_queue_capacity(const hoya_queue *queue);

/* Who got an item says that its work is done; join waits until that was said of each item that was put. Errors: HOYA_ESTATE
 * (said too often). Origin: Queue.task_done, Queue.join. */
HOYA_API int hoya_queue_task_done(hoya_queue *queue);
HOYA_API int hoya_queue_join(hoya_queue *queue); /* waits */

/* No more puts: who waits with one answers HOYA_ECLOSED. What is in the queue can still be got, then getters answer
 * HOYA_ECLOSED. `immediate` destroys it instead, and join does not wait for that any more. May be called again. Origin:
 * Queue.shutdown. */
HOYA_API int hoya_queue_shutdown(hoya_queue *queue, int immediate);

HOYA_END_DECLS

#endif
