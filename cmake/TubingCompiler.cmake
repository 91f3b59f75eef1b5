# Refuses a compiler that the project's CI does not build with. The installed package includes this
# file too: Tubing's headers hold coroutines.
if(NOT (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 19
        AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 20))
  message(FATAL_ERROR
    "Tubing builds with Clang 19; this is ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}.\n"
    "Reason: CI builds with Clang 19 alone, and GCC 12 destroys temporaries in co_await "
    "expressions twice (GCC PR100611).\n"
    "This works, in an empty build folder:\n"
    "  ./dev build                   (in Tubing's own folder; it installs what is missing)\n"
    "  cmake --preset release        (the same by hand)\n"
    "  cmake -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 ...   (elsewhere)")
endif()
