/* SPDX-License-Identifier: MIT
 *
 * server.c: a small chat server: a thread, in it hoya_run with the native policy, in that a group, and in the group a task for
 * each client, which reads its lines. Stopping it is cancelling the group. No locks: everything but start and stop happens in
 * the tasks of the one thread, and nothing here waits but the reading.
 *
 * Who writes to others must not wait for them. So lines go out by the transport, which buffers them, and a client that does not
 * read what it is sent is dropped when that is more than SLOW bytes.
 */
#include "server.h"
#include "parse.h"

#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "irc.hoya"

enum { SLOW = 256 * 1024, NICK = 31, TEXT = 400 };

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
    pthread_t thread;
    sem_t started;
    const char *host, *port; /* until it has started */
    char *bound;
    int result;
    hoya_loop *loop;
    hoya_group *group;
    struct client *clients;
    struct channel *channels;
};

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
static void reply(struct client *to, int number, const char *format, ...) HOYA_PRINTF(3, 4);
static void reply(struct client *to, int number, const char *format, ...)
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
    reply(client, 1, ":Welcome to the server in this program, %s", client->nick);
    reply(client, 375, ":- %s, the message of the day", NAME);
    reply(client, 372, ":- It runs in a thread of its own, with a loop of its own.");
    reply(client, 372, ":- Join #hoya, and start a second client to talk to.");
    reply(client, 376, ":End of the message of the day");
}

static int on_nick(struct client *client, irc_line *line)
{
    const char *nick = irc_param(line, 0);
    struct client *other = find_client(client->server, nick);
    if (!irc_is_nick(nick) || strlen(nick) > NICK) {
        reply(client, 432, "%s :This is no nick", nick);
    } else if (other && other != client) {
        reply(client, 433, "%s :This nick is in use", nick);
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
        reply(to, 353, "= %s :%s", channel->name, text);
        used = 0;
    }
    reply(to, 366, "%s :End of the names", channel->name);
}

static void tell_topic(struct client *to, const struct channel *channel)
{
    if (channel->topic[0]) reply(to, 332, "%s :%s", channel->name, channel->topic);
    else reply(to, 331, "%s :There is no topic", channel->name);
}

static int join(struct client *client, const char *name)
{
    irc_server *server = client->server;
    if (!irc_is_channel(name) || name[0] != '#' || strlen(name) >= IRC_NAME) {
        reply(client, 403, "%s :This is no channel", name);
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
    reply(client, 442, "%s :You are not in this channel", name);
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
    else reply(client, 366, "%s :End of the names", irc_param(line, 0));
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
        if (!notice) reply(client, 412, ":There is no text to send");
    } else if (channel && find_member(channel, client)) {
        say_all(channel, client, ":%s!user@hoya %s %s :%s", client->nick, line->command, channel->name, text);
    } else if (channel) {
        if (!notice) reply(client, 404, "%s :You are not in this channel", to);
    } else if (other) {
        say(other, ":%s!user@hoya %s %s :%s", client->nick, line->command, other->nick, text);
    } else if (!notice) {
        reply(client, 401, "%s :Nobody has this nick", to);
    }
    return 0;
}

static int on_quit(struct client *client, irc_line *line)
{
    snprintf(client->why, sizeof client->why, "%s", irc_param(line, 0));
    say(client, "ERROR :Goodbye");
    return HOYA_ECLOSED;
}

static int hear(struct client *client, irc_line *line)
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
        reply(client, 451, ":Say NICK and USER first");
        return 0;
    }
    reply(client, 421, "%s :There is no such command", line->command);
    return 0;
}

/* ---- the life of a client -------------------------------------------------------------------------------- */

static int read_lines(struct client *client)
{
    for (;;) {
        const char *data;
        ssize_t size = hoya_stream_readline(client->stream, &data);
        if (size == HOYA_ELIMIT) {
            reply(client, 417, ":This line was too long");
            continue;
        }
        if (size <= 0) return (int)size;
        int rc = irc_parse(&client->line, data, (size_t)size) ? hear(client, &client->line) : 0;
        if (rc < 0) return rc;
    }
}

static void goodbye(struct client *gone)
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

/* How a client goes, clean or not, is nobody's failure. */
static int serve(hoya_task *self, hoya_stream *stream, void *arg)
{
    irc_server *server = arg;
    struct client *client = calloc(1, sizeof *client);
    (void)self;
    if (!client) return HOYA_ENOMEM;
    client->server = server;
    client->stream = stream;
    client->next = server->clients;
    server->clients = client;
    snprintf(client->why, sizeof client->why, "connection closed");
    int rc = read_lines(client);
    goodbye(client);
    return rc == HOYA_ENOMEM || rc == HOYA_ECANCELED ? rc : 0;
}

/* ---- the thread ------------------------------------------------------------------------------------------ */

static int listen_here(irc_server *server)
{
    const hoya_transport_options transport = {
        .size = sizeof transport, .keep_alive = HOYA_SEC(60), .write_hard = SLOW};
    const hoya_server_options listening = {.size = sizeof listening, .transport = &transport};
    const hoya_stream_options options = {.size = sizeof options, .limit = IRC_LINE, .server = &listening};
    hoya_server *listener;
    hoya_address address;
    int rc = hoya_start_server(server->group, server->host, server->port, serve, server, NULL, &options, &listener);
    if (rc < 0) return rc;
    rc = hoya_server_get_sockname(listener, 0, &address);
    if (rc >= 0) { /* the port is at the same place for both families */
        struct sockaddr_in *in = (struct sockaddr_in *)&address.storage;
        snprintf(server->bound, 8, "%d", ntohs(in->sin_port));
    }
    hoya_server_unref(listener);
    return rc;
}

static int run_server(hoya_task *self, void *arg)
{
    irc_server *server = arg;
    int rc = hoya_group_enter(NULL, &server->group);
    if (rc < 0) return rc;
    rc = listen_here(server);
    if (rc < 0) {
        hoya_group_cancel(server->group, NULL);
    } else {
        server->loop = hoya_loop_ref(hoya_task_get_loop(self));
        sem_post(&server->started);
    }
    hoya_group_leave(server->group);
    return rc;
}

static void *thread(void *arg)
{
    irc_server *server = arg;
    const hoya_run_options options = {
        .size = sizeof options, .policy = hoya_default_policy(), .name = "irc server"};
    server->result = hoya_run(run_server, server, &options);
    if (!server->loop) sem_post(&server->started); /* it never has */
    return NULL;
}

static void end_group(void *arg)
{
    irc_server *server = arg;
    hoya_group_cancel(server->group, "the server is stopped");
}

int irc_server_start(const char *host, const char *port, irc_server **out, char *bound_port)
{
    irc_server *server = calloc(1, sizeof *server);
    if (!server) return HOYA_ENOMEM;
    server->host = host;
    server->port = port;
    server->bound = bound_port;
    sem_init(&server->started, 0, 0);
    int rc = -pthread_create(&server->thread, NULL, thread, server);
    if (rc == 0) {
        while (sem_wait(&server->started) < 0) continue; /* a signal */
        if (server->loop) {
            *out = server;
            return 0;
        }
        pthread_join(server->thread, NULL);
        rc = server->result;
    }
    sem_destroy(&server->started);
    free(server);
    return rc;
}

void irc_server_stop(irc_server *server)
{
    if (!server) return;
    hoya_loop_call_soon_threadsafe(server->loop, end_group, server, NULL, NULL);
    pthread_join(server->thread, NULL);
    hoya_loop_unref(server->loop);
    sem_destroy(&server->started);
    free(server);
}
