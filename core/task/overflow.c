/* SPDX-License-Identifier: MIT
 *
 * task/overflow.c: whose stack was that? An overflow ends in SIGSEGV at the guard, in every build. In debug mode, and in no
 * other, there is a handler that knows the guard of the fiber that runs: it says a sentence on standard error, puts back
 * the action that was there before, and returns. The fault then comes again, and is that action's: the end of the
 * program, as a rule, or the program's own handler, or a sanitizer's. A fault that is no overflow is passed on.
 *
 * The handler cannot run on the stack that overflowed. It runs on one that a loop's tasks keep for it, which is the thread's
 * alternate stack while one of them runs, unless the thread has one of its own. The signal is taken with the first of
 * those stacks and given back with the last one, if our handler still stands.
 *
 * All in the handler is safe there: it reads what the interrupted thread wrote, and calls write and sigaction.
 */
#include "task/overflow.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/sys.h"

#define HANDLERS_STACK ((size_t)64 << 10) /* a handler that we pass on to may need some */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned users;
static struct sigaction previous;

/* ---- the handler ----------------------------------------------------------------------------------------- */

typedef struct sentence {
    char text[256];
    size_t length;
} sentence;

static void add(sentence *s, const char *words)
{
    while (*words && s->length < sizeof s->text - 1) s->text[s->length++] = *words++;
}

static void add_number(sentence *s, size_t number)
{
    char digits[24], *first = digits + sizeof digits - 1;
    *first = 0;
    do *--first = (char)('0' + number % 10);
    while (number /= 10);
    add(s, first);
}

static void tell(const hoya_fiber *fiber)
{
    sentence s = {.length = 0};
    char name[128] = "";
    strncat(name, fiber->class->name(fiber), sizeof name - 1);
    add(&s, "hoya: the stack of ");
    add(&s, fiber->class->kind);
    add(&s, " ");
    add(&s, name);
    add(&s, " (");
    add_number(&s, hoya_stack_whole_size(fiber->stack) >> 10);
    add(&s, " KiB) overflowed\n");
    ssize_t n = hoya_sys_write(STDERR_FILENO, s.text, s.length);
    (void)n; /* nobody else could be told */
}

static void pass_on(int signum, siginfo_t *info, void *context)
{
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(signum, info, context);
    } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        previous.sa_handler(signum);
    } else {
        hoya_sys_sigaction(signum, &previous, NULL);
        if (info->si_code <= 0) hoya_sys_raise(signum); /* one that was sent does not come again by itself */
    }
}

static void on_fault(int signum, siginfo_t *info, void *context)
{
    int saved = errno;
    const hoya_fiber *fiber = hoya_fiber_running;
    bool sent = info->si_code <= 0; /* by somebody: there is no address */
    if (!sent && fiber && hoya_stack_guard_has(fiber->stack, info->si_addr)) {
        tell(fiber);
        hoya_sys_sigaction(signum, &previous, NULL);
    } else {
        pass_on(signum, info, context);
    }
    errno = saved;
}

/* ---- taken and given back -------------------------------------------------------------------------------- */

static void take_signal(void)
{
    pthread_mutex_lock(&lock);
    if (users++ == 0) {
        struct sigaction ours = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        sigemptyset(&ours.sa_mask);
        hoya_sys_sigaction(SIGSEGV, NULL, &previous); /* known before the first fault can be passed on */
        hoya_sys_sigaction(SIGSEGV, &ours, NULL);
    }
    pthread_mutex_unlock(&lock);
}

static void give_signal_back(void)
{
    struct sigaction now;
    pthread_mutex_lock(&lock);
    if (--users == 0 && hoya_sys_sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_flags & SA_SIGINFO &&
        now.sa_sigaction == on_fault)
        hoya_sys_sigaction(SIGSEGV, &previous, NULL);
    pthread_mutex_unlock(&lock);
}

void hoya_overflow_end(hoya_stack_pool *pool, hoya_stack **handlers)
{
    if (!*handlers) return;
    give_signal_back();
    hoya_stack_release(pool, *handlers);
    *handlers = NULL;
}

/* ---- the thread's alternate stack ------------------------------------------------------------------------ */

/* False if the thread has one already. */
static bool lend(const hoya_stack *handlers)
{
    stack_t now, ours = {.ss_sp = handlers->base, .ss_size = handlers->size};
    return hoya_sys_sigaltstack(NULL, &now) == 0 && now.ss_flags & SS_DISABLE &&
           hoya_sys_sigaltstack(&ours, NULL) == 0;
}

/* Unless what ran has set another one. */
static void take_back(const void *base)
{
    stack_t now, none = {.ss_flags = SS_DISABLE};
    if (hoya_sys_sigaltstack(NULL, &now) == 0 && now.ss_sp == base) hoya_sys_sigaltstack(&none, NULL);
}

int hoya_overflow_resume(hoya_fiber *fiber, hoya_stack **handlers)
{
    if (!*handlers && hoya_stack_take(fiber->pool, HANDLERS_STACK, handlers) == 0) take_signal();
    const void *base = *handlers ? (*handlers)->base : NULL; /* the loop, and so the record, may go meanwhile */
    bool lent = base && lend(*handlers);
    int result = hoya_fiber_resume(fiber, 0);
    if (lent) take_back(base);
    return result;
}
