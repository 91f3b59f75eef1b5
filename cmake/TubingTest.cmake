# tubing_test(NAME SOURCES file... LINK target... LABELS label...): one doctest binary, and one ctest
# test per doctest case. The binary writes the list of its cases after each link, and ctest reads
# that list when it starts: a new case needs no new configure.
find_package(doctest REQUIRED)

if(NOT TARGET tubing_test_main)
  add_library(tubing_test_main STATIC ${PROJECT_SOURCE_DIR}/tests/main.cpp)
  target_compile_features(tubing_test_main PUBLIC cxx_std_23)
  target_link_libraries(tubing_test_main PUBLIC doctest::doctest)
  target_include_directories(tubing_test_main PUBLIC ${PROJECT_SOURCE_DIR})
endif()

# Seconds that one case may take: sanitizers are slow.
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=")
  set(TUBING_TEST_SECONDS_MAX 240)
else()
  set(TUBING_TEST_SECONDS_MAX 60)
endif()

function(tubing_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} tubing_test_main)
  target_compile_definitions(${name} PRIVATE
    TUBING_SOURCE_DIR="${PROJECT_SOURCE_DIR}" TUBING_BINARY_DIR="${PROJECT_BINARY_DIR}"
    TUBING_CONFORMANCE_DIR="${TUBING_CONFORMANCE_DIR}")
  if(NOT ARG_LABELS)
    set(ARG_LABELS ${name})
  endif()

  # `./dev test PRESET LABEL` builds what has the label, and nothing else.
  foreach(label ${ARG_LABELS})
    if(NOT TARGET tests_${label})
      add_custom_target(tests_${label})
    endif()
    add_dependencies(tests_${label} ${name})
  endforeach()

  set(seconds_max ${TUBING_TEST_SECONDS_MAX})
  if("long" IN_LIST ARG_LABELS)
    set(seconds_max 3600)
  endif()

  set(cases ${PROJECT_BINARY_DIR}/cases/${name}.cmake)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/cases)
  add_custom_command(TARGET ${name} POST_BUILD
    COMMAND ${name} --write-cases=${cases} BYPRODUCTS ${cases} VERBATIM)
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}_tests.cmake CONTENT
"function(tubing_case case)
  add_test(\"\${case}\" \"$<TARGET_FILE:${name}>\" \"--case=\${case}\")
  set_tests_properties(\"\${case}\" PROPERTIES LABELS \"${ARG_LABELS}\"
    TIMEOUT ${seconds_max} SKIP_RETURN_CODE 77
    WORKING_DIRECTORY \"${PROJECT_BINARY_DIR}\")
endfunction()
if(EXISTS \"${cases}\" AND EXISTS \"$<TARGET_FILE:${name}>\")
  include(\"${cases}\")
else()
  add_test(\"${name} is built\" \"$<TARGET_FILE:${name}>\")
  set_tests_properties(\"${name} is built\" PROPERTIES LABELS \"${ARG_LABELS}\")
endif()
")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES
    ${CMAKE_CURRENT_BINARY_DIR}/${name}_tests.cmake)
endfunction()
