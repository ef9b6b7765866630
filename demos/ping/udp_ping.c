/* SPDX-License-Identifier: MIT
 *
 * udp_ping.c: a UDP ping, and the echo that answers it.
 *
 *     udp-ping --listen 127.0.0.1:7007                     sends back what comes, until SIGINT or SIGTERM
 *     udp-ping --to 127.0.0.1:7007 --count 10 --pace 20    ten datagrams, one each 20 ms, and how long each was under way
 *
 * The ping does not wait for an answer before it goes on: what is lost is lost, and counted. Its exit code is 1 if that is all
 * of them.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../echo/demo.h"

static struct {
    hoya_loop *loop;
    long count, pace, patience; /* milliseconds */
    long sent, came, errors;
    int64_t least, most, sum; /* nanoseconds under way */
} ping;

/* Number and time: what each datagram carries, and brings back. */
typedef struct note {
    int64_t number, when;
} note;

static hoya_datagram_transport *open_endpoint(const hoya_datagram_protocol_ops *ops,
                                              const hoya_datagram_options *options, const char *address)
{
    hoya_future *future = NULL;
    void *value = NULL;
    int rc = hoya_create_datagram_endpoint(ping.loop, (hoya_datagram_protocol){ops, NULL}, options, &future);
    if (rc >= 0) rc = hoya_run_until_complete(ping.loop, future, NULL);
    if (rc >= 0) rc = hoya_future_take(future, &value, NULL);
    if (rc < 0) demo_say("cannot use %s: %s", address, demo_reason(rc));
    hoya_future_unref(future);
    return value;
}

/* ---- the echo ---------------------------------------------------------------------------------------------- */

static int on_datagram(hoya_datagram_transport *transport, const void *data, size_t size, const hoya_address *from,
                       void *arg)
{
    (void)arg;
    ping.came++;
    return hoya_datagram_transport_sendto(transport, data, size, from);
}

static const hoya_datagram_protocol_ops echo_ops = {.size = sizeof echo_ops, .datagram_received = on_datagram};

static void on_signal(int number, void *arg)
{
    (void)number;
    (void)arg;
    hoya_loop_stop(ping.loop);
}

static int serve(const char *address)
{
    char host[DEMO_ADDRESS_SIZE], port[8], text[HOYA_ADDRESS_TEXT_SIZE];
    hoya_datagram_options options = {.size = sizeof options, .local_host = host, .local_port = port};
    hoya_address at;
    int rc = demo_split(address, host, port);
    if (rc != DEMO_OK) return rc;
    hoya_datagram_transport *transport = open_endpoint(&echo_ops, &options, address);
    if (transport == NULL) return DEMO_FAILED;
    hoya_loop_add_signal_handler(ping.loop, SIGINT, on_signal, NULL, NULL);
    hoya_loop_add_signal_handler(ping.loop, SIGTERM, on_signal, NULL, NULL);
    hoya_datagram_transport_get_sockname(transport, &at);
    hoya_address_format((struct sockaddr *)&at.storage, at.length, text, sizeof text);
    printf("listening on %s (host: %s)\n", text, hoya_loop_host_name(ping.loop));
    fflush(stdout); /* who started us waits for this line */
    rc = hoya_loop_run_forever(ping.loop);
    printf("sent %ld datagrams back\n", ping.came);
    hoya_datagram_transport_unref(transport);
    return rc < 0 ? demo_library_failed("run", rc) : DEMO_OK;
}

/* ---- the ping ---------------------------------------------------------------------------------------------- */

static int on_answer(hoya_datagram_transport *transport, const void *data, size_t size, const hoya_address *from,
                     void *arg)
{
    (void)transport;
    (void)from;
    (void)arg;
    note came;
    if (size != sizeof came) return 0; /* not ours */
    memcpy(&came, data, sizeof came);
    int64_t took = hoya_loop_time(ping.loop) - came.when;
    if (!ping.came || took < ping.least) ping.least = took;
    if (took > ping.most) ping.most = took;
    ping.sum += took;
    if (++ping.came == ping.count) hoya_loop_stop(ping.loop);
    return 0;
}

static int on_error(hoya_datagram_transport *transport, int code, void *arg)
{
    (void)transport;
    (void)arg;
    if (!ping.errors++) demo_say("%s", demo_reason(code)); /* the first says it all */
    return 0;
}

static const hoya_datagram_protocol_ops ping_ops = {
    .size = sizeof ping_ops, .datagram_received = on_answer, .error_received = on_error};

static void on_patience(void *arg)
{
    (void)arg;
    hoya_loop_stop(ping.loop);
}

/* In debug mode, and under a busy host, a tick may be late; the next one is due when it was. */
static void on_tick(void *arg)
{
    note next = {ping.sent, hoya_loop_time(ping.loop)};
    if (ping.sent == ping.count) return;
    int rc = hoya_datagram_transport_sendto(arg, &next, sizeof next, NULL);
    if (rc < 0) on_error(arg, rc, NULL);
    if (++ping.sent == ping.count)
        hoya_loop_call_later(ping.loop, HOYA_MSEC(ping.patience), on_patience, NULL, NULL, NULL);
}

static int send_all(const char *address)
{
    char host[DEMO_ADDRESS_SIZE], port[8];
    hoya_datagram_options options = {.size = sizeof options, .remote_host = host, .remote_port = port};
    int rc = demo_split(address, host, port);
    if (rc != DEMO_OK) return rc;
    hoya_datagram_transport *transport = open_endpoint(&ping_ops, &options, address);
    if (transport == NULL) return DEMO_FAILED;
    rc = hoya_loop_call_every(ping.loop, HOYA_MSEC(ping.pace), 0, on_tick, transport, NULL, NULL);
    if (rc >= 0) rc = hoya_loop_run_forever(ping.loop);
    hoya_datagram_transport_unref(transport);
    if (rc < 0) return demo_library_failed("run", rc);
    printf("%ld sent, %ld came back", ping.sent, ping.came);
    if (ping.came)
        printf(", after %.0f us (%.0f to %.0f)", (double)ping.sum / (double)ping.came / 1e3,
               (double)ping.least / 1e3, (double)ping.most / 1e3);
    printf(" (host: %s)\n", hoya_loop_host_name(ping.loop));
    return ping.came ? DEMO_OK : DEMO_FAILED;
}

int main(int argc, char **argv)
{
    const char *listen_on = NULL, *to = NULL, *host = "native";
    ping.count = 10;
    ping.pace = 20;
    ping.patience = 1000;
    demo_program = "udp-ping";
    demo_read_options(
        argc, argv, "A UDP ping (--to), and the echo that answers it (--listen).",
        (const demo_option[]){
            {"listen", "ADDR:PORT", "send back what comes to this address", .text = &listen_on},
            {"to", "ADDR:PORT", "send datagrams there, and wait for them to come back", .text = &to},
            {"count", "N", "so many, 10 by default", .number = &ping.count, .least = 1, .most = 1000000},
            {"pace", "MS", "one each so many milliseconds, 20 by default", .number = &ping.pace, .least = 1,
             .most = 60000},
            {"patience", "MS", "how long to wait for the last one, 1000 by default", .number = &ping.patience,
             .least = 1, .most = 60000},
            {"host", "NAME", "whose main loop to live in: native (the default), glib, qt, libuv", .text = &host},
            {0},
        });
    if ((listen_on == NULL) == (to == NULL)) {
        demo_say("wants one of --listen and --to; --help tells the rest");
        return DEMO_USAGE;
    }
    int rc = demo_choose_host(host);
    if (rc != DEMO_OK) return rc;
    rc = hoya_new_event_loop(&ping.loop);
    if (rc < 0) return demo_library_failed("make a loop", rc);
    rc = listen_on ? serve(listen_on) : send_all(to);
    hoya_loop_close(ping.loop);
    hoya_loop_unref(ping.loop);
    return rc;
}
