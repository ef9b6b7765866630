/* SPDX-License-Identifier: MIT
 *
 * workers.c: a whole program: one task puts words into a queue with room for two, three others take them out and work on them,
 * at most two at a time: docs/sync.md.
 */
#include <hoya/hoya.h>
#include <stdio.h>

typedef struct office {
    hoya_queue *jobs;
    hoya_semaphore *desks;
} office;

static int work_on(office *here, const char *word)
{
    int rc = hoya_semaphore_acquire(here->desks);
    if (rc < 0) return rc;
    rc = hoya_sleep(HOYA_MSEC(1));
    printf("%s\n", word);
    hoya_semaphore_release(here->desks);
    return rc;
}

static int worker(hoya_task *self, void *arg)
{
    office *here = arg;
    void *word;
    int rc;
    (void)self;
    while ((rc = hoya_queue_get(here->jobs, &word)) == 0) {
        rc = work_on(here, word);
        hoya_queue_task_done(here->jobs);
        if (rc < 0) return rc;
    }
    return rc == HOYA_ECLOSED ? 0 : rc; /* shut down and empty: that is the usual end */
}

static int program(hoya_task *self, void *arg)
{
    static char words[][8] = {"hello", "from", "a", "task", "that", "was", "in", "no", "hurry"};
    hoya_loop *loop = hoya_task_get_loop(self);
    office *here = arg;
    hoya_queue_options options = {.size = sizeof options, .name = "jobs", .capacity = 2};
    int rc = hoya_queue_new(loop, &options, &here->jobs);
    if (rc >= 0) rc = hoya_semaphore_new(loop, "desks", 2, 2, &here->desks);
    for (int i = 0; rc >= 0 && i < 3; i++) rc = hoya_create_task(loop, worker, here, NULL, NULL);
    for (size_t i = 0; rc >= 0 && i < sizeof words / sizeof *words; i++)
        rc = hoya_queue_put(here->jobs, words[i]); /* waits while two lie there */
    if (rc >= 0) rc = hoya_queue_join(here->jobs);
    return rc; /* the workers are cancelled */
}

int main(void)
{
    office here = {NULL, NULL};
    int rc = hoya_run(program, &here, NULL);
    if (rc < 0) fprintf(stderr, "%s\n", hoya_error_detail());
    hoya_queue_free(here.jobs); /* the loop is closed: nobody waits any more */
    hoya_semaphore_free(here.desks);
    return rc < 0;
}
