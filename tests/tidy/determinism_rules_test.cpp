#include <doctest/doctest.h>

#include "tests/tidy/snippet.h"

namespace tidy = tubing::tidy;

TEST_CASE("a sleep is found everywhere") {
  CHECK(tidy::count_found(tidy::check_sleeps, "tests/rpc/a.cpp",
                          "std::this_thread::sleep_for(1s);") == 1);
  CHECK(tidy::count_found(tidy::check_sleeps, "rpc/a.cpp", "usleep(1);  // no sleep_for here\n") ==
        1);
}

TEST_CASE("the machine's clocks and generators are found in tube and sim") {
  const char* clock = "auto t = std::chrono::system_clock::now();";
  CHECK(tidy::count_found(tidy::check_clocks_and_generators, "tube/core/a.cpp", clock) == 1);
  CHECK(tidy::count_found(tidy::check_clocks_and_generators, "sim/a.cpp", clock) == 1);
  CHECK(tidy::count_found(tidy::check_clocks_and_generators, "sim/cli/a.cpp", clock) == 0);
  CHECK(tidy::count_found(tidy::check_clocks_and_generators, "channel/uv_reactor.cpp", clock) == 0);
  CHECK(tidy::count_found(tidy::check_clocks_and_generators, "rpc/a.cpp",
                          "std::random_device r;") == 1);
}

TEST_CASE("iterating in hash order is found in tube and sim") {
  const char* text =
      "std::unordered_map<int, std::vector<int>> peers_;\nstd::map<int, int> sorted_;\n"
      "for (auto& p : peers_) f(p);\nfor (auto& p : sorted_) f(p);\nauto i = peers_.begin();\n"
      "auto j = peers_.find(1);\nf(a::peers_);\n";
  CHECK(tidy::lines_found(tidy::check_hash_order, "tube/a.h", text) == tidy::Lines{3, 5});
  CHECK(tidy::count_found(tidy::check_hash_order, "rpc/a.h", text) == 0);
}

TEST_CASE("a hashed member is known in the source beside its header") {
  tidy::Tree tree;
  tree.sources.push_back(tidy::parse_source("sim/a.h", "std::unordered_set<int> hosts_;"));
  tree.sources.push_back(tidy::parse_source("sim/a.cpp", "for (int host : world.hosts_) f(host);"));
  CHECK(tidy::check_hash_order(tree).size() == 1);
}
