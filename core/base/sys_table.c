/* SPDX-License-Identifier: MIT
 *
 * base/sys_table.c: the table of system calls of builds with HOYA_FAULTS.
 */
#include "base/sys.h"

#define ROW(result, name, parameters, arguments) .name = name,
const struct hoya_sys_table hoya_sys_real = {HOYA_SYSTEM_CALLS(ROW)};
struct hoya_sys_table hoya_sys = {HOYA_SYSTEM_CALLS(ROW)};
