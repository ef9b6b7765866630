/* SPDX-License-Identifier: MIT
 *
 * pattern.c: the table is as long as a prime number of bytes, so that it does not repeat in step with anything; the
 * name says where in it a download begins. Its first bytes stand behind it once more: what goes over its end is in
 * one piece.
 */
#include "pattern.h"

#include <pthread.h>

enum { PERIOD = 65521 };

static unsigned char table[PERIOD + FETCH_PATTERN];

static void fill(void)
{
    uint32_t x = 2463534242u; /* xorshift: Marsaglia 2003 */
    for (int i = 0; i < PERIOD; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        table[i] = (unsigned char)(x >> 24);
    }
    for (int i = 0; i < FETCH_PATTERN; i++) table[PERIOD + i] = table[i];
}

const unsigned char *fetch_pattern(const char *name, int64_t offset)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    uint32_t begin = 5381;
    pthread_once(&once, fill);
    for (; *name; name++) begin = begin * 33 + (unsigned char)*name;
    return table + (begin % PERIOD + (uint64_t)offset) % PERIOD;
}
