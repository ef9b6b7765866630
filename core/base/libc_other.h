/* SPDX-License-Identifier: MIT
 *
 * base/libc_other.h: what differs between C libraries, with musl and an older glibc: epoll_pwait2 is called by its number,
 * and the text of an error is strerror's, whose texts are constants in musl and nearly so elsewhere.
 */
#ifndef HOYA_BASE_LIBC_H
#define HOYA_BASE_LIBC_H

#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* musl loads no library late that has thread-local variables of another kind. */
#define HOYA_THREAD_LOCAL _Thread_local

/* ASCII names only. */
#define HOYA_LIBC_AI_IDN 0
#define HOYA_LIBC_AI_FLAGS 0
#define HOYA_LIBC_NI_FLAGS 0

static inline const char *hoya_libc_error_text(int number)
{
    return strerror(number);
}

#define HOYA_EPOLL_PWAIT2 441 /* the same on every architecture; older headers do not know it */

static inline int epoll_pwait2(int epfd, struct epoll_event *events, int max, const struct timespec *timeout,
                               const sigset_t *mask)
{
    /* The kernel's struct has 64 bits for each member, also where this one has not. */
    struct {
        long long seconds, nanoseconds;
    } wide = {0, 0};
    if (timeout) wide.seconds = timeout->tv_sec, wide.nanoseconds = timeout->tv_nsec;
    return (int)syscall(HOYA_EPOLL_PWAIT2, epfd, events, max, timeout ? &wide : NULL, mask, _NSIG / 8);
}

#endif
