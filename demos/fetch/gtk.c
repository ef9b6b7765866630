/* SPDX-License-Identifier: MIT
 *
 * gtk.c: the downloads' window with GTK 3. The application's main loop is gtk_main, and hoya is a guest in it: what the
 * downloads tell (gui.c) comes in this thread, between the callbacks of the widgets, and may call any of them. The line of
 * this file that says so is hoya_set_event_loop_policy(hoya_glib_policy()).
 */
#include <gtk/gtk.h>
#include <hoya/glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gui.h"
#include "window/gtk.h"

static gui the;
static GtkWidget *window, *header, *more, *list, *scroll, *total_bar, *total, *counts, *crowd_box, *crowd, *mover,
    *pace;

/* ---- a row ------------------------------------------------------------------------------------------------ */

typedef struct row {
    gui_row *of;
    GtkWidget *all, *mark, *title, *text, *bar, *button;
    const char *class; /* of its state */
} row;

static GPtrArray *rows;

static void add_class(GtkWidget *widget, const char *name)
{
    gtk_style_context_add_class(gtk_widget_get_style_context(widget), name);
}

static void button_clicked(GtkButton *button, void *arg)
{
    (void)button;
    gui_press(((row *)arg)->of);
}

static GtkWidget *label(const char *class, float align)
{
    GtkWidget *made = gtk_label_new(NULL);
    gtk_label_set_xalign(GTK_LABEL(made), align);
    if (class) add_class(made, class);
    return made;
}

static void *add_row(gui_row *of, const char *title)
{
    row *one = g_new0(row, 1);
    g_ptr_array_add(rows, one);
    one->of = of;
    one->all = gtk_list_box_row_new();
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(one->all), FALSE);
    gtk_list_box_row_set_selectable(GTK_LIST_BOX_ROW(one->all), FALSE);
    one->mark = label("mark", 0.5f);
    gtk_label_set_width_chars(GTK_LABEL(one->mark), 2);
    one->title = label("title", 0);
    gtk_label_set_text(GTK_LABEL(one->title), title);
    gtk_label_set_ellipsize(GTK_LABEL(one->title), PANGO_ELLIPSIZE_MIDDLE);
    one->text = label("dim-label", 1);
    gtk_label_set_ellipsize(GTK_LABEL(one->text), PANGO_ELLIPSIZE_END);
    one->bar = gtk_progress_bar_new();
    one->button = gtk_button_new_with_label("Cancel");
    gtk_widget_set_size_request(one->button, 84, -1);
    gtk_widget_set_valign(one->button, GTK_ALIGN_CENTER);
    gtk_widget_set_focus_on_click(one->button, FALSE);
    g_signal_connect(one->button, "clicked", G_CALLBACK(button_clicked), one);

    GtkWidget *words = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12),
              *middle = gtk_box_new(GTK_ORIENTATION_VERTICAL, 5),
              *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    gtk_box_pack_start(GTK_BOX(words), one->title, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(words), one->text, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(middle), words, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(middle), one->bar, FALSE, FALSE, 0);
    gtk_widget_set_valign(middle, GTK_ALIGN_CENTER);
    gtk_box_pack_start(GTK_BOX(line), one->mark, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(line), middle, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(line), one->button, FALSE, FALSE, 0);
    add_class(line, "row");
    gtk_container_add(GTK_CONTAINER(one->all), line);
    gtk_widget_show_all(one->all);
    gtk_container_add(GTK_CONTAINER(list), one->all);
    return one;
}

static void set_text(GtkWidget *widget, const char *text)
{
    if (strcmp(gtk_label_get_text(GTK_LABEL(widget)), text)) gtk_label_set_text(GTK_LABEL(widget), text);
}

static void show_row(void *widgets, const gui_look *look)
{
    row *one = widgets;
    const char *class = gui_state_name(look->state);
    if (class != one->class) {
        GtkStyleContext *style = gtk_widget_get_style_context(one->all);
        if (one->class) gtk_style_context_remove_class(style, one->class);
        gtk_style_context_add_class(style, one->class = class);
        gtk_label_set_text(GTK_LABEL(one->mark), look->mark);
        if (look->button) gtk_button_set_label(GTK_BUTTON(one->button), look->button);
        gtk_widget_set_opacity(one->button, look->button ? 1 : 0); /* its place stays */
        gtk_widget_set_sensitive(one->button, look->button != NULL);
    }
    set_text(one->text, look->text);
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(one->bar), look->fraction);
}

/* ---- the lower edge ------------------------------------------------------------------------------------------ */

static void show_foot(const gui_foot *foot)
{
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(total_bar), foot->fraction);
    set_text(total, foot->total);
    set_text(counts, foot->counts);
    set_text(crowd, foot->crowd);
    set_text(pace, foot->pace);
    gtk_widget_set_sensitive(crowd_box, foot->crowd_free);
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(crowd_box),
                                 foot->crowd_on); /* "toggled": gui_crowd knows it already */
}

static void crowd_toggled(GtkToggleButton *button, void *arg)
{
    (void)arg;
    gui_crowd(&the, gtk_toggle_button_get_active(button));
}

/* ---- the thing that moves ------------------------------------------------------------------------------------- */

/* By the clock of all of GTK's animations: before each frame it calls this, with the time of that frame. */
static gboolean frame_due(GtkWidget *widget, GdkFrameClock *clock, void *arg)
{
    (void)arg;
    gint64 due = gdk_frame_clock_get_frame_time(clock), interval, presented;
    gdk_frame_clock_get_refresh_info(clock, due, &interval, &presented);
    frames_due(&the.frames, due * 1000, interval * 1000);
    gtk_widget_queue_draw(widget);
    return G_SOURCE_CONTINUE;
}

static gboolean draw_mover(GtkWidget *widget, cairo_t *cairo, void *arg)
{
    (void)arg;
    double width = gtk_widget_get_allocated_width(widget), middle = gtk_widget_get_allocated_height(widget) / 2.0;
    cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_width(cairo, 6);
    cairo_set_source_rgb(cairo, 0.86, 0.85, 0.84);
    cairo_move_to(cairo, 7, middle);
    cairo_line_to(cairo, width - 7, middle);
    cairo_stroke(cairo);
    cairo_set_source_rgb(cairo, 0.21, 0.52, 0.89);
    cairo_arc(cairo, 7 + frames_place() * (width - 14), middle, 6, 0, 2 * M_PI);
    cairo_fill(cairo);
    frames_painted(&the.frames);
    return FALSE;
}

/* ---- the window ------------------------------------------------------------------------------------------------ */

static const char style[] =
    ".row { padding: 6px 14px; border-bottom: 1px solid alpha(@borders, 0.4); }\n"
    ".title { font-weight: 600; }\n"
    ".mark { font-weight: bold; color: #9a9996; }\n"
    "progressbar trough, progressbar progress { min-height: 6px; border: none; border-radius: 3px;"
    " box-shadow: none; }\n"
    "progressbar trough { background: #deddda; }\n"
    "progressbar progress { background: #3584e4; }\n"
    ".loading .mark, .connecting .mark { color: #3584e4; }\n"
    ".done .mark { color: #2b9a3e; }\n"
    ".done progress { background: #2b9a3e; }\n"
    ".failed .mark, .failed .dim-label { color: #c01c28; opacity: 1; }\n"
    ".failed progress { background: #c01c28; }\n"
    ".cancelled .title { opacity: 0.55; }\n"
    ".cancelled progress, .waiting progress { background: #9a9996; }\n"
    ".foot { padding: 10px 16px; border-top: 1px solid @borders; }\n"
    ".foot progressbar trough, .foot progressbar progress { min-height: 10px; border-radius: 5px; }\n";

static gboolean close_asked(void)
{
    gui_close(&the);
    return TRUE; /* the window stays until all is closed */
}

static void make_header(void)
{
    header = gtk_header_bar_new();
    gtk_header_bar_set_title(GTK_HEADER_BAR(header), "hoya Fetch");
    gtk_header_bar_set_show_close_button(GTK_HEADER_BAR(header), TRUE);
    more = gtk_button_new_with_mnemonic("10 _More");
    gtk_widget_set_focus_on_click(more, FALSE);
    gtk_header_bar_pack_start(GTK_HEADER_BAR(header), more);
    gtk_window_set_titlebar(GTK_WINDOW(window), header);
    g_signal_connect_swapped(more, "clicked", G_CALLBACK(gui_more), &the);
}

static GtkWidget *line_of(GtkWidget *left, GtkWidget *right)
{
    GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 10);
    gtk_box_pack_start(GTK_BOX(line), left, FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(line), right, FALSE, FALSE, 0);
    return line;
}

static GtkWidget *make_foot(void)
{
    char title[64];
    gui_crowd_title(&the, title);
    total_bar = gtk_progress_bar_new();
    total = label("title", 0);
    counts = label("dim-label", 1);
    crowd_box = gtk_check_button_new_with_label(title);
    gtk_widget_set_focus_on_click(crowd_box, FALSE);
    g_signal_connect(crowd_box, "toggled", G_CALLBACK(crowd_toggled), NULL);
    crowd = label("dim-label", 0);
    mover = gtk_drawing_area_new();
    gtk_widget_set_size_request(mover, 110, 16);
    g_signal_connect(mover, "draw", G_CALLBACK(draw_mover), NULL);
    gtk_widget_add_tick_callback(mover, frame_due, NULL, NULL);
    pace = label("dim-label", 1);
    gtk_label_set_width_chars(GTK_LABEL(pace), 30);

    GtkWidget *foot = gtk_box_new(GTK_ORIENTATION_VERTICAL, 8);
    add_class(foot, "foot");
    gtk_box_pack_start(GTK_BOX(foot), total_bar, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(foot), line_of(total, counts), FALSE, FALSE, 0);
    GtkWidget *last = line_of(crowd_box, mover);
    gtk_box_pack_start(GTK_BOX(last), crowd, FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(last), pace, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(foot), last, FALSE, FALSE, 0);
    return foot;
}

static void make_window(void)
{
    window_use_style(style);
    rows = g_ptr_array_new_with_free_func(g_free);

    window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    gtk_window_set_default_size(GTK_WINDOW(window), 780, 700);
    g_signal_connect(window, "delete-event", G_CALLBACK(close_asked), NULL);
    window_close_by_key(window);
    make_header();
    list = gtk_list_box_new();
    scroll = gtk_scrolled_window_new(NULL, NULL);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroll), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_container_add(GTK_CONTAINER(scroll), list);
    GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_box_pack_start(GTK_BOX(column), scroll, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(column), make_foot(), FALSE, FALSE, 0);
    gtk_container_add(GTK_CONTAINER(window), column);
    gtk_widget_show_all(window);
}

/* Where to click: for --log. */
static gboolean log_places(void *arg)
{
    (void)arg;
    for (guint i = 0; i < rows->len; i++) {
        row *one = rows->pdata[i];
        window_log_place(gtk_label_get_text(GTK_LABEL(one->title)), one->button);
    }
    window_log_place("crowd", crowd_box);
    window_log_place("more", more);
    return G_SOURCE_REMOVE;
}

/* ---- a person's hands and eyes (gui.h) ---------------------------------------------------------------- */

static void disable(void)
{
    gtk_widget_set_sensitive(window, FALSE);
}

static void press(void *widgets)
{
    gtk_button_clicked(GTK_BUTTON(((row *)widgets)->button));
}

static void click_more(void)
{
    gtk_button_clicked(GTK_BUTTON(more));
}

static void click_crowd(void)
{
    gtk_button_clicked(GTK_BUTTON(crowd_box));
}

static char *joined(const char *a, const char *b, const char *c)
{
    char *text = g_strjoin("|", a, b, c, NULL), *copy = strdup(text);
    g_free(text);
    return copy;
}

static char *row_text(void *widgets)
{
    row *one = widgets;
    bool button = gtk_widget_get_sensitive(one->button);
    return joined(gtk_label_get_text(GTK_LABEL(one->title)), gtk_label_get_text(GTK_LABEL(one->text)),
                  button ? gtk_button_get_label(GTK_BUTTON(one->button)) : "");
}

static double row_fraction(void *widgets)
{
    return gtk_progress_bar_get_fraction(GTK_PROGRESS_BAR(((row *)widgets)->bar));
}

static char *foot_text(void)
{
    return joined(gtk_label_get_text(GTK_LABEL(total)), gtk_label_get_text(GTK_LABEL(counts)),
                  gtk_label_get_text(GTK_LABEL(crowd)));
}

static void show_end(void)
{
    GtkAdjustment *by = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(scroll));
    gtk_adjustment_set_value(by, gtk_adjustment_get_upper(by));
}

static int save_picture(const char *path)
{
    return window_save_picture(window, path);
}

static const gui_window functions = {.toolkit = "GTK 3",
                                     .program = "fetch-gtk",
                                     .add_row = add_row,
                                     .show_row = show_row,
                                     .show_foot = show_foot,
                                     .disable = disable,
                                     .quit = gtk_main_quit,
                                     .press = press,
                                     .click_more = click_more,
                                     .click_crowd = click_crowd,
                                     .row_text = row_text,
                                     .row_fraction = row_fraction,
                                     .foot_text = foot_text,
                                     .show_end = show_end,
                                     .save_picture = save_picture};

int main(int argc, char **argv)
{
    if (!gui_begin(&the, &functions, argc, argv)) return the.status;
    if (!gtk_init_check(&argc, &argv)) {
        fprintf(stderr, "fetch-gtk: GTK finds no display\n");
        the.status = 1;
        return gui_end(&the);
    }
    make_window();
    hoya_set_event_loop_policy(hoya_glib_policy()); /* the line: loops of this program live in GLib's main loop */
    if (gui_start(&the) >= 0) {
        g_timeout_add(300, log_places, NULL);
        gtk_main();
    }
    int status = gui_end(&the);
    gtk_widget_destroy(window);
    g_ptr_array_unref(rows);
    return status;
}
