# The target tubing::tubing, which is all modules, and the rules of `cmake --install`.
get_property(modules GLOBAL PROPERTY TUBING_MODULES)
add_library(tubing_tubing INTERFACE)
add_library(tubing::tubing ALIAS tubing_tubing)
set_target_properties(tubing_tubing PROPERTIES EXPORT_NAME tubing)
foreach(module ${modules})
  target_link_libraries(tubing_tubing INTERFACE tubing::${module})
endforeach()

if(NOT TUBING_INSTALL)
  return()
endif()

include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tubing)
list(TRANSFORM modules PREPEND tubing_ OUTPUT_VARIABLE targets)
install(TARGETS ${targets} tubing_tubing EXPORT tubing ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT tubing NAMESPACE tubing:: FILE tubingTargets.cmake DESTINATION ${package_dir})
foreach(folder channel crypto rpc sim tube)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tubing
    FILES_MATCHING PATTERN "*.h" PATTERN cli EXCLUDE PATTERN examples EXCLUDE)
endforeach()

configure_file(cmake/tubingConfig.cmake.in ${PROJECT_BINARY_DIR}/tubingConfig.cmake @ONLY)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tubingConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/tubingConfig.cmake
  ${PROJECT_BINARY_DIR}/tubingConfigVersion.cmake
  cmake/TubingCompiler.cmake
  DESTINATION ${package_dir})
