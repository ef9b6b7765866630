/* SPDX-License-Identifier: MIT
 *
 * base/sys_direct.h: hoya_sys_NAME is the system call.
 */
#define HOYA_SYS_DIRECT(result, name, parameters, arguments)                                                       \
    static inline result hoya_sys_##name parameters                                                                \
    {                                                                                                              \
        return name arguments;                                                                                     \
    }
HOYA_SYSTEM_CALLS(HOYA_SYS_DIRECT)
#undef HOYA_SYS_DIRECT
