/* SPDX-License-Identifier: MIT
 *
 * conformance/gio.h: a loop in the thread-default GMainContext, and operations that end when the test says so.
 */
#ifndef HOYA_TESTS_GIO_H
#define HOYA_TESTS_GIO_H

#include "await.h"

#include <thread>

#include <hoya/gio.h>
#include <hoya/glib.h>

namespace hoya_test
{

struct UnrefObject {
    void operator()(void *object) const { g_object_unref(object); }
};
using Cancellable = std::unique_ptr<GCancellable, UnrefObject>;
using Object = std::unique_ptr<GObject, UnrefObject>;

/* How many handlers a signal of the object has. */
inline int Handlers(gpointer object, const char *signal)
{
    int count = 0;
    guint id = g_signal_lookup(signal, G_OBJECT_TYPE(object));
    std::vector<gulong> blocked;
    while (gulong one =
               g_signal_handler_find(object, GSignalMatchType(G_SIGNAL_MATCH_ID | G_SIGNAL_MATCH_UNBLOCKED), id, 0,
                                     nullptr, nullptr, nullptr)) {
        g_signal_handler_block(object, one);
        blocked.push_back(one);
        count++;
    }
    for (gulong one : blocked) g_signal_handler_unblock(object, one);
    return count;
}
inline int Handlers(const Cancellable &cancellable)
{
    return Handlers(cancellable.get(), "cancelled");
}
inline Cancellable NewCancellable()
{
    return Cancellable(g_cancellable_new());
}

/* An operation of GIO's kind, a GTask whose result is 42. */
class Operation
{
  public:
    Operation() = default;
    Operation(const Operation &) = delete;
    ~Operation() { EXPECT_EQ(task_, nullptr) << "an operation has to end"; }

    hoya_gio_call *Begin(hoya_loop *loop)
    {
        hoya_gio_call *call = nullptr;
        EXPECT_EQ(hoya_gio_begin(loop, &call), 0) << hoya_error_detail();
        cancellable_.reset(G_CANCELLABLE(g_object_ref(hoya_gio_cancellable(call))));
        task_ = g_task_new(nullptr, cancellable_.get(), hoya_gio_ready, call);
        g_task_set_check_cancellable(task_, FALSE);
        auto on_release = [](gpointer flag, GObject *) {
            **static_cast<std::shared_ptr<bool> *>(flag) = true;
            delete static_cast<std::shared_ptr<bool> *>(flag);
        };
        g_object_weak_ref(G_OBJECT(task_), on_release, new std::shared_ptr<bool>(released_));
        return call;
    }
    /* The rest of the three lines, in a task. */
    int End(hoya_gio_call *call)
    {
        GAsyncResult *result = nullptr;
        GError *error = nullptr;
        gssize value = 0;
        if (hoya_gio_await(call, &result) >= 0) value = g_task_propagate_int(G_TASK(result), &error);
        EXPECT_EQ(value, !result ? 0 : error ? -1 : 42);
        return hoya_gio_end(call, &error);
    }

    /* It ends; the callback comes with the context's next turn. */
    void Succeed()
    {
        g_task_return_int(task_, 42);
        g_clear_object(&task_);
    }
    void ReturnCancelled()
    {
        g_task_return_new_error(task_, G_IO_ERROR, G_IO_ERROR_CANCELLED, "Operation was cancelled");
        g_clear_object(&task_);
    }

    bool Begun() const { return task_ != nullptr; }
    bool IsCancelled() const { return cancellable_ && g_cancellable_is_cancelled(cancellable_.get()); }
    bool Released() const { return *released_; } /* nobody has its result any more */

  private:
    GTask *task_ = nullptr;
    Cancellable cancellable_;
    std::shared_ptr<bool> released_ = std::make_shared<bool>(false); /* which may outlive this */
};

/* The fixture's loop lives in a context of its own, which is the thread's default. */
class GioConformance : public AwaitConformance
{
  protected:
    void SetUp() override
    {
        fds_ = OpenFds();
        AwaitConformance::SetUp();
        hoya_host *own = nullptr;
        context = g_main_context_new();
        g_main_context_push_thread_default(context);
        ASSERT_EQ(hoya_glib_host_new(context, &own), 0);
        ASSERT_EQ(hoya_loop_detach(loop), 0);
        ASSERT_EQ(hoya_loop_attach(loop, own, 0), 0);
    }
    void TearDown() override
    {
        AwaitConformance::TearDown();
        g_main_context_pop_thread_default(context);
        g_main_context_unref(context);
        /* A worker thread of GIO's keeps what it worked for a little longer than until the callback. */
        for (int64_t end = Now() + HOYA_SEC(10); OpenFds() > fds_ && Now() < end;) std::this_thread::yield();
    }

    int Perform(Operation &operation) { return operation.End(operation.Begin(loop)); }

    /* The loop may be closed. */
    void RunUntilReleased(const Operation &operation)
    {
        while (!operation.Released()) g_main_context_iteration(context, TRUE);
    }

    GMainContext *context = nullptr;

  private:
    int fds_ = 0;
};

} // namespace hoya_test

#endif
