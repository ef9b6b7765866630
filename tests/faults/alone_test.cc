/* SPDX-License-Identifier: MIT
 *
 * faults/alone_test.cc: what can be used without a loop, or makes one: selectors, and the policy.
 */
#include "faults/sweep.h"

#include <string>

#include <sys/eventfd.h>
#include <unistd.h>

namespace hoya_test
{
namespace
{

class SelectorFaults : public testing::TestWithParam<const char *>
{
};

int tag;

} // namespace

TEST_P(SelectorFaults, RegisterModifySelectUnregister)
{
    Sweep((std::string("selector ") + GetParam()).c_str(), [&](Faults &faults) {
        std::vector<int> fds;
        for (int i = 0; i < 40; i++) fds.push_back(eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
        hoya_selector *selector = nullptr;
        if (faults.Ok(hoya_selector_new(GetParam(), &selector))) {
            int registered = 0, seen = 0;
            for (int fd : fds) {
                hoya_selector_key key;
                bool added = faults.Ok(hoya_selector_register(selector, fd, HOYA_IN, &tag));
                EXPECT_EQ(hoya_selector_get_key(selector, fd, &key), added ? 0 : HOYA_ENOENT);
                registered += added;
                if (!added || fd != fds[0]) continue;
                bool modified = faults.Ok(hoya_selector_modify(selector, fd, HOYA_IN | HOYA_OUT, &tag));
                EXPECT_EQ(hoya_selector_get_key(selector, fd, &key), 0);
                EXPECT_EQ(key.events, modified ? HOYA_IN | HOYA_OUT : uint32_t(HOYA_IN));
            }
            hoya_selector_event found[64];
            for (int i = 0; i < 3 && seen < registered; i++) {
                int n = hoya_selector_select(selector, HOYA_USEC(1), found, 64);
                if (faults.Ok(n)) seen = n;
            }
            EXPECT_EQ(seen, registered);
            for (int fd : fds) registered -= hoya_selector_unregister(selector, fd) == 0;
            EXPECT_EQ(registered, 0);
            hoya_selector_free(selector);
        } else {
            EXPECT_EQ(selector, nullptr);
        }
        for (int fd : fds) close(fd);
    });
}

INSTANTIATE_TEST_SUITE_P(Kinds, SelectorFaults, testing::Values("epoll", "poll", "select"));

TEST(PolicyFaults, TheThreadsLoop)
{
    Sweep("the thread's loop", [](Faults &faults) {
        hoya_loop *first = nullptr, *again = nullptr, *second = nullptr;
        bool got = faults.Ok(hoya_get_event_loop(&first)); /* the main thread's own */
        if (got) {
            if (faults.Ok(hoya_get_event_loop(&again))) EXPECT_EQ(first, again);
            EXPECT_EQ(hoya_loop_close(first), 0);
        }
        if (faults.Ok(hoya_new_event_loop(&second))) {
            if (faults.Ok(hoya_set_event_loop(second))) {
                EXPECT_EQ(hoya_get_event_loop(&again), 0);
                EXPECT_EQ(again, second);
            }
            hoya_loop_unref(second);
        }
        /* Nothing of this thread is remembered for the next run, not even "none". */
        static hoya_policy_ops ops = {sizeof ops, "fresh", nullptr, nullptr, nullptr, nullptr, nullptr};
        static hoya_policy fresh[2] = {{&ops}, {&ops}};
        static int turn;
        EXPECT_EQ(hoya_set_event_loop(nullptr), 0);
        EXPECT_EQ(hoya_set_event_loop_policy(&fresh[turn++ % 2]), 0);
        Faults::Pause pause;
        EXPECT_EQ(hoya_set_event_loop(nullptr), 0);
        EXPECT_EQ(hoya_set_event_loop_policy(nullptr), 0);
    });
}

TEST(PolicyFaults, FactoriesOfAPolicy)
{
    static const auto new_selector = [](hoya_policy *, hoya_selector **selector) {
        return hoya_selector_new("poll", selector);
    };
    static const hoya_policy_ops ops = {sizeof ops, "ours", nullptr, nullptr, nullptr, new_selector, nullptr};
    static hoya_policy policy = {&ops};
    ASSERT_EQ(hoya_set_event_loop_policy(&policy), 0);
    Sweep("the factories of a policy", [](Faults &faults) {
        hoya_loop *loop = nullptr;
        if (!faults.Ok(hoya_new_event_loop(&loop))) return;
        EXPECT_STREQ(hoya_loop_selector_name(loop), "poll");
        hoya_loop_unref(loop);
    });
    EXPECT_EQ(hoya_set_event_loop_policy(nullptr), 0);
}

} // namespace hoya_test
