// Records: whatever happens on the wire, what opens is what was sealed, in order and from the
// first.
#include <algorithm>

#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"
#include "tubing/channel/base/assert.h"
#include "tubing/crypto/record.h"

namespace tubing::fuzz {
namespace {

constexpr std::size_t kRecordsMax = 12;

crypto::CipherState keyed() {
  crypto::CipherState cipher(crypto::Cipher::chacha_poly);
  cipher.initialize_key(as_bytes("0123456789abcdef0123456789abcdef"));
  return cipher;
}

Bytes plaintext(std::size_t index, std::size_t size) {
  Bytes bytes(size, static_cast<std::byte>(index));
  if (!bytes.empty()) bytes.back() = std::byte{0xee};
  return bytes;
}

/// What was sealed, and the bytes of it on the wire.
struct Sealed {
  std::vector<Bytes> plaintexts;
  std::vector<Bytes> records;
};

Sealed seal_some(Input& in, crypto::RekeyLimits limits) {
  Sealed sealed;
  crypto::RecordSealer sealer(keyed(), limits);
  for (std::size_t left = in.byte() % kRecordsMax; left > 0; --left) {
    const std::size_t size = 1 + in.word() % (in.flag() ? 3000 : 40);
    sealed.plaintexts.push_back(plaintext(sealed.records.size(), size));
    Bytes buffer(size + crypto::kRecordOverheadBytes);
    std::ranges::copy(sealed.plaintexts.back(), buffer.begin() + crypto::kRecordHeaderBytes);
    const auto made = sealer.seal(buffer, size);
    TUBING_ASSERT(made.has_value() && *made == buffer.size());
    sealed.records.push_back(std::move(buffer));
  }
  return sealed;
}

/// Does to the records what a network could.
void disturb(Input& in, std::vector<Bytes>& records) {
  for (std::size_t left = in.byte() % 4; left > 0 && !records.empty(); --left) {
    const std::size_t at = in.byte() % records.size();
    const std::size_t other = in.byte() % records.size();
    Bytes& record = records[at];
    switch (in.byte() % 7) {
      case 0: std::swap(record, records[other]); break;
      case 1: records.insert(records.begin() + static_cast<long>(other), Bytes(record)); break;
      case 2: records.erase(records.begin() + static_cast<long>(at)); break;
      case 3: record.resize(in.word() % (record.size() + 1)); break;
      case 4: append(record, in.piece()); break;
      case 5: record.insert(record.begin(), static_cast<std::byte>(in.byte())); break;
      default:
        if (!record.empty()) record[in.word() % record.size()] ^= static_cast<std::byte>(in.byte());
    }
  }
}

/// Feeds `stream` in pieces. What opens is checked against what was sealed.
void open_all(Input& in, const Bytes& stream, const Sealed& sealed, crypto::RekeyLimits limits) {
  crypto::RecordOpener opener(keyed(), limits);
  Bytes buffer;
  std::size_t fed = 0;
  std::size_t opened = 0;
  while (fed < stream.size()) {
    const std::size_t piece = in.empty() ? stream.size() - fed : 1 + in.byte();
    const std::size_t count = std::min(piece, stream.size() - fed);
    append(buffer, ByteView(stream).subspan(fed, count));
    fed += count;
    for (;;) {
      const Bytes before = buffer;
      const auto record = opener.open(buffer);
      if (!record) {
        TUBING_ASSERT(opener.closed());
        TUBING_ASSERT(record.code() == Code::data_loss || record.code() == Code::unauthenticated);
        TUBING_ASSERT(opener.open(buffer).code() == Code::failed_precondition);
        return;
      }
      if (!*record) {
        TUBING_ASSERT(buffer == before && buffer.size() < crypto::kRecordBytesMax);
        break;
      }
      TUBING_ASSERT(opened < sealed.plaintexts.size());
      TUBING_ASSERT(std::ranges::equal((*record)->plaintext, sealed.plaintexts[opened]), opened);
      ++opened;
      buffer.erase(buffer.begin(), buffer.begin() + static_cast<long>((*record)->consumed));
    }
  }
}

void run(ByteView input) {
  Input in(input);
  const crypto::RekeyLimits limits{.records = 1 + in.byte() % 5u,
                                   .plaintext_bytes = 1u + in.word()};
  Sealed sealed = seal_some(in, limits);
  std::vector<Bytes> records = sealed.records;
  disturb(in, records);
  Bytes stream;
  for (const Bytes& record : records) append(stream, record);
  append(stream, in.piece());
  open_all(in, stream, sealed, limits);
}

/// `count` records of 5 bytes, under limits that never rekey.
Script records(std::size_t count) {
  Script script;
  script.byte(4).word(9999).byte(count);
  for (std::size_t i = 0; i < count; ++i) script.word(4).byte(0);
  return script;
}

std::vector<Bytes> seeds() {
  return {records(3).byte(0).byte(0).byte(9).byte(7),
          records(5).byte(1).byte(1).byte(2).byte(0).byte(0),
          records(4).byte(2).byte(1).byte(1).byte(1).byte(0).byte(0).byte(2).byte(0),
          records(2).byte(1).byte(0).byte(0).byte(6).word(9).byte(0x80).byte(0),
          Script().byte(1).word(3).byte(6).word(30).byte(1).word(2000).byte(1).word(1).byte(0),
          Script().byte(4).word(100).byte(0).byte(0).piece(as_bytes("nothing that was sealed"))};
}

}  // namespace

Target record_target() { return {"record", run, seeds}; }

}  // namespace tubing::fuzz
