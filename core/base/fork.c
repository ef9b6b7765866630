/* SPDX-License-Identifier: MIT
 *
 * base/fork.c: counting forks by pthread_atfork. The handlers belong to the library: the C library takes them out
 * when the library is unloaded. Children that were made around the C library (a raw clone) are not noticed.
 */
#include "base/fork.h"

#include <pthread.h>

#include "base/error.h"
#include "base/log.h"
#include "base/turn.h"

atomic_uint hoya_forks;
HOYA_THREAD_LOCAL struct hoya_task *hoya_turn;
HOYA_THREAD_LOCAL unsigned hoya_inlines;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int error;

static void in_child(void)
{
    hoya_log_unlock();
    hoya_turn = NULL;
    atomic_fetch_add_explicit(&hoya_forks, 1, memory_order_relaxed);
}

static void register_handlers(void)
{
    /* The log's lock is held over the fork: another thread may be in it, and does not exist in the child. */
    error = -pthread_atfork(hoya_log_lock, hoya_log_unlock, in_child);
}

int hoya_fork_notice(void)
{
    pthread_once(&once, register_handlers);
    return error ? hoya_error_set(error, "pthread_atfork: %s", hoya_strerror(error)) : 0;
}
