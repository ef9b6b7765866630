/* SPDX-License-Identifier: MIT
 *
 * future/outcome.c: see outcome.h.
 */
#include "future/outcome.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "loop/handle.h"

hoya_outcome hoya_outcome_value(void *value, hoya_destroy destroy)
{
    return (hoya_outcome){.done = true, .value = value, .destroy = destroy};
}

hoya_outcome hoya_outcome_error(int code, const char *text)
{
    size_t size = text && text[0] ? strlen(text) + 1 : 0;
    char *copy = size ? hoya_resize(NULL, size, 1) : NULL;
    if (copy) memcpy(copy, text, size);
    return (hoya_outcome){.done = true, .code = code, .text = copy};
}

hoya_outcome hoya_outcome_hand_on(hoya_outcome *from)
{
    if (from->code < 0) return hoya_outcome_error(from->code, from->text);
    if (from->taken) return hoya_outcome_error(HOYA_ESTATE, "the value of the source was taken before");
    hoya_outcome to = hoya_outcome_value(from->value, from->destroy);
    from->taken = from->destroy != NULL;
    return to;
}

int hoya_outcome_result(const hoya_outcome *outcome, void **value)
{
    if (!outcome->done) return hoya_error_set(HOYA_ESTATE, "the future is pending");
    if (outcome->code < 0)
        return hoya_error_set(outcome->code, "%s", outcome->text ? outcome->text : hoya_strerror(outcome->code));
    if (outcome->taken) return hoya_error_set(HOYA_ESTATE, "the value of the future was taken");
    if (value) *value = outcome->value;
    return 0;
}

int hoya_outcome_take(hoya_outcome *outcome, void **value, hoya_destroy *destroy)
{
    int rc = hoya_outcome_result(outcome, value);
    if (rc < 0) return rc;
    if (destroy) *destroy = outcome->destroy;
    outcome->taken = true;
    return 0;
}

const char *hoya_outcome_text(const hoya_outcome *outcome)
{
    return outcome->text ? outcome->text : "";
}

void hoya_outcome_destroy(hoya_outcome *outcome)
{
    /* Forgotten before it is destroyed: that may come back here. */
    hoya_outcome gone = *outcome;
    outcome->taken = true;
    outcome->text = NULL;
    if (!gone.taken) hoya_destroy_arg(gone.destroy, gone.value);
    hoya_free(gone.text);
}
