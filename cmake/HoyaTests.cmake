# googletest from its sources, so that it is built with the same compiler and sanitizers as what it tests, and the two
# ways to register a test.
set(HOYA_GOOGLETEST_DIR /usr/src/googletest CACHE PATH "The sources of googletest")

function(hoya_add_googletest)
    if(NOT EXISTS "${HOYA_GOOGLETEST_DIR}/CMakeLists.txt")
        message(FATAL_ERROR "no googletest in ${HOYA_GOOGLETEST_DIR}: install it (Debian: googletest), name its folder "
            "with -DHOYA_GOOGLETEST_DIR=, or leave the tests out with -DHOYA_BUILD_TESTS=OFF")
    endif()
    set(BUILD_SHARED_LIBS OFF)
    set(BUILD_GMOCK OFF)
    set(INSTALL_GTEST OFF)
    add_subdirectory("${HOYA_GOOGLETEST_DIR}" googletest EXCLUDE_FROM_ALL SYSTEM)
    target_compile_options(gtest PRIVATE -O0) # as hoya_test_code
endfunction()

# hoya_test_code(TARGET): how tests are compiled. They are not what is tested, and googletest's templates take a compiler
# that optimises them three times as long, and one that looks for undefined behaviour in them half as long again; the library
# keeps the preset's own flags, and so do the programs in C, and a test of templates that are the library's
# (hoya_test_of_templates).
function(hoya_test_code target)
    hoya_compile(${target})
    target_compile_options(${target} PRIVATE -O0 -Wno-dangling-else) # gcc takes an EXPECT_EQ after an `if` for one
    if(HOYA_SANITIZER STREQUAL asan)
        target_compile_options(${target} PRIVATE -fno-sanitize=undefined)
    endif()
endfunction()

# hoya_test_of_templates(SOURCE...): what they instantiate is the library's.
function(hoya_test_of_templates)
    if(HOYA_SANITIZER STREQUAL asan)
        set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "-fsanitize=undefined;-fno-sanitize-recover=all")
    endif()
endfunction()

# hoya_test_objects(TARGET BASE SOURCE...): what several programs have in common, compiled once. BASE is
# hoya_test_support, or hoya_test_hosts with all toolkits: their flags differ, and each has googletest's header for its own.
function(hoya_test_objects target base)
    add_library(${target} OBJECT ${ARGN})
    hoya_test_code(${target})
    target_link_libraries(${target} PRIVATE ${base})
    target_precompile_headers(${target} REUSE_FROM ${base})
endfunction()

# hoya_test_program(TARGET BASE SOURCE...): an executable with our main and leak checks.
function(hoya_test_program target base)
    add_executable(${target} ${ARGN})
    hoya_test_code(${target})
    target_link_libraries(${target} PRIVATE ${base} hoya_test_support)
    target_precompile_headers(${target} REUSE_FROM ${base})
endfunction()

# hoya_gtest(NAME TARGET FILTER): one process that runs the tests of TARGET which FILTER names. No test is a failure.
function(hoya_gtest name target filter)
    add_test(NAME ${name} COMMAND ${target} --gtest_filter=${filter})
    set_tests_properties(${name} PROPERTIES LABELS gtest TIMEOUT 300)
endfunction()

# hoya_build_test(NAME COMMAND...): a script about the build. Its first word "skipped" means what it says.
function(hoya_build_test name)
    add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(${name} PROPERTIES LABELS build TIMEOUT 300 SKIP_REGULAR_EXPRESSION "^skipped: ")
endfunction()
