/* SPDX-License-Identifier: MIT
 *
 * screen.c: the downloads on a screen of curses: a row each, the total below, and keys; in the loop by curses_loop.h.
 *
 *     Up, Down, PageUp, PageDown   one of them
 *     c, r                         cancels it; again, from its beginning
 *     q                            the end
 */
#include "screen/curses_loop.h"
#include "term.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN = 512, LEAST_BAR = 8, MOST_BAR = 40, KEPT = 4 /* rows of the total, and an empty one */ };

static struct screen {
    struct term *term;
    int chosen, first;
} screen;

/* ---- drawing --------------------------------------------------------------------------------------------- */

static void draw_bar(int row, int column, int width, double part)
{
    int full = (int)(part * width + 0.5);
    attron(A_REVERSE);
    mvhline(row, column, ' ', full);
    attroff(A_REVERSE);
    mvhline(row, column + full, '.', width - full);
}

/* "loading   12.3 of 20.0 MB   1.2 MB/s", or why not. */
static void describe(const fetch_item *item, char text[COLUMN])
{
    char bytes[SIZE_TEXT], size[SIZE_TEXT], speed[SIZE_TEXT];
    const struct row *row = fetch_item_user(item);
    fetch_state state = fetch_item_state(item);
    fetch_figures figures;
    fetch_item_figures(item, &figures);
    if (state == FETCH_LOADING)
        snprintf(text, COLUMN, "%s of %s, %s/s", term_size(bytes, figures.bytes), term_size(size, figures.size),
                 term_size(speed, (int64_t)figures.speed));
    else if (state == FETCH_DONE) snprintf(text, COLUMN, "done, %s", term_size(size, figures.size));
    else snprintf(text, COLUMN, "%s%s%s", term_state(state), row->why[0] ? ": " : "", row->why);
}

static int bar_width(int columns)
{
    int width = columns - NAME_WIDTH - 3 - 7 - 34;
    return width < LEAST_BAR ? LEAST_BAR : width < MOST_BAR ? width : MOST_BAR;
}

static void draw_line(int row, int columns, const char *name, double part, const char *text)
{
    int width = bar_width(columns), column = NAME_WIDTH + 3;
    mvaddnstr(row, 2, name, term_name_length(name));
    draw_bar(row, column, width, part);
    column += width + 1;
    mvprintw(row, column, "%3d %%", (int)(part * 100));
    column += 7;
    if (column < columns) mvaddnstr(row, column, text, columns - column);
}

static void draw_item(const fetch_item *item, int row, int columns, bool chosen)
{
    char text[COLUMN];
    fetch_figures figures;
    fetch_item_figures(item, &figures);
    describe(item, text);
    draw_line(row, columns, fetch_item_name(item), term_part(&figures), text);
    if (chosen) mvaddch(row, 0, '>');
}

/* Three rows. */
static void draw_total(int row, int columns)
{
    char text[2 * SUM_TEXT], sum[SUM_TEXT], size[SIZE_TEXT], speed[SIZE_TEXT];
    const struct term *term = screen.term;
    fetch_figures total;
    int64_t echoes;
    fetch_total(term->fetch, &total);
    term_sum(term, sum);
    snprintf(text, sizeof text, "%s, %s/s", term_size(size, total.bytes), term_size(speed, (int64_t)total.speed));
    attron(A_BOLD);
    draw_line(row++, columns, "all of them", term_part(&total), text);
    attroff(A_BOLD);
    int used = snprintf(text, sizeof text, " %s", sum);
    int open = term->crowd ? fetch_crowd_count(term->crowd, &echoes) : 0;
    if (term->crowd && open >= 0)
        snprintf(text + used, sizeof text - (size_t)used, " | %d other connections, %lld echoes", open,
                 (long long)echoes);
    attron(A_REVERSE);
    mvhline(row, 0, ' ', columns);
    mvaddnstr(row, 0, text, columns);
    attroff(A_REVERSE);
    mvaddnstr(row + 1, 0, " up, down: choose   c: cancel   r: again   q: quit", columns);
}

/* The chosen one is on the screen. */
static void scroll_to_chosen(int rows, int count)
{
    if (screen.chosen >= count) screen.chosen = count - 1;
    if (screen.chosen < 0) screen.chosen = 0;
    if (screen.first > screen.chosen) screen.first = screen.chosen;
    if (screen.first <= screen.chosen - rows) screen.first = screen.chosen - rows + 1;
}

static void draw(int rows, int columns)
{
    fetch_item *const *items;
    int count = (int)fetch_items(screen.term->fetch, &items);
    if (rows <= KEPT || columns <= NAME_WIDTH + LEAST_BAR + 4) return;
    scroll_to_chosen(rows - KEPT, count);
    for (int i = screen.first; i < count && i - screen.first < rows - KEPT; i++)
        draw_item(items[i], i - screen.first, columns, i == screen.chosen);
    draw_total(rows - KEPT + 1, columns);
}

/* ---- keys ------------------------------------------------------------------------------------------------ */

static void on_key(int key)
{
    fetch_item *const *items;
    int count = (int)fetch_items(screen.term->fetch, &items), page = getmaxy(stdscr) - KEPT;
    fetch_item *item = screen.chosen < count ? items[screen.chosen] : NULL;
    switch (key) {
    case KEY_UP:
        screen.chosen--;
        break;
    case KEY_DOWN:
        screen.chosen++;
        break;
    case KEY_PPAGE:
        screen.chosen -= page;
        break;
    case KEY_NPAGE:
        screen.chosen += page;
        break;
    case 'c':
        if (item) fetch_item_cancel(item); /* of one that has ended it is refused, and that is all */
        break;
    case 'r':
        if (item) fetch_item_retry(item);
        break;
    case 'q':
    case 4: /* Ctrl-D */
        hoya_event_set(screen.term->over);
        break;
    case 12: /* Ctrl-L */
        clearok(stdscr, TRUE);
        break;
    default:
        break;
    }
    if (screen.chosen >= count) screen.chosen = count - 1;
    if (screen.chosen < 0) screen.chosen = 0;
}

static void read_keys(void)
{
    int key;
    while ((key = getch()) != ERR) on_key(key);
}

static void hung_up(void)
{
    hoya_event_set(screen.term->over);
}

/* ---- the display ----------------------------------------------------------------------------------------- */

static int screen_open(struct term *term)
{
    static const curses_face face = {draw, read_keys, hung_up};
    screen.term = term;
    int rc = curses_begin(term->loop, &face);
    if (rc >= 0) curs_set(0);
    return rc;
}

static void screen_state(struct term *term, fetch_item *item, fetch_state state)
{
    (void)term, (void)item, (void)state;
    curses_ask_to_draw();
}

static void screen_update(struct term *term)
{
    (void)term;
    curses_ask_to_draw();
}

static void screen_close(struct term *term)
{
    (void)term;
    curses_end();
}

const struct display screen_display = {screen_open, screen_state, screen_update, screen_update, screen_close};
