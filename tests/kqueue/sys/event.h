/* SPDX-License-Identifier: MIT
 *
 * kqueue/sys/event.h: kqueue's header as far as core/poll/kqueue.c uses it, with the names and shapes that the BSDs' manuals
 * give. What stands behind it is kqueue/fake.cc.
 */
#ifndef HOYA_TESTS_KQUEUE_SYS_EVENT_H
#define HOYA_TESTS_KQUEUE_SYS_EVENT_H

#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kevent {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned int fflags;
    intptr_t data;
    void *udata;
};

#define EV_SET(event, a, b, c, d, e, f)                                                                            \
    (*(event) = (struct kevent){(a), (short)(b), (unsigned short)(c), (d), (e), (f)})

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_EXCEPT (-15)
#define NOTE_OOB 0x2u

#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

int kqueue(void);
int kevent(int kq, const struct kevent *changes, int change_count, struct kevent *events, int event_count,
           const struct timespec *timeout);

#ifdef __cplusplus
}
#endif

#endif
