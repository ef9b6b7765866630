/* SPDX-License-Identifier: MIT
 *
 * base/thread.h: which thread is this? A number that is unique among those that live: pthread_self's, or where the
 * compiler knows it the thread pointer, which costs no call (HOYA_THREAD_SELF, chosen by CMake).
 */
#ifndef HOYA_BASE_THREAD_H
#define HOYA_BASE_THREAD_H

#include <pthread.h>
#include <stdint.h>

static inline uintptr_t hoya_thread_self(void)
{
    return (uintptr_t)HOYA_THREAD_SELF();
}

#endif
