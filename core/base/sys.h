/* SPDX-License-Identifier: MIT
 *
 * base/sys.h: system calls as hoya_sys_NAME(). Twins, chosen by CMake: base/sys_direct.h calls the system,
 * and costs nothing; base/sys_table.h goes through a table in which a test can replace any entry
 * (HOYA_FAULTS). Another pair evens out the C libraries: base/libc_gnu.h, base/libc_other.h.
 */
#ifndef HOYA_BASE_SYS_H
#define HOYA_BASE_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* open, ioctl and fcntl take a varying number of arguments, which a table cannot. */
static inline int open_readonly(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static inline int count_unread(int fd, int *bytes)
{
    return ioctl(fd, FIONREAD, bytes);
}

/* From 3 on: where a program has closed a standard descriptor it must not become somebody's standard output. */
static inline int duplicate(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

/* sendfile has no MSG_NOSIGNAL. The SIGPIPE that it makes is this thread's, and is taken back, unless one was there before. */
static inline ssize_t send_file(int socket, int file, int64_t offset, size_t count)
{
    const struct timespec none = {0, 0};
    sigset_t sigpipe, before, pending;
    off_t at = (off_t)offset;
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
    ssize_t n = sendfile(socket, file, &at, count);
    int saved = errno;
    bool may_have_come = n < 0 ? saved == EPIPE : n < (ssize_t)count;
    if (may_have_come && !sigismember(&pending, SIGPIPE)) sigtimedwait(&sigpipe, NULL, &none);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return n;
}

/* For a descriptor that was given to us: as ours are from birth. */
static inline int set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)) return -1;
    flags = fcntl(fd, F_GETFD);
    return flags < 0 || (!(flags & FD_CLOEXEC) && fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0) ? -1 : 0;
}

/* Says whether it is blocking (O_NONBLOCK). */
static inline int status_flags(int fd)
{
    return fcntl(fd, F_GETFL);
}

static inline int fcntl_number(int fd, int command, int number)
{
    return fcntl(fd, command, number);
}

/* A terminal as a file of its own, which shares no flags; ENOTTY for what is none, and for a master: there is no second one. */
static inline int reopen_terminal(int fd, int flags)
{
    char path[32];
    unsigned number;
    if (!isatty(fd)) return -1;
    if (ioctl(fd, TIOCGPTN, &number) == 0) return errno = ENOTTY, -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, flags | O_NOCTTY | O_CLOEXEC);
}

/* writev that raises no SIGPIPE: since Linux 6.18; EOPNOTSUPP before. By its number, and at the file's position (two
 * halves of -1 where an offset has two). */
#define HOYA_RWF_NOSIGNAL 0x100
static inline ssize_t writev_quietly(int fd, const struct iovec *parts, int count)
{
    return syscall(SYS_pwritev2, fd, parts, (long)count, -1L, -1L, (long)HOYA_RWF_NOSIGNAL);
}

#include HOYA_LIBC
#include "base/sys_list.h"
#include HOYA_SYS_CALLS

#endif
