/* SPDX-License-Identifier: MIT
 *
 * poll_host.h: a main loop on poll(2), such as many programs have, and a host that makes hoya's loops its guests.
 * docs/hosts.md explains it.
 */
#ifndef POLL_HOST_H
#define POLL_HOST_H

#include <hoya/hoya.h>
#include <poll.h>
#include <pthread.h>

HOYA_BEGIN_DECLS

typedef struct poll_loop poll_loop;

typedef struct poll_host {
    hoya_host base; /* first: the loop knows this address */
    poll_loop *loop;
    hoya_guest *guest;
    void *watches; /* hoya_watch, linked by scratch[0] */
    nfds_t count;
    struct poll_host *next;
    int due; /* to be dispatched in this turn */
} poll_host;

/* The main loop. It begins as zeros, and is used by one thread at a time. */
struct poll_loop {
    /* The program's own share of each turn, before the wait: does what is due, and says until when there is nothing
     * more to do (HOYA_NOW, a point of CLOCK_MONOTONIC, HOYA_NEVER). NULL: it has none. */
    int64_t (*work)(void *arg);
    void *arg;

    poll_host *hosts;  /* one a guest */
    poll_host *runner; /* whose guest runs the loop, NULL: the program */
    int depth;         /* turns on the stack */
    pthread_t thread;  /* that ran the last turn, */
    int begun;         /* if there was one */
};

/* A turn: waits until there is something to do, and lets each guest that it is for run. May be called in a callback
 * (a dialog). 0, or the code of a guest that could not run. */
int poll_loop_turn(poll_loop *loop);

/* Before the main loop goes: its guests go on natively. May be called in a callback, too: the turns return. */
void poll_loop_end(poll_loop *loop);

/* For hoya_loop_options.host or hoya_loop_attach, which take it. NULL: no memory. */
hoya_host *poll_host_new(poll_loop *loop);

HOYA_END_DECLS

#endif
