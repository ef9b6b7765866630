/* SPDX-License-Identifier: MIT
 *
 * datagrams.c: bench-datagrams floor|hoya COUNT: a sender and a receiver of datagrams at the pace of a telephone's, one each 20 ms
 * over the loopback, in one loop. The floor is a timerfd and poll. How late is a datagram, from when it was due to be sent until
 * the receiver has it? Prints a line a figure, as main.c does: the median, what 99 of 100 stay below, and the latest.
 *
 * What is due when does not depend on what came before: a late one makes no other late.
 */
#include <arpa/inet.h>
#include <hoya/hoya.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define PACE HOYA_MSEC(20)
#define SIZE 160 /* 20 ms of G.711 */

static const char *who;
static int64_t *late; /* nanoseconds, of each that came */
static long count, sent, came;

static void need(int good, const char *what)
{
    if (good) return;
    fprintf(stderr, "bench-datagrams: %s: %s\n", what, hoya_error_detail());
    exit(1);
}

static int64_t now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * HOYA_SEC(1) + at.tv_nsec;
}

/* A datagram tells when it was due. */
static void take(const void *data)
{
    int64_t due;
    memcpy(&due, data, sizeof due);
    late[came++] = now() - due;
}

static int compare(const void *a, const void *b)
{
    const int64_t *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

static void print(const char *metric, long rank)
{
    printf("datagrams %s 20ms %s %lld ns\n", who, metric, (long long)late[rank]);
}

/* ---- by hand ------------------------------------------------------------------------------------------------ */

static void run_floor(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    int in = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), out = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    need(bind(in, (struct sockaddr *)&name, length) == 0 &&
             getsockname(in, (struct sockaddr *)&name, &length) == 0 &&
             connect(out, (struct sockaddr *)&name, length) == 0 && timer >= 0,
         "sockets");
    char message[SIZE] = "";
    int64_t due = now() + PACE;
    while (came < count) {
        struct itimerspec at = {.it_value = {due / HOYA_SEC(1), due % HOYA_SEC(1)}};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
        struct pollfd fds[2] = {{timer, POLLIN, 0}, {in, POLLIN, 0}};
        need(poll(fds, 2, -1) > 0, "poll");
        if (fds[1].revents && recv(in, message, sizeof message, 0) == SIZE) take(message);
        if (fds[0].revents && sent < count) {
            memcpy(message, &due, sizeof due);
            need(send(out, message, sizeof message, 0) == SIZE, "send");
            sent++;
            due += PACE;
        }
    }
    close(in);
    close(out);
    close(timer);
}

/* ---- by hoya ------------------------------------------------------------------------------------------------ */

static hoya_loop *loop;
static hoya_datagram_transport *receiver, *sender;
static int64_t next_due;

static int on_datagram(hoya_datagram_transport *transport, const void *data, size_t size, const hoya_address *from,
                       void *arg)
{
    (void)transport;
    (void)from;
    (void)arg;
    if (size == SIZE) take(data);
    if (came == count) hoya_loop_stop(loop);
    return 0;
}

static void on_due(void *arg)
{
    (void)arg;
    char message[SIZE] = "";
    memcpy(message, &next_due, sizeof next_due);
    need(hoya_datagram_transport_sendto(sender, message, sizeof message, NULL) == 0, "sendto");
    next_due += PACE;
    if (++sent < count) need(hoya_loop_call_at(loop, next_due, on_due, NULL, NULL, NULL) == 0, "call_at");
}

static hoya_datagram_transport *open_endpoint(const hoya_datagram_options *options)
{
    static const hoya_datagram_protocol_ops ops = {.size = sizeof ops, .datagram_received = on_datagram};
    hoya_future *future;
    void *value = NULL;
    hoya_datagram_protocol protocol = {&ops, NULL};
    need(hoya_create_datagram_endpoint(loop, protocol, options, &future) == 0, "create_datagram_endpoint");
    need(hoya_run_until_complete(loop, future, NULL) == 0 && hoya_future_take(future, &value, NULL) == 0,
         "endpoint");
    hoya_future_unref(future);
    return value;
}

static void run_hoya(void)
{
    hoya_datagram_options options = {.size = sizeof options, .local_host = "127.0.0.1"};
    hoya_address name;
    char port[8];
    need(hoya_loop_new(NULL, &loop) == 0, "loop");
    receiver = open_endpoint(&options);
    need(hoya_datagram_transport_get_sockname(receiver, &name) == 0, "name");
    snprintf(port, sizeof port, "%d", ntohs(((struct sockaddr_in *)&name.storage)->sin_port));
    options.remote_host = "127.0.0.1";
    options.remote_port = port;
    sender = open_endpoint(&options);
    next_due = now() + PACE;
    need(hoya_loop_call_at(loop, next_due, on_due, NULL, NULL, NULL) == 0 && hoya_loop_run_forever(loop) >= 0,
         "run");
    hoya_datagram_transport_unref(receiver);
    hoya_datagram_transport_unref(sender);
    hoya_loop_close(loop);
    hoya_loop_unref(loop);
}

int main(int argc, char **argv)
{
    who = argc > 2 ? argv[1] : "";
    count = argc > 2 ? atol(argv[2]) : 0;
    if (count < 1 || (strcmp(who, "floor") != 0 && strcmp(who, "hoya") != 0)) {
        fprintf(stderr, "usage: bench-datagrams floor|hoya COUNT\n");
        return 2;
    }
    late = calloc((size_t)count, sizeof *late);
    need(late != NULL, "memory");
    if (*who == 'f') run_floor();
    else run_hoya();
    qsort(late, (size_t)count, sizeof *late, compare);
    print("late-median", count / 2);
    print("late-99%", count * 99 / 100);
    print("late-max", count - 1);
    free(late);
    return 0;
}
