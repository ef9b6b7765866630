/* SPDX-License-Identifier: MIT
 *
 * support/few_descriptors.h: a process that has no room for more.
 */
#ifndef HOYA_TESTS_FEW_DESCRIPTORS_H
#define HOYA_TESTS_FEW_DESCRIPTORS_H

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>

namespace hoya_test
{

/* As long as it lives, so many descriptors may be opened beside those that are open. */
class FewDescriptors
{
  public:
    explicit FewDescriptors(int room)
    {
        EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
        int fd = 0;
        while (fcntl(fd, F_GETFD) >= 0 || room-- > 0) fd++;
        rlimit few = {static_cast<rlim_t>(fd), before_.rlim_max};
        EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    }
    FewDescriptors(const FewDescriptors &) = delete;
    ~FewDescriptors() { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0); }

  private:
    rlimit before_;
};

} // namespace hoya_test

#endif
