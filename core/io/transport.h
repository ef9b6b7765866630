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
#include "io/passed.h"

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

/* What few connections have: made when it is first wanted, and kept. */
typedef struct hoya_transport_more {
    hoya_write_limits limits;
    hoya_passed passed;             /* io/descriptors.c: those that wait in the output */
    struct hoya_file_sending *file; /* io/sendfile.c: while sends_file */
} hoya_transport_more;

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
    bool sends_file : 1;     /* nothing is read meanwhile, and nothing may be written */
    bool missed : 1;         /* a turn came while a function of the protocol was on the stack */
    /* Of pipes: at_eof from the beginning where nothing is read, eof_wanted where nothing is written. */
    bool reads_pipe : 1, writes_pipe : 1;
    bool hangs_up : 1;                    /* a write pipe that is told when nobody reads any more */
    bool hung_up : 1;                     /* it has been */
    bool cut : 1;                         /* ended before all that was to go had gone */
    bool nonblocking : 1;                 /* its file has a flag that somebody may take back (pipe_flags.c) */
    bool puts_back : 1;                   /* this one does */
    uint8_t inside;                       /* of those */
    uint8_t sockname_form, peername_form; /* io/packed_address.h */
    int code;                             /* that it ended with */
    hoya_protocol protocol;
    hoya_transport_more *more; /* or NULL */
    hoya_output output;
    /* From here on: what an echo does not touch. */
    hoya_transport_owner *owner; /* or NULL */
    hoya_list node;              /* of hoya_loop_io.transports */
    unsigned generation;         /* of the process that has set the flag which it puts back */
    char addresses[];            /* sockname, then peername, packed */
};

/* The table of a protocol of the library's own, which knows what it will touch (hoya_channel_events.hint). It says so itself,
 * once it is the protocol: transport->channel.hints, until there is another one. */
typedef struct hoya_hinting_ops {
    hoya_protocol_ops ops; /* first */
    const void *(*hint)(const void *arg);
} hoya_hinting_ops;

/* HOYA_EINVAL for a table of functions that cannot be served. */
int hoya_protocol_check(hoya_protocol protocol);

/* Programs that were compiled before there was fds_received have a shorter table. */
static inline bool hoya_protocol_is_known(const hoya_protocol_ops *ops)
{
    return ops && (ops->size == sizeof *ops || ops->size == offsetof(hoya_protocol_ops, fds_received));
}

static inline bool hoya_protocol_takes_fds(const hoya_protocol_ops *ops)
{
    return ops->size == sizeof *ops && ops->fds_received;
}

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
void hoya_transport_fail(hoya_transport *transport, int code, const char *what) HOYA_COLD;

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

/* Reads, unless there is a reason not to. */
int hoya_transport_start_reading(hoya_transport *transport);

/* io/ends.c: AF_UNIX, ...; 0 where that is not known. */
int hoya_transport_family(const hoya_transport *transport);

/* io/write.c */
int hoya_transport_want_more(hoya_transport *transport);
/* As hoya_transport_writelines, for a layer between the program and the connection (TLS), which has something to say behind the
 * program's close: also taken while what was written before goes out. */
int hoya_transport_write_of_layer(hoya_transport *transport, const struct iovec *parts, size_t count);
/* May something be written now? */
int hoya_transport_enter_write_unusual(const hoya_transport *transport) HOYA_COLD;
static inline bool hoya_transport_refuses_writes(const hoya_transport *transport)
{
    return transport->closing || transport->eof_wanted || transport->sends_file;
}
static inline int hoya_transport_enter_write(const hoya_transport *transport)
{
    bool usual = hoya_loop_is_usual(transport->channel.loop) && !hoya_transport_refuses_writes(transport);
    return hoya_likely(usual) ? 0 : hoya_transport_enter_write_unusual(transport);
}
/* Is there room for so much? */
int hoya_transport_check_hard_limit(const hoya_transport *transport, size_t size);
static inline int hoya_transport_check_limit(const hoya_transport *transport, size_t size)
{
    return hoya_likely(!transport->more) ? 0 : hoya_transport_check_hard_limit(transport, size);
}
/* `sent` of `total` bytes have gone: the rest waits. Or none will, and the connection ends. */
int hoya_transport_keep_rest(hoya_transport *transport, const struct iovec *parts, size_t count, ssize_t sent);
static inline int hoya_transport_finish_write(hoya_transport *transport, const struct iovec *parts, size_t count,
                                              size_t total, ssize_t sent)
{
    bool all = sent >= 0 && (size_t)sent == total;
    return hoya_likely(all) ? 0 : hoya_transport_keep_rest(transport, parts, count, sent);
}
/* A sendfile is over: the connection goes on as it was, or ends as it was told. */
void hoya_transport_file_over(hoya_transport *transport);
/* HOYA_LIMIT_DEFAULT resolved; HOYA_EINVAL for limits that contradict each other. */
int hoya_write_limits_resolve(size_t high, size_t low, size_t hard, hoya_write_limits *limits);
/* Tells the protocol, once it has heard of the connection. */
void hoya_transport_pause_if_full(hoya_transport *transport);
int hoya_transport_output(hoya_channel *channel, struct iovec *parts, int max);
void hoya_transport_sent(hoya_channel *channel, ssize_t count);

/* io/sendfile.c, while sends_file */
/* Nothing else is to be sent first: shows what has been read, or sends from the file. */
int hoya_sendfile_output(hoya_transport *transport, struct iovec *parts);
/* So much of what was shown has gone. */
void hoya_sendfile_take(hoya_transport *transport, size_t count);
/* A send has failed with this code: why the connection ends. */
int hoya_sendfile_reason(const hoya_transport *transport, int code);
/* The connection ends, with this code or 0. */
void hoya_sendfile_fail(hoya_transport *transport, int code);
/* The loop closes. */
void hoya_sendfile_forget(hoya_transport *transport);

/* io/descriptors.c, while there is anything in `passed` */
int hoya_descriptors_output(hoya_transport *transport, struct iovec *parts, int max);

#endif
