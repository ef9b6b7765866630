/* SPDX-License-Identifier: MIT
 *
 * host.c: the host that the command line names, and a timer of the host's own that ticks beside the loop. It counts its
 * ticks and the longest time between two of them: so long would the sockets have kept a window waiting. And what the echo
 * servers say of themselves.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "demo.h"
#include "hosts/hosts.h"

enum { TICK_MS = 10 };

static const demo_host *chosen;
static unsigned long ticks;
static int64_t last, longest; /* nanoseconds */

int demo_choose_host(const char *name)
{
    char known[128] = "";
    for (int i = 0; demo_hosts[i] != NULL; i++) {
        if (strcmp(name, demo_hosts[i]->name) == 0) {
            chosen = demo_hosts[i];
            hoya_set_event_loop_policy(chosen->policy()); /* this line is the whole difference */
            return DEMO_OK;
        }
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", demo_hosts[i]->name);
    }
    demo_say("there is no host \"%s\" in this build; there is %s", name, known);
    return DEMO_USAGE;
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return HOYA_SEC(t.tv_sec) + t.tv_nsec;
}

static void note_gap(void)
{
    int64_t at = now();
    if (at - last > longest) longest = at - last;
    last = at;
}

static void tick(void)
{
    ticks++;
    note_gap();
}

void demo_start_ticking(void)
{
    last = now();
    if (chosen->start_timer) chosen->start_timer(TICK_MS, tick);
}

void demo_stop_ticking(char text[DEMO_TICKS_SIZE])
{
    if (!chosen->start_timer) {
        snprintf(text, DEMO_TICKS_SIZE, "none");
        return;
    }
    chosen->stop_timer();
    note_gap(); /* a timer that starved to the end shows */
    snprintf(text, DEMO_TICKS_SIZE, "%lu (every %d ms, longest gap %.1f ms)", ticks, TICK_MS,
             (double)longest / 1e6);
}

/* Who started us waits for this line. */
static void say_listening(hoya_loop *loop, const char *address)
{
    printf("listening on %s (host: %s)\n", address, hoya_loop_host_name(loop));
    fflush(stdout);
}

void demo_say_listening(const hoya_server *server)
{
    hoya_address address;
    char text[HOYA_ADDRESS_TEXT_SIZE] = "an unknown address";

    if (hoya_server_get_sockname(server, 0, &address) >= 0)
        hoya_address_format((struct sockaddr *)&address.storage, address.length, text, sizeof text);
    say_listening(hoya_server_get_loop(server), text);
}

void demo_say_listening_socket(hoya_loop *loop, int listener)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char text[DEMO_ADDRESS_SIZE] = "an unknown address";

    if (getsockname(listener, (struct sockaddr *)&address, &length) == 0)
        demo_address_text((struct sockaddr *)&address, length, text);
    say_listening(loop, text);
}

void demo_client_came(demo_clients *clients)
{
    clients->served++;
    if (++clients->open > clients->peak) clients->peak = clients->open;
}

void demo_say_statistics(hoya_loop *loop, const demo_clients *clients, const char *host_ticks)
{
    hoya_loop_statistics stats = {.size = sizeof stats};

    hoya_loop_stats(loop, &stats);
    printf("served %" PRIu64 " connections, echoed %" PRIu64 " bytes, peak %" PRIu64
           " open; host ticks %s; %" PRIu64 " loop rounds\n",
           clients->served, clients->echoed, clients->peak, host_ticks, stats.rounds);
}
