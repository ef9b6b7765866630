/* SPDX-License-Identifier: MIT
 *
 * support/futures.h: futures as tests like them: owned, and with lambdas for callbacks.
 */
#ifndef HOYA_TESTS_FUTURES_H
#define HOYA_TESTS_FUTURES_H

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <hoya/hoya.h>

namespace hoya_test
{

struct UnrefFuture {
    void operator()(hoya_future *future) const { hoya_future_unref(future); }
    void operator()(hoya_thread_future *future) const { hoya_thread_future_unref(future); }
};
using Future = std::unique_ptr<hoya_future, UnrefFuture>;
using ThreadFuture = std::unique_ptr<hoya_thread_future, UnrefFuture>;

inline Future NewFuture(hoya_loop *loop)
{
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_future_new(loop, &future), 0) << hoya_error_detail();
    return Future(future);
}

inline ThreadFuture NewThreadFuture()
{
    hoya_thread_future *future = nullptr;
    EXPECT_EQ(hoya_thread_future_new(&future), 0) << hoya_error_detail();
    return ThreadFuture(future);
}

inline Future Wrap(hoya_loop *loop, const ThreadFuture &of)
{
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_wrap_future(loop, of.get(), &future), 0) << hoya_error_detail();
    return Future(future);
}

/* A lambda as fn, arg and destroy. */
struct OnDone {
    std::function<void()> work;

    static void Run(hoya_future *, void *arg) { static_cast<OnDone *>(arg)->work(); }
    static void RunInline(hoya_thread_future *, void *arg) { static_cast<OnDone *>(arg)->work(); }
    static void Destroy(void *arg) { delete static_cast<OnDone *>(arg); }
};

inline void WhenDone(const Future &future, std::function<void()> work)
{
    auto arg = new OnDone{std::move(work)};
    EXPECT_EQ(hoya_future_add_done_callback(future.get(), OnDone::Run, arg, OnDone::Destroy, nullptr), 0);
}

inline void WhenDone(const ThreadFuture &future, std::function<void()> work)
{
    auto arg = new OnDone{std::move(work)};
    EXPECT_EQ(hoya_thread_future_add_done_callback(future.get(), OnDone::RunInline, arg, OnDone::Destroy), 0);
}

/* A value that counts how often it was destroyed. */
struct Value {
    int destroyed = 0;
    static void Destroy(void *arg) { static_cast<Value *>(arg)->destroyed++; }
};

inline std::string TextOf(const Future &future)
{
    const char *text = "?";
    hoya_future_exception(future.get(), &text);
    return text;
}

} // namespace hoya_test

#endif
