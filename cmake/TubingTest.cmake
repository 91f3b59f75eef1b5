# tubing_test(NAME SOURCES file... LINK target... LABELS label...): one doctest binary per module,
# one ctest test per doctest case. The binary itself lists its cases after each build.
find_package(doctest REQUIRED)
include(CTest)

function(tubing_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${PROJECT_SOURCE_DIR}/tests/main.cpp ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} doctest::doctest)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${name} PRIVATE
    TUBING_SOURCE_DIR="${PROJECT_SOURCE_DIR}" TUBING_BINARY_DIR="${PROJECT_BINARY_DIR}"
    TUBING_CONFORMANCE_DIR="${TUBING_CONFORMANCE_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" SKIP_RETURN_CODE 77)
endfunction()
