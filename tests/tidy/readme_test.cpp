// The README's promises that a machine can check.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

namespace {

std::string read(const std::string& path) {
  std::ifstream file(std::string(TUBING_SOURCE_DIR "/") + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the README opens with the example that is built") {
  const std::string readme = read("README.md");
  std::string example = read("rpc/examples/echo.cpp");
  example.erase(0, example.find('\n') + 1);  // its own heading
  CHECK(example.size() > 100);
  CHECK(readme.find("```cpp\n" + example + "```") < 200);
}

TEST_CASE("every file that the README points to exists") {
  const std::string readme = read("README.md");
  const std::regex link(R"(\]\(([^)#\s]+)\))");
  int links = 0;
  for (std::sregex_iterator it(readme.begin(), readme.end(), link), end; it != end; ++it, ++links) {
    const std::string path = (*it)[1];
    CAPTURE(path);
    CHECK(std::filesystem::exists(std::string(TUBING_SOURCE_DIR "/") + path));
  }
  CHECK(links > 10);
}

TEST_CASE("the README is at most 150 lines and a module's page 120") {
  CHECK(std::ranges::count(read("README.md"), '\n') <= 150);
  for (const char* module : {"channel", "crypto", "rpc", "sim", "tube"}) {
    CAPTURE(module);
    const auto lines = std::ranges::count(read(std::string(module) + "/README.md"), '\n');
    CHECK(lines > 0);
    CHECK(lines <= 120);
  }
}
