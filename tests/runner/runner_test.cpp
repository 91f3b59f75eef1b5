// The main function of the test binaries (tests/main.cpp), seen from outside: this binary runs
// itself again.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/skip.h"

namespace {

// How a run of this binary ended, and what it printed.
struct Run {
  int status = -1;
  std::string output;
};

Run run_self(const std::string& arguments) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  Run run;
  FILE* pipe = popen((self + " " + arguments + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> chunk{};
  for (std::size_t size = 0; (size = fread(chunk.data(), 1, chunk.size(), pipe)) > 0;)
    run.output.append(chunk.data(), size);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) run.status = WEXITSTATUS(status);
  return run;
}

}  // namespace

TEST_CASE("a run that matches no case exits with 2 and says so") {
  const Run run = run_self("'--case=there is no such case'");
  CHECK(run.status == 2);
  CHECK(run.output.find("no test case matches") != std::string::npos);
}

TEST_CASE("a case named with a comma, a \\ and \"quotes\" (and $brackets) runs by its exact name") {
  CHECK(true);
}

TEST_CASE("a case runs alone when it is named") {
  const Run run = run_self(
      "'--case=a case named with a comma, a \\ and \"quotes\" (and $brackets) runs by its exact "
      "name'");
  CHECK(run.status == 0);
  CHECK(run.output.find("1 passed") != std::string::npos);
}

TEST_CASE("a skipped case exits with 77 and prints its reason") {
  constexpr auto kAsked = "TUBING_TEST_SKIPS";
  if (std::getenv(kAsked) != nullptr) tubing::tests::skip("as asked");
  setenv(kAsked, "1", 1);
  const Run run = run_self("'--case=a skipped case exits with 77 and prints its reason'");
  unsetenv(kAsked);
  CHECK(run.status == 77);
  CHECK(run.output.find("Skipped: as asked") != std::string::npos);
}

TEST_CASE("the list for ctest quotes each name whole") {
  const auto file = std::filesystem::temp_directory_path() /
                    ("tubing_cases_" + std::to_string(getpid()) + ".cmake");
  CHECK(run_self("--write-cases=" + file.string()).status == 0);
  FILE* list = fopen(file.c_str(), "r");
  REQUIRE(list != nullptr);
  std::string text;
  for (int c = 0; (c = fgetc(list)) != EOF;) text += static_cast<char>(c);
  fclose(list);
  std::filesystem::remove(file);
  CHECK(text.find("tubing_case([==[the list for ctest quotes each name whole]==])\n") !=
        std::string::npos);
  CHECK(text.find("a \\ and \"quotes\" (and $brackets)") != std::string::npos);
}
