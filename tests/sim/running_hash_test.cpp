#include "tubing/sim/running_hash.h"

#include <doctest/doctest.h>

#include <set>

using tubing::as_bytes;
using tubing::Duration;
using tubing::Time;
using tubing::sim::RunHash;
using tubing::sim::RunningHash;

namespace {

std::string hash_of_bytes(std::string_view text) {
  RunningHash hash;
  hash.add(text);
  return hash.text();
}

}  // namespace

TEST_CASE("a running hash has the same value on every machine") {
  RunningHash hash;
  CHECK(hash.text() == "00000000000000000000000000000000");
  hash.add(1);
  hash.add(std::string_view("tubing carries channels"));
  CHECK(hash.text() == "9bcb7da927d30ce8b92e0437a5f4275c");
}

TEST_CASE("a running hash tells apart what differs in one bit or in where a text ends") {
  std::set<std::string> seen;
  for (int bit = 0; bit < 64; ++bit) {
    RunningHash hash;
    hash.add(std::uint64_t{1} << bit);
    seen.insert(hash.text());
  }
  CHECK(seen.size() == 64);
  CHECK(hash_of_bytes("abcdefgh") != hash_of_bytes("abcdefgi"));
  CHECK(hash_of_bytes("a") != hash_of_bytes(std::string_view("a\0", 2)));
  RunningHash one;
  RunningHash other;
  one.add(std::string_view("ab"));
  one.add(std::string_view("c"));
  other.add(std::string_view("a"));
  other.add(std::string_view("bc"));
  CHECK(one != other);
  CHECK(one.high() != other.high());
  CHECK(one.low() != other.low());
}

TEST_CASE("every field of an event is in the run hash") {
  const auto hash_with = [](std::int64_t ns, const char* kind, std::uint64_t subject,
                            const char* payload) {
    RunHash hash;
    hash.on_event(Time(Duration(ns)), kind, subject, as_bytes(payload));
    return hash.text();
  };
  const std::string base = hash_with(5, "bytes", 7, "payload");
  CHECK(hash_with(5, "bytes", 7, "payload") == base);
  CHECK(hash_with(6, "bytes", 7, "payload") != base);
  CHECK(hash_with(5, "end", 7, "payload") != base);
  CHECK(hash_with(5, "bytes", 8, "payload") != base);
  CHECK(hash_with(5, "bytes", 7, "paxload") != base);
}
