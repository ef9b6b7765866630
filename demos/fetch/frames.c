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

#include "../echo/demo.h"
#include "gui.h"

/* ---- one frame ------------------------------------------------------------------------------------------- */

int64_t frames_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return HOYA_SEC(now.tv_sec) + now.tv_nsec;
}

static void enter(frames_times *times, int64_t time)
{
    if (times->count < times->room) times->all[times->count++] = time;
}

/* From one frame to the next: as often as frames should have been in it. */
static void enter_interval(frames *all, int64_t interval)
{
    int64_t held = all->period ? (interval + all->period / 2) / all->period : 1;
    do enter(&all->run->intervals, interval);
    while (--held > 0);
}

/* Those that were due from `first` to `last`, and that nobody has seen before `now`. GTK's clock goes by whole milliseconds,
 * to the nearest one. */
static void enter_late(frames *all, int64_t first, int64_t last, int64_t now)
{
    do {
        enter(&all->run->late, now > first ? now - first : 0);
        first += all->period;
    } while (all->period && first < last + all->period / 2);
}

void frames_due(frames *all, int64_t due, int64_t interval)
{
    all->period = interval;
    int64_t passed = all->due && interval ? (due - all->due + interval / 2) / interval : 1; /* should be 1 */
    if (!all->asked) all->asked = passed > 1 ? all->due + interval : due;
    else passed++; /* the one before has not been painted yet */
    if (all->run && passed > 1) all->run->left_out += passed - 1;
    all->due = due;
}

void frames_painted(frames *all)
{
    if (!all->asked) return; /* something else has asked for it: the window was uncovered, or so */
    int64_t now = frames_now();
    if (all->run && all->painted) {
        enter_interval(all, now - all->painted);
        enter_late(all, all->asked, all->due, now);
        all->run->painted++;
    }
    if (now - all->asked > all->worst) all->worst = now - all->asked;
    all->asked = 0;
    all->painted = now;
    all->recent++;
}

/* One that is asked for may be painted any moment; only if another one should have come since, something holds it up. And it
 * may have held up the one who asks. */
void frames_end_run(frames *all)
{
    int64_t now = frames_now(), next = all->asked ? all->asked : all->due + all->period;
    if (all->run && all->painted && all->period && now - all->painted >= 2 * all->period) {
        enter_interval(all, now - all->painted);
        enter_late(all, next, now - all->period / 2, now);
        all->run->left_out += (now - all->due) / all->period + (all->asked != 0);
    }
    all->run = NULL;
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

enum {
    RUNS = 3,
    ROOM_A_SECOND = 1000 /* no screen is faster, and what is not used costs nothing */
};

typedef struct figures {
    double median, most, worst; /* milliseconds; most: 99 % are not above it */
} figures;

typedef struct measurement {
    gui *program;
    frames_run now;
    double echoes; /* a second, of the last run */
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

static figures figures_of(const frames_times *times)
{
    size_t count = times->count;
    if (!count) return (figures){0};
    qsort(times->all, count, sizeof *times->all, compare);
    return (figures){percentile(times->all, count, 50), percentile(times->all, count, 99),
                     percentile(times->all, count, 100)};
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

/* Without its crowd a run would say nothing. */
static int count_crowd(const gui *me, int64_t *echoes)
{
    *echoes = 0;
    if (!me->crowd) return 0;
    int open = fetch_crowd_count(me->crowd, echoes);
    if (open == me->options.idle + me->options.busy) return 0;
    return open < 0 ? hoya_error_set(open, "the other process has ended")
                    : hoya_error_set(HOYA_ESTATE, "%d connections are open, and not %ld", open,
                                     me->options.idle + me->options.busy);
}

/* One run, and its line of the table. */
static int measure(measurement *all, int number, const char *beside)
{
    gui *me = all->program;
    frames_run *run = &all->now;
    int64_t echoes, before, begin = frames_now();
    double cpu = processor_time();
    int rc = count_crowd(me, &before);
    if (rc < 0) return rc;
    run->intervals.count = run->late.count = 0;
    run->painted = run->left_out = 0;
    me->frames.run = run;
    rc = hoya_sleep(HOYA_SEC(me->options.seconds));
    frames_end_run(&me->frames);
    if (rc >= 0) rc = count_crowd(me, &echoes);
    if (rc < 0) return rc;
    double seconds = (double)(frames_now() - begin) / 1e9;
    cpu = processor_time() - cpu;
    all->echoes = (double)(echoes - before) / seconds;

    figures a = figures_of(&run->intervals), b = figures_of(&run->late);
    all->runs[number].interval = a;
    all->runs[number].late = b;
    printf("%-8s %-25s %6ld %5ld | %8.2f %8.2f %8.2f | %7.2f %7.2f %7.2f | %7.0f %5.1f\n", me->window->toolkit,
           beside, run->painted, run->left_out, a.median, a.most, a.worst, b.median, b.most, b.worst, all->echoes,
           100 * cpu / seconds);
    fflush(stdout);
    return run->painted ? 0 : hoya_error_set(HOYA_ESTATE, "no frame was painted");
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

/* A hundred a second of each busy one. If there is not half of that, those are not busy. */
static bool busy_enough(const measurement *all)
{
    const gui *me = all->program;
    double wanted = (double)me->options.busy * 100;
    if (all->echoes >= wanted / 2) return true;
    printf("%s: %.0f echoes a second of %.0f: the connections were not busy, so this is no measurement\n",
           me->window->toolkit, all->echoes, wanted);
    return false;
}

/* ---- the story ---------------------------------------------------------------------------------------------- */

/* The crowd comes, or goes: for a minute at most. */
static int crowd_is(gui *me, bool on)
{
    int64_t echoes;
    int rc = 0;
    gui_crowd(me, on);
    for (int i = 0; i < 3000; i++) {
        if (on ? me->crowd_complete : !me->crowd && !me->crowd_end) return 0;
        if (on && !me->crowd)
            return hoya_error_set(HOYA_ESTATE, "the connections do not open: %s",
                                  me->crowd_why ? me->crowd_why : "somebody has closed them");
        if (on && fetch_crowd_count(me->crowd, &echoes) < 0) return count_crowd(me, &echoes);
        if ((rc = hoya_sleep(HOYA_MSEC(20))) < 0) return rc;
    }
    return hoya_error_set(HOYA_ETIMEDOUT, "the connections do not %s", on ? "open" : "close");
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
    if (rc >= 0) rc = crowd_is(me, true);
    if (rc >= 0) rc = hoya_sleep(HOYA_SEC(1));
    if (rc >= 0) rc = measure(all, 2, beside);
    if (rc >= 0) rc = crowd_is(me, false);
    if (rc < 0) return rc;
    *good = verdict(me, "from one frame to the next", all->runs[0].interval.most, all->runs[1].interval.most,
                    all->runs[2].interval.most);
    *good = verdict(me, "late", all->runs[0].late.most, all->runs[1].late.most, all->runs[2].late.most) && *good;
    *good = busy_enough(all) && *good;
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
    if (rc < 0) demo_library_failed("measure the frames", rc);
    me->status = !good;
    gui_close(me);
    return 0;
}

static void free_measurement(void *arg)
{
    measurement *all = arg;
    all->program->frames.run = NULL;
    free(all->now.intervals.all);
    free(all->now.late.all);
    free(all);
}

int frames_begin(gui *me)
{
    measurement *all = calloc(1, sizeof *all);
    if (!all) return HOYA_ENOMEM;
    all->program = me;
    frames_times *intervals = &all->now.intervals, *late = &all->now.late;
    intervals->room = late->room = (size_t)me->options.seconds * ROOM_A_SECOND;
    intervals->all = calloc(intervals->room, sizeof *intervals->all);
    late->all = calloc(late->room, sizeof *late->all);
    if (!intervals->all || !late->all) {
        free_measurement(all);
        return HOYA_ENOMEM;
    }
    hoya_task_options options = {.size = sizeof options, .name = "frames", .destroy = free_measurement};
    return hoya_create_task(me->loop, program, all, &options, &me->player);
}
