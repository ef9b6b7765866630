/* SPDX-License-Identifier: MIT
 *
 * stream/sock_fds.c: descriptors that travel over plain Unix sockets, by socket calls of tasks (io/rights.h).
 */
#include <string.h>

#include "base/error.h"
#include "base/sys.h"
#include "io/rights.h"
#include "stream/sock.h"

/* Any other socket would send the bytes, and forget the descriptors. */
static int check_family(hoya_fd fd)
{
    int family;
    socklen_t size = sizeof family;
    if (hoya_sys_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0)
        return hoya_error_errno("the descriptor of a socket");
    return family == AF_UNIX ? 0 : hoya_error_set(HOYA_ENOTSUP, "descriptors go over Unix sockets only");
}

ssize_t hoya_sock_send_fds(hoya_fd fd, const void *data, size_t size, const hoya_fd *fds, size_t count)
{
    if (!data || !size) return hoya_error_set(HOYA_EINVAL, "descriptors go with at least one byte");
    if (!fds || !count || count > HOYA_FDS_MAX)
        return hoya_error_set(HOYA_EINVAL, "%zu descriptors: 1 to %d go at a time", fds ? count : 0, HOYA_FDS_MAX);
    union { /* nothing is written to it */
        const void *given;
        void *wanted;
    } cast = {data};
    const struct iovec part = {cast.wanted, size};
    hoya_sock_call call;
    ssize_t n = hoya_sock_begin(&call, fd, HOYA_SIDE_WRITER, HOYA_CALLER());
    if (n >= 0) n = check_family(fd);
    if (n < 0) return n;
    do {
        n = hoya_rights_send(fd, &part, 1, fds, count);
        if (n >= 0) break;
        n = hoya_sock_again(&call, "sending descriptors");
    } while (n >= 0);
    return hoya_sock_end(&call, n);
}

/* What came, if there was room for all. */
static ssize_t take(const hoya_rights *rights, ssize_t n, hoya_fd *fds, size_t *count)
{
    if (rights->lost) {
        hoya_rights_close(rights->fds, rights->count);
        return hoya_error_set(
            HOYA_EMFILE, "descriptors that came could not be taken: there is room for %zu of them", rights->count);
    }
    if (rights->count) memcpy(fds, rights->fds, rights->count * sizeof *fds);
    *count = rights->count;
    return n;
}

ssize_t hoya_sock_recv_fds(hoya_fd fd, void *buffer, size_t size, hoya_fd fds[HOYA_FDS_MAX], size_t *count)
{
    if (!buffer || !size || !fds || !count) return hoya_error_set(HOYA_EINVAL, "no memory to receive into");
    hoya_sock_call call;
    hoya_rights rights;
    ssize_t n = hoya_sock_begin(&call, fd, HOYA_SIDE_READER, HOYA_CALLER());
    if (n < 0) return n;
    do {
        n = hoya_rights_receive(fd, buffer, size, &rights);
        if (n >= 0) break;
        n = hoya_sock_again(&call, "receiving descriptors");
    } while (n >= 0);
    if (n >= 0) n = take(&rights, n, fds, count);
    return hoya_sock_end(&call, n);
}
