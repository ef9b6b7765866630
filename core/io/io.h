/* SPDX-License-Identifier: MIT
 *
 * io/io.h: what a loop keeps for this layer: its connections, servers and datagram endpoints, so that its close finds
 * them, the memory into which they read, and the engine.
 */
#ifndef HOYA_IO_IO_H
#define HOYA_IO_IO_H

#include "io/engine.h"

#define HOYA_IO_BUFFER (256 * 1024) /* statement 87: at most so much by one read */

typedef struct hoya_loop_io {
    const hoya_engine *engine;
    hoya_list transports, servers, connectors, datagrams, datagram_creations;
    hoya_callback after; /* hoya_channel_after; or NULL */
    void *after_arg;
    uint64_t fetched;   /* as far as this in the ready ring: what the turns begin with is at hand (readiness.c) */
    bool masks_sigpipe; /* the kernel has no write that raises none (pipe_write.c) */
    bool buffer_taken;  /* somebody's callback has it on the stack */
    char *buffer;       /* HOYA_IO_BUFFER bytes that all connections share: idle ones own none */
    char *block;        /* of the allocator's, that they lie in */
} hoya_loop_io;

/* On the loop's thread, the loop is open. Makes it. */
int hoya_loop_io_of(hoya_loop *loop, hoya_loop_io **io);

/* A turn of a channel is over: what was left with hoya_channel_after. The channel may be gone, and the loop's connections
 * as well: whoever has closed it has left nothing to do. */
static inline void hoya_channel_run_after(const hoya_loop *loop)
{
    hoya_loop_io *io = loop->slots[HOYA_SLOT_IO].data;
    if (hoya_likely(!io || !io->after)) return;
    hoya_callback after = io->after;
    io->after = NULL;
    after(io->after_arg);
}

/* What a function of a protocol's has returned, unless it has forked, and this is the child: the connection is the parent's,
 * and no code of the child's says anything about it. */
static inline int hoya_io_answer(const hoya_loop *loop, int rc)
{
    return hoya_unlikely(rc < 0) && hoya_loop_is_forked(loop) ? 0 : rc;
}

/* The loop closes: each of that file's objects lets go of everything. */
void hoya_transports_close(hoya_loop_io *io);
void hoya_servers_close(hoya_loop_io *io);
void hoya_connectors_close(hoya_loop_io *io);
void hoya_datagrams_close(hoya_loop_io *io);
void hoya_datagram_creations_close(hoya_loop_io *io);
/* Lines of a dump. */
void hoya_transports_dump(const hoya_loop_io *io, const hoya_printer *to);
void hoya_servers_dump(const hoya_loop_io *io, const hoya_printer *to);
void hoya_datagrams_dump(const hoya_loop_io *io, const hoya_printer *to);

#endif
