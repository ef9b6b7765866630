/* SPDX-License-Identifier: MIT
 *
 * io/transport.h: a connection's state, and what the files that make, serve and end it offer each other.
 *
 * References: the program's, and one of the loop's from its making until the channel is gone. Three states, that only go
 * forward: open, closing (nothing is read, what waits may still go out), ending (lost_due: the protocol will hear of it in a
 * turn of the channel). After that it is an empty shell that knows its addresses.
 */
#ifndef HOYA_IO_TRANSPORT_H
#define HOYA_IO_TRANSPORT_H

#include <hoya/transport.h>

#include "io/engine.h"
#include "io/io.h"
#include "io/output.h"

/* Whoever made it, and wants to know. */
typedef struct hoya_transport_owner {
    /* connection_made has returned, with this; reading has begun. */
    void (*made)(struct hoya_transport_owner *owner, hoya_transport *transport, int code);
    /* The end; the transport forgets its owner. Also where the loop closes. */
    void (*lost)(struct hoya_transport_owner *owner, hoya_transport *transport);
} hoya_transport_owner;

typedef struct hoya_write_limits {
    size_t high, low, hard;
} hoya_write_limits;

struct hoya_transport {
    hoya_channel channel;
    uint32_t refs;
    bool made : 1;           /* connection_made has been called */
    bool reading_paused : 1; /* by the program */
    bool at_eof : 1;         /* the other side has sent all, and the protocol wants to go on */
    bool asks : 1;           /* between get_buffer and buffer_updated */
    bool closing : 1;
    bool lost_due : 1;       /* connection_lost is to come */
    bool lost : 1;           /* it has been called */
    bool eof_wanted : 1;     /* write_eof has been called */
    bool writing_paused : 1; /* the protocol has been told to */
    bool missed : 1;         /* a turn came while a function of the protocol was on the stack */
    /* Of pipes: at_eof from the beginning where nothing is read, eof_wanted where nothing is written. */
    bool reads_pipe : 1, writes_pipe : 1;
    bool hangs_up : 1;    /* a write pipe that is told when nobody reads any more */
    bool nonblocking : 1; /* its file has a flag that somebody may take back (pipe_flags.c) */
    bool puts_back : 1;   /* this one does */
    uint8_t inside;       /* of those */
    uint8_t sockname_length, peername_length;
    hoya_protocol protocol;
    hoya_write_limits *own_limits; /* or NULL: the default ones */
    hoya_output output;
    /* From here on: what an echo does not touch. */
    hoya_transport_owner *owner; /* or NULL */
    hoya_list node;              /* of hoya_loop_io.transports */
    int code;                    /* that it ended with */
    unsigned generation;         /* of the process that has set the flag which it puts back */
    char addresses[];            /* sockname, then peername */
};

/* HOYA_EINVAL for a table of functions that cannot be served. */
int hoya_protocol_check(hoya_protocol protocol);

/* For a connected stream socket, or a pipe, that is NONBLOCK and CLOEXEC; connection_made comes in the next round. Takes the descriptor,
 * which counts as ours already, and the protocol, unless it fails. `peer` is the other side's address, where that is known:
 * it may have gone already, and then nobody else knows it; NULL: the socket is asked. `limits` and `owner` may be NULL, and
 * `engine`: the loop's. *transport is the loop's reference: borrowed. */
int hoya_transport_new(hoya_loop *loop, const hoya_engine *engine, hoya_fd fd, const struct sockaddr *peer,
                       socklen_t length, hoya_protocol protocol, const hoya_write_limits *limits,
                       hoya_transport_owner *owner, hoya_transport **transport);

static inline bool hoya_is_pipe(const hoya_transport *transport)
{
    return transport->reads_pipe || transport->writes_pipe;
}

/* Ends it with this code, 0 for no failure; what waits is dropped. */
void hoya_transport_end(hoya_transport *transport, int code);
/* The same for what the protocol, or memory, is to blame for: reported. */
void hoya_transport_fail(hoya_transport *transport, int code, const char *what);

/* HOYA_ETHREAD, HOYA_ECHILD, or 0. Its loop may be closed. */
static inline int hoya_transport_enter(const hoya_transport *transport)
{
    const hoya_loop *loop = transport->channel.loop;
    return hoya_likely(hoya_loop_is_usual(loop)) ? 0 : hoya_loop_check_thread(loop);
}

/* Around each function of the protocol: a turn that comes in between is missed, and asked for again. The loop may have been
 * closed inside one that runs inline. */
static inline void hoya_protocol_begin(hoya_transport *transport)
{
    transport->inside++;
}

static inline void hoya_protocol_end(hoya_transport *transport)
{
    if (--transport->inside || hoya_likely(!transport->missed)) return;
    transport->missed = false;
    if (transport->channel.open) hoya_channel_soon(&transport->channel);
}

/* io/write.c */
/* HOYA_LIMIT_DEFAULT resolved; HOYA_EINVAL for limits that contradict each other. */
int hoya_write_limits_resolve(size_t high, size_t low, size_t hard, hoya_write_limits *limits);
/* Tells the protocol, once it has heard of the connection. */
void hoya_transport_pause_if_full(hoya_transport *transport);
int hoya_transport_output(hoya_channel *channel, struct iovec *parts, int max);
void hoya_transport_sent(hoya_channel *channel, ssize_t count);

#endif
