/* SPDX-License-Identifier: MIT
 *
 * parse.h: the lines of IRC (RFC 1459, 2812), for client and server. Nothing here waits, and nothing needs memory.
 */
#ifndef DEMO_IRC_PARSE_H
#define DEMO_IRC_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    IRC_LONGEST = 8704, /* of a line that is read: 512, with the tags of IRCv3 before it */
    IRC_LINE = 512,     /* of one that is sent, with its end */
    IRC_NAME = 64,      /* room for a nick or the name of a channel; a longer one is cut */
    IRC_PARAMS = 15
};

/* A line and its parts; all of them point into `text`. */
typedef struct irc_line {
    const char *nick; /* who sent it: a nick, or a server's name; "" if nobody is named */
    bool from_user;   /* the prefix is nick!user@host */
    const char *command;
    int number; /* of a numeric reply, else 0 */
    int count;
    char *params[IRC_PARAMS];
    char text[2 * IRC_LONGEST + 1]; /* Latin-1 grows */
} irc_line;

/* Cuts a line into its parts, in UTF-8, without NULs and without its end. False: there is nothing in it. What is
 * missing of the parameters reads as "" by irc_param. */
bool irc_parse(irc_line *line, const char *data, size_t size);
const char *irc_param(const irc_line *line, int index);

/* Removes control characters and the colours of mIRC, in place: what is left can be shown anywhere. */
void irc_strip(char *text);
/* \001ACTION waves\001: the text of it, cut in place; NULL if it is no such. *ctcp says whether it is any \001 at
 * all. */
char *irc_action(char *text, bool *ctcp);

/* Names are the same when their letters are; {}|^ are the small letters of []\~. As strcmp. */
int irc_compare(const char *a, const char *b);
bool irc_is_channel(const char *name);
bool irc_is_nick(const char *name); /* one that any server would take, but for its length */

/* How many bytes of a text go into a line with `room` bytes for it: no character is cut. */
size_t irc_fit(const char *text, size_t room);

#ifdef __cplusplus
}
#endif

#endif
