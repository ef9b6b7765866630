/* SPDX-License-Identifier: MIT
 *
 * annotations/annotations.c: coroutines as the tools see them: one scenario for each thing that a tool has to be told.
 * Without the telling each of them ends in a false report, or in a crash of the tool's; tests/annotations/compare.sh
 * looks for both.
 */
#include <hoya/coroutine.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

static hoya_stack_pool *pool;

static hoya_coroutine *make(hoya_coroutine_function fn, void *arg)
{
    hoya_coroutine_options options = {.size = sizeof options, .pool = pool};
    hoya_coroutine *co = NULL;
    if (hoya_coroutine_new(fn, arg, &options, &co) < 0) abort();
    return co;
}

static void *check(void *arg, int good)
{
    if (!good) abort();
    return arg;
}

/* ---- AddressSanitizer: where does the stack in use end? -------------------------------------------------- */

static jmp_buf back;
static void (*volatile leave)(jmp_buf, int) = longjmp; /* compilers know too much */

/* Leaves marks around its frames, which nobody takes away when they are jumped over, unless they are known to lie on the
 * stack in use. */
NOINLINE static void leave_by_jump(int depth)
{
    char frame[100];
    char *volatile known = frame; /* as any memory */
    memset(known, depth, sizeof frame);
    if (depth > 0) leave_by_jump(known[50] - 1);
    else leave(back, 1);
}

/* As code that was built without the sanitizer: its frame removes no marks. memset is the sanitizer's, and looks. */
__attribute__((no_sanitize_address)) NOINLINE static int use_it_again(void)
{
    char frame[6000];
    char *volatile known = frame;
    memset(known, 7, sizeof frame);
    return known[3000];
}

static int jump_and_go_on(void *unused)
{
    (void)unused;
    if (setjmp(back) == 0) leave_by_jump(20);
    return use_it_again();
}

static void *jump(void *arg)
{
    return check(arg, jump_and_go_on(NULL) == 7);
}

static void *jump_there(void *arg)
{
    return check(arg, hoya_call_on_thread_stack(jump_and_go_on, NULL) == 7);
}

/* ---- LeakSanitizer: where may pointers be? ----------------------------------------------------------------- */

/* Memory of which only a suspended coroutine's stack knows; checked at the end of the program, before which it does not
 * go on. */
static void *hold(void *arg)
{
    char *volatile memory = malloc(1000);
    hoya_yield(arg, NULL);
    free(memory);
    return NULL;
}

/* ---- ThreadSanitizer: who calls whom, and who holds what? --------------------------------------------------- */

NOINLINE static int yield_deep(int depth)
{
    if (depth == 0) return hoya_yield(NULL, NULL);
    volatile int rc = yield_deep(depth - 1);
    return rc;
}

static void *deep(void *arg)
{
    yield_deep(1000);
    return arg;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* As a toolkit does around its main loop: the lock is the thread's. */
static int unlock_and_lock(void *arg)
{
    (void)arg;
    return pthread_mutex_unlock(&lock) + pthread_mutex_lock(&lock);
}

static void *unlock_there(void *arg)
{
    return check(arg, hoya_call_on_thread_stack(unlock_and_lock, NULL) == 0);
}

/* ---- valgrind: is that a switch, or a large frame? ----------------------------------------------------------- */

static void *count(void *arg)
{
    for (uintptr_t n = 1; hoya_yield((void *)n, NULL) == 0; n++) continue;
    return arg;
}

/* Sends to one whose stack lies beside its own. */
static void *relay(void *arg)
{
    hoya_coroutine **inner = arg;
    char words[3000];
    void *value;
    memset(words, 'x', sizeof words);
    while (hoya_coroutine_send(*inner, NULL, &value) > 0) {
        for (size_t i = 0; i < sizeof words; i++)
            if (words[i] != 'x') abort();
        if (hoya_yield(value, NULL) < 0) break;
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------------ */

static void run(hoya_coroutine_function fn)
{
    hoya_coroutine *co = make(fn, NULL);
    while (hoya_coroutine_send(co, NULL, NULL) > 0) continue;
    hoya_coroutine_free(co);
}

static void run_many(hoya_coroutine_function fn, int count_of_them)
{
    for (int i = 0; i < count_of_them; i++) hoya_coroutine_send(make(fn, NULL), NULL, NULL);
}

static void run_neighbours(void)
{
    for (int order = 0; order < 2; order++) {
        hoya_coroutine *inner = NULL, *outer;
        if (order == 0) inner = make(count, NULL);
        outer = make(relay, &inner);
        if (order == 1) inner = make(count, NULL);
        for (int n = 0; n < 100; n++) hoya_coroutine_send(outer, NULL, NULL);
        hoya_coroutine_free(outer);
        hoya_coroutine_free(inner);
    }
}

int main(int argc, char **argv)
{
    const char *scenario = argc > 1 ? argv[1] : "";
    if (hoya_stack_pool_new(NULL, &pool) < 0) abort();
    if (strcmp(scenario, "jump") == 0) run(jump);
    else if (strcmp(scenario, "jump-there") == 0) run(jump_there);
    else if (strcmp(scenario, "hold") == 0) run_many(hold, 20);
    else if (strcmp(scenario, "deep") == 0) run_many(deep, 1000);
    else if (strcmp(scenario, "unlock-there") == 0) {
        pthread_mutex_lock(&lock);
        run(unlock_there);
        pthread_mutex_unlock(&lock);
    } else if (strcmp(scenario, "neighbours") == 0) run_neighbours();
    else return printf("no such scenario\n");
    printf("%s: fine\n", scenario);
    return 0;
}
