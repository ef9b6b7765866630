/* SPDX-License-Identifier: MIT
 *
 * impl_hoya.c: hoya, in the host and the mode that the program is linked with (host.h).
 */
#include <hoya/hoya.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "host.h"

static hoya_loop *loop;
static long left;

static void check(int rc)
{
    if (rc >= 0) return;
    fprintf(stderr, "hoya: %s\n", hoya_error_detail());
    exit(1);
}

static void open_loop(void)
{
    check(bench_host_open(&loop));
}

static void close_loop(void)
{
    check(hoya_loop_close(loop));
    hoya_loop_unref(loop);
}

static void again(void *arg)
{
    if (--left > 0) check(hoya_loop_call_soon(loop, again, arg));
    else bench_mode_quit(loop);
}

static void chain(long n)
{
    open_loop();
    left = n;
    check(hoya_loop_call_soon(loop, again, NULL));
    bench_mode_run(loop);
    close_loop();
}

static void count_down(void *arg)
{
    (void)arg;
    if (--left == 0) bench_mode_quit(loop);
}

static void fill(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++) check(hoya_loop_call_soon(loop, count_down, NULL));
    if (left > 1000) check(hoya_loop_call_soon(loop, fill, NULL));
}

static void batch(long n)
{
    open_loop();
    left = (n + 999) / 1000 * 1000;
    check(hoya_loop_call_soon(loop, fill, NULL));
    bench_mode_run(loop);
    close_loop();
}

static hoya_handle **handles;

static void timers_insert(long n, const int *delays)
{
    if (!loop) open_loop();
    if (!handles) handles = malloc((size_t)n * sizeof *handles);
    int64_t now = hoya_loop_time(loop);
    for (long i = 0; i < n; i++)
        check(hoya_loop_call_at(loop, now + HOYA_MSEC(delays[i]), count_down, NULL, NULL, &handles[i]));
}

static void timers_cancel(long n)
{
    for (long i = 0; i < n; i++) {
        check(hoya_handle_cancel(handles[i]));
        hoya_handle_unref(handles[i]);
    }
}

static void timers_expire(long n)
{
    left = n;
    bench_mode_run(loop);
    bench_require(left == 0, "all timers");
    for (long i = 0; i < n; i++) hoya_handle_unref(handles[i]);
}

static long each;

static void *produce(void *arg)
{
    for (long i = 0; i < each; i++) check(hoya_loop_call_soon_threadsafe(loop, count_down, NULL, NULL, NULL));
    return arg;
}

static void posts(int producers, long n)
{
    pthread_t threads[64];
    open_loop();
    each = n / producers;
    left = each * producers;
    for (int i = 0; i < producers; i++) threads[i] = bench_start_thread(produce, NULL);
    bench_mode_run(loop);
    for (int i = 0; i < producers; i++) pthread_join(threads[i], NULL);
    close_loop();
}

static hoya_loop *other;

static void ping(void *arg);

static void pong(void *arg)
{
    (void)arg;
    if (--left > 0) {
        check(hoya_loop_call_soon_threadsafe(other, ping, NULL, NULL, NULL));
        return;
    }
    check(hoya_loop_stop(other));
    bench_mode_quit(loop);
}

static void ping(void *arg)
{
    (void)arg;
    check(hoya_loop_call_soon_threadsafe(loop, pong, NULL, NULL, NULL));
}

static void *answer(void *arg)
{
    check(hoya_loop_run_forever(other));
    return arg;
}

static void ping_pong(long n)
{
    open_loop();
    check(hoya_loop_new(NULL, &other));
    left = n;
    check(hoya_loop_call_soon_threadsafe(other, ping, NULL, NULL, NULL));
    pthread_t thread = bench_start_thread(answer, NULL);
    bench_mode_run(loop);
    pthread_join(thread, NULL);
    hoya_loop_unref(loop);
    /* `other` belongs to a thread that has ended; the process ends as well. */
}

static hoya_executor *pool;
static long to_start;

static int settle(hoya_job *self, void *arg)
{
    (void)self, (void)arg;
    bench_settle_worker();
    return 0;
}

static int do_nothing(hoya_job *self, void *arg)
{
    (void)self, (void)arg;
    return 0;
}

static void start_job(void);

static void job_done(hoya_future *future, void *arg)
{
    (void)future, (void)arg;
    if (to_start > 0) start_job();
    if (--left == 0) bench_mode_quit(loop);
}

static void start_job(void)
{
    hoya_future *future;
    to_start--;
    check(hoya_run_in_executor(loop, pool, do_nothing, NULL, NULL, &future));
    check(hoya_future_add_done_callback(future, job_done, NULL, NULL, NULL));
    hoya_future_unref(future);
}

static void first_jobs(void *arg)
{
    for (long flight = *(long *)arg; flight-- && to_start > 0;) start_job();
}

static void jobs(long flight, long n)
{
    hoya_thread_pool_options one = {.size = sizeof one, .max_threads = 1};
    open_loop();
    check(hoya_thread_pool_new(&one, &pool));
    check(hoya_executor_submit(pool, settle, NULL, NULL, NULL));
    left = to_start = n;
    check(hoya_loop_call_soon(loop, first_jobs, &flight));
    bench_mode_run(loop);
    check(hoya_executor_shutdown(pool, HOYA_NEVER, 0));
    hoya_executor_unref(pool);
    close_loop();
}

static void on_readable(hoya_fd fd, uint32_t events, void *arg)
{
    (void)events, (void)arg;
    if (bench_echo_once(fd)) return;
    check(hoya_loop_remove_reader(loop, fd));
    close(fd);
    if (--left == 0) bench_mode_quit(loop);
}

static void echo(const int *fds, int n)
{
    open_loop();
    left = n;
    for (int i = 0; i < n; i++) check(hoya_loop_add_reader(loop, fds[i], on_readable, NULL, NULL));
    bench_start_echo();
    bench_mode_run(loop);
    close_loop();
}

/* ---- the same by connections and protocols ---------------------------------------------------------------- */

static long to_make;

static int on_made(hoya_transport *transport, void *arg)
{
    (void)transport, (void)arg;
    if (--to_make == 0) bench_start_echo();
    return 0;
}

static int on_data(hoya_transport *transport, const void *data, size_t size, void *arg)
{
    (void)arg;
    return hoya_transport_write(transport, data, size);
}

static char room[BENCH_ROOM];

static int give_room(hoya_transport *transport, size_t hint, void **buffer, size_t *size, void *arg)
{
    (void)transport, (void)hint, (void)arg;
    *buffer = room;
    *size = sizeof room;
    return 0;
}

static int on_filled(hoya_transport *transport, size_t count, void *arg)
{
    (void)arg;
    return hoya_transport_write(transport, room, count);
}

static int on_eof(hoya_transport *transport, void *arg)
{
    (void)transport, (void)arg;
    bench_end_echo();
    return 0;
}

static void on_lost(hoya_transport *transport, int code, void *arg)
{
    (void)transport, (void)arg;
    check(code);
    if (--left == 0) bench_mode_quit(loop);
}

static const hoya_protocol_ops plain = {.size = sizeof plain,
                                        .connection_made = on_made,
                                        .data_received = on_data,
                                        .eof_received = on_eof,
                                        .connection_lost = on_lost};
static const hoya_protocol_ops with_buffer = {.size = sizeof with_buffer,
                                              .connection_made = on_made,
                                              .get_buffer = give_room,
                                              .buffer_updated = on_filled,
                                              .eof_received = on_eof,
                                              .connection_lost = on_lost};

static void connections(const int *fds, int n, int buffered)
{
    hoya_protocol protocol = {buffered ? &with_buffer : &plain, NULL};
    open_loop();
    left = to_make = n;
    for (int i = 0; i < n; i++) check(hoya_connect_accepted_socket(loop, fds[i], protocol, NULL, NULL));
    bench_mode_run(loop);
    close_loop();
}

/* ---- the same by tasks ------------------------------------------------------------------------------------- */

static int serve(int fd, char *memory, size_t size)
{
    hoya_stream *stream;
    ssize_t n;
    check(hoya_open_connection_on_socket(fd, NULL, &stream));
    if (--to_make == 0) bench_start_echo();
    while ((n = hoya_stream_read(stream, memory, size)) > 0) check(hoya_stream_write(stream, memory, (size_t)n));
    check((int)n);
    bench_end_echo();
    hoya_stream_unref(stream);
    if (--left == 0) bench_mode_quit(loop);
    return 0;
}

/* Memory that fits the messages: what a task has on its stack it touches. */
static int serve_short(hoya_task *self, void *arg)
{
    char memory[2048];
    (void)self;
    return serve(*(const int *)arg, memory, sizeof memory);
}

static int serve_long(hoya_task *self, void *arg)
{
    char memory[16384];
    (void)self;
    return serve(*(const int *)arg, memory, sizeof memory);
}

static void streams(const int *fds, int n, size_t size)
{
    hoya_task_function fn = size <= 2048 ? serve_short : serve_long;
    /* As small as they may be: many stacks of 256 KiB make page tables as large as what stands in the stacks. */
    const hoya_task_options options = {.size = sizeof options, .stack_size = size <= 2048 ? 16384 : 0};
    open_loop();
    left = to_make = n;
    for (int i = 0; i < n; i++) {
        union { /* it is not written to */
            const int *given;
            void *wanted;
        } fd = {fds + i};
        check(hoya_create_task(loop, fn, fd.wanted, &options, NULL));
    }
    bench_mode_run(loop);
    close_loop();
}

static void on_wake(void *arg)
{
    (void)arg;
    if (!bench_woken()) bench_mode_quit(loop);
}

static void wake(void)
{
    check(hoya_loop_call_soon_threadsafe(loop, on_wake, NULL, NULL, NULL));
}

static void sleeper(void)
{
    open_loop();
    pthread_t waker = bench_start_waking();
    bench_mode_run(loop);
    pthread_join(waker, NULL);
    close_loop();
}

const bench_impl bench_implementation = {BENCH_NAME,    chain,   batch,     timers_insert, timers_cancel,
                                         timers_expire, posts,   ping_pong, jobs,          echo,
                                         connections,   streams, sleeper,   wake};
