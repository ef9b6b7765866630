/* SPDX-License-Identifier: MIT
 *
 * hoya/qt.h: loops that live in a thread of Qt 5's. Link libhoya-qt5 (hoya::qt5). The C++ face is hoya/qt.hpp.
 *
 * The loop is one QSocketNotifier on one descriptor, and a posted event while it has callbacks to run. It dispatches
 * whenever its thread's event dispatcher processes events, nested loops (QDialog::exec, QEventLoop::exec in a callback)
 * included, with either of Qt's dispatchers (GLib's and its own). QtCore is all that it needs.
 *
 * Before the QCoreApplication there is no dispatcher in the main thread: a loop that is made then is native, keeps what
 * it is given, and becomes a guest when the application's loop begins. When a dispatcher is destroyed (with the
 * QCoreApplication, or when its QThread ends; not at aboutToQuit) the loop is native again, so that it can finish.
 *
 * A QThread's loop is closed in that thread: in run() after exec, or in finished by a direct connection. One that has
 * run, and is left open, belongs to a thread that is no more, like one of a plain thread's on any host: every call
 * answers HOYA_ETHREAD. A loop that the policy has (hoya_set_event_loop) is closed with its thread, perhaps after
 * QThread::wait has returned.
 *
 * A QThread should end before the QCoreApplication: Qt does not bear that a thread delivers an event while the
 * application is destroyed. Of one that goes on, Qt drops all events until there is an application again; the loop has
 * its turns all the same, if it had begun before.
 *
 * What an application takes away by QCoreApplication::removePostedEvents, or in an event filter, the loop asks for
 * again. A filter that takes everything keeps the thread busy for as long as it does.
 *
 * hoya_loop_run_forever is a QEventLoop, no QCoreApplication::exec: QCoreApplication::quit ends it (HOYA_ECANCELED), but
 * there is no aboutToQuit, and closing the last window ends nothing by itself. A program with windows calls exec as ever,
 * with the loop as a guest in it.
 */
#ifndef HOYA_QT_H
#define HOYA_QT_H

#include <hoya/host.h>
#include <hoya/loop.h>
#include <hoya/policy.h>

#ifdef __cplusplus
class QObject;
#else
typedef struct QObject QObject; /* for C: comes from C++, and goes back there */
#endif

HOYA_BEGIN_DECLS

/* New loops are guests of the event dispatcher of the thread that makes them. A thread that Qt did not begin gets one for
 * it, if there is a QCoreApplication. Static; any thread. */
HOYA_API hoya_policy *hoya_qt_policy(void);

/* A loop in the thread of `context`: a QThread means itself, any other QObject the thread that it lives in, NULL the calling
 * one. Another thread must not run yet: from its start on the loop is its own, and before that the maker's. `priority` is
 * that of the events by which the loop asks for turns (enum Qt::EventPriority); below 0 whatever it finds waits for such an
 * event, after those of higher priority. *loop is a new reference. Errors: those of hoya_loop_new; HOYA_ETHREAD if the
 * other thread runs; HOYA_EINVAL if the object lives in no thread. */
HOYA_API int hoya_qt_loop_new(QObject *context, int priority, hoya_loop **loop);

enum hoya_qt_flags {
    /* While the loop has callbacks, timers, descriptors or answers of threads to come, it holds a QEventLoopLocker: the last
     * window may be closed without an end of the application. When the last locker goes, Qt ends an application that shows
     * no window (QCoreApplication::isQuitLockEnabled), so this is for programs that are over when the loop is; and in a
     * QThread the last one ends that thread's exec. */
    HOYA_QT_HOLD = 1u << 0
};

/* The host alone, for hoya_loop_options.host or hoya_loop_attach, which take it. Errors: HOYA_ENOMEM, HOYA_EINVAL (a
 * flag that is not known). */
HOYA_API int hoya_qt_host_new(QObject *context, uint32_t flags, hoya_host **host);

HOYA_END_DECLS

#endif
