/* SPDX-License-Identifier: MIT
 *
 * hoya/qt.hpp: the face of hoya for C++17 programs with Qt: an owner of a loop, lambdas as callbacks, callbacks that end
 * with a QObject. All of it is made of hoya/loop.h and hoya/qt.h, in this header; what those say of threads, of errors
 * and of when callbacks run holds here, too.
 *
 *     hoya::qt::Loop loop;                                    // in this thread's event dispatcher
 *     loop.add_reader(label, fd, [label](hoya_fd fd, uint32_t) { label->setText(read_from(fd)); });
 *
 * Callables are moved in, and destroyed exactly once: when they have run, when they are cancelled or removed, when the
 * loop is closed, or when the call fails. With a QObject (of the loop's thread) as the first argument they end with it: it
 * is cancelled or removed when that object is destroyed.
 *
 * Exceptions end here: what a callable throws goes to the loop's exception handler (hoya_loop_set_exception_handler), with
 * what() as the detail, and the callable counts as run. The functions themselves throw std::bad_alloc only; a failure is
 * the code that they return (hoya_strerror, hoya_error_detail).
 */
#ifndef HOYA_QT_HPP
#define HOYA_QT_HPP

#include <QtCore/QObject>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <hoya/error.h>
#include <hoya/loop.h>
#include <hoya/qt.h>

namespace hoya::qt
{

namespace detail
{

inline void report(hoya_loop *loop, const char *what) noexcept
{
    hoya_exception_context context = {};
    context.size = sizeof context;
    context.message = "a callback threw an exception";
    context.detail = what;
    context.fd = HOYA_INVALID_FD;
    hoya_loop_call_exception_handler(loop, &context);
}

/* A callable on its way through C, which tells the loop's exception handler what it threw. */
template <typename F> struct Callable {
    F fn;
    hoya_loop *loop;
    QMetaObject::Connection bond; /* to the object that it ends with */

    template <typename... Args> void call(Args... args) noexcept
    {
        /* The callable may be the last to hold the loop's owner. */
        std::unique_ptr<hoya_loop, void (*)(hoya_loop *)> keep(hoya_loop_ref(loop), hoya_loop_unref);
        try {
            if constexpr (std::is_invocable_v<F &, Args...>) fn(args...);
            else fn(); /* a callable that has no use for them */
        } catch (const std::exception &e) {
            report(keep.get(), e.what());
        } catch (...) {
            report(keep.get(), nullptr);
        }
    }
    static void run(void *self) { static_cast<Callable *>(self)->call(); }
    static void run_fd(hoya_fd fd, uint32_t events, void *self) { static_cast<Callable *>(self)->call(fd, events); }
    static void run_signal(int signum, void *self) { static_cast<Callable *>(self)->call(signum); }
    static void destroy(void *self)
    {
        QObject::disconnect(static_cast<Callable *>(self)->bond);
        delete static_cast<Callable *>(self);
    }
};

} // namespace detail

/* A callback's registration: a reference to a hoya_handle. Dropping it cancels nothing. */
class Handle
{
  public:
    Handle() = default;
    explicit Handle(hoya_handle *taken) : handle_(taken) {}
    Handle(const Handle &other) : handle_(other.handle_ ? hoya_handle_ref(other.handle_) : nullptr) {}
    Handle(Handle &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Handle &operator=(Handle other) noexcept
    {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Handle() { hoya_handle_unref(handle_); }

    explicit operator bool() const { return handle_ != nullptr; } /* false: the call failed */
    hoya_handle *get() const { return handle_; }

    int cancel() { return handle_ ? hoya_handle_cancel(handle_) : 0; }
    bool cancelled() const { return handle_ && hoya_handle_cancelled(handle_); }

  private:
    hoya_handle *handle_ = nullptr;
};

/* The owner of a loop: closes it at its end, in the loop's thread. Moves; does not copy. */
class Loop
{
  public:
    /* A loop in the thread of `context` (nullptr: this one): hoya_qt_loop_new. Without one (no memory, no descriptors) it is
     * false, and every call answers HOYA_EINVAL. */
    explicit Loop(QObject *context = nullptr, int priority = 0) { hoya_qt_loop_new(context, priority, &loop_); }
    /* Takes a reference. */
    explicit Loop(hoya_loop *taken) : loop_(taken) {}
    Loop(Loop &&other) noexcept : loop_(std::exchange(other.loop_, nullptr)) {}
    Loop &operator=(Loop &&other) noexcept
    {
        std::swap(loop_, other.loop_);
        return *this;
    }
    ~Loop()
    {
        if (loop_) hoya_loop_close(loop_); /* in a callback of its own: the last unref does it */
        hoya_loop_unref(loop_);
    }

    explicit operator bool() const { return loop_ != nullptr; }
    hoya_loop *get() const { return loop_; } /* borrowed, for what is not repeated here */

    int run_forever() { return hoya_loop_run_forever(loop_); }
    int stop() { return loop_ ? hoya_loop_stop(loop_) : HOYA_EINVAL; }
    int close() { return hoya_loop_close(loop_); }

    template <typename F> Handle call_soon(F fn) { return call_soon(nullptr, std::move(fn)); }
    template <typename F> Handle call_soon(QObject *bound, F fn)
    {
        return handle(bound, std::move(fn), [this](auto run, void *arg, auto destroy, hoya_handle **out) {
            return hoya_loop_call_soon_full(loop_, run, arg, destroy, out);
        });
    }

    template <typename F> Handle call_later(int64_t delay, F fn)
    {
        return call_later(nullptr, delay, std::move(fn));
    }
    template <typename F> Handle call_later(QObject *bound, int64_t delay, F fn)
    {
        return handle(bound, std::move(fn), [this, delay](auto run, void *arg, auto destroy, hoya_handle **out) {
            return hoya_loop_call_later(loop_, delay, run, arg, destroy, out);
        });
    }

    template <typename F> Handle call_at(int64_t when, F fn) { return call_at(nullptr, when, std::move(fn)); }
    template <typename F> Handle call_at(QObject *bound, int64_t when, F fn)
    {
        return handle(bound, std::move(fn), [this, when](auto run, void *arg, auto destroy, hoya_handle **out) {
            return hoya_loop_call_at(loop_, when, run, arg, destroy, out);
        });
    }

    /* From any thread. Bound to nothing: objects of other threads come and go when they like. */
    template <typename F> int call_soon_threadsafe(F fn)
    {
        using C = detail::Callable<F>;
        if (!loop_) return HOYA_EINVAL;
        return hoya_loop_call_soon_threadsafe(loop_, C::run, new C{std::move(fn), loop_, {}}, C::destroy, nullptr);
    }

    template <typename F> int add_reader(hoya_fd fd, F fn) { return add_reader(nullptr, fd, std::move(fn)); }
    template <typename F> int add_reader(QObject *bound, hoya_fd fd, F fn)
    {
        return add(bound, std::move(fn), &detail::Callable<F>::run_fd, hoya_loop_add_reader,
                   hoya_loop_remove_reader, fd);
    }
    int remove_reader(hoya_fd fd) { return hoya_loop_remove_reader(loop_, fd); }

    template <typename F> int add_writer(hoya_fd fd, F fn) { return add_writer(nullptr, fd, std::move(fn)); }
    template <typename F> int add_writer(QObject *bound, hoya_fd fd, F fn)
    {
        return add(bound, std::move(fn), &detail::Callable<F>::run_fd, hoya_loop_add_writer,
                   hoya_loop_remove_writer, fd);
    }
    int remove_writer(hoya_fd fd) { return hoya_loop_remove_writer(loop_, fd); }

    template <typename F> int add_signal_handler(int signum, F fn)
    {
        return add_signal_handler(nullptr, signum, std::move(fn));
    }
    template <typename F> int add_signal_handler(QObject *bound, int signum, F fn)
    {
        return add(bound, std::move(fn), &detail::Callable<F>::run_signal, hoya_loop_add_signal_handler,
                   hoya_loop_remove_signal_handler, signum);
    }
    int remove_signal_handler(int signum) { return hoya_loop_remove_signal_handler(loop_, signum); }

  private:
    template <typename F, typename Call> Handle handle(QObject *bound, F fn, Call call)
    {
        using C = detail::Callable<F>;
        if (!loop_) return {};
        auto callable = new C{std::move(fn), loop_, {}};
        hoya_handle *out = nullptr;
        if (call(C::run, callable, C::destroy, &out) < 0) return {};
        Handle result(out);
        if (bound)
            callable->bond = QObject::connect(bound, &QObject::destroyed, [result]() mutable { result.cancel(); });
        return result;
    }

    template <typename F, typename Run, typename Add, typename Remove, typename Key>
    int add(QObject *bound, F fn, Run run, Add add_it, Remove remove, Key key)
    {
        using C = detail::Callable<F>;
        if (!loop_) return HOYA_EINVAL;
        auto callable = new C{std::move(fn), loop_, {}};
        int rc = add_it(loop_, key, run, callable, C::destroy);
        if (rc < 0 || !bound) return rc;
        hoya_loop *loop = loop_; /* closed, it has destroyed the callable, and with it this bond */
        callable->bond = QObject::connect(bound, &QObject::destroyed, [loop, remove, key] { remove(loop, key); });
        return rc;
    }

    hoya_loop *loop_ = nullptr;
};

} // namespace hoya::qt

#endif
