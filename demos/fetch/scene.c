/* SPDX-License-Identifier: MIT
 *
 * scene.c: a scripted scene, for a machine without a person: somebody sits at the window, cancels a download and begins it
 * again, sees two fail, wants ten more, opens the crowd beside them, waits for the end, and compares the figures. It is one
 * task from top to bottom, and sees what a person would see: the widgets say what stands in them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gui.h"

typedef struct scene {
    gui *program;
    int checks, failures;
    int most; /* that were loading at the same time */
} scene;

static void check(scene *all, bool good, const char *what)
{
    if (all->program->closing) return; /* somebody has closed the window */
    printf("%s: %s: %s\n", all->program->window->toolkit, what, good ? "yes" : "NO");
    all->checks++;
    all->failures += !good;
}

static gui_row *row_named(scene *all, const char *title)
{
    for (size_t i = 0; i < all->program->count; i++)
        if (!strncmp(fetch_item_name(all->program->rows[i]->item), title, strlen(title)))
            return all->program->rows[i];
    return NULL;
}

static bool row_has(const gui_row *row, const char *words)
{
    char *text = row->gui->window->row_text(row->widgets);
    bool found = text && strstr(text, words);
    free(text);
    return found;
}

static bool foot_has(scene *all, const char *words)
{
    char *text = all->program->window->foot_text();
    bool found = text && strstr(text, words);
    free(text);
    return found;
}

static void glance(scene *all)
{
    int loading = 0;
    for (size_t i = 0; i < all->program->count; i++) {
        fetch_state state = fetch_item_state(all->program->rows[i]->item);
        loading += state == FETCH_CONNECTING || state == FETCH_LOADING;
    }
    if (loading > all->most) all->most = loading;
}

/* Looks again and again, as one would, for half a minute at most. */
#define SEES(all, what)                                                                                            \
    for (int tries_ = 0; tries_ < 1500 && !(what); tries_++) {                                                     \
        glance(all);                                                                                               \
        if (hoya_sleep(HOYA_MSEC(20)) < 0) break;                                                                  \
    }

static bool reaches(scene *all, const gui_row *row, fetch_state state)
{
    SEES(all, fetch_item_state(row->item) == state && row->look.state == state);
    return fetch_item_state(row->item) == state && row->look.state == state;
}

static bool shows(scene *all, const gui_row *row, const char *words)
{
    SEES(all, row_has(row, words));
    return row_has(row, words);
}

static void picture(scene *all, const char *what)
{
    char path[WINDOW_PATH];
    hoya_sleep(HOYA_MSEC(300)); /* the toolkit draws */
    window_picture_path(all->program->options.scene, what, path);
    check(all, all->program->window->save_picture(path) == 0, path);
}

/* One is cancelled, two fail by themselves; the others go on. */
static void begin(scene *all)
{
    const gui_window *window = all->program->window;
    gui_row *row = row_named(all, "orchids.mkv"), *song = row_named(all, "song-3.ogg");
    check(all, reaches(all, row, FETCH_LOADING) && shows(all, row, " of "),
          "the first one is loading, and tells its size");
    double before = window->row_fraction(row->widgets);
    SEES(all, window->row_fraction(row->widgets) > before + 0.02);
    check(all, window->row_fraction(row->widgets) > before && shows(all, row, "/s"),
          "its bar moves, and it tells its speed");

    check(all, reaches(all, song, FETCH_LOADING), "a song is loading");
    window->press(song->widgets);
    check(all, reaches(all, song, FETCH_CANCELLED) && row_has(song, "|cancelled|Again"), "its button cancels it");
    row = row_named(all, "broken");
    check(all, reaches(all, row, FETCH_FAILED) && row_has(row, "|Again") && *row->why && row_has(row, row->why),
          "one is reset in the middle, and says so");
    row = row_named(all, "missing");
    check(all, reaches(all, row, FETCH_FAILED) && *row->why && row_has(row, row->why),
          "one is not there, and says so");
    check(all, fetch_item_state(row_named(all, "orchids.mkv")->item) == FETCH_LOADING, "the others go on");
    picture(all, "loading");
    window->press(song->widgets);
    SEES(all, song->look.state != FETCH_CANCELLED);
    check(all, row_has(song, "|Cancel"), "the same button begins the song again");
}

/* Half of a hundred times a second each, at least. */
static bool talk(const gui *me)
{
    return !me->options.busy || me->echo_rate > (double)me->options.busy * 50;
}

/* Ten more, and thousands of connections in the same thread. */
static void crowd(scene *all)
{
    gui *me = all->program;
    size_t before = me->count;
    char open[64], number[32];
    me->window->click_more();
    check(all, me->count == before + 10, "ten more are in the list");
    me->window->click_crowd();
    SEES(all, me->crowd_complete || !me->crowd);
    check(all, me->crowd_complete && fetch_crowd_count(me->crowd, NULL) == me->options.idle + me->options.busy,
          "the connections beside them are open");
    gui_number(me->options.idle + me->options.busy, number);
    snprintf(open, sizeof open, "%s open", number);
    SEES(all, foot_has(all, open) && talk(me)); /* all of them for a second: the first one was not whole */
    check(all, foot_has(all, open) && talk(me), "the window tells how many, and they talk");
    me->window->show_end();
    picture(all, "crowd");
}

static void figures(scene *all)
{
    gui *me = all->program;
    int64_t sum = 0;
    int done = 0, wrong = 0;
    fetch_figures total;
    for (size_t i = 0; i < me->count; i++) {
        gui_row *row = me->rows[i];
        fetch_figures one;
        fetch_item_figures(row->item, &one);
        if (row->look.state != FETCH_DONE) continue;
        char size[32], text[40];
        const char *slash = strchr(fetch_item_name(row->item), '/');
        int64_t wanted = slash ? (int64_t)atoi(slash + 1) * 1000000 : -1; /* all of them are so many M */
        gui_bytes(wanted, size);
        snprintf(text, sizeof text, "|%s|", size);
        done++;
        sum += one.bytes;
        wrong += one.bytes != wanted || one.size != wanted || me->window->row_fraction(row->widgets) < 1 ||
                 !row_has(row, text);
    }
    check(all, done == (int)me->count - 2 && !wrong, "all but the two are there, each as long as it should be");
    fetch_total(me->fetch, &total);
    check(all, total.bytes == sum && total.size == sum, "the total is their sum");
    check(all, foot_has(all, "20 done, 2 failed"), "the window tells so");
}

static int play(hoya_task *self, void *arg)
{
    (void)self;
    scene *all = arg;
    gui *me = all->program;
    check(all, me->count == 12, "twelve downloads are in the list");
    begin(all);
    crowd(all);
    SEES(all, me->finished);
    gui_row *broken = row_named(all, "broken");
    me->window->press(broken->widgets);
    SEES(all, broken->look.state != FETCH_FAILED);
    check(all, broken->look.state != FETCH_FAILED, "the broken one is tried again");
    SEES(all, me->finished && broken->look.state == FETCH_FAILED);
    check(all, me->finished && broken->look.state == FETCH_FAILED, "in vain");
    figures(all);
    char text[80];
    snprintf(text, sizeof text, "at most %d were loading at the same time", (int)me->options.limit);
    check(all, all->most > 1 && all->most <= me->options.limit, text);
    picture(all, "done");
    me->window->click_crowd();
    SEES(all, !me->crowd && !me->crowd_end);
    check(all, !me->crowd && !me->crowd_end, "the other connections are closed");
    if (me->closing) return 0;
    printf("%s: %d of %d checks are good\n", me->window->toolkit, all->checks - all->failures, all->checks);
    me->status = all->failures > 0;
    gui_close(me);
    return 0;
}

int scene_begin(gui *me)
{
    scene *all = calloc(1, sizeof *all);
    if (!all) return HOYA_ENOMEM;
    all->program = me;
    hoya_task_options options = {.size = sizeof options, .name = "scene", .destroy = free};
    return hoya_create_task(me->loop, play, all, &options, &me->player);
}
