/* SPDX-License-Identifier: MIT
 *
 * hoya_qt.cc: the loop as a guest of a thread's event dispatcher: one QSocketNotifier on one descriptor, a posted event for
 * the kick, and a timer for systems without timerfd. Compare core/loop/host_native.c and adapters/glib/hoya_glib.c. Only
 * what QtCore documents is used; whether the dispatcher is GLib's makes no difference.
 *
 * A turn of Qt's: posted events, the wait, notifiers, timers; with the GLib dispatcher the wait comes first. The guest runs
 * in the notifier's event, or in the kick's if one is on its way, so once a turn. Where Qt watches each descriptor by itself
 * (per-fd mode) it runs in the kick's alone, and looks at all of them then.
 *
 * Who owns what. Host is hoya's. Ear is a QObject, a child of the dispatcher, which gets the events (ear.h), and
 * the parent of the notifiers; it goes by itself, since no QObject should be deleted in an event of its own: the host
 * forgets it. `pins` counts our frames on the stack, for the same reason.
 *
 * Without a QCoreApplication Qt drops events, in every thread. The loop of a thread that outlives the application has
 * its turns when the dispatcher says that it woke, which is a signal and no event.
 */
#include <QtCore/QAbstractEventDispatcher>
#include <QtCore/QCoreApplication>
#include <QtCore/QEventLoop>
#include <QtCore/QEventLoopLocker>
#include <QtCore/QSocketNotifier>
#include <QtCore/QThread>
#include <algorithm>
#include <ctime>
#include <map>
#include <memory>
#include <new>
#include <poll.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <hoya/error.h>
#include <hoya/qt.h>

#include "ear.h"

namespace
{

using namespace hoya_qt;

constexpr int64_t kBudget = HOYA_MSEC(4);

class Notifier final : public QSocketNotifier
{
  public:
    Notifier(hoya_watch *record, uint32_t side, Ear *ear)
        : QSocketNotifier(record->fd,
                          side == HOYA_IN    ? Read
                          : side == HOYA_OUT ? Write
                                             : Exception,
                          ear),
          record_(record), side_(side)
    {
    }
    void Forget(bool later)
    {
        setEnabled(false); /* at once: the descriptor may be closed when this returns */
        record_ = nullptr;
        if (later) deleteLater();
        else delete this;
    }

    hoya_watch *record() const { return record_; }
    pollfd Wanted() const
    {
        if (!record_) return {-1, 0, 0};
        uint32_t mask = record_->mask;
        int events =
            (mask & HOYA_IN ? POLLIN : 0) | (mask & HOYA_OUT ? POLLOUT : 0) | (mask & HOYA_PRI ? POLLPRI : 0);
        return {record_->fd, short(events), 0};
    }

  private:
    bool event(QEvent *event) override;

    hoya_watch *record_; /* nullptr once it is forgotten */
    uint32_t side_;
};

class Host final : public hoya_host, private Listener
{
  public:
    Host(QObject *context, uint32_t flags);

    /* hoya_host_ops */
    int Attach(hoya_guest *guest, int priority);
    void Watch(hoya_watch *record, uint32_t mask);
    void Arm(int64_t deadline);
    void Kick() { Post(kKick); }
    void Detach(void (*done)(void *arg), void *arg);
    void Free();
    int Run();
    int Quit();
    void Hold(bool on);
    bool IsHere() const { return ear_ && ear_->thread() == QThread::currentThread(); }
    int AfterFork();

    static Host *Of(const Ear *ear) { return static_cast<Host *>(ear->listener()); }
    bool OnReady(const Notifier *notifier);

  private:
    ~Host() = default;
    void OnKick() override;
    void OnBegin() override;
    void OnIdle() override;
    void OnTimer() override;
    void OnDropped();
    int FindThread();
    void Begin();
    void Gone();
    void ForgetEar();
    void Post(QEvent::Type type);
    void Due();
    void LookAtAll();
    bool QuitIsOnItsWay() const;
    void TakeTurn();
    void HearOfTurn() noexcept;
    int64_t Left() const;
    void StartTimer();
    void StopTimer();
    void Pin() { pins_++; }
    void Unpin()
    {
        if (!--pins_ && freed_) delete this;
    }

    /* What a turn needs, together. */
    hoya_guest *guest_ = nullptr; /* nullptr before attach and after the end */
    QEventLoop *run_ = nullptr;   /* the one that we run, if any */
    int priority_ = 0;
    unsigned pins_ = 0;
    bool one_fd_ = false; /* the selector's own is watched: we are not in per-fd mode */
    bool kicked_ = false; /* kKick is on its way */
    bool freed_ = false;  /* free came with our frames on the stack */

    bool quitting_ = false;  /* our run is over, and exec about to return, */
    bool turned_on_ = false; /* but somebody turns the main loop on */
    bool postponed_ = false; /* a turn was due then */
    bool refused_ = false;   /* no turn of our run has begun */
    bool elsewhere_ = false; /* it is to begin with another thread */
    bool begun_ = false;     /* in a dispatcher */
    bool held_ = false;
    int run_level_ = 0;
    Ear *ear_ = nullptr;
    QObject *context_;                       /* whose thread it is to be; nullptr: the one that attaches */
    std::map<hoya_watch *, uint32_t> early_; /* to be watched when the thread begins */
    int64_t deadline_ = HOYA_NEVER;
    int timer_ = 0;
    std::vector<pollfd> looked_; /* has room for all notifiers */
    std::unique_ptr<QEventLoopLocker> locker_;
};

/* ---- what Qt calls -------------------------------------------------------------------------------------- */

bool Notifier::event(QEvent *event)
{
    if (event->type() != QEvent::SockAct) return QSocketNotifier::event(event);
    Host *host = Host::Of(static_cast<Ear *>(parent()));
    if (host && record_ && !host->OnReady(this)) setEnabled(record_->mask & side_);
    return true;
}

void Host::OnKick()
{
    kicked_ = false;
    if (QuitIsOnItsWay()) postponed_ = true;
    else TakeTurn();
}

/* False if it is not ready: the GLib dispatcher also tells what it saw before the guest's own turn. */
bool Host::OnReady(const Notifier *notifier)
{
    if (!one_fd_) {
        pollfd fd = notifier->Wanted();
        if (poll(&fd, 1, 0) == 0) return false;
    } else if (guest_) {
        hoya_guest_ready(guest_, notifier->record(), HOYA_IN);
    }
    Due();
    return true;
}

/* A timer of Qt's repeats until the guest takes it down: a held promise. */
void Host::OnTimer()
{
    if (Left() <= 0) Due();
    else Arm(deadline_); /* it was early, or too far for Qt */
}

/* Something was found. */
void Host::Due()
{
    if (kicked_ || QuitIsOnItsWay()) return; /* Qt will find it again */
    if (one_fd_ && priority_ >= 0) TakeTurn();
    else Post(kKick);
}

/* In per-fd mode: every round looks at the kernel (statement 3), where each notifier tells of one descriptor only. */
void Host::LookAtAll()
{
    looked_.clear();
    for (QObject *child : ear_->children()) looked_.push_back(static_cast<Notifier *>(child)->Wanted());
    poll(looked_.data(), looked_.size(), 0);
    auto seen = looked_.begin();
    for (QObject *child : ear_->children())
        if (seen++->revents) hoya_guest_ready(guest_, static_cast<Notifier *>(child)->record(), 0);
}

/* Our run is over, and exec about to return: what comes belongs to the next one, or to the application's. Unless a callback
 * or the application turns the main loop meanwhile, which has to find it alive. */
bool Host::QuitIsOnItsWay() const
{
    return quitting_ && !turned_on_ && QThread::currentThread()->loopLevel() <= run_level_;
}

void Host::TakeTurn()
{
    if (!one_fd_) LookAtAll();
    Pin();
    int rc = hoya_guest_dispatch(guest_, kBudget);
    /* Our caller is to hear of a fork. And where the callback turned the main loop after a quit, ours or the
     * application's, Qt forgets not to wait once more before the end. */
    if (run_ && (rc == HOYA_ECHILD || !run_->isRunning())) run_->quit();
    Unpin();
}

void Host::Post(QEvent::Type type)
{
    if (kicked_) return;
    kicked_ = true;
    ear_->Post(type, priority_);
}

/* ---- the dispatcher: found, and lost --------------------------------------------------------------------- */

/* 0: our thread has its dispatcher, or will have it when it begins; HOYA_ENOHOST; HOYA_ETHREAD. */
int Host::FindThread()
{
    auto thread = qobject_cast<QThread *>(context_);
    if (!thread && context_) thread = context_->thread();
    if (!thread && context_) return hoya_error_set(HOYA_EINVAL, "the context lives in no thread");
    context_ = nullptr; /* it may be gone when we are asked again */
    if (thread && thread != QThread::currentThread()) {
        if (thread->isRunning()) return hoya_error_set(HOYA_ETHREAD, "that QThread runs; make the loop in it");
        ear_ = new Ear(this);
        ear_->moveToThread(thread);
        elsewhere_ = true;
        return 0;
    }
    /* Made in the main thread before the application, and run by another one since: that is Qt's no more. */
    if (ear_ && ear_->thread() != QThread::currentThread()) return HOYA_ENOHOST;
    bool main = getpid() == gettid();
    auto app = QCoreApplication::instance();
    if (!main && !app) return HOYA_ENOHOST; /* any object of Qt's would make this its main thread */
    if (app && !QAbstractEventDispatcher::instance())
        QEventLoop(); /* makes one in a thread that Qt did not begin */
    if (!ear_) ear_ = new Ear(this);
    return QAbstractEventDispatcher::instance() ? 0 : HOYA_ENOHOST;
}

int Host::Attach(hoya_guest *guest, int priority)
{
    guest_ = guest;
    priority_ = priority;
    int rc = FindThread();
    if (rc == 0 && IsHere()) Begin();
    else if (rc == 0) ear_->Post(kBegin, Qt::HighEventPriority);
    return rc; /* HOYA_ENOHOST: Ear::TellAll will */
}

/* In the guest's thread, with its first events or an application's. */
void Host::OnBegin()
{
    Pin();
    if (begun_) {
        OnDropped(); /* perhaps: there was no application for a while */
    } else if (elsewhere_) {
        Begin();
        OnDropped(); /* likewise: the thread may have begun before the application */
    } else {
        hoya_guest_host_appeared(guest_); /* attaches */
    }
    Unpin();
}

/* Words that were on their way may have been dropped. */
void Host::OnDropped()
{
    OnIdle();
    OnKick();
}

void Host::Begin()
{
    begun_ = true;
    auto dispatcher = QAbstractEventDispatcher::instance();
    ear_->setParent(dispatcher); /* so that a forgotten one that waits for its deletion goes with it */
    auto gone = [ear = ear_] {
        if (Host *host = Of(ear)) host->Gone(); /* else it was forgotten, and waits for its deletion */
    };
    QObject::connect(dispatcher, &QObject::destroyed, ear_, gone, Qt::DirectConnection);
    auto app = QCoreApplication::instance();
    if (!app || app->thread() != ear_->thread()) { /* it may outlive the application */
        auto awake = [ear = ear_] {
            if (Host *host = Of(ear); host && !QCoreApplication::instance()) host->OnDropped();
        };
        QObject::connect(dispatcher, &QAbstractEventDispatcher::awake, ear_, awake, Qt::DirectConnection);
    }
    for (auto [record, mask] : std::exchange(early_, {})) Watch(record, mask);
    StartTimer();
}

void Host::Gone()
{
    hoya_guest *guest = guest_;
    guest_ = nullptr;
    if (run_) run_->quit();
    locker_.reset();
    ForgetEar();
    hoya_guest_host_gone(guest); /* frees us */
}

void Host::ForgetEar()
{
    guest_ = nullptr;
    StopTimer();
    if (ear_) ear_->Forget(pins_ > 0);
    ear_ = nullptr;
}

/* ---- the host ------------------------------------------------------------------------------------------- */

void Host::Watch(hoya_watch *record, uint32_t mask)
{
    static constexpr uint32_t sides[] = {HOYA_IN, HOYA_OUT, HOYA_PRI};
    if (!begun_) {
        if (mask) early_[record] = mask;
        else early_.erase(record);
        return;
    }
    if (mask) one_fd_ = record->fd == hoya_guest_pollfd(guest_);
    /* The GLib dispatcher tells of a hang-up to readers only. One that is readable instead goes silent: see OnReady. */
    if (mask == HOYA_OUT) mask |= HOYA_IN;
    if (mask) looked_.reserve(size_t(ear_->children().size()) + 3);
    for (int i = 0; i < 3; i++) {
        auto notifier = static_cast<Notifier *>(record->scratch[i]);
        if (!(mask & sides[i])) {
            record->scratch[i] = nullptr;
            if (notifier) notifier->Forget(pins_ > 0);
        } else if (notifier) {
            notifier->setEnabled(true); /* Qt disables one whose descriptor was closed */
        } else {
            try {
                record->scratch[i] = new Notifier(record, sides[i], ear_);
            } catch (const std::bad_alloc &) {
                if (!record->mask) Watch(record, 0); /* not half of it */
                throw;
            }
        }
    }
}

void Host::Arm(int64_t deadline)
{
    StopTimer();
    deadline_ = deadline;
    StartTimer();
}

int64_t Host::Left() const
{
    if (deadline_ <= 0) return 0; /* HOYA_NOW, too */
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return deadline_ - HOYA_SEC(now.tv_sec) - now.tv_nsec;
}

void Host::StartTimer()
{
    if (!begun_ || deadline_ == HOYA_NEVER) return;
    int64_t left = Left(), ms = left <= 0 ? 0 : left / 1000000 + (left % 1000000 != 0); /* Qt's unit, rounded up */
    timer_ = ear_->startTimer(int(std::min<int64_t>(ms, 1 << 30)), Qt::PreciseTimer);
}

void Host::StopTimer()
{
    if (timer_) ear_->killTimer(timer_);
    timer_ = 0;
}

void Host::Detach(void (*done)(void *arg), void *arg)
{
    ForgetEar();
    done(arg); /* frees us */
}

void Host::Free()
{
    ForgetEar();
    freed_ = true;
    Pin();
    Unpin();
}

int Host::Run()
{
    if (!IsHere()) return hoya_error_set(HOYA_ETHREAD, "the loop lives in another QThread");
    QEventLoop loop;
    run_ = &loop;
    run_level_ = QThread::currentThread()->loopLevel() + 1;
    refused_ = true;
    turned_on_ = false;
    HearOfTurn();
    Pin();
    loop.exec();
    /* After the application's quit Qt does not begin a QEventLoop any more; there may be something to finish. */
    for (bool alone = refused_; alone && guest_ && !quitting_;)
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    bool asked = quitting_ || !guest_;
    run_ = nullptr;
    quitting_ = false;
    if (std::exchange(postponed_, false) && guest_) Post(kKick);
    Unpin();
    return asked ? 0 : hoya_error_set(HOYA_ECANCELED, "QCoreApplication::quit ended the run");
}

int Host::Quit()
{
    if (!run_) return hoya_error_set(HOYA_ESTATE, "no run of this thread's dispatcher is ours");
    if (!std::exchange(quitting_, true)) HearOfTurn();
    run_->quit();
    return 0;
}

/* Of the next turn that anybody gives the main loop, and of no other: to hear of each is some 280 instructions a turn. For
 * this Qt needs memory, as for each kick; without it Qt's programs end. */
void Host::HearOfTurn() noexcept
{
    auto dispatcher = QAbstractEventDispatcher::instance();
    auto turn_begins = [this, dispatcher, run = run_] {
        QObject::disconnect(dispatcher, nullptr, run, nullptr);
        refused_ = false;
        turned_on_ = quitting_;
    };
    QObject::connect(dispatcher, &QAbstractEventDispatcher::awake, run_, turn_begins);
    QObject::connect(dispatcher, &QAbstractEventDispatcher::aboutToBlock, run_, turn_begins);
}

void Host::Hold(bool on)
{
    held_ = on;
    if (!on) {
        if (locker_) ear_->Post(kIdle, Qt::LowEventPriority);
    } else if (!locker_) {
        auto app = QCoreApplication::instance();
        locker_.reset(app && app->thread() == ear_->thread() ? new QEventLoopLocker
                                                             : new QEventLoopLocker(ear_->thread()));
    }
}

/* Not at once: there may be work again in the same callback, and Qt does not ask twice before it quits. */
void Host::OnIdle()
{
    if (!held_) locker_.reset();
}

/* Qt's loops are the parent's. Nothing is taken out of them, which would wake the parent: the ear stays, deaf. Only leaving a
 * run of ours wakes the parent once, for nothing. */
int Host::AfterFork()
{
    if (ear_) ear_->Deafen();
    ear_ = nullptr;
    guest_ = nullptr;
    (void)locker_.release();
    timer_ = 0;
    if (run_) run_->quit();
    return hoya_error_set(HOYA_ENOTSUP, "Qt's event loop cannot be used in a forked child");
}

/* ---- the same, for C ------------------------------------------------------------------------------------ */

Host *From(const hoya_host *host)
{
    return static_cast<Host *>(const_cast<hoya_host *>(host));
}

template <typename Call> int Answer(Call call)
{
    try {
        return call();
    } catch (const std::bad_alloc &) {
        return hoya_error_set(HOYA_ENOMEM, "out of memory");
    }
}

void Log(hoya_host *, hoya_log_level level, const char *text)
{
    QMessageLogger logger(nullptr, 0, nullptr, "hoya");
    switch (level) {
    case HOYA_LOG_ERROR:
        logger.critical("%s", text);
        break;
    case HOYA_LOG_WARNING:
        logger.warning("%s", text);
        break;
    case HOYA_LOG_INFO:
        logger.info("%s", text);
        break;
    case HOYA_LOG_DEBUG:
        logger.debug("%s", text);
        break;
    }
}

constexpr hoya_host_ops MakeOps(bool holds)
{
    hoya_host_ops ops = {};
    ops.size = sizeof ops;
    ops.name = "qt";
    ops.caps = HOYA_HOST_NESTS;
    ops.attach = [](hoya_host *host, hoya_guest *guest, int priority) {
        return Answer([=] { return From(host)->Attach(guest, priority); });
    };
    ops.watch = [](hoya_host *host, hoya_watch *record, uint32_t mask) {
        return Answer([=] { return From(host)->Watch(record, mask), 0; });
    };
    ops.arm = [](hoya_host *host, int64_t deadline) {
        return Answer([=] { return From(host)->Arm(deadline), 0; });
    };
    ops.kick = [](hoya_host *host) noexcept { From(host)->Kick(); };
    ops.detach = [](hoya_host *host, void (*done)(void *arg), void *arg) { From(host)->Detach(done, arg); };
    ops.free = [](hoya_host *host) { From(host)->Free(); };
    ops.run = [](hoya_host *host) { return Answer([=] { return From(host)->Run(); }); };
    ops.quit = [](hoya_host *host) { return From(host)->Quit(); };
    ops.is_owner = [](const hoya_host *host) -> int { return From(host)->IsHere(); };
    ops.depth = [](const hoya_host *) { return QThread::currentThread()->loopLevel(); };
    if (holds) ops.hold = [](hoya_host *host, int on) noexcept { From(host)->Hold(on); };
    ops.after_fork = [](hoya_host *host) { return From(host)->AfterFork(); };
    ops.log = Log;
    return ops;
}

constexpr hoya_host_ops host_ops = MakeOps(false), holding_host_ops = MakeOps(true);

Host::Host(QObject *context, uint32_t flags)
    : hoya_host{flags & HOYA_QT_HOLD ? &holding_host_ops : &host_ops, nullptr}, context_(context)
{
}

} // namespace

int hoya_qt_host_new(QObject *context, uint32_t flags, hoya_host **host)
{
    if (flags & ~uint32_t(HOYA_QT_HOLD)) return hoya_error_set(HOYA_EINVAL, "flags 0x%x are not known", flags);
    return Answer([=] { return *host = new Host(context, flags), 0; });
}

int hoya_qt_loop_new(QObject *context, int priority, hoya_loop **loop)
{
    hoya_loop_options options = {};
    options.size = sizeof options;
    options.priority = priority;
    int rc = hoya_qt_host_new(context, 0, &options.host);
    return rc < 0 ? rc : hoya_loop_new(&options, loop);
}

/* ---- the policy ----------------------------------------------------------------------------------------- */

hoya_policy *hoya_qt_policy()
{
    static const hoya_policy_ops ops = [] {
        hoya_policy_ops o = {};
        o.size = sizeof o;
        o.name = "qt";
        o.new_host = [](hoya_policy *, hoya_host **host) { return hoya_qt_host_new(nullptr, 0, host); };
        return o;
    }();
    static hoya_policy policy = {&ops};
    return &policy;
}
