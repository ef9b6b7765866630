/* SPDX-License-Identifier: MIT
 *
 * The same as a guest of GLib, whose main loop runs and is stopped by the callback.
 */
#include <hoya/glib.h>
#include <hoya/hoya.h>
#include <stdio.h>

static void last(void *arg)
{
    g_main_loop_quit(arg);
}

int main(void)
{
    GMainLoop *main_loop = g_main_loop_new(NULL, FALSE);
    hoya_set_event_loop_policy(hoya_glib_policy());

    hoya_loop *loop;
    int rc = hoya_new_event_loop(&loop);
    if (rc == 0) {
        rc = hoya_loop_call_soon(loop, last, main_loop);
        if (rc == 0) g_main_loop_run(main_loop);
        printf("hoya %s, %s: %s\n", hoya_version(), hoya_loop_host_name(loop), hoya_strerror(rc));
        hoya_loop_unref(loop);
    }
    g_main_loop_unref(main_loop);
    return rc == 0 ? 0 : 1;
}
