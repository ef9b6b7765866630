/* SPDX-License-Identifier: MIT
 *
 * crowd.h: many connections beside the downloads, in the process of the window: a server of protocols on the
 * window's own loop, to which another process (demo-fetch-crowd, which stands beside this program) opens
 * connections that say nothing, and some that send 64 bytes and wait for the echo, again and again: one message in
 * flight each, a new one each 10 ms.
 *
 * Thread: the loop's.
 */
#ifndef DEMO_FETCH_CROWD_H
#define DEMO_FETCH_CROWD_H

#include <hoya/hoya.h>

HOYA_BEGIN_DECLS

typedef struct fetch_crowd fetch_crowd;

/* Listens, and starts the other process, if need be with a higher limit of open files for both. complete (may be
 * NULL) is called, once, when all are open and have said hello. Errors: HOYA_EMFILE (the system does not allow so
 * many files; the detail says how many), HOYA_EINVAL (none at all), those of posix_spawn, HOYA_ENOMEM. */
int fetch_crowd_start(hoya_loop *loop, int idle, int busy, void (*complete)(void *arg), void *arg,
                      fetch_crowd **crowd);

/* How many are open now; *echoes (may be NULL) how many messages were sent back so far. HOYA_ECLOSED: the other
 * process has ended by itself, and has said why on stderr: there will be no more. */
int fetch_crowd_count(const fetch_crowd *crowd, int64_t *echoes);

/* Ends the other process, by force after two seconds, and closes all; freed when all has ended: *done (a new
 * reference; may be NULL) is done then. complete is not called any more. */
int fetch_crowd_stop(fetch_crowd *crowd, hoya_future **done);

HOYA_END_DECLS

#endif
