/* SPDX-License-Identifier: MIT
 *
 * curses_loop.c: a screen of curses in a loop (curses_loop.h).
 */
#include "screen/curses_loop.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct {
    hoya_loop *loop;
    const curses_face *face;
    SCREEN *curses; /* or NULL */
    bool drawing;   /* a drawing is queued */
} screen;

static void draw(void *arg)
{
    int rows, columns;
    (void)arg;
    screen.drawing = false;
    if (!screen.curses) return;
    getmaxyx(stdscr, rows, columns);
    erase();
    screen.face->draw(rows, columns);
    refresh();
}

void curses_ask_to_draw(void)
{
    if (screen.drawing || !screen.curses) return;
    screen.drawing = hoya_loop_call_soon(screen.loop, draw, NULL) >= 0;
}

static void on_keys(hoya_fd fd, uint32_t events, void *arg)
{
    (void)arg;
    screen.face->read_keys();
    if (events & (HOYA_HUP | HOYA_ERR)) {
        hoya_loop_remove_reader(screen.loop, fd);
        screen.face->hung_up();
    }
    curses_ask_to_draw();
}

static void on_resize(int number, void *arg)
{
    struct winsize size;
    (void)number, (void)arg;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
        resizeterm(size.ws_row, size.ws_col);
    curses_ask_to_draw();
}

int curses_begin(hoya_loop *loop, const curses_face *face)
{
    screen.loop = loop;
    screen.face = face;
    screen.curses = newterm(NULL, stdout, stdin);
    if (!screen.curses) return hoya_error_set(HOYA_ENOTSUP, "curses does not know this terminal (TERM)");
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE); /* getch never waits */
    set_escdelay(25);
    int rc = hoya_loop_add_reader(loop, STDIN_FILENO, on_keys, NULL, NULL);
    if (rc >= 0) rc = hoya_loop_add_signal_handler(loop, SIGWINCH, on_resize, NULL, NULL);
    curses_ask_to_draw();
    return rc;
}

void curses_end(void)
{
    if (!screen.curses) return;
    hoya_loop_remove_reader(screen.loop, STDIN_FILENO);
    hoya_loop_remove_signal_handler(screen.loop, SIGWINCH);
    endwin();
    delscreen(screen.curses);
    screen.curses = NULL;
}
