/* SPDX-License-Identifier: MIT
 *
 * inside.h: what the files of the client have in common.
 *
 *     irc.c       its life: a task that connects, has a session, waits, and begins again
 *     heard.c     what the server says
 *     typed.c     what somebody typed
 *     channels.c  which channels there are, and who is in them
 *     tell.c      what the face is told, by callbacks
 */
#ifndef DEMO_IRC_INSIDE_H
#define DEMO_IRC_INSIDE_H

#include "irc.h"
#include "parse.h"

HOYA_BEGIN_DECLS

/* How long things take, and how much is too much; the tests have less patience. */
typedef struct irc_patience {
    int64_t connect;     /* to a connection */
    int64_t ping;        /* from one question to the next */
    int64_t silence;     /* then the connection is dead */
    int64_t quit;        /* for the server to say goodbye */
    int64_t first, most; /* before it connects again: first, twice as much, ... most */
    int burst;           /* so many lines at once */
    int64_t each;        /* then one in this time */
} irc_patience;
extern irc_patience irc_patience_now;

typedef struct irc_channel irc_channel;
struct irc_channel {
    irc_channel *next;
    char name[IRC_NAME];
    bool joined;
    bool listing; /* a list of names is on its way; it replaces the one that there is */
    char **names; /* sorted */
    size_t count, room;
};

struct irc {
    hoya_loop *loop;
    irc_face face;
    void *arg;
    int refs;    /* the owner's, the life's, and one of each thing to tell */
    bool closed; /* nothing is told any more */
    hoya_future *done;

    irc_state state;
    char host[256], port[32];
    char wish[IRC_NAME], nick[IRC_NAME]; /* the nick of the settings, and the one that we have */
    irc_channel *channels;               /* those that we are in, or will join again */

    bool wanted;       /* it shall be connected */
    bool living;       /* there is a task for that */
    bool stayed;       /* this attempt came as far as ONLINE */
    bool quitting;     /* this attempt is to end */
    hoya_event *wake;  /* ends the waiting between two attempts */
    hoya_group *group; /* the attempt's, or NULL */

    hoya_stream *stream; /* from the connection to its end, or NULL */
    hoya_queue *lines;   /* to be sent, as the limits allow; with their ends */
    int unsent;          /* how many were lost on the way */
    char farewell[256];
    int64_t heard; /* when something came last */
    int64_t asked; /* when our question went out that has no answer yet, or 0 */
    irc_line line; /* the one that is being heard */
};

/* irc.c */
void irc_ref(irc *me);
void irc_unref(irc *me);
int irc_say(irc *me, const char *format, ...) HOYA_PRINTF(2, 3); /* now, past the queue. Waits: for tasks */
int irc_queue(irc *me, const char *format, ...)
    HOYA_PRINTF(2, 3); /* when the limits allow; HOYA_ELIMIT: it is full */
int irc_ask(irc *me);  /* a PING of our own. Waits */
void irc_go(irc *me, irc_state state, const char *format, ...) HOYA_PRINTF(3, 4);

/* heard.c: a negative code ends the session. Waits, where it answers. */
int irc_hear(irc *me, irc_line *line);

/* channels.c */
irc_channel *irc_find(const irc *me, const char *name);
irc_channel *irc_add_channel(irc *me, const char *name); /* or the one that there is; NULL: no memory */
void irc_remove_channel(irc *me, irc_channel *channel);
void irc_remove_channels(irc *me);
bool irc_has_name(const irc_channel *channel, const char *nick);
void irc_add_name(irc_channel *channel, const char *nick); /* without memory it is left out */
bool irc_remove_name(irc_channel *channel, const char *nick);
void irc_clear_names(irc_channel *channel);

/* tell.c */
void irc_tell_state(irc *me, irc_state state, const char *text);
void irc_tell_message(irc *me, const char *target, const char *from, const char *text, irc_kind kind);
void irc_tell_joined(irc *me, const char *channel);
void irc_tell_left(irc *me, const char *channel);
void irc_tell_names(irc *me, const char *channel);
void irc_tell_trouble(irc *me, int code, const char *format, ...) HOYA_PRINTF(3, 4);
void irc_tell_lag(irc *me, int64_t lag);

HOYA_END_DECLS

#endif
