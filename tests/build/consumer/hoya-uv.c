/* SPDX-License-Identifier: MIT
 *
 * The same as a guest of libuv, whose loop ends when the guest has nothing left to do.
 */
#include <hoya/hoya.h>
#include <hoya/uv.h>
#include <stdio.h>

static void last(void *arg)
{
    *(int *)arg = 1;
}

int main(void)
{
    hoya_set_event_loop_policy(hoya_uv_policy());

    hoya_loop *loop;
    int ran = 0, rc = hoya_new_event_loop(&loop);
    if (rc == 0) {
        rc = hoya_loop_call_soon(loop, last, &ran);
        uv_run(hoya_uv_thread_loop(), UV_RUN_DEFAULT);
        printf("hoya %s, %s: %s\n", hoya_version(), hoya_loop_host_name(loop), hoya_strerror(rc));
        hoya_loop_unref(loop);
        uv_run(hoya_uv_thread_loop(), UV_RUN_NOWAIT); /* its handles' close callbacks */
    }
    return rc == 0 && ran ? uv_loop_close(hoya_uv_thread_loop()) : 1;
}
