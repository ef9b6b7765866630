/* SPDX-License-Identifier: MIT
 *
 * base/fd.c: birth, use and death of the library's own descriptors.
 */
#include "base/fd.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sys.h"

static int born(int fd, const char *what)
{
    if (fd < 0) return hoya_error_errno(what);
    hoya_live_add(HOYA_LIVE_FDS, 1);
    return fd;
}

int hoya_fd_open_event(void)
{
    return born(hoya_sys_eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
}

int hoya_fd_open_timer(void)
{
    return born(hoya_sys_timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create");
}

int hoya_fd_open_epoll(void)
{
    return born(hoya_sys_epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
}

hoya_fd hoya_fd_adopt(hoya_fd fd)
{
    hoya_live_add(HOYA_LIVE_FDS, 1);
    return fd;
}

void hoya_fd_close(hoya_fd *fd)
{
    if (*fd == HOYA_INVALID_FD) return;
    /* Not repeated after EINTR: on Linux the number is free by then and may belong to another thread. */
    hoya_sys_close(*fd);
    hoya_live_add(HOYA_LIVE_FDS, -1);
    *fd = HOYA_INVALID_FD;
}

void hoya_fd_signal_event(hoya_fd fd)
{
    int saved = errno;
    uint64_t one = 1;
    ssize_t n;
    do n = hoya_sys_write(fd, &one, sizeof one);
    while (n < 0 && errno == EINTR);
    errno = saved;
}

void hoya_fd_drain_event(hoya_fd fd)
{
    uint64_t count;
    ssize_t n;
    do n = hoya_sys_read(fd, &count, sizeof count);
    while (n < 0 && errno == EINTR);
}

int64_t hoya_fd_read_number(const char *path)
{
    char text[24] = "";
    int fd = born(hoya_sys_open_readonly(path), path);
    if (fd < 0) return fd;
    ssize_t n;
    do n = hoya_sys_read(fd, text, sizeof text - 1);
    while (n < 0 && errno == EINTR);
    int rc = n < 0 ? hoya_error_errno(path) : 0;
    hoya_fd_close(&fd);
    char *end;
    long long number = strtoll(text, &end, 10);
    if (rc == 0 && (end == text || number < 0)) rc = hoya_error_set(HOYA_EINVAL, "%s: not a number", path);
    return rc < 0 ? rc : number;
}

int hoya_fd_set_timer(hoya_fd fd, int64_t deadline)
{
    struct itimerspec value = {0};
    if (deadline != HOYA_NEVER) {
        /* All zero would disarm; a deadline before the clock's beginning is simply due. */
        if (deadline < 1) deadline = 1;
        value.it_value.tv_sec = (time_t)(deadline / 1000000000);
        value.it_value.tv_nsec = (long)(deadline % 1000000000);
    }
    if (hoya_sys_timerfd_settime(fd, TFD_TIMER_ABSTIME, &value, NULL) < 0)
        return hoya_error_errno("timerfd_settime");
    return 0;
}
