// Error: what went wrong, in a closed code, the operation that failed, and a text for people.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tubing {

/// The closed list of reasons. First gRPC's canonical status codes by name and number, which may
/// cross the wire; then the ways in which a channel ends, which are told by frames of their own.
enum class Code : std::uint8_t {
  ok = 0,
  cancelled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  aborted = 10,
  out_of_range = 11,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
  data_loss = 15,
  unauthenticated = 16,
  closed = 32,   ///< The sender said complete, and everything that it sent was taken.
  stopped = 33,  ///< The receiver wants no more.
  reset = 34,    ///< The peer broke the channel off; `Error::status` says why.
  lost = 35,     ///< The connection under the channel died; what was in flight is unknown.
};

/// The code's name as it is written above, for example "deadline_exceeded".
std::string_view code_name(Code code);

/// Returns `number` as a canonical status; one that is not in gRPC's list becomes `unknown`.
Code status_from_wire(std::uint64_t number);

/// Why an operation failed. One pointer-sized text beside two codes: making an Error without a
/// detail allocates nothing.
///
/// Owns: its detail text. Copies are deep.
class [[nodiscard]] Error {
 public:
  /// Requires: `operation` is a string literal, or outlives every copy of the error.
  explicit Error(Code code, const char* operation) : operation_(operation), code_(code) {}
  Error(Code code, const char* operation, std::string_view detail);
  /// The peer's own status, as told by a reset.
  static Error reset_by_peer(Code status, const char* operation, std::string_view detail = {});

  Error(const Error& other);
  Error& operator=(const Error& other);
  Error(Error&& other) noexcept = default;
  Error& operator=(Error&& other) noexcept = default;
  ~Error() = default;

  /// The same reason, met by another operation: a channel's end told by a recv.
  /// Requires: as the constructor.
  Error met_by(const char* operation) const;

  Code code() const { return code_; }
  /// The peer's status where the code is `reset`; otherwise the code itself.
  Code status() const { return code_ == Code::reset ? status_ : code_; }
  /// What was being done, for example "recv" or "open".
  const char* operation() const { return operation_; }
  /// What was wrong and what to do about it; may be empty.
  std::string_view detail() const { return detail_ ? std::string_view(*detail_) : ""; }
  /// One line for people: "open: not_found: no service named chat.v1 is served here".
  std::string text() const;

 private:
  std::unique_ptr<std::string> detail_;
  const char* operation_;
  Code code_;
  Code status_ = Code::ok;
};

}  // namespace tubing
