/* SPDX-License-Identifier: MIT
 *
 * io/packed_address.h: addresses in as few bytes as can be: each idle connection keeps two. A sockaddr of IPv6 has 28 bytes, of
 * which 18 say something as a rule.
 */
#ifndef HOYA_IO_PACKED_ADDRESS_H
#define HOYA_IO_PACKED_ADDRESS_H

#include <hoya/resolver.h>

#define HOYA_PACKED_MOST 127 /* bytes; those of one of IPv4 are 6, of IPv6 without a scope 18 */

/* Into at most HOYA_PACKED_MOST bytes. Returns its form, by which the others find them again; 0 for no address, and for one
 * that no connection has. */
uint8_t hoya_address_pack(const struct sockaddr *address, socklen_t length, char *to);
size_t hoya_packed_size(uint8_t form);
/* AF_UNIX, ...; 0 for none. */
int hoya_packed_family(uint8_t form, const char *from);
/* As it was; not of form 0. */
void hoya_address_unpack(uint8_t form, const char *from, hoya_address *address);

#endif
