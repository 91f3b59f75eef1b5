#include "tubing/rpc/detail/node_core.h"

#include <fmt/format.h>

namespace tubing::rpc {

using channel::ChannelSpec;
using channel::IncomingPort;

Result<DialTarget> DialTarget::parse(const PeerName& peer) {
  static constexpr const char* kAdvice =
      "write NAME@HOST:PORT or FINGERPRINT@HOST:PORT, so that it is known who must answer";
  const std::string_view text = peer.text;
  const std::size_t at = text.rfind('@');
  Result<crypto::ExpectedPeer> who = crypto::ExpectedPeer::parse(text.substr(0, at));
  if (!who)
    return Error(Code::invalid_argument, "open",
                 fmt::format("\"{}\" names no peer ({}); {}", text, who.error().detail(), kAdvice));
  if (at == std::string_view::npos) return DialTarget{*std::move(who), std::nullopt};
  Result<Address> address = Address::parse(text.substr(at + 1));
  if (!address)
    return Error(Code::invalid_argument, "open",
                 fmt::format("\"{}\": {}; {}", text, address.error().detail(), kAdvice));
  return DialTarget{*std::move(who), *std::move(address)};
}

Node::Core::~Core() {
  const Error gone(Code::cancelled, "node", "the node was destroyed");
  for (auto& [peer, dial] : dials_) dial->done.close(gone);
  for (auto& [name, incoming] : services_) incoming.close();
  drained_.close(gone);
  destroyed_.close();
}

Result<Address> Node::Core::listen(const Address& address) {
  Result<std::unique_ptr<Listener>> listener = parts_.transport.listen(
      address, [this](std::unique_ptr<Link> link) { on_link(std::move(link)); });
  if (!listener) return std::move(listener).error();
  listeners_.push_back(*std::move(listener));
  return listeners_.back()->address();
}

Result<Receiver<IncomingPort>> Node::Core::accept(std::string service, std::uint32_t backlog) {
  Sender<IncomingPort>& place = services_[service];
  if (place && !place.core()->alone())
    return Error(Code::already_exists, "accept",
                 fmt::format("service {} is accepted already", service));
  const Channel<IncomingPort> incoming{backlog};
  place = incoming.tx();
  return incoming.rx();
}

std::vector<PeerInfo> Node::Core::peers() const {
  std::vector<PeerInfo> out;
  for (const auto& [id, entry] : sessions_)
    if (entry.session->up()) out.push_back(entry.session->peer());
  return out;
}

Task<std::unique_ptr<channel::Port>> Node::Core::open(PeerName peer, ChannelSpec spec,
                                                      Deadline deadline) {
  const DialTarget target = co_await ok(DialTarget::parse(peer));
  Session* session = newest(target);
  if (!session) {
    if (!target.address)
      co_return Error(Code::unavailable, "open",
                      fmt::format("no session with {} is open, and its address is not known; write "
                                  "{}@HOST:PORT",
                                  peer.text, peer.text));
    const Channel<char> destroyed = destroyed_;
    const Channel<char> done = dial(peer, target);
    Result<char> up = co_await done.recv(deadline);
    if (up.code() != Code::closed)
      co_return Error(up.error().status(), "open", up.error().detail());
    if (destroyed.core()->ended())
      co_return Error(Code::cancelled, "open", "the node was destroyed");
    session = newest(target);
    if (!session)
      co_return Error(Code::unavailable, "open", "the session ended as soon as it was up");
  }
  co_return session->open(spec);
}

/// The newest session with the peer. Where an address was given a server was meant, and a peer
/// that connected to us counts only if its certificate lets it serve.
Session* Node::Core::newest(const DialTarget& target) const {
  for (auto it = sessions_.rbegin(); it != sessions_.rend(); ++it) {
    Session& session = *it->second.session;
    if (!session.up()) continue;
    const crypto::PeerIdentity& identity = session.identity();
    const bool wanted = target.who.name()  ? *target.who.name() == identity.name
                        : target.who.key() ? *target.who.key() == identity.key
                                           : false;
    const bool may_serve =
        session.side() == Side::dialler || identity.usage != crypto::Usage::client;
    if (wanted && (may_serve || !target.address)) return &session;
  }
  return nullptr;
}

Channel<char> Node::Core::dial(const PeerName& peer, const DialTarget& target) {
  const auto found = dials_.find(peer.text);
  if (found != dials_.end()) return found->second->done;
  auto too_late = [this, text = peer.text] {
    finish_dial(text, Error(Code::unavailable, "open",
                            fmt::format("{} did not answer within {} ms", text,
                                        std::chrono::duration_cast<std::chrono::milliseconds>(
                                            limits_.dial_time_max)
                                            .count())));
  };
  Dial& dial =
      *dials_.emplace(peer.text, std::make_unique<Dial>(parts_.scheduler, too_late)).first->second;
  dial.deadline.set(limits_.dial_time_max);
  dial.dialing = parts_.transport.dial(*target.address, [this, text = peer.text, who = target.who](
                                                            Result<std::unique_ptr<Link>> link) {
    on_dialed(text, who, std::move(link));
  });
  return dial.done;
}

void Node::Core::on_dialed(const std::string& peer, const crypto::ExpectedPeer& who,
                           Result<std::unique_ptr<Link>> link) {
  const auto found = dials_.find(peer);
  if (found == dials_.end()) return;
  if (!link) return finish_dial(peer, std::move(link).error());
  Result<crypto::Handshake> handshake = crypto::Handshake::dial(
      {.credentials = parts_.credentials, .trust = parts_.trust, .expected = who}, parts_.entropy);
  if (!handshake) return finish_dial(peer, std::move(handshake).error());
  Session& session = add_session(Side::dialler, *std::move(link), *std::move(handshake));
  found->second->session_id = session.id();
  session.start({limits_.handshake_time_max, limits_.linger_time_max});
}

void Node::Core::finish_dial(const std::string& peer, Error how) {
  const auto found = dials_.find(peer);
  if (found == dials_.end()) return;
  found->second->done.close(std::move(how));
  found->second->deadline.clear();
  done_dials_.push_back(std::move(found->second));
  dials_.erase(found);
  parts_.scheduler.at_turn_end(*this);
}

void Node::Core::on_link(std::unique_ptr<Link> link) {
  if (half_open_ >= limits_.half_open_max || sessions_.size() >= limits_.sessions_max)
    return log(
        LogLevel::warning,
        fmt::format("{}: dropped: as many connections as the limits allow", link->peer_address()));
  Session& session =
      add_session(Side::listener, std::move(link),
                  crypto::Handshake::listen(
                      {.credentials = parts_.credentials, .trust = parts_.trust}, parts_.entropy));
  session.start({limits_.handshake_time_max, limits_.linger_time_max});
}

Session& Node::Core::add_session(Side side, std::unique_ptr<Link> link,
                                 crypto::Handshake handshake) {
  const std::uint64_t id = next_session_id_++;
  ++half_open_;
  Entry& entry = sessions_[id];
  entry.session = std::make_unique<Session>(
      id, side, Session::Parts{parts_.scheduler, buffers_, limits_.mux, *this}, std::move(link),
      std::move(handshake));
  return *entry.session;
}

void Node::Core::settle_half_open(Session& session) {
  Entry& entry = sessions_.at(session.id());
  if (std::exchange(entry.half_open, false)) --half_open_;
}

void Node::Core::on_session_up(Session& session) {
  settle_half_open(session);
  log(LogLevel::info, fmt::format("{}: session with {} ({})", session.peer_address(),
                                  session.peer().name, session.peer().key));
  for (auto& [peer, dial] : dials_)
    if (dial->session_id == session.id())
      return finish_dial(std::string(peer), Error(Code::closed, "open"));
}

void Node::Core::on_incoming(IncomingPort incoming) {
  const auto found = services_.find(incoming.spec.service);
  if (found == services_.end() || found->second.core()->alone())
    return incoming.port->reset(
        Code::unimplemented,
        fmt::format("no service named {} is served here", incoming.spec.service));
  if (found->second.size() == found->second.capacity() && found->second.capacity() > 0)
    return incoming.port->reset(
        Code::resource_exhausted,
        fmt::format("too many channels wait to be accepted by {}", incoming.spec.service));
  Result<bool> taken = found->second.try_send(std::move(incoming));
  TUBING_ASSERT(taken.has_value());
}

void Node::Core::on_session_end(Session& session, const Error& why) {
  settle_half_open(session);
  const bool in_order = why.code() == Code::closed || why.code() == Code::cancelled;
  log(in_order ? LogLevel::info : LogLevel::warning,
      fmt::format("{}: session ended: {}: {}", session.peer_address(), code_name(why.status()),
                  why.detail()));
  for (auto& [peer, dial] : dials_) {
    if (dial->session_id != session.id()) continue;
    const Code code =
        why.code() == Code::closed || why.code() == Code::lost ? Code::unavailable : why.status();
    return finish_dial(std::string(peer),
                       Error(code, "open", fmt::format("{}: {}", peer, why.detail())));
  }
}

void Node::Core::on_session_gone(Session& session) {
  gone_.push_back(session.id());
  parts_.scheduler.at_turn_end(*this);
}

void Node::Core::on_turn_end() {
  done_dials_.clear();
  for (const std::uint64_t id : std::exchange(gone_, {})) sessions_.erase(id);
  if (sessions_.empty()) drained_.close();
}

Task<> Node::Core::close(Deadline deadline) {
  listeners_.clear();
  while (!dials_.empty())
    finish_dial(std::string(dials_.begin()->first),
                Error(Code::cancelled, "open", "the node is closing"));
  for (auto& [id, entry] : sessions_) entry.session->close();
  if (sessions_.empty()) co_return {};
  if (drained_.core()->ended()) drained_ = Channel<char>{0};
  const Channel<char> drained = drained_;
  Result<char> waited = co_await drained.recv(deadline);
  if (waited.code() == Code::closed) co_return {};
  co_return std::move(waited).error();
}

void Node::Core::log(LogLevel level, std::string_view line) {
  if (parts_.logger) parts_.logger->log(level, "rpc", line);
}

}  // namespace tubing::rpc
