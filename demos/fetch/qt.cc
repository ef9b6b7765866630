/* SPDX-License-Identifier: MIT
 *
 * qt.cc: the downloads' window with Qt 5. The application's main loop is QApplication::exec, and hoya is a guest in it: what
 * the downloads tell (gui.c) comes in this thread, between the events of the widgets, and may call any of them. The line of
 * this file that says so is hoya_set_event_loop_policy(hoya_qt_policy()).
 */
#include <QtCore/QTimer>
#include <QtGui/QCloseEvent>
#include <QtWidgets/QApplication>
#include <QtWidgets/QCheckBox>
#include <QtWidgets/QMainWindow>
#include <QtWidgets/QScrollArea>
#include <QtWidgets/QScrollBar>
#include <QtWidgets/QShortcut>
#include <QtWidgets/QToolBar>
#include <cstring>
#include <hoya/qt.h>
#include <vector>

#include "qt_widgets.h"
#include "window/qt.h"

namespace
{

gui the;

class Window : public QMainWindow
{
  public:
    Window();
    Row *add_row(gui_row *of, const QString &title);
    void show_foot(const gui_foot &foot);
    QString foot_texts() const { return total_.text() + "|" + counts_.text() + "|" + crowd_.text(); }
    void show_end() { scroll_->verticalScrollBar()->setValue(scroll_->verticalScrollBar()->maximum()); }
    void log_places() const;

    QPushButton *more;
    QCheckBox *crowd_box;

  protected:
    void closeEvent(QCloseEvent *event) override
    {
        gui_close(&the);
        event->ignore(); /* the window stays until all is closed */
    }

  private:
    void make_bar();
    QWidget *make_foot();

    std::vector<Row *> rows_;
    QScrollArea *scroll_;
    QVBoxLayout *list_;
    Bar bar_{10};
    Words total_{Qt::AlignLeft, true}, counts_{Qt::AlignRight}, crowd_, pace_{Qt::AlignRight};
    Mover mover_{the.frames};
};

Window *window;

Window::Window()
{
    setWindowTitle("hoya Fetch");
    resize(780, 740);
    make_bar();
    auto rows = new QWidget;
    rows->setObjectName("list");
    list_ = new QVBoxLayout(rows);
    list_->setContentsMargins(0, 0, 0, 0);
    list_->setSpacing(0);
    list_->addStretch();
    scroll_ = new QScrollArea;
    scroll_->setFrameShape(QFrame::NoFrame);
    scroll_->setWidgetResizable(true);
    scroll_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll_->setStyleSheet("#list { background: white } #row { border-bottom: 1px solid #e4e2e0 }");
    scroll_->setWidget(rows);
    auto all = new QWidget;
    auto column = new QVBoxLayout(all);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(scroll_, 1);
    column->addWidget(make_foot());
    setCentralWidget(all);
    connect(new QShortcut(QKeySequence("Ctrl+Q"), this), &QShortcut::activated, this, &QWidget::close);
}

void Window::make_bar()
{
    auto bar = addToolBar("Downloads");
    bar->setMovable(false);
    bar->setContextMenuPolicy(Qt::PreventContextMenu);
    bar->setStyleSheet("QToolBar { padding: 5px 10px; border-bottom: 1px solid #cdc7c2 }");
    more = new QPushButton("10 &More");
    more->setFocusPolicy(Qt::NoFocus);
    bar->addWidget(more);
    connect(more, &QPushButton::clicked, [] { gui_more(&the); });
}

QWidget *Window::make_foot()
{
    char title[64];
    gui_crowd_title(&the, title);
    crowd_box = new QCheckBox(title);
    crowd_box->setFocusPolicy(Qt::NoFocus);
    connect(crowd_box, &QCheckBox::toggled, [](bool on) { gui_crowd(&the, on); });
    auto foot = new QWidget;
    foot->setObjectName("foot");
    foot->setStyleSheet("#foot { border-top: 1px solid #cdc7c2 }");
    auto column = new QVBoxLayout(foot);
    column->setContentsMargins(16, 10, 16, 10);
    column->setSpacing(8);
    column->addWidget(&bar_);
    auto line = new QHBoxLayout;
    line->addWidget(&total_);
    line->addWidget(&counts_, 1);
    column->addLayout(line);
    auto last = new QHBoxLayout;
    last->setSpacing(10);
    last->addWidget(crowd_box);
    last->addWidget(&crowd_, 1);
    last->addWidget(&pace_, 1);
    last->addWidget(&mover_);
    column->addLayout(last);
    return foot;
}

Row *Window::add_row(gui_row *of, const QString &title)
{
    auto row = new Row(of, title);
    list_->insertWidget(list_->count() - 1, row);
    rows_.push_back(row);
    return row;
}

void Window::show_foot(const gui_foot &foot)
{
    bar_.set(foot.fraction, "#3584e4");
    total_.set(foot.total, dark);
    counts_.set(foot.counts, grey);
    crowd_.set(foot.crowd, grey);
    pace_.set(foot.pace, grey);
    crowd_box->setEnabled(foot.crowd_free);
    crowd_box->setChecked(foot.crowd_on); /* toggled: gui_crowd knows it already */
}

/* Where to click: for --log. */
void Window::log_places() const
{
    for (auto row : rows_) window_log_place(row->title(), &row->button, row->button.rect().center());
    window_log_place("crowd", crowd_box,
                     QPoint(12, crowd_box->height() / 2)); /* beside its words a click does nothing */
    window_log_place("more", more, more->rect().center());
}

/* ---- what gui.c wants of a window, and a person's hands and eyes (gui.h) ------------------------------------ */

Row *row_of(void *widgets)
{
    return static_cast<Row *>(widgets);
}

char *copy(const QString &text)
{
    return strdup(text.toUtf8().constData());
}

const gui_window functions = {
    "Qt 5",
    "fetch-qt",
    [](gui_row *of, const char *title) -> void * { return window->add_row(of, QString::fromUtf8(title)); },
    [](void *widgets, const gui_look *look) { row_of(widgets)->show_look(*look); },
    [](const gui_foot *foot) { window->show_foot(*foot); },
    [] { window->setEnabled(false); },
    [] { QCoreApplication::quit(); },
    [](void *widgets) { row_of(widgets)->button.click(); },
    [] { window->more->click(); },
    [] { window->crowd_box->click(); },
    [](void *widgets) { return copy(row_of(widgets)->texts()); },
    [](void *widgets) { return row_of(widgets)->fraction(); },
    [] { return copy(window->foot_texts()); },
    [] { window->show_end(); },
    [](const char *path) { return window_save_picture(window, path); }};

} // namespace

int main(int argc, char **argv)
{
    if (!gui_begin(&the, &functions, argc, argv)) return the.status;
    QApplication application(argc, argv);           /* Qt says itself when there is no display */
    QApplication::setQuitOnLastWindowClosed(false); /* gui_close says when */
    Window all;
    window = &all;
    all.show();
    hoya_set_event_loop_policy(
        hoya_qt_policy()); /* the line: loops of this program live in Qt's event dispatcher */
    if (gui_start(&the) >= 0) {
        QTimer::singleShot(300, &all, [&all] { all.log_places(); });
        QApplication::exec();
    }
    return gui_end(&the);
}
