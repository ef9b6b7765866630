/* SPDX-License-Identifier: MIT
 *
 * poll/selector.c: the public face of selectors: choice by name, and the checks that all of them share.
 * What a particular one does stands in its own file, behind hoya_selector_ops.
 */
#include <hoya/selector.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "poll/poll.h"

#define ASKABLE (HOYA_IN | HOYA_OUT | HOYA_PRI)

#define KIND(name) NAMED(name) /* with the name expanded */
#define NAMED(name)                                                                                                \
    {                                                                                                              \
#name, hoya_##name##_new                                                                                   \
    }

/* The best one first. */
static const struct {
    const char *name;
    int (*make)(hoya_selector **selector);
} kinds[] = {
    KIND(HOYA_BEST_SELECTOR),
    KIND(poll),
    KIND(select),
};

int hoya_selector_new(const char *name, hoya_selector **selector)
{
    if (!name) {
        name = getenv("HOYA_SELECTOR");
        if (name && !name[0]) name = NULL;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!name || strcmp(name, kinds[i].name) == 0) return kinds[i].make(selector);
    return hoya_error_set(HOYA_ENOENT, "this build has no selector named '%s'", name);
}

void hoya_selector_free(hoya_selector *selector)
{
    if (selector) selector->ops->free(selector);
}

static int check(const hoya_selector *selector, hoya_fd fd, uint32_t events)
{
    if (fd < 0) return hoya_error_set(HOYA_EBADF, "descriptor %d is negative", fd);
    if ((events & ~(uint32_t)HOYA_EDGE & ~(uint32_t)ASKABLE) || !(events & ASKABLE))
        return hoya_error_set(HOYA_EINVAL, "0x%x is no set of events to ask for", (unsigned)events);
    if ((events & HOYA_EDGE) && !(selector->ops->caps & HOYA_SELECTOR_EDGE))
        return hoya_error_set(HOYA_ENOTSUP, "%s does not report edges", selector->ops->name);
    return 0;
}

int hoya_selector_register(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data)
{
    int rc = check(selector, fd, events);
    return rc < 0 ? rc : selector->ops->add(selector, fd, events, data);
}

int hoya_selector_unregister(hoya_selector *selector, hoya_fd fd)
{
    return selector->ops->remove(selector, fd);
}

int hoya_selector_modify(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data)
{
    int rc = check(selector, fd, events);
    return rc < 0 ? rc : selector->ops->modify(selector, fd, events, data);
}

int hoya_selector_select(hoya_selector *selector, int64_t timeout, hoya_selector_event *events, int max)
{
    if (max < 1) return hoya_error_set(HOYA_EINVAL, "select: room for %d events", max);
    return selector->ops->select(selector, timeout < 0 ? 0 : timeout, events, max);
}

int hoya_selector_get_key(const hoya_selector *selector, hoya_fd fd, hoya_selector_key *key)
{
    return selector->ops->get_key(selector, fd, key);
}

hoya_fd hoya_selector_fileno(const hoya_selector *selector)
{
    return selector->ops->fileno ? selector->ops->fileno(selector) : HOYA_INVALID_FD;
}

int hoya_selector_after_fork(hoya_selector *selector)
{
    return selector->ops->after_fork ? selector->ops->after_fork(selector) : 0;
}

const char *hoya_selector_name(const hoya_selector *selector)
{
    return selector->ops->name;
}

uint32_t hoya_selector_caps(const hoya_selector *selector)
{
    return selector->ops->caps;
}
