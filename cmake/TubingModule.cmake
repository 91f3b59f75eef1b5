# tubing_module(NAME SOURCES file... LINK target... PRIVATE target...): one folder, one library
# tubing::NAME. Every include reads "tubing/<module>/x.h": the build links the folders under
# <build>/include, and the installed tree has the same shape.
set(TUBING_INCLUDE_DIR ${PROJECT_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${TUBING_INCLUDE_DIR}/tubing)
foreach(module channel crypto rpc sim tube)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${module} ${TUBING_INCLUDE_DIR}/tubing/${module} SYMBOLIC)
endforeach()
set_property(GLOBAL PROPERTY TUBING_MODULES "")

function(tubing_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE" ${ARGN})
  add_library(tubing_${name} STATIC ${ARG_SOURCES})
  add_library(tubing::${name} ALIAS tubing_${name})
  target_compile_features(tubing_${name} PUBLIC cxx_std_23)
  target_include_directories(tubing_${name} PUBLIC
    $<BUILD_INTERFACE:${TUBING_INCLUDE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(tubing_${name} PUBLIC ${ARG_LINK} PRIVATE ${ARG_PRIVATE})
  set_target_properties(tubing_${name} PROPERTIES EXPORT_NAME ${name})
  set_property(GLOBAL APPEND PROPERTY TUBING_MODULES ${name})
endfunction()
