/* SPDX-License-Identifier: MIT
 *
 * unit/loop/held_write.h: stops the next write, the one that wakes a loop, by way of the table of system calls: it says that it
 * has come, and waits until it may go on.
 */
#ifndef HOYA_TESTS_UNIT_LOOP_HELD_WRITE_H
#define HOYA_TESTS_UNIT_LOOP_HELD_WRITE_H

#include <future>
#include <utility>

extern "C" {
#include "base/sys.h"
}

#ifdef HOYA_FAULTS

namespace hoya_test
{

struct HeldWrite {
    std::promise<void> came, may_go_on;

    static HeldWrite *&now()
    {
        static HeldWrite *held;
        return held;
    }
    static ssize_t Write(int fd, const void *buffer, size_t size)
    {
        HeldWrite *self = std::exchange(now(), nullptr);
        if (self) {
            self->came.set_value();
            self->may_go_on.get_future().wait();
        }
        return hoya_sys_real.write(fd, buffer, size);
    }

    HeldWrite()
    {
        now() = this;
        hoya_sys.write = Write;
    }
    ~HeldWrite() { hoya_sys.write = hoya_sys_real.write; }
};

} // namespace hoya_test

#endif

#endif
