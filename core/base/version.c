/* SPDX-License-Identifier: MIT
 *
 * base/version.c: which library is this?
 */
#include <hoya/base.h>

#define STRING_(x) #x
#define STRING(x) STRING_(x)

const char *hoya_version(void)
{
    return STRING(HOYA_VERSION_MAJOR) "." STRING(HOYA_VERSION_MINOR) "." STRING(HOYA_VERSION_PATCH);
}
