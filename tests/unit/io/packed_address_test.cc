/* SPDX-License-Identifier: MIT
 *
 * unit/io/packed_address_test.cc: addresses in few bytes.
 */
#include <cstring>
#include <string>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

extern "C" {
#include "io/packed_address.h"
}

namespace hoya_test
{
namespace
{

/* How many bytes it takes; they are the same again. */
size_t Pack(const void *address, size_t length, int family)
{
    char bytes[HOYA_PACKED_MOST + 1];
    memset(bytes, '#', sizeof bytes);
    uint8_t form = hoya_address_pack(static_cast<const sockaddr *>(address), static_cast<socklen_t>(length), bytes);
    size_t size = hoya_packed_size(form);
    EXPECT_EQ(bytes[size], '#') << "nothing is written behind it";
    EXPECT_EQ(hoya_packed_family(form, bytes), family);
    hoya_address again;
    memset(&again, '#', sizeof again);
    hoya_address_unpack(form, bytes, &again);
    EXPECT_EQ(again.length, length);
    EXPECT_EQ(memcmp(&again.storage, address, length), 0);
    for (size_t i = length; i < sizeof again.storage; i++)
        EXPECT_EQ(reinterpret_cast<char *>(&again.storage)[i], 0);
    return size;
}

} // namespace

TEST(PackedAddress, ThoseOfIpComeBackAsTheyWere)
{
    hoya_address ipv4, ipv6, scoped;
    ASSERT_EQ(hoya_address_set(&ipv4, "192.0.2.200", "65535"), 0);
    ASSERT_EQ(hoya_address_set(&ipv6, "2001:db8:ffff::fedc:1", "80"), 0);
    ASSERT_EQ(hoya_address_set(&scoped, "fe80::1%1", "80"), 0);
    EXPECT_EQ(Pack(&ipv4.storage, ipv4.length, AF_INET), 6u);
    EXPECT_EQ(Pack(&ipv6.storage, ipv6.length, AF_INET6), 18u);
    EXPECT_EQ(Pack(&scoped.storage, scoped.length, AF_INET6), 26u);
    reinterpret_cast<sockaddr_in6 *>(&ipv6.storage)->sin6_flowinfo = htonl(0x12345);
    EXPECT_EQ(Pack(&ipv6.storage, ipv6.length, AF_INET6), 26u);
}

TEST(PackedAddress, AllOthersAreKeptAsTheyAre)
{
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    memset(address.sun_path, 'p', sizeof address.sun_path);
    /* None, and of each length: also of those that others have when they are packed. */
    for (size_t length = sizeof(sa_family_t); length <= sizeof address; length++)
        EXPECT_EQ(Pack(&address, length, AF_UNIX), length);
    const sockaddr_in cut = {AF_INET, 1, {2}, {}};
    EXPECT_EQ(Pack(&cut, 8, AF_INET), 8u);
}

TEST(PackedAddress, WhatIsNoneIsNone)
{
    char bytes[HOYA_PACKED_MOST];
    sockaddr_storage storage = {};
    auto address = reinterpret_cast<const sockaddr *>(&storage);
    EXPECT_EQ(hoya_address_pack(address, 0, bytes), 0);
    EXPECT_EQ(hoya_address_pack(address, 1, bytes), 0);
    EXPECT_EQ(hoya_address_pack(address, sizeof storage, bytes), 0);
    EXPECT_EQ(hoya_packed_size(0), 0u);
    EXPECT_EQ(hoya_packed_family(0, bytes), 0);
}

} // namespace hoya_test
