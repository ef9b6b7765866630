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

/* Around a fork: the child must not find the lock in the hands of a thread that it does not have. */
void hoya_log_lock(void);
void hoya_log_unlock(void);

/* False if nobody was told. */
bool hoya_log(const hoya_log_sink *fallback, hoya_log_level level, const char *format, ...) HOYA_PRINTF(3, 4);

#endif
