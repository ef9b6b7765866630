/* SPDX-License-Identifier: MIT
 *
 * server.c: a small chat server: a thread, in it hoya_run with the native policy, in that a group, and in the group
 * a task for each client, which reads its lines. Stopping it is cancelling the group. What the lines mean is in
 * service.c.
 */
#include "service.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOW = 256 * 1024 }; /* so much may wait for a client to read it */

/* ---- the life of a client -------------------------------------------------------------------------------- */

static int read_lines(struct client *client)
{
    for (;;) {
        const char *data;
        ssize_t size = hoya_stream_readline(client->stream, &data);
        if (size == HOYA_ELIMIT) {
            service_reply(client, 417, ":This line was too long");
            continue;
        }
        if (size <= 0) return (int)size;
        int rc = irc_parse(&client->line, data, (size_t)size) ? service_hear(client, &client->line) : 0;
        if (rc < 0) return rc;
    }
}

/* How a client goes, clean or not, is nobody's failure. */
static int serve(hoya_task *self, hoya_stream *stream, void *arg)
{
    irc_server *server = arg;
    struct client *client = calloc(1, sizeof *client);
    (void)self;
    if (!client) return HOYA_ENOMEM;
    client->server = server;
    client->stream = stream;
    client->next = server->clients;
    server->clients = client;
    snprintf(client->why, sizeof client->why, "connection closed");
    int rc = read_lines(client);
    service_forget(client);
    return rc == HOYA_ENOMEM || rc == HOYA_ECANCELED ? rc : 0;
}

/* ---- the thread ------------------------------------------------------------------------------------------ */

static int listen_here(irc_server *server)
{
    const hoya_transport_options transport = {
        .size = sizeof transport, .keep_alive = HOYA_SEC(60), .write_hard = SLOW};
    const hoya_server_options listening = {.size = sizeof listening, .transport = &transport};
    const hoya_stream_options options = {.size = sizeof options, .limit = IRC_LINE, .server = &listening};
    hoya_server *listener;
    hoya_address address;
    int rc = hoya_start_server(server->group, server->host, server->port, serve, server, NULL, &options, &listener);
    if (rc < 0) return rc;
    rc = hoya_server_get_sockname(listener, 0, &address);
    if (rc >= 0) { /* the port is at the same place for both families */
        struct sockaddr_in *in = (struct sockaddr_in *)&address.storage;
        snprintf(server->bound, 8, "%d", ntohs(in->sin_port));
    }
    hoya_server_unref(listener);
    return rc;
}

static int run_server(hoya_task *self, void *arg)
{
    irc_server *server = arg;
    int rc = hoya_group_enter(NULL, &server->group);
    if (rc < 0) return rc;
    rc = listen_here(server);
    if (rc < 0) {
        hoya_group_cancel(server->group, NULL);
    } else {
        server->loop = hoya_loop_ref(hoya_task_get_loop(self));
        sem_post(&server->started);
    }
    hoya_group_leave(server->group);
    return rc;
}

static void *thread(void *arg)
{
    irc_server *server = arg;
    const hoya_run_options options = {
        .size = sizeof options, .policy = hoya_default_policy(), .name = "irc server"};
    server->result = hoya_run(run_server, server, &options);
    if (!server->loop) sem_post(&server->started); /* it never has */
    return NULL;
}

static void end_group(void *arg)
{
    irc_server *server = arg;
    hoya_group_cancel(server->group, "the server is stopped");
}

int irc_server_start(const char *host, const char *port, irc_server **out, char *bound_port)
{
    irc_server *server = calloc(1, sizeof *server);
    if (!server) return HOYA_ENOMEM;
    server->host = host;
    server->port = port;
    server->bound = bound_port;
    sem_init(&server->started, 0, 0);
    int rc = -pthread_create(&server->thread, NULL, thread, server);
    if (rc == 0) {
        while (sem_wait(&server->started) < 0) continue; /* a signal */
        if (server->loop) {
            *out = server;
            return 0;
        }
        pthread_join(server->thread, NULL);
        rc = server->result;
    }
    sem_destroy(&server->started);
    free(server);
    return rc;
}

void irc_server_stop(irc_server *server)
{
    if (!server) return;
    hoya_loop_call_soon_threadsafe(server->loop, end_group, server, NULL, NULL);
    pthread_join(server->thread, NULL);
    hoya_loop_unref(server->loop);
    sem_destroy(&server->started);
    free(server);
}
