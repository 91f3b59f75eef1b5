#include "tubing/channel/network.h"

#include <fmt/format.h>

#include "tubing/channel/detail/port_binding.h"

namespace tubing::detail {

Result<> compare_types(const channel::ChannelSpec& ours, const channel::ChannelSpec& opener) {
  if (ours.out_type == opener.out_type && ours.in_type == opener.in_type) return {};
  return Error(
      Code::invalid_argument, "open",
      fmt::format("service {} carries {} to the server and {} back; the opener has {} and "
                  "{}; build both ends from one descriptor",
                  ours.service, ours.out_type, ours.in_type, opener.out_type, opener.in_type));
}

Result<> check_capacity(std::uint32_t capacity, const char* operation) {
  if (capacity > 0) return {};
  return Error(Code::invalid_argument, operation,
               "capacity 0, a rendezvous, exists only in process; over a network use at least 1");
}

Code reset_status(const Error& how) {
  switch (how.status()) {
    case Code::closed:
    case Code::stopped: return Code::cancelled;
    case Code::lost: return Code::unavailable;
    case Code::ok:
    case Code::reset: return Code::unknown;
    default: return how.status();
  }
}

}  // namespace tubing::detail
