/* SPDX-License-Identifier: MIT
 *
 * io/server.h: a server's state: sockets that listen, and the count of the connections that came in by them. server.c is its
 * life, listener.c its sockets, create_server.c how several are made at once.
 *
 * References: the program's; one of each listener, until its channel is gone; one of each connection, until it is lost; one of
 * each future that waits for the server. Three states, that only go forward: open, closed (no listener, connections may go
 * on), ended (closed, and no connection left).
 */
#ifndef HOYA_IO_SERVER_H
#define HOYA_IO_SERVER_H

#include <sys/stat.h>

#include "io/io.h"
#include "io/socket.h"
#include "loop/handle.h"

typedef struct hoya_creation hoya_creation;       /* create_server.c */
typedef struct hoya_server_wait hoya_server_wait; /* server.c */

/* Which file a path led to. */
typedef struct hoya_file_identity {
    bool known;
    dev_t device;
    ino_t inode;
} hoya_file_identity;

/* A connection whose factory is on the stack. */
typedef struct hoya_arrival {
    hoya_fd fd;
    const struct sockaddr *peer;
    socklen_t length;
    struct hoya_arrival *outer; /* a dialog of whose brought it; or NULL */
    bool unwanted;              /* the server's connections were ended meanwhile */
} hoya_arrival;

typedef struct hoya_listener {
    hoya_channel channel; /* first; its descriptor is ours while that is open */
    hoya_server *server;
    hoya_address name;       /* where it is bound */
    hoya_file_identity file; /* of a Unix path that it has made */
    bool removes_file;       /* at the end, if it is that one still */
} hoya_listener;

struct hoya_server {
    uint32_t refs;
    bool serving : 1;
    bool resting : 1; /* it serves, and could not accept: until the alarm, or the end of a connection */
    bool complained : 1;
    bool closed : 1;
    bool ended : 1;
    unsigned generation;        /* of the process that made it: paths are not a forked child's to remove */
    hoya_transport_owner owner; /* of its connections */
    hoya_loop *loop;            /* a reference */
    hoya_list node;             /* of hoya_loop_io.servers, until it has ended */
    hoya_creation *creation;    /* while its hosts are looked up */

    hoya_protocol_factory factory;
    void *arg;
    hoya_destroy destroy;
    hoya_link_options link;
    hoya_server_options options; /* the program's pointers in it are NULL */

    size_t connections;
    hoya_arrival *arrivals;    /* the innermost; or NULL */
    hoya_list waits;           /* futures: wait_closed */
    hoya_server_wait *forever; /* or NULL */

    hoya_handle alarm;
    int64_t complained_at;

    size_t count, room;
    hoya_listener *listeners; /* those beyond `count` have never been open */
};

static inline int hoya_server_enter(const hoya_server *server)
{
    return hoya_likely(hoya_loop_is_usual(server->loop)) ? 0 : hoya_loop_check_thread(server->loop);
}

/* server.c */

/* Takes `arg`, also when it fails. *server is a new reference. */
int hoya_server_new(hoya_loop *loop, hoya_protocol_factory factory, void *arg, hoya_destroy destroy,
                    const hoya_server_options *options, hoya_server **server);
/* For a beginning that fails: as if it had never been, and the caller's reference is gone. Returns `code`, with the detail. */
int hoya_server_discard(hoya_server *server, int code);
/* Lets go of its sockets; in a forked child, too. */
void hoya_server_shut(hoya_server *server);
/* Ends it, if nothing of it is left; the caller has a reference. */
void hoya_server_look_for_end(hoya_server *server);

/* listener.c */

/* Room for so many more listeners, before the first of them. */
int hoya_listeners_reserve(hoya_server *server, size_t count);
/* A socket of this address, with the server's options, bound: ours; or a code, whose detail names the address. */
hoya_fd hoya_listener_bind(const hoya_server *server, const struct sockaddr *address, socklen_t length,
                           int protocol);
/* Takes a bound socket of ours, unless it fails. */
int hoya_listener_add(hoya_server *server, hoya_fd fd);
/* The last one goes: and its socket is closed, or the caller's. */
void hoya_listener_remove_last(hoya_server *server);
hoya_fd hoya_listener_take_last(hoya_server *server);
/* Its address, into `text`; or "?". */
const char *hoya_listener_text(const hoya_listener *listener, char text[HOYA_ADDRESS_TEXT_SIZE]);
/* Accepting begins on all of them, or on none. */
int hoya_listeners_start(hoya_server *server);
void hoya_listeners_close(hoya_server *server);
/* Somebody has given a descriptor back: no reason to rest any longer. */
void hoya_listeners_wake(hoya_server *server);

/* create_server.c: the loop closes while a server is still being made. */
void hoya_creation_close(hoya_creation *creation);

/* unix_path.c */

/* Binds a socket to its path; one that nobody listens on any more is removed first. */
int hoya_unix_path_bind(hoya_fd fd, const struct sockaddr *address, socklen_t length);
/* Which file that is now. An abstract name has none. */
hoya_file_identity hoya_unix_path_identify(const hoya_address *name);
/* Whether it leads there still. A server that does not know its file (an abstract name) has it. */
bool hoya_unix_path_is(const hoya_address *name, hoya_file_identity file);
/* Removes it, if it is that one still. */
void hoya_unix_path_remove(const hoya_address *name, hoya_file_identity file);

#endif
