/* SPDX-License-Identifier: MIT
 *
 * hoya/base.h: what every other header needs: the export macro, versions, time, descriptors, events,
 * and the two process-wide hooks (memory and log).
 *
 * Time is int64_t nanoseconds of the monotonic clock everywhere. A deadline is a point on that clock, a
 * delay is a distance. Nothing in hoya uses the wall clock.
 */
#ifndef HOYA_BASE_H
#define HOYA_BASE_H

#include <stddef.h>
#include <stdint.h>

/* A call goes straight to the function, where the compiler knows how, and not by way of a stub of the linker's: without two
 * of these a switch there and back takes 6 % less. */
#if defined(__GNUC__) && __GNUC__ >= 6 && !defined(__clang__)
#define HOYA_API __attribute__((visibility("default"), noplt))
#elif defined(__GNUC__) || defined(__clang__)
#define HOYA_API __attribute__((visibility("default")))
#else
#define HOYA_API
#endif

#if defined(__GNUC__) || defined(__clang__)
#define HOYA_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
/* Of a function that is called where something has failed: the compiler puts the way there apart from the usual one. */
#define HOYA_COLD __attribute__((cold))
#else
#define HOYA_PRINTF(fmt, args)
#define HOYA_COLD
#endif

#ifdef __cplusplus
#define HOYA_BEGIN_DECLS extern "C" {
#define HOYA_END_DECLS }
#else
#define HOYA_BEGIN_DECLS
#define HOYA_END_DECLS
#endif

#define HOYA_VERSION_MAJOR 0
#define HOYA_VERSION_MINOR 1
#define HOYA_VERSION_PATCH 0

HOYA_BEGIN_DECLS

/* The version of the library that runs, "0.1.0"; the macros above tell which one was compiled against. */
HOYA_API const char *hoya_version(void);

/* ---- time ------------------------------------------------------------------------------------------ */

#define HOYA_NOW INT64_MIN   /* a deadline that has passed, a wait that does not block */
#define HOYA_NEVER INT64_MAX /* a deadline that never comes, a wait without end */

#define HOYA_USEC(n) ((int64_t)(n)*1000)
#define HOYA_MSEC(n) ((int64_t)(n)*1000000)
#define HOYA_SEC(n) ((int64_t)(n)*1000000000)

/* A clock that a loop can be given instead of the system's (hoya_loop_options.clock): for simulations and
 * tests. `now` must never go backwards; it is called on the loop's thread only. */
typedef struct hoya_clock {
    int64_t (*now)(void *arg);
    void *arg;
} hoya_clock;

/* ---- descriptors and events ------------------------------------------------------------------------ */

typedef int hoya_fd;
#define HOYA_INVALID_FD (-1)

enum hoya_events {
    HOYA_IN = 1u << 0,  /* a read would not block */
    HOYA_OUT = 1u << 1, /* a write would not block */
    HOYA_PRI = 1u << 2, /* out-of-band data */
    HOYA_ERR = 1u << 3, /* always reported, never asked for */
    HOYA_HUP = 1u << 4  /* always reported, never asked for */
};

/* ---- callbacks ------------------------------------------------------------------------------------- */

/* Work for the loop. Runs on the loop's thread, from the iteration, never inside the call that scheduled it. */
typedef void (*hoya_callback)(void *arg);

/* Called with the argument of a callback when the library is done with it: after the run, at a cancel, at the
 * close of the loop, or when the submission failed; exactly once in every case. Runs inline. May be NULL. */
typedef void (*hoya_destroy)(void *arg);

/* ---- memory ---------------------------------------------------------------------------------------- */

/* All memory of the library comes from here. Sizes are never 0. A function may return NULL: the call that
 * wanted the memory answers HOYA_ENOMEM and has changed nothing. */
typedef struct hoya_allocator {
    size_t size; /* sizeof(hoya_allocator) */
    void *(*malloc)(size_t size, void *arg);
    void *(*realloc)(void *block, size_t size, void *arg);
    void (*free)(void *block, void *arg);
    void *arg;
} hoya_allocator;

/* Replaces the allocator; NULL restores the C library's. Process-wide.
 * Thread: any, but before other threads use the library.
 * Errors: HOYA_EINVAL for a missing function; HOYA_EBUSY while a block of the old allocator is still in use. */
HOYA_API int hoya_set_allocator(const hoya_allocator *allocator);

/* How much of each kind is alive in this process: for leak checks and for the curious. The futures and tasks that another
 * thread makes in a callback count when the loop's dispatch there is over. Thread: any. */
typedef struct hoya_live_counts {
    size_t size;    /* sizeof(hoya_live_counts), set by the caller */
    int64_t blocks; /* blocks of memory */
    int64_t fds;    /* descriptors that the library opened */
    int64_t loops;
    int64_t handles; /* callback and timer handles, fd callbacks, threadsafe handles */
    int64_t selectors;
    int64_t futures;
    int64_t hosts; /* hosts in a loop's hands; the native one does not count */
} hoya_live_counts;

HOYA_API int hoya_get_live_counts(hoya_live_counts *counts);

/* ---- log ------------------------------------------------------------------------------------------- */

typedef enum hoya_log_level {
    HOYA_LOG_ERROR = 0,
    HOYA_LOG_WARNING = 1,
    HOYA_LOG_INFO = 2,
    HOYA_LOG_DEBUG = 3
} hoya_log_level;

typedef void (*hoya_log_function)(hoya_log_level level, const char *text, void *arg);

/* Where the library's words go. Process-wide. The library prints nothing by itself: without a function here a
 * text goes to the log of the loop's host (g_log under GLib), and without such a host it is dropped.
 * The function runs inline, on whatever thread has something to say, and must not call the library.
 * Thread: any. NULL restores the default. */
HOYA_API void hoya_set_log_function(hoya_log_function fn, void *arg);

HOYA_END_DECLS

#endif
