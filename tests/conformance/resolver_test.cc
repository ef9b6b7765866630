/* SPDX-License-Identifier: MIT
 *
 * conformance/resolver_test.cc: names and addresses, on every host. No network is asked: numbers, and what stands in
 * /etc/hosts. Lookups that hang are in faults/resolver_test.cc.
 */
#include "conformance.h"

#include <cstring>

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>

#include "support/executors.h"
#include "support/resolvers.h"

namespace hoya_test
{

class ResolverConformance : public LoopConformance
{
  protected:
    void TearDown() override
    {
        LoopConformance::TearDown();
        AwaitLanesAtEnd();
    }

    Future Ask(const char *name, const char *service, const addrinfo &hints = Hints())
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_getaddrinfo(loop, name, service, &hints, &future), 0) << hoya_error_detail();
        return Future(future);
    }

    Future AskBack(const char *number, const char *port, int flags)
    {
        hoya_address address;
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_address_set(&address, number, port), 0) << hoya_error_detail();
        EXPECT_EQ(
            hoya_getnameinfo(loop, reinterpret_cast<sockaddr *>(&address.storage), address.length, flags, &future),
            0)
            << hoya_error_detail();
        return Future(future);
    }

    static std::string FoundBack(const Future &future)
    {
        void *value = nullptr;
        int rc = hoya_future_result(future.get(), &value);
        if (rc < 0) return hoya_error_detail();
        auto info = static_cast<hoya_name_info *>(value);
        return std::string(info->host) + " " + info->service;
    }

    void RunUntilDone(const Future &future)
    {
        WhenDone(future, [this] { Stop(); });
        Run();
        EXPECT_EQ(hoya_future_done(future.get()), 1);
    }

    /* What is found now. */
    std::string AtOnce(const char *name, const char *service, const addrinfo &hints = Hints())
    {
        Future future = Ask(name, service, hints);
        return hoya_future_done(future.get()) == 1 ? Found(future) : "not at once";
    }

    void ExpectRefused(const char *name, const char *service, const addrinfo &hints, int code,
                       const std::string &detail)
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_getaddrinfo(loop, name, service, &hints, &future), code) << detail;
        EXPECT_EQ(future, nullptr) << detail;
        EXPECT_EQ(hoya_error_detail(), detail);
    }
};

INSTANTIATE_TEST_SUITE_P(Hosts, ResolverConformance, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- numbers ------------------------------------------------------------------------------------------------- */

TEST_P(ResolverConformance, NumbersAreAnsweredAtOnce)
{
    EXPECT_EQ(AtOnce("127.0.0.1", "80"), "127.0.0.1:80");
    EXPECT_EQ(AtOnce("127.0.0.1", nullptr), "127.0.0.1:0");
    EXPECT_EQ(AtOnce("::1", "65535"), "[::1]:65535");
    EXPECT_EQ(AtOnce("fe80::1%1", "80").substr(0, 9), "[fe80::1%");
    EXPECT_EQ(AtOnce("127.0.0.1", "80", Hints(AI_NUMERICHOST | AI_NUMERICSERV)), "127.0.0.1:80");
    EXPECT_EQ(AtOnce("127.0.0.1", "80", Hints(AI_V4MAPPED, AF_INET6)), "[::ffff:127.0.0.1]:80");
    EXPECT_EQ(AtOnce(nullptr, "80", Hints(AI_PASSIVE, AF_INET)), "0.0.0.0:80");
    EXPECT_EQ(AtOnce("", "80", Hints(AI_PASSIVE, AF_INET)), "0.0.0.0:80") << "as NULL";
    EXPECT_EQ(AtOnce(nullptr, "80", Hints(0, AF_INET6)), "[::1]:80");
    EXPECT_EQ(LaneThreads(), 0) << "no thread was wanted";
}

// Holds: S30
TEST_P(ResolverConformance, CallbacksOfAnAnswerAtOnceComeFromTheLoop)
{
    Future future = Ask("127.0.0.1", "80");
    ASSERT_EQ(hoya_future_done(future.get()), 1);
    WhenDone(future, Say("answer"));
    EXPECT_EQ(trace, Trace{});
    RunUntilNoted(1);
    EXPECT_EQ(trace, Trace{"answer"});
}

TEST_P(ResolverConformance, TheScopeOfAnAddressIsKept)
{
    Future future = Ask("fe80::1%1", "80");
    void *value = nullptr;
    ASSERT_EQ(hoya_future_result(future.get(), &value), 0) << hoya_error_detail();
    auto list = static_cast<addrinfo *>(value);
    ASSERT_EQ(list->ai_family, AF_INET6);
    EXPECT_EQ(reinterpret_cast<sockaddr_in6 *>(list->ai_addr)->sin6_scope_id, 1u);
}

TEST_P(ResolverConformance, WithoutHintsEachTypeOfSocketIsThere)
{
    hoya_future *raw = nullptr;
    ASSERT_EQ(hoya_getaddrinfo(loop, "127.0.0.1", "80", nullptr, &raw), 0) << hoya_error_detail();
    Future future(raw);
    EXPECT_EQ(Found(future), "127.0.0.1:80 127.0.0.1:80 127.0.0.1:80");
}

TEST_P(ResolverConformance, AnAnswerCanBeTakenAndOutlivesTheLoop)
{
    Future future = Ask("127.0.0.1", "80", Hints(AI_CANONNAME));
    void *value = nullptr;
    hoya_destroy destroy = nullptr;
    ASSERT_EQ(hoya_future_take(future.get(), &value, &destroy), 0);
    future.reset();
    EXPECT_EQ(hoya_loop_close(loop), 0);
    auto list = static_cast<addrinfo *>(value);
    EXPECT_EQ(Texts(list), "127.0.0.1:80");
    EXPECT_STREQ(list->ai_canonname, "127.0.0.1");
    hoya_freeaddrinfo(list);
}

/* ---- names --------------------------------------------------------------------------------------------------- */

TEST_P(ResolverConformance, ANameComesByAThread)
{
    Future future = Ask("localhost", "80", Hints(0, AF_INET));
    EXPECT_EQ(hoya_future_done(future.get()), 0);
    CallSoon(Say("the loop goes on"));
    RunUntilDone(future);
    EXPECT_EQ(Found(future), "127.0.0.1:80");
    EXPECT_EQ(trace, Trace{"the loop goes on"});
    EXPECT_EQ(LaneThreads(), 1);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    AwaitLanes(); /* who has nothing to do ends with the loop */
}

TEST_P(ResolverConformance, AServiceByNameIsLookedUpBesideANumericHost)
{
    Future future = Ask("127.0.0.1", "http");
    EXPECT_EQ(hoya_future_done(future.get()), 0);
    RunUntilDone(future);
    EXPECT_EQ(Found(future), "127.0.0.1:80");
}

TEST_P(ResolverConformance, ManyNamesTakeFourThreads)
{
    std::vector<Future> futures;
    for (int i = 0; i < 40; i++) futures.push_back(Ask("localhost", std::to_string(i).c_str(), Hints(0, AF_INET)));
    for (size_t i = 0; i < futures.size(); i++) {
        if (!hoya_future_done(futures[i].get())) RunUntilDone(futures[i]);
        EXPECT_EQ(Found(futures[i]), "127.0.0.1:" + std::to_string(i));
    }
    EXPECT_LE(LaneThreads(), 4);
}

TEST_P(ResolverConformance, AFullDefaultExecutorKeepsNoNameWaiting)
{
    Executor pool = NewPool(1);
    ASSERT_EQ(hoya_set_default_executor(loop, pool.get()), 0);
    Door door;
    hoya_future *raw = nullptr;
    ASSERT_EQ(hoya_run_in_executor(loop, nullptr, Job::Run, new JobWork([&](hoya_job *) { return door.Pass(), 0; }),
                                   Job::Destroy, &raw),
              0);
    Future job(raw);
    door.Await(1);
    Future name = Ask("localhost", "80", Hints(0, AF_INET));
    RunUntilDone(name);
    EXPECT_EQ(Found(name), "127.0.0.1:80");
    EXPECT_EQ(hoya_future_done(job.get()), 0);
    door.Open();
    RunUntilDone(job);
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_SEC(60), 0), 0);
}

/* Full-width digits are digits, once a name is encoded: that shows the encoding, and asks no network. */
/* glibc loads the library that does it, where there is one of its own kind. */
static bool CanEncode()
{
    void *library = dlopen("libidn2.so.0", RTLD_LAZY);
    if (library) dlclose(library);
    return library != nullptr;
}

TEST_P(ResolverConformance, NamesAreUtf8WhateverTheLocale)
{
    const char *name = "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.\xef\xbc\x91"; /* 127.0.0.1 */
    hoya_future *raw = nullptr;
    addrinfo hints = Hints();
    int rc = hoya_getaddrinfo(loop, name, "80", &hints, &raw);
    if (rc == HOYA_ENOTSUP) return; /* a C library that cannot, and says so */
    ASSERT_EQ(rc, 0) << hoya_error_detail();
    Future future(raw);
    RunUntilDone(future);
    if (CanEncode()) EXPECT_EQ(Found(future), "127.0.0.1:80");
    else EXPECT_EQ(hoya_future_exception(future.get(), nullptr), HOYA_EAI_IDN);
}

TEST_P(ResolverConformance, ANameThatCannotBeEncodedSaysSo)
{
    for (const char *name : {"\xff.invalid", "a\xc3\xbc\xe2\x80\x8b\xcc\x81\xf0\x9f.invalid"}) {
        hoya_future *raw = nullptr;
        addrinfo hints = Hints();
        int rc = hoya_getaddrinfo(loop, name, "80", &hints, &raw);
        if (rc == HOYA_ENOTSUP) return;
        ASSERT_EQ(rc, 0) << hoya_error_detail();
        Future future(raw);
        RunUntilDone(future);
        EXPECT_EQ(hoya_future_exception(future.get(), nullptr), HOYA_EAI_IDN);
        EXPECT_NE(TextOf(future).find("cannot be encoded"), std::string::npos) << TextOf(future);
    }
}

/* ---- the way back ---------------------------------------------------------------------------------------------- */

TEST_P(ResolverConformance, NumbersOfAnAddressComeAtOnce)
{
    Future future = AskBack("127.0.0.1", "80", NI_NUMERICHOST | NI_NUMERICSERV);
    ASSERT_EQ(hoya_future_done(future.get()), 1);
    EXPECT_EQ(FoundBack(future), "127.0.0.1 80");
    EXPECT_EQ(LaneThreads(), 0);
}

TEST_P(ResolverConformance, NamesOfAnAddressComeByAThread)
{
    Future names = AskBack("127.0.0.1", "80", 0), service = AskBack("10.1.2.3", "80", NI_NUMERICHOST);
    EXPECT_EQ(hoya_future_done(names.get()), 0);
    EXPECT_EQ(hoya_future_done(service.get()), 0);
    RunUntilDone(names);
    if (!hoya_future_done(service.get())) RunUntilDone(service);
    EXPECT_EQ(FoundBack(names), "localhost http");
    EXPECT_EQ(FoundBack(service), "10.1.2.3 http");
}

TEST_P(ResolverConformance, AnAddressThatHasNoNamesIsRefused)
{
    sockaddr_in v4 = {};
    v4.sin_family = AF_INET;
    auto address = reinterpret_cast<sockaddr *>(&v4);
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_getnameinfo(loop, nullptr, 0, 0, &future), HOYA_EINVAL);
    EXPECT_EQ(hoya_getnameinfo(loop, address, sizeof v4, NI_NUMERICHOST | NI_NUMERICSERV, nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_getnameinfo(loop, address, sizeof v4 - 1, 0, &future), HOYA_EINVAL);
    EXPECT_EQ(hoya_getnameinfo(loop, address, sizeof v4, 1 << 30, &future), HOYA_EAI_BADFLAGS);
    EXPECT_STREQ(hoya_error_detail(), "getnameinfo: the flags 0x40000000 are not known");
    address->sa_family = AF_UNIX;
    EXPECT_EQ(hoya_getnameinfo(loop, address, sizeof v4, 0, &future), HOYA_EAI_FAMILY);
    EXPECT_EQ(future, nullptr);
}

/* ---- failures -------------------------------------------------------------------------------------------------- */

TEST_P(ResolverConformance, BadArgumentsAreRefusedAndNobodyIsAsked)
{
    addrinfo plain = Hints();
    std::string long_name(254, 'x'), shown(90, 'x');
    EXPECT_EQ(hoya_getaddrinfo(loop, "127.0.0.1", "80", &plain, nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_getaddrinfo(loop, "localhost", "80", &plain, nullptr), HOYA_EINVAL);
    ExpectRefused(nullptr, nullptr, plain, HOYA_EINVAL, "getaddrinfo of neither a host nor a service");
    ExpectRefused("", nullptr, Hints(AI_PASSIVE), HOYA_EINVAL, "getaddrinfo of neither a host nor a service");
    ExpectRefused("", "80", plain, HOYA_EINVAL, "the host is empty");
    ExpectRefused("localhost", "", plain, HOYA_EINVAL, "the service is empty");
    ExpectRefused("[::1]", "80", plain, HOYA_EINVAL, "host \"[::1]\": an address has no brackets here");
    ExpectRefused("local host", "80", plain, HOYA_EINVAL, "the host has the character 0x20 at byte 5");
    ExpectRefused("localhost\n", "80", plain, HOYA_EINVAL, "the host has the character 0x0a at byte 9");
    ExpectRefused("localhost", "65536", plain, HOYA_EINVAL, "port \"65536\": 65535 is the last one");
    ExpectRefused("localhost", "-1", plain, HOYA_EINVAL, "port \"-1\": it has no sign");
    ExpectRefused(long_name.c_str(), "80", plain, HOYA_ENAMETOOLONG,
                  "host \"" + shown + "...\": 254 characters, 253 are the most");
    ExpectRefused("localhost", (long_name + "xx").c_str(), plain, HOYA_ENAMETOOLONG,
                  "service \"" + shown + "...\": 256 bytes, 255 are the most");
    ExpectRefused("localhost", "80", Hints(1 << 30), HOYA_EAI_BADFLAGS,
                  "hints: the flags 0x40000000 are not known");
    ExpectRefused("localhost", "80", Hints(0, AF_UNIX), HOYA_EAI_FAMILY,
                  "hints: family 1 has no names; AF_INET and AF_INET6 have");
    EXPECT_EQ(LaneThreads(), 0);
}

TEST_P(ResolverConformance, AFailureNamesHostAndService)
{
    struct {
        const char *host, *service;
        addrinfo hints;
        int code;
        const char *text;
    } const rows[] = {
        {"::1", "80", Hints(0, AF_INET), HOYA_EAI_FAMILY,
         "getaddrinfo of \"::1\", \"80\": no address of that family"},
        {"::1::", nullptr, Hints(), HOYA_EAI_NONAME, "getaddrinfo of \"::1::\": name not found"},
        {"nobody", "80", Hints(AI_NUMERICHOST), HOYA_EAI_NONAME,
         "getaddrinfo of \"nobody\", \"80\": name not found"},
        {nullptr, "no-such-service", Hints(), HOYA_EAI_SERVICE,
         "getaddrinfo of no host, \"no-such-service\": service not found"},
        {"127.0.0.1", "80", Hints(0, AF_INET, 99), HOYA_EAI_SOCKTYPE,
         "getaddrinfo of \"127.0.0.1\", \"80\": socket type not known to the resolver"},
        {nullptr, "80", Hints(AI_CANONNAME), HOYA_EAI_BADFLAGS,
         "getaddrinfo of no host, \"80\": flags that the resolver does not know"},
    };
    for (const auto &row : rows) {
        Future future = Ask(row.host, row.service, row.hints);
        if (!hoya_future_done(future.get())) RunUntilDone(future);
        EXPECT_EQ(hoya_future_exception(future.get(), nullptr), row.code) << row.text;
        EXPECT_EQ(TextOf(future), row.text);
    }
}

TEST_P(ResolverConformance, AnotherThreadAndAClosedLoopAreRefused)
{
    hoya_future *future = nullptr;
    int freed = 0;
    static const hoya_resolver_ops ops = {sizeof ops, "none", nullptr, nullptr,
                                          [](void *arg) { ++*static_cast<int *>(arg); }};
    std::thread([&] {
        EXPECT_EQ(hoya_getaddrinfo(loop, "127.0.0.1", "80", nullptr, &future), HOYA_ETHREAD);
        EXPECT_EQ(hoya_set_resolver(loop, &ops, &freed), HOYA_ETHREAD);
    }).join();
    EXPECT_EQ(freed, 1) << "it was given away";
    EXPECT_EQ(hoya_loop_close(loop), 0);
    sockaddr_in v4 = {};
    v4.sin_family = AF_INET;
    EXPECT_EQ(hoya_getaddrinfo(loop, "127.0.0.1", "80", nullptr, &future), HOYA_ECLOSED);
    EXPECT_EQ(hoya_getnameinfo(loop, reinterpret_cast<sockaddr *>(&v4), sizeof v4, 0, &future), HOYA_ECLOSED);
    EXPECT_EQ(hoya_set_resolver(loop, &ops, &freed), HOYA_ECLOSED);
    EXPECT_EQ(freed, 2);
    EXPECT_EQ(future, nullptr);
}

/* ---- the ends ---------------------------------------------------------------------------------------------------- */

TEST_P(ResolverConformance, ACancelIsAtOnce)
{
    Future future = Ask("localhost", "80");
    EXPECT_EQ(hoya_future_cancel(future.get(), "changed my mind"), 1);
    EXPECT_EQ(hoya_future_cancelled(future.get()), 1);
    EXPECT_EQ(TextOf(future), "changed my mind");
    Future other = Ask("localhost", "80", Hints(0, AF_INET));
    RunUntilDone(other);
    EXPECT_EQ(Found(other), "127.0.0.1:80");
}

TEST_P(ResolverConformance, ALoopIsClosedWithQuestionsOpen)
{
    std::vector<Future> futures;
    for (int i = 0; i < 20; i++) futures.push_back(Ask("localhost", "80"));
    RunRounds(1);
    EXPECT_EQ(hoya_loop_close(loop), 0);
}

// Holds: S56 F27
TEST_P(ResolverConformance, AForkedChildThatTakesTheLoopOverHasALaneOfItsOwn)
{
    Future mine = Ask("localhost", "80", Hints(0, AF_INET));
    RunUntilDone(mine);
    EXPECT_EQ(InChild([&] {
                  hoya_future *future = nullptr;
                  EXPECT_EQ(hoya_getaddrinfo(loop, "localhost", "80", nullptr, &future), HOYA_ECHILD);
                  EXPECT_EQ(hoya_loop_after_fork(loop), 0) << hoya_error_detail();
                  Future own = Ask("localhost", "81", Hints(0, AF_INET));
                  RunUntilDone(own);
                  EXPECT_EQ(Found(own), "127.0.0.1:81");
                  own.reset();
                  EXPECT_EQ(hoya_loop_close(loop), 0);
              }),
              0);
    EXPECT_EQ(Found(mine), "127.0.0.1:80");
}

TEST_P(ResolverConformance, ADumpNamesTheResolver)
{
    auto dump = [this] {
        std::string text;
        auto line = [](const char *one, void *arg) { *static_cast<std::string *>(arg) += std::string(one) + "\n"; };
        EXPECT_EQ(hoya_loop_dump(loop, line, &text), 0);
        return text;
    };
    EXPECT_EQ(dump().find("  resolver: "), std::string::npos) << "nobody has asked yet";
    Ask("127.0.0.1", "80");
    EXPECT_NE(dump().find("  resolver: the system's\n"), std::string::npos) << dump();
    static const hoya_resolver_ops ops = {sizeof ops, "nobody", nullptr, nullptr, nullptr};
    EXPECT_EQ(hoya_set_resolver(loop, &ops, nullptr), 0);
    EXPECT_NE(dump().find("  resolver: nobody\n"), std::string::npos) << dump();
}

/* ---- another resolver ---------------------------------------------------------------------------------------------- */

namespace
{

/* Knows everybody, at 10.0.0.1, and answers when it is told to. */
struct Oracle {
    Trace asked;
    std::vector<Future> pending;
    int freed = 0;

    static int GetAddresses(hoya_loop *loop, const char *host, const char *service, const addrinfo *hints,
                            void *arg, hoya_future **out)
    {
        auto self = static_cast<Oracle *>(arg);
        self->asked.push_back(std::string(host ? host : "-") + " " + (service ? service : "-") + " " +
                              std::to_string(hints->ai_flags));
        return self->Begin(loop, out);
    }
    static int GetNames(hoya_loop *loop, const sockaddr *address, socklen_t length, int flags, void *arg,
                        hoya_future **out)
    {
        auto self = static_cast<Oracle *>(arg);
        self->asked.push_back(Text(address, length) + " " + std::to_string(flags));
        return self->Begin(loop, out);
    }
    static void Free(void *arg) { static_cast<Oracle *>(arg)->freed++; }

    int Begin(hoya_loop *loop, hoya_future **out)
    {
        int rc = hoya_future_new(loop, out);
        if (rc >= 0) pending.emplace_back(hoya_future_ref(*out));
        return rc;
    }
    void Answer()
    {
        addrinfo *copy = nullptr, one = Hints();
        sockaddr_in v4 = {};
        v4.sin_family = AF_INET, v4.sin_port = htons(80), v4.sin_addr.s_addr = htonl(0x0a000001);
        one.ai_addr = reinterpret_cast<sockaddr *>(&v4), one.ai_addrlen = sizeof v4;
        EXPECT_EQ(hoya_copy_addrinfo(&one, &copy), 0);
        auto destroy = [](void *list) { hoya_freeaddrinfo(static_cast<addrinfo *>(list)); };
        EXPECT_EQ(hoya_future_set_result(pending.back().get(), copy, destroy), 0);
    }
};
const hoya_resolver_ops oracle = {sizeof oracle, "oracle", Oracle::GetAddresses, Oracle::GetNames, Oracle::Free};

} // namespace

TEST_P(ResolverConformance, APlugInIsAskedWhatIsNotNumeric)
{
    Oracle self;
    ASSERT_EQ(hoya_set_resolver(loop, &oracle, &self), 0);
    EXPECT_EQ(AtOnce("127.0.0.1", "80"), "127.0.0.1:80");
    EXPECT_EQ(FoundBack(AskBack("127.0.0.1", "80", NI_NUMERICHOST | NI_NUMERICSERV)), "127.0.0.1 80");
    ExpectRefused("localhost", "65536", Hints(), HOYA_EINVAL, "port \"65536\": 65535 is the last one");
    EXPECT_EQ(self.asked, Trace{});

    Future future = Ask("b\xc3\xbc"
                        "cher.example",
                        "80", Hints(AI_V4MAPPED));
    EXPECT_EQ(self.asked, (Trace{"b\xc3\xbc"
                                 "cher.example 80 " +
                                 std::to_string(AI_V4MAPPED)}));
    self.Answer();
    RunUntilDone(future);
    EXPECT_EQ(Found(future), "10.0.0.1:80");
    Future back = AskBack("10.0.0.1", "80", NI_NAMEREQD), bare = Ask(nullptr, "http");
    EXPECT_EQ(self.asked[1], "10.0.0.1:80 " + std::to_string(NI_NAMEREQD));
    EXPECT_EQ(self.asked[2], "- http 0");
    EXPECT_EQ(LaneThreads(), 0) << "the system was asked nothing";
    self.pending.clear();
    EXPECT_EQ(hoya_set_resolver(loop, nullptr, nullptr), 0);
    EXPECT_EQ(self.freed, 1);
}

TEST_P(ResolverConformance, APlugInIsFreedWhenAnotherComesAndAtTheEndOfTheLoop)
{
    Oracle first, second;
    ASSERT_EQ(hoya_set_resolver(loop, &oracle, &first), 0);
    Future pending = Ask("localhost", "80");
    ASSERT_EQ(hoya_set_resolver(loop, &oracle, &second), 0);
    EXPECT_EQ(first.freed, 1);
    EXPECT_EQ(hoya_future_done(pending.get()), 0) << "who was asked may still answer";
    ASSERT_EQ(hoya_set_resolver(loop, nullptr, nullptr), 0);
    EXPECT_EQ(second.freed, 1);
    Future future = Ask("localhost", "80", Hints(0, AF_INET));
    RunUntilDone(future);
    EXPECT_EQ(Found(future), "127.0.0.1:80") << "by the system";
    ASSERT_EQ(hoya_set_resolver(loop, &oracle, &second), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(second.freed, 2);
    EXPECT_EQ(first.freed, 1);
    first.pending.clear();
}

TEST_P(ResolverConformance, WhatAPlugInHasNotIsTheSystems)
{
    Oracle self;
    hoya_resolver_ops half = oracle;
    half.getaddrinfo = nullptr;
    half.free = nullptr;
    ASSERT_EQ(hoya_set_resolver(loop, &half, &self), 0);
    memset(&half, 0, sizeof half); /* it was copied */
    Future future = Ask("localhost", "80", Hints(0, AF_INET));
    RunUntilDone(future);
    EXPECT_EQ(Found(future), "127.0.0.1:80");
    AskBack("127.0.0.1", "80", 0);
    EXPECT_EQ(self.asked.size(), 1u);
    self.pending.clear();
}

TEST_P(ResolverConformance, APlugInsRefusalIsTheAnswer)
{
    static const hoya_resolver_ops ops = {sizeof ops, "refuses",
                                          [](hoya_loop *, const char *, const char *, const addrinfo *, void *,
                                             hoya_future **) { return hoya_error_set(HOYA_EBUSY, "not today"); },
                                          nullptr, nullptr};
    ASSERT_EQ(hoya_set_resolver(loop, &ops, nullptr), 0);
    ExpectRefused("localhost", "80", Hints(), HOYA_EBUSY, "not today");
    hoya_resolver_ops later = oracle;
    later.size++;
    EXPECT_EQ(hoya_set_resolver(loop, &later, nullptr), HOYA_EINVAL);
    ExpectRefused("localhost", "80", Hints(), HOYA_EBUSY, "not today");
}

} // namespace hoya_test
