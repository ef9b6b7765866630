/* SPDX-License-Identifier: MIT
 *
 * io/packed_address.c: what of an IP address is no zero by its nature: the port and the address, and for IPv6, where it has
 * them, flow information and scope. All others are kept as they are, and their form is their length.
 */
#include "io/packed_address.h"

#include <netinet/in.h>
#include <string.h>

enum { IPV4 = 128, IPV6, IPV6_SCOPED };

#define PORT 2
#define SCOPE 8 /* and the flow information */

static size_t put(char *to, size_t at, const void *from, size_t size)
{
    memcpy(to + at, from, size);
    return at + size;
}

static size_t get(const char *from, size_t at, void *to, size_t size)
{
    memcpy(to, from + at, size);
    return at + size;
}

static uint8_t pack_ipv4(const struct sockaddr_in *in, char *to)
{
    put(to, put(to, 0, &in->sin_port, PORT), &in->sin_addr, sizeof in->sin_addr);
    return IPV4;
}

static uint8_t pack_ipv6(const struct sockaddr_in6 *in, char *to)
{
    size_t at = put(to, put(to, 0, &in->sin6_port, PORT), &in->sin6_addr, sizeof in->sin6_addr);
    if (!in->sin6_flowinfo && !in->sin6_scope_id) return IPV6;
    put(to, put(to, at, &in->sin6_flowinfo, SCOPE / 2), &in->sin6_scope_id, SCOPE / 2);
    return IPV6_SCOPED;
}

uint8_t hoya_address_pack(const struct sockaddr *address, socklen_t length, char *to)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } of;
    if (length < sizeof(sa_family_t) || length > HOYA_PACKED_MOST) return 0;
    memcpy(&of, address, length < sizeof of ? length : sizeof of);
    if (of.any.sa_family == AF_INET && length == sizeof of.ipv4) return pack_ipv4(&of.ipv4, to);
    if (of.any.sa_family == AF_INET6 && length == sizeof of.ipv6) return pack_ipv6(&of.ipv6, to);
    return (uint8_t)put(to, 0, address, length);
}

size_t hoya_packed_size(uint8_t form)
{
    switch (form) {
    case IPV4:
        return PORT + sizeof(struct in_addr);
    case IPV6:
        return PORT + sizeof(struct in6_addr);
    case IPV6_SCOPED:
        return PORT + sizeof(struct in6_addr) + SCOPE;
    default:
        return form;
    }
}

int hoya_packed_family(uint8_t form, const char *from)
{
    sa_family_t family = AF_UNSPEC;
    if (form == IPV4) return AF_INET;
    if (form == IPV6 || form == IPV6_SCOPED) return AF_INET6;
    if (form) get(from, offsetof(struct sockaddr, sa_family), &family, sizeof family);
    return family;
}

void hoya_address_unpack(uint8_t form, const char *from, hoya_address *address)
{
    memset(address, 0, sizeof *address);
    if (form == IPV4) {
        struct sockaddr_in in = {.sin_family = AF_INET};
        get(from, get(from, 0, &in.sin_port, PORT), &in.sin_addr, sizeof in.sin_addr);
        memcpy(&address->storage, &in, sizeof in);
        address->length = sizeof in;
    } else if (form == IPV6 || form == IPV6_SCOPED) {
        struct sockaddr_in6 in = {.sin6_family = AF_INET6};
        size_t at = get(from, get(from, 0, &in.sin6_port, PORT), &in.sin6_addr, sizeof in.sin6_addr);
        if (form == IPV6_SCOPED)
            get(from, get(from, at, &in.sin6_flowinfo, SCOPE / 2), &in.sin6_scope_id, SCOPE / 2);
        memcpy(&address->storage, &in, sizeof in);
        address->length = sizeof in;
    } else {
        memcpy(&address->storage, from, form);
        address->length = form;
    }
}
