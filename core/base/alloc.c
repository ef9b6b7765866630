/* SPDX-License-Identifier: MIT
 *
 * base/alloc.c: memory through one replaceable hook, and the counters of what is alive.
 *
 * The hook is process-wide and may be replaced only while no block of the old one is in use, so that each
 * block goes back where it came from. The counters belong to the hook: relaxed atomics that nothing in the
 * library reads back except for that rule; tests compare them before and after.
 */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/live.h"

static void *system_malloc(size_t size, void *arg)
{
    (void)arg;
    return malloc(size);
}

static void *system_realloc(void *block, size_t size, void *arg)
{
    (void)arg;
    return realloc(block, size);
}

static void system_free(void *block, void *arg)
{
    (void)arg;
    free(block);
}

static const hoya_allocator system_allocator = {
    sizeof(hoya_allocator), system_malloc, system_realloc, system_free, NULL,
};

static hoya_allocator hook = {sizeof(hoya_allocator), system_malloc, system_realloc, system_free, NULL};
static atomic_int_fast64_t live[HOYA_LIVE_KINDS];
HOYA_THREAD_LOCAL hoya_live_sum hoya_live_here;

/* Blocks and handles share the word of the blocks: one locked instruction counts both. */
#define ONE_BLOCK INT64_C(1)
#define ONE_HANDLE (INT64_C(1) << 32)

static int64_t live_blocks(void)
{
    return atomic_load(&live[HOYA_LIVE_BLOCKS]) & (ONE_HANDLE - 1);
}

static int64_t live_handles(void)
{
    return atomic_load(&live[HOYA_LIVE_BLOCKS]) / ONE_HANDLE;
}

/* Whoever finds that nothing is alive finds everybody out of the hook: he may replace it. */
static void count_live(int64_t what)
{
    atomic_fetch_add_explicit(&live[HOYA_LIVE_BLOCKS], what, memory_order_release);
}

int hoya_set_allocator(const hoya_allocator *allocator)
{
    if (!allocator) allocator = &system_allocator;
    if (allocator->size != sizeof *allocator || !allocator->malloc || !allocator->realloc || !allocator->free)
        return hoya_error_set(HOYA_EINVAL, "an allocator needs its size, malloc, realloc and free");
    if (live_blocks() != 0)
        return hoya_error_set(HOYA_EBUSY, "%lld blocks of the old allocator are in use", (long long)live_blocks());
    hook = *allocator;
    return 0;
}

static void *new_counted(size_t size, int64_t as)
{
    void *block = hook.malloc(size, hook.arg);
    if (!block) {
        hoya_error_nomem();
        return NULL;
    }
    count_live(as);
    return memset(block, 0, size);
}

static void free_counted(void *block, int64_t as)
{
    if (!block) return;
    hook.free(block, hook.arg);
    count_live(-as);
}

void *hoya_new_zeroed(size_t size)
{
    return new_counted(size, ONE_BLOCK);
}

void *hoya_new_handle(size_t size)
{
    return new_counted(size, ONE_BLOCK + ONE_HANDLE);
}

void *hoya_resize(void *block, size_t count, size_t item)
{
    size_t size;
    void *moved = __builtin_mul_overflow(count, item, &size) ? NULL
                  : block                                    ? hook.realloc(block, size, hook.arg)
                                                             : hook.malloc(size, hook.arg);
    if (!moved) hoya_error_nomem();
    else if (!block) count_live(ONE_BLOCK);
    return moved;
}

void hoya_free(void *block)
{
    free_counted(block, ONE_BLOCK);
}

void hoya_free_handle(void *handle)
{
    free_counted(handle, ONE_BLOCK + ONE_HANDLE);
}

void hoya_live_add(hoya_live_kind kind, int n)
{
    atomic_fetch_add_explicit(&live[kind], n, memory_order_relaxed);
}

int64_t hoya_live_count(hoya_live_kind kind)
{
    return atomic_load_explicit(&live[kind], memory_order_relaxed);
}

int hoya_get_live_counts(hoya_live_counts *counts)
{
    if (!counts || counts->size != sizeof *counts)
        return hoya_error_set(HOYA_EINVAL, "hoya_live_counts: the size member is not set");
    counts->blocks = live_blocks();
    counts->fds = atomic_load(&live[HOYA_LIVE_FDS]);
    counts->loops = atomic_load(&live[HOYA_LIVE_LOOPS]);
    counts->handles = live_handles();
    counts->selectors = atomic_load(&live[HOYA_LIVE_SELECTORS]);
    counts->futures = atomic_load(&live[HOYA_LIVE_FUTURES]) + hoya_live_here.futures;
    counts->hosts = atomic_load(&live[HOYA_LIVE_HOSTS]);
    return 0;
}
