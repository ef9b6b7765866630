/* SPDX-License-Identifier: MIT
 *
 * host_none.c: the demos' hosts in a build without GLib: hoya's own loop alone. The twin of host_glib.c.
 */
#include "demo.h"

#include <stdio.h>
#include <string.h>

int demo_choose_host(const char *name)
{
    if (strcmp(name, "native") == 0) return DEMO_OK; /* the default policy */

    if (strcmp(name, "glib") == 0) demo_say("this build has no GLib adapter; there is native");
    else demo_say("there is no host \"%s\" in this build; there is native", name);
    return DEMO_USAGE;
}

void demo_start_ticking(void) {}

void demo_stop_ticking(char text[DEMO_TICKS_SIZE])
{
    snprintf(text, DEMO_TICKS_SIZE, "none");
}
