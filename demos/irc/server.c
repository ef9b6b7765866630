/* SPDX-License-Identifier: MIT
 *
 * server.c: a small chat server: a task for each client, which reads its lines. What the lines mean is in service.c; the
 * thread, the group and the listening are server_thread.c's.
 */
#include "service.h"
#include "thread/server_thread.h"

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

int irc_server_start(const char *host, const char *port, irc_server **out, char *bound_port)
{
    irc_server *server = calloc(1, sizeof *server);
    if (!server) return HOYA_ENOMEM;
    const hoya_transport_options transport = {
        .size = sizeof transport, .keep_alive = HOYA_SEC(60), .write_hard = SLOW};
    const hoya_server_options listening = {.size = sizeof listening, .transport = &transport};
    const hoya_stream_options options = {.size = sizeof options, .limit = IRC_LINE, .server = &listening};
    const server_thread_settings settings = {"irc server", host, port, serve, server, &options};
    int rc = server_thread_start(&settings, &server->thread, bound_port);
    if (rc < 0) free(server);
    else *out = server;
    return rc;
}

void irc_server_stop(irc_server *server)
{
    if (!server) return;
    server_thread_stop(server->thread);
    free(server);
}
