/* SPDX-License-Identifier: MIT
 *
 * port/port_net.c: names, connections, servers and plain sockets: port.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "port.h"

/* ---- names and addresses ---------------------------------------------------------------------------------- */

static int know_nobody(hoya_loop *loop, const char *host, const char *service, const struct addrinfo *hints,
                       void *arg, hoya_future **future)
{
    (void)arg;
    CHECK(host && !service && hints && !hints->ai_flags);
    CHECK(hoya_future_new(loop, future) == 0);
    return hoya_future_set_exception(*future, HOYA_EAI_NONAME, "nobody");
}

static void wait_for_name(hoya_loop *loop, hoya_future *future)
{
    while (!hoya_future_done(future)) CHECK(hoya_loop_run_once(loop, HOYA_NEVER) >= 0);
}

/* A loop's close waits for no thread; the count of blocks at our end does. */
static void wait_for_lanes(void)
{
    const struct timespec moment = {0, 1000000};
    hoya_live_counts live = {.size = sizeof live, .blocks = 1};
    for (int i = 0; i < 10000 && live.blocks; i++, nanosleep(&moment, NULL))
        CHECK(hoya_get_live_counts(&live) == 0);
}

void test_resolver(void)
{
    static const hoya_resolver_ops ops = {sizeof ops, "nobody", know_nobody, NULL, count};
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    hoya_loop *loop;
    hoya_future *future;
    hoya_address address;
    char text[HOYA_ADDRESS_TEXT_SIZE];
    void *value;
    struct addrinfo *copy = NULL;
    int freed = 0;
    CHECK(hoya_address_set(&address, "fe80::1%1", "80") == 0);
    CHECK(hoya_address_format((struct sockaddr *)&address.storage, address.length, text, sizeof text) > 0);
    CHECK(strncmp(text, "[fe80::1%", 9) == 0 && strcmp(strrchr(text, ']'), "]:80") == 0);
    CHECK(hoya_address_set(&address, "127.0.0.1", "65536") == HOYA_EINVAL);
    CHECK(hoya_address_set_unix(&address, "@name") == 0);
    CHECK(hoya_address_format((struct sockaddr *)&address.storage, address.length, text, sizeof text) == 10);
    CHECK(strcmp(text, "unix:@name") == 0);
    CHECK(hoya_address_set(&address, "127.0.0.1", "80") == 0);

    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(hoya_getaddrinfo(loop, "127.0.0.1", "80", &hints, &future) == 0 && hoya_future_done(future) == 1);
    CHECK(hoya_future_result(future, &value) == 0 && hoya_copy_addrinfo(value, &copy) == 0);
    hoya_future_unref(future);
    CHECK(copy->ai_addrlen == address.length && memcmp(copy->ai_addr, &address.storage, address.length) == 0);
    hoya_freeaddrinfo(copy);
    CHECK(hoya_getnameinfo(loop, (struct sockaddr *)&address.storage, address.length,
                           NI_NUMERICHOST | NI_NUMERICSERV, &future) == 0);
    CHECK(hoya_future_result(future, &value) == 0);
    CHECK(strcmp(((hoya_name_info *)value)->host, "127.0.0.1") == 0);
    hoya_future_unref(future);
    /* By a thread, and here only from the file of hosts. */
    CHECK(hoya_getaddrinfo(loop, "localhost", "80", &hints, &future) == 0);
    wait_for_name(loop, future);
    CHECK(hoya_future_result(future, &value) == 0);
    hoya_future_unref(future);
    int rc = hoya_getaddrinfo(loop, "\xef\xbc\x91.2.3.4", "80", &hints, &future); /* 1.2.3.4, with a full-width 1 */
    CHECK(rc == 0 || rc == HOYA_ENOTSUP);
    if (rc == 0) {
        wait_for_name(loop, future);
        rc = hoya_future_exception(future, NULL);
        CHECK(rc == 0 || rc == HOYA_EAI_IDN); /* without libidn2 */
        hoya_future_unref(future);
    }
    CHECK(hoya_set_resolver(loop, &ops, &freed) == 0);
    CHECK(hoya_getaddrinfo(loop, "localhost", NULL, NULL, &future) == 0);
    CHECK(hoya_future_result(future, NULL) == HOYA_EAI_NONAME && strcmp(hoya_error_detail(), "nobody") == 0);
    hoya_future_unref(future);
    CHECK(hoya_set_resolver(loop, NULL, NULL) == 0 && freed == 1);
    CHECK(hoya_loop_close(loop) == 0);
    hoya_loop_unref(loop);
    wait_for_lanes();
}

/* ---- connections ----------------------------------------------------------------------------------------- */

static int on_made(hoya_transport *transport, void *arg)
{
    (void)arg;
    strncat(trace, "made ", sizeof trace - strlen(trace) - 1);
    return hoya_transport_write(transport, "hello", 5);
}

static int on_data(hoya_transport *transport, const void *data, size_t size, void *arg)
{
    (void)arg;
    strncat(trace, data, size);
    return hoya_transport_close(transport);
}

static void on_lost(hoya_transport *transport, int code, void *arg)
{
    (void)transport;
    (void)arg;
    strncat(trace, code == 0 ? " lost" : " failed", sizeof trace - strlen(trace) - 1);
}

static const hoya_protocol_ops protocol_ops = {.size = sizeof protocol_ops,
                                               .connection_made = on_made,
                                               .data_received = on_data,
                                               .connection_lost = on_lost,
                                               .released = count};

static void test_files(hoya_loop *loop, hoya_transport *transport, int peer)
{
    char text[16] = "";
    hoya_future *future;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    CHECK(hoya_sendfile(transport, file, 1, 3, HOYA_SENDFILE_NATIVE, &future) == 0);
    CHECK(hoya_run_until_complete(loop, future, NULL) == 0 && hoya_sendfile_sent(future) == 3);
    CHECK(read(peer, text, sizeof text) == 3 && !memcmp(text, "ELF", 3));
    hoya_future_unref(future);
    CHECK(hoya_transport_write_fds(transport, "fd", 2, &file, 1) == 0 && read(peer, text, sizeof text) == 2);
    close(file);
}

void test_transports(void)
{
    hoya_loop *loop;
    int pair[2], released = 0;
    char text[16] = "";
    hoya_protocol protocol = {&protocol_ops, &released};
    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    hoya_transport *transport, *same;
    CHECK(hoya_connect_accepted_socket(loop, pair[0], protocol, NULL, &transport) == 0);
    same = hoya_transport_ref(transport);
    CHECK(same == transport && hoya_transport_get_loop(same) == loop && hoya_transport_fileno(same) == pair[0]);
    CHECK(hoya_transport_get_protocol(same).arg == &released && hoya_transport_set_protocol(same, protocol) == 0);
    CHECK(hoya_loop_run_once(loop, HOYA_NOW) == 1 && read(pair[1], text, sizeof text) == 5);
    CHECK(hoya_transport_is_reading(same) == 1 && hoya_transport_pause_reading(same) == 0);
    CHECK(hoya_transport_is_reading(same) == 0 && hoya_transport_resume_reading(same) == 0);

    hoya_address address;
    hoya_credentials credentials;
    CHECK(hoya_transport_get_sockname(same, &address) == 0 && hoya_transport_get_peername(same, &address) == 0);
    CHECK(hoya_transport_get_peer_credentials(same, &credentials) == 0 && credentials.pid == getpid());
    size_t high, low, hard;
    CHECK(hoya_transport_set_write_buffer_limits(same, 8, 2, 100) == 0);
    CHECK(hoya_transport_get_write_buffer_limits(same, &high, &low, &hard) == 0 && high == 8 && low == 2 &&
          hard == 100);
    struct iovec lines[2] = {{text, 2}, {text, 3}};
    CHECK(hoya_transport_writelines(same, lines, 2) == 0 && read(pair[1], text, sizeof text) == 5);
    CHECK(hoya_transport_get_write_buffer_size(same) == 0);
    test_files(loop, same, pair[1]);
    CHECK(hoya_transport_can_write_eof(same) == 1 && hoya_transport_write_eof(same) == 0);
    CHECK(read(pair[1], text, sizeof text) == 0 && write(pair[1], "data", 4) == 4);
    CHECK(hoya_transport_is_closing(same) == 0 && hoya_loop_run_once(loop, HOYA_NOW) == 1);
    CHECK(hoya_transport_is_closing(same) == 1 && hoya_transport_abort(same) == 0);
    CHECK(hoya_loop_run_once(loop, HOYA_NOW) == 1 && released == 1);
    CHECK(expect("made data lost"));
    hoya_transport_unref(same);
    hoya_transport_unref(transport);
    close(pair[1]);

    hoya_future *future;
    CHECK(hoya_create_connection(loop, "127.0.0.1", "1", protocol, NULL, &future) == 0);
    CHECK(hoya_run_until_complete(loop, future, NULL) == HOYA_ECONNREFUSED && released == 2);
    hoya_future_unref(future);
    CHECK(hoya_create_unix_connection(loop, "@hoya-port-nobody", protocol, NULL, &future) == 0);
    CHECK(hoya_run_until_complete(loop, future, NULL) == HOYA_ECONNREFUSED && released == 3);
    hoya_future_unref(future);
    hoya_loop_close(loop);
    hoya_loop_unref(loop);
}

/* ---- pipes ------------------------------------------------------------------------------------------------- */

static const hoya_protocol_ops pipe_ops = {
    .size = sizeof pipe_ops, .data_received = on_data, .connection_lost = on_lost, .released = count};

void test_pipes(void)
{
    hoya_loop *loop;
    int ends[2], released = 0;
    hoya_protocol protocol = {&pipe_ops, &released};
    hoya_pipe_options options = {.size = sizeof options, .write_high = 100};
    CHECK(hoya_loop_new(NULL, &loop) == 0 && pipe(ends) == 0);
    hoya_transport *reads, *writes;
    CHECK(hoya_connect_read_pipe(loop, dup(ends[0]), protocol, NULL, &reads) == 0);
    CHECK(hoya_connect_write_pipe(loop, dup(ends[1]), protocol, &options, &writes) == 0);
    CHECK(hoya_transport_write(reads, "x", 1) == HOYA_ENOTSUP && hoya_transport_can_write_eof(writes) == 1);
    CHECK(hoya_transport_write(writes, "data", 4) == 0);
    while (released == 0) CHECK(hoya_loop_run_once(loop, HOYA_SEC(10)) >= 0);
    CHECK(hoya_transport_abort(writes) == 0);
    while (released == 1) CHECK(hoya_loop_run_once(loop, HOYA_SEC(10)) >= 0);
    CHECK(expect("data lost lost"));
    hoya_transport_unref(reads);
    hoya_transport_unref(writes);
    close(ends[0]);
    close(ends[1]);
    hoya_loop_close(loop);
    hoya_loop_unref(loop);
}

/* ---- servers ----------------------------------------------------------------------------------------------- */

static int refuse(hoya_server *server, hoya_protocol *protocol, void *arg)
{
    (void)server;
    (void)protocol;
    count(arg);
    return HOYA_EACCES;
}

static void test_server(hoya_loop *loop, hoya_server *server, int *destroyed)
{
    hoya_address address;
    hoya_future *closed, *forever = NULL;
    int before = *destroyed;
    CHECK(hoya_server_get_loop(server) == loop && hoya_server_is_serving(server) == 0);
    CHECK(hoya_server_start_serving(server) == 0 && hoya_server_is_serving(server) == 1);
    CHECK(hoya_server_count_sockets(server) == 1 && hoya_server_count_connections(server) == 0);
    CHECK(hoya_server_get_sockname(server, 0, &address) == 0);
    int client = socket(address.storage.ss_family, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&address.storage, address.length) == 0);
    CHECK(hoya_loop_run_once(loop, HOYA_SEC(5)) == 1 && *destroyed == before + 1); /* the factory counts, too */
    close(client);
    CHECK(hoya_server_close_clients(server) == 0 && hoya_server_abort_clients(server) == 0);
    CHECK(hoya_server_wait_closed(server, &closed) == 0 && hoya_server_serve_forever(server, &forever) == 0);
    hoya_server *same = hoya_server_ref(server);
    CHECK(hoya_server_close(same) == 0 && *destroyed == before + 2);
    CHECK(hoya_future_result(closed, NULL) == 0 && hoya_future_result(forever, NULL) == HOYA_ECLOSED);
    CHECK(hoya_server_get_socket(same, 0) == HOYA_INVALID_FD);
    hoya_server_unref(same);
    hoya_server_unref(server);
    hoya_future_unref(closed);
    hoya_future_unref(forever);
}

void test_servers(void)
{
    hoya_loop *loop;
    hoya_future *future;
    hoya_server *server;
    void *value;
    int destroyed = 0;
    hoya_server_options options = {.size = sizeof options, .paused = 1};
    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(hoya_create_server(loop, "127.0.0.1", "0", refuse, &destroyed, count, &options, &future) == 0);
    CHECK(hoya_future_take(future, &value, NULL) == 0);
    hoya_future_unref(future);
    test_server(loop, value, &destroyed);
    CHECK(hoya_create_unix_server(loop, "@hoya-port", refuse, &destroyed, count, &options, &server) == 0);
    test_server(loop, server, &destroyed);
    hoya_address address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(hoya_address_set(&address, "127.0.0.1", "0") == 0);
    CHECK(bind(fd, (struct sockaddr *)&address.storage, address.length) == 0);
    CHECK(hoya_create_server_on_socket(loop, fd, refuse, &destroyed, count, &options, &server) == 0);
    test_server(loop, server, &destroyed);
    CHECK(hoya_loop_close(loop) == 0);
    hoya_loop_unref(loop);
}

/* ---- plain sockets of tasks --------------------------------------------------------------------------------- */

static int use_sockets(hoya_task *self, void *arg)
{
    const int *fds = arg; /* two of datagrams, connected; a listener, who comes to it, and a file */
    char bytes[16];
    size_t sent;
    int64_t of_file;
    hoya_address address = {.length = sizeof address.storage};
    hoya_fd connection, passed[HOYA_FDS_MAX];
    size_t count_passed;
    (void)self;
    CHECK(hoya_sock_sendto(fds[0], "letter", 6, NULL) == 6);
    CHECK(hoya_sock_recvfrom(fds[1], bytes, sizeof bytes, &address) == 6 && address.length < 16);
    CHECK(hoya_sock_send_fds(fds[0], "fd", 2, &fds[4], 1) == 2);
    CHECK(hoya_sock_recv_fds(fds[1], bytes, sizeof bytes, passed, &count_passed) == 2 && count_passed == 1);
    close(passed[0]);
    CHECK(hoya_address_set_unix(&address, "@hoya-port-sock") == 0);
    CHECK(hoya_sock_connect(fds[3], &address) == 0);
    CHECK(hoya_sock_accept(fds[2], &connection, NULL) == 0);
    CHECK(hoya_sock_sendall(connection, "hello", 5, &sent) == 0 && sent == 5);
    CHECK(hoya_sock_sendfile(connection, fds[4], 1, HOYA_SENDFILE_ALL, 0, &of_file) == 0 && of_file == 2);
    CHECK(hoya_sock_recv(fds[3], bytes, sizeof bytes) == 7 && memcmp(bytes, "hellole", 7) == 0);
    close(connection);
    return 0;
}

void test_socks(void)
{
    hoya_loop *loop;
    hoya_address address;
    hoya_task *task;
    char name[] = "/tmp/hoya-port-XXXXXX";
    const int kind = SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fds[5];
    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM | kind, 0, fds) == 0);
    fds[2] = socket(AF_UNIX, SOCK_STREAM | kind, 0);
    fds[3] = socket(AF_UNIX, SOCK_STREAM | kind, 0);
    fds[4] = mkstemp(name);
    CHECK(unlink(name) == 0 && write(fds[4], "ile", 3) == 3);
    CHECK(hoya_address_set_unix(&address, "@hoya-port-sock") == 0);
    CHECK(bind(fds[2], (struct sockaddr *)&address.storage, address.length) == 0 && listen(fds[2], 1) == 0);
    CHECK(hoya_create_task(loop, use_sockets, fds, NULL, &task) == 0);
    CHECK(hoya_run_until_complete(loop, hoya_task_future(task), NULL) == 0);
    hoya_task_unref(task);
    CHECK(hoya_loop_close(loop) == 0);
    hoya_loop_unref(loop);
    for (int i = 0; i < 5; i++) close(fds[i]);
}

/* ---- streams ----------------------------------------------------------------------------------------------- */

/* Says what he hears, a line, in capitals of a sort. */
static int serve_client(hoya_task *self, hoya_stream *stream, void *arg)
{
    const void *data;
    (void)self;
    (void)arg;
    ssize_t n = hoya_stream_readuntil(stream, "\n", 1, &data);
    CHECK(n == 6 && memcmp(data, "hello\n", 6) == 0);
    struct iovec parts[2] = {{"<", 1}, {"hi>\nrest", 8}};
    CHECK(hoya_stream_writelines(stream, parts, 2) == 0 && hoya_stream_drain(stream) == 0);
    return 0;
}

static void visit(hoya_stream *stream)
{
    char text[8];
    const char *line;
    const void *data;
    size_t count;
    hoya_stream *same = hoya_stream_ref(stream);
    CHECK(hoya_transport_is_closing(hoya_stream_get_transport(same)) == 0 && hoya_stream_is_closing(same) == 0);
    CHECK(hoya_stream_write(same, "hello\n", 6) == 0 && hoya_stream_write_eof(same) == 0);
    CHECK(hoya_stream_read(same, text, 1) == 1 && text[0] == '<');
    CHECK(hoya_stream_readline(same, &line) == 4 && memcmp(line, "hi>\n", 4) == 0);
    CHECK(hoya_stream_readexactly(same, text, 2, &count) == 0 && count == 2 && memcmp(text, "re", 2) == 0);
    CHECK(hoya_stream_peek(same, 2, &data) == 2 && memcmp(data, "st", 2) == 0);
    CHECK(hoya_stream_consume(same, 2) == 0 && hoya_stream_read(same, text, 1) == 0);
    CHECK(hoya_stream_at_eof(same) == 1 && hoya_stream_close(same, HOYA_SEC(5)) == 0);
    CHECK(hoya_stream_wait_closed(same) == 0 && hoya_stream_abort(same) == 0);
    hoya_stream_unref(same);
    hoya_stream_unref(stream);
}

static int visit_all(hoya_task *self, void *arg)
{
    hoya_group *group;
    hoya_server *server;
    hoya_stream *stream;
    hoya_address address;
    char text[HOYA_ADDRESS_TEXT_SIZE];
    (void)self;
    CHECK(hoya_group_enter(NULL, &group) == 0);
    CHECK(hoya_start_server(group, "127.0.0.1", "0", serve_client, arg, count, NULL, &server) == 0);
    CHECK(hoya_server_get_sockname(server, 0, &address) == 0);
    CHECK(hoya_address_format((struct sockaddr *)&address.storage, address.length, text, sizeof text) > 0);
    CHECK(hoya_open_connection("127.0.0.1", strrchr(text, ':') + 1, NULL, &stream) == 0);
    visit(stream);
    CHECK(hoya_server_close(server) == 0);
    hoya_server_unref(server);
    CHECK(hoya_start_unix_server(group, "@hoya-port-stream", serve_client, arg, count, NULL, &server) == 0);
    CHECK(hoya_open_unix_connection("@hoya-port-stream", NULL, &stream) == 0);
    visit(stream);
    CHECK(hoya_server_close(server) == 0);
    hoya_server_unref(server);

    CHECK(hoya_address_set_unix(&address, "@hoya-port-stream") == 0);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(fd, (struct sockaddr *)&address.storage, address.length) == 0);
    CHECK(hoya_start_server_on_socket(group, fd, serve_client, arg, count, NULL, &server) == 0);
    CHECK(connect(client, (struct sockaddr *)&address.storage, address.length) == 0);
    CHECK(hoya_open_connection_on_socket(client, NULL, &stream) == 0);
    visit(stream);
    CHECK(hoya_server_close(server) == 0);
    hoya_server_unref(server);
    return hoya_group_leave(group);
}

static int filter(hoya_task *self, void *arg)
{
    int fds[2];
    char text[4];
    const char *line;
    hoya_stream *in, *out;
    (void)self;
    (void)arg;
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    CHECK(hoya_open_read_pipe(fds[0], NULL, &in) == 0);
    CHECK(hoya_open_write_pipe(fds[1], NULL, &out) == 0);
    CHECK(hoya_stream_write(in, "x", 1) == HOYA_ENOTSUP && hoya_stream_read(out, text, 1) == HOYA_ENOTSUP);
    CHECK(hoya_stream_write(out, "one\ntwo", 7) == 0 && hoya_stream_close(out, HOYA_SEC(5)) == 0);
    CHECK(hoya_stream_readline(in, &line) == 4 && memcmp(line, "one\n", 4) == 0);
    CHECK(hoya_stream_readline(in, &line) == 3 && hoya_stream_readline(in, &line) == 0);
    hoya_stream_unref(in);
    hoya_stream_unref(out);
    return 0;
}

void test_streams(void)
{
    hoya_loop *loop;
    hoya_task *task;
    int destroyed = 0;
    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(hoya_create_task(loop, visit_all, &destroyed, NULL, &task) == 0);
    CHECK(hoya_run_until_complete(loop, hoya_task_future(task), NULL) == 0 && destroyed == 3);
    hoya_task_unref(task);
    CHECK(hoya_create_task(loop, filter, NULL, NULL, &task) == 0);
    CHECK(hoya_run_until_complete(loop, hoya_task_future(task), NULL) == 0);
    hoya_task_unref(task);
    hoya_loop_close(loop);
    hoya_loop_unref(loop);
}

/* ---- datagrams --------------------------------------------------------------------------------------------- */

static int on_endpoint(hoya_datagram_transport *transport, void *arg)
{
    (void)transport;
    (void)arg;
    strncat(trace, "made ", sizeof trace - strlen(trace) - 1);
    return 0;
}

static int on_datagram(hoya_datagram_transport *transport, const void *data, size_t size, const hoya_address *from,
                       void *arg)
{
    (void)arg;
    strncat(trace, data, size);
    return size == 4 ? hoya_datagram_transport_sendto(transport, "back ", 5, from) : 0;
}

static void on_endpoint_lost(hoya_datagram_transport *transport, int code, void *arg)
{
    (void)transport;
    (void)arg;
    strncat(trace, code == 0 ? " lost" : " failed", sizeof trace - strlen(trace) - 1);
}

static const hoya_datagram_protocol_ops datagram_ops = {.size = sizeof datagram_ops,
                                                        .connection_made = on_endpoint,
                                                        .datagram_received = on_datagram,
                                                        .connection_lost = on_endpoint_lost,
                                                        .released = count};

void test_datagrams(void)
{
    hoya_loop *loop;
    hoya_future *future;
    hoya_datagram_transport *unix_one, *pair_one;
    void *value = NULL;
    int pair[2], released = 0;
    char text[16] = "";
    hoya_datagram_protocol protocol = {&datagram_ops, &released};
    hoya_datagram_options options = {.size = sizeof options, .local_host = "127.0.0.1"};
    hoya_address address, group;
    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(hoya_create_datagram_endpoint(loop, protocol, &options, &future) == 0);
    CHECK(hoya_run_until_complete(loop, future, NULL) == 0 && hoya_future_take(future, &value, NULL) == 0);
    hoya_future_unref(future);
    hoya_datagram_transport *udp = value, *same = hoya_datagram_transport_ref(udp);
    CHECK(hoya_datagram_transport_get_loop(same) == loop &&
          hoya_datagram_transport_get_protocol(same).arg == &released);
    CHECK(hoya_datagram_transport_set_protocol(same, protocol) == 0);
    CHECK(hoya_datagram_transport_get_sockname(same, &address) == 0 && address.storage.ss_family == AF_INET);
    CHECK(hoya_datagram_transport_get_peername(same, &address) == HOYA_ENOTCONN);
    CHECK(hoya_datagram_transport_fileno(same) >= 0 && hoya_datagram_transport_is_closing(same) == 0);
    CHECK(hoya_address_set(&group, "239.1.2.3", NULL) == 0);
    int joined = hoya_datagram_transport_join_group(same, &group, "lo"); /* an emulator knows no groups */
    CHECK(joined == 0 || joined == -ENOPROTOOPT);
    CHECK(hoya_datagram_transport_leave_group(same, &group, "lo") == joined);
    CHECK(hoya_datagram_transport_sendto(same, "ping", 4, &address) == 0); /* to itself */
    CHECK(hoya_datagram_transport_pause_reading(same) == 0 && hoya_datagram_transport_is_reading(same) == 0);
    CHECK(hoya_datagram_transport_resume_reading(same) == 0 && hoya_datagram_transport_is_reading(same) == 1);
    for (int i = 0; i < 1000 && !strstr(trace, "back"); i++) CHECK(hoya_loop_run_once(loop, HOYA_SEC(1)) >= 0);
    CHECK(expect("made pingback "));
    hoya_datagram_transport_unref(same);
    CHECK(hoya_datagram_transport_close(udp) == 0 && hoya_loop_run_once(loop, HOYA_NOW) >= 0 && released == 1);
    hoya_datagram_transport_unref(udp);

    size_t high, low, hard;
    CHECK(hoya_create_unix_datagram_endpoint(loop, "@hoya-port-datagrams", NULL, protocol, NULL, &unix_one) == 0);
    CHECK(hoya_datagram_transport_set_write_buffer_limits(unix_one, 8, 2, 100) == 0);
    CHECK(hoya_datagram_transport_get_write_buffer_limits(unix_one, &high, &low, &hard) == 0 && high == 8 &&
          low == 2 && hard == 100 && hoya_datagram_transport_get_write_buffer_size(unix_one) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    CHECK(hoya_create_datagram_endpoint_on_socket(loop, pair[0], protocol, NULL, &pair_one) == 0);
    CHECK(hoya_datagram_transport_sendto(pair_one, "", 0, NULL) == 0 && read(pair[1], text, sizeof text) == 0);
    CHECK(hoya_datagram_transport_abort(pair_one) == 0 && hoya_datagram_transport_abort(unix_one) == 0);
    for (int i = 0; i < 2; i++) CHECK(hoya_loop_run_once(loop, HOYA_NOW) >= 0); /* it begins, and ends */
    CHECK(released == 3);
    hoya_datagram_transport_unref(pair_one);
    hoya_datagram_transport_unref(unix_one);
    close(pair[1]);
    hoya_loop_close(loop);
    hoya_loop_unref(loop);
}
