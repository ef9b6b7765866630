/* SPDX-License-Identifier: MIT
 *
 * parse.c: the lines of IRC. Nobody promises that they are well made: each function takes any bytes, and ends.
 */
#include "parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- characters ------------------------------------------------------------------------------------------ */

/* The length of the UTF-8 character at `at`, or 0: it is none (cut, longer than it need be, a surrogate). */
static size_t utf8_length(const unsigned char *at, const unsigned char *end)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = *at < 0x80 ? 1 : *at < 0xC2 ? 0 : *at < 0xE0 ? 2 : *at < 0xF0 ? 3 : *at < 0xF5 ? 4 : 0;
    if (length <= 1) return length;
    if ((size_t)(end - at) < length) return 0;
    unsigned code = *at & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80) return 0;
        code = code << 6 | (at[i] & 0x3Fu);
    }
    return code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0 : length;
}

static bool is_utf8(const unsigned char *at, const unsigned char *end)
{
    while (at < end) {
        size_t length = utf8_length(at, end);
        if (!length) return false;
        at += length;
    }
    return true;
}

/* Into line->text, which has room for twice as much. */
static void take_text(irc_line *line, const char *data, size_t size)
{
    const unsigned char *at = (const unsigned char *)data, *end = at + size;
    bool latin1 = !is_utf8(at, end);
    char *out = line->text;
    for (; at < end; at++) {
        if (*at == '\0' || *at == '\r' || *at == '\n') continue;
        if (latin1 && *at >= 0x80) {
            *out++ = (char)(0xC0 | *at >> 6);
            *out++ = (char)(0x80 | (*at & 0x3F));
        } else {
            *out++ = (char)*at;
        }
    }
    *out = '\0';
}

/* A colour is 3, and may have one or two numbers of one or two digits: the end of it. */
static const unsigned char *behind_colour(const unsigned char *at)
{
    for (int i = 0; i < 2 && isdigit(at[0]); i++) at++;
    if (at[0] != ',' || !isdigit(at[1])) return at;
    at++;
    for (int i = 0; i < 2 && isdigit(at[0]); i++) at++;
    return at;
}

void irc_strip(char *text)
{
    char *out = text;
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        if (*at == 3) {
            at = behind_colour(at + 1);
        } else if (*at == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0) { /* the control characters above 127 */
            at += 2;
        } else {
            if (*at >= 0x20 && *at != 0x7F) *out++ = (char)*at;
            else if (*at == '\t') *out++ = ' ';
            at++;
        }
    }
    *out = '\0';
}

char *irc_action(char *text, bool *ctcp)
{
    size_t length = strlen(text);
    *ctcp = text[0] == 1;
    if (!*ctcp) return NULL;
    if (length > 1 && text[length - 1] == 1) text[length - 1] = '\0';
    return strncmp(text + 1, "ACTION ", 7) == 0 ? text + 8 : NULL;
}

size_t irc_fit(const char *text, size_t room)
{
    size_t length = strlen(text);
    if (length <= room) return length;
    size_t fit = room;
    while (fit > 0 && ((unsigned char)text[fit] & 0xC0) == 0x80) fit--;
    return fit ? fit : room;
}

/* ---- names ----------------------------------------------------------------------------------------------- */

static int small(char c)
{
    switch (c) {
    case '[':
        return '{';
    case ']':
        return '}';
    case '\\':
        return '|';
    case '~':
        return '^';
    default:
        return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
    }
}

int irc_compare(const char *a, const char *b)
{
    while (*a && small(*a) == small(*b)) a++, b++;
    return small(*a) - small(*b);
}

bool irc_is_channel(const char *name)
{
    return name && name[0] && strchr("#&+!", name[0]) && name[1] && !strpbrk(name, " ,\a");
}

bool irc_is_nick(const char *name)
{
    if (!name || !name[0] || isdigit((unsigned char)name[0]) || name[0] == '-') return false;
    for (const unsigned char *at = (const unsigned char *)name; *at; at++)
        if (*at >= 0x80 || (!isalnum(*at) && !strchr("-[]\\`^{}|_", *at))) return false;
    return true;
}

/* ---- lines ----------------------------------------------------------------------------------------------- */

/* The next word, ended; *rest is behind it and the spaces there. */
static char *next_word(char **rest)
{
    char *word = *rest;
    char *end = word + strcspn(word, " ");
    while (*end == ' ') *end++ = '\0';
    *rest = end;
    return word;
}

static void take_prefix(irc_line *line, char *prefix)
{
    char *bang = strchr(prefix, '!');
    line->from_user = bang != NULL;
    prefix[strcspn(prefix, "!@")] = '\0';
    irc_strip(prefix);
    line->nick = prefix;
}

bool irc_parse(irc_line *line, const char *data, size_t size)
{
    take_text(line, data, size < IRC_LONGEST ? size : IRC_LONGEST);
    line->nick = "";
    line->from_user = false;
    line->number = line->count = 0;

    char *rest = line->text + strspn(line->text, " ");
    if (*rest == '@') next_word(&rest); /* tags: nothing that we need */
    if (*rest == ':') take_prefix(line, next_word(&rest) + 1);
    char *command = next_word(&rest);
    line->command = command;
    for (char *at = command; *at; at++) *at = (char)toupper((unsigned char)*at);
    if (strlen(command) == 3 && strspn(command, "0123456789") == 3) line->number = atoi(command);

    while (*rest && line->count < IRC_PARAMS) {
        bool last = *rest == ':' || line->count == IRC_PARAMS - 1;
        if (*rest == ':') rest++;
        line->params[line->count++] = last ? rest : next_word(&rest);
        if (last) break;
    }
    return command[0] != '\0';
}

const char *irc_param(const irc_line *line, int index)
{
    return index >= 0 && index < line->count ? line->params[index] : "";
}
