#include <doctest/doctest.h>

#include "tests/tidy/snippet.h"

namespace tidy = tubing::tidy;

namespace {

std::string lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "f();\n";
  return text;
}

std::string function_of(std::size_t count) { return "void f() {\n" + lines(count - 2) + "}\n"; }

}  // namespace

TEST_CASE("a long header is found and a long source may be twice as long") {
  CHECK(tidy::count_found(tidy::check_file_lengths, "a.h", lines(300)) == 0);
  CHECK(tidy::count_found(tidy::check_file_lengths, "a.h", lines(301)) == 1);
  CHECK(tidy::count_found(tidy::check_file_lengths, "a.cpp", lines(600)) == 0);
  CHECK(tidy::count_found(tidy::check_file_lengths, "a.cpp", lines(601)) == 1);
}

TEST_CASE("a wide line is found and its characters count and not its bytes") {
  const std::string wide(101, 'x');
  CHECK(tidy::lines_found(tidy::check_line_lengths, "a.h", "int a;\n" + wide) == tidy::Lines{2});
  std::string dots;
  for (int i = 0; i < 100; ++i) dots += "·";
  CHECK(tidy::count_found(tidy::check_line_lengths, "a.h", dots) == 0);
}

TEST_CASE("a long function is found at its first line") {
  CHECK(tidy::count_found(tidy::check_function_lengths, "a.cpp", function_of(70)) == 0);
  const std::string text = "namespace a {\nclass B {\n" + function_of(71) + "};\n}\n";
  CHECK(tidy::lines_found(tidy::check_function_lengths, "a.cpp", text) == tidy::Lines{3});
}

TEST_CASE("a sixth parameter is found in declarations and definitions") {
  CHECK(tidy::count_found(tidy::check_parameter_counts, "a.h",
                          "void f(int a, int b, int c, int d, std::map<int, int> e);") == 0);
  CHECK(tidy::lines_found(tidy::check_parameter_counts, "a.h",
                          "int n;\nvoid f(int, int, int, int, int, int);\n"
                          "void g(int, int, int, int, int, int) {}") == tidy::Lines{2, 3});
}
