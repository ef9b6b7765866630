/* SPDX-License-Identifier: MIT
 *
 * hoya/coroutine.h: coroutines without a loop: a function with a stack of its own that stops in the middle, hands a value
 * out, and goes on when it is sent one. Python's generators, and what tasks are made of.
 *
 *     static void *count(void *arg)                          def count():
 *     {                                                          times = 1
 *         void *times = "1";                                     while times:
 *         while (times)                                              times = yield times
 *             if (hoya_yield(times, &times) < 0) break;
 *         return NULL;
 *     }
 *
 * Since the stack is its own it may yield from any depth: Python's `yield from` is a plain call.
 *
 * Thread: a coroutine and a pool of stacks belong to the thread that made them; elsewhere HOYA_ETHREAD. The signal mask,
 * errno and thread-local variables are the thread's; rounding and traps of floating point, as <fenv.h> sets them, are the
 * coroutine's own, as they were when it was made. (On x86-64: what only _mm_setcsr sets is the thread's.) A C++ exception must not leave a coroutine's function, and a longjmp must not leave its
 * stack. Handlers of signals run on the stack that is in use, unless they ask for one of their own (SA_ONSTACK).
 */
#ifndef HOYA_COROUTINE_H
#define HOYA_COROUTINE_H

#include <hoya/base.h>

HOYA_BEGIN_DECLS

/* ---- stacks ------------------------------------------------------------------------------------------ */

/* Where coroutines get their stacks. A stack takes address space; memory only as far as it was ever used. Below it lies
 * a page that nobody may touch, so that an overflow is SIGSEGV and not another coroutine's trouble (in debug mode a task's
 * is named before: hoya_loop_set_debug). An idle stack is
 * kept for the next coroutine; the address space goes back when the pool goes. */
typedef struct hoya_stack_pool hoya_stack_pool;

enum hoya_stack_pool_flags {
    HOYA_STACK_STRICT =
        1u << 0 /* a stack that cannot be guarded is HOYA_ENOMEM; else there is one line in the log */
};

typedef struct hoya_stack_pool_options {
    size_t size; /* sizeof(hoya_stack_pool_options) */
    uint32_t flags;
    uint32_t keep; /* so many idle stacks of a size keep their memory, those used last; 0: 64 */
} hoya_stack_pool_options;

/* Makes a pool; *pool is a new reference. Each coroutine keeps it until its end. Errors: HOYA_EINVAL, HOYA_ENOMEM. */
HOYA_API int hoya_stack_pool_new(const hoya_stack_pool_options *options, hoya_stack_pool **pool);
HOYA_API hoya_stack_pool *hoya_stack_pool_ref(hoya_stack_pool *pool);
HOYA_API void hoya_stack_pool_unref(hoya_stack_pool *pool);

/* ---- life -------------------------------------------------------------------------------------------- */

typedef struct hoya_coroutine hoya_coroutine;

/* What a coroutine does. Its result is the value of the last send, as of Python's StopIteration. */
typedef void *(*hoya_coroutine_function)(void *arg);

typedef struct hoya_coroutine_options {
    size_t size;       /* sizeof(hoya_coroutine_options) */
    size_t stack_size; /* rounded up to a power of two, guard included; 0: 256 KiB; at most 256 MiB. Builds with a
                              sanitizer, whose frames are larger, take four times as much */
    const char *name;  /* for messages; copied. NULL: "coroutine" */
    hoya_stack_pool *pool; /* NULL: the coroutine has a stack of its own, which is slow to make */
} hoya_coroutine_options;

/* Makes a coroutine that will run fn(arg). It does not start before the first send, and has its stack from now on:
 * nothing later needs memory. Errors: HOYA_EINVAL, HOYA_ENOMEM, HOYA_ETHREAD (the pool's). */
HOYA_API int hoya_coroutine_new(hoya_coroutine_function fn, void *arg, const hoya_coroutine_options *options,
                                hoya_coroutine **co);

/* Asks a coroutine to end: the hoya_yield in which it waits, and each one after that, answers HOYA_ECANCELED at once,
 * and close returns when the function has returned. Its result is dropped; one that never started never does. 0 as
 * well when it has ended already. Errors: HOYA_EBUSY while it runs or waits for one that it sent to, HOYA_ETHREAD.
 * Origin: generator.close. */
HOYA_API int hoya_coroutine_close(hoya_coroutine *co);

/* Closes and frees; NULL is fine. One that cannot be closed is not freed: that is a mistake, on which builds with checks
 * end. */
HOYA_API void hoya_coroutine_free(hoya_coroutine *co);

/* ---- to and fro -------------------------------------------------------------------------------------- */

/* Goes on in the coroutine until it yields or returns. The hoya_yield in which it waits gives it `value`. The first
 * send starts it; as in Python nobody is there yet to take a value, which has to be NULL. Returns 1 with what it yielded
 * in *yielded, or 0 with what the function returned; `yielded` may be NULL.
 * Errors: HOYA_ESTATE after the end, HOYA_EBUSY when it runs or waits for one that it sent to, HOYA_EINVAL for a value to
 * one that has not started, HOYA_ETHREAD. Origin: generator.send, next. */
HOYA_API int hoya_coroutine_send(hoya_coroutine *co, void *value, void **yielded);

/* Inside a coroutine: hands `value` to the sender, and waits for the next send, whose value is then in *sent; `sent` may
 * be NULL. Errors: HOYA_ECANCELED when the coroutine shall end, HOYA_ESTATE outside of a coroutine. Origin: yield. */
HOYA_API int hoya_yield(void *value, void **sent);

/* ---- the thread's own stack -------------------------------------------------------------------------- */

/* Calls fn(arg) on the stack that the thread came with, below the point where that was last left, and returns its
 * result: for what needs much stack, such as a toolkit's dialog, from coroutines and tasks that have little. On
 * the thread's own stack already it is a plain call. Needs no memory.
 *
 * Inside fn there is neither a current coroutine nor a current task: hoya_yield is HOYA_ESTATE, and what waits is
 * HOYA_EDEADLK in a task's call. It may run a main loop, in which other tasks go on and call as well: such calls end last
 * in, first out, as main loops do. An exception or longjmp must not leave it. Errno and signal mask
 * are as in any call; the rounding of floating point is the caller's or the thread's. Errors: fn's, and HOYA_EINVAL without
 * one. */
HOYA_API int hoya_call_on_thread_stack(int (*fn)(void *arg), void *arg);

/* ---- questions --------------------------------------------------------------------------------------- */

enum hoya_coroutine_state {
    HOYA_COROUTINE_CREATED,   /* was sent nothing yet */
    HOYA_COROUTINE_RUNNING,   /* runs, or waits for one that it sent to */
    HOYA_COROUTINE_SUSPENDED, /* waits in hoya_yield */
    HOYA_COROUTINE_CLOSED     /* its function has returned, or it was closed */
};

/* Origin: inspect.getgeneratorstate. */
HOYA_API enum hoya_coroutine_state hoya_coroutine_get_state(const hoya_coroutine *co);
HOYA_API const char *hoya_coroutine_name(const hoya_coroutine *co);

/* The coroutine that calls this, NULL outside. Borrowed. */
HOYA_API hoya_coroutine *hoya_coroutine_current(void);

HOYA_END_DECLS

#endif
