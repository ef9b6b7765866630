/* SPDX-License-Identifier: MIT
 *
 * demos/irc_test.cc: the client of demos/irc: what it says to a server, makes of what that says, and does when that
 * goes.
 */
#include "irc_client.h"

namespace
{

using hoya_test::IrcClient;

TEST_F(IrcClient, SaysWhoItIsAndJoinsItsChannels)
{
    Run([&] {
        Online("#a,#b");
        EXPECT_EQ("JOIN #a", server.Next());
        EXPECT_EQ("JOIN #b", server.Next());
        server.Send(":ann!u@h JOIN #a\r\n:fake 353 ann = #a :@zoe ann\r\n:fake 353 ann = #a :+Bob\r\n"
                    ":fake 366 ann #a :end\r\n");
        Heard("joined #a");
        Heard("names #a ann Bob zoe");
        EXPECT_EQ(IRC_ONLINE, irc_get_state(client));
        EXPECT_STREQ("ann", irc_get_nick(client));
        Close();
    });
}

TEST_F(IrcClient, TakesAnotherNickIfItsOwnIsInUse)
{
    Run([&] {
        ASSERT_EQ(0, Connect());
        server.Accept();
        EXPECT_EQ("NICK ann", server.Next());
        server.Next();
        server.Send(":fake 433 * ann :in use\r\n");
        EXPECT_EQ("NICK ann_", server.Next());
        server.Send(":fake 433 * ann_ :in use\r\n");
        EXPECT_EQ("NICK ann__", server.Next());
        server.Send(":fake 001 ann__ :welcome\r\n");
        Heard("online: ");
        EXPECT_STREQ("ann__", irc_get_nick(client));
        Close();
    });
}

TEST_F(IrcClient, ANickThatNoServerTakesEndsIt)
{
    Run([&] {
        ASSERT_EQ(0, Connect());
        server.Accept();
        server.Send(":fake 432 * ann :not here\r\n");
        Heard("not here");
        Heard("offline: ");
        Close();
    });
}

TEST_F(IrcClient, MessagesGoToTheirPages)
{
    Run([&] {
        Online("#a");
        server.Send(
            ":ann!u@h JOIN #a\r\n:bob!u@h PRIVMSG #A :to all\r\n:bob!u@h PRIVMSG ann :to me\r\n"
            ":bob!u@h PRIVMSG #a :\001ACTION waves\001\r\n:bob!u@h NOTICE #a :note\r\n:fake NOTICE ann :hm\r\n"
            ":fake 372 ann :- the day\r\n:fake 332 ann #a :the topic\r\n:bob!u@h TOPIC #a :new\r\n"
            ":fake 404 ann #a :cannot\r\n");
        Heard("message #a bob: to all");
        Heard("message bob bob: to me");
        Heard("action #a bob: waves");
        Heard("notice #a bob: note");
        Heard("notice - fake: hm");
        Heard("info - -: - the day");
        Heard("info #a -: topic: the topic");
        Heard("info #a -: bob sets the topic: new");
        Heard("trouble 404: #a cannot");
        Close();
    });
}

TEST_F(IrcClient, NamesFollowWhoComesAndGoes)
{
    Run([&] {
        Online("#a");
        server.Send(":ann!u@h JOIN #a\r\n:bob!u@h JOIN #a\r\n");
        Heard("names #a ann bob");
        server.Send(":bob!u@h NICK zoe\r\n");
        Heard("names #a ann zoe");
        server.Send(":cat!u@h JOIN :#a\r\n:zoe!u@h QUIT :gone\r\n");
        Heard("info #a -: zoe has quit (gone)");
        Heard("names #a ann cat");
        server.Send(":cat!u@h PART #a\r\n:ann!u@h NICK :eve\r\n");
        Heard("names #a eve");
        Heard("you are now eve");
        server.Send(":op!u@h KICK #a eve :out\r\n");
        Heard("op has kicked you from #a (out)");
        Heard("left #a");
        Close();
    });
}

TEST_F(IrcClient, WhatIsTypedIsSentAndToldBack)
{
    Run([&] {
        Online();
        Type("#a", "hello");
        Type("#a", "/me waves");
        Type(nullptr, "/msg bob psst \x03"
                      "4now");
        Type("#a", "//slash");
        Type("#a", "/topic new topic");
        Type("#a", "/part");
        Type("#a", "/raw MODE #a +t");
        for (std::string line : {"PRIVMSG #a :hello", "PRIVMSG #a :\001ACTION waves\001", "PRIVMSG bob :psst now",
                                 "PRIVMSG #a :/slash", "TOPIC #a :new topic", "PART #a :", "MODE #a +t"})
            EXPECT_EQ(line, server.Next());
        Heard("own #a ann: hello");
        Heard("action #a ann: waves");
        Heard("own bob ann: psst now");
        Close();
    });
}

TEST_F(IrcClient, WhatCannotBeDoneIsToldAsTrouble)
{
    Run([&] {
        Type("#a", "too early");
        Heard("trouble " + std::to_string(HOYA_ENOTCONN));
        Type("#a", "/join #b");
        Heard("Not connected: /join");
        Online();
        Type("#a", "/nonsense");
        Heard("There is no command /nonsense");
        Type(nullptr, "text");
        Heard("Nobody reads");
        Type(nullptr, "/join b");
        Heard("/join wants a channel");
        Type(nullptr, "/nick 1");
        Heard("/nick wants a nick");
        Close();
    });
}

TEST_F(IrcClient, ATypedLineIsNeverTwo)
{
    Run([&] {
        Online();
        Type("#a", "one\r\nQUIT");
        Type("#a", "two");
        EXPECT_EQ("PRIVMSG #a :oneQUIT", server.Next());
        EXPECT_EQ("PRIVMSG #a :two", server.Next());
        Close();
    });
}

TEST_F(IrcClient, ALongTextIsSentInPiecesThatAreWhole)
{
    Run([&] {
        Online();
        std::string text, back;
        for (int i = 0; i < 450; i++) text += "\xC3\xA9";
        Type("#a", text);
        while (back.size() < text.size()) {
            std::string line = server.Next();
            ASSERT_EQ(0u, line.find("PRIVMSG #a :")) << line;
            EXPECT_LE(line.size(), 512u - 2 - 100) << "others get it with a prefix";
            EXPECT_EQ(0u, (line.size() - 12) % 2) << "a character was cut";
            back += line.substr(12);
        }
        EXPECT_EQ(text, back);
        Close();
    });
}

TEST_F(IrcClient, AFloodIsSlowedDownAndKeepsItsOrder)
{
    Run([&] {
        Online();
        for (int i = 0; i < 20; i++) Type("#a", "line " + std::to_string(i));
        int64_t begin = hoya_loop_time(loop);
        for (int i = 0; i < 5; i++) EXPECT_EQ("PRIVMSG #a :line " + std::to_string(i), server.Next());
        for (int i = 5; i < 20; i++) EXPECT_EQ("PRIVMSG #a :line " + std::to_string(i), server.Next());
        EXPECT_GE(hoya_loop_time(loop) - begin, 14 * irc_patience_now.each);
        Close();
    });
}

TEST_F(IrcClient, AnswersPingAheadOfWhatIsQueued)
{
    irc_patience_now.each = HOYA_MSEC(200);
    Run([&] {
        Online();
        for (int i = 0; i < 8; i++) Type("#a", std::to_string(i));
        for (int i = 0; i < 5; i++) server.Next();
        server.Send("PING :now\r\n");
        std::string first = server.Next();
        if (first != "PONG :now") first = server.Next(); /* one may have been on its way */
        EXPECT_EQ("PONG :now", first);
        Close();
        EXPECT_FALSE(Told("were not sent")) << "nothing is told after the close";
    });
}

TEST_F(IrcClient, TellsWhatWasNotSent)
{
    irc_patience_now.each = HOYA_SEC(10);
    Run([&] {
        Online();
        for (int i = 0; i < 8; i++) Type("#a", std::to_string(i));
        for (int i = 0; i < 5; i++) server.Next();
        server.Drop();
        Heard("3 lines were not sent");
        Close();
    });
}

TEST_F(IrcClient, MoreThanTheQueueTakesIsToldNotKept)
{
    irc_patience_now.each = HOYA_SEC(10);
    Run([&] {
        Online();
        for (int i = 0; i < 600; i++) Type("#a", "x");
        Heard("Too much at once");
        Close();
    });
}

TEST_F(IrcClient, MeasuresTheLag)
{
    irc_patience_now.ping = HOYA_MSEC(20);
    Run([&] {
        Online();
        EXPECT_EQ("PING :hoya", server.Read());
        server.Send(":fake PONG fake :hoya\r\n");
        Heard("lag: a time");
        EXPECT_EQ("PING :hoya", server.Read());
        Heard("lag: never");
        server.Send(":fake PONG fake :hoya\r\n");
        Heard("lag: a time");
        Close();
    });
}

TEST_F(IrcClient, NoticesADeadConnectionAndJoinsAgain)
{
    irc_patience_now.ping = HOYA_MSEC(20);
    irc_patience_now.silence = HOYA_MSEC(100);
    Run([&] {
        Online("#a");
        server.Send(":ann!u@h JOIN #a\r\n");
        Heard("joined #a");
        Heard("trouble " + std::to_string(HOYA_ETIMEDOUT) +
              ": The connection is lost: the server has not answered");
        irc_patience_now.silence = HOYA_SEC(60);
        hoya_event_set(server.gone);
        Heard("waiting: trying again in 1 s");
        server.Welcome("ann");
        EXPECT_EQ("JOIN #a", server.Next());
        EXPECT_FALSE(Told("left #a"));
        Close();
    });
}

TEST_F(IrcClient, ConnectsAgainWhenTheServerGoes)
{
    Run([&] {
        Online("#a");
        for (int i = 0; i < 3; i++) {
            server.Drop();
            Heard("The connection is lost");
            Heard("waiting: ");
            server.Welcome("ann");
            EXPECT_EQ("JOIN #a", server.Next());
            Heard("online: ");
        }
        Close();
    });
}

TEST_F(IrcClient, WaitsLongerAfterEachFailure)
{
    irc_patience_now.first = HOYA_MSEC(10);
    irc_patience_now.most = HOYA_MSEC(80);
    Run([&] {
        hoya_server_close(server.server); /* refused from here on */
        int64_t begin = hoya_loop_time(loop);
        ASSERT_EQ(0, Connect());
        for (int i = 0; i < 5; i++)
            Heard("trouble " + std::to_string(HOYA_ECONNREFUSED) + ": No connection to 127.0.0.1");
        EXPECT_GE(hoya_loop_time(loop) - begin, HOYA_MSEC(10 + 20 + 40 + 80));
        Close();
    });
}

TEST_F(IrcClient, ADisconnectSaysGoodbyeAndStaysOffline)
{
    Run([&] {
        Online();
        EXPECT_EQ(0, irc_disconnect(client, "lunch"));
        EXPECT_EQ("QUIT :lunch", server.Next());
        server.Send("ERROR :bye\r\n");
        Heard("offline: ");
        EXPECT_FALSE(Told("trouble"));
        EXPECT_FALSE(Told("waiting"));
        server.Drop();
        Online(); /* and again */
        Close();
    });
}

TEST_F(IrcClient, AServerThatDoesNotAnswerAGoodbyeIsLeft)
{
    Run([&] {
        Online();
        int64_t begin = hoya_loop_time(loop);
        EXPECT_EQ(0, irc_disconnect(client, nullptr));
        Heard("offline: ");
        EXPECT_GE(hoya_loop_time(loop) - begin, irc_patience_now.quit);
        Close();
    });
}

TEST_F(IrcClient, ADisconnectEndsTheWaitingAtOnce)
{
    irc_patience_now.first = irc_patience_now.most = HOYA_SEC(100);
    Run([&] {
        hoya_server_close(server.server);
        ASSERT_EQ(0, Connect());
        Heard("waiting: trying again in 100 s");
        EXPECT_EQ(0, irc_disconnect(client, nullptr));
        Heard("offline: ");
        Close();
    });
}

TEST_F(IrcClient, AConnectEndsTheWaitingAtOnce)
{
    irc_patience_now.first = irc_patience_now.most = HOYA_SEC(100);
    Run([&] {
        Online();
        server.Drop();
        Heard("waiting: trying again in 100 s");
        EXPECT_EQ(0, Connect());
        server.Welcome("ann");
        Heard("online: ");
        Close();
    });
}

TEST_F(IrcClient, AConnectBehindADisconnectBeginsWhenTheGoodbyeIsSaid)
{
    Run([&] {
        Online("#a");
        EXPECT_EQ("JOIN #a", server.Next());
        EXPECT_EQ(0, irc_disconnect(client, nullptr));
        EXPECT_EQ(0, Connect("#b", "eve"));
        EXPECT_EQ("QUIT :bye", server.Next());
        server.Drop();
        server.Welcome("eve");
        EXPECT_EQ("JOIN #a", server.Next()) << "it is the same server";
        EXPECT_EQ("JOIN #b", server.Next());
        EXPECT_FALSE(Told("waiting"));
        EXPECT_FALSE(Told("offline"));
        Close();
    });
}

TEST_F(IrcClient, ACloseBehindBothEndsIt)
{
    Run([&] {
        Online();
        EXPECT_EQ(0, irc_disconnect(client, nullptr));
        EXPECT_EQ(0, Connect());
        Close();
    });
}

TEST_F(IrcClient, AnotherServerHasOtherChannels)
{
    Run([&] {
        Online("#a");
        EXPECT_EQ(0, irc_disconnect(client, nullptr));
        const irc_settings settings = {"localhost", server.port, "ann", "#b"};
        EXPECT_EQ(0, irc_connect(client, &settings));
        Heard("left #a");
        Close();
    });
}

TEST_F(IrcClient, AServerThatNeverAnswersIsGivenUpInTime)
{
    irc_patience_now.ping = HOYA_MSEC(20);
    irc_patience_now.silence = HOYA_MSEC(60);
    Run([&] {
        ASSERT_EQ(0, Connect());
        Heard("has not answered");
        hoya_event_set(server.gone);
        Close();
    });
}

TEST_F(IrcClient, BrokenLinesAreSurvived)
{
    Run([&] {
        Online();
        server.Send(std::string(
            "\r\n\r\n:\r\n   \r\n:x!y@z\r\nPRIVMSG\r\n:b PRIVMSG\r\nJOIN\r\nKICK #a\r\nNICK\r\nMODE\r\n"));
        server.Send(":fake 353\r\n:fake 366\r\n:fake 001\r\n:fake 432\r\n:fake 999\r\nPART\r\nTOPIC\r\n:ann!a@b "
                    "JOIN #\r\n");
        server.Send(std::string(20000, 'x') + "\r\n" + std::string(3, '\0') + "\r\n");
        server.Send(":bob!u@h PRIVMSG ann :" + std::string(2000, 'y') + "\n");
        server.Send(":bob!u@h PRIVMSG ann :caf\xE9\n");
        Heard("too long");
        Heard("message bob bob: yyyy");
        Heard("message bob bob: caf\xC3\xA9");
        EXPECT_EQ(IRC_ONLINE, irc_get_state(client));
        Close();
    });
}

TEST_F(IrcClient, TheLastLineNeedsNoEnd)
{
    irc_patience_now.first = HOYA_SEC(100);
    Run([&] {
        Online();
        server.Send("ERROR :the server goes down");
        hoya_event_set(server.gone);
        Heard("the server says: the server goes down");
        Close();
    });
}

TEST_F(IrcClient, SettingsThatCannotBeAreRefused)
{
    Run([&] {
        EXPECT_EQ(HOYA_EINVAL, Connect(nullptr, "1"));
        EXPECT_EQ(HOYA_EINVAL, Connect(nullptr, "two words"));
        EXPECT_EQ(HOYA_EINVAL, Connect(nullptr, nullptr));
        Online();
        EXPECT_EQ(HOYA_EBUSY, Connect());
        Close();
    });
}

TEST_F(IrcClient, CanBeClosedBeforeItWasEverConnected)
{
    Run([&] { Close(); });
}

TEST_F(IrcClient, CanBeClosedWhileItConnects)
{
    Run([&] {
        ASSERT_EQ(0, Connect());
        Heard("connecting");
        Close();
    });
}

TEST_F(IrcClient, CanBeClosedWhileItWaits)
{
    irc_patience_now.first = HOYA_SEC(100);
    Run([&] {
        hoya_server_close(server.server);
        ASSERT_EQ(0, Connect());
        Heard("waiting");
        Close();
    });
}

TEST_F(IrcClient, ALoopThatIsClosedUnderItTakesItAlong)
{
    Run([&] {
        Online("#a");
        irc_close(client, nullptr); /* and nobody waits */
    });
}

} // namespace
