/* SPDX-License-Identifier: MIT
 *
 * The same with GIO, and without libhoya-glib: a native loop, and a GMainContext that the program turns by itself. A GTask
 * ends, its result comes to the loop, and that ends the program.
 */
#include <hoya/gio.h>
#include <hoya/hoya.h>
#include <stdio.h>

static void on_result(hoya_future *future, void *arg)
{
    void *result;
    if (hoya_future_result(future, &result) == 0) *(int *)arg = g_task_propagate_boolean(result, NULL);
}

int main(void)
{
    hoya_loop *loop;
    hoya_gio_call *call;
    int ran = 0, rc = hoya_new_event_loop(&loop);
    if (rc == 0) rc = hoya_gio_begin(loop, &call);
    if (rc < 0) return 1;
    GTask *task = g_task_new(NULL, hoya_gio_cancellable(call), hoya_gio_ready, call);
    g_task_return_boolean(task, TRUE);
    g_object_unref(task);
    rc = hoya_future_add_done_callback(hoya_gio_future(call), on_result, &ran, NULL, NULL);
    while (rc == 0 && !ran) {
        g_main_context_iteration(NULL, FALSE);
        hoya_loop_run_once(loop, HOYA_NOW);
    }
    if (rc == 0) rc = hoya_gio_end(call, NULL);
    printf("hoya %s, with GIO: %s\n", hoya_version(), hoya_strerror(rc));
    hoya_loop_unref(loop);
    return rc == 0 && ran ? 0 : 1;
}
