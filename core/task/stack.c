/* SPDX-License-Identifier: MIT
 *
 * task/stack.c: the stacks of a thread's fibers.
 *
 * Stacks come in classes, powers of two, and are cut from slabs: one mapping of many stacks, each larger than the one
 * before, up to 64. Address space is cheap, memory is the kernel's affair: a page is there once it was touched.
 *
 *     slab:  | guard | stack 0 ... | guard | stack 1 ... | ...      addresses grow to the right, stacks to the left
 *
 * Idle stacks wait in two lists, the one used last at the end. Those in `warm` have their memory, and at most `keep` are
 * there: whoever makes it one more sends the one that has waited longest to `cold`, and its memory to the kernel. So a
 * thread whose tasks come and go takes warm stacks, and pays the kernel (about 5 us a stack) only when a crowd has left.
 *
 * Guards: MADV_GUARD_INSTALL (Linux 6.13) costs no mapping. Where the kernel does not know it, mprotect splits the
 * mapping in two, of which a process may have vm.max_map_count; so guards of that kind stop at a quarter of it, counted for the
 * whole process. What comes after that is unguarded, with one line in the log in the life of the process, or HOYA_ENOMEM if
 * the pool is strict.
 *
 * Ownership: a slab's block holds the records of its stacks. Slabs live as long as the pool, and the pool as long as any
 * of its stacks is taken.
 */
#include "task/stack.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/sys.h"
#include "base/thread.h"
#include "task/annotate.h"

#define GUARD_INSTALL 102 /* MADV_GUARD_INSTALL, which headers of before 2025 do not know */

#define SMALLEST 14 /* 16 KiB: a frame of a signal with all registers of AVX-512 fits in */
#define DEFAULT 18  /* 256 KiB */
#define LARGEST 28  /* 256 MiB: with HOYA_STACK_SCALE still an address of 32 bits */
#define CLASSES HOYA_STACK_CLASSES
_Static_assert(CLASSES == LARGEST + 3 - SMALLEST, "two more for HOYA_STACK_SCALE");

#define SLAB_STACKS 64               /* the most a slab has */
#define SLAB_SIZE ((size_t)64 << 20) /* and the most address space, unless one stack is larger */
#define KEEP 64

typedef struct hoya_slab {
    struct hoya_slab *next;
    char *memory;
    size_t size;
    unsigned count, cut; /* so many stacks it has room for, so many have been used */
    hoya_stack stacks[];
} slab;

typedef hoya_stack_class class;

/* ---- guards ---------------------------------------------------------------------------------------------- */

static int64_t quarter_of_mappings(void)
{
    int64_t most = hoya_fd_read_number("/proc/sys/vm/max_map_count");
    return (most > 0 ? most : 65530) / 4; /* the kernel's own default, where there is no /proc */
}

bool hoya_stack_told_unguarded;

/* Once; but what nobody heard was not said. */
static void tell_unguarded(const hoya_stack_pool *pool)
{
    if (!__atomic_exchange_n(&hoya_stack_told_unguarded, true, __ATOMIC_RELAXED) &&
        !hoya_log(&pool->log, HOYA_LOG_WARNING,
                  "stacks of coroutines are unguarded from here on: raise vm.max_map_count"))
        __atomic_store_n(&hoya_stack_told_unguarded, false, __ATOMIC_RELAXED);
}

static int guard(hoya_stack_pool *pool, hoya_stack *stack)
{
    char *page = stack->base - pool->page;
    if (pool->guards == HOYA_GUARD_BY_MADVISE) {
        if (hoya_sys_madvise(page, pool->page, GUARD_INSTALL) == 0) return 0;
        if (errno != EINVAL) return hoya_error_errno("madvise(MADV_GUARD_INSTALL)");
        pool->guards = HOYA_GUARD_BY_MPROTECT;
        pool->most_protected = quarter_of_mappings();
    }
    /* ENOMEM of mprotect is the same limit, reached by somebody else's mappings. */
    stack->is_protected = hoya_live_count(HOYA_LIVE_GUARDS) < pool->most_protected &&
                          hoya_sys_mprotect(page, pool->page, PROT_NONE) == 0;
    if (stack->is_protected) {
        hoya_live_add(HOYA_LIVE_GUARDS, 1);
        return 0;
    }
    if (pool->strict) return hoya_error_set(HOYA_ENOMEM, "no guard for one more stack: raise vm.max_map_count");
    tell_unguarded(pool);
    return 0;
}

/* ---- slabs ----------------------------------------------------------------------------------------------- */

static size_t class_size(unsigned class_index)
{
    return (size_t)1 << (SMALLEST + class_index);
}

static int add_slab(hoya_stack_pool *pool, unsigned class_index)
{
    class *c = &pool->classes[class_index];
    size_t stack_size = class_size(class_index);
    unsigned count = pool->single ? 1 : c->slabs ? c->slabs->count * 2 : 4;
    if (count > SLAB_STACKS) count = SLAB_STACKS;
    while (count > 1 && count * stack_size > SLAB_SIZE) count /= 2;

    slab *s = hoya_new_zeroed(sizeof *s + count * sizeof s->stacks[0]);
    if (!s) return HOYA_ENOMEM;
    s->count = count;
    s->size = count * stack_size;
    s->memory = hoya_sys_mmap(NULL, s->size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (s->memory == MAP_FAILED) {
        int rc = hoya_error_errno("mmap of stacks");
        hoya_free(s);
        return rc;
    }
    s->next = c->slabs;
    c->slabs = s;
    return 0;
}

/* Stacks end at the same place of a page, and a cache has room for a few lines only from one place of many pages: so that
 * many fibers do not drive each other out of it, neighbours begin at different places; and not by the size of a task's
 * body (task/task.h) from each other: where one has that, the next would have its first frames. */
#define SHIFTS 8
#define SHIFT 192

/* A stack that was never used. */
static int cut(hoya_stack_pool *pool, unsigned class_index, hoya_stack **result)
{
    class *c = &pool->classes[class_index];
    if (!c->slabs || c->slabs->cut == c->slabs->count) {
        int rc = add_slab(pool, class_index);
        if (rc < 0) return rc;
    }
    slab *s = c->slabs;
    hoya_stack *stack = &s->stacks[s->cut];
    hoya_list_init(&stack->idle);
    stack->class_index = (uint8_t)class_index;
    stack->base = s->memory + s->cut * class_size(class_index) + pool->page;
    stack->size = (uint32_t)(class_size(class_index) - pool->page);
    stack->used = stack->size - s->cut % SHIFTS * SHIFT;
    int rc = guard(pool, stack);
    if (rc < 0) return rc;
    stack->valgrind_id = hoya_valgrind_register(stack->base, stack->size);
    s->cut++;
    *result = stack;
    return 0;
}

static void free_slab(slab *s)
{
    for (unsigned i = 0; i < s->cut; i++) {
        hoya_valgrind_deregister(s->stacks[i].valgrind_id);
        if (s->stacks[i].is_protected) hoya_live_add(HOYA_LIVE_GUARDS, -1);
    }
    hoya_sys_munmap(s->memory, s->size);
    hoya_free(s);
}

/* ---- stacks ---------------------------------------------------------------------------------------------- */

static unsigned class_of(const hoya_stack_pool *pool, size_t size)
{
    if (size < class_size(0)) size = class_size(0);
    size *= HOYA_STACK_SCALE;
    if (size < 4 * pool->page) size = 4 * pool->page; /* where pages are large */
    unsigned i = 0;
    while (class_size(i) < size) i++;
    return i;
}

int hoya_stack_take_other(hoya_stack_pool *pool, size_t size, hoya_stack **stack)
{
    if (size > class_size(LARGEST - SMALLEST))
        return hoya_error_set(HOYA_EINVAL, "a stack of %zu bytes: at most 256 MiB", size);
    unsigned i = size == 0 ? pool->default_class : class_of(pool, size);
    class *c = &pool->classes[i];
    bool is_warm = c->warm_count > 0;
    if (!is_warm && hoya_list_is_empty(&c->cold)) return cut(pool, i, stack);
    *stack = hoya_stack_take_last(is_warm ? &c->warm : &c->cold);
    c->warm_count -= is_warm;
    return 0;
}

/* The warm stack that has waited longest loses its memory. */
void hoya_stack_cool_down(class *c)
{
    c->warm_count--;
    hoya_list *oldest = hoya_list_pop(&c->warm);
    const hoya_stack *stack = HOYA_CONTAINER_OF(oldest, hoya_stack, idle);
    hoya_sys_madvise(stack->base, stack->size, MADV_DONTNEED);
    hoya_list_append(&c->cold, oldest);
}

size_t hoya_stack_whole_size(const hoya_stack *stack)
{
    return class_size(stack->class_index);
}

bool hoya_stack_guard_has(const hoya_stack *stack, const void *address)
{
    uintptr_t base = (uintptr_t)stack->base, size = hoya_stack_whole_size(stack) - stack->size;
    return base - (uintptr_t)address - 1 < size; /* from base on that is huge */
}

/* ---- the pool -------------------------------------------------------------------------------------------- */

static void free_pool(hoya_stack_pool *pool)
{
    for (unsigned i = 0; i < CLASSES; i++)
        for (slab *s = pool->classes[i].slabs, *next; s; s = next) {
            next = s->next;
            free_slab(s);
        }
    hoya_free(pool);
}

static unsigned stacks_away(hoya_stack_pool *pool)
{
    unsigned away = 0;
    for (class *c = pool->classes; c < pool->classes + CLASSES; c++) {
        for (const slab *s = c->slabs; s; s = s->next) away += s->cut;
        for (const hoya_list *node = c->cold.next; node != &c->cold; node = node->next) away--;
        away -= c->warm_count;
    }
    return away;
}

void hoya_stack_pool_came_home(hoya_stack_pool *pool)
{
    if (--pool->away == 0) free_pool(pool);
}

static int new_pool(const hoya_stack_pool_options *options, bool single, hoya_stack_pool **result)
{
    hoya_stack_pool *pool = hoya_new(hoya_stack_pool);
    if (!pool) return HOYA_ENOMEM;
    pool->refs = 1;
    pool->thread = hoya_thread_self();
    pool->strict = options->flags & HOYA_STACK_STRICT;
    pool->single = single;
    pool->keep = options->keep ? options->keep : KEEP;
    pool->page = (size_t)sysconf(_SC_PAGESIZE);
    pool->default_class = class_of(pool, (size_t)1 << DEFAULT);
    for (unsigned i = 0; i < CLASSES; i++) {
        hoya_list_init(&pool->classes[i].warm);
        hoya_list_init(&pool->classes[i].cold);
    }
    *result = pool;
    return 0;
}

int hoya_stack_pool_new(const hoya_stack_pool_options *options, hoya_stack_pool **pool)
{
    hoya_stack_pool_options known;
    if (!hoya_options_read(&known, sizeof known, options) || known.flags & ~(unsigned)HOYA_STACK_STRICT)
        return hoya_error_set(HOYA_EINVAL, "hoya_stack_pool_options: not of this version");
    return new_pool(&known, false, pool);
}

int hoya_stack_pool_new_single(hoya_stack_pool **pool)
{
    return new_pool(&(hoya_stack_pool_options){.size = sizeof(hoya_stack_pool_options)}, true, pool);
}

void hoya_stack_pool_set_log(hoya_stack_pool *pool, hoya_log_sink log)
{
    pool->log = log;
}

uintptr_t hoya_stack_pool_thread(const hoya_stack_pool *pool)
{
    return pool->thread;
}

hoya_stack_pool *hoya_stack_pool_ref(hoya_stack_pool *pool)
{
    pool->refs++;
    return pool;
}

void hoya_stack_pool_unref(hoya_stack_pool *pool)
{
    if (!pool) return;
    hoya_check(pool->refs > 0, "a pool of stacks was unreferenced once too often");
    if (--pool->refs) return;
    pool->away = stacks_away(pool);
    if (pool->away == 0) free_pool(pool);
}
