/* SPDX-License-Identifier: MIT
 *
 * The smallest program: a native loop that runs one callback.
 */
#include <hoya/hoya.h>
#include <stdio.h>

static void last(void *arg)
{
    hoya_loop_stop(arg);
}

int main(void)
{
    hoya_loop *loop;
    int rc = hoya_new_event_loop(&loop);
    if (rc == 0) {
        rc = hoya_loop_call_soon(loop, last, loop);
        if (rc == 0) rc = hoya_loop_run_forever(loop);
        printf("hoya %s, %s: %s\n", hoya_version(), hoya_loop_host_name(loop), hoya_strerror(rc));
        hoya_loop_unref(loop);
    }
    return rc == 0 ? 0 : 1;
}
