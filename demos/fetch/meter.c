/* SPDX-License-Identifier: MIT
 *
 * meter.c: the slots are tenths of a second of the clock. The speed is what stands in the last ten, the present one
 * included, by the time that they cover: less than a second in the present one, and from the beginning.
 */
#include "meter.h"

#include <string.h>

static const int64_t slot = HOYA_MSEC(100);

void fetch_meter_begin(fetch_meter *meter, int64_t now)
{
    memset(meter, 0, sizeof *meter);
    meter->begin = now;
    meter->last = now / slot;
}

void fetch_meter_add(fetch_meter *meter, int64_t now, int64_t bytes)
{
    int64_t present = now / slot;
    if (meter->last < present - METER_SLOTS) meter->last = present - METER_SLOTS; /* all of them are old */
    while (meter->last < present) meter->bytes[++meter->last % METER_SLOTS] = 0;
    meter->bytes[present % METER_SLOTS] += bytes;
}

double fetch_meter_speed(const fetch_meter *meter, int64_t now)
{
    int64_t present = now / slot, first = present - METER_SLOTS + 1, bytes = 0;
    for (int64_t n = first; n <= meter->last; n++) bytes += meter->bytes[n % METER_SLOTS];
    int64_t from = first * slot > meter->begin ? first * slot : meter->begin;
    int64_t time = now - from > slot ? now - from : slot; /* the very first bytes are no speed yet */
    return (double)bytes * 1e9 / (double)time;
}
