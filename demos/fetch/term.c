/* SPDX-License-Identifier: MIT
 *
 * term.c: many downloads at once, in a terminal. Read program(): it is the whole of it. Without --connect they come
 * from the server in server.c, which it starts.
 */
#include "term.h"
#include "../echo/demo.h"
#include "server.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* For somebody who looks on: some long ones, some short ones, and two that go wrong. */
static const char first_names[] =
    "holiday.mkv/24M,album-01.flac/9M,album-02.flac/7M,album-03.flac/11M,map-of-the-alps.pdf/16M,"
    "broken/8M,letters.tar.gz/5M,missing,kernel.tar.xz/14M,recipe.txt/40K,photos.zip/18M,lecture-7.ogg/12M";
enum { FIRST_RATE = 2000000 };

/* ---- words ----------------------------------------------------------------------------------------------- */

int term_name_length(const char *name)
{
    const char *slash = strrchr(name, '/');
    size_t length = slash && slash > name ? (size_t)(slash - name) : strlen(name);
    return length < NAME_WIDTH ? (int)length : NAME_WIDTH;
}

const char *term_size(char text[SIZE_TEXT], int64_t bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    double number = (double)bytes;
    int unit = 0;
    while (number >= 999.95 && unit < 4) {
        number /= 1000;
        unit++;
    }
    snprintf(text, SIZE_TEXT, "%.*f %s", unit > 0, number, units[unit]);
    return text;
}

double term_part(const fetch_figures *figures)
{
    if (figures->size < 0) return 0;
    return figures->size ? (double)figures->bytes / (double)figures->size : 1;
}

const char *term_state(fetch_state state)
{
    static const char *const words[] = {"waiting", "connecting", "loading", "done", "cancelled", "failed"};
    return words[state];
}

void term_sum(const struct term *term, char text[SUM_TEXT])
{
    fetch_item *const *items;
    size_t count = fetch_items(term->fetch, &items), of[FETCH_FAILED + 1] = {0};
    int used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) of[fetch_item_state(items[i])]++;
    for (int state = 0; state <= FETCH_FAILED; state++)
        if (of[state])
            used += snprintf(text + used, SUM_TEXT - (size_t)used, "%s%zu %s", used ? ", " : "", of[state],
                             term_state((fetch_state)state));
}

/* ---- what the downloads tell ----------------------------------------------------------------------------- */

static void on_state(fetch_item *item, fetch_state state, const char *text, void *arg)
{
    struct term *term = arg;
    struct row *row = fetch_item_user(item);
    snprintf(row->why, sizeof row->why, "%s", text);
    term->display->state(term, item, state);
}

static void on_progress(fetch *all, void *arg)
{
    struct term *term = arg;
    (void)all;
    term->display->update(term);
}

static void on_finished(fetch *all, void *arg)
{
    struct term *term = arg;
    (void)all;
    term->display->finished(term);
}

static const fetch_face face = {on_state, on_progress, on_finished};

static void on_crowd(void *arg)
{
    struct term *term = arg;
    term->crowd_there = true;
    term->display->update(term);
}

/* ---- the program ----------------------------------------------------------------------------------------- */

int term_add(struct term *term, const char *name, fetch_item **item)
{
    if (term->count == ROWS) return hoya_error_set(HOYA_ELIMIT, "%d downloads are enough", ROWS);
    int rc = fetch_add(term->fetch, name, &term->rows[term->count], item);
    if (rc >= 0) term->count++;
    return rc;
}

static int add_all(struct term *term)
{
    char *names = strdup(term->names), *rest = names, *name;
    int rc = names ? 0 : HOYA_ENOMEM;
    while (rc >= 0 && (name = strsep(&rest, ","))) rc = term_add(term, name, NULL);
    free(names);
    return rc;
}

static int begin(struct term *term)
{
    int rc = term->crowd_wanted ? fetch_crowd_start(term->loop, (int)term->crowd_wanted,
                                                    (int)term->crowd_wanted / 100, on_crowd, term, &term->crowd)
                                : 0;
    if (rc >= 0) rc = fetch_set_limit(term->fetch, (int)term->limit);
    if (rc >= 0) rc = term->display->open(term);
    return rc < 0 || term->display == &scene_display ? rc : add_all(term);
}

/* *done is there if what has made it has not failed. */
static void wait_for(int rc, hoya_future **done)
{
    if (rc < 0) return;
    hoya_await(*done, NULL);
    hoya_future_unref(*done);
}

static int show(struct term *term)
{
    hoya_future *done = NULL;
    int rc = fetch_new(term->loop, term->host, term->port, &face, term, &term->fetch);
    if (rc < 0) return demo_library_failed("begin", rc);
    int begun = rc = begin(term);
    if (rc >= 0) rc = hoya_event_wait(term->over);
    hoya_shield_enter(); /* Ctrl-C ends the waiting, not the end */
    term->display->close(term);
    if (begun < 0) demo_library_failed("begin", begun);
    if (term->crowd) wait_for(fetch_crowd_stop(term->crowd, &done), &done);
    wait_for(fetch_close(term->fetch, &done), &done);
    hoya_shield_leave();
    return rc == HOYA_ECANCELED ? rc : rc < 0 ? DEMO_FAILED : term->result;
}

static int program(hoya_task *self, void *arg)
{
    struct term *term = arg;
    fetch_server *server = NULL;
    char port[8];
    if (!term->host) {
        int rc = fetch_server_start("127.0.0.1", "0", term->rate, &server, port);
        if (rc < 0) return demo_library_failed("start the server", rc);
        term->host = "127.0.0.1";
        term->port = port;
    }
    term->loop = hoya_task_get_loop(self);
    int rc = hoya_event_new(term->loop, NULL, &term->over);
    if (rc >= 0) {
        rc = show(term);
        hoya_event_free(term->over);
    }
    fetch_server_stop(server);
    return rc;
}

int main(int argc, char **argv)
{
    static struct term term = {.names = first_names, .limit = 4, .rate = FIRST_RATE};
    static char host[DEMO_ADDRESS_SIZE], port[8];
    const char *connect = NULL;
    bool scene = false;
    const demo_option options[] = {
        {.name = "connect",
         .value = "HOST:PORT",
         .help = "a demo-fetch-server; without it one is started",
         .text = &connect},
        {.name = "get", .value = "NAME,NAME", .help = "what: song.ogg/5M, ...", .text = &term.names},
        {.name = "limit",
         .value = "N",
         .help = "so many at once (4)",
         .number = &term.limit,
         .least = 1,
         .most = 1000},
        {.name = "rate",
         .value = "BYTES",
         .help = "a second, of each, of the server that is started; 0: all it can",
         .number = &term.rate,
         .most = 2000000000},
        {.name = "crowd",
         .value = "N",
         .help = "so many idle connections beside it, and busy ones, a hundredth",
         .number = &term.crowd_wanted,
         .most = 1000000},
        {.name = "scene", .help = "plays somebody who cancels and retries", .flag = &scene},
        {0}};
    demo_program = "fetch-term";
    setlocale(LC_ALL, "");
    demo_read_options(argc, argv, "Many downloads at once, in the terminal.", options);
    if (connect && demo_split(connect, host, port) != DEMO_OK) return DEMO_USAGE;
    if (connect) term.host = host;
    term.port = port;
    term.display = scene                                           ? &scene_display
                   : isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? &screen_display
                                                                   : &plain_display;

    hoya_set_event_loop_policy(hoya_default_policy()); /* the host: hoya's own loop */
    int rc = hoya_run(program, &term, NULL);
    if (rc < 0 && rc != HOYA_EINTR) return demo_library_failed("run", rc);
    return rc == HOYA_EINTR ? 130 : rc;
}
