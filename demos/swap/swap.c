/* SPDX-License-Identifier: MIT
 *
 * swap: one program, run in one process under every policy that this build has: in hoya's own loop, then as a guest of
 * GLib, of libuv, and so on. Each run writes a trace, a line a callback. The first one is printed, and every other one
 * has to be the same, line by line.
 *
 *     demo-swap        exit code 0: all the same; 1: somewhere they differ, or something failed
 *
 * Read it from top to bottom: how a trace is written, then the program in ten chapters, then main, where the swap is
 * one line.
 *
 * The order is promised (statement 161) except among different descriptors that one look finds ready, and between
 * things that a slow machine may find due together or one by one. So the program never depends on those: one
 * descriptor is ready at a time, timers that lie apart schedule nothing while another one is to come, and threads post
 * when they were told to.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hosts/hosts.h"

/* ---- the trace --------------------------------------------------------------------------------------------- */

enum { MOST_LINES = 512, LINE_SIZE = 96 };

typedef struct trace {
    int count;
    char lines[MOST_LINES][LINE_SIZE];
} trace;

static trace *current;  /* that of the run under way */
static hoya_loop *loop; /* and its loop: the policy's, borrowed */

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "swap: cannot %s: %s\n", what, why);
    exit(1);
}

/* For what is not the subject here: it has to succeed. */
static void must(const char *what, int rc)
{
    if (rc < 0) fail(what, hoya_error_detail()[0] ? hoya_error_detail() : hoya_strerror(rc));
}

HOYA_PRINTF(1, 2) static void note(const char *format, ...)
{
    va_list arguments;

    if (current->count == MOST_LINES) fail("write the trace", "it has too many lines");
    va_start(arguments, format);
    vsnprintf(current->lines[current->count++], LINE_SIZE, format, arguments);
    va_end(arguments);
}

/* What a call answered is part of the trace. */
static void answer(const char *call, int rc)
{
    if (rc < 0) note("    %s: %s", call, hoya_error_name(rc));
    else note("    %s: %d", call, rc);
}

/* ---- callbacks that every chapter uses; their argument is the word that they write ------------------------- */

static void say(void *word)
{
    note("  %s", (const char *)word);
}

static void gone(void *word) /* a destroy function */
{
    note("  (%s destroyed)", (const char *)word);
}

static void say_and_stop(void *word)
{
    say(word);
    must("stop", hoya_loop_stop(loop));
}

static void soon(hoya_callback fn, void *word)
{
    must("call soon", hoya_loop_call_soon(loop, fn, word));
}

static void soon_owned(hoya_callback fn, void *word, hoya_handle **handle)
{
    must("call soon", hoya_loop_call_soon_full(loop, fn, word, gone, handle));
}

static void later(int64_t delay, hoya_callback fn, void *word)
{
    must("call later", hoya_loop_call_later(loop, delay, fn, word, NULL, NULL));
}

static void at(int64_t when, hoya_callback fn, void *word)
{
    must("call at a time", hoya_loop_call_at(loop, when, fn, word, NULL, NULL));
}

static void at_owned(int64_t when, hoya_callback fn, void *word, hoya_handle **handle)
{
    must("call at a time", hoya_loop_call_at(loop, when, fn, word, gone, handle));
}

static void run(void)
{
    answer("run_forever", hoya_loop_run_forever(loop));
}

/* ---- 1. the queue: first in, first out; what a callback schedules comes a round later ---------------------- */

static void child(void *word)
{
    say(word);
    soon(say_and_stop, "grandchild");
}

static void parent(void *word)
{
    say(word);
    soon(child, "child");
    soon(say, "its brother");
}

static void queue(void)
{
    soon(say, "one");
    soon(parent, "parent");
    soon_owned(say, "three", NULL);
    run();
}

/* ---- 2. timers: by deadline, ties as they were added; one of delay 0 comes after what was queued ----------- */

static void due(void *word)
{
    say(word);
    later(0, say_and_stop, "a timer of the timer's");
    soon(say, "queued after that, runs before it");
}

static void timers(void)
{
    later(0, say_and_stop, "no delay");
    later(HOYA_SEC(-5), say, "less than no delay");
    soon(say, "queued");
    run();

    int64_t t = hoya_loop_time(loop) + HOYA_MSEC(2);
    at(t + HOYA_MSEC(2), due, "the last");
    at(t, say, "tie 1");
    at(t, say, "tie 2");
    at(t - HOYA_MSEC(1), say, "the first");
    at(t, say, "tie 3");
    run();
}

/* ---- 3. cancel: before the run, in the same round, by itself ----------------------------------------------- */

static hoya_handle *victim;

static void cancel_victim(void *word)
{
    say(word);
    answer("cancel", hoya_handle_cancel(victim));
    answer("cancel again", hoya_handle_cancel(victim));
    answer("cancelled", hoya_handle_cancelled(victim));
}

static void forget_victim(void)
{
    hoya_handle_unref(victim);
    victim = NULL;
}

static void cancels(void)
{
    soon_owned(say, "too early to run", &victim);
    cancel_victim("cancelled before the run");
    forget_victim();

    soon_owned(cancel_victim, "the one before cancels the next", NULL);
    soon_owned(say, "the next", &victim);
    soon(say_and_stop, "the one after");
    run();
    forget_victim();

    int64_t t = hoya_loop_time(loop) + HOYA_MSEC(1);
    at_owned(t, cancel_victim, "a timer cancels another one, due at the same time", NULL);
    at_owned(t, say, "the other timer", &victim);
    at(t, say_and_stop, "the timer after");
    run();
    forget_victim();

    soon_owned(cancel_victim, "too late: it runs already", &victim);
    soon(say_and_stop, "nobody minds");
    run();
    forget_victim();
}

/* ---- 4. descriptors: a ball goes to and fro; of one descriptor the reader comes before the writer ---------- */

static int ends[2];
static int hits;

static void open_pair(void)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        fail("open a socket pair", strerror(errno));
}

static void close_pair(void)
{
    close(ends[0]);
    close(ends[1]);
}

static void throw_to(int other)
{
    if (write(ends[!other], "o", 1) != 1) fail("write", strerror(errno));
}

static const char *flags(uint32_t events)
{
    static char text[16];

    snprintf(text, sizeof text, "%s%s%s", events & HOYA_IN ? " in" : "", events & HOYA_OUT ? " out" : "",
             events & HOYA_HUP ? " hup" : "");
    return text;
}

static void on_ball(hoya_fd fd, uint32_t events, void *player)
{
    char ball;
    int side = fd == ends[1];

    note("  %s has the ball:%s, %d read", (const char *)player, flags(events), (int)read(fd, &ball, 1));
    if (++hits < 6) throw_to(!side);
    else must("stop", hoya_loop_stop(loop));
}

static void on_readable(hoya_fd fd, uint32_t events, void *word)
{
    note("  %s:%s", (const char *)word, flags(events));
    answer("remove_reader", hoya_loop_remove_reader(loop, fd));
}

static void on_writable(hoya_fd fd, uint32_t events, void *word)
{
    note("  %s:%s", (const char *)word, flags(events));
    answer("remove_writer", hoya_loop_remove_writer(loop, fd));
    must("stop", hoya_loop_stop(loop));
}

static void on_readable_alone(hoya_fd fd, uint32_t events, void *word)
{
    on_readable(fd, events, word);
    answer("remove_writer, which would be next", hoya_loop_remove_writer(loop, fd));
    must("stop", hoya_loop_stop(loop));
}

static void descriptors(void)
{
    open_pair();
    hits = 0;
    must("add a reader", hoya_loop_add_reader(loop, ends[0], on_ball, "Ann", gone));
    must("add a reader", hoya_loop_add_reader(loop, ends[1], on_ball, "Ben", gone));
    throw_to(0);
    run();
    answer("remove_reader of Ann", hoya_loop_remove_reader(loop, ends[0]));
    answer("remove_reader of Ben", hoya_loop_remove_reader(loop, ends[1]));

    throw_to(0);
    must("add a writer", hoya_loop_add_writer(loop, ends[0], on_writable, "writer, added first", gone));
    must("add a reader", hoya_loop_add_reader(loop, ends[0], on_readable, "reader, added second", gone));
    run();

    must("add a writer", hoya_loop_add_writer(loop, ends[0], on_writable, "writer", gone));
    must("add a reader", hoya_loop_add_reader(loop, ends[0], on_readable_alone, "reader", gone));
    run();
    close_pair();

    open_pair();
    must("add a reader", hoya_loop_add_reader(loop, ends[0], on_readable_alone, "the end of the stream", gone));
    close(ends[1]);
    run();
    close(ends[0]);
}

/* ---- 5. everything at once: a chain that never pauses lets descriptors and timers in, where they belong ---- */

static int links;

static void on_fed(hoya_fd fd, uint32_t events, void *word)
{
    char byte;

    note("  %s:%s, %d read", (const char *)word, flags(events), (int)read(fd, &byte, 1));
    soon(say, "queued by the reader");
}

static void chain(void *word)
{
    note("  link %d", ++links);
    if (links == 3) {
        throw_to(0);
        later(0, say, "timer, set at link 3");
        soon(say, "queued at link 3");
    }
    if (links < 6) soon(chain, word);
    else must("stop", hoya_loop_stop(loop));
}

static void mixture(void)
{
    open_pair();
    links = 0;
    must("add a reader", hoya_loop_add_reader(loop, ends[0], on_fed, "reader, fed at link 3", gone));
    soon(chain, NULL);
    run();
    answer("remove_reader", hoya_loop_remove_reader(loop, ends[0]));
    close_pair();
}

/* ---- 6. other threads: what they post is in line; a loop that has nothing to do is woken ------------------- */

static sem_t your_turn;

static void post(hoya_callback fn, void *word)
{
    must("post", hoya_loop_call_soon_threadsafe(loop, fn, word, gone, NULL));
}

static void *post_three(void *unused)
{
    hoya_threadsafe_handle *handle;

    post(say, "post 1");
    must("post", hoya_loop_call_soon_threadsafe(loop, say, "post 2", gone, &handle));
    post(say, "post 3");
    answer("cancel of post 2, by its thread", hoya_threadsafe_handle_cancel(handle));
    hoya_threadsafe_handle_unref(handle);
    answer("call_soon, by the thread", hoya_loop_call_soon(loop, say, "never"));
    return unused;
}

static void start(pthread_t *thread, void *(*body)(void *))
{
    int rc = pthread_create(thread, NULL, body, NULL);
    if (rc != 0) fail("start a thread", strerror(rc));
}

/* The thread has ended when this returns: what it posted lies there. */
static void let_a_thread_post(void *word)
{
    pthread_t thread;

    say(word);
    soon(say, "queued before the thread began");
    start(&thread, post_three);
    pthread_join(thread, NULL);
    soon(say, "queued after the thread ended");
    post(say, "posted by the loop's own thread");
    later(0, say_and_stop, "a timer");
}

static void wake_thread(void *word)
{
    say(word);
    sem_post(&your_turn); /* and now the loop has nothing to do */
}

static void *answer_thrice(void *unused)
{
    static char *const words[] = {"answer 1", "answer 2", "answer 3"};

    for (int i = 0; i < 3; i++) {
        while (sem_wait(&your_turn) < 0) continue; /* a signal */
        post(i < 2 ? wake_thread : say_and_stop, words[i]);
    }
    return unused;
}

static void threads(void)
{
    pthread_t thread;

    soon(let_a_thread_post, "the loop waits for a thread");
    run();

    sem_init(&your_turn, 0, 0);
    start(&thread, answer_thrice);
    soon(wake_thread, "a question");
    run();
    pthread_join(thread, NULL);
    sem_destroy(&your_turn);
}

/* ---- 7. stop and abort: the round ends or is left; nothing is lost ----------------------------------------- */

static void stop_and_schedule(void *word)
{
    say_and_stop(word);
    soon(say, "scheduled in the round that stops, waits for the next run");
}

static void abort_run(void *word)
{
    say(word);
    must("abort", hoya_loop_abort(loop, HOYA_ECANCELED));
}

static void stops(void)
{
    soon(stop_and_schedule, "stop");
    soon(say, "still in this round");
    later(0, say, "this timer too");
    run();
    soon(say_and_stop, "stop again");
    run();

    answer("stop before the run", hoya_loop_stop(loop));
    soon(parent, "one round and no more");
    run();
    answer("run_once", hoya_loop_run_once(loop, HOYA_NOW));
    run(); /* the grandchild ends it */

    soon(say, "before the abort");
    soon(abort_run, "abort");
    soon(say, "not before the next run");
    run();
    soon(say_and_stop, "after it");
    run();
}

/* ---- 8. signals: callbacks like all others ----------------------------------------------------------------- */

static void on_signal(int signum, void *word)
{
    note("  %s: %s", (const char *)word, signum == SIGUSR1 ? "SIGUSR1" : "another one");
    must("stop", hoya_loop_stop(loop));
}

static void raise_twice(void *word)
{
    say(word);
    raise(SIGUSR1);
    raise(SIGUSR1);
    say("it raised them, and nothing ran meanwhile");
}

static void signals(void)
{
    must("handle a signal", hoya_loop_add_signal_handler(loop, SIGUSR1, on_signal, "signal handler", gone));
    answer("add_signal_handler again",
           hoya_loop_add_signal_handler(loop, SIGUSR1, on_signal, "a second one", gone));
    soon(raise_twice, "a callback raises two signals");
    run();
    answer("remove_signal_handler", hoya_loop_remove_signal_handler(loop, SIGUSR1));
    answer("remove_signal_handler", hoya_loop_remove_signal_handler(loop, SIGUSR1));
}

/* ---- 9. mistakes: each is answered with a code, and a refused argument is destroyed ------------------------ */

static void run_inside(void *word)
{
    hoya_loop *other, *got;

    say(word);
    answer("run_forever inside it", hoya_loop_run_forever(loop));
    answer("close inside it", hoya_loop_close(loop));
    must("make another loop", hoya_new_event_loop(&other));
    answer("run_forever of another loop", hoya_loop_run_forever(other));
    hoya_loop_unref(other);
    must("get the loop", hoya_get_event_loop(&got));
    note("    get_event_loop: %s", got == loop ? "this one" : "another one");
    must("stop", hoya_loop_stop(loop));
}

static void mistakes(void)
{
    open_pair();
    must("add a reader", hoya_loop_add_reader(loop, ends[0], on_readable, "first reader", gone));
    answer("add_reader again", hoya_loop_add_reader(loop, ends[0], on_readable, "second reader", gone));
    answer("replace_reader", hoya_loop_replace_reader(loop, ends[0], on_readable, "third reader", gone));
    answer("remove_writer, but there is none", hoya_loop_remove_writer(loop, ends[0]));
    answer("remove_reader", hoya_loop_remove_reader(loop, ends[0]));
    answer("remove_reader again", hoya_loop_remove_reader(loop, ends[0]));
    close_pair();
    answer("add_reader of no descriptor", hoya_loop_add_reader(loop, -1, on_readable, "reader of -1", gone));
    answer("abort without a run", hoya_loop_abort(loop, HOYA_ECANCELED));
    answer("handle SIGKILL", hoya_loop_add_signal_handler(loop, SIGKILL, on_signal, "SIGKILL handler", gone));
    soon(run_inside, "a run");
    run();
}

/* ---- 10. close: what is pending is dropped, each argument destroyed once; then calls say "closed" ---- */

static void pending_at_close(void)
{
    hoya_loop *none;

    open_pair();
    soon_owned(say, "pending callback", NULL);
    at_owned(hoya_loop_time(loop) + HOYA_SEC(3600), say, "timer in an hour", NULL);
    post(say, "pending post");
    must("add a reader", hoya_loop_add_reader(loop, ends[0], on_readable, "pending reader", gone));
    must("add a writer", hoya_loop_add_writer(loop, ends[0], on_writable, "pending writer", gone));
    must("handle a signal", hoya_loop_add_signal_handler(loop, SIGUSR1, on_signal, "pending signal handler", gone));

    note("    is_closed: %d", hoya_loop_is_closed(loop));
    answer("close", hoya_loop_close(loop));
    note("    is_closed: %d", hoya_loop_is_closed(loop));
    answer("close again", hoya_loop_close(loop));

    answer("call_soon", hoya_loop_call_soon_full(loop, say, "late callback", gone, NULL));
    answer("call_later", hoya_loop_call_later(loop, 0, say, "late timer", gone, NULL));
    answer("call_soon_threadsafe", hoya_loop_call_soon_threadsafe(loop, say, "late post", gone, NULL));
    answer("add_reader", hoya_loop_add_reader(loop, ends[0], on_readable, "late reader", gone));
    answer("remove_reader", hoya_loop_remove_reader(loop, ends[0]));
    answer("stop", hoya_loop_stop(loop));
    run();
    close_pair();

    must("let the loop go", hoya_set_event_loop(NULL)); /* the policy had the last reference */
    loop = NULL;
    answer("get_event_loop", hoya_get_event_loop(&none));
}

/* ---- the program -------------------------------------------------------------------------------------------- */

static const struct {
    const char *title;
    void (*play)(void);
} chapters[] = {
    {"the queue", queue},    {"timers", timers},          {"cancel", cancels}, {"descriptors", descriptors},
    {"everything", mixture}, {"other threads", threads},  {"stop", stops},     {"signals", signals},
    {"mistakes", mistakes},  {"close", pending_at_close},
};

static void run_under(const demo_host *host, trace *written)
{
    must("set the policy", hoya_set_event_loop_policy(host->policy())); /* this line is the whole difference */
    must("get the loop", hoya_get_event_loop(&loop));
    if (strcmp(hoya_loop_host_name(loop), host->name) != 0) fail("swap", "the policy made a loop of another host");

    current = written;
    for (size_t i = 0; i < sizeof chapters / sizeof *chapters; i++) {
        note("%zu. %s", i + 1, chapters[i].title);
        chapters[i].play();
    }
}

/* Says where they differ first, if they do. */
static bool compare(const char *name, const trace *first, const trace *other)
{
    int i = 0;

    while (i < first->count && i < other->count && strcmp(first->lines[i], other->lines[i]) == 0) i++;
    if (i == first->count && i == other->count) {
        printf("%-8s equal\n", name);
        return true;
    }
    printf("%-8s differs in line %d\n", name, i + 1);
    printf("         %-8s |%s\n", demo_hosts[0]->name, i < first->count ? first->lines[i] : "");
    printf("         %-8s |%s\n", name, i < other->count ? other->lines[i] : "");
    return false;
}

int main(void)
{
    static trace first, other;
    bool same = true;

    run_under(demo_hosts[0], &first);
    for (int i = 0; i < first.count; i++) puts(first.lines[i]);
    printf("\n%-8s %d lines, those above\n", demo_hosts[0]->name, first.count);

    for (int i = 1; demo_hosts[i] != NULL; i++) {
        other.count = 0;
        run_under(demo_hosts[i], &other);
        same &= compare(demo_hosts[i]->name, &first, &other);
    }
    return same ? 0 : 1;
}
