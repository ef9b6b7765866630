/* SPDX-License-Identifier: MIT
 *
 * demo.h: what the echo server and its client share, so that server.c and client.c hold nothing but their own
 * story: sentences for the user, the command line, addresses, and the choice of the host.
 *
 * Nothing here is needed to use hoya. The host is the one thing worth a look: everything that knows GLib is in
 * ../hosts/host_glib.c, which a build without GLib leaves out, and the two programs cannot tell.
 */
#ifndef ECHO_DEMO_H
#define ECHO_DEMO_H

#include <hoya/hoya.h>
#include <stdbool.h>
#include <sys/socket.h>

/* ---- sentences -------------------------------------------------------------------------------------- */

/* What main returns. */
enum { DEMO_OK = 0, DEMO_FAILED = 1, DEMO_USAGE = 2 };

/* "echo-server": every sentence on stderr begins with it. main sets it first of all. */
extern const char *demo_program;

/* Writes "<program>: <sentence>" and a newline to stderr. */
void demo_say(const char *format, ...) HOYA_PRINTF(1, 2);

/* Why something failed, for the end of a sentence: "permission denied". Takes a code of hoya's or -errno.
 * Good until the next call. */
const char *demo_reason(int code);

/* Says "cannot <what>: <reason> (<detail>)" about a call of the library, and returns DEMO_FAILED. */
int demo_library_failed(const char *what, int code);

/* ---- the command line ------------------------------------------------------------------------------- */

/* One option of a program. Exactly one of text, number and flag says where its value goes; what is there before is
 * the default. */
typedef struct demo_option {
    const char *name;  /* without the dashes */
    const char *value; /* what the help calls the value; NULL for a flag */
    const char *help;
    const char **text;
    long *number;
    long least, most; /* the bounds of a number */
    bool *flag;
} demo_option;

/* Reads the command line; the list of options ends with a zero. --help is built in, and prints `purpose` and the
 * list. Returns if all is well; else says why not and exits. */
void demo_read_options(int argc, char **argv, const char *purpose, const demo_option *options);

/* Reads a whole number between `least` and `most`; says a sentence and returns false if `text` is none.
 * `name` is how the sentence calls it: "--size". */
bool demo_number(const char *name, const char *text, long least, long most, long *value);

/* ---- addresses -------------------------------------------------------------------------------------- */

/* Room for "[ipv6]:port" with a scope. */
enum { DEMO_ADDRESS_SIZE = 80 };

/* Cuts "127.0.0.1:7007" or "[::1]:7007" into host and port. Returns DEMO_OK, or says why not and returns DEMO_USAGE. */
int demo_split(const char *text, char host[DEMO_ADDRESS_SIZE], char port[8]);

struct addrinfo;

/* Looks up "127.0.0.1:7007", "[::1]:7007" or "localhost:7007". It blocks, so it belongs before the loop runs.
 * `flags` are getaddrinfo's (AI_PASSIVE). Returns DEMO_OK and the list, which freeaddrinfo frees, or says why not
 * and returns an exit code. */
int demo_resolve(const char *text, int flags, struct addrinfo **list);

/* Opens a non-blocking listening socket on the first address of that name that works. Returns DEMO_OK, or says why
 * not and returns an exit code. */
int demo_listen(const char *text, int *listener);

/* An address as text, in numbers. */
void demo_address_text(const struct sockaddr *address, socklen_t length, char text[DEMO_ADDRESS_SIZE]);

/* ---- the host: host.c, and one file a host in ../hosts --------------------------------------------------- */

/* Moves the whole program into the main loop called `name`: loops made after this are its guests. "native" is
 * hoya's own. Returns DEMO_OK, or says that there is no such host, and which there are, and returns DEMO_USAGE. */
int demo_choose_host(const char *name);

/* The host's own life: a timer that hoya knows nothing about, ticking every 10 ms in the host's loop while hoya
 * works. */
void demo_start_ticking(void);

/* Ends that and tells: "231 (every 10 ms, longest gap 12.4 ms)", or "none" where there is no host. */
enum { DEMO_TICKS_SIZE = 80 };
void demo_stop_ticking(char text[DEMO_TICKS_SIZE]);

struct hoya_server;

/* ---- a server ------------------------------------------------------------------------------------------- */

/* The line that tells where it listens, and under which host. */
void demo_say_listening(const struct hoya_server *server);
void demo_say_listening_socket(hoya_loop *loop, int listener);

/* What it has done. A client that goes takes one off `open`. */
typedef struct demo_clients {
    uint64_t served, open, peak, echoed; /* so many now, and at most; bytes */
} demo_clients;

void demo_client_came(demo_clients *clients);

/* The line that tells of that, of the host's ticks, and of the loop. */
void demo_say_statistics(hoya_loop *loop, const demo_clients *clients, const char *host_ticks);

#endif
