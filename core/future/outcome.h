/* SPDX-License-Identifier: MIT
 *
 * future/outcome.h: how something ended: the cell inside every future. It is built whole, before anybody looks whether
 * the future still wants it, so that completing is one assignment, and refusing is one clear.
 *
 * Who has the cell owns the value and the text. A code of 0 is a value; HOYA_ECANCELED is a cancel, whoever says so.
 */
#ifndef HOYA_FUTURE_OUTCOME_H
#define HOYA_FUTURE_OUTCOME_H

#include <hoya/error.h>
#include <stdbool.h>

typedef struct hoya_outcome {
    bool done;
    bool taken; /* the value has another owner now */
    int code;
    void *value;
    hoya_destroy destroy;
    char *text; /* of an error; NULL: none */
} hoya_outcome;

hoya_outcome hoya_outcome_value(void *value, hoya_destroy destroy);
/* Copies the text, or goes without where there is no memory. */
hoya_outcome hoya_outcome_error(int code, const char *text);
/* For the other end of a chain: an owned value moves, everything else is copied. */
hoya_outcome hoya_outcome_hand_on(hoya_outcome *from);

/* The code, with its text as the thread's detail, or 0 and the value; HOYA_ESTATE without either. */
int hoya_outcome_result(const hoya_outcome *outcome, void **value);
int hoya_outcome_take(hoya_outcome *outcome, void **value, hoya_destroy *destroy);
const char *hoya_outcome_text(const hoya_outcome *outcome); /* "" if there is none */

/* Destroys what it owns: calls the application. */
void hoya_outcome_destroy(hoya_outcome *outcome);
static inline void hoya_outcome_clear(hoya_outcome *outcome)
{
    if (outcome->destroy || outcome->text) hoya_outcome_destroy(outcome);
}

static inline bool hoya_outcome_is_cancel(const hoya_outcome *outcome)
{
    return outcome->done && outcome->code == HOYA_ECANCELED;
}

#endif
