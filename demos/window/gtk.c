/* SPDX-License-Identifier: MIT
 *
 * gtk.c: what the windows with GTK 3 have in common (gtk.h).
 */
#include "window/gtk.h"

void window_use_style(const char *css)
{
    GtkCssProvider *provider = gtk_css_provider_new();
    gtk_css_provider_load_from_data(provider, css, -1, NULL);
    gtk_style_context_add_provider_for_screen(gdk_screen_get_default(), GTK_STYLE_PROVIDER(provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    g_object_unref(provider);
}

static gboolean key_pressed(GtkWidget *window, GdkEventKey *event, void *arg)
{
    (void)arg;
    if (!(event->state & GDK_CONTROL_MASK) || event->keyval != GDK_KEY_q) return FALSE;
    gtk_window_close(GTK_WINDOW(window));
    return TRUE;
}

void window_close_by_key(GtkWidget *window)
{
    g_signal_connect(window, "key-press-event", G_CALLBACK(key_pressed), NULL);
}

int window_save_picture(GtkWidget *window, const char *path)
{
    GdkRectangle frame;
    gdk_window_get_frame_extents(gtk_widget_get_window(window), &frame);
    GdkPixbuf *picture =
        gdk_pixbuf_get_from_window(gdk_get_default_root_window(), frame.x, frame.y, frame.width, frame.height);
    int saved = picture && gdk_pixbuf_save(picture, path, "png", NULL, NULL);
    g_clear_object(&picture);
    return saved ? 0 : -1;
}

void window_log_place(const char *name, GtkWidget *widget)
{
    GtkWidget *window = gtk_widget_get_toplevel(widget);
    int x, y, left, top;
    char text[32];
    gtk_widget_translate_coordinates(widget, window, gtk_widget_get_allocated_width(widget) / 2,
                                     gtk_widget_get_allocated_height(widget) / 2, &x, &y);
    gdk_window_get_origin(gtk_widget_get_window(window), &left, &top);
    g_snprintf(text, sizeof text, "%d %d", left + x, top + y);
    window_log("place", name, text);
}
