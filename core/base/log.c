/* SPDX-License-Identifier: MIT
 *
 * base/log.c: the log hook. The application's function first, else the sink that the caller names, else
 * nothing: a library does not print.
 *
 * Function and argument change together, hence the lock. It is not held while the function runs, which may
 * take its time.
 */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/turn.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static hoya_log_function function;
static void *function_arg;

void hoya_log_lock(void)
{
    pthread_mutex_lock(&lock);
}

void hoya_log_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

void hoya_set_log_function(hoya_log_function fn, void *arg)
{
    pthread_mutex_lock(&lock);
    function = fn;
    function_arg = arg;
    pthread_mutex_unlock(&lock);
}

bool hoya_log(const hoya_log_sink *fallback, hoya_log_level level, const char *format, ...)
{
    pthread_mutex_lock(&lock);
    hoya_log_function fn = function;
    void *arg = function_arg;
    pthread_mutex_unlock(&lock);
    bool can_fall_back = fallback && fallback->write;
    if (!fn && !can_fall_back) return false;

    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    hoya_inline_begin();
    if (fn) fn(level, text, arg);
    else fallback->write(fallback->arg, level, text);
    hoya_inline_end();
    return true;
}
