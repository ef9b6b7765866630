/* SPDX-License-Identifier: MIT
 *
 * base/options.h: reading option structs, which begin with their size: a shorter one is of an older program
 * and ends in zeros; a longer one is of a newer program and fine as long as it asks for nothing that we do
 * not know.
 */
#ifndef HOYA_BASE_OPTIONS_H
#define HOYA_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool hoya_options_read(void *known, size_t known_size, const void *given)
{
    memset(known, 0, known_size);
    if (!given) return true;
    size_t size;
    memcpy(&size, given, sizeof size);
    if (size < sizeof size) return false;
    for (size_t i = known_size; i < size; i++)
        if (((const unsigned char *)given)[i]) return false;
    memcpy(known, given, size < known_size ? size : known_size);
    return true;
}

#endif
