/* SPDX-License-Identifier: MIT
 *
 * threads_server.c: a server over several threads: each has a loop of its own, and on it a server of its own, and all of them
 * share one port. The kernel gives each connection to one of them; nothing else is shared. docs/net.md
 */
#include <hoya/hoya.h>
#include <pthread.h>
#include <stdio.h>

#define THREADS 3
#define CLIENTS 12

typedef struct worker {
    hoya_loop *loop;
    pthread_t thread;
    int served;
} worker;

static char port[8];
static worker workers[THREADS];

/* ---- what each thread does ---------------------------------------------------------------------------------- */

static int on_data(hoya_transport *transport, const void *data, size_t size, void *arg)
{
    worker *self = arg;
    self->served++;
    return hoya_transport_write(transport, data, size);
}

static const hoya_protocol_ops echo = {.size = sizeof echo, .data_received = on_data};

static int new_echo(hoya_server *server, hoya_protocol *protocol, void *arg)
{
    (void)server;
    *protocol = (hoya_protocol){&echo, arg};
    return 0;
}

static int serve(worker *self, hoya_server **server)
{
    hoya_server_options options = {.size = sizeof options, .reuse_port = 1};
    hoya_future *future;
    void *value;
    int rc = hoya_create_server(self->loop, "127.0.0.1", port, new_echo, self, NULL, &options, &future);
    if (rc < 0) return rc;
    rc = hoya_future_take(future, &value, NULL); /* a number is no name: it is done */
    hoya_future_unref(future);
    if (rc >= 0) *server = value;
    return rc;
}

static void *run(void *arg)
{
    worker *self = arg;
    hoya_loop_run_forever(self->loop);
    hoya_loop_close(self->loop); /* and the server with it */
    return NULL;
}

/* The first one has let the system choose. */
static void note_port(hoya_server *server)
{
    hoya_address name;
    char text[HOYA_ADDRESS_TEXT_SIZE] = "";
    if (hoya_server_get_sockname(server, 0, &name) < 0) return;
    hoya_address_format((struct sockaddr *)&name.storage, name.length, text, sizeof text);
    sscanf(text, "127.0.0.1:%7s", port);
}

/* It listens before its thread runs, so that no client comes too early. */
static int start(worker *self)
{
    hoya_server *server;
    int rc = hoya_loop_new(NULL, &self->loop);
    if (rc < 0) return rc;
    rc = serve(self, &server);
    if (rc >= 0) {
        note_port(server);
        hoya_server_unref(server);
    }
    if (rc >= 0 && pthread_create(&self->thread, NULL, run, self)) rc = HOYA_EAGAIN;
    if (rc < 0) hoya_loop_unref(self->loop); /* and the server with it */
    return rc;
}

/* ---- their clients ------------------------------------------------------------------------------------------ */

static int left = CLIENTS;

static int say_hello(hoya_transport *transport, void *arg)
{
    (void)arg;
    return hoya_transport_write(transport, "hello", 5);
}

static int on_answer(hoya_transport *transport, const void *data, size_t size, void *arg)
{
    (void)arg;
    printf("%.*s ", (int)size, (const char *)data);
    return hoya_transport_close(transport);
}

/* Once for each, also where there was no connection. Runs inline: done callbacks would come later, but nobody waits here. */
static void on_released(void *arg)
{
    if (--left == 0) hoya_loop_stop(arg);
}

static const hoya_protocol_ops client = {
    .size = sizeof client, .connection_made = say_hello, .data_received = on_answer, .released = on_released};

static int visit(void)
{
    hoya_loop *loop;
    int rc = hoya_loop_new(NULL, &loop);
    if (rc < 0) return rc;
    hoya_protocol protocol = {&client, loop};
    for (int i = 0; rc >= 0 && i < CLIENTS; i++)
        rc = hoya_create_connection(loop, "127.0.0.1", port, protocol, NULL, NULL);
    if (rc >= 0) rc = hoya_loop_run_forever(loop);
    hoya_loop_close(loop);
    hoya_loop_unref(loop);
    return rc;
}

int main(void)
{
    int count = 0, rc = 0;
    snprintf(port, sizeof port, "0");
    while (rc >= 0 && count < THREADS) {
        rc = start(&workers[count]);
        if (rc >= 0) count++;
    }
    if (rc >= 0) rc = visit();
    if (rc < 0) fprintf(stderr, "%s\n", hoya_error_detail());
    for (int i = 0; i < count; i++) {
        hoya_loop_stop(workers[i].loop); /* any thread */
        pthread_join(workers[i].thread, NULL);
        printf("\nthread %d: %d", i, workers[i].served);
        hoya_loop_unref(workers[i].loop);
    }
    puts("");
    return rc < 0;
}
