/* SPDX-License-Identifier: MIT
 *
 * base/sys_list.h: the system calls of the library, all of them: X(result, name, parameters, arguments).
 */
#define HOYA_SYSTEM_CALLS(X)                                                                                       \
    X(int, pthread_create,                                                                                         \
      (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg),                     \
      (thread, attributes, run, arg))                                                                              \
    X(pid_t, getpid, (void), ())                                                                                   \
    X(int, raise, (int signum), (signum))                                                                          \
    X(int, sigaction, (int signum, const struct sigaction *action, struct sigaction *old), (signum, action, old))  \
    X(int, sigaltstack, (const stack_t *stack, stack_t *old), (stack, old))                                        \
    X(void *, mmap, (void *start, size_t size, int protection, int flags, int fd, off_t offset),                   \
      (start, size, protection, flags, fd, offset))                                                                \
    X(int, munmap, (void *start, size_t size), (start, size))                                                      \
    X(int, mprotect, (void *start, size_t size, int protection), (start, size, protection))                        \
    X(int, madvise, (void *start, size_t size, int advice), (start, size, advice))                                 \
    X(int, open_readonly, (const char *path), (path))                                                              \
    X(int, close, (int fd), (fd))                                                                                  \
    X(ssize_t, read, (int fd, void *buffer, size_t size), (fd, buffer, size))                                      \
    X(ssize_t, pread, (int fd, void *buffer, size_t size, off_t offset), (fd, buffer, size, offset))               \
    X(ssize_t, write, (int fd, const void *buffer, size_t size), (fd, buffer, size))                               \
    X(int, duplicate, (int fd), (fd))                                                                              \
    X(ssize_t, send_file, (int socket, int file, int64_t offset, size_t count), (socket, file, offset, count))     \
    X(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))                         \
    X(ssize_t, writev_quietly, (int fd, const struct iovec *parts, int count), (fd, parts, count))                 \
    X(int, fcntl_number, (int fd, int command, int number), (fd, command, number))                                 \
    X(int, reopen_terminal, (int fd, int flags), (fd, flags))                                                      \
    X(int, dup3, (int fd, int number, int flags), (fd, number, flags))                                             \
    X(int, count_unread, (int fd, int *bytes), (fd, bytes))                                                        \
    X(int, getsockopt, (int fd, int level, int option, void *value, socklen_t *size),                              \
      (fd, level, option, value, size))                                                                            \
    X(int, getaddrinfo,                                                                                            \
      (const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list),               \
      (host, service, hints, list))                                                                                \
    X(int, getnameinfo,                                                                                            \
      (const struct sockaddr *address, socklen_t length, char *host, socklen_t host_size, char *service,           \
       socklen_t service_size, int flags),                                                                         \
      (address, length, host, host_size, service, service_size, flags))                                            \
    X(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t size),                         \
      (fd, level, option, value, size))                                                                            \
    X(int, socket, (int family, int type, int protocol), (family, type, protocol))                                 \
    X(int, bind, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length))                \
    X(int, listen, (int fd, int backlog), (fd, backlog))                                                           \
    X(int, accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags),                              \
      (fd, address, length, flags))                                                                                \
    X(int, connect, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length))             \
    X(int, getsockname, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length))              \
    X(int, getpeername, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length))              \
    X(int, shutdown, (int fd, int how), (fd, how))                                                                 \
    X(ssize_t, recv, (int fd, void *buffer, size_t size, int flags), (fd, buffer, size, flags))                    \
    X(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))                         \
    X(ssize_t, send, (int fd, const void *buffer, size_t size, int flags), (fd, buffer, size, flags))              \
    X(ssize_t, recvfrom, (int fd, void *buffer, size_t size, int flags, struct sockaddr *from, socklen_t *length), \
      (fd, buffer, size, flags, from, length))                                                                     \
    X(ssize_t, sendto,                                                                                             \
      (int fd, const void *buffer, size_t size, int flags, const struct sockaddr *to, socklen_t length),           \
      (fd, buffer, size, flags, to, length))                                                                       \
    X(int, status_flags, (int fd), (fd))                                                                           \
    X(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))                   \
    X(unsigned, if_nametoindex, (const char *name), (name))                                                        \
    X(int, set_nonblocking, (int fd), (fd))                                                                        \
    X(int, lstat, (const char *path, struct stat *status), (path, status))                                         \
    X(int, unlink, (const char *path), (path))                                                                     \
    X(int, fstat, (int fd, struct stat *status), (fd, status))                                                     \
    X(int, eventfd, (unsigned count, int flags), (count, flags))                                                   \
    X(int, timerfd_create, (int clock, int flags), (clock, flags))                                                 \
    X(int, timerfd_settime, (int fd, int flags, const struct itimerspec *value, struct itimerspec *old),           \
      (fd, flags, value, old))                                                                                     \
    X(int, epoll_create1, (int flags), (flags))                                                                    \
    X(int, epoll_ctl, (int epfd, int op, int fd, struct epoll_event *event), (epfd, op, fd, event))                \
    X(int, epoll_wait, (int epfd, struct epoll_event *events, int max, int timeout), (epfd, events, max, timeout)) \
    X(int, epoll_pwait2,                                                                                           \
      (int epfd, struct epoll_event *events, int max, const struct timespec *timeout, const sigset_t *mask),       \
      (epfd, events, max, timeout, mask))                                                                          \
    X(int, ppoll, (struct pollfd * fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask),       \
      (fds, count, timeout, mask))                                                                                 \
    X(int, pselect,                                                                                                \
      (int count, fd_set *in, fd_set *out, fd_set *except, const struct timespec *timeout, const sigset_t *mask),  \
      (count, in, out, except, timeout, mask))
