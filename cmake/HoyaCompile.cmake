# How the project's own code is compiled: C11 and C++17 by the letter, the warnings, nothing visible unless it says so.

set(hoya_warnings
    -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
    $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
    $<$<BOOL:${HOYA_WERROR}>:-Werror>)

function(hoya_compile target)
    set_target_properties(${target} PROPERTIES
        C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF C_VISIBILITY_PRESET hidden
        CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
        CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
    target_compile_options(${target} PRIVATE ${hoya_warnings})
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE=1) # accept4, epoll_pwait2
    target_compile_definitions(${target} PRIVATE _FILE_OFFSET_BITS=64) # large files, for 32 bits, too
endfunction()
