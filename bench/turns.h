/* SPDX-License-Identifier: MIT
 *
 * turns.h: what bench-turns tells the programs that it runs.
 */
#ifndef HOYA_BENCH_TURNS_H
#define HOYA_BENCH_TURNS_H

#define BENCH_STOPS "BENCH_STOPS" /* in the environment: a descriptor of this */

typedef struct bench_stops {
    volatile double nanoseconds; /* that the program has been stopped for; changes while it is */
} bench_stops;

#endif
