#include "tubing/rpc/detail/session.h"

#include <fmt/format.h>

#include "tubing/rpc/detail/node_port.h"

namespace tubing::rpc {

using channel::ChannelSpec;
using channel::IncomingPort;

Session::Session(std::uint64_t id, Side side, const Parts& parts, std::unique_ptr<Link> link,
                 crypto::Handshake handshake)
    : id_(id),
      side_(side),
      early_items_(parts.limits.early_items),
      events_(parts.events),
      mux_(side, parts.limits, *this),
      secure_(parts.scheduler, parts.buffers, std::move(link), std::move(handshake), *this) {}

Session::~Session() {
  const Error gone(Code::lost, "session", "this node was closed");
  for (auto& [id, port] : ports_) port->on_lost(gone);
}

Result<std::unique_ptr<channel::Port>> Session::open(const ChannelSpec& spec) {
  Result<ChannelId> id = mux_.open({.service = spec.service,
                                    .out_type = spec.out_type,
                                    .in_type = spec.in_type,
                                    .capacity = spec.capacity,
                                    .channel_class = spec.channel_class,
                                    .delivery = spec.delivery});
  if (!id) return std::move(id).error();
  secure_.request_flush();
  return make_port(*id);
}

void Session::close() {
  if (!std::exchange(closing_, true)) mux_.goodbye();
  secure_.close(goodbye_seen_);
}

std::unique_ptr<NodePort> Session::make_port(ChannelId id) {
  auto port = std::make_unique<NodePort>(*this, id, peer_);
  ports_.emplace(id, port.get());
  return port;
}

NodePort* Session::find(ChannelId id) {
  if (last_found_ && last_found_->id() == id) return last_found_;
  const auto found = ports_.find(id);
  if (found == ports_.end()) return nullptr;
  return last_found_ = found->second;
}

void Session::forget(ChannelId id) {
  ports_.erase(id);
  last_found_ = nullptr;
}

void Session::on_secured(const crypto::HandshakeResult& result) {
  identity_ = result.peer;
  peer_ = std::make_shared<const PeerInfo>(
      PeerInfo{.name = result.peer.name,
               .key = result.peer.key.fingerprint(),
               .roles = result.peer.roles,
               .usage = std::string(crypto::usage_name(result.peer.usage)),
               .address = secure_.peer_address()});
}

Result<> Session::on_record(ByteView plaintext) {
  Result<> read = mux_.on_record(plaintext);
  if (peer_refused_) return *peer_refused_;
  return read;
}

void Session::on_refusing(const Error& why) {
  if (!peer_refused_) mux_.refuse(why.status(), why.detail());
}

void Session::on_link_end(const Error& why) {
  Error how = why;
  if (why.code() == Code::closed && !goodbye_seen_)
    how = Error(Code::lost, "session", "the peer's stream ended without a goodbye: cut short");
  Error lost(Code::lost, "session",
             goodbye_seen_ ? "the peer closed the session" : std::string_view(how.text()));
  // A told port may drop others: walk by number.
  for (auto next = ports_.begin(); next != ports_.end();) {
    const ChannelId id = next->first;
    NodePort* port = next->second;
    ports_.erase(next);
    port->on_lost(lost);
    next = ports_.upper_bound(id);
  }
  last_found_ = nullptr;
  events_.on_session_end(*this, how);
}

void Session::on_settings(const SettingsFrame&) {
  up_ = true;
  events_.on_session_up(*this);
}

void Session::on_open(ChannelId id, const OpenRequest& request) {
  events_.on_incoming(IncomingPort{ChannelSpec{.service = std::string(request.service),
                                               .out_type = std::string(request.out_type),
                                               .in_type = std::string(request.in_type),
                                               .capacity = request.capacity,
                                               .channel_class = request.channel_class,
                                               .delivery = request.delivery},
                                   make_port(id)});
}

void Session::on_message(ChannelId id, ByteView message) {
  if (NodePort* port = find(id)) port->on_message(message);
}

void Session::on_writable(ChannelId id) {
  if (NodePort* port = find(id)) port->on_writable();
}

void Session::on_close(ChannelId id) {
  if (NodePort* port = find(id)) port->on_receive_end(Error(Code::closed, "channel"));
}

void Session::on_stop(ChannelId id) {
  if (NodePort* port = find(id))
    port->on_send_end(Error(Code::stopped, "channel", "the receiver wants no more"));
}

void Session::on_reset(ChannelId id, Code status, std::string_view text) {
  NodePort* port = find(id);
  if (!port) return;
  const Error how = Error::reset_by_peer(status, "channel", printable(text));
  port->on_send_end(how);
  if (find(id) == port) port->on_receive_end(how);
}

void Session::on_taken_by_peer(ChannelId id, std::uint64_t messages) {
  if (NodePort* port = find(id)) port->on_taken_by_peer(messages);
}

void Session::on_goodbye() {
  goodbye_seen_ = true;
  close();
}

void Session::on_refused(Code status, std::string_view text) {
  peer_refused_.emplace(status, "session", fmt::format("refused by the peer: {}", printable(text)));
}

}  // namespace tubing::rpc
