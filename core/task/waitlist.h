/* SPDX-License-Identifier: MIT
 *
 * task/waitlist.h: tasks that wait in a line for something that is handed to them: a lock, a permit, an item.
 *
 * Who waits has his place in the line on his own stack, so waiting needs no memory. Whoever serves the first one takes
 * him out of the line and writes into his place what he gets; then that is his, whatever comes before he goes on. So nobody
 * who was served and cancelled has to pass anything on, and nobody can come between.
 */
#ifndef HOYA_TASK_WAITLIST_H
#define HOYA_TASK_WAITLIST_H

#include "base/error.h"
#include "loop/handle.h"
#include "task/task.h"

/* The head of each object for which tasks wait. */
typedef struct hoya_sync {
    hoya_loop *loop;  /* a reference */
    const char *name; /* behind the object, or NULL */
    unsigned inside;  /* tasks that wait, or were served and have not gone on: they will look at the object */
} hoya_sync;

/* A place in a line; on the stack of the task. */
typedef struct hoya_place {
    hoya_list of_line;
    hoya_task *task;
    const hoya_sync *sync;
    bool served;
    int result; /* of the wait, once it is served: 0 or more, or a code */
    void *item; /* of queues: what is put, or got */
    int64_t priority;
} hoya_place;

/* An object of so many bytes, which begins with its hoya_sync, zeroed. NULL and a detail: *rc says why. */
void *hoya_sync_new(hoya_loop *loop, const char *name, size_t size, int *rc);
/* The object goes; nobody waits for it. */
void hoya_sync_free(hoya_sync *sync);
/* "the lock NAME", "a lock". */
const char *hoya_sync_text(const hoya_sync *sync, const char *kind, char *text, size_t size);

/* May it be used here? HOYA_EINVAL (it is NULL), HOYA_ETHREAD, HOYA_ECHILD; on a closed loop yes. */
int hoya_sync_enter_unusual(const hoya_sync *sync);
static inline int hoya_sync_enter(const hoya_sync *sync)
{
    return hoya_likely(sync && hoya_loop_is_usual(sync->loop)) ? 0 : hoya_sync_enter_unusual(sync);
}
/* The same, for `free` of an object: HOYA_EBUSY while tasks are inside. In a forked child also where the loop was closed
 * before. */
int hoya_sync_check_idle(const hoya_sync *sync);

/* The task that may wait here for the object; HOYA_EINVAL, or hoya_task_here's. */
int hoya_sync_task(const hoya_sync *sync, hoya_task **task);
/* The same in a look; NULL where that takes more. */
static inline hoya_task *hoya_sync_task_at_once(const hoya_sync *sync)
{
    return sync ? hoya_task_at_once(sync->loop) : NULL;
}

/* At the end of the line, until somebody serves the task: what that one said. Or why it may not wait: then it has left the
 * line. `place` has been filled in with what the server needs to know. */
int hoya_wait_in_line(hoya_task *task, hoya_sync *sync, hoya_list *line, hoya_place *place,
                      hoya_wait_describe *describe);

/* The first one in the line, or NULL. */
static inline hoya_place *hoya_first_in_line(const hoya_list *line)
{
    return hoya_list_is_empty(line) ? NULL : HOYA_CONTAINER_OF(line->next, hoya_place, of_line);
}
/* Its wait is over. On a closed loop it goes on by itself: the close wakes all. */
void hoya_serve(hoya_place *place, int result);
/* All of them. */
void hoya_serve_all(hoya_list *line, int result);

#endif
