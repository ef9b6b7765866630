/* SPDX-License-Identifier: MIT
 *
 * conformance/stream_sendfile_test.cc: a file that goes out of a stream's connection: what the stream's calls do meanwhile,
 * and after.
 */
#include "sock.h"
#include "streams.h"

namespace hoya_test
{
namespace
{

class StreamSendFile : public StreamConformance
{
  protected:
    static Future Start(const Stream &stream, int file)
    {
        hoya_future *future = nullptr;
        hoya_transport *transport = hoya_stream_get_transport(stream.get());
        EXPECT_EQ(hoya_sendfile(transport, file, 0, HOYA_SENDFILE_ALL, HOYA_SENDFILE_NATIVE, &future), 0)
            << hoya_error_detail();
        return Future(future);
    }
    int MakeFile(const std::string &data) { return Own(FileOf(data)); }
    /* In a task: what comes until it is done. */
    static std::string Finish(const Future &future, int peer)
    {
        std::string all;
        Until([&] {
            all += Receive(peer);
            return hoya_future_done(future.get()) == 1;
        });
        return all + Receive(peer);
    }
    static int Result(const Future &future) { return hoya_future_result(future.get(), nullptr); }
};

INSTANTIATE_TEST_SUITE_P(Hosts, StreamSendFile, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

// Holds: S108
TEST_P(StreamSendFile, NothingIsWrittenOrReadMeanwhileAndAllGoesOnAfterwards)
{
    InTask([&](hoya_task *) {
        int peer;
        char text[] = "x";
        iovec part = {text, 1};
        const std::string data = Much();
        Stream stream = Open(&peer);
        EXPECT_EQ(Write(stream, "head "), 0);
        Send(peer, "ask");
        Rounds(3);
        Future sending = Start(stream, MakeFile(data));
        EXPECT_EQ(Write(stream, "x"), HOYA_EBUSY);
        EXPECT_EQ(hoya_stream_writelines(stream.get(), &part, 1), HOYA_EBUSY);
        EXPECT_EQ(hoya_stream_write_eof(stream.get()), HOYA_EBUSY);
        EXPECT_EQ(hoya_stream_drain(stream.get()), 0) << "nothing is held up";
        Send(peer, "later");
        EXPECT_EQ(Read(stream), "ask") << "it was buffered";
        Task reader = Create([&](hoya_task *) { return Read(stream) == "later" ? 0 : 1; });
        Rounds(5);
        EXPECT_FALSE(Done(reader));
        EXPECT_EQ(hoya_future_done(sending.get()), 0);
        std::string got = Finish(sending, peer);
        EXPECT_EQ(Result(sending), 0);
        EXPECT_EQ(Join(reader), 0);
        EXPECT_EQ(Write(stream, " tail"), 0);
        EXPECT_TRUE(got + Receive(peer) == "head " + data + " tail");
        return hoya_stream_close(stream.get(), HOYA_NEVER);
    });
}

// Holds: S108 S147
TEST_P(StreamSendFile, AWriteThatWaitsForRoomGoesOnAfterTheFile)
{
    InTask([&](hoya_task *) {
        int peer;
        const std::string before = Much(1 << 20), data = Much(3000000);
        Stream stream = Open(&peer);
        Rounds(2);
        EXPECT_EQ(Write(stream, before), 0);
        Future sending = Start(stream, MakeFile(data));
        Task writer = Create([&](hoya_task *) { return Write(stream, "tail"); });
        Task drainer = Create([&](hoya_task *) { return hoya_stream_drain(stream.get()); });
        Rounds(3);
        std::string got = Finish(sending, peer);
        EXPECT_EQ(Result(sending), 0);
        EXPECT_EQ(Join(writer), 0);
        EXPECT_EQ(Join(drainer), 0);
        EXPECT_TRUE(got + Receive(peer) == before + data + "tail") << got.size();
        return 0;
    });
}

// Holds: S108
TEST_P(StreamSendFile, ACloseLetsTheFileGoToItsEnd)
{
    InTask([&](hoya_task *) {
        int peer;
        const std::string data = Much();
        Stream stream = Open(&peer);
        Future sending = Start(stream, MakeFile(data));
        Task closer = Create([&](hoya_task *) { return hoya_stream_close(stream.get(), HOYA_SEC(60)); });
        Rounds(5);
        EXPECT_FALSE(Done(closer));
        std::string got = Finish(sending, peer);
        EXPECT_EQ(Join(closer), 0);
        EXPECT_EQ(Result(sending), 0);
        EXPECT_TRUE(got + Receive(peer) == data);
        EXPECT_TRUE(AtEnd(peer));
        return 0;
    });
}

// Holds: S108
TEST_P(StreamSendFile, AnAbortOrTooLittleTimeCutsTheFileOffAndIsToldSo)
{
    for (bool abort : {false, true})
        InTask([&](hoya_task *) {
            int peer;
            Stream stream = Open(&peer);
            Rounds(2);
            Future sending = Start(stream, MakeFile(Much()));
            Rounds(3);
            if (abort) EXPECT_EQ(hoya_stream_abort(stream.get()), 0);
            else EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_MSEC(1)), HOYA_ETIMEDOUT);
            EXPECT_EQ(Result(sending), HOYA_ECLOSED);
            EXPECT_EQ(hoya_stream_wait_closed(stream.get()), HOYA_ECLOSED) << "not all went out";
            EXPECT_LT(hoya_sendfile_sent(sending.get()), 4 << 20);
            return 0;
        });
}

} // namespace hoya_test
