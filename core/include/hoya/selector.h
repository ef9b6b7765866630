/* SPDX-License-Identifier: MIT
 *
 * hoya/selector.h: which descriptors are ready? Python's `selectors` module: usable without a loop, and the
 * seam to write a poller of one's own. A selector belongs to one thread at a time.
 *
 * The kernel's set is always up to date when a call returns (nothing is applied lazily), so that a selector
 * whose fileno() nests can be watched by any other loop.
 */
#ifndef HOYA_SELECTOR_H
#define HOYA_SELECTOR_H

#include <hoya/base.h>

HOYA_BEGIN_DECLS

typedef struct hoya_selector hoya_selector;

/* What is registered: selectors.SelectorKey. */
typedef struct hoya_selector_key {
    hoya_fd fd;
    uint32_t events; /* what was asked for: HOYA_IN | HOYA_OUT | HOYA_PRI */
    void *data;
} hoya_selector_key;

/* What select found. */
typedef struct hoya_selector_event {
    hoya_fd fd;
    uint32_t events; /* a subset of what was asked for, and HOYA_ERR, HOYA_HUP unasked */
    void *data;
} hoya_selector_event;

/* Asked for beside HOYA_IN and HOYA_OUT: report each new edge once and need no read. Only where the
 * selector has HOYA_SELECTOR_EDGE; elsewhere register answers HOYA_ENOTSUP. */
#define HOYA_EDGE (1u << 16)

enum hoya_selector_caps {
    HOYA_SELECTOR_NESTS =
        1u << 0, /* fileno() is a descriptor that is readable while something is ready, and only then: what
                                    * is ready may be read without a select */
    HOYA_SELECTOR_EDGE = 1u << 1 /* knows HOYA_EDGE */
};

/* Makes a selector. `name` is "epoll" (on a BSD "kqueue"), "poll" or "select"; NULL: what HOYA_SELECTOR names in the environment, else the best
 * one of this system. Errors: HOYA_ENOENT for a name that this build does not have, HOYA_EMFILE, HOYA_ENOMEM.
 * Origin: selectors.DefaultSelector. */
HOYA_API int hoya_selector_new(const char *name, hoya_selector **selector);

/* Closes and frees; NULL is fine. The registered descriptors stay open. Origin: BaseSelector.close. */
HOYA_API void hoya_selector_free(hoya_selector *selector);

/* Starts to watch `fd` for `events` (HOYA_IN, HOYA_OUT, HOYA_PRI; at least one). `data` comes back with the
 * events. Errors: HOYA_EEXIST when it is registered already, HOYA_EPERM for a regular file or a directory,
 * HOYA_EBADF, HOYA_EINVAL, HOYA_ENOSPC, HOYA_ENOMEM, HOYA_ELIMIT (select, beyond its 1024). Origin:
 * BaseSelector.register. */
HOYA_API int hoya_selector_register(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data);

/* Stops watching. A descriptor that was closed before is forgotten all the same (result 0), but that breaks
 * the rule "unregister before close". Needs no memory. Errors: HOYA_ENOENT. Origin: BaseSelector.unregister. */
HOYA_API int hoya_selector_unregister(hoya_selector *selector, hoya_fd fd);

/* Changes events and data. Errors: HOYA_ENOENT, and those of register. Origin: BaseSelector.modify. */
HOYA_API int hoya_selector_modify(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data);

/* Waits at most `timeout` nanoseconds (HOYA_NOW or any value up to 0: only looks; HOYA_NEVER: without end)
 * and stores up to `max` events. Never returns early without an event except when a signal came, or a
 * registered descriptor turned out to be closed. The wait
 * is rounded up to what the kernel can do, never down. Returns the number of events. A signal is no error
 * (result 0). Errors: HOYA_EINVAL for max < 1, and what the kernel said. Origin: BaseSelector.select. */
HOYA_API int hoya_selector_select(hoya_selector *selector, int64_t timeout, hoya_selector_event *events, int max);

/* Looks up what is registered. Errors: HOYA_ENOENT. Origin: BaseSelector.get_key. */
HOYA_API int hoya_selector_get_key(const hoya_selector *selector, hoya_fd fd, hoya_selector_key *key);

/* The descriptor that can be watched by another loop (epoll, kqueue), or HOYA_INVALID_FD.
 * Origin: EpollSelector.fileno. */
HOYA_API hoya_fd hoya_selector_fileno(const hoya_selector *selector);

/* In the child of a fork, before anything else: the selector becomes the child's own, with what is registered; the
 * parent's is not touched (a descriptor that the child unregisters would vanish from the parent's set, which both
 * share). Errors: HOYA_EMFILE, HOYA_ENOMEM, HOYA_ENOSPC; may be tried again. */
HOYA_API int hoya_selector_after_fork(hoya_selector *selector);

HOYA_API const char *hoya_selector_name(const hoya_selector *selector);
HOYA_API uint32_t hoya_selector_caps(const hoya_selector *selector);

/* ---- writing a selector: embed hoya_selector as the first member ------------------------------------- */

typedef struct hoya_selector_ops {
    size_t size; /* sizeof(hoya_selector_ops) */
    const char *name;
    uint32_t caps;
    int (*add)(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data);
    int (*modify)(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data);
    int (*remove)(hoya_selector *selector, hoya_fd fd);
    int (*select)(hoya_selector *selector, int64_t timeout, hoya_selector_event *events, int max);
    int (*get_key)(const hoya_selector *selector, hoya_fd fd, hoya_selector_key *key);
    hoya_fd (*fileno)(const hoya_selector *selector); /* NULL: none */
    int (*after_fork)(hoya_selector *selector);       /* NULL: it shares nothing with the parent */
    void (*free)(hoya_selector *selector);
} hoya_selector_ops;

struct hoya_selector {
    const hoya_selector_ops *ops;
};

HOYA_END_DECLS

#endif
