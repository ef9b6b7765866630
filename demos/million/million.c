/* SPDX-License-Identifier: MIT
 *
 * million.c: a million tasks in one thread, all asleep at once; then all wake up, and end. `demo-million 1000000 16`: so many,
 * with stacks of so many KiB. Prints how long it took, and what a task cost in memory: its stack has touched one page,
 * and the rest is what the library keeps of it.
 */
#include <hoya/hoya.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static hoya_loop *loop;
static long wanted, asleep, awake, failed;
static int64_t begin, all_asleep, morning;
static long rss_before, tables_before;

static void check(int rc, const char *what)
{
    if (rc >= 0) return;
    fprintf(stderr, "%s: %s\n", what, hoya_error_detail());
    exit(1);
}

/* A line of /proc/self/status, in KiB; -1 where there is none. */
static long memory(const char *name)
{
    char line[256];
    long kib = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0) kib = strtol(line + strlen(name) + 1, NULL, 10);
    if (file) fclose(file);
    return kib;
}

static double seconds(int64_t nanoseconds)
{
    return (double)nanoseconds / 1e9;
}

static double bytes_each(long kib)
{
    return (double)kib * 1024 / (double)wanted;
}

static void tell_memory(void)
{
    double rss = bytes_each(memory("VmRSS") - rss_before), page = (double)sysconf(_SC_PAGESIZE);
    printf("  all asleep after    %6.2f s (%.0f ns a task)\n", seconds(all_asleep - begin),
           (double)(all_asleep - begin) / (double)wanted);
    printf("  VmRSS a task        %6.0f bytes: a page of %.0f, and %.0f\n", rss, page, rss - page);
    printf("  page tables a task  %6.0f bytes\n", bytes_each(memory("VmPTE") - tables_before));
    fflush(stdout);
}

static int sleeper(hoya_task *self, void *arg)
{
    (void)self, (void)arg;
    if (++asleep == wanted) {
        all_asleep = hoya_loop_time(loop);
        tell_memory(); /* of all but this one */
    }
    do {
        failed += hoya_sleep(morning - hoya_loop_time(loop)) < 0;
        if (!all_asleep && hoya_loop_time(loop) >= morning)
            morning += HOYA_SEC(1); /* the machine is slow: sleep on */
    } while (!all_asleep || hoya_loop_time(loop) < morning);
    if (++awake == wanted) hoya_loop_stop(loop);
    return 0;
}

int main(int argc, char **argv)
{
    wanted = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;
    long stack = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    if (argc > 3 || wanted < 1 || stack < 0) {
        fprintf(stderr, "usage: %s [TASKS [KIB OF A STACK]]\n", argv[0]);
        return 2;
    }
    check(hoya_loop_new(NULL, &loop), "no loop");
    rss_before = memory("VmRSS");
    tables_before = memory("VmPTE");
    begin = hoya_loop_time(loop);
    morning = begin + HOYA_SEC(1) + wanted * HOYA_USEC(25);
    hoya_task_options options = {.size = sizeof options, .stack_size = (size_t)stack << 10};
    for (long i = 0; i < wanted; i++) check(hoya_create_task(loop, sleeper, NULL, &options, NULL), "no task");
    printf("%ld tasks\n  made in             %6.2f s\n", wanted, seconds(hoya_loop_time(loop) - begin));
    check(hoya_loop_run_forever(loop), "the loop");
    int64_t end = hoya_loop_time(loop);
    printf("  woken and ended in  %6.2f s (%.0f ns a task)\n", seconds(end - morning),
           (double)(end - morning) / (double)wanted);
    hoya_loop_close(loop);
    hoya_loop_unref(loop);
    if (failed) fprintf(stderr, "%ld tasks could not sleep\n", failed);
    return failed != 0;
}
