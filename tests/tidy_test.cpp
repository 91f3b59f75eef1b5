// The house style, held by a test: one case per rule, over every source of the project.
#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>
#include <string_view>

#include "tests/tidy/rules.h"

namespace {

using tubing::tidy::Finding;
using tubing::tidy::Findings;
using tubing::tidy::Tree;

// What one rule allows in one file.
struct Exception {
  std::string_view rule;    ///< The name of the rule's test case.
  std::string_view path;    ///< Relative to the root.
  std::string_view reason;  ///< Why the rule's purpose holds all the same.
};

// The one list of exceptions. It starts empty, and a row that nothing needs any more is refused.
constexpr std::array kExceptions{
    Exception{"there are no mutable globals", "tests/allocation_count.cpp",
              "operator new belongs to the process: no constructor can hand its counter in"},
    Exception{"functions take at most 5 parameters", "tests/fuzz/key_file_target.cpp",
              "it stands in for a function of libsodium and must have its parameters"},
};

const Tree& the_tree() {
  static const Tree kTree = tubing::tidy::read_tree(TUBING_SOURCE_DIR);
  return kTree;
}

// Fails once per finding that no exception covers, and once per exception that covers none.
void hold(std::string_view rule, Findings (*check)(const Tree&)) {
  CHECK(!the_tree().sources.empty());
  std::set<std::string_view> used;
  for (const Finding& finding : check(the_tree())) {
    bool is_excepted = false;
    for (const Exception& exception : kExceptions) {
      if (exception.rule != rule || exception.path != finding.path) continue;
      is_excepted = true;
      used.insert(exception.path);
    }
    if (is_excepted) continue;
    const std::string place = finding.path + ":" + std::to_string(finding.line);
    FAIL_CHECK(place << ": " << finding.text);
  }
  for (const Exception& exception : kExceptions) {
    if (exception.rule != rule) continue;
    CHECK_MESSAGE(!exception.reason.empty(), "the exception for ", exception.path,
                  " has no reason");
    CHECK_MESSAGE(used.contains(exception.path), "nothing in ", exception.path,
                  " needs its exception any more: delete the row");
  }
}

}  // namespace

TEST_CASE("headers have at most 300 lines and sources at most 600") {
  hold("headers have at most 300 lines and sources at most 600", tubing::tidy::check_file_lengths);
}

TEST_CASE("lines have at most 100 columns") {
  hold("lines have at most 100 columns", tubing::tidy::check_line_lengths);
}

TEST_CASE("functions have at most 70 lines") {
  hold("functions have at most 70 lines", tubing::tidy::check_function_lengths);
}

TEST_CASE("functions take at most 5 parameters") {
  hold("functions take at most 5 parameters", tubing::tidy::check_parameter_counts);
}

TEST_CASE("the top level holds only what belongs there") {
  hold("the top level holds only what belongs there", tubing::tidy::check_top_level);
}

TEST_CASE("the name of a file tells what lies in it") {
  hold("the name of a file tells what lies in it", tubing::tidy::check_file_names);
}

TEST_CASE("no type is called a manager or a helper") {
  hold("no type is called a manager or a helper", tubing::tidy::check_type_names);
}

TEST_CASE("no code is commented out") {
  hold("no code is commented out", tubing::tidy::check_commented_out_code);
}

TEST_CASE("no comment speaks of unfinished work") {
  hold("no comment speaks of unfinished work", tubing::tidy::check_unfinished_words);
}

TEST_CASE("the words of a contract stand in their order") {
  hold("the words of a contract stand in their order", tubing::tidy::check_contract_order);
}

TEST_CASE("each shared_ptr says who shares it") {
  hold("each shared_ptr says who shares it", tubing::tidy::check_shared_ownership);
}

TEST_CASE("there are no mutable globals") {
  hold("there are no mutable globals", tubing::tidy::check_mutable_globals);
}

TEST_CASE("thread_local is for frame pools alone") {
  hold("thread_local is for frame pools alone", tubing::tidy::check_thread_local);
}

TEST_CASE("coroutine lambdas capture only where the closure is kept") {
  hold("coroutine lambdas capture only where the closure is kept",
       tubing::tidy::check_coroutine_captures);
}

TEST_CASE("no test macro awaits") {
  hold("no test macro awaits", tubing::tidy::check_await_in_macros);
}

TEST_CASE("nothing sleeps") { hold("nothing sleeps", tubing::tidy::check_sleeps); }

TEST_CASE("tube and sim know no clock and no generator of the machine") {
  hold("tube and sim know no clock and no generator of the machine",
       tubing::tidy::check_clocks_and_generators);
}

TEST_CASE("tube and sim do not iterate in hash order") {
  hold("tube and sim do not iterate in hash order", tubing::tidy::check_hash_order);
}

TEST_CASE("includes name the module") {
  hold("includes name the module", tubing::tidy::check_include_form);
}

TEST_CASE("modules include only what the design's arrows allow") {
  hold("modules include only what the design's arrows allow", tubing::tidy::check_module_arrows);
}

TEST_CASE("no module includes another's private headers") {
  hold("no module includes another's private headers", tubing::tidy::check_private_headers);
}

TEST_CASE("third-party headers stay behind their seams") {
  hold("third-party headers stay behind their seams", tubing::tidy::check_third_party);
}

TEST_CASE("test cases have unique names without semicolons") {
  hold("test cases have unique names without semicolons", tubing::tidy::check_case_names);
}

TEST_CASE("each planted bug names a test case") {
  hold("each planted bug names a test case", tubing::tidy::check_planted_bugs);
}

TEST_CASE("each planted bug stands beside the promise that it breaks") {
  hold("each planted bug stands beside the promise that it breaks", tubing::tidy::check_promises);
}
