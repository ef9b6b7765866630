/* SPDX-License-Identifier: MIT
 *
 * io/connect.c: create_connection and its Unix twin: what has to be known before addresses can be tried.
 */
#include "io/connector.h"

#include "base/error.h"
#include "base/options.h"
#include "io/answer.h"
#include "io/names.h"

static int read_options(hoya_connection_options *known, const hoya_connection_options *given)
{
    return hoya_options_read(known, sizeof *known, given)
               ? 0
               : hoya_error_set(HOYA_EINVAL, "connection options that this version does not know");
}

/* ---- names ---------------------------------------------------------------------------------------------------- */

/* Both lookups are done: their lists live as long as the futures. */
static void on_addresses(hoya_connector *c)
{
    const struct addrinfo *addresses;
    c->tried = true;
    int rc = hoya_answer_addresses(c->remote, &addresses);
    if (rc >= 0 && c->local) rc = hoya_answer_addresses(c->local, &c->local_addresses);
    if (rc < 0) hoya_connector_fail(c, rc, hoya_error_detail());
    else hoya_connector_try(c, addresses);
}

static bool is_ready(const hoya_connector *c)
{
    return hoya_future_done(c->remote) && (!c->local || hoya_future_done(c->local));
}

/* Both may be done before the callback of either runs. */
static void on_lookup(hoya_future *lookup, void *arg)
{
    (void)lookup;
    hoya_connector *c = arg;
    if (!c->over && !c->tried && is_ready(c)) on_addresses(c);
}

static void unref(void *arg)
{
    hoya_connector *c = arg;
    hoya_future_unref(&c->future);
}

static int look_up(hoya_connector *c, const char *host, const char *port, int family, int flags,
                   hoya_future **lookup)
{
    const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    return hoya_getaddrinfo(c->future.loop, host, port, &hints, lookup);
}

static int wait_for(hoya_connector *c, hoya_future *lookup)
{
    if (!lookup || hoya_future_done(lookup)) return 0;
    hoya_future_ref(&c->future);
    return hoya_future_add_done_callback(lookup, on_lookup, c, unref, NULL);
}

/* Before anybody is asked for the host. */
static int check_local(const hoya_connection_options *o)
{
    bool anybody = o->local_host && !o->local_host[0];
    if (anybody && !o->local_port) return hoya_error_set(HOYA_EINVAL, "a connection from no host and no port");
    int rc = o->local_host && !anybody ? hoya_check_host(o->local_host) : 0;
    return rc >= 0 && o->local_port ? hoya_check_service(o->local_port) : rc;
}

int hoya_create_connection(hoya_loop *loop, const char *host, const char *port, hoya_protocol protocol,
                           const hoya_connection_options *given, hoya_future **future)
{
    hoya_connection_options options;
    hoya_connector *c;
    int rc = read_options(&options, given);
    if (rc >= 0 && (!host || !host[0])) rc = hoya_error_set(HOYA_EINVAL, "a connection to no host");
    if (rc >= 0 && (!port || !port[0])) rc = hoya_error_set(HOYA_EINVAL, "a connection to no port of \"%s\"", host);
    if (rc >= 0) rc = check_local(&options);
    if (rc < 0) return hoya_protocol_refuse(protocol, rc);
    rc = hoya_connector_new(loop, protocol, &options, HOYA_CALLER(), &c);
    if (rc < 0) return rc;
    rc = look_up(c, host, port, options.family, options.flags, &c->remote);
    if (rc >= 0 && !c->over && (options.local_host || options.local_port))
        rc = look_up(c, options.local_host, options.local_port, options.family, options.flags | AI_PASSIVE,
                     &c->local);
    if (rc >= 0) rc = wait_for(c, c->remote);
    if (rc >= 0) rc = wait_for(c, c->local);
    /* A resolver of the program's may have run the loop, or closed it. */
    if (c->over) hoya_connector_forget_lookups(c);
    else if (rc < 0) return hoya_connector_discard(c, rc);
    else if (is_ready(c)) on_addresses(c); /* numbers: nothing has to be asked */
    if (future) *future = &c->future;
    else hoya_future_unref(&c->future);
    return 0;
}

/* ---- paths ------------------------------------------------------------------------------------------------------ */

int hoya_create_unix_connection(hoya_loop *loop, const char *path, hoya_protocol protocol,
                                const hoya_connection_options *given, hoya_future **future)
{
    hoya_connection_options options;
    hoya_address address;
    hoya_connector *c;
    int rc = read_options(&options, given);
    if (rc >= 0) rc = hoya_address_set_unix(&address, path);
    if (rc < 0) return hoya_protocol_refuse(protocol, rc);
    rc = hoya_connector_new(loop, protocol, &options, HOYA_CALLER(), &c);
    if (rc < 0) return rc;
    c->one_address = address;
    c->one = (struct addrinfo){.ai_family = AF_UNIX,
                               .ai_socktype = SOCK_STREAM,
                               .ai_addrlen = address.length,
                               .ai_addr = (struct sockaddr *)&c->one_address.storage};
    hoya_connector_try(c, &c->one);
    if (future) *future = &c->future;
    else hoya_future_unref(&c->future);
    return 0;
}
