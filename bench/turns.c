/* SPDX-License-Identifier: MIT
 *
 * turns.c: runs programs in turns, a slice of time each: so a machine that is slower for a while is so for all of them.
 *
 *     bench-turns MILLISECONDS NAME COMMAND ARGUMENT... [-- NAME COMMAND ARGUMENT...]...
 *
 * A program that is a group of processes stops itself twice (SIGSTOP to the group): when all is ready for what is measured, and
 * when that is done. Only between the two there are slices, and the group is stopped between them: nobody is measured while
 * another one makes its connections, or while the kernel clears away what one has left behind. A program that does not stop
 * itself runs to its end when it is first let go.
 *
 * What they print comes at the end, each line behind the program's NAME. A program that keeps the time takes off how long it
 * has been stopped, which stands in memory that the two share (turns.h). Ends with 1 if one of the programs has not ended with
 * 0; the others end with it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "turns.h"

enum { MOST = 16 };

static struct program {
    const char *name;
    pid_t pid;
    int output;
    bench_stops *stops;
    double since; /* when it was stopped */
    int over, done;
} programs[MOST];
static int count;
static sigset_t before; /* what is blocked in a program that starts */

/* The others are stopped, and end as they are. */
static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench-turns: %s: %s\n", what, why);
    for (int i = 0; i < count; i++) {
        if (programs[i].over || programs[i].pid <= 0) continue;
        kill(-programs[i].pid, SIGKILL);
        waitpid(programs[i].pid, NULL, 0);
    }
    exit(1);
}

static void require(int condition, const char *what)
{
    if (!condition) fail(what, strerror(errno));
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Waits until it has stopped, or ended; with WNOHANG says whether it has. */
static int look(struct program *p, int options)
{
    int status;
    pid_t pid = waitpid(p->pid, &status, WUNTRACED | options);
    require(pid >= 0, p->name);
    if (!pid) return 0;
    p->since = now();
    p->over = !WIFSTOPPED(status);
    if (p->over && status) fail(p->name, "it has failed");
    return 1;
}

/* Its first act is to stop. It and what it starts are a group. */
static void start(struct program *p, char **command)
{
    int shared = memfd_create("stops", 0);
    p->output = memfd_create("output", MFD_CLOEXEC);
    require(shared >= 0 && p->output >= 0 && ftruncate(shared, sizeof *p->stops) == 0, "memory");
    p->stops = mmap(NULL, sizeof *p->stops, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
    require(p->stops != MAP_FAILED, "memory");
    p->pid = fork();
    require(p->pid >= 0, "fork");
    if (p->pid == 0) {
        char number[16];
        snprintf(number, sizeof number, "%d", shared);
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody else lets it go on */
        sigprocmask(SIG_SETMASK, &before, NULL);
        if (setenv(BENCH_STOPS, number, 1) < 0 || dup2(p->output, STDOUT_FILENO) < 0) _exit(127);
        raise(SIGSTOP);
        execvp(*command, command);
        fprintf(stderr, "bench-turns: %s: %s\n", *command, strerror(errno));
        _exit(127);
    }
    close(shared);
    look(p, 0);
}

static void go_on(struct program *p)
{
    p->stops->nanoseconds += now() - p->since;
    kill(-p->pid, SIGCONT);
}

/* Until it stops itself, or ends. */
static void run(struct program *p)
{
    if (p->over) return;
    go_on(p);
    look(p, 0);
}

/* SIGCHLD says that it has stopped or ended, and also that it has gone on. */
static void run_slice(struct program *p, const sigset_t *sigchld, int milliseconds)
{
    double end = now() + milliseconds * 1e6, left;
    go_on(p);
    while ((left = end - now()) > 0 && !p->done) {
        struct timespec rest = {(time_t)(left / 1e9), (long)left % 1000000000};
        if (sigtimedwait(sigchld, NULL, &rest) > 0) p->done = look(p, WNOHANG);
    }
    if (p->done) return;
    kill(-p->pid, SIGSTOP);
    look(p, 0);
}

static void print_output(const struct program *p)
{
    char line[512];
    FILE *output = lseek(p->output, 0, SEEK_SET) < 0 ? NULL : fdopen(p->output, "r");
    require(output != NULL, "output");
    while (fgets(line, sizeof line, output)) printf("%s %s", p->name, line);
    fclose(output);
}

int main(int argc, char **argv)
{
    int slice = argc > 1 ? atoi(argv[1]) : 0, live;
    sigset_t sigchld;
    sigemptyset(&sigchld);
    sigaddset(&sigchld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &sigchld, &before); /* it is waited for */
    for (int i = 2; i < argc && count < MOST; count++) {
        int end = i;
        while (end < argc && strcmp(argv[end], "--") != 0) end++;
        if (end - i < 2) break;
        argv[end] = NULL;
        programs[count] = (struct program){.name = argv[i]};
        start(&programs[count], argv + i + 1);
        i = end + 1;
    }
    if (slice <= 0 || !count) {
        fprintf(stderr,
                "usage: bench-turns MILLISECONDS NAME COMMAND ARGUMENT... [-- NAME COMMAND ARGUMENT...]...\n");
        return 2;
    }
    for (int i = 0; i < count; i++) run(&programs[i]);
    do {
        live = 0;
        for (int i = 0; i < count; i++) {
            if (!programs[i].over && !programs[i].done) run_slice(&programs[i], &sigchld, slice);
            live += !programs[i].over && !programs[i].done;
        }
    } while (live);
    for (int i = 0; i < count; i++) run(&programs[i]);
    for (int i = 0; i < count; i++) print_output(&programs[i]);
    return 0;
}
