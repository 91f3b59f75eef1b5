#include "tubing/sim/detail/configuration_set.h"

#include <doctest/doctest.h>

#include <array>

using tubing::sim::detail::ConfigurationSet;

namespace {

/// A state, two words of unknown ends, two of pending ones.
using Words = std::array<std::uint64_t, 5>;

}  // namespace

TEST_CASE("a configuration dominates one that used more in any word of unknown ends") {
  for (const std::size_t word : {1, 2}) {
    CAPTURE(word);
    ConfigurationSet set({.unknown_words = 2, .pending_words = 2});
    Words more{7, 1, 1, 1, 1};
    more[word] |= 2;
    CHECK(set.insert(more.data()));
    const Words fewer{7, 1, 1, 1, 1};
    CHECK(set.insert(fewer.data()));  // The other leaves.
    CHECK(set.alive() == 1);
    CHECK_FALSE(set.insert(more.data()));
    Words other{7, 1, 1, 1, 1};
    other[word] = 4;
    CHECK(set.insert(other.data()));
    CHECK(set.alive() == 2);
  }
}

TEST_CASE("configurations that differ in their state or what is pending stand beside each other") {
  for (const std::size_t word : {0, 3, 4}) {
    CAPTURE(word);
    ConfigurationSet set({.unknown_words = 2, .pending_words = 2});
    // So many that some share a bucket.
    for (const bool again : {false, true})
      for (std::uint64_t value = 0; value < 500; ++value) {
        Words words{7, 1, 1, 1, 1};
        words[word] = value;
        CHECK(set.insert(words.data()) != again);
      }
    CHECK(set.alive() == 500);
  }
}

TEST_CASE("a set of many configurations keeps each once") {
  ConfigurationSet set({.unknown_words = 1, .pending_words = 1});
  for (int round : {0, 1})
    for (std::uint64_t state = 0; state < 1000; ++state) {
      const std::array<std::uint64_t, 3> words{state, 0, state % 7};
      CHECK(set.insert(words.data()) == (round == 0));
    }
  CHECK(set.alive() == 1000);
  set.clear();
  CHECK(set.alive() == 0);
}
