/* SPDX-License-Identifier: MIT
 *
 * tour 2: the echo server that everybody writes first.
 *
 * It reads well: accept, read, write, until the client has no more. And as long as it talks to one client it is deaf for all
 * others: the second one is connected (the kernel does that) and waits.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tour.h"

static void echo(int fd)
{
    char data[100];
    ssize_t n;
    while ((n = recv(fd, data, sizeof data, 0)) > 0) /* blocks this thread */
        if (send(fd, data, (size_t)n, MSG_NOSIGNAL) < 0) break;
    close(fd);
}

int main(void)
{
    int port, server = listen_here(&port);
    client first, second;
    client_begin(&first, port);
    client_begin(&second, port);
    for (int served = 0; served < 2; served++) {
        int fd = accept(server, NULL, NULL); /* blocks, too */
        if (fd < 0) return 1;
        echo(fd);
        printf("one client is done\n");
    }
    close(server);
    client_end(&first, "the first");
    client_end(&second, "the second");
    return 0;
}
