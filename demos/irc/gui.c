/* SPDX-License-Identifier: MIT
 *
 * gui.c: what the two windows have in common (gui.h). All that they want of hoya is in the section "begin and end"; the
 * connection itself is irc.c's.
 */
#include "gui.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* ---- the command line -------------------------------------------------------------------------------- */

static void usage(FILE *to, const char *program)
{
    fprintf(to,
            "Usage: %s [--server HOST[:PORT]] [--nick NICK] [--join #A,#B] [--log FILE] [--scene FILE.png]\n"
            "An IRC client. Without --server it talks to a small server of its own; --log writes\n"
            "down what the window shows; --scene plays a scene, and saves pictures of it.\n",
            program);
}

/* HOST, HOST:PORT, or [v6]:PORT */
static bool server_option(gui_options *options, const char *text)
{
    const char *end = strrchr(text, ':'), *port = "6667";
    if (*text == '[') {
        end = strchr(++text, ']');
        if (!end || (end[1] && end[1] != ':')) return false;
        if (end[1]) port = end + 2;
    } else if (!end || strchr(text, ':') != end) end = text + strlen(text); /* no port, or a bare IPv6 address */
    else port = end + 1;
    size_t length = (size_t)(end - text);
    if (!length || length >= sizeof options->host || !*port || strlen(port) >= sizeof options->port) return false;
    snprintf(options->host, sizeof options->host, "%.*s", (int)length, text);
    snprintf(options->port, sizeof options->port, "%s", port);
    return true;
}

static bool text_option(char *to, size_t size, const char *value)
{
    return *value && (size_t)snprintf(to, size, "%s", value) < size;
}

static bool read_options(gui *me, int argc, char **argv)
{
    gui_options *to = &me->options;
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (!strcmp(name, "--help")) {
            usage(stdout, argv[0]);
            return me->status = 0, false;
        }
        bool good = value != NULL;
        if (!good) value = "(nothing)";
        else if (!strcmp(name, "--server")) good = server_option(to, value);
        else if (!strcmp(name, "--nick")) good = text_option(to->nick, sizeof to->nick, value);
        else if (!strcmp(name, "--join")) good = text_option(to->join, sizeof to->join, value);
        else if (!strcmp(name, "--scene")) to->scene = value;
        else if (!strcmp(name, "--log")) good = window_log_open(value);
        else good = false;
        if (good) continue;
        fprintf(stderr, "demo-irc: %s %s does not go\n", name, value);
        usage(stderr, argv[0]);
        return me->status = 2, false;
    }
    return true;
}

/* ---- begin and end ----------------------------------------------------------------------------------- */

bool gui_begin(gui *me, const gui_window *window, int argc, char **argv)
{
    *me = (gui){.window = window, .options = {.nick = "guest", .join = "#hoya,#garden"}};
    if (!read_options(me, argc, argv)) return false;
    if (*me->options.host) return true;
    snprintf(me->options.host, sizeof me->options.host, "127.0.0.1");
    int rc = irc_server_start(me->options.host, "0", &me->server, me->options.port);
    if (rc < 0) fprintf(stderr, "demo-irc: the server does not start: %s\n", hoya_strerror(rc));
    me->status = rc < 0;
    return rc >= 0;
}

static int connect_there(gui *me)
{
    const gui_options *to = &me->options;
    irc_settings settings = {to->host, to->port, to->nick, *to->join ? to->join : NULL};
    int rc = irc_connect(me->irc, &settings);
    if (rc < 0) me->window->trouble(hoya_strerror(rc));
    return rc;
}

static void on_signal(int signum, void *arg)
{
    (void)signum;
    gui_close(arg);
}

int gui_start(gui *me, const irc_face *face)
{
    me->descriptors = window_descriptors();
    int rc = hoya_get_event_loop(&me->loop);
    if (rc >= 0) rc = irc_new(me->loop, face, me, &me->irc);
    if (rc >= 0) rc = hoya_loop_add_signal_handler(me->loop, SIGTERM, on_signal, me, NULL);
    if (rc >= 0) rc = hoya_loop_add_signal_handler(me->loop, SIGINT, on_signal, me, NULL);
    if (rc >= 0) rc = connect_there(me);
    if (rc >= 0 && me->options.scene) rc = scene_begin(me);
    if (rc < 0) fprintf(stderr, "demo-irc: %s\n", hoya_strerror(rc));
    me->status = rc < 0 || me->options.scene; /* the scene says at its end whether it is good */
    return rc;
}

/* The whole story of the Connect button. The dialog is a plain call, as in any program with one thread; it runs the
 * toolkit's main loop once more, and the connection, which is tasks in the same thread, goes on inside it. A toolkit wants
 * more stack than a task has, so the call is made on the thread's own. */
static int ask(hoya_task *self, void *arg)
{
    (void)self;
    gui *me = arg;
    window_log("dialog", NULL, "open");
    int answer = hoya_call_on_thread_stack(me->window->run_dialog, me);
    window_log("dialog", NULL, "closed");
    if (answer == 1 && !me->closing) irc_disconnect(me->irc, "off to another server");
    while (answer == 1 && !me->closing && irc_get_state(me->irc) != IRC_OFFLINE)
        if (hoya_sleep(HOYA_MSEC(10)) < 0) answer = 0;
    me->asking = false;
    if (answer == 1 && !me->closing) connect_there(me);
    return 0;
}

void gui_ask(gui *me)
{
    if (me->asking || me->closing) return;
    int rc = hoya_create_task(me->loop, ask, me, NULL, NULL);
    if (rc < 0) me->window->trouble(hoya_strerror(rc));
    else me->asking = true;
}

static void closed(hoya_future *done, void *arg)
{
    (void)done;
    ((gui *)arg)->window->quit();
}

void gui_close(gui *me)
{
    hoya_future *done = NULL;
    if (me->window->dialog_is_open()) me->window->cancel_dialog();
    if (me->closing || irc_close(me->irc, &done) < 0 ||
        hoya_future_add_done_callback(done, closed, me, NULL, NULL) < 0)
        me->window->quit();
    me->closing = true;
    me->window->disable(); /* the connection is not ours any more */
    hoya_future_unref(done);
}

int gui_end(gui *me)
{
    if (me->loop) hoya_loop_close(me->loop);
    hoya_set_event_loop(NULL); /* the policy lets it go */
    if (me->server) irc_server_stop(me->server);
    if (me->loop) window_log_descriptors(me->descriptors);
    window_log_close();
    return me->status;
}

/* ---- words and colours ------------------------------------------------------------------------------- */

const char *const gui_colours[GUI_COLOURS] = {"#c01c28", "#1a5fb4", "#26806b", "#a5541a", "#813d9c",
                                              "#2b7a0b", "#b5197c", "#0b6e99", "#6b5d00", "#4c4fc4"};

const char *gui_colour(const char *nick)
{
    unsigned hash = 5381;
    for (; *nick; nick++) hash = hash * 133 + (unsigned char)*nick;
    return gui_colours[(hash >> 5) % GUI_COLOURS];
}

void gui_time(char text[8])
{
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(text, 8, "%H:%M", &local);
}

const char *gui_lag(int64_t lag, char text[32])
{
    if (lag == HOYA_NEVER) snprintf(text, 32, "no answer");
    else if (lag < HOYA_MSEC(1)) snprintf(text, 32, "lag under 1 ms");
    else if (lag < HOYA_SEC(1)) snprintf(text, 32, "lag %d ms", (int)(lag / HOYA_MSEC(1)));
    else snprintf(text, 32, "lag %.1f s", (double)lag / (double)HOYA_SEC(1));
    if (lag == HOYA_NEVER || lag > HOYA_SEC(2)) return "#c01c28";
    return lag > HOYA_MSEC(300) ? "#c88800" : "#2b9a3e";
}

const char *gui_state_name(irc_state state)
{
    static const char *const names[] = {"offline", "connecting", "registering", "online", "waiting"};
    return names[state];
}

void gui_log_names(const irc *of, const char *channel)
{
    if (!window_log_file) return;
    const char *const *names;
    size_t count = irc_names(of, channel, &names);
    fprintf(window_log_file, "names\t%s\t", channel);
    for (size_t i = 0; i < count; i++) fprintf(window_log_file, "%s%s", i ? " " : "", names[i]);
    fprintf(window_log_file, "\n");
    fflush(window_log_file);
}

/* ---- the entry --------------------------------------------------------------------------------------- */

static void replace(char **text, const char *by)
{
    free(*text);
    *text = by ? strdup(by) : NULL;
}

void gui_entry_add(gui_entry *entry, const char *line)
{
    if (!entry->count || strcmp(entry->lines[entry->count - 1], line)) {
        if (entry->count == GUI_HISTORY) {
            free(entry->lines[0]);
            memmove(entry->lines, entry->lines + 1, sizeof entry->lines - sizeof *entry->lines);
            entry->count--;
        }
        entry->lines[entry->count] = strdup(line);
        if (entry->lines[entry->count]) entry->count++;
    }
    entry->at = entry->count;
    gui_entry_typed(entry);
}

const char *gui_entry_move(gui_entry *entry, int step, const char *now)
{
    gui_entry_typed(entry);
    int to = entry->at + step;
    if (to < 0 || to > entry->count) return NULL;
    if (entry->at == entry->count) replace(&entry->draft, now);
    entry->at = to;
    return to < entry->count ? entry->lines[to] : entry->draft ? entry->draft : "";
}

char *gui_entry_complete(gui_entry *entry, const irc *from, const char *channel, const char *before)
{
    if (!channel) return NULL;
    if (!entry->before) {
        replace(&entry->before, before);
        entry->tabs = 0;
        if (!entry->before) return NULL;
    }
    char *space = strrchr(entry->before, ' ');
    size_t start = space ? (size_t)(space + 1 - entry->before) : 0, length = strlen(entry->before + start);
    const char *const *names;
    size_t count = irc_names(from, channel, &names), fits = 0;
    for (int round = 0; round < 2; round++) { /* they are counted first, so that the Tabs go round */
        size_t seen = 0;
        for (size_t i = 0; i < count; i++) {
            const char *name = names[i] + strspn(names[i], "@+%&~");
            if (strncasecmp(name, entry->before + start, length)) continue;
            if (!round) fits++;
            else if (seen++ == entry->tabs % fits) {
                size_t size = start + strlen(name) + 3;
                char *text = malloc(size);
                if (text) snprintf(text, size, "%.*s%s%s", (int)start, entry->before, name, start ? " " : ": ");
                entry->tabs++;
                return text;
            }
        }
        if (!fits) break;
    }
    return NULL;
}

void gui_entry_typed(gui_entry *entry)
{
    replace(&entry->before, NULL);
}

void gui_entry_clear(gui_entry *entry)
{
    for (int i = 0; i < entry->count; i++) free(entry->lines[i]);
    free(entry->draft);
    free(entry->before);
    *entry = (gui_entry){0};
}
