/* SPDX-License-Identifier: MIT
 *
 * impl_floor.c: the least that a program written by hand for just this work does: a ring of functions, a 4-ary heap, an
 * array under a mutex with an eventfd, and raw epoll. It has no handles, no destroy functions, no errors, no hosts.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* ---- callbacks -------------------------------------------------------------------------------------------- */

#define ROOM 2048
static struct entry {
    void (*fn)(void *arg);
    void *arg;
} ring[ROOM];
static unsigned head, tail;
static long left;

static void push(void (*fn)(void *arg), void *arg)
{
    ring[tail++ % ROOM] = (struct entry){fn, arg};
}

static void run_ring(void)
{
    for (unsigned end = tail; head != end;) {
        struct entry e = ring[head++ % ROOM];
        e.fn(e.arg);
    }
}

static void again(void *arg)
{
    if (--left > 0) push(again, arg);
}

static void chain(long n)
{
    int epfd = epoll_create1(0);
    struct epoll_event event;
    left = n;
    push(again, NULL);
    while (left > 0) {
        epoll_wait(epfd, &event, 1, 0);
        run_ring();
    }
    close(epfd);
}

static void count_down(void *arg)
{
    (void)arg;
    left--;
}

static void batch(long n)
{
    int epfd = epoll_create1(0);
    struct epoll_event event;
    for (left = n; left > 0;) {
        for (int i = 0; i < 1000; i++) push(count_down, NULL);
        epoll_wait(epfd, &event, 1, 0);
        run_ring();
    }
    close(epfd);
}

/* ---- timers ----------------------------------------------------------------------------------------------- */

typedef struct timer {
    size_t index;
} timer;
static struct slot {
    int64_t when;
    timer *timer;
} * heap;
static size_t heap_size;
static timer *all;

static int64_t clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void place(size_t i, struct slot s)
{
    heap[i] = s;
    s.timer->index = i;
}

static void up(size_t i, struct slot s)
{
    for (; i && s.when < heap[(i - 1) / 4].when; i = (i - 1) / 4) place(i, heap[(i - 1) / 4]);
    place(i, s);
}

static void down(size_t i, struct slot s)
{
    for (;;) {
        size_t first = i * 4 + 1, least = first;
        if (first >= heap_size) break;
        for (size_t c = first + 1; c < first + 4 && c < heap_size; c++)
            if (heap[c].when < heap[least].when) least = c;
        if (heap[least].when >= s.when) break;
        place(i, heap[least]);
        i = least;
    }
    place(i, s);
}

static void take_out(size_t i)
{
    struct slot last = heap[--heap_size];
    if (i == heap_size) return;
    if (i && last.when < heap[(i - 1) / 4].when) up(i, last);
    else down(i, last);
}

static void timers_insert(long n, const int *delays)
{
    if (!heap) heap = malloc((size_t)n * sizeof *heap), all = malloc((size_t)n * sizeof *all);
    int64_t now = clock_now();
    for (long i = 0; i < n; i++) up(heap_size++, (struct slot){now + delays[i] * 1000000, &all[i]});
}

static void timers_cancel(long n)
{
    for (long i = 0; i < n; i++) take_out(all[i].index);
}

static void timers_expire(long n)
{
    int64_t now = clock_now();
    for (left = n; heap_size && heap[0].when <= now;) {
        take_out(0);
        count_down(NULL);
    }
    bench_require(left == 0, "all timers");
}

/* ---- other threads: an array under a mutex, one drain a look ---------------------------------------------- */

typedef struct queue {
    pthread_mutex_t lock;
    struct entry *in, *out;
    size_t count, room, out_room;
    int fd, epfd;
} queue;

static void queue_init(queue *q)
{
    memset(q, 0, sizeof *q);
    pthread_mutex_init(&q->lock, NULL);
    q->fd = eventfd(0, EFD_NONBLOCK);
    q->epfd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    epoll_ctl(q->epfd, EPOLL_CTL_ADD, q->fd, &event);
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
    uint64_t one = 1;
    if (was_empty) bench_require(write(q->fd, &one, sizeof one) == sizeof one, "eventfd");
}

static void queue_look(queue *q, int timeout)
{
    struct epoll_event event;
    epoll_wait(q->epfd, &event, 1, timeout);
    pthread_mutex_lock(&q->lock);
    struct entry *batch_of = q->in;
    size_t n = q->count, room = q->room;
    q->in = q->out;
    q->room = q->out_room;
    q->count = 0;
    q->out = batch_of;
    q->out_room = room;
    pthread_mutex_unlock(&q->lock);
    for (size_t i = 0; i < n; i++) batch_of[i].fn(batch_of[i].arg);
}

static void queue_free(queue *q)
{
    free(q->in);
    free(q->out);
    close(q->fd);
    close(q->epfd);
}

static queue main_queue, other_queue;
static long each;

static void *produce(void *arg)
{
    for (long i = 0; i < each; i++) queue_post(&main_queue, count_down, NULL);
    return arg;
}

static void posts(int producers, long n)
{
    pthread_t threads[64];
    queue_init(&main_queue);
    each = n / producers;
    left = each * producers;
    for (int i = 0; i < producers; i++) threads[i] = bench_start_thread(produce, NULL);
    while (left > 0) queue_look(&main_queue, -1);
    for (int i = 0; i < producers; i++) pthread_join(threads[i], NULL);
    queue_free(&main_queue);
}

/* ---- jobs: a queue of the same kind to a thread that sleeps on a condition --------------------------------- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct entry jobs[ROOM];
    unsigned head, tail;
    int ends;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};
static long to_start;

static void do_nothing(void *arg)
{
    (void)arg;
}

static void start_job(void)
{
    to_start--;
    pthread_mutex_lock(&pool.lock);
    pool.jobs[pool.tail++ % ROOM] = (struct entry){do_nothing, NULL};
    pthread_cond_signal(&pool.more);
    pthread_mutex_unlock(&pool.lock);
}

static void job_done(void *arg)
{
    (void)arg;
    left--;
    if (to_start > 0) start_job();
}

static void *work(void *arg)
{
    bench_settle_worker();
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        while (pool.head == pool.tail && !pool.ends) pthread_cond_wait(&pool.more, &pool.lock);
        if (pool.head == pool.tail) break;
        struct entry job = pool.jobs[pool.head++ % ROOM];
        pthread_mutex_unlock(&pool.lock);
        job.fn(job.arg);
        queue_post(&main_queue, job_done, NULL);
        pthread_mutex_lock(&pool.lock);
    }
    pthread_mutex_unlock(&pool.lock);
    return arg;
}

static void jobs(long flight, long n)
{
    bench_require(flight < ROOM, "room for so many");
    queue_init(&main_queue);
    pthread_t worker = bench_start_thread(work, NULL);
    for (left = to_start = n; flight-- && to_start > 0;) start_job();
    while (left > 0) queue_look(&main_queue, -1);
    pthread_mutex_lock(&pool.lock);
    pool.ends = 1;
    pthread_cond_signal(&pool.more);
    pthread_mutex_unlock(&pool.lock);
    pthread_join(worker, NULL);
    queue_free(&main_queue);
}

static int over;

static void end(void *arg)
{
    (void)arg;
    over = 1;
}

static void pong(void *arg)
{
    if (--left > 0) queue_post(&other_queue, arg ? (void (*)(void *))arg : end, NULL);
    else queue_post(&other_queue, end, NULL);
}

static void ping(void *arg)
{
    (void)arg;
    queue_post(&main_queue, pong, (void *)ping);
}

static void *answer(void *arg)
{
    while (!over) queue_look(&other_queue, -1);
    return arg;
}

static void ping_pong(long n)
{
    queue_init(&main_queue);
    queue_init(&other_queue);
    left = n;
    pthread_t thread = bench_start_thread(answer, NULL);
    queue_post(&other_queue, ping, NULL);
    while (left > 0) queue_look(&main_queue, -1);
    pthread_join(thread, NULL);
    queue_free(&main_queue);
    queue_free(&other_queue);
}

/* ---- echo ------------------------------------------------------------------------------------------------- */

static void echo(const int *fds, int n)
{
    int epfd = epoll_create1(0);
    for (int i = 0; i < n; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fds[i]};
        bench_require(epoll_ctl(epfd, EPOLL_CTL_ADD, fds[i], &event) == 0, "epoll_ctl");
    }
    bench_start_echo();
    while (n > 0) {
        struct epoll_event events[256];
        int found = epoll_wait(epfd, events, 256, -1);
        for (int i = 0; i < found; i++) {
            if (bench_echo_once(events[i].data.fd)) continue;
            close(events[i].data.fd);
            n--;
        }
    }
    close(epfd);
}

/* ---- wake-up ---------------------------------------------------------------------------------------------- */

static int awake;

static void on_wake(void *arg)
{
    (void)arg;
    awake = bench_woken();
}

static void wake(void)
{
    queue_post(&main_queue, on_wake, NULL);
}

static void sleeper(void)
{
    queue_init(&main_queue);
    pthread_t waker = bench_start_waking();
    for (awake = 1; awake;) queue_look(&main_queue, -1);
    pthread_join(waker, NULL);
    queue_free(&main_queue);
}

const bench_impl bench_implementation = {"floor",       chain, batch,     timers_insert, timers_cancel,
                                         timers_expire, posts, ping_pong, jobs,          echo,
                                         NULL,          NULL,  sleeper,   wake};
