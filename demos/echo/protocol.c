/* SPDX-License-Identifier: MIT
 *
 * echo-protocol: the same as echo-server, by a protocol: hoya accepts, reads, writes and closes, and what is left for the
 * program is what an echo does with bytes. Compare it with server.c, which does the rest by hand.
 *
 *     echo-protocol --listen 127.0.0.1:7007 --host glib
 *
 * What comes in goes back at once. When the peer does not read, what waits grows over the high-water mark, the protocol is asked
 * to pause, and stops reading until it may go on: TCP slows the peer down, and a connection never owns more than that. At the
 * peer's end of input the transport is closed, by default after all has been sent.
 */
#include <signal.h>

#include "demo.h"

static demo_clients clients;

/* ---- the protocol ------------------------------------------------------------------------------------- */

static int on_made(hoya_transport *transport, void *arg)
{
    (void)transport;
    (void)arg;
    demo_client_came(&clients);
    return 0;
}

static int on_data(hoya_transport *transport, const void *data, size_t size, void *arg)
{
    (void)arg;
    clients.echoed += size;
    return hoya_transport_write(transport, data, size) == HOYA_ENOMEM ? HOYA_ENOMEM
                                                                      : 0; /* a peer that is gone is no failure */
}

static int on_pause(hoya_transport *transport, void *arg)
{
    (void)arg;
    return hoya_transport_pause_reading(transport);
}

static int on_resume(hoya_transport *transport, void *arg)
{
    (void)arg;
    return hoya_transport_resume_reading(transport);
}

static void on_lost(hoya_transport *transport, int code, void *arg)
{
    (void)transport;
    (void)code;
    (void)arg;
    clients.open--;
}

static const hoya_protocol_ops echo = {.size = sizeof echo,
                                       .connection_made = on_made,
                                       .data_received = on_data,
                                       .pause_writing = on_pause,
                                       .resume_writing = on_resume,
                                       .connection_lost = on_lost};

static int new_protocol(hoya_server *server, hoya_protocol *protocol, void *arg)
{
    (void)server;
    *protocol = (hoya_protocol){&echo, arg}; /* it needs nothing of its own */
    return 0;
}

/* ---- the program ------------------------------------------------------------------------------------ */

typedef struct settings {
    const char *host, *address;
    long seconds; /* 0: until a signal comes */
    bool quiet;
} settings;

static void on_signal(int number, void *loop)
{
    (void)number;
    hoya_loop_stop(loop);
}

static void stop_loop(void *loop)
{
    hoya_loop_stop(loop);
}

/* Runs the loop until the server listens; the server is the future's. */
static int listen_on(hoya_loop *loop, const char *address, hoya_future **future, hoya_server **server)
{
    char host[DEMO_ADDRESS_SIZE], port[8];
    int rc = demo_split(address, host, port);
    void *value = NULL;

    if (rc != DEMO_OK) return rc;
    rc = hoya_create_server(loop, host, port, new_protocol, NULL, NULL, NULL, future);
    if (rc >= 0) rc = hoya_run_until_complete(loop, *future, &value);
    if (rc < 0) {
        demo_say("cannot listen on %s: %s", address, demo_reason(rc));
        return DEMO_FAILED;
    }
    *server = value;
    return DEMO_OK;
}

/* Returns the exit code. */
static int serve(hoya_loop *loop, const settings *o)
{
    hoya_future *future = NULL;
    hoya_server *server;
    char ticks[DEMO_TICKS_SIZE];

    int rc = listen_on(loop, o->address, &future, &server);
    if (rc == DEMO_OK) {
        rc = hoya_loop_add_signal_handler(loop, SIGINT, on_signal, loop, NULL);
        if (rc >= 0) rc = hoya_loop_add_signal_handler(loop, SIGTERM, on_signal, loop, NULL);
        if (rc >= 0 && o->seconds > 0)
            rc = hoya_loop_call_later(loop, HOYA_SEC(o->seconds), stop_loop, loop, NULL, NULL);
        if (!o->quiet) demo_say_listening(server);
        demo_start_ticking();
        if (rc >= 0) rc = hoya_loop_run_forever(loop);
        demo_stop_ticking(ticks);
        if (!o->quiet) demo_say_statistics(loop, &clients, ticks);
        rc = rc < 0 ? demo_library_failed("serve", rc) : DEMO_OK;
    }
    hoya_future_unref(future);
    return rc;
}

int main(int argc, char **argv)
{
    hoya_loop *loop;

    demo_program = "echo-protocol";
    settings o = {.host = "native", .address = "127.0.0.1:7007"};
    demo_read_options(
        argc, argv, "Sends back whatever it receives.",
        (const demo_option[]){
            {"listen", "ADDR:PORT", "where to listen, 127.0.0.1:7007 by default; port 0 takes a free one",
             .text = &o.address},
            {"host", "NAME", "whose main loop to live in: native (the default), glib, qt, libuv", .text = &o.host},
            {"seconds", "N", "end after N seconds; without it SIGINT or SIGTERM ends the server",
             .number = &o.seconds, .least = 1, .most = 1000000},
            {"quiet", NULL, "print nothing but errors", .flag = &o.quiet},
            {0},
        });

    int rc = demo_choose_host(o.host); /* from here on hoya_new_event_loop makes a guest of that host */
    if (rc != DEMO_OK) return rc;
    rc = hoya_new_event_loop(&loop);
    if (rc < 0) return demo_library_failed("make an event loop", rc);
    rc = serve(loop, &o);
    hoya_loop_close(loop); /* the server and what is still connected end here */
    hoya_loop_unref(loop);
    return rc;
}
