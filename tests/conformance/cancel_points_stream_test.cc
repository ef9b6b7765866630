/* SPDX-License-Identifier: MIT
 *
 * conformance/cancel_points_stream_test.cc: programs of tasks with streams and a server, cancelled wherever they wait:
 * cancel_points.h. Afterwards no connection, socket or server is left, and nobody has heard half of a message.
 */
#include "cancel_points.h"
#include "streams.h"

#include <fcntl.h>

namespace hoya_test
{
namespace
{

/* A server in a group, and two clients who talk to it in lines, in exact pieces, and in more than it takes at once. */
class Conversation : public Program
{
  public:
    using Program::Program;

    int Main(hoya_task *) override
    {
        hoya_group *group = nullptr;
        EXPECT_EQ(hoya_group_enter(nullptr, &group), 0);
        hoya_server *server = nullptr;
        int rc = hoya_start_server(group, "127.0.0.1", "0", Serve, this, nullptr, nullptr, &server);
        if (rc == 0) {
            hoya_address address;
            char text[HOYA_ADDRESS_TEXT_SIZE];
            EXPECT_EQ(hoya_server_get_sockname(server, 0, &address), 0);
            hoya_address_format(reinterpret_cast<sockaddr *>(&address.storage), address.length, text, sizeof text);
            const std::string port = std::string(text).substr(10);
            Task client = Spawn("client", [this, port](hoya_task *) { return Talk(port); });
            rc = Talk(port);
            int other = Join(client, rc < 0);
            if (rc == 0) rc = other;
        }
        if (rc < 0) hoya_group_cancel(group, nullptr);
        if (server) EXPECT_EQ(hoya_server_close(server), 0);
        int end = hoya_group_leave(group);
        hoya_server_unref(server);
        return rc < 0 ? rc : end;
    }
    /* What was not flushed when its task was cancelled goes out in rounds of its own. */
    void Settle() override
    {
        for (int i = 0; i < 1000 && Connections(); i++) EXPECT_GE(hoya_loop_run_once(loop, HOYA_MSEC(5)), 0);
    }
    bool Whole() override { return said_ == 2; }
    void Check() override { EXPECT_EQ(serving_, 0); }

  private:
    size_t Connections()
    {
        hoya_loop_statistics stats = {};
        stats.size = sizeof stats;
        EXPECT_EQ(hoya_loop_stats(loop, &stats), 0);
        return stats.watches;
    }
    static int Serve(hoya_task *, hoya_stream *stream, void *arg)
    {
        auto self = static_cast<Conversation *>(arg);
        self->serving_++;
        ssize_t rc = 1;
        while (rc > 0) {
            const char *line = nullptr;
            rc = hoya_stream_readline(stream, &line);
            if (rc <= 0) break;
            EXPECT_EQ(line[rc - 1], '\n') << "half of a line";
            rc = hoya_stream_write(stream, line, static_cast<size_t>(rc));
            if (rc == 0) rc = 1;
        }
        self->serving_--;
        return static_cast<int>(rc);
    }
    int Talk(const std::string &port)
    {
        hoya_stream *stream = nullptr;
        int rc = hoya_open_connection("127.0.0.1", port.c_str(), nullptr, &stream);
        if (rc < 0) return rc;
        for (int i = 0; i < 2 && rc >= 0; i++) {
            char back[6];
            size_t count = 0;
            rc = hoya_stream_write(stream, "hello\n", 6);
            if (rc >= 0) rc = hoya_stream_readexactly(stream, back, 6, &count);
            EXPECT_EQ(count, rc < 0 ? 0u : 6u);
        }
        int end = hoya_stream_close(stream, HOYA_SEC(60));
        hoya_stream_unref(stream);
        if (rc == 0 && end == 0) said_++;
        return rc < 0 ? rc : end;
    }

    int serving_ = 0, said_ = 0;
};

/* A writer who is held up by a slow reader. */
class Slow : public Program
{
  public:
    using Program::Program;

    int Main(hoya_task *) override
    {
        int fds[2];
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        hoya_stream *from = nullptr, *to = nullptr;
        EXPECT_EQ(hoya_open_connection_on_socket(fds[0], nullptr, &from), 0);
        EXPECT_EQ(hoya_open_connection_on_socket(fds[1], nullptr, &to), 0);
        Task writer = Spawn("writer", [from](hoya_task *) {
            std::string piece(kPiece, 'p');
            int rc = 0;
            for (int i = 0; i < kPieces && rc == 0; i++) rc = hoya_stream_write(from, piece.data(), piece.size());
            if (rc == 0) rc = hoya_stream_drain(from);
            int end = hoya_stream_close(from, HOYA_NEVER);
            return rc < 0 ? rc : end;
        });
        Task reader = Spawn("reader", [this, to](hoya_task *) {
            std::string memory(kPiece, '?');
            int rc = 0;
            for (int i = 0; i < kPieces && rc == 0; i++) {
                size_t count = 0;
                rc = hoya_stream_readexactly(to, &memory[0], kPiece, &count);
                read_ += count;
            }
            return rc;
        });
        hoya_future *both[] = {hoya_task_future(writer.get()), hoya_task_future(reader.get())};
        int rc = hoya_wait(both, 2, HOYA_FIRST_COMPLETED, HOYA_NEVER);
        bool wrote = hoya_future_done(both[0]) == 1 && !hoya_future_cancelled(both[0]);
        if (!wrote) EXPECT_EQ(hoya_stream_abort(hoya_future_done(both[1]) ? to : from), 0);
        int written = Join(writer, rc < 0), read = Join(reader, rc < 0);
        EXPECT_EQ(hoya_stream_abort(from), 0);
        EXPECT_EQ(hoya_stream_abort(to), 0);
        hoya_stream_unref(from);
        hoya_stream_unref(to);
        EXPECT_TRUE(read_ < kPiece * kPieces || read == 0);
        EXPECT_TRUE(written != 0 || read != 0 || read_ == kPiece * kPieces);
        return rc < 0 ? rc : 0;
    }
    bool Whole() override { return read_ == kPiece * kPieces; }
    void Check() override { EXPECT_LE(read_, kPiece * kPieces); }

  private:
    static constexpr size_t kPiece = 300000;
    static constexpr int kPieces = 3;
    size_t read_ = 0;
};

/* Lines, and one that is longer than a pipe, through one. */
class Piped : public Program
{
  public:
    using Program::Program;

    int Main(hoya_task *) override
    {
        int fds[2];
        EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
        hoya_stream *from = nullptr, *to = nullptr;
        hoya_stream_options options = StreamOptions(kLine);
        EXPECT_EQ(hoya_open_read_pipe(fds[0], &options, &from), 0);
        EXPECT_EQ(hoya_open_write_pipe(fds[1], nullptr, &to), 0);
        /* Its reader shall not wait for ever, also where it has never begun. */
        std::shared_ptr<void> ends(nullptr, [to](void *) {
            EXPECT_EQ(hoya_stream_close(to, HOYA_NOW), 0);
            hoya_stream_unref(to);
        });
        Task writer = Spawn("writer", [to, ends = std::move(ends)](hoya_task *) {
            int rc = hoya_stream_write(to, "short\n", 6);
            for (int i = 0; i < 2 && rc == 0; i++) {
                const std::string line = std::string(kLine, 'l') + "\n";
                rc = hoya_stream_write(to, line.data(), line.size());
            }
            int end = hoya_stream_close(to, HOYA_SEC(60));
            return rc < 0 ? rc : end;
        });
        int rc = 1;
        while (rc > 0) {
            const char *line = nullptr;
            rc = static_cast<int>(hoya_stream_readline(from, &line));
            if (rc <= 0) break;
            EXPECT_EQ(static_cast<size_t>(rc), lines_ ? kLine + 1 : 6u);
            if (line[rc - 1] != '\n') break;
            lines_++;
        }
        if (rc < 0) EXPECT_EQ(hoya_stream_abort(from), 0);
        int written = Join(writer, rc < 0);
        hoya_stream_unref(from);
        return rc < 0 ? rc : written;
    }
    bool Whole() override { return lines_ == 3; }
    void Check() override { EXPECT_LE(lines_, 3); }

  private:
    static constexpr size_t kLine = 200000;
    int lines_ = 0;
};

} // namespace

TEST_P(CancelPoints, AServerAndItsClients)
{
    Sweep<Conversation>();
}

TEST_P(CancelPoints, AWriterThatIsHeldUp)
{
    Sweep<Slow>();
}

TEST_P(CancelPoints, LinesThroughAPipe)
{
    Sweep<Piped>();
}

} // namespace hoya_test
