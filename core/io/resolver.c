/* SPDX-License-Identifier: MIT
 *
 * io/resolver.c: getaddrinfo and getnameinfo of a loop. A question goes one of three ways:
 *
 *     what is numeric     is answered at once, here
 *     a plug-in           answers as it likes
 *     a thread            asks the system: a job of the loop's lane, which is an executor of its own
 *
 * The lane is made for the first question that needs it. The loop's close drops what waits in it, and leaves alone what is
 * being asked: that finds the loop closed, and its answer is destroyed. The last such job ends the lane.
 */
#include <hoya/resolver.h>
#include <limits.h>
#include <string.h>

#include HOYA_LIBC
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "future/executor.h"
#include "future/future.h"
#include "io/answer.h"
#include "io/names.h"
#include "loop/handle.h"

#define LANE_THREADS 4

/* What a loop keeps. */
typedef struct resolver {
    hoya_executor *lane;   /* a reference; NULL until it is needed */
    hoya_resolver_ops ops; /* of the plug-in; zeros without one */
    void *arg;
} resolver;

/* ---- the slot ---------------------------------------------------------------------------------------------- */

static void drop_lane(resolver *r)
{
    if (r->lane && !hoya_executor_is_forked(r->lane)) hoya_executor_close(r->lane, true);
    hoya_executor_unref(r->lane);
    r->lane = NULL;
}

static void close_resolver(hoya_loop *loop)
{
    resolver *r = loop->slots[HOYA_SLOT_RESOLVER].data;
    loop->slots[HOYA_SLOT_RESOLVER] = (hoya_slot){.data = NULL};
    drop_lane(r);
    hoya_destroy_arg(r->ops.free, r->arg);
    hoya_free(r);
}

static void dump_resolver(const hoya_loop *loop, const hoya_printer *to)
{
    const resolver *r = loop->slots[HOYA_SLOT_RESOLVER].data;
    hoya_print(to, "  resolver: %s", r->ops.name ? r->ops.name : r->ops.size ? "without a name" : "the system's");
}

static int resolver_of(hoya_loop *loop, resolver **out)
{
    resolver *r = loop->slots[HOYA_SLOT_RESOLVER].data;
    if (!r) {
        r = hoya_new(resolver);
        if (!r) return HOYA_ENOMEM;
        loop->slots[HOYA_SLOT_RESOLVER] = (hoya_slot){r, close_resolver, dump_resolver, NULL};
    }
    *out = r;
    return 0;
}

int hoya_set_resolver(hoya_loop *loop, const hoya_resolver_ops *ops, void *arg)
{
    resolver *r;
    if (ops && ops->size != sizeof *ops)
        return hoya_error_set(HOYA_EINVAL, "hoya_resolver_ops: not of this version");
    int rc = hoya_loop_enter(loop);
    if (rc >= 0) rc = resolver_of(loop, &r);
    if (rc < 0) {
        if (ops) hoya_destroy_arg(ops->free, arg);
        return rc;
    }
    resolver before = *r;
    r->ops = ops ? *ops : (hoya_resolver_ops){0};
    r->arg = arg;
    hoya_destroy_arg(before.ops.free, before.arg);
    return 0;
}

/* ---- at once ----------------------------------------------------------------------------------------------- */

/* A future that is done, with what the question's asking says. */
static int answer_at_once(hoya_loop *loop, const hoya_question *question, int rc, void *answer, hoya_future **out)
{
    hoya_future *future;
    int made = rc == HOYA_ENOMEM ? rc : hoya_future_new(loop, &future);
    if (made < 0) {
        if (rc >= 0) question->destroy(answer);
        return made;
    }
    if (rc >= 0) hoya_future_set_result(future, answer, question->destroy);
    else hoya_future_set_exception(future, rc, hoya_error_detail());
    *out = future;
    return 0;
}

/* Nobody has to look anything up: a numeric host or none, and a numeric service or none. False: ask somebody. A host with a
 * colon in it is nothing that anybody could know, if it is no address. */
static bool is_numeric(const hoya_question *question, int *rc, void **answer)
{
    if (question->service && !hoya_is_port(question->service)) return false;
    if (question->host && !hoya_is_ascii(question->host)) return false;
    hoya_question numeric = *question;
    numeric.hints.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
    *rc = question->ask(&numeric, answer);
    bool may_be_name =
        question->host && !strchr(question->host, ':') && !(question->hints.ai_flags & AI_NUMERICHOST);
    return *rc != HOYA_EAI_NONAME || !may_be_name;
}

/* ---- by a thread ------------------------------------------------------------------------------------------- */

typedef struct query {
    hoya_question question;
    int64_t slow; /* what takes so long is logged; HOYA_NEVER outside of debug mode */
    char text[];  /* of the names */
} query;

static int ask(hoya_job *self, void *arg)
{
    const query *q = arg;
    void *answer;
    int64_t start = hoya_clock_monotonic(NULL);
    int rc = q->question.ask(&q->question, &answer);
    if (rc >= 0) hoya_job_set_value(self, answer, q->question.destroy);
    int64_t took = hoya_clock_monotonic(NULL) - start;
    char text[HOYA_QUESTION_SIZE];
    if (took >= q->slow)
        hoya_log(NULL, HOYA_LOG_WARNING, "%s took %.3f s", hoya_question_text(&q->question, text),
                 (double)took / 1e9);
    return rc;
}

static int lane_of(resolver *r, hoya_executor **lane)
{
    if (r->lane && hoya_executor_is_forked(r->lane)) drop_lane(r); /* its threads are the parent's */
    if (!r->lane) {
        hoya_thread_pool_options options = {
            .size = sizeof options, .max_threads = LANE_THREADS, .name = "hoya-dns"};
        int rc = hoya_thread_pool_new(&options, &r->lane);
        if (rc < 0) return rc;
    }
    *lane = r->lane;
    return 0;
}

/* A place for a name and its copy; NULL stays NULL. */
static const char *keep(char **place, const char *name)
{
    if (!name) return NULL;
    char *copy = strcpy(*place, name);
    *place += strlen(name) + 1;
    return copy;
}

static int ask_by_thread(hoya_loop *loop, resolver *r, const hoya_question *question, const void *place,
                         hoya_future **out)
{
    hoya_executor *lane;
    int rc = lane_of(r, &lane);
    if (rc < 0) return rc;
    size_t names = 0;
    if (question->host) names += strlen(question->host) + 1;
    if (question->service) names += strlen(question->service) + 1;
    query *q = hoya_new_zeroed(sizeof *q + names);
    if (!q) return HOYA_ENOMEM;
    char *text = q->text;
    q->question = *question;
    q->question.host = keep(&text, question->host);
    q->question.service = keep(&text, question->service);
    q->slow = hoya_loop_debugs(loop) ? loop->slow_callback_duration : HOYA_NEVER;
    return hoya_run_job(loop, lane, ask, q, hoya_free, false, place, out);
}

/* ---- public ------------------------------------------------------------------------------------------------- */

static int check_names(const char *host, const char *service, const struct addrinfo *hints)
{
    int rc = host ? hoya_check_host(host) : 0;
    if (rc >= 0 && service) rc = hoya_check_service(service);
    if (rc >= 0) rc = hoya_check_hints(hints);
    if (rc >= 0 && !host && !service)
        rc = hoya_error_set(HOYA_EINVAL, "getaddrinfo of neither a host nor a service");
    return rc;
}

int hoya_getaddrinfo(hoya_loop *loop, const char *host, const char *service, const struct addrinfo *given,
                     hoya_future **out)
{
    resolver *r;
    struct addrinfo hints = {0};
    if (given) {
        hints.ai_flags = given->ai_flags;
        hints.ai_family = given->ai_family;
        hints.ai_socktype = given->ai_socktype;
        hints.ai_protocol = given->ai_protocol;
    }
    if (host && !*host && hints.ai_flags & AI_PASSIVE) host = NULL;
    int rc = hoya_loop_enter(loop);
    if (rc >= 0 && !out) rc = hoya_error_set(HOYA_EINVAL, "getaddrinfo without a place for the future");
    if (rc >= 0) rc = check_names(host, service, &hints);
    if (rc >= 0) rc = resolver_of(loop, &r);
    if (rc < 0) return rc;

    void *answer;
    hoya_question question = hoya_question_of_names(host, service, &hints);
    if (is_numeric(&question, &rc, &answer)) return answer_at_once(loop, &question, rc, answer, out);
    if (r->ops.getaddrinfo) {
        hoya_inline_begin();
        rc = r->ops.getaddrinfo(loop, host, service, &hints, r->arg, out);
        hoya_inline_end();
        return rc;
    }
    char text[HOYA_QUOTED_SIZE];
    if (host && !hoya_is_ascii(host) && !HOYA_LIBC_AI_IDN)
        return hoya_error_set(HOYA_ENOTSUP, "host %s: this C library knows ASCII names only",
                              hoya_quoted(host, text));
    return ask_by_thread(loop, r, &question, HOYA_CALLER(), out);
}

int hoya_getnameinfo(hoya_loop *loop, const struct sockaddr *address, socklen_t length, int flags,
                     hoya_future **out)
{
    resolver *r;
    int rc = hoya_loop_enter(loop);
    if (rc >= 0 && !out) rc = hoya_error_set(HOYA_EINVAL, "getnameinfo without a place for the future");
    if (rc >= 0) rc = hoya_check_length(address, length);
    if (rc >= 0 && address->sa_family != AF_INET && address->sa_family != AF_INET6)
        rc = hoya_error_set(HOYA_EAI_FAMILY, "getnameinfo: family %d has no names; AF_INET and AF_INET6 have",
                            address->sa_family);
    if (rc >= 0) rc = hoya_check_name_flags(flags);
    if (rc >= 0) rc = resolver_of(loop, &r);
    if (rc < 0) return rc;

    void *answer;
    hoya_question question = hoya_question_of_address(address, length, flags);
    if (flags & NI_NUMERICHOST && flags & NI_NUMERICSERV) {
        rc = question.ask(&question, &answer);
        return answer_at_once(loop, &question, rc, answer, out);
    }
    if (r->ops.getnameinfo) {
        hoya_inline_begin();
        rc = r->ops.getnameinfo(loop, address, length, flags, r->arg, out);
        hoya_inline_end();
        return rc;
    }
    return ask_by_thread(loop, r, &question, HOYA_CALLER(), out);
}
