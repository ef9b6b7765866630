/* SPDX-License-Identifier: MIT
 *
 * limit.c: up to the hard limit anybody may go; beyond that root may.
 */
#include "limit.h"

#include <hoya/hoya.h>
#include <stdbool.h>
#include <sys/resource.h>

int fetch_allow_files(int connections)
{
    const rlim_t need = (rlim_t)connections + 100;
    struct rlimit limit = {0, 0};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= need) return 0;
        bool beyond = limit.rlim_max != RLIM_INFINITY && limit.rlim_max < need;
        struct rlimit wish = {need, beyond ? need : limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &wish) == 0) return 0;
    }
    return hoya_error_set(HOYA_EMFILE,
                          "%d connections need %llu open files, and the system allows %llu (ulimit -Hn)",
                          connections, (unsigned long long)need, (unsigned long long)limit.rlim_max);
}
