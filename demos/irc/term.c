/* SPDX-License-Identifier: MIT
 *
 * term.c: the IRC client in a terminal. Read program(): it is the whole of it. Without --server it talks to the
 * server in server.c, which it starts.
 *
 * Standard input is watched by the loop, as any descriptor; so typing, the network and the clock are served by one
 * thread.
 */
#include "term.h"
#include "../echo/demo.h"
#include "server.h"
#include "thread/server_thread.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what the client tells ------------------------------------------------------------------------------- */

static void on_state(irc *client, irc_state state, const char *text, void *arg)
{
    struct term *term = arg;
    (void)client;
    snprintf(term->state, sizeof term->state, "%s", text);
    term->state[irc_fit(term->state, sizeof term->state - 1)] = '\0';
    if (state == IRC_ONLINE && !term->settings.join) term->ready = true;
    if (state != IRC_ONLINE) term->lag = 0;
    char line[sizeof term->state + 8];
    snprintf(line, sizeof line, "-- %s", term->state);
    term->display->show(term, NULL, line);
    term->display->update(term);
    if (state == IRC_OFFLINE && term->quitting) hoya_event_set(term->over);
}

static void on_message(irc *client, const char *target, const char *from, const char *text, irc_kind kind,
                       void *arg)
{
    static const char *const forms[] = {[IRC_MESSAGE] = "<%s> %s",
                                        [IRC_ACTION] = "* %s %s",
                                        [IRC_NOTICE] = "-%s- %s",
                                        [IRC_OWN] = "<%s> %s",
                                        [IRC_INFO] = "%s-- %s"};
    struct term *term = arg;
    char line[2 * IRC_LONGEST + 2 * IRC_NAME];
    (void)client;
    snprintf(line, sizeof line, forms[kind], from ? from : "", text);
    term->display->show(term, target, line);
}

static void on_joined(irc *client, const char *channel, void *arg)
{
    struct term *term = arg;
    (void)client;
    term->ready = true;
    term->display->page(term, channel, true);
    term->display->show(term, channel, "-- you have joined");
}

static void on_left(irc *client, const char *channel, void *arg)
{
    struct term *term = arg;
    (void)client;
    term->display->show(term, NULL, "-- you have left a channel");
    term->display->page(term, channel, false);
}

static void on_names(irc *client, const char *channel, void *arg)
{
    struct term *term = arg;
    (void)client, (void)channel;
    term->display->update(term);
}

static void on_trouble(irc *client, int code, const char *text, void *arg)
{
    struct term *term = arg;
    char line[IRC_LINE * 2 + 8];
    (void)client, (void)code;
    snprintf(line, sizeof line, "!! %s", text);
    term->display->show(term, term->page[0] ? term->page : NULL, line);
}

static void on_lag(irc *client, int64_t lag, void *arg)
{
    struct term *term = arg;
    (void)client;
    term->lag = lag;
    term->display->update(term);
}

static const irc_face face = {on_state, on_message, on_joined, on_left, on_names, on_trouble, on_lag};

/* ---- what somebody types --------------------------------------------------------------------------------- */

void term_quit(struct term *term)
{
    term->quitting = true;
    if (irc_get_state(term->client) == IRC_OFFLINE) hoya_event_set(term->over);
    else irc_disconnect(term->client, NULL);
}

/* The names of the present page, in lines of less than a screen. */
static void list_names(struct term *term)
{
    const char *const *names;
    size_t count = irc_names(term->client, term->page, &names);
    char line[320];
    int used = snprintf(line, sizeof line, "-- %zu here:", count);
    for (size_t i = 0; i < count; i++) {
        used += snprintf(line + used, sizeof line - (size_t)used, " %s", names[i]);
        if (used < 200 && i + 1 < count) continue;
        term->display->show(term, term->page, line);
        used = snprintf(line, sizeof line, "--");
    }
}

void term_typed(struct term *term, const char *line)
{
    const char *page = term->page[0] ? term->page : NULL;
    if (strncmp(line, "/quit", 5) == 0 && (line[5] == ' ' || line[5] == '\0')) {
        term->quitting = true;
        if (irc_get_state(term->client) == IRC_OFFLINE) hoya_event_set(term->over);
    }
    if (strcmp(line, "/names") == 0 && page && irc_is_channel(page)) {
        list_names(term);
    } else if (strcmp(line, "/connect") == 0) {
        if (irc_connect(term->client, &term->settings) < 0) on_trouble(term->client, 0, hoya_error_detail(), term);
    } else {
        irc_input(term->client, page, line);
    }
}

/* ---- the program ----------------------------------------------------------------------------------------- */

static int talk(struct term *term)
{
    hoya_future *done;
    int rc = irc_new(term->loop, &face, term, &term->client);
    if (rc < 0) return demo_library_failed("make a client", rc);
    rc = term->display->open(term);
    if (rc >= 0) {
        rc = irc_connect(term->client, &term->settings);
        if (rc >= 0) rc = hoya_event_wait(term->over);
        hoya_shield_enter(); /* Ctrl-C ends the waiting, not the goodbye */
        term->display->close(term);
        if (rc < 0 && rc != HOYA_ECANCELED) demo_library_failed("connect", rc);
    } else {
        demo_library_failed(term->script ? "play the script" : "use the terminal", rc);
        hoya_shield_enter();
        term->display->close(term);
    }
    int closed = irc_close(term->client, &done);
    if (closed >= 0) closed = hoya_await(done, NULL);
    if (closed >= 0) hoya_future_unref(done);
    hoya_shield_leave();
    return rc == HOYA_ECANCELED ? rc : rc < 0 ? DEMO_FAILED : term->result;
}

static int program(hoya_task *self, void *arg)
{
    struct term *term = arg;
    irc_server *server = NULL;
    char port[8];
    if (!term->settings.host) {
        int rc = irc_server_start("127.0.0.1", "0", &server, port);
        if (rc < 0) return demo_library_failed("start the server", rc);
        term->settings.host = "127.0.0.1";
        term->settings.port = port;
    }
    term->loop = hoya_task_get_loop(self);
    int rc = hoya_event_new(term->loop, NULL, &term->over);
    if (rc >= 0) {
        rc = talk(term);
        hoya_event_free(term->over);
    }
    irc_server_stop(server);
    return rc;
}

/* ---- nothing but the server ------------------------------------------------------------------------------ */

static int serve(hoya_task *self, void *arg)
{
    const irc_settings *at = arg;
    irc_server *server;
    char port[8];
    (void)self;
    int rc = irc_server_start(at->host, at->port, &server, port);
    if (rc < 0) return demo_library_failed("start the server", rc);
    rc = server_thread_until_sigterm(at->host, port);
    irc_server_stop(server);
    return rc < 0 ? rc : DEMO_OK;
}

/* ---- main ------------------------------------------------------------------------------------------------ */

static const char *who_we_are(void)
{
    const char *name = getenv("USER");
    return irc_is_nick(name) ? name : "guest";
}

int main(int argc, char **argv)
{
    static struct term term;
    const char *server = NULL, *alone = NULL, *nick = NULL, *join = NULL;
    const demo_option options[] = {
        {.name = "server", .value = "HOST:PORT", .help = "a server; without it one is started", .text = &server},
        {.name = "nick", .value = "NICK", .help = "who you are", .text = &nick},
        {.name = "join", .value = "#A,#B", .help = "channels to join", .text = &join},
        {.name = "script",
         .value = "FILE",
         .help = "plain lines from a file, and /wait TEXT",
         .text = &term.script},
        {.name = "serve", .value = "HOST:PORT", .help = "nothing but the server, until SIGTERM", .text = &alone},
        {0}};
    static char host[DEMO_ADDRESS_SIZE], port[8];
    demo_program = "irc-term";
    setlocale(LC_ALL, "");
    demo_read_options(argc, argv, "An IRC client in the terminal.", options);
    const char *address = alone ? alone : server;
    if (address && demo_split(address, host, port) != DEMO_OK) return DEMO_USAGE;
    term.settings = (irc_settings){address ? host : NULL, port, nick ? nick : who_we_are(), join};
    if (!address && !join) term.settings.join = "#hoya";
    term.display = !term.script && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? &screen_display : &plain_display;

    hoya_set_event_loop_policy(hoya_default_policy()); /* the host: hoya's own loop */
    int rc = alone ? hoya_run(serve, &term.settings, NULL) : hoya_run(program, &term, NULL);
    if (rc < 0 && rc != HOYA_EINTR) return demo_library_failed("run", rc);
    return rc == HOYA_EINTR ? 130 : rc;
}
