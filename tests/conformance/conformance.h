/* SPDX-License-Identifier: MIT
 *
 * conformance/conformance.h: one suite of tests for every way in which a loop can live.
 *
 * A test has a loop of its variant (`loop`), the application's main loop where there is one (`host`), descriptors
 * that are closed after the loop, and a trace into which callbacks write what they see. The functions named like
 * hoya's own take lambdas and fail the test when the loop refuses. Only the public headers are used.
 *
 * The comment above each test names the statements and faults that it holds: "S4" is a numbered statement of
 * asyncio's behaviour, "F4" a numbered fault of loops that are guests. tests/statements.sh collects them.
 */
#ifndef HOYA_TESTS_CONFORMANCE_H
#define HOYA_TESTS_CONFORMANCE_H

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <hoya/hoya.h>
#include <unistd.h>

#include "support/hosts.h"

namespace hoya_test
{

using Trace = std::vector<std::string>;
using FdWork = std::function<void(hoya_fd, uint32_t)>;
using SignalWork = std::function<void(int)>;

struct Unref {
    void operator()(hoya_handle *handle) const { hoya_handle_unref(handle); }
    void operator()(hoya_threadsafe_handle *handle) const { hoya_threadsafe_handle_unref(handle); }
};
using Handle = std::unique_ptr<hoya_handle, Unref>;
using ThreadsafeHandle = std::unique_ptr<hoya_threadsafe_handle, Unref>;

/* An address of this machine whose ports stay as they are, taken or free, while other tests run. */
inline std::string PrivateAddress(int number)
{
    int pid = getpid();
    return "127." + std::to_string(20 + pid / 15000 % 200) + "." + std::to_string(pid / 60 % 250) + "." +
           std::to_string(1 + (pid % 60) * 4 + number);
}

/* The first of them, for texts and calls in C. */
inline const char *OwnAddress()
{
    static const std::string here = PrivateAddress(0);
    return here.c_str();
}

/* An argument that knows what became of it. */
struct Probe {
    int runs = 0;
    int destroyed = 0;

    static void Run(void *arg) { static_cast<Probe *>(arg)->runs++; }
    static void RunFd(hoya_fd, uint32_t, void *arg) { static_cast<Probe *>(arg)->runs++; }
    static void Destroy(void *arg) { static_cast<Probe *>(arg)->destroyed++; }
};

/* A lambda as fn, arg and destroy. */
struct Lambda {
    static void Run(void *arg) { (*static_cast<Work *>(arg))(); }
    static void Destroy(void *arg) { delete static_cast<Work *>(arg); }
    static void RunFd(hoya_fd fd, uint32_t events, void *arg) { (*static_cast<FdWork *>(arg))(fd, events); }
    static void DestroyFd(void *arg) { delete static_cast<FdWork *>(arg); }
    static void RunSignal(int signum, void *arg) { (*static_cast<SignalWork *>(arg))(signum); }
    static void DestroySignal(void *arg) { delete static_cast<SignalWork *>(arg); }
};

class LoopConformance : public ::testing::TestWithParam<Variant>
{
  protected:
    void SetUp() override;
    void TearDown() override;

    /* ---- the loop, in lambdas ---- */

    void CallSoon(Work work);
    Handle CallSoonHandle(Work work);
    Handle CallLater(int64_t delay, Work work);
    Handle CallAt(int64_t when, Work work);
    void CallSoonThreadsafe(Work work); /* any thread */
    void AddReader(int fd, FdWork work);
    void AddReader(int fd, Work work);
    void AddWriter(int fd, FdWork work);
    void AddWriter(int fd, Work work);
    void AddSignal(int signum, SignalWork work);

    /* True in the child, which has ten seconds; false in the parent, where it has ended so. */
    static bool Fork(int *status);
    /* The status of a forked child that ran `work`; 0 if nothing in it failed. */
    int InChild(const Work &work);

    void Run(int expected = 0); /* run_forever */
    void Stop();                /* any thread */
    void RunRounds(int rounds);
    void RunFor(int64_t duration);
    void RunUntil(const Predicate &done);
    void RunUntilNoted(size_t words); /* until the trace has so many words */
    void AwaitSleep(); /* in another thread: until the loop runs, and its thread waits for something */
    hoya_loop_statistics Stats() const;

    /* A second loop of the same kind on the same host; closed and released by the test. */
    hoya_loop *NewSibling() const;
    static void Release(hoya_loop *loop);

    /* ---- what was seen ---- */

    void Note(std::string word);
    Work Say(std::string word)
    {
        return [this, word = std::move(word)] { Note(word); };
    }
    bool Seen(const std::string &word) const;
    bool Logged(const std::string &text); /* some line of the log contains it */
    size_t LogLines();
    void ClearLog();

    /* ---- descriptors: non-blocking, closed after the loop ---- */

    std::array<int, 2> MakePair(); /* a socket pair */
    std::array<int, 2> MakePipe(); /* read end, write end */
    int MakeReadable();            /* readable until drained */
    int Own(int fd);
    void Close(int fd); /* sooner */

    static void Feed(int fd);  /* makes its peer readable */
    static void Drain(int fd); /* reads until nothing is left */

    hoya_loop *loop = nullptr;
    std::unique_ptr<HostLoop> host; /* nullptr natively */
    Trace trace;

  private:
    static void TakeLog(hoya_log_level level, const char *text, void *arg);

    const pid_t tid_ = gettid();
    size_t awaited_ = 0;
    std::vector<int> fds_;
    std::mutex log_mutex_;
    std::vector<std::string> log_;
};

/* Variants with a main loop that hoya did not write; here the application runs it. */
class GuestConformance : public LoopConformance
{
  protected:
    void RunHostUntil(Predicate done, int64_t timeout = HOYA_SEC(10));
    void RunHostUntilSeen(const std::string &word);
    void RunHostFor(int64_t duration);

    /* 50 ms in which the host's wait does not return and the loop is not dispatched, but for a handful of times. */
    void ExpectSilence();

    bool IsNative() const;
    void Attach();
    void Detach();

    /* One of each kind of work: five words in the trace when all is done. */
    void Scatter();
};

/* Those whose main loop may be run again inside a callback. */
class NestingConformance : public GuestConformance
{
  protected:
    void Nest(Predicate done, int64_t timeout = HOYA_SEC(10));
    void NestUntilSeen(const std::string &word);
    void NestFor(int64_t duration);
};

int64_t Now();               /* the monotonic clock */
int64_t ThreadCpu();         /* processor time of this thread */
int OpenFds();               /* descriptors of this process */
void Burn(int64_t duration); /* keeps the processor busy */

/* Bytes that tell when one is missing; as many as a pair of sockets does not take, unless the test says how many. */
std::string Much(size_t size = 4u << 20);

} // namespace hoya_test

#endif
