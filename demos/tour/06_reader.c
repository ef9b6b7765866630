/* SPDX-License-Identifier: MIT
 *
 * tour 6: a reader on a socketpair.
 *
 * The smallest network there is: two sockets, connected to each other. One end has a reader; the other is written to by a
 * callback. Here both are in one program, so that the order of things can be seen.
 */
#include <hoya/hoya.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tour.h"

static hoya_loop *loop;

static void read_it(hoya_fd fd, uint32_t events, void *arg)
{
    (void)events;
    (void)arg;
    char text[100];
    ssize_t n = recv(fd, text, sizeof text, 0);
    printf("received: %.*s\n", (int)n, text);

    /* Who has read what he wanted is done with the descriptor. */
    must(hoya_loop_remove_reader(loop, fd));
    must(hoya_loop_stop(loop));
}

static void write_it(void *arg)
{
    if (send(*(int *)arg, "abc", 3, MSG_NOSIGNAL) != 3) perror("send");
    printf("sent; nobody has been called for it yet\n");
}

int main(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) return 1;
    must(hoya_get_event_loop(&loop));
    must(hoya_loop_add_reader(loop, pair[0], read_it, NULL, NULL));
    must(hoya_loop_call_soon(loop, write_it, &pair[1]));
    must(hoya_loop_run_forever(loop));
    close(pair[0]);
    close(pair[1]);
    return 0;
}
