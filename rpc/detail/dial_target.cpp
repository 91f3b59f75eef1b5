#include "tubing/rpc/detail/dial_target.h"

#include <fmt/format.h>

namespace tubing::rpc {
namespace {

constexpr const char* kAdvice =
    "write NAME@HOST:PORT or FINGERPRINT@HOST:PORT, so that it is known who must answer";

Error refuse(const char* operation, std::string_view text, std::string_view why) {
  return Error(Code::invalid_argument, operation,
               fmt::format("\"{}\"{}; {}", printable(text), why, kAdvice));
}

}  // namespace

Result<DialTarget> DialTarget::parse(const PeerName& peer, std::uint32_t addresses_max) {
  const std::string_view text = peer.text;
  const std::size_t at = text.rfind('@');
  Result<crypto::ExpectedPeer> who = crypto::ExpectedPeer::parse(text.substr(0, at));
  if (!who) return refuse("open", text, fmt::format(" names no peer ({})", who.error().detail()));
  DialTarget target{peer.text, *std::move(who), {}, at != std::string_view::npos};
  if (!target.named_address) return target;
  std::string_view rest = text.substr(at + 1);
  for (;;) {
    const std::size_t comma = rest.find(',');
    Result<Address> address = Address::parse(rest.substr(0, comma));
    if (!address) return refuse("open", text, fmt::format(": {}", address.error().detail()));
    if (target.addresses.size() >= addresses_max)
      return refuse("open", text, fmt::format(" has more than {} addresses", addresses_max));
    target.addresses.push_back(*std::move(address));
    if (comma == std::string_view::npos) return target;
    rest.remove_prefix(comma + 1);
  }
}

Result<> LearnedAddresses::learn(const PeerName& peer, const std::vector<std::string>& addresses) {
  Result<crypto::ExpectedPeer> who = crypto::ExpectedPeer::parse(peer.text);
  if (!who)
    return Error(Code::invalid_argument, "learn",
                 fmt::format("\"{}\" names no peer ({}); give its NAME or FINGERPRINT alone, and "
                             "the addresses beside it",
                             printable(peer.text), who.error().detail()));
  std::vector<Address> parsed;
  for (const std::string& text : addresses) {
    Result<Address> address = Address::parse(text);
    if (!address) return address.error().met_by("learn");
    parsed.push_back(*std::move(address));
  }
  if (parsed.size() > limits_.addresses_max)
    return Error(Code::invalid_argument, "learn",
                 fmt::format("{} addresses of {} are more than the limit of {}", parsed.size(),
                             peer.text, limits_.addresses_max));
  const std::string key = who->text();
  if (parsed.empty()) {
    addresses_.erase(key);
    return {};
  }
  if (addresses_.size() >= limits_.learned_max && !addresses_.contains(key))
    return Error(Code::resource_exhausted, "learn",
                 fmt::format("the addresses of {} peers are known, the most that the limit allows",
                             addresses_.size()));
  addresses_[key] = std::move(parsed);
  return {};
}

void LearnedAddresses::complete(DialTarget& target) const {
  if (target.named_address) return;
  const auto found = addresses_.find(target.who.text());
  if (found != addresses_.end()) target.addresses = found->second;
}

}  // namespace tubing::rpc
