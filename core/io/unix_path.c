/* SPDX-License-Identifier: MIT
 *
 * io/unix_path.c: the path of a server's Unix socket (statement 123), or of a datagram endpoint's. A path outlives its socket: whoever ends without
 * removing it leaves one on which nobody listens, and which is in the way of the next. Two servers may want the same path, so
 * nothing is removed without a look: not what somebody listens on, and at the end not what has become another's. The look is
 * a connection that is closed at once. A socket that is bound and does not listen yet refuses like a dead one, and loses its
 * path: so a server looks whether it still has it before it listens. Between a look and what follows it there is a moment in
 * which two servers that begin together can miss each other; only a lock beside the path would close that.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/un.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "io/server.h"

static const char *path_of(const struct sockaddr *address, socklen_t length)
{
    if (address->sa_family != AF_UNIX || length <= offsetof(struct sockaddr_un, sun_path)) return NULL;
    const char *path = ((const struct sockaddr_un *)(const void *)address)->sun_path;
    return *path ? path : NULL; /* an abstract name begins with a NUL */
}

/* 0: a socket that refuses connections: its server has gone. One that is busy, or of another type, has somebody:
 * HOYA_EADDRINUSE. Or why nobody can tell. */
static int look_for_stale(const struct sockaddr *address, socklen_t length)
{
    struct stat status;
    if (hoya_sys_lstat(path_of(address, length), &status) < 0 || !S_ISSOCK(status.st_mode)) return HOYA_EADDRINUSE;
    hoya_fd fd = hoya_socket_open(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) return fd;
    bool refused = hoya_sys_connect(fd, address, length) < 0 && errno == ECONNREFUSED;
    hoya_fd_close(&fd);
    return refused ? 0 : HOYA_EADDRINUSE;
}

int hoya_unix_path_bind(hoya_fd fd, const struct sockaddr *address, socklen_t length)
{
    if (hoya_sys_bind(fd, address, length) == 0) return 0;
    int code = -errno;
    if (code != HOYA_EADDRINUSE || !path_of(address, length)) return code;
    code = look_for_stale(address, length);
    if (code < 0) return code;
    if (hoya_sys_unlink(path_of(address, length)) < 0 && errno != ENOENT) return -errno;
    return hoya_sys_bind(fd, address, length) < 0 ? -errno : 0;
}

hoya_file_identity hoya_unix_path_identify(const hoya_address *name)
{
    const char *path = path_of((const struct sockaddr *)&name->storage, name->length);
    struct stat status;
    if (!path || hoya_sys_lstat(path, &status) < 0) return (hoya_file_identity){.known = false};
    return (hoya_file_identity){true, status.st_dev, status.st_ino};
}

/* Called while the socket is open: as long as that is, no other file can have its number. */
bool hoya_unix_path_is(const hoya_address *name, hoya_file_identity file)
{
    if (!file.known) return true;
    hoya_file_identity now = hoya_unix_path_identify(name);
    return now.known && now.device == file.device && now.inode == file.inode;
}

void hoya_unix_path_remove(const hoya_address *name, hoya_file_identity file)
{
    if (!file.known || !hoya_unix_path_is(name, file)) return;
    hoya_sys_unlink(path_of((const struct sockaddr *)&name->storage, name->length));
}
