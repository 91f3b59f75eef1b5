// Records: what follows the handshake on a connection, each sealed and opened in place.
#pragma once

#include <cstdint>
#include <optional>

#include "tubing/crypto/cipher.h"

namespace tubing::crypto {

/// The length in front of a record: 2 bytes, most significant first, of all that follows.
inline constexpr std::size_t kRecordHeaderBytes = 2;
inline constexpr std::size_t kRecordTagBytes = kTagBytes;
/// What a record adds to its plaintext.
inline constexpr std::size_t kRecordOverheadBytes = kRecordHeaderBytes + kRecordTagBytes;
/// The largest plaintext: with its tag it is a Noise message of 65,535 bytes.
inline constexpr std::size_t kRecordPlaintextBytesMax = 65'535 - kRecordTagBytes;
inline constexpr std::size_t kRecordBytesMax = kRecordPlaintextBytesMax + kRecordOverheadBytes;

/// When a direction takes its next key: after the record that makes either number full. Both sides
/// count alike, so nothing is said about it; tests give smaller numbers.
struct RekeyLimits {
  std::uint64_t records = std::uint64_t{1} << 20;
  std::uint64_t plaintext_bytes = std::uint64_t{1} << 30;
};

/// The key of one direction, and how much has passed under it since the last rekey.
class RecordCipher {
 public:
  RecordCipher(CipherState cipher, RekeyLimits limits);

  Result<> seal(MutableBytes message);
  Result<MutableBytes> open(MutableBytes message);

  /// Whether an error has ended the direction; its key is wiped.
  bool closed() const { return cipher_.wiped(); }
  /// Ends the direction, wipes its key and returns `error`.
  Error close(Error error);

 private:
  void count(std::size_t plaintext_bytes);

  CipherState cipher_;
  RekeyLimits limits_;
  std::uint64_t records_ = 0;
  std::uint64_t plaintext_bytes_ = 0;
};

/// Seals the records of one direction, in the order in which they go on the wire.
///
/// Threads: one at a time.
class RecordSealer {
 public:
  /// Requires: `cipher` has a key.
  explicit RecordSealer(CipherState cipher, RekeyLimits limits = {})
      : cipher_(std::move(cipher), limits) {}

  /// Seals in place and allocates nothing: `buffer` holds kRecordHeaderBytes of room, then the
  /// plaintext, then kRecordTagBytes of room or more.
  /// Returns: the size of the record, which begins where `buffer` begins.
  /// Errors: invalid_argument for a plaintext of no bytes, or of more than
  /// kRecordPlaintextBytesMax; resource_exhausted, for good, when all nonces are used.
  Result<std::size_t> seal(MutableBytes buffer, std::size_t plaintext_bytes);

  bool closed() const { return cipher_.closed(); }

 private:
  RecordCipher cipher_;
};

/// A record that was opened: a plaintext of at least one byte, and how much of the received bytes
/// the record was.
struct OpenedRecord {
  MutableBytes plaintext;
  std::size_t consumed;
};

/// Opens the records of one direction, in the order in which they came.
///
/// Threads: one at a time.
class RecordOpener {
 public:
  /// Requires: `cipher` has a key.
  explicit RecordOpener(CipherState cipher, RekeyLimits limits = {})
      : cipher_(std::move(cipher), limits) {}

  /// Opens the record at the start of `received`, in place, and allocates nothing. A buffer of
  /// kRecordBytesMax bytes always suffices.
  /// Returns: nothing while the record is incomplete; the bytes are then as they were.
  /// Errors: data_loss for a length that no record has; unauthenticated for a record that was
  /// changed, repeated, reordered or lost before. Either closes the direction for good and wipes
  /// its key.
  Result<std::optional<OpenedRecord>> open(MutableBytes received);

  bool closed() const { return cipher_.closed(); }

 private:
  RecordCipher cipher_;
};

}  // namespace tubing::crypto
