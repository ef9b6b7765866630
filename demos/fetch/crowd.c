/* SPDX-License-Identifier: MIT
 *
 * crowd.c: a server of protocols, which need no stack and no memory of ours for a connection: the table of
 * functions says what a connection is, and its argument is the crowd.
 *
 *     newcomer  a byte decides: 'I' -> idle, 'B' -> busy        idle  what comes is dropped     busy  it goes back
 *
 * The other process is told to end by SIGTERM, and by SIGKILL if it does not. The pipe that is its standard output is
 * at its end when it ends: a descriptor, so the loop sees it; some milliseconds later, when all its connections are
 * closed, it has ended, and a timer looks for that: the window goes on meanwhile. All that may still call back has a
 * reference to the crowd: the owner, the server, each connection, the pipe, and that timer.
 */
#include "crowd.h"
#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE = 64, BACKLOG = 4096, LOOK_EACH = 3, PATIENCE = 2000 }; /* the last two: milliseconds */

struct fetch_crowd {
    hoya_loop *loop;
    int refs;
    int wanted;        /* so many shall say hello */
    int greeted, open; /* so many have; so many are there now */
    int64_t echoed;    /* bytes */
    void (*complete)(void *arg);
    void *arg;
    hoya_server *server;
    pid_t pid;             /* the other process; 0: it has ended */
    int pipe;              /* its standard output, or -1 */
    bool closed;           /* stop has been called */
    hoya_handle *patience; /* then: SIGKILL; has no reference */
    hoya_future *done;
};

/* Of a loop that was closed before nobody has told the end of the other process. */
static void end_other(fetch_crowd *crowd)
{
    if (crowd->pid) {
        kill(crowd->pid, SIGKILL);
        while (waitpid(crowd->pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    if (crowd->pipe >= 0) close(crowd->pipe);
}

static void unref(void *arg)
{
    fetch_crowd *crowd = arg;
    if (--crowd->refs) return;
    end_other(crowd);
    hoya_future *done = crowd->done;
    hoya_loop *loop = crowd->loop;
    if (crowd->patience) hoya_handle_cancel(crowd->patience);
    hoya_handle_unref(crowd->patience);
    hoya_server_unref(crowd->server);
    free(crowd);
    if (done) hoya_future_set_result(done, NULL, NULL);
    hoya_future_unref(done);
    hoya_loop_unref(loop);
}

/* ---- connections ----------------------------------------------------------------------------------------- */

static int on_made(hoya_transport *transport, void *arg)
{
    fetch_crowd *crowd = arg;
    (void)transport;
    crowd->open++;
    return 0;
}

static void on_lost(hoya_transport *transport, int code, void *arg)
{
    fetch_crowd *crowd = arg;
    (void)transport, (void)code; /* how they go is their own business */
    crowd->open--;
}

/* If the other side has gone the write ends the connection, and on_lost hears of it. */
static int echo(hoya_transport *transport, const void *data, size_t size, void *arg)
{
    fetch_crowd *crowd = arg;
    if (hoya_transport_write(transport, data, size) >= 0) crowd->echoed += (int64_t)size;
    return 0;
}

static const hoya_protocol_ops idle = {.size = sizeof idle, .connection_lost = on_lost, .released = unref};
static const hoya_protocol_ops busy = {
    .size = sizeof busy, .data_received = echo, .connection_lost = on_lost, .released = unref};

static int greet(hoya_transport *transport, const void *data, size_t size, void *arg)
{
    fetch_crowd *crowd = arg;
    const char *hello = data;
    bool works = hello[0] == 'B';
    int rc = hoya_transport_set_protocol(transport, (hoya_protocol){works ? &busy : &idle, crowd});
    if (rc < 0) return rc;
    if (works && size > 1) echo(transport, hello + 1, size - 1, crowd);
    if (++crowd->greeted == crowd->wanted && crowd->complete && !crowd->closed) crowd->complete(crowd->arg);
    return 0;
}

static const hoya_protocol_ops newcomer = {.size = sizeof newcomer,
                                           .connection_made = on_made,
                                           .data_received = greet,
                                           .connection_lost = on_lost,
                                           .released = unref};

static int accept_one(hoya_server *server, hoya_protocol *protocol, void *arg)
{
    fetch_crowd *crowd = arg;
    (void)server;
    crowd->refs++;
    *protocol = (hoya_protocol){&newcomer, crowd};
    return 0;
}

static int listen_here(fetch_crowd *crowd, char port[8])
{
    const hoya_server_options options = {.size = sizeof options, .backlog = BACKLOG};
    hoya_future *future;
    hoya_address address;
    void *server;
    crowd->refs++;
    int rc = hoya_create_server(crowd->loop, "127.0.0.1", "0", accept_one, crowd, unref, &options, &future);
    if (rc < 0) return rc;
    rc = hoya_future_result(future, &server); /* of numbers it is done */
    if (rc >= 0) crowd->server = hoya_server_ref(server);
    hoya_future_unref(future);
    if (rc >= 0) rc = hoya_server_get_sockname(crowd->server, 0, &address);
    if (rc < 0) return rc;
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address.storage;
    snprintf(port, 8, "%d", ntohs(in->sin_port));
    return 0;
}

/* ---- the other process ----------------------------------------------------------------------------------- */

/* Without memory for a timer it is waited for. */
static void reap(void *arg)
{
    fetch_crowd *crowd = arg;
    pid_t pid = waitpid(crowd->pid, NULL, WNOHANG);
    if (pid == 0) {
        crowd->refs++;
        if (hoya_loop_call_later(crowd->loop, HOYA_MSEC(LOOK_EACH), reap, crowd, unref, NULL) >= 0) return;
        crowd->refs--;
        while (waitpid(crowd->pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    crowd->pid = 0;
}

/* It writes nothing: what comes is the end of the pipe, and of the process, which is over any moment. */
static void on_pipe(hoya_fd fd, uint32_t events, void *arg)
{
    fetch_crowd *crowd = arg;
    char words[256];
    (void)events;
    ssize_t n = read(fd, words, sizeof words);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) return;
    crowd->pipe = -1;
    reap(crowd);
    hoya_loop_remove_reader(crowd->loop, fd); /* takes the crowd's reference along */
    close(fd);
}

/* Beside this program, or where FETCH_CROWD says. */
static void find_program(char *path, size_t size)
{
    const char *elsewhere = getenv("FETCH_CROWD");
    ssize_t n = readlink("/proc/self/exe", path, size - 1);
    path[n < 0 ? 0 : n] = '\0';
    char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash + 1 - path) : 0;
    if (elsewhere) snprintf(path, size, "%s", elsewhere);
    else snprintf(path + folder, size - folder, "demo-fetch-crowd");
}

/* It begins with signals as they are by default, none of them blocked: what this program does with its own is no
 * business of the other one. */
static int spawn(fetch_crowd *crowd, int out, char **words)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, all;
    char path[4096];
    find_program(path, sizeof path);
    words[0] = path;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    int rc = -posix_spawn(&crowd->pid, path, &files, &how, words, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    if (rc == 0) return 0;
    crowd->pid = 0;
    return hoya_error_set(rc, "cannot start %s", path);
}

static int start_other(fetch_crowd *crowd, const char *port, int idle_count, int busy_count)
{
    char address[32], idles[16], busies[16];
    char *words[] = {NULL, "--connect", address, "--idle", idles, "--busy", busies, NULL};
    int ends[2];
    snprintf(address, sizeof address, "127.0.0.1:%s", port);
    snprintf(idles, sizeof idles, "%d", idle_count);
    snprintf(busies, sizeof busies, "%d", busy_count);
    if (pipe2(ends, O_CLOEXEC) < 0) return hoya_error_set(-errno, "no pipe");
    int rc = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : spawn(crowd, ends[1], words);
    close(ends[1]);
    if (rc >= 0) {
        crowd->refs++;
        crowd->pipe = ends[0];
        rc = hoya_loop_add_reader(crowd->loop, ends[0], on_pipe, crowd, unref);
        if (rc >= 0) return 0;
        kill(crowd->pid, SIGKILL);
        waitpid(crowd->pid, NULL, 0);
        crowd->pid = 0;
        crowd->pipe = -1;
    }
    close(ends[0]);
    return rc;
}

/* ---- what windows call ----------------------------------------------------------------------------------- */

int fetch_crowd_start(hoya_loop *loop, int idle_count, int busy_count, void (*complete)(void *arg), void *arg,
                      fetch_crowd **out)
{
    char port[8];
    if (idle_count < 0 || busy_count < 0 || !(idle_count + busy_count))
        return hoya_error_set(HOYA_EINVAL, "no connections are no crowd");
    int rc = fetch_allow_files(idle_count + busy_count);
    if (rc < 0) return rc;
    fetch_crowd *crowd = calloc(1, sizeof *crowd);
    if (!crowd) return HOYA_ENOMEM;
    crowd->refs = 1;
    crowd->loop = hoya_loop_ref(loop);
    crowd->wanted = idle_count + busy_count;
    crowd->complete = complete;
    crowd->arg = arg;
    crowd->pipe = -1;
    rc = listen_here(crowd, port);
    if (rc >= 0) rc = start_other(crowd, port, idle_count, busy_count);
    if (rc < 0) fetch_crowd_stop(crowd, NULL);
    else *out = crowd;
    return rc;
}

int fetch_crowd_count(const fetch_crowd *crowd, int64_t *echoes)
{
    if (echoes) *echoes = crowd->echoed / MESSAGE;
    return crowd->pid || crowd->closed ? crowd->open : HOYA_ECLOSED;
}

static void lose_patience(void *arg)
{
    fetch_crowd *crowd = arg;
    if (crowd->pid) kill(crowd->pid, SIGKILL);
}

/* It could be stopped (SIGSTOP), and then would never hear of SIGTERM. */
static void tell_to_end(fetch_crowd *crowd)
{
    if (!crowd->pid) return;
    kill(crowd->pid, SIGTERM);
    if (hoya_loop_call_later(crowd->loop, HOYA_MSEC(PATIENCE), lose_patience, crowd, NULL, &crowd->patience) < 0)
        kill(crowd->pid, SIGKILL);
}

int fetch_crowd_stop(fetch_crowd *crowd, hoya_future **done)
{
    if (crowd->closed) return hoya_error_set(HOYA_ESTATE, "the crowd has been sent away");
    int rc = done ? hoya_future_new(crowd->loop, &crowd->done) : 0;
    if (rc < 0) return rc;
    crowd->closed = true;
    if (done) *done = hoya_future_ref(crowd->done);
    tell_to_end(crowd);
    if (crowd->server) {
        hoya_server_close(crowd->server);
        hoya_server_abort_clients(crowd->server);
    }
    unref(crowd);
    return 0;
}
