/* SPDX-License-Identifier: MIT
 *
 * loop/selector_host.h: per-fd mode: a selector in front of the loop's own that has the host watch each descriptor.
 */
#ifndef HOYA_LOOP_SELECTOR_HOST_H
#define HOYA_LOOP_SELECTOR_HOST_H

#include <hoya/host.h>
#include <hoya/selector.h>
#include <stdbool.h>

/* In front of `own`, which stays the loop's. */
int hoya_selector_host_new(hoya_selector *own, hoya_host *host, hoya_selector **selector);

/* `fd` is registered in `own` already: watches it in the host, too. */
int hoya_selector_host_adopt(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data);

/* The host saw this record: the next select asks the kernel about it. */
void hoya_selector_host_ready(hoya_selector *selector, hoya_watch *record);

/* Unwatches everything in the host, or watches it again. */
int hoya_selector_host_pause(hoya_selector *selector, bool pause);

/* The host is gone: nothing of it may be called any more, only hoya_selector_free. */
void hoya_selector_host_forget(hoya_selector *selector);

#endif
