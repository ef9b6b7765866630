/* SPDX-License-Identifier: MIT
 *
 * limit.h: how many files a process may open.
 */
#ifndef DEMO_FETCH_LIMIT_H
#define DEMO_FETCH_LIMIT_H

#include <hoya/base.h>

HOYA_BEGIN_DECLS

/* Sees to it that this process, and those that it starts, may have so many connections open, beside a hundred other
 * files. 0, or HOYA_EMFILE: the detail tells how many are allowed. */
int fetch_allow_files(int connections);

HOYA_END_DECLS

#endif
