/* SPDX-License-Identifier: MIT
 *
 * typed.c: what somebody typed: a text for the page that he looks at, or a command. What is sent goes to the queue;
 * our own words are told at once, since no server sends them back.
 */
#include "inside.h"

#include <stdio.h>
#include <string.h>

/* ":nick!user@host " stands before what others get of a line, and how long that is we do not know. */
enum { ROOM = IRC_LINE - 2 - 110 };

struct typed {
    const char *target; /* the page, or NULL */
    char *rest;         /* behind the command */
};

/* The next word of the rest, ended; "" if there is none. */
static char *word(struct typed *typed)
{
    char *at = typed->rest + strspn(typed->rest, " ");
    size_t length = strcspn(at, " ");
    typed->rest = at + length;
    if (*typed->rest) *typed->rest++ = '\0';
    return at;
}

static void want(irc *me, const char *what)
{
    irc_tell_trouble(me, HOYA_EINVAL, "%s", what);
}

/* Says so if the server will not hear of it. */
static void check(irc *me, int rc)
{
    if (rc == HOYA_ELIMIT) irc_tell_trouble(me, rc, "Too much at once: this line is not sent");
    else if (rc < 0) irc_tell_trouble(me, rc, "This line is not sent: %s", hoya_strerror(rc));
}

/* ---- words for others -------------------------------------------------------------------------------------- */

/* In as many lines as it takes. */
static void say_to(irc *me, const char *target, const char *text, bool action)
{
    char part[ROOM + 1];
    while (*text) {
        size_t length = irc_fit(text, ROOM - strlen(target));
        memcpy(part, text, length);
        part[length] = '\0';
        text += length;
        int rc = action ? irc_queue(me, "PRIVMSG %s :\001ACTION %s\001", target, part)
                        : irc_queue(me, "PRIVMSG %s :%s", target, part);
        check(me, rc);
        if (rc >= 0) irc_tell_message(me, target, me->nick, part, action ? IRC_ACTION : IRC_OWN);
    }
}

static void say_here(irc *me, const struct typed *typed, bool action)
{
    if (typed->target && strlen(typed->target) < IRC_NAME) say_to(me, typed->target, typed->rest, action);
    else want(me, "Nobody reads the server's page: /join a channel, or /msg somebody");
}

static void do_me(irc *me, struct typed *typed)
{
    say_here(me, typed, true);
}

static void do_msg(irc *me, struct typed *typed)
{
    const char *to = word(typed);
    if (to[0] && strlen(to) < IRC_NAME && typed->rest[0]) say_to(me, to, typed->rest, false);
    else want(me, "/msg wants a nick and a text");
}

/* ---- words for the server ---------------------------------------------------------------------------------- */

static void do_join(irc *me, struct typed *typed)
{
    const char *channel = word(typed);
    if (irc_is_channel(channel)) check(me, irc_queue(me, "JOIN %s %s", channel, word(typed)));
    else want(me, "/join wants a channel: #something");
}

/* The channel that is named, or the one whose page it is. */
static const char *channel_of(struct typed *typed)
{
    const char *rest = typed->rest + strspn(typed->rest, " ");
    if (strchr("#&+!", rest[0]) && rest[0]) return word(typed);
    return typed->target && irc_is_channel(typed->target) ? typed->target : NULL;
}

static void do_part(irc *me, struct typed *typed)
{
    const char *channel = channel_of(typed);
    if (channel) check(me, irc_queue(me, "PART %s :%s", channel, typed->rest));
    else want(me, "/part wants a channel: #something");
}

static void do_topic(irc *me, struct typed *typed)
{
    const char *channel = channel_of(typed);
    if (!channel) want(me, "/topic wants a channel: #something");
    else if (typed->rest[0]) check(me, irc_queue(me, "TOPIC %s :%s", channel, typed->rest));
    else check(me, irc_queue(me, "TOPIC %s", channel));
}

static void do_names(irc *me, struct typed *typed)
{
    const char *channel = channel_of(typed);
    if (channel) check(me, irc_queue(me, "NAMES %s", channel));
    else want(me, "/names wants a channel: #something");
}

static void do_nick(irc *me, struct typed *typed)
{
    const char *nick = word(typed);
    if (irc_is_nick(nick)) check(me, irc_queue(me, "NICK %s", nick));
    else want(me, "/nick wants a nick: letters, digits, and no digit first");
}

static void do_raw(irc *me, struct typed *typed)
{
    check(me, irc_queue(me, "%s", typed->rest));
}

static void do_quit(irc *me, struct typed *typed)
{
    irc_disconnect(me, typed->rest[0] ? typed->rest : NULL);
}

/* ---- all of it ------------------------------------------------------------------------------------------- */

static void command(irc *me, struct typed *typed)
{
    static const struct {
        const char *name;
        void (*run)(irc *me, struct typed *typed);
    } commands[] = {{"join", do_join},   {"part", do_part}, {"topic", do_topic},
                    {"names", do_names}, {"nick", do_nick}, {"msg", do_msg},
                    {"me", do_me},       {"raw", do_raw},   {"quit", do_quit}};
    const char *name = word(typed);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) != 0) continue;
        if (me->state == IRC_ONLINE || commands[i].run == do_quit) commands[i].run(me, typed);
        else irc_tell_trouble(me, HOYA_ENOTCONN, "Not connected: /%s is not sent", name);
        return;
    }
    irc_tell_trouble(me, HOYA_EINVAL, "There is no command /%s", name);
}

int irc_input(irc *me, const char *target, const char *line)
{
    char text[IRC_LONGEST];
    if (me->closed) return HOYA_ESTATE;
    snprintf(text, sizeof text, "%.*s", (int)irc_fit(line, sizeof text - 1), line);
    irc_strip(text);
    struct typed typed = {target, text};
    if (text[0] == '/' && text[1] != '/') {
        typed.rest++;
        command(me, &typed);
        return 0;
    }
    if (text[0] == '/') typed.rest++; /* "//" is a text that begins with a slash */
    if (!typed.rest[0]) return 0;
    if (me->state == IRC_ONLINE) say_here(me, &typed, false);
    else irc_tell_trouble(me, HOYA_ENOTCONN, "Not connected: this line is not sent");
    return 0;
}
