/* SPDX-License-Identifier: MIT
 *
 * stream/input.c: the bytes of a stream that have come and were not read: one piece of memory, so that lines can be read in
 * place.
 *
 * It begins small, and grows to twice the limit. When it ends at that, with more than the limit in it, the connection is not
 * read until the limit is reached again, or somebody waits for more (statement 144). So what has to be moved to its beginning
 * is never more than what that makes room for.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "stream/stream.h"

#define FIRST 4096 /* and what is kept while nothing is there */
#define GROWTH 4

static size_t largest(const hoya_stream *stream)
{
    return 2 * stream->limit;
}

void hoya_input_free(hoya_stream *stream)
{
    hoya_free(stream->memory);
    hoya_free(stream->old);
    stream->memory = stream->old = NULL;
    stream->begin = stream->end = stream->capacity = 0;
    stream->lent = stream->moved = false;
}

void hoya_input_end_loan_unusual(hoya_stream *stream)
{
    hoya_free(stream->old);
    stream->old = NULL;
    stream->lent = stream->moved = false;
    if (stream->begin == stream->end) stream->begin = stream->end = 0;
}

void hoya_input_rest(hoya_stream *stream, bool used)
{
    if (!stream->memory || stream->begin < stream->end) return;
    bool useless = !used && stream->passed_by;
    stream->passed_by = !used;
    if (useless || stream->capacity > FIRST) hoya_input_free(stream);
}

/* To the beginning of other memory; what is lent stays where it is. */
static int move(hoya_stream *stream, size_t capacity)
{
    size_t size = hoya_input_size(stream);
    char *memory = hoya_resize(NULL, capacity, 1);
    if (!memory) return HOYA_ENOMEM;
    if (size) memcpy(memory, stream->memory + stream->begin, size);
    if (stream->lent) stream->old = stream->memory;
    else hoya_free(stream->memory);
    if (stream->lent) stream->moved = true;
    stream->lent = false;
    stream->memory = memory;
    stream->begin = 0;
    stream->end = size;
    stream->capacity = capacity;
    return 0;
}

/* The end is reached. */
static int make_room(hoya_stream *stream)
{
    size_t size = hoya_input_size(stream), most = largest(stream);
    bool half = size <= stream->begin; /* is free, at the beginning */
    if (!half && stream->capacity < most)
        return move(stream, stream->capacity < most / GROWTH ? stream->capacity * GROWTH : most);
    if (stream->lent) return move(stream, stream->capacity);
    memmove(stream->memory, stream->memory + stream->begin, size);
    stream->begin = 0;
    stream->end = size;
    return 0;
}

int hoya_input_room(hoya_stream *stream, char **memory, size_t *size)
{
    int rc = 0;
    if (!stream->memory) rc = move(stream, FIRST < largest(stream) ? FIRST : largest(stream));
    else if (stream->end == stream->capacity) rc = make_room(stream);
    if (rc < 0) return rc;
    *memory = stream->memory + stream->end;
    *size = stream->capacity - stream->end;
    return 0;
}

void hoya_input_add(hoya_stream *stream, size_t count)
{
    stream->end += count;
    if (stream->end < largest(stream) || hoya_input_size(stream) <= stream->limit) return;
    stream->reading_paused = true;
    hoya_transport_pause_reading(stream->transport);
}

void hoya_input_take(hoya_stream *stream, size_t count)
{
    stream->begin += count;
    if (stream->begin == stream->end && !stream->lent) stream->begin = stream->end = 0;
    if (hoya_likely(!stream->reading_paused) || hoya_input_size(stream) > stream->limit) return;
    /* If that fails, whoever waits next tries again, and hears of it. */
    if (hoya_transport_resume_reading(stream->transport) >= 0) stream->reading_paused = false;
}
