/* SPDX-License-Identifier: MIT
 *
 * conformance/conformance.cc: the fixtures, the watchdog, and the instantiation of the suites over the hosts.
 */
#include "conformance.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <thread>

#include <dirent.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hoya_test
{
namespace
{

/* ---- the watchdog: a test that hangs says which one it was ---- */

constexpr unsigned kPatience = 20; /* seconds */
char running_test[256];

void Bark(int)
{
    ssize_t ignored = write(STDERR_FILENO, running_test, strlen(running_test));
    (void)ignored;
    abort();
}

void Watch()
{
    const ::testing::TestInfo *test = ::testing::UnitTest::GetInstance()->current_test_info();
    snprintf(running_test, sizeof running_test, "\n%s.%s hangs\n", test->test_suite_name(), test->name());
    signal(SIGALRM, Bark);
    alarm(kPatience);
}

void Unwatch()
{
    alarm(0);
    signal(SIGALRM, SIG_DFL);
}

int64_t Nanoseconds(const timespec &time)
{
    return HOYA_SEC(time.tv_sec) + time.tv_nsec;
}

int64_t Clock(clockid_t clock)
{
    timespec now;
    clock_gettime(clock, &now);
    return Nanoseconds(now);
}

} // namespace

int64_t Now()
{
    return Clock(CLOCK_MONOTONIC);
}

int64_t ThreadCpu()
{
    return Clock(CLOCK_THREAD_CPUTIME_ID);
}

int OpenFds()
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir)) count++;
    closedir(dir);
    return count - 3; /* ".", ".." and the directory itself */
}

void Burn(int64_t duration)
{
    for (int64_t end = Now() + duration; Now() < end;) continue;
}

/* ---- LoopConformance ---- */

void LoopConformance::SetUp()
{
    Watch();
    hoya_set_log_function(TakeLog, this);
    if (GetParam().foreign()) host = GetParam().make_host();
    ASSERT_EQ(NewLoop(GetParam(), host.get(), &loop), 0) << hoya_error_detail();
    EXPECT_EQ(std::string(GetParam().name).find(hoya_loop_host_name(loop)), 0u) << hoya_loop_host_name(loop);
}

void LoopConformance::TearDown()
{
    if (loop) Release(loop);
    host.reset();
    for (int fd : fds_) close(fd);
    hoya_set_log_function(nullptr, nullptr);
    for (const std::string &line : log_)
        if (HasFailure()) printf("log: %s\n", line.c_str());
    Unwatch();
}

void LoopConformance::CallSoon(Work work)
{
    EXPECT_EQ(hoya_loop_call_soon_full(loop, Lambda::Run, new Work(std::move(work)), Lambda::Destroy, nullptr), 0);
}

Handle LoopConformance::CallSoonHandle(Work work)
{
    hoya_handle *handle = nullptr;
    EXPECT_EQ(hoya_loop_call_soon_full(loop, Lambda::Run, new Work(std::move(work)), Lambda::Destroy, &handle), 0);
    return Handle(handle);
}

Handle LoopConformance::CallLater(int64_t delay, Work work)
{
    hoya_handle *handle = nullptr;
    auto arg = new Work(std::move(work));
    EXPECT_EQ(hoya_loop_call_later(loop, delay, Lambda::Run, arg, Lambda::Destroy, &handle), 0);
    return Handle(handle);
}

Handle LoopConformance::CallAt(int64_t when, Work work)
{
    hoya_handle *handle = nullptr;
    EXPECT_EQ(hoya_loop_call_at(loop, when, Lambda::Run, new Work(std::move(work)), Lambda::Destroy, &handle), 0);
    return Handle(handle);
}

void LoopConformance::CallSoonThreadsafe(Work work)
{
    auto arg = new Work(std::move(work));
    EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, Lambda::Run, arg, Lambda::Destroy, nullptr), 0);
}

void LoopConformance::AddReader(int fd, FdWork work)
{
    EXPECT_EQ(hoya_loop_add_reader(loop, fd, Lambda::RunFd, new FdWork(std::move(work)), Lambda::DestroyFd), 0);
}

void LoopConformance::AddReader(int fd, Work work)
{
    AddReader(fd, [work = std::move(work)](hoya_fd, uint32_t) { work(); });
}

void LoopConformance::AddWriter(int fd, FdWork work)
{
    EXPECT_EQ(hoya_loop_add_writer(loop, fd, Lambda::RunFd, new FdWork(std::move(work)), Lambda::DestroyFd), 0);
}

void LoopConformance::AddWriter(int fd, Work work)
{
    AddWriter(fd, [work = std::move(work)](hoya_fd, uint32_t) { work(); });
}

void LoopConformance::AddSignal(int signum, SignalWork work)
{
    auto arg = new SignalWork(std::move(work));
    EXPECT_EQ(hoya_loop_add_signal_handler(loop, signum, Lambda::RunSignal, arg, Lambda::DestroySignal), 0)
        << hoya_error_detail();
}

bool LoopConformance::Fork(int *status)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(10);
        return true;
    }
    while (waitpid(child, status, 0) < 0 && errno == EINTR) continue;
    return false;
}

int LoopConformance::InChild(const Work &work)
{
    int status = -1;
    if (!Fork(&status)) return status;
    if (host) host->AfterFork();
    work();
    fflush(stdout);
    _exit(HasFailure() ? 1 : 0);
}

void LoopConformance::Run(int expected)
{
    EXPECT_EQ(hoya_loop_run_forever(loop), expected) << hoya_error_detail();
}

void LoopConformance::Stop()
{
    EXPECT_EQ(hoya_loop_stop(loop), 0);
}

void LoopConformance::RunRounds(int rounds)
{
    Work next = [&] {
        if (--rounds <= 0) Stop();
        else CallSoon(next);
    };
    CallSoon(next);
    Run();
}

void LoopConformance::RunFor(int64_t duration)
{
    CallLater(duration, [this] { Stop(); });
    Run();
}

void LoopConformance::RunUntil(const Predicate &done)
{
    for (int i = 0; i < 20000; i++) {
        if (done()) return;
        hoya_loop_run_once(loop, HOYA_MSEC(1));
    }
    ADD_FAILURE() << "it does not come to that";
}

void LoopConformance::AwaitSleep()
{
    const std::string path = "/proc/self/task/" + std::to_string(tid_) + "/stat";
    char state = 0;
    while (!hoya_loop_is_running(loop) || state != 'S') {
        std::string text;
        std::getline(std::ifstream(path), text);
        size_t name_end = text.rfind(')');
        state = name_end == std::string::npos ? 'S' : text[name_end + 2];
        std::this_thread::yield();
    }
}

void LoopConformance::RunUntilNoted(size_t words)
{
    awaited_ = words;
    if (trace.size() < words) Run();
    awaited_ = 0;
    EXPECT_EQ(trace.size(), words);
}

void LoopConformance::Note(std::string word)
{
    trace.push_back(std::move(word));
    if (trace.size() == awaited_) Stop();
}

hoya_loop_statistics LoopConformance::Stats() const
{
    hoya_loop_statistics stats = {};
    stats.size = sizeof stats;
    EXPECT_EQ(hoya_loop_stats(loop, &stats), 0);
    return stats;
}

hoya_loop *LoopConformance::NewSibling() const
{
    hoya_loop *sibling = nullptr;
    EXPECT_EQ(NewLoop(GetParam(), host.get(), &sibling), 0) << hoya_error_detail();
    return sibling;
}

void LoopConformance::Release(hoya_loop *loop)
{
    EXPECT_EQ(hoya_loop_close(loop), 0);
    hoya_loop_unref(loop);
}

bool LoopConformance::Seen(const std::string &word) const
{
    return std::find(trace.begin(), trace.end(), word) != trace.end();
}

size_t LoopConformance::LogLines()
{
    std::lock_guard<std::mutex> guard(log_mutex_);
    return log_.size();
}

void LoopConformance::ClearLog()
{
    std::lock_guard<std::mutex> lock(log_mutex_);
    log_.clear();
}

bool LoopConformance::Logged(const std::string &text)
{
    std::lock_guard<std::mutex> lock(log_mutex_);
    return std::any_of(log_.begin(), log_.end(),
                       [&text](const std::string &line) { return line.find(text) != std::string::npos; });
}

void LoopConformance::TakeLog(hoya_log_level level, const char *text, void *arg)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    auto self = static_cast<LoopConformance *>(arg);
    std::lock_guard<std::mutex> lock(self->log_mutex_);
    self->log_.push_back(std::string(names[level]) + ": " + text);
}

std::array<int, 2> LoopConformance::MakePair()
{
    std::array<int, 2> pair = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()), 0);
    return {Own(pair[0]), Own(pair[1])};
}

std::array<int, 2> LoopConformance::MakePipe()
{
    std::array<int, 2> ends = {-1, -1};
    EXPECT_EQ(pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
    return {Own(ends[0]), Own(ends[1])};
}

int LoopConformance::MakeReadable()
{
    return Own(eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
}

int LoopConformance::Own(int fd)
{
    EXPECT_GE(fd, 0) << strerror(errno);
    fds_.push_back(fd);
    return fd;
}

void LoopConformance::Close(int fd)
{
    fds_.erase(std::remove(fds_.begin(), fds_.end(), fd), fds_.end());
    EXPECT_EQ(close(fd), 0);
}

void LoopConformance::Feed(int fd)
{
    EXPECT_EQ(write(fd, "x", 1), 1) << strerror(errno);
}

void LoopConformance::Drain(int fd)
{
    char buffer[512];
    while (read(fd, buffer, sizeof buffer) > 0) continue;
}

/* ---- GuestConformance, NestingConformance ---- */

void GuestConformance::RunHostUntil(Predicate done, int64_t timeout)
{
    EXPECT_TRUE(host->RunUntil(std::move(done), timeout)) << "the application's loop waited in vain";
}

void GuestConformance::RunHostUntilSeen(const std::string &word)
{
    EXPECT_TRUE(host->RunUntil([&] { return Seen(word); })) << "the application's loop waited in vain for " << word;
}

void GuestConformance::RunHostFor(int64_t duration)
{
    host->RunUntil([] { return false; }, duration);
}

void GuestConformance::ExpectSilence()
{
    RunHostFor(HOYA_MSEC(5)); /* what is on its way arrives */
    uint64_t dispatches = Stats().dispatches, polls = host->PollReturns();
    RunHostFor(HOYA_MSEC(50));
    EXPECT_LE(Stats().dispatches - dispatches, 3u);
    EXPECT_LE(host->PollReturns() - polls, 5u);
}

bool GuestConformance::IsNative() const
{
    hoya_loop_remove_reader(loop, 0); /* any call: a host that does not tell of its end is asked */
    return std::string(hoya_loop_host_name(loop)) == "native";
}

void GuestConformance::Attach()
{
    EXPECT_EQ(hoya_loop_attach(loop, host->NewAdapter(), 0), 0) << hoya_error_detail();
}

void GuestConformance::Detach()
{
    EXPECT_EQ(hoya_loop_detach(loop), 0) << hoya_error_detail();
}

void GuestConformance::Scatter()
{
    auto [ours, theirs] = MakePair();
    Feed(theirs);
    AddReader(ours, [this, fd = ours] {
        Drain(fd);
        Note("reader");
    });
    AddWriter(theirs, [this, fd = theirs] {
        hoya_loop_remove_writer(loop, fd);
        Note("writer");
    });
    CallLater(HOYA_MSEC(5), Say("timer"));
    CallSoon(Say("soon"));
    CallSoonThreadsafe(Say("posted"));
}

void NestingConformance::Nest(Predicate done, int64_t timeout)
{
    EXPECT_TRUE(host->RunNestedUntil(std::move(done), timeout)) << "the nested loop waited in vain";
}

void NestingConformance::NestUntilSeen(const std::string &word)
{
    EXPECT_TRUE(host->RunNestedUntil([&] { return Seen(word); })) << "the nested loop waited in vain for " << word;
}

void NestingConformance::NestFor(int64_t duration)
{
    host->RunNestedUntil([] { return false; }, duration);
}

/* ---- the suites, over the hosts ---- */

static std::string Name(const ::testing::TestParamInfo<Variant> &info)
{
    return info.param.name;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LoopConformance); /* hoya-task-tests has none of its own */
INSTANTIATE_TEST_SUITE_P(Hosts, LoopConformance, ::testing::ValuesIn(variants()), Name);

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GuestConformance);
INSTANTIATE_TEST_SUITE_P(Hosts, GuestConformance, ::testing::ValuesIn(foreign_variants()), Name);

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NestingConformance);
INSTANTIATE_TEST_SUITE_P(Hosts, NestingConformance, ::testing::ValuesIn(nesting_variants()), Name);

std::string Much(size_t size)
{
    std::string data = "abcdefghijklmnopqrstuvw"; /* of no even length */
    while (data.size() < size) data += data;      /* letter by letter a sanitizer takes long */
    data.resize(size);
    return data;
}

} // namespace hoya_test
