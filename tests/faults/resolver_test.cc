/* SPDX-License-Identifier: MIT
 *
 * faults/resolver_test.cc: lookups with each fallible call failing, and lookups that hang until a test lets them go.
 */
#include "faults/sweep.h"

#include <clocale>
#include <cstring>

#include <langinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/executors.h"
#include "support/resolvers.h"

#ifdef HOYA_FAULTS
extern "C" {
#include "base/sys.h"
}
#endif

namespace hoya_test
{
namespace
{

class ResolverFaults : public VariantFaults
{
  protected:
    void SetUp() override
    {
        VariantFaults::SetUp();
        SetSettling([this] {
            AwaitLanes();
            if (host) host->Settle();
        });
    }
};

INSTANTIATE_TEST_SUITE_P(Hosts, ResolverFaults, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

Future TryAsk(Faults &faults, hoya_loop *loop, const char *name, const char *service)
{
    hoya_future *future = nullptr;
    addrinfo hints = Hints(0, AF_INET);
    if (!faults.Ok(hoya_getaddrinfo(loop, name, service, &hints, &future))) EXPECT_EQ(future, nullptr);
    return Future(future);
}

} // namespace

TEST_P(ResolverFaults, NamesAndNumbersAreAnsweredOrRefused)
{
    Sweep(Name("a resolver").c_str(), [&](Faults &faults) {
        Loop loop(faults, variant(), host.get());
        if (!loop) return;
        const char *const names[] = {"127.0.0.1", "localhost", "localhost"};
        for (const char *name : names) {
            Future future = TryAsk(faults, loop, name, "80");
            if (!future) continue;
            EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(future.get()) == 1; }));
            if (!faults.Ok(hoya_future_result(future.get(), nullptr))) continue;
            Faults::Pause pause;
            EXPECT_EQ(Found(future), "127.0.0.1:80");
        }
        hoya_address address;
        if (!faults.Ok(hoya_address_set(&address, "127.0.0.1", "80"))) return;
        for (int flags : {0, NI_NUMERICHOST | NI_NUMERICSERV}) {
            hoya_future *raw = nullptr;
            auto of = reinterpret_cast<sockaddr *>(&address.storage);
            if (!faults.Ok(hoya_getnameinfo(loop, of, address.length, flags, &raw))) continue;
            Future future(raw);
            EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(raw) == 1; }));
            faults.Ok(hoya_future_result(raw, nullptr));
        }
        Future open = TryAsk(faults, loop, "localhost", "80"); /* at the close */
    });
}

TEST_P(ResolverFaults, APlugInIsFreedWhateverFails)
{
    Sweep(Name("a plug-in").c_str(), [&](Faults &faults) {
        int set = 0, freed = 0;
        static const hoya_resolver_ops ops = {sizeof ops, "none", nullptr, nullptr,
                                              [](void *arg) { ++*static_cast<int *>(arg); }};
        {
            Loop loop(faults, variant(), host.get());
            if (!loop) return;
            for (int i = 0; i < 2; i++, set++) faults.Ok(hoya_set_resolver(loop, &ops, &freed));
        }
        EXPECT_EQ(freed, set);
    });
}

#ifdef HOYA_FAULTS

namespace
{

/* The system that hangs: questions for names wait at the door, and are answered with 10.0.0.1. */
struct Slow {
    struct Question {
        std::string host, codeset;
        int flags;
    };
    Door door;
    std::atomic<int> eai{0}; /* instead of an answer */
    std::mutex mutex;
    std::vector<Question> asked;
} * slow;

int AnswerSlowly(const char *host, const char *service, const addrinfo *hints, addrinfo **list)
{
    if (hints->ai_flags & AI_NUMERICHOST) return hoya_sys_real.getaddrinfo(host, service, hints, list);
    {
        std::lock_guard<std::mutex> lock(slow->mutex);
        slow->asked.push_back({host, nl_langinfo(CODESET), hints->ai_flags});
    }
    slow->door.Pass();
    addrinfo numeric = *hints;
    numeric.ai_flags = 0;
    return slow->eai ? slow->eai.load() : hoya_sys_real.getaddrinfo("10.0.0.1", service, &numeric, list);
}

class SlowResolver : public VariantFaults
{
  protected:
    void SetUp() override
    {
        VariantFaults::SetUp();
        slow = &of;
        hoya_sys.getaddrinfo = AnswerSlowly;
        ASSERT_EQ(NewLoop(variant(), host.get(), &loop), 0) << hoya_error_detail();
    }
    void TearDown() override
    {
        of.door.Open();
        if (loop) Close();
        AwaitLanes();
        if (host) host->Settle();
        hoya_sys = hoya_sys_real;
        VariantFaults::TearDown();
    }
    void Close()
    {
        EXPECT_EQ(hoya_loop_close(loop), 0);
        hoya_loop_unref(loop);
        loop = nullptr;
    }
    Future Ask(const char *name)
    {
        hoya_future *future = nullptr;
        addrinfo hints = Hints(0, AF_INET);
        EXPECT_EQ(hoya_getaddrinfo(loop, name, "80", &hints, &future), 0) << hoya_error_detail();
        return Future(future);
    }
    void RunUntilDone(const Future &future)
    {
        int64_t end = hoya_loop_time(loop) + HOYA_SEC(20);
        while (!hoya_future_done(future.get()) && hoya_loop_time(loop) < end)
            EXPECT_GE(hoya_loop_run_once(loop, HOYA_MSEC(100)), 0);
        EXPECT_EQ(hoya_future_done(future.get()), 1);
    }

    Slow of;
    hoya_loop *loop = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Hosts, SlowResolver, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

TEST_P(SlowResolver, FourAreAskedAtATimeAndACancelledOneThatWaitsIsNeverAsked)
{
    std::vector<Future> futures;
    for (int i = 0; i < 6; i++) futures.push_back(Ask("a.invalid"));
    of.door.Await(4);
    EXPECT_EQ(hoya_future_cancel(futures[4].get(), nullptr), 1);
    EXPECT_EQ(hoya_future_cancelled(futures[4].get()), 1);
    of.door.Open();
    RunUntilDone(futures[5]);
    for (int i : {0, 1, 2, 3, 5}) {
        RunUntilDone(futures[size_t(i)]);
        EXPECT_EQ(Found(futures[size_t(i)]), "10.0.0.1:80");
    }
    EXPECT_EQ(of.door.arrived(), 5);
}

TEST_P(SlowResolver, ACancelOfOneThatWasAskedIsAtOnceAndItsAnswerIsDropped)
{
    Future future = Ask("a.invalid");
    of.door.Await(1);
    EXPECT_EQ(hoya_future_cancel(future.get(), "enough"), 1);
    EXPECT_EQ(hoya_future_cancelled(future.get()), 1);
    EXPECT_EQ(TextOf(future), "enough");
    future.reset();
    of.door.Open();
    Future other = Ask("b.invalid");
    RunUntilDone(other);
    EXPECT_EQ(Found(other), "10.0.0.1:80");
}

TEST_P(SlowResolver, ALoopsCloseWaitsForNobodyAndWhatIsQueuedIsNeverAsked)
{
    std::vector<Future> futures;
    for (int i = 0; i < 6; i++) futures.push_back(Ask("a.invalid"));
    of.door.Await(4);
    futures[0].reset(); /* nobody holds that one */
    Close();
    for (int i = 1; i < 6; i++) EXPECT_EQ(hoya_future_done(futures[size_t(i)].get()), 0) << "the loop has gone";
    futures.clear();
    of.door.Open();
    AwaitLanes();
    EXPECT_EQ(of.door.arrived(), 4);
}

TEST_P(SlowResolver, NamesThatHangKeepNoJobOfTheDefaultExecutorWaiting)
{
    std::vector<Future> futures;
    for (int i = 0; i < 6; i++) futures.push_back(Ask("a.invalid"));
    of.door.Await(4);
    Executor pool = NewPool(1);
    ASSERT_EQ(hoya_set_default_executor(loop, pool.get()), 0);
    hoya_future *raw = nullptr;
    auto nothing = [](hoya_job *, void *) { return 0; };
    ASSERT_EQ(hoya_run_in_executor(loop, nullptr, nothing, nullptr, nullptr, &raw), 0);
    Future job(raw);
    RunUntilDone(job);
    EXPECT_EQ(hoya_future_done(futures[0].get()), 0);
    for (const Future &future : futures) hoya_future_cancel(future.get(), nullptr);
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_SEC(60), 0), 0);
}

TEST_P(SlowResolver, WhatTheSystemSaysIsTheFuturesError)
{
    of.door.Open();
    struct {
        int eai, code;
        const char *text;
    } const rows[] = {
        {EAI_NONAME, HOYA_EAI_NONAME, "getaddrinfo of \"nosuch.invalid\", \"80\": name not found"},
        {EAI_AGAIN, HOYA_EAI_AGAIN,
         "getaddrinfo of \"nosuch.invalid\", \"80\": the name server does not answer now, try again"},
        {EAI_FAIL, HOYA_EAI_FAIL, "getaddrinfo of \"nosuch.invalid\", \"80\": the name server refuses to answer"},
        {EAI_MEMORY, HOYA_ENOMEM, "out of memory"},
    };
    for (const auto &row : rows) {
        of.eai = row.eai;
        Future future = Ask("nosuch.invalid");
        RunUntilDone(future);
        EXPECT_EQ(hoya_future_exception(future.get(), nullptr), row.code) << row.text;
        EXPECT_EQ(TextOf(future), row.text);
    }
}

/* Four questions at once take four threads: each of those has asked for the first name, or will not. */
TEST_P(SlowResolver, ANameBeyondAsciiIsAskedForInUtf8AndTheLocaleOfTheThreadIsAsBefore)
{
    std::string before = setlocale(LC_CTYPE, nullptr);
    setlocale(LC_CTYPE, "C");
    std::string plain = nl_langinfo(CODESET);
    std::vector<Future> futures;
    for (int i = 0; i < 4; i++) {
        hoya_future *raw = nullptr;
        int rc = hoya_getaddrinfo(loop, "b\xc3\xbc.invalid", "80", nullptr, &raw);
        if (rc == HOYA_ENOTSUP) return;
        ASSERT_EQ(rc, 0) << hoya_error_detail();
        futures.emplace_back(raw);
    }
    of.door.Await(4);
    for (int i = 0; i < 4; i++) futures.push_back(Ask("a.invalid"));
    of.door.Open();
    for (const Future &future : futures) RunUntilDone(future);
    ASSERT_EQ(of.asked.size(), 8u);
    for (size_t i = 0; i < 8; i++) {
        EXPECT_EQ(of.asked[i].host, i < 4 ? "b\xc3\xbc.invalid" : "a.invalid");
        EXPECT_EQ(of.asked[i].codeset, i < 4 ? "UTF-8" : plain);
        EXPECT_EQ(of.asked[i].flags, i < 4 ? AI_IDN : 0);
    }
    setlocale(LC_CTYPE, before.c_str());
}

TEST_P(SlowResolver, InDebugModeASlowLookupIsLogged)
{
    static Door *logged;
    static std::string text;
    Door said;
    logged = &said;
    text.clear();
    said.Open();
    hoya_set_log_function(
        [](hoya_log_level level, const char *line, void *) {
            if (!strstr(line, "getaddrinfo")) return;
            EXPECT_EQ(level, HOYA_LOG_WARNING);
            text = line;
            logged->Pass();
        },
        nullptr);
    of.door.Open();
    Future quick = Ask("a.invalid");
    RunUntilDone(quick);
    EXPECT_EQ(said.arrived(), 0) << "not in debug mode";
    ASSERT_EQ(hoya_loop_set_debug(loop, 1), 0);
    ASSERT_EQ(hoya_loop_set_slow_callback_duration(loop, HOYA_SEC(1000)), 0);
    Future usual = Ask("a.invalid");
    RunUntilDone(usual);
    EXPECT_EQ(said.arrived(), 0) << "not slow";
    ASSERT_EQ(hoya_loop_set_slow_callback_duration(loop, 0), 0);
    Future future = Ask("a.invalid");
    RunUntilDone(future);
    said.Await(1);
    EXPECT_EQ(text.rfind("getaddrinfo of \"a.invalid\", \"80\" took ", 0), 0u) << text;
}

TEST_P(SlowResolver, AForkedChildHasALaneOfItsOwnWhileTheParentsIsFull)
{
    std::vector<Future> futures;
    for (int i = 0; i < 6; i++) futures.push_back(Ask("a.invalid"));
    of.door.Await(4);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        hoya_sys.getaddrinfo = hoya_sys_real.getaddrinfo;
        EXPECT_EQ(hoya_loop_after_fork(loop), 0) << hoya_error_detail();
        Future own = Ask("localhost");
        RunUntilDone(own);
        EXPECT_EQ(Found(own), "127.0.0.1:80");
        own.reset();
        EXPECT_EQ(hoya_loop_close(loop), 0);
        fflush(stdout);
        _exit(testing::Test::HasFailure());
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    of.door.Open();
    for (const Future &future : futures) RunUntilDone(future);
}

#endif

} // namespace hoya_test
