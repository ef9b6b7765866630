/* SPDX-License-Identifier: MIT
 *
 * plain.c: the downloads without a screen: a line for everything that happens, and the end when all have ended. And
 * the scene: a task that does what a person would, from top to bottom, and looks whether it is as it should be.
 */
#include "term.h"

#include <stdio.h>

#define PATIENCE HOYA_SEC(60)

static void say(const char *text)
{
    puts(text);
    fflush(stdout);
}

/* ---- lines ----------------------------------------------------------------------------------------------- */

static int open_plain(struct term *term)
{
    (void)term;
    return 0;
}

static void show_state(struct term *term, fetch_item *item, fetch_state state)
{
    const struct row *row = fetch_item_user(item);
    fetch_figures figures;
    char line[SUM_TEXT + sizeof row->why], size[SIZE_TEXT];
    (void)term;
    fetch_item_figures(item, &figures);
    int used = snprintf(line, sizeof line, "%s: %s", fetch_item_name(item), term_state(state));
    if (state == FETCH_LOADING || state == FETCH_DONE)
        snprintf(line + used, sizeof line - (size_t)used, ", %s", term_size(size, figures.size));
    else if (row->why[0]) snprintf(line + used, sizeof line - (size_t)used, ": %s", row->why);
    say(line);
}

static void show_crowd(struct term *term)
{
    static bool told;
    char line[SUM_TEXT];
    if (!term->crowd_there || told) return;
    told = true;
    snprintf(line, sizeof line, "%d other connections are open", fetch_crowd_count(term->crowd, NULL));
    say(line);
}

static void show_sum(struct term *term)
{
    fetch_figures total;
    char line[SUM_TEXT + SIZE_TEXT], sum[SUM_TEXT], size[SIZE_TEXT];
    fetch_total(term->fetch, &total);
    term_sum(term, sum);
    snprintf(line, sizeof line, "%s; %s", sum, term_size(size, total.bytes));
    say(line);
}

static void end_it(struct term *term)
{
    fetch_item *const *items;
    size_t count = fetch_items(term->fetch, &items);
    show_sum(term);
    for (size_t i = 0; i < count; i++) term->result |= fetch_item_state(items[i]) != FETCH_DONE;
    hoya_event_set(term->over);
}

static void close_plain(struct term *term)
{
    (void)term;
}

const struct display plain_display = {open_plain, show_state, show_crowd, end_it, close_plain};

/* ---- the scene ------------------------------------------------------------------------------------------- */

static struct scene {
    hoya_task *player;
    hoya_event *news; /* something has happened */
    int most;         /* so many were connecting or loading at once */
    int finished;     /* how often all have ended */
} scene;

static int at_once(const struct term *term)
{
    fetch_item *const *items;
    size_t count = fetch_items(term->fetch, &items);
    int n = 0;
    for (size_t i = 0; i < count; i++) {
        fetch_state state = fetch_item_state(items[i]);
        n += state == FETCH_CONNECTING || state == FETCH_LOADING;
    }
    return n;
}

/* Until the item is in this state and has so many bytes. */
static int wait_for(const fetch_item *item, fetch_state state, int64_t bytes)
{
    fetch_figures figures;
    for (;;) {
        fetch_item_figures(item, &figures);
        if (fetch_item_state(item) == state && figures.bytes >= bytes) return 0;
        hoya_event_clear(scene.news);
        int rc = hoya_event_wait(scene.news);
        if (rc < 0) return rc;
    }
}

static int wait_for_the_end(int finished)
{
    int rc = 0;
    while (rc >= 0 && scene.finished < finished) {
        hoya_event_clear(scene.news);
        rc = hoya_event_wait(scene.news);
    }
    return rc;
}

static int should(bool is_so, const char *what)
{
    if (is_so) return 0;
    printf("that should be so: %s\n", what);
    return HOYA_ESTATE;
}

enum { FIRST, SECOND, BROKEN, MISSING, THIRD, FOURTH, ALL };

static int add_them(struct term *term, fetch_item *items[ALL])
{
    static const char *const names[ALL] = {"first.ogg/600K", "second.ogg/2M",  "broken/200K",
                                           "missing",        "third.ogg/400K", "fourth.ogg/400K"};
    int rc = fetch_set_limit(term->fetch, 3);
    for (int i = 0; i < ALL && rc >= 0; i++) rc = term_add(term, names[i], &items[i]);
    return rc;
}

static int play(struct term *term)
{
    fetch_item *items[ALL];
    fetch_figures total;
    int rc = add_them(term, items);
    if (rc >= 0) rc = wait_for(items[SECOND], FETCH_LOADING, 100000);
    if (rc >= 0) say("-- cancel the second");
    if (rc >= 0) rc = fetch_item_cancel(items[SECOND]);
    if (rc >= 0) rc = wait_for(items[SECOND], FETCH_CANCELLED, 100000);
    if (rc >= 0) rc = wait_for_the_end(1);
    if (rc >= 0) rc = should(fetch_item_state(items[BROKEN]) == FETCH_FAILED, "the broken one has failed");
    if (rc >= 0) rc = should(fetch_item_state(items[MISSING]) == FETCH_FAILED, "the missing one has failed");
    if (rc >= 0) rc = should(fetch_item_state(items[SECOND]) == FETCH_CANCELLED, "the second is not loaded");
    if (rc >= 0) rc = should(scene.most == 3, "three at once, and never more");
    if (rc >= 0) say("-- the second again");
    if (rc >= 0) rc = fetch_item_retry(items[SECOND]);
    if (rc >= 0) rc = wait_for_the_end(2);
    fetch_total(term->fetch, &total);
    if (rc >= 0) rc = should(fetch_item_state(items[SECOND]) == FETCH_DONE, "the second is loaded");
    if (rc >= 0) rc = should(total.bytes == 3400000 && total.size == 3400000, "3,400,000 bytes have come");
    return rc;
}

static int player(hoya_task *self, void *arg)
{
    struct term *term = arg;
    hoya_timeout *scope;
    (void)self;
    int rc = hoya_timeout_enter(PATIENCE, &scope);
    if (rc < 0) return rc;
    rc = play(term);
    hoya_timeout_leave(scope);
    if (rc == HOYA_EDEADLINE) printf("the scene takes too long\n");
    show_sum(term);
    term->result = rc < 0;
    hoya_event_set(term->over);
    return 0;
}

static int open_scene(struct term *term)
{
    int rc = hoya_event_new(term->loop, NULL, &scene.news);
    return rc < 0 ? rc : hoya_create_task(term->loop, player, term, NULL, &scene.player);
}

static void scene_state(struct term *term, fetch_item *item, fetch_state state)
{
    int n = at_once(term);
    if (n > scene.most) scene.most = n;
    show_state(term, item, state);
    hoya_event_set(scene.news);
}

static void scene_update(struct term *term)
{
    show_crowd(term);
    hoya_event_set(scene.news);
}

static void scene_finished(struct term *term)
{
    (void)term;
    scene.finished++;
    hoya_event_set(scene.news);
}

static void close_scene(struct term *term)
{
    (void)term;
    if (scene.player) {
        hoya_task_cancel(scene.player, NULL);
        hoya_wait_done(hoya_task_future(scene.player));
        hoya_task_unref(scene.player);
    }
    hoya_event_free(scene.news);
}

const struct display scene_display = {open_scene, scene_state, scene_update, scene_finished, close_scene};
