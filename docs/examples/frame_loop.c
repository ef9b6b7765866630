/* SPDX-License-Identifier: MIT
 *
 * frame_loop.c: a program that draws 60 frames a second, as a game does, and a hoya loop beside it: once a frame it may
 * run callbacks, for 4 ms at most. No host, no descriptor to watch, one call.
 */
#include <hoya/hoya.h>
#include <stdio.h>
#include <time.h>

#define FRAME (HOYA_SEC(1) / 60)

static int done;

static void say(void *text)
{
    printf("a callback says %s\n", (const char *)text);
    done = 1;
}

static void draw(int frame)
{
    (void)frame; /* the program's own work */
}

int main(void)
{
    hoya_loop *loop;
    if (hoya_loop_new(NULL, &loop) < 0) return fprintf(stderr, "%s\n", hoya_error_detail()), 1;
    hoya_loop_call_later(loop, HOYA_MSEC(50), say, "hello", NULL, NULL);

    int64_t next = hoya_loop_time(loop);
    for (int frame = 0; !done; frame++) {
        hoya_loop_dispatch(loop, HOYA_MSEC(4)); /* what is left goes on in the next frame */
        draw(frame);
        next += FRAME;
        struct timespec until = {next / HOYA_SEC(1), next % HOYA_SEC(1)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    hoya_loop_unref(loop); /* closes it, too */
    return 0;
}
