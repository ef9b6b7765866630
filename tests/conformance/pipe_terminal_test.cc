/* SPDX-License-Identifier: MIT
 *
 * conformance/pipe_terminal_test.cc: terminals: both ends of a pseudo-terminal, in both directions, and what others see of the flags.
 */
#include "pipes.h"

#include <sys/wait.h>

namespace hoya_test
{
namespace
{

class TerminalConformance : public PipeConformance
{
};

INSTANTIATE_TEST_SUITE_P(Hosts, TerminalConformance, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

// Holds: S122
TEST_P(TerminalConformance, TheOtherSidesEndIsAnEndAndQuiet)
{
    Recorder recorder(&trace, "a");
    int master, slave;
    OpenTerminal(&master, &slave);
    Transport transport = Opened(Way::kRead, master, recorder);
    Put(slave, "shown");
    RunUntil([&] { return recorder.data == "shown"; });
    trace.clear();
    close(slave);
    RunUntilReleased(recorder);
    EXPECT_EQ(trace, (Trace{"a eof", "a lost", "a released"}));
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: S122
TEST_P(TerminalConformance, ATerminalThatIsHungUpIsAnEndToo)
{
    Recorder recorder(&trace, "a");
    int master, slave;
    OpenTerminal(&master, &slave);
    Transport transport = Opened(Way::kRead, slave, recorder);
    Put(master, "typed");
    RunUntil([&] { return recorder.data == "typed"; });
    trace.clear();
    close(master);
    RunUntilReleased(recorder);
    EXPECT_EQ(trace, (Trace{"a eof", "a lost", "a released"}));
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: S122
TEST_P(TerminalConformance, ATerminalCanBeReadAndWrittenByADup)
{
    for (bool of_master : {true, false}) {
        Recorder in(&trace, "in"), out(&trace, "out");
        int master, slave;
        OpenTerminal(&master, &slave);
        int ours = of_master ? master : slave, peer = Own(of_master ? slave : master);
        int second = fcntl(ours, F_DUPFD_CLOEXEC, 3);
        Transport reads = Opened(Way::kRead, ours, in), writes = Opened(Way::kWrite, second, out);
        Put(peer, "ping");
        RunUntil([&] { return in.data == "ping"; });
        EXPECT_EQ(Write(writes, "pong"), 0);
        EXPECT_EQ(fcntl(peer, F_SETFL, O_NONBLOCK), 0);
        std::string all;
        RunUntil([&] {
            all += Get(peer);
            return all == "pong";
        });
        RunRounds(3);
        EXPECT_EQ(in.lost + out.lost, 0);
        hoya_transport_close(reads.get());
        RunUntilReleased(in);
        const std::string data = Much(100000);
        EXPECT_EQ(Write(writes, data), 0) << "and it does not block";
        all.clear();
        RunUntil([&] {
            all += Get(peer);
            return all.size() == data.size();
        });
        EXPECT_TRUE(all == data);
        hoya_transport_close(writes.get());
        RunUntilReleased(out);
    }
}

TEST_P(TerminalConformance, WhoeverSharesATerminalSeesNothingOfItsFlags)
{
    Recorder recorder(&trace, "a");
    int master, slave;
    OpenTerminal(&master, &slave);
    Own(master);
    int shared = Own(dup(slave)), own = slave;
    Transport transport = Opened(Way::kRead, slave, recorder);
    EXPECT_EQ(hoya_transport_fileno(transport.get()), own) << "the number stays";
    EXPECT_TRUE(IsNonblocking(own));
    EXPECT_TRUE(IsCloexec(own));
    EXPECT_FALSE(IsNonblocking(shared));
    EXPECT_TRUE(isatty(own));
    hoya_transport_close(transport.get());
    RunUntilReleased(recorder);
    EXPECT_FALSE(IsNonblocking(shared));
    EXPECT_FALSE(IsOpen(own));
}

TEST_P(TerminalConformance, AStandardInputThatIsATerminalIsStillTheChildrens)
{
    int master, slave;
    OpenTerminal(&master, &slave);
    Own(master), Own(slave);
    for (bool cloexec : {false, true}) {
        EXPECT_EQ(InChild([&] {
                      Recorder recorder(&trace, "a");
                      hoya_loop *own;
                      ASSERT_EQ(hoya_loop_new(nullptr, &own), 0);
                      ASSERT_EQ(dup3(slave, 0, cloexec ? O_CLOEXEC : 0), 0);
                      ASSERT_EQ(TryOpen(own, Way::kRead, 0, recorder), 0);
                      EXPECT_EQ(IsCloexec(0), cloexec);
                      EXPECT_TRUE(IsNonblocking(0));
                      EXPECT_FALSE(IsNonblocking(slave));
                      hoya_loop_close(own);
                      hoya_loop_unref(own);
                  }),
                  0);
    }
}

TEST_P(TerminalConformance, AMasterGetsItsFlagBack)
{
    Recorder recorder(&trace, "a");
    int master, slave;
    OpenTerminal(&master, &slave);
    Own(slave);
    int shared = Own(dup(master));
    Transport transport = Opened(Way::kRead, master, recorder);
    EXPECT_TRUE(IsNonblocking(shared)) << "there is no second one";
    Put(slave, "it still is this one's master");
    RunUntil([&] { return recorder.data == "it still is this one's master"; });
    hoya_transport_close(transport.get());
    RunUntilReleased(recorder);
    EXPECT_FALSE(IsNonblocking(shared));
}

TEST_P(TerminalConformance, AProgramOnATerminalIsTalkedTo)
{
    Recorder in(&trace, "in"), out(&trace, "out");
    int master;
    pid_t child = forkpty(&master, nullptr, nullptr, nullptr);
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", "stty -echo; echo ready; read line; echo \"<$line>\"", nullptr);
        _exit(1);
    }
    ASSERT_GT(child, 0);
    fcntl(master, F_SETFD, FD_CLOEXEC);
    int second = fcntl(master, F_DUPFD_CLOEXEC, 3);
    Transport reads = Open(Way::kRead, master, in), writes = Open(Way::kWrite, second, out);
    RunUntil([&] { return in.data == "ready\r\n"; });
    EXPECT_EQ(Write(writes, "a line\n"), 0);
    RunUntilReleased(in);
    EXPECT_EQ(in.data, "ready\r\n<a line>\r\n");
    EXPECT_EQ(in.code, 0);
    EXPECT_EQ(hoya_transport_abort(writes.get()), 0);
    RunUntilReleased(out);
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

} // namespace hoya_test
