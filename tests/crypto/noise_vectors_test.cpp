#include "tests/crypto/noise_vectors.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

namespace tubing::crypto {
namespace {

// A vector of our own making: fixed keys, and what this engine says with them.
constexpr const char* kNn =
    R"({"protocol_name": "NAME", "init_ephemeral": "KEY", "resp_ephemeral": "KEY",
        "messages": [{"payload": "", "ciphertext": "FIRST"}, {"payload": "", "ciphertext": ""}]})";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string vector_named(const std::string& name) {
  return replaced(replaced(kNn, "NAME", name), "KEY", std::string(64, '7'));
}

std::string file_of(const std::string& vectors) { return "{\"vectors\": [" + vectors + "]}"; }

TEST_CASE("our own Noise vectors run and agree") {
  const auto report = run_noise_vector_file(TUBING_SOURCE_DIR "/tests/crypto/noise_vectors.json");
  REQUIRE(report);
  for (const std::string& line : report->failed) FAIL_CHECK(line);
  CHECK(report->passed());
  CHECK(report->ran + report->skipped.size() == 5);
}

TEST_CASE("a malformed vector file is refused with the place of the fault") {
  const std::string good = replaced(vector_named("Noise_NN_25519_ChaChaPoly_SHA256"), "FIRST", "");
  const struct {
    std::string text;
    const char* says;
  } rows[] = {
      {"", "not JSON"},
      {"{\"vectors\": [", "not JSON"},
      {"[]", "list named vectors"},
      {"{\"vectors\": 3}", "list named vectors"},
      {file_of("3"), "vector 0 has no protocol_name"},
      {file_of("{}"), "vector 0 has no protocol_name"},
      {file_of(replaced(good, "7777", "777x")), "init_ephemeral is not hexadecimal"},
      {file_of(replaced(good, "7777", "")), "init_ephemeral has not 32 bytes"},
      {file_of(replaced(good, "messages", "massages")), "no list messages"},
      {file_of(replaced(good, "payload", "load")), "lacks payload or ciphertext"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto report = run_noise_vectors(row.text);
    REQUIRE(!report);
    CHECK(std::string(report.error().detail()).contains(row.says));
  }
}

TEST_CASE("a vector file of which nothing runs does not pass") {
  const auto empty = run_noise_vectors(file_of(""));
  REQUIRE(empty);
  CHECK_FALSE(empty->passed());
  const auto foreign = run_noise_vectors(file_of(vector_named("Noise_NN_448_ChaChaPoly_SHA512")));
  REQUIRE(foreign);
  CHECK(foreign->ran == 0);
  CHECK(foreign->skipped == std::vector<std::string>{"Noise_NN_448_ChaChaPoly_SHA512"});
  CHECK_FALSE(foreign->passed());
}

TEST_CASE("a vector of our suite that cannot run is a failure and not skipped") {
  for (const char* name :
       {"Noise_QQ_25519_ChaChaPoly_SHA256", "Noise_NNpsk7_25519_ChaChaPoly_SHA256",
        "NoisePSK_NN_25519_ChaChaPoly_SHA256"}) {
    CAPTURE(name);
    const auto report = run_noise_vectors(file_of(vector_named(name)));
    REQUIRE(report);
    CHECK(report->skipped.empty());
    CHECK(report->failed.size() == 1);
  }
}

TEST_CASE("fallback and hfs vectors are skipped by name") {
  for (const char* name :
       {"Noise_XXfallback_25519_ChaChaPoly_SHA256", "Noise_XXhfs_25519+448_ChaChaPoly_SHA256"}) {
    CAPTURE(name);
    const auto report = run_noise_vectors(file_of(vector_named(name)));
    REQUIRE(report);
    CHECK(report->skipped == std::vector<std::string>{name});
  }
}

TEST_CASE("a vector whose ciphertext differs fails by name") {
  const auto report = run_noise_vectors(file_of(
      replaced(vector_named("Noise_NN_25519_ChaChaPoly_SHA256"), "FIRST", std::string(64, '0'))));
  REQUIRE(report);
  CHECK(report->ran == 1);
  REQUIRE(report->failed.size() == 1);
  CHECK(report->failed[0].contains("handshake message 0 differs"));
  CHECK_FALSE(report->passed());
}

}  // namespace
}  // namespace tubing::crypto
