/* SPDX-License-Identifier: MIT
 *
 * tour 16: the echo by sock calls.
 *
 * The code of tour 2, with "hoya_sock_" before what blocked there. It reads the same: accept, receive, send, until the
 * client has no more. But here only the task waits, and the loop serves everybody else meanwhile: both clients at once.
 */
#include <fcntl.h>
#include <hoya/hoya.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "tour.h"

static int echo(hoya_task *self, void *arg)
{
    (void)self;
    int fd = (int)(intptr_t)arg;
    char data[100];
    ssize_t n;
    int rc = 0;
    while (rc >= 0 && (n = hoya_sock_recv(fd, data, sizeof data)) != 0)
        rc = n < 0 ? (int)n : hoya_sock_sendall(fd, data, (size_t)n, NULL);
    close(fd); /* nobody waits for it any more: this task was the only one */
    return rc;
}

static int serve(hoya_task *self, void *arg)
{
    (void)self;
    int server = *(int *)arg;
    hoya_group *group; /* it is left when both clients are through */
    must(hoya_group_enter(NULL, &group));
    for (int i = 0; i < 2; i++) {
        hoya_fd fd;
        must(hoya_sock_accept(server, &fd, NULL));
        must(hoya_group_create_task(group, echo, (void *)(intptr_t)fd, NULL, NULL));
    }
    return hoya_group_leave(group);
}

int main(void)
{
    int port, server = listen_here(&port);
    fcntl(server, F_SETFL, O_NONBLOCK);
    client first, second;
    client_begin(&first, port);
    client_begin(&second, port);
    must(hoya_run(serve, &server, NULL));
    close(server);
    client_end(&first, "the first");
    client_end(&second, "the second");
    return 0;
}
