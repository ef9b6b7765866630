/* SPDX-License-Identifier: MIT
 *
 * conformance/coroutine_test.cc: coroutines without a loop, as Python's generators behave. Nothing here depends on a host.
 */
#include <gtest/gtest.h>

#include <atomic>
#include <cfenv>
#include <csignal>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/time.h>

#include <hoya/hoya.h>

namespace
{

/* A coroutine whose body is a lambda: [](auto yield) { ... } is what `def` is in Python. */
using Body = std::function<void *()>;

struct Coroutine {
    Body body;
    hoya_coroutine *co = nullptr;

    explicit Coroutine(Body function, hoya_stack_pool *pool = nullptr, const char *name = nullptr)
        : body(std::move(function))
    {
        hoya_coroutine_options options{sizeof options, 0, name, pool};
        EXPECT_EQ(hoya_coroutine_new([](void *arg) { return (*static_cast<Body *>(arg))(); }, &body, &options, &co),
                  0)
            << hoya_error_detail();
    }
    Coroutine(const Coroutine &) = delete;
    ~Coroutine() { hoya_coroutine_free(co); }

    int Send(void *value, void **yielded = nullptr) { return hoya_coroutine_send(co, value, yielded); }
    int Next(void **yielded = nullptr) { return Send(nullptr, yielded); }
    hoya_coroutine_state State() { return hoya_coroutine_get_state(co); }
};

struct Pool {
    hoya_stack_pool *pool = nullptr;
    Pool() { EXPECT_EQ(hoya_stack_pool_new(nullptr, &pool), 0); }
    ~Pool() { hoya_stack_pool_unref(pool); }
    operator hoya_stack_pool *() const { return pool; }
};

void *pointer(intptr_t n)
{
    return reinterpret_cast<void *>(n);
}

intptr_t number(void *value)
{
    return reinterpret_cast<intptr_t>(value);
}

int yield(const char *text)
{
    return hoya_yield(const_cast<char *>(text), nullptr);
}

} // namespace

/* def coro(times):            g = coro(10)
 *     while times:            next(g)        -> 10
 *         times = yield times g.send(20)     -> 20
 */
TEST(Coroutine, TheTalksCoroGetsWhatItIsSent)
{
    Coroutine g([] {
        void *times = pointer(10);
        while (times && hoya_yield(times, &times) == 0) {
        }
        return nullptr;
    });
    void *value = nullptr;
    EXPECT_EQ(g.Next(&value), 1);
    EXPECT_EQ(number(value), 10);
    EXPECT_EQ(g.Send(pointer(20), &value), 1);
    EXPECT_EQ(number(value), 20);
    EXPECT_EQ(g.Send(nullptr, &value), 0) << "times is 0: the end";
    EXPECT_EQ(value, nullptr);
}

/* def fixture():                        A future that is not done is yielded; one that is done is not: `yield from`
 *     yield 'A'                         goes on at once.
 *     x = yield from f
 *     yield 'B', x
 *     y = yield from f
 *     yield 'C', y
 */
TEST(Coroutine, TheTalksFixtureDoesNotSuspendOnAFutureThatIsDone)
{
    struct Future {
        bool done = false;
        int result = 0;
        int Await()
        {
            if (!done) hoya_yield(this, nullptr);
            return result;
        }
    } f;
    std::string shown;
    Coroutine g([&] {
        yield("A");
        std::string b = "B" + std::to_string(f.Await());
        yield(b.c_str());
        std::string c = "C" + std::to_string(f.Await());
        yield(c.c_str());
        return nullptr;
    });
    void *value = nullptr;
    EXPECT_EQ(g.Next(&value), 1);
    EXPECT_STREQ(static_cast<char *>(value), "A");
    EXPECT_EQ(g.Next(&value), 1);
    EXPECT_EQ(value, &f);
    f.done = true;
    f.result = 42;
    EXPECT_EQ(g.Next(&value), 1);
    EXPECT_STREQ(static_cast<char *>(value), "B42");
    EXPECT_EQ(g.Next(&value), 1);
    EXPECT_STREQ(static_cast<char *>(value), "C42");
    EXPECT_EQ(g.Next(&value), 0);
}

/* def gen():          gen() prints nothing; next -> 1; next prints "stop", StopIteration(2)
 *     yield 1
 *     print('stop')
 *     return 2
 */
TEST(Coroutine, DoesNotStartBeforeTheFirstSendAndEndsWithAValue)
{
    std::string shown;
    Coroutine g([&] {
        shown += "start ";
        hoya_yield(pointer(1), nullptr);
        shown += "stop";
        return pointer(2);
    });
    EXPECT_EQ(shown, "");
    EXPECT_EQ(g.State(), HOYA_COROUTINE_CREATED);
    void *value = nullptr;
    EXPECT_EQ(g.Next(&value), 1);
    EXPECT_EQ(number(value), 1);
    EXPECT_EQ(g.State(), HOYA_COROUTINE_SUSPENDED);
    EXPECT_EQ(g.Next(&value), 0);
    EXPECT_EQ(number(value), 2);
    EXPECT_EQ(shown, "start stop");
    EXPECT_EQ(g.State(), HOYA_COROUTINE_CLOSED);
}

TEST(Coroutine, AResumeAfterTheEndIsAnErrorThatNamesIt)
{
    Coroutine g([] { return nullptr; }, nullptr, "short story");
    EXPECT_EQ(g.Next(), 0);
    void *value = &g;
    EXPECT_EQ(g.Next(&value), HOYA_ESTATE);
    EXPECT_EQ(value, &g) << "outputs stay untouched";
    EXPECT_NE(strstr(hoya_error_detail(), "short story"), nullptr) << hoya_error_detail();
    EXPECT_STREQ(hoya_coroutine_name(g.co), "short story");
}

TEST(Coroutine, AValueForOneThatHasNotStartedIsRefusedAsInPython)
{
    Coroutine g([] { return nullptr; });
    EXPECT_EQ(g.Send(&g), HOYA_EINVAL);
    EXPECT_EQ(g.State(), HOYA_COROUTINE_CREATED);
    EXPECT_EQ(g.Next(), 0);
}

/* wrapper: print("enter wrapper"); yield from producer(); print("exit wrapper"): delegation is a call. */
TEST(Coroutine, YieldFromIsAPlainCall)
{
    std::string shown;
    auto producer = [] {
        yield("Hello, ");
        yield("World!");
    };
    Coroutine wrapper([&] {
        shown += "enter ";
        producer();
        shown += " exit";
        return nullptr;
    });
    void *value;
    while (wrapper.Next(&value) > 0) shown += static_cast<char *>(value);
    EXPECT_EQ(shown, "enter Hello, World! exit");
}

/* def one(): yield 1; def two(): yield 2 ... four(): yield from, twice. */
TEST(Coroutine, ACoroutineMaySendToAnotherOne)
{
    Pool pool;
    Coroutine inner(
        [] {
            for (intptr_t i = 1; hoya_yield(pointer(i), nullptr) == 0; i++) {
            }
            return nullptr;
        },
        pool);
    Coroutine outer(
        [&] {
            void *value;
            while (inner.Next(&value) == 1 && hoya_yield(pointer(number(value) * 10), nullptr) == 0) {
            }
            return nullptr;
        },
        pool);
    for (intptr_t i = 1; i < 100; i++) {
        void *value = nullptr;
        EXPECT_EQ(outer.Next(&value), 1);
        EXPECT_EQ(number(value), i * 10);
    }
    EXPECT_EQ(inner.State(), HOYA_COROUTINE_SUSPENDED);
}

TEST(Coroutine, OneThatRunsOrWaitsForAnotherCannotBeSentToOrClosed)
{
    std::vector<int> answers;
    hoya_coroutine *outer_co = nullptr;
    Coroutine inner([&] {
        answers.push_back(hoya_coroutine_send(outer_co, nullptr, nullptr));
        answers.push_back(hoya_coroutine_close(outer_co));
        answers.push_back(hoya_coroutine_send(hoya_coroutine_current(), nullptr, nullptr));
        return nullptr;
    });
    Coroutine outer([&] {
        EXPECT_EQ(hoya_coroutine_current(), outer_co);
        EXPECT_EQ(hoya_coroutine_get_state(outer_co), HOYA_COROUTINE_RUNNING);
        answers.push_back(inner.Next());
        EXPECT_EQ(hoya_coroutine_current(), outer_co);
        return nullptr;
    });
    outer_co = outer.co;
    EXPECT_EQ(hoya_coroutine_current(), nullptr);
    EXPECT_EQ(outer.Next(), 0);
    EXPECT_EQ(hoya_coroutine_current(), nullptr);
    EXPECT_EQ(answers, (std::vector<int>{HOYA_EBUSY, HOYA_EBUSY, HOYA_EBUSY, 0}));
}

TEST(Coroutine, YieldOutsideOfOneIsAnError)
{
    void *sent = &sent;
    EXPECT_EQ(hoya_yield(nullptr, &sent), HOYA_ESTATE);
    EXPECT_EQ(sent, &sent);
    EXPECT_EQ(hoya_coroutine_current(), nullptr);
}

TEST(Coroutine, ClosingAsksItToEndAndEachYieldAfterThatAnswersAtOnce)
{
    std::vector<int> answers;
    void *sent = pointer(7);
    Coroutine g([&] {
        answers.push_back(hoya_yield(nullptr, &sent));
        answers.push_back(hoya_yield(nullptr, &sent));
        return pointer(1);
    });
    EXPECT_EQ(g.Next(), 1);
    EXPECT_EQ(hoya_coroutine_close(g.co), 0);
    EXPECT_EQ(answers, (std::vector<int>{HOYA_ECANCELED, HOYA_ECANCELED}));
    EXPECT_EQ(number(sent), 7);
    EXPECT_EQ(g.State(), HOYA_COROUTINE_CLOSED);
    EXPECT_EQ(g.Next(), HOYA_ESTATE);
    EXPECT_EQ(hoya_coroutine_close(g.co), 0) << "twice is fine";
}

TEST(Coroutine, FreeingRunsTheCleanupOfOneThatIsSuspendedAndNothingOfOneThatNeverStarted)
{
    bool started = false, cleaned = false;
    {
        Coroutine never([&] {
            started = true;
            return nullptr;
        });
        Coroutine suspended([&] {
            struct Cleanup {
                bool &flag;
                ~Cleanup() { flag = true; }
            } cleanup{cleaned};
            yield("x");
            return nullptr;
        });
        EXPECT_EQ(suspended.Next(), 1);
    }
    EXPECT_FALSE(started);
    EXPECT_TRUE(cleaned);
    hoya_coroutine_free(nullptr);
}

TEST(Coroutine, AnotherThreadIsToldThatItIsTheWrongOne)
{
    Pool pool;
    Coroutine g([] { return nullptr; });
    std::thread([&] {
        EXPECT_EQ(g.Next(), HOYA_ETHREAD);
        EXPECT_EQ(hoya_coroutine_close(g.co), HOYA_ETHREAD);
        hoya_coroutine_options options{sizeof options, 0, nullptr, pool};
        hoya_coroutine *co;
        EXPECT_EQ(hoya_coroutine_new([](void *arg) { return arg; }, nullptr, &options, &co), HOYA_ETHREAD);
    }).join();
    EXPECT_EQ(g.Next(), 0);
}

TEST(Coroutine, WrongOptionsAreRefused)
{
    hoya_coroutine *co = nullptr;
    auto fn = [](void *arg) { return arg; };
    EXPECT_EQ(hoya_coroutine_new(nullptr, nullptr, nullptr, &co), HOYA_EINVAL);
    hoya_coroutine_options options{};
    EXPECT_EQ(hoya_coroutine_new(fn, nullptr, &options, &co), HOYA_EINVAL) << "no size";
    options.size = sizeof options;
    options.stack_size = size_t(1) << 30;
    EXPECT_EQ(hoya_coroutine_new(fn, nullptr, &options, &co), HOYA_EINVAL);
    EXPECT_EQ(co, nullptr);
    hoya_stack_pool *pool = nullptr;
    hoya_stack_pool_options pool_options{sizeof pool_options, 1u << 31, 0};
    EXPECT_EQ(hoya_stack_pool_new(&pool_options, &pool), HOYA_EINVAL);
    EXPECT_EQ(pool, nullptr);
}

/* ---- many, and deep --------------------------------------------------------------------------------------- */

namespace
{

#if defined __has_feature
#if __has_feature(thread_sanitizer)
#define HOYA_TSAN 1 /* has room for some 8,000 at a time */
#endif
#endif
#ifdef HOYA_TSAN
constexpr int kMany = 2000, kDeep = 200;
#else
constexpr int kMany = 10000, kDeep = 2000;
#endif

struct Chain {
    hoya_stack_pool *pool;
    int left;
};

void *deeper(void *arg)
{
    Chain *above = static_cast<Chain *>(arg);
    if (above->left == 0) return pointer(0);
    Chain chain{above->pool, above->left - 1};
    hoya_coroutine_options options{sizeof options, 0, nullptr, above->pool};
    hoya_coroutine *co;
    EXPECT_EQ(hoya_coroutine_new(deeper, &chain, &options, &co), 0) << hoya_error_detail();
    void *depth = nullptr;
    EXPECT_EQ(hoya_coroutine_send(co, nullptr, &depth), 0);
    hoya_coroutine_free(co);
    return pointer(number(depth) + 1);
}

} // namespace

TEST(Coroutine, SendsMayBeNestedDeeply)
{
    Pool pool;
    Chain chain{pool, kDeep};
    EXPECT_EQ(number(deeper(&chain)), kDeep);
}

TEST(Coroutine, TenThousandOfThemTakeTurns)
{
    Pool pool;
    hoya_coroutine_options options{sizeof options, 16384, nullptr, pool};
    std::vector<hoya_coroutine *> all(kMany);
    auto echo = [](void *arg) {
        void *sent = arg;
        while (hoya_yield(sent, &sent) == 0) {
        }
        return arg;
    };
    for (int i = 0; i < kMany; i++)
        ASSERT_EQ(hoya_coroutine_new(echo, pointer(i), &options, &all[i]), 0) << hoya_error_detail();
    int wrong = 0;
    for (int turn = 0; turn < 3; turn++)
        for (int i = 0; i < kMany; i++) {
            void *value = nullptr;
            int rc = hoya_coroutine_send(all[i], turn ? pointer(turn * i) : nullptr, &value);
            wrong += rc != 1 || number(value) != (turn ? turn * i : i);
        }
    EXPECT_EQ(wrong, 0);
    for (auto co : all) hoya_coroutine_free(co);
}

/* ---- what belongs to the coroutine, and what to the thread -------------------------------------------------- */

TEST(Coroutine, FloatingPointSurvivesSwitches)
{
    auto sum = [](double step) {
        return [step] {
            double a = 0, b = 1, c = 2, d = 3;
            for (int i = 0; i < 1000; i++) {
                a += step, b += step * 2, c += step * 3, d += step * 4;
                yield("");
            }
            EXPECT_EQ(a + b + c + d, 6 + 1000 * step * 10);
            return nullptr;
        };
    };
    Coroutine one(sum(0.5)), two(sum(0.25));
    while (one.Next() > 0) two.Next();
    EXPECT_EQ(two.Next(), 0);
}

TEST(Coroutine, RoundingBelongsToTheCoroutine)
{
    static volatile double one = 1,
                           three = 3; /* x86-64 has two units, and fegetround asks the one that divides less */
    double up = 0, down = 0;
    int made_upward = -1, after_change = -1;
    fesetround(FE_UPWARD);
    Coroutine g([&] {
        made_upward = fegetround();
        up = one / three;
        fesetround(FE_TOWARDZERO);
        yield("");
        after_change = fegetround();
        down = one / three;
        return nullptr;
    });
    fesetround(FE_DOWNWARD);
    EXPECT_EQ(g.Next(), 1);
    EXPECT_EQ(made_upward, FE_UPWARD) << "as it was when the coroutine was made";
    EXPECT_EQ(fegetround(), FE_DOWNWARD);
    EXPECT_EQ(one / three < up, true);
    fesetround(FE_UPWARD);
    EXPECT_EQ(g.Next(), 0);
    EXPECT_LT(down, up);
    EXPECT_EQ(one / three, up);
    EXPECT_EQ(after_change, FE_TOWARDZERO);
    EXPECT_EQ(fegetround(), FE_UPWARD);
    fesetround(FE_TONEAREST);
}

TEST(Coroutine, TrapsOfFloatingPointBelongToTheCoroutine)
{
    static volatile double one = 1, zero = 0;
    double outside = 0;
    bool divide = false, traps = false;
    Coroutine g([&] {
        traps = feenableexcept(FE_DIVBYZERO) != -1; /* not every aarch64 has them */
        yield("");
        if (divide) one = one / zero;
        return nullptr;
    });
    EXPECT_EQ(g.Next(), 1);
    outside = one / zero; /* an ordinary infinity */
    EXPECT_GT(outside, 1e300);
    EXPECT_EQ(fegetexcept(), 0);
    feclearexcept(FE_ALL_EXCEPT);
    if (traps) EXPECT_DEATH((divide = true, g.Next()), "");
    EXPECT_EQ(fegetexcept(), 0);
}

TEST(Coroutine, TheSignalMaskBelongsToTheThread)
{
    auto blocked = [] {
        sigset_t mask;
        pthread_sigmask(SIG_BLOCK, nullptr, &mask);
        return sigismember(&mask, SIGUSR2);
    };
    auto change = [](int how) {
        sigset_t usr2;
        sigemptyset(&usr2);
        sigaddset(&usr2, SIGUSR2);
        pthread_sigmask(how, &usr2, nullptr);
    };
    int inside = -1;
    Coroutine g([&] {
        change(SIG_BLOCK);
        yield("");
        inside = blocked();
        return nullptr;
    });
    g.Next();
    EXPECT_EQ(blocked(), 1);
    change(SIG_UNBLOCK);
    g.Next();
    EXPECT_EQ(inside, 0);
}

TEST(Coroutine, SignalsMayComeAtAnyMoment)
{
    static std::atomic<int> ticks; /* a signal of the process comes on any of its threads */
    ticks = 0;
    struct sigaction action {
    }, before;
    action.sa_handler = [](int) { ticks++; };
    action.sa_flags = SA_RESTART;
    ASSERT_EQ(sigaction(SIGALRM, &action, &before), 0);
    itimerval often{{0, 100}, {0, 100}}, never{};
    setitimer(ITIMER_REAL, &often, nullptr);
    Coroutine g([] {
        intptr_t n = 0;
        while (hoya_yield(pointer(n), nullptr) == 0) {
            n++;
            poll(nullptr, 0, 0); /* ThreadSanitizer delivers signals when the C library is called */
        }
        return nullptr;
    });
    intptr_t sends = 0;
    void *value = nullptr;
    for (; ticks < 20; sends++)
        if (g.Next(&value) != 1 || number(value) != sends) break;
    setitimer(ITIMER_REAL, &never, nullptr);
    sigaction(SIGALRM, &before, nullptr);
    EXPECT_GE(ticks, 20);
    EXPECT_EQ(number(value), sends - 1);
}

TEST(Coroutine, AnExceptionMayBeThrownAndCaughtInside)
{
    int caught = 0;
    Coroutine g([&] {
        for (int i = 0; i < 3; i++) {
            char frame[2000]; /* sanitizers forget what they knew of the frames that are left */
            memset(frame, i, sizeof frame);
            try {
                yield("");
                throw std::runtime_error("inside");
            } catch (const std::runtime_error &) {
                caught += frame[1999] == i;
            }
        }
        return nullptr;
    });
    while (g.Next() > 0) {
    }
    EXPECT_EQ(caught, 3);
}
