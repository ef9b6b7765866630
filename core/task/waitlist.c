/* SPDX-License-Identifier: MIT
 *
 * task/waitlist.c: see waitlist.h.
 */
#include "task/waitlist.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/* ---- objects --------------------------------------------------------------------------------------------- */

void *hoya_sync_new(hoya_loop *loop, const char *name, size_t size, int *rc)
{
    *rc = hoya_loop_enter(loop);
    if (*rc < 0) return NULL;
    size_t name_size = name ? strlen(name) + 1 : 0;
    hoya_sync *sync = hoya_new_zeroed(size + name_size);
    if (!sync) {
        *rc = HOYA_ENOMEM;
        return NULL;
    }
    sync->loop = loop;
    hoya_loop_ref(loop);
    if (name) sync->name = memcpy((char *)sync + size, name, name_size);
    return sync;
}

void hoya_sync_free(hoya_sync *sync)
{
    hoya_loop *loop = sync->loop;
    hoya_free(sync);
    hoya_loop_unref(loop);
}

const char *hoya_sync_text(const hoya_sync *sync, const char *kind, char *text, size_t size)
{
    if (sync->name) snprintf(text, size, "the %s %.80s", kind, sync->name);
    else snprintf(text, size, "%s %s", strchr("aeiou", kind[0]) ? "an" : "a", kind);
    return text;
}

int hoya_sync_enter_unusual(const hoya_sync *sync)
{
    if (!sync) return hoya_error_set(HOYA_EINVAL, "the object is NULL");
    return hoya_loop_is_closed(sync->loop) ? hoya_loop_check_thread(sync->loop) : hoya_loop_enter(sync->loop);
}

int hoya_sync_check_idle(const hoya_sync *sync)
{
    int rc = hoya_sync_enter(sync);
    if (rc == HOYA_ECHILD && hoya_loop_is_closed(sync->loop)) rc = 0; /* nothing of the parent's is behind it */
    if (rc < 0 || !sync->inside) return rc;
    char text[120];
    return hoya_error_set(HOYA_EBUSY, "tasks wait for %s", hoya_sync_text(sync, "object", text, sizeof text));
}

/* ---- waiting --------------------------------------------------------------------------------------------- */

int hoya_sync_task(const hoya_sync *sync, hoya_task **task)
{
    int rc = hoya_sync_enter(sync);
    if (rc >= 0) rc = hoya_task_here(task);
    if (rc >= 0 && (*task)->future.loop != sync->loop)
        rc = hoya_error_set(HOYA_EINVAL, "%s: what it waits for is of another loop", hoya_task_get_name(*task));
    return rc;
}

int hoya_wait_in_line(hoya_task *task, hoya_sync *sync, hoya_list *line, hoya_place *place,
                      hoya_wait_describe *describe)
{
    int rc = hoya_task_interrupted(task);
    if (rc < 0) return rc;
    place->task = task;
    place->sync = sync;
    hoya_list_append(line, &place->of_line);
    sync->inside++;
    /* A wake-up that belonged to something else (a cancel that was taken back) costs nobody his place. */
    while (!place->served && rc == 0) {
        hoya_task_suspend(task, describe, place);
        if (!place->served) rc = hoya_task_interrupted(task);
    }
    sync->inside--;
    if (place->served) return place->result;
    hoya_list_remove(&place->of_line);
    return rc;
}

void hoya_serve(hoya_place *place, int result)
{
    hoya_list_remove(&place->of_line);
    place->served = true;
    place->result = result;
    if (!hoya_loop_is_closed(place->sync->loop)) hoya_task_wake(place->task);
}

void hoya_serve_all(hoya_list *line, int result)
{
    for (hoya_place *place; (place = hoya_first_in_line(line));) hoya_serve(place, result);
}
