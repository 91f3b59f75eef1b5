#include "tubing/channel/base/error.h"

namespace tubing {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::ok: return "ok";
    case Code::cancelled: return "cancelled";
    case Code::unknown: return "unknown";
    case Code::invalid_argument: return "invalid_argument";
    case Code::deadline_exceeded: return "deadline_exceeded";
    case Code::not_found: return "not_found";
    case Code::already_exists: return "already_exists";
    case Code::permission_denied: return "permission_denied";
    case Code::resource_exhausted: return "resource_exhausted";
    case Code::failed_precondition: return "failed_precondition";
    case Code::aborted: return "aborted";
    case Code::out_of_range: return "out_of_range";
    case Code::unimplemented: return "unimplemented";
    case Code::internal: return "internal";
    case Code::unavailable: return "unavailable";
    case Code::data_loss: return "data_loss";
    case Code::unauthenticated: return "unauthenticated";
    case Code::closed: return "closed";
    case Code::stopped: return "stopped";
    case Code::reset: return "reset";
    case Code::lost: return "lost";
  }
  return "unknown";
}

Code status_from_wire(std::uint64_t number) {
  return number <= 16 ? static_cast<Code>(number) : Code::unknown;
}

Error::Error(Code code, const char* operation, std::string_view detail)
    : detail_(detail.empty() ? nullptr : std::make_unique<std::string>(detail)),
      operation_(operation),
      code_(code) {}

Error Error::reset_by_peer(Code status, const char* operation, std::string_view detail) {
  Error error(Code::reset, operation, detail);
  error.status_ = status;
  return error;
}

Error::Error(const Error& other)
    : detail_(other.detail_ ? std::make_unique<std::string>(*other.detail_) : nullptr),
      operation_(other.operation_),
      code_(other.code_),
      status_(other.status_) {}

Error& Error::operator=(const Error& other) {
  if (this != &other) *this = Error(other);
  return *this;
}

Error Error::met_by(const char* operation) const {
  Error error = *this;
  error.operation_ = operation;
  return error;
}

std::string Error::text() const {
  std::string out = operation_;
  out += ": ";
  out += code_name(code_);
  if (code_ == Code::reset) {
    out += " (";
    out += code_name(status_);
    out += ")";
  }
  if (detail_) {
    out += ": ";
    out += *detail_;
  }
  return out;
}

}  // namespace tubing
