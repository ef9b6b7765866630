/* SPDX-License-Identifier: MIT
 *
 * poll/poll.h: the selectors that this build has; poll/selector.c picks one by name. The best one is
 * the system's, HOYA_BEST_SELECTOR: epoll or kqueue, chosen by CMake.
 */
#ifndef HOYA_POLL_POLL_H
#define HOYA_POLL_POLL_H

#include <hoya/selector.h>

int hoya_epoll_new(hoya_selector **selector);
int hoya_kqueue_new(hoya_selector **selector);
int hoya_poll_new(hoya_selector **selector);
int hoya_select_new(hoya_selector **selector);

#endif
