/* SPDX-License-Identifier: MIT
 *
 * hoya/qt_await.hpp: what Qt does by itself, awaited in a task or as a future: a signal, a QFuture; and tasks that
 * end with a QObject. For C++17, on QtCore, all in this header.
 *
 *     QByteArray page;
 *     int rc = hoya::qt::await_signal(fetcher, &Fetcher::loaded, &page);
 *     if (rc >= 0) rc = hoya::qt::await_future(QtConcurrent::run(parse, page), &tree);
 *
 * As everywhere in hoya a failure is the code that is returned (hoya_error_detail has the text); std::bad_alloc
 * alone is thrown. Outputs come last, and stay untouched on failure. Thread: that of the loop, HOYA_ETHREAD
 * elsewhere.
 */
#ifndef HOYA_QT_AWAIT_HPP
#define HOYA_QT_AWAIT_HPP

#include <QtCore/QFuture>
#include <QtCore/QFutureWatcher>
#include <QtCore/QObject>
#include <QtCore/QThread>
#include <exception>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include <hoya/error.h>
#include <hoya/future.h>
#include <hoya/task.h>

namespace hoya::qt
{

namespace detail
{

/* What is connected for a future: goes when that ends, is let go, or loses its loop. */
struct Wires {
    QMetaObject::Connection first, second;

    static void cut(void *self)
    {
        QObject::disconnect(static_cast<Wires *>(self)->first);
        QObject::disconnect(static_cast<Wires *>(self)->second);
        delete static_cast<Wires *>(self);
    }
    static void nothing(hoya_future *, void *) {}
};

/* A future on its way to the caller: cancelled and let go, unless it gets there. */
struct Dropped {
    void operator()(hoya_future *future) const
    {
        hoya_future_cancel(future, nullptr);
        hoya_future_unref(future);
    }
};
using Owned = std::unique_ptr<hoya_future, Dropped>;

/* Where the signal is emitted, on whatever thread. */
using Told = std::shared_ptr<hoya_thread_future>;

inline int tell(hoya_loop *loop, Told &told, Owned &owned)
{
    hoya_thread_future *behind;
    hoya_future *future = nullptr;
    int rc = hoya_thread_future_new(&behind);
    if (rc < 0) return rc;
    told.reset(behind, hoya_thread_future_unref);
    rc = hoya_wrap_future(loop, behind, &future);
    if (rc >= 0) owned.reset(future);
    return rc;
}

/* Between an object and the future that ends with it. The object's end comes by a future of its own where it comes on
 * another thread. Each of the two futures has a share in its callback, and only the loop's thread touches this. */
struct Bond {
    using Share = std::shared_ptr<Bond>;

    hoya_future *target = nullptr; /* while it has not ended */
    Owned end;
    QMetaObject::Connection wire;

    void cancel() const
    {
        if (target && !hoya_future_done(target))
            hoya_future_cancel(target, "the object that it was bound to was destroyed");
    }
    static void ended(hoya_future *end, void *share)
    {
        if (!hoya_future_cancelled(end)) (*static_cast<Share *>(share))->cancel();
    }
    static void drop(void *share) { delete static_cast<Share *>(share); }
    static void nothing(hoya_future *, void *) {}
    static void cut(void *share)
    {
        const std::unique_ptr<Share> last(static_cast<Share *>(share));
        Bond &bond = **last;
        bond.target = nullptr;
        QObject::disconnect(bond.wire);
        bond.end.reset();
    }
};

/* The loop of this task; in a callback the running one, so that waiting says why it cannot. */
inline hoya_loop *loop_here()
{
    hoya_task *task = hoya_current_task();
    return task ? hoya_task_get_loop(task) : hoya_get_running_loop();
}

/* What came of a QFuture that has finished. An exception is looked at before the cancel that it is to Qt. */
template <typename T> int outcome(QFuture<T> finished)
{
    try {
        finished.waitForFinished();
    } catch (const std::exception &e) {
        return hoya_error_set(HOYA_EIO, "the QFuture has an exception: %s", e.what());
    } catch (...) {
        return hoya_error_set(HOYA_EIO, "the QFuture has an exception");
    }
    return finished.isCanceled() ? hoya_error_set(HOYA_ECANCELED, "the QFuture was cancelled") : 0;
}

} // namespace detail

/* ---- signals ----------------------------------------------------------------------------------------- */

/* Makes a future of the next emission of a signal, by any thread; *future is a new reference. Its value is a
 * std::tuple<Values...> *, copies of the first arguments of the signal, converted as by a slot with such
 * parameters:
 *     signal_future<QString>(loop, watcher, &QFileSystemWatcher::fileChanged, &future)
 * The sender is not kept: destroyed before the signal, it makes the future fail with HOYA_ECLOSED. One that nobody
 * wants any more is cancelled: letting go alone does not disconnect. Errors: HOYA_EINVAL (no sender), HOYA_ENOENT
 * (no signal), HOYA_ESTATE (no loop), HOYA_ECLOSED, HOYA_ENOMEM. */
template <typename... Values, typename Sender, typename Signal>
int signal_future(hoya_loop *loop, const Sender *sender, Signal signal, hoya_future **future)
{
    using Tuple = std::tuple<Values...>;
    detail::Told told;
    detail::Owned owned;
    if (!sender) return hoya_error_set(HOYA_EINVAL, "a signal without a sender");
    if (!loop) return hoya_error_set(HOYA_ESTATE, "no loop runs here");
    int rc = detail::tell(loop, told, owned);
    if (rc < 0) return rc;
    auto heard = [told](const Values &...values) {
        if (hoya_thread_future_done(told.get())) return; /* a second one, before we were disconnected */
        try {
            auto destroy = [](void *tuple) { delete static_cast<Tuple *>(tuple); };
            hoya_thread_future_set_result(told.get(), new Tuple(values...), destroy);
        } catch (...) {
            hoya_thread_future_set_exception(told.get(), HOYA_ENOMEM, "the signal's arguments cannot be copied");
        }
    };
    auto gone = [told] {
        if (!hoya_thread_future_done(told.get()))
            hoya_thread_future_set_exception(told.get(), HOYA_ECLOSED, "the sender was destroyed");
    };
    auto wires = std::make_unique<detail::Wires>();
    wires->first = QObject::connect(sender, signal, heard);
    if (!wires->first) return hoya_error_set(HOYA_ENOENT, "the sender has no such signal");
    wires->second = QObject::connect(sender, &QObject::destroyed, gone);
    rc = hoya_future_add_done_callback(owned.get(), detail::Wires::nothing, wires.release(), detail::Wires::cut,
                                       nullptr);
    if (rc >= 0) *future = owned.release();
    return rc;
}

/* The same for a task: waits for the emission, and moves its first arguments to where the pointers point:
 *     QString path;
 *     rc = await_signal(watcher, &QFileSystemWatcher::fileChanged, &path);
 * A cancel disconnects. Errors: also those of hoya_await. */
template <typename Sender, typename Signal, typename... Values>
int await_signal(const Sender *sender, Signal signal, Values *...values)
{
    hoya_future *future = nullptr;
    void *tuple;
    int rc = signal_future<Values...>(detail::loop_here(), sender, signal, &future);
    if (rc < 0) return rc;
    detail::Owned owned(future);
    rc = hoya_await(future, &tuple);
    if (rc >= 0) std::tie(*values...) = std::move(*static_cast<std::tuple<Values...> *>(tuple));
    return rc;
}

/* ---- QFuture ----------------------------------------------------------------------------------------- */

/* Makes a future of a QFuture; *future is a new reference. It has no value: results stay in the QFuture. A QFuture
 * that was cancelled is HOYA_ECANCELED, one with an exception HOYA_EIO with what() as the text (the QFuture throws
 * it at whoever asks it). Cancelling the future is done at once, and cancels the QFuture in the next round. Qt
 * tells of the end by an event of this thread, so its event dispatcher has to run: the loop is its guest. Errors:
 * HOYA_ESTATE (no loop), HOYA_ECLOSED, HOYA_ENOMEM. */
template <typename T> int wrap_future(hoya_loop *loop, const QFuture<T> &qfuture, hoya_future **future)
{
    using Watcher = QFutureWatcher<T>;
    hoya_future *made = nullptr;
    if (!loop) return hoya_error_set(HOYA_ESTATE, "no loop runs here");
    int rc = hoya_future_new(loop, &made);
    if (rc < 0) return rc;
    detail::Owned owned(made);
    auto watcher = std::make_unique<Watcher>();
    auto finished = [made, watcher = watcher.get()] { /* the future lives as long as this watcher */
                                                      if (hoya_future_done(made)) return;
                                                      int code = detail::outcome(watcher->future());
                                                      std::string text = hoya_error_detail();
                                                      if (code < 0)
                                                          hoya_future_set_exception(made, code, text.c_str());
                                                      else hoya_future_set_result(made, nullptr, nullptr);
    };
    auto done = [](hoya_future *ended, void *arg) {
        if (hoya_future_cancelled(ended)) static_cast<Watcher *>(arg)->cancel();
    };
    auto destroy = [](void *arg) { delete static_cast<Watcher *>(arg); };
    QObject::connect(watcher.get(), &QFutureWatcherBase::finished, finished);
    watcher->setFuture(qfuture);
    rc = hoya_future_add_done_callback(made, done, watcher.release(), destroy, nullptr);
    if (rc >= 0) *future = owned.release();
    return rc;
}

/* The same for a task: waits until the QFuture has finished. A cancel or a timeout of the task cancels the QFuture,
 * and its end is waited for all the same; a QFuture that was asked to end drops its results, and the answer is
 * HOYA_ECANCELED or HOYA_EDEADLINE. A loop that is closed does not wait. Errors: also those of hoya_wait_done. */
template <typename T> int await_future(QFuture<T> qfuture)
{
    if (qfuture.isFinished()) return detail::outcome(qfuture);
    hoya_future *future = nullptr;
    int rc = wrap_future(detail::loop_here(), qfuture, &future);
    if (rc < 0) return rc;
    detail::Owned owned(future);
    int interrupt = 0;
    rc = hoya_wait_done(future);
    if (rc == HOYA_ECANCELED || rc == HOYA_EDEADLINE) {
        interrupt = rc;
        qfuture.cancel();
        hoya_shield_enter();
        hoya_wait_done(future);
        hoya_shield_leave();
    }
    if (hoya_future_done(future)) rc = hoya_future_result(future, nullptr);
    return rc == HOYA_ECANCELED && interrupt ? interrupt : rc;
}

/* And copies its first result. HOYA_ENOENT if it has none. */
template <typename T> int await_future(QFuture<T> qfuture, T *value)
{
    int rc = await_future(qfuture);
    if (rc >= 0 && qfuture.resultCount() == 0) rc = hoya_error_set(HOYA_ENOENT, "the QFuture has no result");
    if (rc >= 0) *value = qfuture.result();
    return rc;
}

/* ---- objects ----------------------------------------------------------------------------------------- */

/* Cancels the future (a task: hoya_task_future) when the object, now of the loop's thread, is destroyed: inside its
 * destructor; where it was moved to another thread and is destroyed there, as a callback of the loop. Ends with the
 * future, or with its loop. Errors: HOYA_EINVAL, HOYA_ETHREAD, HOYA_ECLOSED, HOYA_ENOMEM. */
inline int bind(const QObject *object, hoya_future *future)
{
    if (!object || !future) return hoya_error_set(HOYA_EINVAL, "bind without an object or a future");
    if (object->thread() != QThread::currentThread())
        return hoya_error_set(HOYA_ETHREAD, "the object lives in another thread");
    detail::Told told;
    auto bond = std::make_shared<detail::Bond>();
    auto first = std::make_unique<detail::Bond::Share>(bond), second = std::make_unique<detail::Bond::Share>(bond);
    int rc = detail::tell(hoya_future_get_loop(future), told, bond->end);
    if (rc < 0) return rc;
    rc = hoya_future_add_done_callback(bond->end.get(), detail::Bond::ended, first.release(), detail::Bond::drop,
                                       nullptr);
    if (rc < 0) return rc;
    rc = hoya_future_add_done_callback(future, detail::Bond::nothing, second.release(), detail::Bond::cut, nullptr);
    if (rc < 0) return rc;
    /* The bond lives while this is connected, but is for the loop's thread. */
    const QThread *home = QThread::currentThread();
    auto gone = [told, home, bond = bond.get()] {
        if (QThread::currentThread() == home) bond->cancel();
        else hoya_thread_future_set_result(told.get(), nullptr, nullptr);
    };
    bond->target = future;
    bond->wire = QObject::connect(object, &QObject::destroyed, gone);
    return 0;
}

} // namespace hoya::qt

#endif
