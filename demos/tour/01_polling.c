/* SPDX-License-Identifier: MIT
 *
 * tour 1: polling by hand.
 *
 * Two things shall happen in one thread: something is read when it comes, and something is said when the time is up. The
 * first idea is to ask for both, again and again. It works, and it keeps a processor busy with asking.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Somebody else, who takes his time. */
static void *write_later(void *arg)
{
    usleep(20000);
    if (write(*(int *)arg, "hello", 5) != 5) perror("write");
    return NULL;
}

int main(void)
{
    int ends[2];
    pthread_t writer;
    if (pipe(ends) < 0 || pthread_create(&writer, NULL, write_later, &ends[1])) return 1;

    double deadline = now() + 0.3;
    long asked = 0;
    for (int in_time = 1; in_time; asked++) {
        /* Is there something to read? */
        struct pollfd look = {.fd = ends[0], .events = POLLIN};
        if (poll(&look, 1, 0) == 1) { /* 0: do not wait */
            char text[16];
            ssize_t n = read(ends[0], text, sizeof text);
            printf("read: %.*s\n", (int)n, text);
        }
        /* Is the time up? */
        in_time = now() < deadline;
    }
    printf("the time is up\n");
    printf("asked %s\n", asked > 100 ? "far too often" : "now and then");

    pthread_join(writer, NULL);
    /* The fix is to let the kernel do the waiting: poll() with a timeout until the next deadline, over all descriptors
     * that somebody wants to read. That, and a list of who wants to know, is an event loop: tour 4. */
    return 0;
}
