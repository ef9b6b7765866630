/* SPDX-License-Identifier: MIT
 *
 * io/descriptors.c: what goes out of a Unix connection beside bytes: descriptors, with the first byte of their write.
 *
 * One send carries the descriptors of one write. So what waits is sent in pieces that end where the next descriptors begin,
 * and these go with the piece that begins there.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "io/transport.h"

/* ---- those that wait ------------------------------------------------------------------------------------------ */

static void free_batch(hoya_passed_batch *batch)
{
    while (batch->count) hoya_fd_close(&batch->fds[--batch->count]);
    hoya_free(batch);
}

/* Copies, since the caller may close his. */
static int new_batch(const hoya_fd *fds, size_t count, hoya_passed_batch **out)
{
    hoya_passed_batch *batch = hoya_new_zeroed(sizeof *batch + count * sizeof *fds);
    if (!batch) return HOYA_ENOMEM;
    for (; batch->count < count; batch->count++) {
        hoya_fd copy = hoya_sys_duplicate(fds[batch->count]);
        if (copy < 0) {
            int rc = hoya_error_errno("a copy of a descriptor to be passed");
            free_batch(batch);
            return rc;
        }
        batch->fds[batch->count] = hoya_fd_adopt(copy);
    }
    *out = batch;
    return 0;
}

static void append(hoya_passed *passed, hoya_passed_batch *batch)
{
    if (passed->last) passed->last->next = batch;
    else passed->first = batch;
    passed->last = batch;
}

static void drop_first(hoya_passed *passed)
{
    hoya_passed_batch *batch = passed->first;
    passed->first = batch->next;
    if (!passed->first) passed->last = NULL;
    free_batch(batch);
}

static void drop_last(hoya_passed *passed)
{
    hoya_passed_batch *last = passed->last, *before = NULL;
    for (hoya_passed_batch *at = passed->first; at != last; at = at->next) before = at;
    passed->last = before;
    if (before) before->next = NULL;
    else passed->first = NULL;
    free_batch(last);
}

void hoya_passed_move(hoya_passed *passed, size_t count)
{
    for (hoya_passed_batch *at = passed->first; at; at = at->next) at->before -= count;
}

void hoya_passed_clear(hoya_passed *passed)
{
    while (passed->first) drop_first(passed);
}

/* ---- the engine's side ------------------------------------------------------------------------------------------ */

static int cut(struct iovec *parts, int count, size_t most)
{
    for (int i = 0; i < count; i++) {
        if (parts[i].iov_len >= most) {
            parts[i].iov_len = most;
            return i + 1;
        }
        most -= parts[i].iov_len;
    }
    return count;
}

int hoya_descriptors_output(hoya_transport *transport, struct iovec *parts, int max)
{
    hoya_channel *channel = &transport->channel;
    hoya_passed *passed = &transport->more->passed;
    hoya_passed_batch *batch = passed->first;
    int count = hoya_output_parts(&transport->output, parts, max);
    if (batch->before) return cut(parts, count, batch->before);
    if (batch->next) count = cut(parts, count, batch->next->before);
    ssize_t sent = channel->engine->send_fds(channel, parts, count, batch->fds, batch->count);
    if (sent > 0) drop_first(passed);
    if (sent) hoya_transport_sent(channel, sent);
    return 0;
}

/* ---- the program's side ------------------------------------------------------------------------------------------ */

static int check(const hoya_transport *transport, const void *data, size_t size, const hoya_fd *fds, size_t count)
{
    if (hoya_transport_family(transport) != AF_UNIX)
        return hoya_error_set(HOYA_ENOTSUP, "descriptors are passed over Unix connections only");
    if (!data || !size) return hoya_error_set(HOYA_EINVAL, "descriptors travel with a byte at least");
    if (!fds || !count) return hoya_error_set(HOYA_EINVAL, "write_fds without descriptors");
    if (count > HOYA_FDS_MAX)
        return hoya_error_set(HOYA_EINVAL, "%zu descriptors; one write takes %d", count, HOYA_FDS_MAX);
    return 0;
}

/* The system says so of the descriptors, and has not looked at the connection. */
static bool is_of_fds(ssize_t code)
{
    return code == HOYA_EBADF || code == HOYA_EINVAL || code == HOYA_EPERM || code == HOYA_ETOOMANYREFS ||
           code == HOYA_EMFILE;
}

static int keep(hoya_transport *transport, const struct iovec *part, const hoya_fd *fds, size_t count)
{
    hoya_passed_batch *batch = NULL;
    int rc = hoya_transport_want_more(transport);
    if (rc >= 0) rc = new_batch(fds, count, &batch);
    if (rc < 0) return rc;
    batch->before = transport->output.size;
    append(&transport->more->passed, batch); /* first: the protocol may be told to pause, and run the host's loop */
    rc = hoya_transport_finish_write(transport, part, 1, part->iov_len, 0);
    if (rc < 0 && !transport->lost_due) drop_last(&transport->more->passed); /* for its bytes there is no memory */
    return rc;
}

int hoya_transport_write_fds(hoya_transport *transport, const void *data, size_t size, const hoya_fd *fds,
                             size_t count)
{
    int rc = hoya_transport_enter_write(transport);
    if (rc >= 0) rc = check(transport, data, size, fds, count);
    if (rc >= 0) rc = hoya_transport_check_limit(transport, size);
    if (rc < 0) return rc;
    union { /* nothing is written to it */
        const void *given;
        void *wanted;
    } cast = {data};
    struct iovec part = {cast.wanted, size};
    hoya_channel *channel = &transport->channel;
    ssize_t sent = transport->output.size ? 0 : channel->engine->send_fds(channel, &part, 1, fds, count);
    if (is_of_fds(sent)) return hoya_error_set((int)sent, "passing descriptors: %s", hoya_strerror((int)sent));
    return sent ? hoya_transport_finish_write(transport, &part, 1, size, sent) : keep(transport, &part, fds, count);
}
