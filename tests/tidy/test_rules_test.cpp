#include <doctest/doctest.h>

#include "tests/tidy/snippet.h"

namespace tidy = tubing::tidy;

TEST_CASE("a case's name is found where it is taken or would be split") {
  CHECK(tidy::lines_found(tidy::check_case_names, "tests/a.cpp",
                          "TEST_CASE(\"one\") {}\nTEST_CASE(\"two\") {}\nTEST_CASE(\"o\"\n \"ne\") "
                          "{}\nTEST_CASE(\"a; b\") {}\nTEST_CASE_FIXTURE(F, \"two\") {}\n"
                          "// TEST_CASE(\"two\")\n") == tidy::Lines{3, 5, 6});
}

TEST_CASE("a case of a Python script is a case like any other") {
  tidy::Tree tree;
  tree.scripts.push_back({"tests/a.py", "@case(\"one\")\n@long_case(\"two\")\n", {}, {}});
  tree.patches.push_back({"tests/mutants/a.patch", "# test: two\n# module: rpc\n", {}, {}});
  CHECK(tidy::check_planted_bugs(tree).empty());
  CHECK(tidy::check_case_names(tree).empty());
  tree.scripts.push_back({"tests/b.py", "\n@case(\"one\")\n@case(\"a; b\")\n", {}, {}});
  const tidy::Findings findings = tidy::check_case_names(tree);
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].line == 2);
  CHECK(findings[1].line == 3);
}

TEST_CASE("a planted bug that names no test case is found") {
  tidy::Tree tree;
  tree.sources.push_back(tidy::parse_source("tests/a.cpp", "TEST_CASE(\"one\") {}\n"));
  for (const char* text : {"# test: one\n# module: rpc\n", "# test: two\n# module: rpc\n",
                           "# test: one \"1\"\ndiff\n", ""})
    tree.patches.push_back({"tests/mutants/a.patch", text, {}, {}});
  CHECK(tidy::check_planted_bugs(tree).size() == 3);
}

TEST_CASE("a planted bug that names no fuzz target is found") {
  tidy::Tree tree;
  tree.sources.push_back(tidy::parse_source("tests/fuzz/one_target.cpp", "int one;\n"));
  for (const char* text : {"# fuzz: one\n# module: fuzz\n", "# fuzz: two\n# module: fuzz\n",
                           "# fuzz: one_target\n# module: fuzz\n", "# fuzz: one\n# test: one\n"})
    tree.patches.push_back({"tests/mutants/a.patch", text, {}, {}});
  CHECK(tidy::check_planted_bugs(tree).size() == 3);
}
