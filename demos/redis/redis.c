/* SPDX-License-Identifier: MIT
 *
 * redis: a library of somebody else's, hiredis, on the loop (hoya_hiredis.h), against a real server. Some commands go out
 * without waiting, as many as are asked for; each answer is compared. Then tasks take turns with what came: each awaits its
 * answer as a future.
 *
 *     redis --socket /tmp/redis.sock --commands 10000 --host glib
 *
 * Commands are SET, GET and INCR by turns, so that each answer is known: "OK", the value, the count.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo/demo.h"
#include "redis/hoya_hiredis.h"

enum { TASKS = 100, ASKS = 10, VALUE_SIZE = 64 };

static struct {
    hoya_loop *loop;
    redisAsyncContext *redis;
    hoya_future *pipelined, *disconnected; /* done when all have been answered; when the connection has ended */
    long commands, answered, different;
    bool failed;
} demo;

static void fail(const char *what)
{
    if (!demo.failed) demo_say("%s: %s", what, demo.redis->err ? demo.redis->errstr : "no reply");
    demo.failed = true;
}

/* ---- a pipeline: callbacks ----------------------------------------------------------------------------------- */

static void make_value(long number, char value[VALUE_SIZE])
{
    snprintf(value, VALUE_SIZE, "value %ld of %ld", number, demo.commands);
}

static bool is_expected(long number, const redisReply *reply)
{
    char value[VALUE_SIZE];

    switch (number % 3) {
    case 0:
        return reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "OK") == 0;
    case 1:
        make_value(number - 1, value);
        return reply->type == REDIS_REPLY_STRING && strcmp(reply->str, value) == 0;
    default:
        return reply->type == REDIS_REPLY_INTEGER && reply->integer == number / 3 + 1;
    }
}

static void on_answer(redisAsyncContext *redis, void *reply, void *arg)
{
    long number = (long)(intptr_t)arg;

    (void)redis;
    if (reply == NULL) fail("a command of the pipeline");
    else if (number != demo.answered || !is_expected(number, reply)) demo.different++;
    demo.answered++;
    if (demo.answered == demo.commands) hoya_future_set_result(demo.pipelined, NULL, NULL);
}

static int send_command(long number)
{
    char value[VALUE_SIZE];
    void *arg = (void *)(intptr_t)number;

    switch (number % 3) {
    case 0:
        make_value(number, value);
        return redisAsyncCommand(demo.redis, on_answer, arg, "SET hoya:%ld %s", number / 3, value);
    case 1:
        return redisAsyncCommand(demo.redis, on_answer, arg, "GET hoya:%ld", number / 3);
    default:
        return redisAsyncCommand(demo.redis, on_answer, arg, "INCR hoya:count");
    }
}

static int run_pipeline(void)
{
    for (long i = 0; i < demo.commands; i++)
        if (send_command(i) != REDIS_OK) return HOYA_EIO;
    return hoya_await(demo.pipelined, NULL);
}

/* ---- tasks: one awaits its answer, and another goes on ---------------------------------------------------------- */

static void on_reply(redisAsyncContext *redis, void *reply, void *arg)
{
    const redisReply *r = reply;
    long long *value = malloc(sizeof *value);

    (void)redis;
    if (value != NULL && r != NULL && r->type == REDIS_REPLY_INTEGER) {
        *value = r->integer;
        hoya_future_set_result(arg, value, free);
    } else {
        free(value);
        hoya_future_set_exception(arg, HOYA_EIO, "no number for an answer");
    }
    hoya_future_unref(arg); /* the command's */
}

/* Waits for the answer to INCR. */
static int increment(const char *name, long long *value)
{
    hoya_future *future;
    void *answer;

    if (hoya_future_done(demo.disconnected)) return hoya_error_set(HOYA_EIO, "the connection has ended");
    int rc = hoya_future_new(demo.loop, &future);
    if (rc < 0) return rc;
    if (redisAsyncCommand(demo.redis, on_reply, hoya_future_ref(future), "INCR hoya:%s", name) == REDIS_OK) {
        rc = hoya_await(future, &answer);
        if (rc >= 0) *value = *(long long *)answer;
    } else {
        hoya_future_unref(future);
        rc = HOYA_EIO;
    }
    hoya_future_unref(future);
    return rc;
}

static int count_up(hoya_task *self, void *arg)
{
    long long value = 0;

    (void)arg;
    for (int i = 0; i < ASKS; i++) {
        int rc = increment(hoya_task_get_name(self), &value);
        if (rc < 0) return rc;
        if (value != i + 1) demo.different++;
        demo.answered++;
    }
    return 0;
}

static int run_tasks(void)
{
    hoya_group *group;
    int rc = hoya_group_enter(NULL, &group);

    if (rc < 0) return rc;
    for (int i = 0; i < TASKS && rc >= 0; i++) rc = hoya_group_create_task(group, count_up, NULL, NULL, NULL);
    int end = hoya_group_leave(group);
    return rc < 0 ? rc : end;
}

/* ---- the program ------------------------------------------------------------------------------------------- */

/* From here on hiredis frees its context by itself. */
static void on_disconnected(const redisAsyncContext *redis, int status)
{
    if (status != REDIS_OK) demo_say("the connection: %s", redis->errstr);
    demo.failed = demo.failed || status != REDIS_OK;
    hoya_future_set_result(demo.disconnected, NULL, NULL);
}

static int program(hoya_task *self, void *arg)
{
    const char *path = arg;
    char ticks[DEMO_TICKS_SIZE];

    demo.loop = hoya_task_get_loop(self);
    demo.redis = redisAsyncConnectUnix(path);
    if (demo.redis == NULL) return HOYA_ENOMEM;
    int rc = demo.redis->err ? hoya_error_set(HOYA_EIO, "%s: %s", path, demo.redis->errstr) : 0;
    if (rc >= 0) rc = hoya_future_new(demo.loop, &demo.pipelined);
    if (rc >= 0) rc = hoya_future_new(demo.loop, &demo.disconnected);
    if (rc >= 0 && hoya_hiredis_attach(demo.loop, demo.redis) != REDIS_OK) rc = HOYA_ENOMEM;
    if (rc < 0) {
        redisAsyncFree(demo.redis);
        return rc;
    }
    redisAsyncSetDisconnectCallback(demo.redis, on_disconnected);

    int64_t begin = hoya_loop_time(demo.loop);
    demo_start_ticking();
    rc = run_pipeline();
    int64_t middle = hoya_loop_time(demo.loop);
    if (rc >= 0 && !demo.failed) rc = run_tasks();
    int64_t end = hoya_loop_time(demo.loop);
    demo_stop_ticking(ticks);

    if (!hoya_future_done(demo.disconnected)) redisAsyncDisconnect(demo.redis);
    int closed = hoya_await(demo.disconnected, NULL);
    printf(
        "host %s: %ld answers compared, %ld differences; %ld commands in a pipeline %.3f s, %d tasks with %d each "
        "%.3f s; host ticks %s\n",
        hoya_loop_host_name(demo.loop), demo.answered, demo.different, demo.commands,
        (double)(middle - begin) / 1e9, TASKS, ASKS, (double)(end - middle) / 1e9, ticks);
    hoya_future_unref(demo.pipelined);
    hoya_future_unref(demo.disconnected);
    return rc < 0 ? rc : closed;
}

int main(int argc, char **argv)
{
    const char *host = "native", *path = "/run/redis/redis-server.sock";

    demo_program = "redis";
    demo.commands = 10000;
    demo_read_options(
        argc, argv, "Sends commands to a redis server, and compares the answers.",
        (const demo_option[]){
            {"socket", "PATH", "the server's Unix socket", .text = &path},
            {"commands", "N", "how many go out without waiting, 10000 by default", .number = &demo.commands,
             .least = 1, .most = 10000000},
            {"host", "NAME", "whose main loop to live in: native (the default), glib, qt, libuv", .text = &host},
            {0},
        });
    int rc = demo_choose_host(host); /* from here on hoya_run makes a guest of that host */
    if (rc != DEMO_OK) return rc;
    rc = hoya_run(program, (void *)(uintptr_t)path, NULL);
    if (rc < 0) return demo_library_failed("talk to redis", rc);
    return demo.failed || demo.different || demo.answered != demo.commands + TASKS * ASKS ? DEMO_FAILED : DEMO_OK;
}
