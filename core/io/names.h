/* SPDX-License-Identifier: MIT
 *
 * io/names.h: what can be asked of a resolver, how the system's codes become ours, and names as texts show them.
 */
#ifndef HOYA_IO_NAMES_H
#define HOYA_IO_NAMES_H

#include <netdb.h>
#include <stdbool.h>

/* Each answers 0, or a code with the reason as the detail. */
int hoya_check_host(const char *host);
int hoya_check_service(const char *service);
int hoya_check_hints(const struct addrinfo *hints);
int hoya_check_name_flags(int flags);
/* Is there as much of it as its family needs? HOYA_EINVAL. Another family than IPv4 and IPv6: 0. */
int hoya_check_length(const struct sockaddr *address, socklen_t length);

bool hoya_is_ascii(const char *name);
/* The service is a port. */
bool hoya_is_port(const char *service);

/* The code for what getaddrinfo or getnameinfo returned; errno is the call's. */
int hoya_code_of_eai(int eai);

/* `"name"` into `text`, which it returns: cut to so many bytes, between characters, "..." behind it then. */
#define HOYA_QUOTED_SIZE 96
const char *hoya_quoted(const char *name, char text[HOYA_QUOTED_SIZE]);

#endif
