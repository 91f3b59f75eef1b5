#include "tubing/rpc/detail/half_open.h"

#include <arpa/inet.h>

#include <cstring>

#include "tubing/crypto/preamble.h"

namespace tubing::rpc {

std::string source_of(std::string_view peer_address) {
  std::string host(peer_address.substr(0, peer_address.rfind(':')));
  if (!host.starts_with('[')) return host;
  in6_addr network{};
  const std::string text = host.substr(1, host.find_first_of("]%") - 1);
  if (inet_pton(AF_INET6, text.c_str(), &network) != 1) return host;
  if (IN6_IS_ADDR_V4MAPPED(&network)) return host;
  std::memset(&network.s6_addr[8], 0, 8);
  char out[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, &network, out, sizeof out);
  return out;
}

void tell_busy(std::unique_ptr<Link> link) {
  static constexpr auto kWords = crypto::encode_preamble(crypto::kBusyPreamble);
  struct : LinkEvents {
    void on_bytes(MutableBytes) override {}
    void on_writable() override {}
    void on_end(Error) override {}
  } deaf;
  link->start(deaf);
  (void)link->write(kWords);
  link.reset();
}

HalfOpen::HalfOpen(Scheduler& scheduler, const NodeLimits& limits, Begin begin)
    : scheduler_(scheduler),
      limits_(limits),
      begin_(std::move(begin)),
      alarm_(scheduler, [this] { drop_late(); }) {}

bool HalfOpen::admit(std::unique_ptr<Link>& link) {
  const std::string name = source_of(link->peer_address());
  const bool full = size() >= limits_.half_open_max;
  const auto found = sources_.find(name);
  const bool must_wait =
      found != sources_.end() && found->second.begun >= limits_.half_open_per_address_max;
  if (full || (must_wait && found->second.line.size() >= limits_.half_open_waiting_max)) {
    ++dropped_;
    return false;
  }
  Source& source = sources_[name];
  if (!must_wait) {
    begin(source, name, std::move(link), limits_.handshake_time_max);
    return true;
  }
  line_.push_back({std::move(link), name, scheduler_.now() + limits_.handshake_time_max});
  source.line.push_back(std::prev(line_.end()));
  if (!alarm_.is_set()) alarm_.set(line_.front().until);
  return true;
}

void HalfOpen::begin(Source& source, const std::string& name, std::unique_ptr<Link> link,
                     Duration time) {
  ++source.begun;
  ++begun_;
  begin_(std::move(link), name, time);
}

void HalfOpen::settle(const std::string& name) {
  const auto found = sources_.find(name);
  Source& source = found->second;
  --source.begun;
  --begun_;
  while (!source.line.empty()) {
    const auto first = source.line.front();
    source.line.pop_front();
    const Duration left = first->until - scheduler_.now();
    std::unique_ptr<Link> link = std::move(first->link);
    line_.erase(first);
    if (left > Duration::zero()) return begin(source, name, std::move(link), left);
    tell_busy(std::move(link));
    ++dropped_;
  }
  if (source.begun == 0 && source.line.empty()) sources_.erase(found);
}

void HalfOpen::drop_late() {
  const Time now = scheduler_.now();
  while (!line_.empty() && line_.front().until <= now) {
    Source& source = sources_.at(line_.front().source);
    source.line.pop_front();  // Of one source, too, the oldest is the first.
    tell_busy(std::move(line_.front().link));
    line_.pop_front();
    ++dropped_;
  }
  if (!line_.empty()) alarm_.set(line_.front().until);
}

void HalfOpen::clear() {
  line_.clear();
  for (auto& [name, source] : sources_) source.line.clear();
  std::erase_if(sources_, [](const auto& entry) { return entry.second.begun == 0; });
}

}  // namespace tubing::rpc
