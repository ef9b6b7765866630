/* SPDX-License-Identifier: MIT
 *
 * scene.c: a scripted scene, for a machine without a person: somebody sits at the window, and five friends are in the same
 * channels, by connections of their own in the same loop. They talk; then the dialog is opened, and they talk on: what they
 * say has to be in the view before it is closed. It is one task from top to bottom, and sees what a person would see.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gui.h"

enum { ADA, BARBARA, EDSGER, GRACE, KEN, FRIENDS, WE = -1 };
static const char *const nicks[FRIENDS] = {"ada", "barbara", "edsger", "grace", "ken"};

typedef struct scene {
    gui *program;
    irc *friends[FRIENDS];
    int checks, failures;
} scene;

static void failed(irc *self, int code, const char *text, void *arg)
{
    (void)self, (void)arg;
    fprintf(stderr, "a friend's trouble: %s\n", text ? text : hoya_strerror(code));
}
static const irc_face nobody = {.trouble = failed};

static void check(scene *all, bool good, const char *what)
{
    printf("%s: %s: %s\n", all->program->window->toolkit, what, good ? "yes" : "NO");
    all->checks++;
    all->failures += !good;
}

static int page_has(scene *all, const char *page, const char *words)
{
    char *text = all->program->window->text(page);
    bool found = text && strstr(text, words);
    free(text);
    return found;
}

/* Looks again and again, as one would, for ten seconds at most. */
static bool sees(scene *all, const char *page, const char *words)
{
    for (int i = 0; i < 500 && !page_has(all, page, words); i++)
        if (hoya_sleep(HOYA_MSEC(20)) < 0) break;
    return page_has(all, page, words);
}

static bool are_there(scene *all, const char *channel) /* all of us: the person, and the friends */
{
    const char *const *names;
    for (int i = 0; i < 500; i++) {
        if (irc_names(all->program->irc, channel, &names) > FRIENDS) return true;
        if (hoya_sleep(HOYA_MSEC(20)) < 0) break;
    }
    return false;
}

/* Somebody says something, and everybody has it on the screen before the next one speaks. */
static bool says(scene *all, int who, const char *channel, const char *line)
{
    if (who < 0) all->program->window->type(line);
    else if (irc_input(all->friends[who], channel, line) < 0) return false;
    bool action = !strncmp(line, "/me ", 4);
    return sees(all, channel, action ? line + 4 : line);
}

static void picture(scene *all, const char *what)
{
    char path[WINDOW_PATH];
    hoya_sleep(HOYA_MSEC(400)); /* the toolkit draws, and its little animations end */
    window_picture_path(all->program->options.scene, what, path);
    check(all, all->program->window->save_picture(path) == 0, path);
}

static void talk(scene *all)
{
    static const struct {
        int who;
        const char *channel, *line;
    } lines[] = {
        {ADA, "#hoya", "Good morning! Who has the plant that climbs on everything?"},
        {GRACE, "#hoya", "Mine is on the GTK window now. It hangs on its main loop, and harms nothing."},
        {KEN, "#hoya", "Mine is on Qt, and it looks the same from inside."},
        {EDSGER, "#hoya", "And the spinner still turns?"},
        {WE, "#hoya", "edsger: It does. The same connection, the same tasks, and one line names the host."},
        {EDSGER, "#garden", "The seedlings want water."},
        {BARBARA, "#garden", "On my way."},
        {BARBARA, "#hoya", "How many threads is that?"},
        {KEN, "#hoya", "One. The server has another, with a loop of its own."},
        {ADA, "#hoya",
         "So a task may open a modal dialog and simply wait for the answer, while everything else goes "
         "on? I have to see that before I believe it."},
        {GRACE, "#hoya", "/me opens the window and lets some light in"},
        {WE, "#hoya", "Watch: I press Connect… now."},
    };
    bool good = true;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        good = says(all, lines[i].who, lines[i].channel, lines[i].line) && good;
    check(all, good, "what all of them said is in the views");
}

static void dialog(scene *all)
{
    const gui_window *window = all->program->window;
    window->click_connect();
    for (int i = 0; i < 250 && !window->dialog_is_open(); i++) hoya_sleep(HOYA_MSEC(20));
    check(all, window->dialog_is_open(), "the dialog is open");
    bool good = says(all, BARBARA, "#hoya", "Can you still read this?");
    good = says(all, GRACE, "#hoya", "It is modal, and the channel goes on behind it.") && good;
    good = says(all, ADA, "#hoya", "Now I believe it.") && good;
    check(all, good && window->dialog_is_open(), "three messages came in while the dialog was open");
    picture(all, "dialog");
    if (window->dialog_is_open()) window->cancel_dialog();
    for (int i = 0; i < 250 && window->dialog_is_open(); i++) hoya_sleep(HOYA_MSEC(20));
    check(all, !window->dialog_is_open() && irc_get_state(all->program->irc) == IRC_ONLINE,
          "the dialog is closed, and the connection is the same");
}

static int play(hoya_task *self, void *arg)
{
    scene *all = arg;
    gui *me = all->program;
    const gui_options *to = &me->options;
    int rc = 0;
    for (int i = 0; i < FRIENDS && rc >= 0; i++) {
        irc_settings settings = {to->host, to->port, nicks[i], "#hoya,#garden"};
        rc = irc_new(hoya_task_get_loop(self), &nobody, NULL, &all->friends[i]);
        if (rc >= 0) rc = irc_connect(all->friends[i], &settings);
    }
    check(all, rc >= 0 && are_there(all, "#hoya") && are_there(all, "#garden"), "six are in #hoya and in #garden");
    if (!all->failures) {
        me->window->show("#hoya");
        talk(all);
        picture(all, "chat");
        dialog(all);
    }
    for (int i = 0; i < FRIENDS && all->friends[i]; i++) {
        hoya_future *done;
        if (irc_close(all->friends[i], &done) < 0) continue;
        hoya_await(done, NULL);
        hoya_future_unref(done);
    }
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
    return hoya_create_task(me->loop, play, all, &options, NULL);
}
