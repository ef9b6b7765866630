/* SPDX-License-Identifier: MIT
 *
 * pattern.h: the messages of echo-client: bytes that look random and are a function of where they are.
 *
 * So a message need not be kept while it is under way. It is made when it is sent and made again when it comes
 * back, in whatever pieces, and bytes that were lost, doubled or mixed up with another connection's do not match.
 *
 * Eight bytes at a time come from SplitMix64 (Steele, Lea, Flood 2014), which makes a good random number of any
 * counter: connection and message give a seed, the place in the message is the count.
 */
#ifndef ECHO_PATTERN_H
#define ECHO_PATTERN_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t pattern_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* Writes `length` bytes of a message, beginning with its byte number `from`. */
static inline void pattern(long connection, long message, long from, uint8_t *bytes, size_t length)
{
    uint64_t seed = pattern_mix(pattern_mix((uint64_t)connection) + (uint64_t)message), word = 0;

    for (size_t i = 0; i < length; i++) {
        uint64_t at = (uint64_t)from + i;

        if (i == 0 || at % 8 == 0) word = pattern_mix(seed + at / 8);
        bytes[i] = (uint8_t)(word >> (at % 8 * 8));
    }
}

#endif
