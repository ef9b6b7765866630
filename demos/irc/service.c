/* SPDX-License-Identifier: MIT
 *
 * service.c: who is on the server, in which channels, and what is answered to what they say. All of it in the tasks
 * of one thread, and nothing waits: no locks, and no state that another client could see half done.
 *
 * Who writes to others must not wait for them. So lines go out by the transport, which buffers them, and a client
 * that does not read what it is sent is dropped when that is more than the transport's hard limit.
 */
#include "service.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "irc.hoya"

/* ---- sending --------------------------------------------------------------------------------------------- */

static void send_text(struct client *to, const char *text, size_t size)
{
    int rc = hoya_transport_write(hoya_stream_get_transport(to->stream), text, size);
    if (rc != HOYA_ENOBUFS) return; /* another failure ends its connection by itself */
    snprintf(to->why, sizeof to->why, "does not read");
    hoya_stream_abort(to->stream);
}

static size_t build(char line[IRC_LINE + 1], const char *format, va_list arguments)
{
    char text[2 * IRC_LONGEST];
    vsnprintf(text, sizeof text, format, arguments);
    size_t length = irc_fit(text, IRC_LINE - 2);
    memcpy(line, text, length);
    memcpy(line + length, "\r\n", 3);
    return length + 2;
}

static void say(struct client *to, const char *format, ...) HOYA_PRINTF(2, 3);
static void say(struct client *to, const char *format, ...)
{
    char line[IRC_LINE + 1];
    va_list arguments;
    va_start(arguments, format);
    size_t size = build(line, format, arguments);
    va_end(arguments);
    send_text(to, line, size);
}

/* A reply: ":irc.hoya 433 nick rest". */
void service_reply(struct client *to, int number, const char *format, ...)
{
    char text[2 * IRC_LONGEST];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    say(to, ":%s %03d %s %s", NAME, number, to->nick[0] ? to->nick : "*", text);
}

static struct member *find_member(const struct channel *channel, const struct client *client)
{
    struct member *at = channel->members;
    while (at && at->client != client) at = at->next;
    return at;
}

/* To all in a channel; but not to `from`, if that is not NULL. */
static void say_all(const struct channel *to, const struct client *from, const char *format, ...) HOYA_PRINTF(3, 4);
static void say_all(const struct channel *to, const struct client *from, const char *format, ...)
{
    char line[IRC_LINE + 1];
    va_list arguments;
    va_start(arguments, format);
    size_t size = build(line, format, arguments);
    va_end(arguments);
    for (const struct member *at = to->members; at; at = at->next)
        if (at->client != from) send_text(at->client, line, size);
}

static bool share_a_channel(const struct client *a, const struct client *b)
{
    for (const struct channel *channel = a->server->channels; channel; channel = channel->next)
        if (find_member(channel, a) && find_member(channel, b)) return true;
    return false;
}

/* To all who see a client: each of them once. */
static void say_around(struct client *from, bool itself, const char *format, ...) HOYA_PRINTF(3, 4);
static void say_around(struct client *from, bool itself, const char *format, ...)
{
    char line[IRC_LINE + 1];
    va_list arguments;
    va_start(arguments, format);
    size_t size = build(line, format, arguments);
    va_end(arguments);
    for (struct client *to = from->server->clients; to; to = to->next)
        if (to == from ? itself : share_a_channel(from, to)) send_text(to, line, size);
}

/* ---- who there is ---------------------------------------------------------------------------------------- */

static struct client *find_client(const irc_server *server, const char *nick)
{
    for (struct client *client = server->clients; client; client = client->next)
        if (client->nick[0] && irc_compare(client->nick, nick) == 0) return client;
    return NULL;
}

static struct channel *find_channel(const irc_server *server, const char *name)
{
    for (struct channel *channel = server->channels; channel; channel = channel->next)
        if (irc_compare(channel->name, name) == 0) return channel;
    return NULL;
}

static struct channel *make_channel(irc_server *server, const char *name)
{
    struct channel *channel = calloc(1, sizeof *channel);
    if (!channel) return NULL;
    snprintf(channel->name, sizeof channel->name, "%s", name);
    channel->next = server->channels;
    return server->channels = channel;
}

static void remove_member(irc_server *server, struct channel *from, const struct client *client)
{
    for (struct member **at = &from->members; *at; at = &(*at)->next) {
        struct member *found = *at;
        if (found->client != client) continue;
        *at = found->next;
        free(found);
        break;
    }
    if (from->members) return;
    struct channel **at = &server->channels;
    while (*at != from) at = &(*at)->next;
    *at = from->next;
    free(from);
}

/* ---- words ----------------------------------------------------------------------------------------------- */

static void welcome_if_known(struct client *client)
{
    if (client->known || !client->nick[0] || !client->user) return;
    client->known = true;
    service_reply(client, 1, ":Welcome to the server in this program, %s", client->nick);
    service_reply(client, 375, ":- %s, the message of the day", NAME);
    service_reply(client, 372, ":- It runs in a thread of its own, with a loop of its own.");
    service_reply(client, 372, ":- Join #hoya, and start a second client to talk to.");
    service_reply(client, 376, ":End of the message of the day");
}

static int on_nick(struct client *client, irc_line *line)
{
    const char *nick = irc_param(line, 0);
    struct client *other = find_client(client->server, nick);
    if (!irc_is_nick(nick) || strlen(nick) > NICK) {
        service_reply(client, 432, "%s :This is no nick", nick);
    } else if (other && other != client) {
        service_reply(client, 433, "%s :This nick is in use", nick);
    } else {
        if (client->known) say_around(client, true, ":%s!user@hoya NICK :%s", client->nick, nick);
        snprintf(client->nick, sizeof client->nick, "%s", nick);
        welcome_if_known(client);
    }
    return 0;
}

static int on_user(struct client *client, irc_line *line)
{
    (void)line;
    client->user = true;
    welcome_if_known(client);
    return 0;
}

static int on_ping(struct client *client, irc_line *line)
{
    say(client, ":%s PONG %s :%s", NAME, NAME, irc_param(line, 0));
    return 0;
}

static int on_nothing(struct client *client, irc_line *line)
{
    (void)client, (void)line;
    return 0;
}

static void tell_names(struct client *to, const struct channel *channel)
{
    char text[TEXT] = "";
    size_t used = 0;
    for (const struct member *at = channel->members; at; at = at->next) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "", at->client->nick);
        if (at->next && used + NICK + 2 < sizeof text - IRC_NAME) continue;
        service_reply(to, 353, "= %s :%s", channel->name, text);
        used = 0;
    }
    service_reply(to, 366, "%s :End of the names", channel->name);
}

static void tell_topic(struct client *to, const struct channel *channel)
{
    if (channel->topic[0]) service_reply(to, 332, "%s :%s", channel->name, channel->topic);
    else service_reply(to, 331, "%s :There is no topic", channel->name);
}

static int join(struct client *client, const char *name)
{
    irc_server *server = client->server;
    if (!irc_is_channel(name) || name[0] != '#' || strlen(name) >= IRC_NAME) {
        service_reply(client, 403, "%s :This is no channel", name);
        return 0;
    }
    struct member *member = malloc(sizeof *member);
    struct channel *channel = find_channel(server, name);
    if (member && !channel) channel = make_channel(server, name);
    if (!member || !channel || find_member(channel, client)) {
        free(member);
        return channel ? 0 : HOYA_ENOMEM;
    }
    member->client = client;
    member->next = channel->members;
    channel->members = member;
    say_all(channel, NULL, ":%s!user@hoya JOIN %s", client->nick, channel->name);
    if (channel->topic[0]) tell_topic(client, channel);
    tell_names(client, channel);
    return 0;
}

/* Names are in lists, with commas. */
static int on_join(struct client *client, irc_line *line)
{
    char *save = NULL;
    int rc = 0;
    char *list = line->count ? line->params[0] : NULL;
    for (char *name = list ? strtok_r(list, ",", &save) : NULL; name && rc >= 0; name = strtok_r(NULL, ",", &save))
        rc = join(client, name);
    return rc;
}

/* The channel, if it is there and the client is in it; else it is told. */
static struct channel *channel_of(struct client *client, const char *name)
{
    struct channel *channel = find_channel(client->server, name);
    if (channel && find_member(channel, client)) return channel;
    service_reply(client, 442, "%s :You are not in this channel", name);
    return NULL;
}

static int on_part(struct client *client, irc_line *line)
{
    struct channel *channel = channel_of(client, irc_param(line, 0));
    if (!channel) return 0;
    say_all(channel, NULL, ":%s!user@hoya PART %s :%s", client->nick, channel->name, irc_param(line, 1));
    remove_member(client->server, channel, client);
    return 0;
}

static int on_names(struct client *client, irc_line *line)
{
    const struct channel *channel = find_channel(client->server, irc_param(line, 0));
    if (channel) tell_names(client, channel);
    else service_reply(client, 366, "%s :End of the names", irc_param(line, 0));
    return 0;
}

static int on_topic(struct client *client, irc_line *line)
{
    struct channel *channel = channel_of(client, irc_param(line, 0));
    if (!channel) return 0;
    if (line->count < 2) {
        tell_topic(client, channel);
        return 0;
    }
    snprintf(channel->topic, sizeof channel->topic, "%s", line->params[1]);
    channel->topic[irc_fit(channel->topic, sizeof channel->topic - 1)] = '\0';
    say_all(channel, NULL, ":%s!user@hoya TOPIC %s :%s", client->nick, channel->name, channel->topic);
    return 0;
}

/* PRIVMSG and NOTICE; to the latter nobody answers, not even with an error. */
static int on_message(struct client *client, irc_line *line)
{
    bool notice = strcmp(line->command, "NOTICE") == 0;
    const char *to = irc_param(line, 0), *text = irc_param(line, 1);
    const struct channel *channel = find_channel(client->server, to);
    struct client *other = channel ? NULL : find_client(client->server, to);
    if (!text[0]) {
        if (!notice) service_reply(client, 412, ":There is no text to send");
    } else if (channel && find_member(channel, client)) {
        say_all(channel, client, ":%s!user@hoya %s %s :%s", client->nick, line->command, channel->name, text);
    } else if (channel) {
        if (!notice) service_reply(client, 404, "%s :You are not in this channel", to);
    } else if (other) {
        say(other, ":%s!user@hoya %s %s :%s", client->nick, line->command, other->nick, text);
    } else if (!notice) {
        service_reply(client, 401, "%s :Nobody has this nick", to);
    }
    return 0;
}

static int on_quit(struct client *client, irc_line *line)
{
    snprintf(client->why, sizeof client->why, "%s", irc_param(line, 0));
    say(client, "ERROR :Goodbye");
    return HOYA_ECLOSED;
}

int service_hear(struct client *client, irc_line *line)
{
    static const struct {
        const char *word;
        bool known; /* for those alone who have said who they are */
        int (*hear)(struct client *client, irc_line *line);
    } words[] = {{"NICK", false, on_nick},    {"USER", false, on_user},      {"PING", false, on_ping},
                 {"PONG", false, on_nothing}, {"QUIT", false, on_quit},      {"CAP", false, on_nothing},
                 {"JOIN", true, on_join},     {"PART", true, on_part},       {"NAMES", true, on_names},
                 {"TOPIC", true, on_topic},   {"PRIVMSG", true, on_message}, {"NOTICE", true, on_message}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].word, line->command) != 0) continue;
        if (!words[i].known || client->known) return words[i].hear(client, line);
        service_reply(client, 451, ":Say NICK and USER first");
        return 0;
    }
    service_reply(client, 421, "%s :There is no such command", line->command);
    return 0;
}

/* ---- goodbye ---------------------------------------------------------------------------------------------- */

void service_forget(struct client *gone)
{
    irc_server *server = gone->server;
    if (gone->known) say_around(gone, false, ":%s!user@hoya QUIT :%s", gone->nick, gone->why);
    for (struct channel *at = server->channels, *next; at; at = next) {
        next = at->next;
        if (find_member(at, gone)) remove_member(server, at, gone);
    }
    struct client **at = &server->clients;
    while (*at != gone) at = &(*at)->next;
    *at = gone->next;
    free(gone);
}
