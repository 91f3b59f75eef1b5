#include <doctest/doctest.h>

#include "tests/tidy/snippet.h"

namespace tidy = tubing::tidy;

TEST_CASE("a planted bug without a promise and a promise without its bug are found") {
  tidy::Tree tree;
  tree.patches.push_back({"tests/mutants/a.patch", "# test: one\n# module: rpc\n", {}, {}});
  tree.patches.push_back({"tests/mutants/b.patch", "# test: two\n# module: rpc\n", {}, {}});
  tree.patches.push_back({"tests/mutants/c.patch", "# test: two\n# module: sim\n", {}, {}});
  tree.pages.push_back({"rpc/PROMISES.md",
                        "| promise | test | planted bugs |\n| --- | --- | --- |\n"
                        "| It holds. | one | a |\n| So does this. | two | a, d |\n",
                        {},
                        {}});
  const tidy::Findings findings = tidy::check_promises(tree);
  REQUIRE(findings.size() == 3);
  CHECK(findings[0].text == "'a' is caught by another test");
  CHECK(findings[1].text == "there is no planted bug 'd'");
  CHECK(findings[2].text == "no row names the planted bug 'b': say what it breaks");
}
