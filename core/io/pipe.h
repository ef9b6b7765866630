/* SPDX-License-Identifier: MIT
 *
 * io/pipe.h: what transports and their engine need for descriptors that are no sockets, or are shared with others.
 */
#ifndef HOYA_IO_PIPE_H
#define HOYA_IO_PIPE_H

#include <hoya/pipe.h>

#include "io/transport.h"

/* pipe_write.c: as read and writev: how many bytes, or -1 with errno; the end of a terminal is an end, and nobody gets a
 * SIGPIPE. */
ssize_t hoya_pipe_read(hoya_fd fd, void *memory, size_t size);
ssize_t hoya_pipe_write(hoya_loop *loop, hoya_fd fd, const struct iovec *parts, int count);

/* ---- pipe_flags.c -------------------------------------------------------------------------------------------- */

/* A descriptor's flags, as it came. */
typedef struct hoya_pipe_flags {
    int file; /* O_*: of the open file, which others may share */
    int own;  /* FD_*: of the descriptor */
} hoya_pipe_flags;

int hoya_pipe_flags_read(hoya_fd fd, hoya_pipe_flags *flags);
/* CLOEXEC, but for the standard descriptors, and NONBLOCK if that is wanted; after a failure it is as it came. */
int hoya_pipe_flags_set(hoya_fd fd, const hoya_pipe_flags *flags, bool nonblocking);
/* As it came. */
void hoya_pipe_flags_undo(hoya_fd fd, const hoya_pipe_flags *flags);
/* The transport has the descriptor, NONBLOCK: a terminal gets a file of its own, and of everything else it is noted what is to
 * be taken back. */
void hoya_pipe_settle(hoya_transport *transport, const hoya_pipe_flags *flags);
/* It ends, and its descriptor is about to be closed. */
void hoya_pipe_put_back(hoya_transport *transport, hoya_fd fd);

#endif
