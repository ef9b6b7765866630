/* SPDX-License-Identifier: MIT
 *
 * tell.c: what the face is told. Each thing becomes a callback of the loop, with copies of its texts: so the face
 * is never called inside one of its own calls, may call everything, and opens its dialogs on the thread's own
 * stack, not on a task's. Callbacks run in the order in which they were made. Where there is no memory for one, the
 * face does not hear of it.
 */
#include "inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum news_kind { STATE, MESSAGE, JOINED, LEFT, NAMES, TROUBLE, LAG } news_kind;

typedef struct news {
    irc *me;
    news_kind kind;
    int number; /* the state, the kind of message, the code */
    int64_t lag;
    const char *a, *b, *c; /* into text, or NULL */
    char text[];
} news;

static void deliver(void *arg)
{
    const news *n = arg;
    const irc_face *face = &n->me->face;
    void *to = n->me->arg;
    if (n->me->closed) return;
    switch (n->kind) {
    case STATE:
        if (face->state) face->state(n->me, (irc_state)n->number, n->a, to);
        break;
    case MESSAGE:
        if (face->message) face->message(n->me, n->a, n->b, n->c, (irc_kind)n->number, to);
        break;
    case JOINED:
        if (face->joined) face->joined(n->me, n->a, to);
        break;
    case LEFT:
        if (face->left) face->left(n->me, n->a, to);
        break;
    case NAMES:
        if (face->names) face->names(n->me, n->a, to);
        break;
    case TROUBLE:
        if (face->trouble) face->trouble(n->me, n->number, n->a, to);
        break;
    case LAG:
        if (face->lag) face->lag(n->me, n->lag, to);
        break;
    }
}

static void destroy(void *arg)
{
    news *n = arg;
    irc_unref(n->me);
    free(n);
}

static const char *copy(char **at, const char *text)
{
    if (!text) return NULL;
    char *begin = *at;
    size_t size = strlen(text) + 1;
    memcpy(begin, text, size);
    *at += size;
    return begin;
}

static void tell(irc *me, const news *what, const char *a, const char *b, const char *c)
{
    size_t size = (a ? strlen(a) + 1 : 0) + (b ? strlen(b) + 1 : 0) + (c ? strlen(c) + 1 : 0);
    news *n = me->closed ? NULL : malloc(sizeof *n + size);
    if (!n) return;
    char *at = n->text;
    *n = *what;
    n->me = me;
    n->a = copy(&at, a);
    n->b = copy(&at, b);
    n->c = copy(&at, c);
    irc_ref(me);
    hoya_loop_call_soon_full(me->loop, deliver, n, destroy, NULL);
}

void irc_tell_state(irc *me, irc_state state, const char *text)
{
    tell(me, &(news){.kind = STATE, .number = (int)state}, text, NULL, NULL);
}

void irc_tell_message(irc *me, const char *target, const char *from, const char *text, irc_kind kind)
{
    char clean[2 * IRC_LONGEST + 1];
    snprintf(clean, sizeof clean, "%s", text);
    irc_strip(clean);
    tell(me, &(news){.kind = MESSAGE, .number = (int)kind}, target, from, clean);
}

void irc_tell_joined(irc *me, const char *channel)
{
    tell(me, &(news){.kind = JOINED}, channel, NULL, NULL);
}

void irc_tell_left(irc *me, const char *channel)
{
    tell(me, &(news){.kind = LEFT}, channel, NULL, NULL);
}

void irc_tell_names(irc *me, const char *channel)
{
    tell(me, &(news){.kind = NAMES}, channel, NULL, NULL);
}

void irc_tell_trouble(irc *me, int code, const char *format, ...)
{
    char text[IRC_LINE * 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text[irc_fit(text, sizeof text - 1)] = '\0';
    irc_strip(text);
    tell(me, &(news){.kind = TROUBLE, .number = code}, text, NULL, NULL);
}

void irc_tell_lag(irc *me, int64_t lag)
{
    tell(me, &(news){.kind = LAG, .lag = lag}, NULL, NULL, NULL);
}
