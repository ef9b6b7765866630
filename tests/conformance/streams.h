/* SPDX-License-Identifier: MIT
 *
 * conformance/streams.h: streams as tests like them: owned, and what they read as text.
 */
#ifndef HOYA_TESTS_STREAMS_H
#define HOYA_TESTS_STREAMS_H

#include "tasks.h"

#include <sys/socket.h>
#include <unistd.h>

namespace hoya_test
{

struct UnrefStream {
    void operator()(hoya_stream *stream) const { hoya_stream_unref(stream); }
};
using Stream = std::unique_ptr<hoya_stream, UnrefStream>;

inline hoya_stream_options StreamOptions(size_t limit = 0)
{
    hoya_stream_options options = {};
    options.size = sizeof options;
    options.limit = limit;
    return options;
}

/* What came, or the name of the code. */
inline std::string TextOf(ssize_t n, const void *data)
{
    return n < 0 ? hoya_error_name(static_cast<int>(n))
                 : std::string(static_cast<const char *>(data), static_cast<size_t>(n));
}

inline std::string Read(const Stream &stream, size_t size = 1 << 16)
{
    std::string memory(size, '?');
    ssize_t n = hoya_stream_read(stream.get(), &memory[0], size);
    return TextOf(n, memory.data());
}
inline std::string ReadExactly(const Stream &stream, size_t size)
{
    std::string memory(size, '?');
    size_t count = 4711;
    int rc = hoya_stream_readexactly(stream.get(), &memory[0], size, &count);
    EXPECT_EQ(rc == 0, count == size);
    return rc < 0 ? std::string(hoya_error_name(rc)) + " after " + memory.substr(0, count) : memory;
}
inline std::string ReadUntil(const Stream &stream, const std::string &separator)
{
    const void *data = nullptr;
    ssize_t n = hoya_stream_readuntil(stream.get(), separator.data(), separator.size(), &data);
    return TextOf(n, data);
}
inline std::string ReadLine(const Stream &stream)
{
    const char *line = nullptr;
    ssize_t n = hoya_stream_readline(stream.get(), &line);
    return TextOf(n, line);
}
inline std::string Peek(const Stream &stream, size_t least)
{
    const void *data = nullptr;
    ssize_t n = hoya_stream_peek(stream.get(), least, &data);
    return TextOf(n, data);
}
inline int Write(const Stream &stream, const std::string &data)
{
    return hoya_stream_write(stream.get(), data.data(), data.size());
}

class StreamConformance : public TaskConformance
{
  protected:
    /* A task, to its end. */
    void InTask(TaskWork work, int expected = 0)
    {
        Task task = Create(std::move(work), "main");
        RunUntilDone({Of(task)});
        EXPECT_EQ(Result(task), expected) << hoya_error_detail();
    }
    /* In a task: a stream on one end of a pair, or of a connection over TCP; the other end is a descriptor of the test's. */
    Stream Open(int *peer, size_t limit = 0)
    {
        int fds[2];
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        *peer = Own(fds[1]);
        hoya_stream_options options = StreamOptions(limit);
        hoya_stream *stream = nullptr;
        EXPECT_EQ(hoya_open_connection_on_socket(fds[0], &options, &stream), 0) << hoya_error_detail();
        return Stream(stream);
    }
    static void Send(int fd, const std::string &data)
    {
        EXPECT_EQ(send(fd, data.data(), data.size(), MSG_NOSIGNAL), static_cast<ssize_t>(data.size()));
    }
    /* What there is to read now. */
    static std::string Receive(int fd)
    {
        std::string all;
        char some[65536];
        for (ssize_t n; (n = recv(fd, some, sizeof some, MSG_DONTWAIT)) > 0;)
            all.append(some, static_cast<size_t>(n));
        return all;
    }
    static bool AtEnd(int fd)
    {
        char byte;
        return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    }
    /* In a task: some rounds for the others. */
    static void Rounds(int count)
    {
        EXPECT_EQ(hoya_shield_enter(), 0);
        for (int i = 0; i < count; i++) EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_shield_leave(), 0);
    }
    /* In a task: until it is so. */
    static void Until(const Predicate &done)
    {
        bool is = false;
        EXPECT_EQ(hoya_shield_enter(), 0);
        for (int64_t end = Now() + HOYA_SEC(10); !(is = done()) && Now() < end;)
            EXPECT_EQ(hoya_sleep(HOYA_USEC(50)), 0);
        EXPECT_EQ(hoya_shield_leave(), 0);
        EXPECT_TRUE(is);
    }
    /* In a task: until a child has ended. */
    static int Join(const Task &task) { return hoya_await(Of(task), nullptr); }
    static bool IsReading(const Stream &stream)
    {
        return hoya_transport_is_reading(hoya_stream_get_transport(stream.get()));
    }
    static size_t Unsent(const Stream &stream)
    {
        return hoya_transport_get_write_buffer_size(hoya_stream_get_transport(stream.get()));
    }
};

} // namespace hoya_test

#endif
