/* SPDX-License-Identifier: MIT
 *
 * stream/stream.h: a stream: the protocol of one connection, and the tasks that wait for it. stream.c is its life and what
 * the connection tells it, input.c the bytes that have come, reader.c and writer.c what tasks ask, connect.c and server.c
 * how it comes about.
 *
 * Three keep it: the program, by `refs`; each call of a task's, from its beginning to its return, by `sync.inside`; and the
 * connection, from the making until the protocol is released. When the program's references are gone the connection is
 * closed, and who waits is woken; the transport and the buffer go when no task is inside either, and the stream with the
 * last of the three.
 *
 * Who reads stands in `reader` while he waits, with the memory that he has for what comes: the system writes into that,
 * if nothing is buffered. So bytes are copied once, by the kernel, and a connection that is read in big pieces has no
 * buffer at all.
 */
#ifndef HOYA_STREAM_STREAM_H
#define HOYA_STREAM_STREAM_H

#include <hoya/stream.h>

#include "io/transport.h"
#include "task/waitlist.h"

typedef struct hoya_service hoya_service; /* server.c */

/* On the stack of a task that waits for bytes. */
typedef struct hoya_reading {
    hoya_task *task;
    const hoya_task_body *body; /* the task's */
    size_t least;               /* so many are enough: in its memory, or, if it has none, in the buffer */
    char *memory;               /* or NULL */
    size_t room, filled;        /* of that */
    bool done;                  /* they are there, or no more come */
} hoya_reading;

/* What a request of a few bytes touches stands first: a line of the cache, where there are thousands of streams. */
struct hoya_stream {
    hoya_sync sync;            /* first */
    hoya_transport *transport; /* a reference, from connection_made until nobody wants it any more; or NULL */
    uint32_t refs;
    bool served : 1;   /* the connection has it as its protocol */
    bool arriving : 1; /* a client for whom there is no task yet */
    bool at_eof : 1;   /* the other side has sent all */
    bool lost : 1;     /* connection_lost has come, or the loop is closed */
    bool writing_paused : 1;
    bool reading_paused : 1; /* the buffer is full */
    bool skipping : 1;       /* what comes is the rest of a line that was too long */
    /* Something was given to the program in place, and may not be moved or let go before the next call that reads. It is in
     * `memory`; or, behind that has grown since, in `old`. */
    bool lent : 1;
    bool moved : 1;
    bool passed_by : 1;   /* the last one who had to wait had memory of his own */
    hoya_reading *reader; /* or NULL */
    size_t begin, end;    /* the bytes that have come and were not read: memory[begin] to memory[end] */

    char *memory; /* or NULL */
    size_t capacity, limit;
    char *old;
    int code;                   /* that it was lost with */
    hoya_list writers, closers; /* places: tasks that wait until writing goes on, and for the end */
    hoya_service *service;      /* that it came in by, until the task of the client has ended; or NULL */
};

/* stream.c */

extern const hoya_hinting_ops hoya_stream_protocol;

/* The limit of the options, which are read; HOYA_EINVAL. */
int hoya_stream_options_read(hoya_stream_options *options, const hoya_stream_options *given);
/* With a reference for the caller and one for the protocol that it will be. */
int hoya_stream_new(hoya_loop *loop, size_t limit, hoya_stream **stream);
/* Whether the connection has ended, or is to: then why, 0 for no failure. */
bool hoya_stream_has_ended(const hoya_stream *stream, int *code);
/* For those that need it: the code, with a text. */
int hoya_stream_say_ended(int code);
/* The connection was closed here: who reads hears that no more comes, and who waits to write that he may not. */
void hoya_stream_wake_users(hoya_stream *stream);

/* A call of a task's begins, and may wait: until it leaves, the stream stays as it is, whatever the program gives up. */
static inline void hoya_stream_stay(hoya_stream *stream)
{
    stream->sync.inside++;
}
/* Nobody wants it any more. */
void hoya_stream_let_go(hoya_stream *stream);
static inline void hoya_stream_leave(hoya_stream *stream)
{
    stream->sync.inside--;
    if (hoya_unlikely(!stream->refs) && !stream->sync.inside) hoya_stream_let_go(stream);
}

/* input.c */

static inline size_t hoya_input_size(const hoya_stream *stream)
{
    return stream->end - stream->begin;
}

/* Where the next bytes go; HOYA_ENOMEM. */
int hoya_input_room(hoya_stream *stream, char **memory, size_t *size);
/* So many have come there. */
void hoya_input_add(hoya_stream *stream, size_t count);
/* So many were read. */
void hoya_input_take(hoya_stream *stream, size_t count);
/* What was in place need not be any more. */
void hoya_input_end_loan_unusual(hoya_stream *stream);
static inline void hoya_input_end_loan(hoya_stream *stream)
{
    if (hoya_unlikely(stream->lent || stream->moved)) hoya_input_end_loan_unusual(stream);
}
/* Somebody waits, for what will come into it or not. If nothing is there, memory that is large goes; and what is of no use
 * to him, nor was to the one before: who reads lines and bodies in turn keeps it. */
void hoya_input_rest(hoya_stream *stream, bool used);
void hoya_input_free(hoya_stream *stream);

/* server.c */

/* A client has come in; HOYA_E*: that is reported, and ends its connection. */
int hoya_service_admit(hoya_stream *stream);
/* It has none any more: lets go of the stream. */
void hoya_service_dismiss(hoya_stream *stream);
void hoya_service_unref(hoya_service *service);

#endif
