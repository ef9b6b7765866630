/* SPDX-License-Identifier: MIT
 *
 * irc.h: one connection to an IRC server, and what came of it: for a face, which is told of everything by callbacks
 * of the loop, never inside its own calls and never on the stack of a task. Which main loop that is, nobody here
 * knows.
 *
 * Texts are UTF-8 (what comes as something else is taken for Latin-1), without control characters, and borrowed for
 * the call. Results are hoya's: 0, or a negative code. Thread: the loop's.
 */
#ifndef DEMO_IRC_IRC_H
#define DEMO_IRC_IRC_H

#include <hoya/hoya.h>

HOYA_BEGIN_DECLS

typedef struct irc irc;

typedef enum irc_state {
    IRC_OFFLINE,
    IRC_CONNECTING,
    IRC_REGISTERING,
    IRC_ONLINE,
    IRC_WAITING /* to connect again */
} irc_state;

typedef enum irc_kind { IRC_MESSAGE, IRC_ACTION, IRC_NOTICE, IRC_OWN, IRC_INFO } irc_kind;

typedef struct irc_settings { /* copied */
    const char *host, *port, *nick;
    const char *join; /* "#a,#b" or NULL */
} irc_settings;

/* A NULL member is not called. */
typedef struct irc_face {
    void (*state)(irc *irc, irc_state state, const char *text,
                  void *face); /* "connected to ...", "trying again in 4 s" */
    /* target: a channel, a nick (private), or NULL: the server's own page. from is NULL for IRC_INFO. */
    void (*message)(irc *irc, const char *target, const char *from, const char *text, irc_kind kind, void *face);
    void (*joined)(irc *irc, const char *channel, void *face); /* after each reconnect, too */
    void (*left)(irc *irc, const char *channel, void *face);   /* not when the connection is lost: it joins again */
    void (*names)(irc *irc, const char *channel, void *face);  /* the list has changed: irc_names */
    /* For an error bar. code: negative, one of hoya's; else the number of the server's reply. */
    void (*trouble)(irc *irc, int code, const char *text, void *face);
    void (*lag)(irc *irc, int64_t lag, void *face); /* nanoseconds, HOYA_NEVER: no answer for long */
} irc_face;

int irc_new(hoya_loop *loop, const irc_face *face, void *arg, irc **irc);

/* Begins, and tells by state; after a disconnect again; while it waits: at once. HOYA_EBUSY: it is connected
 * already. */
int irc_connect(irc *irc, const irc_settings *settings);
/* QUIT, and no reconnect. reason may be NULL. */
int irc_disconnect(irc *irc, const char *reason);

/* What somebody typed on the page of target: text, or /join #x, /part, /nick n, /msg n text, /me text, /topic text,
 * /names, /quit, /raw ... What cannot be done is told by trouble. */
int irc_input(irc *irc, const char *target, const char *line);

/* Who is there, sorted; valid until the next callback. */
size_t irc_names(const irc *irc, const char *channel, const char *const **names);
irc_state irc_get_state(const irc *irc);
const char *irc_get_nick(const irc *irc);

/* Quits, and frees it when all has ended: *done (a new reference; may be NULL) is done then. Nothing is told from
 * here on. */
int irc_close(irc *irc, hoya_future **done);

HOYA_END_DECLS

#endif
