/* SPDX-License-Identifier: MIT
 *
 * run/policy.c: the process's policy, and what the default behaviour of its functions is.
 *
 * Which loop a thread has is kept a thread and a policy: a list at a pthread key, a node for each policy
 * that has a loop here. A new policy therefore knows no loop of this thread, and going back to the old one
 * finds the old loop again. The thread's end drops its references.
 */
#include "run/policy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/error.h"

static const hoya_policy_ops native_ops = {.size = sizeof(hoya_policy_ops), .name = "native"};
static hoya_policy native_policy = {&native_ops};
static _Atomic(hoya_policy *) current = &native_policy;

hoya_policy *hoya_default_policy(void)
{
    return &native_policy;
}

hoya_policy *hoya_get_event_loop_policy(void)
{
    return atomic_load(&current);
}

int hoya_policy_check(const hoya_policy *policy)
{
    if (policy->ops && policy->ops->size == sizeof *policy->ops) return 0;
    return hoya_error_set(HOYA_EINVAL, "this is no policy of this version");
}

int hoya_set_event_loop_policy(hoya_policy *policy)
{
    if (!policy) policy = &native_policy;
    int rc = hoya_policy_check(policy);
    if (rc >= 0) atomic_store(&current, policy);
    return rc;
}

/* ---- this thread's loops --------------------------------------------------------------------------------- */

typedef struct node {
    struct node *next;
    hoya_policy *policy;
    hoya_loop *loop;
} node;

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static int key_error;

/* The policy under which this thread said "no loop": the automatic one stays away then. */
static _Thread_local hoya_policy *declined;

static void forget_thread(void *list)
{
    for (node *n = list, *next; n; n = next) {
        next = n->next;
        hoya_loop_unref(n->loop);
        hoya_free(n);
    }
}

static void make_key(void)
{
    key_error = -pthread_key_create(&key, forget_thread);
}

static node *find(const hoya_policy *policy)
{
    pthread_once(&key_once, make_key);
    node *n = key_error ? NULL : pthread_getspecific(key);
    while (n && n->policy != policy) n = n->next;
    return n;
}

static int add(hoya_policy *policy, hoya_loop *loop)
{
    if (key_error) return hoya_error_set(key_error, "no thread-specific key is left");
    node *n = hoya_new(node);
    if (!n) return HOYA_ENOMEM;
    *n = (node){pthread_getspecific(key), policy, loop};
    int rc = -pthread_setspecific(key, n);
    if (rc < 0) {
        hoya_free(n);
        return hoya_error_set(rc, "pthread_setspecific: %s", hoya_strerror(rc));
    }
    return 0;
}

static void take_out(node *out)
{
    node *list = pthread_getspecific(key);
    if (list == out) {
        pthread_setspecific(key, out->next); /* replacing a value needs no memory */
    } else {
        node *n = list;
        while (n->next != out) n = n->next;
        n->next = out->next;
    }
    hoya_free(out);
}

static int default_set(hoya_policy *policy, hoya_loop *loop)
{
    node *n = find(policy);
    /* In the child of a fork: the parent's loop stays as it is, for whoever makes it the child's; nothing of it is
     * destroyed behind anybody's back. */
    hoya_loop *before = n && !hoya_loop_is_forked(n->loop) ? n->loop : NULL;
    if (loop) {
        int rc = n ? 0 : add(policy, loop);
        if (rc < 0) return rc;
        if (n) n->loop = loop;
        hoya_loop_ref(loop);
    } else if (n) {
        take_out(n);
    }
    declined = loop ? NULL : policy;
    /* Last: it may be the last reference, and run destroy functions. */
    hoya_loop_unref(before);
    return 0;
}

bool hoya_thread_is_main(void)
{
    return getpid() == gettid();
}

static int default_get(hoya_policy *policy, hoya_loop **loop, const void *place)
{
    node *n = find(policy);
    if (n && !hoya_loop_is_forked(n->loop)) {
        *loop = n->loop;
        return 0;
    }
    if (!hoya_thread_is_main() || declined == policy)
        return hoya_error_set(HOYA_ESTATE, "there is no current event loop in this thread (policy %s)",
                              policy->ops->name);
    hoya_loop *made;
    int rc = hoya_policy_new_loop(policy, &made, place);
    if (rc < 0) return rc;
    rc = policy->ops->set_event_loop ? policy->ops->set_event_loop(policy, made) : default_set(policy, made);
    hoya_loop_unref(made); /* the policy's reference is the one that lasts */
    if (rc < 0) return rc;
    *loop = made;
    return 0;
}

static int default_new(hoya_policy *policy, hoya_loop **loop)
{
    hoya_loop_options options = {.size = sizeof options};
    int rc = policy->ops->new_selector ? policy->ops->new_selector(policy, &options.selector) : 0;
    if (rc < 0) return rc;
    rc = policy->ops->new_host ? policy->ops->new_host(policy, &options.host) : 0;
    if (rc < 0) {
        hoya_selector_free(options.selector);
        return rc;
    }
    return hoya_loop_new(&options, loop);
}

int hoya_policy_new_loop(hoya_policy *policy, hoya_loop **loop, const void *place)
{
    int rc = policy->ops->new_event_loop ? policy->ops->new_event_loop(policy, loop) : default_new(policy, loop);
    if (rc >= 0 && *loop) (*loop)->place = place; /* the application's, not ours */
    return rc;
}

/* ---- the public face ------------------------------------------------------------------------------------- */

int hoya_get_event_loop(hoya_loop **loop)
{
    hoya_loop *running = hoya_get_running_loop();
    if (running) {
        *loop = running;
        return 0;
    }
    hoya_policy *policy = hoya_get_event_loop_policy();
    return policy->ops->get_event_loop ? policy->ops->get_event_loop(policy, loop)
                                       : default_get(policy, loop, HOYA_CALLER());
}

int hoya_set_event_loop(hoya_loop *loop)
{
    hoya_policy *policy = hoya_get_event_loop_policy();
    return policy->ops->set_event_loop ? policy->ops->set_event_loop(policy, loop) : default_set(policy, loop);
}

int hoya_new_event_loop(hoya_loop **loop)
{
    return hoya_policy_new_loop(hoya_get_event_loop_policy(), loop, HOYA_CALLER());
}
