/* SPDX-License-Identifier: MIT
 *
 * io/engine.h: the ENGINE seam: who moves the bytes between the system and a transport, and makes connections?
 *
 * A channel is one descriptor in an engine's hands, embedded in its owner (a transport, a listener, a connector). The owner
 * says what it wants: bytes, a way out for bytes, connections, to be connected; the engine answers by the channel's events,
 * from rounds of the loop, never inside a call of the owner's. Those are told as completions: into this memory so many bytes
 * have come. The readiness engine (readiness.c) does the system call right before it tells; one that completes (io_uring)
 * does it ahead, and asks for memory when the bytes are there. Therefore memory that `output` has shown stays as it is until
 * `sent` or `gone`.
 *
 * Datagrams are told in the same way, each whole and with its address. An engine that completes gives `arrived` memory of its own
 * instead of asking by `input`, and answers HOYA_EAGAIN to send_datagram: then each waits with its owner, is shown by
 * `leaving`, and stays as it is until `left`.
 *
 * Every event of one kind comes again only after the one on the stack has returned, also where that runs the host's loop.
 * A channel has one place in the ready ring, from begin to end; nothing here but begin, the starting of something and connect
 * can fail.
 */
#ifndef HOYA_IO_ENGINE_H
#define HOYA_IO_ENGINE_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "loop/watch.h"

typedef struct hoya_channel hoya_channel;

typedef struct hoya_datagram {
    const void *data;
    size_t size;
    const struct sockaddr *address; /* of the other side; NULL: the one that the socket is connected with */
    socklen_t length;
} hoya_datagram;

/* What the owner hears. Codes are negative. Those that it does not start may be NULL. */
typedef struct hoya_channel_events {
    const char *what; /* "transport", for texts */

    /* As asked for by `soon`. */
    void (*turn)(hoya_channel *channel);

    /* Where the next bytes go: at most *size at *memory, which the engine has filled in with some that is good for this once;
     * false: nowhere, and nothing is read. Then, always: how many came, 0 for the end, why none do; or HOYA_EAGAIN, none yet. */
    bool (*input)(hoya_channel *channel, void **memory, size_t *size);
    void (*received)(hoya_channel *channel, const void *memory, ssize_t count);
    /* Between the two, for a channel that takes descriptors: some have come with these bytes, and are the owner's; or there
     * was no room for all (`lost`). False: the bytes are not wanted any more, and received says HOYA_EAGAIN. */
    bool (*descriptors)(hoya_channel *channel, hoya_fd *fds, size_t count, bool lost);

    /* What is to be sent next: fills `parts`, at most `max` of them, and returns how many; 0 for an owner that has used the
     * moment itself, by send_fds or send_file. Else then how many bytes of them went, or why none do. */
    int (*output)(hoya_channel *channel, struct iovec *parts, int max);
    void (*sent)(hoya_channel *channel, ssize_t count);

    /* Datagrams come whole, into memory that `input` gives. Then, always: 0; HOYA_EMSGSIZE, one of that size was longer than its
     * memory, and is lost; why none came; or HOYA_EAGAIN, none yet. `data` is that memory. Several in a turn. */
    void (*arrived)(hoya_channel *channel, const hoya_datagram *datagram, int code);

    /* The one that is to go next; false: none. Then what became of it: 0, why it did not go, or HOYA_EAGAIN, not now. */
    bool (*leaving)(hoya_channel *channel, hoya_datagram *datagram);
    void (*left)(hoya_channel *channel, int code);

    /* A connection, with the owner's from here on: its descriptor and the other side's address; or why there is none. As many
     * as a round has for it. False: no more now. */
    bool (*accepted)(hoya_channel *channel, int fd, const struct sockaddr *peer, socklen_t length);

    /* The end of a connect: 0, or why not. */
    void (*connected)(hoya_channel *channel, int code);

    /* As asked for by HOYA_CHANNEL_HANGUP: nobody reads at the other end any more. */
    void (*hung_up)(hoya_channel *channel);

    /* After `end`, once nothing of the engine's is in the channel's memory any more; inside end, if nothing is then. */
    void (*gone)(hoya_channel *channel);

    /* Of a channel with `hints`: memory that its next turn begins with, and that may be read now, if it is not at hand; or
     * NULL. It does nothing else. */
    const void *(*hint)(const hoya_channel *channel);

    /* For texts: the function of the program's that it serves. */
    uintptr_t (*function)(const hoya_channel *channel);
} hoya_channel_events;

/* What the owner wants, bit by bit. */
typedef enum hoya_channel_want {
    HOYA_CHANNEL_INPUT = 1 << 0,
    HOYA_CHANNEL_OUTPUT = 1 << 1,
    HOYA_CHANNEL_ACCEPT = 1 << 2,
    HOYA_CHANNEL_CONNECT = 1 << 3,
    HOYA_CHANNEL_TURN = 1 << 4, /* of `due` only: as asked for by hoya_channel_soon */
    HOYA_CHANNEL_HANGUP = 1 << 5,
    HOYA_CHANNEL_ARRIVE = 1 << 6, /* datagrams */
    HOYA_CHANNEL_LEAVE = 1 << 7
} hoya_channel_want;

/* Each event comes in a turn of its channel, at whose end the engine calls what hoya_channel_after has left with
 * it: so a task that reads a stream goes on inside that turn, before what is queued behind it (in debug mode it is
 * queued itself). */
typedef struct hoya_engine {
    const char *name;
    /* Takes the descriptor into its hands; it stays the owner's to close, after end. */
    int (*begin)(hoya_channel *channel, hoya_fd fd);
    /* Nothing more is heard but `gone`. What is under way is given up. */
    void (*end)(hoya_channel *channel);

    /* Input, output, accepted and connected come, or no more. Starting may fail; stopping cannot. */
    int (*start)(hoya_channel *channel, hoya_channel_want want);
    void (*stop)(hoya_channel *channel, hoya_channel_want want);

    /* Sends what the system takes now, ahead of any output: how many bytes that are, 0 if none, or why not. An engine that
     * cannot say takes none. */
    ssize_t (*send)(hoya_channel *channel, const struct iovec *parts, int count);
    /* The same for a datagram: 0; HOYA_EAGAIN, not now; or why not. */
    int (*send_datagram)(hoya_channel *channel, const hoya_datagram *datagram);

    /* The same with descriptors, which go with the first byte: 0, and they have not gone. */
    ssize_t (*send_fds)(hoya_channel *channel, const struct iovec *parts, int count, const hoya_fd *fds,
                        size_t fd_count);
    /* The same from a file: how many bytes, 0 at its end, HOYA_EAGAIN for none now, or why not. Both NULL: not over this. */
    ssize_t (*send_file)(hoya_channel *channel, hoya_fd file, int64_t offset, size_t count);

    /* Begins to connect: 0, and `connected` will come; or why not. */
    int (*connect)(hoya_channel *channel, const struct sockaddr *address, socklen_t length);
} hoya_engine;

/* What a look touches stands first, so that it is one line of the cache for each descriptor that is ready. */
struct hoya_channel {
    hoya_fd_record record; /* the readiness engine's */
    uint8_t wants;         /* hoya_channel_want */
    uint8_t due;           /* what the next turn brings: hoya_channel_want */
    uint8_t busy;          /* what is on the stack: hoya_channel_want */
    uint8_t blocked;       /* found again while it was busy */
    uint8_t turns;         /* of run, on the stack */
    bool open : 1;         /* from begin to end */
    bool queued : 1;       /* an entry of the ready ring points here */
    bool takes_fds : 1;    /* the owner's to set: descriptors that come are told */
    bool hints : 1;        /* the owner's to set: there is a hint */
    bool patient : 1;      /* the owner's to set: nobody's code hears of input that was asked for in vain */
    bool keeps_errors : 1; /* the owner's to set: its socket may have a queue of errors */
    bool guessed : 1;      /* an entry that stands for what nobody has looked for */
    bool vain : 1;         /* there was no input when it was asked for */
    hoya_loop *loop;       /* the owner keeps it */
    hoya_runnable runnable;
    const hoya_engine *engine; /* one that has something of its own for each channel has a table in there */
    const hoya_channel_events *events;
};

extern const hoya_engine hoya_engine_readiness; /* for sockets */
extern const hoya_engine hoya_engine_pipes;     /* the same for what read and write are for */
extern const hoya_engine hoya_engine_files;     /* for what is always ready, and may take its time: pipe_file.c */

/* `turn` comes once, in the order of the ring: in the next round, or with something else that is due in this one. Needs no
 * memory. */
void hoya_channel_soon(hoya_channel *channel);

/* In an event of a channel: fn(arg) is called at the end of its turn, as its last act, when nothing of the channel
 * is on the stack any more, and before anything that is queued behind that turn: for who goes on with what has
 * come, while it is at hand. Otherwise a callback like any, which may run a nested loop, or close this one. One a
 * turn. */
void hoya_channel_after(hoya_loop *loop, hoya_callback fn, void *arg);

#endif
