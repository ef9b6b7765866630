/* SPDX-License-Identifier: MIT
 *
 * hosts.c: which hosts this build has.
 */
#include "hosts.h"

#include <stddef.h>

/* DEMO_HOSTS is HOST(native) HOST(glib) ..., as CMake found them. */
#define HOST(name) extern const demo_host demo_host_##name;
DEMO_HOSTS
#undef HOST
#define HOST(name) &demo_host_##name,
const demo_host *const demo_hosts[] = {DEMO_HOSTS NULL};
