#include "tubing/crypto/secret.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <type_traits>

#include "tubing/crypto/system_entropy.h"

namespace tubing::crypto {
namespace {

bool all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

TEST_CASE("a secret starts as zeros and holds what is put into it") {
  Secret<32> secret;
  CHECK(all_zero(secret.view()));
  const Secret<4> word(as_bytes("word"));
  CHECK(as_text(word.view()) == "word");
}

TEST_CASE("a secret moves and is copied only by name") {
  static_assert(!std::is_copy_constructible_v<Secret<32>>);
  static_assert(!std::is_copy_assignable_v<Secret<32>>);
  static_assert(!fmt::is_formattable<Secret<32>>::value);
  static_assert(!Printable<Secret<32>>);
  static_assert(!std::equality_comparable<Secret<32>>);
  Secret<4> first(as_bytes("word"));
  Secret<4> copy = first.clone();
  const Secret<4> moved = std::move(first);
  CHECK(moved.equals(copy));
  copy.bytes()[0] = std::byte{'l'};
  CHECK_FALSE(moved.equals(copy));
  copy = moved.clone();
  CHECK(moved.equals(copy));
}

TEST_CASE("wiping a secret leaves zeros") {
  Secret<4> secret(as_bytes("word"));
  secret.wipe();
  CHECK(all_zero(secret.view()));
}

TEST_CASE("a comparison in constant time tells equal from unequal bytes and sizes") {
  CHECK(equal_in_constant_time(as_bytes("abcd"), as_bytes("abcd")));
  CHECK_FALSE(equal_in_constant_time(as_bytes("abcd"), as_bytes("abce")));
  CHECK_FALSE(equal_in_constant_time(as_bytes("abcd"), as_bytes("abc")));
}

TEST_CASE("the system's entropy fills the whole of what it is given and never repeats") {
  SystemEntropy entropy;
  std::array<std::byte, 64> first{};
  std::array<std::byte, 64> second{};
  entropy.fill(first);
  entropy.fill(second);
  CHECK(first != second);
  CHECK_FALSE(all_zero(ByteView(first).last(16)));
}

}  // namespace
}  // namespace tubing::crypto
