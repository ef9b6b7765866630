/* SPDX-License-Identifier: MIT
 *
 * gui.c: what the two windows have in common (gui.h): they have widgets, and here is what these show. The downloads are
 * fetch.c's, the connections beside them crowd.c's.
 */
#include "gui.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../echo/demo.h"

enum { FIRST = 12, MORE = 10 };

/* The first ones; two of them will not go well. */
static const char *const first[FIRST] = {"orchids.mkv/24M",
                                         "herbarium.tar.xz/9M",
                                         "field-recording.flac/14M",
                                         "song-1.ogg/5M",
                                         "song-2.ogg/4M",
                                         "song-3.ogg/6M",
                                         "broken/3M",
                                         "paper.pdf/2M",
                                         "missing",
                                         "map-of-the-garden.png/3M",
                                         "seeds.csv/1M",
                                         "letters.zip/7M"};

/* ---- words ------------------------------------------------------------------------------------------------- */

const char *gui_state_name(fetch_state state)
{
    static const char *const names[] = {"waiting", "connecting", "loading", "done", "cancelled", "failed"};
    return names[state];
}

const char *gui_state_colour(fetch_state state)
{
    static const char *const colours[] = {"#9a9996", "#3584e4", "#3584e4", "#2b9a3e", "#9a9996", "#c01c28"};
    return colours[state];
}

void gui_bytes(int64_t bytes, char text[32])
{
    if (bytes < 1000) snprintf(text, 32, "%d bytes", (int)bytes);
    else if (bytes < 1000000) snprintf(text, 32, "%.0f KB", (double)bytes / 1e3);
    else if (bytes < 1000000000) snprintf(text, 32, "%.1f MB", (double)bytes / 1e6);
    else snprintf(text, 32, "%.2f GB", (double)bytes / 1e9);
}

void gui_number(int64_t number, char text[32])
{
    char plain[24];
    int length = snprintf(plain, sizeof plain, "%lld", (long long)number), at = 0;
    for (int i = 0; i < length && at < 30; i++) {
        if (i && (length - i) % 3 == 0) text[at++] = ',';
        text[at++] = plain[i];
    }
    text[at] = '\0';
}

void gui_crowd_title(const gui *me, char text[64])
{
    char number[32];
    gui_number(me->options.idle, number);
    snprintf(text, 64, "%s idle connections", number);
}

/* "3.2 of 5.0 MB, 1.2 MB/s"; the unit of the first number only where it is another one. */
static void amount(const fetch_figures *figures, bool of_size, char text[96])
{
    char bytes[32], size[32], speed[32];
    gui_bytes(figures->bytes, bytes);
    gui_bytes((int64_t)figures->speed, speed);
    int length = 0;
    if (of_size && figures->size >= 0) {
        gui_bytes(figures->size, size);
        char *unit = strchr(bytes, ' ');
        if (unit && !strcmp(unit, strchr(size, ' '))) *unit = '\0';
        length = snprintf(text, 96, "%s of %s", bytes, size);
    } else length = snprintf(text, 96, "%s", bytes);
    if (figures->speed >= 1000) snprintf(text + length, 96 - (size_t)length, ", %s/s", speed);
}

/* ---- rows -------------------------------------------------------------------------------------------------- */

static void look_at(const gui_row *row, gui_look *look)
{
    static const char *const marks[] = {"…", "↓", "↓", "✓", "–", "!"};
    fetch_figures figures;
    fetch_item_figures(row->item, &figures);
    look->state = fetch_item_state(row->item);
    look->fraction = look->state == FETCH_DONE ? 1
                     : figures.size > 0        ? (double)figures.bytes / (double)figures.size
                                               : 0;
    look->mark = marks[look->state];
    look->button = look->state == FETCH_DONE ? NULL : look->state > FETCH_DONE ? "Again" : "Cancel";
    switch (look->state) {
    case FETCH_LOADING: {
        char text[96];
        amount(&figures, true, text);
        snprintf(look->text, sizeof look->text, "%s", text);
        break;
    }
    case FETCH_DONE: {
        char text[32];
        gui_bytes(figures.bytes, text);
        snprintf(look->text, sizeof look->text, "%s", text);
        break;
    }
    case FETCH_FAILED:
        snprintf(look->text, sizeof look->text, "%s", row->why);
        break;
    default:
        snprintf(look->text, sizeof look->text, "%s", gui_state_name(look->state));
    }
}

static void show_row(gui_row *row)
{
    gui_look look;
    memset(&look, 0, sizeof look);
    look_at(row, &look);
    const gui_look *now = &row->look;
    if (now->mark && now->state == look.state && now->fraction == look.fraction && !strcmp(now->text, look.text))
        return;
    row->look = look;
    row->gui->window->show_row(row->widgets, &row->look);
}

static void add(gui *me, const char *name)
{
    gui_row *row = calloc(1, sizeof *row);
    gui_row **rows = realloc(me->rows, (me->count + 1) * sizeof *rows);
    if (rows) me->rows = rows;
    if (!row || !rows || fetch_add(me->fetch, name, row, &row->item) < 0) {
        free(row);
        return;
    }
    char title[64];
    snprintf(title, sizeof title, "%.*s", (int)strcspn(name, "/"), name);
    row->gui = me;
    row->widgets = me->window->add_row(row, title);
    me->rows[me->count++] = row;
    me->finished = false;
    window_log("added", name, NULL);
    show_row(row);
}

void gui_press(gui_row *row)
{
    if (row->gui->closing) return;
    int rc = fetch_item_state(row->item) > FETCH_DONE ? fetch_item_retry(row->item) : fetch_item_cancel(row->item);
    if (rc >= 0) row->gui->finished = false;
}

/* ---- the lower edge ------------------------------------------------------------------------------------------- */

static void show_counts(gui *me)
{
    int counts[FETCH_FAILED + 1] = {0}, length = 0, room = (int)sizeof me->foot.counts;
    double sum = 0;
    fetch_figures total;
    for (size_t i = 0; i < me->count; i++) {
        fetch_state state = me->rows[i]->look.state;
        counts[state == FETCH_CONNECTING ? FETCH_LOADING : state]++;
        if (state <= FETCH_DONE) sum += me->rows[i]->look.fraction;
    }
    int good = counts[FETCH_WAITING] + counts[FETCH_LOADING] + counts[FETCH_DONE];
    me->foot.fraction = good ? sum / good : 0;
    fetch_total(me->fetch, &total);
    amount(&total, !counts[FETCH_WAITING], me->foot.total); /* what waits has no size yet */
    *me->foot.counts = '\0';
    for (int i = 0; i <= FETCH_FAILED && length < room; i++)
        if (counts[i])
            length += snprintf(me->foot.counts + length, (size_t)(room - length), "%s%d %s", length ? ", " : "",
                               counts[i], gui_state_name((fetch_state)i));
}

static void show_crowd(gui *me)
{
    gui_foot *foot = &me->foot;
    foot->crowd_on = me->crowd != NULL;
    foot->crowd_free = !me->crowd_end;
    if (me->crowd) {
        char open[32], rate[32];
        int count = fetch_crowd_count(me->crowd, NULL);
        gui_number(count, open);
        gui_number((int64_t)(me->echo_rate + 0.5), rate);
        if (count < 0) snprintf(foot->crowd, sizeof foot->crowd, "they have ended");
        else if (!me->crowd_complete) snprintf(foot->crowd, sizeof foot->crowd, "%s so far", open);
        else snprintf(foot->crowd, sizeof foot->crowd, "%s open, %s echoes/s", open, rate);
        return;
    }
    const char *why = me->crowd_why ? me->crowd_why : "";
    snprintf(foot->crowd, sizeof foot->crowd, "%s", me->crowd_end ? "closing" : why);
}

static void show_foot(gui *me)
{
    show_counts(me);
    show_crowd(me);
    me->window->show_foot(&me->foot);
}

/* Four times a second: what changes without a download. */
static void on_clock(void *arg)
{
    gui *me = arg;
    if (me->closing) return;
    if (++me->ticks % 4 == 0) {
        int64_t echoes = 0, now = frames_now();
        frames_pace(&me->frames, me->foot.pace);
        if (me->crowd && fetch_crowd_count(me->crowd, &echoes) >= 0 && me->echoes_at)
            me->echo_rate = (double)(echoes - me->echoes) * 1e9 / (double)(now - me->echoes_at);
        me->echoes = echoes;
        me->echoes_at = now;
        window_log("crowd", NULL, me->foot.crowd);
    }
    show_foot(me);
}

/* ---- what the downloads tell -------------------------------------------------------------------------------- */

static void on_state(fetch_item *item, fetch_state state, const char *text, void *arg)
{
    gui *me = arg;
    gui_row *row = fetch_item_user(item);
    if (me->closing) return;
    snprintf(row->why, sizeof row->why, "%s", state == FETCH_FAILED && text ? text : "");
    show_row(row);
    show_foot(me);
    window_log(gui_state_name(state), fetch_item_name(item), text);
}

static void on_progress(fetch *all, void *arg)
{
    gui *me = arg;
    (void)all;
    if (me->closing) return;
    for (size_t i = 0; i < me->count; i++) show_row(me->rows[i]);
    show_foot(me);
}

static void on_finished(fetch *all, void *arg)
{
    gui *me = arg;
    if (me->closing) return;
    on_progress(all, me);
    me->finished = true;
    window_log("finished", NULL, me->foot.counts);
}

static const fetch_face face = {.state = on_state, .progress = on_progress, .finished = on_finished};

/* ---- what the person does ------------------------------------------------------------------------------------ */

void gui_more(gui *me)
{
    for (int i = 0; i < MORE && !me->closing; i++) {
        char name[64];
        snprintf(name, sizeof name, "photo-%02d.jpg/%dM", (int)me->count + 1, 1 + (int)(me->count * 5 % 6));
        add(me, name);
    }
    if (!me->closing) show_foot(me);
}

static void crowd_is_complete(void *arg)
{
    gui *me = arg;
    me->crowd_complete = true;
    window_log("complete", NULL, NULL);
    show_foot(me);
}

static void crowd_is_gone(hoya_future *done, void *arg)
{
    gui *me = arg;
    me->crowd_end = NULL;
    hoya_future_unref(done);
    if (me->closing) return;
    window_log("gone", NULL, NULL);
    show_foot(me);
}

static void stop_crowd(gui *me)
{
    hoya_future *done = NULL;
    if (fetch_crowd_stop(me->crowd, &done) < 0) return; /* the box stays checked */
    me->crowd = NULL;
    me->crowd_complete = false;
    me->echoes_at = 0;
    me->echo_rate = 0;
    if (hoya_future_add_done_callback(done, crowd_is_gone, me, NULL, NULL) < 0) hoya_future_unref(done);
    else me->crowd_end = done;
}

void gui_crowd(gui *me, bool on)
{
    if (me->closing || me->crowd_end || on == (me->crowd != NULL)) return; /* the window was told, or knows it */
    me->crowd_why = NULL;
    if (!on) stop_crowd(me);
    else {
        int rc = fetch_crowd_start(me->loop, (int)me->options.idle, (int)me->options.busy, crowd_is_complete, me,
                                   &me->crowd);
        if (rc < 0) me->crowd_why = hoya_strerror(rc);
        if (rc < 0) demo_library_failed("open the connections", rc);
    }
    show_foot(me);
}

/* ---- begin and end --------------------------------------------------------------------------------------- */

bool gui_begin(gui *me, const gui_window *window, int argc, char **argv)
{
    *me =
        (gui){.window = window,
              .options = {
                  .rate = 3000000, .limit = 8, .idle = 10000, .busy = 100, .seconds = 20, .tries = 1, .allow = 1}};
    gui_options *to = &me->options;
    const demo_option options[] = {
        {.name = "connect",
         .value = "HOST:PORT",
         .help = "where to load from; else from a server of its own",
         .text = &to->connect},
        {.name = "rate",
         .value = "N",
         .help = "of that one: bytes a second a download, 3000000; 0: as fast as it can",
         .number = &to->rate,
         .most = 1000000000},
        {.name = "limit",
         .value = "N",
         .help = "so many downloads at once, 8",
         .number = &to->limit,
         .least = 1,
         .most = 1000},
        {.name = "idle",
         .value = "N",
         .help = "connections that say nothing, when the box is checked: 10000",
         .number = &to->idle,
         .most = 100000},
        {.name = "busy",
         .value = "N",
         .help = "and such that wait for an echo, again and again: 100",
         .number = &to->busy,
         .most = 10000},
        {.name = "frames", .help = "measure frame times without and with these connections", .flag = &to->frames},
        {.name = "seconds",
         .value = "N",
         .help = "of each run of --frames: 20",
         .number = &to->seconds,
         .least = 1,
         .most = 3600},
        {.name = "tries",
         .value = "N",
         .help = "if the verdict is bad, measure again, so often in all: 1",
         .number = &to->tries,
         .least = 1,
         .most = 100},
        {.name = "allow",
         .value = "N",
         .help = "so many ms later beside the connections is still good: 1",
         .number = &to->allow,
         .most = 1000},
        {.name = "scene", .value = "FILE.png", .help = "play a scene, and save pictures of it", .text = &to->scene},
        {.name = "log", .value = "FILE", .help = "write down what the window shows", .text = &to->log},
        {0}};
    demo_program = window->program;
    demo_read_options(argc, argv, "Many downloads at once, in a window.", options);
    me->status = DEMO_USAGE;
    if (to->frames && to->scene) {
        demo_say("one at a time, please: --frames or --scene");
        return false;
    }
    if (to->connect && demo_split(to->connect, me->host, me->port) != DEMO_OK) return false;
    me->status = DEMO_FAILED;
    if (to->log && !window_log_open(to->log)) {
        demo_say("cannot write to %s", to->log);
        return false;
    }
    return true;
}

static void on_signal(int signum, void *arg)
{
    (void)signum;
    gui_close(arg);
}

static int start_server(gui *me)
{
    snprintf(me->host, sizeof me->host, "127.0.0.1");
    return fetch_server_start(me->host, "0", me->options.rate, &me->server, me->port);
}

int gui_start(gui *me)
{
    me->descriptors = window_descriptors();
    int rc = me->options.connect ? 0 : start_server(me);
    if (rc >= 0) rc = hoya_get_event_loop(&me->loop);
    if (rc >= 0) rc = fetch_new(me->loop, me->host, me->port, &face, me, &me->fetch);
    if (rc >= 0) rc = fetch_set_limit(me->fetch, (int)me->options.limit);
    if (rc >= 0) rc = hoya_loop_add_signal_handler(me->loop, SIGTERM, on_signal, me, NULL);
    if (rc >= 0) rc = hoya_loop_add_signal_handler(me->loop, SIGINT, on_signal, me, NULL);
    if (rc >= 0) rc = hoya_loop_call_every(me->loop, HOYA_MSEC(250), HOYA_MSEC(10), on_clock, me, NULL, &me->clock);
    if (rc >= 0 && me->options.frames) rc = frames_begin(me);
    for (int i = 0; i < FIRST && rc >= 0 && !me->options.frames; i++) add(me, first[i]);
    if (rc >= 0) show_foot(me);
    if (rc >= 0 && me->options.scene) rc = scene_begin(me);
    if (rc < 0) demo_library_failed("begin", rc);
    me->status = rc < 0 || me->options.scene || me->options.frames; /* these say at their end whether all is good */
    return rc;
}

static void quit(gui *me)
{
    if (!me->over) me->window->quit();
    me->over = true;
}

/* What is open is closed by those to whom it belongs, and that is waited for. */
static int end(hoya_task *self, void *arg)
{
    (void)self;
    gui *me = arg;
    hoya_future *done = NULL;
    if (me->player) {
        hoya_task_cancel(me->player, "the window is closed"); /* unless it was the player who has closed it */
        hoya_wait_done(hoya_task_future(me->player));
    }
    if (me->crowd) stop_crowd(me);
    if (fetch_close(me->fetch, &done) >= 0) {
        me->fetch = NULL;
        hoya_wait_done(done);
    }
    hoya_future_unref(done);
    while (me->crowd_end && hoya_sleep(HOYA_MSEC(5)) >= 0) continue;
    quit(me);
    return 0;
}

void gui_close(gui *me)
{
    bool again = me->closing;
    me->closing = true;
    hoya_handle_cancel(me->clock);
    me->window->disable();
    if (again || hoya_create_task(me->loop, end, me, NULL, NULL) < 0) quit(me);
}

int gui_end(gui *me)
{
    me->closing = me->over = true;
    if (me->crowd) fetch_crowd_stop(me->crowd, NULL); /* nobody has waited for `end`, */
    if (me->fetch) fetch_close(me->fetch, NULL);
    me->crowd = NULL;
    me->fetch = NULL;
    if (me->loop) hoya_loop_close(me->loop); /* which ends here */
    hoya_handle_unref(me->clock);
    hoya_task_unref(me->player);
    hoya_set_event_loop(NULL); /* the policy lets it go */
    fetch_server_stop(me->server);
    hoya_future_unref(me->crowd_end);
    for (size_t i = 0; i < me->count; i++) free(me->rows[i]);
    free(me->rows);
    if (me->loop) window_log_descriptors(me->descriptors);
    window_log_close();
    return me->status;
}
