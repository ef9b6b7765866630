/* SPDX-License-Identifier: MIT
 *
 * gtk.c: the IRC client's window with GTK 3. The application's main loop is gtk_main, and hoya is a guest in it: the
 * callbacks of the connection (irc.h) come in this thread, between those of the widgets, and may call any of them. The line
 * of this file that says so is hoya_set_event_loop_policy(hoya_glib_policy()).
 */
#include <gtk/gtk.h>
#include <hoya/glib.h>
#include <stdlib.h>
#include <string.h>

#include "gtk_pages.h"
#include "window/gtk.h"

static gui the;
static gui_entry entry_state;
static GtkWidget *window, *header, *connect_button, *disconnect_button, *bar, *bar_text, *list, *stack, *people,
    *names, *count, *nick, *entry, *spinner, *state, *lag, *dialog;

/* ---- the page that is shown ----------------------------------------------------------------------------- */

static page *current;

static void show_count(void)
{
    int n = gtk_tree_model_iter_n_children(GTK_TREE_MODEL(current->names), NULL);
    char *text = g_strdup_printf(n == 1 ? "%d person" : "%d people", n);
    gtk_label_set_text(GTK_LABEL(count), n ? text : "");
    gtk_widget_set_visible(people, strchr("#&", *current->name) && *current->name); /* a channel's */
    g_free(text);
}

static void row_selected(GtkListBox *box, GtkListBoxRow *row, void *arg)
{
    (void)box, (void)arg;
    if (!row) return;
    current = g_object_get_data(G_OBJECT(row), "page");
    page_seen(current);
    gtk_stack_set_visible_child(GTK_STACK(stack), current->scroll);
    gtk_tree_view_set_model(GTK_TREE_VIEW(names), GTK_TREE_MODEL(current->names));
    show_count();
    gtk_widget_grab_focus(entry);
    window_log("page", current->name, NULL);
}

/* ---- what the connection tells ----------------------------------------------------------------------- */

static void on_message(irc *self, const char *target, const char *from, const char *text, irc_kind kind, void *face)
{
    (void)self, (void)face;
    page_add_line(page_of(target), from, text, kind);
}

static void on_state(irc *self, irc_state now, const char *text, void *face)
{
    (void)face;
    gboolean trying = now == IRC_CONNECTING || now == IRC_REGISTERING || now == IRC_WAITING;
    gtk_widget_set_visible(spinner, trying);
    if (trying) gtk_spinner_start(GTK_SPINNER(spinner));
    else gtk_spinner_stop(GTK_SPINNER(spinner));
    gtk_label_set_text(GTK_LABEL(state), text && *text ? text : gui_state_name(now));
    gtk_widget_set_sensitive(disconnect_button, now != IRC_OFFLINE);
    gtk_widget_set_sensitive(entry, now == IRC_ONLINE);
    if (now == IRC_ONLINE) gtk_widget_grab_focus(entry);
    else gtk_widget_set_visible(lag, FALSE);
    gtk_label_set_text(GTK_LABEL(nick), now == IRC_ONLINE ? irc_get_nick(self) : "");
    char *where = g_strdup_printf("%s on %s:%s", irc_get_nick(self), the.options.host, the.options.port);
    gtk_header_bar_set_subtitle(GTK_HEADER_BAR(header), now == IRC_ONLINE ? where : NULL);
    g_free(where);
    if (now == IRC_ONLINE) gtk_info_bar_set_revealed(GTK_INFO_BAR(bar), FALSE);
    window_log("state", gui_state_name(now), text);
    window_log("spinner", NULL, gtk_widget_get_visible(spinner) ? "on" : "off");
}

static void on_joined(irc *self, const char *channel, void *face)
{
    (void)self, (void)face;
    page *one = page_of(channel);
    gtk_widget_set_opacity(one->label, 1);
    if (!*current->name) page_show(one);
}

static void on_left(irc *self, const char *channel, void *face)
{
    (void)self, (void)face;
    page *one = page_find(channel);
    if (!one) return;
    gtk_widget_set_opacity(one->label, 0.5);
    gtk_list_store_clear(one->names);
    if (one == current) show_count();
}

static void on_names(irc *self, const char *channel, void *face)
{
    (void)face;
    page *one = page_of(channel);
    const char *const *all;
    size_t n = irc_names(self, channel, &all);
    gtk_list_store_clear(one->names);
    for (size_t i = 0; i < n; i++)
        gtk_list_store_insert_with_values(one->names, NULL, -1, 0, all[i], 1,
                                          gui_colour(all[i] + strspn(all[i], "@+")), -1);
    if (one == current) show_count();
    gui_log_names(self, channel);
    if (irc_get_state(self) == IRC_ONLINE) gtk_label_set_text(GTK_LABEL(nick), irc_get_nick(self));
}

static void show_trouble(const char *text)
{
    gtk_label_set_text(GTK_LABEL(bar_text), text);
    gtk_info_bar_set_revealed(GTK_INFO_BAR(bar), TRUE);
    window_log("trouble", NULL, text);
}

static void on_trouble(irc *self, int code, const char *text, void *face)
{
    (void)self, (void)face;
    show_trouble(text ? text : hoya_strerror(code));
}

static void on_lag(irc *self, int64_t now, void *face)
{
    (void)self, (void)face;
    char text[32];
    const char *colour = gui_lag(now, text);
    char *markup = g_strdup_printf("<span color=\"%s\">●</span> %s", colour, text);
    gtk_label_set_markup(GTK_LABEL(lag), markup);
    gtk_widget_set_visible(lag, TRUE);
    g_free(markup);
}

static const irc_face face = {.state = on_state,
                              .message = on_message,
                              .joined = on_joined,
                              .left = on_left,
                              .names = on_names,
                              .trouble = on_trouble,
                              .lag = on_lag};

/* ---- what the person does ---------------------------------------------------------------------------- */

static void entered(void)
{
    char *line = g_strdup(gtk_entry_get_text(GTK_ENTRY(entry)));
    gtk_entry_set_text(GTK_ENTRY(entry), "");
    if (*line) {
        gui_entry_add(&entry_state, line);
        int rc = irc_input(the.irc, *current->name ? current->name : NULL, line);
        if (rc < 0) show_trouble(hoya_strerror(rc));
    }
    g_free(line);
}

static void complete(void)
{
    int at = gtk_editable_get_position(GTK_EDITABLE(entry));
    const char *text = gtk_entry_get_text(GTK_ENTRY(entry)), *rest = g_utf8_offset_to_pointer(text, at);
    char *before = g_strndup(text, (gsize)(rest - text));
    char *after = gui_entry_complete(&entry_state, the.irc, *current->name ? current->name : NULL, before);
    if (after) {
        char *all = g_strconcat(after, rest, NULL);
        gtk_entry_set_text(GTK_ENTRY(entry), all);
        gtk_editable_set_position(GTK_EDITABLE(entry), (int)g_utf8_strlen(after, -1));
        g_free(all);
    }
    free(after);
    g_free(before);
}

static gboolean key_pressed(GtkWidget *widget, GdkEventKey *event, void *arg)
{
    (void)widget, (void)arg;
    if (event->state & (GDK_CONTROL_MASK | GDK_MOD1_MASK)) return FALSE;
    if (event->keyval == GDK_KEY_Tab) {
        complete();
        return TRUE;
    }
    gui_entry_typed(&entry_state);
    if (event->keyval != GDK_KEY_Up && event->keyval != GDK_KEY_Down) return FALSE;
    const char *line =
        gui_entry_move(&entry_state, event->keyval == GDK_KEY_Up ? -1 : 1, gtk_entry_get_text(GTK_ENTRY(entry)));
    if (line) {
        gtk_entry_set_text(GTK_ENTRY(entry), line);
        gtk_editable_set_position(GTK_EDITABLE(entry), -1);
    }
    return TRUE;
}

static void name_chosen(GtkTreeView *view, GtkTreePath *path, GtkTreeViewColumn *column, void *arg)
{
    (void)view, (void)column, (void)arg;
    GtkTreeIter at;
    char *name = NULL;
    if (gtk_tree_model_get_iter(GTK_TREE_MODEL(current->names), &at, path))
        gtk_tree_model_get(GTK_TREE_MODEL(current->names), &at, 0, &name, -1);
    if (name) page_show(page_of(name + strspn(name, "@+"))); /* a private talk */
    g_free(name);
}

static GtkWidget *dialog_entry(GtkWidget *grid, int row, const char *title, const char *text, size_t most)
{
    GtkWidget *label = gtk_label_new_with_mnemonic(title), *field = gtk_entry_new();
    gtk_label_set_xalign(GTK_LABEL(label), 1);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), field);
    gtk_entry_set_text(GTK_ENTRY(field), text);
    gtk_entry_set_max_length(GTK_ENTRY(field), (int)most);
    gtk_entry_set_activates_default(GTK_ENTRY(field), TRUE);
    gtk_widget_set_hexpand(field, TRUE);
    gtk_grid_attach(GTK_GRID(grid), label, 0, row, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), field, 1, row, 1, 1);
    return field;
}

/* Modal, and blocks its caller: the oldest way to ask, and the simplest. gui_ask calls it from a task. */
static int run_dialog(void *arg)
{
    gui_options *to = &((gui *)arg)->options;
    dialog = gtk_dialog_new_with_buttons("Connect to a server", GTK_WINDOW(window),
                                         GTK_DIALOG_MODAL | GTK_DIALOG_USE_HEADER_BAR, "_Cancel",
                                         GTK_RESPONSE_CANCEL, "C_onnect", GTK_RESPONSE_OK, NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_OK);
    gtk_window_set_position(GTK_WINDOW(dialog), GTK_WIN_POS_CENTER_ON_PARENT);
    gtk_window_set_default_size(GTK_WINDOW(dialog), 400, -1);
    GtkWidget *grid = gtk_grid_new();
    gtk_grid_set_row_spacing(GTK_GRID(grid), 10);
    gtk_grid_set_column_spacing(GTK_GRID(grid), 12);
    gtk_container_set_border_width(GTK_CONTAINER(grid), 18);
    gtk_container_add(GTK_CONTAINER(gtk_dialog_get_content_area(GTK_DIALOG(dialog))), grid);
    struct {
        const char *title;
        char *text;
        size_t size;
        GtkWidget *field;
    } fields[] = {{"_Server", to->host, sizeof to->host, NULL},
                  {"_Port", to->port, sizeof to->port, NULL},
                  {"_Nickname", to->nick, sizeof to->nick, NULL},
                  {"C_hannels", to->join, sizeof to->join, NULL}};
    for (int i = 0; i < (int)G_N_ELEMENTS(fields); i++)
        fields[i].field = dialog_entry(grid, i, fields[i].title, fields[i].text, fields[i].size - 1);
    gtk_widget_show_all(dialog);
    int answer = gtk_dialog_run(GTK_DIALOG(dialog)) == GTK_RESPONSE_OK;
    for (size_t i = 0; answer && i < G_N_ELEMENTS(fields); i++)
        g_strlcpy(fields[i].text, gtk_entry_get_text(GTK_ENTRY(fields[i].field)), fields[i].size);
    gtk_widget_destroy(dialog);
    dialog = NULL;
    return answer;
}

static void disconnect_clicked(void)
{
    irc_disconnect(the.irc, "good-bye");
}

static void bar_closed(void)
{
    gtk_info_bar_set_revealed(GTK_INFO_BAR(bar), FALSE);
}

static gboolean close_asked(void)
{
    gui_close(&the);
    return TRUE; /* the window stays until the server has been told */
}

/* ---- the window -------------------------------------------------------------------------------------- */

static const char style[] = ".badge { background: #3584e4; color: white; border-radius: 9px; padding: 0 7px; }\n"
                            ".unread { font-weight: bold; }\n"
                            ".status { padding: 4px 10px; border-top: 1px solid @borders; }\n"
                            ".people { padding: 8px; }\n";

static GtkWidget *scroll_around(GtkWidget *child, int width)
{
    GtkWidget *scroll = gtk_scrolled_window_new(NULL, NULL);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroll), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_widget_set_size_request(scroll, width, -1);
    gtk_container_add(GTK_CONTAINER(scroll), child);
    return scroll;
}

static void make_header(void)
{
    header = gtk_header_bar_new();
    gtk_header_bar_set_title(GTK_HEADER_BAR(header), "hoya IRC");
    gtk_header_bar_set_show_close_button(GTK_HEADER_BAR(header), TRUE);
    connect_button = gtk_button_new_with_mnemonic("_Connect…");
    disconnect_button = gtk_button_new_with_mnemonic("_Disconnect");
    gtk_widget_set_focus_on_click(connect_button, FALSE);
    gtk_widget_set_focus_on_click(disconnect_button, FALSE);
    gtk_header_bar_pack_start(GTK_HEADER_BAR(header), connect_button);
    gtk_header_bar_pack_start(GTK_HEADER_BAR(header), disconnect_button);
    gtk_window_set_titlebar(GTK_WINDOW(window), header);
    g_signal_connect_swapped(connect_button, "clicked", G_CALLBACK(gui_ask), &the);
    g_signal_connect_swapped(disconnect_button, "clicked", G_CALLBACK(disconnect_clicked), NULL);
}

static GtkWidget *make_bar(void)
{
    bar = gtk_info_bar_new();
    gtk_info_bar_set_message_type(GTK_INFO_BAR(bar), GTK_MESSAGE_ERROR);
    gtk_info_bar_set_show_close_button(GTK_INFO_BAR(bar), TRUE);
    bar_text = gtk_label_new(NULL);
    gtk_label_set_line_wrap(GTK_LABEL(bar_text), TRUE);
    gtk_label_set_xalign(GTK_LABEL(bar_text), 0);
    gtk_container_add(GTK_CONTAINER(gtk_info_bar_get_content_area(GTK_INFO_BAR(bar))), bar_text);
    gtk_info_bar_set_revealed(GTK_INFO_BAR(bar), FALSE);
    g_signal_connect(bar, "response", G_CALLBACK(bar_closed), NULL);
    return bar;
}

static GtkWidget *make_middle(void)
{
    list = gtk_list_box_new();
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_BROWSE);
    g_signal_connect(list, "row-selected", G_CALLBACK(row_selected), NULL);
    stack = gtk_stack_new();
    pages_begin(list, stack);

    names = gtk_tree_view_new();
    gtk_tree_view_set_headers_visible(GTK_TREE_VIEW(names), FALSE);
    GtkCellRenderer *cell = gtk_cell_renderer_text_new();
    gtk_cell_renderer_set_padding(cell, 10, 3);
    gtk_tree_view_insert_column_with_attributes(GTK_TREE_VIEW(names), -1, NULL, cell, "text", 0, "foreground", 1,
                                                NULL);
    g_signal_connect(names, "row-activated", G_CALLBACK(name_chosen), NULL);
    count = gtk_label_new(NULL);
    gtk_style_context_add_class(gtk_widget_get_style_context(count), "people");
    gtk_style_context_add_class(gtk_widget_get_style_context(count), "dim-label");
    people = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_box_pack_start(GTK_BOX(people), count, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(people), scroll_around(names, 150), TRUE, TRUE, 0);

    nick = gtk_label_new(NULL);
    gtk_style_context_add_class(gtk_widget_get_style_context(nick), "unread");
    entry = gtk_entry_new();
    gtk_entry_set_placeholder_text(GTK_ENTRY(entry), "Say something, or /join #channel");
    gtk_widget_set_hexpand(entry, TRUE);
    g_signal_connect(entry, "activate", G_CALLBACK(entered), NULL);
    g_signal_connect(entry, "key-press-event", G_CALLBACK(key_pressed), NULL);
    GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
    gtk_container_set_border_width(GTK_CONTAINER(line), 8);
    gtk_box_pack_start(GTK_BOX(line), nick, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(line), entry, TRUE, TRUE, 0);

    GtkWidget *talk = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_box_pack_start(GTK_BOX(talk), stack, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(talk), gtk_separator_new(GTK_ORIENTATION_HORIZONTAL), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(talk), line, FALSE, FALSE, 0);

    GtkWidget *right = gtk_paned_new(GTK_ORIENTATION_HORIZONTAL), *all = gtk_paned_new(GTK_ORIENTATION_HORIZONTAL);
    gtk_paned_pack1(GTK_PANED(right), talk, TRUE, FALSE);
    gtk_paned_pack2(GTK_PANED(right), people, FALSE, FALSE);
    gtk_paned_pack1(GTK_PANED(all), scroll_around(list, 160), FALSE, FALSE);
    gtk_paned_pack2(GTK_PANED(all), right, TRUE, FALSE);
    return all;
}

static GtkWidget *make_status(void)
{
    GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
    gtk_style_context_add_class(gtk_widget_get_style_context(line), "status");
    spinner = gtk_spinner_new();
    state = gtk_label_new(NULL);
    gtk_label_set_ellipsize(GTK_LABEL(state), PANGO_ELLIPSIZE_END);
    lag = gtk_label_new(NULL);
    gtk_widget_set_no_show_all(spinner, TRUE);
    gtk_widget_set_no_show_all(lag, TRUE);
    gtk_box_pack_start(GTK_BOX(line), spinner, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(line), state, FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(line), lag, FALSE, FALSE, 0);
    return line;
}

static void make_window(void)
{
    window_use_style(style);

    window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    gtk_window_set_default_size(GTK_WINDOW(window), 900, 600);
    g_signal_connect(window, "delete-event", G_CALLBACK(close_asked), NULL);
    window_close_by_key(window);
    make_header();
    GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    gtk_box_pack_start(GTK_BOX(column), make_bar(), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(column), make_middle(), TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(column), make_status(), FALSE, FALSE, 0);
    gtk_container_add(GTK_CONTAINER(window), column);
    gtk_widget_show_all(window);
    page_show(page_of(NULL));
}

/* Where to click: for --log. */
static gboolean log_places(void *arg)
{
    (void)arg;
    window_log_place("connect", connect_button);
    window_log_place("disconnect", disconnect_button);
    window_log_place("entry", entry);
    window_log_place("view", stack);
    return G_SOURCE_REMOVE;
}

/* ---- a person's hands and eyes (gui.h) ---------------------------------------------------------------- */

static void type(const char *line)
{
    gtk_entry_set_text(GTK_ENTRY(entry), line);
    gtk_widget_activate(entry);
}

static void disable(void)
{
    gtk_widget_set_sensitive(window, FALSE);
}

static void show(const char *name)
{
    page *one = page_find(name);
    if (one) page_show(one);
}

static void click_connect(void)
{
    gtk_button_clicked(GTK_BUTTON(connect_button));
}

static bool dialog_is_open(void)
{
    return dialog != NULL;
}

static void cancel_dialog(void)
{
    gtk_dialog_response(GTK_DIALOG(dialog), GTK_RESPONSE_CANCEL);
}

static int save_picture(const char *path)
{
    return window_save_picture(window, path);
}

static const gui_window functions = {.toolkit = "GTK 3",
                                     .trouble = show_trouble,
                                     .run_dialog = run_dialog,
                                     .disable = disable,
                                     .quit = gtk_main_quit,
                                     .type = type,
                                     .show = show,
                                     .click_connect = click_connect,
                                     .dialog_is_open = dialog_is_open,
                                     .cancel_dialog = cancel_dialog,
                                     .text = page_text,
                                     .save_picture = save_picture};

int main(int argc, char **argv)
{
    if (!gui_begin(&the, &functions, argc, argv)) return the.status;
    if (!gtk_init_check(&argc, &argv)) {
        fprintf(stderr, "demo-irc-gtk: GTK finds no display\n");
        the.status = 1;
        return gui_end(&the);
    }
    make_window();
    hoya_set_event_loop_policy(hoya_glib_policy()); /* the line: loops of this program live in GLib's main loop */
    if (gui_start(&the, &face) >= 0) {
        g_timeout_add(200, log_places, NULL);
        gtk_main();
    }
    int status = gui_end(&the);
    gtk_widget_destroy(window);
    pages_end();
    gui_entry_clear(&entry_state);
    return status;
}
