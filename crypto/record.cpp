#include "tubing/crypto/record.h"

#include <fmt/format.h>

namespace tubing::crypto {

namespace {

Error impossible_length(std::size_t message_bytes) {
  return Error(Code::data_loss, "open",
               fmt::format("a record states {} bytes, but needs {} for its tag and one or more "
                           "beside: the bytes were damaged, or the peer is not Tubing",
                           message_bytes, kRecordTagBytes));
}

}  // namespace

RecordCipher::RecordCipher(CipherState cipher, RekeyLimits limits)
    : cipher_(std::move(cipher)), limits_(limits) {
  TUBING_ASSERT(cipher_.has_key());
  TUBING_ASSERT(limits_.records > 0 && limits_.plaintext_bytes > 0);
}

void RecordCipher::count(std::size_t plaintext_bytes) {
  ++records_;
  plaintext_bytes_ += plaintext_bytes;
  if (records_ < limits_.records && plaintext_bytes_ < limits_.plaintext_bytes) return;
  cipher_.rekey();
  records_ = 0;
  plaintext_bytes_ = 0;
}

Error RecordCipher::close(Error error) {
  cipher_.wipe();
  return error;
}

Result<> RecordCipher::seal(MutableBytes message) {
  if (closed()) return Error(Code::failed_precondition, "seal", "an earlier error closed it");
  auto sealed = cipher_.encrypt({}, message);
  if (!sealed) return close(std::move(sealed).error());
  count(message.size() - kRecordTagBytes);
  return {};
}

Result<MutableBytes> RecordCipher::open(MutableBytes message) {
  auto opened = cipher_.decrypt({}, message);
  if (!opened) return close(std::move(opened).error());
  count(opened->size());
  return opened;
}

Result<std::size_t> RecordSealer::seal(MutableBytes buffer, std::size_t plaintext_bytes) {
  if (plaintext_bytes == 0 || plaintext_bytes > kRecordPlaintextBytesMax) {
    return Error(Code::invalid_argument, "seal",
                 fmt::format("a record holds 1 to {} bytes, not {}", kRecordPlaintextBytesMax,
                             plaintext_bytes));
  }
  const std::size_t message_bytes = plaintext_bytes + kRecordTagBytes;
  TUBING_ASSERT(buffer.size() >= kRecordHeaderBytes + message_bytes, buffer.size(), message_bytes);
  auto sealed = cipher_.seal(buffer.subspan(kRecordHeaderBytes, message_bytes));
  if (!sealed) return std::move(sealed).error();
  store_be16(buffer.data(), static_cast<std::uint16_t>(message_bytes));
  return kRecordHeaderBytes + message_bytes;
}

Result<std::optional<OpenedRecord>> RecordOpener::open(MutableBytes received) {
  if (closed()) return Error(Code::failed_precondition, "open", "an earlier error closed it");
  if (received.size() < kRecordHeaderBytes) return std::nullopt;
  const std::size_t message_bytes = load_be16(received.data());
  if (message_bytes <= kRecordTagBytes) return cipher_.close(impossible_length(message_bytes));
  if (received.size() - kRecordHeaderBytes < message_bytes) return std::nullopt;
  auto opened = cipher_.open(received.subspan(kRecordHeaderBytes, message_bytes));
  if (!opened) return std::move(opened).error();
  return OpenedRecord{*opened, kRecordHeaderBytes + message_bytes};
}

}  // namespace tubing::crypto
