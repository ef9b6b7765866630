/* SPDX-License-Identifier: MIT
 *
 * unit/io/address_test.cc: addresses from text and as text, and copies of lists of them.
 */
#include <arpa/inet.h>
#include <cstddef>
#include <cstring>
#include <string>

#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <gtest/gtest.h>
#include <hoya/hoya.h>

#include "unit/failing_allocator.h"

extern "C" {
#include "io/names.h"
}

namespace hoya_test
{
namespace
{

const sockaddr *Generic(const hoya_address &address)
{
    return reinterpret_cast<const sockaddr *>(&address.storage);
}

std::string Format(const hoya_address &address)
{
    char text[HOYA_ADDRESS_TEXT_SIZE] = "?";
    int rc = hoya_address_format(Generic(address), address.length, text, sizeof text);
    return rc < 0 ? hoya_error_detail() : text;
}

/* There and back. */
std::string Again(const char *host, const char *port)
{
    hoya_address address = {};
    return hoya_address_set(&address, host, port) < 0 ? hoya_error_detail() : Format(address);
}

std::string Unix(const std::string &path)
{
    hoya_address address = {};
    int rc = hoya_address_set_unix(&address, path.c_str());
    return rc < 0 ? std::string(hoya_error_name(rc)) + ": " + hoya_error_detail() : Format(address);
}

struct UnixName {
    hoya_address address = {};
    explicit UnixName(const std::string &name)
    {
        sockaddr_un of = {};
        of.sun_family = AF_UNIX;
        memcpy(of.sun_path, name.data(), name.size());
        memcpy(&address.storage, &of, sizeof of);
        address.length = socklen_t(offsetof(sockaddr_un, sun_path) + name.size());
    }
};

std::string Loopback()
{
    char name[IF_NAMESIZE] = "?";
    if_indextoname(1, name);
    return name;
}

} // namespace

TEST(Address, NumbersComeBackAsTheyWent)
{
    EXPECT_EQ(Again("127.0.0.1", "80"), "127.0.0.1:80");
    EXPECT_EQ(Again("127.0.0.1", nullptr), "127.0.0.1:0");
    EXPECT_EQ(Again("255.255.255.255", "65535"), "255.255.255.255:65535");
    EXPECT_EQ(Again("::", "0"), "[::]:0");
    EXPECT_EQ(Again("::1", "00080"), "[::1]:80");
    EXPECT_EQ(Again("2001:DB8::0:1", "443"), "[2001:db8::1]:443");
    EXPECT_EQ(Again("::ffff:10.0.0.1", "443"), "[::ffff:10.0.0.1]:443");
}

TEST(Address, AnAddressHasTheLengthOfItsFamilyAndZerosBehindIt)
{
    hoya_address address, other;
    memset(&address, 0xff, sizeof address);
    memset(&other, 0x55, sizeof other);
    ASSERT_EQ(hoya_address_set(&address, "10.1.2.3", "7"), 0);
    ASSERT_EQ(hoya_address_set(&other, "10.1.2.3", "7"), 0);
    EXPECT_EQ(address.length, sizeof(sockaddr_in));
    EXPECT_EQ(memcmp(&address.storage, &other.storage, sizeof other.storage), 0);
    ASSERT_EQ(hoya_address_set(&address, "::1", "7"), 0);
    EXPECT_EQ(address.length, sizeof(sockaddr_in6));
}

TEST(Address, AScopeGoesByNameAndByNumber)
{
    hoya_address address = {};
    ASSERT_EQ(hoya_address_set(&address, "fe80::1%1", "80"), 0) << hoya_error_detail();
    EXPECT_EQ(reinterpret_cast<sockaddr_in6 *>(&address.storage)->sin6_scope_id, 1u);
    EXPECT_EQ(Format(address), "[fe80::1%" + Loopback() + "]:80");
    EXPECT_EQ(Again(("fe80::1%" + Loopback()).c_str(), "80"), "[fe80::1%" + Loopback() + "]:80");
    EXPECT_EQ(Again("fe80::1%no-such", "80"),
              "host \"fe80::1%no-such\" is not a numeric address, or has no such interface");
}

TEST(Address, WhatIsNotANumberIsRefusedAndThePlaceStaysAsItWas)
{
    hoya_address address, before;
    memset(&address, 0x55, sizeof address);
    before = address;
    struct {
        const char *host, *port, *detail;
    } const rows[] = {
        {"localhost", "80", "host \"localhost\" is not a numeric address"},
        {"1.2.3.4.5", "80", "host \"1.2.3.4.5\" is not a numeric address"},
        {"1.2.3.256", "80", "host \"1.2.3.256\" is not a numeric address"},
        {"::1::", "80", "host \"::1::\" is not a numeric address"},
        {"[::1]", "80", "host \"[::1]\": an address has no brackets here"},
        {"", "80", "the host is empty"},
        {"127.0.0.1", "", "the service is empty"},
        {"127.0.0.1", "http", "port \"http\" is not a number"},
        {"127.0.0.1", "65536", "port \"65536\": 65535 is the last one"},
        {"127.0.0.1", "4294967376", "port \"4294967376\": 65535 is the last one"},
        {"127.0.0.1", "-1", "port \"-1\": it has no sign"},
        {"127.0.0.1", "+80", "port \"+80\": it has no sign"},
        {"127.0.0.1 ", "80", "the host has the character 0x20 at byte 9"},
        {"127.0.0.1", "8\n0", "the service has the character 0x0a at byte 1"},
        {nullptr, "80", "an address without a host"},
    };
    for (const auto &row : rows) {
        EXPECT_EQ(hoya_address_set(&address, row.host, row.port), HOYA_EINVAL) << row.detail;
        EXPECT_STREQ(hoya_error_detail(), row.detail);
    }
    EXPECT_EQ(hoya_address_set(nullptr, "127.0.0.1", "80"), HOYA_EINVAL);
    EXPECT_EQ(memcmp(&address, &before, sizeof before), 0);
}

TEST(Address, UnixSocketsHaveAPathOrAnAbstractName)
{
    EXPECT_EQ(Unix("/run/x.sock"), "unix:/run/x.sock");
    EXPECT_EQ(Unix("x"), "unix:x");
    EXPECT_EQ(Unix("./@x"), "unix:./@x");
    EXPECT_EQ(Unix("@name"), "unix:@name");
    EXPECT_EQ(Unix(""), "HOYA_EINVAL: the path of a Unix socket is empty");
    EXPECT_EQ(Unix("@"), "HOYA_EINVAL: the abstract name of a Unix socket is empty");
    EXPECT_EQ(hoya_address_set_unix(nullptr, "x"), HOYA_EINVAL);
}

TEST(Address, TheLengthOfAUnixSocketIsWhatTheKernelWants)
{
    hoya_address address;
    memset(&address, 0xff, sizeof address);
    ASSERT_EQ(hoya_address_set_unix(&address, "@ab"), 0);
    const auto *of = reinterpret_cast<const sockaddr_un *>(&address.storage);
    EXPECT_EQ(address.length, offsetof(sockaddr_un, sun_path) + 3);
    EXPECT_EQ(memcmp(of->sun_path, "\0ab\0", 4), 0);
    ASSERT_EQ(hoya_address_set_unix(&address, "/ab"), 0);
    EXPECT_EQ(address.length, offsetof(sockaddr_un, sun_path) + 4) << "with the NUL";
}

TEST(Address, ALongPathIsRefusedWithItsLengthAndTheLimit)
{
    std::string longest(107, 'x');
    EXPECT_EQ(Unix(longest), "unix:" + longest);
    EXPECT_EQ(Unix("@" + longest), "unix:@" + longest);
    std::string shown(HOYA_QUOTED_SIZE - 6, 'x');
    EXPECT_EQ(Unix(longest + "x"), "HOYA_ENAMETOOLONG: unix:\"" + shown + "...\": 108 bytes, 107 are the most");
    EXPECT_EQ(Unix("@" + longest + "x").substr(0, 17), "HOYA_ENAMETOOLONG");
}

TEST(Address, WhatTheKernelGivesForUnixSocketsIsShownInOneLine)
{
    EXPECT_EQ(Format(UnixName("").address), "unix:");
    EXPECT_EQ(Format(UnixName(std::string("\0a\0b", 4)).address), "unix:@a@b");
    EXPECT_EQ(Format(UnixName("a\nb\x7f").address), "unix:a?b?");
    EXPECT_EQ(Format(UnixName(std::string("/a\0rest", 7)).address), "unix:/a") << "a path ends at its NUL";
    EXPECT_EQ(Format(UnixName(std::string(108, 'x')).address), "unix:" + std::string(108, 'x')) << "without a NUL";
}

TEST(Address, TextIsCutAsSnprintfDoes)
{
    hoya_address address;
    ASSERT_EQ(hoya_address_set(&address, "127.0.0.1", "80"), 0);
    char text[6] = "?";
    EXPECT_EQ(hoya_address_format(Generic(address), address.length, text, sizeof text), 12);
    EXPECT_STREQ(text, "127.0");
    EXPECT_EQ(hoya_address_format(Generic(address), address.length, nullptr, 0), 12);
}

TEST(Address, WhatIsTooShortOrOfAnotherFamilyHasNoText)
{
    hoya_address address;
    char text[HOYA_ADDRESS_TEXT_SIZE] = "as it was";
    ASSERT_EQ(hoya_address_set(&address, "127.0.0.1", "80"), 0);
    for (socklen_t length : {0, 1, 2, 15}) {
        EXPECT_EQ(hoya_address_format(Generic(address), length, text, sizeof text), HOYA_EINVAL) << length;
    }
    EXPECT_EQ(hoya_address_format(Generic(address), sizeof address.storage + 1, text, sizeof text), HOYA_EINVAL);
    EXPECT_EQ(hoya_address_format(nullptr, 0, text, sizeof text), HOYA_EINVAL);
    address.storage.ss_family = AF_NETLINK;
    EXPECT_EQ(hoya_address_format(Generic(address), address.length, text, sizeof text), HOYA_EAFNOSUPPORT);
    EXPECT_STREQ(hoya_error_detail(), "an address of family 16 has no text");
    EXPECT_STREQ(text, "as it was");
}

/* ---- lists -------------------------------------------------------------------------------------------------- */

TEST(AddressList, ACopyIsOneBlockWithAddressesAndNames)
{
    addrinfo first = {}, second = {};
    sockaddr_in v4 = {};
    sockaddr_in6 v6 = {};
    char name[] = "host.example";
    v4.sin_family = AF_INET, v4.sin_port = htons(80), v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v6.sin6_family = AF_INET6, v6.sin6_port = htons(81), v6.sin6_addr = in6addr_loopback;
    first.ai_family = AF_INET, first.ai_socktype = SOCK_STREAM, first.ai_next = &second, first.ai_canonname = name;
    first.ai_addr = reinterpret_cast<sockaddr *>(&v4), first.ai_addrlen = sizeof v4;
    second.ai_family = AF_INET6, second.ai_protocol = IPPROTO_UDP, second.ai_flags = AI_PASSIVE;
    second.ai_addr = reinterpret_cast<sockaddr *>(&v6), second.ai_addrlen = sizeof v6;

    FailingAllocator memory;
    addrinfo *copy = nullptr;
    ASSERT_EQ(hoya_copy_addrinfo(&first, &copy), 0);
    EXPECT_EQ(memory.calls, 1);
    memset(&v4, 0, sizeof v4), memset(&v6, 0, sizeof v6), memset(name, 0, sizeof name);
    EXPECT_STREQ(copy->ai_canonname, "host.example");
    EXPECT_EQ(copy->ai_socktype, SOCK_STREAM);
    ASSERT_NE(copy->ai_next, nullptr);
    EXPECT_EQ(copy->ai_next->ai_canonname, nullptr);
    EXPECT_EQ(copy->ai_next->ai_next, nullptr);
    EXPECT_EQ(copy->ai_next->ai_protocol, IPPROTO_UDP);
    EXPECT_EQ(copy->ai_next->ai_flags, AI_PASSIVE);
    char text[HOYA_ADDRESS_TEXT_SIZE];
    EXPECT_GT(hoya_address_format(copy->ai_addr, copy->ai_addrlen, text, sizeof text), 0);
    EXPECT_STREQ(text, "127.0.0.1:80");
    EXPECT_GT(hoya_address_format(copy->ai_next->ai_addr, copy->ai_next->ai_addrlen, text, sizeof text), 0);
    EXPECT_STREQ(text, "[::1]:81");
    hoya_freeaddrinfo(copy);
    hoya_freeaddrinfo(nullptr);
}

TEST(AddressList, AnEmptyListAndWantOfMemoryAreRefused)
{
    addrinfo one = {}, *copy = &one;
    EXPECT_EQ(hoya_copy_addrinfo(nullptr, &copy), HOYA_EINVAL);
    FailingAllocator memory;
    memory.fail = true;
    EXPECT_EQ(hoya_copy_addrinfo(&one, &copy), HOYA_ENOMEM);
    EXPECT_EQ(copy, &one);
}

/* ---- names -------------------------------------------------------------------------------------------------- */

TEST(Names, ALongNameIsCutBetweenCharacters)
{
    char text[HOYA_QUOTED_SIZE];
    std::string most(HOYA_QUOTED_SIZE - 6, 'x');
    EXPECT_EQ(hoya_quoted(most.c_str(), text), "\"" + most + "\"");
    EXPECT_EQ(hoya_quoted((most + "y").c_str(), text), "\"" + most + "...\"");
    std::string umlauts = "x"; /* a character's second byte is where the text ends */
    while (umlauts.size() < 2 * most.size()) umlauts += "\xc3\xbc";
    EXPECT_EQ(hoya_quoted(umlauts.c_str(), text), "\"" + umlauts.substr(0, most.size() - 1) + "...\"");
    for (size_t size = 0; size < 2 * most.size(); size++)
        EXPECT_LT(strlen(hoya_quoted(std::string(size, 'x').c_str(), text)), sizeof text);
}

TEST(Names, EachCodeOfTheSystemHasOneOfOurs)
{
    struct {
        int eai, code;
    } const rows[] = {
        {0, 0},
        {EAI_AGAIN, HOYA_EAI_AGAIN},
        {EAI_BADFLAGS, HOYA_EAI_BADFLAGS},
        {EAI_FAIL, HOYA_EAI_FAIL},
        {EAI_FAMILY, HOYA_EAI_FAMILY},
        {EAI_ADDRFAMILY, HOYA_EAI_FAMILY},
        {EAI_IDN_ENCODE, HOYA_EAI_IDN},
        {EAI_MEMORY, HOYA_ENOMEM},
        {EAI_NONAME, HOYA_EAI_NONAME},
        {EAI_NODATA, HOYA_EAI_NONAME},
        {EAI_OVERFLOW, HOYA_EAI_OVERFLOW},
        {EAI_SERVICE, HOYA_EAI_SERVICE},
        {EAI_SOCKTYPE, HOYA_EAI_SOCKTYPE},
        {-4711, HOYA_EAI_FAIL},
    };
    for (const auto &row : rows) EXPECT_EQ(hoya_code_of_eai(row.eai), row.code) << row.eai;
    errno = EMFILE;
    EXPECT_EQ(hoya_code_of_eai(EAI_SYSTEM), HOYA_EMFILE);
    errno = 0;
    EXPECT_EQ(hoya_code_of_eai(EAI_SYSTEM), HOYA_EAI_FAIL) << "a failure stays one";
}

TEST(Names, AHostHasAtMost253CharactersInUtf8AndADot)
{
    std::string most(253, 'x'), umlauts;
    for (int i = 0; i < 253; i++) umlauts += "\xc3\xbc";
    EXPECT_EQ(hoya_check_host(most.c_str()), 0);
    EXPECT_EQ(hoya_check_host((most + ".").c_str()), 0);
    EXPECT_EQ(hoya_check_host((most + "x").c_str()), HOYA_ENAMETOOLONG);
    EXPECT_EQ(hoya_check_host((most + "x.").c_str()), HOYA_ENAMETOOLONG);
    EXPECT_EQ(hoya_check_host(umlauts.c_str()), 0);
    EXPECT_EQ(hoya_check_host((umlauts + "x").c_str()), HOYA_ENAMETOOLONG);
    EXPECT_EQ(hoya_check_service(std::string(255, 'x').c_str()), 0);
    EXPECT_EQ(hoya_check_service(std::string(256, 'x').c_str()), HOYA_ENAMETOOLONG);
}

} // namespace hoya_test
