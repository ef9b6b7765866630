/* SPDX-License-Identifier: MIT
 *
 * tour 19: a ping by datagrams.
 *
 * A datagram comes whole or not at all, and nobody says which. So whoever asks sets a limit to his patience, and tells a late
 * answer from the one that he waits for: each ping has a number. The echo here loses the second one, as networks do.
 */
#include <hoya/hoya.h>
#include <stdbool.h>
#include <stdio.h>

#include "tour.h"

/* ---- the echo: a protocol ------------------------------------------------------------------------------------------ */

static int answer(hoya_datagram_transport *transport, const void *data, size_t size, const hoya_address *from,
                  void *arg)
{
    (void)arg;
    if (size != sizeof(int)) return 0;     /* from anybody, anything may come */
    if (*(const int *)data == 2) return 0; /* lost */
    return hoya_datagram_transport_sendto(transport, data, size, from);
}

static const hoya_datagram_protocol_ops echo = {.size = sizeof echo, .datagram_received = answer};

/* ---- the ping: a protocol that fills a future, and a task that waits for it ----------------------------------------- */

typedef struct ping {
    int number; /* of the one under way */
    hoya_future *answered;
} ping;

static int receive(hoya_datagram_transport *transport, const void *data, size_t size, const hoya_address *from,
                   void *arg)
{
    (void)transport;
    (void)from;
    ping *p = arg;
    bool mine = size == sizeof p->number && *(const int *)data == p->number;
    return mine && !hoya_future_done(p->answered) ? hoya_future_set_result(p->answered, NULL, NULL) : 0;
}

static const hoya_datagram_protocol_ops ping_ops = {.size = sizeof ping_ops, .datagram_received = receive};

/* An endpoint is there at once where no name has to be looked up; a task may wait for it all the same. */
static hoya_datagram_transport *open_endpoint(hoya_loop *loop, hoya_datagram_protocol protocol,
                                              const hoya_datagram_options *options)
{
    hoya_future *future;
    void *transport;
    must(hoya_create_datagram_endpoint(loop, protocol, options, &future));
    must(hoya_await(future, NULL));
    must(hoya_future_take(future, &transport, NULL)); /* its reference is ours */
    hoya_future_unref(future);
    return transport;
}

static int program(hoya_task *self, void *arg)
{
    (void)arg;
    hoya_loop *loop = hoya_task_get_loop(self);
    ping p = {0, NULL};
    hoya_address there;
    hoya_datagram_options here = {.size = sizeof here, .local_host = "127.0.0.1"};
    hoya_datagram_transport *echoer = open_endpoint(loop, (hoya_datagram_protocol){&echo, NULL}, &here);
    hoya_datagram_transport *asker = open_endpoint(loop, (hoya_datagram_protocol){&ping_ops, &p}, &here);
    must(hoya_datagram_transport_get_sockname(echoer, &there));

    for (p.number = 1; p.number <= 3; p.number++) {
        must(hoya_future_new(loop, &p.answered));
        must(hoya_datagram_transport_sendto(asker, &p.number, sizeof p.number, &there));
        int rc = hoya_wait_for(p.answered, HOYA_MSEC(p.number == 2 ? 20 : 2000), NULL);
        printf("ping %d: %s\n", p.number, rc < 0 ? hoya_error_name(rc) : "answered");
        hoya_future_unref(p.answered);
    }

    hoya_datagram_transport_close(asker);
    hoya_datagram_transport_close(echoer);
    hoya_datagram_transport_unref(asker);
    hoya_datagram_transport_unref(echoer);
    return hoya_sleep(0); /* a round, in which both end */
}

int main(void)
{
    return must(hoya_run(program, NULL, NULL));
}
