/* SPDX-License-Identifier: MIT
 *
 * heard.c: what the server says. A table of words, and the numbers that need an answer; all other numbers are texts
 * for the server's page, those from 400 on troubles. A line that makes no sense does nothing.
 */
#include "inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_me(const irc *me, const char *nick)
{
    return irc_compare(me->nick, nick) == 0;
}

static void inform(irc *me, const char *target, const char *format, ...) HOYA_PRINTF(3, 4);
static void inform(irc *me, const char *target, const char *format, ...)
{
    char text[2 * IRC_LONGEST];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    irc_tell_message(me, target, NULL, text, IRC_INFO);
}

/* " (reason)", or nothing. */
static const char *in_brackets(const char *reason, char text[IRC_LINE])
{
    snprintf(text, IRC_LINE, reason[0] ? " (%.*s)" : "%.*s", (int)irc_fit(reason, IRC_LINE - 4), reason);
    return text;
}

/* ---- words ----------------------------------------------------------------------------------------------- */

static int on_ping(irc *me, irc_line *line)
{
    return irc_say(me, "PONG :%s", irc_param(line, 0));
}

static int on_pong(irc *me, irc_line *line)
{
    (void)line;
    if (me->asked) irc_tell_lag(me, hoya_loop_time(me->loop) - me->asked);
    me->asked = 0;
    return 0;
}

static int on_join(irc *me, irc_line *line)
{
    const char *name = irc_param(line, 0);
    bool mine = is_me(me, line->nick);
    irc_channel *channel = !irc_is_channel(name) ? NULL : mine ? irc_add_channel(me, name) : irc_find(me, name);
    if (!channel) return 0;
    if (mine) {
        irc_clear_names(channel);
        channel->joined = true;
        irc_tell_joined(me, channel->name);
    } else {
        inform(me, channel->name, "%s has joined", line->nick);
    }
    irc_add_name(channel, line->nick);
    irc_tell_names(me, channel->name);
    return 0;
}

static void leave(irc *me, irc_channel *channel, const char *nick)
{
    if (is_me(me, nick)) {
        irc_tell_left(me, channel->name);
        irc_remove_channel(me, channel);
    } else if (irc_remove_name(channel, nick)) {
        irc_tell_names(me, channel->name);
    }
}

static int on_part(irc *me, irc_line *line)
{
    char reason[IRC_LINE];
    irc_channel *channel = irc_find(me, irc_param(line, 0));
    if (!channel) return 0;
    inform(me, channel->name, "%s has left%s", line->nick, in_brackets(irc_param(line, 1), reason));
    leave(me, channel, line->nick);
    return 0;
}

static int on_kick(irc *me, irc_line *line)
{
    char reason[IRC_LINE];
    irc_channel *channel = irc_find(me, irc_param(line, 0));
    const char *nick = irc_param(line, 1);
    if (!channel) return 0;
    in_brackets(irc_param(line, 2), reason);
    inform(me, channel->name, "%s was kicked by %s%s", nick, line->nick, reason);
    if (is_me(me, nick))
        irc_tell_trouble(me, HOYA_EACCES, "%s has kicked you from %s%s", line->nick, channel->name, reason);
    leave(me, channel, nick);
    return 0;
}

static int on_quit(irc *me, irc_line *line)
{
    char reason[IRC_LINE];
    in_brackets(irc_param(line, 0), reason);
    for (irc_channel *channel = me->channels; channel; channel = channel->next) {
        if (!irc_remove_name(channel, line->nick)) continue;
        inform(me, channel->name, "%s has quit%s", line->nick, reason);
        irc_tell_names(me, channel->name);
    }
    return 0;
}

static int on_nick(irc *me, irc_line *line)
{
    const char *nick = irc_param(line, 0);
    if (!nick[0]) return 0;
    for (irc_channel *channel = me->channels; channel; channel = channel->next) {
        if (!irc_remove_name(channel, line->nick)) continue;
        irc_add_name(channel, nick);
        inform(me, channel->name, "%s is now %s", line->nick, nick);
        irc_tell_names(me, channel->name);
    }
    if (is_me(me, line->nick)) {
        snprintf(me->nick, sizeof me->nick, "%.*s", IRC_NAME - 1, nick);
        irc_go(me, me->state, "you are now %s", me->nick);
    }
    return 0;
}

/* A channel's page, the page of who wrote, or the server's: that is what a name without a user is. */
static const char *page_of(const irc *me, const irc_line *line)
{
    const char *target = irc_param(line, 0);
    if (irc_is_channel(target)) return irc_find(me, target) ? irc_find(me, target)->name : target;
    return line->from_user ? line->nick : NULL;
}

static int on_privmsg(irc *me, irc_line *line)
{
    bool ctcp;
    if (line->count < 2) return 0;
    char *text = line->params[1], *action = irc_action(text, &ctcp);
    if (action) irc_tell_message(me, page_of(me, line), line->nick, action, IRC_ACTION);
    else if (ctcp) inform(me, NULL, "%s asks our program: %s", line->nick, text);
    else irc_tell_message(me, page_of(me, line), line->nick, text, IRC_MESSAGE);
    return 0;
}

static int on_notice(irc *me, irc_line *line)
{
    if (line->count < 2) return 0;
    irc_tell_message(me, page_of(me, line), line->nick[0] ? line->nick : "server", line->params[1], IRC_NOTICE);
    return 0;
}

static int on_topic(irc *me, irc_line *line)
{
    irc_channel *channel = irc_find(me, irc_param(line, 0));
    if (channel) inform(me, channel->name, "%s sets the topic: %s", line->nick, irc_param(line, 1));
    return 0;
}

static int on_error(irc *me, irc_line *line)
{
    (void)me;
    return hoya_error_set(HOYA_ECLOSED, "the server says: %s", irc_param(line, 0));
}

/* ---- numbers --------------------------------------------------------------------------------------------- */

/* "a b text" of the parameters from `first` on. */
static const char *all_of(const irc_line *line, int first, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = first; i < line->count && used < size - 1; i++) {
        int length = snprintf(text + used, size - used, "%s%s", i > first ? " " : "", line->params[i]);
        used += (size_t)length;
    }
    return text;
}

/* 001: the server knows us, by which nick it says. */
static int on_welcome(irc *me, irc_line *line)
{
    if (me->state != IRC_REGISTERING) return 0;
    const char *nick = irc_param(line, 0);
    if (nick[0] && strcmp(nick, "*") != 0) snprintf(me->nick, sizeof me->nick, "%.*s", IRC_NAME - 1, nick);
    me->stayed = true;
    irc_go(me, IRC_ONLINE, "connected to %s:%s as %s", me->host, me->port, me->nick);
    inform(me, NULL, "%s", irc_param(line, 1));
    int rc = irc_ask(me);
    for (irc_channel *channel = me->channels; channel && rc >= 0; channel = channel->next)
        rc = irc_say(me, "JOIN %s", channel->name);
    return rc;
}

/* 353, as many as it takes, then 366. */
static void on_names(irc *me, irc_line *line)
{
    irc_channel *channel = irc_find(me, irc_param(line, 2));
    if (!channel || line->count < 4) return;
    if (!channel->listing) irc_clear_names(channel);
    channel->listing = true;
    for (char *at = line->params[3]; *at;) {
        size_t length = strcspn(at, " ");
        bool last = !at[length];
        at[length] = '\0';
        irc_add_name(channel, at + strspn(at, "@+%&~!"));
        at += length + !last;
    }
}

static void on_names_end(irc *me, irc_line *line)
{
    irc_channel *channel = irc_find(me, irc_param(line, 1));
    if (!channel) return;
    channel->listing = false;
    irc_tell_names(me, channel->name);
}

static int give_up(irc *me, irc_line *line)
{
    me->wanted = false;
    return hoya_error_set(HOYA_EINVAL, "%s: %s", me->nick, irc_param(line, line->count - 1));
}

/* In use: "nick_", and where there is no room for more "nic__", as long as there is a letter left. */
static int take_another_nick(irc *me, irc_line *line)
{
    enum { EVERYBODY_TAKES = 9 };
    size_t length = strlen(me->nick);
    if (length < EVERYBODY_TAKES) {
        memcpy(me->nick + length, "_", 2);
    } else {
        while (length && me->nick[length - 1] == '_') length--;
        if (length < 2) return give_up(me, line);
        me->nick[length - 1] = '_';
    }
    return irc_say(me, "NICK %s", me->nick);
}

/* 432, 433, 436, 437. Once we are known by a nick, the server leaves us that. */
static int on_bad_nick(irc *me, irc_line *line)
{
    char text[IRC_LINE];
    if (me->state == IRC_REGISTERING && line->number == 432) {
        if (strlen(me->nick) <= 9) return give_up(me, line);
        me->nick[9] = '\0';
        return irc_say(me, "NICK %s", me->nick);
    }
    irc_tell_trouble(me, line->number, "%s", all_of(line, 1, text, sizeof text));
    return me->state == IRC_REGISTERING ? take_another_nick(me, line) : 0;
}

/* A channel that does not let us in is none to be joined again. */
static void on_refusal(irc *me, irc_line *line)
{
    irc_channel *channel = irc_find(me, irc_param(line, 1));
    if (!channel || channel->joined || (line->number != 403 && line->number != 405 && line->number < 471)) return;
    irc_tell_left(me, channel->name);
    irc_remove_channel(me, channel);
}

static int on_number(irc *me, irc_line *line)
{
    char text[IRC_LONGEST];
    switch (line->number) {
    case 1:
        return on_welcome(me, line);
    case 331:
    case 332:
        inform(me, irc_param(line, 1), "topic: %s", irc_param(line, 2));
        return 0;
    case 333:
        return 0; /* who has set it */
    case 353:
        on_names(me, line);
        return 0;
    case 366:
        on_names_end(me, line);
        return 0;
    case 432:
    case 433:
    case 436:
    case 437:
        return on_bad_nick(me, line);
    default:
        break;
    }
    all_of(line, 1, text, sizeof text);
    if (line->number >= 400 && line->number != 422) { /* 422: it has no message of the day */
        irc_tell_trouble(me, line->number, "%s", text);
        on_refusal(me, line);
    } else {
        inform(me, NULL, "%s", text);
    }
    return 0;
}

/* ---- all of it ------------------------------------------------------------------------------------------- */

int irc_hear(irc *me, irc_line *line)
{
    static const struct {
        const char *word;
        int (*hear)(irc *me, irc_line *line);
    } words[] = {{"PING", on_ping},     {"PONG", on_pong},   {"JOIN", on_join},  {"PART", on_part},
                 {"KICK", on_kick},     {"QUIT", on_quit},   {"NICK", on_nick},  {"PRIVMSG", on_privmsg},
                 {"NOTICE", on_notice}, {"TOPIC", on_topic}, {"ERROR", on_error}};
    if (line->number) return on_number(me, line);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, line->command) == 0) return words[i].hear(me, line);
    return 0;
}
