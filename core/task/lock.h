/* SPDX-License-Identifier: MIT
 *
 * task/lock.h: what a condition needs of its lock.
 */
#ifndef HOYA_TASK_LOCK_H
#define HOYA_TASK_LOCK_H

#include <hoya/sync.h>

#include "task/waitlist.h"

struct hoya_lock {
    hoya_sync sync;
    /* The number of the task that has it, 0: nobody. Not a pointer: a task may end and go without releasing it. */
    unsigned long owner;
    hoya_list line;
};

/* Nobody has it if somebody is not there: it goes straight to the next one. */
void hoya_lock_hand_on(hoya_lock *lock);
/* Waits; nothing but the close of the loop ends that, with HOYA_ECANCELED. */
int hoya_lock_take_back(hoya_lock *lock, hoya_task *task);

#endif
