/* SPDX-License-Identifier: MIT
 *
 * support/executors.h: executors and jobs as tests like them: owned, with lambdas for functions, and doors at which jobs
 * wait until a test lets them go.
 */
#ifndef HOYA_TESTS_EXECUTORS_H
#define HOYA_TESTS_EXECUTORS_H

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "support/futures.h"

namespace hoya_test
{

struct UnrefExecutor {
    void operator()(hoya_executor *executor) const { hoya_executor_unref(executor); }
};
using Executor = std::unique_ptr<hoya_executor, UnrefExecutor>;

inline Executor NewPool(int max_threads, const char *name = nullptr, size_t queue_limit = 0)
{
    hoya_thread_pool_options options = {};
    options.size = sizeof options;
    options.max_threads = max_threads;
    options.name = name;
    options.queue_limit = queue_limit;
    hoya_executor *executor = nullptr;
    EXPECT_EQ(hoya_thread_pool_new(&options, &executor), 0) << hoya_error_detail();
    return Executor(executor);
}

/* Jobs wait here until it is open. */
class Door
{
  public:
    void Pass()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        arrived_++;
        changed_.notify_all();
        EXPECT_TRUE(changed_.wait_for(lock, kLong, [this] { return open_; }));
    }
    void Open()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    /* Until so many have come. */
    void Await(int arrived)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, kLong, [&] { return arrived_ >= arrived; })) << arrived_ << " came";
    }
    int arrived()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        return arrived_;
    }

  private:
    static constexpr std::chrono::seconds kLong{20};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
    int arrived_ = 0;
};

/* A lambda as fn, arg and destroy. */
using JobWork = std::function<int(hoya_job *)>;
struct Job {
    static int Run(hoya_job *self, void *arg) { return (*static_cast<JobWork *>(arg))(self); }
    static void Destroy(void *arg) { delete static_cast<JobWork *>(arg); }
};

/* NULL, where the answer is not `expected` 0. */
inline ThreadFuture Submit(const Executor &executor, JobWork work, int expected = 0)
{
    hoya_thread_future *future = nullptr;
    int rc = hoya_executor_submit(executor.get(), Job::Run, new JobWork(std::move(work)), Job::Destroy, &future);
    EXPECT_EQ(rc, expected) << hoya_error_detail();
    return ThreadFuture(future);
}

inline int ResultOf(const ThreadFuture &future, void **value = nullptr)
{
    return hoya_thread_future_result(future.get(), HOYA_SEC(20), value);
}

/* An executor without threads of its own: who queues a job runs it. With `refuses` it has nobody at all. */
struct InlineExecutor {
    bool refuses = false;
    int freed = 0;

    static int Wake(hoya_executor *executor, void *arg)
    {
        if (static_cast<InlineExecutor *>(arg)->refuses) return hoya_error_set(HOYA_EAGAIN, "nobody is here");
        hoya_executor_run(executor);
        return 0;
    }
    static void Free(void *arg) { static_cast<InlineExecutor *>(arg)->freed++; }
    static const hoya_executor_ops *ops()
    {
        static const hoya_executor_ops ops = {sizeof ops, "inline", Wake, Free};
        return &ops;
    }
    Executor New()
    {
        hoya_executor *executor = nullptr;
        EXPECT_EQ(hoya_executor_new(ops(), this, &executor), 0) << hoya_error_detail();
        return Executor(executor);
    }
};

} // namespace hoya_test

#endif
