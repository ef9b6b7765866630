/* SPDX-License-Identifier: MIT
 *
 * kqueue/fake.cc: a kqueue made of epoll, so that core/poll/kqueue.c runs where there is none. As in the manuals: a filter
 * a direction, EV_DELETE of one that is not there is ENOENT, EV_RECEIPT answers each change with an event, EV_EOF comes
 * with the filter that has it, and an event is never more than one filter's.
 */
#include <cerrno>
#include <map>

#include <sys/epoll.h>
#include <sys/event.h>

namespace
{

using Event = struct kevent; /* the function has the same name */

struct Filters {
    std::map<short, Event> asked; /* by filter */
};

std::map<int, std::map<uintptr_t, Filters>> queues;

int Sync(int kq, uintptr_t ident, const Filters &filters)
{
    epoll_event event = {};
    event.data.u64 = ident;
    for (const auto &[filter, asked] : filters.asked) {
        event.events |= filter == EVFILT_READ ? EPOLLIN | EPOLLRDHUP : filter == EVFILT_WRITE ? EPOLLOUT : EPOLLPRI;
        if (asked.flags & EV_CLEAR) event.events |= EPOLLET;
    }
    int fd = static_cast<int>(ident);
    if (filters.asked.empty()) {
        epoll_ctl(kq, EPOLL_CTL_DEL, fd, &event);
        return 0;
    }
    if (epoll_ctl(kq, EPOLL_CTL_MOD, fd, &event) == 0) return 0;
    return errno == ENOENT && epoll_ctl(kq, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

int Change(int kq, const Event &change)
{
    Filters &filters = queues[kq][change.ident];
    Filters before = filters;
    if (change.flags & EV_DELETE) {
        if (!filters.asked.erase(change.filter)) return ENOENT;
    } else {
        filters.asked[change.filter] = change;
    }
    int error = Sync(kq, change.ident, filters);
    if (error) filters = before;
    return error;
}

/* The events of one descriptor, as far as there is room. */
int Report(const Filters &filters, uint32_t seen, Event *events, int room)
{
    int n = 0;
    for (const auto &[filter, asked] : filters.asked) {
        bool ended = seen & (EPOLLHUP | EPOLLERR);
        bool ready = filter == EVFILT_READ    ? seen & (EPOLLIN | EPOLLRDHUP) || ended
                     : filter == EVFILT_WRITE ? seen & EPOLLOUT || ended
                                              : (seen & EPOLLPRI) != 0;
        if (!ready || n == room) continue;
        bool eof = ended || (filter == EVFILT_READ && (seen & EPOLLRDHUP));
        events[n] = asked;
        events[n++].flags = eof && filter != EVFILT_EXCEPT ? EV_EOF : 0;
    }
    return n;
}

} // namespace

int kqueue(void)
{
    int kq = epoll_create1(0);
    queues[kq].clear();
    return kq;
}

int kevent(int kq, const Event *changes, int change_count, Event *events, int event_count, const timespec *timeout)
{
    int n = 0;
    for (int i = 0; i < change_count; i++) {
        events[n] = changes[i];
        events[n].flags = EV_ERROR;
        events[n++].data = Change(kq, changes[i]);
    }
    if (change_count) return n; /* all of ours have EV_RECEIPT */
    epoll_event found[256];
    int looked = epoll_pwait2(kq, found, event_count < 256 ? event_count : 256, timeout, nullptr);
    if (looked < 0) return -1;
    for (int i = 0; i < looked; i++)
        n += Report(queues[kq][found[i].data.u64], found[i].events, events + n, event_count - n);
    return n;
}
