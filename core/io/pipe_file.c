/* SPDX-License-Identifier: MIT
 *
 * io/pipe_file.c: the engine of files that are always ready, and may take their time all the same: regular files, /dev/null. They
 * are read and written by jobs of the loop's default executor, one at a time for each channel, so that the order is kept.
 *
 * A job works on memory of its own and on a dup of the descriptor, both in `file`, which has two owners: the channel, and a job
 * that is under way. So a channel can end, its descriptor be closed and its loop be gone while a job still reads. What a job
 * has read stays there until somebody wants it, and the next job begins when all of it is taken; what one has
 * written is told as sent when it is. Nobody hears of the outcome inside a call of the owner's: it comes as a post of
 * the executor's, by a place that was reserved with the job.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/fork.h"
#include "base/sys.h"
#include "future/executor.h"
#include "io/io.h"

#define PIECE 65536
#define PARTS 64

typedef struct file {
    hoya_engine engine; /* the channel's, from begin to end: the way from there to here */
    hoya_job job;
    hoya_runnable post;
    atomic_int owners;     /* of the memory: the channel, a job */
    hoya_loop *loop;       /* a reference, of the job's */
    hoya_channel *channel; /* NULL after its end */
    hoya_fd fd;
    unsigned generation; /* of the process that runs the job */
    bool writes, under_way;
    bool ready;     /* the outcome of a job is here: */
    ssize_t result; /* how many bytes; or a code */
    size_t at;      /* how many of them are taken, or are to be written */
    char memory[PIECE];
} file;

static file *file_of(const hoya_channel *channel)
{
    return (file *)((uintptr_t)channel->engine - offsetof(file, engine));
}

static void disown(file *f)
{
    if (atomic_fetch_sub_explicit(&f->owners, 1, memory_order_acq_rel) != 1) return;
    hoya_fd_close(&f->fd);
    hoya_free(f);
}

/* ---- on the executor's thread ----------------------------------------------------------------------------------- */

/* Neither can be told to wait: what has O_NONBLOCK and means it is not served here. */
static ssize_t code_of_call(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? HOYA_ENOTSUP : -errno;
}

static ssize_t read_some(file *f)
{
    ssize_t n;
    do n = hoya_sys_read(f->fd, f->memory, PIECE);
    while (n < 0 && errno == EINTR);
    return n < 0 ? code_of_call() : n;
}

/* All of it; or as much as goes, and the next job hears why. */
static ssize_t write_all(file *f)
{
    size_t written = 0;
    while (written < f->at) {
        ssize_t n = hoya_sys_write(f->fd, f->memory + written, f->at - written);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0 && written) break;
        if (n <= 0) return n < 0 ? code_of_call() : HOYA_EIO;
        written += (size_t)n;
    }
    return (ssize_t)written;
}

static int work(hoya_job *self, void *arg)
{
    file *f = arg;
    (void)self;
    f->result = f->writes ? write_all(f) : read_some(f);
    return 0;
}

static void drop_post(hoya_loop *loop, hoya_runnable *runnable)
{
    (void)loop;
    disown(HOYA_CONTAINER_OF(runnable, file, post));
}

static void deliver(hoya_job *job, hoya_outcome outcome)
{
    file *f = HOYA_CONTAINER_OF(job, file, job);
    hoya_loop *loop = f->loop;                      /* lives until the post is over; the file may not */
    if (outcome.code < 0) f->result = outcome.code; /* dropped: the executor was shut down */
    hoya_outcome_clear(&outcome);
    if (hoya_inbox_post(loop, &f->post) < 0) drop_post(loop, &f->post);
    hoya_loop_unref(loop);
}

/* ---- a job ------------------------------------------------------------------------------------------------------- */

/* Copied: what the owner shows stays where it is only as long as the loop's thread wants. */
static void collect_output(file *f)
{
    struct iovec parts[PARTS];
    int count = f->channel->events->output(f->channel, parts, PARTS);
    f->at = 0;
    for (int i = 0; i < count && f->at < PIECE; i++) {
        size_t size = parts[i].iov_len < PIECE - f->at ? parts[i].iov_len : PIECE - f->at;
        memcpy(f->memory + f->at, parts[i].iov_base, size);
        f->at += size;
    }
}

static void take_back(file *f)
{
    hoya_loop *loop = f->loop;
    f->under_way = false;
    disown(f);
    hoya_loop_unref(loop);
}

static int hand_in(file *f, hoya_executor *executor)
{
    hoya_loop *loop = f->channel->loop;
    int rc = hoya_inbox_reserve(loop);
    if (rc < 0) return rc;
    hoya_job_init(&f->job, work, f, NULL, deliver);
    f->loop = hoya_loop_ref(loop);
    f->under_way = true;
    f->generation = hoya_fork_generation();
    atomic_fetch_add_explicit(&f->owners, 1, memory_order_relaxed);
    rc = hoya_executor_accept(executor, &f->job);
    if (rc >= 0) return 0;
    hoya_inbox_unreserve(loop);
    take_back(f);
    return rc;
}

static int begin_job(file *f)
{
    hoya_loop_jobs *jobs;
    hoya_executor *executor;
    if (hoya_loop_is_forked(f->channel->loop)) return 0; /* by a callback: what comes next is the parent's */
    if (f->writes) collect_output(f);
    if (f->writes && !f->at) return 0;
    int rc = hoya_loop_jobs_of(f->channel->loop, &jobs);
    if (rc >= 0) rc = hoya_loop_jobs_default(jobs, &executor);
    if (rc < 0) return rc;
    rc = hand_in(f, executor);
    hoya_executor_unref(executor);
    return rc;
}

/* ---- its outcome ------------------------------------------------------------------------------------------------- */

static void tell_code(const file *f, hoya_channel *channel, ssize_t code)
{
    if (f->writes) channel->events->sent(channel, code);
    else channel->events->received(channel, NULL, code);
}

/* As much as the owner has room for. */
static void give_input(file *f, hoya_channel *channel)
{
    char *here = f->memory + f->at;
    void *memory = here;
    size_t rest = (size_t)f->result - f->at, size = rest;
    if (!channel->events->input(channel, &memory, &size)) return;
    if (size > rest) size = rest;
    if (memory != here) memcpy(memory, here, size);
    f->at += size;
    f->ready = f->at < (size_t)f->result;
    channel->events->received(channel, memory, (ssize_t)size);
}

/* One thing a turn, as the engine of sockets. Inside the calls the channel may end, and `f` with it. */
static void take_outcome(hoya_channel *channel)
{
    file *f = file_of(channel);
    hoya_channel_want want = f->writes ? HOYA_CHANNEL_OUTPUT : HOYA_CHANNEL_INPUT;
    if (!f->ready || channel->busy || !(channel->wants & want)) return;
    channel->busy = (uint8_t)want;
    if (f->writes || f->result <= 0) {
        f->ready = false;
        tell_code(f, channel, f->result);
    } else {
        give_input(f, channel);
    }
    channel->busy = 0;
    if (!channel->open || !(channel->wants & want)) return;
    if (f->ready) {
        hoya_channel_soon(channel);
        return;
    }
    int rc = begin_job(f);
    if (rc < 0) tell_code(f, channel, rc);
}

static void let_go(hoya_channel *channel)
{
    if (!channel->open && !channel->queued && !channel->turns) channel->events->gone(channel);
}

static void take_turn(hoya_channel *channel)
{
    bool asked = channel->due & HOYA_CHANNEL_TURN;
    channel->due = 0;
    channel->turns++;
    if (asked) channel->events->turn(channel);
    if (channel->open) take_outcome(channel);
    channel->turns--;
    let_go(channel);
}

/* Not the turn that was asked for: that has an entry of its own, in the order of the ring. */
static void take_outcome_of_post(hoya_channel *channel)
{
    channel->turns++;
    take_outcome(channel);
    channel->turns--;
    let_go(channel);
}

/* The post has come. */
static bool run_post(hoya_loop *loop, hoya_runnable *runnable)
{
    file *f = HOYA_CONTAINER_OF(runnable, file, post);
    f->under_way = false;
    f->ready = true;
    if (!f->writes) f->at = 0;
    if (f->channel) take_outcome_of_post(f->channel);
    disown(f);
    hoya_channel_run_after(loop); /* a task that has read goes on */
    return true;
}

/* ---- entries of the ready ring ------------------------------------------------------------------------------------ */

static hoya_description describe_channel(const hoya_channel *channel)
{
    return (hoya_description){
        .what = channel->events->what, .function = channel->events->function(channel), .live = true, .lasts = true};
}

static hoya_description describe_post(const hoya_runnable *runnable)
{
    const file *f = (const file *)(const void *)((const char *)runnable - offsetof(file, post));
    return f->channel ? describe_channel(f->channel) : (hoya_description){.what = "a file's outcome"};
}

static const hoya_runnable_class post_class = {run_post, drop_post, describe_post};

static bool run(hoya_loop *loop, hoya_runnable *runnable)
{
    hoya_channel *channel = HOYA_CONTAINER_OF(runnable, hoya_channel, runnable);
    channel->queued = false;
    bool live = channel->open;
    if (live) hoya_ring_keep(&loop->ready); /* before anything else happens */
    if (live) take_turn(channel);
    else let_go(channel);
    hoya_channel_run_after(loop);
    return live;
}

static void drop(hoya_loop *loop, hoya_runnable *runnable)
{
    (void)loop;
    hoya_channel *channel = HOYA_CONTAINER_OF(runnable, hoya_channel, runnable);
    channel->queued = false;
    let_go(channel);
}

static hoya_description describe(const hoya_runnable *runnable)
{
    return describe_channel(
        (const hoya_channel *)(const void *)((const char *)runnable - offsetof(hoya_channel, runnable)));
}

static const hoya_runnable_class runnable_class = {run, drop, describe};

/* ---- the descriptor's record: nobody else may have it, and nothing is looked for ---------------------------------- */

static uint32_t wants(const hoya_fd_record *record)
{
    (void)record;
    return 0;
}

static void found(hoya_loop *loop, hoya_fd_record *record, uint32_t events)
{
    (void)loop;
    (void)record;
    (void)events;
}

static hoya_description describe_side(const hoya_fd_record *record, int side)
{
    if (side) return (hoya_description){.what = NULL};
    return describe_channel((const hoya_channel *)record); /* its first member */
}

static const hoya_fd_class fd_class = {wants, found, hoya_watch_end, NULL, describe_side};

/* ---- what the owner asks ------------------------------------------------------------------------------------------ */

static int open_file(hoya_channel *channel, hoya_fd fd)
{
    file *f = hoya_new(file);
    if (!f) return HOYA_ENOMEM;
    f->fd = hoya_sys_duplicate(fd);
    if (f->fd < 0) {
        int rc = hoya_error_errno("a descriptor for jobs");
        hoya_free(f);
        return rc;
    }
    hoya_fd_adopt(f->fd);
    f->post.class = &post_class;
    f->channel = channel;
    atomic_init(&f->owners, 1);
    f->engine = *channel->engine;
    channel->engine = &f->engine;
    return 0;
}

static int begin(hoya_channel *channel, hoya_fd fd)
{
    hoya_loop *loop = channel->loop;
    int rc = hoya_ring_reserve(&loop->ready, 1);
    if (rc < 0) return rc;
    rc = hoya_watch_begin(loop, &channel->record, &fd_class, fd);
    if (rc >= 0) {
        rc = open_file(channel, fd);
        if (rc < 0) hoya_watch_end(loop, &channel->record);
    }
    if (rc < 0) {
        hoya_ring_unreserve(&loop->ready, 1);
        return rc;
    }
    channel->runnable.class = &runnable_class;
    channel->open = true;
    if (hoya_unlikely(hoya_loop_debugs(loop))) hoya_debug_watched(loop, fd);
    return 0;
}

/* In the child of a fork nobody runs the job, and no lock may be taken. */
static void withdraw(file *f)
{
    bool forked = f->generation != hoya_fork_generation();
    if (!forked && !hoya_job_withdraw(&f->job)) return;
    if (!forked) hoya_inbox_unreserve(f->loop);
    take_back(f);
}

static void end(hoya_channel *channel)
{
    hoya_loop *loop = channel->loop;
    file *f = file_of(channel);
    channel->open = false;
    channel->wants = channel->due = 0;
    hoya_watch_end(loop, &channel->record);
    channel->engine = &hoya_engine_files;
    f->channel = NULL;
    if (f->under_way) withdraw(f);
    disown(f);
    if (!channel->queued) hoya_ring_unreserve(&loop->ready, 1);
    hoya_loop_rearm(loop);
    let_go(channel);
}

static int start(hoya_channel *channel, hoya_channel_want want)
{
    file *f = file_of(channel);
    channel->wants |= (uint8_t)want;
    if (channel->busy || f->under_way) return 0; /* what follows goes on by itself */
    if (f->ready) {
        hoya_channel_soon(channel);
        return 0;
    }
    f->writes = want == HOYA_CHANNEL_OUTPUT;
    int rc = begin_job(f);
    if (rc < 0) channel->wants &= (uint8_t)~want;
    return rc;
}

static void stop(hoya_channel *channel, hoya_channel_want want)
{
    channel->wants &= (uint8_t)~want;
}

static ssize_t send_nothing(hoya_channel *channel, const struct iovec *parts, int count)
{
    (void)channel;
    (void)parts;
    (void)count;
    return 0;
}

const hoya_engine hoya_engine_files = {
    .name = "files", .begin = begin, .end = end, .start = start, .stop = stop, .send = send_nothing};
