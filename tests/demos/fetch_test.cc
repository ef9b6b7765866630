/* SPDX-License-Identifier: MIT
 *
 * demos/fetch_test.cc: the downloads of demos/fetch: how they come, what they tell, and what is left when they are
 * cancelled, fail, or are closed in the middle. What they leave behind, the checks of every test see.
 */
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <hoya/hoya.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fetch/inside.h"
#include "fetch/pattern.h"
#include "fetch/server.h"

namespace
{

/* A server that does what a test wants for each connection, after the question was read. */
struct Scripted {
    std::function<int(hoya_stream *stream, const std::string &question)> answer;
    hoya_server *server = nullptr;
    char port[8] = "";

    static int Serve(hoya_task *, hoya_stream *stream, void *arg)
    {
        const char *line;
        ssize_t n = hoya_stream_readline(stream, &line);
        if (n <= 0) return 0;
        static_cast<Scripted *>(arg)->answer(stream, std::string(line, static_cast<size_t>(n)));
        return 0;
    }

    void Start(hoya_group *group)
    {
        hoya_address address;
        ASSERT_EQ(0, hoya_start_server(group, "127.0.0.1", "0", Serve, this, nullptr, nullptr, &server));
        ASSERT_EQ(0, hoya_server_get_sockname(server, 0, &address));
        snprintf(port, sizeof port, "%d", ntohs(reinterpret_cast<sockaddr_in *>(&address.storage)->sin_port));
    }
};

int Send(hoya_stream *stream, const std::string &text)
{
    return hoya_stream_write(stream, text.data(), text.size());
}

struct Downloads : testing::Test {
    hoya_loop *loop = nullptr;
    hoya_group *group = nullptr;
    fetch *all = nullptr;
    Scripted scripted;
    fetch_server *server = nullptr;
    char port[8] = "";
    int64_t rate = 0;
    hoya_event *news = nullptr;
    std::vector<std::string> told;
    size_t looked = 0;
    int progress = 0, most = 0;
    bool inside = false; /* of a call of ours */
    fetch_patience before = fetch_patience_now;
    std::function<void()> body;

    void TearDown() override { fetch_patience_now = before; }

    void Tell(const std::string &text)
    {
        EXPECT_FALSE(inside) << text;
        EXPECT_EQ(nullptr, hoya_current_task()) << text;
        told.push_back(text);
        int now = AtOnce();
        if (now > most) most = now;
        hoya_event_set(news);
    }

    int AtOnce()
    {
        fetch_item *const *items;
        int n = 0;
        for (size_t i = 0, count = fetch_items(all, &items); i < count; i++) {
            fetch_state state = fetch_item_state(items[i]);
            n += state == FETCH_CONNECTING || state == FETCH_LOADING;
        }
        return n;
    }

    static Downloads &Of(void *arg) { return *static_cast<Downloads *>(arg); }

    static const fetch_face *Face()
    {
        static const fetch_face face = {[](fetch_item *item, fetch_state state, const char *text, void *arg) {
                                            static const char *const words[] = {"waiting", "connecting", "loading",
                                                                                "done",    "cancelled",  "failed"};
                                            Of(arg).Tell(std::string(fetch_item_name(item)) + " " + words[state] +
                                                         (*text ? ": " : "") + text);
                                        },
                                        [](fetch *, void *arg) {
                                            Of(arg).progress++;
                                            hoya_event_set(Of(arg).news);
                                        },
                                        [](fetch *, void *arg) { Of(arg).Tell("finished"); }};
        return &face;
    }

    /* Until this is so; asked whenever something is told. */
    void Until(const std::function<bool()> &so)
    {
        hoya_timeout *scope;
        ASSERT_EQ(0, hoya_timeout_enter(HOYA_SEC(20), &scope));
        int rc = 0;
        while (rc >= 0 && !so()) {
            hoya_event_clear(news);
            rc = hoya_event_wait(news);
        }
        hoya_timeout_leave(scope);
        std::string lines;
        for (auto &line : told) lines += line + "\n";
        EXPECT_GE(rc, 0) << "waited in vain\n" << lines;
    }

    /* Until this was told, after what was waited for before. */
    void Heard(const std::string &text)
    {
        SCOPED_TRACE(text);
        Until([&] {
            while (looked < told.size())
                if (told[looked++].find(text) == 0) return true;
            return false;
        });
    }

    fetch_item *Add(const std::string &name)
    {
        fetch_item *item = nullptr;
        inside = true;
        EXPECT_EQ(0, fetch_add(all, name.c_str(), nullptr, &item));
        inside = false;
        return item;
    }

    void Cancel(fetch_item *item)
    {
        inside = true;
        EXPECT_EQ(0, fetch_item_cancel(item));
        inside = false;
    }

    void Close()
    {
        hoya_future *done = nullptr;
        inside = true;
        ASSERT_EQ(0, fetch_close(all, &done));
        inside = false;
        EXPECT_EQ(0, hoya_await(done, nullptr));
        hoya_future_unref(done);
        all = nullptr;
    }

    static int64_t Bytes(const fetch_item *item)
    {
        fetch_figures figures;
        fetch_item_figures(item, &figures);
        return figures.bytes;
    }

    static int Main(hoya_task *self, void *arg)
    {
        auto &test = Of(arg);
        test.loop = hoya_task_get_loop(self);
        EXPECT_EQ(0, hoya_event_new(test.loop, nullptr, &test.news));
        EXPECT_EQ(0, hoya_group_enter(nullptr, &test.group));
        if (test.scripted.answer) test.scripted.Start(test.group);
        else EXPECT_EQ(0, fetch_server_start("127.0.0.1", "0", test.rate, &test.server, test.port));
        EXPECT_EQ(0, fetch_new(test.loop, "127.0.0.1", test.scripted.answer ? test.scripted.port : test.port,
                               Face(), &test, &test.all));
        test.body();
        if (test.all) test.Close();
        hoya_group_cancel(test.group, nullptr);
        hoya_group_leave(test.group);
        hoya_server_unref(test.scripted.server);
        fetch_server_stop(test.server);
        hoya_sleep(0);
        EXPECT_EQ(0, hoya_event_free(test.news));
        return 0;
    }

    void Run(std::function<void()> what)
    {
        body = std::move(what);
        EXPECT_EQ(0, hoya_run(Main, this, nullptr)) << hoya_error_detail();
    }
};

TEST_F(Downloads, ComeWholeAndTellHowTheyStand)
{
    Run([&] {
        fetch_item *one = Add("one/3M"), *two = Add("two/1K"), *nothing = Add("none/0");
        Heard("finished");
        EXPECT_EQ(FETCH_DONE, fetch_item_state(one));
        EXPECT_EQ(FETCH_DONE, fetch_item_state(nothing));
        EXPECT_EQ(3000000, Bytes(one));
        EXPECT_EQ(1000, Bytes(two));
        std::vector<std::string> of_one;
        for (auto &line : told)
            if (line.find("one/3M") == 0) of_one.push_back(line.substr(7));
        EXPECT_EQ((std::vector<std::string>{"waiting", "connecting", "loading", "done"}), of_one);
        fetch_figures total;
        fetch_total(all, &total);
        EXPECT_EQ(3001000, total.bytes);
        EXPECT_EQ(3001000, total.size);
        EXPECT_EQ(0, total.speed) << "nothing is loading";
        fetch_item *const *items;
        ASSERT_EQ(3u, fetch_items(all, &items));
        EXPECT_EQ(two, items[1]);
    });
}

TEST_F(Downloads, AreNeverMoreAtOnceThanTheLimit)
{
    Run([&] {
        ASSERT_EQ(0, fetch_set_limit(all, 2));
        for (int i = 0; i < 10; i++) Add("x/200K");
        Heard("finished");
        EXPECT_EQ(2, most);
        for (int i = 0; i < 4; i++) Add("y/100K");
        ASSERT_EQ(0, fetch_set_limit(all, 4));
        Heard("finished");
        EXPECT_EQ(4, most);
    });
}

TEST_F(Downloads, ALowerLimitLetsThoseThatLoadGoOn)
{
    rate = 1000000;
    Run([&] {
        ASSERT_EQ(0, fetch_set_limit(all, 3));
        for (int i = 0; i < 3; i++) Add("x/100K");
        Until([&] { return AtOnce() == 3; });
        ASSERT_EQ(0, fetch_set_limit(all, 1));
        EXPECT_EQ(3, AtOnce());
        for (int i = 0; i < 3; i++) Add("y/1K");
        Until([&] { return AtOnce() < 3; });
        for (int i = 0; i < 3; i++) Heard("x/100K done");
        most = 0;
        Heard("finished");
        EXPECT_EQ(1, most);
        ASSERT_EQ(0, fetch_set_limit(all, 2));
        for (int i = 0; i < 4; i++) Add("z/1K");
        Heard("finished");
        EXPECT_EQ(2, most);
        EXPECT_EQ(HOYA_EINVAL, fetch_set_limit(all, 0));
    });
}

TEST_F(Downloads, ACancelClosesTheConnectionAndGivesTheTurnToTheNext)
{
    int questions = 0, ended = 1;
    hoya_event *gone = nullptr;
    scripted.answer = [&](hoya_stream *stream, const std::string &) {
        char byte;
        if (questions++) return Send(stream, "OK 0\n");
        Send(stream, "OK 100\n" + std::string(reinterpret_cast<const char *>(fetch_pattern("a", 0)), 10));
        ended = static_cast<int>(hoya_stream_read(stream, &byte, 1));
        return hoya_event_set(gone);
    };
    Run([&] {
        ASSERT_EQ(0, hoya_event_new(loop, nullptr, &gone));
        fetch_set_limit(all, 1);
        fetch_item *a = Add("a");
        Add("b");
        Until([&] { return Bytes(a) == 10; });
        Cancel(a);
        Heard("a cancelled");
        EXPECT_EQ(0, hoya_event_wait(gone));
        EXPECT_LE(ended, 0);
        Heard("b done");
        Heard("finished");
        EXPECT_EQ(HOYA_ESTATE, fetch_item_cancel(a));
        EXPECT_EQ(10, Bytes(a));
        fetch_figures total;
        fetch_total(all, &total);
        EXPECT_EQ(0, total.size) << "what was cancelled does not count";
        hoya_event_free(gone);
    });
    EXPECT_EQ(2, questions);
}

TEST_F(Downloads, OneThatIsCancelledWhileItWaitsNeverConnects)
{
    int questions = 0;
    scripted.answer = [&](hoya_stream *stream, const std::string &) {
        questions++;
        return Send(stream, "OK 0\n");
    };
    Run([&] {
        Cancel(Add("before the task that has the group has begun"));
        Heard("before the task that has the group has begun cancelled");
        Cancel(Add("before its own task has begun"));
        Heard("before its own task has begun cancelled");
        Heard("finished");
        Add("c");
        Heard("c done");
    });
    EXPECT_EQ(1, questions);
}

TEST_F(Downloads, BeginFromTheirBeginningIfTheyAreRetried)
{
    int questions = 0;
    scripted.answer = [&](hoya_stream *stream, const std::string &question) {
        EXPECT_EQ("GET a\n", question);
        const std::string bytes(reinterpret_cast<const char *>(fetch_pattern("a", 0)), 100);
        switch (questions++) {
        case 0:
            return Send(stream, "ERROR not yet\n");
        case 1:
            return Send(stream, "OK 100\n" + bytes.substr(0, 50));
        default:
            return Send(stream, "OK 100\n" + bytes);
        }
    };
    Run([&] {
        fetch_item *a = Add("a");
        Heard("a failed: the server says: not yet");
        Heard("finished");
        EXPECT_EQ(0, fetch_item_retry(a));
        EXPECT_EQ(HOYA_ESTATE, fetch_item_retry(a)) << "it waits";
        Heard("a waiting");
        Heard("a failed: the connection is lost: end of stream");
        Heard("finished");
        EXPECT_EQ(50, Bytes(a));
        EXPECT_EQ(0, fetch_item_retry(a));
        EXPECT_EQ(0, Bytes(a));
        Heard("a done");
        EXPECT_EQ(100, Bytes(a));
        EXPECT_EQ(HOYA_ESTATE, fetch_item_retry(a));
    });
}

TEST_F(Downloads, OneThatWasCancelledComesWholeTheNextTime)
{
    rate = 2000000;
    Run([&] {
        fetch_item *a = Add("a/500K");
        Until([&] { return Bytes(a) > 0; });
        Cancel(a);
        Heard("a/500K cancelled");
        EXPECT_EQ(0, fetch_item_retry(a));
        Heard("a/500K done");
        EXPECT_EQ(500000, Bytes(a));
    });
}

TEST_F(Downloads, WhatTheServerResetsHasFailed)
{
    Run([&] {
        fetch_item *a = Add("broken/3M");
        Heard("broken/3M failed: the connection is lost: ");
        EXPECT_LT(Bytes(a), 3000000);
        Add("missing");
        Heard("missing failed: the server says: there is no missing");
    });
}

TEST_F(Downloads, WhatIsNotWhatWasAskedForHasFailed)
{
    scripted.answer = [&](hoya_stream *stream, const std::string &question) {
        if (question == "GET nothing\n") return 0;
        return Send(stream, question == "GET bytes\n" ? "OK 5\nwrong" : "hello\n");
    };
    Run([&] {
        Add("bytes");
        Heard("bytes failed: what has come is not what was asked for");
        Add("words");
        Heard("words failed: the server says what makes no sense");
        Add("nothing");
        Heard("nothing failed: the connection is lost: end of stream");
    });
}

TEST_F(Downloads, ASilentServerIsNotWaitedForForEver)
{
    fetch_patience_now.silence = HOYA_MSEC(100);
    Run([&] {
        fetch_item *a = Add("silent/100K");
        Heard("silent/100K failed: nothing has come for 0 s");
        EXPECT_EQ(50000, Bytes(a));
    });
}

TEST_F(Downloads, WithoutAServerTheyFail)
{
    Run([&] {
        fetch_server_stop(server);
        server = nullptr;
        Add("a");
        Heard("a failed: no connection: connection refused");
        Heard("finished");
    });
}

/* A socket that listens, and whose queue is full: the system drops what else wants to connect. */
struct Full {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::vector<int> queue;
    std::string port;

    Full()
    {
        sockaddr_in at{};
        socklen_t length = sizeof at;
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto address = reinterpret_cast<sockaddr *>(&at);
        EXPECT_EQ(0, bind(listener, address, length));
        EXPECT_EQ(0, listen(listener, 0));
        EXPECT_EQ(0, getsockname(listener, address, &length));
        port = std::to_string(ntohs(at.sin_port));
        for (int i = 0; i < 4; i++) {
            queue.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            connect(queue.back(), address, length);
        }
    }
    ~Full()
    {
        for (int fd : queue) close(fd);
        close(listener);
    }
};

TEST_F(Downloads, AServerThatDoesNotAnswerIsNotWaitedForForEver)
{
    fetch_patience_now.connect = HOYA_MSEC(100);
    Run([&] {
        Full full;
        Close();
        ASSERT_EQ(0, fetch_new(loop, "127.0.0.1", full.port.c_str(), Face(), this, &all));
        Add("a");
        Heard("a failed: no connection: timed out");
        fetch_patience_now.connect = HOYA_SEC(100);
        Cancel(Add("b"));
        fetch_item *c = Add("c");
        Heard("c connecting");
        Cancel(c);
        Heard("c cancelled");
        Heard("finished");
    });
}

TEST_F(Downloads, AreClosedInTheMiddleAndTellNothingMore)
{
    rate = 100000;
    Run([&] {
        fetch_set_limit(all, 2);
        fetch_item *a = Add("a/1M");
        for (int i = 0; i < 5; i++) Add("b/1M");
        Until([&] { return Bytes(a) > 0; });
        hoya_future *done = nullptr;
        ASSERT_EQ(0, fetch_close(all, &done));
        EXPECT_EQ(HOYA_ESTATE, fetch_close(all, nullptr));
        EXPECT_EQ(HOYA_ESTATE, fetch_add(all, "c", nullptr, nullptr));
        size_t count = told.size();
        EXPECT_EQ(0, hoya_await(done, nullptr));
        EXPECT_EQ(count, told.size());
        hoya_future_unref(done);
        all = nullptr;
    });
}

/* Those that load are not the last ones to end with the loop: whose group they are in may end before them. */
TEST(DownloadsWithoutTime, MayEndWithTheirLoop)
{
    static const fetch_face nobody = {nullptr, nullptr, nullptr};
    fetch_server *server;
    char port[8];
    hoya_loop *loop;
    fetch *all;
    fetch_item *item;
    ASSERT_EQ(0, fetch_server_start("127.0.0.1", "0", 100000, &server, port));
    ASSERT_EQ(0, hoya_loop_new(nullptr, &loop));
    ASSERT_EQ(0, fetch_new(loop, "127.0.0.1", port, &nobody, nullptr, &all));
    fetch_set_limit(all, 2);
    for (const char *name : {"a/1M", "b/1M", "c/1M", "d/1M"}) ASSERT_EQ(0, fetch_add(all, name, nullptr, &item));
    fetch_item *const *items;
    ASSERT_EQ(4u, fetch_items(all, &items));
    while (fetch_item_state(items[0]) != FETCH_LOADING) ASSERT_LE(0, hoya_loop_run_once(loop, HOYA_SEC(10)));
    EXPECT_EQ(0, fetch_close(all, nullptr));
    hoya_loop_run_once(loop, 0); /* they have been cancelled, and have not ended */
    hoya_loop_close(loop);
    hoya_loop_unref(loop);
    fetch_server_stop(server);
}

TEST_F(Downloads, MayBeClosedBeforeAnythingHasBegun)
{
    Run([&] { Add("a/1M"); });
    EXPECT_TRUE(told.empty());
}

TEST_F(Downloads, RefuseWhatIsNoName)
{
    Run([&] {
        for (const std::string &name : {std::string(), std::string("two\nlines"), std::string(201, 'x')})
            EXPECT_EQ(HOYA_EINVAL, fetch_add(all, name.c_str(), nullptr, nullptr));
        int user;
        fetch_item *a;
        ASSERT_EQ(0, fetch_add(all, "a/1", &user, &a));
        EXPECT_EQ(&user, fetch_item_user(a));
        Heard("a/1 done");
    });
}

/* Counted by the clock that the face could count by. */
TEST_F(Downloads, TellOfProgressAtMost30TimesASecond)
{
    rate = 2000000;
    Run([&] {
        int64_t begin = hoya_loop_time(loop);
        for (int i = 0; i < 3; i++) Add("a/300K");
        Add("b/700K");
        double speed = 0;
        int early = 0; /* told before the last one was alone */
        Until([&] {
            fetch_figures total;
            fetch_total(all, &total);
            if (total.speed > speed) speed = total.speed;
            if (AtOnce() > 1) early = progress;
            return total.bytes == 1600000;
        });
        Heard("finished");
        EXPECT_GT(progress, early + 2) << "of the last one, too";
        double seconds = static_cast<double>(hoya_loop_time(loop) - begin) / 1e9;
        EXPECT_GE(progress, 1);
        EXPECT_LE(progress, 30 * seconds + 1);
        EXPECT_GT(speed, 0);
        hoya_loop_statistics stats{};
        stats.size = sizeof stats;
        ASSERT_EQ(0, hoya_loop_stats(loop, &stats));
        EXPECT_EQ(0u, stats.timers) << "no timer goes while nothing loads";
    });
}

TEST(FetchMeter, TellsTheSpeedOfTheLastSecond)
{
    fetch_meter meter;
    const int64_t begin = HOYA_SEC(1000);
    fetch_meter_begin(&meter, begin);
    EXPECT_EQ(0, fetch_meter_speed(&meter, begin));
    fetch_meter_add(&meter, begin, 100);
    EXPECT_EQ(1000, fetch_meter_speed(&meter, begin + 1)) << "over a tenth of a second, at least";
    for (int i = 1; i < 50; i++) fetch_meter_add(&meter, begin + HOYA_MSEC(100 * i), 100);
    EXPECT_NEAR(1000, fetch_meter_speed(&meter, begin + HOYA_MSEC(4999)), 2);
    EXPECT_NEAR(500, fetch_meter_speed(&meter, begin + HOYA_MSEC(5499)), 60) << "half of it was silence";
    EXPECT_EQ(0, fetch_meter_speed(&meter, begin + HOYA_SEC(6)));
    EXPECT_EQ(0, fetch_meter_speed(&meter, begin + HOYA_SEC(600)));
    fetch_meter_add(&meter, begin + HOYA_SEC(600), 300);
    EXPECT_NEAR(300, fetch_meter_speed(&meter, begin + HOYA_SEC(600) + HOYA_MSEC(99)), 40);
}

TEST(FetchPattern, IsOfTheNameAndThePlace)
{
    EXPECT_EQ(0, memcmp(fetch_pattern("a", 1000), fetch_pattern("a", 900) + 100, FETCH_PATTERN - 100));
    EXPECT_EQ(0, memcmp(fetch_pattern("a", 65500) + 100, fetch_pattern("a", 65600), 1000)) << "over its end";
    EXPECT_NE(0, memcmp(fetch_pattern("a", 0), fetch_pattern("b", 0), 100));
    EXPECT_NE(0, memcmp(fetch_pattern("a", 0), fetch_pattern("a", 1), 100));
}

} // namespace
