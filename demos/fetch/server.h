/* SPDX-License-Identifier: MIT
 *
 * server.h: the local server, in a thread of its own with a native loop, whatever loop the program has; or as a
 * program of its own, demo-fetch-server --listen HOST:PORT.
 *
 * Plain TCP, a line each: "GET name\n" is answered by "OK size\n" and so many bytes (pattern.h), or by "ERROR
 * text\n", and the end. The name says what comes:
 *
 *     10M, song-3.ogg/5M   so many bytes: K, M and G are thousands, millions and thousands of millions
 *     broken/3M            the connection is reset in the middle
 *     silent/3M            nothing comes any more from the middle on
 *     missing              and all else: an error
 */
#ifndef DEMO_FETCH_SERVER_H
#define DEMO_FETCH_SERVER_H

#include <hoya/hoya.h>

HOYA_BEGIN_DECLS

typedef struct fetch_server fetch_server;

/* Listens when this has returned 0; bound_port is where: port may be "0". rate: bytes a second a download; 0: as
 * fast as it can. Any thread; waits for the start. */
int fetch_server_start(const char *host, const char *port, int64_t rate, fetch_server **server, char bound_port[8]);
/* Ends it with all of its connections, and waits for that. Any thread but its own. Takes NULL. */
void fetch_server_stop(fetch_server *server);

HOYA_END_DECLS

#endif
