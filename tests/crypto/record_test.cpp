#include "tubing/crypto/record.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/allocation_count.h"

namespace tubing::crypto {
namespace {

CipherState keyed() {
  CipherState cipher(Cipher::chacha_poly);
  cipher.initialize_key(as_bytes("0123456789abcdef0123456789abcdef"));
  return cipher;
}

Bytes sealed(RecordSealer& sealer, std::string_view text) {
  Bytes buffer(text.size() + kRecordOverheadBytes);
  std::ranges::copy(as_bytes(text), buffer.begin() + kRecordHeaderBytes);
  const auto size = sealer.seal(buffer, text.size());
  REQUIRE(size);
  REQUIRE(*size == buffer.size());
  return buffer;
}

/// The plaintext, or the error's code where the record does not open.
std::string opened(RecordOpener& opener, Bytes record) {
  auto result = opener.open(record);
  if (!result) return std::string(code_name(result.code()));
  if (!*result) return "incomplete";
  CHECK((*result)->consumed == record.size());
  return std::string(as_text((*result)->plaintext));
}

TEST_CASE("a record has the golden bytes of its format") {
  RecordSealer sealer(keyed());
  CHECK(to_hex(sealed(sealer, "hello")) == "0015b56229acdb9c0ebce423dee15d297443f8d4677f6b");
  CHECK(to_hex(sealed(sealer, "hello")) == "001559a0b75990a01a096221009628acbca3e8026c63f2");
}

TEST_CASE("records open in the order in which they were sealed") {
  RecordSealer sealer(keyed());
  RecordOpener opener(keyed());
  for (const std::string text : {"a", "second", "third"}) {
    CHECK(opened(opener, sealed(sealer, text)) == text);
  }
  const std::string largest(kRecordPlaintextBytesMax, 'x');
  CHECK(opened(opener, sealed(sealer, largest)) == largest);
}

TEST_CASE("a record at the front of more bytes is opened in place and alone") {
  RecordSealer sealer(keyed());
  RecordOpener opener(keyed());
  Bytes stream = sealed(sealer, "one");
  const std::size_t first = stream.size();
  append(stream, sealed(sealer, "two"));
  auto one = opener.open(stream);
  REQUIRE(one);
  REQUIRE(*one);
  CHECK((*one)->consumed == first);
  CHECK((*one)->plaintext.data() == stream.data() + kRecordHeaderBytes);
  CHECK(as_text((*one)->plaintext) == "one");
  CHECK(opened(opener, Bytes(stream.begin() + static_cast<long>(first), stream.end())) == "two");
}

TEST_CASE("every truncation of a record waits for the rest") {
  RecordSealer sealer(keyed());
  RecordOpener opener(keyed());
  const Bytes record = sealed(sealer, "hello");
  for (std::size_t size = 0; size < record.size(); ++size) {
    CHECK(opened(opener, Bytes(record.begin(), record.begin() + static_cast<long>(size))) ==
          "incomplete");
  }
  CHECK(opened(opener, record) == "hello");
}

TEST_CASE("a record with any changed bit of its message is refused for good") {
  RecordSealer sealer(keyed());
  const Bytes record = sealed(sealer, "hello");
  for (std::size_t i = kRecordHeaderBytes; i < record.size(); ++i) {
    CAPTURE(i);
    RecordOpener opener(keyed());
    Bytes changed = record;
    changed[i] ^= std::byte{0x80};
    CHECK(opened(opener, changed) == "unauthenticated");
    CHECK(opener.closed());
    CHECK(opened(opener, record) == "failed_precondition");
  }
}

TEST_CASE("a record that was repeated or reordered or whose forerunner was lost is refused") {
  RecordSealer sealer(keyed());
  const Bytes first = sealed(sealer, "first");
  const Bytes second = sealed(sealer, "second");
  RecordOpener repeated(keyed());
  CHECK(opened(repeated, first) == "first");
  CHECK(opened(repeated, first) == "unauthenticated");
  RecordOpener reordered(keyed());
  CHECK(opened(reordered, second) == "unauthenticated");
  CHECK(opened(reordered, first) == "failed_precondition");
}

TEST_CASE("a record without plaintext or shorter than its tag is refused by its length alone") {
  for (std::size_t length = 0; length <= kRecordTagBytes; ++length) {
    CAPTURE(length);
    RecordOpener opener(keyed());
    Bytes header(kRecordHeaderBytes);
    store_be16(header.data(), static_cast<std::uint16_t>(length));
    CHECK(opened(opener, header) == "data_loss");
    CHECK(opener.closed());
  }
}

TEST_CASE("a sealer refuses a plaintext of no bytes or of too many") {
  RecordSealer sealer(keyed());
  Bytes buffer(kRecordBytesMax + 1);
  CHECK(sealer.seal(buffer, 0).code() == Code::invalid_argument);
  CHECK(sealer.seal(buffer, kRecordPlaintextBytesMax + 1).code() == Code::invalid_argument);
  CHECK_FALSE(sealer.closed());
  RecordOpener opener(keyed());
  CHECK(opened(opener, sealed(sealer, "hello")) == "hello");
}

TEST_CASE("both directions refuse to go past the last nonce and wipe their keys") {
  CipherState last = keyed();
  last.set_nonce(CipherState::kNonceMax - 1);
  CipherState also_last = keyed();
  also_last.set_nonce(CipherState::kNonceMax - 1);
  RecordSealer sealer(std::move(last));
  RecordOpener opener(std::move(also_last));
  CHECK(opened(opener, sealed(sealer, "last")) == "last");
  Bytes buffer(1 + kRecordOverheadBytes);
  CHECK(sealer.seal(buffer, 1).code() == Code::resource_exhausted);
  CHECK(sealer.closed());
  CHECK(sealer.seal(buffer, 1).code() == Code::failed_precondition);
  store_be16(buffer.data(), kRecordTagBytes + 1);
  CHECK(opened(opener, buffer) == "resource_exhausted");
  CHECK(opener.closed());
}

/// Where the texts of five records stop matching what a sealer without any rekey makes of them.
std::size_t first_rekeyed(RekeyLimits limits) {
  RecordSealer plain(keyed());
  RecordSealer rekeying(keyed(), limits);
  RecordOpener opener(keyed(), limits);
  std::size_t first = 0;
  for (std::size_t i = 1; i <= 5; ++i) {
    const Bytes record = sealed(rekeying, "ten bytes.");
    if (record != sealed(plain, "ten bytes.") && first == 0) first = i;
    CHECK(opened(opener, record) == "ten bytes.");
  }
  return first;
}

TEST_CASE("both sides take a new key after the record that fills a limit and the nonce goes on") {
  CHECK(first_rekeyed({.records = 3}) == 4);
  CHECK(first_rekeyed({.plaintext_bytes = 20}) == 3);
  CHECK(first_rekeyed({.plaintext_bytes = 21}) == 4);
  CHECK(first_rekeyed({}) == 0);
  CipherState reference = keyed();
  reference.rekey();
  reference.set_nonce(1);
  RecordSealer sealer(keyed(), {.records = 1});
  sealed(sealer, "one");
  Bytes second = sealed(sealer, "two");
  const auto plaintext = reference.decrypt({}, MutableBytes(second).subspan(kRecordHeaderBytes));
  REQUIRE(plaintext);
  CHECK(as_text(*plaintext) == "two");
}

TEST_CASE("the limits of a key are a mebi of records and a gibibyte") {
  CHECK(RekeyLimits().records == 1'048'576);
  CHECK(RekeyLimits().plaintext_bytes == 1'073'741'824);
}

TEST_CASE("a side with other limits than its peer's is refused at the first rekey") {
  RecordSealer sealer(keyed(), {.records = 2});
  RecordOpener opener(keyed(), {.records = 3});
  CHECK(opened(opener, sealed(sealer, "1")) == "1");
  CHECK(opened(opener, sealed(sealer, "2")) == "2");
  CHECK(opened(opener, sealed(sealer, "3")) == "unauthenticated");
}

TEST_CASE("sealing and opening records allocates nothing and rekeying neither") {
  RecordSealer sealer(keyed(), {.records = 2});
  RecordOpener opener(keyed(), {.records = 2});
  Bytes buffer(kRecordBytesMax);
  const std::size_t before = test::allocations();
  std::size_t records = 0;
  for (int i = 0; i < 5; ++i) {
    const auto size = sealer.seal(buffer, 1000);
    const auto record = opener.open(MutableBytes(buffer).first(size ? *size : 0));
    if (record && *record) ++records;
  }
  const std::size_t after = test::allocations();
  CHECK(records == 5);
  CHECK(after == before);
}

}  // namespace
}  // namespace tubing::crypto
