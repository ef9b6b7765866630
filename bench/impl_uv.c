/* SPDX-License-Identifier: MIT
 *
 * impl_uv.c: libuv. A callback "soon" is an idle handle (it has nothing nearer: each turn looks at the kernel and runs all
 * that are active), a post is one entry of a list of the program's own under a mutex, with uv_async_send, as its manual
 * tells to. A timer is made, used once, closed and freed, as a one-shot timer is.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "bench.h"

static uv_loop_t *loop;
static long left;

static void chain_step(uv_idle_t *idle)
{
    if (--left == 0) uv_idle_stop(idle);
}

static void chain(long n)
{
    uv_idle_t idle;
    loop = uv_default_loop();
    left = n;
    uv_idle_init(loop, &idle);
    uv_idle_start(&idle, chain_step);
    uv_run(loop, UV_RUN_DEFAULT);
}

static void count_once(uv_idle_t *idle)
{
    left--;
    uv_idle_stop(idle);
}

static void batch(long n)
{
    static uv_idle_t idle[1000];
    loop = uv_default_loop();
    for (int i = 0; i < 1000; i++) uv_idle_init(loop, &idle[i]);
    for (left = n; left > 0;) {
        for (int i = 0; i < 1000; i++) uv_idle_start(&idle[i], count_once);
        uv_run(loop, UV_RUN_NOWAIT);
    }
}

static uv_timer_t **timers;

static void free_timer(uv_handle_t *timer)
{
    free(timer);
}

static void count_down(uv_timer_t *timer)
{
    left--;
    uv_close((uv_handle_t *)timer, free_timer);
}

static void timers_insert(long n, const int *delays)
{
    loop = uv_default_loop();
    if (!timers) timers = malloc((size_t)n * sizeof *timers);
    uv_update_time(loop);
    for (long i = 0; i < n; i++) {
        timers[i] = malloc(sizeof **timers);
        uv_timer_init(loop, timers[i]);
        uv_timer_start(timers[i], count_down, (uint64_t)delays[i], 0);
    }
}

static void timers_cancel(long n)
{
    for (long i = 0; i < n; i++) uv_close((uv_handle_t *)timers[i], free_timer);
    uv_run(loop, UV_RUN_NOWAIT);
}

static void timers_expire(long n)
{
    left = n;
    uv_run(loop, UV_RUN_DEFAULT);
    bench_require(left == 0, "all timers");
}

/* ---- other threads ---------------------------------------------------------------------------------------- */

typedef struct queue {
    uv_mutex_t lock;
    uv_async_t async;
    struct entry {
        void (*fn)(void *arg);
        void *arg;
    } * in, *out;
    size_t count, room, out_room;
} queue;

static void drain(uv_async_t *async)
{
    queue *q = async->data;
    uv_mutex_lock(&q->lock);
    struct entry *entries = q->in;
    size_t n = q->count, room = q->room;
    q->in = q->out;
    q->room = q->out_room;
    q->count = 0;
    q->out = entries;
    q->out_room = room;
    uv_mutex_unlock(&q->lock);
    for (size_t i = 0; i < n; i++) entries[i].fn(entries[i].arg);
}

static void queue_init(queue *q, uv_loop_t *of)
{
    uv_mutex_init(&q->lock);
    uv_async_init(of, &q->async, drain);
    q->async.data = q;
}

static void queue_post(queue *q, void (*fn)(void *arg), void *arg)
{
    uv_mutex_lock(&q->lock);
    int was_empty = q->count == 0;
    if (q->count == q->room) {
        q->room = q->room ? q->room * 2 : 64;
        q->in = realloc(q->in, q->room * sizeof *q->in);
    }
    q->in[q->count++] = (struct entry){fn, arg};
    uv_mutex_unlock(&q->lock);
    if (was_empty) uv_async_send(&q->async);
}

static queue main_queue, other_queue;
static uv_loop_t other;
static long each;

static void count_post(void *arg)
{
    (void)arg;
    if (--left == 0) uv_stop(loop);
}

static void *produce(void *arg)
{
    for (long i = 0; i < each; i++) queue_post(&main_queue, count_post, NULL);
    return arg;
}

static void posts(int producers, long n)
{
    pthread_t threads[64];
    loop = uv_default_loop();
    queue_init(&main_queue, loop);
    each = n / producers;
    left = each * producers;
    for (int i = 0; i < producers; i++) threads[i] = bench_start_thread(produce, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    for (int i = 0; i < producers; i++) pthread_join(threads[i], NULL);
}

static void end(void *arg)
{
    (void)arg;
    uv_stop(&other);
}

static void ping(void *arg);

static void pong(void *arg)
{
    (void)arg;
    queue_post(&other_queue, --left > 0 ? ping : end, NULL);
    if (left == 0) uv_stop(loop);
}

static void ping(void *arg)
{
    (void)arg;
    queue_post(&main_queue, pong, NULL);
}

static void *answer(void *arg)
{
    uv_run(&other, UV_RUN_DEFAULT);
    return arg;
}

static void ping_pong(long n)
{
    loop = uv_default_loop();
    uv_loop_init(&other);
    queue_init(&main_queue, loop);
    queue_init(&other_queue, &other);
    left = n;
    queue_post(&other_queue, ping, NULL);
    pthread_t thread = bench_start_thread(answer, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    pthread_join(thread, NULL);
}

/* ---- jobs: each takes memory and gives it back, as hoya's do ------------------------------------------------- */

static long to_start;

static void settle(uv_work_t *work)
{
    (void)work;
    bench_settle_worker();
}

static void do_nothing(uv_work_t *work)
{
    (void)work;
}

static void start_job(void);

static void job_done(uv_work_t *work, int status)
{
    (void)status;
    free(work);
    if (to_start > 0) start_job();
}

static void start_job(void)
{
    to_start--;
    uv_queue_work(loop, malloc(sizeof(uv_work_t)), do_nothing, job_done);
}

static void jobs(long flight, long n)
{
    uv_work_t first;
    setenv("UV_THREADPOOL_SIZE", "1", 1);
    loop = uv_default_loop();
    uv_queue_work(loop, &first, settle, NULL);
    for (to_start = n; flight-- && to_start > 0;) start_job();
    uv_run(loop, UV_RUN_DEFAULT);
}

/* ---- echo: the same calls as the others, on uv_poll ------------------------------------------------------- */

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    int fd = (int)(intptr_t)poll->data;
    if (bench_echo_once(fd)) return;
    uv_poll_stop(poll);
    close(fd);
}

static void echo(const int *fds, int n)
{
    uv_poll_t *polls = calloc((size_t)n, sizeof *polls);
    loop = uv_default_loop();
    for (int i = 0; i < n; i++) {
        polls[i].data = (void *)(intptr_t)fds[i];
        uv_poll_init(loop, &polls[i], fds[i]);
        uv_poll_start(&polls[i], UV_READABLE, on_readable);
    }
    bench_start_echo();
    uv_run(loop, UV_RUN_DEFAULT);
}

/* ---- the same by uv_tcp_t: one call to read, one to write ---------------------------------------------------- */

static void give_room(uv_handle_t *handle, size_t hint, uv_buf_t *buffer)
{
    static char room[BENCH_ROOM];
    (void)handle, (void)hint;
    *buffer = uv_buf_init(room, sizeof room);
}

static void free_stream(uv_handle_t *handle)
{
    free(handle);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    if (count > 0) {
        uv_buf_t answer = uv_buf_init(buffer->base, (unsigned)count);
        bench_require(uv_try_write(stream, &answer, 1) == count, "uv_try_write");
    } else if (count < 0) {
        bench_require(count == UV_EOF, "uv_read");
        bench_end_echo();
        uv_close((uv_handle_t *)stream, free_stream);
    }
}

static void connections(const int *fds, int n, int buffered)
{
    (void)buffered;
    loop = uv_default_loop();
    for (int i = 0; i < n; i++) {
        uv_tcp_t *stream = malloc(sizeof *stream);
        bench_require(stream && uv_tcp_init(loop, stream) == 0 && uv_tcp_open(stream, fds[i]) == 0 &&
                          uv_read_start((uv_stream_t *)stream, give_room, on_read) == 0,
                      "uv_tcp");
    }
    uv_run(loop, UV_RUN_NOWAIT); /* it tells the kernel of its descriptors when it runs */
    bench_start_echo();
    uv_run(loop, UV_RUN_DEFAULT);
}

/* ---- wake-up ---------------------------------------------------------------------------------------------- */

static uv_async_t alarm_clock;

static void on_wake(uv_async_t *async)
{
    if (!bench_woken()) uv_close((uv_handle_t *)async, NULL);
}

static void wake(void)
{
    uv_async_send(&alarm_clock);
}

static void sleeper(void)
{
    loop = uv_default_loop();
    uv_async_init(loop, &alarm_clock, on_wake);
    pthread_t waker = bench_start_waking();
    uv_run(loop, UV_RUN_DEFAULT);
    pthread_join(waker, NULL);
}

const bench_impl bench_implementation = {"libuv",       chain, batch,     timers_insert, timers_cancel,
                                         timers_expire, posts, ping_pong, jobs,          echo,
                                         connections,   NULL,  sleeper,   wake};
