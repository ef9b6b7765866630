/* SPDX-License-Identifier: MIT
 *
 * screen.c: the client on a screen of curses: pages of lines, a status line, a line to type in; in the loop by
 * curses_loop.h.
 *
 *     Alt-1 ... Alt-9, /win N, Ctrl-N, Ctrl-P   pages
 *     Up, Down                                  what was typed before
 *     PageUp, PageDown                          what was said before
 */
#include "screen/curses_loop.h"
#include "term.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

enum { PAGES = 32, LINES_KEPT = 1000, TYPED = 1024, HISTORY = 100 };

struct page {
    char name[IRC_NAME];        /* "" is the server's, the first one */
    wchar_t *lines[LINES_KEPT]; /* a ring: line n is lines[n % LINES_KEPT] */
    size_t count;               /* how many there ever were */
    size_t back;                /* how many of them are below the screen */
    bool unread;
};

static struct screen {
    struct term *term;
    struct page *pages[PAGES];
    int count, present;
    bool escape; /* the last key was Escape, or Alt */
    wchar_t typed[TYPED];
    int length, cursor;
    wchar_t *history[HISTORY];
    int history_count, history_at;
} screen;

/* ---- drawing --------------------------------------------------------------------------------------------- */

/* How many columns a character takes: 0 of one that only changes the one before. */
static int width_of(wchar_t c)
{
    int width = wcwidth(c);
    return width < 0 ? 1 : width;
}

/* How much of a line fits into a row: at a space, if one is near. */
static int fit_row(const wchar_t *line, int columns)
{
    int used = 0, space = 0, i = 0;
    for (; line[i]; i++) {
        used += width_of(line[i]);
        if (used > columns) return space > 0 ? space : i > 0 ? i : 1;
        if (line[i] == L' ') space = i + 1;
    }
    return i;
}

static int rows_of(const wchar_t *line, int columns)
{
    int rows = 1;
    for (int fit; line[fit = fit_row(line, columns)]; rows++) line += fit;
    return rows;
}

static void draw_line(const wchar_t *line, int row, int columns)
{
    for (; *line; row++) {
        int fit = fit_row(line, columns);
        if (row >= 0) mvaddnwstr(row, 0, line, fit);
        line += fit;
    }
}

/* From the last line upwards, as far as the screen goes. */
static void draw_lines(const struct page *page, int rows, int columns)
{
    size_t kept = page->count < LINES_KEPT ? page->count : LINES_KEPT;
    size_t n = page->count - page->back;
    for (int row = rows; row > 0 && n > page->count - kept;) {
        const wchar_t *line = page->lines[--n % LINES_KEPT];
        row -= rows_of(line, columns);
        draw_line(line, row, columns);
    }
}

static void draw_status(int row, int columns)
{
    const struct term *term = screen.term;
    const char *const *names;
    char lag[40] = "", text[512], there[40] = "";
    size_t count = irc_names(term->client, term->page, &names);
    if (term->lag == HOYA_NEVER) snprintf(lag, sizeof lag, " | no answer");
    else if (term->lag > 0) snprintf(lag, sizeof lag, " | lag %.1f ms", (double)term->lag / 1e6);
    if (count) snprintf(there, sizeof there, " (%zu)", count);
    int used = snprintf(text, sizeof text, " %s | %s%s | %s%s |", irc_get_nick(term->client),
                        term->page[0] ? term->page : "server", there, term->state, lag);
    for (int i = 0; i < screen.count && used < (int)sizeof text - 80; i++)
        used +=
            snprintf(text + used, sizeof text - (size_t)used, screen.pages[i]->unread ? " [%d*]" : " %d", i + 1);
    attron(A_REVERSE);
    mvhline(row, 0, ' ', columns);
    mvaddnstr(row, 0, text, (int)irc_fit(text, (size_t)columns));
    attroff(A_REVERSE);
}

/* So much of what is typed that the cursor can be seen. */
static void draw_typed(int row, int columns)
{
    int first = screen.cursor, used = 1;
    while (first > 0 && used + width_of(screen.typed[first - 1]) < columns) used += width_of(screen.typed[--first]);
    screen.typed[screen.length] = L'\0';
    int fit = 0;
    for (int width = 0; first + fit < screen.length; fit++) {
        width += width_of(screen.typed[first + fit]);
        if (width >= columns) break;
    }
    mvaddnwstr(row, 0, screen.typed + first, fit);
    move(row, used - 1);
}

static void draw(int rows, int columns)
{
    if (rows <= 2 || columns <= 4) return;
    draw_lines(screen.pages[screen.present], rows - 2, columns);
    draw_status(rows - 2, columns);
    draw_typed(rows - 1, columns);
}

/* ---- pages ----------------------------------------------------------------------------------------------- */

static int find_page(const char *name)
{
    for (int i = 0; i < screen.count; i++)
        if (irc_compare(screen.pages[i]->name, name) == 0) return i;
    return -1;
}

/* Where it is, or is made; where there is no room for it, the server's. */
static int open_page(const char *name)
{
    int at = find_page(name);
    if (at >= 0) return at;
    struct page *page = screen.count < PAGES ? calloc(1, sizeof *page) : NULL;
    if (!page) return 0;
    snprintf(page->name, sizeof page->name, "%s", name);
    screen.pages[screen.count] = page;
    return screen.count++;
}

static void turn_to(int at)
{
    if (at < 0 || at >= screen.count) return;
    screen.present = at;
    screen.pages[at]->unread = false;
    snprintf(screen.term->page, sizeof screen.term->page, "%s", screen.pages[at]->name);
    curses_ask_to_draw();
}

static void free_page(struct page *page)
{
    for (int i = 0; i < LINES_KEPT; i++) free(page->lines[i]);
    free(page);
}

static void close_page(int at)
{
    free_page(screen.pages[at]);
    screen.count--;
    memmove(screen.pages + at, screen.pages + at + 1, (size_t)(screen.count - at) * sizeof *screen.pages);
    turn_to(screen.present >= at && screen.present > 0 ? screen.present - 1 : screen.present);
}

static void screen_show(struct term *term, const char *name, const char *text)
{
    char line[2 * IRC_LONGEST + 2 * IRC_NAME + 16];
    time_t now = time(NULL);
    struct tm local;
    (void)term;
    size_t used = strftime(line, sizeof line, "%H:%M ", localtime_r(&now, &local));
    snprintf(line + used, sizeof line - used, "%s", text);
    wchar_t *wide = calloc(strlen(line) + 1, sizeof *wide);
    if (!wide) return;
    if (mbstowcs(wide, line, strlen(line) + 1) == (size_t)-1) /* not what this terminal can show */
        for (size_t i = 0; line[i]; i++) wide[i] = (unsigned char)line[i] < 0x80 ? (wchar_t)line[i] : L'?';

    int at = open_page(name ? name : "");
    struct page *page = screen.pages[at];
    wchar_t **place = &page->lines[page->count++ % LINES_KEPT];
    free(*place);
    *place = wide;
    if (page->back && page->back < LINES_KEPT - 1) page->back++; /* who looks at old lines goes on doing so */
    page->unread = at != screen.present;
    curses_ask_to_draw();
}

static void screen_page(struct term *term, const char *name, bool there)
{
    int at = there ? open_page(name) : find_page(name);
    (void)term;
    if (there) turn_to(at);
    else if (at > 0) close_page(at);
}

static void screen_update(struct term *term)
{
    (void)term;
    curses_ask_to_draw();
}

/* ---- keys ------------------------------------------------------------------------------------------------ */

static void remember(void)
{
    wchar_t *copy = wcsdup(screen.typed);
    if (!copy) return;
    if (screen.history_count == HISTORY) {
        free(screen.history[0]);
        memmove(screen.history, screen.history + 1, (HISTORY - 1) * sizeof *screen.history);
        screen.history_count--;
    }
    screen.history[screen.history_count++] = copy;
}

static void recall(int step)
{
    int at = screen.history_at + step;
    if (at < 0 || at > screen.history_count) return;
    screen.history_at = at;
    wcscpy(screen.typed, at == screen.history_count ? L"" : screen.history[at]);
    screen.length = screen.cursor = (int)wcslen(screen.typed);
}

static void enter(void)
{
    char text[TYPED * 4 + 1];
    screen.typed[screen.length] = L'\0';
    if (screen.length == 0) return;
    remember();
    screen.history_at = screen.history_count;
    size_t size = wcstombs(text, screen.typed, sizeof text);
    screen.length = screen.cursor = 0;
    if (size == (size_t)-1 || size >= sizeof text) return;
    screen.pages[screen.present]->back = 0;
    if (strncmp(text, "/win ", 5) == 0) turn_to(atoi(text + 5) - 1);
    else term_typed(screen.term, text);
}

static void put_in(wchar_t c)
{
    if (screen.length >= TYPED - 1 || !iswprint((wint_t)c)) return;
    wmemmove(screen.typed + screen.cursor + 1, screen.typed + screen.cursor,
             (size_t)(screen.length - screen.cursor));
    screen.typed[screen.cursor++] = c;
    screen.length++;
}

static void take_out(int at)
{
    if (at < 0 || at >= screen.length) return;
    wmemmove(screen.typed + at, screen.typed + at + 1, (size_t)(screen.length - at - 1));
    screen.length--;
    if (screen.cursor > at) screen.cursor--;
}

static void scroll_by(int lines)
{
    struct page *page = screen.pages[screen.present];
    size_t kept = page->count < LINES_KEPT ? page->count : LINES_KEPT;
    long back = (long)page->back + lines;
    page->back = back < 0 ? 0 : (size_t)back < kept ? (size_t)back : kept ? kept - 1 : 0;
}

static void on_special(wint_t key)
{
    switch (key) {
    case KEY_UP:
        recall(-1);
        break;
    case KEY_DOWN:
        recall(1);
        break;
    case KEY_LEFT:
        screen.cursor -= screen.cursor > 0;
        break;
    case KEY_RIGHT:
        screen.cursor += screen.cursor < screen.length;
        break;
    case KEY_HOME:
        screen.cursor = 0;
        break;
    case KEY_END:
        screen.cursor = screen.length;
        break;
    case KEY_PPAGE:
        scroll_by(getmaxy(stdscr) / 2);
        break;
    case KEY_NPAGE:
        scroll_by(-getmaxy(stdscr) / 2);
        break;
    case KEY_BACKSPACE:
        take_out(screen.cursor - 1);
        break;
    case KEY_DC:
        take_out(screen.cursor);
        break;
    case KEY_ENTER:
        enter();
        break;
    default:
        break;
    }
}

static void on_character(wint_t key)
{
    bool alt = screen.escape;
    screen.escape = key == 27 && !alt;
    if (alt && key >= L'1' && key <= L'9') {
        turn_to((int)(key - L'1'));
        return;
    }
    switch (key) {
    case 1:
        screen.cursor = 0;
        break; /* Ctrl-A */
    case 4:    /* Ctrl-D */
        if (screen.length == 0) term_quit(screen.term);
        else take_out(screen.cursor);
        break;
    case 5:
        screen.cursor = screen.length;
        break; /* Ctrl-E */
    case 8:
    case 127:
        take_out(screen.cursor - 1);
        break;
    case 10:
    case 13:
        enter();
        break;
    case 12:
        clearok(stdscr, TRUE);
        break; /* Ctrl-L */
    case 14:
        turn_to((screen.present + 1) % screen.count);
        break; /* Ctrl-N */
    case 16:
        turn_to((screen.present + screen.count - 1) % screen.count);
        break; /* Ctrl-P */
    case 21:
        screen.length = screen.cursor = 0;
        break; /* Ctrl-U */
    default:
        put_in((wchar_t)key);
        break;
    }
}

static void read_keys(void)
{
    wint_t key;
    int kind;
    while ((kind = get_wch(&key)) != ERR) {
        if (kind == KEY_CODE_YES) on_special(key);
        else on_character(key);
    }
}

static void hung_up(void)
{
    term_quit(screen.term);
}

/* ---- the display ----------------------------------------------------------------------------------------- */

static int screen_open(struct term *term)
{
    static const curses_face face = {draw, read_keys, hung_up};
    screen.term = term;
    open_page("");
    return screen.count ? curses_begin(term->loop, &face) : HOYA_ENOMEM;
}

static void screen_close(struct term *term)
{
    (void)term;
    curses_end();
    while (screen.count) free_page(screen.pages[--screen.count]);
    while (screen.history_count) free(screen.history[--screen.history_count]);
}

const struct display screen_display = {screen_open, screen_show, screen_page, screen_update, screen_close};
