/* SPDX-License-Identifier: MIT
 *
 * qt.cc: the demo's window and dialog with Qt 5.
 */
#include <QtWidgets/QApplication>
#include <QtWidgets/QMessageBox>
#include <QtWidgets/QProgressBar>
#include <QtWidgets/QPushButton>
#include <QtWidgets/QVBoxLayout>
#include <hoya/qt.h>
#include <memory>
#include <vector>

#include "toolkit.h"
#include "window/qt.h"

const char toolkit_name[] = "Qt 5";

namespace
{

std::unique_ptr<QApplication> application;
std::unique_ptr<QWidget> window;
std::vector<QProgressBar *> bars;
QMessageBox *dialog;

} // namespace

hoya_policy *toolkit_policy()
{
    return hoya_qt_policy();
}

void toolkit_open(int argc, char **argv, int count)
{
    static int words = argc; /* Qt keeps a reference; it says itself when there is no display */
    application = std::make_unique<QApplication>(words, argv);
    window = std::make_unique<QWidget>();
    window->setWindowTitle("Ten tasks");
    auto column = new QVBoxLayout(window.get());
    for (int i = 0; i < count; i++) {
        auto bar = new QProgressBar;
        bar->setMinimumWidth(400);
        bar->setTextVisible(false);
        column->addWidget(bar);
        bars.push_back(bar);
    }
    window->show();
}

void toolkit_close()
{
    window.reset();
    application.reset();
}

void toolkit_show(int bar, int percent)
{
    bars[static_cast<size_t>(bar)]->setValue(percent);
}

int toolkit_run_dialog(const char *question)
{
    QMessageBox box(QMessageBox::Question, "A question", question, QMessageBox::Yes | QMessageBox::No,
                    window.get());
    dialog = &box;
    return box.exec() == QMessageBox::Yes;
}

void toolkit_press_yes()
{
    dialog->button(QMessageBox::Yes)->click();
}

int toolkit_save_picture(const char *path)
{
    return window_save_picture(window.get(), path);
}
