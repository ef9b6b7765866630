/* SPDX-License-Identifier: MIT
 *
 * faults/sweep.cc: the allocator and the system calls that fail to order, and the runs of a scenario.
 *
 * Which errors a call has is written below, in one line a call: those that the kernel gives for correct arguments. A
 * call that is not there does not fail (epoll_ctl DEL, sigaction, timerfd_settime). EINTR and EAGAIN pass, so they
 * are not among the faults that last. A close that fails has closed, as on Linux.
 */
#include "faults/sweep.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#ifdef HOYA_FAULTS
extern "C" {
#include "base/sys.h"
}
#endif

namespace hoya_test
{
namespace
{

/* ---- what fails when ---- */

struct Errors {
    int codes[4]; /* and a 0 */

    size_t count() const { return codes[1] == 0 ? 1 : codes[2] == 0 ? 2 : 3; }
};
constexpr Errors kAllocation = {{ENOMEM}};

/* Asked by other threads and in signal handlers: no lock, no memory. */
struct Plan {
    static constexpr size_t kMost = 1 << 16;
    std::atomic<bool> active{false};
    std::atomic<size_t> count{0};
    std::atomic<const Errors *> seen[kMost]; /* the fallible calls of this run so far */
    std::atomic<int> failed{0};
    size_t target = SIZE_MAX; /* the one that fails */
    size_t error = 0;         /* with which of its errors */
    bool lasting = false;     /* and all after it */

    void Begin(size_t target_call, size_t which_error, bool and_after)
    {
        target = target_call;
        error = which_error;
        lasting = and_after;
        count = 0;
        failed = 0;
        active = true;
    }

    void Add(const Errors *errors)
    {
        size_t number = count++;
        if (number < kMost) seen[number] = errors;
    }

    /* The error that this call is to fail with, or 0. */
    int Next(const Errors &errors)
    {
        if (!active) return 0;
        size_t number = count++;
        if (number < kMost) seen[number] = &errors;
        /* A run may differ from the first one where time passes; then this is another call than the one meant. */
        int code = number == target             ? errors.codes[error % errors.count()]
                   : lasting && number > target ? errors.codes[0]
                                                : 0;
        if (number > target && (code == EINTR || code == EAGAIN)) code = 0;
        failed += code != 0;
        return code;
    }
} plan;

struct {
    int scenarios = 0;
    long faults = 0, absorbed = 0, answered = 0;
} totals;

/* ---- memory ---- */

void *Allocate(size_t size, void *)
{
    return plan.Next(kAllocation) ? nullptr : malloc(size);
}

void *Reallocate(void *block, size_t size, void *)
{
    return plan.Next(kAllocation) ? nullptr : realloc(block, size);
}

void Free(void *block, void *)
{
    free(block);
}

/* ---- system calls ---- */

#ifdef HOYA_FAULTS

template <typename Call, typename... Arguments>
auto Try(const Errors &errors, Call call, Arguments... arguments) -> decltype(call(arguments...))
{
    int code = plan.Next(errors);
    if (!code) return call(arguments...);
    errno = code;
    return -1;
}

int FaultyClose(int fd)
{
    static constexpr Errors errors = {{EIO, EINTR}};
    int code = plan.Next(errors);
    int rc = hoya_sys_real.close(fd);
    if (!code) return rc;
    errno = code;
    return -1;
}

/* Interrupted, it goes on all the same. */
int FaultyConnect(int fd, const sockaddr *address, socklen_t length)
{
    static constexpr Errors errors = {{ECONNREFUSED, EINTR}};
    int code = plan.Next(errors);
    if (!code || code == EINTR) {
        int rc = hoya_sys_real.connect(fd, address, length);
        if (!code) return rc;
    }
    errno = code;
    return -1;
}

void *FaultyMap(void *start, size_t size, int protection, int flags, int fd, off_t offset)
{
    static constexpr Errors errors = {{ENOMEM}};
    int code = plan.Next(errors);
    if (!code) return hoya_sys_real.mmap(start, size, protection, flags, fd, offset);
    errno = code;
    return MAP_FAILED;
}

/* A kernel before 6.13 does not know guards; to give memory back is advice, which may fail and nobody cares. */
int FaultyAdvise(void *start, size_t size, int advice)
{
    static constexpr Errors guard = {{EINVAL, ENOMEM}}, others = {{EINVAL}};
    return Try(advice == 102 ? guard : others, hoya_sys_real.madvise, start, size, advice);
}

int FaultyControl(int epfd, int op, int fd, epoll_event *event)
{
    static constexpr Errors add = {{ENOMEM, ENOSPC}}, modify = {{ENOMEM}};
    if (op == EPOLL_CTL_DEL) return hoya_sys_real.epoll_ctl(epfd, op, fd, event);
    return Try(op == EPOLL_CTL_ADD ? add : modify, hoya_sys_real.epoll_ctl, epfd, op, fd, event);
}

/* To set a flag may be forbidden; to look, or to take it back, cannot fail. */
int FaultyFcntl(int fd, int command, int number)
{
    static constexpr Errors duplicate = {{EMFILE}}, set = {{EPERM}};
    bool sets = (command == F_SETFL && number & O_NONBLOCK) || (command == F_SETFD && number & FD_CLOEXEC);
    if (!sets && command != F_DUPFD_CLOEXEC) return hoya_sys_real.fcntl_number(fd, command, number);
    return Try(command == F_DUPFD_CLOEXEC ? duplicate : set, hoya_sys_real.fcntl_number, fd, command, number);
}

/* Answers with the number, and leaves errno alone. */
int FaultyThread(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg)
{
    static constexpr Errors errors = {{EAGAIN}};
    int code = plan.Next(errors);
    return code ? code : hoya_sys_real.pthread_create(thread, attributes, run, arg);
}

/* These answer with codes of their own. */
int CodeOfResolver(int code)
{
    errno = code;
    return code == ENOMEM ? EAI_MEMORY : code == EAGAIN ? EAI_AGAIN : EAI_SYSTEM;
}

int FaultyAddresses(const char *host, const char *service, const addrinfo *hints, addrinfo **list)
{
    static constexpr Errors errors = {{ENOMEM, EAGAIN, EMFILE}};
    int code = plan.Next(errors);
    return code ? CodeOfResolver(code) : hoya_sys_real.getaddrinfo(host, service, hints, list);
}

int FaultyNames(const sockaddr *address, socklen_t length, char *host, socklen_t host_size, char *service,
                socklen_t service_size, int flags)
{
    static constexpr Errors errors = {{ENOMEM, EAGAIN, EMFILE}};
    int code = plan.Next(errors);
    return code ? CodeOfResolver(code)
                : hoya_sys_real.getnameinfo(address, length, host, host_size, service, service_size, flags);
}

/* Answers 0 for none. */
unsigned FaultyInterface(const char *name)
{
    static constexpr Errors errors = {{EMFILE}};
    int code = plan.Next(errors);
    if (!code) return hoya_sys_real.if_nametoindex(name);
    errno = code;
    return 0;
}

#define FAULTY(name, ...)                                                                                          \
    hoya_sys.name = [](auto... arguments) {                                                                        \
        static constexpr Errors errors = {{__VA_ARGS__}};                                                          \
        return Try(errors, hoya_sys_real.name, arguments...);                                                      \
    }

void ReplaceSystemCalls()
{
    FAULTY(read, EINTR, EAGAIN);
    FAULTY(pread, EINTR, EIO);
    FAULTY(write, EINTR);
    FAULTY(writev, EAGAIN, EINTR, EPIPE);
    FAULTY(writev_quietly, EAGAIN, EOPNOTSUPP, EPIPE);
    FAULTY(reopen_terminal, EACCES, EMFILE);
    FAULTY(dup3, EBUSY);
    FAULTY(duplicate, EMFILE);
    FAULTY(send_file, EAGAIN, EINVAL, EPIPE);
    FAULTY(fstat, ENOMEM);
    FAULTY(count_unread, EINVAL);
    FAULTY(getsockopt, ENOBUFS);
    FAULTY(setsockopt, ENOMEM);
    FAULTY(socket, EMFILE, ENOBUFS);
    FAULTY(bind, EADDRINUSE, EADDRNOTAVAIL, EACCES);
    FAULTY(listen, EADDRINUSE);
    FAULTY(accept4, EAGAIN, EINTR, ECONNABORTED, EMFILE);
    FAULTY(getsockname, ENOBUFS);
    FAULTY(getpeername, ENOTCONN);
    FAULTY(shutdown, ENOTCONN);
    FAULTY(recv, EAGAIN, EINTR, ECONNRESET);
    FAULTY(recvmsg, EAGAIN, EINTR, ECONNRESET);
    FAULTY(send, EAGAIN, EINTR, EPIPE);
    FAULTY(sendmsg, EAGAIN, EINTR, EPIPE);
    FAULTY(recvfrom, EAGAIN, EINTR, ECONNREFUSED);
    FAULTY(sendto, EAGAIN, EINTR, ENETUNREACH);
    FAULTY(status_flags, EINVAL);
    FAULTY(set_nonblocking, EINVAL);
    FAULTY(lstat, EACCES);
    FAULTY(unlink, EACCES);
    FAULTY(munmap, ENOMEM);
    FAULTY(mprotect, ENOMEM);
    FAULTY(open_readonly, ENOENT, EMFILE);
    FAULTY(sigaltstack, ENOMEM);
    FAULTY(eventfd, EMFILE, ENFILE, ENOMEM);
    FAULTY(timerfd_create, EMFILE, ENFILE, ENOMEM);
    FAULTY(epoll_create1, EMFILE, ENFILE, ENOMEM);
    FAULTY(epoll_wait, EINTR);
    FAULTY(epoll_pwait2, EINTR, ENOSYS);
    FAULTY(ppoll, EINTR, ENOMEM);
    FAULTY(pselect, EINTR, ENOMEM);
    hoya_sys.close = FaultyClose;
    hoya_sys.fcntl_number = FaultyFcntl;
    hoya_sys.connect = FaultyConnect;
    hoya_sys.pthread_create = FaultyThread;
    hoya_sys.getaddrinfo = FaultyAddresses;
    hoya_sys.getnameinfo = FaultyNames;
    hoya_sys.if_nametoindex = FaultyInterface;
    hoya_sys.epoll_ctl = FaultyControl;
    hoya_sys.mmap = FaultyMap;
    hoya_sys.madvise = FaultyAdvise;
}

void RestoreSystemCalls()
{
    hoya_sys = hoya_sys_real;
}

#else

void ReplaceSystemCalls() {}
void RestoreSystemCalls() {}

#endif

/* ---- before and after ---- */

std::set<std::string> OpenFds()
{
    std::set<std::string> fds;
    DIR *directory = opendir("/proc/self/fd");
    while (dirent *entry = readdir(directory)) fds.insert(entry->d_name);
    closedir(directory);
    return fds;
}

struct State {
    hoya_live_counts counts;
    std::set<std::string> fds;

    static State Now()
    {
        State now;
        now.counts = {};
        now.counts.size = sizeof now.counts;
        hoya_get_live_counts(&now.counts);
        now.fds = OpenFds();
        return now;
    }

    bool operator==(const State &other) const
    {
        return counts.blocks == other.counts.blocks && counts.fds == other.counts.fds &&
               counts.loops == other.counts.loops && counts.handles == other.counts.handles &&
               counts.selectors == other.counts.selectors && counts.hosts == other.counts.hosts &&
               counts.futures == other.counts.futures && fds == other.fds;
    }
};

Work settling;

void Once(const Scenario &scenario, size_t call, size_t error, bool lasting)
{
    State before = State::Now();
    Faults faults;
    plan.Begin(call, error, lasting);
    scenario(faults);
    plan.active = false;
    if (settling) settling();
    EXPECT_TRUE(State::Now() == before) << "something is left alive or open";
    if (!plan.failed) return;
    totals.faults++;
    (faults.answered ? totals.answered : totals.absorbed)++;
}

/* Prints what was done, where tests/run.sh finds it. */
class Report : public testing::Environment
{
  public:
    void TearDown() override
    {
        if (totals.scenarios)
            printf("faults: %d scenarios, %ld faults tried, %ld of them answered with an error, %ld absorbed\n",
                   totals.scenarios, totals.faults, totals.answered, totals.absorbed);
    }
};

const testing::Environment *const report = testing::AddGlobalTestEnvironment(new Report);

} // namespace

bool Faults::Ok(int rc)
{
    if (rc >= 0) return true;
    EXPECT_GT(plan.failed, 0) << hoya_error_name(rc) << " without a fault: " << hoya_error_detail();
    EXPECT_STRNE(hoya_error_detail(), "");
    answered = true;
    return false;
}

void Faults::InChild(const Work &work)
{
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        size_t known = plan.count;
        work();
        plan.active = false;
        /* The lists of errors are static: an address of one is the same in both processes. */
        auto send = [&](const void *what, size_t size) { return write(ends[1], what, size) == ssize_t(size); };
        int failed = plan.failed;
        bool sent = send(&failed, sizeof failed) && send(&answered, sizeof answered);
        for (size_t i = known; i < plan.count; i++) {
            const Errors *errors = plan.seen[i];
            sent = sent && send(&errors, sizeof errors);
        }
        fflush(stdout);
        _exit(sent && !testing::Test::HasFailure() ? 0 : 1);
    }
    close(ends[1]);
    int failed = 0;
    EXPECT_EQ(read(ends[0], &failed, sizeof failed), ssize_t(sizeof failed));
    plan.failed = failed;
    EXPECT_EQ(read(ends[0], &answered, sizeof answered), ssize_t(sizeof answered));
    const Errors *errors;
    while (read(ends[0], &errors, sizeof errors) == ssize_t(sizeof errors)) plan.Add(errors);
    close(ends[0]);
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

Faults::Pause::Pause() : before_(plan.active)
{
    plan.active = false;
}

Faults::Pause::~Pause()
{
    plan.active = before_;
}

Loop::Loop(Faults &faults, const Variant &variant, HostLoop *host) : faults_(faults)
{
    if (!faults.Ok(NewLoop(variant, host, &loop_))) EXPECT_EQ(loop_, nullptr) << "untouched by the failure";
}

Loop::~Loop()
{
    if (!loop_) return;
    {
        Faults::Pause pause;
        bool ran = false;
        auto run = [](void *arg) { *static_cast<bool *>(arg) = true; };
        EXPECT_EQ(hoya_loop_call_soon(loop_, run, &ran), 0) << hoya_error_detail();
        for (int i = 0; i < 1000 && !ran; i++) EXPECT_GE(hoya_loop_run_once(loop_, HOYA_NOW), 0);
        EXPECT_TRUE(ran) << "the loop does not turn any more";
    }
    EXPECT_EQ(hoya_loop_close(loop_), 0) << hoya_error_detail();
    hoya_loop_unref(loop_);
}

bool Loop::RunUntil(const Predicate &done)
{
    for (int64_t end = hoya_loop_time(loop_) + HOYA_SEC(2); !done() && hoya_loop_time(loop_) < end;) {
        int rc = hoya_loop_run_once(loop_, HOYA_MSEC(10));
        if (!faults_.Ok(rc)) EXPECT_NE(rc, HOYA_EINVAL);
    }
    return done();
}

void SetSettling(Work settle)
{
    settling = std::move(settle);
}

void Sweep(const char *name, const Scenario &scenario)
{
    hoya_allocator allocator = {sizeof allocator, Allocate, Reallocate, Free, nullptr};
    ASSERT_EQ(hoya_set_allocator(&allocator), 0) << hoya_error_detail();
    ReplaceSystemCalls();
    {
        SCOPED_TRACE(std::string(name) + ", without a fault");
        Once(scenario, SIZE_MAX, 0, false);
    }
    ASSERT_LE(plan.count, Plan::kMost);
    std::vector<const Errors *> calls(plan.seen, plan.seen + plan.count);
    EXPECT_FALSE(calls.empty()) << name << " has no fallible call";
    totals.scenarios++;
    for (size_t call = 0; call < calls.size() && !testing::Test::HasFailure(); call++) {
        for (size_t error = 0; error < calls[call]->count(); error++) {
            SCOPED_TRACE(std::string(name) + ", call " + std::to_string(call) + " of " +
                         std::to_string(calls.size()) + " fails: " + strerrorname_np(calls[call]->codes[error]));
            Once(scenario, call, error, false);
        }
        SCOPED_TRACE(std::string(name) + ", call " + std::to_string(call) + " of " + std::to_string(calls.size()) +
                     " and all after it fail: " + strerrorname_np(calls[call]->codes[0]));
        Once(scenario, call, 0, true);
    }
    RestoreSystemCalls();
    EXPECT_EQ(hoya_set_allocator(nullptr), 0) << hoya_error_detail();
}

void VariantFaults::SetUp()
{
    alarm(120);
    if (GetParam().foreign()) host = GetParam().make_host();
    if (host)
        SetSettling([this] {
            if (host) host->Settle();
        });
    hoya_set_log_function([](hoya_log_level, const char *, void *) {}, nullptr);
}

void VariantFaults::TearDown()
{
    alarm(0);
    SetSettling(nullptr);
    hoya_set_log_function(nullptr, nullptr);
}

} // namespace hoya_test
