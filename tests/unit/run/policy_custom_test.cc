/* SPDX-License-Identifier: MIT
 *
 * unit/run/policy_custom_test.cc: references, the change from one policy to another, policies that do a part
 * themselves, and what goes wrong on the way.
 */
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "unit/base/own_memory.h"
#include "unit/loop/fake_host.h"

using namespace hoya_test;

namespace
{

/* A policy of the application's. As it is made it does nothing itself; a test puts functions into `ops`. */
struct Own {
    hoya_policy base{}; /* first: the library hands this back */
    hoya_policy_ops ops{};
    hoya_loop *loop = nullptr; /* what a function of `ops` was given, or shall give */
    int calls = 0, result = 0;
    hoya_selector *selector = nullptr;
    hoya_host *host = nullptr;

    Own()
    {
        ops.size = sizeof ops;
        ops.name = "own";
        base.ops = &ops;
    }
    static Own *self(hoya_policy *policy) { return reinterpret_cast<Own *>(policy); }
};

class CustomPolicy : public testing::Test
{
  public:
    Own own, second; /* here, because a policy outlives its being set */
    std::vector<hoya_loop *> made;

    void SetUp() override { put_back(); } /* other tests have said "no loop" under the native policy */
    void TearDown() override { put_back(); }

    /* As it was before: no loop in this thread, the native policy, and nobody who said "no loop". The library remembers
     * that of the policy that said it last: so let it be one that no test asks. */
    void put_back()
    {
        for (hoya_loop *loop : made) hoya_loop_unref(loop);
        made.clear();
        static Own last;
        for (hoya_policy *policy : {hoya_default_policy(), &own.base, &second.base, &last.base}) {
            hoya_set_event_loop_policy(policy);
            hoya_set_event_loop(nullptr);
        }
        hoya_set_event_loop_policy(nullptr);
    }

    static void use(hoya_policy *policy) { ASSERT_EQ(hoya_set_event_loop_policy(policy), 0); }
    /* A loop that is kept until the end of the test. */
    hoya_loop *new_loop()
    {
        hoya_loop *loop = nullptr;
        EXPECT_EQ(hoya_new_event_loop(&loop), 0) << hoya_error_detail();
        made.push_back(loop);
        return loop;
    }
    static hoya_loop *get()
    {
        hoya_loop *loop = nullptr;
        EXPECT_EQ(hoya_get_event_loop(&loop), 0) << hoya_error_detail();
        return loop;
    }
    static int get_code()
    {
        hoya_loop *loop = nullptr;
        int rc = hoya_get_event_loop(&loop);
        if (rc < 0) EXPECT_EQ(loop, nullptr) << "the output is untouched";
        return rc;
    }
    template <typename Work> static void in_a_thread(Work work) { std::thread(work).join(); }
};

/* A real selector under another name. */
int named_selector(hoya_selector **selector)
{
    static hoya_selector_ops ops;
    int rc = hoya_selector_new(nullptr, selector);
    if (rc < 0) return rc;
    ops = *(*selector)->ops;
    ops.name = "named";
    (*selector)->ops = &ops;
    return 0;
}

/* The name of the selector that nobody chose; HOYA_SELECTOR may. */
const char *default_selector()
{
    hoya_selector *selector = nullptr;
    EXPECT_EQ(hoya_selector_new(nullptr, &selector), 0);
    const char *name = hoya_selector_name(selector);
    hoya_selector_free(selector);
    return name;
}

} // namespace

/* ---- the native policy -------------------------------------------------------------------------------- */

TEST_F(CustomPolicy, GetInTheMainThreadMakesALoopAndKeepsIt)
{
    int64_t before = Live().loops;
    hoya_loop *loop = get();
    ASSERT_NE(loop, nullptr);
    EXPECT_EQ(Live().loops, before + 1);
    EXPECT_STREQ(hoya_loop_host_name(loop), "native");
    EXPECT_STREQ(hoya_loop_selector_name(loop), default_selector());
    EXPECT_EQ(get(), loop);
    EXPECT_EQ(Live().loops, before + 1);
}

TEST_F(CustomPolicy, GetInAnotherThreadMakesNone)
{
    get();
    int64_t before = Live().loops;
    in_a_thread([] {
        EXPECT_EQ(get_code(), HOYA_ESTATE);
        EXPECT_NE(std::string(hoya_error_detail()).find("native"), std::string::npos) << hoya_error_detail();
    });
    EXPECT_EQ(Live().loops, before);
}

TEST_F(CustomPolicy, TheLoopThatWasSetIsFound)
{
    hoya_loop *loop = new_loop();
    EXPECT_EQ(hoya_set_event_loop(loop), 0);
    EXPECT_EQ(get(), loop);
    in_a_thread([] {
        hoya_loop *theirs = nullptr;
        ASSERT_EQ(hoya_new_event_loop(&theirs), 0);
        EXPECT_EQ(hoya_set_event_loop(theirs), 0);
        EXPECT_EQ(get(), theirs);
        hoya_loop_unref(theirs);
    });
    EXPECT_EQ(get(), loop) << "each thread has its own";
}

TEST_F(CustomPolicy, ANewLoopIsNotSet)
{
    hoya_loop *current = get(), *other = new_loop();
    EXPECT_NE(current, other);
    EXPECT_EQ(get(), current);
    in_a_thread([] {
        hoya_loop *loop = nullptr;
        ASSERT_EQ(hoya_new_event_loop(&loop), 0);
        EXPECT_EQ(get_code(), HOYA_ESTATE);
        hoya_loop_unref(loop);
    });
}

TEST_F(CustomPolicy, ANewLoopIsNewEachTimeAndBelongsToTheCaller)
{
    int64_t before = Live().loops;
    EXPECT_NE(new_loop(), new_loop());
    EXPECT_EQ(Live().loops, before + 2);
    for (hoya_loop *loop : made) hoya_loop_unref(loop);
    made.clear();
    EXPECT_EQ(Live().loops, before);
}

/* ---- references --------------------------------------------------------------------------------------- */

TEST_F(CustomPolicy, SettingALoopKeepsItAlive)
{
    int64_t before = Live().loops;
    hoya_loop *loop = nullptr;
    ASSERT_EQ(hoya_new_event_loop(&loop), 0);
    ASSERT_EQ(hoya_set_event_loop(loop), 0);
    hoya_loop_unref(loop);
    EXPECT_EQ(Live().loops, before + 1);
    EXPECT_EQ(hoya_loop_is_closed(get()), 0);
    EXPECT_EQ(hoya_set_event_loop(nullptr), 0);
    EXPECT_EQ(Live().loops, before);
}

TEST_F(CustomPolicy, SettingAnotherLoopDropsTheFirst)
{
    ASSERT_NE(get(), nullptr);
    int64_t before = Live().loops;
    hoya_loop *loop = new_loop();
    EXPECT_EQ(hoya_set_event_loop(loop), 0);
    EXPECT_EQ(Live().loops, before);
    EXPECT_EQ(get(), loop);
}

TEST_F(CustomPolicy, SettingTheSameLoopAgainKeepsIt)
{
    hoya_loop *loop = get();
    int64_t before = Live().loops;
    EXPECT_EQ(hoya_set_event_loop(loop), 0);
    EXPECT_EQ(Live().loops, before);
    EXPECT_EQ(get(), loop);
    EXPECT_EQ(hoya_set_event_loop(nullptr), 0);
    EXPECT_EQ(Live().loops, before - 1) << "one reference, not two";
}

TEST_F(CustomPolicy, TheEndOfAThreadDropsItsLoopsOfAllPolicies)
{
    hoya_live_counts before = Live();
    int64_t there = 0;
    in_a_thread([&] {
        for (hoya_policy *policy : {hoya_default_policy(), &own.base}) {
            hoya_loop *loop = nullptr;
            hoya_set_event_loop_policy(policy);
            ASSERT_EQ(hoya_new_event_loop(&loop), 0);
            EXPECT_EQ(hoya_set_event_loop(loop), 0);
            hoya_loop_unref(loop);
        }
        there = Live().loops;
    });
    EXPECT_EQ(there, before.loops + 2);
    EXPECT_EQ(Live().loops, before.loops);
    EXPECT_EQ(Live().blocks, before.blocks);
}

/* ---- the loop that runs ------------------------------------------------------------------------------- */

TEST_F(CustomPolicy, TheLoopThatRunsComesBeforeAPolicysOwnAnswer)
{
    own.ops.get_event_loop = [](hoya_policy *, hoya_loop **) { return hoya_error_set(HOYA_EPERM, "no"); };
    hoya_loop *running = new_loop(), *seen = nullptr;
    use(&own.base);
    EXPECT_EQ(get_code(), HOYA_EPERM);
    ASSERT_EQ(
        hoya_loop_call_soon(
            running, [](void *arg) { EXPECT_EQ(hoya_get_event_loop(static_cast<hoya_loop **>(arg)), 0); }, &seen),
        0);
    EXPECT_EQ(hoya_loop_run_once(running, HOYA_NOW), 1);
    EXPECT_EQ(seen, running);
}

/* ---- changing the policy ------------------------------------------------------------------------------ */

TEST_F(CustomPolicy, ANewPolicyKnowsNoLoopOfThisThreadAndTheOldOneFindsItsAgain)
{
    hoya_loop *native = get();
    use(&own.base);
    EXPECT_EQ(hoya_get_event_loop_policy(), &own.base);
    hoya_loop *owns = get();
    EXPECT_NE(owns, native);
    use(nullptr);
    EXPECT_EQ(get(), native);
    use(&own.base);
    EXPECT_EQ(get(), owns);
}

TEST_F(CustomPolicy, InAnotherThreadTooANewPolicyKnowsNoLoop)
{
    in_a_thread([this] {
        hoya_loop *loop = nullptr;
        ASSERT_EQ(hoya_new_event_loop(&loop), 0);
        ASSERT_EQ(hoya_set_event_loop(loop), 0);
        hoya_loop_unref(loop);
        hoya_set_event_loop_policy(&own.base);
        EXPECT_EQ(get_code(), HOYA_ESTATE);
        hoya_set_event_loop_policy(nullptr);
        EXPECT_EQ(get(), loop);
    });
}

TEST_F(CustomPolicy, DroppingOnePolicysLoopLeavesTheOthers)
{
    get();
    use(&own.base);
    hoya_loop *owns = get();
    use(&second.base);
    hoya_loop *seconds = get();
    use(nullptr);
    EXPECT_EQ(hoya_set_event_loop(nullptr), 0);
    EXPECT_EQ(get_code(), HOYA_ESTATE);
    use(&own.base);
    EXPECT_EQ(get(), owns);
    use(&second.base);
    EXPECT_EQ(get(), seconds);
}

TEST_F(CustomPolicy, SayingNoLoopUnderOnePolicyDoesNotSayItUnderAnother)
{
    EXPECT_EQ(hoya_set_event_loop(nullptr), 0);
    EXPECT_EQ(get_code(), HOYA_ESTATE);
    use(&own.base);
    EXPECT_NE(get(), nullptr);
}

TEST_F(CustomPolicy, ALoopThatExistsKeepsItsHost)
{
    auto host = new FakeHost;
    own.host = &host->base;
    own.ops.new_host = [](hoya_policy *policy, hoya_host **out) {
        *out = std::exchange(Own::self(policy)->host, nullptr);
        return 0;
    };
    hoya_loop *native = get();
    use(&own.base);
    hoya_loop *guest = new_loop();
    EXPECT_STREQ(hoya_loop_host_name(native), "native");
    use(nullptr);
    EXPECT_STREQ(hoya_loop_host_name(guest), "fake");
}

TEST_F(CustomPolicy, ThePolicyIsTheWholeProcesss)
{
    use(&own.base);
    hoya_policy *seen = nullptr;
    in_a_thread([&seen] { seen = hoya_get_event_loop_policy(); });
    EXPECT_EQ(seen, &own.base);
}

TEST_F(CustomPolicy, NullRestoresTheNativePolicy)
{
    use(&own.base);
    EXPECT_EQ(hoya_set_event_loop_policy(nullptr), 0);
    EXPECT_EQ(hoya_get_event_loop_policy(), hoya_default_policy());
}

TEST_F(CustomPolicy, WhatIsNoPolicyIsRefusedAndTheOldOneStays)
{
    Own bad;
    use(&own.base);
    for (size_t size : {size_t{0}, sizeof bad.ops - 1, sizeof bad.ops + sizeof(void *)}) {
        bad.ops.size = size;
        EXPECT_EQ(hoya_set_event_loop_policy(&bad.base), HOYA_EINVAL) << size;
    }
    bad.base.ops = nullptr;
    EXPECT_EQ(hoya_set_event_loop_policy(&bad.base), HOYA_EINVAL);
    EXPECT_EQ(hoya_get_event_loop_policy(), &own.base);
}

/* ---- policies that do a part themselves --------------------------------------------------------------- */

TEST_F(CustomPolicy, OneWithoutFunctionsDoesWhatTheNativeOneDoes)
{
    use(&own.base);
    hoya_loop *loop = get();
    EXPECT_STREQ(hoya_loop_host_name(loop), "native");
    EXPECT_STREQ(hoya_loop_selector_name(loop), default_selector());
    EXPECT_EQ(get(), loop);
    in_a_thread([] {
        EXPECT_EQ(get_code(), HOYA_ESTATE);
        EXPECT_NE(std::string(hoya_error_detail()).find("own"), std::string::npos) << hoya_error_detail();
    });
    EXPECT_EQ(hoya_set_event_loop(nullptr), 0);
    EXPECT_EQ(get_code(), HOYA_ESTATE);
}

TEST_F(CustomPolicy, OneMaySayWhichLoopIsCurrent)
{
    own.loop = new_loop();
    own.ops.get_event_loop = [](hoya_policy *policy, hoya_loop **loop) {
        *loop = Own::self(policy)->loop;
        return 0;
    };
    use(&own.base);
    EXPECT_EQ(get(), own.loop);
    EXPECT_NE(new_loop(), own.loop);
    EXPECT_EQ(hoya_set_event_loop(made[1]), 0) << "as always";
    EXPECT_EQ(get(), own.loop);
}

TEST_F(CustomPolicy, OneMayKeepTheCurrentLoopItself)
{
    own.ops.set_event_loop = [](hoya_policy *policy, hoya_loop *loop) {
        Own *self = Own::self(policy);
        self->calls++;
        if (loop) hoya_loop_ref(loop);
        hoya_loop_unref(std::exchange(self->loop, loop));
        return 0;
    };
    use(&own.base);
    hoya_loop *loop = new_loop();
    EXPECT_EQ(hoya_set_event_loop(loop), 0);
    EXPECT_EQ(own.loop, loop);
    EXPECT_EQ(hoya_set_event_loop(nullptr), 0);
    EXPECT_EQ(own.loop, nullptr);
    EXPECT_EQ(get(), own.loop) << "the loop that get made was handed to set";
    EXPECT_EQ(own.calls, 3);
}

TEST_F(CustomPolicy, OneMayMakeLoopsItself)
{
    own.ops.new_event_loop = [](hoya_policy *policy, hoya_loop **loop) {
        hoya_loop_options options{};
        options.size = sizeof options;
        options.flags = HOYA_LOOP_DEBUG;
        Own::self(policy)->calls++;
        return hoya_loop_new(&options, loop);
    };
    use(&own.base);
    EXPECT_EQ(hoya_loop_get_debug(new_loop()), 1);
    EXPECT_EQ(own.calls, 1);
    hoya_loop *current = get();
    EXPECT_EQ(hoya_loop_get_debug(current), 1);
    EXPECT_EQ(get(), current);
    EXPECT_EQ(own.calls, 2);
}

TEST_F(CustomPolicy, OneMayChooseTheSelector)
{
    own.ops.new_selector = [](hoya_policy *policy, hoya_selector **selector) {
        Own::self(policy)->calls++;
        return named_selector(selector);
    };
    use(&own.base);
    EXPECT_STREQ(hoya_loop_selector_name(new_loop()), "named");
    EXPECT_STREQ(hoya_loop_selector_name(get()), "named");
    EXPECT_STREQ(hoya_loop_host_name(get()), "native");
    EXPECT_EQ(own.calls, 2);
}

TEST_F(CustomPolicy, OneMayChooseTheHost)
{
    own.ops.new_host = [](hoya_policy *policy, hoya_host **host) {
        Own::self(policy)->calls++;
        *host = &(new FakeHost)->base;
        return 0;
    };
    use(&own.base);
    EXPECT_STREQ(hoya_loop_host_name(new_loop()), "fake");
    EXPECT_STREQ(hoya_loop_host_name(get()), "fake");
    EXPECT_STREQ(hoya_loop_selector_name(get()), default_selector());
    EXPECT_EQ(own.calls, 2);
}

TEST_F(CustomPolicy, AFactoryThatGivesNothingMeansTheDefault)
{
    own.ops.new_selector = [](hoya_policy *policy, hoya_selector **) { return ++Own::self(policy)->calls, 0; };
    own.ops.new_host = [](hoya_policy *policy, hoya_host **) { return ++Own::self(policy)->calls, 0; };
    use(&own.base);
    hoya_loop *loop = new_loop();
    EXPECT_STREQ(hoya_loop_selector_name(loop), default_selector());
    EXPECT_STREQ(hoya_loop_host_name(loop), "native");
    EXPECT_EQ(own.calls, 2);
}

TEST_F(CustomPolicy, OneIsCalledInOtherThreadsToo)
{
    own.ops.new_host = [](hoya_policy *policy, hoya_host **) { return ++Own::self(policy)->calls, 0; };
    use(&own.base);
    in_a_thread([] {
        hoya_loop *loop = nullptr;
        ASSERT_EQ(hoya_new_event_loop(&loop), 0);
        EXPECT_EQ(hoya_set_event_loop(loop), 0);
        EXPECT_EQ(get(), loop);
        hoya_loop_unref(loop);
    });
    EXPECT_EQ(own.calls, 1);
}

/* ---- what goes wrong ---------------------------------------------------------------------------------- */

class PolicyFailure : public CustomPolicy
{
  public:
    /* Runs new_event_loop and get_event_loop under `own`, which have to answer `code` and to leave nothing behind. */
    void expect(int code)
    {
        hoya_live_counts before = Live();
        use(&own.base);
        hoya_loop *loop = nullptr;
        EXPECT_EQ(hoya_new_event_loop(&loop), code);
        EXPECT_EQ(loop, nullptr);
        expect_get(code);
        hoya_live_counts after = Live();
        EXPECT_EQ(after.loops, before.loops);
        EXPECT_EQ(after.selectors, before.selectors);
        EXPECT_EQ(after.hosts, before.hosts);
        EXPECT_EQ(after.fds, before.fds);
        EXPECT_EQ(after.blocks, before.blocks);
    }
    void expect_get(int code)
    {
        EXPECT_EQ(get_code(), code);
        EXPECT_STREQ(hoya_error_detail(), "of mine");
    }
};

TEST_F(PolicyFailure, TheSelectorFactorysComesThrough)
{
    own.ops.new_selector = [](hoya_policy *, hoya_selector **) { return hoya_error_set(HOYA_EMFILE, "of mine"); };
    own.ops.new_host = [](hoya_policy *policy, hoya_host **) { return ++Own::self(policy)->calls, 0; };
    expect(HOYA_EMFILE);
    EXPECT_EQ(own.calls, 0) << "no host is made for nothing";
}

TEST_F(PolicyFailure, TheHostFactorysComesThroughAndTheSelectorIsFreed)
{
    own.ops.new_selector = [](hoya_policy *, hoya_selector **selector) { return named_selector(selector); };
    own.ops.new_host = [](hoya_policy *, hoya_host **) { return hoya_error_set(HOYA_EPERM, "of mine"); };
    expect(HOYA_EPERM);
}

TEST_F(PolicyFailure, TheHostsRefusalComesThroughAndTheHostIsFreed)
{
    static int freed;
    freed = 0;
    own.ops.new_host = [](hoya_policy *, hoya_host **out) {
        auto host = new FakeHost;
        host->ops.attach = [](hoya_host *, hoya_guest *, int) { return hoya_error_set(HOYA_EDEADLK, "of mine"); };
        host->ops.free = [](hoya_host *h) {
            freed++;
            delete FakeHost::self(h);
        };
        *out = &host->base;
        return 0;
    };
    expect(HOYA_EDEADLK);
    EXPECT_EQ(freed, 2);
}

TEST_F(PolicyFailure, ItsOwnNewEventLoopsComesThrough)
{
    own.ops.new_event_loop = [](hoya_policy *, hoya_loop **) { return hoya_error_set(HOYA_ELIMIT, "of mine"); };
    expect(HOYA_ELIMIT);
}

TEST_F(PolicyFailure, ItsOwnSetEventLoopsComesThroughAndGetFreesTheLoopItMade)
{
    own.ops.set_event_loop = [](hoya_policy *, hoya_loop *) { return hoya_error_set(HOYA_EBUSY, "of mine"); };
    int64_t before = Live().loops;
    use(&own.base);
    EXPECT_EQ(hoya_set_event_loop(nullptr), HOYA_EBUSY);
    expect_get(HOYA_EBUSY);
    EXPECT_EQ(Live().loops, before);
}

TEST_F(PolicyFailure, AFailedGetIsTriedAgainByTheNext)
{
    own.result = HOYA_EMFILE;
    own.ops.new_selector = [](hoya_policy *policy, hoya_selector **) { return Own::self(policy)->result; };
    use(&own.base);
    EXPECT_EQ(get_code(), HOYA_EMFILE);
    own.result = 0;
    EXPECT_EQ(get_code(), 0);
}

TEST_F(PolicyFailure, WithoutMemoryGetMakesNothingAndLeavesNothing)
{
    OwnMemory memory;
    int refused = 0;
    for (int rc = -1; rc < 0; refused += rc < 0) {
        memory.granted = refused; /* one more each time, until it is enough */
        rc = get_code();
        if (rc == 0) break;
        ASSERT_EQ(rc, HOYA_ENOMEM);
        ASSERT_EQ(memory.blocks, 0) << "after " << refused << " blocks";
        ASSERT_EQ(Live().loops + Live().fds, 0);
    }
    EXPECT_GT(refused, 3);
    memory.granted = -1;
    put_back(); /* while `memory` lives */
}

TEST_F(PolicyFailure, ASetWithoutMemoryChangesNothing)
{
    OwnMemory memory;
    hoya_loop *current = get(), *other = new_loop();
    int64_t before = Live().loops;
    use(&own.base);
    memory.granted = 0;
    EXPECT_EQ(hoya_set_event_loop(other), HOYA_ENOMEM);
    memory.granted = -1;
    EXPECT_NE(get(), other) << "a loop of its own is made: nothing was set";
    EXPECT_EQ(Live().loops, before + 1);
    use(nullptr);
    EXPECT_EQ(get(), current);
    put_back();
}

TEST_F(PolicyFailure, DroppingALoopNeedsNoMemory)
{
    OwnMemory memory;
    get();
    memory.granted = 0;
    int before = memory.requests;
    EXPECT_EQ(hoya_set_event_loop(nullptr), 0);
    EXPECT_EQ(memory.requests, before);
    EXPECT_EQ(memory.blocks, 0);
    put_back();
}
