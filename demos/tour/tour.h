/* SPDX-License-Identifier: MIT
 *
 * tour/tour.h: what the programs of the tour share: an end with a sentence when something fails, and a client that knows
 * nothing of hoya.
 */
#ifndef TOUR_H
#define TOUR_H

#include <pthread.h>

/* Ends the program if a function of hoya has failed, and says why; else returns what it said. */
int must(int rc);

/* A blocking socket that listens on 127.0.0.1; the system chooses the port. */
int listen_here(int *port);

/* In a thread of its own, with plain blocking calls: sends "one", "two" and "three" a line each, says that this was all,
 * reads until the server says the same, and keeps what came back. */
typedef struct client {
    pthread_t thread;
    int port;
    char back[64];
} client;

void client_begin(client *c, int port);
void client_end(client *c, const char *name); /* waits for it, and prints what came back, in one line */

#endif
