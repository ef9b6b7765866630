/* SPDX-License-Identifier: MIT
 *
 * io/rights.h: descriptors that travel with bytes over a Unix socket: SCM_RIGHTS, to and from control messages. The two calls
 * answer as sendmsg and recvmsg do, with errno, and never block.
 */
#ifndef HOYA_IO_RIGHTS_H
#define HOYA_IO_RIGHTS_H

#include <hoya/transport.h>
#include <stdbool.h>
#include <sys/socket.h>

/* What has come: descriptors that are the caller's, CLOEXEC. One call brings those of one send at most. */
typedef struct hoya_rights {
    size_t count;
    bool lost; /* there was no room for some */
    hoya_fd fds[HOYA_FDS_MAX];
} hoya_rights;

/* At most HOYA_FDS_MAX; they stay the caller's. */
ssize_t hoya_rights_send(hoya_fd fd, const struct iovec *parts, int count, const hoya_fd *fds, size_t fd_count);
ssize_t hoya_rights_receive(hoya_fd fd, void *memory, size_t size, hoya_rights *rights);

/* Closes those that nobody wants; keeps errno. */
void hoya_rights_close(const hoya_fd *fds, size_t count);

#endif
