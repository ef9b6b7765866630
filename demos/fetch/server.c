/* SPDX-License-Identifier: MIT
 *
 * server.c: the local server: what a name asks for, and a task for each download. The thread, the group and the listening
 * are server_thread.c's.
 */
#include "server.h"
#include "pattern.h"
#include "thread/server_thread.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { LINE = 256, STEPS = 50 }; /* STEPS: so many pieces a second, where there is a rate */

struct fetch_server {
    server_thread *thread;
    int64_t rate;
};

/* ---- what a name asks for -------------------------------------------------------------------------------- */

/* "5M" is 5,000,000; -1: no size. */
static int64_t size_of(const char *text)
{
    char *end;
    long long number = strtoll(text, &end, 10);
    int64_t unit = *end == 'K' ? 1000 : *end == 'M' ? 1000000 : *end == 'G' ? 1000000000 : 1;
    if (unit > 1) end++;
    if (end == text || *end || number < 0 || number > 1000000000) return -1;
    return number * unit;
}

static bool begins(const char *name, const char *word)
{
    size_t length = strlen(word);
    return strncmp(name, word, length) == 0 && name[length] == '/';
}

/* ---- a download ------------------------------------------------------------------------------------------ */

/* Pieces in a row; with a rate each goes at its time, which does not depend on when those before it went. */
static int send_bytes(const fetch_server *server, hoya_stream *stream, const char *name, int64_t size)
{
    const hoya_loop *loop = hoya_get_running_loop();
    int64_t begin = hoya_loop_time(loop);
    int64_t piece = server->rate ? server->rate / STEPS + 1 : FETCH_PATTERN;
    if (piece > FETCH_PATTERN) piece = FETCH_PATTERN;
    for (int64_t sent = 0; sent < size;) {
        int64_t left = size - sent, n = left < piece ? left : piece;
        int64_t due = server->rate ? begin + (int64_t)((double)sent * 1e9 / (double)server->rate) : 0;
        int64_t early = due - hoya_loop_time(loop);
        int rc = early > 0 ? hoya_sleep(early) : 0;
        if (rc >= 0) rc = hoya_stream_write(stream, fetch_pattern(name, sent), (size_t)n);
        if (rc < 0) return rc;
        sent += n;
    }
    return 0;
}

/* Not an end, but a reset: what a crashed server, or a cut line, looks like. */
static int reset(hoya_stream *stream)
{
    const struct linger at_once = {.l_onoff = 1};
    hoya_fd fd = hoya_transport_fileno(hoya_stream_get_transport(stream));
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return hoya_stream_abort(stream);
}

/* Until the other side has gone. */
static int say_nothing(hoya_stream *stream)
{
    char byte;
    ssize_t n;
    do n = hoya_stream_read(stream, &byte, 1);
    while (n > 0);
    return (int)n;
}

static int answer(fetch_server *server, hoya_stream *stream, const char *name)
{
    char line[LINE + 32];
    const char *slash = strrchr(name, '/');
    int64_t size = size_of(slash ? slash + 1 : name);
    bool breaks = begins(name, "broken"), silent = begins(name, "silent");
    int length = size < 0 ? snprintf(line, sizeof line, "ERROR there is no %s\n", name)
                          : snprintf(line, sizeof line, "OK %lld\n", (long long)size);
    int rc = hoya_stream_write(stream, line, (size_t)length);
    if (rc >= 0 && size > 0) rc = send_bytes(server, stream, name, breaks || silent ? size / 2 : size);
    if (rc >= 0 && breaks) rc = reset(stream);
    if (rc >= 0 && silent) rc = say_nothing(stream);
    return rc;
}

/* How a client goes, clean or not, is nobody's failure. */
static int serve(hoya_task *self, hoya_stream *stream, void *arg)
{
    char name[LINE];
    const char *line;
    (void)self;
    ssize_t size = hoya_stream_readline(stream, &line);
    if (size <= 0) return size == HOYA_ECANCELED ? HOYA_ECANCELED : 0;
    snprintf(name, sizeof name, "%.*s", (int)size, line);
    name[strcspn(name, "\r\n")] = '\0';
    int rc = strncmp(name, "GET ", 4) == 0 ? answer(arg, stream, name + 4)
                                           : hoya_stream_write(stream, "ERROR say GET\n", 14);
    return rc == HOYA_ENOMEM || rc == HOYA_ECANCELED ? rc : 0;
}

/* ---- the thread ------------------------------------------------------------------------------------------ */

int fetch_server_start(const char *host, const char *port, int64_t rate, fetch_server **out, char bound_port[8])
{
    fetch_server *server = calloc(1, sizeof *server);
    if (!server) return HOYA_ENOMEM;
    server->rate = rate;
    const hoya_stream_options options = {.size = sizeof options, .limit = LINE - 1};
    const server_thread_settings settings = {"fetch server", host, port, serve, server, &options};
    int rc = server_thread_start(&settings, &server->thread, bound_port);
    if (rc < 0) free(server);
    else *out = server;
    return rc;
}

void fetch_server_stop(fetch_server *server)
{
    if (!server) return;
    server_thread_stop(server->thread);
    free(server);
}
