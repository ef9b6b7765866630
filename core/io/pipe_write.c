/* SPDX-License-Identifier: MIT
 *
 * io/pipe_write.c: reading and writing what is no socket.
 *
 * A write to a pipe that nobody reads raises SIGPIPE, which ends a program that has not asked for it, and the signal's
 * disposition is the program's. Linux from 6.18 on has a write that raises none. Before that the signal is blocked around the write,
 * in this thread, and the one that the write has raised is taken out: it is the thread's own. One that was pending before
 * stays: that can be only where the program blocks the signal, since otherwise it would have come.
 */
#include <errno.h>
#include <signal.h>

#include "base/sys.h"
#include "io/pipe.h"

ssize_t hoya_pipe_read(hoya_fd fd, void *memory, size_t size)
{
    ssize_t n = hoya_sys_read(fd, memory, size);
    return n < 0 && errno == EIO ? 0 : n; /* statement 122: the other side of a terminal is closed */
}

static bool is_pending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) > 0;
}

static ssize_t write_masked(hoya_fd fd, const struct iovec *parts, int count)
{
    const struct timespec now = {0, 0};
    sigset_t sigpipe, before;
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
    bool blocked = sigismember(&before, SIGPIPE) > 0;
    bool pending = blocked && is_pending();
    ssize_t n = hoya_sys_writev(fd, parts, count);
    int error = errno;
    if (n < 0 && error == EPIPE && !pending)
        while (sigtimedwait(&sigpipe, NULL, &now) < 0 && errno == EINTR) continue;
    if (!blocked) pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return n;
}

ssize_t hoya_pipe_write(hoya_loop *loop, hoya_fd fd, const struct iovec *parts, int count)
{
    hoya_loop_io *io = loop->slots[HOYA_SLOT_IO].data;
    if (!io->masks_sigpipe) {
        ssize_t n = hoya_sys_writev_quietly(fd, parts, count);
        if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS)) return n;
        io->masks_sigpipe = true;
    }
    return write_masked(fd, parts, count);
}
