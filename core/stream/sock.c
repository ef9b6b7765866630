/* SPDX-License-Identifier: MIT
 *
 * stream/sock.c: the socket calls of tasks: each is a loop around one call of the system's, with a wait where that says "not
 * now" (stream/sock.h).
 *
 * What moves bytes is asked not to block, so that a blocking socket is as good. accept and connect cannot be asked for that,
 * and look at the socket first.
 */
#include "stream/sock.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "base/error_place.h"
#include "base/sys.h"

/* Somebody else may be faster so often in a row, where several processes have one socket. */
#define TIMES_IN_VAIN 8
#define REST HOYA_MSEC(5)

/* ---- a call ---------------------------------------------------------------------------------------------- */

int hoya_sock_begin(hoya_sock_call *call, hoya_fd fd, hoya_watch_side side, const void *place)
{
    int rc = hoya_task_here(&call->task);
    if (rc >= 0) rc = hoya_watch_check_side(call->task->future.loop, fd, side);
    if (rc < 0) return rc;
    call->fd = fd;
    call->side = side;
    call->claimed = false;
    call->in_vain = 0;
    call->place = place;
    return 0;
}

int hoya_sock_check_nonblocking(hoya_fd fd)
{
    int flags = hoya_sys_status_flags(fd);
    if (flags < 0) return hoya_error_errno("the descriptor of a socket");
    if (flags & O_NONBLOCK) return 0;
    return hoya_error_set(HOYA_EINVAL, "descriptor %d would block its thread: it needs O_NONBLOCK", fd);
}

/* The loop has found it ready. */
static void on_ready(void *arg)
{
    hoya_task *task = arg;
    if (!task->queued) hoya_task_queue(task); /* else something else came first, and it goes on by that */
}

int hoya_sock_claim(hoya_sock_call *call)
{
    if (call->claimed) return 0;
    hoya_loop *loop = call->task->future.loop;
    call->wait = (hoya_handle){.refs = 0};
    int rc = hoya_watch_claim_side(loop, &call->wait, call->fd, call->side, on_ready, call->task, call->place);
    call->claimed = rc >= 0;
    return rc;
}

static void describe_wait(const hoya_task *task, char *text, size_t size)
{
    const hoya_sock_call *call = task->body->waits_for; /* on its stack */
    snprintf(text, size, "waits until descriptor %d is %s", call->fd,
             call->side == HOYA_SIDE_READER ? "readable" : "writable");
}

int hoya_sock_wait(hoya_sock_call *call)
{
    int rc = hoya_task_interrupted(call->task);
    if (rc >= 0) rc = hoya_sock_claim(call);
    if (rc >= 0) rc = hoya_watch_listen(&call->wait, true);
    if (rc < 0) return rc;
    /* A wake-up that belonged to something else (a cancel that was taken back) is no reason to return. */
    uint32_t *found = &call->wait.of.fd.events;
    *found = 0;
    while (!*found && rc == 0) {
        hoya_task_suspend(call->task, describe_wait, call);
        if (!*found) rc = hoya_task_interrupted(call->task);
    }
    return rc;
}

/* Ready, and yet nothing to be had, for ever: errors are queued that only recvmsg(MSG_ERRQUEUE) takes, or a datagram socket
 * was shut down. An error of the socket's own is taken by this. */
static int rest(hoya_sock_call *call, const char *what)
{
    int code = 0;
    socklen_t size = sizeof code;
    if (hoya_sys_getsockopt(call->fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0) code = errno;
    if (code) {
        errno = code;
        return hoya_error_errno(what);
    }
    hoya_watch_listen(&call->wait, false);
    return hoya_sleep(REST);
}

int hoya_sock_again(hoya_sock_call *call, const char *what)
{
    if (errno == EINTR) return 0;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return hoya_error_errno(what);
    if (call->in_vain++ < TIMES_IN_VAIN) return hoya_sock_wait(call);
    call->in_vain = TIMES_IN_VAIN;
    int rc = rest(call, what);
    return rc < 0 ? rc : hoya_sock_wait(call);
}

/* Where there is no memory to claim the side, the others have to wait: bytes of theirs would come between. */
void hoya_sock_moved(hoya_sock_call *call, size_t bytes, bool more)
{
    call->in_vain = 0;
    hoya_task_spend_bytes(call->task, bytes);
    if (!more || hoya_likely(--call->task->budget >= 0)) return;
    hoya_error_place errors; /* nobody asked */
    hoya_error_place *before = hoya_error_begin(&errors);
    int rc = hoya_sock_claim(call);
    hoya_error_move(before);
    if (rc >= 0) hoya_task_pause(call->task);
    else call->task->budget = 0; /* to try again */
}

ssize_t hoya_sock_end(hoya_sock_call *call, ssize_t result)
{
    if (call->claimed) hoya_watch_release_side(&call->wait);
    if (result > 0) hoya_task_spend_bytes(call->task, (size_t)result);
    if (result >= 0) hoya_task_spend(call->task);
    return result;
}

/* ---- bytes ------------------------------------------------------------------------------------------------ */

static ssize_t receive(hoya_fd fd, void *buffer, size_t size, hoya_address *from, const void *place)
{
    if (!buffer || !size) return hoya_error_set(HOYA_EINVAL, "no memory to receive into");
    hoya_sock_call call;
    hoya_address sender = {.length = sizeof sender.storage};
    struct sockaddr *address = from ? (struct sockaddr *)&sender.storage : NULL;
    ssize_t n = hoya_sock_begin(&call, fd, HOYA_SIDE_READER, place);
    if (n < 0) return n;
    do {
        n = hoya_sys_recvfrom(fd, buffer, size, MSG_DONTWAIT, address, from ? &sender.length : NULL);
        if (n >= 0) break;
        n = hoya_sock_again(&call, "recv");
    } while (n >= 0);
    if (n >= 0 && from) *from = sender;
    return hoya_sock_end(&call, n);
}

ssize_t hoya_sock_recv(hoya_fd fd, void *buffer, size_t size)
{
    return receive(fd, buffer, size, NULL, HOYA_CALLER());
}

ssize_t hoya_sock_recvfrom(hoya_fd fd, void *buffer, size_t size, hoya_address *from)
{
    return receive(fd, buffer, size, from, HOYA_CALLER());
}

int hoya_sock_sendall(hoya_fd fd, const void *data, size_t size, size_t *sent)
{
    size_t done = 0;
    if (sent) *sent = 0;
    if (!data && size) return hoya_error_set(HOYA_EINVAL, "no data to send");
    hoya_sock_call call;
    int rc = hoya_sock_begin(&call, fd, HOYA_SIDE_WRITER, HOYA_CALLER());
    if (rc < 0) return rc;
    while (rc >= 0 && done < size) {
        ssize_t n = hoya_sys_send(fd, (const char *)data + done, size - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) {
            rc = hoya_sock_again(&call, "send");
        } else {
            done += (size_t)n;
            hoya_sock_moved(&call, (size_t)n, done < size);
        }
    }
    if (sent) *sent = done;
    return (int)hoya_sock_end(&call, rc);
}

ssize_t hoya_sock_sendto(hoya_fd fd, const void *data, size_t size, const hoya_address *to)
{
    if (!data && size) return hoya_error_set(HOYA_EINVAL, "no data to send");
    if (to && to->length > sizeof to->storage) return hoya_error_set(HOYA_EINVAL, "an address that is too long");
    const struct sockaddr *address = to ? (const struct sockaddr *)&to->storage : NULL;
    hoya_sock_call call;
    ssize_t n = hoya_sock_begin(&call, fd, HOYA_SIDE_WRITER, HOYA_CALLER());
    if (n < 0) return n;
    do {
        n = hoya_sys_sendto(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL, address, to ? to->length : 0);
        if (n >= 0) break;
        n = hoya_sock_again(&call, "send");
    } while (n >= 0);
    return hoya_sock_end(&call, n);
}
