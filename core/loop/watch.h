/* SPDX-License-Identifier: MIT
 *
 * loop/watch.h: what the loop watches a descriptor for. A record stands in loop->records under its descriptor's number from
 * begin to end. The application's (watch.c) has a reader and a writer; a layer above has its own, in its own memory, and is
 * asked what it wants and told what was found.
 */
#ifndef HOYA_LOOP_WATCH_H
#define HOYA_LOOP_WATCH_H

#include "loop/handle.h"

typedef struct hoya_fd_class {
    /* HOYA_IN and HOYA_OUT, as it wants them now; derived anew after each change, by hoya_watch_update. */
    uint32_t (*wants)(const hoya_fd_record *record);
    /* A look has found these: queues what is to be done, in a place that it has. */
    void (*found)(hoya_loop *loop, hoya_fd_record *record, uint32_t events);
    /* The loop closes: ends the record. */
    void (*close)(hoya_loop *loop, hoya_fd_record *record);
    /* Where nobody has looked, but who is ready can be no other one: true, and it is queued. It will try, lose nothing if it
     * is not ready, and say so by hoya_watch_in_vain. False, or NULL: it has to be looked for. */
    bool (*guess)(hoya_loop *loop, hoya_fd_record *record);
    /* For texts: the reader's side (0) and the writer's (1); what is NULL for one that is not there. */
    hoya_description (*describe)(const hoya_fd_record *record, int side);
} hoya_fd_class;

struct hoya_fd_record {
    const hoya_fd_class *class;
    hoya_fd fd;
    uint16_t registered; /* what the selector has; 0: not in the selector */
    bool aside;          /* the selector had no room for what it wants; counted in loop->aside */
};

/* Hang-up and errors are for both sides (statement 80). */
enum {
    HOYA_WAKES_READER = HOYA_IN | HOYA_PRI | HOYA_HUP | HOYA_ERR,
    HOYA_WAKES_WRITER = HOYA_OUT | HOYA_HUP | HOYA_ERR
};

/* Takes the number for a record that wants nothing yet. HOYA_EBUSY if another one has it, HOYA_EBADF, HOYA_ENOMEM. */
int hoya_watch_begin(hoya_loop *loop, hoya_fd_record *record, const hoya_fd_class *class, hoya_fd fd);
/* Has the selector watch what the record wants. Wanting less cannot fail. */
int hoya_watch_update(hoya_loop *loop, hoya_fd_record *record);
/* As update, for what was put aside while its callback was on the stack: if the selector has no room for it now, it comes
 * back at a later look. */
void hoya_watch_put_back(hoya_loop *loop, hoya_fd_record *record);
/* Out of the selector and the table. Before the descriptor is closed. */
void hoya_watch_end(hoya_loop *loop, hoya_fd_record *record);

/* One that was found has tried, and is not ready. */
static inline void hoya_watch_in_vain(hoya_loop *loop)
{
    loop->lone = NULL;
}

/* One side of the application's record, for who has a place in the ready queue already (a task that waits), and memory for a
 * handle, zeroed: the side is his from claim to release, and is watched while he listens; what is found stands in the handle
 * (of.fd.events), and each time queue(arg) is called to put what he has into the queue. The close of the loop lets go of it. */
typedef enum hoya_watch_side { HOYA_SIDE_READER, HOYA_SIDE_WRITER } hoya_watch_side;

/* Is it free? HOYA_EBUSY, HOYA_EBADF. */
int hoya_watch_check_side(const hoya_loop *loop, hoya_fd fd, hoya_watch_side side);
/* Of a side that is free. HOYA_ENOMEM, HOYA_EBADF. */
int hoya_watch_claim_side(hoya_loop *loop, hoya_handle *wait, hoya_fd fd, hoya_watch_side side, hoya_callback queue,
                          void *arg, const void *place);
/* Not to listen any more cannot fail. */
int hoya_watch_listen(hoya_handle *wait, bool on);
void hoya_watch_release_side(hoya_handle *wait);

#endif
