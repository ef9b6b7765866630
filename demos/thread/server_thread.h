/* SPDX-License-Identifier: MIT
 *
 * server_thread.h: a server with a task for each client, in a thread of its own with a native loop, whatever loop
 * the program has.
 */
#ifndef DEMO_SERVER_THREAD_H
#define DEMO_SERVER_THREAD_H

#include <hoya/hoya.h>

typedef struct server_thread server_thread;

/* Borrowed until it has started; `name` (of the loop's task), serve and its argument until it has stopped. */
typedef struct server_thread_settings {
    const char *name, *host, *port;
    hoya_client_connected serve;
    void *arg;
    const hoya_stream_options *options;
} server_thread_settings;

/* Listens when this has returned 0; bound_port is where: port may be "0". Any thread; waits for the start. */
int server_thread_start(const server_thread_settings *settings, server_thread **thread, char bound_port[8]);
/* Ends it with all of its connections, and waits for that. Any thread but its own. */
void server_thread_stop(server_thread *thread);

/* For a program that is nothing but a server, which has been started: says where it serves, and waits for SIGTERM. In a
 * task. */
int server_thread_until_sigterm(const char *host, const char *port);

#endif
