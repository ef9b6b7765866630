/* SPDX-License-Identifier: MIT
 *
 * io/names.c: what can be asked of a resolver, how the system's codes become ours, and names as texts show them.
 *
 * The arguments are looked at before anything is opened or queued, and more closely than the system does: glibc takes the
 * port 65536 for 0 and "-1" for 65535.
 */
#include "io/names.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include HOYA_LIBC
#include "base/error.h"

#define MOST_OF_HOST 253    /* characters: what DNS can carry, without the dot at the end */
#define MOST_OF_SERVICE 255 /* bytes */

const char *hoya_quoted(const char *name, char text[HOYA_QUOTED_SIZE])
{
    size_t room = HOYA_QUOTED_SIZE - sizeof "\"...\"", length = strnlen(name, room + 1);
    bool whole = length <= room;
    if (!whole)
        for (length = room; length && ((unsigned char)name[length] & 0xc0) == 0x80;) length--;
    snprintf(text, HOYA_QUOTED_SIZE, "\"%.*s%s\"", (int)length, name, whole ? "" : "...");
    return text;
}

/* ---- arguments -------------------------------------------------------------------------------------------- */

bool hoya_is_ascii(const char *name)
{
    for (; *name; name++)
        if ((unsigned char)*name > 0x7f) return false;
    return true;
}

bool hoya_is_port(const char *service)
{
    return *service && !service[strspn(service, "0123456789")];
}

/* In UTF-8. */
static size_t count_characters(const char *name)
{
    size_t count = 0;
    for (; *name; name++) count += ((unsigned char)*name & 0xc0) != 0x80;
    return count;
}

/* The name is not in the text: who reads a log shall not get what stands in there. */
static int check_characters(const char *what, const char *name)
{
    if (!*name) return hoya_error_set(HOYA_EINVAL, "the %s is empty", what);
    for (const char *at = name; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return hoya_error_set(HOYA_EINVAL, "the %s has the character 0x%02x at byte %zu", what, (unsigned)*at,
                                  (size_t)(at - name));
    return 0;
}

int hoya_check_host(const char *host)
{
    char text[HOYA_QUOTED_SIZE];
    int rc = check_characters("host", host);
    if (rc < 0) return rc;
    size_t length = count_characters(host);
    if (length > MOST_OF_HOST + (host[strlen(host) - 1] == '.'))
        return hoya_error_set(HOYA_ENAMETOOLONG, "host %s: %zu characters, %d are the most",
                              hoya_quoted(host, text), length, MOST_OF_HOST);
    if (*host == '[')
        return hoya_error_set(HOYA_EINVAL, "host %s: an address has no brackets here", hoya_quoted(host, text));
    return 0;
}

static int check_port(const char *port)
{
    char text[HOYA_QUOTED_SIZE];
    const char *digits = port + strspn(port, "0");
    if (strlen(digits) <= 5 && atoi(digits) <= 65535) return 0; /* a number below 100000 */
    return hoya_error_set(HOYA_EINVAL, "port %s: 65535 is the last one", hoya_quoted(port, text));
}

int hoya_check_service(const char *service)
{
    char text[HOYA_QUOTED_SIZE];
    int rc = check_characters("service", service);
    if (rc < 0) return rc;
    if (strlen(service) > MOST_OF_SERVICE)
        return hoya_error_set(HOYA_ENAMETOOLONG, "service %s: %zu bytes, %d are the most",
                              hoya_quoted(service, text), strlen(service), MOST_OF_SERVICE);
    if ((*service == '-' || *service == '+') && hoya_is_port(service + 1))
        return hoya_error_set(HOYA_EINVAL, "port %s: it has no sign", hoya_quoted(service, text));
    return hoya_is_port(service) ? check_port(service) : 0;
}

int hoya_check_hints(const struct addrinfo *hints)
{
    int known = AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_NUMERICSERV | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG |
                HOYA_LIBC_AI_FLAGS;
    if (hints->ai_flags & ~known)
        return hoya_error_set(HOYA_EAI_BADFLAGS, "hints: the flags 0x%x are not known",
                              (unsigned)(hints->ai_flags & ~known));
    int family = hints->ai_family;
    if (family == AF_UNSPEC || family == AF_INET || family == AF_INET6) return 0;
    return hoya_error_set(HOYA_EAI_FAMILY, "hints: family %d has no names; AF_INET and AF_INET6 have", family);
}

int hoya_check_name_flags(int flags)
{
    int known = NI_NUMERICHOST | NI_NUMERICSERV | NI_NOFQDN | NI_NAMEREQD | NI_DGRAM | HOYA_LIBC_NI_FLAGS;
    if (!(flags & ~known)) return 0;
    return hoya_error_set(HOYA_EAI_BADFLAGS, "getnameinfo: the flags 0x%x are not known",
                          (unsigned)(flags & ~known));
}

int hoya_check_length(const struct sockaddr *address, socklen_t length)
{
    if (!address) return hoya_error_set(HOYA_EINVAL, "the address is NULL");
    socklen_t least = sizeof address->sa_family;
    if (length >= least && address->sa_family == AF_INET) least = sizeof(struct sockaddr_in);
    else if (length >= least && address->sa_family == AF_INET6) least = sizeof(struct sockaddr_in6);
    if (length >= least && length <= sizeof(struct sockaddr_storage)) return 0;
    return hoya_error_set(HOYA_EINVAL, "an address of %u bytes: it has %u to %zu", (unsigned)length,
                          (unsigned)least, sizeof(struct sockaddr_storage));
}

/* ---- the system's codes ------------------------------------------------------------------------------------- */

int hoya_code_of_eai(int eai)
{
    switch (eai) {
    case 0:
        return 0;
    case EAI_MEMORY:
        return HOYA_ENOMEM;
    case EAI_SYSTEM:
        return errno > 0 ? -errno : HOYA_EAI_FAIL;
    case EAI_AGAIN:
        return HOYA_EAI_AGAIN;
    case EAI_BADFLAGS:
        return HOYA_EAI_BADFLAGS;
    case EAI_ADDRFAMILY:
    case EAI_FAMILY:
        return HOYA_EAI_FAMILY;
    case EAI_IDN_ENCODE:
        return HOYA_EAI_IDN;
    case EAI_NODATA: /* the name is there, an address is not: nobody treats that differently */
    case EAI_NONAME:
        return HOYA_EAI_NONAME;
    case EAI_OVERFLOW:
        return HOYA_EAI_OVERFLOW;
    case EAI_SERVICE:
        return HOYA_EAI_SERVICE;
    case EAI_SOCKTYPE:
        return HOYA_EAI_SOCKTYPE;
    default:
        return HOYA_EAI_FAIL;
    }
}
