/* SPDX-License-Identifier: MIT
 *
 * tour 5: call_soon and call_later.
 *
 * A callback is a function and an argument. call_soon puts it at the end of the queue; it is never called on the spot. A
 * round of the loop runs what was in the queue when it began: what these callbacks add is for the next round. call_later has
 * a clock ring first. A handle takes a callback back.
 */
#include <hoya/hoya.h>
#include <stdio.h>

#include "tour.h"

static hoya_loop *loop;

static void say(void *text)
{
    printf("%s\n", (const char *)text);
}

static void say_and_add(void *text)
{
    say(text);
    must(hoya_loop_call_soon(loop, say, "added by the first, and so behind the second"));
}

static void stop(void *arg)
{
    (void)arg;
    must(hoya_loop_stop(loop));
}

int main(void)
{
    must(hoya_get_event_loop(&loop));
    must(hoya_loop_call_soon(loop, say_and_add, "first"));
    must(hoya_loop_call_soon(loop, say, "second"));

    /* Times are nanoseconds; the later deadline is called later, whatever the order here. */
    must(hoya_loop_call_later(loop, HOYA_MSEC(20), say, "20 ms", NULL, NULL));
    must(hoya_loop_call_later(loop, HOYA_MSEC(10), say, "10 ms", NULL, NULL));
    must(hoya_loop_call_later(loop, HOYA_MSEC(30), stop, NULL, NULL, NULL));

    hoya_handle *handle;
    must(hoya_loop_call_later(loop, HOYA_MSEC(15), say, "never said", NULL, &handle));
    must(hoya_handle_cancel(handle));
    hoya_handle_unref(handle);

    printf("nothing has been called yet\n");
    must(hoya_loop_run_forever(loop));
    return 0;
}
