#include "tubing/channel/network.h"

#include <fmt/format.h>

#include "tubing/channel/detail/port_binding.h"

namespace tubing::detail {
namespace {

std::string_view delivery_name(channel::Delivery delivery) {
  return delivery == channel::Delivery::datagram ? "datagram" : "ordered";
}

}  // namespace

const PeerInfo kNobody;

Error passed_on(const char* operation) {
  return Error(Code::failed_precondition, operation,
               "this end was passed on in a message; its new owner uses it");
}

Error nobody_flushes() {
  return Error(Code::invalid_argument, "flush",
               "nobody tells here what was taken; flush an ordered channel to a peer");
}

Result<> compare_specs(const channel::ChannelSpec& ours, const channel::ChannelSpec& opener) {
  if (ours.out_type != opener.out_type || ours.in_type != opener.in_type) {
    const std::string what =
        ours.service.empty() ? "the channel in this message" : "service " + ours.service;
    return Error(Code::invalid_argument, "open",
                 fmt::format("{} carries {} to the server and {} back; the opener has {} and "
                             "{}; build both ends from one descriptor",
                             what, ours.out_type, ours.in_type, opener.out_type, opener.in_type));
  }
  if (ours.delivery == opener.delivery) return {};
  return Error(
      Code::invalid_argument, "open",
      fmt::format("service {} is {}; the opener has {}; build both ends from one "
                  "descriptor",
                  ours.service, delivery_name(ours.delivery), delivery_name(opener.delivery)));
}

Result<> check_spec(const channel::ChannelSpec& spec, bool carries_ends, const char* operation) {
  if (spec.capacity == 0) {
    return Error(Code::invalid_argument, operation,
                 "capacity 0, a rendezvous, exists only in process; over a network use at least 1, "
                 "and flush() to wait until values were taken");
  }
  if (carries_ends && spec.delivery == channel::Delivery::datagram) {
    return Error(Code::invalid_argument, operation,
                 "a datagram may be lost, and the ends of channels in it with it; use an ordered "
                 "service for values that carry ends");
  }
  return {};
}

Result<> check_travel(Travel verdict) {
  switch (verdict) {
    case Travel::allowed: return {};
    case Travel::used:
      return Error(Code::invalid_argument, "send",
                   "the end of a channel in this value was used; pass a fresh one, on which "
                   "nothing was sent, received or awaited");
    case Travel::elsewhere:
      return Error(Code::invalid_argument, "send",
                   "the end of a channel in this value came over a network or was passed on; make "
                   "a duplex of your own, pass its end, and copy the values across");
    case Travel::rendezvous:
      return Error(Code::invalid_argument, "send",
                   "the end of a channel in this value has capacity 0, a rendezvous, which exists "
                   "only in process; make it with at least 1");
    case Travel::twice:
      return Error(Code::invalid_argument, "send",
                   "the end of a channel is in this value twice; an end has one owner");
  }
  return {};
}

std::uint64_t EndWriter::next_number() {
  if (failure_) return 0;
  Result<std::uint64_t> number = carrier_.next_passed(count_++);
  if (number) return *number;
  failure_.emplace(std::move(number).error());
  return 0;
}

Result<channel::IncomingPort> EndReader::claim(std::uint64_t number,
                                               const channel::ChannelSpec& expected) {
  Result<channel::IncomingPort> claimed = carrier_.claim(number);
  if (!claimed) return claimed;
  if (Result<> same = compare_specs(expected, claimed->spec); !same) {
    claimed->port->reset(same.error().code(), same.error().detail());
    return std::move(same).error();
  }
  return claimed;
}

Error with_taken(const Error& how, std::uint64_t taken, std::uint64_t sent) {
  const std::string text = fmt::format("{}{}{} of the {} values that were sent had been taken",
                                       how.detail(), how.detail().empty() ? "" : "; ", taken, sent);
  if (how.code() == Code::reset) return Error::reset_by_peer(how.status(), how.operation(), text);
  return Error(how.code(), how.operation(), text);
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
