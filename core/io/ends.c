/* SPDX-License-Identifier: MIT
 *
 * io/ends.c: who is at the two ends of a connection, and the text that tells of it. The addresses are the transport's, packed
 * when it was made: they outlive the connection.
 */
#include "io/transport.h"

#include <stdio.h>

#include "base/error.h"
#include "base/sys.h"
#include "io/packed_address.h"
#include "io/pipe.h"

static int get_address(const hoya_transport *transport, uint8_t form, size_t at, hoya_address *address)
{
    int rc = hoya_transport_enter(transport);
    if (rc < 0) return rc;
    if (!form && hoya_is_pipe(transport)) return hoya_error_set(HOYA_ENOTSOCK, "a pipe or a file has no address");
    if (!form) return hoya_error_set(HOYA_ENOTCONN, "the connection had no such address any more when it was made");
    hoya_address_unpack(form, transport->addresses + at, address);
    return 0;
}

int hoya_transport_get_sockname(const hoya_transport *transport, hoya_address *address)
{
    return get_address(transport, transport->sockname_form, 0, address);
}

int hoya_transport_get_peername(const hoya_transport *transport, hoya_address *address)
{
    return get_address(transport, transport->peername_form, hoya_packed_size(transport->sockname_form), address);
}

int hoya_transport_family(const hoya_transport *transport)
{
    return hoya_packed_family(transport->sockname_form, transport->addresses);
}

int hoya_transport_get_peer_credentials(const hoya_transport *transport, hoya_credentials *credentials)
{
    int rc = hoya_transport_enter(transport);
    if (rc < 0) return rc;
    hoya_fd fd = hoya_transport_fileno(transport);
    if (fd == HOYA_INVALID_FD) return hoya_error_set(HOYA_ECLOSED, "the connection has ended");
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (hoya_transport_family(transport) != AF_UNIX)
        return hoya_error_set(HOYA_ENOTSUP, "only of Unix connections is it known who is at the other end");
    if (hoya_sys_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return hoya_error_errno("SO_PEERCRED");
    *credentials = (hoya_credentials){peer.pid, peer.uid, peer.gid};
    return 0;
}

/* "127.0.0.1:80 to 127.0.0.1:4711", "read pipe"; into `text`. */
static void ends_text(const hoya_transport *transport, char *text, size_t size)
{
    char name[HOYA_ADDRESS_TEXT_SIZE] = "?", peer[HOYA_ADDRESS_TEXT_SIZE] = "?";
    hoya_address address;
    if (hoya_transport_get_sockname(transport, &address) >= 0)
        hoya_address_format((struct sockaddr *)&address.storage, address.length, name, sizeof name);
    if (hoya_transport_get_peername(transport, &address) >= 0)
        hoya_address_format((struct sockaddr *)&address.storage, address.length, peer, sizeof peer);
    if (hoya_is_pipe(transport)) snprintf(text, size, "%s pipe", transport->reads_pipe ? "read" : "write");
    else snprintf(text, size, "%s to %s", name, peer);
}

void hoya_transports_dump(const hoya_loop_io *io, const hoya_printer *to)
{
    size_t count = 0;
    for (const hoya_list *node = io->transports.next; node != &io->transports; node = node->next) count++;
    hoya_print(to, "  connections: %zu", count);
    for (const hoya_list *node = io->transports.next; node != &io->transports; node = node->next) {
        const hoya_transport *transport =
            (const hoya_transport *)((const char *)node - offsetof(hoya_transport, node));
        char ends[2 * HOYA_ADDRESS_TEXT_SIZE + sizeof " to "];
        ends_text(transport, ends, sizeof ends);
        hoya_print(to, "    %d: %s%s%s%s, %zu bytes to be sent", transport->channel.record.fd, ends,
                   transport->lost_due  ? ", ending"
                   : transport->closing ? ", closing"
                                        : "",
                   hoya_transport_is_reading(transport) ? "" : ", not reading",
                   transport->sends_file ? ", sending a file" : "",
                   hoya_transport_get_write_buffer_size(transport));
    }
}
