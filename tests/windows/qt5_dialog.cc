/* SPDX-License-Identifier: MIT
 *
 * qt5_dialog.cc: a modal dialog of Qt 5 in a callback of hoya's. QDialog::exec does not return before the dialog is
 * answered, so the callback stays on the stack, and the loop runs on inside it: its timer fills the dialog's bar, its
 * reader reads, and at the end its timer answers the dialog. Runs with either of Qt's dispatchers (QT_NO_GLIB).
 *
 * The first dialog is opened by a timer. The second one is opened by a reader that has not read yet: its descriptor
 * stays readable all the while, and must neither enter the reader again nor keep the main loop busy. The third one is
 * opened by a task whose stack is much too small for it, on the thread's own; other tasks go on meanwhile.
 */
#include "windows.h"

#include <QtCore/QAbstractEventDispatcher>
#include <QtWidgets/QApplication>
#include <QtWidgets/QDialog>
#include <QtWidgets/QLabel>
#include <QtWidgets/QMainWindow>
#include <QtWidgets/QPlainTextEdit>
#include <QtWidgets/QProgressBar>
#include <QtWidgets/QPushButton>
#include <QtWidgets/QVBoxLayout>
#include <cstdio>
#include <fcntl.h>
#include <hoya/qt.h>
#include <unistd.h>

namespace
{

struct App {
    hoya_loop *loop;
    QMainWindow *window;
    QDialog *dialog; /* nullptr: none is open */
    QProgressBar *bar;
    heart beats;
    const char *picture; /* nullptr: of this dialog none is taken */
    int last_step;       /* the one that answers the dialog */
    bool behind;         /* what was queued just before the dialog has run */
    int turns;           /* of the main loop */
    hoya_fd command[2];
};

/* Qt's own dispatcher says so before each wait, GLib's after each. */
void CountTurns(int *turns)
{
    auto dispatcher = QAbstractEventDispatcher::instance();
    bool glib = dispatcher->inherits("QEventDispatcherGlib");
    std::printf("the main loop is a %s\n", dispatcher->metaObject()->className());
    ensure(glib != qEnvironmentVariableIsSet("QT_NO_GLIB"), "it is not the one that was asked for");
    QObject::connect(dispatcher, &QAbstractEventDispatcher::awake, dispatcher, [turns] { ++*turns; });
}

void Step(int number, void *arg)
{
    auto self = static_cast<App *>(arg);
    self->bar->setValue(qMin(number, self->last_step));
    if (self->picture && number == self->last_step / 2) picture_begin(self->picture);
    if (number >= self->last_step && (!self->picture || picture_is_done())) self->dialog->accept();
}

void Note(void *arg)
{
    auto self = static_cast<App *>(arg);
    self->behind = self->dialog;
}

void Ask(App *self, const char *title, int last_step, const char *picture)
{
    ensure(!self->dialog, "%s: a callback was entered again while its dialog was open", title);
    self->last_step = last_step;
    self->picture = picture;
    self->behind = false;
    self->turns = 0;

    QDialog dialog(self->window);
    self->dialog = &dialog;
    self->bar = new QProgressBar;
    self->bar->setRange(0, last_step);
    self->bar->setMinimumWidth(300);
    auto done = new QPushButton("&Done");
    QObject::connect(done, &QPushButton::clicked, &dialog, &QDialog::accept);
    auto column = new QVBoxLayout(&dialog);
    column->setContentsMargins(20, 20, 20, 20);
    column->setSpacing(10);
    column->addWidget(new QLabel(title));
    column->addWidget(self->bar);
    column->addWidget(done);

    hoya_loop_call_soon(self->loop, Note, self); /* behind us in the queue, and due before the dialog's end */
    heart_start(&self->beats, self->loop, Step, self);
    int answer = dialog.exec();
    int steps = self->beats.steps, bytes = self->beats.bytes;
    heart_stop(&self->beats);
    self->dialog = nullptr;

    std::printf("%s: %d steps of the timer, %d bytes read, %d turns of the main loop\n", title, steps, bytes,
                self->turns);
    ensure(answer == QDialog::Accepted, "%s: the dialog was not answered, but ended with %d", title, answer);
    ensure(steps >= last_step, "%s: the timer came %d times only", title, steps);
    ensure(bytes >= steps - 1, "%s: the reader took %d of %d bytes", title, bytes, steps);
    ensure(self->behind, "%s: what was queued before the dialog did not run while it was open", title);
    /* A main loop that never waits turns some thousand times a step. */
    ensure(self->turns > 0, "%s: the turns of the main loop were not counted", title);
    ensure(self->turns <= steps * 50, "%s: the main loop did not wait, but turned %d times", title, self->turns);
}

void AskByTimer(void *arg)
{
    auto self = static_cast<App *>(arg);
    Ask(self, "A dialog in a timer of hoya's", 100, self->picture);
    ensure(write(self->command[1], "x", 1) == 1, "no command could be written");
}

int AskOnThreadStack(void *arg)
{
    ensure(!hoya_current_task(), "a dialog is no part of the task that opened it");
    Ask(static_cast<App *>(arg), "A dialog in a task of hoya's", 25, nullptr);
    return 25;
}

int AskByTask(hoya_task *task, void *arg)
{
    ensure(hoya_call_on_thread_stack(AskOnThreadStack, arg) == 25, "the call's result was lost");
    ensure(hoya_current_task() == task && hoya_sleep(0) == 0, "the task cannot wait any more");
    QApplication::quit();
    return 0;
}

int GoOn(hoya_task *, void *arg)
{
    while (hoya_sleep(HOYA_MSEC(10)) == 0) ++*static_cast<int *>(arg);
    return HOYA_ECANCELED;
}

void AskByReader(hoya_fd fd, uint32_t, void *arg)
{
    auto self = static_cast<App *>(arg);
    char byte;
    Ask(self, "A dialog in a reader of hoya's", 25, nullptr);
    ensure(read(fd, &byte, 1) == 1, "the command that opened the dialog is not there any more");
    hoya_loop_remove_reader(self->loop, fd);
    hoya_task_options options = {};
    options.size = sizeof options;
    options.stack_size = 16 << 10;
    int rc = hoya_create_task(self->loop, AskByTask, self, &options, nullptr);
    ensure(rc == 0, "no task could be made: %s", hoya_error_detail());
}

} // namespace

int main(int argc, char **argv)
{
    QApplication application(argc, argv);
    ensure(argc == 2, "usage: qt5_dialog PICTURE");
    App self = {};
    self.picture = argv[1];
    QMainWindow window;
    self.window = &window;
    window.setWindowTitle("hoya in Qt 5");
    window.resize(560, 300);
    window.setCentralWidget(new QPlainTextEdit("The window behind the dialog"));
    window.show();
    CountTurns(&self.turns);

    hoya_set_event_loop_policy(hoya_qt_policy());
    ensure(hoya_new_event_loop(&self.loop) == 0, "no loop: %s", hoya_error_detail());
    ensure(pipe2(self.command, O_NONBLOCK | O_CLOEXEC) == 0, "no pipe");
    hoya_loop_add_reader(self.loop, self.command[0], AskByReader, &self, nullptr);
    hoya_loop_call_later(self.loop, HOYA_MSEC(100), AskByTimer, &self, nullptr, nullptr);
    int other = 0;
    hoya_task *task;
    ensure(hoya_create_task(self.loop, GoOn, &other, nullptr, &task) == 0, "no task: %s", hoya_error_detail());
    QApplication::exec();
    std::printf("another task went on %d times\n", other);
    ensure(other >= 100, "the other task did not go on during the dialogs");
    while (!hoya_future_done(hoya_task_future(task)))
        ensure(hoya_task_cancel(task, nullptr) == 1 && hoya_loop_run_once(self.loop, HOYA_SEC(1)) >= 0, "no end");
    hoya_task_unref(task);

    end_loop(self.loop);
    return 0;
}
