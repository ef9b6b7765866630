/* SPDX-License-Identifier: MIT
 *
 * unit/run/policy_test.cc: which loop a thread has.
 */
#include <gtest/gtest.h>

#include <thread>

#include <hoya/hoya.h>

namespace
{
class Policy : public testing::Test
{
  protected:
    hoya_loop *loop = nullptr;
    void TearDown() override
    {
        hoya_set_event_loop(nullptr);
        hoya_set_event_loop_policy(nullptr);
    }
    hoya_loop *fresh()
    {
        hoya_loop *made = nullptr;
        EXPECT_EQ(hoya_new_event_loop(&made), 0) << hoya_error_detail();
        return made;
    }
};

struct Counting {
    hoya_policy base;
    hoya_policy_ops ops{};
    int calls = 0;
    int result = 0;
    Counting()
    {
        ops.size = sizeof ops;
        ops.name = "counting";
        base.ops = &ops;
    }
    ~Counting() /* a policy outlives its being set */
    {
        if (hoya_get_event_loop_policy() == &base) hoya_set_event_loop_policy(nullptr);
    }
    static Counting *self(hoya_policy *policy) { return reinterpret_cast<Counting *>(policy); }
};
} // namespace

TEST_F(Policy, TheMainThreadGetsALoopByItselfAndKeepsIt)
{
    hoya_loop *again = nullptr;
    Counting fresh_policy; /* under which this thread has never said "none" */
    hoya_set_event_loop_policy(&fresh_policy.base);
    ASSERT_EQ(hoya_get_event_loop(&loop), 0) << hoya_error_detail();
    ASSERT_EQ(hoya_get_event_loop(&again), 0);
    EXPECT_EQ(loop, again);
    EXPECT_STREQ(hoya_loop_host_name(loop), "native");
    hoya_set_event_loop(nullptr);
}

TEST_F(Policy, NoOtherThreadGetsOneByItself)
{
    int rc = 0;
    std::thread([&] {
        hoya_loop *none = nullptr;
        rc = hoya_get_event_loop(&none);
        EXPECT_EQ(none, nullptr);
    }).join();
    EXPECT_EQ(rc, HOYA_ESTATE);
}

TEST_F(Policy, AfterNoneWasSetThereIsNone)
{
    hoya_set_event_loop(nullptr);
    EXPECT_EQ(hoya_get_event_loop(&loop), HOYA_ESTATE);
    EXPECT_STREQ(hoya_error_detail(), "there is no current event loop in this thread (policy native)");
}

TEST_F(Policy, ANewLoopIsNotSet)
{
    hoya_set_event_loop(nullptr);
    hoya_loop *made = fresh();
    EXPECT_EQ(hoya_get_event_loop(&loop), HOYA_ESTATE);
    hoya_loop_unref(made);
}

TEST_F(Policy, SetHoldsAReferenceUntilTheNextSet)
{
    hoya_loop *made = fresh();
    ASSERT_EQ(hoya_set_event_loop(made), 0);
    ASSERT_EQ(hoya_set_event_loop(made), 0) << "the same again is fine";
    hoya_loop_unref(made);
    ASSERT_EQ(hoya_get_event_loop(&loop), 0);
    EXPECT_EQ(loop, made);
    EXPECT_EQ(hoya_loop_call_soon(
                  loop, [](void *) {}, nullptr),
              0);
}

TEST_F(Policy, AThreadsEndDropsItsLoop)
{
    std::thread([this] {
        hoya_loop *mine = fresh();
        EXPECT_EQ(hoya_set_event_loop(mine), 0);
        hoya_loop_unref(mine);
    }).join(); /* the leak check of the test looks for the rest */
}

TEST_F(Policy, TheRunningLoopComesFirst)
{
    hoya_loop *set = fresh(), *running = fresh();
    hoya_set_event_loop(set);
    hoya_loop_call_soon(
        running,
        [](void *arg) {
            hoya_loop *found = nullptr;
            EXPECT_EQ(hoya_get_event_loop(&found), 0);
            EXPECT_EQ(found, arg);
            EXPECT_EQ(hoya_get_running_loop(), arg);
        },
        running);
    EXPECT_EQ(hoya_get_running_loop(), nullptr);
    EXPECT_EQ(hoya_loop_run_once(running, HOYA_NOW), 1);
    EXPECT_EQ(hoya_get_running_loop(), nullptr);
    hoya_loop_unref(set);
    hoya_loop_unref(running);
}

TEST_F(Policy, ANewPolicyKnowsNoLoopOfThisThreadAndTheOldOneStillDoes)
{
    hoya_loop *made = fresh();
    hoya_set_event_loop(made);
    Counting other;
    ASSERT_EQ(hoya_set_event_loop_policy(&other.base), 0);
    EXPECT_EQ(hoya_get_event_loop_policy(), &other.base);
    hoya_set_event_loop(nullptr);
    EXPECT_EQ(hoya_get_event_loop(&loop), HOYA_ESTATE);
    ASSERT_EQ(hoya_set_event_loop_policy(nullptr), 0);
    EXPECT_EQ(hoya_get_event_loop_policy(), hoya_default_policy());
    ASSERT_EQ(hoya_get_event_loop(&loop), 0);
    EXPECT_EQ(loop, made);
    hoya_loop_unref(made);
}

TEST_F(Policy, EachMemberOfACustomPolicyIsUsedAndTheOthersStayDefault)
{
    Counting custom;
    custom.ops.new_event_loop = [](hoya_policy *policy, hoya_loop **out) {
        Counting::self(policy)->calls += 1;
        return hoya_loop_new(nullptr, out);
    };
    hoya_set_event_loop_policy(&custom.base);
    hoya_loop *made = fresh();
    EXPECT_EQ(custom.calls, 1);
    ASSERT_EQ(hoya_set_event_loop(made), 0) << "the default set";
    ASSERT_EQ(hoya_get_event_loop(&loop), 0) << "the default get";
    EXPECT_EQ(loop, made);
    hoya_set_event_loop(nullptr);

    static hoya_loop *only;
    only = made;
    custom.ops.get_event_loop = [](hoya_policy *policy, hoya_loop **out) {
        Counting::self(policy)->calls += 10;
        *out = only;
        return 0;
    };
    custom.ops.set_event_loop = [](hoya_policy *policy, hoya_loop *) {
        Counting::self(policy)->calls += 100;
        return int(HOYA_EPERM);
    };
    ASSERT_EQ(hoya_get_event_loop(&loop), 0);
    EXPECT_EQ(loop, made);
    EXPECT_EQ(hoya_set_event_loop(made), HOYA_EPERM);
    EXPECT_EQ(custom.calls, 111);
    custom.ops.set_event_loop = nullptr;
    hoya_loop_unref(made);
}

TEST_F(Policy, AFactoryThatFailsIsHeardAndLeavesNothing)
{
    Counting custom;
    custom.ops.new_host = [](hoya_policy *, hoya_host **) { return hoya_error_set(HOYA_ENOHOST, "no host today"); };
    custom.ops.new_selector = [](hoya_policy *policy, hoya_selector **out) {
        Counting::self(policy)->calls++;
        return hoya_selector_new("epoll", out);
    };
    hoya_set_event_loop_policy(&custom.base);
    EXPECT_EQ(hoya_new_event_loop(&loop), HOYA_ENOHOST);
    EXPECT_STREQ(hoya_error_detail(), "no host today");
    EXPECT_EQ(custom.calls, 1);
    custom.ops.new_host = nullptr;
    hoya_loop *made = fresh();
    EXPECT_EQ(custom.calls, 2);
    hoya_loop_unref(made);
}

TEST_F(Policy, WhatIsNoPolicyIsRefused)
{
    hoya_policy empty{};
    EXPECT_EQ(hoya_set_event_loop_policy(&empty), HOYA_EINVAL);
    Counting wrong;
    wrong.ops.size = 3;
    EXPECT_EQ(hoya_set_event_loop_policy(&wrong.base), HOYA_EINVAL);
    EXPECT_EQ(hoya_get_event_loop_policy(), hoya_default_policy());
}
