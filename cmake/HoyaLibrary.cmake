# What libhoya and the adapters' libraries have in common: the alias hoya::NAME (which is the installed name, too), the
# version of the soname, the public headers, and the installation with its CMake and pkg-config files.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(hoya_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/hoya")

# hoya_library(TARGET NAME): TARGET exists and has its sources. Its headers are in include/ beside the caller, its
# pkg-config file is cmake/lib*.pc.in under the library's own name (hoya, hoya-glib).
function(hoya_library target name)
    if(name STREQUAL target)
        set(file ${target})
    else()
        set(file hoya-${name})
    endif()

    add_library(hoya::${name} ALIAS ${target})
    hoya_compile(${target})
    set_target_properties(${target} PROPERTIES
        OUTPUT_NAME ${file} EXPORT_NAME ${name}
        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
    target_include_directories(${target} PUBLIC
        $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

    # A .pc file finds its prefix from where it lies, so that an installation can be moved.
    file(RELATIVE_PATH pc_to_prefix "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
    configure_file("${PROJECT_SOURCE_DIR}/cmake/${file}.pc.in" ${file}.pc @ONLY)

    install(TARGETS ${target} EXPORT ${file})
    install(EXPORT ${file} NAMESPACE hoya:: FILE ${file}-targets.cmake DESTINATION "${hoya_package_dir}")
    install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
    install(FILES "${CMAKE_CURRENT_BINARY_DIR}/${file}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endfunction()

configure_package_config_file(cmake/hoyaConfig.cmake.in "${PROJECT_BINARY_DIR}/hoyaConfig.cmake"
    INSTALL_DESTINATION "${hoya_package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/hoyaConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/hoyaConfig.cmake" "${PROJECT_BINARY_DIR}/hoyaConfigVersion.cmake"
    DESTINATION "${hoya_package_dir}")
