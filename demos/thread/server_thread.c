/* SPDX-License-Identifier: MIT
 *
 * server_thread.c: a thread, in it hoya_run with the native policy, in that a group, and in the group the server and
 * a task for each client. Stopping it is cancelling the group.
 */
#include "server_thread.h"

#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct server_thread {
    const server_thread_settings *settings; /* until it has started */
    char *bound;                            /* the same */
    pthread_t thread;
    sem_t started;
    int result;
    hoya_loop *loop; /* NULL: it has not started */
    hoya_group *group;
};

static int listen_here(server_thread *me)
{
    const server_thread_settings *to = me->settings;
    hoya_server *listener;
    hoya_address address;
    int rc = hoya_start_server(me->group, to->host, to->port, to->serve, to->arg, NULL, to->options, &listener);
    if (rc < 0) return rc;
    rc = hoya_server_get_sockname(listener, 0, &address);
    if (rc >= 0) { /* the port is at the same place for both families */
        struct sockaddr_in *in = (struct sockaddr_in *)&address.storage;
        snprintf(me->bound, 8, "%d", ntohs(in->sin_port));
    }
    hoya_server_unref(listener);
    return rc;
}

static int run_server(hoya_task *self, void *arg)
{
    server_thread *me = arg;
    int rc = hoya_group_enter(NULL, &me->group);
    if (rc < 0) return rc;
    rc = listen_here(me);
    if (rc < 0) {
        hoya_group_cancel(me->group, NULL);
    } else {
        me->loop = hoya_loop_ref(hoya_task_get_loop(self));
        sem_post(&me->started);
    }
    hoya_group_leave(me->group);
    return rc;
}

static void *thread(void *arg)
{
    server_thread *me = arg;
    const hoya_run_options options = {
        .size = sizeof options, .policy = hoya_default_policy(), .name = me->settings->name};
    me->result = hoya_run(run_server, me, &options);
    if (!me->loop) sem_post(&me->started); /* it never has */
    return NULL;
}

static void end_group(void *arg)
{
    server_thread *me = arg;
    hoya_group_cancel(me->group, "the server is stopped");
}

int server_thread_start(const server_thread_settings *settings, server_thread **out, char bound_port[8])
{
    server_thread *me = calloc(1, sizeof *me);
    if (!me) return HOYA_ENOMEM;
    me->settings = settings;
    me->bound = bound_port;
    sem_init(&me->started, 0, 0);
    int rc = -pthread_create(&me->thread, NULL, thread, me);
    if (rc == 0) {
        while (sem_wait(&me->started) < 0) continue; /* a signal */
        if (me->loop) {
            *out = me;
            return 0;
        }
        pthread_join(me->thread, NULL);
        rc = me->result;
    }
    sem_destroy(&me->started);
    free(me);
    return rc;
}

void server_thread_stop(server_thread *me)
{
    hoya_loop_call_soon_threadsafe(me->loop, end_group, me, NULL, NULL);
    pthread_join(me->thread, NULL);
    hoya_loop_unref(me->loop);
    sem_destroy(&me->started);
    free(me);
}

/* ---- nothing but a server -------------------------------------------------------------------------------- */

static void on_signal(int number, void *over)
{
    (void)number;
    hoya_event_set(over);
}

int server_thread_until_sigterm(const char *host, const char *port)
{
    hoya_loop *loop = hoya_get_running_loop();
    hoya_event *over;
    int rc = hoya_event_new(loop, NULL, &over);
    if (rc < 0) return rc;
    rc = hoya_loop_add_signal_handler(loop, SIGTERM, on_signal, over, NULL);
    printf("serving %s:%s\n", host, port);
    fflush(stdout); /* who started us waits for this line */
    if (rc >= 0) rc = hoya_event_wait(over);
    hoya_loop_remove_signal_handler(loop, SIGTERM);
    hoya_event_free(over);
    return rc;
}
