/* SPDX-License-Identifier: MIT
 *
 * io/datagram.h: a datagram endpoint's state, and what the files that make, serve and end it offer each other.
 *
 * References: the program's, and one of the loop's from its making until the channel is gone. Three states, that only go
 * forward, as a connection's (io/transport.h): open, closing (nothing comes, what waits may still go out), ending (lost_due).
 */
#ifndef HOYA_IO_DATAGRAM_H
#define HOYA_IO_DATAGRAM_H

#include <hoya/datagram.h>

#include "io/engine.h"
#include "io/server.h" /* Unix paths */
#include "loop/handle.h"

typedef struct hoya_datagram_creation hoya_datagram_creation; /* create_datagram.c */
typedef struct hoya_waiting hoya_waiting;                     /* datagram_write.c: one that waits to be sent */

/* What the options say, read once. Of the strings none is kept. */
typedef struct hoya_datagram_setup {
    hoya_datagram_options options;
    hoya_write_limits limits;
    unsigned multicast_interface; /* its index; 0: none in particular */
} hoya_datagram_setup;

/* A socket, before it is an endpoint. */
typedef struct hoya_datagram_socket {
    hoya_fd fd;
    int family;
    bool connected; /* the system knows the other side; else `remote`, if there is one, is said each time */
    hoya_address name, remote; /* of length 0: none */
    hoya_file_identity file;   /* of a Unix path that it has made */
    bool removes_file;         /* at the end, if it is that one still */
} hoya_datagram_socket;

struct hoya_datagram_transport {
    hoya_channel channel; /* first */
    uint32_t refs;
    bool made : 1;           /* connection_made has been called */
    bool reading_paused : 1; /* by the program */
    bool closing : 1;
    bool lost_due : 1;       /* connection_lost is to come */
    bool lost : 1;           /* it has been called */
    bool writing_paused : 1; /* the protocol has been told to */
    bool missed : 1;         /* a turn came while a function of the protocol was on the stack */
    bool resting : 1;        /* nothing tells when there is room: until the alarm */
    bool rested : 1;         /* it has gone off */
    uint8_t inside;          /* functions of the protocol on the stack */
    hoya_datagram_protocol protocol;
    hoya_waiting *first, *last;
    size_t waiting; /* what they take */
    void *spare;    /* memory for the datagram that comes, where that of all is taken */
    int earlier;    /* the first of them was tried, and this came: an earlier one's, perhaps */
    int error;      /* error_received is to come, with this */
    int said;       /* what sendto has answered about the network, to the function on the stack */
    hoya_write_limits limits;
    hoya_datagram_socket socket;      /* `fd` is the channel's */
    unsigned generation;              /* of the process that made it: a path is not a forked child's to remove */
    hoya_datagram_creation *creation; /* that wants to know of its beginning; or NULL */
    hoya_list node;                   /* of hoya_loop_io.datagrams */
    hoya_handle alarm;
    int64_t rest; /* how long the last one was, if nothing has left since */
    int code;     /* that it ended with */
};

static inline hoya_datagram_transport *hoya_datagram_transport_of(hoya_channel *channel)
{
    return HOYA_CONTAINER_OF(channel, hoya_datagram_transport, channel);
}

/* datagram.c */

int hoya_datagram_protocol_check(hoya_datagram_protocol protocol);
/* It will have no endpoint. Returns `code`, with the detail: what is released may fail in its turn. */
int hoya_datagram_protocol_refuse(hoya_datagram_protocol protocol, int code);

/* On a socket that is ready; connection_made comes in the next round. Takes the descriptor, which counts as ours already, and the
 * protocol, unless it fails. *transport is the loop's reference: borrowed. */
int hoya_datagram_transport_new(hoya_loop *loop, const hoya_datagram_socket *socket,
                                hoya_datagram_protocol protocol, const hoya_datagram_setup *setup,
                                hoya_datagram_creation *creation, hoya_datagram_transport **transport);

/* Ends it with this code, 0 for no failure; what waits is dropped. */
void hoya_datagram_end(hoya_datagram_transport *transport, int code);
/* error_received, now if it can be, with the detail; else when the function on the stack has returned. */
void hoya_datagram_tell(hoya_datagram_transport *transport, int code);
/* In the next round. Of several the first: as the system does it. */
void hoya_datagram_note(hoya_datagram_transport *transport, int code);

static inline int hoya_datagram_enter(const hoya_datagram_transport *transport)
{
    const hoya_loop *loop = transport->channel.loop;
    return hoya_likely(hoya_loop_is_usual(loop)) ? 0 : hoya_loop_check_thread(loop);
}

/* Around each function of the protocol: as hoya_protocol_begin. */
static inline void hoya_datagram_begin(hoya_datagram_transport *transport)
{
    transport->inside++;
}

static inline void hoya_datagram_finish(hoya_datagram_transport *transport)
{
    if (--transport->inside || hoya_likely(!transport->missed)) return;
    transport->missed = false;
    if (transport->channel.open) hoya_channel_soon(&transport->channel);
}

/* datagram_write.c */

bool hoya_datagram_leaving(hoya_channel *channel, hoya_datagram *datagram);
void hoya_datagram_left(hoya_channel *channel, int code);
/* The alarm has gone off. */
void hoya_datagram_go_on(hoya_datagram_transport *transport);
void hoya_datagram_pause_if_full(hoya_datagram_transport *transport);
void hoya_datagram_drop_waiting(hoya_datagram_transport *transport);

/* datagram_socket.c: each answers 0, or a code with its detail. */

int hoya_datagram_setup_read(hoya_datagram_setup *setup, const hoya_datagram_options *given);
/* Bound and connected, ours; `local` and `remote` may be NULL. Both are of this family. */
int hoya_datagram_socket_open(hoya_datagram_socket *socket, const hoya_datagram_setup *setup, int family,
                              const struct addrinfo *local, const struct addrinfo *remote);
int hoya_datagram_socket_open_unix(hoya_datagram_socket *socket, const hoya_datagram_setup *setup,
                                   const char *local, const char *remote);
/* The program's; not ours before the caller says so. */
int hoya_datagram_socket_take(hoya_datagram_socket *socket, const hoya_datagram_setup *setup, hoya_fd fd);
/* The path first. */
void hoya_datagram_socket_close(hoya_datagram_socket *socket);

/* create_datagram.c */

/* connection_made has returned, with this; reading has begun. */
void hoya_datagram_creation_made(hoya_datagram_creation *creation, int code);

#endif
