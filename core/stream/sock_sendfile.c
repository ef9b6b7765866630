/* SPDX-License-Identifier: MIT
 *
 * stream/sock_sendfile.c: a file into a socket: by sendfile(2), a piece at a time; where that cannot read the file, by reads
 * in the loop's default executor, as files block.
 *
 * A piece that was read belongs to nobody but the job that read it, and then to the task: the loop's close waits for no job.
 */
#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sys.h"
#include "stream/sock.h"

#define PIECE (1 << 20) /* of what sendfile(2) is asked for: a turn of the processor's, not the whole file */
#define READ_PIECE (1 << 16)

typedef struct transfer {
    hoya_sock_call call;
    hoya_fd file;
    int64_t offset, left, sent;
} transfer;

static void went(transfer *t, size_t bytes)
{
    t->offset += (int64_t)bytes;
    t->left -= (int64_t)bytes;
    t->sent += (int64_t)bytes;
    hoya_sock_moved(&t->call, bytes, t->left != 0);
}

static int unreadable(hoya_fd file)
{
    if (errno == ESPIPE) return hoya_error_set(HOYA_EINVAL, "descriptor %d cannot be read from an offset", file);
    return hoya_error_errno("the file to send");
}

/* ---- by the system ---------------------------------------------------------------------------------------- */

/* The socket can take nothing but bytes in memory, or the file gives none in any other way. */
static bool is_unable(int code)
{
    return code == EINVAL || code == ENOSYS || code == EOVERFLOW || code == EOPNOTSUPP;
}

/* 0: to the end; HOYA_ENOTSUP: it cannot. */
static int send_by_system(transfer *t)
{
    while (t->left) {
        ssize_t n = hoya_sys_send_file(t->call.fd, t->file, t->offset, t->left < PIECE ? (size_t)t->left : PIECE);
        if (n == 0) return 0;
        if (n > 0) {
            went(t, (size_t)n);
            continue;
        }
        if (is_unable(errno)) return hoya_error_set(HOYA_ENOTSUP, "the system's sendfile cannot send this file");
        int rc = errno == ESPIPE ? unreadable(t->file) : hoya_sock_again(&t->call, "sendfile");
        if (rc < 0) return rc;
    }
    return 0;
}

/* ---- by reading ------------------------------------------------------------------------------------------- */

typedef struct piece {
    hoya_fd file;
    int64_t offset;
    size_t size; /* wanted; then: there */
    char bytes[];
} piece;

/* In a thread: the piece, filled, is the value. */
static int read_piece(hoya_job *self, void *arg)
{
    const piece *wanted = arg;
    piece *p = hoya_resize(NULL, 1, sizeof *p + wanted->size);
    ssize_t n;
    if (!p) return HOYA_ENOMEM;
    do n = hoya_sys_pread(wanted->file, p->bytes, wanted->size, (off_t)wanted->offset);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        int rc = unreadable(wanted->file);
        hoya_free(p);
        return rc;
    }
    p->size = (size_t)n;
    hoya_job_set_value(self, p, hoya_free);
    return 0;
}

static int get_piece(transfer *t, piece **out)
{
    piece *wanted = hoya_new(piece);
    void *value;
    if (!wanted) return HOYA_ENOMEM;
    wanted->file = t->file;
    wanted->offset = t->offset;
    wanted->size = t->left < READ_PIECE ? (size_t)t->left : READ_PIECE;
    int rc = hoya_to_thread(read_piece, wanted, hoya_free, &value, NULL);
    if (rc >= 0) *out = value;
    return rc;
}

static int send_piece(transfer *t, const piece *p)
{
    size_t done = 0;
    while (done < p->size) {
        ssize_t n = hoya_sys_send(t->call.fd, p->bytes + done, p->size - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        int rc = n < 0 ? hoya_sock_again(&t->call, "send") : 0;
        if (rc < 0) return rc;
        if (n < 0) continue;
        done += (size_t)n;
        went(t, (size_t)n);
    }
    return 0;
}

static int send_by_reading(transfer *t)
{
    int rc = hoya_sock_claim(&t->call); /* while the file is read, too */
    while (rc >= 0 && t->left) {
        piece *p;
        hoya_watch_listen(&t->call.wait, false);
        rc = get_piece(t, &p);
        if (rc < 0) break;
        bool end = p->size == 0;
        rc = send_piece(t, p);
        hoya_free(p);
        if (end) break;
    }
    return rc;
}

/* ---- both ------------------------------------------------------------------------------------------------- */

int hoya_sock_sendfile(hoya_fd fd, hoya_fd file, int64_t offset, int64_t count, uint32_t flags, int64_t *sent)
{
    const uint32_t both = HOYA_SENDFILE_NATIVE | HOYA_SENDFILE_READ;
    transfer t = {.file = file, .offset = offset, .left = count};
    if (sent) *sent = 0;
    if (flags & ~both || flags == both)
        return hoya_error_set(HOYA_EINVAL, "sendfile with flags 0x%x", (unsigned)flags);
    if (offset < 0) return hoya_error_set(HOYA_EINVAL, "sendfile from a negative offset");
    if (count < 0) return hoya_error_set(HOYA_EINVAL, "sendfile of %lld bytes", (long long)count);
    if (file < 0) return hoya_error_set(HOYA_EBADF, "descriptor %d is negative", file);
    int rc = hoya_sock_begin(&t.call, fd, HOYA_SIDE_WRITER, HOYA_CALLER());
    if (rc >= 0) rc = hoya_sock_check_nonblocking(fd);
    if (rc < 0) return rc;
    if (!(flags & HOYA_SENDFILE_READ)) rc = send_by_system(&t);
    if (flags & HOYA_SENDFILE_READ || (rc == HOYA_ENOTSUP && !(flags & HOYA_SENDFILE_NATIVE)))
        rc = send_by_reading(&t);
    if (sent) *sent = t.sent;
    return (int)hoya_sock_end(&t.call, rc);
}
