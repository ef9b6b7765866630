/* SPDX-License-Identifier: MIT
 *
 * port/port.c: each public function once, in C and without a test framework, for C libraries that have no C++ in Debian
 * (musl). What the units and the conformance suite look at closely is looked at here as far as a port can break it: does it
 * compile, link, and do on this system what it says? This file has the loop; port_tasks.c and port_net.c have the rest.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port.h"

static atomic_int checks, failures; /* a thread checks, too */

void check(int good, const char *condition, const char *file, int line)
{
    checks++;
    if (good) return;
    failures++;
    printf("%s:%d: %s (%s)\n", file, line, condition, hoya_error_detail());
}

/* ---- callbacks -------------------------------------------------------------------------------------------- */

char trace[256];

void note(void *arg)
{
    strncat(trace, arg, sizeof trace - strlen(trace) - 1);
}

int expect(const char *words)
{
    int same = strcmp(trace, words) == 0;
    if (!same) printf("trace: \"%s\" instead of \"%s\"\n", trace, words);
    trace[0] = 0;
    return same;
}

void count(void *arg)
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
    test_pipes();
    test_servers();
    test_socks();
    test_streams();
    test_datagrams();
    hoya_live_counts live = {.size = sizeof live};
    CHECK(hoya_get_live_counts(&live) == 0 && !live.blocks && !live.fds && !live.loops && !live.handles &&
          !live.selectors && !live.futures);
    printf("port: %d checks, %d failed\n", checks, failures);
    return failures != 0;
}
