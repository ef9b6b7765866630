/* SPDX-License-Identifier: MIT
 *
 * plain.c: the client without a screen: a line out for everything that happens, and lines in, from a file or a
 * pipe. A task goes through them, and waits where they say so; that is all that a script for two clients that talk
 * needs:
 *
 *     /wait TEXT     until a line with this text has come out, behind the one that was waited for before
 *     /sleep N       so many seconds
 *     anything else  as if it was typed; the first one when the channel is joined
 */
#include "term.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE HOYA_SEC(50)

static struct plain {
    hoya_task *player;
    hoya_queue *lines;  /* that have come in, and were not played */
    hoya_event *spoken; /* something has come out */
    int fd;
    char *part; /* of a line, whose end has not come in */
    size_t part_size;
    char **out; /* what has come out, and was not waited for */
    size_t out_count, out_looked;
} plain;

/* ---- in ---------------------------------------------------------------------------------------------------- */

static int take(const char *data, size_t size)
{
    char *part = realloc(plain.part, plain.part_size + size + 1);
    if (!part) return HOYA_ENOMEM;
    memcpy(part + plain.part_size, data, size);
    plain.part = part;
    plain.part_size += size;
    char *end;
    while ((end = memchr(plain.part, '\n', plain.part_size))) {
        size_t length = (size_t)(end - plain.part);
        char *line = strndup(plain.part, length);
        int rc = line ? hoya_queue_put_nowait(plain.lines, line) : HOYA_ENOMEM;
        if (rc < 0) {
            free(line);
            return rc;
        }
        plain.part_size -= length + 1;
        memmove(plain.part, end + 1, plain.part_size);
    }
    return 0;
}

/* 1: there may be more; 0: that was the end. One read at a time: the descriptor is the caller's, and may block. */
static int read_some(void)
{
    char data[4096];
    ssize_t n = read(plain.fd, data, sizeof data);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return 1;
    if (n > 0 && take(data, (size_t)n) >= 0) return 1;
    if (plain.part_size) take("\n", 1);
    hoya_queue_shutdown(plain.lines, 0);
    return 0;
}

static void on_readable(hoya_fd fd, uint32_t events, void *arg)
{
    struct term *term = arg;
    (void)events;
    if (!read_some()) hoya_loop_remove_reader(term->loop, fd);
}

/* A regular file is always ready, and no selector takes one: it is read here and now. */
static int begin_reading(struct term *term)
{
    int rc = hoya_loop_add_reader(term->loop, plain.fd, on_readable, term, NULL);
    if (rc != HOYA_EPERM) return rc;
    while (read_some()) continue;
    return 0;
}

/* ---- out ------------------------------------------------------------------------------------------------- */

static void show(struct term *term, const char *page, const char *line)
{
    char *text = NULL;
    (void)term;
    if (asprintf(&text, "[%s] %s", page ? page : "server", line) < 0) return;
    puts(text);
    fflush(stdout);
    char **out = realloc(plain.out, (plain.out_count + 1) * sizeof *out);
    if (out) {
        plain.out = out;
        plain.out[plain.out_count++] = text;
    } else {
        free(text);
    }
    hoya_event_set(plain.spoken);
}

static void page(struct term *term, const char *name, bool there)
{
    if (there) snprintf(term->page, sizeof term->page, "%s", name);
    else if (irc_compare(term->page, name) == 0) term->page[0] = '\0';
    hoya_event_set(plain.spoken);
}

static void update(struct term *term)
{
    (void)term;
    hoya_event_set(plain.spoken);
}

/* ---- the script ------------------------------------------------------------------------------------------ */

static bool has_come(const char *text)
{
    while (plain.out_looked < plain.out_count)
        if (strstr(plain.out[plain.out_looked++], text)) return true;
    return false;
}

/* Until the text has come out, or, without one, until we are where the script wants to be. */
static int wait_for(const struct term *term, const char *text)
{
    hoya_timeout *scope;
    int rc = hoya_timeout_enter(PATIENCE, &scope);
    if (rc < 0) return rc;
    while (rc >= 0 && (text ? !has_come(text) : !term->ready)) {
        hoya_event_clear(plain.spoken);
        rc = hoya_event_wait(plain.spoken);
    }
    hoya_timeout_leave(scope);
    if (rc == HOYA_EDEADLINE) printf("irc-term: waited in vain for \"%s\"\n", text ? text : "the channel");
    return rc;
}

static int play_line(struct term *term, const char *line)
{
    if (strncmp(line, "/wait ", 6) == 0) return wait_for(term, line + 6);
    if (strncmp(line, "/sleep ", 7) == 0) return hoya_sleep(HOYA_SEC(atoi(line + 7)));
    int rc = wait_for(term, NULL);
    if (rc >= 0) term_typed(term, line);
    return rc;
}

static int play(hoya_task *self, void *arg)
{
    struct term *term = arg;
    void *line;
    int rc = 0;
    (void)self;
    while (rc >= 0 && hoya_queue_get(plain.lines, &line) == 0) {
        rc = play_line(term, line);
        free(line);
    }
    if (rc < 0) term->result = 1;
    if (!term->quitting) term_quit(term); /* a second time would not wait for the first one's answer */
    return 0;
}

/* ---- the display ----------------------------------------------------------------------------------------- */

static int plain_open(struct term *term)
{
    const hoya_queue_options options = {.size = sizeof options, .capacity = HOYA_QUEUE_UNBOUNDED, .destroy = free};
    if (term->script) plain.fd = open(term->script, O_RDONLY | O_CLOEXEC);
    if (plain.fd < 0) return hoya_error_set(-errno, "%s", term->script);
    int rc = hoya_queue_new(term->loop, &options, &plain.lines);
    if (rc >= 0) rc = hoya_event_new(term->loop, NULL, &plain.spoken);
    if (rc >= 0) rc = begin_reading(term);
    if (rc >= 0) rc = hoya_create_task(term->loop, play, term, NULL, &plain.player);
    return rc;
}

/* The player goes first: what the client still says while that is waited for is shown like all else. */
static void plain_close(struct term *term)
{
    if (plain.player) {
        hoya_task_cancel(plain.player, NULL);
        hoya_wait_done(hoya_task_future(plain.player));
        hoya_task_unref(plain.player);
    }
    if (plain.fd >= 0) hoya_loop_remove_reader(term->loop, plain.fd);
    if (plain.fd > 0) close(plain.fd);
    hoya_queue_free(plain.lines);
    hoya_event_free(plain.spoken);
    while (plain.out_count) free(plain.out[--plain.out_count]);
    free(plain.out);
    free(plain.part);
}

const struct display plain_display = {plain_open, show, page, update, plain_close};
