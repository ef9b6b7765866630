/* SPDX-License-Identifier: MIT
 *
 * frames.h: when the frames of the little animation come, and how late. Each window has a small thing that moves, 60 times a
 * second, by what its toolkit has for that (GTK's frame clock; a timer of Qt's). The window tells here when a frame was due,
 * and when it has been painted; so two times are known of each: from the frame before to this one, and from the moment when
 * it was due to the end of its painting.
 *
 * --frames measures that for some seconds without a connection, once more for the spread, and then beside the crowd
 * (crowd.h); prints a table; and the verdict.
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

/* What is collected for --frames. */
typedef struct frames_run {
    int64_t *intervals, *late; /* of the frames that were painted */
    size_t count, room;
    long left_out; /* frames that were never painted, because the one before was too late for that */
} frames_run;

/* All zero is a good beginning. */
typedef struct frames {
    int64_t due;     /* the last one that was told */
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
/* Where it is: from 0 to 1 and back again in two seconds. */
double frames_place(void);
/* "60 frames/s, 0.8 ms late at most": since the last call. */
void frames_pace(frames *all, char text[64]);

/* Measures as the options say, in a task; at the end the window is closed, and gui->status is 0 if the verdict is good. */
int frames_begin(struct gui *gui);

HOYA_END_DECLS

#endif
