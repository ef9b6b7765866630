/* SPDX-License-Identifier: MIT
 *
 * The same as a guest of Qt. In C, and before any application of Qt's: the loop is native for as long.
 */
#include <hoya/hoya.h>
#include <hoya/qt.h>
#include <stdio.h>

static void last(void *loop)
{
    hoya_loop_stop(loop);
}

int main(void)
{
    hoya_set_event_loop_policy(hoya_qt_policy());

    hoya_loop *loop;
    int rc = hoya_new_event_loop(&loop);
    if (rc == 0) {
        hoya_loop_call_soon(loop, last, loop);
        rc = hoya_loop_run_forever(loop);
        printf("hoya %s, %s: %s\n", hoya_version(), hoya_loop_host_name(loop), hoya_strerror(rc));
        hoya_loop_unref(loop);
    }
    return rc == 0 ? 0 : 1;
}
