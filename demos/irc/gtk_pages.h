/* SPDX-License-Identifier: MIT
 *
 * gtk_pages.h: the pages of the GTK window: a channel each, a private talk, or the server's own, whose name is "". A page
 * has a row in the list at the left, with a badge of the lines that nobody has seen; a text view; and a list of nicknames.
 */
#ifndef DEMO_IRC_GTK_PAGES_H
#define DEMO_IRC_GTK_PAGES_H

#include <gtk/gtk.h>

#include "gui.h"

typedef struct page {
    char *name;
    GtkWidget *row, *label, *badge, *scroll, *view;
    GtkListStore *names;
    GtkTextMark *end;
    guint unread;
    gboolean at_end;     /* nobody has scrolled up: new lines are scrolled to */
    double value, upper; /* of its adjustment, the last that were seen */
} page;

void pages_begin(GtkWidget *list, GtkWidget *stack); /* where their rows go, and their views */
void pages_end(void);

page *page_find(const char *name);
page *page_of(const char *name); /* a new one, if there is none; NULL: the server's */
void page_show(page *one);       /* its row is selected */
void page_seen(page *one);
void page_add_line(page *one, const char *from, const char *text, irc_kind kind);
char *page_text(const char *name); /* to be freed; NULL: there is no such page */

#endif
