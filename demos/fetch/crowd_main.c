/* SPDX-License-Identifier: MIT
 *
 * crowd_main.c: demo-fetch-crowd --connect HOST:PORT --idle 10000 --busy 100: the other end of crowd.c. Idle
 * connections are protocols that say hello and nothing more: such a one costs no stack. Busy ones are tasks: 64
 * bytes, their echo, and then nothing until its next turn, each 10 ms: so one never has two messages in flight.
 *
 * It ends when one of them is lost, since then the other side has gone, or by SIGTERM, which nobody handles.
 */
#include "../echo/demo.h"
#include "limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE = 64, IN_A_ROW = 16 };

static struct crowd {
    char host[DEMO_ADDRESS_SIZE], port[8];
    long idle, busy, pause;
    hoya_event *over; /* never freed: the last tasks set it while the loop is being closed */
} crowd;

/* ---- an idle one ----------------------------------------------------------------------------------------- */

static int on_made(hoya_transport *transport, void *arg)
{
    (void)arg;
    return hoya_transport_write(transport, "I", 1);
}

static void on_lost(hoya_transport *transport, int code, void *arg)
{
    (void)transport, (void)code, (void)arg;
    hoya_event_set(crowd.over);
}

static const hoya_protocol_ops idle = {.size = sizeof idle, .connection_made = on_made, .connection_lost = on_lost};

static int open_idle(hoya_loop *loop)
{
    hoya_future *future;
    int rc = hoya_create_connection(loop, crowd.host, crowd.port, (hoya_protocol){&idle, NULL}, NULL, &future);
    if (rc < 0) return rc;
    rc = hoya_await(future, NULL);
    hoya_future_unref(future);
    return rc;
}

/* ---- a busy one ------------------------------------------------------------------------------------------ */

static int talk(hoya_task *self, void *arg)
{
    hoya_stream *stream = arg;
    char message[MESSAGE], back[MESSAGE];
    hoya_loop *loop = hoya_task_get_loop(self);
    int64_t due = hoya_loop_time(loop);
    int rc = hoya_stream_write(stream, "B", 1);
    for (int n = 0; rc >= 0; n++) {
        memset(message, n, sizeof message);
        rc = hoya_stream_write(stream, message, sizeof message);
        if (rc >= 0) rc = hoya_stream_readexactly(stream, back, sizeof back, NULL);
        if (rc >= 0 && memcmp(message, back, sizeof back) != 0) {
            demo_say("another echo has come back");
            break;
        }
        due += HOYA_MSEC(crowd.pause);
        int64_t left = due - hoya_loop_time(loop);
        if (left < 0) due -= left; /* what was late is not made up for */
        else if (rc >= 0) rc = hoya_sleep(left);
    }
    hoya_event_set(crowd.over);
    return 0;
}

static void let_go(void *stream)
{
    hoya_stream_unref(stream);
}

static int open_busy(hoya_loop *loop)
{
    const hoya_task_options options = {.size = sizeof options, .name = "busy", .destroy = let_go};
    hoya_stream *stream;
    int rc = hoya_open_connection(crowd.host, crowd.port, NULL, &stream);
    return rc < 0 ? rc : hoya_create_task(loop, talk, stream, &options, NULL);
}

/* ---- all of them ----------------------------------------------------------------------------------------- */

/* One after the other, and now and then a pause: the other side has a window to draw. */
static int open_all(hoya_loop *loop)
{
    for (long i = 0; i < crowd.idle + crowd.busy; i++) {
        int rc = i < crowd.idle ? open_idle(loop) : open_busy(loop);
        if (rc >= 0 && i % IN_A_ROW == IN_A_ROW - 1) rc = hoya_sleep(HOYA_MSEC(1));
        if (rc < 0) return rc;
        if (hoya_event_is_set(crowd.over)) return 0;
    }
    return 0;
}

static int program(hoya_task *self, void *arg)
{
    hoya_loop *loop = hoya_task_get_loop(self);
    (void)arg;
    int rc = hoya_event_new(loop, NULL, &crowd.over);
    if (rc < 0) return rc;
    rc = open_all(loop);
    if (rc >= 0) return hoya_event_wait(crowd.over);
    return rc == HOYA_ECANCELED ? rc : demo_library_failed("connect", rc);
}

int main(int argc, char **argv)
{
    const char *connect = NULL;
    const demo_option options[] = {
        {.name = "connect", .value = "HOST:PORT", .help = "whom to crowd", .text = &connect},
        {.name = "idle",
         .value = "N",
         .help = "connections that say nothing (10000)",
         .number = &crowd.idle,
         .most = 1000000},
        {.name = "busy",
         .value = "N",
         .help = "those that send 64 bytes and wait for the echo (100)",
         .number = &crowd.busy,
         .most = 100000},
        {.name = "pause",
         .value = "MS",
         .help = "from one message to the next (10)",
         .number = &crowd.pause,
         .most = 60000},
        {0}};
    demo_program = "fetch-crowd";
    crowd.idle = 10000;
    crowd.busy = 100;
    crowd.pause = 10;
    demo_read_options(argc, argv, "Opens many connections, most of which say nothing.", options);
    if (!connect) {
        demo_say("--connect says whom to crowd");
        return DEMO_USAGE;
    }
    if (demo_split(connect, crowd.host, crowd.port) != DEMO_OK) return DEMO_USAGE;
    int rc = fetch_allow_files((int)(crowd.idle + crowd.busy));
    if (rc < 0) return demo_library_failed("open so many connections", rc);

    rc = hoya_run(program, NULL, NULL);
    if (rc < 0 && rc != HOYA_EINTR) return demo_library_failed("run", rc);
    return rc == HOYA_EINTR ? 130 : rc;
}
