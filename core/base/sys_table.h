/* SPDX-License-Identifier: MIT
 *
 * base/sys_table.h: hoya_sys_NAME goes through hoya_sys.NAME, which tests replace and then put back with
 * hoya_sys = hoya_sys_real. Change it only while no other thread is in the library.
 */
struct hoya_sys_table {
#define HOYA_SYS_MEMBER(result, name, parameters, arguments) result(*name) parameters;
    HOYA_SYSTEM_CALLS(HOYA_SYS_MEMBER)
#undef HOYA_SYS_MEMBER
};

/* Exported, so that tests of the shared library reach it; builds with HOYA_FAULTS are not for release. */
__attribute__((visibility("default"))) extern struct hoya_sys_table hoya_sys;
__attribute__((visibility("default"))) extern const struct hoya_sys_table hoya_sys_real;

#define HOYA_SYS_CALL(result, name, parameters, arguments)                                                         \
    static inline result hoya_sys_##name parameters                                                                \
    {                                                                                                              \
        return hoya_sys.name arguments;                                                                            \
    }
HOYA_SYSTEM_CALLS(HOYA_SYS_CALL)
#undef HOYA_SYS_CALL
