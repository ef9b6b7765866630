/* SPDX-License-Identifier: MIT
 *
 * pattern.h: the bytes of which every download is made: they look random, and are a function of the name and the
 * place, so that what was lost, doubled or mixed up with another download's does not match. They lie in memory,
 * made once: sending them and comparing them costs no more than that.
 */
#ifndef DEMO_FETCH_PATTERN_H
#define DEMO_FETCH_PATTERN_H

#include <hoya/base.h>

HOYA_BEGIN_DECLS

/* How many bytes in a row there are at any place. */
enum { FETCH_PATTERN = 64 * 1024 };

/* The FETCH_PATTERN bytes of the download `name` from `offset` on. Any thread. */
const unsigned char *fetch_pattern(const char *name, int64_t offset);

HOYA_END_DECLS

#endif
