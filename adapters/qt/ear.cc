/* SPDX-License-Identifier: MIT
 *
 * ear.cc: ears, and words that are said again until they are heard. A word points to its ear, which outlives it:
 * an ear takes its words with it, deaf.
 */
#include "ear.h"

#include <QtCore/QCoreApplication>
#include <QtCore/QSocketNotifier>
#include <atomic>
#include <mutex>
#include <utility>

namespace hoya_qt
{

const QEvent::Type kKick = QEvent::Type(QEvent::registerEventType());
const QEvent::Type kBegin = QEvent::Type(QEvent::registerEventType());
const QEvent::Type kIdle = QEvent::Type(QEvent::registerEventType());

namespace
{

std::mutex ears_lock;
Ear *ears;

/* How Qt orders a post and its delivery, no sanitizer sees: this shows it, where the two have different threads. */
std::atomic<unsigned> told;

class Word final : public QEvent
{
  public:
    Word(Type type, Ear *ear, int priority) : QEvent(type), ear_(ear), priority_(priority) {}
    ~Word() override;
    void Heard() { ear_ = nullptr; }

  private:
    Ear *ear_;
    int priority_;
};

/* Not without an application: what is posted then is dropped, too, and at an application's end under Qt's lock. */
Word::~Word()
{
    if (ear_ && ear_->listener() && QCoreApplication::instance()) ear_->Post(type(), priority_);
}

void OnApplication()
{
    Ear::TellAll();
}
Q_COREAPP_STARTUP_FUNCTION(OnApplication)

} // namespace

Ear::Ear(Listener *listener) : listener_(listener)
{
    std::lock_guard<std::mutex> hold(ears_lock);
    next_ = std::exchange(ears, this);
}

Ear::~Ear()
{
    {
        std::lock_guard<std::mutex> hold(ears_lock);
        Ear **at = &ears;
        while (*at != this) at = &(*at)->next_;
        *at = next_;
    }
    listener_ = nullptr;
    QCoreApplication::removePostedEvents(this); /* while they can see that it is deaf */
}

void Ear::Post(QEvent::Type type, int priority)
{
    QCoreApplication::postEvent(this, new Word(type, this, priority), priority);
}

void Ear::TellAll()
{
    std::lock_guard<std::mutex> hold(ears_lock);
    for (Ear *ear = ears; ear; ear = ear->next_) {
        auto word = new Word(kBegin, ear, Qt::HighEventPriority);
        told.fetch_add(1, std::memory_order_release);
        QCoreApplication::postEvent(ear, word, Qt::HighEventPriority);
    }
}

bool Ear::event(QEvent *event)
{
    (void)told.load(std::memory_order_acquire);
    auto type = event->type();
    if (type == kKick || type == kBegin || type == kIdle) static_cast<Word *>(event)->Heard();
    if (!listener_) return QObject::event(event);
    if (type == kKick) listener_->OnKick();
    else if (type == kBegin) listener_->OnBegin();
    else if (type == kIdle) listener_->OnIdle();
    else if (type == QEvent::Timer) listener_->OnTimer();
    else return QObject::event(event);
    return true;
}

void Ear::Forget(bool later)
{
    Deafen();
    for (QObject *notifier : children()) static_cast<QSocketNotifier *>(notifier)->setEnabled(false);
    if (later) deleteLater();
    else delete this;
}

} // namespace hoya_qt
