/* SPDX-License-Identifier: MIT
 *
 * switch/switch.c: the switch itself, in C and without a test framework: registers, control words, alignment, the end of a
 * backtrace. Runs natively, under valgrind, in gdb, and for aarch64 in an emulator.
 */
#include <fenv.h>
#include <hoya/coroutine.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "task/context.h"

/* registers_*.S: fills each register that a function must keep from `seed` on, switches, and counts those that came back
 * with something else. */
uint64_t registers_lost(hoya_context *from, hoya_context *to, uint64_t seed);

/* For breakpoints. */
__attribute__((noinline)) void stop_here(void);
__attribute__((noinline)) void stop_there(void);

static int failures;
#define CHECK(condition) ((condition) ? (void)0 : (void)(failures++, printf("line %d: %s\n", __LINE__, #condition)))

#define SIZE 65536
static _Alignas(64) char stacks[2][SIZE];
static hoya_context home, away, other;

/* ---- registers -------------------------------------------------------------------------------------------- */

static uint64_t lost;

static void fill_others(void *seed)
{
    for (uint64_t n = (uintptr_t)seed;; n += 1000) lost += registers_lost(&away, &home, n);
}

static void test_registers(void)
{
    hoya_context_make(&away, stacks[0], SIZE, fill_others, (void *)(uintptr_t)7);
    for (uint64_t n = 1; n < 1000; n++) lost += registers_lost(&home, &away, n << 32);
    CHECK(lost == 0);
}

/* ---- where a context begins -------------------------------------------------------------------------------- */

static void *begun_with;
static uintptr_t frame;

static void begin(void *arg)
{
    _Alignas(16) char aligned[16];
    begun_with = arg;
    frame = (uintptr_t)memset(aligned, 1, sizeof aligned);
    for (;;) hoya_context_switch(&away, &home, 0);
}

static void test_begin(void)
{
    for (size_t odd = 0; odd < 16; odd += 5) { /* a stack need not end at a good place */
        hoya_context_make(&away, stacks[0], SIZE - odd, begin, &odd);
        hoya_context_switch(&home, &away, 0);
        CHECK(begun_with == &odd);
        CHECK(frame % 16 == 0);
        CHECK(frame > (uintptr_t)stacks[0] && frame < (uintptr_t)stacks[0] + SIZE);
    }
}

/* ---- floating point ---------------------------------------------------------------------------------------- */

static volatile double one = 1, three = 3;
static int seen[3];
static double quotient[3]; /* beside fegetround, which on x86-64 asks another unit than the one that divides */

static void upward(void *unused)
{
    (void)unused;
    seen[0] = fegetround();
    fesetround(FE_UPWARD);
    hoya_context_switch(&away, &other, 0);
    seen[1] = fegetround();
    quotient[1] = one / three;
    for (;;) hoya_context_switch(&away, &home, 0);
}

static void downward(void *unused)
{
    (void)unused;
    fesetround(FE_DOWNWARD);
    quotient[2] = one / three;
    for (;;) hoya_context_switch(&other, &away, 0);
}

static void test_rounding(void)
{
    fesetround(FE_TOWARDZERO);
    hoya_context_make(&away, stacks[0], SIZE, upward, NULL);
    hoya_context_make(&other, stacks[1], SIZE, downward, NULL);
    fesetround(FE_TONEAREST);
    hoya_context_switch(&home, &away, 0);
    CHECK(seen[0] == FE_TOWARDZERO); /* as it was when the context was made */
    CHECK(seen[1] == FE_UPWARD);
    CHECK(fegetround() == FE_TONEAREST);
    CHECK(quotient[1] > quotient[2]);
}

/* ---- coroutines ------------------------------------------------------------------------------------------- */

void stop_here(void)
{
    __asm__ volatile("");
}

static void *count(void *arg)
{
    stop_here();
    for (uintptr_t n = 1; hoya_yield((void *)n, NULL) == 0; n++) continue;
    return arg;
}

/* Its frame lies above the stack of the one that it sends to, in the same slab: what it holds must stay. */
static void *relay(void *arg)
{
    hoya_coroutine **inner = arg;
    char words[3000];
    void *value;
    memset(words, 'x', sizeof words);
    while (hoya_coroutine_send(*inner, NULL, &value) > 0) {
        for (size_t i = 0; i < sizeof words; i++) CHECK(words[i] == 'x');
        if (hoya_yield(value, NULL) < 0) break;
    }
    return NULL;
}

static void test_coroutines(void)
{
    hoya_stack_pool *pool;
    hoya_coroutine *inner, *outer;
    void *value = NULL;
    CHECK(hoya_stack_pool_new(NULL, &pool) == 0);
    hoya_coroutine_options options = {.size = sizeof options, .pool = pool};
    for (int order = 0; order < 2; order++) { /* the sender's stack above the other one, and below it */
        if (order == 0) CHECK(hoya_coroutine_new(count, NULL, &options, &inner) == 0);
        CHECK(hoya_coroutine_new(relay, &inner, &options, &outer) == 0);
        if (order == 1) CHECK(hoya_coroutine_new(count, NULL, &options, &inner) == 0);
        for (uintptr_t n = 1; n < 100; n++)
            CHECK(hoya_coroutine_send(outer, NULL, &value) == 1 && (uintptr_t)value == n);
        hoya_coroutine_free(outer);
        hoya_coroutine_free(inner);
    }
    hoya_stack_pool_unref(pool);
}

/* ---- calls on the thread's stack --------------------------------------------------------------------------- */

void stop_there(void)
{
    __asm__ volatile("");
}

static volatile double quarter = 0.25;
static uintptr_t places[3];

/* Fills more of the stack than the caller has. */
static int visit(void *arg)
{
    _Alignas(16) char much[3 * SIZE];
    uintptr_t *place = arg;
    stop_there();
    *place = (uintptr_t)memset(much, 'y', sizeof much);
    return quarter * 4 == 1 ? (int)(unsigned char)much[sizeof much - 1] : -1;
}

static void *visitor(void *arg)
{
    char words[1000];
    memset(words, 'z', sizeof words);
    for (int i = 0; i < 3; i++) {
        CHECK(hoya_call_on_thread_stack(visit, &places[i]) == 'y');
        for (size_t k = 0; k < sizeof words; k++) CHECK(words[k] == 'z');
        hoya_yield(NULL, NULL);
    }
    return arg;
}

static void test_calls(void)
{
    hoya_coroutine_options options = {.size = sizeof options, .stack_size = 1};
    hoya_coroutine *co;
    char words[1000];
    memset(words, 'w', sizeof words);
    CHECK(hoya_coroutine_new(visitor, NULL, &options, &co) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(hoya_coroutine_send(co, NULL, NULL) == 1);
        for (size_t k = 0; k < sizeof words; k++) CHECK(words[k] == 'w');
    }
    CHECK(places[0] % 16 == 0 && places[1] == places[2]); /* the first send is another way than the later ones */
    CHECK(places[0] < (uintptr_t)words && (uintptr_t)words - places[0] < 4 * SIZE);
    hoya_coroutine_free(co);
}

/* With an argument only the coroutines: valgrind knows no other stacks, and does not round. */
int main(int argc, char **argv)
{
    (void)argv;
    if (argc == 1) {
        test_registers();
        test_begin();
        test_rounding();
    }
    test_coroutines();
    test_calls();
    if (failures == 0) printf("the switch keeps what it has to\n");
    return failures != 0;
}
