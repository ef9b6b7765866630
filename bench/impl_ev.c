/* SPDX-License-Identifier: MIT
 *
 * impl_ev.c: libev. A callback "soon" is an idle watcher in `chain` (each turn looks at the kernel) and a fed event in
 * `batch`; a post is as with libuv, with ev_async_send.
 */
#include <ev.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

static struct ev_loop *loop;
static long left;

static void chain_step(struct ev_loop *l, ev_idle *idle, int events)
{
    (void)events;
    if (--left == 0) ev_idle_stop(l, idle);
}

static void chain(long n)
{
    ev_idle idle;
    if (!loop) loop = ev_loop_new(0); /* the default one would wait for our child */
    left = n;
    ev_idle_init(&idle, chain_step);
    ev_idle_start(loop, &idle);
    ev_run(loop, 0);
}

static void count_fed(struct ev_loop *l, ev_timer *unused, int events)
{
    (void)l, (void)unused, (void)events;
    left--;
}

static void batch(long n)
{
    static ev_timer fed[1000];
    if (!loop) loop = ev_loop_new(0);
    for (int i = 0; i < 1000; i++) ev_timer_init(&fed[i], count_fed, 0., 0.);
    for (left = n; left > 0;) {
        for (int i = 0; i < 1000; i++) ev_feed_event(loop, &fed[i], EV_CUSTOM);
        ev_run(loop, EVRUN_NOWAIT);
    }
}

static ev_timer **timers;

static void count_down(struct ev_loop *l, ev_timer *timer, int events)
{
    (void)l, (void)events;
    left--;
    free(timer);
}

static void timers_insert(long n, const int *delays)
{
    if (!loop) loop = ev_loop_new(0);
    if (!timers) timers = malloc((size_t)n * sizeof *timers);
    ev_now_update(loop);
    for (long i = 0; i < n; i++) {
        timers[i] = malloc(sizeof **timers);
        ev_timer_init(timers[i], count_down, delays[i] / 1e3, 0.);
        ev_timer_start(loop, timers[i]);
    }
}

static void timers_cancel(long n)
{
    for (long i = 0; i < n; i++) {
        ev_timer_stop(loop, timers[i]);
        free(timers[i]);
    }
}

static void timers_expire(long n)
{
    left = n;
    ev_run(loop, 0);
    bench_require(left == 0, "all timers");
}

/* ---- other threads ---------------------------------------------------------------------------------------- */

typedef struct queue {
    pthread_mutex_t lock;
    ev_async async;
    struct ev_loop *of;
    struct entry {
        void (*fn)(void *arg);
        void *arg;
    } * in, *out;
    size_t count, room, out_room;
} queue;

static void drain(struct ev_loop *l, ev_async *async, int events)
{
    (void)l, (void)events;
    queue *q = async->data;
    pthread_mutex_lock(&q->lock);
    struct entry *entries = q->in;
    size_t n = q->count, room = q->room;
    q->in = q->out;
    q->room = q->out_room;
    q->count = 0;
    q->out = entries;
    q->out_room = room;
    pthread_mutex_unlock(&q->lock);
    for (size_t i = 0; i < n; i++) entries[i].fn(entries[i].arg);
}

static void queue_init(queue *q, struct ev_loop *of)
{
    pthread_mutex_init(&q->lock, NULL);
    q->of = of;
    ev_async_init(&q->async, drain);
    q->async.data = q;
    ev_async_start(of, &q->async);
}

static void queue_post(queue *q, void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&q->lock);
    int was_empty = q->count == 0;
    if (q->count == q->room) {
        q->room = q->room ? q->room * 2 : 64;
        q->in = realloc(q->in, q->room * sizeof *q->in);
    }
    q->in[q->count++] = (struct entry){fn, arg};
    pthread_mutex_unlock(&q->lock);
    if (was_empty) ev_async_send(q->of, &q->async);
}

static queue main_queue, other_queue;
static struct ev_loop *other;
static long each;

static void count_post(void *arg)
{
    (void)arg;
    if (--left == 0) ev_break(loop, EVBREAK_ALL);
}

static void *produce(void *arg)
{
    for (long i = 0; i < each; i++) queue_post(&main_queue, count_post, NULL);
    return arg;
}

static void posts(int producers, long n)
{
    pthread_t threads[64];
    if (!loop) loop = ev_loop_new(0);
    queue_init(&main_queue, loop);
    each = n / producers;
    left = each * producers;
    for (int i = 0; i < producers; i++) threads[i] = bench_start_thread(produce, NULL);
    ev_run(loop, 0);
    for (int i = 0; i < producers; i++) pthread_join(threads[i], NULL);
}

static void end(void *arg)
{
    (void)arg;
    ev_break(other, EVBREAK_ALL);
}

static void ping(void *arg);

static void pong(void *arg)
{
    (void)arg;
    queue_post(&other_queue, --left > 0 ? ping : end, NULL);
    if (left == 0) ev_break(loop, EVBREAK_ALL);
}

static void ping(void *arg)
{
    (void)arg;
    queue_post(&main_queue, pong, NULL);
}

static void *answer(void *arg)
{
    ev_run(other, 0);
    return arg;
}

static void ping_pong(long n)
{
    if (!loop) loop = ev_loop_new(0);
    other = ev_loop_new(0);
    queue_init(&main_queue, loop);
    queue_init(&other_queue, other);
    left = n;
    queue_post(&other_queue, ping, NULL);
    pthread_t thread = bench_start_thread(answer, NULL);
    ev_run(loop, 0);
    pthread_join(thread, NULL);
}

/* ---- echo ------------------------------------------------------------------------------------------------- */

static void on_readable(struct ev_loop *l, ev_io *io, int events)
{
    (void)events;
    if (bench_echo_once(io->fd)) return;
    ev_io_stop(l, io);
    close(io->fd);
}

static void echo(const int *fds, int n)
{
    ev_io *ios = calloc((size_t)n, sizeof *ios);
    if (!loop) loop = ev_loop_new(0);
    for (int i = 0; i < n; i++) {
        ev_io_init(&ios[i], on_readable, fds[i], EV_READ);
        ev_io_start(loop, &ios[i]);
    }
    ev_run(loop, EVRUN_NOWAIT); /* it tells the kernel of its descriptors when it runs */
    bench_start_echo();
    ev_run(loop, 0);
}

/* ---- wake-up ---------------------------------------------------------------------------------------------- */

static ev_async alarm_clock;

static void on_wake(struct ev_loop *l, ev_async *async, int events)
{
    (void)events;
    if (!bench_woken()) ev_async_stop(l, async);
}

static void wake(void)
{
    ev_async_send(loop, &alarm_clock);
}

static void sleeper(void)
{
    loop = ev_loop_new(0);
    ev_async_init(&alarm_clock, on_wake);
    ev_async_start(loop, &alarm_clock);
    pthread_t waker = bench_start_waking();
    ev_run(loop, 0);
    pthread_join(waker, NULL);
}

const bench_impl bench_implementation = {"libev",       chain, batch,     timers_insert, timers_cancel,
                                         timers_expire, posts, ping_pong, NULL,          echo,
                                         NULL,          NULL,  sleeper,   wake};
