/* SPDX-License-Identifier: MIT
 *
 * service.h: the two halves of the server: server.c has the thread and the tasks; service.c knows who is
 * there, and what to answer to what they say.
 */
#ifndef DEMO_IRC_SERVICE_H
#define DEMO_IRC_SERVICE_H

#include "parse.h"
#include "server.h"

enum { NICK = 31, TEXT = 400 };

struct client {
    struct client *next;
    irc_server *server;
    hoya_stream *stream;
    char nick[NICK + 1]; /* "" before it has one */
    bool user, known;    /* has said USER; has been welcomed */
    char why[TEXT];      /* for those who see it go */
    irc_line line;       /* the one that is being read */
};

struct member {
    struct member *next;
    struct client *client;
};

struct channel {
    struct channel *next;
    char name[IRC_NAME];
    char topic[TEXT];
    struct member *members;
};

struct irc_server {
    struct server_thread *thread;
    struct client *clients;
    struct channel *channels;
};

void service_reply(struct client *to, int number, const char *format, ...) HOYA_PRINTF(3, 4);

/* Never waits. A negative code: it has said goodbye. */
int service_hear(struct client *client, irc_line *line);
/* It has gone, and those who saw it hear that; freed. */
void service_forget(struct client *gone);

#endif
