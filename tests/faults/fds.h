/* SPDX-License-Identifier: MIT
 *
 * faults/fds.h: descriptors of a scenario's own.
 */
#ifndef HOYA_TESTS_FAULTS_FDS_H
#define HOYA_TESTS_FAULTS_FDS_H

#include <algorithm>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

namespace hoya_test
{

/* Plain descriptors of the test's, closed at its end, whatever fails. */
struct Fds {
    std::vector<int> all;

    Fds() = default;
    Fds(const Fds &) = delete;
    ~Fds()
    {
        for (int fd : all) close(fd);
    }
    int Own(int fd)
    {
        EXPECT_GE(fd, 0);
        all.push_back(fd);
        return fd;
    }
    void Forget(int fd) { all.erase(std::remove(all.begin(), all.end(), fd), all.end()); }
};

} // namespace hoya_test

#endif
