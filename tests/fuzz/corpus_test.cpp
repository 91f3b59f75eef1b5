// The committed corpus, replayed: what a fuzzer once needed to reach deep runs with every build.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/fuzz/target.h"

namespace tubing::fuzz {
namespace {

/// Runs every input of the target's folder. A broken promise ends the process and names the file.
void replay(const Target& target) {
  const std::filesystem::path folder =
      std::filesystem::path(TUBING_SOURCE_DIR "/tests/fuzz/corpus") / target.name;
  std::size_t inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    CAPTURE(entry.path().string());
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    REQUIRE(in.good());
    target.run(as_bytes(text));
    ++inputs;
  }
  CHECK(inputs >= target.seeds().size());
}

TEST_CASE("every input of the certificate corpus passes") { replay(certificate_target()); }
TEST_CASE("every input of the codec corpus passes") { replay(codec_target()); }
TEST_CASE("every input of the frames corpus passes") { replay(frames_target()); }
TEST_CASE("every input of the handshake corpus passes") { replay(handshake_target()); }
TEST_CASE("every input of the history corpus passes") { replay(history_target()); }
TEST_CASE("every input of the key_file corpus passes") { replay(key_file_target()); }
TEST_CASE("every input of the mux corpus passes") { replay(mux_target()); }
TEST_CASE("every input of the mux_pair corpus passes") { replay(mux_pair_target()); }
TEST_CASE("every input of the record corpus passes") { replay(record_target()); }
TEST_CASE("every input of the texts corpus passes") { replay(texts_target()); }
TEST_CASE("every input of the trust corpus passes") { replay(trust_target()); }

TEST_CASE("every seed of a fuzz target passes") {
  for (const Target& target : all_targets()) {
    for (const Bytes& seed : target.seeds()) target.run(seed);
    CHECK(target.seeds().size() >= 5);
  }
}

}  // namespace
}  // namespace tubing::fuzz
