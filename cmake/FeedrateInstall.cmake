# bin/feedrate, the libraries with headers and a CMake package, the man page, the completions.
include(CMakePackageConfigHelpers)
get_property(libraries GLOBAL PROPERTY FEEDRATE_LIBRARIES)
add_library(feedrate_all INTERFACE)
set_target_properties(feedrate_all PROPERTIES EXPORT_NAME feedrate)
target_link_libraries(feedrate_all INTERFACE ${libraries})
install(TARGETS feedrate_program RUNTIME)
install(TARGETS ${libraries} feedrate_all feedrate_language EXPORT feedrateTargets ARCHIVE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/feedrate DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "testdata" EXCLUDE PATTERN "*_testing.h" EXCLUDE)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/feedrate)
install(EXPORT feedrateTargets NAMESPACE feedrate:: DESTINATION ${package})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/feedrateConfig.cmake.in feedrateConfig.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(feedrateConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/feedrateConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/feedrateConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/LinkHdf5.cmake DESTINATION ${package})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/lib/feedrate.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/lib/feedrate.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME feedrate)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/lib/feedrate.zsh
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _feedrate)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/lib/feedrate.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
