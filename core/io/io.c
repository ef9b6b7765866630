/* SPDX-License-Identifier: MIT
 *
 * io/io.c: what a loop keeps for this layer, from its first connection or server to its close.
 */
#include "io/io.h"

#include "base/alloc.h"
#include "base/error.h"
#include "loop/loop.h"

static hoya_loop_io *io_of(const hoya_loop *loop)
{
    return loop->slots[HOYA_SLOT_IO].data;
}

/* Servers first: what their connections tell them at the end they need not hear. */
static void close_io(hoya_loop *loop)
{
    hoya_loop_io *io = io_of(loop);
    hoya_connectors_close(io);
    hoya_servers_close(io);
    hoya_transports_close(io);
    hoya_datagram_creations_close(io);
    hoya_datagrams_close(io);
    loop->slots[HOYA_SLOT_IO] = (hoya_slot){.data = NULL};
    hoya_free(io->block);
    hoya_free(io);
}

/* At the beginning of a line of the cache. The allocator's own words would have it begin 16 bytes behind a page's beginning,
 * where a copy of the kernel's takes three times as long on some processors (bench/README.md). */
static int make_buffer(hoya_loop_io *io)
{
    enum { LINE = 64 };
    io->block = hoya_resize(NULL, HOYA_IO_BUFFER + LINE, 1);
    if (!io->block) return HOYA_ENOMEM;
    io->buffer = io->block + (LINE - (uintptr_t)io->block % LINE);
    return 0;
}

static void dump_io(const hoya_loop *loop, const hoya_printer *to)
{
    const hoya_loop_io *io = io_of(loop);
    hoya_servers_dump(io, to);
    hoya_transports_dump(io, to);
    hoya_datagrams_dump(io, to);
}

int hoya_loop_io_of(hoya_loop *loop, hoya_loop_io **out)
{
    hoya_loop_io *io = io_of(loop);
    if (!io) {
        io = hoya_new(hoya_loop_io);
        if (!io || make_buffer(io) < 0) {
            hoya_free(io);
            return HOYA_ENOMEM;
        }
        io->engine = &hoya_engine_readiness;
        hoya_list_init(&io->transports);
        hoya_list_init(&io->servers);
        hoya_list_init(&io->connectors);
        hoya_list_init(&io->datagrams);
        hoya_list_init(&io->datagram_creations);
        loop->slots[HOYA_SLOT_IO] = (hoya_slot){io, close_io, dump_io, NULL};
    }
    *out = io;
    return 0;
}
