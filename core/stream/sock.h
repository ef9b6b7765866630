/* SPDX-License-Identifier: MIT
 *
 * stream/sock.h: a call on one side of a socket, from its checks to its end; on the stack of its task.
 *
 * Most calls only look whether the side is free, and do the system call. The side is claimed when the task has to leave the
 * processor in the middle: then it stands in the descriptor's record, and nobody else gets in; and while it waits for the
 * socket, the loop watches that. Both end with the call.
 */
#ifndef HOYA_STREAM_SOCK_H
#define HOYA_STREAM_SOCK_H

#include <hoya/sock.h>

#include "loop/watch.h"
#include "task/task.h"

typedef struct hoya_sock_call {
    hoya_task *task;
    hoya_fd fd;
    hoya_watch_side side;
    bool claimed;
    uint8_t in_vain; /* so often in a row there was nothing */
    const void *place;
    hoya_handle wait; /* once it is claimed */
} hoya_sock_call;

/* May this task use that side now? Claims nothing. */
int hoya_sock_begin(hoya_sock_call *call, hoya_fd fd, hoya_watch_side side, const void *place);
/* HOYA_EINVAL: the descriptor would block. One call of the system's. */
int hoya_sock_check_nonblocking(hoya_fd fd);

/* The side is this call's until its end, whatever the task does meanwhile; nothing is watched. HOYA_ENOMEM. */
int hoya_sock_claim(hoya_sock_call *call);
/* Waits until it is ready: 0, or why not. */
int hoya_sock_wait(hoya_sock_call *call);
/* After a call of the system's that has failed: 0, try again, after a wait if there was nothing; or why not. What is found
 * ready again and again, and has nothing, is looked at from time to time. */
int hoya_sock_again(hoya_sock_call *call, const char *what);
/* So many bytes went; if more are to go, others may have a turn before. */
void hoya_sock_moved(hoya_sock_call *call, size_t bytes, bool more);

/* Ends it; returns the result. */
ssize_t hoya_sock_end(hoya_sock_call *call, ssize_t result);

#endif
