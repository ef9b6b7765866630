/* SPDX-License-Identifier: MIT
 *
 * demos/fetch_server_test.cc: the server of demos/fetch, by hand; and the crowd, with its other process.
 */
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <gtest/gtest.h>
#include <hoya/hoya.h>

#include "fetch/crowd.h"
#include "fetch/limit.h"
#include "fetch/pattern.h"
#include "fetch/server.h"

namespace
{

/* A task, in which a test is. */
struct InTask : testing::Test {
    hoya_loop *loop = nullptr;
    std::function<void()> body;

    static int Main(hoya_task *self, void *arg)
    {
        auto test = static_cast<InTask *>(arg);
        test->loop = hoya_task_get_loop(self);
        test->body();
        return 0;
    }

    void Run(std::function<void()> what)
    {
        body = std::move(what);
        EXPECT_EQ(0, hoya_run(Main, this, nullptr));
    }
};

struct FetchServer : InTask {
    fetch_server *server = nullptr;
    char port[8];

    void SetUp() override { ASSERT_EQ(0, fetch_server_start("127.0.0.1", "0", 0, &server, port)); }
    void TearDown() override { fetch_server_stop(server); }

    /* All that comes, and in *end how it ends. */
    std::string Ask(const std::string &question, ssize_t *end)
    {
        hoya_stream *stream = nullptr;
        std::string all;
        char data[4096];
        EXPECT_EQ(0, hoya_open_connection("127.0.0.1", port, nullptr, &stream));
        EXPECT_EQ(0, hoya_stream_write(stream, question.data(), question.size()));
        while ((*end = hoya_stream_read(stream, data, sizeof data)) > 0)
            all.append(data, static_cast<size_t>(*end));
        hoya_stream_abort(stream);
        hoya_stream_unref(stream);
        return all;
    }
};

TEST_F(FetchServer, SendsWhatTheNameSays)
{
    Run([&] {
        ssize_t end;
        EXPECT_EQ("OK 3000\n" + std::string(reinterpret_cast<const char *>(fetch_pattern("a.ogg/3K", 0)), 3000),
                  Ask("GET a.ogg/3K\n", &end));
        EXPECT_EQ(0, end);
        EXPECT_EQ(7 + 200u, Ask("GET 200\n", &end).size());
        EXPECT_EQ("ERROR there is no missing\n", Ask("GET missing\n", &end));
        EXPECT_EQ("ERROR there is no a/5X\n", Ask("GET a/5X\n", &end));
        EXPECT_EQ("ERROR there is no a/-5\n", Ask("GET a/-5\n", &end));
        EXPECT_EQ("ERROR say GET\n", Ask("HELP\n", &end));
        EXPECT_EQ("", Ask(std::string(1000, 'x') + "\n", &end)) << "too long a line";
    });
}

TEST_F(FetchServer, ResetsWhatIsBroken)
{
    Run([&] {
        ssize_t end;
        EXPECT_LE(Ask("GET broken/1K\n", &end).size(), 8 + 500u);
        EXPECT_EQ(HOYA_ECONNRESET, end);
    });
}

TEST_F(FetchServer, StopsInTheMiddle)
{
    Run([&] {
        hoya_stream *stream = nullptr;
        char data[100];
        ASSERT_EQ(0, hoya_open_connection("127.0.0.1", port, nullptr, &stream));
        ASSERT_EQ(0, hoya_stream_write(stream, "GET 100G\n", 9));
        ASSERT_EQ(0, hoya_stream_readexactly(stream, data, sizeof data, nullptr));
        fetch_server_stop(server);
        server = nullptr;
        hoya_stream_abort(stream);
        hoya_stream_unref(stream);
    });
    fetch_server_stop(nullptr);
}

TEST_F(FetchServer, SaysIfItCannotListen)
{
    fetch_server *second = nullptr;
    char other[8];
    EXPECT_EQ(HOYA_EADDRINUSE, fetch_server_start("127.0.0.1", port, 0, &second, other));
}

TEST(FetchRate, IsKept)
{
    struct Slow : FetchServer {
        void SetUp() override { ASSERT_EQ(0, fetch_server_start("127.0.0.1", "0", 100000, &server, port)); }
        void TestBody() override {}
    } slow;
    slow.SetUp();
    slow.Run([&] {
        ssize_t end;
        int64_t begin = hoya_loop_time(slow.loop);
        EXPECT_EQ(9 + 30000u, slow.Ask("GET 30000\n", &end).size());
        EXPECT_GE(hoya_loop_time(slow.loop) - begin, HOYA_MSEC(250)) << "the last piece goes after 0.28 s";
    });
    slow.TearDown();
}

struct FetchCrowd : InTask {
    void SetUp() override { setenv("FETCH_CROWD", FETCH_CROWD, 1); }
    void TearDown() override { unsetenv("FETCH_CROWD"); }

    hoya_event *complete = nullptr;
    fetch_crowd *crowd = nullptr;

    static void Complete(void *arg)
    {
        EXPECT_EQ(nullptr, hoya_current_task());
        hoya_event_set(static_cast<FetchCrowd *>(arg)->complete);
    }

    /* The only one of this process; 0: there is none. */
    static pid_t Child()
    {
        std::ifstream children("/proc/self/task/" + std::to_string(getpid()) + "/children");
        for (pid_t child; children >> child;) {
            std::string name;
            std::getline(std::ifstream("/proc/" + std::to_string(child) + "/comm"), name);
            if (name == "demo-fetch-crow")
                return child; /* a sanitizer may have a child of its own, its symbolizer */
        }
        return 0;
    }

    void Stop()
    {
        hoya_future *done = nullptr;
        ASSERT_EQ(0, fetch_crowd_stop(crowd, &done));
        EXPECT_EQ(0, hoya_await(done, nullptr));
        hoya_future_unref(done);
    }
};

TEST_F(FetchCrowd, IsThereAndTalksAndGoes)
{
    Run([&] {
        hoya_timeout *scope;
        int64_t echoes = 0;
        ASSERT_EQ(0, hoya_timeout_enter(HOYA_SEC(60), &scope));
        ASSERT_EQ(0, hoya_event_new(loop, nullptr, &complete));
        ASSERT_EQ(0, fetch_crowd_start(loop, 200, 5, Complete, this, &crowd));
        EXPECT_EQ(0, hoya_event_wait(complete));
        EXPECT_EQ(205, fetch_crowd_count(crowd, nullptr));
        int rc = 0;
        while (rc >= 0 && fetch_crowd_count(crowd, &echoes) == 205 && echoes < 50) rc = hoya_sleep(HOYA_MSEC(1));
        EXPECT_GE(echoes, 50);
        hoya_timeout_leave(scope);
        Stop();
        hoya_event_free(complete);
    });
}

TEST_F(FetchCrowd, MayBeSentAwayBeforeItIsThere)
{
    Run([&] {
        ASSERT_EQ(0, fetch_crowd_start(loop, 2000, 5, nullptr, nullptr, &crowd));
        Stop();
        ASSERT_EQ(0, fetch_crowd_start(loop, 2000, 5, nullptr, nullptr, &crowd));
        hoya_sleep(HOYA_MSEC(50));
        Stop();
    });
}

TEST_F(FetchCrowd, MayEndAfterItsLoop)
{
    ASSERT_EQ(0, hoya_loop_new(nullptr, &loop));
    ASSERT_EQ(0, fetch_crowd_start(loop, 50, 5, nullptr, nullptr, &crowd));
    while (fetch_crowd_count(crowd, nullptr) < 50) ASSERT_LE(0, hoya_loop_run_once(loop, HOYA_SEC(10)));
    hoya_loop_close(loop);
    EXPECT_EQ(0, fetch_crowd_stop(crowd, nullptr));
    hoya_loop_unref(loop);
}

TEST_F(FetchCrowd, SaysIfItsProcessHasEnded)
{
    setenv("FETCH_CROWD", "/bin/false", 1);
    Run([&] {
        hoya_timeout *scope;
        ASSERT_EQ(0, hoya_timeout_enter(HOYA_SEC(20), &scope));
        ASSERT_EQ(0, fetch_crowd_start(loop, 1, 1, nullptr, nullptr, &crowd));
        int rc = 0;
        while (rc >= 0 && fetch_crowd_count(crowd, nullptr) == 0) rc = hoya_sleep(HOYA_MSEC(1));
        EXPECT_EQ(HOYA_ECLOSED, fetch_crowd_count(crowd, nullptr));
        hoya_timeout_leave(scope);
        Stop();
    });
}

TEST_F(FetchCrowd, EndsAProcessThatDoesNotListen)
{
    Run([&] {
        hoya_timeout *scope;
        ASSERT_EQ(0, hoya_timeout_enter(HOYA_SEC(60), &scope));
        ASSERT_EQ(0, hoya_event_new(loop, nullptr, &complete));
        ASSERT_EQ(0, fetch_crowd_start(loop, 20, 5, Complete, this, &crowd));
        EXPECT_EQ(0, hoya_event_wait(complete));
        siginfo_t stopped;
        ASSERT_EQ(0, kill(Child(), SIGSTOP));
        ASSERT_EQ(0, waitid(P_PID, static_cast<id_t>(Child()), &stopped, WSTOPPED));
        Stop();
        EXPECT_EQ(0, Child());
        hoya_timeout_leave(scope);
        hoya_event_free(complete);
    });
}

TEST_F(FetchCrowd, IsMoreThanNobody)
{
    Run([&] {
        EXPECT_EQ(HOYA_EINVAL, fetch_crowd_start(loop, 0, 0, nullptr, nullptr, &crowd));
        EXPECT_EQ(0, Child());
    });
}

TEST_F(FetchCrowd, LeavesNothingIfThereIsNoProgram)
{
    setenv("FETCH_CROWD", "/nowhere/demo-fetch-crowd", 1);
    Run([&] {
        EXPECT_EQ(HOYA_ENOENT, fetch_crowd_start(loop, 1, 1, nullptr, nullptr, &crowd));
        EXPECT_STREQ("cannot start /nowhere/demo-fetch-crowd", hoya_error_detail());
    });
}

TEST(FetchLimit, SaysHowManyFilesTheSystemAllows)
{
    EXPECT_EQ(0, fetch_allow_files(10));
    EXPECT_EQ(HOYA_EMFILE, fetch_allow_files(2000000000));
    EXPECT_NE(nullptr, strstr(hoya_error_detail(), "2000000000 connections need 2000000100 open files"));
}

} // namespace
