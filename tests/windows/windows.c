/* SPDX-License-Identifier: MIT
 *
 * windows.c: see windows.h. It knows no toolkit: the programs bring theirs.
 */
#include "windows.h"

#include <inttypes.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

void ensure(int good, const char *format, ...)
{
    if (good) return;
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    exit(1);
}

/* ---- the heart -------------------------------------------------------------------------------------------- */

static void heart_beats(void *arg)
{
    heart *self = arg;
    hoya_handle_unref(self->next);
    int rc = hoya_loop_call_later(self->loop, HOYA_MSEC(20), heart_beats, self, NULL, &self->next);
    ensure(rc == 0, "the timer could not be set again: %s", hoya_strerror(rc));
    ensure(write(self->ends[0], "x", 1) == 1, "no byte could be written, after %d", self->steps);
    self->step(++self->steps, self->arg);
}

static void heart_reads(hoya_fd fd, uint32_t events, void *arg)
{
    (void)events;
    heart *self = arg;
    char bytes[16];
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n > 0) self->bytes += (int)n;
}

void heart_start(heart *self, hoya_loop *loop, void (*step)(int number, void *arg), void *arg)
{
    *self = (heart){.loop = loop, .step = step, .arg = arg};
    ensure(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, self->ends) == 0, "no socketpair");
    int rc = hoya_loop_add_reader(loop, self->ends[1], heart_reads, self, NULL);
    ensure(rc == 0, "no reader could be added: %s", hoya_strerror(rc));
    rc = hoya_loop_call_later(loop, HOYA_MSEC(20), heart_beats, self, NULL, &self->next);
    ensure(rc == 0, "no timer could be set: %s", hoya_strerror(rc));
}

void heart_stop(heart *self)
{
    hoya_handle_cancel(self->next);
    hoya_handle_unref(self->next);
    self->next = NULL;
    hoya_loop_remove_reader(self->loop, self->ends[1]);
    close(self->ends[0]);
    close(self->ends[1]);
}

/* ---- pictures --------------------------------------------------------------------------------------------- */

static pid_t painter; /* 0: none is at work */

void picture_begin(const char *path)
{
    char *name = strdup(path);
    char *words[] = {(char[]){"import"}, (char[]){"-silent"}, (char[]){"-window"}, (char[]){"root"}, name, NULL};
    int rc = posix_spawnp(&painter, words[0], NULL, NULL, words, environ);
    ensure(rc == 0, "import could not be started: %s", strerror(rc));
    free(name);
}

int picture_is_done(void)
{
    static int done;
    int status;
    if (painter && waitpid(painter, &status, WNOHANG) == painter) {
        ensure(status == 0, "import could not take the picture (status %d)", status);
        painter = 0;
        done = 1;
    }
    return done;
}

/* ---- the end ---------------------------------------------------------------------------------------------- */

void end_loop(hoya_loop *loop)
{
    hoya_live_counts live = {.size = sizeof live};
    int rc = hoya_loop_close(loop);
    ensure(rc == 0, "the loop could not be closed: %s", hoya_strerror(rc));
    hoya_loop_unref(loop);
    hoya_get_live_counts(&live);
    ensure(live.loops + live.fds + live.handles + live.selectors + live.hosts == 0,
           "the closed loop left %" PRId64 " loops, %" PRId64 " descriptors, %" PRId64 " handles, %" PRId64
           " selectors, %" PRId64 " hosts behind",
           live.loops, live.fds, live.handles, live.selectors, live.hosts);
}
