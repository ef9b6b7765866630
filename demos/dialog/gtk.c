/* SPDX-License-Identifier: MIT
 *
 * gtk.c: the demo's window and dialog with GTK 3.
 */
#include <gtk/gtk.h>
#include <hoya/glib.h>
#include <stdio.h>
#include <stdlib.h>

#include "toolkit.h"
#include "window/gtk.h"

const char toolkit_name[] = "GTK 3";

enum { MOST = 16 };

static GtkWidget *window, *dialog, *bars[MOST];

hoya_policy *toolkit_policy(void)
{
    return hoya_glib_policy();
}

void toolkit_open(int argc, char **argv, int count)
{
    if (!gtk_init_check(&argc, &argv)) {
        fprintf(stderr, "demo-dialog: GTK finds no display\n");
        exit(1);
    }
    window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    gtk_window_set_title(GTK_WINDOW(window), "Ten tasks");
    GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 8);
    gtk_container_set_border_width(GTK_CONTAINER(window), 12);
    gtk_container_add(GTK_CONTAINER(window), column);
    for (int i = 0; i < count && i < MOST; i++) {
        bars[i] = gtk_progress_bar_new();
        gtk_widget_set_size_request(bars[i], 400, 18);
        gtk_container_add(GTK_CONTAINER(column), bars[i]);
    }
    gtk_widget_show_all(window);
}

void toolkit_close(void)
{
    gtk_widget_destroy(window);
}

void toolkit_show(int bar, int percent)
{
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(bars[bar]), percent / 100.0);
}

int toolkit_run_dialog(const char *question)
{
    dialog = gtk_message_dialog_new(GTK_WINDOW(window), GTK_DIALOG_MODAL, GTK_MESSAGE_QUESTION, GTK_BUTTONS_YES_NO,
                                    "%s", question);
    int yes = gtk_dialog_run(GTK_DIALOG(dialog)) == GTK_RESPONSE_YES;
    gtk_widget_destroy(dialog);
    return yes;
}

void toolkit_press_yes(void)
{
    gtk_dialog_response(GTK_DIALOG(dialog), GTK_RESPONSE_YES);
}

int toolkit_save_picture(const char *path)
{
    return window_save_picture(window, path);
}
