/* SPDX-License-Identifier: MIT
 *
 * io/output.c: a queue of blocks. One is filled up before the next is made, so that many small writes are one send; a large
 * write is one block of its own size.
 */
#include "io/output.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

struct hoya_output_block {
    hoya_output_block *next;
    size_t begin, end, size; /* of data: what waits lies in [begin, end) */
    char data[];
};

#define BLOCK (16384 - sizeof(hoya_output_block)) /* at least, of data */

static hoya_output_block *new_block(size_t size)
{
    if (size > SIZE_MAX - sizeof(hoya_output_block)) size = SIZE_MAX - sizeof(hoya_output_block);
    hoya_output_block *block = hoya_resize(NULL, sizeof *block + size, 1);
    if (block) *block = (hoya_output_block){.size = size};
    return block;
}

static size_t room(const hoya_output_block *block)
{
    return block ? block->size - block->end : 0;
}

int hoya_output_append(hoya_output *output, const struct iovec *parts, size_t count, size_t skip)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) total += parts[i].iov_len;
    total -= skip;
    if (!total) return 0;
    /* The memory first: from here on nothing fails. */
    size_t beyond = total > room(output->last) ? total - room(output->last) : 0;
    hoya_output_block *fresh = beyond ? new_block(beyond > BLOCK ? beyond : BLOCK) : NULL;
    if (beyond && !fresh) return HOYA_ENOMEM;
    hoya_output_block *into = output->last;
    for (size_t i = 0; i < count; i++) {
        const char *from = parts[i].iov_base;
        size_t left = parts[i].iov_len, skipped = skip < left ? skip : left;
        skip -= skipped;
        for (from += skipped, left -= skipped; left;) {
            size_t n = left < room(into) ? left : room(into);
            if (n) memcpy(into->data + into->end, from, n);
            if (n) into->end += n;
            else into = fresh;
            from += n;
            left -= n;
        }
    }
    if (fresh) {
        if (output->last) output->last->next = fresh;
        else output->first = fresh;
        output->last = fresh;
    }
    output->size += total;
    return 0;
}

int hoya_output_parts(const hoya_output *output, struct iovec *parts, int max)
{
    int n = 0;
    for (hoya_output_block *block = output->first; block && n < max; block = block->next) {
        if (block->begin == block->end) continue;
        parts[n++] = (struct iovec){block->data + block->begin, block->end - block->begin};
    }
    return n;
}

void hoya_output_take(hoya_output *output, size_t count)
{
    output->size -= count;
    while (output->first) {
        hoya_output_block *block = output->first;
        size_t here = block->end - block->begin, n = count < here ? count : here;
        block->begin += n;
        count -= n;
        if (block->begin < block->end) return;
        output->first = block->next;
        if (!output->first) output->last = NULL;
        hoya_free(block);
        if (!count && output->size) return;
    }
}

void hoya_output_clear(hoya_output *output)
{
    hoya_output_take(output, output->size);
}
