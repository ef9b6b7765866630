/* SPDX-License-Identifier: MIT
 *
 * base/log.h: the one way to say something. Needs no memory; texts over 511 bytes are cut.
 */
#ifndef HOYA_BASE_LOG_H
#define HOYA_BASE_LOG_H

#include <hoya/base.h>
#include <stdbool.h>

/* Where a text goes when the application has set no log function: a loop passes its host's log. */
typedef struct hoya_log_sink {
    void (*write)(void *arg, hoya_log_level level, const char *text);
    void *arg;
} hoya_log_sink;

void hoya_log(const hoya_log_sink *fallback, hoya_log_level level, const char *format, ...) HOYA_PRINTF(3, 4);

#endif
