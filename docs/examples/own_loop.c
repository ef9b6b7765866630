/* SPDX-License-Identifier: MIT
 *
 * own_loop.c: a program with a main loop of its own, on poll(2), and a hoya loop beside it: no host, three calls.
 */
#include <hoya/hoya.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* For poll: milliseconds, rounded up. */
static int wait_until(int64_t deadline)
{
    struct timespec now;
    if (deadline == HOYA_NOW) return 0;
    if (deadline == HOYA_NEVER) return -1;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t left = deadline - HOYA_SEC(now.tv_sec) - now.tv_nsec;
    return left <= 0 ? 0 : left >= HOYA_SEC(3600) ? 3600000 : (int)((left + 999999) / 1000000);
}

static int done;

static void say(void *text)
{
    printf("a callback says %s\n", (const char *)text);
    done = 1;
}

int main(void)
{
    hoya_loop *loop;
    if (hoya_loop_new(NULL, &loop) < 0) return fprintf(stderr, "%s\n", hoya_error_detail()), 1;
    hoya_loop_call_later(loop, HOYA_MSEC(50), say, "hello", NULL, NULL);

    int input = STDIN_FILENO;
    while (!done) {
        struct pollfd fds[] = {{input, POLLIN, 0}, {hoya_loop_pollfd(loop), POLLIN, 0}};
        if (poll(fds, 2, wait_until(hoya_loop_deadline(loop))) < 0) continue; /* a signal */
        hoya_loop_dispatch(loop, HOYA_NEVER);
        if (!fds[0].revents) continue;
        char line[256]; /* the program's own work */
        ssize_t n = read(input, line, sizeof line);
        if (n > 0) printf("a line of %zd bytes\n", n);
        else input = -1;
    }
    hoya_loop_unref(loop); /* closes it, too */
    return 0;
}
