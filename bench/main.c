/* SPDX-License-Identifier: MIT
 *
 * main.c: WORKLOAD [PARAMETER...]: runs one workload with the implementation that this program is linked with, and prints
 * a line a figure: workload impl params metric value unit.
 */
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

void bench_require(int good, const char *what)
{
    if (good) return;
    fprintf(stderr, "%s: %s: %s\n", bench_implementation.name, what, strerror(errno));
    exit(1);
}

/* ---- threads: left to itself, the scheduler puts both ends of a pair on one processor ---------------------- */

static cpu_set_t allowed;

/* Thread 0 is main's; the others share the processors that are left. */
static cpu_set_t processor_of(int thread)
{
    int count = CPU_COUNT(&allowed), at = count > 1 && thread ? 1 + (thread - 1) % (count - 1) : 0;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && at-- == 0) CPU_SET(cpu, &set);
    return set;
}

static void settle_main_thread(void)
{
    bench_require(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
    cpu_set_t set = processor_of(0);
    bench_require(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

pthread_t bench_start_thread(void *(*run)(void *arg), void *arg)
{
    static int threads;
    cpu_set_t set = processor_of(++threads);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setaffinity_np(&attributes, sizeof set, &set);
    pthread_t thread;
    bench_require(pthread_create(&thread, &attributes, run, arg) == 0, "pthread_create");
    pthread_attr_destroy(&attributes);
    return thread;
}

void bench_settle_worker(void)
{
    cpu_set_t set = processor_of(1);
    bench_require(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

/* ---- the workloads ---------------------------------------------------------------------------------------- */

double bench_now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

void bench_print(const char *workload, const char *params, const char *metric, double value, const char *unit)
{
    printf("%s %s %s %s %.2f %s\n", workload, bench_implementation.name, params, metric, value, unit);
}

static long number(int argc, char **argv, int i)
{
    long n = argc > i ? atol(argv[i]) : 0;
    if (n > 0) return n;
    fprintf(stderr, "parameter %d is to be a number above 0\n", i - 1);
    exit(2);
}

static void count_run(const char *workload, void (*run)(long n), long n)
{
    double start = bench_now(CLOCK_MONOTONIC);
    run(n);
    bench_print(workload, "-", "callback", (bench_now(CLOCK_MONOTONIC) - start) / (double)n, "ns");
}

/* A thousand timers are made within microseconds, which one interruption doubles: each pass makes at least 100,000. */
static void timers(long n, long times)
{
    const bench_impl *impl = &bench_implementation;
    char params[32];
    snprintf(params, sizeof params, "%ld", n);
    int *delays = malloc((size_t)n * sizeof *delays);
    bench_require(delays != NULL, "memory");
    srand(1);
    for (long i = 0; i < n; i++) delays[i] = 1 + rand() % 20;
    long repeat = n < 100000 ? 100000 / n : 1;
    double insert = 0, cancel = 0, expire = 0, all = (double)n * (double)times;
    for (long i = 0; i < times; i++) {
        for (long j = 0; j < repeat; j++) {
            double start = bench_now(CLOCK_MONOTONIC);
            impl->timers_insert(n, delays);
            double inserted = bench_now(CLOCK_MONOTONIC);
            impl->timers_cancel(n);
            insert += inserted - start;
            cancel += bench_now(CLOCK_MONOTONIC) - inserted;
        }
        impl->timers_insert(n, delays);
        struct timespec until_due = {0, 25000000};
        nanosleep(&until_due, NULL);
        double due = bench_now(CLOCK_MONOTONIC);
        impl->timers_expire(n);
        expire += bench_now(CLOCK_MONOTONIC) - due;
    }
    bench_print("timers", params, "insert", insert / all / (double)repeat, "ns");
    bench_print("timers", params, "cancel", cancel / all / (double)repeat, "ns");
    bench_print("timers", params, "expire", expire / all, "ns");
    free(delays);
}

static void posts(int producers, long n)
{
    char params[32];
    snprintf(params, sizeof params, "%d", producers);
    double start = bench_now(CLOCK_MONOTONIC);
    bench_implementation.posts(producers, n);
    bench_print("posts", params, "post", (bench_now(CLOCK_MONOTONIC) - start) / (double)n, "ns");
}

static void jobs(long flight, long n)
{
    bench_require(bench_implementation.jobs != NULL, "a pool of threads");
    char params[32];
    snprintf(params, sizeof params, "%ld", flight);
    double start = bench_now(CLOCK_MONOTONIC);
    bench_implementation.jobs(flight, n);
    bench_print("jobs", params, "job", (bench_now(CLOCK_MONOTONIC) - start) / (double)n, "ns");
}

/* ---- wakeup: from the post in one thread to the callback in another, whose loop sleeps in between ----------- */

static struct {
    long n, taken;
    double posted, *latencies;
    sem_t woken;
} waking;

/* A pause before each post, in which the loop goes to sleep. */
static void *keep_waking(void *arg)
{
    struct timespec pause = {0, 50000};
    for (long i = 0; i < waking.n; i++) {
        nanosleep(&pause, NULL);
        waking.posted = bench_now(CLOCK_MONOTONIC);
        bench_implementation.wake();
        sem_wait(&waking.woken);
    }
    return arg;
}

pthread_t bench_start_waking(void)
{
    return bench_start_thread(keep_waking, NULL);
}

int bench_woken(void)
{
    waking.latencies[waking.taken++] = bench_now(CLOCK_MONOTONIC) - waking.posted;
    sem_post(&waking.woken);
    return waking.taken < waking.n;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static long sleeps_of_this_thread(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

static void wakeup(long n, const char *label)
{
    waking.n = n;
    waking.latencies = malloc((size_t)n * sizeof *waking.latencies);
    bench_require(waking.latencies != NULL && sem_init(&waking.woken, 0, 0) == 0, "memory");
    long slept = sleeps_of_this_thread();
    bench_implementation.sleeper();
    slept = sleeps_of_this_thread() - slept;
    /* Else this would be the latency of a loop that was awake. */
    bench_require(slept > n / 10 * 9, "the loop did not sleep");
    qsort(waking.latencies, (size_t)n, sizeof *waking.latencies, compare);
    bench_print("wakeup", label, "latency", waking.latencies[n / 2], "ns");
    free(waking.latencies);
}

static void echo(const char *workload, int argc, char **argv)
{
    bench_echo(workload, (bench_echoed){.connections = (int)number(argc, argv, 2),
                                        .requests = number(argc, argv, 3),
                                        .size = argc > 4 ? (size_t)number(argc, argv, 4) : 64,
                                        .idle = argc > 5 ? (int)number(argc, argv, 5) : 0});
}

static int usage(void)
{
    fprintf(stderr, "usage: WORKLOAD PARAMETER...: chain N | batch N | timers N TIMES | posts PRODUCERS N |\n"
                    "pingpong N [LABEL] | jobs FLIGHT N | wakeup N [LABEL] | memory IDLE [ipv6] |\n"
                    "stream-memory IDLE [ipv6] | echo | connections | buffered | streams, each CONNECTIONS "
                    "REQUESTS [SIZE [IDLE]]\n");
    return 2;
}

int main(int argc, char **argv)
{
    const char *workload = argc > 1 ? argv[1] : "";
    settle_main_thread();
    if (!strcmp(workload, "memory"))
        bench_memory("memory", "connections", (int)number(argc, argv, 2), argc > 3 && !strcmp(argv[3], "ipv6"));
    else if (!strcmp(workload, "stream-memory"))
        bench_memory("stream-memory", "streams", (int)number(argc, argv, 2), 0);
    else if (!strcmp(workload, "echo") || !strcmp(workload, "connections") || !strcmp(workload, "buffered") ||
             !strcmp(workload, "streams"))
        echo(workload, argc, argv);
    else if (!strcmp(workload, "wakeup")) wakeup(number(argc, argv, 2), argc > 3 ? argv[3] : "-");
    else if (!bench_implementation.chain) return usage(); /* it is a host, and no peer */
    else if (!strcmp(workload, "chain")) count_run("chain", bench_implementation.chain, number(argc, argv, 2));
    else if (!strcmp(workload, "batch")) count_run("batch", bench_implementation.batch, number(argc, argv, 2));
    else if (!strcmp(workload, "timers")) timers(number(argc, argv, 2), number(argc, argv, 3));
    else if (!strcmp(workload, "posts")) posts((int)number(argc, argv, 2), number(argc, argv, 3));
    else if (!strcmp(workload, "jobs")) jobs(number(argc, argv, 2), number(argc, argv, 3));
    else if (!strcmp(workload, "pingpong")) {
        long n = number(argc, argv, 2);
        double start = bench_now(CLOCK_MONOTONIC);
        bench_implementation.ping_pong(n);
        bench_print("pingpong", argc > 3 ? argv[3] : "-", "trip", (bench_now(CLOCK_MONOTONIC) - start) / (double)n,
                    "ns");
    } else return usage();
    return 0;
}
