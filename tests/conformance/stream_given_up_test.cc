/* SPDX-License-Identifier: MIT
 *
 * conformance/stream_given_up_test.cc: the program gives up its last reference to a stream while tasks wait in calls on it.
 * The call keeps what it needs until it returns; the connection is closed.
 */
#include "net.h"
#include "server.h"
#include "streams.h"

namespace hoya_test
{
namespace
{

class StreamGivenUp : public WithServers<StreamConformance>
{
  protected:
    using StreamConformance::Create;

    /* In a task: while another one is inside `call` the stream is given up: what the call says. */
    std::string Say(const std::function<std::string(hoya_stream *)> &call, const std::string &sent = "",
                    const std::string &written = "")
    {
        int peer;
        Stream stream = Open(&peer);
        if (written != "") EXPECT_EQ(Write(stream, written), 0);
        Rounds(2);
        std::string said, got;
        hoya_stream *borrowed = stream.get();
        Task task = Create([&](hoya_task *) {
            said = call(borrowed);
            return 0;
        });
        Rounds(1);
        if (sent != "") Send(peer, sent);
        Rounds(3);
        EXPECT_FALSE(Done(task));
        stream.reset();
        Until([&] {
            got += Receive(peer);
            return Done(task) && AtEnd(peer);
        });
        EXPECT_TRUE(got == written) << got.size() << " of " << written.size() << " bytes";
        EXPECT_EQ(Join(task), 0);
        return said;
    }
};

INSTANTIATE_TEST_SUITE_P(Hosts, StreamGivenUp, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

std::string Name(int rc)
{
    return rc < 0 ? hoya_error_name(rc) : std::to_string(rc);
}

} // namespace

/* ---- who reads ---- */

TEST_P(StreamGivenUp, AReadOfAFewBytesAnswersThatItIsClosed)
{
    InTask([&](hoya_task *) {
        EXPECT_EQ(Say([](hoya_stream *stream) {
                      char some[64];
                      return TextOf(hoya_stream_read(stream, some, sizeof some), some);
                  }),
                  "HOYA_ECLOSED");
        return 0;
    });
}

TEST_P(StreamGivenUp, AReadOfManyBytesAnswersThatItIsClosed)
{
    InTask([&](hoya_task *) {
        EXPECT_EQ(Say([](hoya_stream *stream) {
                      char some[8192];
                      return TextOf(hoya_stream_read(stream, some, sizeof some), some);
                  }),
                  "HOYA_ECLOSED");
        return 0;
    });
}

TEST_P(StreamGivenUp, ReadexactlyGivesWhatIsThere)
{
    InTask([&](hoya_task *) {
        for (size_t size : {100u, 5000u}) {
            auto call = [&](hoya_stream *stream) {
                std::string memory(size, '?');
                size_t count = 4711;
                int rc = hoya_stream_readexactly(stream, &memory[0], size, &count);
                return Name(rc) + " after " + memory.substr(0, count);
            };
            EXPECT_EQ(Say(call, "some"), "HOYA_ECLOSED after some");
        }
        return 0;
    });
}

TEST_P(StreamGivenUp, NothingIsGivenInPlace)
{
    InTask([&](hoya_task *) {
        const char *const untouched = "untouched";
        EXPECT_EQ(Say(
                      [&](hoya_stream *stream) {
                          const char *line = untouched;
                          ssize_t n = hoya_stream_readline(stream, &line);
                          return n < 0 ? Name(static_cast<int>(n)) : "something";
                      },
                      "half a line"),
                  "HOYA_ECLOSED");
        EXPECT_EQ(Say(
                      [&](hoya_stream *stream) {
                          const void *data = untouched;
                          ssize_t n = hoya_stream_readuntil(stream, "--", 2, &data);
                          return n < 0 ? Name(static_cast<int>(n)) : "something";
                      },
                      "half-"),
                  "HOYA_ECLOSED");
        EXPECT_EQ(Say(
                      [&](hoya_stream *stream) {
                          const void *data = untouched;
                          ssize_t n = hoya_stream_peek(stream, 100, &data);
                          return n < 0 ? Name(static_cast<int>(n)) : "something";
                      },
                      "some"),
                  "HOYA_ECLOSED");
        return 0;
    });
}

/* In debug mode there is a time between what comes and who goes on with it. */
TEST_P(StreamGivenUp, WhoWasWokenAlreadyReadsWhatCame)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    InTask([&](hoya_task *) {
        int between = 0;
        for (bool in_place : {false, true}) {
            for (int rounds = 0; rounds < 6; rounds++) {
                int peer;
                Stream stream = Open(&peer);
                hoya_stream *borrowed = stream.get();
                std::string said;
                Task reader = Create([&](hoya_task *) {
                    char some[64];
                    const void *data = nullptr;
                    ssize_t n = in_place ? hoya_stream_peek(borrowed, 1, &data)
                                         : hoya_stream_read(borrowed, some, sizeof some);
                    said = TextOf(n, in_place ? data : some);
                    return 0;
                });
                Rounds(3);
                Send(peer, "come");
                Rounds(rounds);
                bool before = said != "";
                stream.reset();
                EXPECT_EQ(Join(reader), 0);
                if (before || (!in_place && said == "come")) EXPECT_EQ(said, "come");
                else EXPECT_EQ(said, "HOYA_ECLOSED");
                if (!before && said == "come") between++;
            }
        }
        EXPECT_GE(between, 1);
        return 0;
    });
}

/* ---- who writes, and who waits for the end ---- */

TEST_P(StreamGivenUp, AWriteThatWaitsAnswersThatItIsClosed)
{
    InTask([&](hoya_task *) {
        EXPECT_EQ(Say([](hoya_stream *stream) { return Name(hoya_stream_write(stream, "x", 1)); }, "", Much()),
                  "HOYA_ECLOSED");
        iovec part = {const_cast<char *>("x"), 1};
        EXPECT_EQ(
            Say([&](hoya_stream *stream) { return Name(hoya_stream_writelines(stream, &part, 1)); }, "", Much()),
            "HOYA_ECLOSED");
        return 0;
    });
}

TEST_P(StreamGivenUp, ADrainThatWaitsAnswersThatItIsClosed)
{
    InTask([&](hoya_task *) {
        EXPECT_EQ(Say([](hoya_stream *stream) { return Name(hoya_stream_drain(stream)); }, "", Much()),
                  "HOYA_ECLOSED");
        return 0;
    });
}

TEST_P(StreamGivenUp, WaitClosedTellsTheEnd)
{
    InTask([&](hoya_task *) {
        auto call = [](hoya_stream *stream) { return Name(hoya_stream_wait_closed(stream)); };
        EXPECT_EQ(Say(call), "0");
        EXPECT_EQ(Say(call, "", Much()), "0") << "all of it has gone out";
        return 0;
    });
}

TEST_P(StreamGivenUp, ACloseTellsTheEnd)
{
    InTask([&](hoya_task *) {
        for (int64_t limit : {HOYA_SEC(60), HOYA_NEVER})
            EXPECT_EQ(Say([&](hoya_stream *stream) { return Name(hoya_stream_close(stream, limit)); }, "", Much()),
                      "0");
        return 0;
    });
}

/* ---- all of them at once ---- */

TEST_P(StreamGivenUp, SeveralCallsKeepItTogether)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        EXPECT_EQ(Write(stream, Much()), 0);
        hoya_stream *borrowed = stream.get();
        Task reader = Create([&](hoya_task *) {
            char some[64];
            return static_cast<int>(hoya_stream_read(borrowed, some, sizeof some));
        });
        Task writer = Create([&](hoya_task *) { return hoya_stream_write(borrowed, "x", 1); });
        Task waiter = Create([&](hoya_task *) { return hoya_stream_wait_closed(borrowed); });
        Rounds(3);
        stream.reset();
        EXPECT_EQ(Join(reader), HOYA_ECLOSED);
        EXPECT_EQ(Join(writer), HOYA_ECLOSED);
        EXPECT_FALSE(Done(waiter));
        std::string got;
        Until([&] {
            got += Receive(peer);
            return Done(waiter);
        });
        EXPECT_EQ(Join(waiter), 0);
        EXPECT_EQ(got.size() + Receive(peer).size(), Much().size());
        return 0;
    });
}

TEST_P(StreamGivenUp, AHelperOfAClientThatHasEndedGoesOn)
{
    struct Hall {
        std::function<Task(TaskWork)> create;
        Task helper;
        std::string said;
    } hall = {[this](TaskWork work) { return Create(std::move(work)); }, {}, ""};
    auto serve = [](hoya_task *, hoya_stream *stream, void *arg) {
        auto of = static_cast<Hall *>(arg);
        of->helper = of->create([of, stream](hoya_task *) {
            char some[64];
            of->said = TextOf(hoya_stream_read(stream, some, sizeof some), some);
            return 0;
        });
        return hoya_sleep(HOYA_MSEC(1));
    };
    InTask([&](hoya_task *) {
        hoya_server *server = nullptr;
        hoya_stream *client = nullptr;
        EXPECT_EQ(hoya_start_server(nullptr, "127.0.0.1", "0", serve, &hall, nullptr, nullptr, &server), 0);
        std::string port = std::to_string(PortOf(NameOf(Server(hoya_server_ref(server)))));
        EXPECT_EQ(hoya_open_connection("127.0.0.1", port.c_str(), nullptr, &client), 0);
        EXPECT_EQ(Read(Stream(client)), "") << "the task has ended, and with it the connection";
        Until([&] { return Done(hall.helper); });
        EXPECT_EQ(hall.said, "HOYA_ECLOSED");
        EXPECT_EQ(hoya_server_close(server), 0);
        hoya_server_unref(server);
        return 0;
    });
}

/* Not that a program should (hoya_stream_get_transport); but nothing of the stream's is asked of the other protocol. */
TEST_P(StreamGivenUp, ItsConnectionCanHaveAnotherProtocolForAWhile)
{
    Trace notes;
    Recorder guest(&notes, "guest");
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        hoya_transport *transport = hoya_stream_get_transport(stream.get());
        hoya_protocol own = hoya_transport_get_protocol(transport);
        std::string got;
        Task reader = Create([&](hoya_task *) {
            got = Read(stream, 4096);
            return 0;
        });
        Rounds(1);
        EXPECT_EQ(hoya_transport_set_protocol(transport, guest.protocol()), 0);
        Send(peer, "not for the stream");
        Until([&] { return guest.data == "not for the stream"; });
        EXPECT_EQ(hoya_transport_set_protocol(transport, own), 0);
        EXPECT_FALSE(Done(reader));
        Send(peer, "for the stream");
        EXPECT_EQ(Join(reader), 0);
        EXPECT_EQ(got, "for the stream");
        return 0;
    });
}

TEST_P(StreamGivenUp, ALoopThatIsClosedTakesItAlong)
{
    int peer;
    Task reader = Create([&](hoya_task *) {
        hoya_stream *stream = Open(&peer).release();
        CallSoon([stream] { hoya_stream_unref(stream); });
        EXPECT_EQ(hoya_stream_wait_closed(stream), 0);
        return 0;
    });
    Task writer = Create([&](hoya_task *) {
        int fd;
        hoya_stream *stream = Open(&fd).release();
        EXPECT_EQ(Write(Stream(hoya_stream_ref(stream)), Much()), 0);
        CallSoon([stream] { hoya_stream_unref(stream); });
        EXPECT_EQ(hoya_stream_wait_closed(stream), HOYA_ECANCELED);
        return 0;
    });
    RunRounds(6);
    EXPECT_TRUE(Done(reader));
    EXPECT_FALSE(Done(writer));
    EXPECT_EQ(hoya_loop_close(loop), 0);
}

} // namespace hoya_test
