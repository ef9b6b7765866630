/* SPDX-License-Identifier: MIT
 *
 * base/libc_gnu.h: what differs between C libraries, with glibc from 2.35 on: it has all that we want.
 */
#ifndef HOYA_BASE_LIBC_H
#define HOYA_BASE_LIBC_H

#include <string.h>
#include <sys/epoll.h>

/* Has no buffer and so no race; NULL for what the system does not know either. */
static inline const char *hoya_libc_error_text(int number)
{
    return strerrordesc_np(number);
}

#endif
