/* SPDX-License-Identifier: MIT
 *
 * conformance/ends.h: the test's end of a pipe, a socket or a terminal.
 */
#ifndef HOYA_TESTS_ENDS_H
#define HOYA_TESTS_ENDS_H

#include <gtest/gtest.h>

#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace hoya_test
{

inline void Put(int fd, const std::string &data)
{
    EXPECT_EQ(write(fd, data.data(), data.size()), static_cast<ssize_t>(data.size()));
}
/* What there is to read now. */
inline std::string Get(int fd)
{
    std::string all;
    char some[65536];
    for (ssize_t n; (n = read(fd, some, sizeof some)) > 0;) all.append(some, static_cast<size_t>(n));
    return all;
}
inline bool IsNonblocking(int fd)
{
    return fcntl(fd, F_GETFL) & O_NONBLOCK;
}

} // namespace hoya_test

#endif
