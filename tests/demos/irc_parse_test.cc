/* SPDX-License-Identifier: MIT
 *
 * demos/irc_parse_test.cc: the lines of IRC, well made and not.
 */
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "parse.h"

namespace
{

struct IrcParse : testing::Test {
    std::unique_ptr<irc_line> line = std::make_unique<irc_line>();

    bool Parse(const std::string &text) { return irc_parse(line.get(), text.data(), text.size()); }
    std::string Param(int index) { return irc_param(line.get(), index); }
};

TEST_F(IrcParse, ALineHasASenderAWordAndParameters)
{
    ASSERT_TRUE(Parse(":ann!a@b.c PRIVMSG #hoya :two words\r\n"));
    EXPECT_STREQ("ann", line->nick);
    EXPECT_TRUE(line->from_user);
    EXPECT_STREQ("PRIVMSG", line->command);
    EXPECT_EQ(0, line->number);
    EXPECT_EQ(2, line->count);
    EXPECT_EQ("#hoya", Param(0));
    EXPECT_EQ("two words", Param(1));
    EXPECT_EQ("", Param(2));
    EXPECT_EQ("", Param(-1));
}

TEST_F(IrcParse, ANumericReplyIsANumber)
{
    ASSERT_TRUE(Parse(":irc.example 353 ann = #hoya :ann @bob\n"));
    EXPECT_EQ(353, line->number);
    EXPECT_FALSE(line->from_user);
    EXPECT_EQ(4, line->count);
}

TEST_F(IrcParse, WithoutAPrefixNobodyHasSentIt)
{
    ASSERT_TRUE(Parse("ping :x"));
    EXPECT_STREQ("", line->nick);
    EXPECT_STREQ("PING", line->command);
}

TEST_F(IrcParse, TagsAreSkipped)
{
    ASSERT_TRUE(Parse("@time=12:00;a=b :ann!a@b JOIN #x"));
    EXPECT_STREQ("ann", line->nick);
    EXPECT_EQ("#x", Param(0));
}

TEST_F(IrcParse, NothingIsNoLine)
{
    for (std::string text : {"", "\r\n", "   ", ":", ":ann", ":ann!a@b   \r\n", "@tag", "@tag :x"})
        EXPECT_FALSE(Parse(text)) << text;
    EXPECT_FALSE(Parse(std::string(5, '\0')));
}

TEST_F(IrcParse, NulsAreLeftOut)
{
    ASSERT_TRUE(Parse(std::string("PI\0NG a\0b", 9)));
    EXPECT_STREQ("PING", line->command);
    EXPECT_EQ("ab", Param(0));
}

TEST_F(IrcParse, WhatIsNoUtf8IsTakenForLatin1)
{
    ASSERT_TRUE(Parse("X :na\xEFve \xFF"));
    EXPECT_EQ("na\xC3\xAFve \xC3\xBF", Param(0));
    ASSERT_TRUE(Parse("X :na\xC3\xAFve \xF0\x9F\x8C\xBB"));
    EXPECT_EQ("na\xC3\xAFve \xF0\x9F\x8C\xBB", Param(0));
}

TEST_F(IrcParse, OverlongFormsAndSurrogatesAreNoUtf8)
{
    ASSERT_TRUE(Parse("X :\xC0\xAF"));
    EXPECT_EQ("\xC3\x80\xC2\xAF", Param(0));
    ASSERT_TRUE(Parse("X :\xED\xA0\x80"));
    EXPECT_EQ("\xC3\xAD\xC2\xA0\xC2\x80", Param(0));
    ASSERT_TRUE(Parse("X :\xC3"));
    EXPECT_EQ("\xC3\x83", Param(0));
}

TEST_F(IrcParse, ParametersThatAreTooManyAreOne)
{
    std::string text = "X";
    for (int i = 0; i < 40; i++) text += " " + std::to_string(i);
    ASSERT_TRUE(Parse(text));
    EXPECT_EQ(IRC_PARAMS, line->count);
    EXPECT_EQ("13", Param(13));
    EXPECT_EQ(0u, Param(14).find("14 15 "));
}

TEST_F(IrcParse, AnyLengthIsCutToWhatThereIsRoomFor)
{
    ASSERT_TRUE(Parse("X :" + std::string(100000, '\xFF')));
    EXPECT_EQ(2u * (IRC_LONGEST - 3), Param(0).size());
}

std::string Stripped(std::string text)
{
    irc_strip(text.data());
    return text.c_str();
}

TEST(IrcText, ColoursAndControlCharactersGo)
{
    EXPECT_EQ("red and bold", Stripped("\003"
                                       "4,12red\003 and \002bold\017"));
    EXPECT_EQ("12", Stripped("\003"
                             "04"
                             "12"));
    EXPECT_EQ("a,b", Stripped("\003"
                              "4a,b"));
    EXPECT_EQ(",x", Stripped("\003,x"));
    EXPECT_EQ("[2Jclear", Stripped("\033[2Jclear"));
    EXPECT_EQ("a b", Stripped("a\tb"));
    EXPECT_EQ("31m", Stripped("\xC2\x9B"
                              "31m")); /* CSI in one character */
    EXPECT_EQ("\xC2\xA0", Stripped("\xC2\xA0"));
    EXPECT_EQ("", Stripped("\003"));
}

TEST(IrcText, AnActionIsToldFromOtherQuestionsToThePrograms)
{
    bool ctcp;
    char action[] = "\001ACTION waves\001", version[] = "\001VERSION\001", text[] = "ACTION",
         open[] = "\001ACTION x";
    EXPECT_STREQ("waves", irc_action(action, &ctcp));
    EXPECT_STREQ("x", irc_action(open, &ctcp));
    EXPECT_EQ(nullptr, irc_action(version, &ctcp));
    EXPECT_TRUE(ctcp);
    EXPECT_EQ(nullptr, irc_action(text, &ctcp));
    EXPECT_FALSE(ctcp);
}

TEST(IrcText, NoCharacterIsCut)
{
    EXPECT_EQ(3u, irc_fit("abc", 10));
    EXPECT_EQ(2u, irc_fit("abc", 2));
    EXPECT_EQ(1u, irc_fit("a\xC3\xA9", 2));
    EXPECT_EQ(3u, irc_fit("a\xC3\xA9", 3));
    EXPECT_EQ(4u, irc_fit("\xF0\x9F\x8C\xBB\xF0\x9F\x8C\xBB", 7));
    EXPECT_EQ(2u, irc_fit("\x80\x80\x80", 2)) << "what is no text at all still gets shorter";
}

TEST(IrcNames, CompareAsTheProtocolSays)
{
    EXPECT_EQ(0, irc_compare("Ann[1]", "aNN{1}"));
    EXPECT_EQ(0, irc_compare("\\~", "|^"));
    EXPECT_LT(irc_compare("ann", "bob"), 0);
    EXPECT_GT(irc_compare("anna", "ann"), 0);
    EXPECT_TRUE(irc_is_channel("#x"));
    EXPECT_FALSE(irc_is_channel("#"));
    EXPECT_FALSE(irc_is_channel("x"));
    EXPECT_FALSE(irc_is_channel("#a,#b"));
    EXPECT_FALSE(irc_is_channel(nullptr));
    EXPECT_TRUE(irc_is_nick("ann_|1"));
    EXPECT_FALSE(irc_is_nick("1ann"));
    EXPECT_FALSE(irc_is_nick("an n"));
    EXPECT_FALSE(irc_is_nick(""));
}

} // namespace
