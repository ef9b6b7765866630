/* SPDX-License-Identifier: MIT
 *
 * base/error.h: how the library fails: one line that sets the thread's detail and returns the code.
 *
 *     return hoya_error_set(HOYA_EBADF, "descriptor %d is closed", fd);
 *
 * Negative is forwarded unchanged: the layer that knows the number or the name has said it already.
 */
#ifndef HOYA_BASE_ERROR_H
#define HOYA_BASE_ERROR_H

#include <hoya/error.h>

/* -errno, after a failed system call, with `what` and the system's text as the detail. */
int hoya_error_errno(const char *what) HOYA_COLD;
/* The detail, if it is of a failure with this code: who was handed a code need not have been told why. "" otherwise. */
const char *hoya_error_detail_of(int code);
/* HOYA_ENOMEM, with a detail that needs no memory. */
int hoya_error_nomem(void) HOYA_COLD;

#endif
