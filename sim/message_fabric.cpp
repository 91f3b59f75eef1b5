#include "tubing/sim/message_fabric.h"

#include <algorithm>

#include "tubing/sim/detail/message_endpoint.h"
#include "tubing/sim/world.h"

namespace tubing::sim {

using detail::MessageEndpoint;
using detail::MessageRoute;
using detail::MessageSession;

MessageFabric::MessageFabric(World& world, Links& links, const NetworkConditions& conditions)
    : world_(world), links_(links), conditions_(conditions) {
  links_.observe(*this);
}

MessageFabric::~MessageFabric() = default;

Time MessageFabric::now() const { return world_.now(); }

MessageRoute& MessageFabric::route(HostId from, HostId to) {
  if (routes_.size() <= from) routes_.resize(from + 1);
  auto& row = routes_[from];
  if (row.size() <= to) row.resize(to + 1);
  if (!row[to]) row[to] = std::make_unique<MessageRoute>(links_, conditions_, from, to);
  return *row[to];
}

void MessageFabric::note(Time at, std::string_view kind, std::uint64_t subject, ByteView payload) {
  world_.run_hash().on_event(at, kind, subject, payload);
}

void MessageFabric::join(MessageEndpoint& endpoint) {
  const auto behind = std::ranges::find_if(endpoints_, [&](const MessageEndpoint* other) {
    return other->process() > endpoint.process();
  });
  endpoints_.insert(behind, &endpoint);
}

void MessageFabric::leave(MessageEndpoint& endpoint) {
  std::erase(endpoints_, &endpoint);
  for (MessageEndpoint* other : endpoints_) other->on_peer_gone(endpoint);
}

MessageSession& MessageFabric::add_session(MessageEndpoint& dialler, MessageEndpoint& listener) {
  return *sessions_.emplace_back(std::make_unique<MessageSession>(*this, dialler, listener));
}

void MessageFabric::forget_if_over(MessageSession& session) {
  if (walks_ > 0 || !session.is_over()) return;
  std::erase_if(sessions_, [&](const auto& held) { return held.get() == &session; });
}

std::size_t MessageFabric::channels() const {
  std::size_t count = 0;
  for (const auto& session : sessions_) count += session->channels();
  return count;
}

void MessageFabric::on_link_change(HostId from, HostId to) {
  MessageRoute& changed = route(from, to);
  const bool was_connected = changed.connected();
  changed.refresh();
  ++walks_;
  for (const auto& session : sessions_) session->on_link_change(changed, was_connected);
  --walks_;
  std::erase_if(sessions_, [](const auto& session) { return session->is_over(); });
}

void MessageFabric::on_link_ease(HostId from, HostId to) {
  MessageRoute& eased = route(from, to);
  eased.clear_line();
  for (const auto& session : sessions_) session->on_link_ease(eased);
}

void MessageFabric::on_deliver_late(HostId from, HostId to) {
  MessageRoute& whose = route(from, to);
  for (const detail::KeptMessage& message : whose.take_kept())
    for (const auto& session : sessions_) session->deliver_late(whose, message, now());
}

}  // namespace tubing::sim
