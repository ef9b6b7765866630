/* SPDX-License-Identifier: MIT
 *
 * conformance/combine.h: combinators as tests like them: owned, from lists in braces.
 */
#ifndef HOYA_TESTS_COMBINE_H
#define HOYA_TESTS_COMBINE_H

#include "tasks.h"

namespace hoya_test
{

using Parts = std::vector<hoya_future *>;

/* As parts end. */
inline int SetValue(const Future &future, void *value)
{
    return hoya_future_set_result(future.get(), value, nullptr);
}

inline int Fail(const Future &future, int code = HOYA_EPIPE, const char *text = "gone")
{
    return hoya_future_set_exception(future.get(), code, text);
}

inline void *ValueOf(const Future &future)
{
    void *value = nullptr;
    EXPECT_EQ(hoya_future_result(future.get(), &value), 0) << hoya_error_detail();
    return value;
}

inline Future Gather(hoya_loop *loop, const Parts &parts, uint32_t flags = 0)
{
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_gather(loop, parts.data(), parts.size(), flags, &future), 0) << hoya_error_detail();
    return Future(future);
}

inline Future Race(hoya_loop *loop, const Parts &parts)
{
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_race(loop, parts.data(), parts.size(), &future), 0) << hoya_error_detail();
    return Future(future);
}

inline Future WaitFutures(hoya_loop *loop, const Parts &parts, hoya_when when, int64_t timeout = HOYA_NEVER)
{
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_wait_futures(loop, parts.data(), parts.size(), when, timeout, &future), 0)
        << hoya_error_detail();
    return Future(future);
}

inline Future Shield(hoya_future *part)
{
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_shield(part, &future), 0) << hoya_error_detail();
    return Future(future);
}

inline Future WithTimeout(hoya_future *part, int64_t timeout)
{
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_with_timeout(part, timeout, &future), 0) << hoya_error_detail();
    return Future(future);
}

/* The list that a gather has for its value; fails without one. */
inline const hoya_gathered *ListOf(const Future &gather)
{
    void *list = nullptr;
    EXPECT_EQ(hoya_future_result(gather.get(), &list), 0) << hoya_error_detail();
    return static_cast<const hoya_gathered *>(list);
}

inline bool IsDone(const Future &future)
{
    return hoya_future_done(future.get()) == 1;
}

inline bool IsCancelled(const Future &future)
{
    return hoya_future_cancelled(future.get()) == 1;
}

} // namespace hoya_test

#endif
