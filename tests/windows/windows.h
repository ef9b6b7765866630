/* SPDX-License-Identifier: MIT
 *
 * windows.h: what the programs with windows have in common, whatever their toolkit: a sentence at the end that was not
 * hoped for, a heart that goes on beside the toolkit's own work, and pictures. For C and C++.
 */
#ifndef HOYA_TESTS_WINDOWS_H
#define HOYA_TESTS_WINDOWS_H

#include <hoya/hoya.h>
#include <sys/types.h>

HOYA_BEGIN_DECLS

/* Ends the program with a sentence, unless `good`. */
void ensure(int good, const char *format, ...) HOYA_PRINTF(2, 3);

/* A hoya timer that comes back after each 20 ms and writes a byte, and a hoya reader that takes it from the other end.
 * `step` is called by the timer, with the number of the step, from 1 on; it may stop the heart. */
typedef struct heart {
    hoya_loop *loop;
    void (*step)(int number, void *arg);
    void *arg;
    hoya_handle *next; /* a reference; NULL: stopped */
    hoya_fd ends[2];
    int steps; /* how often the timer came */
    int bytes; /* how many bytes the reader took */
} heart;

void heart_start(heart *self, hoya_loop *loop, void (*step)(int number, void *arg), void *arg);
void heart_stop(heart *self);

/* A picture of the whole screen, taken by a process of its own, so that nothing here waits for it. */
void picture_begin(const char *path);
int picture_is_done(void); /* 1 once it is there; 0 before, and without a beginning */

/* Closes the loop, gives the reference back, and ensures that nothing of the library is left. */
void end_loop(hoya_loop *loop);

HOYA_END_DECLS

#endif
