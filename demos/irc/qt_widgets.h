/* SPDX-License-Identifier: MIT
 *
 * qt_widgets.h: what the Qt window has that Qt has not: a spinner, a badge, an entry with a history, an error bar. All of
 * qt.cc; nothing of hoya is in here.
 */
#ifndef DEMO_IRC_QT_WIDGETS_H
#define DEMO_IRC_QT_WIDGETS_H

#include <QtCore/QTimer>
#include <QtGui/QKeyEvent>
#include <QtGui/QPainter>
#include <QtWidgets/QFrame>
#include <QtWidgets/QHBoxLayout>
#include <QtWidgets/QLabel>
#include <QtWidgets/QLineEdit>
#include <QtWidgets/QStyledItemDelegate>
#include <QtWidgets/QToolButton>
#include <cstdlib>
#include <functional>
#include <memory>

#include "gui.h"

namespace
{

/* Twelve strokes of which the darkest one goes round, while it is visible. */
class Spinner : public QWidget
{
  public:
    Spinner()
    {
        setFixedSize(18, 18);
        QObject::connect(&timer_, &QTimer::timeout, this, [this] {
            step_ = (step_ + 1) % strokes;
            update();
        });
    }

  protected:
    void showEvent(QShowEvent *) override { timer_.start(80); }
    void hideEvent(QHideEvent *) override { timer_.stop(); }
    void paintEvent(QPaintEvent *) override
    {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.translate(width() / 2.0, height() / 2.0);
        for (int i = 0; i < strokes; i++) {
            QColor colour = palette().color(QPalette::WindowText);
            colour.setAlphaF(1.0 - ((step_ - i + strokes) % strokes) / double(strokes));
            painter.setPen(QPen(colour, 2, Qt::SolidLine, Qt::RoundCap));
            painter.save();
            painter.rotate(360.0 / strokes * i);
            painter.drawLine(QPointF(0, -4), QPointF(0, -7));
            painter.restore();
        }
    }

  private:
    static constexpr int strokes = 12;
    QTimer timer_;
    int step_ = 0;
};

/* Of a list: %1 pixels above and below each row. */
const char list_style[] =
    "QListWidget::item { padding: %1px 10px; border: none; }"
    "QListWidget::item:selected { background: palette(highlight); color: palette(highlighted-text); }";

constexpr int unread_role = Qt::UserRole; /* of an item in the list of pages: how many lines nobody has seen */

/* A row of the list of pages, with the number of unread lines in a blue badge. */
class PageDelegate : public QStyledItemDelegate
{
  public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override
    {
        QStyledItemDelegate::paint(painter, option, index);
        int unread = index.data(unread_role).toInt();
        if (!unread) return;
        QString text = QString::number(unread);
        int width = option.fontMetrics.horizontalAdvance(text) + 14, height = option.fontMetrics.height() + 2;
        QRect badge(option.rect.right() - width - 8, option.rect.center().y() - height / 2 + 1, width, height);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(Qt::NoPen);
        painter->setBrush(QColor("#3584e4"));
        painter->drawRoundedRect(badge, height / 2.0, height / 2.0);
        painter->setPen(Qt::white);
        painter->drawText(badge, Qt::AlignCenter, text);
        painter->restore();
    }
};

/* A line to type in, with what was typed before (Up, Down) and nicknames (Tab). */
class Entry : public QLineEdit
{
  public:
    std::function<char *(const char *before)> complete;
    gui_entry state = {};

    ~Entry() override { gui_entry_clear(&state); }

  protected:
    bool event(QEvent *event) override
    {
        if (event->type() == QEvent::KeyPress && static_cast<QKeyEvent *>(event)->key() == Qt::Key_Tab) {
            QString rest = text().mid(cursorPosition());
            std::unique_ptr<char, decltype(&std::free)> after(
                complete(text().left(cursorPosition()).toUtf8().constData()), std::free);
            if (after) {
                QString before = QString::fromUtf8(after.get());
                setText(before + rest);
                setCursorPosition(before.size());
            }
            return true; /* or Qt would go to the next widget */
        }
        return QLineEdit::event(event);
    }
    void keyPressEvent(QKeyEvent *event) override
    {
        gui_entry_typed(&state);
        if (event->key() != Qt::Key_Up && event->key() != Qt::Key_Down) return QLineEdit::keyPressEvent(event);
        QByteArray now = text().toUtf8();
        const char *line = gui_entry_move(&state, event->key() == Qt::Key_Up ? -1 : 1, now.constData());
        if (line) setText(QString::fromUtf8(line));
    }
};

/* What went wrong, above all, until it is closed or over. */
class ErrorBar : public QFrame
{
  public:
    ErrorBar()
    {
        setStyleSheet(
            "ErrorBar, QFrame { background: #c01c28; } QLabel, QToolButton { color: white; border: none; }");
        auto row = new QHBoxLayout(this);
        row->setContentsMargins(12, 6, 8, 6);
        text_ = new QLabel;
        text_->setWordWrap(true);
        text_->setTextFormat(Qt::PlainText);
        row->addWidget(text_, 1);
        auto close = new QToolButton;
        close->setText("✕");
        close->setToolTip("Close");
        row->addWidget(close);
        QObject::connect(close, &QToolButton::clicked, this, &QWidget::hide);
        hide();
    }
    void tell(const QString &text)
    {
        text_->setText(text);
        show();
    }

  private:
    QLabel *text_;
};

} // namespace

#endif
