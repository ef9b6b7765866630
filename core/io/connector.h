/* SPDX-License-Identifier: MIT
 *
 * io/connector.h: a connection that is being made: a future, the lookups and tries on the way to it, and the protocol until a
 * transport has it.
 */
#ifndef HOYA_IO_CONNECTOR_H
#define HOYA_IO_CONNECTOR_H

#include <netdb.h>

#include "future/future.h"
#include "io/socket.h"

typedef struct hoya_connector hoya_connector;

/* One address that is tried. */
typedef struct hoya_connect_try {
    hoya_channel channel;
    hoya_connector *connector;
    const struct addrinfo *address;
    bool open; /* the channel, and its descriptor, which is ours */
} hoya_connect_try;

struct hoya_connector {
    hoya_future
        future; /* first: it is one. References: the program's; one until it is over; one for each timer, lookup
                         * and channel that knows it */
    hoya_transport_owner owner;
    hoya_list node;         /* of hoya_loop_io.connectors, until it is over */
    bool over;              /* nothing is under way any more */
    bool tried;             /* the lookups have been of use */
    hoya_protocol protocol; /* ops NULL: a transport has it */
    hoya_transport *transport;
    hoya_link_options link;

    hoya_future *remote, *local; /* the lookups; NULL: there is none */
    const struct addrinfo *local_addresses;
    struct addrinfo one; /* an address without a lookup */
    hoya_address one_address;

    hoya_connect_try *tries; /* in the order of RFC 8305 */
    size_t count, next, running;
    const struct addrinfo *won; /* connected, and connection_made is to come; or NULL */
    int64_t delay;
    unsigned first_count; /* of the first family */
    hoya_handle *stagger, *deadline;

    int code;             /* of the first try that failed */
    size_t written, more; /* of the text; addresses that are not in it */
    char text[512];       /* what became of each */
};

/* io/connector.c: to these addresses, in this order of theirs; *future is pending from here on. */
void hoya_connector_try(hoya_connector *connector, const struct addrinfo *addresses);
/* It failed. */
void hoya_connector_fail(hoya_connector *connector, int code, const char *text);

/* What both kinds begin with: takes the protocol, always. The future is the caller's, and pending. */
int hoya_connector_new(hoya_loop *loop, hoya_protocol protocol, const hoya_connection_options *options,
                       const void *place, hoya_connector **connector);
/* What a lookup has brought after the connector was over. */
void hoya_connector_forget_lookups(hoya_connector *connector);
/* For a beginning that fails: as if it had never been. Returns `code`. */
int hoya_connector_discard(hoya_connector *connector, int code);

#endif
