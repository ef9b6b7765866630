/* SPDX-License-Identifier: MIT
 *
 * port/port.h: what the files of this program share: checks, and callbacks that leave a trace.
 */
#ifndef HOYA_PORT_H
#define HOYA_PORT_H

#include <hoya/hoya.h>

void check(int good, const char *condition, const char *file, int line);
#define CHECK(condition) check((condition) != 0, #condition, __FILE__, __LINE__)

extern char trace[256];
void note(void *arg);          /* appends the word to it */
int expect(const char *words); /* is that the trace? It is empty then */
void count(void *arg);

/* port_tasks.c */
void test_futures(void);
void test_tasks(void);
void test_combinators(void);
void test_sync(void);
void test_executors(void);

/* port_net.c */
void test_resolver(void);
void test_transports(void);
void test_pipes(void);
void test_servers(void);
void test_socks(void);
void test_streams(void);
void test_datagrams(void);

#endif
