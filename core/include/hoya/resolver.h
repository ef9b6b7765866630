/* SPDX-License-Identifier: MIT
 *
 * hoya/resolver.h: addresses as values and as text, names looked up without blocking the loop, and how to put another
 * resolver in the place of the system's. docs/net.md is the guide.
 *
 * Names are UTF-8, whatever the locale is. Structs, constants and flags are the system's: <sys/socket.h>, <netdb.h>.
 */
#ifndef HOYA_RESOLVER_H
#define HOYA_RESOLVER_H

#include <hoya/base.h>
#include <hoya/future.h>
#include <hoya/loop.h>
#include <sys/socket.h>

struct addrinfo; /* of <netdb.h> */

HOYA_BEGIN_DECLS

/* ---- addresses ------------------------------------------------------------------------------------------- */

/* An address of any family, by value. What the address does not use is 0. Thread: any, all of them. */
typedef struct hoya_address {
    socklen_t length;
    struct sockaddr_storage storage;
} hoya_address;

#define HOYA_ADDRESS_TEXT_SIZE 128 /* enough for each of them */

/* "127.0.0.1:80", "[fe80::1%eth0]:80", "unix:/path", "unix:@abstract", "unix:" for one without a name. A NUL in an abstract
 * name is shown as @, another control character as ?. Returns the length as snprintf: what does not fit is cut. Errors:
 * HOYA_EINVAL (too short for its family), HOYA_EAFNOSUPPORT (another family). Origin: none. */
HOYA_API int hoya_address_format(const struct sockaddr *address, socklen_t length, char *text, size_t size);

/* From numbers: IPv4, IPv6, with "%eth0" or "%2" behind it for its scope; port NULL is 0. Asks nobody. A failure leaves
 * *address as it is. Errors: HOYA_EINVAL, with the reason as the detail. Origin: none. */
HOYA_API int hoya_address_set(hoya_address *address, const char *host, const char *port);

/* Of a Unix socket: a path, or "@name" for an abstract one ("./@name" for a path that begins so). Errors: HOYA_EINVAL (it
 * is empty), HOYA_ENAMETOOLONG. Origin: none. */
HOYA_API int hoya_address_set_unix(hoya_address *address, const char *path);

/* ---- names --------------------------------------------------------------------------------------------------- */

/* Looks a host and a service up. The future's value is a struct addrinfo *, never NULL, and destroyed with it: borrow it by
 * hoya_future_result, or move it out by hoya_future_take. hints may be NULL: all zeros (then each address comes once for
 * each type of socket); of it the flags, the family, the type and the protocol count. As host NULL is nobody in particular:
 * this machine, or with AI_PASSIVE each of its addresses; "" is the same with AI_PASSIVE. As service NULL is port 0.
 *
 * Numbers are answered at once: the future of a numeric host (IPv6 with its scope, and without brackets), or of none, with
 * a numeric service or none, is done when this returns; its callbacks run from the loop as ever. Everything else goes to
 * threads of the loop's own, at most 4 and not those of its default executor, so that neither can block the other. A cancel
 * is at once: a question that waits for a thread is never asked, of one that was asked the answer is dropped. The loop's
 * close waits for none of them. In debug mode one that takes slow_callback_duration or longer is logged.
 *
 * What is wrong with the arguments is this call's answer, and nothing was asked: HOYA_EINVAL (no place for the future; neither host nor service; an
 * empty one; brackets, spaces or control characters in it; a port that is negative or over 65535), HOYA_ENAMETOOLONG (a
 * host of more than 253 characters, a service of more than 255 bytes), HOYA_EAI_BADFLAGS, HOYA_EAI_FAMILY (neither of
 * AF_UNSPEC, AF_INET, AF_INET6), HOYA_ENOTSUP (not ASCII, with a C library that cannot encode it), HOYA_ENOMEM,
 * HOYA_EAGAIN (there is no thread, and none can be made), those of the loop. What the lookup says is the future's:
 * HOYA_EAI_NONAME and its sisters, with host and service in the text. Origin: loop.getaddrinfo. */
HOYA_API int hoya_getaddrinfo(hoya_loop *loop, const char *host, const char *service, const struct addrinfo *hints,
                              hoya_future **future);

typedef struct hoya_name_info {
    const char *host, *service; /* never NULL */
} hoya_name_info;

/* The way back. The future's value is a hoya_name_info *, destroyed with it. flags: NI_*; with both NI_NUMERICHOST and
 * NI_NUMERICSERV it is done when this returns. Errors: HOYA_EINVAL (too short for its family; no place for the future), HOYA_EAI_FAMILY (neither
 * AF_INET nor AF_INET6), HOYA_EAI_BADFLAGS, and as above. Origin: loop.getnameinfo. */
HOYA_API int hoya_getnameinfo(hoya_loop *loop, const struct sockaddr *address, socklen_t length, int flags,
                              hoya_future **future);

/* A list in the library's memory, one block, with room for nothing else: what hoya_getaddrinfo gives. Thread: any. Errors:
 * HOYA_ENOMEM, HOYA_EINVAL (an empty list). Origin: none. */
HOYA_API int hoya_copy_addrinfo(const struct addrinfo *list, struct addrinfo **copy);
HOYA_API void hoya_freeaddrinfo(struct addrinfo *list); /* of hoya_getaddrinfo or hoya_copy_addrinfo; may be NULL */

/* ---- another resolver ------------------------------------------------------------------------------------------ */

/* What stands in the place of the system's: both functions run inline and answer as those above, on the loop's thread, with a
 * future of the loop. The arguments were looked at: host or service is there, hints are never NULL, and what is numeric in both was
 * answered before. A host need not be ASCII. Strings and structs are borrowed for the call. NULL: the system's. Connections,
 * servers and datagrams fail with HOYA_EAI_NONAME where the answer is empty, and with HOYA_EAI_FAMILY where one of its nodes is
 * no address of IPv4 or IPv6, of just its length. */
typedef struct hoya_resolver_ops {
    size_t size; /* sizeof(hoya_resolver_ops) */
    const char *name;
    int (*getaddrinfo)(hoya_loop *loop, const char *host, const char *service, const struct addrinfo *hints,
                       void *arg, hoya_future **future);
    int (*getnameinfo)(hoya_loop *loop, const struct sockaddr *address, socklen_t length, int flags, void *arg,
                       hoya_future **future);
    /* Another one is set, or the loop is closed: nothing is called after this. Its futures may still be pending. May be
     * NULL; may be called in the child of a fork. */
    void (*free)(void *arg);
} hoya_resolver_ops;

/* From the next question on; not inside one of its functions. Takes `arg`: ops->free gets it, also when this fails. ops NULL
 * restores the system's. Errors: HOYA_EINVAL (ops of another version; then nothing is called), HOYA_ENOMEM, those of the
 * loop. Origin: none. */
HOYA_API int hoya_set_resolver(hoya_loop *loop, const hoya_resolver_ops *ops, void *arg);

HOYA_END_DECLS

#endif
