/* SPDX-License-Identifier: MIT
 *
 * task/event.c: an event: a flag, and a line in which nobody stands while it is set.
 */
#include <hoya/sync.h>
#include <stdio.h>

#include "task/waitlist.h"

struct hoya_event {
    hoya_sync sync;
    bool set;
    hoya_list line;
};

int hoya_event_new(hoya_loop *loop, const char *name, hoya_event **out)
{
    int rc;
    hoya_event *event = hoya_sync_new(loop, name, sizeof *event, &rc);
    if (!event) return rc;
    hoya_list_init(&event->line);
    *out = event;
    return 0;
}

int hoya_event_free(hoya_event *event)
{
    int rc = event ? hoya_sync_check_idle(&event->sync) : 0;
    if (event && rc >= 0) hoya_sync_free(&event->sync);
    return rc;
}

int hoya_event_set(hoya_event *event)
{
    int rc = hoya_sync_enter(event ? &event->sync : NULL);
    if (rc < 0) return rc;
    event->set = true;
    hoya_serve_all(&event->line, 0);
    return 0;
}

int hoya_event_clear(hoya_event *event)
{
    int rc = hoya_sync_enter(event ? &event->sync : NULL);
    if (rc >= 0) event->set = false;
    return rc;
}

int hoya_event_is_set(const hoya_event *event)
{
    return event ? event->set : hoya_error_set(HOYA_EINVAL, "the event is NULL");
}

static void describe_event(const hoya_task *task, char *text, size_t size)
{
    const hoya_place *place = task->body->waits_for;
    char what[120];
    snprintf(text, size, "waits for %s", hoya_sync_text(place->sync, "event", what, sizeof what));
}

int hoya_event_wait(hoya_event *event)
{
    hoya_task *task;
    int rc = hoya_sync_task(event ? &event->sync : NULL, &task);
    if (rc < 0) return rc;
    if (event->set) {
        hoya_task_spend(task);
        return 0;
    }
    hoya_place place = {0};
    return hoya_wait_in_line(task, &event->sync, &event->line, &place, describe_event);
}
