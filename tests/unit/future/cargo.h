/* SPDX-License-Identifier: MIT
 *
 * unit/future/cargo.h: jobs that count what becomes of them, and the end of an executor.
 */
#ifndef HOYA_TESTS_UNIT_CARGO_H
#define HOYA_TESTS_UNIT_CARGO_H

#include <atomic>

#include "support/executors.h"

namespace hoya_test
{

inline void Finish(const Executor &executor)
{
    EXPECT_EQ(hoya_executor_shutdown(executor.get(), HOYA_SEC(20), 0), 0) << hoya_error_detail();
}

/* Counts what becomes of it. */
struct Cargo {
    std::atomic<int> ran{0}, destroyed{0};

    static int Run(hoya_job *, void *arg) { return static_cast<Cargo *>(arg)->ran++, 0; }
    static void Destroy(void *arg) { static_cast<Cargo *>(arg)->destroyed++; }
};

} // namespace hoya_test

#endif
