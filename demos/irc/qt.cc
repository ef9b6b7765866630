/* SPDX-License-Identifier: MIT
 *
 * qt.cc: the IRC client's window with Qt 5. The application's main loop is QApplication::exec, and hoya is a guest in it: the
 * callbacks of the connection (irc.h) come in this thread, between the events of the widgets, and may call any of them. The
 * line of this file that says so is hoya_set_event_loop_policy(hoya_qt_policy()).
 */
#include <QtCore/QTimer>
#include <QtGui/QCloseEvent>
#include <QtWidgets/QApplication>
#include <QtWidgets/QDialog>
#include <QtWidgets/QDialogButtonBox>
#include <QtWidgets/QFormLayout>
#include <QtWidgets/QLabel>
#include <QtWidgets/QListWidget>
#include <QtWidgets/QMainWindow>
#include <QtWidgets/QPushButton>
#include <QtWidgets/QScrollBar>
#include <QtWidgets/QShortcut>
#include <QtWidgets/QSplitter>
#include <QtWidgets/QStackedWidget>
#include <QtWidgets/QStatusBar>
#include <QtWidgets/QTextEdit>
#include <QtWidgets/QToolBar>
#include <QtWidgets/QVBoxLayout>
#include <cstring>
#include <hoya/qt.h>
#include <memory>
#include <vector>

#include "qt_widgets.h"
#include "window/qt.h"

namespace
{

gui the;

/* ---- the window -------------------------------------------------------------------------------------- */

/* A channel, a private talk, or the server's own page, whose name is empty. */
struct Page {
    QString name;
    QListWidgetItem *row;
    QTextEdit *view;
    QStringList names;
    bool at_end = true; /* nobody has scrolled up: new lines are scrolled to */
};

class Window : public QMainWindow
{
  public:
    Window();
    Page *find(const QString &name) const;
    Page &page(const QString &name); /* a new one, if there is none */
    void show_page(Page &page) { list_->setCurrentItem(page.row); }
    void add_line(Page &page, const char *from, const char *text, irc_kind kind);
    void show_state(irc_state state, const char *text);
    void show_trouble(const QString &text);
    void show_lag(int64_t lag);
    void show_names(Page &page);
    void show_nick();
    void enter();
    void log_places() const;

    Page *current = nullptr;
    Entry *entry;
    QPushButton *connect_button, *disconnect_button;
    QDialog *dialog = nullptr; /* while it is open */

  protected:
    void closeEvent(QCloseEvent *event) override
    {
        gui_close(&the);
        event->ignore(); /* the window stays until the server has been told */
    }

  private:
    void make_bar();
    QWidget *make_middle();
    void make_status();
    void switch_to(int row);

    std::vector<std::unique_ptr<Page>> pages_; /* in the order of their rows */
    QListWidget *list_, *names_;
    QStackedWidget *stack_;
    ErrorBar *error_;
    QWidget *people_;
    QLabel *count_, *nick_, *state_, *lag_, *where_;
    Spinner *spinner_;
};

Window *window;

Window::Window()
{
    setWindowTitle("hoya IRC");
    resize(900, 600);
    make_bar();
    auto all = new QWidget;
    auto column = new QVBoxLayout(all);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    error_ = new ErrorBar;
    column->addWidget(error_);
    column->addWidget(make_middle(), 1);
    setCentralWidget(all);
    make_status();
    connect(new QShortcut(QKeySequence("Ctrl+Q"), this), &QShortcut::activated, this, &QWidget::close);
    show_page(page(""));
}

void Window::make_bar()
{
    auto bar = addToolBar("Connection");
    bar->setMovable(false);
    bar->setContextMenuPolicy(Qt::PreventContextMenu);
    bar->setStyleSheet("QToolBar { padding: 4px; spacing: 6px; }");
    connect_button = new QPushButton("&Connect…");
    disconnect_button = new QPushButton("&Disconnect");
    for (auto button : {connect_button, disconnect_button}) {
        button->setFocusPolicy(Qt::NoFocus);
        bar->addWidget(button);
    }
    where_ = new QLabel;
    where_->setAlignment(Qt::AlignCenter);
    where_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    bar->addWidget(where_);
    connect(connect_button, &QPushButton::clicked, [] { gui_ask(&the); });
    connect(disconnect_button, &QPushButton::clicked, [] { irc_disconnect(the.irc, "good-bye"); });
}

QWidget *Window::make_middle()
{
    list_ = new QListWidget;
    list_->setFrameShape(QFrame::NoFrame);
    list_->setFocusPolicy(Qt::NoFocus);
    list_->setStyleSheet(QString(list_style).arg(7));
    list_->setItemDelegate(new PageDelegate(list_));
    connect(list_, &QListWidget::currentRowChanged, this, &Window::switch_to);
    stack_ = new QStackedWidget;

    entry = new Entry;
    entry->setMinimumHeight(32);
    entry->setTextMargins(4, 0, 4, 0);
    entry->setPlaceholderText("Say something, or /join #channel");
    entry->complete = [this](const char *before) {
        return gui_entry_complete(&entry->state, the.irc, current->name.toUtf8().constData(), before);
    };
    connect(entry, &QLineEdit::returnPressed, this, &Window::enter);
    nick_ = new QLabel;
    nick_->setStyleSheet("font-weight: bold");
    auto line = new QHBoxLayout;
    line->setContentsMargins(8, 8, 8, 8);
    line->setSpacing(8);
    line->addWidget(nick_);
    line->addWidget(entry, 1);
    auto talk = new QWidget;
    auto column = new QVBoxLayout(talk);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(stack_, 1);
    column->addLayout(line);

    names_ = new QListWidget;
    names_->setFrameShape(QFrame::NoFrame);
    names_->setFocusPolicy(Qt::NoFocus);
    names_->setStyleSheet(QString(list_style).arg(3));
    connect(names_, &QListWidget::itemActivated, [this](QListWidgetItem *item) {
        show_page(page(item->data(Qt::UserRole).toString())); /* a private talk */
    });
    count_ = new QLabel;
    count_->setAlignment(Qt::AlignCenter);
    count_->setStyleSheet("color: #777; padding: 8px");
    people_ = new QWidget;
    auto right = new QVBoxLayout(people_);
    right->setContentsMargins(0, 0, 0, 0);
    right->setSpacing(0);
    right->addWidget(count_);
    right->addWidget(names_, 1);

    auto all = new QSplitter;
    all->setHandleWidth(1);
    all->setChildrenCollapsible(false);
    for (auto part : {static_cast<QWidget *>(list_), talk, people_}) all->addWidget(part);
    all->setStretchFactor(1, 1);
    all->setSizes({160, 590, 150});
    return all;
}

void Window::make_status()
{
    spinner_ = new Spinner;
    state_ = new QLabel;
    lag_ = new QLabel;
    lag_->setTextFormat(Qt::RichText);
    statusBar()->setSizeGripEnabled(false);
    statusBar()->setStyleSheet("QStatusBar::item { border: none }");
    statusBar()->setContentsMargins(6, 2, 6, 2);
    statusBar()->addWidget(spinner_);
    statusBar()->addWidget(state_, 1);
    statusBar()->addPermanentWidget(lag_);
    spinner_->hide();
}

/* ---- pages ------------------------------------------------------------------------------------------- */

Page *Window::find(const QString &name) const
{
    for (auto &one : pages_)
        if (!one->name.compare(name, Qt::CaseInsensitive)) return one.get();
    return nullptr;
}

Page &Window::page(const QString &name)
{
    if (auto known = find(name)) return *known;
    auto one = new Page;
    one->name = name;
    one->view = new QTextEdit;
    one->view->setReadOnly(true);
    one->view->setFrameShape(QFrame::NoFrame);
    one->view->document()->setDocumentMargin(12);
    one->view->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);

    /* The bar moves when lines come, when the window changes its size, and when somebody scrolls. Only the last one decides
     * whether the end is followed. */
    auto bar = one->view->verticalScrollBar();
    connect(bar, &QScrollBar::valueChanged, [one, bar](int value) { one->at_end = value >= bar->maximum() - 4; });
    connect(bar, &QScrollBar::rangeChanged, [one, bar](int, int end) {
        if (one->at_end) bar->setValue(end);
    });
    stack_->addWidget(one->view);
    pages_.emplace_back(one);
    one->row = new QListWidgetItem(name.isEmpty() ? "Server" : name);
    list_->addItem(one->row); /* the first one is selected by that */
    return *one;
}

void Window::switch_to(int row)
{
    if (row < 0) return;
    current = pages_[static_cast<size_t>(row)].get();
    current->row->setData(unread_role, 0);
    auto font = current->row->font();
    font.setBold(false);
    current->row->setFont(font);
    stack_->setCurrentWidget(current->view);
    show_names(*current);
    entry->setFocus();
    window_log("page", current->name.toUtf8().constData(), nullptr);
}

void Window::add_line(Page &page, const char *from, const char *text, irc_kind kind)
{
    char now[8];
    gui_time(now);
    auto bar = page.view->verticalScrollBar();
    bool follow = page.at_end;
    QTextCursor cursor(page.view->document());
    cursor.movePosition(QTextCursor::End);
    QTextBlockFormat block;
    int time = page.view->fontMetrics().horizontalAdvance("00:00  ");
    block.setLeftMargin(time); /* what is wrapped stands right of the time */
    block.setTextIndent(-time);
    block.setBottomMargin(4);
    if (page.view->document()->isEmpty()) cursor.setBlockFormat(block);
    else cursor.insertBlock(block, QTextCharFormat());

    QTextCharFormat plain, grey, name;
    grey.setForeground(QColor("#8a8a8a"));
    name.setFontWeight(QFont::Bold);
    if (from) name.setForeground(QColor(gui_colour(from)));
    QString between = kind == IRC_ACTION ? " " : "  ";
    cursor.insertText(QString(now) + "  ", grey);
    if (from && kind == IRC_ACTION) cursor.insertText("✶ ", plain);
    if (from) cursor.insertText(QString::fromUtf8(from), name);
    if (kind == IRC_INFO) plain = grey;
    if (kind == IRC_NOTICE) plain.setForeground(QColor("#a5541a"));
    if (kind == IRC_ACTION) plain.setFontItalic(true);
    cursor.insertText((from ? between : "") + QString::fromUtf8(text), plain);
    if (follow) bar->setValue(bar->maximum());

    if (&page != current && kind != IRC_INFO) {
        page.row->setData(unread_role, page.row->data(unread_role).toInt() + 1);
        auto font = page.row->font();
        font.setBold(true);
        page.row->setFont(font);
    }
    QByteArray line = (from ? QByteArray(from) + ": " : QByteArray()) + text;
    window_log("line", page.name.toUtf8().constData(), line.constData());
}

void Window::show_names(Page &page)
{
    if (&page != current) return;
    names_->clear();
    for (auto &name : page.names) {
        auto item = new QListWidgetItem(name, names_);
        QByteArray nick = name.toUtf8();
        const char *bare = nick.constData() + std::strspn(nick.constData(), "@+");
        item->setForeground(QColor(gui_colour(bare)));
        item->setData(Qt::UserRole, QString::fromUtf8(bare));
    }
    auto n = page.names.size();
    count_->setText(n == 1 ? QString("1 person") : n ? QString("%1 people").arg(n) : QString());
    people_->setVisible(page.name.startsWith('#') || page.name.startsWith('&')); /* a channel's */
}

/* ---- what the connection tells, and the person does --------------------------------------------------- */

void Window::show_nick()
{
    bool online = irc_get_state(the.irc) == IRC_ONLINE;
    nick_->setText(online ? irc_get_nick(the.irc) : "");
    where_->setText(online ? QString("<b>%1</b> on %2:%3")
                                 .arg(QString(irc_get_nick(the.irc)).toHtmlEscaped(),
                                      QString(the.options.host).toHtmlEscaped(), the.options.port)
                           : QString());
}

void Window::show_state(irc_state state, const char *text)
{
    spinner_->setVisible(state == IRC_CONNECTING || state == IRC_REGISTERING || state == IRC_WAITING);
    state_->setText(text && *text ? QString::fromUtf8(text) : QString(gui_state_name(state)));
    disconnect_button->setEnabled(state != IRC_OFFLINE);
    entry->setEnabled(state == IRC_ONLINE);
    if (state == IRC_ONLINE) {
        entry->setFocus();
        error_->hide();
    } else lag_->clear();
    show_nick();
    window_log("state", gui_state_name(state), text);
    window_log("spinner", nullptr, spinner_->isVisible() ? "on" : "off");
}

void Window::show_trouble(const QString &text)
{
    error_->tell(text);
    window_log("trouble", nullptr, text.toUtf8().constData());
}

void Window::show_lag(int64_t now)
{
    char text[32];
    const char *colour = gui_lag(now, text);
    lag_->setText(QString("<font color=\"%1\">●</font> %2").arg(colour, text));
}

void Window::enter()
{
    QByteArray line = entry->text().toUtf8(), target = current->name.toUtf8();
    entry->clear();
    if (line.isEmpty()) return;
    gui_entry_add(&entry->state, line.constData());
    int rc = irc_input(the.irc, target.isEmpty() ? nullptr : target.constData(), line.constData());
    if (rc < 0) show_trouble(hoya_strerror(rc));
}

/* Where to click: for --log. */
void Window::log_places() const
{
    const struct {
        const char *name;
        QWidget *widget;
    } places[] = {
        {"connect", connect_button}, {"disconnect", disconnect_button}, {"entry", entry}, {"view", stack_}};
    for (auto &one : places) window_log_place(one.name, one.widget, one.widget->rect().center());
}

const irc_face face = {
    [](irc *, irc_state state, const char *text, void *) { window->show_state(state, text); },
    [](irc *, const char *target, const char *from, const char *text, irc_kind kind, void *) {
        window->add_line(window->page(QString::fromUtf8(target)), from, text, kind);
    },
    [](irc *, const char *channel, void *) { /* joined */
                                             auto &page = window->page(QString::fromUtf8(channel));
                                             page.row->setForeground(QBrush());
                                             if (window->current->name.isEmpty()) window->show_page(page);
    },
    [](irc *, const char *channel, void *) { /* left */
                                             auto page = window->find(QString::fromUtf8(channel));
                                             if (!page) return;
                                             page->row->setForeground(Qt::gray);
                                             page->names.clear();
                                             window->show_names(*page);
    },
    [](irc *irc, const char *channel, void *) { /* names */
                                                const char *const *all;
                                                size_t n = irc_names(irc, channel, &all);
                                                auto &page = window->page(QString::fromUtf8(channel));
                                                page.names.clear();
                                                for (size_t i = 0; i < n; i++)
                                                    page.names += QString::fromUtf8(all[i]);
                                                window->show_names(page);
                                                window->show_nick();
                                                gui_log_names(irc, channel);
    },
    [](irc *, int code, const char *text, void *) {
        window->show_trouble(text ? QString::fromUtf8(text) : hoya_strerror(code));
    },
    [](irc *, int64_t lag, void *) { window->show_lag(lag); }};

/* ---- a person's hands and eyes (gui.h) ---------------------------------------------------------------- */

/* Modal, and blocks its caller: the oldest way to ask, and the simplest. gui_ask calls it from a task. */
int run_dialog(void *arg)
{
    auto &to = static_cast<gui *>(arg)->options;
    QDialog dialog(window);
    dialog.setWindowTitle("Connect to a server");
    dialog.setMinimumWidth(400);
    dialog.setObjectName("dialog");
    dialog.setStyleSheet("#dialog { border: 1px solid palette(mid); }"); /* seen where nobody manages windows */
    auto column = new QVBoxLayout(&dialog);
    column->setContentsMargins(18, 18, 18, 18);
    column->addWidget(new QLabel("<b>Connect to a server</b>"));
    column->addSpacing(8);
    auto form = new QFormLayout;
    form->setSpacing(10);
    column->addLayout(form);
    struct {
        const char *title;
        char *text;
        size_t size;
        QLineEdit *field;
    } fields[] = {{"&Server", to.host, sizeof to.host, nullptr},
                  {"&Port", to.port, sizeof to.port, nullptr},
                  {"&Nickname", to.nick, sizeof to.nick, nullptr},
                  {"C&hannels", to.join, sizeof to.join, nullptr}};
    for (auto &one : fields) {
        one.field = new QLineEdit(QString::fromUtf8(one.text));
        one.field->setMaxLength(static_cast<int>(one.size) - 1);
        form->addRow(one.title, one.field);
    }
    auto buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel);
    buttons->button(QDialogButtonBox::Ok)->setText("C&onnect");
    for (auto button : buttons->buttons()) button->setIcon(QIcon());
    column->addSpacing(8);
    column->addWidget(buttons);
    QObject::connect(buttons, &QDialogButtonBox::accepted, &dialog, &QDialog::accept);
    QObject::connect(buttons, &QDialogButtonBox::rejected, &dialog, &QDialog::reject);
    window->dialog = &dialog;
    bool answer = dialog.exec() == QDialog::Accepted;
    window->dialog = nullptr;
    for (auto &one : fields)
        if (answer) qstrncpy(one.text, one.field->text().toUtf8().constData(), static_cast<uint>(one.size));
    return answer;
}

const gui_window functions = {"Qt 5",
                              [](const char *text) { window->show_trouble(QString::fromUtf8(text)); },
                              run_dialog,
                              [] { window->setEnabled(false); },
                              [] { QCoreApplication::quit(); },
                              [](const char *line) {
                                  window->entry->setText(QString::fromUtf8(line));
                                  window->enter();
                              },
                              [](const char *name) {
                                  if (auto page = window->find(QString::fromUtf8(name))) window->show_page(*page);
                              },
                              [] { window->connect_button->click(); },
                              [] { return window->dialog != nullptr; },
                              [] { window->dialog->reject(); },
                              [](const char *name) {
                                  auto page = window->find(QString::fromUtf8(name));
                                  return page ? strdup(page->view->toPlainText().toUtf8().constData()) : nullptr;
                              },
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
    if (gui_start(&the, &face) >= 0) {
        QTimer::singleShot(200, &all, [&all] { all.log_places(); });
        QApplication::exec();
    }
    return gui_end(&the);
}
