/* SPDX-License-Identifier: MIT
 *
 * gresolver.c: another resolver in the place of the system's: GLib's, which a desktop's proxies and tests may have replaced.
 * What is numeric never comes here; whoever looks a name up on this loop asks GLib.
 */
#include <gio/gio.h>
#include <hoya/glib.h>
#include <hoya/hoya.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct lookup {
    hoya_future *future; /* a reference */
    struct addrinfo hints;
    int port;
} lookup;

static void free_list(void *list)
{
    hoya_freeaddrinfo(list);
}

/* GLib's addresses as the system's list; those of another family are left out. */
static int make_list(const lookup *l, GList *found, struct addrinfo **list)
{
    guint most = g_list_length(found), count = 0;
    struct addrinfo *nodes = g_new0(struct addrinfo, most);
    struct sockaddr_storage *places = g_new0(struct sockaddr_storage, most);
    for (; found; found = found->next) {
        GSocketAddress *address = g_inet_socket_address_new(found->data, (guint16)l->port);
        struct addrinfo *node = &nodes[count];
        *node = l->hints;
        node->ai_family = (int)g_socket_address_get_family(address);
        node->ai_addrlen = (socklen_t)g_socket_address_get_native_size(address);
        node->ai_addr = (struct sockaddr *)&places[count];
        gboolean wanted = l->hints.ai_family == AF_UNSPEC || l->hints.ai_family == node->ai_family;
        if (wanted && g_socket_address_to_native(address, node->ai_addr, sizeof *places, NULL)) {
            if (count) node[-1].ai_next = node;
            count++;
        }
        g_object_unref(address);
    }
    int rc = count ? hoya_copy_addrinfo(nodes, list) : hoya_error_set(HOYA_EAI_FAMILY, "no address of that family");
    g_free(nodes);
    g_free(places);
    return rc;
}

/* The future may be cancelled by now: then it refuses the answer, and destroys it. */
static void on_found(GObject *resolver, GAsyncResult *result, gpointer arg)
{
    lookup *l = arg;
    GError *error = NULL;
    struct addrinfo *list;
    GList *found = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &error);
    int rc = error ? hoya_error_set(HOYA_EAI_NONAME, "%s", error->message) : make_list(l, found, &list);
    if (rc >= 0) hoya_future_set_result(l->future, list, free_list);
    else hoya_future_set_exception(l->future, rc, hoya_error_detail());
    hoya_future_unref(l->future);
    g_resolver_free_addresses(found);
    g_clear_error(&error);
    g_free(l);
}

static int ask_glib(hoya_loop *loop, const char *host, const char *service, const struct addrinfo *hints,
                    void *resolver, hoya_future **future)
{
    char *end = NULL;
    long port = service ? strtol(service, &end, 10) : 0;
    if (!host || (service && *end))
        return hoya_error_set(HOYA_EAI_SERVICE, "GLib knows hosts, and ports by number");
    int rc = hoya_future_new(loop, future);
    if (rc < 0) return rc;
    lookup *l = g_new0(lookup, 1);
    *l = (lookup){.future = hoya_future_ref(*future), .hints = *hints, .port = (int)port};
    g_resolver_lookup_by_name_async(resolver, host, NULL, on_found, l);
    return 0;
}

static int look_up(hoya_task *self, void *name)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    char text[HOYA_ADDRESS_TEXT_SIZE];
    hoya_future *future;
    void *list;
    int rc = hoya_getaddrinfo(hoya_task_get_loop(self), name, "80", &hints, &future);
    if (rc < 0) return rc;
    rc = hoya_await(future, &list);
    for (const struct addrinfo *at = rc < 0 ? NULL : list; at; at = at->ai_next)
        if (hoya_address_format(at->ai_addr, at->ai_addrlen, text, sizeof text) > 0) printf("hello, %s\n", text);
    hoya_future_unref(future);
    return rc;
}

int main(void)
{
    static const hoya_resolver_ops ops = {sizeof ops, "GLib", ask_glib, NULL, g_object_unref};
    hoya_loop *loop;
    hoya_task *task;
    hoya_set_event_loop_policy(hoya_glib_policy());
    if (hoya_new_event_loop(&loop) < 0 || hoya_set_resolver(loop, &ops, g_resolver_get_default()) < 0 ||
        hoya_create_task(loop, look_up, "localhost", NULL, &task) < 0)
        return fprintf(stderr, "%s\n", hoya_error_detail()), 1;
    int rc = hoya_run_until_complete(loop, hoya_task_future(task), NULL);
    if (rc < 0) fprintf(stderr, "%s\n", hoya_error_detail());
    hoya_task_unref(task);
    hoya_loop_close(loop);
    hoya_loop_unref(loop);
    return rc < 0;
}
