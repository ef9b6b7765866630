/* SPDX-License-Identifier: MIT
 *
 * stream/server.c: servers that have a task for each client.
 *
 * Where there is a group, the server itself is one of its children: a task that makes it, says so, and keeps it until its
 * last connection has ended. While that one lives the group does, so that clients may come into it; when it ends (the
 * group is cancelled, maybe) it closes the server, and takes the group away: who comes in after that, accepted already, is
 * turned away.
 *
 * References of a service: the server's, until it has ended; its keeper's; one of each client, until his task has ended.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "stream/stream.h"

/* What is to be made; on the stack of who asks for it. */
typedef struct hoya_plan {
    enum { BY_NAME, AT_PATH, ON_SOCKET } kind;
    const char *host, *port, *path;
    hoya_fd fd;
    const hoya_server_options *options;
} hoya_plan;

struct hoya_service {
    hoya_sync sync; /* first */
    unsigned refs;
    bool grouped;
    bool over;         /* the server has ended */
    hoya_group *group; /* as long as its keeper lives */
    hoya_list keeper;  /* a place, while it waits for that */
    const hoya_plan *plan;
    size_t limit;
    hoya_client_connected fn;
    void *arg;
    hoya_destroy destroy;
};

void hoya_service_unref(hoya_service *service)
{
    if (--service->refs) return;
    hoya_destroy_arg(service->destroy, service->arg);
    hoya_sync_free(&service->sync);
}

static void unref_service(void *arg)
{
    hoya_service_unref(arg);
}

/* ---- a client --------------------------------------------------------------------------------------------- */

/* Statement 148. What the network has done is no failure of anybody's (statement 102). */
static int serve_client(hoya_task *self, void *arg)
{
    hoya_stream *stream = arg;
    int code, rc = stream->service->fn(self, stream, stream->service->arg);
    if (rc >= 0 || rc == HOYA_ECANCELED) return rc;
    bool of_network = hoya_stream_has_ended(stream, &code) && (rc == code || rc == HOYA_ECLOSED);
    if (!of_network)
        hoya_loop_report(stream->sync.loop, rc, hoya_transport_fileno(stream->transport),
                         "a client's task failed: its connection is closed");
    return HOYA_ECANCELED; /* that has told it; his group has neither failed by it nor won */
}

/* His task has ended, or there never was one. */
void hoya_service_dismiss(hoya_stream *stream)
{
    hoya_service *service = stream->service;
    if (stream->transport) hoya_transport_close(stream->transport); /* others may keep the stream */
    hoya_stream_unref(stream);
    hoya_service_unref(service);
}

static void dismiss(void *arg)
{
    hoya_service_dismiss(arg);
}

int hoya_service_admit(hoya_stream *stream)
{
    const hoya_service *service = stream->service;
    const hoya_task_options options = {.size = sizeof options, .name = "stream-client", .destroy = dismiss};
    int rc;
    if (service->group) {
        rc = hoya_group_create_task(service->group, serve_client, stream, &options, NULL);
        return rc == HOYA_ESTATE ? 0 : rc; /* the group ends: its keeper will hear of that */
    }
    if (!service->grouped) return hoya_create_task(service->sync.loop, serve_client, stream, &options, NULL);
    hoya_service_dismiss(stream);
    return 0;
}

static int welcome(hoya_server *server, hoya_protocol *protocol, void *arg)
{
    (void)server;
    hoya_service *service = arg;
    hoya_stream *stream;
    int rc = hoya_stream_new(service->sync.loop, service->limit, &stream);
    if (rc < 0) return rc;
    service->refs++;
    stream->service = service;
    stream->arriving = true;
    *protocol = (hoya_protocol){&hoya_stream_protocol.ops, stream};
    return 0;
}

/* ---- the server ------------------------------------------------------------------------------------------- */

static void on_end(void *arg)
{
    hoya_service *service = arg;
    service->over = true;
    hoya_serve_all(&service->keeper, 0);
    hoya_service_unref(service);
}

static int make_by_name(hoya_service *service, const hoya_plan *plan, hoya_server **server)
{
    hoya_future *future;
    void *value;
    int rc = hoya_create_server(service->sync.loop, plan->host, plan->port, welcome, service, on_end, plan->options,
                                &future);
    if (rc < 0) return rc;
    rc = hoya_await(future, &value);
    if (rc >= 0) *server = hoya_server_ref(value);
    hoya_future_unref(future);
    return rc;
}

static int make(hoya_service *service, const hoya_plan *plan, hoya_server **server)
{
    hoya_loop *loop = service->sync.loop;
    service->refs++;
    if (plan->kind == AT_PATH)
        return hoya_create_unix_server(loop, plan->path, welcome, service, on_end, plan->options, server);
    if (plan->kind == ON_SOCKET)
        return hoya_create_server_on_socket(loop, plan->fd, welcome, service, on_end, plan->options, server);
    return make_by_name(service, plan, server);
}

static void unref_server(void *arg)
{
    hoya_server_unref(arg);
}

static void describe(const hoya_task *task, char *text, size_t size)
{
    (void)task;
    snprintf(text, size, "keeps a server");
}

/* The task that is the server in its group. */
static int keep(hoya_task *self, void *arg)
{
    hoya_service *service = arg;
    hoya_server *server;
    int rc = make(service, service->plan, &server);
    if (rc < 0) return rc;
    hoya_task_started(self, hoya_server_ref(server), unref_server);
    hoya_place place = {0};
    if (!service->over) rc = hoya_wait_in_line(self, &service->sync, &service->keeper, &place, describe);
    service->group = NULL;
    if (rc < 0) hoya_server_close(server);
    hoya_server_unref(server);
    return 0;
}

static int start_in(hoya_group *group, hoya_service *service, const hoya_plan *plan, hoya_server **server)
{
    const hoya_task_options options = {.size = sizeof options, .name = "stream-server", .destroy = unref_service};
    void *value;
    service->plan = plan;
    service->group = group;
    service->grouped = true;
    service->refs++;
    int rc = hoya_group_start(group, keep, service, &options, &value, NULL);
    if (rc >= 0) *server = value;
    return rc;
}

static int new_service(hoya_client_connected fn, void *arg, hoya_destroy destroy, hoya_stream_options *options,
                       const hoya_stream_options *given, hoya_service **out)
{
    hoya_task *task;
    hoya_service *service = NULL;
    int rc = hoya_task_here(&task);
    if (rc >= 0 && !fn) rc = hoya_error_set(HOYA_EINVAL, "a server without a function for its clients");
    if (rc >= 0) rc = hoya_stream_options_read(options, given);
    if (rc >= 0) service = hoya_sync_new(task->future.loop, NULL, sizeof *service, &rc);
    if (!service) {
        hoya_destroy_arg(destroy, arg);
        return rc < 0 ? rc : HOYA_ENOMEM;
    }
    service->refs = 1;
    hoya_list_init(&service->keeper);
    service->limit = options->limit;
    service->fn = fn;
    service->arg = arg;
    service->destroy = destroy;
    *out = service;
    return 0;
}

static int start(hoya_group *group, hoya_plan plan, hoya_client_connected fn, void *arg, hoya_destroy destroy,
                 const hoya_stream_options *given, hoya_server **out)
{
    hoya_stream_options options;
    hoya_service *service;
    hoya_server *server;
    int rc = new_service(fn, arg, destroy, &options, given, &service);
    if (rc < 0) return rc;
    plan.options = options.server;
    rc = group ? start_in(group, service, &plan, &server) : make(service, &plan, &server);
    hoya_service_unref(service);
    if (rc < 0) return rc;
    if (out) *out = server;
    else hoya_server_unref(server);
    return 0;
}

int hoya_start_server(hoya_group *group, const char *host, const char *port, hoya_client_connected fn, void *arg,
                      hoya_destroy destroy, const hoya_stream_options *options, hoya_server **server)
{
    hoya_plan plan = {.kind = BY_NAME, .host = host, .port = port};
    return start(group, plan, fn, arg, destroy, options, server);
}

int hoya_start_unix_server(hoya_group *group, const char *path, hoya_client_connected fn, void *arg,
                           hoya_destroy destroy, const hoya_stream_options *options, hoya_server **server)
{
    hoya_plan plan = {.kind = AT_PATH, .path = path};
    return start(group, plan, fn, arg, destroy, options, server);
}

int hoya_start_server_on_socket(hoya_group *group, hoya_fd fd, hoya_client_connected fn, void *arg,
                                hoya_destroy destroy, const hoya_stream_options *options, hoya_server **server)
{
    hoya_plan plan = {.kind = ON_SOCKET, .fd = fd};
    return start(group, plan, fn, arg, destroy, options, server);
}
