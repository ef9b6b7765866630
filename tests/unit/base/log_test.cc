/* SPDX-License-Identifier: MIT
 *
 * unit/base/log_test.cc: where a text goes: the application's function, else the sink that the caller names,
 * else nowhere.
 */
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "unit/base/own_memory.h"

extern "C" {
#include "base/log.h"
}

using namespace hoya_test;

namespace
{

struct Line {
    hoya_log_level level;
    std::string text;
};
using Lines = std::vector<Line>;

/* A function and a sink that write down what they are told. */
class LogHook : public testing::Test
{
  public:
    Lines heard, sunk;
    hoya_log_sink sink{sink_line, &sunk};

    static void hear(hoya_log_level level, const char *text, void *arg)
    {
        static_cast<Lines *>(arg)->push_back({level, text});
    }
    static void sink_line(void *arg, hoya_log_level level, const char *text)
    {
        static_cast<Lines *>(arg)->push_back({level, text});
    }

    void TearDown() override { hoya_set_log_function(nullptr, nullptr); }
};

} // namespace

TEST_F(LogHook, TheApplicationsFunctionHearsLevelAndText)
{
    hoya_set_log_function(hear, &heard);
    hoya_log(nullptr, HOYA_LOG_WARNING, "%d of %s", 3, "them");
    hoya_log(nullptr, HOYA_LOG_DEBUG, "plain");
    ASSERT_EQ(heard.size(), 2u);
    EXPECT_EQ(heard[0].level, HOYA_LOG_WARNING);
    EXPECT_EQ(heard[0].text, "3 of them");
    EXPECT_EQ(heard[1].level, HOYA_LOG_DEBUG);
    EXPECT_EQ(heard[1].text, "plain");
}

TEST_F(LogHook, TheApplicationsFunctionComesBeforeTheSink)
{
    hoya_set_log_function(hear, &heard);
    hoya_log(&sink, HOYA_LOG_ERROR, "text");
    EXPECT_EQ(heard.size(), 1u);
    EXPECT_EQ(sunk.size(), 0u);
}

TEST_F(LogHook, WithoutAFunctionTheSinkHears)
{
    hoya_log(&sink, HOYA_LOG_INFO, "%s!", "hello");
    ASSERT_EQ(sunk.size(), 1u);
    EXPECT_EQ(sunk[0].level, HOYA_LOG_INFO);
    EXPECT_EQ(sunk[0].text, "hello!");
}

TEST_F(LogHook, NullRestoresTheDefault)
{
    hoya_set_log_function(hear, &heard);
    hoya_set_log_function(nullptr, &heard);
    hoya_log(&sink, HOYA_LOG_INFO, "text");
    EXPECT_EQ(heard.size(), 0u);
    EXPECT_EQ(sunk.size(), 1u);
}

TEST_F(LogHook, WithoutFunctionAndSinkATextIsDroppedAndNothingIsPrinted)
{
    hoya_log_sink empty{nullptr, &sunk};
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    hoya_log(nullptr, HOYA_LOG_ERROR, "lost");
    hoya_log(&empty, HOYA_LOG_ERROR, "lost");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(sunk.size(), 0u);
}

TEST_F(LogHook, ATextIsCutAt511BytesAndNeedsNoMemory)
{
    OwnMemory memory;
    std::string text(511, 'x');
    hoya_set_log_function(hear, &heard);
    hoya_log(nullptr, HOYA_LOG_ERROR, "%s", text.c_str());
    hoya_log(nullptr, HOYA_LOG_ERROR, "%s%s", text.c_str(), "more");
    ASSERT_EQ(heard.size(), 2u);
    EXPECT_EQ(heard[0].text, text);
    EXPECT_EQ(heard[1].text, text);
    EXPECT_EQ(memory.requests, 0);
}

TEST_F(LogHook, TheFunctionIsTheWholeProcesss)
{
    hoya_set_log_function(hear, &heard);
    std::thread([] { hoya_log(nullptr, HOYA_LOG_INFO, "from another thread"); }).join();
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(heard[0].text, "from another thread");
}

TEST_F(LogHook, FunctionAndArgumentChangeTogether)
{
    static std::atomic<int> mixed;
    static int a, b;
    mixed = 0;
    std::atomic<bool> done{false};
    std::thread changer([&done] {
        for (int i = 0; i < 20000; i++) {
            hoya_set_log_function([](hoya_log_level, const char *, void *arg) { mixed += arg != &a; }, &a);
            hoya_set_log_function([](hoya_log_level, const char *, void *arg) { mixed += arg != &b; }, &b);
        }
        done = true;
    });
    while (!done) hoya_log(nullptr, HOYA_LOG_INFO, "x");
    changer.join();
    EXPECT_EQ(mixed, 0);
}
