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
      early_items_(parts.limits.mux.early_items),
      scheduler_(parts.scheduler),
      limits_(parts.limits),
      events_(parts.events),
      mux_(side, parts.limits.mux, *this, &parts.budget),
      secure_(parts.scheduler, parts.buffers, std::move(link), std::move(handshake), *this),
      clock_(parts.scheduler, *this) {}

Session::~Session() {
  const Error gone(Code::lost, "session", "this node was closed");
  for (auto& [id, port] : ports_) port->on_lost(gone);
}

Result<std::unique_ptr<channel::Port>> Session::open(const ChannelSpec& spec, ChannelId carrier) {
  Result<ChannelId> id = mux_.open({.service = spec.service,
                                    .out_type = spec.out_type,
                                    .in_type = spec.in_type,
                                    .capacity = spec.capacity,
                                    .channel_class = spec.channel_class,
                                    .delivery = spec.delivery,
                                    .carrier = carrier});
  if (!id) return std::move(id).error();
  secure_.request_flush();
  return make_port(*id);
}

Result<IncomingPort> Session::claim(ChannelId carrier, ChannelId id) {
  const auto found = unclaimed_.find({carrier, id});
  // Behind our goodbye no channel is taken any more, nor one that is passed.
  if (found == unclaimed_.end() && closing_)
    return Error(Code::lost, "recv", "the session ended before the channel in it");
  if (found == unclaimed_.end())
    return Error(
        Code::invalid_argument, "recv",
        fmt::format("no channel {} came with this message, or it was taken before", number(id)));
  IncomingPort claimed = std::move(found->second);
  unclaimed_.erase(found);
  return claimed;
}

// A dropped port may have carried others: each time the first that is left is looked for anew.
void Session::drop_unclaimed(ChannelId carrier) {
  for (;;) {
    const auto next = unclaimed_.lower_bound({carrier, ChannelId{}});
    if (next == unclaimed_.end() || next->first.first != carrier) return;
    const auto dropped = unclaimed_.extract(next);
    dropped.mapped().port->reset(Code::cancelled, "the message that carried it was dropped");
  }
}

void Session::close() {
  if (!std::exchange(closing_, true)) mux_.goodbye();
  secure_.close(goodbye_seen_);
}

void Session::drain() {
  if (std::exchange(draining_, true)) return;
  mux_.goaway();
  secure_.request_flush();
}

/// Only once the peer has said goaway too: until then channels that it opened may be on their way.
void Session::close_if_drained() {
  if (draining_ && peer_drains_ && !closing_ && !secure_.ended() && mux_.channels() == 0) close();
}

void Session::show_certificate(ByteView renewal) {
  mux_.certificate(renewal);
  secure_.request_flush();
}

std::size_t Session::fill_record(MutableBytes plaintext) {
  const std::size_t size = mux_.fill_record(plaintext);
  if (draining_) close_if_drained();
  return size;
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
  if (draining_) close_if_drained();
}

void Session::on_secured(const crypto::HandshakeResult& result) {
  process_ = {result.peer.key, result.peer_static};
  session_hash_ = result.session_hash;
  know(result.peer);
}

/// What the peer is known as from now on: to new channels, and to the clock.
void Session::know(const crypto::PeerIdentity& identity) {
  identity_ = identity;
  peer_ = std::make_shared<const PeerInfo>(
      PeerInfo{.name = identity.name,
               .key = identity.key.fingerprint(),
               .roles = identity.roles,
               .usage = std::string(crypto::usage_name(identity.usage)),
               .address = secure_.peer_address()});
  clock_.expire_at({identity.not_after.since_epoch_ns + crypto::kExpiryGrace.count()});
}

Result<> Session::on_record(ByteView plaintext) {
  Result<> read = mux_.on_record(plaintext);
  if (peer_refused_) return *peer_refused_;
  if (fault_) return *fault_;
  if (draining_) close_if_drained();
  return read;
}

void Session::on_certificate(ByteView renewal) {
  Result<crypto::PeerIdentity> renewed = events_.on_certificate(*this, renewal);
  if (!renewed) {
    fault_ = std::move(renewed).error();
    return;
  }
  know(*renewed);
}

void Session::on_goaway() {
  peer_drains_ = true;
  if (!draining_) events_.on_session_drains(*this, "the peer takes no more channels");
  drain();
}

void Session::on_ping_due() {
  ++pings_;
  events_.on_session_pings(*this);
  (void)mux_.ping();
  secure_.request_flush();
}

void Session::on_silence(Duration silent) {
  using std::chrono::milliseconds;
  fail(Error(Code::deadline_exceeded, "keepalive",
             fmt::format("the peer was silent for {} ms, and did not answer a ping",
                         std::chrono::duration_cast<milliseconds>(silent).count())));
}

void Session::on_drain_due() {
  events_.on_session_drains(*this, "it is old");
  drain();
}

void Session::on_end_due() {
  fail(Error(Code::unavailable, "session",
             "the session is too old, and its channels did not end in time; open them again"));
}

void Session::on_expired() {
  fail(Error(Code::unauthenticated, "session",
             fmt::format("the certificate of {} expired on {} and was not renewed within {} s",
                         identity_->name, crypto::date_text(identity_->not_after),
                         crypto::kExpiryGrace / std::chrono::seconds(1))));
}

std::string_view Session::state_name() const {
  if (closing_ || secure_.ended()) return "closing";
  if (!up_) return "connecting";
  return draining_ ? "draining" : "up";
}

SessionStats Session::stats() {
  const auto ms = [](Duration span) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, span.count()) / 1'000'000);
  };
  const LinkCounts& counts = secure_.counts();
  return {.number = id_,
          .peer = peer_ ? peer_->name : std::string(),
          .key = peer_ ? peer_->key : std::string(),
          .address = secure_.peer_address(),
          .dialled = side_ == Side::dialler,
          .state = std::string(state_name()),
          .age_ms = up_ ? ms(clock_.age()) : 0,
          .idle_ms = ms(scheduler_.now() - secure_.last_heard()),
          .records_out = counts.records_out,
          .bytes_out = counts.bytes_out,
          .flushes = counts.flushes,
          .unwritten_bytes = secure_.unwritten_bytes(),
          .records_in = counts.records_in,
          .bytes_in = counts.bytes_in,
          .partial_bytes = secure_.partial_bytes(),
          .pings = pings_,
          .promised_bytes = mux_.promised_bytes(),
          .channels = mux_.stats()};
}

void Session::on_refusing(const Error& why) {
  if (!peer_refused_) mux_.refuse(why.status(), why.detail());
}

void Session::on_link_end(const Error& why) {
  clock_.stop();
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
  unclaimed_.clear();
  events_.on_session_end(*this, how);
}

void Session::on_settings(const SettingsFrame& settings) {
  up_ = true;
  // The listener announces how life is kept, and both judge by it.
  const auto span = [](std::uint64_t ms) {
    return std::chrono::milliseconds(std::min<std::uint64_t>(ms, UINT32_MAX));
  };
  const KeepalivePolicy announced{span(settings.ping_after_ms), span(settings.dead_after_ms)};
  const KeepalivePolicy own{span(limits_.mux.ping_after_ms), span(limits_.mux.dead_after_ms)};
  clock_.start(side_ == Side::dialler ? announced : own,
               {limits_.session_age_max, limits_.session_age_max + limits_.drain_time_max});
  events_.on_session_up(*this);
}

void Session::on_open(ChannelId id, const OpenRequest& request) {
  IncomingPort incoming{ChannelSpec{.service = std::string(request.service),
                                    .out_type = std::string(request.out_type),
                                    .in_type = std::string(request.in_type),
                                    .capacity = request.capacity,
                                    .channel_class = request.channel_class,
                                    .delivery = request.delivery},
                        make_port(id)};
  if (number(request.carrier) == 0) return events_.on_incoming(std::move(incoming));
  const NodePort* carrier = find(request.carrier);
  if (carrier && carrier->takes_passed()) {
    unclaimed_.emplace(std::pair(request.carrier, id), std::move(incoming));
  } else {
    incoming.port->reset(Code::cancelled, "the channel that carries it takes nothing more");
  }
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
