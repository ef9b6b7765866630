/* SPDX-License-Identifier: MIT
 *
 * meter.h: how fast something comes, of the last second: a count for each tenth of it.
 */
#ifndef DEMO_FETCH_METER_H
#define DEMO_FETCH_METER_H

#include <hoya/base.h>

HOYA_BEGIN_DECLS

enum { METER_SLOTS = 10 };

typedef struct fetch_meter {
    int64_t begin;              /* when it was begun */
    int64_t last;               /* the number of the newest slot; slot n is bytes[n % METER_SLOTS] */
    int64_t bytes[METER_SLOTS]; /* of the last ones */
} fetch_meter;

/* Times are nanoseconds, and do not go backwards. */
void fetch_meter_begin(fetch_meter *meter, int64_t now);
void fetch_meter_add(fetch_meter *meter, int64_t now, int64_t bytes);
double fetch_meter_speed(const fetch_meter *meter, int64_t now); /* bytes a second */

HOYA_END_DECLS

#endif
