/* SPDX-License-Identifier: MIT
 *
 * hoya_hiredis.h: hiredis on a loop of hoya's, whatever that one's host is: an adapter like those in <hiredis/adapters/>.
 *
 *     redisAsyncContext *redis = redisAsyncConnectUnix("/run/redis/redis.sock");
 *     int rc = hoya_hiredis_attach(loop, redis);
 *
 * hiredis asks to be told when its socket is readable or writable, and does the rest in its own callbacks, which are
 * callbacks of the loop then. It closes the socket after `cleanup`, in which the loop forgets it.
 *
 * hiredis asks for readiness in functions that cannot fail. Where the loop cannot watch the socket (no memory), the
 * connection is freed in the next round, by hiredis' own way: its callbacks get no reply, and see REDIS_ERR_OOM in `err`; who
 * waits for the connection hears of the failure. That needs no memory: a future is made with the adapter, for nothing else.
 */
#ifndef HOYA_HIREDIS_H
#define HOYA_HIREDIS_H

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <hoya/hoya.h>
#include <stdlib.h>
#include <string.h>

typedef struct hoya_hiredis {
    redisAsyncContext *context;
    hoya_loop *loop; /* a reference */
    hoya_future *given_up;
    hoya_handle *freeing; /* its callback; taken back when hiredis is freed otherwise */
    int reading, writing;
} hoya_hiredis;

static inline void hoya_hiredis_readable(hoya_fd fd, uint32_t events, void *arg)
{
    (void)fd;
    (void)events;
    redisAsyncHandleRead(((hoya_hiredis *)arg)->context); /* may free it */
}

static inline void hoya_hiredis_writable(hoya_fd fd, uint32_t events, void *arg)
{
    (void)fd;
    (void)events;
    redisAsyncHandleWrite(((hoya_hiredis *)arg)->context);
}

/* In the next round: hiredis is in the middle of something here. */
static inline void hoya_hiredis_give_up(hoya_hiredis *h)
{
    hoya_future_set_result(h->given_up, NULL, NULL); /* not the first time, maybe */
}

static inline void hoya_hiredis_free(hoya_future *given_up, void *arg)
{
    redisAsyncContext *context = ((hoya_hiredis *)arg)->context;
    (void)given_up;
    context->err = context->c.err = REDIS_ERR_OOM;
    context->errstr = strcpy(context->c.errstr, "the socket cannot be watched");
    if (!(context->c.flags & REDIS_CONNECTED) && context->onConnect) context->onConnect(context, REDIS_ERR);
    redisAsyncFree(context); /* cleans up */
}

static inline void hoya_hiredis_add_read(void *arg)
{
    hoya_hiredis *h = (hoya_hiredis *)arg;
    if (h->reading) return;
    h->reading = hoya_loop_add_reader(h->loop, h->context->c.fd, hoya_hiredis_readable, h, NULL) >= 0;
    if (!h->reading) hoya_hiredis_give_up(h);
}

static inline void hoya_hiredis_del_read(void *arg)
{
    hoya_hiredis *h = (hoya_hiredis *)arg;
    if (h->reading) hoya_loop_remove_reader(h->loop, h->context->c.fd);
    h->reading = 0;
}

static inline void hoya_hiredis_add_write(void *arg)
{
    hoya_hiredis *h = (hoya_hiredis *)arg;
    if (h->writing) return;
    h->writing = hoya_loop_add_writer(h->loop, h->context->c.fd, hoya_hiredis_writable, h, NULL) >= 0;
    if (!h->writing) hoya_hiredis_give_up(h);
}

static inline void hoya_hiredis_del_write(void *arg)
{
    hoya_hiredis *h = (hoya_hiredis *)arg;
    if (h->writing) hoya_loop_remove_writer(h->loop, h->context->c.fd);
    h->writing = 0;
}

static inline void hoya_hiredis_cleanup(void *arg)
{
    hoya_hiredis *h = (hoya_hiredis *)arg;
    hoya_hiredis_del_read(h);
    hoya_hiredis_del_write(h);
    hoya_handle_cancel(h->freeing);
    hoya_handle_unref(h->freeing);
    hoya_future_unref(h->given_up);
    hoya_loop_unref(h->loop);
    free(h);
}

/* Before the first command, on the loop's thread. REDIS_OK; or REDIS_ERR: it has an adapter already, there is no connection, or
 * no memory. */
static inline int hoya_hiredis_attach(hoya_loop *loop, redisAsyncContext *context)
{
    if (context->ev.data || context->err) return REDIS_ERR;
    hoya_hiredis *h = (hoya_hiredis *)calloc(1, sizeof *h);
    if (!h) return REDIS_ERR;
    int rc = hoya_future_new(loop, &h->given_up);
    if (rc >= 0) rc = hoya_future_add_done_callback(h->given_up, hoya_hiredis_free, h, NULL, &h->freeing);
    if (rc < 0) {
        hoya_future_unref(h->given_up);
        free(h);
        return REDIS_ERR;
    }
    h->context = context;
    h->loop = hoya_loop_ref(loop);
    context->ev.addRead = hoya_hiredis_add_read;
    context->ev.delRead = hoya_hiredis_del_read;
    context->ev.addWrite = hoya_hiredis_add_write;
    context->ev.delWrite = hoya_hiredis_del_write;
    context->ev.cleanup = hoya_hiredis_cleanup;
    context->ev.data = h;
    return REDIS_OK;
}

#endif
