/* SPDX-License-Identifier: MIT
 *
 * tour/tour.c: see tour.h.
 */
#include "tour.h"

#include <arpa/inet.h>
#include <hoya/error.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int must(int rc)
{
    if (rc >= 0) return rc;
    fprintf(stderr, "%s: %s\n", hoya_error_name(rc), hoya_error_detail());
    exit(1);
}

static void or_die(int good, const char *what)
{
    if (good) return;
    perror(what);
    exit(1);
}

static struct sockaddr_in here(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int listen_here(int *port)
{
    struct sockaddr_in address = here(0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    or_die(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 10) == 0, "listen");
    or_die(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
    *port = ntohs(address.sin_port);
    return fd;
}

static void *talk(void *arg)
{
    client *c = arg;
    struct sockaddr_in address = here(c->port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    or_die(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    static const char *const lines[] = {"one\n", "two\n", "three\n"};
    for (int i = 0; i < 3; i++)
        or_die(send(fd, lines[i], strlen(lines[i]), MSG_NOSIGNAL) == (ssize_t)strlen(lines[i]), "send");
    shutdown(fd, SHUT_WR); /* the server reads an end of file */
    size_t have = 0;
    for (ssize_t n; (n = recv(fd, c->back + have, sizeof c->back - 1 - have, 0)) > 0;) have += (size_t)n;
    c->back[have] = 0;
    close(fd);
    return NULL;
}

void client_begin(client *c, int port)
{
    c->port = port;
    or_die(pthread_create(&c->thread, NULL, talk, c) == 0, "pthread_create");
}

void client_end(client *c, const char *name)
{
    pthread_join(c->thread, NULL);
    for (char *at = c->back; (at = strchr(at, '\n'));) *at = ' ';
    printf("%s got back: %s\n", name, c->back);
}
