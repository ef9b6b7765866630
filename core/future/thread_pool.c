/* SPDX-License-Identifier: MIT
 *
 * future/thread_pool.c: the threads of an executor, and a user of its public interface like any other (hoya/executor.h).
 *
 * A wake leaves a mark, `wakes`; a worker takes one and runs the queue until it is empty. So more marks than there are
 * workers say nothing new, and are not made. A worker is made when there are as many marks as idle workers.
 *
 * The workers end when the executor is freed: then none of them has a job, and who frees waits for them. That may be one of
 * them, at the end of the last job: he waits for the others, detaches himself, and finds the pool gone when he returns.
 */
#include <hoya/executor.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fork.h"
#include "base/options.h"
#include "base/sys.h"

#define NAME_SIZE 16       /* of a thread's name, the system's limit */
#define MOST_THREADS 32768 /* a number beyond is a mistake: places for them are made at once */

typedef struct pool {
    hoya_executor *executor; /* borrowed: it ends first */
    unsigned generation;     /* of the process that the threads are of */
    pthread_attr_t attributes;
    char name[NAME_SIZE];
    int most;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t woken;
    int count, idle, wakes;
    bool leaving;
    pthread_t threads[]; /* `most` places, `count` threads */
} pool;

static _Thread_local pool *mine; /* the pool whose worker this thread is */

/* ---- a worker ------------------------------------------------------------------------------------------ */

/* "name-12"; a long name is cut, and keeps its number. */
static void name_thread(const pool *p, int number)
{
    char suffix[NAME_SIZE], name[2 * NAME_SIZE];
    int length = snprintf(suffix, sizeof suffix, "-%d", number);
    snprintf(name, sizeof name, "%.*s%s", NAME_SIZE - 1 - length, p->name, suffix);
    pthread_setname_np(pthread_self(), name); /* glibc and musl; a name is a help, and nothing depends on it */
}

static void *work(void *arg)
{
    pool *p = mine = arg;
    pthread_mutex_lock(&p->lock);
    int number = 1; /* the maker has the lock until this thread is in the list */
    while (!pthread_equal(p->threads[number - 1], pthread_self())) number++;
    name_thread(p, number);
    for (;;) {
        for (p->idle++; !p->wakes && !p->leaving;) pthread_cond_wait(&p->woken, &p->lock);
        p->idle--;
        if (p->leaving) break;
        p->wakes--;
        pthread_mutex_unlock(&p->lock);
        hoya_executor_run(p->executor);
        if (!mine) return NULL; /* that was the last job, and has freed the pool */
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Under the lock. Signals are for the threads of the application. */
static int start_worker(pool *p)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = hoya_sys_pthread_create(&p->threads[p->count], &p->attributes, work, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    p->count += !error;
    return -error;
}

/* ---- the executor's side ------------------------------------------------------------------------------- */

static int wake(hoya_executor *executor, void *arg)
{
    pool *p = arg;
    (void)executor;
    pthread_mutex_lock(&p->lock);
    int rc = p->wakes >= p->idle && p->count < p->most ? start_worker(p) : 0;
    bool alone = !p->count;
    if (p->wakes < p->count) p->wakes++;
    if (p->idle) pthread_cond_signal(&p->woken);
    pthread_mutex_unlock(&p->lock);
    /* Where there are others they do the work. */
    return alone ? hoya_error_set(rc, "%s: no thread can be made: %s", p->name, hoya_strerror(rc)) : 0;
}

/* Ends the workers; they have nothing to do. */
static void dismiss(pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->leaving = true;
    pthread_cond_broadcast(&p->woken);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->count; i++) {
        if (p == mine && pthread_equal(p->threads[i], pthread_self())) pthread_detach(p->threads[i]);
        else pthread_join(p->threads[i], NULL);
    }
    if (p == mine) mine = NULL;
    pthread_cond_destroy(&p->woken);
    pthread_mutex_destroy(&p->lock);
}

static void free_pool(void *arg)
{
    pool *p = arg;
    if (p->generation == hoya_fork_generation())
        dismiss(p); /* in a child there is nobody, and the lock may be held */
    else if (p == mine) mine = NULL;
    pthread_attr_destroy(&p->attributes);
    hoya_free(p);
}

static const hoya_executor_ops pool_ops = {sizeof pool_ops, "thread pool", wake, free_pool};

/* ---- life ---------------------------------------------------------------------------------------------- */

static int default_size(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 1 ? 5 : processors > 28 ? 32 : (int)processors + 4;
}

static int make(const hoya_thread_pool_options *options, pool **out)
{
    int most = options->max_threads ? options->max_threads : default_size();
    pool *p = hoya_new_zeroed(sizeof *p + (size_t)most * sizeof *p->threads);
    if (!p) return HOYA_ENOMEM;
    int error = pthread_attr_init(&p->attributes);
    if (!error && options->stack_size) {
        error = pthread_attr_setstacksize(&p->attributes, options->stack_size);
        if (error) pthread_attr_destroy(&p->attributes);
    }
    if (error) {
        hoya_free(p);
        return hoya_error_set(-error, "a thread pool with stacks of %zu bytes: %s", options->stack_size,
                              hoya_strerror(-error));
    }
    snprintf(p->name, sizeof p->name, "%s", options->name ? options->name : "hoya");
    p->most = most;
    p->generation = hoya_fork_generation();
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->woken, NULL);
    *out = p;
    return 0;
}

int hoya_thread_pool_new(const hoya_thread_pool_options *given, hoya_executor **out)
{
    hoya_thread_pool_options options;
    if (!hoya_options_read(&options, sizeof options, given) || options.max_threads < 0)
        return hoya_error_set(HOYA_EINVAL, "hoya_thread_pool_options: not of this version, or a negative number");
    if (options.max_threads > MOST_THREADS)
        return hoya_error_set(HOYA_EINVAL, "a pool of %d threads: %d are the most", options.max_threads,
                              MOST_THREADS);
    pool *p = NULL;
    hoya_executor *executor = NULL;
    int rc = make(&options, &p);
    if (rc >= 0) rc = hoya_executor_new(&pool_ops, p, &executor);
    if (rc < 0) return rc;
    p->executor = executor;
    hoya_executor_set_queue_limit(executor, options.queue_limit);
    *out = executor;
    return 0;
}
