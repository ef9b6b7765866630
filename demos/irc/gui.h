/* SPDX-License-Identifier: MIT
 *
 * gui.h: what the two windows (gtk.c, qt.cc) have in common and no toolkit is needed for: the command line, the server of
 * the first run, begin and end, colours of nicknames, the history and the Tab key of the entry, the words of the status
 * bar; and the scene, which plays a person in front of the window.
 */
#ifndef DEMO_IRC_GUI_H
#define DEMO_IRC_GUI_H

#include <hoya/hoya.h>
#include <stdbool.h>

#include "irc.h"
#include "server.h"
#include "window/window.h"

HOYA_BEGIN_DECLS

/* ---- the program -------------------------------------------------------------------------------------- */

/* What the rest of this header wants of a window: what a person could do with it, or see. */
typedef struct gui_window {
    const char *toolkit;
    void (*trouble)(const char *text); /* into the error bar */
    int (*run_dialog)(void *gui);      /* asks where to connect, modal, into gui->options: 1; 0: never mind */
    void (*disable)(void);             /* nobody can do anything any more: it is about to end */
    void (*quit)(void);                /* the toolkit's main loop returns */

    void (*type)(const char *line); /* into the entry, and Enter */
    void (*show)(const char *page); /* a click on its row in the list */
    void (*click_connect)(void);
    bool (*dialog_is_open)(void);
    void (*cancel_dialog)(void);
    char *(*text)(const char *page);       /* what its view has; NULL: there is no such page; to be freed */
    int (*save_picture)(const char *path); /* of the window, and the dialog before it; 0, or -1 */
} gui_window;

typedef struct gui_options {
    char host[256], port[8], nick[64], join[256]; /* where to connect */
    const char *scene; /* FILE.png: a scene is played, and its pictures are FILE-chat.png and FILE-dialog.png */
} gui_options;

typedef struct gui {
    const gui_window *window;
    gui_options options;
    irc_server *server; /* the one in this process, unless another was named */
    hoya_loop *loop;    /* the policy's: a guest in the toolkit's main loop */
    irc *irc;
    bool asking, closing;
    int status;      /* the program's */
    int descriptors; /* that were open before the loop was */
} gui;

/* Reads the command line, and starts the server that lives in this process unless another is named. False: a sentence was
 * printed, and gui->status is the program's. */
bool gui_begin(gui *gui, const gui_window *window, int argc, char **argv);
/* Makes the connection, in this thread's loop, and the scene if there is one. Then the toolkit's main loop is run. */
int gui_start(gui *gui, const irc_face *face);
/* The Connect button: asks by the window's dialog, in a task; then connects. All else goes on meanwhile. */
void gui_ask(gui *gui);
/* The close button: says good-bye to the server; then window->quit. A second call does not wait for that. */
void gui_close(gui *gui);
/* After the main loop: ends the loop and the server, and says the program's status. */
int gui_end(gui *gui);

/* ---- words and colours ------------------------------------------------------------------------------- */

enum { GUI_COLOURS = 10 };
extern const char *const gui_colours[GUI_COLOURS]; /* "#rrggbb", all of them readable on white */

const char *gui_colour(const char *nick); /* the same one always */
void gui_time(char text[8]);              /* "13:05", now */

/* "lag 12 ms", and a colour for it. */
const char *gui_lag(int64_t lag, char text[32]);
const char *gui_state_name(irc_state state);

/* A line for the log (window/window.h). */
void gui_log_names(const irc *of, const char *channel);

/* ---- the entry --------------------------------------------------------------------------------------- */

enum { GUI_HISTORY = 100 };

/* What was typed before, and what is being typed. All zero is an empty one. */
typedef struct gui_entry {
    char *lines[GUI_HISTORY];
    int count, at; /* at == count: below the newest line */
    char *draft;   /* what stood there when the first Up came */
    char *before;  /* what stood before the cursor when the first Tab came; NULL: the last key was no Tab */
    size_t tabs;
} gui_entry;

void gui_entry_add(gui_entry *entry, const char *line);
/* The line above (-1) or below (+1) the one that is shown, `now`; NULL if there is none. */
const char *gui_entry_move(gui_entry *entry, int step, const char *now);
/* What stands before the cursor after another Tab: the word there becomes a nickname of the channel, with each Tab the next
 * one. NULL: none begins so. To be freed. */
char *gui_entry_complete(gui_entry *entry, const irc *from, const char *channel, const char *before);
void gui_entry_typed(gui_entry *entry); /* it was another key than Tab */
void gui_entry_clear(gui_entry *entry);

/* ---- the scene --------------------------------------------------------------------------------------- */

/* Plays it in a task; at the end the window is closed, and gui->status is 0 if all was as it should be. */
int scene_begin(gui *gui);

HOYA_END_DECLS

#endif
