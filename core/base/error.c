/* SPDX-License-Identifier: MIT
 *
 * base/error.c: codes, their names and texts, and the detail of the last failure.
 *
 * The detail has a place of fixed size, a thread's or a task's, so that saying why needs no memory.
 */
#include "base/error.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include HOYA_LIBC
#include "base/check.h"
#include "base/error_place.h"

static _Thread_local hoya_error_place of_thread;
HOYA_THREAD_LOCAL hoya_error_place *hoya_error_here;

static hoya_error_place *here(void)
{
    return hoya_error_here ? hoya_error_here : &of_thread;
}

static const struct {
    int code;
    const char *name, *text;
} errors[] = {
#define ROW(name, value, text) {value, #name, text},
    HOYA_ERRORS(ROW)
#undef ROW
};

const char *hoya_strerror(int code)
{
    if (code >= 0) return "success";
    if (code == INT_MIN) return "unknown error"; /* it has no positive twin to ask about */
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].code == code) return errors[i].text;
    const char *text = hoya_libc_error_text(-code);
    return text ? text : "unknown error";
}

const char *hoya_error_name(int code)
{
    if (code >= 0) return "HOYA_OK";
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].code == code) return errors[i].name;
    return "HOYA_E?";
}

const char *hoya_error_detail(void)
{
    return here()->text;
}

const char *hoya_error_detail_of(int code)
{
    const hoya_error_place *place = here();
    return place->code == code ? place->text : "";
}

int hoya_error_set(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    /* By way of a second buffer: the old detail may be among the arguments. */
    char text[sizeof of_thread.text];
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    hoya_error_place *place = here();
    place->code = code;
    memcpy(place->text, text, sizeof text);
    return code;
}

int hoya_error_errno(const char *what)
{
    int code = -errno;
    return hoya_error_set(code, "%s: %s", what, hoya_strerror(code));
}

int hoya_error_nomem(void)
{
    return hoya_error_set(HOYA_ENOMEM, "out of memory");
}

#ifdef HOYA_CHECKS
void hoya_check_failed(const char *sentence, const char *file, int line)
{
    /* The one place that prints: the process ends here, in a build that was asked to. */
    fprintf(stderr, "hoya: %s (%s:%d)\n", sentence, file, line);
    abort();
}
#endif
