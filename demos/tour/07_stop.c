/* SPDX-License-Identifier: MIT
 *
 * tour 7: stop.
 *
 * stop does not break anything off: the round goes to its end, so that what was queued before the stop is run. What comes
 * after is not lost, either: it is run when the loop runs again. A stop before the run makes one round of it.
 */
#include <hoya/hoya.h>
#include <stdio.h>

#include "tour.h"

static hoya_loop *loop;

static void say(void *text)
{
    printf("%s\n", (const char *)text);
}

static void stop(void *arg)
{
    (void)arg;
    must(hoya_loop_stop(loop));
    printf("stop\n");
    must(hoya_loop_call_soon(loop, say, "queued after the stop: of the next run"));
}

int main(void)
{
    must(hoya_get_event_loop(&loop));
    must(hoya_loop_call_soon(loop, stop, NULL));
    must(hoya_loop_call_soon(loop, say, "queued before the stop: of this round"));
    printf("-- run\n");
    must(hoya_loop_run_forever(loop));

    printf("-- one round more\n");
    must(hoya_loop_stop(loop));
    must(hoya_loop_run_forever(loop));

    printf("-- closed\n");
    hoya_loop_close(loop);
    int rc = hoya_loop_call_soon(loop, say, "never said");
    printf("call_soon: %s, %s\n", hoya_error_name(rc), hoya_error_detail());
    return 0;
}
