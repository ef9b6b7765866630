/* SPDX-License-Identifier: MIT
 *
 * co_main.c: WORKLOAD N [METRIC]: runs one workload of coroutines and tasks with the implementation that this program is
 * linked with, and prints a line: workload impl - metric nanoseconds ns.
 *
 * A unit takes a few nanoseconds. So that an interruption does not count, the work is done in pieces, of which the median
 * is told. So that luck does not, each piece begins at another place of a page of the stack: which lines of two stacks
 * share a place in the cache makes a quarter of a bare switch. One piece before the others fills caches and pools.
 */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "co.h"

void bench_require(int good, const char *what)
{
    if (good) return;
    fprintf(stderr, "%s: %s\n", bench_co_implementation.name, what);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

#define PIECES 128 /* and so short that most of them are not interrupted where others want this processor */
#define PLACES 16

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of n units, in nanoseconds. */
static double time_piece(void (*run)(long n), long n, int i)
{
    volatile char *room = alloca((size_t)(i % PLACES * 4096 / PLACES + 1));
    room[0] = 0;
    double start = now();
    run(n);
    return now() - start;
}

static double median_of_pieces(void (*run)(long n), long n)
{
    double times[PIECES];
    run(n);
    for (int i = 0; i < PIECES; i++) times[i] = time_piece(run, n, i);
    qsort(times, PIECES, sizeof *times, compare);
    return (times[PIECES / 2 - 1] + times[PIECES / 2]) / 2 / (double)n;
}

int main(int argc, char **argv)
{
    const bench_co *impl = &bench_co_implementation;
    const struct {
        const char *name;
        void (*run)(long n);
    } workloads[] = {{"switch", impl->switches}, {"round", impl->rounds},  {"await", impl->awaits},
                     {"spawn", impl->spawns},    {"lock", impl->locks},    {"handover", impl->handovers},
                     {"meet", impl->meetings},   {"stream", impl->streams}};
    long n = argc > 2 ? atol(argv[2]) : 0;
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads && n > 0; i++) {
        if (strcmp(argv[1], workloads[i].name) != 0 || !workloads[i].run) continue;
        printf("%s %s - %s %.3f ns\n", argv[1], impl->name, argc > 3 ? argv[3] : argv[1],
               median_of_pieces(workloads[i].run, n / PIECES + 1));
        return 0;
    }
    fprintf(stderr, "usage: WORKLOAD N [METRIC]; %s has", impl->name);
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        if (workloads[i].run) fprintf(stderr, " %s", workloads[i].name);
    fprintf(stderr, "\n");
    return 2;
}
