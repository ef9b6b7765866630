/* SPDX-License-Identifier: MIT
 *
 * support/leaks.cc: the library's live counts and the process's descriptors, before and after each test.
 */
#include "support/leaks.h"

#include <dirent.h>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>
#include <hoya/base.h>

namespace hoya_test
{
namespace
{

/* The open descriptors, and what each one is: "socket:[1234]". */
std::map<int, std::string> open_fds()
{
    std::map<int, std::string> fds;
    DIR *directory = opendir("/proc/self/fd");
    if (!directory) return fds;
    while (dirent *entry = readdir(directory)) {
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory)) continue;
        char target[256];
        ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof target);
        fds[atoi(entry->d_name)] = length < 0 ? "?" : std::string(target, static_cast<size_t>(length));
    }
    closedir(directory);
    return fds;
}

struct Alive {
    hoya_live_counts counts;
    std::map<int, std::string> fds;

    static Alive now()
    {
        Alive alive{};
        alive.counts.size = sizeof alive.counts;
        EXPECT_EQ(0, hoya_get_live_counts(&alive.counts));
        alive.fds = open_fds();
        return alive;
    }
};

void expect_same(const char *what, int64_t before, int64_t after)
{
    EXPECT_EQ(before, after) << "the test leaves another number of " << what << " alive than it found";
}

class LeakChecks : public testing::EmptyTestEventListener
{
  public:
    Alive before;

    void OnTestStart(const testing::TestInfo &) override { before = Alive::now(); }

    /* A test that failed has left its story early: what it leaves behind is no news. */
    void OnTestEnd(const testing::TestInfo &test) override
    {
        if (test.result()->Failed()) return;
        Alive after = Alive::now();
        expect_same("blocks of memory", before.counts.blocks, after.counts.blocks);
        expect_same("the library's descriptors", before.counts.fds, after.counts.fds);
        expect_same("loops", before.counts.loops, after.counts.loops);
        expect_same("handles", before.counts.handles, after.counts.handles);
        expect_same("selectors", before.counts.selectors, after.counts.selectors);
        expect_same("futures", before.counts.futures, after.counts.futures);
        expect_same("hosts", before.counts.hosts, after.counts.hosts);
        if (after.fds.size() <= before.fds.size()) return;
        for (const auto &[fd, target] : after.fds) {
            auto old = before.fds.find(fd);
            if (old == before.fds.end() || old->second != target)
                ADD_FAILURE() << "the test leaves descriptor " << fd << " open: " << target;
        }
    }
};

LeakChecks *checks; /* googletest owns it */

std::vector<void (*)()> &warm_ups()
{
    static std::vector<void (*)()> registered;
    return registered;
}

} // namespace

void rebase_leaks()
{
    checks->before = Alive::now();
}

bool has_more_memory()
{
    hoya_live_counts counts{};
    counts.size = sizeof counts;
    return hoya_get_live_counts(&counts) < 0 || counts.blocks > checks->before.counts.blocks;
}

WarmUp::WarmUp(void (*warm_up)())
{
    warm_ups().push_back(warm_up);
}

void run_warm_ups()
{
    for (auto warm_up : warm_ups()) warm_up();
}

void install_leak_checks()
{
    checks = new LeakChecks;
    testing::UnitTest::GetInstance()->listeners().Append(checks);
}

} // namespace hoya_test
