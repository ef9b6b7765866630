/* SPDX-License-Identifier: MIT
 *
 * ear.h: what gets Qt's events for a host, and events of the host's own that are not lost.
 *
 * Events get lost: an application may remove what is posted or take it in a filter, and without a QCoreApplication
 * Qt drops whatever it would deliver. So an event that goes unheard has another one follow, and each ear is told when
 * an application begins. That is also how a loop hears of it that was told ENOHOST: before the application, Qt has no
 * dispatcher for the main thread, but takes objects.
 */
#ifndef HOYA_QT_EAR_H
#define HOYA_QT_EAR_H

#include <QtCore/QEvent>
#include <QtCore/QObject>

namespace hoya_qt
{

/* Numbers of our own: an application may filter events that it takes for its own. */
extern const QEvent::Type kKick;  /* a turn, please */
extern const QEvent::Type kBegin; /* the application has begun, or this thread */
extern const QEvent::Type kIdle;  /* has the loop still no work? */

/* All in the ear's thread. */
class Listener
{
  public:
    virtual void OnKick() = 0;
    virtual void OnBegin() = 0; /* others may have been dropped before */
    virtual void OnIdle() = 0;
    virtual void OnTimer() = 0; /* one of the ear's */

  protected:
    ~Listener() = default;
};

/* Made in the listener's thread, or moved there before it begins. Its children are the listener's notifiers. */
class Ear final : public QObject
{
  public:
    explicit Ear(Listener *listener);
    ~Ear() override;
    Listener *listener() const { return listener_; } /* nullptr once it is forgotten */

    /* One of the three above. */
    void Post(QEvent::Type type, int priority);
    /* Nothing is heard any more. */
    void Deafen() { listener_ = nullptr; }
    /* Nor is there anything left, now or later. */
    void Forget(bool later);

    static void TellAll(); /* in any thread: an application has begun */

  private:
    bool event(QEvent *event) override;

    Listener *listener_;
    Ear *next_; /* of all ears, in all threads */
};

} // namespace hoya_qt

#endif
