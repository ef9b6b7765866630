/* SPDX-License-Identifier: MIT
 *
 * peers/fetch.c: gets a path from an HTTP/1.0 server and writes the answer's body to standard output: a client on
 * create_connection, for servers that hoya did not write.
 *
 *     fetch HOST PORT PATH [TIMES]
 *
 * TIMES connections at once fetch the same; the bodies have to be equal, and one is written.
 */
#include <hoya/hoya.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct answer {
    char *bytes;
    size_t size;
    int code; /* of connection_lost; 1: not yet */
} answer;

static hoya_loop *loop;
static char request[512];
static int left;

static int on_made(hoya_transport *transport, void *arg)
{
    (void)arg;
    int rc = hoya_transport_write(transport, request, strlen(request));
    return rc < 0 ? rc : hoya_transport_write_eof(transport);
}

static int on_data(hoya_transport *transport, const void *data, size_t size, void *arg)
{
    (void)transport;
    answer *a = arg;
    char *bytes = realloc(a->bytes, a->size + size);
    if (!bytes) return HOYA_ENOMEM;
    memcpy(bytes + a->size, data, size);
    a->bytes = bytes;
    a->size += size;
    return 0;
}

static void on_lost(hoya_transport *transport, int code, void *arg)
{
    (void)transport;
    ((answer *)arg)->code = code;
}

static void on_released(void *arg)
{
    (void)arg;
    if (--left == 0) hoya_loop_stop(loop);
}

static const hoya_protocol_ops ops = {.size = sizeof ops,
                                      .connection_made = on_made,
                                      .data_received = on_data,
                                      .connection_lost = on_lost,
                                      .released = on_released};

static const char *body_of(const answer *a, size_t *size)
{
    const char *end = a->bytes ? memmem(a->bytes, a->size, "\r\n\r\n", 4) : NULL;
    if (a->code != 0 || !end || strncmp(a->bytes, "HTTP/1.", 7) != 0 || !strstr(a->bytes, " 200 ")) return NULL;
    *size = a->size - (size_t)(end + 4 - a->bytes);
    return end + 4;
}

int main(int argc, char **argv)
{
    if (argc < 4) return 2;
    int times = argc > 4 ? atoi(argv[4]) : 1;
    answer *answers = calloc((size_t)times, sizeof *answers);
    if (!answers || hoya_new_event_loop(&loop) < 0) return 1;
    snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", argv[3], argv[1]);
    left = times;
    for (int i = 0; i < times; i++) {
        answers[i].code = 1;
        if (hoya_create_connection(loop, argv[1], argv[2], (hoya_protocol){&ops, &answers[i]}, NULL, NULL) < 0) {
            fprintf(stderr, "fetch: %s\n", hoya_error_detail());
            return 1;
        }
    }
    if (left) hoya_loop_run_forever(loop);

    int bad = 0;
    size_t first_size = 0, size = 0;
    const char *first = body_of(&answers[0], &first_size);
    for (int i = 0; i < times; i++) {
        const char *body = body_of(&answers[i], &size);
        if (!first || !body || size != first_size || memcmp(body, first, size) != 0) bad++;
    }
    if (first) fwrite(first, 1, first_size, stdout);
    if (bad) fprintf(stderr, "fetch: %d of %d answers are wrong\n", bad, times);
    for (int i = 0; i < times; i++) free(answers[i].bytes);
    free(answers);
    hoya_loop_close(loop);
    hoya_loop_unref(loop);
    return bad != 0;
}
