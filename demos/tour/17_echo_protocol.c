/* SPDX-License-Identifier: MIT
 *
 * tour 17: the echo by a protocol.
 *
 * A transport moves the bytes, a protocol is what is done with them: a table of functions. The library accepts, reads,
 * writes what did not fit later, and closes. Writing never blocks; who is answered faster than he reads makes
 * pause_writing come, and the answer here is to read no more of him until resume_writing.
 */
#include <hoya/hoya.h>
#include <stdio.h>

#include "tour.h"

static hoya_server *server;

static int made(hoya_transport *transport, void *arg)
{
    (void)transport;
    (void)arg;
    printf("connection made\n");
    return 0;
}

static int received(hoya_transport *transport, const void *data, size_t size, void *arg)
{
    (void)arg;
    return hoya_transport_write(transport, data, size);
}

static int stop_reading(hoya_transport *transport, void *arg)
{
    (void)arg;
    return hoya_transport_pause_reading(transport);
}

static int go_on_reading(hoya_transport *transport, void *arg)
{
    (void)arg;
    return hoya_transport_resume_reading(transport);
}

static void lost(hoya_transport *transport, int code, void *arg)
{
    (void)transport;
    (void)arg;
    printf("connection lost: %d\n", code); /* 0: as it should be */
    must(hoya_server_close(server));
}

/* There is no eof_received: then the end of what comes in closes the connection, once all is written. */
static const hoya_protocol_ops echo = {.size = sizeof echo,
                                       .connection_made = made,
                                       .data_received = received,
                                       .pause_writing = stop_reading,
                                       .resume_writing = go_on_reading,
                                       .connection_lost = lost};

/* For each client. What a protocol has to keep would be its arg, and freed in `released`. */
static int accept_client(hoya_server *of, hoya_protocol *protocol, void *arg)
{
    (void)of;
    (void)arg;
    *protocol = (hoya_protocol){&echo, NULL};
    return 0;
}

int main(void)
{
    int port, fd = listen_here(&port);
    client one;
    hoya_loop *loop;
    hoya_future *closed;
    must(hoya_get_event_loop(&loop));
    must(hoya_create_server_on_socket(loop, fd, accept_client, NULL, NULL, NULL, &server));
    client_begin(&one, port);

    must(hoya_server_wait_closed(server, &closed)); /* and its last connection has ended */
    must(hoya_run_until_complete(loop, closed, NULL));
    hoya_future_unref(closed);
    hoya_server_unref(server);
    client_end(&one, "the client");
    return 0;
}
