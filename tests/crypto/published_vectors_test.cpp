// Runs published Noise vectors: those of the file in TUBING_NOISE_VECTORS, or else the two files of
// the folder in TUBING_CONFORMANCE_DIR; with neither it exits 77, skipped.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/crypto/noise_vectors.h"
#include "tests/skip.h"

namespace tubing::crypto {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::vector<std::string> vector_files() {
  if (std::string file = environment("TUBING_NOISE_VECTORS"); !file.empty()) return {file};
  std::string folder = environment("TUBING_CONFORMANCE_DIR");
  if (folder.empty()) folder = TUBING_CONFORMANCE_DIR;
  if (folder.empty()) return {};
  return {folder + "/noise_25519_ChaChaPoly_SHA256.json",
          folder + "/noise_25519_AESGCM_SHA256.json"};
}

TEST_CASE("every published Noise vector of our suites runs and agrees on both sides") {
  const std::vector<std::string> files = vector_files();
  if (files.empty()) {
    tests::skip("set TUBING_NOISE_VECTORS to a file or TUBING_CONFORMANCE_DIR to a folder");
  }
  std::size_t ran = 0;
  for (const std::string& file : files) {
    CAPTURE(file);
    const auto report = run_noise_vector_file(file);
    if (!report) {
      FAIL_CHECK(report.error().text());
      continue;
    }
    for (const std::string& name : report->skipped) fmt::print("skipped {}\n", name);
    fmt::print("{}: {} ran, {} skipped, {} failed\n", file, report->ran, report->skipped.size(),
               report->failed.size());
    for (const std::string& line : report->failed) FAIL_CHECK(line);
    // A processor without AES runs none of the AESGCM file, and says so by name.
    CHECK(report->ran + report->skipped.size() > 0);
    ran += report->ran;
  }
  CHECK(ran > 0);
}

}  // namespace
}  // namespace tubing::crypto
