/* SPDX-License-Identifier: MIT
 *
 * hoya/combine.h: one future out of several: gather, race, wait, shield, a timeout, and what comes next. For callbacks as
 * for tasks, which await the future; hoya/wait.h has what only a task can do. asyncio's gather, wait, wait_for, shield; the
 * promises' all, race, then.
 *
 * Each call makes a future of the loop, a combinator, out of others of that loop, its parts. It has a reference to each of
 * them while it needs it, and nobody but its owner has one to it: one that is let go while it is pending is as if it had
 * never been, and its parts go on undisturbed. It is done at once when its parts are, maybe when it is made; what it then
 * cancels is cancelled by the loop, before anybody hears from it. Only making one needs memory.
 *
 * Who answers for errors: a failure that a combinator passes on, or lists in its value, is the combinator's from then on.
 * Every other one stays with its future, and is reported if nobody looks at that.
 *
 * Values are borrowed from the parts, which the combinator keeps as long as it lives. A cancel of a gather, a race or a
 * timeout cancels the parts, and the combinator is done when the last of them is, however long that takes; who refuses is
 * believed (of several in a race the first to end). When its loop is closed a combinator stays as it is, for ever pending
 * if it was.
 *
 * Thread: as the loop's, HOYA_ETHREAD elsewhere. Errors of all that make one: HOYA_EINVAL (a NULL, a future of another
 * loop), HOYA_ECLOSED, HOYA_ENOMEM.
 */
#ifndef HOYA_COMBINE_H
#define HOYA_COMBINE_H

#include <hoya/base.h>
#include <hoya/future.h>
#include <hoya/loop.h>

HOYA_BEGIN_DECLS

/* ---- all ---------------------------------------------------------------------------------------------- */

enum hoya_gather_flags {
    HOYA_GATHER_KEEP_SIBLINGS = 1u << 0, /* a failure leaves the others alone, as asyncio's */
    HOYA_GATHER_RETURN_ERRORS = 1u << 1  /* failures, cancels too, are results: return_exceptions */
};

/* What became of a part. */
typedef struct hoya_gathered {
    int code;         /* as hoya_future_result's: 0, or what it failed with */
    const char *text; /* of a failure; "" if there is none */
    void *value;      /* NULL if it failed */
} hoya_gathered;

/* Done when all are: its value is an array of `count` hoya_gathered, in the order of the arguments, as long as the
 * combinator lives. The first failure (a part that is cancelled is one) is its own at once, and the parts that are
 * pending are cancelled, unless a flag says otherwise. The same future twice is waited for once. None: done at once. When
 * a gather was cancelled it ends with a failure of a part, else as cancelled if one is, else with its value. Errors:
 * HOYA_EINVAL (a flag), too. Origin: asyncio.gather, Promise.all, Promise.allSettled. */
HOYA_API int hoya_gather(hoya_loop *loop, hoya_future *const *futures, size_t count, uint32_t flags,
                         hoya_future **future);

/* ---- the first ---------------------------------------------------------------------------------------- */

/* Ends as the first part that ends with a value or a failure; the others are cancelled. Parts that are cancelled are out of
 * the race, and when all are, so is this. Of several that are done already the first argument wins. Errors: HOYA_EINVAL
 * (none), too. Origin: Promise.race. */
HOYA_API int hoya_race(hoya_loop *loop, hoya_future *const *futures, size_t count, hoya_future **future);

/* Ends as the future does; when `timeout` nanoseconds have passed that is cancelled, and if it ends as cancelled this has
 * failed with HOYA_ETIMEDOUT. A timeout of 0 or less: a future that is done counts, and a task that has not begun
 * never does. Origin: asyncio.wait_for. */
HOYA_API int hoya_with_timeout(hoya_future *future, int64_t timeout, hoya_future **outer);

/* Ends as the future does; a cancel ends this alone. Origin: asyncio.shield. */
HOYA_API int hoya_shield(hoya_future *future, hoya_future **outer);

/* ---- some --------------------------------------------------------------------------------------------- */

typedef enum hoya_when {
    HOYA_ALL_COMPLETED,
    HOYA_FIRST_COMPLETED,
    HOYA_FIRST_EXCEPTION /* one has failed, not counting those that are cancelled; or all are done */
} hoya_when;

/* Done, with no value, when that is so or `timeout` nanoseconds have passed (HOYA_NEVER: no limit), which is no error: ask
 * the futures. Looks at no error, and cancels nothing, not even when it is cancelled. Errors: HOYA_EINVAL (none, no such
 * `when`), too. Origin: asyncio.wait. */
HOYA_API int hoya_wait_futures(hoya_loop *loop, hoya_future *const *futures, size_t count, hoya_when when,
                               int64_t timeout, hoya_future **future);

/* ---- and then ----------------------------------------------------------------------------------------- */

/* What comes next: `source` is done, and `next` is pending. It may complete `next`, or let it follow another future;
 * otherwise its result is what `next` ends with: 0 or more is success without a value, a negative code a failure (whose
 * text is what hoya_error_detail says, if that failed with the same code). It runs as a callback of the loop. */
typedef int (*hoya_then_function)(hoya_future *source, hoya_future *next, void *arg);

/* Calls one of the two when the source is done; a NULL passes the outcome on, as a chain does: a value with a
 * destroy function moves, and of any other `next` keeps the lender, a combinator maybe, as long as it lives. A
 * failure that on_error is called for is its own. *next is a new reference; it keeps the source, and with its last
 * one the callback goes. `next` may be NULL: then the source has the callback, as one of
 * hoya_future_add_done_callback, and a failure goes to the exception handler. Cancelling `next` takes the callback
 * back, and cancels the source, or what `next` follows by now, if nothing else waits for that. Takes the argument.
 * Errors: HOYA_EINVAL (neither function), too. Origin: Promise.then. */
HOYA_API int hoya_future_then(hoya_future *source, hoya_then_function on_value, hoya_then_function on_error,
                              void *arg, hoya_destroy destroy, hoya_future **next);

/* In such a function: `next` ends as `other` does, and keeps it until then, or as long as it borrows its value.
 * Errors: HOYA_ESTATE (it is done, follows another one, or is none of hoya_future_then's), HOYA_EINVAL (itself),
 * HOYA_EDEADLK (`other` is what comes after `next`, or follows it), HOYA_ECLOSED, HOYA_ENOMEM. Origin: a promise
 * that is resolved with a promise. */
HOYA_API int hoya_future_follow(hoya_future *next, hoya_future *other);

HOYA_END_DECLS

#endif
