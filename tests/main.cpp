// The main function of every test binary: doctest's options, and two of our own.
//   --case=NAME         runs the case of exactly this name
//   --write-cases=FILE  writes the names of all cases as a script for ctest, and runs nothing
// A run that matches no case exits with 2.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace {

// Ends a run that matched no case: doctest alone would call it passed.
struct EmptyRunGuard : doctest::IReporter {
  explicit EmptyRunGuard(const doctest::ContextOptions&) {}
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats& stats) override {
    if (stats.numTestCasesPassingFilters > 0) return;
    std::fprintf(stderr, "no test case matches: --list-test-cases prints the names\n");
    std::exit(2);
  }
  void test_case_start(const doctest::TestCaseData&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};

// Writes each case as `tubing_case([==[name]==])`, so that no character of a name can split it.
struct CaseWriter : EmptyRunGuard {
  explicit CaseWriter(const doctest::ContextOptions& options)
      : EmptyRunGuard(options), out_(*options.cout) {}
  void report_query(const doctest::QueryData& query) override {
    for (unsigned i = 0; i < query.num_data; ++i)
      out_ << "tubing_case([==[" << query.data[i]->m_name << "]==])\n";
  }

 private:
  std::ostream& out_;
};

DOCTEST_REGISTER_LISTENER("empty-run", 1, EmptyRunGuard);
DOCTEST_REGISTER_REPORTER("ctest", 1, CaseWriter);

std::optional<std::string_view> value_of(std::string_view argument, std::string_view option) {
  if (!argument.starts_with(option)) return std::nullopt;
  return argument.substr(option.size());
}

// doctest splits a filter at commas, and takes a backslash for an escape.
std::string exact_filter(std::string_view name) {
  std::string filter;
  for (char c : name) {
    if (c == ',' || c == '\\') filter += '\\';
    filter += c;
  }
  return filter;
}

}  // namespace

int main(int argc, char** argv) {
  ::umask(022);  // Files that a test makes are not for others to write, whoever runs it.
  doctest::Context context(argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (auto name = value_of(argv[i], "--case=")) {
      context.setOption("case-sensitive", true);
      context.addFilter("test-case", exact_filter(*name).c_str());
    } else if (auto file = value_of(argv[i], "--write-cases=")) {
      const std::string out = "--out=" + std::string(*file);
      const char* query[] = {argv[0], "--list-test-cases", "--reporters=ctest", out.c_str()};
      context.applyCommandLine(4, query);
    }
  }
  return context.run();
}
