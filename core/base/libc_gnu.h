/* SPDX-License-Identifier: MIT
 *
 * base/libc_gnu.h: what differs between C libraries, with glibc from 2.35 on: it has all that we want.
 */
#ifndef HOYA_BASE_LIBC_H
#define HOYA_BASE_LIBC_H

#include <netdb.h>
#include <string.h>
#include <sys/epoll.h>

/* At a fixed distance from the thread pointer: no call, where the code is in a shared library. Such room is scarce for
 * libraries that are loaded late: pointers only. */
#define HOYA_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))

/* Has no buffer and so no race; NULL for what the system does not know either. */
static inline const char *hoya_libc_error_text(int number)
{
    return strerrordesc_np(number);
}

/* Names beyond ASCII: getaddrinfo encodes them, from the thread's locale; and the flags of that kind. */
#define HOYA_LIBC_AI_IDN AI_IDN
#define HOYA_LIBC_AI_FLAGS (AI_IDN | AI_CANONIDN)
#define HOYA_LIBC_NI_FLAGS NI_IDN

#endif
