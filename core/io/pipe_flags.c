/* SPDX-License-Identifier: MIT
 *
 * io/pipe_flags.c: a descriptor that was given to us, and whose open file others share: the shell has the same terminal, and so have
 * our own standard output and error. O_NONBLOCK is a flag of that file.
 *
 * A terminal is opened once more, and the new file takes over the number: then nobody else's has changed, whatever becomes
 * of this process. That cannot be for the master of a pseudo-terminal (to open it makes another one) nor without the right to
 * open it. There, and for pipes, the flag is set, and the transport that has set it takes it back at its end. If another one of the
 * loop's has the same file, as a dup, that one inherits the duty. Which one that is, is tried: it misses the flag when that is
 * taken from the file, and has it when it is set again. (Who misses it all the time has another file, and lost it by somebody
 * else's doing.)
 */
#include <fcntl.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/fork.h"
#include "base/sys.h"
#include "io/pipe.h"

int hoya_pipe_flags_read(hoya_fd fd, hoya_pipe_flags *flags)
{
    int file = hoya_sys_fcntl_number(fd, F_GETFL, 0);
    int own = file < 0 ? -1 : hoya_sys_fcntl_number(fd, F_GETFD, 0);
    if (own < 0) return hoya_error_errno("the flags of a pipe's descriptor");
    *flags = (hoya_pipe_flags){file, own};
    return 0;
}

static int set_file(hoya_fd fd, const hoya_pipe_flags *flags, int more)
{
    return hoya_sys_fcntl_number(fd, F_SETFL, flags->file | more);
}

/* The standard descriptors are the children's, too: without one a program fails at its first word. */
static bool is_standard(hoya_fd fd)
{
    return fd <= STDERR_FILENO;
}

int hoya_pipe_flags_set(hoya_fd fd, const hoya_pipe_flags *flags, bool nonblocking)
{
    int rc = 0;
    if (!is_standard(fd) && !(flags->own & FD_CLOEXEC))
        rc = hoya_sys_fcntl_number(fd, F_SETFD, flags->own | FD_CLOEXEC);
    if (rc >= 0 && nonblocking && !(flags->file & O_NONBLOCK)) rc = set_file(fd, flags, O_NONBLOCK);
    if (rc >= 0) return 0;
    rc = hoya_error_errno("O_NONBLOCK and FD_CLOEXEC");
    hoya_pipe_flags_undo(fd, flags);
    return rc;
}

void hoya_pipe_flags_undo(hoya_fd fd, const hoya_pipe_flags *flags)
{
    hoya_sys_fcntl_number(fd, F_SETFL, flags->file);
    hoya_sys_fcntl_number(fd, F_SETFD, flags->own);
}

/* ---- whose flag it is ------------------------------------------------------------------------------------------ */

/* True: the number leads to a file that nobody else has, and the old one is as it was. */
static bool take_own_file(hoya_transport *transport, const hoya_pipe_flags *flags)
{
    hoya_fd fd = transport->channel.record.fd;
    hoya_fd own = hoya_sys_reopen_terminal(fd, (flags->file & (O_ACCMODE | O_APPEND)) | O_NONBLOCK);
    if (own < 0) return false;
    hoya_fd_adopt(own);
    set_file(fd, flags, 0); /* while there is still a way to it */
    bool closes = !is_standard(fd) || flags->own & FD_CLOEXEC;
    bool done = hoya_sys_dup3(own, fd, closes ? O_CLOEXEC : 0) >= 0;
    hoya_fd_close(&own);
    if (!done && set_file(fd, flags, O_NONBLOCK) < 0) /* it would block the loop */
        hoya_transport_end(transport, hoya_error_errno("O_NONBLOCK"));
    return done;
}

void hoya_pipe_settle(hoya_transport *transport, const hoya_pipe_flags *flags)
{
    transport->nonblocking = true;
    if (flags->file & O_NONBLOCK) return;
    transport->puts_back = !take_own_file(transport, flags);
    transport->generation = hoya_fork_generation();
}

static bool has_flag(hoya_fd fd)
{
    return hoya_sys_fcntl_number(fd, F_GETFL, 0) & O_NONBLOCK; /* if it cannot be told: yes, and nothing is done */
}

/* Who else has this file? The flag has just been taken from it; it is set again if there is somebody. */
static hoya_transport *find_sharer(const hoya_transport *transport, hoya_fd fd, const hoya_pipe_flags *without)
{
    hoya_loop_io *io = transport->channel.loop->slots[HOYA_SLOT_IO].data;
    for (hoya_list *node = io->transports.next; node != &io->transports; node = node->next) {
        hoya_transport *other = HOYA_CONTAINER_OF(node, hoya_transport, node);
        hoya_fd theirs = other->channel.record.fd;
        if (!other->nonblocking || has_flag(theirs)) continue;
        set_file(fd, without, O_NONBLOCK);
        if (has_flag(theirs)) return other;
        set_file(fd, without, 0);
    }
    return NULL;
}

void hoya_pipe_put_back(hoya_transport *transport, hoya_fd fd)
{
    transport->puts_back = false;
    if (transport->generation != hoya_fork_generation()) return; /* the file is the parent's, too */
    int file = hoya_sys_fcntl_number(fd, F_GETFL, 0);
    if (file < 0) return;
    hoya_pipe_flags without = {.file = file & ~O_NONBLOCK};
    if (set_file(fd, &without, 0) < 0) return;
    hoya_transport *heir = find_sharer(transport, fd, &without);
    if (!heir) return;
    heir->puts_back = true;
    heir->generation = transport->generation;
}
