/* SPDX-License-Identifier: MIT
 *
 * support/qt_loop.h: Qt in the part of the application: a QCoreApplication, with the GLib dispatcher or Qt's own.
 */
#ifndef HOYA_TESTS_SUPPORT_QT_LOOP_H
#define HOYA_TESTS_SUPPORT_QT_LOOP_H

#include "support/hosts.h"

namespace hoya_test
{

std::unique_ptr<HostLoop> MakeQt(); /* with what Qt takes by itself: the GLib dispatcher, if it has one */
std::unique_ptr<HostLoop> MakeQtWithoutGlib(); /* as with QT_NO_GLIB=1 in the environment */

} // namespace hoya_test

#endif
