/* SPDX-License-Identifier: MIT
 *
 * loop/exception.c: failures that no caller can be told of.
 *
 * The chain (statement 156): the application's handler; if that fails, the default handler, which is told
 * of both; it logs. The log goes to the application's function, or to the host's log, or nowhere.
 */
#include <stdio.h>

#include "base/error.h"
#include "loop/loop.h"

static void write_to_host(void *arg, hoya_log_level level, const char *text)
{
    hoya_loop *loop = arg;
    loop->host->ops->log(loop->host, level, text);
}

hoya_log_sink hoya_loop_log_sink(hoya_loop *loop)
{
    return (hoya_log_sink){loop->host->ops->log ? write_to_host : NULL, loop};
}

void hoya_loop_default_exception_handler(hoya_loop *loop, const hoya_exception_context *context)
{
    hoya_log_sink sink = hoya_loop_log_sink(loop);
    char fd[32] = "";
    if (context->fd != HOYA_INVALID_FD) snprintf(fd, sizeof fd, " (descriptor %d)", context->fd);
    const char *detail = context->detail && context->detail[0] ? context->detail : NULL;
    if (context->code < 0)
        hoya_log(&sink, HOYA_LOG_ERROR, "%s%s: %s%s%s", context->message, fd, hoya_error_name(context->code),
                 detail ? ": " : "", detail ? detail : "");
    else
        hoya_log(&sink, HOYA_LOG_ERROR, "%s%s%s%s", context->message, fd, detail ? ": " : "", detail ? detail : "");
}

void hoya_loop_call_exception_handler(hoya_loop *loop, const hoya_exception_context *context)
{
    if (!context || context->size != sizeof *context || !context->message) {
        hoya_log_sink sink = hoya_loop_log_sink(loop);
        hoya_log(&sink, HOYA_LOG_ERROR, "call_exception_handler with a context that has no size or no message");
        return;
    }
    if (!loop->exception_handler) {
        hoya_loop_default_exception_handler(loop, context);
        return;
    }
    hoya_inline_begin();
    int rc = loop->exception_handler(loop, context, loop->exception_arg);
    hoya_inline_end();
    if (rc >= 0) return;
    hoya_exception_context failed = {sizeof failed, "the exception handler failed", rc, hoya_strerror(rc),
                                     HOYA_INVALID_FD};
    hoya_loop_default_exception_handler(loop, &failed);
    hoya_loop_default_exception_handler(loop, context);
}

void hoya_loop_report(hoya_loop *loop, int code, hoya_fd fd, const char *message)
{
    if (hoya_loop_is_forked(loop)) return; /* the parent's to tell, or HOYA_ECHILD, which says enough */
    hoya_exception_context context = {sizeof context, message, code, hoya_error_detail_of(code), fd};
    hoya_loop_call_exception_handler(loop, &context);
}

int hoya_loop_set_exception_handler(hoya_loop *loop, hoya_exception_handler fn, void *arg)
{
    int rc = hoya_loop_enter(loop);
    if (rc < 0) return rc;
    loop->exception_handler = fn;
    loop->exception_arg = fn ? arg : NULL;
    return 0;
}

hoya_exception_handler hoya_loop_get_exception_handler(const hoya_loop *loop, void **arg)
{
    if (arg) *arg = loop->exception_arg;
    return loop->exception_handler;
}
