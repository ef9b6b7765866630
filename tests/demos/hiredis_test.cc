/* SPDX-License-Identifier: MIT
 *
 * demos/hiredis_test.cc: the adapter for hiredis, where the loop has no memory to watch its socket. With a server that only
 * accepts: what answers is in tests/peers.
 */
#include <cstring>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "redis/hoya_hiredis.h"
#include "unit/failing_allocator.h"

namespace hoya_test
{
namespace
{

class Hiredis : public testing::Test
{
  protected:
    void SetUp() override
    {
        ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
        path = "/tmp/hoya-hiredis-" + std::to_string(getpid());
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        memcpy(address.sun_path, path.c_str(), path.size());
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);
        ASSERT_EQ(listen(listener, 1), 0);
        redis = redisAsyncConnectUnix(path.c_str());
        ASSERT_TRUE(redis && !redis->err);
        redis->data = this;
        ASSERT_EQ(hoya_hiredis_attach(loop, redis), REDIS_OK);
    }
    void TearDown() override
    {
        allocator.fail = false;
        if (redis) redisAsyncFree(redis);
        EXPECT_EQ(hoya_loop_close(loop), 0);
        hoya_loop_unref(loop);
        close(listener);
        unlink(path.c_str());
    }
    void Ask()
    {
        auto on_reply = [](redisAsyncContext *context, void *reply, void *) {
            auto *self = static_cast<Hiredis *>(context->data);
            EXPECT_EQ(reply, nullptr);
            EXPECT_NE(context->err, 0);
            self->answers++;
            self->redis = nullptr; /* hiredis frees it after this */
        };
        ASSERT_EQ(redisAsyncCommand(redis, on_reply, nullptr, "PING"), REDIS_OK);
    }
    void RunRounds(int n)
    {
        for (int i = 0; i < n; i++) EXPECT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
    }
    unsigned long Watches() const
    {
        hoya_loop_statistics stats = {};
        stats.size = sizeof stats;
        EXPECT_EQ(hoya_loop_stats(loop, &stats), 0);
        return stats.watches;
    }

    FailingAllocator allocator;
    hoya_loop *loop = nullptr;
    std::string path;
    int listener = -1, answers = 0;
    redisAsyncContext *redis = nullptr;
};

} // namespace

TEST_F(Hiredis, ThatCannotBeWatchedEndsInTheNextRound)
{
    allocator.fail = true;
    Ask();
    Ask();
    EXPECT_EQ(answers, 0) << "not inside the call";
    RunRounds(3);
    EXPECT_EQ(answers, 2);
    EXPECT_EQ(redis, nullptr);
    EXPECT_EQ(Watches(), 0u);
}

TEST_F(Hiredis, ThatCannotBeWatchedAnyMoreEndsAsWell)
{
    Ask();
    RunRounds(3);
    EXPECT_EQ(Watches(), 1u) << "it waits for the answer";
    hoya_hiredis_del_read(redis->ev.data);
    EXPECT_EQ(Watches(), 0u);
    allocator.fail = true;
    hoya_hiredis_add_read(redis->ev.data);
    RunRounds(3);
    EXPECT_EQ(answers, 1);
    EXPECT_EQ(Watches(), 0u);
}

TEST_F(Hiredis, ThatCannotBeWatchedTellsWhoWaitsForTheConnection)
{
    static int told;
    told = 1;
    allocator.fail = true;
    redisAsyncSetConnectCallback(redis, [](const redisAsyncContext *, int status) { told = status; });
    EXPECT_EQ(told, 1) << "not inside the call";
    RunRounds(3);
    EXPECT_EQ(told, REDIS_ERR);
    redis = nullptr;
}

TEST_F(Hiredis, ThatIsFreedBeforeThatRoundEndsOnce)
{
    allocator.fail = true;
    redisAsyncContext *context = redis;
    redisAsyncCommand(context, nullptr, nullptr, "PING");
    redis = nullptr;
    redisAsyncFree(context);
    RunRounds(3);
    EXPECT_EQ(Watches(), 0u);
}

} // namespace hoya_test
