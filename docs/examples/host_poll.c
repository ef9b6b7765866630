/* SPDX-License-Identifier: MIT
 *
 * host_poll.c: a program whose main loop is on poll(2), and a hoya loop as its guest, which runs it until it is stopped.
 */
#include <stdio.h>

#include "poll_host.h"

static void say(void *loop)
{
    printf("hello from a loop on %s(2)\n", hoya_loop_host_name(loop));
    hoya_loop_stop(loop);
}

int main(void)
{
    poll_loop main_loop = {0};
    hoya_loop_options options = {.size = sizeof options, .host = poll_host_new(&main_loop)};
    hoya_loop *loop;
    if (!options.host) return 1;
    int rc = hoya_loop_new(&options, &loop); /* takes the host, also when it fails */
    if (rc < 0) return fprintf(stderr, "%s\n", hoya_error_detail()), 1;
    hoya_loop_call_later(loop, HOYA_MSEC(5), say, loop, NULL, NULL);
    rc = hoya_loop_run_forever(loop);
    hoya_loop_unref(loop); /* closes it, too */
    poll_loop_end(&main_loop);
    return rc < 0;
}
