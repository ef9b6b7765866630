/* SPDX-License-Identifier: MIT
 *
 * server_main.c: demo-fetch-server --listen HOST:PORT: the server of server.c as a program of its own, until
 * SIGTERM or Ctrl-C.
 */
#include "../echo/demo.h"
#include "server.h"
#include "thread/server_thread.h"

static struct {
    char host[DEMO_ADDRESS_SIZE], port[8];
    long rate;
} at;

static int program(hoya_task *self, void *arg)
{
    fetch_server *server;
    char port[8];
    (void)self, (void)arg;
    int rc = fetch_server_start(at.host, at.port, at.rate, &server, port);
    if (rc < 0) {
        demo_say("cannot listen on %s:%s: %s", at.host, at.port, demo_reason(rc));
        return DEMO_FAILED;
    }
    rc = server_thread_until_sigterm(at.host, port);
    fetch_server_stop(server);
    return rc < 0 ? rc : DEMO_OK;
}

int main(int argc, char **argv)
{
    const char *listen = "127.0.0.1:7011";
    const demo_option options[] = {
        {.name = "listen", .value = "HOST:PORT", .help = "where (127.0.0.1:7011)", .text = &listen},
        {.name = "rate",
         .value = "BYTES",
         .help = "a second, for each download; 0: as fast as it can (0)",
         .number = &at.rate,
         .most = 2000000000},
        {0}};
    demo_program = "fetch-server";
    demo_read_options(argc, argv, "Serves downloads: GET NAME/SIZE, a line.", options);
    if (demo_split(listen, at.host, at.port) != DEMO_OK) return DEMO_USAGE;
    int rc = hoya_run(program, NULL, NULL);
    if (rc < 0 && rc != HOYA_EINTR) return demo_library_failed("run", rc);
    return rc == HOYA_EINTR ? 130 : rc;
}
