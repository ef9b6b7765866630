/* SPDX-License-Identifier: MIT
 *
 * tour 18: the echo by streams.
 *
 * A task for each client, and a stream that reads lines and buffers what comes and goes. The write waits by itself while
 * the other side is too slow. When the function returns the connection is closed, and what was written still goes out. For
 * most programs this is the way.
 */
#include <hoya/hoya.h>
#include <stdio.h>

#include "tour.h"

typedef struct program {
    int fd;
    hoya_server *server;
    int left; /* clients */
} program;

static int echo(hoya_task *self, hoya_stream *stream, void *arg)
{
    (void)self;
    program *p = arg;
    const char *line;
    ssize_t n;
    int rc = 0;
    while (rc >= 0 && (n = hoya_stream_readline(stream, &line)) != 0) /* 0: the client has no more */
        rc = n < 0 ? (int)n : hoya_stream_write(stream, line, (size_t)n);
    if (--p->left == 0) must(hoya_server_close(p->server));
    return rc; /* a failure is reported; it is this client's alone */
}

static int serve(hoya_task *self, void *arg)
{
    (void)self;
    program *p = arg;
    hoya_group *group;
    must(hoya_group_enter(NULL, &group));
    must(hoya_start_server_on_socket(group, p->fd, echo, p, NULL, NULL, &p->server));
    int rc = hoya_group_leave(group); /* waits until the server is closed, and its last client has gone */
    hoya_server_unref(p->server);
    return rc;
}

int main(void)
{
    int port;
    client first, second;
    program p = {.fd = listen_here(&port), .left = 2}; /* the server's to close */
    client_begin(&first, port);
    client_begin(&second, port);
    must(hoya_run(serve, &p, NULL));
    client_end(&first, "the first");
    client_end(&second, "the second");
    return 0;
}
