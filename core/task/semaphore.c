/* SPDX-License-Identifier: MIT
 *
 * task/semaphore.c: a semaphore: a number of permits, and a line in which nobody stands while there is one.
 */
#include <hoya/sync.h>
#include <stdio.h>

#include "task/waitlist.h"

struct hoya_semaphore {
    hoya_sync sync;
    uint32_t value, bound;
    hoya_list line;
};

int hoya_semaphore_new(hoya_loop *loop, const char *name, uint32_t value, uint32_t bound, hoya_semaphore **out)
{
    if (bound && value > bound)
        return hoya_error_set(HOYA_EINVAL, "a semaphore with %u permits, bounded by %u", (unsigned)value,
                              (unsigned)bound);
    int rc;
    hoya_semaphore *semaphore = hoya_sync_new(loop, name, sizeof *semaphore, &rc);
    if (!semaphore) return rc;
    semaphore->value = value;
    semaphore->bound = bound ? bound : UINT32_MAX;
    hoya_list_init(&semaphore->line);
    *out = semaphore;
    return 0;
}

int hoya_semaphore_free(hoya_semaphore *semaphore)
{
    int rc = semaphore ? hoya_sync_check_idle(&semaphore->sync) : 0;
    if (semaphore && rc >= 0) hoya_sync_free(&semaphore->sync);
    return rc;
}

static void describe_semaphore(const hoya_task *task, char *text, size_t size)
{
    const hoya_place *place = task->body->waits_for;
    char what[120];
    snprintf(text, size, "waits for a permit of %s", hoya_sync_text(place->sync, "semaphore", what, sizeof what));
}

int hoya_semaphore_acquire(hoya_semaphore *semaphore)
{
    hoya_task *task;
    int rc = hoya_sync_task(semaphore ? &semaphore->sync : NULL, &task);
    if (rc < 0) return rc;
    if (semaphore->value) {
        semaphore->value--;
        hoya_task_spend(task);
        return 0;
    }
    hoya_place place = {0};
    return hoya_wait_in_line(task, &semaphore->sync, &semaphore->line, &place, describe_semaphore);
}

int hoya_semaphore_try_acquire(hoya_semaphore *semaphore)
{
    int rc = hoya_sync_enter(semaphore ? &semaphore->sync : NULL);
    if (rc >= 0 && !semaphore->value) rc = hoya_error_set(HOYA_EAGAIN, "the semaphore has no permit left");
    if (rc >= 0) semaphore->value--;
    return rc;
}

int hoya_semaphore_release(hoya_semaphore *semaphore)
{
    int rc = hoya_sync_enter(semaphore ? &semaphore->sync : NULL);
    if (rc < 0) return rc;
    hoya_place *next = hoya_first_in_line(&semaphore->line);
    if (next) {
        hoya_serve(next, 0);
        return 0;
    }
    if (semaphore->value == semaphore->bound)
        return hoya_error_set(semaphore->bound == UINT32_MAX ? HOYA_EOVERFLOW : HOYA_ELIMIT,
                              "the semaphore has all of its %u permits", (unsigned)semaphore->bound);
    semaphore->value++;
    return 0;
}

uint32_t hoya_semaphore_value(const hoya_semaphore *semaphore)
{
    return semaphore ? semaphore->value : 0;
}
