/* SPDX-License-Identifier: MIT
 *
 * tour 3: the threaded echo.
 *
 * A thread for each client: the code stays as it was, and nobody waits for anybody. The price: what the threads share
 * needs a lock (here: how many bytes there were), each has a stack and a place in the scheduler, and in a program with
 * a window only one thread may touch that.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tour.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long bytes;

static void *echo(void *arg)
{
    int fd = *(int *)arg;
    char data[100];
    ssize_t n;
    while ((n = recv(fd, data, sizeof data, 0)) > 0) { /* blocks this thread, and no other */
        if (send(fd, data, (size_t)n, MSG_NOSIGNAL) < 0) break;
        pthread_mutex_lock(&lock); /* bytes += n is three steps, and another thread may come in between */
        bytes += n;
        pthread_mutex_unlock(&lock);
    }
    close(fd);
    return NULL;
}

int main(void)
{
    int port, server = listen_here(&port), fds[2];
    client clients[2];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) client_begin(&clients[i], port);
    for (int i = 0; i < 2; i++) {
        fds[i] = accept(server, NULL, NULL);
        if (fds[i] < 0 || pthread_create(&threads[i], NULL, echo, &fds[i])) return 1;
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    close(server);
    client_end(&clients[0], "the first");
    client_end(&clients[1], "the second");
    printf("%ld bytes, counted under a lock\n", bytes);
    return 0;
}
