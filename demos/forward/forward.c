/* SPDX-License-Identifier: MIT
 *
 * forward: a port forwarder. Who connects to --listen is connected to --to, and every byte goes through, both ways.
 *
 *     forward --listen 127.0.0.1:7008 --to 127.0.0.1:7007 --host glib
 *
 * A pair of connections is a tunnel, and each end of it is the same protocol. Two rules are all of it:
 *
 *     one end's bytes are written to the other end; when too much waits there, this end stops reading until it has gone
 *     one end's end of input is the other end's last word (write_eof); the loss of one end ends the other
 *
 * The side that came in reads nothing before the way out is there. A tunnel lives until both of its ends are released.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "echo/demo.h"

typedef struct end {
    struct tunnel *tunnel;
    hoya_transport *transport; /* from connection_made to connection_lost */
    bool eof;                  /* has sent its last byte */
} end;

typedef struct tunnel {
    end in, out;
    int released;
    hoya_future *way_out;
    hoya_handle *told; /* of what became of it */
} tunnel;

static struct {
    hoya_loop *loop;
    char host[DEMO_ADDRESS_SIZE], port[8];
    uint64_t tunnels, bytes;
} forward;

static end *other(const end *e)
{
    return e == &e->tunnel->in ? &e->tunnel->out : &e->tunnel->in;
}

/* ---- the protocol of both ends ----------------------------------------------------------------------------- */

static int on_data(hoya_transport *transport, const void *data, size_t size, void *arg)
{
    (void)transport;
    end *to = other(arg);
    forward.bytes += size;
    if (!to->transport) return 0; /* it has just gone, and this end goes, too */
    return hoya_transport_write(to->transport, data, size) == HOYA_ENOMEM ? HOYA_ENOMEM : 0;
}

static int on_eof(hoya_transport *transport, void *arg)
{
    (void)transport;
    end *from = arg, *to = other(from);
    from->eof = true;
    if (to->transport && !to->eof)
        return hoya_transport_write_eof(to->transport) < 0 ? 0 : 1; /* answers may still come */
    if (to->transport) hoya_transport_close(to->transport);
    return 0;
}

/* What waits to be written at this end came from the other one. */
static int on_pause(hoya_transport *transport, void *arg)
{
    (void)transport;
    end *from = other(arg);
    return from->transport ? hoya_transport_pause_reading(from->transport) : 0;
}

static int on_resume(hoya_transport *transport, void *arg)
{
    (void)transport;
    end *from = other(arg);
    return from->transport ? hoya_transport_resume_reading(from->transport) : 0;
}

/* The other side sees it as it was here: without this an abort looks like an end. */
static void reset(hoya_transport *transport)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(hoya_transport_fileno(transport), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    hoya_transport_abort(transport);
}

static void on_lost(hoya_transport *transport, int code, void *arg)
{
    (void)transport;
    end *lost = arg, *left = other(lost);
    lost->transport = NULL;
    if (lost->tunnel->way_out) hoya_future_cancel(lost->tunnel->way_out, NULL);
    if (left->transport && code < 0) reset(left->transport);
    else if (left->transport) hoya_transport_close(left->transport);
}

static void on_released(void *arg)
{
    tunnel *t = ((end *)arg)->tunnel;
    if (++t->released < 2) return;
    if (t->told) hoya_handle_cancel(t->told);
    hoya_handle_unref(t->told);
    hoya_future_unref(t->way_out);
    free(t);
}

/* ---- the way out ------------------------------------------------------------------------------------------- */

static int on_out_made(hoya_transport *transport, void *arg)
{
    end *out = arg, *in = other(out);
    out->transport = transport;
    return in->transport ? hoya_transport_resume_reading(in->transport) : hoya_transport_close(transport);
}

static const hoya_protocol_ops out_ops = {.size = sizeof out_ops,
                                          .connection_made = on_out_made,
                                          .data_received = on_data,
                                          .eof_received = on_eof,
                                          .pause_writing = on_pause,
                                          .resume_writing = on_resume,
                                          .connection_lost = on_lost,
                                          .released = on_released};

static void on_connected(hoya_future *future, void *arg)
{
    end *in = arg;
    const char *text;
    int rc = hoya_future_exception(future, &text);
    if (rc >= 0) return;
    if (rc != HOYA_ECANCELED) demo_say("cannot connect to %s:%s: %s", forward.host, forward.port, demo_reason(rc));
    if (in->transport) hoya_transport_abort(in->transport);
}

/* ---- the side that comes in ------------------------------------------------------------------------------- */

static int on_in_made(hoya_transport *transport, void *arg)
{
    end *in = arg;
    tunnel *t = in->tunnel;
    in->transport = transport;
    forward.tunnels++;
    hoya_transport_pause_reading(transport);
    int rc = hoya_create_connection(forward.loop, forward.host, forward.port, (hoya_protocol){&out_ops, &t->out},
                                    NULL, &t->way_out);
    return rc < 0 ? rc : hoya_future_add_done_callback(t->way_out, on_connected, in, NULL, &t->told);
}

static const hoya_protocol_ops in_ops = {.size = sizeof in_ops,
                                         .connection_made = on_in_made,
                                         .data_received = on_data,
                                         .eof_received = on_eof,
                                         .pause_writing = on_pause,
                                         .resume_writing = on_resume,
                                         .connection_lost = on_lost,
                                         .released = on_released};

static int new_tunnel(hoya_server *server, hoya_protocol *protocol, void *arg)
{
    (void)server;
    (void)arg;
    tunnel *t = calloc(1, sizeof *t);
    if (t == NULL) return HOYA_ENOMEM;
    t->in.tunnel = t->out.tunnel = t;
    *protocol = (hoya_protocol){&in_ops, &t->in};
    return 0;
}

/* ---- the program ------------------------------------------------------------------------------------------- */

static void on_signal(int number, void *arg)
{
    (void)number;
    (void)arg;
    hoya_loop_stop(forward.loop);
}

static int serve(const char *address)
{
    char host[DEMO_ADDRESS_SIZE], port[8], text[HOYA_ADDRESS_TEXT_SIZE];
    hoya_future *future = NULL;
    hoya_address at;
    void *server;

    int rc = demo_split(address, host, port);
    if (rc != DEMO_OK) return rc;
    rc = hoya_create_server(forward.loop, host, port, new_tunnel, NULL, NULL, NULL, &future);
    if (rc >= 0) rc = hoya_run_until_complete(forward.loop, future, &server);
    if (rc < 0) {
        demo_say("cannot listen on %s: %s", address, demo_reason(rc));
    } else {
        hoya_loop_add_signal_handler(forward.loop, SIGINT, on_signal, NULL, NULL);
        hoya_loop_add_signal_handler(forward.loop, SIGTERM, on_signal, NULL, NULL);
        hoya_server_get_sockname(server, 0, &at);
        hoya_address_format((struct sockaddr *)&at.storage, at.length, text, sizeof text);
        printf("listening on %s (host: %s)\n", text, hoya_loop_host_name(forward.loop));
        fflush(stdout); /* who started us waits for this line */
        rc = hoya_loop_run_forever(forward.loop);
        if (rc < 0) demo_library_failed("run the loop", rc);
        printf("forwarded %" PRIu64 " connections, %" PRIu64 " bytes\n", forward.tunnels, forward.bytes);
    }
    hoya_future_unref(future);
    return rc < 0 ? DEMO_FAILED : DEMO_OK;
}

int main(int argc, char **argv)
{
    const char *name = "native", *address = "127.0.0.1:7008", *to = "127.0.0.1:7007";

    demo_program = "forward";
    demo_read_options(
        argc, argv, "Forwards connections to another address.",
        (const demo_option[]){
            {"listen", "ADDR:PORT", "where to listen, 127.0.0.1:7008 by default", .text = &address},
            {"to", "ADDR:PORT", "where to connect, 127.0.0.1:7007 by default", .text = &to},
            {"host", "NAME", "whose main loop to live in: native (the default), glib, qt, libuv", .text = &name},
            {0},
        });
    int rc = demo_split(to, forward.host, forward.port);
    if (rc == DEMO_OK) rc = demo_choose_host(name);
    if (rc != DEMO_OK) return rc;
    rc = hoya_new_event_loop(&forward.loop);
    if (rc < 0) return demo_library_failed("make an event loop", rc);
    rc = serve(address);
    hoya_loop_close(forward.loop);
    hoya_loop_unref(forward.loop);
    return rc;
}
