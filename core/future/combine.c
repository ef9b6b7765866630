/* SPDX-License-Identifier: MIT
 *
 * future/combine.c: see combine.h.
 *
 * Whatever cancels a part or lets go of it may call a destroy function, and that may let go of the combinator: who goes
 * over the parts has a reference to the whole.
 */
#include "future/combine.h"

#include "base/alloc.h"
#include "base/error.h"

static hoya_combined *of_future(hoya_future *future)
{
    return HOYA_CONTAINER_OF(future, hoya_combined, future);
}

static void take_back(hoya_handle *handle)
{
    if (handle) hoya_handle_cancel(handle);
}

static void let_go(hoya_part *part)
{
    hoya_future *future = part->future;
    part->future = NULL;
    hoya_list_remove(&part->waiting.of_source);
    hoya_future_unref(future);
}

static void part_done(hoya_waiting *waiting)
{
    hoya_part *part = HOYA_CONTAINER_OF(waiting, hoya_part, waiting);
    hoya_combined *whole = part->whole;
    hoya_future_ref(&whole->future);
    whole->pending--;
    if (!whole->future.outcome.done) whole->decide(whole, part);
    hoya_future_unref(&whole->future);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static int check_parts(hoya_loop *loop, hoya_future *const *futures, size_t count)
{
    if (count && !futures) return hoya_error_set(HOYA_EINVAL, "no futures to combine");
    for (size_t i = 0; i < count; i++) {
        if (!futures[i]) return hoya_error_set(HOYA_EINVAL, "future %zu to combine is NULL", i);
        if (futures[i]->loop != loop)
            return hoya_error_set(HOYA_EINVAL, "future %zu to combine is of another loop", i);
    }
    return 0;
}

int hoya_combined_new(const hoya_future_class *class, hoya_loop *loop, hoya_future *const *futures, size_t count,
                      size_t extra, const void *place, hoya_combined **out)
{
    int rc = hoya_loop_enter(loop);
    size_t each = sizeof(hoya_part) + extra;
    if (rc >= 0 && count > (SIZE_MAX - sizeof(hoya_combined)) / each)
        rc = hoya_error_set(HOYA_ENOMEM, "no memory holds %zu parts", count);
    if (rc >= 0) rc = check_parts(loop, futures, count);
    if (rc < 0) return rc;
    hoya_combined *whole = hoya_new_zeroed(sizeof *whole + count * each);
    if (!whole) return HOYA_ENOMEM;
    hoya_future_init(&whole->future, class, hoya_loop_ref(loop), place);
    whole->count = count;
    for (size_t i = 0; i < count; i++) {
        hoya_part *part = &whole->parts[i];
        part->whole = whole;
        part->waiting.wake = part_done;
        hoya_list_init(&part->waiting.of_source);
        part->future = hoya_future_ref(futures[i]);
    }
    *out = whole;
    return 0;
}

/* The same future twice: nobody has come between our two nodes. */
static bool waits_already(const hoya_combined *whole, const hoya_future *future)
{
    if (hoya_list_is_empty(&future->callbacks)) return false;
    const hoya_part *last = HOYA_CONTAINER_OF(future->callbacks.prev, hoya_part, waiting.of_source);
    return last->waiting.wake == part_done && last->whole == whole;
}

void hoya_combined_begin(hoya_combined *whole, hoya_combined_decide *decide)
{
    whole->decide = decide;
    for (size_t i = 0; i < whole->count; i++) {
        hoya_part *part = &whole->parts[i];
        bool done = part->future->outcome.done;
        if (!done && waits_already(whole, part->future)) continue;
        if (!done) hoya_waiting_begin(&part->waiting, &part->future->callbacks);
        whole->pending++;
    }
    /* No decision changes what is done but the one that completes the whole, which is the last. */
    for (size_t i = 0; i < whole->count && !whole->future.outcome.done; i++) {
        if (!whole->parts[i].future->outcome.done) continue;
        whole->pending--;
        decide(whole, &whole->parts[i]);
    }
}

/* The parts go on undisturbed, and one that ends from now on tells it no more. */
void hoya_combined_leave(hoya_future *future)
{
    hoya_combined *whole = of_future(future);
    take_back(whole->timer);
    for (size_t i = 0; i < whole->count; i++) hoya_list_remove(&whole->parts[i].waiting.of_source);
}

void hoya_combined_free(hoya_future *future)
{
    hoya_combined *whole = of_future(future);
    hoya_loop *loop = future->loop;
    hoya_handle_unref(whole->timer);
    hoya_handle_unref(whole->sweep);
    for (size_t i = 0; i < whole->count; i++) hoya_future_unref(whole->parts[i].future);
    hoya_free(whole);
    hoya_loop_unref(loop);
}

/* ---- the end ------------------------------------------------------------------------------------------- */

static void end(hoya_combined *whole, hoya_outcome outcome)
{
    take_back(whole->timer);
    if (!whole->reason) take_back(whole->sweep);
    hoya_future_complete(&whole->future, outcome);
}

void hoya_combined_end_value(hoya_combined *whole, void *value)
{
    end(whole, hoya_outcome_value(value, NULL));
}

void hoya_combined_end_error(hoya_combined *whole, int code, const char *text)
{
    end(whole, hoya_outcome_error(code, text));
}

void hoya_combined_end_as(hoya_combined *whole, const hoya_part *part)
{
    hoya_future *future = part->future;
    const hoya_outcome *outcome = &future->outcome;
    future->looked = true;
    if (outcome->code < 0) hoya_combined_end_error(whole, outcome->code, outcome->text);
    else if (outcome->taken) hoya_combined_end_error(whole, HOYA_ESTATE, "the value of the future was taken");
    else hoya_combined_end_value(whole, outcome->value);
}

void hoya_combined_let_go(hoya_combined *whole, const hoya_part *kept)
{
    for (size_t i = 0; i < whole->count; i++) {
        hoya_part *part = &whole->parts[i];
        if (part != kept) let_go(part);
    }
}

static void sweep(hoya_future *future, void *arg)
{
    hoya_combined *whole = of_future(future);
    (void)arg;
    for (size_t i = 0; i < whole->count; i++) {
        hoya_part *part = &whole->parts[i];
        if (hoya_part_is_pending(part)) {
            hoya_list_remove(&part->waiting.of_source);
            hoya_future_cancel(part->future, whole->reason);
        }
        if (part != whole->kept) let_go(part);
    }
}

int hoya_combined_may_cancel(hoya_combined *whole)
{
    return hoya_future_add_done_callback(&whole->future, sweep, NULL, NULL, &whole->sweep);
}

void hoya_combined_sweep(hoya_combined *whole, hoya_part *kept, const char *reason)
{
    whole->kept = kept;
    whole->reason = reason;
}

bool hoya_future_is_wanted(const hoya_future *future)
{
    for (const hoya_list *node = future->callbacks.next; node != &future->callbacks; node = node->next) {
        const hoya_waiter *waiter =
            (const hoya_waiter *)((const char *)node - offsetof(hoya_waiter, waiting.of_source));
        if (waiter->waiting.wake || waiter->handle.fn.waiter != (hoya_waiter_function)sweep) return true;
    }
    return false;
}

/* ---- cancelled ----------------------------------------------------------------------------------------- */

int hoya_combined_cancel_parts(hoya_future *future, const char *reason)
{
    hoya_combined *whole = of_future(future);
    hoya_future_ref(future);
    whole->asked = true;
    take_back(whole->timer); /* what cleans up takes its time */
    for (size_t i = 0; i < whole->count && !future->outcome.done; i++)
        if (hoya_part_is_pending(&whole->parts[i])) hoya_future_cancel(whole->parts[i].future, reason);
    hoya_future_unref(future);
    return 1;
}

int hoya_combined_cancel_alone(hoya_future *future, const char *reason)
{
    hoya_combined *whole = of_future(future);
    hoya_future_ref(future);
    hoya_combined_end_error(whole, HOYA_ECANCELED, reason);
    hoya_combined_let_go(whole, NULL);
    hoya_future_unref(future);
    return 1;
}
