/* SPDX-License-Identifier: MIT
 *
 * tour 13: a lock.
 *
 * Between two waits a task has the thread for itself, so most code needs no lock. It needs one where a wait stands in the
 * middle of something that belongs together: read, wait, write. Without it one of two withdrawals gets lost.
 */
#include <hoya/hoya.h>
#include <stdio.h>

#include "tour.h"

typedef struct account {
    int balance;
    hoya_lock *lock; /* or NULL */
} account;

static int withdraw_ten(hoya_task *self, void *arg)
{
    (void)self;
    account *a = arg;
    int rc = a->lock ? hoya_lock_acquire(a->lock) : 0;
    if (rc < 0) return rc; /* cancelled while it waited: it has not got the lock */

    int seen = a->balance;
    rc = hoya_sleep(HOYA_MSEC(1)); /* the bank is asked, say; others run meanwhile */
    if (rc >= 0) a->balance = seen - 10;

    if (a->lock) must(hoya_lock_release(a->lock)); /* whoever waits longest has it now */
    return rc;
}

static int withdraw_twice(hoya_loop *loop, account *a)
{
    hoya_task *tasks[2];
    for (int i = 0; i < 2; i++) must(hoya_create_task(loop, withdraw_ten, a, NULL, &tasks[i]));
    for (int i = 0; i < 2; i++) {
        must(hoya_await(hoya_task_future(tasks[i]), NULL));
        hoya_task_unref(tasks[i]);
    }
    return a->balance;
}

static int program(hoya_task *self, void *arg)
{
    (void)arg;
    hoya_loop *loop = hoya_task_get_loop(self);
    account without = {100, NULL}, with = {100, NULL};
    printf("100 - 10 - 10 without a lock: %d\n", withdraw_twice(loop, &without));
    must(hoya_lock_new(loop, "account", &with.lock));
    printf("100 - 10 - 10 with a lock: %d\n", withdraw_twice(loop, &with));
    must(hoya_lock_free(with.lock));
    return 0;
}

int main(void)
{
    return must(hoya_run(program, NULL, NULL));
}
