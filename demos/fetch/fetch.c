/* SPDX-License-Identifier: MIT
 *
 * fetch.c: all of the downloads, and what faces call.
 *
 *     one task, and in it a group:  download | download | download ...   and a semaphore for how many at once
 *
 * The task has nothing to do but to have the group: it waits until somebody closes all, and ends when the last
 * download has ended. A download that fails is that one's own affair (GROUP_WAIT_ALL), and a cancel of one is a
 * cancel of its task.
 */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 8 };

/* ---- the task that has the group ------------------------------------------------------------------------- */

/* What was added before this begins here. */
static void begin_early_ones(fetch *me)
{
    for (size_t i = 0; i < me->count; i++) {
        fetch_item *item = me->items[i];
        if (item->state != FETCH_WAITING) continue;
        item->code = fetch_begin(item);
        if (item->code < 0) fetch_settle(item);
    }
}

static int have_a_group(hoya_task *self, void *arg)
{
    fetch *me = arg;
    const hoya_group_options options = {.size = sizeof options, .name = "downloads", .policy = HOYA_GROUP_WAIT_ALL};
    hoya_group *group;
    (void)self;
    int rc = hoya_group_enter(&options, &group);
    if (rc < 0) return rc;
    me->group = group;
    begin_early_ones(me);
    rc = hoya_event_wait(me->closing);
    hoya_group_cancel(group, "all downloads are closed");
    int end = hoya_group_leave(group);
    me->group = NULL;
    return rc < 0 ? rc : end;
}

/* Its destroy function: it has ended, or never began. */
static void all_is_over(void *arg)
{
    fetch *me = arg;
    me->over = true;
    fetch_unref(me);
}

/* ---- life ------------------------------------------------------------------------------------------------ */

static int begin_all(fetch *me)
{
    const hoya_task_options options = {.size = sizeof options, .name = "fetch", .destroy = all_is_over};
    int rc = hoya_event_new(me->loop, NULL, &me->closing);
    if (rc >= 0) rc = hoya_semaphore_new(me->loop, NULL, AT_ONCE, 0, &me->room);
    if (rc < 0) return rc;
    fetch_ref(me);
    return hoya_create_task(me->loop, have_a_group, me, &options, NULL);
}

int fetch_new(hoya_loop *loop, const char *host, const char *port, const fetch_face *face, void *arg, fetch **out)
{
    fetch *me = calloc(1, sizeof *me);
    if (!me) return HOYA_ENOMEM;
    me->refs = 1;
    me->loop = hoya_loop_ref(loop);
    me->face = *face;
    me->arg = arg;
    me->limit = AT_ONCE;
    snprintf(me->host, sizeof me->host, "%s", host);
    snprintf(me->port, sizeof me->port, "%s", port);
    fetch_meter_begin(&me->meter, hoya_loop_time(loop));
    int rc = begin_all(me);
    if (rc < 0) fetch_unref(me);
    else *out = me;
    return rc;
}

void fetch_ref(fetch *me)
{
    me->refs++;
}

void fetch_unref(fetch *me)
{
    if (--me->refs) return;
    hoya_future *done = me->done;
    hoya_loop *loop = me->loop;
    fetch_tick(me, false);
    while (me->count) free(me->items[--me->count]);
    free(me->items);
    hoya_event_free(me->closing);
    hoya_semaphore_free(me->room);
    free(me);
    if (done) hoya_future_set_result(done, NULL, NULL);
    hoya_future_unref(done);
    hoya_loop_unref(loop);
}

int fetch_close(fetch *me, hoya_future **done)
{
    if (me->closed) return hoya_error_set(HOYA_ESTATE, "the downloads are closed");
    int rc = done ? hoya_future_new(me->loop, &me->done) : 0;
    if (rc < 0) return rc;
    me->closed = true;
    if (done) *done = hoya_future_ref(me->done);
    hoya_event_set(me->closing);
    fetch_unref(me);
    return 0;
}

/* ---- what may begin -------------------------------------------------------------------------------------- */

/* From a download that waits for its turn, or will, to the end of it. */
static int set_off(fetch_item *item)
{
    fetch *me = item->fetch;
    item->state = FETCH_WAITING;
    item->bytes = 0;
    item->size = -1;
    item->why[0] = '\0';
    int rc = me->group ? fetch_begin(item) : 0;
    if (rc < 0) return rc;
    me->active++;
    fetch_tick(me, true);
    fetch_tell_state(item);
    return 0;
}

static int check_open(const fetch *me)
{
    return me->closed || me->over ? hoya_error_set(HOYA_ESTATE, "the downloads are closed") : 0;
}

static int make_room(fetch *me)
{
    if (me->count < me->space) return 0;
    size_t space = me->space ? 2 * me->space : 16;
    fetch_item **items = realloc(me->items, space * sizeof(fetch_item *));
    if (!items) return HOYA_ENOMEM;
    me->items = items;
    me->space = space;
    return 0;
}

int fetch_add(fetch *me, const char *name, void *user, fetch_item **out)
{
    int rc = check_open(me);
    if (rc < 0) return rc;
    if (!name[0] || strlen(name) > FETCH_NAME || strpbrk(name, "\r\n"))
        return hoya_error_set(HOYA_EINVAL, "that is no name of a download");
    rc = make_room(me);
    fetch_item *item = rc < 0 ? NULL : calloc(1, sizeof *item);
    if (!item) return HOYA_ENOMEM;
    item->fetch = me;
    item->user = user;
    memcpy(item->name, name, strlen(name) + 1);
    me->items[me->count] = item;
    rc = set_off(item);
    if (rc < 0) {
        free(item);
        return rc;
    }
    me->count++;
    if (out) *out = item;
    return 0;
}

/* A permit that is in use cannot be taken away: it is not given back, then. */
int fetch_set_limit(fetch *me, int at_once)
{
    if (at_once < 1) return hoya_error_set(HOYA_EINVAL, "at least one at once");
    for (; me->limit < at_once; me->limit++) {
        if (me->debt > 0) me->debt--;
        else hoya_semaphore_release(me->room);
    }
    for (; me->limit > at_once; me->limit--)
        if (hoya_semaphore_try_acquire(me->room) < 0) me->debt++;
    return 0;
}

int fetch_item_cancel(fetch_item *item)
{
    if (item->state >= FETCH_DONE) return hoya_error_set(HOYA_ESTATE, "it has ended already");
    if (item->task) {
        hoya_task_cancel(item->task, "somebody has cancelled it");
    } else {
        item->code = HOYA_ECANCELED;
        fetch_settle(item);
    }
    return 0;
}

int fetch_item_retry(fetch_item *item)
{
    fetch_state state = item->state;
    int rc = check_open(item->fetch);
    if (rc < 0) return rc;
    if (state != FETCH_FAILED && state != FETCH_CANCELLED)
        return hoya_error_set(HOYA_ESTATE, "it has neither failed nor been cancelled");
    rc = set_off(item);
    if (rc < 0) item->state = state;
    return rc;
}

/* ---- how it stands --------------------------------------------------------------------------------------- */

const char *fetch_item_name(const fetch_item *item)
{
    return item->name;
}

fetch_state fetch_item_state(const fetch_item *item)
{
    return item->state;
}

void *fetch_item_user(const fetch_item *item)
{
    return item->user;
}

void fetch_item_figures(const fetch_item *item, fetch_figures *figures)
{
    figures->bytes = item->bytes;
    figures->size = item->size;
    figures->speed =
        item->state == FETCH_LOADING ? fetch_meter_speed(&item->meter, hoya_loop_time(item->fetch->loop)) : 0;
}

void fetch_total(const fetch *me, fetch_figures *figures)
{
    *figures = (fetch_figures){.size = -1};
    for (size_t i = 0; i < me->count; i++) {
        const fetch_item *item = me->items[i];
        if (item->state > FETCH_DONE || item->size < 0) continue;
        figures->bytes += item->bytes;
        figures->size = item->size + (figures->size < 0 ? 0 : figures->size);
    }
    if (me->active) figures->speed = fetch_meter_speed(&me->meter, hoya_loop_time(me->loop));
}

size_t fetch_items(const fetch *me, fetch_item *const **items)
{
    *items = me->items;
    return me->count;
}
