/* SPDX-License-Identifier: MIT
 *
 * harness.h: what the files that keep the time (main.c, echo.c) offer each other.
 */
#ifndef HOYA_BENCH_HARNESS_H
#define HOYA_BENCH_HARNESS_H

#include <stddef.h>
#include <time.h>

#include "bench.h"

/* Nanoseconds. */
double bench_now(clockid_t clock);
/* A figure. */
void bench_print(const char *workload, const char *params, const char *metric, double value, const char *unit);

typedef struct bench_echoed {
    int connections; /* with one message of `size` under way on each, until there were so many `requests` */
    long requests;
    size_t size;
    int idle; /* connections beside them on which nothing comes */
    int ipv6; /* or IPv4 */
} bench_echoed;
/* "echo", or by what the library has for connections: "connections", "buffered", or a task for each: "streams". */
void bench_echo(const char *workload, bench_echoed what);
/* What an idle connection costs; `how` as above. */
void bench_memory(const char *workload, const char *how, int idle, int ipv6);

#endif
