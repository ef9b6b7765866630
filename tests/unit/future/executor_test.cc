/* SPDX-License-Identifier: MIT
 *
 * unit/future/executor_test.cc: jobs, executors and the thread pool, without a loop.
 */
#include <atomic>
#include <climits>
#include <csignal>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <dirent.h>
#include <pthread.h>
#include <unistd.h>

#include "unit/failing_allocator.h"
#include "unit/future/cargo.h"

extern "C" {
#include "base/sys.h"
}

namespace hoya_test
{

namespace
{

/* Threads of this process whose name begins so. */
int CountThreads(const std::string &prefix)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    while (const dirent *entry = readdir(tasks)) {
        std::string name;
        std::getline(std::ifstream(std::string("/proc/self/task/") + entry->d_name + "/comm"), name);
        count += name.compare(0, prefix.size(), prefix) == 0;
    }
    closedir(tasks);
    return count;
}

} // namespace

/* ---- jobs ------------------------------------------------------------------------------------------------ */

TEST(Executor, AJobRunsOnAnotherThreadAndItsValueComes)
{
    Executor pool = NewPool(1);
    Value value, replaced;
    std::thread::id ran_on, destroyed_on;
    struct Here {
        std::thread::id *where;
        ~Here() { *where = std::this_thread::get_id(); }
    };
    auto here = std::make_shared<Here>(Here{&destroyed_on});
    ThreadFuture future = Submit(pool, [&, here = std::move(here)](hoya_job *self) {
        ran_on = std::this_thread::get_id();
        hoya_job_set_value(self, &replaced, Value::Destroy);
        hoya_job_set_value(self, &value, Value::Destroy);
        return 1;
    });
    void *out = nullptr;
    EXPECT_EQ(ResultOf(future, &out), 0);
    EXPECT_EQ(out, &value);
    EXPECT_NE(ran_on, std::this_thread::get_id());
    EXPECT_EQ(destroyed_on, ran_on) << "the argument went with the job, before anybody heard of its end";
    EXPECT_EQ(replaced.destroyed, 1);
    EXPECT_EQ(value.destroyed, 0);
    Finish(pool);
    future.reset();
    EXPECT_EQ(value.destroyed, 1);
}

TEST(Executor, AValueThatGoesMaySetAnother)
{
    struct Heir {
        hoya_job *job;
        Value value;
        int destroyed;
        static void Destroy(void *arg)
        {
            Heir *self = static_cast<Heir *>(arg);
            if (!self->destroyed++) hoya_job_set_value(self->job, &self->value, Value::Destroy);
        }
    };
    Executor pool = NewPool(1);
    for (int status : {0, static_cast<int>(HOYA_EPIPE)}) {
        Heir heir = {};
        Value between;
        ThreadFuture future = Submit(pool, [&](hoya_job *self) {
            heir.job = self;
            hoya_job_set_value(self, &heir, Heir::Destroy);
            hoya_job_set_value(self, &between, Value::Destroy);
            return status;
        });
        void *out = nullptr;
        EXPECT_EQ(ResultOf(future, &out), status);
        EXPECT_EQ(out, status ? nullptr : &heir.value);
        future.reset();
        Finish(pool);
        EXPECT_EQ(heir.destroyed, 1);
        EXPECT_EQ(between.destroyed, 1);
        EXPECT_EQ(heir.value.destroyed, 1);
        pool = NewPool(1);
    }
}

TEST(Executor, AFailureBringsItsTextAndNotThatOfTheJobBefore)
{
    Executor pool = NewPool(1);
    Value value;
    ThreadFuture loud = Submit(pool, [&](hoya_job *self) {
        hoya_job_set_value(self, &value, Value::Destroy);
        return hoya_error_set(HOYA_EPIPE, "pipe 7 broke");
    });
    ThreadFuture quiet = Submit(pool, [](hoya_job *) { return HOYA_EPIPE; });
    EXPECT_EQ(ResultOf(loud), HOYA_EPIPE);
    EXPECT_STREQ(hoya_error_detail(), "pipe 7 broke");
    EXPECT_EQ(ResultOf(quiet), HOYA_EPIPE);
    EXPECT_STREQ(hoya_error_detail(), hoya_strerror(HOYA_EPIPE));
    EXPECT_EQ(value.destroyed, 1);
    Finish(pool);
}

// Holds: S33
TEST(Executor, ACancelTakesAQueuedJobOutAtOnce)
{
    Executor pool = NewPool(1);
    Door door;
    Cargo cargo;
    ThreadFuture first = Submit(pool, [&](hoya_job *) { return door.Pass(), 0; });
    door.Await(1);
    hoya_thread_future *raw = nullptr;
    ASSERT_EQ(hoya_executor_submit(pool.get(), Cargo::Run, &cargo, Cargo::Destroy, &raw), 0);
    ThreadFuture second(raw), third = Submit(pool, [](hoya_job *) { return 0; });
    EXPECT_EQ(hoya_thread_future_cancel(raw, "too slow"), 1);
    EXPECT_EQ(cargo.destroyed, 1);
    EXPECT_EQ(ResultOf(second), HOYA_ECANCELED);
    EXPECT_STREQ(hoya_error_detail(), "too slow");
    EXPECT_EQ(hoya_thread_future_cancel(raw, nullptr), 0);
    door.Open();
    EXPECT_EQ(ResultOf(third), 0);
    Finish(pool);
    EXPECT_EQ(cargo.ran, 0);
    EXPECT_EQ(cargo.destroyed, 1);
}

// Holds: S33
TEST(Executor, ACancelTellsARunningJobByItsToken)
{
    Executor pool = NewPool(2);
    Door heeds, ignores;
    ThreadFuture first = Submit(pool, [&](hoya_job *self) {
        EXPECT_EQ(hoya_job_cancelled(self), 0);
        heeds.Pass();
        return hoya_job_cancelled(self) ? hoya_error_set(HOYA_ECANCELED, "as you like") : 0;
    });
    ThreadFuture second = Submit(pool, [&](hoya_job *) { return ignores.Pass(), 0; });
    heeds.Await(1);
    ignores.Await(1);
    EXPECT_EQ(hoya_thread_future_cancel(first.get(), nullptr), 0) << "too late: it has begun";
    EXPECT_EQ(hoya_thread_future_cancel(second.get(), nullptr), 0);
    EXPECT_EQ(hoya_thread_future_done(first.get()), 0);
    heeds.Open();
    ignores.Open();
    EXPECT_EQ(ResultOf(first), HOYA_ECANCELED);
    EXPECT_STREQ(hoya_error_detail(), "as you like");
    EXPECT_EQ(hoya_thread_future_cancelled(first.get()), 1);
    EXPECT_EQ(ResultOf(second), 0);
    Finish(pool);
}

// Holds: S32
TEST(Executor, AJobsFutureCannotBeCompletedFromOutside)
{
    Executor pool = NewPool(1);
    Door door;
    Value value;
    ThreadFuture future = Submit(pool, [&](hoya_job *) { return door.Pass(), 0; });
    EXPECT_EQ(hoya_thread_future_set_result(future.get(), &value, Value::Destroy), HOYA_ESTATE);
    EXPECT_EQ(value.destroyed, 1);
    EXPECT_EQ(hoya_thread_future_set_exception(future.get(), HOYA_EPIPE, nullptr), HOYA_ESTATE);
    EXPECT_EQ(hoya_thread_future_set_running_or_notify_cancel(future.get()), HOYA_ESTATE);
    door.Open();
    EXPECT_EQ(ResultOf(future), 0);
    Finish(pool);
}

TEST(Executor, NobodyNeedsToKeepTheFuture)
{
    Executor pool = NewPool(1);
    Cargo cargo;
    EXPECT_EQ(hoya_executor_submit(pool.get(), Cargo::Run, &cargo, Cargo::Destroy, nullptr), 0);
    Finish(pool);
    EXPECT_EQ(cargo.ran, 1);
    EXPECT_EQ(cargo.destroyed, 1);
}

/* ---- the pool -------------------------------------------------------------------------------------------- */

TEST(ThreadPool, ThreadsAreMadeWhenTheyAreNeededAndNoMoreThanAllowed)
{
    Executor pool = NewPool(3, "lazy");
    EXPECT_EQ(CountThreads("lazy-"), 0);
    Door door;
    std::vector<ThreadFuture> futures;
    futures.push_back(Submit(pool, [&](hoya_job *) { return door.Pass(), 0; }));
    door.Await(1);
    EXPECT_EQ(CountThreads("lazy-"), 1);
    for (int i = 0; i < 9; i++) futures.push_back(Submit(pool, [&](hoya_job *) { return door.Pass(), 0; }));
    door.Await(3);
    EXPECT_EQ(CountThreads("lazy-"), 3);
    EXPECT_EQ(door.arrived(), 3);
    door.Open();
    for (const ThreadFuture &future : futures) EXPECT_EQ(ResultOf(future), 0);
    Finish(pool);
    pool.reset();
}

TEST(ThreadPool, AThreadIsNamedAndNumberedWithinTheSystemsLimit)
{
    for (auto [given, expected] :
         {std::pair("files", "files-1"), {nullptr, "hoya-1"}, {"a-very-long-name-it-is", "a-very-long-n-1"}}) {
        Executor pool = NewPool(1, given);
        char name[16] = "";
        ThreadFuture future =
            Submit(pool, [&](hoya_job *) { return pthread_getname_np(pthread_self(), name, sizeof name); });
        EXPECT_EQ(ResultOf(future), 0);
        EXPECT_STREQ(name, expected);
        Finish(pool);
    }
}

TEST(ThreadPool, SignalsAreForTheThreadsOfTheApplication)
{
    Executor pool = NewPool(1);
    sigset_t before, blocked, after;
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    ThreadFuture future = Submit(pool, [&](hoya_job *) { return pthread_sigmask(SIG_SETMASK, nullptr, &blocked); });
    EXPECT_EQ(ResultOf(future), 0);
    pthread_sigmask(SIG_SETMASK, nullptr, &after);
    for (int signum : {SIGINT, SIGTERM, SIGCHLD, SIGUSR1, SIGPIPE}) {
        EXPECT_EQ(sigismember(&blocked, signum), 1);
        EXPECT_EQ(sigismember(&before, signum), sigismember(&after, signum));
    }
    Finish(pool);
}

TEST(ThreadPool, AFullQueueRefuses)
{
    Executor pool = NewPool(1, nullptr, 2);
    Door door;
    ThreadFuture running = Submit(pool, [&](hoya_job *) { return door.Pass(), 0; });
    door.Await(1);
    ThreadFuture one = Submit(pool, [](hoya_job *) { return 0; }), two = Submit(pool, [](hoya_job *) { return 0; });
    auto token = std::make_shared<int>();
    EXPECT_EQ(Submit(
                  pool, [token](hoya_job *) { return 0; }, HOYA_ENOBUFS),
              nullptr);
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_EQ(hoya_thread_future_cancel(one.get(), nullptr), 1);
    one = Submit(pool, [](hoya_job *) { return 0; });
    Submit(
        pool, [](hoya_job *) { return 0; }, HOYA_ENOBUFS);
    EXPECT_EQ(hoya_executor_set_queue_limit(pool.get(), 0), 0);
    ThreadFuture three = Submit(pool, [](hoya_job *) { return 0; });
    door.Open();
    EXPECT_EQ(ResultOf(three), 0);
    Finish(pool);
}

TEST(ThreadPool, OptionsThatCannotBeAreRefused)
{
    hoya_executor *executor = nullptr;
    hoya_thread_pool_options options = {};
    EXPECT_EQ(hoya_thread_pool_new(&options, &executor), HOYA_EINVAL);
    options.size = sizeof options;
    options.max_threads = -1;
    EXPECT_EQ(hoya_thread_pool_new(&options, &executor), HOYA_EINVAL);
    for (int absurd : {32769, INT_MAX}) {
        options.max_threads = absurd;
        EXPECT_EQ(hoya_thread_pool_new(&options, &executor), HOYA_EINVAL);
    }
    options.max_threads = 1;
    options.stack_size = 1;
    EXPECT_EQ(hoya_thread_pool_new(&options, &executor), HOYA_EINVAL);
    EXPECT_EQ(executor, nullptr);
    EXPECT_EQ(hoya_executor_submit(nullptr, Cargo::Run, nullptr, nullptr, nullptr), HOYA_EINVAL);
    Executor pool = NewPool(1);
    Cargo cargo;
    EXPECT_EQ(hoya_executor_submit(pool.get(), nullptr, &cargo, Cargo::Destroy, nullptr), HOYA_EINVAL);
    EXPECT_EQ(cargo.destroyed, 1);
}

TEST(ThreadPool, AThreadHasTheStackThatWasAskedFor)
{
    hoya_thread_pool_options options = {};
    options.size = sizeof options;
    options.max_threads = 1;
    options.stack_size = 64 << 20; /* more than any that the C library may have kept */
    hoya_executor *raw = nullptr;
    ASSERT_EQ(hoya_thread_pool_new(&options, &raw), 0);
    Executor pool(raw);
    size_t size = 0;
    ThreadFuture future = Submit(pool, [&](hoya_job *) {
        pthread_attr_t attributes;
        pthread_getattr_np(pthread_self(), &attributes);
        pthread_attr_getstacksize(&attributes, &size);
        return -pthread_attr_destroy(&attributes);
    });
    EXPECT_EQ(ResultOf(future), 0);
    EXPECT_GE(size, options.stack_size);
    Finish(pool);
}

/* ---- somebody else's threads ------------------------------------------------------------------------------- */

TEST(OwnExecutor, RunsItsJobsWhereItLikes)
{
    InlineExecutor threads;
    Executor executor = threads.New();
    std::vector<int> order;
    ThreadFuture inner;
    ThreadFuture outer = Submit(executor, [&](hoya_job *) {
        order.push_back(1);
        inner = Submit(executor, [&](hoya_job *) { return order.push_back(2), 0; });
        order.push_back(3);
        return 0;
    });
    EXPECT_EQ(hoya_thread_future_done(outer.get()), 1);
    EXPECT_EQ(hoya_thread_future_done(inner.get()), 1);
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(hoya_executor_run(executor.get()), 0) << "a wake too many finds nothing";
    Finish(executor);
    EXPECT_EQ(threads.freed, 0);
    executor.reset();
    EXPECT_EQ(threads.freed, 1);
}

TEST(OwnExecutor, AJobThatNobodyIsWokenForIsRefused)
{
    InlineExecutor threads;
    threads.refuses = true;
    Executor executor = threads.New();
    Cargo cargo;
    EXPECT_EQ(hoya_executor_submit(executor.get(), Cargo::Run, &cargo, Cargo::Destroy, nullptr), HOYA_EAGAIN);
    EXPECT_STREQ(hoya_error_detail(), "nobody is here");
    EXPECT_EQ(cargo.destroyed, 1);
    threads.refuses = false;
    EXPECT_EQ(ResultOf(Submit(executor, [](hoya_job *) { return 0; })), 0);
    EXPECT_EQ(cargo.ran, 0);
    Finish(executor);
}

TEST(OwnExecutor, OpsOfAnotherVersionAreRefusedAndNotCalled)
{
    InlineExecutor threads;
    hoya_executor_ops ops = *InlineExecutor::ops();
    hoya_executor *executor = nullptr;
    ops.wake = nullptr;
    EXPECT_EQ(hoya_executor_new(&ops, &threads, &executor), HOYA_EINVAL);
    ops = *InlineExecutor::ops();
    ops.size--;
    EXPECT_EQ(hoya_executor_new(&ops, &threads, &executor), HOYA_EINVAL);
    EXPECT_EQ(hoya_executor_new(nullptr, &threads, &executor), HOYA_EINVAL);
    EXPECT_EQ(threads.freed, 0);
}

TEST(OwnExecutor, TheThreadsAreFreedWhenItCannotBeMade)
{
    FailingAllocator memory;
    for (int after : {0, 1}) {
        InlineExecutor threads;
        hoya_executor *executor = nullptr;
        memory.fail_after = after;
        EXPECT_EQ(hoya_executor_new(InlineExecutor::ops(), &threads, &executor), HOYA_ENOMEM);
        EXPECT_EQ(threads.freed, 1);
        EXPECT_EQ(executor, nullptr);
    }
}

/* ---- no threads to be had -------------------------------------------------------------------------------- */

#ifdef HOYA_FAULTS

struct NoThreads {
    static int threads_allowed;
    explicit NoThreads(int allowed)
    {
        threads_allowed = allowed;
        hoya_sys.pthread_create = [](pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                                     void *arg) {
            return threads_allowed-- > 0 ? pthread_create(thread, attributes, run, arg) : EAGAIN;
        };
    }
    ~NoThreads() { hoya_sys = hoya_sys_real; }
};
int NoThreads::threads_allowed;

TEST(ThreadPoolFaults, WithoutAnyThreadAJobIsRefused)
{
    NoThreads no(0);
    Executor pool = NewPool(2);
    Cargo cargo;
    EXPECT_EQ(hoya_executor_submit(pool.get(), Cargo::Run, &cargo, Cargo::Destroy, nullptr), HOYA_EAGAIN);
    EXPECT_EQ(cargo.destroyed, 1);
    NoThreads::threads_allowed = 1;
    EXPECT_EQ(ResultOf(Submit(pool, [](hoya_job *) { return 0; })), 0);
    EXPECT_EQ(cargo.ran, 0);
    Finish(pool);
}

TEST(ThreadPoolFaults, WithFewerThreadsThanWantedTheJobsWait)
{
    NoThreads one(1);
    Executor pool = NewPool(4, "fewer");
    Door door;
    ThreadFuture first = Submit(pool, [&](hoya_job *) { return door.Pass(), 0; });
    door.Await(1);
    ThreadFuture second = Submit(pool, [](hoya_job *) { return 0; });
    EXPECT_EQ(CountThreads("fewer-"), 1);
    door.Open();
    EXPECT_EQ(ResultOf(second), 0);
    Finish(pool);
}

#endif

} // namespace hoya_test
