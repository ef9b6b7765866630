/* SPDX-License-Identifier: MIT
 *
 * hoya/error.h: the codes that `int` results carry. 0 or a positive number is success, a negative one is a
 * code of this list: the system's errno with a minus sign where it has one (HOYA_EBUSY == -EBUSY), our own
 * below -4096. A code of the system that is not listed here may appear too; hoya_strerror knows it.
 */
#ifndef HOYA_ERROR_H
#define HOYA_ERROR_H

#include <errno.h>
#include <hoya/base.h>

HOYA_BEGIN_DECLS

/* X(name, value, text) */
#define HOYA_ERRORS(X)                                                                                             \
    X(HOYA_EPERM, -EPERM, "operation not permitted")                                                               \
    X(HOYA_ENOENT, -ENOENT, "not found")                                                                           \
    X(HOYA_EINTR, -EINTR, "interrupted")                                                                           \
    X(HOYA_EIO, -EIO, "input or output failed")                                                                    \
    X(HOYA_EAGAIN, -EAGAIN, "not now, try again")                                                                  \
    X(HOYA_EBADF, -EBADF, "bad descriptor")                                                                        \
    X(HOYA_ECHILD, -ECHILD, "the loop belongs to the parent process")                                              \
    X(HOYA_ENOMEM, -ENOMEM, "out of memory")                                                                       \
    X(HOYA_EBUSY, -EBUSY, "already running or in use")                                                             \
    X(HOYA_EEXIST, -EEXIST, "exists already")                                                                      \
    X(HOYA_EINVAL, -EINVAL, "invalid argument")                                                                    \
    X(HOYA_EMFILE, -EMFILE, "too many open descriptors")                                                           \
    X(HOYA_ENOSPC, -ENOSPC, "no space left, or too many watches")                                                  \
    X(HOYA_EPIPE, -EPIPE, "broken pipe")                                                                           \
    X(HOYA_EDEADLK, -EDEADLK, "would wait for itself")                                                             \
    X(HOYA_ENOSYS, -ENOSYS, "not available on this system")                                                        \
    X(HOYA_EOVERFLOW, -EOVERFLOW, "value too large")                                                               \
    X(HOYA_ENOTSUP, -ENOTSUP, "not supported by this host or selector")                                            \
    X(HOYA_ENOBUFS, -ENOBUFS, "buffer limit reached")                                                              \
    X(HOYA_EACCES, -EACCES, "permission denied")                                                                   \
    X(HOYA_ENFILE, -ENFILE, "too many open files in the system")                                                   \
    X(HOYA_ENAMETOOLONG, -ENAMETOOLONG, "name too long")                                                           \
    X(HOYA_EPROTO, -EPROTO, "protocol error")                                                                      \
    X(HOYA_ENOTSOCK, -ENOTSOCK, "not a socket")                                                                    \
    X(HOYA_EDESTADDRREQ, -EDESTADDRREQ, "no address to send to")                                                   \
    X(HOYA_EISDIR, -EISDIR, "a directory")                                                                         \
    X(HOYA_ETOOMANYREFS, -ETOOMANYREFS, "too many descriptors under way")                                          \
    X(HOYA_EMSGSIZE, -EMSGSIZE, "message too long")                                                                \
    X(HOYA_EAFNOSUPPORT, -EAFNOSUPPORT, "address family not supported")                                            \
    X(HOYA_EADDRINUSE, -EADDRINUSE, "address in use")                                                              \
    X(HOYA_EADDRNOTAVAIL, -EADDRNOTAVAIL, "address not available")                                                 \
    X(HOYA_ENETDOWN, -ENETDOWN, "network is down")                                                                 \
    X(HOYA_ENETUNREACH, -ENETUNREACH, "network unreachable")                                                       \
    X(HOYA_EHOSTUNREACH, -EHOSTUNREACH, "host unreachable")                                                        \
    X(HOYA_ECONNABORTED, -ECONNABORTED, "connection aborted")                                                      \
    X(HOYA_ECONNREFUSED, -ECONNREFUSED, "connection refused")                                                      \
    X(HOYA_ECONNRESET, -ECONNRESET, "connection reset by the other end")                                           \
    X(HOYA_EISCONN, -EISCONN, "connected already")                                                                 \
    X(HOYA_ENOTCONN, -ENOTCONN, "not connected")                                                                   \
    X(HOYA_ETIMEDOUT, -ETIMEDOUT, "timed out")                                                                     \
    X(HOYA_ECANCELED, -ECANCELED, "cancelled")                                                                     \
    X(HOYA_EDEADLINE, -4097, "the deadline passed")                                                                \
    X(HOYA_EEOF, -4098, "end of stream")                                                                           \
    X(HOYA_ESTATE, -4099, "not possible in this state")                                                            \
    X(HOYA_ECLOSED, -4100, "closed")                                                                               \
    X(HOYA_ETHREAD, -4101, "called on the wrong thread")                                                           \
    X(HOYA_ENOHOST, -4102, "this thread has no host loop yet")                                                     \
    X(HOYA_ELIMIT, -4103, "limit exceeded")                                                                        \
    X(HOYA_EAI_AGAIN, -4104, "the name server does not answer now, try again")                                     \
    X(HOYA_EAI_BADFLAGS, -4105, "flags that the resolver does not know")                                           \
    X(HOYA_EAI_FAIL, -4106, "the name server refuses to answer")                                                   \
    X(HOYA_EAI_FAMILY, -4107, "no address of that family")                                                         \
    X(HOYA_EAI_IDN, -4108, "a name that cannot be encoded (or without libidn2)")                                   \
    X(HOYA_EAI_NONAME, -4109, "name not found")                                                                    \
    X(HOYA_EAI_OVERFLOW, -4110, "name too long for its place")                                                     \
    X(HOYA_EAI_SERVICE, -4111, "service not found")                                                                \
    X(HOYA_EAI_SOCKTYPE, -4112, "socket type not known to the resolver")

#define HOYA_ERROR_ENUM(name, value, text) name = value,
enum hoya_error { HOYA_ERRORS(HOYA_ERROR_ENUM) HOYA_OK = 0 };
#undef HOYA_ERROR_ENUM

/* A short English text for a code, "out of memory"; never NULL, never freed. Thread: any. */
HOYA_API const char *hoya_strerror(int code);

/* The code's name, "HOYA_ENOMEM", or "HOYA_E?" for one without a name. Thread: any. */
HOYA_API const char *hoya_error_name(int code);

/* The text of the last call of this task, or outside of tasks of this thread, that failed, with the address, name or
 * number in it; "" if none did. A call that succeeds leaves it as it is, and so does a wait, whatever fails meanwhile
 * elsewhere. Valid until the next failing call, or the task's end. */
HOYA_API const char *hoya_error_detail(void);

/* Sets that text and returns `code`, so that a host, a policy or a selector of yours can say
 * `return hoya_error_set(HOYA_EBUSY, "port %d is taken", port)`. Texts over 255 bytes are cut. */
HOYA_API int hoya_error_set(int code, const char *format, ...) HOYA_PRINTF(2, 3) HOYA_COLD;

HOYA_END_DECLS

#endif
