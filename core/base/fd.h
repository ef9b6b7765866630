/* SPDX-License-Identifier: MIT
 *
 * base/fd.h: descriptors that the library opens for itself: CLOEXEC and NONBLOCK from birth, and counted.
 */
#ifndef HOYA_BASE_FD_H
#define HOYA_BASE_FD_H

#include <hoya/base.h>

/* Each returns a descriptor, or a negative code with its detail. */
int hoya_fd_open_event(void);
int hoya_fd_open_timer(void);
int hoya_fd_open_epoll(void);

/* A descriptor that a system call has just made, or that somebody gives us: ours from here on. Returns it. */
hoya_fd hoya_fd_adopt(hoya_fd fd);

/* Closes and forgets; HOYA_INVALID_FD is fine. */
void hoya_fd_close(hoya_fd *fd);

/* Makes an event descriptor readable. Async-signal-safe, keeps errno; a full counter is success (a wake is
 * pending). */
void hoya_fd_signal_event(hoya_fd fd);
/* Makes it unreadable again. */
void hoya_fd_drain_event(hoya_fd fd);

/* The number that a file of /proc holds; a negative code if there is none. */
int64_t hoya_fd_read_number(const char *path);

/* Sets a timer descriptor to `deadline` on the monotonic clock; HOYA_NEVER disarms it. */
int hoya_fd_set_timer(hoya_fd fd, int64_t deadline);

#endif
