#include "tubing/channel/base/byte_buffer.h"

#include <doctest/doctest.h>

#include <string>

#include "tubing/channel/base/prng.h"

namespace tubing {
namespace {

TEST_CASE("a byte buffer gives back from the front what was appended at the back") {
  ByteBuffer buffer;
  std::string expected;
  Prng prng(11);
  for (int round = 0; round < 2000; ++round) {
    const std::string piece(prng.below(97), static_cast<char>('a' + round % 26));
    buffer.append(as_bytes(piece));
    expected += piece;
    const std::size_t taken = prng.below(expected.size() + 1);
    REQUIRE(as_text(buffer.view()) == expected);
    buffer.consume(taken);
    expected.erase(0, taken);
  }
  CHECK(as_text(buffer.view()) == expected);
}

TEST_CASE("a byte buffer that is drained as fast as it fills stays as small as it was") {
  ByteBuffer buffer;
  const std::string piece(100, 'x');
  for (int round = 0; round < 1000; ++round) {
    buffer.append(as_bytes(piece));
    if (round > 0) buffer.consume(piece.size());
  }
  CHECK(buffer.size() == piece.size());
  CHECK(buffer.capacity() <= 512);
}

TEST_CASE("what is written into reserved room joins a byte buffer by commit alone") {
  ByteBuffer buffer(8);
  buffer.append(as_bytes("ab"));
  const MutableBytes room = buffer.reserve(100);
  REQUIRE(room.size() >= 100);
  room[0] = std::byte{'c'};
  CHECK(as_text(buffer.view()) == "ab");
  buffer.commit(1);
  CHECK(as_text(buffer.view()) == "abc");
  buffer.truncate(1);
  CHECK(as_text(buffer.view()) == "a");
}

TEST_CASE("a cleared byte buffer keeps its block and a moved one hands it over") {
  ByteBuffer buffer;
  buffer.append(as_bytes(std::string(1000, 'x')));
  const std::size_t capacity = buffer.capacity();
  buffer.clear();
  CHECK(buffer.empty());
  CHECK(buffer.capacity() == capacity);
  ByteBuffer other = std::move(buffer);
  CHECK(other.capacity() == capacity);
  CHECK(buffer.capacity() == 0);
}

}  // namespace
}  // namespace tubing
