/* SPDX-License-Identifier: MIT
 *
 * frames.h: when the frames of the little animation come, and how late. Each window has a small thing that moves, 60 times a
 * second, by what its toolkit has for that (GTK's frame clock; a timer of Qt's). The window tells here when a frame was due,
 * and when it has been painted; so two times are known of each: from the frame before to this one, and from the moment when
 * it was due to the end of its painting. By GTK's frame clock a frame is due when the clock comes to it, so of GTK the
 * lateness is that of the painting alone: what holds up the clock itself is in the time from one frame to the next, which is
 * the verdict that counts there.
 *
 * A frame that is left out has never been painted, and yet it counts: a time from one frame to the next is entered once for
 * each frame that it should have held, and each frame that was due meanwhile is entered as late as it was when one was painted
 * at last. So a window that stands still for a second has 60 bad frames, and not one.
 *
 * --frames measures that for some seconds without a connection, once more for the spread, and then beside the crowd
 * (crowd.h); prints a table; and the verdict. The window that is measured has no downloads in it.
 *
 * Times are nanoseconds of the monotonic clock. Thread: the window's.
 */
#ifndef DEMO_FETCH_FRAMES_H
#define DEMO_FETCH_FRAMES_H

#include <hoya/hoya.h>
#include <stdbool.h>

HOYA_BEGIN_DECLS

struct gui;

enum { FRAMES_A_SECOND = 60 };

typedef struct frames_times {
    int64_t *all;
    size_t count, room;
} frames_times;

/* What is collected for --frames. */
typedef struct frames_run {
    frames_times intervals, late; /* of all frames that were due */
    long painted;
    long left_out; /* frames that were never painted, because the one before was too late for that */
} frames_run;

/* All zero is a good beginning. */
typedef struct frames {
    int64_t due;     /* the last one that was told */
    int64_t period;  /* from one to the next, as it should be */
    int64_t asked;   /* when the one was due that is to be painted now; 0: none is */
    int64_t painted; /* the last one */
    int recent;      /* so many since the last frames_pace, */
    int64_t worst;   /* so late at most, */
    int64_t since;   /* and when that was */
    frames_run *run; /* the one that collects; or NULL */
} frames;

int64_t frames_now(void);
/* A frame is to be painted that was due then; they are due each `interval`, and those in between are left out: the first of
 * them is the one that is late. */
void frames_due(frames *all, int64_t due, int64_t interval);
/* The moving thing has been painted. */
void frames_painted(frames *all);
/* `run` collects no more. What should have been painted by now, and was not, is entered. */
void frames_end_run(frames *all);
/* Where it is: from 0 to 1 and back again in two seconds. */
double frames_place(void);
/* "60 frames/s, 0.8 ms late at most": since the last call. */
void frames_pace(frames *all, char text[64]);

/* Measures as the options say, in a task; at the end the window is closed, and gui->status is 0 if the verdict is good. */
int frames_begin(struct gui *gui);

HOYA_END_DECLS

#endif
