// What the tests of `tube pipe` share: a home with two keys, and what a refusal looks like.
#pragma once

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "tests/crypto/temp_folder.h"
#include "tests/tube/process.h"
#include "tubing/channel/base/prng.h"
#include "tubing/crypto/psk_file.h"
#include "tubing/crypto/system_entropy.h"

namespace tubing::cli {

inline void check_told(const std::string& text, std::initializer_list<std::string> told) {
  CAPTURE(text);
  for (const std::string& words : told) {
    CAPTURE(words);
    CHECK(text.contains(words));
  }
}

/// Checks for a refusal whose last line says all of `told`.
inline void check_refused(const Finished& finished, std::initializer_list<std::string> told) {
  CAPTURE(finished.err);
  CHECK(finished.status == 1);
  CHECK(finished.err.ends_with('\n'));
  const std::size_t before = finished.err.rfind('\n', finished.err.size() - 2);
  const std::string last = finished.err.substr(before == std::string::npos ? 0 : before + 1);
  CHECK(last.starts_with("tube: "));
  check_told(last, told);
}

/// A home with the keys of alice, who listens, and of bob, who dials.
struct Pair {
  crypto::TempFolder folder;
  std::string keys = folder.file("keys");
  Environment environment{"TUBING_KEYS=" + keys};

  Pair() {
    make_key({"alice"});
    make_key({"bob"});
  }
  void make_key(std::vector<std::string> words) const {
    words.insert(words.begin(), {TUBE_PROGRAM, "key", "new"});
    const Finished finished = run_process(words, environment);
    CAPTURE(finished.err);
    REQUIRE(finished.status == 0);
  }
  /// Returns: the path of a new pre-shared key.
  std::string make_psk(const std::string& name) const {
    const std::string path = folder.file(name + ".psk");
    crypto::SystemEntropy entropy;
    REQUIRE(crypto::write_psk_file(path, crypto::make_psk(entropy), entropy));
    return path;
  }
  static std::vector<std::string> words(std::vector<std::string> first,
                                        const std::vector<std::string>& more) {
    first.insert(first.begin(), {TUBE_PROGRAM, "pipe"});
    first.insert(first.end(), more.begin(), more.end());
    return first;
  }
  Process listener(const Redirection& files = {}, const std::vector<std::string>& more = {}) const {
    return Process(words({"--listen", "127.0.0.1:0", "--as", "alice"}, more), environment, files);
  }
  Process dialler(const std::string& peer, const Redirection& files = {},
                  const std::vector<std::string>& more = {}) const {
    return Process(words({peer, "--as", "bob"}, more), environment, files);
  }
  /// Runs `tube pipe` with these words, without input, to its end.
  Finished pipe(const std::vector<std::string>& more) const {
    return run_process(words({}, more), environment);
  }
  /// A file that holds what is in no other of another seed.
  std::string file_of(std::size_t size, std::uint64_t seed) const {
    Bytes bytes(size);
    Prng prng(seed);
    for (std::byte& b : bytes) b = static_cast<std::byte>(prng.next());
    const std::string path = folder.file("sent-" + std::to_string(seed));
    crypto::overwrite(path, bytes);
    return path;
  }
};

/// Where a listener says that it listens, once it does.
inline std::string address_of(Process& listener) {
  const std::string before = "listens at ";
  listener.await_err(before);
  const std::string& text = listener.await_err("\n");
  const std::size_t begin = text.find(before) + before.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace tubing::cli
