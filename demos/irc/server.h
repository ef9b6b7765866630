/* SPDX-License-Identifier: MIT
 *
 * server.h: a small chat server for the first run: a thread with a native loop of its own, whatever loop the
 * program has.
 */
#ifndef DEMO_IRC_SERVER_H
#define DEMO_IRC_SERVER_H

#include <hoya/hoya.h>

HOYA_BEGIN_DECLS

typedef struct irc_server irc_server;

/* Listens when this has returned 0; bound_port (8 bytes) is where: port may be "0". Any thread; waits for the
 * start. */
int irc_server_start(const char *host, const char *port, irc_server **server, char *bound_port);
/* Ends it with all of its connections, and waits for that. Any thread but its own. Takes NULL. */
void irc_server_stop(irc_server *server);

HOYA_END_DECLS

#endif
