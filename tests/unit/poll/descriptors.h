/* SPDX-License-Identifier: MIT
 *
 * unit/poll/descriptors.h: things to watch, and a selector that watches them and goes at the end of the test.
 */
#ifndef HOYA_TESTS_UNIT_POLL_DESCRIPTORS_H
#define HOYA_TESTS_UNIT_POLL_DESCRIPTORS_H

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "unit/base/own_memory.h"

namespace hoya_test
{

/* A descriptor that closes itself. */
struct Descriptor {
    int fd;
    explicit Descriptor(int number) : fd(number) { EXPECT_GE(fd, 0); }
    Descriptor(Descriptor &&other) noexcept : fd(std::exchange(other.fd, -1)) {}
    ~Descriptor() { shut(); }
    void shut()
    {
        if (fd >= 0) close(fd);
        fd = -1;
    }
};

/* Readable after set(), until clear(). */
struct Event : Descriptor {
    explicit Event(unsigned count = 0) : Descriptor(eventfd(count, EFD_NONBLOCK | EFD_CLOEXEC)) {}
    void set() const { EXPECT_EQ(eventfd_write(fd, 1), 0); }
    void clear() const
    {
        eventfd_t count;
        EXPECT_EQ(eventfd_read(fd, &count), 0);
    }
};

/* Two connected ends, non-blocking. */
struct Ends {
    Descriptor a, b;

    static Ends of_socket()
    {
        int fds[2];
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        return {Descriptor(fds[0]), Descriptor(fds[1])};
    }
    /* a reads, b writes */
    static Ends of_pipe()
    {
        int fds[2];
        EXPECT_EQ(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
        return {Descriptor(fds[0]), Descriptor(fds[1])};
    }
};

class WithSelector : public testing::Test
{
  public:
    const char *kind = HOYA_TEST_SELECTOR;
    hoya_selector *selector = nullptr;

    void SetUp() override { ASSERT_EQ(hoya_selector_new(kind, &selector), 0) << hoya_error_detail(); }
    void TearDown() override { hoya_selector_free(selector); }

    using Found = std::vector<hoya_selector_event>;
    Found look(int64_t timeout = HOYA_NOW, int max = 16)
    {
        Found found(static_cast<size_t>(max));
        int n = hoya_selector_select(selector, timeout, found.data(), max);
        EXPECT_GE(n, 0) << hoya_error_detail();
        found.resize(n < 0 ? 0 : static_cast<size_t>(n));
        return found;
    }
    /* What was found of one descriptor; nothing else may have been found. */
    uint32_t events_of(int fd, int64_t timeout = HOYA_NOW)
    {
        Found found = look(timeout);
        EXPECT_LE(found.size(), 1u);
        if (found.size() != 1) return 0;
        EXPECT_EQ(found[0].fd, fd);
        return found[0].events;
    }
    int watch(int fd, uint32_t events, void *data = nullptr)
    {
        return hoya_selector_register(selector, fd, events, data);
    }
};

} // namespace hoya_test

#endif
