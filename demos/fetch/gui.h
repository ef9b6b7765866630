/* SPDX-License-Identifier: MIT
 *
 * gui.h: what the two windows (gtk.c, qt.cc) have in common and no toolkit is needed for: the command line, the server of
 * the first run, which downloads there are and what their rows show, the crowd beside them, begin and end; and the scene,
 * which plays a person in front of the window.
 */
#ifndef DEMO_FETCH_GUI_H
#define DEMO_FETCH_GUI_H

#include <hoya/hoya.h>
#include <stdbool.h>

#include "crowd.h"
#include "fetch.h"
#include "frames.h"
#include "server.h"
#include "window/window.h"

HOYA_BEGIN_DECLS

typedef struct gui gui;

/* What a row shows. */
typedef struct gui_look {
    fetch_state state;
    double fraction;    /* of the bar, 0 to 1 */
    char text[160];     /* "3.2 of 5.0 MB, 1.2 MB/s", or why it failed */
    const char *mark;   /* one character, for its state */
    const char *button; /* "Cancel", "Again"; NULL: there is nothing to press */
} gui_look;

/* A download and its row. */
typedef struct gui_row {
    gui *gui;
    fetch_item *item;
    void *widgets; /* the window's */
    char why[128]; /* it failed */
    gui_look look; /* what it shows now */
} gui_row;

/* What the lower edge of the window shows. */
typedef struct gui_foot {
    double fraction; /* of the bar of them all */
    char total[96];  /* "41.2 of 96.0 MB, 23.9 MB/s" */
    char counts[96]; /* "8 loading, 3 done, 1 failed" */
    char crowd[96];  /* "10,100 connections, 9,950 echoes/s" */
    char pace[64];   /* "60 frames/s, 0.8 ms late at most" */
    bool crowd_on;   /* the box is checked, */
    bool crowd_free; /* and may be clicked */
} gui_foot;

/* What the rest of this header wants of a window. */
typedef struct gui_window {
    const char *toolkit, *program;
    void *(*add_row)(gui_row *row, const char *title); /* at the end of the list; its button calls gui_press */
    void (*show_row)(void *widgets, const gui_look *look);
    void (*show_foot)(const gui_foot *foot);
    void (*disable)(void); /* nobody can do anything any more: it is about to end */
    void (*quit)(void);    /* the toolkit's main loop returns */

    /* what a person could do with it, or see */
    void (*press)(void *widgets); /* a click on the row's button */
    void (*click_more)(void);
    void (*click_crowd)(void);
    char *(*row_text)(void *widgets); /* "title|text|button", as they stand there; to be freed */
    double (*row_fraction)(void *widgets);
    char *(*foot_text)(void);              /* "total|counts|crowd"; to be freed */
    void (*show_end)(void);                /* scrolls to the end of the list */
    int (*save_picture)(const char *path); /* of the window; 0, or -1 */
} gui_window;

typedef struct gui_options {
    const char *connect; /* HOST:PORT; NULL: the server in this process */
    long rate;           /* of that one: bytes a second a download */
    long limit;          /* so many downloads at once */
    long idle, busy;     /* connections of the crowd */
    const char *scene;   /* FILE.png: a scene is played, and its pictures are FILE-loading.png ... */
    bool frames;         /* frame times are measured, */
    long seconds, tries; /* so long a run, and so often until the verdict is good, */
    long allow;          /* which it is if they are so many ms later */
    const char *log;
} gui_options;

struct gui {
    const gui_window *window;
    gui_options options;
    char host[128], port[8];
    fetch_server *server;
    hoya_loop *loop; /* the policy's: a guest in the toolkit's main loop */
    fetch *fetch;
    gui_row **rows;
    size_t count;
    bool finished; /* none is waiting or loading */

    fetch_crowd *crowd;
    bool crowd_complete;
    hoya_future *crowd_end; /* of the last one, which is being stopped */
    const char *crowd_why;  /* there is none, because ... */
    int64_t echoes, echoes_at;
    double echo_rate; /* of the last second */

    frames frames;
    hoya_task *player; /* of the scene, or of --frames; or NULL */
    gui_foot foot;
    hoya_handle *clock;
    int ticks;
    bool closing, over; /* all is being closed; the main loop ends */
    int status;         /* the program's */
    int descriptors;    /* that were open before the server and the loop were */
};

/* Reads the command line. False: a sentence was printed, and gui->status is the program's. */
bool gui_begin(gui *gui, const gui_window *window, int argc, char **argv);
/* Starts the server that lives in this process unless another is named, makes the downloads, in this thread's loop, and what
 * the options want. Then the toolkit's main loop is run. */
int gui_start(gui *gui);
/* The button of a row: cancels the download; or begins it again. */
void gui_press(gui_row *row);
/* The button "10 More". */
void gui_more(gui *gui);
/* The box that is checked for many connections beside the downloads. */
void gui_crowd(gui *gui, bool on);
/* The close button: cancels all, and waits for that; then window->quit. A second call does not wait. */
void gui_close(gui *gui);
/* After the main loop: ends the loop and the server, and says the program's status. */
int gui_end(gui *gui);

const char *gui_state_name(fetch_state state);
const char *gui_state_colour(fetch_state state); /* "#rrggbb", of mark and bar */
void gui_bytes(int64_t bytes, char text[32]);    /* "3.2 MB" */
void gui_number(int64_t number, char text[32]);  /* "10,000" */
void gui_crowd_title(const gui *gui, char text[64]);

/* Plays the scene in a task; at the end the window is closed, and gui->status is 0 if all was as it should be. */
int scene_begin(gui *gui);

HOYA_END_DECLS

#endif
