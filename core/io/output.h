/* SPDX-License-Identifier: MIT
 *
 * io/output.h: bytes that wait to be sent, in order: a queue of blocks, which holds copies. Empty it owns no memory.
 */
#ifndef HOYA_IO_OUTPUT_H
#define HOYA_IO_OUTPUT_H

#include <hoya/base.h>
#include <sys/uio.h>

typedef struct hoya_output_block hoya_output_block;

typedef struct hoya_output {
    size_t size; /* bytes */
    hoya_output_block *first, *last;
} hoya_output;

/* Copies the parts, but for the first `skip` bytes, to the end. All of it or, with HOYA_ENOMEM, nothing. */
int hoya_output_append(hoya_output *output, const struct iovec *parts, size_t count, size_t skip);
/* The first bytes, where they lie, in at most `max` parts; returns how many. They stay there until they are taken. */
int hoya_output_parts(const hoya_output *output, struct iovec *parts, int max);
/* The first `count` bytes have gone. */
void hoya_output_take(hoya_output *output, size_t count);
void hoya_output_clear(hoya_output *output);

#endif
