/* SPDX-License-Identifier: MIT
 *
 * tasks.c: a whole program of two tasks that take turns: one reads lines from the standard input, the other counts the time.
 * What a callback tells becomes a future, and what the task awaits: docs/tasks.md.
 */
#include <hoya/hoya.h>
#include <stdio.h>
#include <unistd.h>

static void is_readable(hoya_fd fd, uint32_t events, void *future)
{
    (void)events;
    hoya_loop_remove_reader(hoya_future_get_loop(future), fd);
    hoya_future_set_result(future, NULL, NULL);
}

/* Waits until fd is readable, or the task is cancelled. */
static int wait_readable(hoya_loop *loop, hoya_fd fd)
{
    hoya_future *future;
    int rc = hoya_future_new(loop, &future);
    if (rc < 0) return rc;
    rc = hoya_loop_add_reader(loop, fd, is_readable, future, NULL);
    if (rc >= 0) rc = hoya_await(future, NULL);
    hoya_loop_remove_reader(loop, fd); /* before the future goes, also after a cancel */
    hoya_future_unref(future);
    return rc;
}

static int echo(hoya_task *self, void *arg)
{
    (void)arg;
    hoya_loop *loop = hoya_task_get_loop(self);
    for (;;) {
        int rc = wait_readable(loop, 0);
        if (rc < 0) return rc;
        char line[256];
        ssize_t n = read(0, line, sizeof line);
        if (n <= 0) return 0;
        printf("you said %.*s", (int)n, line);
    }
}

static int clock_ticks(hoya_task *self, void *arg)
{
    (void)self, (void)arg;
    for (int ticks = 0;; ticks++) {
        int rc = hoya_sleep(HOYA_MSEC(1)); /* cancelled, it says so */
        if (rc < 0) return printf("after %d ticks: %s\n", ticks, hoya_strerror(rc)), rc;
    }
}

static int program(hoya_task *self, void *arg)
{
    hoya_loop *loop = hoya_task_get_loop(self);
    hoya_task *reader;
    int rc = hoya_create_task(loop, clock_ticks, NULL, NULL, NULL);
    if (rc >= 0) rc = hoya_create_task(loop, echo, arg, NULL, &reader);
    if (rc < 0) return rc;
    rc = hoya_await(hoya_task_future(reader), NULL);
    hoya_task_unref(reader);
    return rc; /* what still runs is cancelled: the ticks */
}

int main(void)
{
    int rc = hoya_run(program, NULL, NULL); /* Ctrl-C cancels it, too */
    if (rc < 0) fprintf(stderr, "%s\n", hoya_error_detail());
    return rc < 0;
}
