# Which switch between stacks this build uses, which sanitizer has to be told of it, and whether valgrind's header is there:
#     HOYA_SWITCH_USED      x86_64, aarch64 or ucontext;  HOYA_SWITCH_KIND  asm or ucontext;  HOYA_SWITCH_LANGUAGE  S or c
#     HOYA_SANITIZER        none, asan or tsan
#     HOYA_HAVE_VALGRIND_H
# The compiler is asked, with its flags, and not the machine: -m32 makes another one of it.
include(CheckCSourceCompiles)
include(CheckIncludeFile)

function(hoya_check_macro condition result)
    check_c_source_compiles("
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if !(${condition})
#error no
#endif
int main(void) { return 0; }" ${result})
endfunction()

hoya_check_macro("defined __x86_64__ && defined __LP64__ && defined __ELF__" HOYA_IS_X86_64)
hoya_check_macro("defined __aarch64__ && defined __LP64__ && defined __ELF__" HOYA_IS_AARCH64)
if(NOT HOYA_COROUTINE_SWITCH STREQUAL auto)
    set(HOYA_SWITCH_USED ${HOYA_COROUTINE_SWITCH})
elseif(HOYA_IS_X86_64)
    set(HOYA_SWITCH_USED x86_64)
elseif(HOYA_IS_AARCH64)
    set(HOYA_SWITCH_USED aarch64)
else()
    set(HOYA_SWITCH_USED ucontext)
endif()
if(HOYA_SWITCH_USED STREQUAL ucontext)
    set(HOYA_SWITCH_KIND ucontext)
    set(HOYA_SWITCH_LANGUAGE c)
elseif(HOYA_SWITCH_USED MATCHES "^(x86_64|aarch64)$")
    set(HOYA_SWITCH_KIND asm)
    set(HOYA_SWITCH_LANGUAGE S)
    enable_language(ASM)
else()
    message(FATAL_ERROR "HOYA_COROUTINE_SWITCH=${HOYA_COROUTINE_SWITCH}: there are auto, x86_64, aarch64 and ucontext")
endif()

hoya_check_macro("defined __SANITIZE_ADDRESS__ || __has_feature(address_sanitizer)" HOYA_IS_ASAN)
hoya_check_macro("defined __SANITIZE_THREAD__ || __has_feature(thread_sanitizer)" HOYA_IS_TSAN)
if(HOYA_IS_ASAN)
    set(HOYA_SANITIZER asan)
elseif(HOYA_IS_TSAN)
    set(HOYA_SANITIZER tsan)
else()
    set(HOYA_SANITIZER none)
endif()

check_include_file(valgrind/valgrind.h HOYA_HAVE_VALGRIND_H)
