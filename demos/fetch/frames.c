/* SPDX-License-Identifier: MIT
 *
 * frames.c: the frames of the moving thing (frames.h): what is collected of them, the story of --frames as one task, and its
 * table.
 */
#include "frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "gui.h"

/* ---- one frame ------------------------------------------------------------------------------------------- */

int64_t frames_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return HOYA_SEC(now.tv_sec) + now.tv_nsec;
}

void frames_due(frames *all, int64_t due, int64_t interval)
{
    int64_t passed = all->due && interval ? (due - all->due + interval / 2) / interval : 1; /* should be 1 */
    if (!all->asked) all->asked = passed > 1 ? all->due + interval : due;
    else passed++; /* the one before has not been painted yet */
    if (all->run && passed > 1) all->run->left_out += passed - 1;
    all->due = due;
}

void frames_painted(frames *all)
{
    if (!all->asked) return; /* something else has asked for it: the window was uncovered, or so */
    int64_t now = frames_now(), late = now - all->asked, interval = now - all->painted;
    bool first = !all->painted;
    if (late < 0) late = 0; /* GTK's clock goes by whole milliseconds, to the nearest one */
    all->asked = 0;
    all->painted = now;
    all->recent++;
    if (late > all->worst) all->worst = late;
    frames_run *run = all->run;
    if (!run || first || run->count == run->room) return;
    run->intervals[run->count] = interval;
    run->late[run->count++] = late;
}

double frames_place(void)
{
    double x = (double)(frames_now() % HOYA_SEC(2)) / (double)HOYA_SEC(1);
    if (x > 1) x = 2 - x;
    return x * x * (3 - 2 * x); /* slower at the ends */
}

void frames_pace(frames *all, char text[64])
{
    int64_t now = frames_now();
    if (all->since && all->recent)
        snprintf(text, 64, "%.0f frames/s, %.1f ms late at most",
                 (double)all->recent * 1e9 / (double)(now - all->since), (double)all->worst / 1e6);
    all->since = now;
    all->recent = 0;
    all->worst = 0;
}

/* ---- figures of a run -------------------------------------------------------------------------------------- */

enum { RUNS = 3 };

typedef struct figures {
    double median, most, worst; /* milliseconds; most: 99 % are not above it */
} figures;

typedef struct measurement {
    gui *program;
    frames_run now;
    struct {
        figures interval, late;
    } runs[RUNS];
} measurement;

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Of the sorted times the one that so many percent of them do not exceed. */
static double percentile(const int64_t *times, size_t count, size_t percent)
{
    size_t rank = (count * percent + 99) / 100;
    return (double)times[rank ? rank - 1 : 0] / 1e6;
}

static figures figures_of(int64_t *times, size_t count)
{
    if (!count) return (figures){0};
    qsort(times, count, sizeof *times, compare);
    return (figures){percentile(times, count, 50), percentile(times, count, 99), percentile(times, count, 100)};
}

static double processor_time(void) /* of this process, in seconds */
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static const char *const heading = "         beside it                 frames  left | from one to the next, ms |  "
                                   "late, ms                |  echoes   cpu\n"
                                   "                                            out |   median     99 %      max | "
                                   " median    99 %     max |      /s     %\n";

/* One run, and its line of the table. */
static int measure(measurement *all, int number, const char *beside)
{
    gui *me = all->program;
    int64_t echoes = 0, before = 0, begin = frames_now();
    double cpu = processor_time();
    if (me->crowd) fetch_crowd_count(me->crowd, &before);
    all->now.count = 0;
    all->now.left_out = 0;
    me->frames.run = &all->now;
    int rc = hoya_sleep(HOYA_SEC(me->options.seconds));
    me->frames.run = NULL;
    if (rc < 0) return rc;
    double seconds = (double)(frames_now() - begin) / 1e9;
    cpu = processor_time() - cpu;
    if (me->crowd) fetch_crowd_count(me->crowd, &echoes);

    figures a = figures_of(all->now.intervals, all->now.count), b = figures_of(all->now.late, all->now.count);
    all->runs[number].interval = a;
    all->runs[number].late = b;
    printf("%-8s %-25s %6zu %5ld | %8.2f %8.2f %8.2f | %7.2f %7.2f %7.2f | %7.0f %5.1f\n", me->window->toolkit,
           beside, all->now.count, all->now.left_out, a.median, a.most, a.worst, b.median, b.most, b.worst,
           (double)(echoes - before) / seconds, 100 * cpu / seconds);
    fflush(stdout);
    return all->now.count ? 0 : HOYA_ESTATE;
}

/* With the crowd at most a millisecond (--allow) more than the better run without it; or no more than the worse one. */
static bool verdict(const gui *me, const char *what, double none, double again, double crowd)
{
    double least = none < again ? none : again, most = none < again ? again : none;
    bool good = crowd <= least + (double)me->options.allow || crowd <= most;
    printf("%s, %s, 99 %%: %.2f ms beside the connections, %.2f and %.2f ms without: %s\n", me->window->toolkit,
           what, crowd, none, again, good ? "good" : "NOT GOOD");
    return good;
}

/* ---- the story ---------------------------------------------------------------------------------------------- */

/* The crowd comes, or goes: for a minute at most. */
static bool crowd_is(gui *me, bool on)
{
    gui_crowd(me, on);
    for (int i = 0; i < 3000; i++) {
        if (on ? me->crowd_complete : !me->crowd && !me->crowd_end) return true;
        if ((on && !me->crowd) || hoya_sleep(HOYA_MSEC(20)) < 0) break;
    }
    if (!me->closing)
        fprintf(stderr, "%s: the connections do not %s: %s\n", me->window->program, on ? "open" : "close",
                me->crowd_why ? me->crowd_why : "it takes too long");
    return false;
}

static int measure_all(measurement *all, bool *good)
{
    gui *me = all->program;
    char idle[32], busy[32], beside[80];
    gui_number(me->options.idle, idle);
    gui_number(me->options.busy, busy);
    snprintf(beside, sizeof beside, "%s idle, %s busy", idle, busy);

    int rc = hoya_sleep(HOYA_SEC(1)); /* what a window does when it is new is over */
    if (rc >= 0) rc = measure(all, 0, "nothing");
    if (rc >= 0) rc = measure(all, 1, "nothing, again");
    if (rc >= 0 && !crowd_is(me, true)) rc = HOYA_ESTATE;
    if (rc >= 0) rc = hoya_sleep(HOYA_SEC(1));
    if (rc >= 0) rc = measure(all, 2, beside);
    if (rc >= 0 && !crowd_is(me, false)) rc = HOYA_ESTATE;
    if (rc < 0) return rc;
    *good = verdict(me, "from one frame to the next", all->runs[0].interval.most, all->runs[1].interval.most,
                    all->runs[2].interval.most);
    *good = verdict(me, "late", all->runs[0].late.most, all->runs[1].late.most, all->runs[2].late.most) && *good;
    return 0;
}

static int program(hoya_task *self, void *arg)
{
    (void)self;
    measurement *all = arg;
    gui *me = all->program;
    bool good = false;
    int rc = 0;
    printf("Busy connections have one message of 64 bytes in flight each, and begin a new one each 10 ms.\n%s",
           heading);
    for (long i = 0; i < me->options.tries && rc >= 0 && !good; i++) {
        if (i) printf("%s: once more\n", me->window->toolkit);
        rc = measure_all(all, &good);
    }
    if (me->closing) return 0; /* somebody has closed the window */
    if (rc < 0)
        fprintf(stderr, "%s: the frames could not be measured: %s\n", me->window->program, hoya_strerror(rc));
    me->status = !good;
    gui_close(me);
    return 0;
}

static void free_measurement(void *arg)
{
    measurement *all = arg;
    all->program->frames.run = NULL;
    free(all->now.intervals);
    free(all->now.late);
    free(all);
}

int frames_begin(gui *me)
{
    measurement *all = calloc(1, sizeof *all);
    if (!all) return HOYA_ENOMEM;
    all->program = me;
    all->now.room = (size_t)me->options.seconds * FRAMES_A_SECOND * 2;
    all->now.intervals = calloc(all->now.room, sizeof *all->now.intervals);
    all->now.late = calloc(all->now.room, sizeof *all->now.late);
    if (!all->now.intervals || !all->now.late) {
        free_measurement(all);
        return HOYA_ENOMEM;
    }
    hoya_task_options options = {.size = sizeof options, .name = "frames", .destroy = free_measurement};
    return hoya_create_task(me->loop, program, all, &options, &me->player);
}
