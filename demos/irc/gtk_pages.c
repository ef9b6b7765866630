/* SPDX-License-Identifier: MIT
 *
 * gtk_pages.c: the pages of the GTK window: for each a row in the list at the left and a text view (gtk_pages.h).
 */
#include "gtk_pages.h"

#include <stdlib.h>
#include <string.h>

static GPtrArray *pages; /* of page */
static GtkTextTagTable *tags;
static GtkWidget *list, *stack;

static void make_tags(void)
{
    static const struct {
        const char *name, *property, *value;
    } looks[] = {
        {"time", "foreground", "#8a8a8a"}, {"info", "foreground", "#8a8a8a"}, {"notice", "foreground", "#a5541a"}};
    tags = gtk_text_tag_table_new();
    for (size_t i = 0; i < G_N_ELEMENTS(looks) + GUI_COLOURS; i++) {
        gboolean colour = i < GUI_COLOURS;
        GtkTextTag *tag = gtk_text_tag_new(colour ? gui_colours[i] : looks[i - GUI_COLOURS].name);
        g_object_set(tag, "foreground", colour ? gui_colours[i] : looks[i - GUI_COLOURS].value, NULL);
        gtk_text_tag_table_add(tags, tag);
        g_object_unref(tag);
    }
    GtkTextTag *bold = gtk_text_tag_new("nick"), *slanted = gtk_text_tag_new("action");
    g_object_set(bold, "weight", PANGO_WEIGHT_BOLD, NULL);
    g_object_set(slanted, "style", PANGO_STYLE_ITALIC, NULL);
    gtk_text_tag_table_add(tags, bold);
    gtk_text_tag_table_add(tags, slanted);
    g_object_unref(bold);
    g_object_unref(slanted);
}

page *page_find(const char *name)
{
    for (guint i = 0; i < pages->len; i++) {
        page *one = pages->pdata[i];
        if (!g_ascii_strcasecmp(one->name, name)) return one;
    }
    return NULL;
}

/* The adjustment of a text view moves when lines come, when they are measured, which is later, when the window changes its
 * size, and when somebody scrolls. Only the last one decides whether the end is followed: it alone goes up in a text that
 * is as high as before. */
static void scrolled(GtkAdjustment *by, page *one)
{
    double value = gtk_adjustment_get_value(by), upper = gtk_adjustment_get_upper(by);
    if (value + gtk_adjustment_get_page_size(by) >= upper - 4) one->at_end = TRUE;
    else if (value < one->value && upper == one->upper) one->at_end = FALSE;
    one->value = value;
}

/* The text view scrolls there when it has measured what came: gtk_adjustment_set_value would be too early. */
static void grown(GtkAdjustment *by, page *one)
{
    one->upper = gtk_adjustment_get_upper(by);
    if (one->at_end) gtk_text_view_scroll_to_mark(GTK_TEXT_VIEW(one->view), one->end, 0, TRUE, 0, 1);
}

static GtkWidget *page_view(page *one)
{
    GtkTextBuffer *buffer = gtk_text_buffer_new(tags);
    GtkTextIter end;
    gtk_text_buffer_get_end_iter(buffer, &end);
    one->end = gtk_text_buffer_create_mark(buffer, NULL, &end, FALSE);
    one->view = gtk_text_view_new_with_buffer(buffer);
    g_object_unref(buffer);
    GtkTextView *view = GTK_TEXT_VIEW(one->view);
    gtk_text_view_set_editable(view, FALSE);
    gtk_text_view_set_cursor_visible(view, FALSE);
    gtk_text_view_set_wrap_mode(view, GTK_WRAP_WORD_CHAR);
    gtk_text_view_set_left_margin(view, 12);
    gtk_text_view_set_right_margin(view, 12);
    gtk_text_view_set_top_margin(view, 8);
    gtk_text_view_set_bottom_margin(view, 8);
    gtk_text_view_set_pixels_below_lines(view, 4);
    PangoLayout *time = gtk_widget_create_pango_layout(one->view, "00:00  ");
    int width;
    pango_layout_get_pixel_size(time, &width, NULL);
    g_object_unref(time);
    gtk_text_view_set_indent(view, -width); /* what is wrapped stands right of the time */

    one->scroll = gtk_scrolled_window_new(NULL, NULL);
    /* External, not never: then its lines, which are wrapped already, would keep the window from becoming smaller. */
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(one->scroll), GTK_POLICY_EXTERNAL, GTK_POLICY_AUTOMATIC);
    gtk_container_add(GTK_CONTAINER(one->scroll), one->view);
    GtkAdjustment *by = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(one->scroll));
    g_signal_connect(by, "value-changed", G_CALLBACK(scrolled), one);
    g_signal_connect(by, "changed", G_CALLBACK(grown), one);
    one->at_end = TRUE;
    return one->scroll;
}

page *page_of(const char *name) /* a new one, if there is none */
{
    if (!name) name = "";
    page *one = page_find(name);
    if (one) return one;
    one = g_new0(page, 1);
    one->name = g_strdup(name);
    one->names = gtk_list_store_new(2, G_TYPE_STRING, G_TYPE_STRING); /* the name, its colour */
    g_ptr_array_add(pages, one);

    GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    gtk_container_set_border_width(GTK_CONTAINER(line), 6);
    one->label = gtk_label_new(*name ? name : "Server");
    gtk_label_set_xalign(GTK_LABEL(one->label), 0);
    gtk_label_set_ellipsize(GTK_LABEL(one->label), PANGO_ELLIPSIZE_END);
    gtk_box_pack_start(GTK_BOX(line), one->label, TRUE, TRUE, 2);
    one->badge = gtk_label_new(NULL);
    gtk_style_context_add_class(gtk_widget_get_style_context(one->badge), "badge");
    gtk_widget_set_no_show_all(one->badge, TRUE);
    gtk_box_pack_end(GTK_BOX(line), one->badge, FALSE, FALSE, 2);
    one->row = gtk_list_box_row_new();
    g_object_set_data(G_OBJECT(one->row), "page", one);
    gtk_container_add(GTK_CONTAINER(one->row), line);
    gtk_list_box_insert(GTK_LIST_BOX(list), one->row, -1);
    gtk_container_add(GTK_CONTAINER(stack), page_view(one));
    gtk_widget_show_all(one->row);
    gtk_widget_show_all(one->scroll);
    return one;
}

static void page_free(void *arg)
{
    page *one = arg;
    g_object_unref(one->names);
    g_free(one->name);
    g_free(one);
}

void page_show(page *one)
{
    gtk_list_box_select_row(GTK_LIST_BOX(list), GTK_LIST_BOX_ROW(one->row));
}

static void show_unread(page *one)
{
    char text[16];
    g_snprintf(text, sizeof text, "%u", one->unread);
    gtk_label_set_text(GTK_LABEL(one->badge), text);
    gtk_widget_set_visible(one->badge, one->unread > 0);
    GtkStyleContext *style = gtk_widget_get_style_context(one->label);
    if (one->unread) gtk_style_context_add_class(style, "unread");
    else gtk_style_context_remove_class(style, "unread");
}

void page_seen(page *one)
{
    one->unread = 0;
    show_unread(one);
}

void page_add_line(page *one, const char *from, const char *text, irc_kind kind)
{
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(one->view));
    GtkTextIter end;
    char now[8];
    gui_time(now);
    gtk_text_buffer_get_end_iter(buffer, &end);
    if (gtk_text_buffer_get_char_count(buffer)) gtk_text_buffer_insert(buffer, &end, "\n", 1);
    gtk_text_buffer_insert_with_tags_by_name(buffer, &end, now, -1, "time", NULL);
    gtk_text_buffer_insert(buffer, &end, "  ", 2);
    if (from && kind == IRC_ACTION) gtk_text_buffer_insert(buffer, &end, "✶ ", -1);
    if (from) gtk_text_buffer_insert_with_tags_by_name(buffer, &end, from, -1, "nick", gui_colour(from), NULL);
    if (from) gtk_text_buffer_insert(buffer, &end, kind == IRC_ACTION ? " " : "  ", -1);
    const char *look = kind == IRC_INFO     ? "info"
                       : kind == IRC_ACTION ? "action"
                       : kind == IRC_NOTICE ? "notice"
                                            : NULL;
    gtk_text_buffer_insert_with_tags_by_name(buffer, &end, text, -1, look, NULL);
    gboolean shown = gtk_stack_get_visible_child(GTK_STACK(stack)) == one->scroll;
    if (!shown && kind != IRC_INFO) {
        one->unread++;
        show_unread(one);
    }
    char *line = g_strdup_printf("%s%s%s", from ? from : "", from ? ": " : "", text);
    window_log("line", one->name, line);
    g_free(line);
}

char *page_text(const char *name)
{
    page *one = page_find(name);
    if (!one) return NULL;
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(one->view));
    GtkTextIter from, to;
    gtk_text_buffer_get_bounds(buffer, &from, &to);
    char *text = gtk_text_buffer_get_text(buffer, &from, &to, TRUE), *copy = strdup(text);
    g_free(text);
    return copy;
}

void pages_begin(GtkWidget *rows, GtkWidget *views)
{
    list = rows;
    stack = views;
    make_tags();
    pages = g_ptr_array_new_with_free_func(page_free);
}

void pages_end(void)
{
    g_ptr_array_free(pages, TRUE);
    g_object_unref(tags);
}
