#include <doctest/doctest.h>

#include "tests/tidy/snippet.h"

namespace tidy = tubing::tidy;

TEST_CASE("a file that does not belong at the top is found") {
  CHECK(tidy::count_found(tidy::check_top_level, "README.md", "") == 0);
  CHECK(tidy::count_found(tidy::check_top_level, "channel/a.h", "") == 0);
  CHECK(tidy::count_found(tidy::check_top_level, "notes.txt", "") == 1);
  CHECK(tidy::count_found(tidy::check_top_level, "lib/a.h", "") == 1);
}

TEST_CASE("a file name that tells nothing is found") {
  for (const std::string path :
       {"rpc/mux_impl.h", "rpc/mux_2.cpp", "rpc/mux_part.h", "rpc/mux_common.h", "rpc/util.h",
        "rpc/misc.cpp", "tests/rpc/helpers.h", "rpc/mux_part2.cpp", "rpc/detail/mux_impl.inl.h"}) {
    CAPTURE(path);
    CHECK(tidy::count_found(tidy::check_file_names, path, "") == 1);
  }
  for (const std::string path :
       {"rpc/mux.h", "crypto/x25519.h", "tube/partition.h", "crypto/sha256.cpp"}) {
    CAPTURE(path);
    CHECK(tidy::count_found(tidy::check_file_names, path, "") == 0);
  }
}

TEST_CASE("a manager among the types is found") {
  CHECK(tidy::lines_found(tidy::check_type_names, "a.h",
                          "class Nursery {};\nstruct StreamManager;\n// class HelperOne\n") ==
        tidy::Lines{2});
}
