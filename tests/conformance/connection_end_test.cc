/* SPDX-License-Identifier: MIT
 *
 * conformance/connection_end_test.cc: connections that are being made, and everything that may end them at the wrong
 * moment: two lookups that are done at once, whoever is released and cancels what released it, a loop that is closed.
 */
#include "net.h"

#include <cstring>
#include <netdb.h>
#include <netinet/in.h>

namespace hoya_test
{
namespace
{

/* A resolver whose answers wait until the test gives them: 127.0.0.1, with the port of `to`. */
struct Questions {
    struct Question {
        std::string host, port;
        Future future;
    };
    std::vector<Question> asked;
    std::string port;
    Work on_ask; /* in the call, before it returns */

    static int Ask(hoya_loop *loop, const char *host, const char *port, const addrinfo *, void *arg,
                   hoya_future **future)
    {
        auto self = static_cast<Questions *>(arg);
        Future made = NewFuture(loop);
        hoya_future *answer = hoya_future_ref(made.get());
        self->asked.push_back({host ? host : "", port ? port : "", std::move(made)});
        if (self->on_ask) self->on_ask();
        *future = answer;
        return 0;
    }
    void Install(hoya_loop *loop)
    {
        static const hoya_resolver_ops ops = {sizeof ops, "test", Ask, nullptr, nullptr};
        EXPECT_EQ(hoya_set_resolver(loop, &ops, this), 0);
    }
    void Answer(size_t i)
    {
        addrinfo hints = {}, *list = nullptr, *copy = nullptr;
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
        hints.ai_socktype = SOCK_STREAM;
        ASSERT_EQ(getaddrinfo("127.0.0.1", asked[i].host == "here.example" ? "0" : port.c_str(), &hints, &list), 0);
        ASSERT_EQ(hoya_copy_addrinfo(list, &copy), 0);
        freeaddrinfo(list);
        EXPECT_EQ(hoya_future_set_result(asked[i].future.get(), copy,
                                         [](void *value) { hoya_freeaddrinfo(static_cast<addrinfo *>(value)); }),
                  0);
    }
};

class ConnectionEnd : public NetConformance
{
  protected:
    void SetUp() override
    {
        NetConformance::SetUp();
        server = Own(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        ASSERT_EQ(bind(server, reinterpret_cast<sockaddr *>(&address), length), 0);
        ASSERT_EQ(listen(server, 16), 0);
        getsockname(server, reinterpret_cast<sockaddr *>(&address), &length);
        questions.port = port = std::to_string(ntohs(address.sin_port));
        questions.Install(loop);
        options.size = sizeof options;
    }
    void TearDown() override
    {
        questions.asked.clear();
        NetConformance::TearDown();
    }
    Future Create(Recorder &recorder, const char *to = "127.0.0.1")
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_create_connection(loop, to, port.c_str(), recorder.protocol(), &options, &future), 0)
            << hoya_error_detail();
        return Future(future);
    }
    void RunUntilDone(const Future &future)
    {
        RunUntil([&] { return hoya_future_done(future.get()); });
    }

    int server = -1;
    std::string port;
    Questions questions;
    hoya_connection_options options = {};
};

TEST_P(ConnectionEnd, TwoLookupsThatAreDoneAtOnceAreOneConnection)
{
    Recorder recorder(&trace, "a");
    options.local_host = "here.example";
    Future future = Create(recorder, "there.example");
    ASSERT_EQ(questions.asked.size(), 2u);
    for (size_t i : {0, 1}) questions.Answer(i);
    RunUntilDone(future);
    EXPECT_EQ(hoya_future_result(future.get(), nullptr), 0) << hoya_error_detail();
    RunRounds(3);
    Own(accept4(server, nullptr, nullptr, SOCK_NONBLOCK));
    EXPECT_LT(accept4(server, nullptr, nullptr, SOCK_NONBLOCK), 0) << "one only";
    EXPECT_EQ(trace, Trace{"a made"});
}

TEST_P(ConnectionEnd, EitherLookupMayBeTheLastOne)
{
    for (size_t first : {0, 1}) {
        Recorder recorder(&trace, "a");
        options.local_host = "here.example";
        questions.asked.clear();
        Future future = Create(recorder, "there.example");
        questions.Answer(first);
        RunRounds(3);
        EXPECT_EQ(hoya_future_done(future.get()), 0);
        questions.Answer(1 - first);
        RunUntilDone(future);
        EXPECT_EQ(hoya_future_result(future.get(), nullptr), 0) << hoya_error_detail();
        hoya_transport_abort(recorder.transport);
        RunUntil([&] { return recorder.released; });
    }
}

TEST_P(ConnectionEnd, ALookupThatFailsFailsTheConnectionWithItsText)
{
    Recorder recorder(&trace, "a");
    Future future = Create(recorder, "there.example");
    EXPECT_EQ(hoya_future_set_exception(questions.asked[0].future.get(), HOYA_EAI_NONAME, "nobody knows it"), 0);
    RunUntilDone(future);
    const char *text = "";
    EXPECT_EQ(hoya_future_exception(future.get(), &text), HOYA_EAI_NONAME);
    EXPECT_STREQ(text, "nobody knows it");
    EXPECT_EQ(recorder.released, 1);
}

/* A resolver that runs the loop while it is asked, or closes it. */
TEST_P(ConnectionEnd, OneThatIsOverBeforeTheResolverHasAnsweredIsOver)
{
    Recorder recorder(&trace, "a"), closing(&trace, "b");
    options.timeout = HOYA_MSEC(1);
    questions.on_ask = [&] {
        RunFor(HOYA_MSEC(3));
        questions.Answer(0);
    };
    options.local_host = "here.example";
    Future future = Create(recorder, "there.example");
    EXPECT_EQ(hoya_future_exception(future.get(), nullptr), HOYA_ETIMEDOUT);
    EXPECT_EQ(questions.asked.size(), 1u) << "nobody is asked for what comes too late";
    RunRounds(3);
    EXPECT_EQ(trace, Trace{"a released"});
    EXPECT_LT(accept4(server, nullptr, nullptr, SOCK_NONBLOCK), 0);
    questions.asked.clear();
    questions.on_ask = [&] { EXPECT_EQ(hoya_loop_close(loop), 0); };
    Future closed = Create(closing, "there.example");
    EXPECT_EQ(hoya_future_done(closed.get()), 0);
    EXPECT_EQ(trace, (Trace{"a released", "b released"}));
}

TEST_P(ConnectionEnd, ABadLocalAddressIsRefusedBeforeAnybodyIsAsked)
{
    Recorder recorder(&trace, "a");
    for (auto bad : {std::pair<const char *, const char *>{"no host", "0"}, {nullptr, "65536"}, {"", nullptr}}) {
        options.local_host = bad.first;
        options.local_port = bad.second;
        EXPECT_EQ(hoya_create_connection(loop, "there.example", "80", recorder.protocol(), &options, nullptr),
                  HOYA_EINVAL);
    }
    EXPECT_TRUE(questions.asked.empty());
    EXPECT_EQ(recorder.released, 3);
}

TEST_P(ConnectionEnd, ATimeThatIsUpWhenItHasJustConnectedSaysSo)
{
    Recorder recorder(&trace, "a");
    options.timeout = HOYA_MSEC(1);
    Future future = Create(recorder);
    for (int64_t end = hoya_loop_time(loop) + HOYA_MSEC(3); hoya_loop_time(loop) < end;) continue;
    RunUntilDone(future);
    const char *text = "";
    EXPECT_EQ(hoya_future_exception(future.get(), &text), HOYA_ETIMEDOUT);
    EXPECT_EQ(text, "the time was up; 127.0.0.1:" + port + ": just connected");
    RunUntil([&] { return recorder.released; });
}

TEST_P(ConnectionEnd, ACancelEndsItsLookups)
{
    Recorder recorder(&trace, "a");
    options.local_host = "here.example";
    Future future = Create(recorder, "there.example");
    EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
    for (size_t i : {0, 1}) EXPECT_EQ(hoya_future_cancelled(questions.asked[i].future.get()), 1);
    RunRounds(2);
    EXPECT_EQ(trace, Trace{"a released"});
}

/* The same for every moment of its making. */
TEST_P(ConnectionEnd, WhoIsReleasedByTheEndMayCancelTheConnectionOnceMore)
{
    const char *const hosts[] = {"there.example", "127.0.0.1"};
    for (const char *to : hosts) {
        for (bool times_out : {false, true}) {
            Recorder recorder(&trace, "a");
            options.timeout = times_out ? 1 : 0;
            Future future = Create(recorder, to);
            int cancelled = -1;
            recorder.on_released = [&] { cancelled = hoya_future_cancel(future.get(), "again"); };
            if (times_out) RunUntilDone(future);
            else EXPECT_EQ(hoya_future_cancel(future.get(), "enough"), 1);
            RunUntil([&] { return recorder.released; });
            EXPECT_EQ(cancelled, 0) << "it was done";
            const char *text = "";
            int code = hoya_future_exception(future.get(), &text);
            if (times_out) {
                /* Over the loopback it may have been quicker. */
                if (code < 0) EXPECT_EQ(code, HOYA_ETIMEDOUT);
            } else {
                EXPECT_EQ(code, HOYA_ECANCELED);
                EXPECT_STREQ(text, "enough");
            }
            questions.asked.clear();
            RunRounds(2);
        }
    }
}

TEST_P(ConnectionEnd, ACancelAfterTheLoopsCloseOrInItFindsNothingLeft)
{
    for (bool inside : {false, true}) {
        hoya_loop *sibling = NewSibling();
        questions.Install(sibling);
        std::swap(loop, sibling);
        Recorder recorder(&trace, "a"), trying(&trace, "b");
        Future looking = Create(recorder, "there.example"), future = Create(trying);
        auto cancel = [&] {
            hoya_future_cancel(looking.get(), "late");
            hoya_future_cancel(future.get(), "late");
        };
        if (inside) recorder.on_released = trying.on_released = cancel;
        EXPECT_EQ(hoya_loop_close(loop), 0);
        if (!inside) cancel();
        EXPECT_EQ(recorder.released, 1);
        EXPECT_EQ(trying.released, 1);
        EXPECT_EQ(hoya_future_cancelled(looking.get()), 1);
        EXPECT_EQ(hoya_future_cancelled(future.get()), 1);
        looking.reset();
        future.reset();
        questions.asked.clear();
        std::swap(loop, sibling);
        hoya_loop_unref(sibling);
    }
}

TEST_P(ConnectionEnd, NobodyKeepsTheFutureAndTheReleasedOneClosesTheLoopsOtherConnections)
{
    Recorder recorder(&trace, "a"), other(&trace, "b");
    int peer;
    Transport transport = Connected(other, &peer);
    hoya_future *future = Create(recorder, "there.example").release();
    recorder.on_released = [&] {
        hoya_transport_abort(transport.get());
        hoya_future_unref(future); /* the last one that the program has */
    };
    EXPECT_EQ(hoya_future_cancel(future, nullptr), 1);
    RunUntil([&] { return other.released; });
    EXPECT_EQ(trace, (Trace{"a released", "b lost", "b released"}));
}

TEST_P(ConnectionEnd, ATimeThatIsUpWhileConnectionMadeIsOnTheStackAbortsIt)
{
    Recorder recorder(&trace, "a");
    options.timeout = HOYA_MSEC(20);
    Future future;
    recorder.on_made = [&](hoya_transport *) {
        if (host && GetParam().nests) host->RunNestedUntil([&] { return hoya_future_done(future.get()) == 1; });
        return 0;
    };
    future = Create(recorder);
    RunUntilDone(future);
    int code = hoya_future_result(future.get(), nullptr);
    if (host && GetParam().nests) {
        EXPECT_EQ(code, HOYA_ETIMEDOUT);
        RunUntil([&] { return recorder.released; });
        EXPECT_EQ(trace, (Trace{"a made", "a lost", "a released"}));
    } else {
        EXPECT_EQ(code, 0);
    }
}

TEST_P(ConnectionEnd, TheTextOfAFailingConnectionMadeSurvivesTheExceptionHandler)
{
    Recorder recorder(&trace, "a");
    recorder.on_made = [](hoya_transport *) { return hoya_error_set(HOYA_EINVAL, "not my kind"); };
    auto handler = [](hoya_loop *, const hoya_exception_context *, void *) {
        hoya_error_set(HOYA_EPIPE, "other");
        return 0;
    };
    ASSERT_EQ(hoya_loop_set_exception_handler(loop, handler, nullptr), 0);
    Future future = Create(recorder);
    RunUntilDone(future);
    const char *text = "";
    EXPECT_EQ(hoya_future_exception(future.get(), &text), HOYA_EINVAL);
    EXPECT_STREQ(text, "not my kind");
}

INSTANTIATE_TEST_SUITE_P(Hosts, ConnectionEnd, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace
} // namespace hoya_test
