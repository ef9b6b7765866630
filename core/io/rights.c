/* SPDX-License-Identifier: MIT
 *
 * io/rights.c: control messages. The descriptors in them are named by number, and lie unaligned: they are copied.
 *
 * No room to take them is told by MSG_CTRUNC: the system closes what it could not give. Room in memory is there for as many as
 * one send can bring, and for what else a program may have turned on for its socket (SO_PASSCRED and its like).
 */
#include "io/rights.h"

#include <string.h>

#include "base/sys.h"

#define OTHERS 512 /* bytes of other control messages */

ssize_t hoya_rights_send(hoya_fd fd, const struct iovec *parts, int count, const hoya_fd *fds, size_t fd_count)
{
    union { /* the parts are not written to */
        const struct iovec *given;
        struct iovec *wanted;
    } cast = {parts};
    union {
        struct cmsghdr aligned;
        char bytes[CMSG_SPACE(HOYA_FDS_MAX * sizeof(hoya_fd))];
    } control;
    size_t size = fd_count * sizeof *fds;
    struct msghdr message = {.msg_iov = cast.wanted,
                             .msg_iovlen = (size_t)count,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_SPACE(size)};
    memset(&control, 0, CMSG_SPACE(size));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(header), fds, size);
    return hoya_sys_sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void hoya_rights_close(const hoya_fd *fds, size_t count)
{
    int saved = errno;
    for (size_t i = 0; i < count; i++) hoya_sys_close(fds[i]);
    errno = saved;
}

static void take(hoya_rights *rights, struct cmsghdr *header)
{
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(hoya_fd);
    for (size_t i = 0; i < count; i++) {
        hoya_fd fd;
        memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
        if (rights->count < HOYA_FDS_MAX) {
            rights->fds[rights->count++] = fd;
        } else { /* not come to: the system does not put two sends into one answer */
            hoya_rights_close(&fd, 1);
            rights->lost = true;
        }
    }
}

ssize_t hoya_rights_receive(hoya_fd fd, void *memory, size_t size, hoya_rights *rights)
{
    union {
        struct cmsghdr aligned;
        char bytes[CMSG_SPACE(HOYA_FDS_MAX * sizeof(hoya_fd)) + OTHERS];
    } control;
    struct iovec part = {memory, size};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control};
    rights->count = 0;
    rights->lost = false;
    ssize_t n = hoya_sys_recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0) return n;
    rights->lost = message.msg_flags & MSG_CTRUNC;
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at))
        if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SCM_RIGHTS) take(rights, at);
    return n;
}
