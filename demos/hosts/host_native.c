/* SPDX-License-Identifier: MIT
 *
 * host_native.c: no host: hoya's loop runs itself.
 */
#include "hosts.h"

const demo_host demo_host_native = {"native", hoya_default_policy, NULL, NULL};
