/* SPDX-License-Identifier: MIT
 *
 * future/gather.c: all of several futures.
 *
 * The list that is its value stands behind the parts, and is written at the end: nothing is copied but pointers, which the
 * parts own.
 */
#include "base/error.h"
#include "future/combine.h"

#define FLAGS (HOYA_GATHER_KEEP_SIBLINGS | HOYA_GATHER_RETURN_ERRORS)

static void end_with_list(hoya_combined *whole)
{
    hoya_gathered *list = (hoya_gathered *)(void *)&whole->parts[whole->count];
    for (size_t i = 0; i < whole->count; i++) {
        hoya_future *future = whole->parts[i].future;
        const hoya_outcome *outcome = &future->outcome;
        future->looked = true;
        list[i].code = outcome->code < 0 ? outcome->code : outcome->taken ? HOYA_ESTATE : 0;
        list[i].text = hoya_outcome_text(outcome);
        list[i].value = list[i].code < 0 ? NULL : outcome->value;
    }
    hoya_combined_end_value(whole, list);
}

static void end_with_failure(hoya_combined *whole, const hoya_part *part)
{
    if (whole->sweep) hoya_combined_sweep(whole, NULL, "another one of its gather has failed");
    hoya_combined_end_as(whole, part);
    if (!whole->sweep) hoya_combined_let_go(whole, NULL);
}

/* The first of its kind, or NULL. */
static const hoya_part *find_failure(const hoya_combined *whole, bool cancel)
{
    for (const hoya_part *part = whole->parts; part < whole->parts + whole->count; part++) {
        const hoya_outcome *outcome = &part->future->outcome;
        if (outcome->code < 0 && hoya_outcome_is_cancel(outcome) == cancel) return part;
    }
    return NULL;
}

/* It was cancelled, and all parts have ended: statement 61. */
static void end_asked(hoya_combined *whole)
{
    bool collects = whole->options & HOYA_GATHER_RETURN_ERRORS;
    const hoya_part *failed = collects ? NULL : find_failure(whole, false);
    if (!failed) failed = find_failure(whole, true);
    if (failed) end_with_failure(whole, failed);
    else end_with_list(whole);
}

static void decide(hoya_combined *whole, hoya_part *part)
{
    bool failed = part->future->outcome.code < 0 && !(whole->options & HOYA_GATHER_RETURN_ERRORS);
    if (failed && !whole->asked) end_with_failure(whole, part);
    else if (whole->pending) return;
    else if (whole->asked) end_asked(whole);
    else end_with_list(whole);
}

static const char *name(const hoya_future *future)
{
    (void)future;
    return "a gather";
}

static const hoya_future_class gather_class = {
    .cancel = hoya_combined_cancel_parts, .free = hoya_combined_free, .name = name, .leave = hoya_combined_leave};

int hoya_gather(hoya_loop *loop, hoya_future *const *futures, size_t count, uint32_t flags, hoya_future **future)
{
    if (flags & ~(uint32_t)FLAGS) return hoya_error_set(HOYA_EINVAL, "gather has no such flag: %#x", flags);
    hoya_combined *whole;
    int rc = hoya_combined_new(&gather_class, loop, futures, count, sizeof(hoya_gathered), HOYA_CALLER(), &whole);
    if (rc < 0) return rc;
    whole->options = flags;
    if (!flags && count > 1) rc = hoya_combined_may_cancel(whole);
    if (rc < 0) {
        hoya_future_unref(&whole->future);
        return rc;
    }
    hoya_combined_begin(whole, decide);
    if (!count) end_with_list(whole);
    *future = &whole->future;
    return 0;
}
