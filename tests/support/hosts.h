/* SPDX-License-Identifier: MIT
 *
 * support/hosts.h: the ways in which a loop can live, as the conformance suite meets them.
 *
 * A variant is a row of the table in hosts.cc: a name, the loop's flags, and how to make a main loop of the host's
 * kind. Natively there is none. A new host is a class that derives from HostLoop and two rows of that table; no
 * test has to change.
 */
#ifndef HOYA_TESTS_SUPPORT_HOSTS_H
#define HOYA_TESTS_SUPPORT_HOSTS_H

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <hoya/hoya.h>

namespace hoya_test
{

using Work = std::function<void()>;
using Predicate = std::function<bool()>;

/* How urgent a piece of the host's own work is to the host, in the words of a toolkit. */
enum class Rank {
    kNormal, /* like input */
    kRedraw, /* after input */
    kIdle    /* when nothing else is to be done */
};

/* A main loop that hoya did not write, of the thread that made it. It plays the application: everything here is
 * what an application does with its own loop, and knows nothing of hoya but NewAdapter. */
class HostLoop
{
  public:
    using Id = unsigned;

    virtual ~HostLoop() = default;

    /* A host object for hoya_loop_options.host or hoya_loop_attach, which take it. */
    virtual hoya_host *NewAdapter() = 0;

    /* The application's main: runs the loop until `done`, which is asked before each wait. True when it held;
     * false when the time was up, or when somebody else ended the application's loop. */
    virtual bool RunUntil(Predicate done, int64_t timeout = HOYA_SEC(10)) = 0;

    /* The same from inside a callback, as a modal dialog does. */
    virtual bool RunNestedUntil(Predicate done, int64_t timeout = HOYA_SEC(10)) { return RunUntil(done, timeout); }

    /* One turn; waits until there is something to do. */
    virtual void Iterate() = 0;

    /* The host's own timer and its own never-ending work; both repeat until Remove, which they may call
     * themselves. */
    virtual Id AddTimer(int64_t interval, Work work) = 0;
    virtual Id AddIdle(Rank rank, Work work) = 0;
    virtual void Remove(Id id) = 0;

    /* One callback of the host, soon. */
    virtual void CallOnce(Work work) = 0;

    /* What not every main loop has; 0 or false then. The host's own watch of a descriptor that is readable, its own
     * handler of a signal, and a child of its own, `sh -c script`: `ended` is told its exit code. */
    virtual Id AddReader(int /* fd */, Work) { return 0; }
    virtual Id AddSignal(int /* signum */, Work) { return 0; }
    virtual bool Spawn(const char * /* script */, std::function<void(int)> /* ended */) { return false; }

    /* A few turns in disorder: phases of the host's iteration left out, repeated, out of order. */
    virtual void Prod() = 0;

    /* A moment in which a guest that was let go may finish going: for hosts that close asynchronously. */
    virtual void Settle() {}

    /* The child of a fork: can the host's loop be used there, and what does it want to hear first? */
    virtual bool Forks() const { return false; }
    virtual void AfterFork() {}

    /* The host's loop is destroyed, with the guests it has. Nothing but the destructor may follow. Some main loops may
     * be destroyed in a callback (a QCoreApplication and a uv_loop_t may not): RunUntil ends with its predicate. */
    virtual void Die() = 0;
    virtual bool DiesInCallbacks() const { return false; }

    /* May the loop be run by one thread after another? By another thread than its maker's at all? */
    virtual bool Moves() const { return true; }
    virtual bool RunsElsewhere() const { return true; }

    virtual int WatchedFds() = 0;             /* how many descriptors the host looks at now */
    virtual uint64_t PollReturns() const = 0; /* how often its wait has returned so far, on this thread */
};

struct Variant {
    const char *name;
    const char *selector;                     /* by name; nullptr: the best of this system */
    uint32_t flags;                           /* enum hoya_loop_flags */
    bool nests;                               /* the host's loop may run again inside a callback */
    std::unique_ptr<HostLoop> (*make_host)(); /* nullptr: native */

    bool foreign() const { return make_host != nullptr; }
    bool per_fd() const { return selector || (flags & HOYA_LOOP_PER_FD); }
};

std::ostream &operator<<(std::ostream &out, const Variant &variant);

/* All variants of this build; those with a foreign host; those of them whose host can be nested. */
std::vector<Variant> variants();
std::vector<Variant> foreign_variants();
std::vector<Variant> nesting_variants();

/* A loop as the variant has it, in `host` (nullptr natively). The code of hoya_loop_new. */
int NewLoop(const Variant &variant, HostLoop *host, hoya_loop **loop);

} // namespace hoya_test

#endif
