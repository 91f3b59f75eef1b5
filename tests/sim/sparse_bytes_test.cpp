#include "tubing/sim/detail/sparse_bytes.h"

#include <doctest/doctest.h>

#include <set>

#include "tubing/channel/base/prng.h"

namespace tubing::sim::detail {

TEST_CASE("sparse bytes are what a plain array would be after any writes and cuts") {
  Prng prng(1);
  for (int round = 0; round < 50; ++round) {
    SparseBytes sparse;
    Bytes plain;
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t at = prng.below(4 * kPageBytes);
      if (prng.chance(1, 4)) {
        sparse.resize(at);
        plain.resize(at);
        continue;
      }
      const Bytes bytes(1 + prng.below(2 * kPageBytes), static_cast<std::byte>(prng.below(3)));
      sparse.write(at, bytes);
      plain.resize(std::max(plain.size(), at + bytes.size()));
      std::copy(bytes.begin(), bytes.end(), plain.begin() + static_cast<std::ptrdiff_t>(at));
    }
    REQUIRE(sparse.size() == plain.size());
    Bytes seen(plain.size() + 100, std::byte{9});
    sparse.read(0, seen);
    plain.resize(seen.size());
    REQUIRE(seen == plain);
  }
}

TEST_CASE("a page set counts what is missing after any additions and cuts") {
  Prng prng(1);
  for (int round = 0; round < 200; ++round) {
    PageSet pages;
    std::set<std::uint64_t> plain;
    for (int i = 0; i < 30; ++i) {
      const std::uint64_t first = prng.below(40);
      const std::uint64_t end = first + prng.below(10);
      std::uint64_t missing = 0;
      for (std::uint64_t page = first; page < end; ++page) missing += plain.contains(page) ? 0 : 1;
      REQUIRE(pages.missing(first, end) == missing);
      if (prng.chance(1, 4)) {
        pages.cut(first);
        plain.erase(plain.lower_bound(first), plain.end());
      } else {
        pages.add(first, end);
        for (std::uint64_t page = first; page < end; ++page) plain.insert(page);
      }
      REQUIRE(pages.count() == plain.size());
    }
  }
}

}  // namespace tubing::sim::detail
