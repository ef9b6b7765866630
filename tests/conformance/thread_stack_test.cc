/* SPDX-License-Identifier: MIT
 *
 * conformance/thread_stack_test.cc: calls on the thread's own stack, from coroutines and tasks: where they run, who is
 * current in them, and how they nest.
 */
#include "tasks.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace hoya_test
{
namespace
{

/* A lambda that gives an int, called there. */
int Call(std::function<int()> fn)
{
    return hoya_call_on_thread_stack([](void *arg) { return (*static_cast<std::function<int()> *>(arg))(); }, &fn);
}

/* Where the caller's stack is; of a variable a sanitizer may have made something else. */
__attribute__((noinline)) uintptr_t Here()
{
    return reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
}

/* Stacks grow down: `inner` is of a function that `outer` called, and not far away. */
bool IsBelow(uintptr_t inner, uintptr_t outer)
{
    return inner < outer && outer - inner < (64 << 10);
}

/* Needs 200 KiB of stack, and uses all of it. */
__attribute__((noinline)) int Hungry()
{
    volatile char hunger[200 << 10];
    for (size_t i = 0; i < sizeof hunger; i += 512) hunger[i] = char(i / 512);
    int sum = 0;
    for (size_t i = 0; i < sizeof hunger; i += 512) sum += hunger[i] == char(i / 512);
    return sum;
}

/* A coroutine on the smallest stack that there is. */
class Small
{
  public:
    explicit Small(Work work) : work_(std::move(work))
    {
        hoya_coroutine_options options = {};
        options.size = sizeof options;
        options.stack_size = 1;
        auto run = [](void *arg) -> void * {
            (*static_cast<Work *>(arg))();
            return nullptr;
        };
        EXPECT_EQ(hoya_coroutine_new(run, &work_, &options, &co_), 0) << hoya_error_detail();
    }
    ~Small() { hoya_coroutine_free(co_); }
    Small(const Small &) = delete;
    int Go() { return hoya_coroutine_send(co_, nullptr, nullptr); }

  private:
    Work work_;
    hoya_coroutine *co_ = nullptr;
};

} // namespace

/* ---- coroutines ------------------------------------------------------------------------------------------ */

TEST(ThreadStack, ACallFromTheThreadsOwnStackIsAPlainCall)
{
    EXPECT_EQ(Call([] { return 42; }), 42);
    EXPECT_EQ(hoya_call_on_thread_stack(nullptr, nullptr), HOYA_EINVAL);
}

TEST(ThreadStack, ACallFromACoroutineRunsBelowWhereTheThreadLeftItsStack)
{
    uintptr_t there = 0, own = 0;
    Small co([&] {
        own = Here();
        EXPECT_EQ(Call([&] {
                      there = Here();
                      return 7;
                  }),
                  7);
    });
    EXPECT_EQ(co.Go(), 0);
    EXPECT_TRUE(IsBelow(there, Here()));
    EXPECT_FALSE(IsBelow(own, Here()));
    EXPECT_FALSE(IsBelow(there, own));
}

TEST(ThreadStack, WhatNeedsMuchStackNeedsLittleOfTheCoroutines)
{
    Small co([] { EXPECT_EQ(Call(Hungry), 400); });
    EXPECT_EQ(co.Go(), 0);
}

TEST(ThreadStack, NoCoroutineIsCurrentInACall)
{
    Small co([] {
        hoya_coroutine *self = hoya_coroutine_current();
        EXPECT_NE(self, nullptr);
        EXPECT_EQ(Call([=] {
                      EXPECT_EQ(hoya_coroutine_current(), nullptr);
                      EXPECT_EQ(hoya_coroutine_send(self, nullptr, nullptr), HOYA_EBUSY);
                      return hoya_yield(nullptr, nullptr);
                  }),
                  HOYA_ESTATE);
        EXPECT_EQ(hoya_coroutine_current(), self);
        EXPECT_EQ(hoya_yield(nullptr, nullptr), 0) << "it can stop again";
    });
    EXPECT_EQ(co.Go(), 1);
    EXPECT_EQ(co.Go(), 0);
}

TEST(ThreadStack, ACoroutineThatAnotherOneSentToCallsBelowTheThreadAllTheSame)
{
    uintptr_t there = 0;
    Small inner([&] {
        Call([&] {
            there = Here();
            return Hungry();
        });
    });
    Small outer([&] {
        char words[1000];
        memset(words, 'x', sizeof words);
        EXPECT_EQ(inner.Go(), 0);
        EXPECT_EQ(std::count(words, words + sizeof words, 'x'), 1000);
    });
    EXPECT_EQ(outer.Go(), 0);
    EXPECT_TRUE(IsBelow(there, Here()));
}

TEST(ThreadStack, ACallInsideACallLiesBelowIt)
{
    uintptr_t first = 0, second = 0, third = 0;
    Small innermost([&] {
        Call([&] {
            third = Here();
            return Hungry();
        });
    });
    Small inner([&] {
        Call([&] {
            second = Here();
            EXPECT_EQ(innermost.Go(), 0);
            return Hungry();
        });
        hoya_yield(nullptr, nullptr); /* back into the first call, which is still there */
    });
    Small outer([&] {
        EXPECT_EQ(Call([&] {
                      char words[1000];
                      memset(words, 'x', sizeof words);
                      first = Here();
                      EXPECT_EQ(inner.Go(), 1);
                      EXPECT_EQ(std::count(words, words + sizeof words, 'x'), 1000);
                      return 1;
                  }),
                  1);
    });
    EXPECT_EQ(outer.Go(), 0);
    EXPECT_TRUE(IsBelow(first, Here()));
    EXPECT_TRUE(IsBelow(second, first));
    EXPECT_TRUE(IsBelow(third, second));
    EXPECT_EQ(inner.Go(), 0) << "resumed elsewhere";
}

TEST(ThreadStack, OneAfterTheOtherTheyUseTheSamePlace)
{
    uintptr_t places[3] = {};
    Small co([&] {
        for (uintptr_t &place : places) Call([&] { return place = Here(), Hungry(); });
    });
    EXPECT_EQ(co.Go(), 0);
    EXPECT_EQ(places[0], places[1]);
    EXPECT_EQ(places[0], places[2]);
}

TEST(ThreadStack, AnExceptionMayBeThrownAndCaughtInACall)
{
    Small co([] {
        for (int i = 0; i < 3; i++)
            EXPECT_EQ(Call([] {
                          try {
                              char words[300];
                              memset(words, 1, sizeof words);
                              throw std::runtime_error(std::string(words, 3));
                          } catch (const std::exception &error) {
                              return int(strlen(error.what()));
                          }
                      }),
                      3);
        EXPECT_EQ(Call(Hungry), 400);
    });
    EXPECT_EQ(co.Go(), 0);
}

TEST(ThreadStack, ErrnoGoesAndComes)
{
    Small co([] {
        errno = EDOM;
        EXPECT_EQ(Call([] {
                      EXPECT_EQ(errno, EDOM);
                      errno = ERANGE;
                      return 0;
                  }),
                  0);
        EXPECT_EQ(errno, ERANGE);
    });
    EXPECT_EQ(co.Go(), 0);
}

TEST(ThreadStack, EachThreadHasItsOwn)
{
    uintptr_t here = Here();
    std::thread([here] {
        uintptr_t there = 0;
        Small co([&] { Call([&] { return there = Here(), Hungry(); }); });
        EXPECT_EQ(co.Go(), 0);
        EXPECT_TRUE(IsBelow(there, Here()));
        EXPECT_FALSE(IsBelow(there, here));
    }).join();
}

/* ---- tasks ----------------------------------------------------------------------------------------------- */

// Holds: S54
TEST_P(TaskConformance, ACallOnTheThreadsStackHasNoCurrentTask)
{
    Task task = Create(
        [](hoya_task *self) {
            int rc = Call([self] {
                EXPECT_EQ(hoya_current_task(), nullptr);
                EXPECT_EQ(hoya_sleep(0), HOYA_EDEADLK);
                EXPECT_STREQ(hoya_error_detail(), "the caller: what it calls on the thread's stack cannot wait");
                EXPECT_EQ(hoya_wait_done(hoya_task_future(self)), HOYA_EDEADLK);
                EXPECT_EQ(hoya_shield_enter(), HOYA_EDEADLK);
                Small coroutine(
                    [] { EXPECT_EQ(hoya_current_task(), nullptr) << "nor in a coroutine that it runs"; });
                EXPECT_EQ(coroutine.Go(), 0);
                return Hungry();
            });
            EXPECT_EQ(rc, 400);
            EXPECT_EQ(hoya_current_task(), self);
            Small coroutine([self] { EXPECT_EQ(hoya_current_task(), self); });
            EXPECT_EQ(coroutine.Go(), 0);
            return hoya_sleep(0);
        },
        "the caller");
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), 0);
}

TEST_P(TaskConformance, TasksThatWaitBetweenCallsCallFromWhereTheyAreGoneOnWith)
{
    std::vector<Task> tasks;
    std::vector<hoya_future *> all;
    for (int i = 0; i < 3; i++) {
        tasks.push_back(Create([](hoya_task *) {
            for (int k = 0; k < 5; k++) {
                EXPECT_EQ(Call(Hungry), 400);
                EXPECT_EQ(hoya_sleep(0), 0);
            }
            return 0;
        }));
        all.push_back(Of(tasks.back()));
    }
    RunUntilDone(all);
}

/* ---- dialogs --------------------------------------------------------------------------------------------- */

// Holds: F1
TEST_P(NestingTaskConformance, ADialogOnTheThreadsStackLetsAllOthersGoOn)
{
    int steps = 0;
    bool open = true;
    Task other = Create([&](hoya_task *) {
        while (open) {
            EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
            steps++;
        }
        return 0;
    });
    Task dialog = Create([&](hoya_task *self) {
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(Call([&] {
                      host->CallOnce([] {
                          EXPECT_EQ(hoya_current_task(), nullptr);
                          EXPECT_EQ(hoya_sleep(0), HOYA_EDEADLK);
                      });
                      return int(host->RunNestedUntil([&] { return steps >= 20; }));
                  }),
                  1);
        open = false;
        EXPECT_EQ(hoya_current_task(), self);
        return hoya_sleep(HOYA_MSEC(1));
    });
    RunUntilDone({Of(other), Of(dialog)});
    EXPECT_EQ(Result(dialog), 0);
}

TEST_P(NestingTaskConformance, DialogsOfTwoTasksLieBelowEachOtherAndEndTheLastOneFirst)
{
    uintptr_t first = 0, second = 0;
    bool second_opened = false, first_may_end = false, second_may_end = false;
    Task outer = Create([&](hoya_task *) {
        EXPECT_EQ(Call([&] {
                      first = Here();
                      char words[1000];
                      memset(words, 'x', sizeof words);
                      EXPECT_TRUE(host->RunNestedUntil([&] { return first_may_end; }));
                      EXPECT_EQ(std::count(words, words + sizeof words, 'x'), 1000);
                      Note("first");
                      return 1;
                  }),
                  1);
        return 0;
    });
    Task inner = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0) << "until the first one is open";
        EXPECT_EQ(Call([&] {
                      second = Here();
                      second_opened = true;
                      EXPECT_TRUE(host->RunNestedUntil([&] { return second_may_end; }));
                      Note("second");
                      return Hungry();
                  }),
                  400);
        return 0;
    });
    Task third = Create([&](hoya_task *) {
        while (!second_opened) EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        first_may_end = true;
        for (int i = 0; i < 3; i++) EXPECT_EQ(Call(Hungry), 400);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(2)), 0);
        second_may_end = true;
        return 0;
    });
    RunUntilDone({Of(outer), Of(inner), Of(third)});
    EXPECT_EQ(trace, (Trace{"second", "first"}));
    EXPECT_LT(second, first) << "below";
    EXPECT_LT(first - second, size_t(1) << 20);
}

TEST_P(NestingTaskConformance, ATaskThatIsGoneOnWithOnAnotherTasksStackCallsOnTheThreads)
{
    uintptr_t others = 0, there = 0, place = 0;
    bool called = false;
    CallSoon([&] { place = Here(); });
    Task dialog = Create([&](hoya_task *) {
        others = Here();
        EXPECT_TRUE(host->RunNestedUntil([&] { return called; })) << "on its own stack";
        return 0;
    });
    Task caller = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        EXPECT_EQ(Call([&] {
                      there = Here();
                      return Hungry();
                  }),
                  400);
        called = true;
        return 0;
    });
    RunUntilDone({Of(dialog), Of(caller)});
    EXPECT_FALSE(IsBelow(there, others));
    EXPECT_LT(std::max(there, place) - std::min(there, place), size_t(1) << 20) << "where callbacks are";
}

TEST_P(NestingTaskConformance, ACancelWaitsUntilTheCallIsOver)
{
    bool cancelled = false;
    Task task = Create([&](hoya_task *) {
        CallLater(HOYA_MSEC(1), [&] {
            EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
            cancelled = true;
        });
        EXPECT_EQ(Call([&] { return int(host->RunNestedUntil([&] { return cancelled; })); }), 1);
        Note("undisturbed");
        return hoya_sleep(0);
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), HOYA_ECANCELED);
    EXPECT_EQ(trace, Trace{"undisturbed"});
}

} // namespace hoya_test
