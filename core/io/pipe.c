/* SPDX-License-Identifier: MIT
 *
 * io/pipe.c: connect_read_pipe and connect_write_pipe: which descriptors can be that, and by which engine.
 *
 * A socket is served as one; what can be waited for is read and written when it is ready; what cannot (regular files,
 * /dev/null) by jobs. The descriptor is the caller's until everything else has worked.
 */
#include "io/pipe.h"

#include <fcntl.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/sys.h"
#include "io/socket.h"

static size_t limit_of(size_t given)
{
    return given ? given : HOYA_LIMIT_DEFAULT;
}

static int read_options(hoya_write_limits *limits, bool *limited, const hoya_pipe_options *given)
{
    hoya_pipe_options o;
    if (!hoya_options_read(&o, sizeof o, given))
        return hoya_error_set(HOYA_EINVAL, "pipe options that this version does not know");
    *limited = o.write_high || o.write_low || o.write_hard;
    return hoya_write_limits_resolve(limit_of(o.write_high), limit_of(o.write_low), limit_of(o.write_hard), limits);
}

typedef struct wish {
    hoya_fd fd;
    hoya_protocol protocol;
    bool reads;
    hoya_write_limits limits;
    bool limited; /* they are not the default ones */
    /* What `look` finds out: */
    hoya_pipe_flags flags;
    mode_t type;
    const hoya_engine *engine; /* NULL: the loop's */
} wish;

/* ---- what is it? ------------------------------------------------------------------------------------------------ */

static int refuse(hoya_fd fd, const char *what)
{
    return hoya_error_set(HOYA_EINVAL, "descriptor %d is %s: it cannot be a pipe", fd, what);
}

/* Of character devices some can be waited for, and some are always ready: the selector knows. A host that is asked may set
 * O_NONBLOCK (libuv does). One that is watched already is refused later. */
static int find_engine_of_device(hoya_loop *loop, wish *w)
{
    int rc = hoya_selector_register(loop->selector, w->fd, HOYA_IN, NULL);
    if (rc >= 0) hoya_selector_unregister(loop->selector, w->fd);
    hoya_pipe_flags_undo(w->fd, &w->flags);
    w->engine = rc == HOYA_EPERM ? &hoya_engine_files : &hoya_engine_pipes;
    return rc == HOYA_ENOMEM || rc == HOYA_ENOSPC ? rc : 0;
}

/* Statement 121. */
static int find_engine(hoya_loop *loop, wish *w)
{
    struct stat status;
    if (hoya_sys_fstat(w->fd, &status) < 0) return hoya_error_errno("the descriptor of a pipe");
    w->type = status.st_mode & S_IFMT;
    switch (w->type) {
    case S_IFIFO:
        w->engine = &hoya_engine_pipes;
        return 0;
    case S_IFREG:
        w->engine = &hoya_engine_files;
        return 0;
    case S_IFCHR:
        return find_engine_of_device(loop, w);
    case S_IFSOCK:
        w->engine = NULL;
        return 0;
    case S_IFDIR:
        return refuse(w->fd, "a directory");
    case S_IFBLK:
        return refuse(w->fd, "a block device");
    default:
        return refuse(w->fd, "no file");
    }
}

static int check_direction(const wish *w)
{
    int access = w->flags.file & O_ACCMODE;
    if (access == O_RDWR || access == (w->reads ? O_RDONLY : O_WRONLY)) return 0;
    return hoya_error_set(HOYA_EBADF, "descriptor %d is not open for %s", w->fd, w->reads ? "reading" : "writing");
}

static int look(hoya_loop *loop, wish *w)
{
    int rc = hoya_pipe_flags_read(w->fd, &w->flags);
    if (rc >= 0) rc = find_engine(loop, w);
    return rc < 0 ? rc : check_direction(w);
}

/* ---- making one ------------------------------------------------------------------------------------------------- */

/* The descriptor as we need it, with a transport on it. */
static int make(hoya_loop *loop, wish *w, hoya_transport **out)
{
    hoya_transport *transport;
    const hoya_write_limits *limits = w->limited ? &w->limits : NULL;
    bool waits = w->engine != &hoya_engine_files;
    int rc = hoya_pipe_flags_set(w->fd, &w->flags, waits);
    if (rc < 0) return rc;
    if (w->type == S_IFSOCK) rc = hoya_socket_check(w->fd, false);
    if (rc >= 0) rc = hoya_transport_new(loop, w->engine, w->fd, NULL, 0, w->protocol, limits, NULL, &transport);
    if (rc < 0) {
        hoya_pipe_flags_undo(w->fd, &w->flags);
        return rc;
    }
    hoya_fd_adopt(w->fd);
    transport->reads_pipe = transport->eof_wanted = w->reads;
    transport->writes_pipe = transport->at_eof = !w->reads;
    transport->hangs_up = !w->reads && (w->type == S_IFIFO || w->type == S_IFSOCK);
    if (waits) hoya_pipe_settle(transport, &w->flags);
    *out = transport;
    return 0;
}

static int connect_pipe(hoya_loop *loop, wish w, const hoya_pipe_options *options, hoya_transport **out)
{
    hoya_transport *transport;
    int rc = hoya_loop_enter(loop);
    if (rc >= 0) rc = hoya_protocol_check(w.protocol);
    if (rc >= 0) rc = read_options(&w.limits, &w.limited, options);
    if (rc >= 0) rc = look(loop, &w);
    if (rc >= 0) rc = make(loop, &w, &transport);
    if (rc < 0) return hoya_protocol_refuse(w.protocol, rc);
    if (out) *out = hoya_transport_ref(transport);
    return 0;
}

int hoya_connect_read_pipe(hoya_loop *loop, hoya_fd fd, hoya_protocol protocol, const hoya_pipe_options *options,
                           hoya_transport **transport)
{
    return connect_pipe(loop, (wish){.fd = fd, .protocol = protocol, .reads = true}, options, transport);
}

int hoya_connect_write_pipe(hoya_loop *loop, hoya_fd fd, hoya_protocol protocol, const hoya_pipe_options *options,
                            hoya_transport **transport)
{
    return connect_pipe(loop, (wish){.fd = fd, .protocol = protocol}, options, transport);
}
