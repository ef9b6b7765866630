/* SPDX-License-Identifier: MIT
 *
 * qt_widgets.h: what the Qt window has that Qt has not: bars that are thin and round, a download's row, the thing that
 * moves. All of qt.cc; of hoya there is nothing in here.
 */
#ifndef DEMO_FETCH_QT_WIDGETS_H
#define DEMO_FETCH_QT_WIDGETS_H

#include <QtCore/QTimer>
#include <QtGui/QPainter>
#include <QtWidgets/QHBoxLayout>
#include <QtWidgets/QLabel>
#include <QtWidgets/QProgressBar>
#include <QtWidgets/QPushButton>
#include <QtWidgets/QVBoxLayout>

#include "gui.h"

namespace
{

class Bar : public QProgressBar
{
  public:
    Bar(int height)
    {
        setFixedHeight(height);
        setRange(0, 10000);
        setTextVisible(false);
    }
    void set(double fraction, const QColor &colour)
    {
        if (colour != colour_) update();
        colour_ = colour;
        setValue(static_cast<int>(fraction * 10000));
    }

  protected:
    void paintEvent(QPaintEvent *) override
    {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        double round = height() / 2.0;
        painter.setBrush(QColor("#deddda"));
        painter.drawRoundedRect(rect(), round, round);
        if (value() <= 0) return;
        painter.setBrush(colour_);
        painter.drawRoundedRect(QRectF(0, 0, qMax<double>(height(), width() * (value() / 10000.0)), height()),
                                round, round);
    }

  private:
    QColor colour_{"#3584e4"};
};

/* A text that is drawn where it fits, and never moves its neighbours. */
class Words : public QLabel
{
  public:
    Words(Qt::Alignment align = Qt::AlignLeft, bool bold = false)
    {
        setAlignment(align | Qt::AlignVCenter);
        setTextFormat(Qt::PlainText);
        if (!bold) return;
        QFont thick = font();
        thick.setBold(true);
        setFont(thick);
    }
    void set(const QString &text, const QColor &colour)
    {
        if (text != this->text()) setText(text);
        QPalette all = palette();
        if (all.color(QPalette::WindowText) == colour) return;
        all.setColor(QPalette::WindowText, colour);
        setPalette(all);
    }
};

const QColor dark("#2e3436"), grey("#77767b");

class Row : public QFrame
{
  public:
    Row(gui_row *of, const QString &title)
        : of_(of), mark_(Qt::AlignHCenter, true), title_(Qt::AlignLeft, true), bar_(6)
    {
        setObjectName("row");
        setFixedHeight(50);
        auto words = new QHBoxLayout;
        words->setSpacing(12);
        title_.set(title, dark);
        text_.setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        text_.setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
        words->addWidget(&title_);
        words->addWidget(&text_, 1);
        auto middle = new QVBoxLayout;
        middle->setSpacing(5);
        middle->addStretch();
        middle->addLayout(words);
        middle->addWidget(&bar_);
        middle->addStretch();
        mark_.setFixedWidth(20);
        button.setFixedWidth(84);
        button.setFocusPolicy(Qt::NoFocus);
        auto stays = button.sizePolicy();
        stays.setRetainSizeWhenHidden(true);
        button.setSizePolicy(stays);
        auto line = new QHBoxLayout(this);
        line->setContentsMargins(14, 6, 14, 6);
        line->setSpacing(12);
        line->addWidget(&mark_);
        line->addLayout(middle, 1);
        line->addWidget(&button);
        QObject::connect(&button, &QPushButton::clicked, this, [this] { gui_press(of_); });
    }
    void show_look(const gui_look &look)
    {
        QColor colour(gui_state_colour(look.state));
        mark_.set(QString::fromUtf8(look.mark), colour);
        title_.set(title_.text(), look.state == FETCH_CANCELLED ? grey : dark);
        text_.set(QString::fromUtf8(look.text), look.state == FETCH_FAILED ? colour : grey);
        bar_.set(look.fraction, colour);
        if (look.button && button.text() != look.button) button.setText(look.button);
        button.setVisible(look.button != nullptr);
    }
    QString title() const { return title_.text(); }
    QString texts() const { return title() + "|" + text_.text() + "|" + (button.isHidden() ? "" : button.text()); }
    double fraction() const { return bar_.value() / 10000.0; }

    QPushButton button;

  private:
    gui_row *of_;
    Words mark_, title_, text_;
    Bar bar_;
};

/* A ball that goes to and fro. The timer is Qt's, set for the time when the next frame is due: it knows whole milliseconds. */
class Mover : public QWidget
{
  public:
    Mover(frames &of) : frames_(of)
    {
        setFixedSize(110, 16);
        timer_.setTimerType(Qt::PreciseTimer);
        timer_.setSingleShot(true);
        QObject::connect(&timer_, &QTimer::timeout, this, [this] { next(); });
        next();
    }

  protected:
    void paintEvent(QPaintEvent *) override
    {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        double middle = height() / 2.0;
        painter.setPen(QPen(QColor("#deddda"), 6, Qt::SolidLine, Qt::RoundCap));
        painter.drawLine(QPointF(7, middle), QPointF(width() - 7, middle));
        painter.setPen(Qt::NoPen);
        painter.setBrush(QColor("#3584e4"));
        painter.drawEllipse(QPointF(7 + frames_place() * (width() - 14), middle), 6, 6);
        painter.end();
        frames_painted(&frames_);
    }

  private:
    void next()
    {
        int64_t now = frames_now();
        if (!due_) due_ = now;
        if (now >= due_) {
            due_ += (now - due_) / interval * interval;
            frames_due(&frames_, due_, interval);
            update();
            due_ += interval; /* one that is late makes no later one late */
        }
        timer_.start(static_cast<int>((due_ - now + 999999) / 1000000));
    }

    static constexpr int64_t interval = HOYA_SEC(1) / FRAMES_A_SECOND;
    int64_t due_ = 0; /* when the next one is */
    frames &frames_;
    QTimer timer_;
};

} // namespace

#endif
