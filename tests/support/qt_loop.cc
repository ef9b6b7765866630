/* SPDX-License-Identifier: MIT
 *
 * support/qt_loop.cc: Qt in the part of the application. The QCoreApplication is made with the host and goes with it, so
 * each test has a new one, and a new event dispatcher.
 *
 * What a dispatcher watches are the notifiers below it. How often its wait returns, Qt's own one tells before each; the
 * GLib dispatcher tells only of the first of several, but GLib can be asked.
 */
#include "support/qt_loop.h"
#include "support/leaks.h"

#include <QtCore/QAbstractEventDispatcher>
#include <QtCore/QCoreApplication>
#include <QtCore/QEventLoop>
#include <QtCore/QProcess>
#include <QtCore/QSocketNotifier>
#include <QtCore/QThread>
#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <unistd.h>

#include <hoya/qt.h>

#if __has_include(<glib.h>)
#include <glib.h>
#endif

namespace hoya_test
{
namespace
{

thread_local uint64_t poll_returns;

int NoArguments = 1;
char *NoArgument[] = {const_cast<char *>("hoya-tests"), nullptr};

#if __has_include(<glib.h>)
gint CountingPoll(GPollFD *fds, guint count, gint timeout)
{
    gint found = g_poll(fds, count, timeout);
    poll_returns += timeout != 0;
    return found;
}
#endif

/* A running QEventLoop that ends when its predicate holds. Before each wait, and once a turn. */
class Level final : public QEventLoop
{
  public:
    explicit Level(Predicate done) : done_(std::move(done))
    {
        auto dispatcher = QAbstractEventDispatcher::instance();
        connect(dispatcher, &QAbstractEventDispatcher::aboutToBlock, this, &Level::Ask);
        connect(dispatcher, &QAbstractEventDispatcher::awake, this, &Level::Ask);
    }
    bool held() const { return held_; }

  private:
    void Ask()
    {
        if (held_ || !done_()) return;
        held_ = true;
        quit();
    }

    Predicate done_;
    bool held_ = false;
};

class QtLoop final : public HostLoop
{
  public:
    explicit QtLoop(bool glib)
    {
        if (glib) unsetenv("QT_NO_GLIB");
        else setenv("QT_NO_GLIB", "1", 1);
        if (getpid() == gettid()) app_ = std::make_unique<QCoreApplication>(NoArguments, NoArgument);
        else QEventLoop(); /* another thread's dispatcher, until its end */
        glib_ = QAbstractEventDispatcher::instance()->inherits("QEventDispatcherGlib");
#if __has_include(<glib.h>)
        if (glib_ && app_) g_main_context_set_poll_func(g_main_context_default(), CountingPoll);
#endif
        if (!glib_) {
            QObject::connect(QAbstractEventDispatcher::instance(), &QAbstractEventDispatcher::aboutToBlock,
                             [] { poll_returns++; });
        }
        QCoreApplication::processEvents();
    }
    ~QtLoop() override
    {
        Settle();
        if (app_) Die();
    }

    hoya_host *NewAdapter() override
    {
        hoya_host *host = nullptr;
        return hoya_qt_host_new(nullptr, 0, &host) == 0 ? host : nullptr;
    }

    bool RunUntil(Predicate done, int64_t timeout) override
    {
        Level level(std::move(done));
        Id limit = AddTimer(timeout, [&level] { level.quit(); });
        level.exec();
        Remove(limit);
        return level.held();
    }

    void Iterate() override
    {
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    }

    Id AddTimer(int64_t interval, Work work) override
    {
        int64_t ms = std::clamp<int64_t>((interval + 999999) / 1000000, 0, 1 << 30);
        return Keep(new Job(static_cast<int>(ms), std::move(work)));
    }
    Id AddIdle(Rank, Work work) override
    {
        return Keep(new Job(0, std::move(work)));
    }
    void CallOnce(Work work) override
    {
        QMetaObject::invokeMethod(QAbstractEventDispatcher::instance(), std::move(work), Qt::QueuedConnection);
    }

    Id AddReader(int fd, Work work) override
    {
        readers_[++last_id_] = new Reader(fd, std::move(work));
        return last_id_;
    }

    bool Spawn(const char *script, std::function<void(int)> ended) override
    {
        auto process = new QProcess;
        QObject::connect(process, QOverload<int, QProcess::ExitStatus>::of(&QProcess::finished),
                         [process, ended = std::move(ended)](int code, QProcess::ExitStatus) {
                             process->deleteLater();
                             ended(code);
                         });
        process->start("/bin/sh", {"-c", script});
        return process->state() != QProcess::NotRunning;
    }

    void Remove(Id id) override
    {
        if (auto reader = readers_.find(id); reader != readers_.end()) {
            reader->second->setEnabled(false); /* it may be running */
            reader->second->deleteLater();
            readers_.erase(reader);
        }
        auto job = jobs_.find(id);
        if (job == jobs_.end()) return;
        job->second->Stop();
        jobs_.erase(job);
    }

    void Prod() override
    {
        QCoreApplication::sendPostedEvents();
        QCoreApplication::processEvents(QEventLoop::ExcludeSocketNotifiers);
        QCoreApplication::sendPostedEvents();
        QAbstractEventDispatcher::instance()->wakeUp();
        QCoreApplication::processEvents();
        QAbstractEventDispatcher::instance()->interrupt();
        QCoreApplication::processEvents();
    }

    void Settle() override
    {
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    }

    void Die() override
    {
        jobs_.clear();
        readers_.clear();
#if __has_include(<glib.h>)
        if (glib_) g_main_context_set_poll_func(g_main_context_default(), nullptr);
#endif
        app_.reset();
    }

    bool Moves() const override
    {
        return false;
    } /* a dispatcher is its thread's */
    bool RunsElsewhere() const override
    {
        return false;
    }

    int WatchedFds() override
    {
        std::set<qintptr> watched;
        for (QSocketNotifier *notifier : QAbstractEventDispatcher::instance()->findChildren<QSocketNotifier *>())
            if (notifier->isEnabled()) watched.insert(notifier->socket());
        return static_cast<int>(watched.size());
    }

    uint64_t PollReturns() const override
    {
        return poll_returns;
    }

  private:
    class Job final : public QObject /* goes with the dispatcher at the latest */
    {
      public:
        Job(int ms, Work work) : QObject(QAbstractEventDispatcher::instance()), work_(std::move(work))
        {
            timer_ = startTimer(ms, Qt::PreciseTimer);
        }
        /* It may be running. */
        void Stop()
        {
            killTimer(timer_);
            deleteLater();
        }

      private:
        void timerEvent(QTimerEvent *) override
        {
            Work now = work_;
            now();
        }
        Work work_;
        int timer_;
    };

    class Reader final : public QSocketNotifier /* likewise */
    {
      public:
        Reader(int fd, Work work)
            : QSocketNotifier(fd, Read, QAbstractEventDispatcher::instance()), work_(std::move(work))
        {
        }

      private:
        bool event(QEvent *event) override
        {
            if (event->type() != QEvent::SockAct) return QSocketNotifier::event(event);
            Work now = work_;
            now();
            return true;
        }
        Work work_;
    };

    Id Keep(Job *job)
    {
        jobs_[++last_id_] = job;
        return last_id_;
    }

    std::unique_ptr<QCoreApplication> app_;
    bool glib_;
    std::map<Id, Job *> jobs_;
    std::map<Id, Reader *> readers_;
    Id last_id_ = 0;
};

/* What Qt and GLib open once and keep. */
WarmUp qt([] {
    QtLoop with_glib(true);
    with_glib.Die();
    QtLoop without(false);
});

} // namespace

std::unique_ptr<HostLoop> MakeQt()
{
    return std::make_unique<QtLoop>(true);
}

std::unique_ptr<HostLoop> MakeQtWithoutGlib()
{
    return std::make_unique<QtLoop>(false);
}

} // namespace hoya_test
