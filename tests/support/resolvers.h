/* SPDX-License-Identifier: MIT
 *
 * support/resolvers.h: lookups as tests like them, and the end of the threads that made them.
 */
#ifndef HOYA_TESTS_RESOLVERS_H
#define HOYA_TESTS_RESOLVERS_H

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "support/leaks.h"

#include <dirent.h>
#include <netdb.h>

#include "support/futures.h"

namespace hoya_test
{

inline addrinfo Hints(int flags = 0, int family = AF_UNSPEC, int type = SOCK_STREAM)
{
    addrinfo hints = {};
    hints.ai_flags = flags;
    hints.ai_family = family;
    hints.ai_socktype = type;
    return hints;
}

inline std::string Text(const sockaddr *address, socklen_t length)
{
    char text[HOYA_ADDRESS_TEXT_SIZE] = "?";
    EXPECT_GE(hoya_address_format(address, length, text, sizeof text), 0) << hoya_error_detail();
    return text;
}

/* "127.0.0.1:80 [::1]:80" */
inline std::string Texts(const addrinfo *list)
{
    std::string all;
    for (; list; list = list->ai_next) all += (all.empty() ? "" : " ") + Text(list->ai_addr, list->ai_addrlen);
    return all;
}

/* The future's addresses, or its error's text. */
inline std::string Found(const Future &future)
{
    void *value = nullptr;
    int rc = hoya_future_result(future.get(), &value);
    return rc < 0 ? hoya_error_detail() : Texts(static_cast<addrinfo *>(value));
}

inline int LaneThreads()
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    while (const dirent *entry = readdir(tasks)) {
        std::string name;
        std::getline(std::ifstream(std::string("/proc/self/task/") + entry->d_name + "/comm"), name);
        count += name.rfind("hoya-dns", 0) == 0;
    }
    closedir(tasks);
    return count;
}

/* A resolver that knows one name, with the addresses that the test gives it. */
struct Addresses {
    std::vector<std::pair<std::string, std::string>> list; /* host, port */

    static int Get(hoya_loop *loop, const char *, const char *, const addrinfo *, void *arg, hoya_future **future)
    {
        addrinfo *first = nullptr, **last = &first;
        for (const auto &[host, port] : static_cast<Addresses *>(arg)->list) {
            addrinfo hints = {};
            hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
            hints.ai_socktype = SOCK_STREAM;
            EXPECT_EQ(getaddrinfo(host.c_str(), port.c_str(), &hints, last), 0);
            last = &(*last)->ai_next;
        }
        addrinfo *copy = nullptr;
        EXPECT_EQ(hoya_copy_addrinfo(first, &copy), 0);
        freeaddrinfo(first);
        int rc = hoya_future_new(loop, future);
        if (rc < 0) return rc;
        return hoya_future_set_result(*future, copy,
                                      [](void *value) { hoya_freeaddrinfo(static_cast<addrinfo *>(value)); });
    }
    void Install(hoya_loop *loop)
    {
        static const hoya_resolver_ops ops = {sizeof ops, "test", Get, nullptr, nullptr};
        EXPECT_EQ(hoya_set_resolver(loop, &ops, this), 0);
    }
};

/* A loop does not wait for the threads that look names up; what looks for leaks does. */
inline void AwaitLanes()
{
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    int looks =
        0; /* one alone may pass a thread over, while another one ends: the list is the kernel's, and moves */
    for (; looks < 5 && std::chrono::steady_clock::now() < end; std::this_thread::yield())
        looks = LaneThreads() ? 0 : looks + 1;
    EXPECT_EQ(looks, 5) << "threads of a lane are left";
    hoya_live_counts counts =
        {}; /* comes after all that they have freed, which the sanitizer cannot see in /proc */
    counts.size = sizeof counts;
    EXPECT_EQ(hoya_get_live_counts(&counts), 0);
}

/* The same when a test has let everything go: a thread that has only just begun has no name yet, but the lane's memory. */
inline void AwaitLanesAtEnd()
{
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (has_more_memory() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    AwaitLanes();
}

} // namespace hoya_test

#endif
