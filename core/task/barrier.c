/* SPDX-License-Identifier: MIT
 *
 * task/barrier.c: a barrier: a line that goes on as a whole when it is long enough.
 *
 * All of the line are served in one go, each with its number (statement 140). So there is no time in which it drains, and
 * nothing that comes later, a reset, an abort, a new task, meets those who have been let through.
 */
#include <hoya/sync.h>
#include <stdio.h>

#include "task/waitlist.h"

struct hoya_barrier {
    hoya_sync sync;
    uint32_t parties, waiting; /* the line's length */
    bool broken;
    hoya_list line;
};

int hoya_barrier_new(hoya_loop *loop, const char *name, uint32_t parties, hoya_barrier **out)
{
    if (!parties || parties > INT32_MAX)
        return hoya_error_set(HOYA_EINVAL, "a barrier for %u tasks", (unsigned)parties);
    int rc;
    hoya_barrier *barrier = hoya_sync_new(loop, name, sizeof *barrier, &rc);
    if (!barrier) return rc;
    barrier->parties = parties;
    hoya_list_init(&barrier->line);
    *out = barrier;
    return 0;
}

int hoya_barrier_free(hoya_barrier *barrier)
{
    int rc = barrier ? hoya_sync_check_idle(&barrier->sync) : 0;
    if (barrier && rc >= 0) hoya_sync_free(&barrier->sync);
    return rc;
}

static void describe_barrier(const hoya_task *task, char *text, size_t size)
{
    const hoya_place *place = task->body->waits_for;
    const hoya_barrier *barrier = (const hoya_barrier *)place->sync;
    char what[120];
    snprintf(text, size, "waits at %s, where %u of %u tasks are",
             hoya_sync_text(place->sync, "barrier", what, sizeof what), (unsigned)barrier->waiting,
             (unsigned)barrier->parties);
}

static int say_broken(const hoya_barrier *barrier)
{
    char what[120];
    return hoya_error_set(HOYA_ESTATE, "%s is broken",
                          hoya_sync_text(&barrier->sync, "barrier", what, sizeof what));
}

static void send_away(hoya_barrier *barrier)
{
    barrier->waiting = 0;
    hoya_serve_all(&barrier->line, HOYA_ESTATE);
}

/* Until the others are there. */
static int wait(hoya_barrier *barrier, hoya_task *task)
{
    hoya_place place = {0};
    barrier->waiting++;
    int rc = hoya_wait_in_line(task, &barrier->sync, &barrier->line, &place, describe_barrier);
    if (!place.served) barrier->waiting--;
    return place.served && rc < 0 ? say_broken(barrier) : rc;
}

int hoya_barrier_wait(hoya_barrier *barrier)
{
    hoya_task *task;
    int rc = hoya_sync_task(barrier ? &barrier->sync : NULL, &task);
    if (rc < 0) return rc;
    if (barrier->broken) return say_broken(barrier);
    if (barrier->waiting + 1 < barrier->parties) return wait(barrier, task);
    int number = 0;
    for (hoya_place *place; (place = hoya_first_in_line(&barrier->line)); number++) hoya_serve(place, number);
    barrier->waiting = 0;
    hoya_task_spend(task);
    return number;
}

int hoya_barrier_reset(hoya_barrier *barrier)
{
    int rc = hoya_sync_enter(barrier ? &barrier->sync : NULL);
    if (rc < 0) return rc;
    barrier->broken = false;
    send_away(barrier);
    return 0;
}

int hoya_barrier_abort(hoya_barrier *barrier)
{
    int rc = hoya_sync_enter(barrier ? &barrier->sync : NULL);
    if (rc < 0) return rc;
    barrier->broken = true;
    send_away(barrier);
    return 0;
}

int hoya_barrier_broken(const hoya_barrier *barrier)
{
    return barrier ? barrier->broken : hoya_error_set(HOYA_EINVAL, "the barrier is NULL");
}

uint32_t hoya_barrier_waiting(const hoya_barrier *barrier)
{
    return barrier ? barrier->waiting : 0;
}
