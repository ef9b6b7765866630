/* SPDX-License-Identifier: MIT
 *
 * base/check.h: for what cannot be answered with an error code (an object used after it was freed, an unref
 * too many, a broken invariant of ours): builds with HOYA_CHECKS end with a sentence, others do not look.
 */
#ifndef HOYA_BASE_CHECK_H
#define HOYA_BASE_CHECK_H

#ifdef HOYA_CHECKS
__attribute__((noreturn)) void hoya_check_failed(const char *sentence, const char *file, int line);
#define hoya_check(condition, sentence) ((condition) ? (void)0 : hoya_check_failed(sentence, __FILE__, __LINE__))
#else
#define hoya_check(condition, sentence) ((void)sizeof((condition) ? 1 : 0))
#endif

#define hoya_likely(x) __builtin_expect(!!(x), 1)
#define hoya_unlikely(x) __builtin_expect(!!(x), 0)

#endif
