/* SPDX-License-Identifier: MIT
 *
 * faults/sweep.h: a scenario, with each of its fallible calls failing in turn.
 *
 * Sweep runs a scenario once to write down its fallible calls: the allocations, and in builds with HOYA_FAULTS the
 * system calls. Then it runs it once for each of them and each error that call can have, failing that one call; and
 * once more, failing it and every call after it. After each run nothing of the library's may be alive and the same
 * descriptors must be open. What the scenario itself has to say is short:
 *
 *     Sweep("call_later", [](Faults &faults) {
 *         Loop loop(faults);                             // turns once more at its end, and is closed under the faults
 *         if (!loop) return;                             // refused: that is an answer
 *         if (!faults.Ok(hoya_loop_call_later(...))) return;
 *         EXPECT_TRUE(loop.RunUntil([&] { return runs == 1; }));   // accepted: so it happens
 *     });
 */
#ifndef HOYA_TESTS_FAULTS_SWEEP_H
#define HOYA_TESTS_FAULTS_SWEEP_H

#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <hoya/hoya.h>

#include "support/hosts.h"

namespace hoya_test
{

class Faults
{
  public:
    /* True if the call succeeded. A failure is the scenario's answer to the fault: it counts it, checks that there was
     * a fault to answer, and that the thread's error has a text. */
    bool Ok(int rc);

    /* No faults while this lives: for the scenario's own tools. */
    class Pause
    {
      public:
        Pause();
        ~Pause();

      private:
        bool before_;
    };

    /* Runs `work` in a forked child, whose fallible calls, faults and failures are this run's. */
    void InChild(const Work &work);

    bool answered = false;
};

/* A loop of a scenario, of a variant; refused if it could not be made. */
class Loop
{
  public:
    explicit Loop(Faults &faults, const Variant &variant, HostLoop *host = nullptr);
    /* Without faults a callback still runs; then the loop is closed, with them. */
    ~Loop();
    Loop(const Loop &) = delete;

    explicit operator bool() const { return loop_; }
    operator hoya_loop *() const { return loop_; }

    /* Rounds until `done`. False, if it does not come to that; a failing selector is an answer, and tried again. */
    bool RunUntil(const Predicate &done);

  private:
    Faults &faults_;
    hoya_loop *loop_ = nullptr;
};

/* What is done after each run, without faults, before anybody looks at what is left: the time that a host needs which
 * closes asynchronously. */
void SetSettling(Work settle);

using Scenario = std::function<void(Faults &)>;
void Sweep(const char *name, const Scenario &scenario);

/* Scenarios on the hosts and selectors of a variant: its host is there, a log is not, and who hangs is ended. */
class VariantFaults : public testing::TestWithParam<Variant>
{
  protected:
    void SetUp() override;
    void TearDown() override;
    const Variant &variant() const { return GetParam(); }
    std::string Name(const char *what) const { return std::string(what) + " on " + GetParam().name; }

    std::unique_ptr<HostLoop> host;
};

} // namespace hoya_test

#endif
