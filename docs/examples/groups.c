/* SPDX-License-Identifier: MIT
 *
 * groups.c: tasks that are waited for together: a server that says when it is ready, two requests to it at a time, and a race
 * of two mirrors: docs/tasks.md.
 */
#include <hoya/hoya.h>
#include <stdio.h>

static int answered;

static int serve(hoya_task *self, void *arg)
{
    hoya_sleep(HOYA_MSEC(1)); /* it takes a while until there is a port */
    static int port = 8080;
    hoya_task_started(self, &port, NULL);
    (void)arg;
    return hoya_sleep(HOYA_SEC(60)); /* until somebody cancels it */
}

static int request(hoya_task *self, void *port)
{
    int rc = hoya_sleep(HOYA_USEC(100));
    if (rc < 0) return rc;
    printf("%s: port %d says hello\n", hoya_task_get_name(self), *(int *)port);
    answered++;
    return 0;
}

static int request_all(void *port)
{
    hoya_group_options two = {.size = sizeof two, .name = "requests", .limit = 2};
    hoya_group *group;
    int rc = hoya_group_enter(&two, &group);
    if (rc < 0) return rc;
    for (int i = 0; rc >= 0 && i < 5; i++) rc = hoya_group_create_task(group, request, port, NULL, NULL);
    if (rc < 0) hoya_group_cancel(group, "there are not all of them");
    int end = hoya_group_leave(group);
    return end < 0 ? end : rc;
}

static int mirror(hoya_task *self, void *delay)
{
    int rc = hoya_sleep(*(int64_t *)delay);
    return rc < 0 ? rc : hoya_task_set_value(self, delay, NULL);
}

static int race(void)
{
    int64_t delays[] = {HOYA_MSEC(1), HOYA_SEC(60)}; /* on the stack: the children have ended before it goes */
    hoya_group_options options = {.size = sizeof options, .policy = HOYA_GROUP_RACE};
    hoya_group *group;
    int rc = hoya_group_enter(&options, &group);
    if (rc < 0) return rc;
    for (int i = 0; rc >= 0 && i < 2; i++) rc = hoya_group_create_task(group, mirror, &delays[i], NULL, NULL);
    if (rc < 0) hoya_group_cancel(group, "there are not all of them");
    int end = hoya_group_join(group);
    if (hoya_group_winner(group)) printf("%s has won\n", hoya_task_get_name(hoya_group_winner(group)));
    hoya_group_leave(group);
    return end < 0 ? end : rc;
}

static int program(hoya_task *self, void *arg)
{
    (void)self, (void)arg;
    hoya_group *group;
    void *port;
    int rc = hoya_group_enter(NULL, &group);
    if (rc < 0) return rc;
    rc = hoya_group_start(group, serve, NULL, NULL, &port, NULL);
    if (rc >= 0) rc = request_all(port);
    if (rc >= 0) rc = race();
    hoya_group_cancel(group, "the work is done"); /* the server has no end of its own */
    int end = hoya_group_leave(group);
    return end < 0 ? end : rc;
}

int main(void)
{
    int rc = hoya_run(program, NULL, NULL);
    if (rc < 0) fprintf(stderr, "%s\n", hoya_error_detail());
    return rc < 0 || answered != 5;
}
