/* SPDX-License-Identifier: MIT
 *
 * support/poll_host_loop.h: the main loop of docs/examples/poll_host.c, for the table of variants.
 */
#ifndef HOYA_TESTS_SUPPORT_POLL_HOST_LOOP_H
#define HOYA_TESTS_SUPPORT_POLL_HOST_LOOP_H

#include "support/hosts.h"

namespace hoya_test
{

std::unique_ptr<HostLoop> MakePoll();

} // namespace hoya_test

#endif
