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
 * What a callable may take: a reader or writer nothing, (hoya_fd) or (hoya_fd, uint32_t events); a signal handler
 * nothing or (int signum); all others nothing. The compiler says so where one takes something else. What it returns is
 * dropped.
 *
 * A bond is the registration's, not the descriptor's: a callback may remove its own reader, add another one for the same
 * descriptor, and delete the object that it was bound to; the new reader stays. Unseen is only what C's functions do
 * without the face: inside a callback, remove its reader and add another one, or replace it, before its object dies.
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

template <typename F> constexpr bool is_callback = std::is_invocable_v<F &>;
template <typename F>
constexpr bool is_fd_callback =
    is_callback<F> || std::is_invocable_v<F &, hoya_fd> || std::is_invocable_v<F &, hoya_fd, uint32_t>;
template <typename F> constexpr bool is_signal_callback = is_callback<F> || std::is_invocable_v<F &, int>;

using Remove = int (*)(hoya_loop *loop, int number); /* a descriptor's, or a signal's */

/* What a callback is registered as, and the bond to the object that it ends with. */
struct Registration {
    hoya_loop *loop;
    Remove remove = nullptr; /* nullptr: it ends by its handle, which is nobody else's */
    int number = 0;
    QMetaObject::Connection bond = {};
    Registration *below = nullptr; /* while it is on the stack */
};

/* Those of this thread whose callables are on the stack. Only they outlive their registration: their destroy function
 * waits for the callable to return, and their bond would take away whatever has their number by then. */
inline thread_local Registration *on_stack = nullptr;

/* `number` has no callback now, or a new one. */
inline void forget_bonds(hoya_loop *loop, Remove remove, int number)
{
    for (Registration *one = on_stack; one; one = one->below)
        if (one->loop == loop && one->remove == remove && one->number == number) QObject::disconnect(one->bond);
}

class OnStack
{
  public:
    explicit OnStack(Registration *one) : one_(one) { one->below = std::exchange(on_stack, one); }
    ~OnStack()
    {
        Registration **at = &on_stack;
        while (*at != one_) at = &(*at)->below; /* the first, unless stacks were switched */
        *at = one_->below;
    }
    OnStack(const OnStack &) = delete;
    OnStack &operator=(const OnStack &) = delete;

  private:
    Registration *one_;
};

/* A callable on its way through C, which tells the loop's exception handler what it threw. */
template <typename F> struct Callable : Registration {
    F fn;

    Callable(F &&given, Registration registration) : Registration(registration), fn(std::move(given)) {}

    /* With as many of the arguments as it wants. */
    void invoke()
    {
        if constexpr (is_callback<F>) fn(); /* else a static_assert has said why */
    }
    template <typename First> void invoke(First first)
    {
        if constexpr (std::is_invocable_v<F &, First>) fn(first);
        else invoke();
    }
    void invoke(hoya_fd fd, uint32_t events)
    {
        if constexpr (std::is_invocable_v<F &, hoya_fd, uint32_t>) fn(fd, events);
        else invoke(fd);
    }

    template <typename... Args> void call(Args... args) noexcept
    {
        /* The callable may be the last to hold the loop's owner. */
        std::unique_ptr<hoya_loop, void (*)(hoya_loop *)> keep(hoya_loop_ref(loop), hoya_loop_unref);
        OnStack here(this);
        try {
            invoke(args...);
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
        auto callable = static_cast<Callable *>(self);
        QObject::disconnect(callable->bond);
        delete callable;
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
        static_assert(detail::is_callback<F>, "hoya: this callback is called without arguments: ()");
        if (!loop_) return HOYA_EINVAL;
        return hoya_loop_call_soon_threadsafe(loop_, C::run, new C(std::move(fn), {loop_}), C::destroy, nullptr);
    }

    template <typename F> int add_reader(hoya_fd fd, F fn) { return add_reader(nullptr, fd, std::move(fn)); }
    template <typename F> int add_reader(QObject *bound, hoya_fd fd, F fn)
    {
        static_assert(detail::is_fd_callback<F>,
                      "hoya: a reader is called as (), (hoya_fd) or (hoya_fd, uint32_t)");
        return add(bound, std::move(fn), &detail::Callable<F>::run_fd, hoya_loop_add_reader,
                   hoya_loop_remove_reader, fd);
    }
    int remove_reader(hoya_fd fd) { return remove(hoya_loop_remove_reader, fd); }

    template <typename F> int add_writer(hoya_fd fd, F fn) { return add_writer(nullptr, fd, std::move(fn)); }
    template <typename F> int add_writer(QObject *bound, hoya_fd fd, F fn)
    {
        static_assert(detail::is_fd_callback<F>,
                      "hoya: a writer is called as (), (hoya_fd) or (hoya_fd, uint32_t)");
        return add(bound, std::move(fn), &detail::Callable<F>::run_fd, hoya_loop_add_writer,
                   hoya_loop_remove_writer, fd);
    }
    int remove_writer(hoya_fd fd) { return remove(hoya_loop_remove_writer, fd); }

    template <typename F> int add_signal_handler(int signum, F fn)
    {
        return add_signal_handler(nullptr, signum, std::move(fn));
    }
    template <typename F> int add_signal_handler(QObject *bound, int signum, F fn)
    {
        static_assert(detail::is_signal_callback<F>, "hoya: a signal handler is called as () or (int)");
        return add(bound, std::move(fn), &detail::Callable<F>::run_signal, hoya_loop_add_signal_handler,
                   hoya_loop_remove_signal_handler, signum);
    }
    int remove_signal_handler(int signum) { return remove(hoya_loop_remove_signal_handler, signum); }

  private:
    template <typename F, typename Call> Handle handle(QObject *bound, F fn, Call call)
    {
        using C = detail::Callable<F>;
        static_assert(detail::is_callback<F>, "hoya: this callback is called without arguments: ()");
        if (!loop_) return {};
        auto callable = new C(std::move(fn), {loop_});
        hoya_handle *out = nullptr;
        if (call(C::run, callable, C::destroy, &out) < 0) return {};
        Handle result(out);
        if (bound)
            callable->bond = QObject::connect(bound, &QObject::destroyed, [result]() mutable { result.cancel(); });
        return result;
    }

    template <typename F, typename Run, typename Add>
    int add(QObject *bound, F fn, Run run, Add add_it, detail::Remove remove_it, int number)
    {
        using C = detail::Callable<F>;
        if (!loop_) return HOYA_EINVAL;
        auto callable = new C(std::move(fn), {loop_, remove_it, number});
        int rc = add_it(loop_, number, run, callable, C::destroy);
        if (rc < 0) return rc;
        detail::forget_bonds(loop_, remove_it, number); /* somebody has removed what was there */
        if (!bound) return rc;
        hoya_loop *loop = loop_; /* closed, it has destroyed the callable, and with it this bond */
        callable->bond = QObject::connect(bound, &QObject::destroyed, [=] { remove_it(loop, number); });
        return rc;
    }

    int remove(detail::Remove remove_it, int number)
    {
        int rc = remove_it(loop_, number);
        if (rc >= 0) detail::forget_bonds(loop_, remove_it, number);
        return rc;
    }

    hoya_loop *loop_ = nullptr;
};

} // namespace hoya::qt

#endif
