/* SPDX-License-Identifier: MIT
 *
 * base/sys_kqueue.h: the two system calls of the kqueue selector, where there are such, and what differs between the
 * systems that have them.
 */
#ifndef HOYA_BASE_SYS_KQUEUE_H
#define HOYA_BASE_SYS_KQUEUE_H

#include <sys/event.h>
#include <sys/types.h>
#include <time.h>

static inline int hoya_sys_kqueue(void)
{
    return kqueue();
}

static inline int hoya_sys_kevent(int kq, const struct kevent *changes, int n, struct kevent *events, int max,
                                  const struct timespec *timeout)
{
    return kevent(kq, changes, n, events, max, timeout);
}

/* Out-of-band data has a filter on macOS and OpenBSD only. */
#ifdef EVFILT_EXCEPT
#define HOYA_EVFILT_PRI EVFILT_EXCEPT
#define HOYA_NOTE_PRI NOTE_OOB
#else
#define HOYA_EVFILT_PRI 0
#define HOYA_NOTE_PRI 0
#endif

#endif
