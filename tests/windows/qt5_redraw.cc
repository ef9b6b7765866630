/* SPDX-License-Identifier: MIT
 *
 * qt5_redraw.cc: is a busy guest fair to Qt 5? A widget draws itself anew by a timer of 16 ms, Qt has another one of 10 ms,
 * and beside them the loop runs an endless chain of callbacks, at the default priority and at Qt::LowEventPriority (that
 * of Qt's redraws). Prints what each of the three got. Runs with either of Qt's dispatchers (QT_NO_GLIB).
 *
 * A figure out of bounds is measured again, four times at most: a busy machine is late now and then, an unfair guest always.
 */
#include "windows.h"

#include <QtCore/QAbstractEventDispatcher>
#include <QtCore/QElapsedTimer>
#include <QtCore/QEventLoop>
#include <QtCore/QTimer>
#include <QtGui/QPainter>
#include <QtWidgets/QApplication>
#include <QtWidgets/QWidget>
#include <cstdio>
#include <hoya/qt.h>

namespace
{

constexpr int kMilliseconds = 2000, kFrameMs = 16, kTickMs = 10, kLateMs = 20, kTries = 5;
constexpr double kFramesPerSecond = 50, kCallsPerSecond = 10000;

/* ---- those who want a turn -------------------------------------------------------------------------------- */

class Canvas final : public QWidget
{
  public:
    long frames = 0;

  private:
    void paintEvent(QPaintEvent *) override
    {
        QPainter painter(this);
        painter.fillRect(int(frames * 5 % width()), 0, width() / 4, height(), QColor(25, 100, 180));
        frames++;
    }
};

/* A timer that is set anew each time: so it is known when it is due. */
struct Ticks {
    QTimer timer;
    QElapsedTimer since;
    long count = 0;
    qint64 late = 0, late_max = 0; /* ns */

    Ticks()
    {
        timer.setTimerType(Qt::PreciseTimer);
        timer.setSingleShot(true);
        QObject::connect(&timer, &QTimer::timeout, &timer, [this] {
            qint64 ns = since.nsecsElapsed() - kTickMs * 1000000;
            count++;
            late += ns;
            late_max = qMax(late_max, ns);
            Begin();
        });
        Begin();
    }
    void Begin()
    {
        since.start();
        timer.start(kTickMs);
    }
};

struct Guest {
    hoya_loop *loop; /* nullptr: none */
    long calls;
};

void Call(void *arg)
{
    auto self = static_cast<Guest *>(arg);
    self->calls++;
    hoya_loop_call_soon(self->loop, Call, self);
}

/* ---- the measurement -------------------------------------------------------------------------------------- */

/* True if all are within their bounds. */
bool Measure(Canvas *canvas, Guest *guest, const char *who)
{
    canvas->frames = guest->calls = 0;
    Ticks ticks;
    QEventLoop loop;
    QTimer::singleShot(kMilliseconds, Qt::PreciseTimer, &loop, &QEventLoop::quit);
    QElapsedTimer since;
    since.start();
    loop.exec();
    double seconds = double(since.nsecsElapsed()) / 1e9;

    double frames = double(canvas->frames) / seconds, calls = double(guest->calls) / seconds;
    std::printf(
        "fairness: %s, %s: %.1f frames/s, %.0f callbacks/s, a 10 ms timer of Qt %.2f ms late at most, %.3f ms on "
        "average\n",
        QAbstractEventDispatcher::instance()->metaObject()->className(), who, frames, calls,
        double(ticks.late_max) / 1e6, double(ticks.late) / 1e6 / double(qMax(ticks.count, 1L)));
    return frames >= kFramesPerSecond && ticks.count && ticks.late_max <= kLateMs * 1000000 &&
           (!guest->loop || calls >= kCallsPerSecond);
}

void Try(Canvas *canvas, Guest *guest, const char *who)
{
    for (int tries = 0; tries < kTries; tries++)
        if (Measure(canvas, guest, who)) return;
    ensure(0, "%s: %d times fewer than %.0f frames/s, or than %.0f callbacks/s, or Qt's timer over %d ms late", who,
           kTries, kFramesPerSecond, kCallsPerSecond, kLateMs);
}

void TryGuest(Canvas *canvas, int priority, const char *who)
{
    Guest guest = {};
    int rc = hoya_qt_loop_new(nullptr, priority, &guest.loop);
    ensure(rc == 0, "no loop: %s", hoya_strerror(rc));
    hoya_loop_call_soon(guest.loop, Call, &guest); /* the chain ends with the loop */
    Try(canvas, &guest, who);
    end_loop(guest.loop);
}

} // namespace

int main(int argc, char **argv)
{
    QApplication application(argc, argv);
    bool glib = QAbstractEventDispatcher::instance()->inherits("QEventDispatcherGlib");
    ensure(glib != qEnvironmentVariableIsSet("QT_NO_GLIB"), "the dispatcher is not the one that was asked for");

    Canvas canvas;
    canvas.resize(400, 300);
    canvas.show();
    QTimer clock;
    clock.setTimerType(Qt::PreciseTimer);
    QObject::connect(&clock, &QTimer::timeout, &canvas, [&canvas] { canvas.update(); });
    clock.start(kFrameMs);
    while (!canvas.frames)
        QApplication::processEvents(
            QEventLoop::WaitForMoreEvents); /* what comes before the first one is not measured */

    Guest none = {};
    Try(&canvas, &none, "without a guest");
    TryGuest(&canvas, Qt::NormalEventPriority, "with a guest at priority 0");
    TryGuest(&canvas, Qt::LowEventPriority, "with a guest at priority -1");
    return 0;
}
