/* SPDX-License-Identifier: MIT
 *
 * loop/watch.h: what the loop knows of one descriptor.
 */
#ifndef HOYA_LOOP_WATCH_H
#define HOYA_LOOP_WATCH_H

#include "loop/handle.h"

/* There is a record exactly while there is a reader or a writer. */
struct hoya_fd_record {
    hoya_fd fd;
    uint32_t registered; /* what the selector has; 0: not in the selector */
    hoya_handle *sides[2];
    hoya_list unregistered; /* node of loop->unregistered */
};

enum { HOYA_SIDE_READER, HOYA_SIDE_WRITER };

#endif
