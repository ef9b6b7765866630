/* SPDX-License-Identifier: MIT
 *
 * port/port.c: each public function once, in C and without a test framework, for C libraries that have no C++ in Debian
 * (musl). What the units and the conformance suite look at closely is looked at here as far as a port can break it: does it
 * compile, link, and do on this system what it says?
 */
#include <hoya/hoya.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static atomic_int checks, failures; /* a thread checks, too */

static void check(int good, const char *condition, int line)
{
    checks++;
    if (good) return;
    failures++;
    printf("port.c:%d: %s (%s)\n", line, condition, hoya_error_detail());
}
#define CHECK(condition) check((condition) != 0, #condition, __LINE__)

/* ---- callbacks -------------------------------------------------------------------------------------------- */

static char trace[256];

static void note(void *arg)
{
    strncat(trace, arg, sizeof trace - strlen(trace) - 1);
}

static int expect(const char *words)
{
    int same = strcmp(trace, words) == 0;
    if (!same) printf("trace: \"%s\" instead of \"%s\"\n", trace, words);
    trace[0] = 0;
    return same;
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static void stop(void *arg)
{
    hoya_loop_stop(arg);
}

static void count_fd(hoya_fd fd, uint32_t events, void *arg)
{
    char byte;
    if (events & HOYA_IN) CHECK(read(fd, &byte, 1) <= 1);
    count(arg);
}

static void count_signal(int signum, void *arg)
{
    CHECK(signum == SIGUSR1);
    count(arg);
}

static void count_line(const char *text, void *arg)
{
    CHECK(strlen(text) > 0);
    count(arg);
}

static void count_log(hoya_log_level level, const char *text, void *arg)
{
    (void)level;
    count_line(text, arg);
}

static int count_exception(hoya_loop *loop, const hoya_exception_context *context, void *arg)
{
    CHECK(loop && context->code == HOYA_EPIPE);
    count(arg);
    return 0;
}

/* ---- without a loop --------------------------------------------------------------------------------------- */

static void test_base(void)
{
    hoya_live_counts live = {.size = sizeof live};
    CHECK(strchr(hoya_version(), '.'));
    CHECK(strcmp(hoya_strerror(HOYA_ENOMEM), "out of memory") == 0);
    CHECK(strcmp(hoya_error_name(HOYA_ETHREAD), "HOYA_ETHREAD") == 0);
    CHECK(strlen(hoya_strerror(-EDOM)) > 0 && strlen(hoya_strerror(-99999)) > 0);
    CHECK(hoya_error_set(HOYA_EBUSY, "port %d", 7) == HOYA_EBUSY && strcmp(hoya_error_detail(), "port 7") == 0);
    CHECK(hoya_get_live_counts(&live) == 0 && live.blocks == 0 && live.fds == 0);
    CHECK(hoya_set_allocator(NULL) == 0);
}

static void test_selector(const char *name)
{
    hoya_selector *selector;
    hoya_selector_event found[4];
    hoya_selector_key key;
    int fd = eventfd(0, EFD_NONBLOCK), tag;
    CHECK(hoya_selector_new(name, &selector) == 0);
    CHECK(strcmp(hoya_selector_name(selector), name) == 0);
    CHECK(hoya_selector_register(selector, fd, HOYA_IN, &tag) == 0);
    CHECK(hoya_selector_register(selector, fd, HOYA_IN, &tag) == HOYA_EEXIST);
    CHECK(hoya_selector_select(selector, HOYA_USEC(100), found, 4) == 0);
    CHECK(eventfd_write(fd, 1) == 0 && hoya_selector_select(selector, HOYA_NEVER, found, 4) == 1);
    CHECK(found[0].fd == fd && found[0].events == HOYA_IN && found[0].data == &tag);
    CHECK(hoya_selector_modify(selector, fd, HOYA_OUT, NULL) == 0);
    CHECK(hoya_selector_get_key(selector, fd, &key) == 0 && key.events == HOYA_OUT);
    CHECK((hoya_selector_fileno(selector) >= 0) == !!(hoya_selector_caps(selector) & HOYA_SELECTOR_NESTS));
    CHECK(hoya_selector_after_fork(selector) == 0);
    CHECK(hoya_selector_unregister(selector, fd) == 0);
    CHECK(hoya_selector_unregister(selector, fd) == HOYA_ENOENT);
    hoya_selector_free(selector);
    close(fd);
}

static int on_thread_stack(void *arg)
{
    char much[100000];
    return memset(much, 1, sizeof much) != arg && hoya_coroutine_current() == NULL ? 3 : 0;
}

static void *echo(void *arg)
{
    void *sent = NULL;
    CHECK(hoya_coroutine_current() != NULL);
    CHECK(hoya_call_on_thread_stack(on_thread_stack, arg) == 3);
    while (hoya_yield(sent ? sent : arg, &sent) == 0) continue;
    note("e");
    return NULL;
}

static void test_coroutines(void)
{
    hoya_stack_pool *pool;
    hoya_coroutine *co;
    int first, second;
    void *value = NULL;
    CHECK(hoya_stack_pool_new(NULL, &pool) == 0);
    hoya_coroutine_options options = {.size = sizeof options, .stack_size = 1, .name = "echo", .pool = pool};
    CHECK(hoya_coroutine_new(echo, &first, &options, &co) == 0);
    CHECK(hoya_coroutine_get_state(co) == HOYA_COROUTINE_CREATED && strcmp(hoya_coroutine_name(co), "echo") == 0);
    CHECK(hoya_coroutine_send(co, NULL, &value) == 1 && value == &first);
    CHECK(hoya_coroutine_send(co, &second, &value) == 1 && value == &second);
    CHECK(hoya_yield(NULL, NULL) == HOYA_ESTATE && hoya_coroutine_current() == NULL);
    CHECK(hoya_coroutine_close(co) == 0 && expect("e") && hoya_coroutine_send(co, NULL, NULL) == HOYA_ESTATE);
    hoya_coroutine_free(co);
    hoya_stack_pool_unref(hoya_stack_pool_ref(pool));
    hoya_stack_pool_unref(pool);
}

/* ---- a loop ----------------------------------------------------------------------------------------------- */

static void test_callbacks(hoya_loop *loop)
{
    hoya_handle *handle;
    int destroyed = 0;
    CHECK(hoya_loop_call_soon(loop, note, "a") == 0);
    CHECK(hoya_loop_call_soon_full(loop, note, "b", NULL, NULL) == 0);
    CHECK(hoya_loop_call_soon_full(loop, note, &destroyed, count, &handle) == 0);
    CHECK(hoya_handle_when(handle) == HOYA_NOW && hoya_handle_cancel(handle) == 1 && destroyed == 1);
    CHECK(hoya_handle_cancelled(handle) == 1);
    hoya_handle_unref(hoya_handle_ref(handle));
    hoya_handle_unref(handle);
    CHECK(hoya_loop_run_once(loop, HOYA_NOW) == 2 && expect("ab"));
}

static void test_timers(hoya_loop *loop)
{
    hoya_handle *handle;
    int64_t start = hoya_loop_time(loop);
    CHECK(hoya_loop_call_later(loop, HOYA_SEC(3600), note, "c", NULL, &handle) == 0);
    CHECK(hoya_handle_cancel(handle) == 1);
    hoya_handle_unref(handle);
    CHECK(hoya_loop_call_at(loop, start + HOYA_MSEC(1), note, "a", NULL, NULL) == 0);
    CHECK(hoya_loop_call_at(loop, start + HOYA_MSEC(2), note, "b", NULL, &handle) == 0);
    CHECK(hoya_handle_when(handle) == start + HOYA_MSEC(2));
    CHECK(hoya_loop_call_at(loop, start + HOYA_MSEC(4), stop, loop, NULL, NULL) == 0);
    CHECK(hoya_loop_run_forever(loop) == 0 && expect("ab"));
    CHECK(hoya_loop_time(loop) - start >= HOYA_MSEC(4));
    CHECK(hoya_handle_cancel(handle) == 0);
    hoya_handle_unref(handle);
    CHECK(hoya_loop_call_every(loop, HOYA_SEC(3600), HOYA_MSEC(1), note, "d", NULL, &handle) == 0);
    CHECK(hoya_handle_when(handle) > start && hoya_handle_cancel(handle) == 1);
    hoya_handle_unref(handle);
}

static void test_descriptors(hoya_loop *loop)
{
    int pair[2], reads = 0, writes = 0;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    CHECK(hoya_loop_add_reader(loop, pair[0], count_fd, &reads, NULL) == 0);
    CHECK(hoya_loop_add_reader(loop, pair[0], count_fd, &reads, NULL) == HOYA_EEXIST);
    CHECK(hoya_loop_replace_reader(loop, pair[0], count_fd, &reads, NULL) == 0);
    CHECK(hoya_loop_add_writer(loop, pair[0], count_fd, &writes, NULL) == 0);
    CHECK(hoya_loop_replace_writer(loop, pair[0], count_fd, &writes, NULL) == 0);
    CHECK(write(pair[1], "x", 1) == 1 && hoya_loop_run_once(loop, HOYA_NEVER) == 2 && reads == 1 && writes == 1);
    CHECK(hoya_loop_remove_writer(loop, pair[0]) == 1);
    close(pair[1]);
    CHECK(hoya_loop_run_once(loop, HOYA_NEVER) == 1 && reads == 2);
    CHECK(hoya_loop_remove_reader(loop, pair[0]) == 1 && hoya_loop_remove_reader(loop, pair[0]) == 0);
    close(pair[0]);
}

static void *post(void *arg)
{
    hoya_loop *loop = arg;
    hoya_threadsafe_handle *handle;
    int ran = 0;
    CHECK(hoya_loop_call_soon(loop, note, "never") == HOYA_ETHREAD);
    CHECK(hoya_loop_call_soon_threadsafe(loop, note, "p", NULL, NULL) == 0);
    CHECK(hoya_loop_call_soon_threadsafe(loop, count, &ran, NULL, &handle) == 0);
    int in_time = hoya_threadsafe_handle_cancel(handle);
    CHECK(in_time == !ran && hoya_threadsafe_handle_cancelled(handle) == in_time);
    hoya_threadsafe_handle_unref(hoya_threadsafe_handle_ref(handle));
    hoya_threadsafe_handle_unref(handle);
    CHECK(hoya_loop_wakeup(loop) == 0 && hoya_loop_is_closed(loop) == 0);
    CHECK(hoya_loop_call_soon_threadsafe(loop, stop, loop, NULL, NULL) == 0);
    return NULL;
}

static void test_threads(hoya_loop *loop)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, post, loop) == 0);
    CHECK(hoya_loop_run_forever(loop) == 0 && expect("p"));
    pthread_join(thread, NULL);
}

static void test_running(hoya_loop *loop)
{
    CHECK(hoya_loop_is_running(loop) == 0 && hoya_get_running_loop() == NULL);
    CHECK(hoya_loop_abort(loop, HOYA_EPIPE) == HOYA_ESTATE);
    CHECK(hoya_loop_stop(loop) == 0 && hoya_loop_start(loop) == 0);
    CHECK(hoya_loop_call_soon(loop, note, "d") == 0);
    CHECK(hoya_loop_deadline(loop) == HOYA_NOW && hoya_loop_dispatch(loop, HOYA_NEVER) == 1 && expect("d"));
    CHECK(hoya_loop_deadline(loop) == HOYA_NEVER);
    CHECK(hoya_loop_detach(loop) == HOYA_ESTATE && strcmp(hoya_loop_host_name(loop), "native") == 0);
    CHECK((hoya_loop_pollfd(loop) >= 0) == !!(hoya_loop_selector_caps(loop) & HOYA_SELECTOR_NESTS));
    CHECK(hoya_loop_host_caps(loop) & HOYA_HOST_BEFORE_BLOCK);
}

static void test_signals(hoya_loop *loop)
{
    int first = 0, second = 0;
    CHECK(hoya_loop_add_signal_handler(loop, SIGUSR1, count_signal, &first, NULL) == 0);
    CHECK(hoya_loop_add_signal_handler(loop, SIGKILL, count_signal, &first, NULL) == HOYA_EINVAL);
    CHECK(raise(SIGUSR1) == 0 && hoya_loop_run_once(loop, HOYA_NEVER) >= 0);
    CHECK(hoya_loop_replace_signal_handler(loop, SIGUSR1, count_signal, &second, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && hoya_loop_run_once(loop, HOYA_SEC(1)) >= 0);
    CHECK(first == 1 && second == 1);
    CHECK(hoya_loop_remove_signal_handler(loop, SIGUSR1) == 1);
}

static void test_fork(hoya_loop *loop)
{
    CHECK(hoya_loop_call_soon(loop, note, "f") == 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        CHECK(hoya_loop_call_soon(loop, note, "never") == HOYA_ECHILD);
        CHECK(hoya_loop_after_fork(loop) == 0);
        CHECK(hoya_loop_call_later(loop, HOYA_MSEC(1), stop, loop, NULL, NULL) == 0);
        CHECK(hoya_loop_run_forever(loop) == 0 && expect("f"));
        CHECK(hoya_loop_close(loop) == 0);
        fflush(stdout);
        _exit(failures != 0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(hoya_loop_run_once(loop, HOYA_NOW) == 1 && expect("f"));
}

static void test_debugging(hoya_loop *loop)
{
    int lines = 0, logged = 0, exceptions = 0;
    void *arg;
    hoya_loop_statistics stats = {.size = sizeof stats};
    hoya_exception_context context = {sizeof context, "it broke", HOYA_EPIPE, NULL, HOYA_INVALID_FD};
    hoya_set_log_function(count_log, &logged);
    CHECK(hoya_loop_dump(loop, count_line, &lines) == 0 && lines > 5);
    CHECK(hoya_loop_stats(loop, &stats) == 0 && stats.callbacks > 0);
    CHECK(hoya_loop_set_debug(loop, 1) == 0 && hoya_loop_get_debug(loop) == 1);
    CHECK(hoya_loop_set_slow_callback_duration(loop, 0) == 0 && hoya_loop_get_slow_callback_duration(loop) == 0);
    CHECK(hoya_loop_call_soon(loop, note, "s") == 0 && hoya_loop_run_once(loop, HOYA_NOW) == 1 && expect("s"));
    CHECK(logged == 1);
    CHECK(hoya_loop_set_debug(loop, 0) == 0);
    CHECK(hoya_loop_set_exception_handler(loop, count_exception, &exceptions) == 0);
    CHECK(hoya_loop_get_exception_handler(loop, &arg) == count_exception && arg == &exceptions);
    hoya_loop_call_exception_handler(loop, &context);
    hoya_loop_default_exception_handler(loop, &context);
    CHECK(exceptions == 1 && logged == 2);
    hoya_set_log_function(NULL, NULL);
}

static void test_loop(const char *selector, uint32_t flags)
{
    hoya_loop *loop;
    hoya_loop_options options = {.size = sizeof options, .flags = flags};
    CHECK(hoya_selector_new(selector, &options.selector) == 0);
    CHECK(hoya_loop_new(&options, &loop) == 0);
    CHECK(strcmp(hoya_loop_selector_name(loop), selector) == 0);
    test_callbacks(loop);
    test_timers(loop);
    test_descriptors(loop);
    test_threads(loop);
    test_running(loop);
    test_signals(loop);
    test_fork(loop);
    test_debugging(loop);
    CHECK(hoya_loop_close(loop) == 0 && hoya_loop_close(loop) == 0);
    CHECK(hoya_loop_call_soon(loop, note, "never") == HOYA_ECLOSED);
    hoya_loop_unref(hoya_loop_ref(loop));
    hoya_loop_unref(loop);
}

static void test_policy(void)
{
    hoya_loop *loop, *made;
    CHECK(hoya_get_event_loop_policy() == hoya_default_policy());
    CHECK(hoya_set_event_loop_policy(NULL) == 0);
    CHECK(hoya_get_event_loop(&loop) == 0);
    CHECK(hoya_new_event_loop(&made) == 0 && made != loop);
    CHECK(hoya_set_event_loop(made) == 0);
    hoya_loop_unref(made);
    CHECK(hoya_get_event_loop(&loop) == 0 && loop == made);
    CHECK(hoya_set_event_loop(NULL) == 0);
}

/* ---- a program -------------------------------------------------------------------------------------------- */

static int program(hoya_task *self, void *arg)
{
    CHECK(hoya_run(program, arg, NULL) == HOYA_EBUSY && hoya_current_task() == self);
    raise(SIGINT);
    CHECK(hoya_sleep(HOYA_SEC(10)) == HOYA_ECANCELED);
    note(arg);
    return HOYA_ECANCELED;
}

static void test_run(void)
{
    int destroyed = 0;
    hoya_run_options options = {.size = sizeof options, .name = "program", .policy = hoya_default_policy()};
    signal(SIGINT, SIG_DFL);
    CHECK(hoya_run(program, "m", &options) == HOYA_EINTR && expect("m"));
    options.destroy = count;
    CHECK(hoya_run(NULL, &destroyed, &options) == HOYA_EINVAL && destroyed == 1);
}

/* ---- futures ---------------------------------------------------------------------------------------------- */

static void count_done(hoya_future *future, void *arg)
{
    CHECK(hoya_future_done(future));
    count(arg);
}

static void count_thread_done(hoya_thread_future *future, void *arg)
{
    CHECK(hoya_thread_future_done(future));
    count(arg);
}

static void *complete_thread_future(void *arg)
{
    CHECK(hoya_thread_future_set_running_or_notify_cancel(arg) == 1);
    CHECK(hoya_thread_future_set_result(arg, trace, NULL) == 0);
    return NULL;
}

static void test_futures(void)
{
    hoya_loop *loop;
    hoya_future *future = NULL, *copy = NULL, *failed = NULL;
    hoya_handle *handle;
    void *value = NULL;
    const char *text;
    int done = 0, destroyed = 0;
    hoya_destroy destroy;
    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(hoya_future_new(loop, &future) == 0 && hoya_future_new(loop, &copy) == 0);
    CHECK(hoya_future_get_loop(future) == loop && !hoya_future_done(future));
    CHECK(hoya_future_add_done_callback(future, count_done, &done, NULL, NULL) == 0);
    CHECK(hoya_future_add_done_callback(future, count_done, &destroyed, NULL, &handle) == 0);
    CHECK(hoya_handle_cancel(handle) == 1);
    hoya_handle_unref(handle);
    CHECK(hoya_future_remove_done_callback(future, count_done, &done) == 1);
    CHECK(hoya_future_add_done_callback(future, count_done, &done, NULL, NULL) == 0);
    CHECK(hoya_future_chain(future, copy) == 0);
    CHECK(hoya_future_set_result(future, &destroyed, count) == 0 && done == 0);
    CHECK(hoya_loop_run_once(loop, HOYA_NOW) == 2 && done == 1);
    CHECK(hoya_future_result(copy, &value) == 0 && value == &destroyed);
    CHECK(hoya_future_take(copy, &value, &destroy) == 0 && destroy == count && destroyed == 0);
    hoya_future_unref(hoya_future_ref(future));
    hoya_future_unref(future);
    hoya_future_unref(copy);
    CHECK(hoya_future_new(loop, &failed) == 0 && hoya_future_set_exception(failed, HOYA_EPIPE, "gone") == 0);
    CHECK(hoya_future_exception(failed, &text) == HOYA_EPIPE && strcmp(text, "gone") == 0);
    CHECK(hoya_future_cancel(failed, NULL) == 0 && !hoya_future_cancelled(failed));
    hoya_future_unref(failed);

    CHECK(hoya_future_new(loop, &future) == 0 && hoya_loop_stop(loop) == 0);
    CHECK(hoya_run_until_complete(loop, future, &value) == HOYA_ESTATE);
    CHECK(hoya_future_set_result(future, loop, NULL) == 0);
    CHECK(hoya_run_until_complete(loop, future, &value) == 0 && value == loop);
    hoya_future_unref(future);

    hoya_thread_future *work = NULL, *idle = NULL;
    pthread_t worker;
    CHECK(hoya_thread_future_new(&work) == 0 && hoya_thread_future_new(&idle) == 0);
    CHECK(hoya_thread_future_add_done_callback(idle, count_thread_done, &done, NULL) == 0);
    CHECK(hoya_thread_future_remove_done_callback(idle, count_thread_done, &done) == 1);
    CHECK(hoya_thread_future_cancel(idle, NULL) == 1 && hoya_thread_future_cancelled(idle));
    CHECK(hoya_thread_future_set_exception(idle, HOYA_EPIPE, NULL) == HOYA_ESTATE);
    CHECK(hoya_thread_future_result(work, HOYA_USEC(10), NULL) == HOYA_ETIMEDOUT);
    CHECK(hoya_wrap_future(loop, hoya_thread_future_ref(work), &future) == 0);
    CHECK(pthread_create(&worker, NULL, complete_thread_future, work) == 0);
    while (!hoya_future_done(future)) CHECK(hoya_loop_run_once(loop, HOYA_NEVER) >= 0);
    CHECK(pthread_join(worker, NULL) == 0);
    CHECK(hoya_future_result(future, &value) == 0 && value == trace);
    CHECK(hoya_thread_future_result(work, HOYA_NEVER, &value) == 0 && value == trace);
    hoya_future_unref(future);
    hoya_thread_future_unref(work);
    hoya_thread_future_unref(work);
    hoya_thread_future_unref(idle);
    CHECK(hoya_loop_close(loop) == 0);
    hoya_loop_unref(loop);
}

/* ---- tasks ------------------------------------------------------------------------------------------------ */

static char local_key;
static int waits_for_cancel;

static int hear_cancel(hoya_task *self, void *arg)
{
    hoya_timeout *timeout;
    CHECK(hoya_current_task() == self && hoya_task_get_local(&local_key) == trace);
    CHECK(hoya_timeout_enter(HOYA_USEC(10), &timeout) == 0);
    CHECK(hoya_sleep(HOYA_SEC(60)) == HOYA_EDEADLINE && hoya_timeout_leave(timeout) == 1);
    CHECK(hoya_timeout_enter_at(HOYA_NEVER, &timeout) == 0 && hoya_timeout_leave(timeout) == 0);
    waits_for_cancel = 1;
    CHECK(hoya_sleep(HOYA_SEC(60)) == HOYA_ECANCELED && hoya_task_cancelling(self) == 1);
    CHECK(hoya_shield_enter() == 0 && hoya_sleep(HOYA_USEC(10)) == 0 && hoya_shield_leave() == 0);
    CHECK(hoya_task_uncancel(self) == 0 && hoya_sleep(0) == 0);
    return hoya_task_set_value(self, arg, NULL);
}

static int say_ready(hoya_task *self, void *arg)
{
    CHECK(hoya_task_started(self, arg, NULL) == 1);
    return 0;
}

static int fail_child(hoya_task *self, void *arg)
{
    CHECK(arg == NULL && hoya_sleep(0) == 0);
    return hoya_error_set(HOYA_EIO, "%s fails", hoya_task_get_name(self));
}

static void note_error(hoya_task *child, int code, const char *text, void *arg)
{
    CHECK(code == HOYA_EIO && strcmp(text, "child fails") == 0 && strcmp(hoya_task_get_name(child), "child") == 0);
    count(arg);
}

static void have_groups(hoya_task_options *options)
{
    int errors = 0;
    void *value = NULL;
    hoya_group *group;
    CHECK(hoya_group_enter(NULL, &group) == 0);
    CHECK(hoya_group_create_task(group, fail_child, NULL, options, NULL) == 0);
    CHECK(hoya_group_join(group) == HOYA_EIO && hoya_group_errors(group, note_error, &errors) == 1 && errors == 1);
    CHECK(hoya_group_leave(group) == HOYA_EIO && strcmp(hoya_error_detail(), "child fails") == 0);
    hoya_group_options race = {.size = sizeof race, .policy = HOYA_GROUP_RACE, .limit = 1};
    CHECK(hoya_group_enter(&race, &group) == 0);
    CHECK(hoya_group_start(group, say_ready, trace, options, &value, NULL) == 0 && value == trace);
    CHECK(hoya_group_join(group) == 0 && hoya_group_winner(group) != NULL);
    CHECK(hoya_group_cancel(group, "port") == 1 && hoya_sleep(0) == HOYA_ECANCELED);
    CHECK(hoya_group_leave(group) == 0 && hoya_sleep(0) == 0);
}

static int have_child(hoya_task *self, void *arg)
{
    hoya_task *child;
    void *value = NULL;
    hoya_task_options options = {.size = sizeof options, .name = "child", .stack_size = 64 * 1024};
    CHECK(hoya_task_set_local(&local_key, trace, NULL) == 0);
    CHECK(hoya_create_task(hoya_task_get_loop(self), hear_cancel, arg, &options, &child) == 0);
    CHECK(strcmp(hoya_task_get_name(child), "child") == 0);
    while (!waits_for_cancel) CHECK(hoya_sleep(HOYA_USEC(100)) == 0);
    CHECK(hoya_task_cancel(child, "port") == 1);
    CHECK(hoya_wait_done(hoya_task_future(child)) == 0);
    CHECK(hoya_await(hoya_task_future(child), &value) == 0 && value == arg);
    hoya_task_unref(hoya_task_ref(child));
    hoya_task_unref(child);
    have_groups(&options);
    hoya_loop_stop(hoya_task_get_loop(self));
    return hoya_error_set(HOYA_EPIPE, "the end");
}

static void *start_task(void *loop)
{
    hoya_thread_future *future = NULL;
    CHECK(hoya_create_task_threadsafe(loop, have_child, trace, NULL, &future) == 0);
    CHECK(hoya_thread_future_result(future, HOYA_SEC(20), NULL) == HOYA_EPIPE);
    CHECK(strcmp(hoya_error_detail(), "the end") == 0);
    hoya_thread_future_unref(future);
    return NULL;
}

static void test_tasks(void)
{
    hoya_loop *loop;
    pthread_t thread;
    CHECK(hoya_loop_new(NULL, &loop) == 0 && hoya_all_tasks(loop, NULL, NULL) == 0);
    CHECK(pthread_create(&thread, NULL, start_task, loop) == 0);
    CHECK(hoya_loop_run_forever(loop) == 0);
    CHECK(hoya_loop_run_once(loop, HOYA_NOW) >= 0); /* the outcome goes on its way a round later */
    CHECK(pthread_join(thread, NULL) == 0 && hoya_current_task() == NULL);
    CHECK(hoya_loop_close(loop) == 0);
    hoya_loop_unref(loop);
}

/* ---- combinators ------------------------------------------------------------------------------------------ */

static int fail_then(hoya_future *source, hoya_future *next, void *other)
{
    CHECK(hoya_future_done(source));
    return hoya_future_follow(next, other);
}

static int sleep_a_round(hoya_task *self, void *arg)
{
    (void)arg;
    return hoya_sleep(0) < 0 ? HOYA_ECANCELED : hoya_task_set_value(self, trace, NULL);
}

static int combine(hoya_task *self, void *arg)
{
    hoya_loop *loop = hoya_task_get_loop(self);
    hoya_future *futures[2], *made[6], *future = NULL;
    hoya_as_completed *iterator;
    hoya_attempt attempts[2] = {{.fn = sleep_a_round, .arg = arg, .destroy = count, .name = "first"},
                                {.fn = sleep_a_round, .arg = arg, .destroy = count, .name = "second"}};
    void *value = NULL;
    size_t winner = 9;
    CHECK(hoya_future_new(loop, &futures[0]) == 0 && hoya_future_new(loop, &futures[1]) == 0);
    CHECK(hoya_gather(loop, futures, 2, HOYA_GATHER_RETURN_ERRORS, &made[0]) == 0);
    CHECK(hoya_race(loop, futures, 2, &made[1]) == 0 && hoya_shield(futures[0], &made[2]) == 0);
    CHECK(hoya_with_timeout(futures[0], HOYA_SEC(20), &made[3]) == 0);
    CHECK(hoya_wait_futures(loop, futures, 2, HOYA_FIRST_COMPLETED, HOYA_SEC(20), &made[4]) == 0);
    CHECK(hoya_future_then(futures[0], fail_then, fail_then, made[2], NULL, &made[5]) == 0);
    CHECK(hoya_as_completed_new(loop, futures, 2, &iterator) == 0);
    CHECK(hoya_wait(futures, 2, HOYA_FIRST_COMPLETED, HOYA_USEC(10)) == 0);
    CHECK(hoya_future_set_result(futures[0], arg, NULL) == 0);
    CHECK(hoya_wait(futures, 2, HOYA_ALL_COMPLETED, HOYA_NEVER) == 2);
    CHECK(hoya_as_completed_next(iterator, &future) == 1 && future == futures[0]);
    hoya_as_completed_free(iterator);
    CHECK(hoya_await(made[0], &value) == 0 && ((hoya_gathered *)value)[1].code == HOYA_ECANCELED);
    for (int i = 1; i < 6; i++)
        CHECK(hoya_wait_for(made[i], HOYA_SEC(20), &value) == 0 && (i == 4 || value == arg));
    for (int i = 0; i < 6; i++) hoya_future_unref(made[i]);
    for (int i = 0; i < 2; i++) hoya_future_unref(futures[i]);
    CHECK(hoya_staggered_race(attempts, 2, HOYA_SEC(20), &winner) == 0 && winner == 0);
    CHECK(strcmp(hoya_task_get_name(attempts[0].task), "first") == 0 && !attempts[1].task);
    hoya_task_unref(attempts[0].task);
    return 0;
}

static void test_combinators(void)
{
    int destroyed = 0;
    CHECK(hoya_run(combine, &destroyed, NULL) == 0 && destroyed == 2);
}

/* ---- what tasks wait for ---------------------------------------------------------------------------------- */

typedef struct meeting {
    hoya_lock *lock;
    hoya_event *event;
    hoya_condition *condition;
    hoya_semaphore *semaphore;
    hoya_barrier *barrier;
    hoya_queue *queue, *heap;
} meeting;

static int is_set(void *event)
{
    return hoya_event_is_set(event);
}

static int meet_first(hoya_task *self, void *arg)
{
    const meeting *at = arg;
    void *item = NULL;
    (void)self;
    CHECK(hoya_lock_acquire(at->lock) == 0 && hoya_lock_locked(at->lock) == 1);
    CHECK(hoya_condition_wait(at->condition) == 0);
    CHECK(hoya_condition_wait_for(at->condition, is_set, at->event) == 0);
    CHECK(hoya_lock_release(at->lock) == 0);
    CHECK(hoya_event_wait(at->event) == 0 && hoya_event_clear(at->event) == 0);
    CHECK(hoya_semaphore_acquire(at->semaphore) == 0);
    CHECK(hoya_queue_get(at->queue, &item) == 0 && item == at->queue);
    CHECK(hoya_queue_task_done(at->queue) == 0);
    return hoya_barrier_wait(at->barrier) == 0 ? 0 : -1;
}

static int meet_second(hoya_task *self, void *arg)
{
    const meeting *at = arg;
    CHECK(hoya_lock_try_acquire(at->lock) == 0 && hoya_lock_release(at->lock) == 0);
    CHECK(hoya_condition_notify(at->condition, 1) == 1 && hoya_sleep(0) == 0);
    CHECK(hoya_event_set(at->event) == 0 && hoya_condition_notify_all(at->condition) == 1 && hoya_sleep(0) == 0);
    CHECK(hoya_semaphore_release(at->semaphore) == 0 && hoya_queue_put(at->queue, at->queue) == 0);
    CHECK(hoya_queue_join(at->queue) == 0);
    CHECK(hoya_barrier_waiting(at->barrier) == 1 && hoya_barrier_wait(at->barrier) == 1);
    CHECK(hoya_queue_put_priority(at->heap, arg, 1) == 0);
    hoya_loop_stop(hoya_task_get_loop(self));
    return 0;
}

static void test_sync(void)
{
    hoya_loop *loop;
    meeting at;
    hoya_queue_options options = {.size = sizeof options, .kind = HOYA_QUEUE_PRIORITY, .capacity = 3};
    void *item;
    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(hoya_lock_new(loop, "lock", &at.lock) == 0 && hoya_event_new(loop, NULL, &at.event) == 0);
    CHECK(hoya_condition_new(at.lock, NULL, &at.condition) == 0);
    CHECK(hoya_semaphore_new(loop, NULL, 0, 1, &at.semaphore) == 0);
    CHECK(hoya_barrier_new(loop, NULL, 2, &at.barrier) == 0);
    CHECK(hoya_queue_new(loop, NULL, &at.queue) == 0 && hoya_queue_new(loop, &options, &at.heap) == 0);
    CHECK(hoya_create_task(loop, meet_first, &at, NULL, NULL) == 0);
    CHECK(hoya_create_task(loop, meet_second, &at, NULL, NULL) == 0);
    CHECK(hoya_loop_run_forever(loop) == 0);
    CHECK(hoya_semaphore_try_acquire(at.semaphore) == HOYA_EAGAIN && hoya_semaphore_value(at.semaphore) == 0);
    CHECK(hoya_barrier_abort(at.barrier) == 0 && hoya_barrier_broken(at.barrier) == 1);
    CHECK(hoya_barrier_reset(at.barrier) == 0);
    CHECK(hoya_queue_put_nowait(at.heap, loop) == 0 && hoya_queue_size(at.heap) == 2);
    CHECK(hoya_queue_put_priority_nowait(at.heap, &at, -1) == 0 && hoya_queue_capacity(at.heap) == 3);
    CHECK(hoya_queue_get_nowait(at.heap, &item) == 0 && item == &at);
    CHECK(hoya_queue_shutdown(at.heap, 1) == 0);
    CHECK(hoya_loop_close(loop) == 0);
    CHECK(hoya_queue_free(at.queue) == 0 && hoya_queue_free(at.heap) == 0 && hoya_barrier_free(at.barrier) == 0);
    CHECK(hoya_semaphore_free(at.semaphore) == 0 && hoya_condition_free(at.condition) == 0);
    CHECK(hoya_event_free(at.event) == 0 && hoya_lock_free(at.lock) == 0);
    hoya_loop_unref(loop);
}

/* ---- executors -------------------------------------------------------------------------------------------- */

static int give_value(hoya_job *self, void *arg)
{
    hoya_job_set_value(self, arg, NULL);
    return hoya_job_cancelled(self);
}

static int call_a_job(hoya_task *self, void *arg)
{
    void *value = NULL;
    hoya_destroy destroy = count;
    CHECK(hoya_to_thread(give_value, arg, NULL, &value, &destroy) == 0 && value == arg && destroy == NULL);
    hoya_loop_stop(hoya_task_get_loop(self));
    return 0;
}

static int run_inline(hoya_executor *executor, void *arg)
{
    count(arg);
    return hoya_executor_run(executor) < 0;
}

static void test_executors(void)
{
    static const hoya_executor_ops ops = {sizeof ops, "inline", run_inline, count};
    hoya_loop *loop;
    hoya_executor *pool, *here;
    hoya_thread_future *work;
    hoya_future *future;
    hoya_thread_pool_options options = {
        .size = sizeof options, .max_threads = 2, .name = "port", .stack_size = 1 << 17};
    int calls = 0;
    void *value = NULL;
    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(hoya_thread_pool_new(&options, &pool) == 0 && hoya_executor_set_queue_limit(pool, 10) == 0);
    CHECK(hoya_executor_submit(pool, give_value, trace, NULL, &work) == 0);
    CHECK(hoya_thread_future_result(work, HOYA_NEVER, &value) == 0 && value == trace);
    hoya_thread_future_unref(work);
    CHECK(hoya_run_in_executor(loop, pool, give_value, &calls, NULL, &future) == 0);
    while (!hoya_future_done(future)) CHECK(hoya_loop_run_once(loop, HOYA_NEVER) >= 0);
    CHECK(hoya_future_result(future, &value) == 0 && value == &calls);
    hoya_future_unref(future);
    CHECK(hoya_set_default_executor(loop, pool) == 0);
    CHECK(hoya_create_task(loop, call_a_job, trace, NULL, NULL) == 0);
    CHECK(hoya_loop_run_forever(loop) == 0);
    CHECK(hoya_executor_shutdown(pool, HOYA_NEVER, 0) == 0);
    CHECK(hoya_executor_submit(pool, give_value, NULL, NULL, NULL) == HOYA_ECLOSED);
    hoya_executor_unref(hoya_executor_ref(pool));
    hoya_executor_unref(pool);
    CHECK(hoya_executor_new(&ops, &calls, &here) == 0 && hoya_set_default_executor(loop, here) == 0);
    hoya_executor_unref(here);
    CHECK(hoya_run_in_executor(loop, NULL, give_value, NULL, NULL, NULL) == 0 && calls == 1);
    CHECK(hoya_shutdown_default_executor(loop, HOYA_SEC(10), &future) == 0);
    while (!hoya_future_done(future)) CHECK(hoya_loop_run_once(loop, HOYA_NEVER) >= 0);
    hoya_future_unref(future);
    CHECK(hoya_loop_close(loop) == 0 && calls == 2);
    hoya_loop_unref(loop);
}

/* ---- names and addresses ---------------------------------------------------------------------------------- */

static int know_nobody(hoya_loop *loop, const char *host, const char *service, const struct addrinfo *hints,
                       void *arg, hoya_future **future)
{
    (void)arg;
    CHECK(host && !service && hints && !hints->ai_flags);
    CHECK(hoya_future_new(loop, future) == 0);
    return hoya_future_set_exception(*future, HOYA_EAI_NONAME, "nobody");
}

static void wait_for_name(hoya_loop *loop, hoya_future *future)
{
    while (!hoya_future_done(future)) CHECK(hoya_loop_run_once(loop, HOYA_NEVER) >= 0);
}

/* A loop's close waits for no thread; the count of blocks at our end does. */
static void wait_for_lanes(void)
{
    const struct timespec moment = {0, 1000000};
    hoya_live_counts live = {.size = sizeof live, .blocks = 1};
    for (int i = 0; i < 10000 && live.blocks; i++, nanosleep(&moment, NULL))
        CHECK(hoya_get_live_counts(&live) == 0);
}

static void test_resolver(void)
{
    static const hoya_resolver_ops ops = {sizeof ops, "nobody", know_nobody, NULL, count};
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    hoya_loop *loop;
    hoya_future *future;
    hoya_address address;
    char text[HOYA_ADDRESS_TEXT_SIZE];
    void *value;
    struct addrinfo *copy = NULL;
    int freed = 0;
    CHECK(hoya_address_set(&address, "fe80::1%1", "80") == 0);
    CHECK(hoya_address_format((struct sockaddr *)&address.storage, address.length, text, sizeof text) > 0);
    CHECK(strncmp(text, "[fe80::1%", 9) == 0 && strcmp(strrchr(text, ']'), "]:80") == 0);
    CHECK(hoya_address_set(&address, "127.0.0.1", "65536") == HOYA_EINVAL);
    CHECK(hoya_address_set_unix(&address, "@name") == 0);
    CHECK(hoya_address_format((struct sockaddr *)&address.storage, address.length, text, sizeof text) == 10);
    CHECK(strcmp(text, "unix:@name") == 0);
    CHECK(hoya_address_set(&address, "127.0.0.1", "80") == 0);

    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(hoya_getaddrinfo(loop, "127.0.0.1", "80", &hints, &future) == 0 && hoya_future_done(future) == 1);
    CHECK(hoya_future_result(future, &value) == 0 && hoya_copy_addrinfo(value, &copy) == 0);
    hoya_future_unref(future);
    CHECK(copy->ai_addrlen == address.length && memcmp(copy->ai_addr, &address.storage, address.length) == 0);
    hoya_freeaddrinfo(copy);
    CHECK(hoya_getnameinfo(loop, (struct sockaddr *)&address.storage, address.length,
                           NI_NUMERICHOST | NI_NUMERICSERV, &future) == 0);
    CHECK(hoya_future_result(future, &value) == 0);
    CHECK(strcmp(((hoya_name_info *)value)->host, "127.0.0.1") == 0);
    hoya_future_unref(future);
    /* By a thread, and here only from the file of hosts. */
    CHECK(hoya_getaddrinfo(loop, "localhost", "80", &hints, &future) == 0);
    wait_for_name(loop, future);
    CHECK(hoya_future_result(future, &value) == 0);
    hoya_future_unref(future);
    int rc = hoya_getaddrinfo(loop, "\xef\xbc\x91.2.3.4", "80", &hints, &future); /* 1.2.3.4, with a full-width 1 */
    CHECK(rc == 0 || rc == HOYA_ENOTSUP);
    if (rc == 0) {
        wait_for_name(loop, future);
        rc = hoya_future_exception(future, NULL);
        CHECK(rc == 0 || rc == HOYA_EAI_IDN); /* without libidn2 */
        hoya_future_unref(future);
    }
    CHECK(hoya_set_resolver(loop, &ops, &freed) == 0);
    CHECK(hoya_getaddrinfo(loop, "localhost", NULL, NULL, &future) == 0);
    CHECK(hoya_future_result(future, NULL) == HOYA_EAI_NONAME && strcmp(hoya_error_detail(), "nobody") == 0);
    hoya_future_unref(future);
    CHECK(hoya_set_resolver(loop, NULL, NULL) == 0 && freed == 1);
    CHECK(hoya_loop_close(loop) == 0);
    hoya_loop_unref(loop);
    wait_for_lanes();
}

/* ---- connections ----------------------------------------------------------------------------------------- */

static int on_made(hoya_transport *transport, void *arg)
{
    (void)arg;
    strncat(trace, "made ", sizeof trace - strlen(trace) - 1);
    return hoya_transport_write(transport, "hello", 5);
}

static int on_data(hoya_transport *transport, const void *data, size_t size, void *arg)
{
    (void)arg;
    strncat(trace, data, size);
    return hoya_transport_close(transport);
}

static void on_lost(hoya_transport *transport, int code, void *arg)
{
    (void)transport;
    (void)arg;
    strncat(trace, code == 0 ? " lost" : " failed", sizeof trace - strlen(trace) - 1);
}

static const hoya_protocol_ops protocol_ops = {.size = sizeof protocol_ops,
                                               .connection_made = on_made,
                                               .data_received = on_data,
                                               .connection_lost = on_lost,
                                               .released = count};

static void test_transports(void)
{
    hoya_loop *loop;
    int pair[2], released = 0;
    char text[16] = "";
    hoya_protocol protocol = {&protocol_ops, &released};
    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    hoya_transport *transport, *same;
    CHECK(hoya_connect_accepted_socket(loop, pair[0], protocol, NULL, &transport) == 0);
    same = hoya_transport_ref(transport);
    CHECK(same == transport && hoya_transport_get_loop(same) == loop && hoya_transport_fileno(same) == pair[0]);
    CHECK(hoya_transport_get_protocol(same).arg == &released && hoya_transport_set_protocol(same, protocol) == 0);
    CHECK(hoya_loop_run_once(loop, HOYA_NOW) == 1 && read(pair[1], text, sizeof text) == 5);
    CHECK(hoya_transport_is_reading(same) == 1 && hoya_transport_pause_reading(same) == 0);
    CHECK(hoya_transport_is_reading(same) == 0 && hoya_transport_resume_reading(same) == 0);

    hoya_address address;
    hoya_credentials credentials;
    CHECK(hoya_transport_get_sockname(same, &address) == 0 && hoya_transport_get_peername(same, &address) == 0);
    CHECK(hoya_transport_get_peer_credentials(same, &credentials) == 0 && credentials.pid == getpid());
    size_t high, low, hard;
    CHECK(hoya_transport_set_write_buffer_limits(same, 8, 2, 100) == 0);
    CHECK(hoya_transport_get_write_buffer_limits(same, &high, &low, &hard) == 0 && high == 8 && low == 2 &&
          hard == 100);
    struct iovec lines[2] = {{text, 2}, {text, 3}};
    CHECK(hoya_transport_writelines(same, lines, 2) == 0 && read(pair[1], text, sizeof text) == 5);
    CHECK(hoya_transport_get_write_buffer_size(same) == 0);
    CHECK(hoya_transport_can_write_eof(same) == 1 && hoya_transport_write_eof(same) == 0);
    CHECK(read(pair[1], text, sizeof text) == 0 && write(pair[1], "data", 4) == 4);
    CHECK(hoya_transport_is_closing(same) == 0 && hoya_loop_run_once(loop, HOYA_NOW) == 1);
    CHECK(hoya_transport_is_closing(same) == 1 && hoya_transport_abort(same) == 0);
    CHECK(hoya_loop_run_once(loop, HOYA_NOW) == 1 && released == 1);
    CHECK(expect("made data lost"));
    hoya_transport_unref(same);
    hoya_transport_unref(transport);
    close(pair[1]);

    hoya_future *future;
    CHECK(hoya_create_connection(loop, "127.0.0.1", "1", protocol, NULL, &future) == 0);
    CHECK(hoya_run_until_complete(loop, future, NULL) == HOYA_ECONNREFUSED && released == 2);
    hoya_future_unref(future);
    CHECK(hoya_create_unix_connection(loop, "@hoya-port-nobody", protocol, NULL, &future) == 0);
    CHECK(hoya_run_until_complete(loop, future, NULL) == HOYA_ECONNREFUSED && released == 3);
    hoya_future_unref(future);
    hoya_loop_close(loop);
    hoya_loop_unref(loop);
}

/* ---- servers ----------------------------------------------------------------------------------------------- */

static int refuse(hoya_server *server, hoya_protocol *protocol, void *arg)
{
    (void)server;
    (void)protocol;
    count(arg);
    return HOYA_EACCES;
}

static void test_server(hoya_loop *loop, hoya_server *server, int *destroyed)
{
    hoya_address address;
    hoya_future *closed, *forever = NULL;
    int before = *destroyed;
    CHECK(hoya_server_get_loop(server) == loop && hoya_server_is_serving(server) == 0);
    CHECK(hoya_server_start_serving(server) == 0 && hoya_server_is_serving(server) == 1);
    CHECK(hoya_server_count_sockets(server) == 1 && hoya_server_count_connections(server) == 0);
    CHECK(hoya_server_get_sockname(server, 0, &address) == 0);
    int client = socket(address.storage.ss_family, SOCK_STREAM, 0);
    CHECK(connect(client, (struct sockaddr *)&address.storage, address.length) == 0);
    CHECK(hoya_loop_run_once(loop, HOYA_SEC(5)) == 1 && *destroyed == before + 1); /* the factory counts, too */
    close(client);
    CHECK(hoya_server_close_clients(server) == 0 && hoya_server_abort_clients(server) == 0);
    CHECK(hoya_server_wait_closed(server, &closed) == 0 && hoya_server_serve_forever(server, &forever) == 0);
    hoya_server *same = hoya_server_ref(server);
    CHECK(hoya_server_close(same) == 0 && *destroyed == before + 2);
    CHECK(hoya_future_result(closed, NULL) == 0 && hoya_future_result(forever, NULL) == HOYA_ECLOSED);
    CHECK(hoya_server_get_socket(same, 0) == HOYA_INVALID_FD);
    hoya_server_unref(same);
    hoya_server_unref(server);
    hoya_future_unref(closed);
    hoya_future_unref(forever);
}

static void test_servers(void)
{
    hoya_loop *loop;
    hoya_future *future;
    hoya_server *server;
    void *value;
    int destroyed = 0;
    hoya_server_options options = {.size = sizeof options, .paused = 1};
    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(hoya_create_server(loop, "127.0.0.1", "0", refuse, &destroyed, count, &options, &future) == 0);
    CHECK(hoya_future_take(future, &value, NULL) == 0);
    hoya_future_unref(future);
    test_server(loop, value, &destroyed);
    CHECK(hoya_create_unix_server(loop, "@hoya-port", refuse, &destroyed, count, &options, &server) == 0);
    test_server(loop, server, &destroyed);
    hoya_address address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(hoya_address_set(&address, "127.0.0.1", "0") == 0);
    CHECK(bind(fd, (struct sockaddr *)&address.storage, address.length) == 0);
    CHECK(hoya_create_server_on_socket(loop, fd, refuse, &destroyed, count, &options, &server) == 0);
    test_server(loop, server, &destroyed);
    CHECK(hoya_loop_close(loop) == 0);
    hoya_loop_unref(loop);
}

int main(void)
{
    static const char *const selectors[] = {"epoll", "poll", "select"};
    alarm(60);
    test_base();
    test_coroutines();
    for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++) {
        test_selector(selectors[i]);
        test_loop(selectors[i], 0);
        test_loop(selectors[i], HOYA_LOOP_NO_TIMERFD);
    }
    test_policy();
    test_run();
    test_futures();
    test_tasks();
    test_combinators();
    test_sync();
    test_executors();
    test_resolver();
    test_transports();
    test_servers();
    hoya_live_counts live = {.size = sizeof live};
    CHECK(hoya_get_live_counts(&live) == 0 && !live.blocks && !live.fds && !live.loops && !live.handles &&
          !live.selectors && !live.futures);
    printf("port: %d checks, %d failed\n", checks, failures);
    return failures != 0;
}
