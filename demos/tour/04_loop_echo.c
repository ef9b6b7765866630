/* SPDX-License-Identifier: MIT
 *
 * tour 4: the same on the loop.
 *
 * One thread again, and it blocks in one place only: in the loop, which waits for all descriptors at once and calls
 * whoever wants to know. No lock: between two callbacks nobody else runs. The price: the code is cut into pieces, and what
 * was a local variable of echo() has to be put somewhere. Tours 16 to 18 put the pieces together again.
 */
#include <fcntl.h>
#include <hoya/hoya.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tour.h"

static hoya_loop *loop;
static int done;
static long bytes;

static void echo(hoya_fd fd, uint32_t events, void *arg)
{
    (void)events;
    (void)arg;
    char data[100];
    ssize_t n = recv(fd, data, sizeof data, 0); /* does not block: it is called when there is something */
    if (n > 0) {
        bytes += n;
        /* A server that is used also thinks of the case that not all of it fits: tour 17 has that done. */
        if (send(fd, data, (size_t)n, MSG_NOSIGNAL) == n) return;
    }
    must(hoya_loop_remove_reader(loop, fd)); /* before the close: the number may be another's then */
    close(fd);
    if (++done == 2) must(hoya_loop_stop(loop));
}

static void welcome(hoya_fd server, uint32_t events, void *arg)
{
    (void)events;
    (void)arg;
    int fd = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) must(hoya_loop_add_reader(loop, fd, echo, NULL, NULL));
}

int main(void)
{
    int port, server = listen_here(&port);
    fcntl(server, F_SETFL, O_NONBLOCK); /* a client may have gone between the look and the accept */
    must(hoya_get_event_loop(&loop));
    must(hoya_loop_add_reader(loop, server, welcome, NULL, NULL));

    client first, second;
    client_begin(&first, port);
    client_begin(&second, port);
    must(hoya_loop_run_forever(loop)); /* until stop */

    must(hoya_loop_remove_reader(loop, server));
    close(server);
    client_end(&first, "the first");
    client_end(&second, "the second");
    printf("%ld bytes, counted without a lock\n", bytes);
    return 0;
}
