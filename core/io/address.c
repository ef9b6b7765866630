/* SPDX-License-Identifier: MIT
 *
 * io/address.c: addresses from text and as text. Numbers only: nobody is asked.
 */
#include <hoya/resolver.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/error.h"
#include "base/sys.h"
#include "io/names.h"

/* ---- as text ----------------------------------------------------------------------------------------------- */

static int format_numeric(const struct sockaddr *address, socklen_t length, char *text, size_t size)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    int eai = hoya_sys_getnameinfo(address, length, host, sizeof host, port, sizeof port,
                                   NI_NUMERICHOST | NI_NUMERICSERV);
    if (eai) {
        int rc = hoya_code_of_eai(eai);
        return hoya_error_set(rc, "getnameinfo of an address: %s", hoya_strerror(rc));
    }
    return snprintf(text, size, address->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* The kernel's length counts: a path may fill its place without a NUL, an abstract name may have some inside. */
static int format_unix(const struct sockaddr *address, socklen_t length, char *text, size_t size)
{
    char name[sizeof(struct sockaddr_un)];
    const char *path = (const char *)address + offsetof(struct sockaddr_un, sun_path);
    size_t room = length - offsetof(struct sockaddr_un, sun_path);
    if (room >= sizeof name)
        return hoya_error_set(HOYA_EINVAL, "an address of %u bytes: of a Unix socket it has %zu at most",
                              (unsigned)length, sizeof(struct sockaddr_un));
    size_t count = room && !*path ? room : strnlen(path, room);
    for (size_t i = 0; i < count; i++)
        name[i] = !path[i] ? '@' : (unsigned char)path[i] < ' ' || path[i] == 0x7f ? '?' : path[i];
    return snprintf(text, size, "unix:%.*s", (int)count, name);
}

int hoya_address_format(const struct sockaddr *address, socklen_t length, char *text, size_t size)
{
    int rc = hoya_check_length(address, length);
    if (rc < 0) return rc;
    switch (address->sa_family) {
    case AF_INET:
    case AF_INET6:
        return format_numeric(address, length, text, size);
    case AF_UNIX:
        return format_unix(address, length, text, size);
    default:
        return hoya_error_set(HOYA_EAFNOSUPPORT, "an address of family %d has no text", address->sa_family);
    }
}

/* ---- from text --------------------------------------------------------------------------------------------- */

int hoya_address_set(hoya_address *address, const char *host, const char *port)
{
    char text[HOYA_QUOTED_SIZE];
    if (!address || !host)
        return hoya_error_set(HOYA_EINVAL, "an address without a %s", address ? "host" : "place");
    int rc = hoya_check_host(host);
    if (rc >= 0 && port) rc = hoya_check_service(port);
    if (rc < 0) return rc;
    if (port && !hoya_is_port(port))
        return hoya_error_set(HOYA_EINVAL, "port %s is not a number", hoya_quoted(port, text));
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found;
    rc = hoya_code_of_eai(hoya_sys_getaddrinfo(host, port, &hints, &found));
    if (rc == HOYA_ENOMEM) return hoya_error_nomem();
    if (rc < 0)
        return hoya_error_set(HOYA_EINVAL, "host %s is not a numeric address%s", hoya_quoted(host, text),
                              strchr(host, '%') ? ", or has no such interface" : "");
    *address = (hoya_address){.length = found->ai_addrlen};
    memcpy(&address->storage, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

/* An abstract name begins with a NUL where a path ends with one: both have the same room. */
int hoya_address_set_unix(hoya_address *address, const char *path)
{
    char text[HOYA_QUOTED_SIZE];
    struct sockaddr_un of = {.sun_family = AF_UNIX};
    if (!address || !path)
        return hoya_error_set(HOYA_EINVAL, "an address without a %s", address ? "path" : "place");
    bool abstract = *path == '@';
    size_t length = strlen(path + abstract);
    if (!length)
        return hoya_error_set(HOYA_EINVAL, "the %s of a Unix socket is empty", abstract ? "abstract name" : "path");
    if (length >= sizeof of.sun_path)
        return hoya_error_set(HOYA_ENAMETOOLONG, "unix:%s: %zu bytes, %zu are the most", hoya_quoted(path, text),
                              length, sizeof of.sun_path - 1);
    memcpy(of.sun_path + abstract, path + abstract, length);
    *address = (hoya_address){.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1)};
    memcpy(&address->storage, &of, sizeof of);
    return 0;
}
