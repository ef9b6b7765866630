/* SPDX-License-Identifier: MIT
 *
 * echo.c: the workloads of connections. The clients are processes of their own, and their own memory and time: one keeps
 * a message under way on each of its connections, the other one has connections on which nothing comes.
 *
 * How long it takes to make an application, a loop and its connections, and to end them, is not asked: time goes from the
 * client's start to the first end of a stream, and not while turns.c has stopped us.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "turns.h"

/* ---- what an implementation calls ------------------------------------------------------------------------- */

typedef struct memory {
    double heap, resident; /* bytes */
} memory;

static struct {
    int go;
    double start, end, cpu, cpu_end;
    memory before, held; /* when the first stream ended, and all others were there */
} echoing;

/* The allocator's own words about each block are part of it. */
static memory memory_now(void)
{
    struct mallinfo2 info = mallinfo2();
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    bench_require(file && fscanf(file, "%*d %ld", &pages) == 1, "/proc/self/statm");
    fclose(file);
    return (memory){(double)(info.uordblks + info.hblkhd), (double)(pages * sysconf(_SC_PAGESIZE))};
}

/* The time that has gone, but for the stops between our turns (turns.c). */
static double running(void)
{
    static const bench_stops none;
    static const bench_stops *stops;
    if (!stops) {
        const char *fd = getenv(BENCH_STOPS);
        stops = fd ? mmap(NULL, sizeof *stops, PROT_READ, MAP_SHARED, atoi(fd), 0) : &none;
        bench_require(stops != MAP_FAILED, BENCH_STOPS);
    }
    return bench_now(CLOCK_MONOTONIC) - stops->nanoseconds;
}

/* Under turns.c: until all programs have come so far. */
static void wait_for_others(void)
{
    if (getenv(BENCH_STOPS)) bench_require(kill(0, SIGSTOP) == 0, "stop");
}

void bench_start_echo(void)
{
    wait_for_others();
    echoing.start = running();
    echoing.cpu = bench_now(CLOCK_PROCESS_CPUTIME_ID);
    bench_require(write(echoing.go, "g", 1) == 1, "start");
}

void bench_end_echo(void)
{
    if (echoing.end) return;
    echoing.end = running();
    echoing.cpu_end = bench_now(CLOCK_PROCESS_CPUTIME_ID);
    echoing.held = memory_now();
    wait_for_others();
    bench_require(write(echoing.go, "e", 1) == 1, "end");
}

int bench_echo_once(int fd)
{
    static char buffer[BENCH_ROOM];
    ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n > 0) bench_require(send(fd, buffer, (size_t)n, MSG_NOSIGNAL) == n, "send");
    else bench_require(n == 0 || errno == EAGAIN, "recv");
    if (n == 0) bench_end_echo();
    return n != 0;
}

/* ---- the other side --------------------------------------------------------------------------------------- */

typedef union address_of {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
} address_of;

static socklen_t length_of(const address_of *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->ipv6 : sizeof address->ipv4;
}

static int listen_on_loopback(address_of *address, int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memset(address, 0, sizeof *address);
    address->any.sa_family = (sa_family_t)family;
    if (family == AF_INET6) address->ipv6.sin6_addr = in6addr_loopback;
    else address->ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = length_of(address);
    bench_require(fd >= 0 && bind(fd, &address->any, size) == 0 && listen(fd, 4096) == 0 &&
                      getsockname(fd, &address->any, &size) == 0,
                  "listen");
    return fd;
}

static void prepare(int fd)
{
    int on = 1;
    bench_require(fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
                      fcntl(fd, F_SETFL, O_NONBLOCK) == 0,
                  "connection");
}

static int *connect_all(const address_of *address, int connections)
{
    int *fds = calloc((size_t)connections, sizeof *fds);
    for (int i = 0; i < connections; i++) {
        fds[i] = socket(address->any.sa_family, SOCK_STREAM, 0);
        bench_require(connect(fds[i], &address->any, length_of(address)) == 0, "connect");
        prepare(fds[i]);
    }
    return fds;
}

/* One message at a time on each connection, until `requests` answers have come. */
static void client(const address_of *address, bench_echoed what, int go)
{
    static char message[BENCH_ROOM];
    int epfd = epoll_create1(0), *fds = connect_all(address, what.connections);
    size_t *due = calloc((size_t)what.connections, sizeof *due); /* bytes of the answer */
    ssize_t size = (ssize_t)what.size;
    for (int i = 0; i < what.connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(epfd, EPOLL_CTL_ADD, fds[i], &event);
        due[i] = what.size;
    }
    bench_require(read(go, message, 1) == 1, "start");
    for (int i = 0; i < what.connections; i++) bench_require(send(fds[i], message, what.size, 0) == size, "send");
    for (long answers = 0; answers < what.requests;) {
        struct epoll_event events[256];
        int n = epoll_wait(epfd, events, 256, -1);
        for (int i = 0; i < n; i++) {
            uint32_t at = events[i].data.u32;
            ssize_t got = recv(fds[at], message, due[at], 0);
            bench_require(got > 0, "an answer");
            due[at] -= (size_t)got;
            if (due[at]) continue;
            due[at] = what.size;
            if (++answers + what.connections <= what.requests)
                bench_require(send(fds[at], message, what.size, 0) == size, "send");
        }
    }
    close(fds[0]); /* the server looks at its clocks, and has all others still */
    bench_require(read(go, message, 1) == 1, "end");
    _exit(0);
}

/* Stays until the client has gone, who has the other end of this pipe. */
static void idler(const address_of *address, int connections, const int stay[2])
{
    char unused;
    close(stay[1]);
    connect_all(address, connections);
    bench_require(read(stay[0], &unused, 1) == 0, "end");
    _exit(0);
}

static pid_t start_process(void)
{
    fflush(stdout);
    pid_t child = fork();
    bench_require(child >= 0, "fork");
    return child;
}

static void accept_all(int listener, int *fds, int n)
{
    for (int i = 0; i < n; i++) prepare(fds[i] = accept(listener, NULL, NULL));
}

static void await_process(pid_t child, const char *what)
{
    int status = -1;
    bench_require(waitpid(child, &status, 0) == child && status == 0, what);
}

/* ---- the workloads ---------------------------------------------------------------------------------------- */

static void allow_descriptors(int n)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)n + 100;
    bench_require(getrlimit(RLIMIT_NOFILE, &limit) == 0, "RLIMIT_NOFILE");
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = wanted;
    if (limit.rlim_max < wanted) limit.rlim_max = wanted;
    bench_require(setrlimit(RLIMIT_NOFILE, &limit) == 0, "so many descriptors");
}

static void serve(const char *workload, size_t size, const int *fds, int n)
{
    const bench_impl *impl = &bench_implementation;
    if (!strcmp(workload, "streams") && impl->streams) impl->streams(fds, n, size);
    else if (strcmp(workload, "echo") != 0 && impl->connections)
        impl->connections(fds, n, !strcmp(workload, "buffered"));
    else impl->echo(fds, n);
}

static void run(const char *workload, bench_echoed what)
{
    address_of address;
    bench_require(what.size <= BENCH_ROOM, "room for such messages");
    int go[2], stay[2], all = what.connections + what.idle;
    allow_descriptors(all);
    int listener = listen_on_loopback(&address, what.ipv6 ? AF_INET6 : AF_INET),
        *fds = calloc((size_t)all, sizeof *fds);
    bench_require(fds && pipe(go) == 0 && pipe(stay) == 0, "pipe");
    pid_t idle = what.idle ? start_process() : -1;
    if (idle == 0) idler(&address, what.idle, stay);
    accept_all(listener, fds, what.idle);
    pid_t active = start_process();
    if (active == 0) client(&address, what, go[0]);
    accept_all(listener, fds + what.idle, what.connections);
    close(stay[0]);
    close(stay[1]);
    close(listener);

    echoing.go = go[1];
    echoing.before = memory_now();
    serve(workload, what.size, fds, all);
    await_process(active, "the client");
    if (what.idle) await_process(idle, "the idle client");
    free(fds);
}

void bench_echo(const char *workload, bench_echoed what)
{
    char params[64];
    int length = snprintf(params, sizeof params, "%d", what.connections);
    if (what.size != 64) length += snprintf(params + length, sizeof params - (size_t)length, "x%zu", what.size);
    if (what.idle) snprintf(params + length, sizeof params - (size_t)length, "+%d", what.idle);
    run(workload, what);
    bench_print(workload, params, "request", (echoing.end - echoing.start) / (double)what.requests, "ns");
    bench_print(workload, params, "server-cpu", (echoing.cpu_end - echoing.cpu) / (double)what.requests, "ns");
}

/* In a process of its own, since what an allocator has had it may keep. */
static memory memory_with(const char *how, int idle, int ipv6)
{
    int result[2];
    memory held;
    bench_require(pipe(result) == 0, "pipe");
    pid_t child = start_process();
    if (child == 0) {
        run(how, (bench_echoed){.connections = 1, .requests = 10, .size = 64, .idle = idle, .ipv6 = ipv6});
        held = (memory){echoing.held.heap - echoing.before.heap, echoing.held.resident - echoing.before.resident};
        bench_require(write(result[1], &held, sizeof held) == sizeof held, "result");
        exit(0);
    }
    bench_require(read(result[0], &held, sizeof held) == sizeof held, "result");
    await_process(child, "the server");
    return held;
}

void bench_memory(const char *workload, const char *how, int idle, int ipv6)
{
    memory without = memory_with(how, 0, ipv6), with = memory_with(how, idle, ipv6);
    char params[32];
    snprintf(params, sizeof params, "%d%s", idle, ipv6 ? "-ipv6" : "");
    bench_print(workload, params, "heap", (with.heap - without.heap) / idle, "B");
    bench_print(workload, params, "resident", (with.resident - without.resident) / idle, "B");
}
