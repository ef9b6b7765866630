/* SPDX-License-Identifier: MIT
 *
 * combine.c: a whole program that waits for several things at once: for all, for the first, for a limited time: docs/combine.md.
 */
#include <hoya/hoya.h>
#include <stdio.h>

/* Takes its time, and says what it was given. */
static int fetch(hoya_task *self, void *words)
{
    int rc = hoya_sleep(HOYA_MSEC(1));
    return rc < 0 ? rc : hoya_task_set_value(self, words, NULL);
}

static int hang(hoya_task *self, void *arg)
{
    (void)self, (void)arg;
    return hoya_sleep(HOYA_SEC(3600));
}

static int fetch_both(hoya_loop *loop)
{
    hoya_task *first = NULL, *second = NULL;
    hoya_future *all = NULL;
    void *list;
    int rc = hoya_create_task(loop, fetch, "hello", NULL, &first);
    if (rc >= 0) rc = hoya_create_task(loop, fetch, "world", NULL, &second);
    if (rc >= 0) {
        hoya_future *const both[] = {hoya_task_future(first), hoya_task_future(second)};
        rc = hoya_gather(loop, both, 2, 0, &all);
    }
    if (rc >= 0) rc = hoya_await(all, &list); /* a failure of one cancels the other */
    if (rc >= 0) {
        const hoya_gathered *got = list;
        printf("%s %s\n", (const char *)got[0].value, (const char *)got[1].value);
    }
    hoya_future_unref(all);
    hoya_task_unref(first);
    hoya_task_unref(second);
    return rc;
}

static int wait_in_vain(hoya_loop *loop)
{
    hoya_task *hangs;
    int rc = hoya_create_task(loop, hang, NULL, NULL, &hangs);
    if (rc < 0) return rc;
    rc = hoya_wait_for(hoya_task_future(hangs), HOYA_MSEC(1), NULL);
    hoya_task_unref(hangs); /* it has ended */
    printf("it hangs: %s\n", hoya_strerror(rc));
    return rc == HOYA_ETIMEDOUT ? 0 : rc;
}

static int try_both(void)
{
    hoya_attempt tries[] = {{hang, NULL, NULL, "the first", NULL}, {fetch, "well", NULL, "the second", NULL}};
    size_t winner;
    int rc = hoya_staggered_race(tries, 2, HOYA_MSEC(1), &winner);
    if (rc >= 0) printf("%s did it\n", hoya_task_get_name(tries[winner].task));
    for (int i = 0; i < 2; i++) hoya_task_unref(tries[i].task);
    return rc;
}

static int program(hoya_task *self, void *arg)
{
    hoya_loop *loop = hoya_task_get_loop(self);
    (void)arg;
    int rc = fetch_both(loop);
    if (rc >= 0) rc = wait_in_vain(loop);
    if (rc >= 0) rc = try_both();
    return rc;
}

int main(void)
{
    int rc = hoya_run(program, NULL, NULL);
    if (rc < 0) fprintf(stderr, "%s\n", hoya_error_detail());
    return rc < 0;
}
