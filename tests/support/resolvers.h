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

/* A loop does not wait for the threads that look names up; what looks for leaks does. */
inline void AwaitLanes()
{
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (LaneThreads() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_EQ(LaneThreads(), 0);
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
