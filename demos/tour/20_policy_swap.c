/* SPDX-License-Identifier: MIT
 *
 * tour 20: the policy is swapped.
 *
 * The policy says what kind of loop this thread gets: hoya's own, or a guest of GLib's, Qt's or libuv's. That is one line.
 * The program below does not know which it is, and does the same under each. In an application that has a window the
 * toolkit's main loop goes on driving that, and the network is served in between, in the same thread.
 */
#include <stdio.h>

#include "hosts/hosts.h"
#include "tour.h"

static int step(hoya_task *self, void *name)
{
    (void)self;
    for (int i = 1; i <= 2; i++) {
        int rc = hoya_sleep(HOYA_MSEC(3));
        if (rc < 0) return rc;
        printf(" %s%d", (const char *)name, i);
    }
    return 0;
}

static int program(hoya_task *self, void *arg)
{
    (void)arg;
    hoya_loop *loop = hoya_task_get_loop(self);
    hoya_task *a, *b;
    must(hoya_create_task(loop, step, "a", NULL, &a));
    must(hoya_create_task(loop, step, "b", NULL, &b));
    must(hoya_await(hoya_task_future(a), NULL));
    must(hoya_await(hoya_task_future(b), NULL));
    hoya_task_unref(a);
    hoya_task_unref(b);
    return 0;
}

int main(void)
{
    for (const demo_host *const *host = demo_hosts; *host; host++) {
        printf("%s:", (*host)->name);
        must(hoya_set_event_loop_policy((*host)->policy())); /* this line */
        must(hoya_run(program, NULL, NULL));
        printf("\n");
    }
    return 0;
}
