/* SPDX-License-Identifier: MIT
 *
 * io/passed.h: descriptors that wait for their byte in the output: a queue of copies, which are ours until they have gone.
 */
#ifndef HOYA_IO_PASSED_H
#define HOYA_IO_PASSED_H

#include <hoya/base.h>

/* Those of one write. */
typedef struct hoya_passed_batch {
    struct hoya_passed_batch *next;
    size_t before; /* bytes that go before their first one */
    size_t count;
    hoya_fd fds[];
} hoya_passed_batch;

typedef struct hoya_passed {
    hoya_passed_batch *first, *last; /* no two with the same byte */
} hoya_passed;

/* So many bytes have gone. */
void hoya_passed_move(hoya_passed *passed, size_t count);
void hoya_passed_clear(hoya_passed *passed);

#endif
