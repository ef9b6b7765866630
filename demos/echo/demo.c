/* SPDX-License-Identifier: MIT
 *
 * demo.c: sentences, the command line and addresses, for the echo server and its client. Plain POSIX; of
 * hoya only the texts of its error codes.
 *
 * The rule of all the demos: what cannot be done is said in one sentence on stderr that names the thing (the
 * address, the option), and the program exits with 1, or with 2 if the command line was wrong.
 */
#define _GNU_SOURCE 1

#include "demo.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *demo_program = "demo";

/* ---- sentences -------------------------------------------------------------------------------------- */

void demo_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(stderr, "%s: ", demo_program);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/* The system's texts begin with a capital, which looks odd after a colon. An abbreviation keeps its own. */
static const char *uncapitalized(const char *reason)
{
    static char text[128];

    snprintf(text, sizeof text, "%s", reason);
    if (islower((unsigned char)text[1])) text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

const char *demo_reason(int code)
{
    return uncapitalized(hoya_strerror(code));
}

int demo_library_failed(const char *what, int code)
{
    const char *detail = hoya_error_detail();

    if (detail[0] != '\0') demo_say("cannot %s: %s (%s)", what, demo_reason(code), detail);
    else demo_say("cannot %s: %s", what, demo_reason(code));
    return DEMO_FAILED;
}

/* ---- the command line ------------------------------------------------------------------------------- */

/* A program lists its options once; the reading, the help and the sentences about mistakes follow from the list. */
enum {
    MOST_OPTIONS = 16,
    FIRST = 256 /* getopt_long answers FIRST + index: beyond every character */
};

bool demo_number(const char *name, const char *text, long least, long most, long *value)
{
    char *end;

    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < least || number > most) {
        demo_say("%s wants a whole number from %ld to %ld, not \"%s\"", name, least, most, text);
        return false;
    }
    *value = number;
    return true;
}

static bool read_value(const demo_option *option, const char *text)
{
    char name[32];

    if (option->flag != NULL) *option->flag = true;
    if (option->text != NULL) *option->text = text;
    if (option->number == NULL) return true;
    snprintf(name, sizeof name, "--%s", option->name);
    return demo_number(name, text, option->least, option->most, option->number);
}

static void print_help(const char *purpose, const demo_option *options)
{
    printf("Usage: %s [OPTION]...\n%s\n\n", demo_program, purpose);
    for (const demo_option *o = options; o->name != NULL; o++) {
        char left[32];

        snprintf(left, sizeof left, "--%s %s", o->name, o->value != NULL ? o->value : "");
        printf("  %-20s %s\n", left, o->help);
    }
    printf("  %-20s %s\n", "--help", "print this");
}

/* `answer` is getopt_long's ':' or '?'; optopt and optind tell the rest. */
static void say_mistake(int answer, char **argv)
{
    const char *option = argv[optind - 1];

    if (answer == ':') demo_say("the option %s wants a value; --help lists the options", option);
    else if (optopt >= FIRST) demo_say("the option %s takes no value; --help lists the options", option);
    else if (optopt != 0) demo_say("there is no option -%c; --help lists the options", optopt);
    else demo_say("there is no option %s, or it is ambiguous; --help lists the options", option);
}

void demo_read_options(int argc, char **argv, const char *purpose, const demo_option *options)
{
    struct option longs[MOST_OPTIONS + 2] = {0};
    int count = 0, answer;

    for (; count < MOST_OPTIONS && options[count].name != NULL; count++) {
        longs[count].name = options[count].name;
        longs[count].has_arg = options[count].flag != NULL ? no_argument : required_argument;
        longs[count].val = FIRST + count;
    }
    longs[count].name = "help";
    longs[count].val = FIRST + count;

    opterr = 0; /* the sentences are ours */
    while ((answer = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
        if (answer == FIRST + count) {
            print_help(purpose, options);
            exit(DEMO_OK);
        }
        if (answer < FIRST) say_mistake(answer, argv);
        if (answer < FIRST || !read_value(&options[answer - FIRST], optarg)) exit(DEMO_USAGE);
    }
    if (optind < argc) {
        demo_say("nothing is expected where \"%s\" stands; --help lists the options", argv[optind]);
        exit(DEMO_USAGE);
    }
}

/* ---- addresses -------------------------------------------------------------------------------------- */

/* Cuts "host:port" or "[host]:port" at the last colon; the brackets go. */
static bool split_address(const char *text, char *host, size_t size, const char **port)
{
    const char *colon = strrchr(text, ':');

    if (colon == NULL) return false;

    size_t length = (size_t)(colon - text);
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    } else if (memchr(text, ':', length) != NULL) {
        return false; /* a bare IPv6 address: which colon would be the port's? */
    }
    if (length == 0 || length >= size) return false;

    memcpy(host, text, length);
    host[length] = '\0';
    *port = colon + 1;
    return true;
}

static int say_no_address(const char *text)
{
    demo_say("\"%s\" is no address; it looks like 127.0.0.1:7007, localhost:7007 or [::1]:7007", text);
    return DEMO_USAGE;
}

int demo_split(const char *text, char host[DEMO_ADDRESS_SIZE], char port[8])
{
    const char *at;
    long number;

    if (!split_address(text, host, DEMO_ADDRESS_SIZE, &at)) return say_no_address(text);
    if (!demo_number("a port", at, 0, 65535, &number)) return DEMO_USAGE;
    snprintf(port, 8, "%ld", number);
    return DEMO_OK;
}

int demo_resolve(const char *text, int flags, struct addrinfo **list)
{
    char host[NI_MAXHOST];
    const char *port;
    long number;

    if (!split_address(text, host, sizeof host, &port)) return say_no_address(text);
    /* glibc would take any number, modulo 65536. */
    if (!demo_number("a port", port, 0, 65535, &number)) return DEMO_USAGE;

    struct addrinfo hints = {
        .ai_flags = flags | AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int rc = getaddrinfo(host, port, &hints, list);
    if (rc != 0) {
        int failed = errno; /* only EAI_SYSTEM leaves its reason there */
        demo_say("cannot find the host \"%s\": %s", host,
                 rc == EAI_SYSTEM ? demo_reason(-failed) : uncapitalized(gai_strerror(rc)));
        return DEMO_FAILED;
    }
    return DEMO_OK;
}

static int listen_at(const struct addrinfo *a)
{
    const int on = 1; /* a restarted server need not wait for the connections of the one before */
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);

    if (fd < 0) return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
        listen(fd, SOMAXCONN) == 0)
        return fd;

    int failed = errno;
    close(fd);
    return -failed;
}

int demo_listen(const char *text, int *listener)
{
    struct addrinfo *list;
    int rc = demo_resolve(text, AI_PASSIVE, &list);

    if (rc != DEMO_OK) return rc;

    int fd = -EADDRNOTAVAIL;
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) fd = listen_at(a);
    freeaddrinfo(list);

    if (fd < 0) {
        demo_say("cannot listen on %s: %s", text, demo_reason(fd));
        return DEMO_FAILED;
    }
    *listener = fd;
    return DEMO_OK;
}

void demo_address_text(const struct sockaddr *address, socklen_t length, char text[DEMO_ADDRESS_SIZE])
{
    char host[DEMO_ADDRESS_SIZE - 16], port[8];

    if (getnameinfo(address, length, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(text, DEMO_ADDRESS_SIZE, "an unknown address");
    else snprintf(text, DEMO_ADDRESS_SIZE, address->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
