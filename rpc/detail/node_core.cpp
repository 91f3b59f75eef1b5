#include "tubing/rpc/detail/node_core.h"

namespace tubing::rpc {

using channel::ChannelSpec;
using channel::IncomingPort;

namespace {

/// Errors: failed_precondition where no dialler would believe this certificate.
Result<> check_may_listen(const crypto::Certificate& own, WallTime now) {
  const crypto::Claims& claims = own.claims;
  if (now > claims.not_after)
    return Error(Code::failed_precondition, "listen",
                 fmt::format("the certificate of {} expired on {}, so that every peer would refuse "
                             "it; renew it first",
                             claims.name, crypto::date_text(claims.not_after)));
  if (!allows(claims.usage, crypto::Usage::server))
    return Error(Code::failed_precondition, "listen",
                 fmt::format("the certificate of {} has usage {}, so that every dialler would "
                             "refuse it; get one with usage server or both",
                             claims.name, crypto::usage_name(claims.usage)));
  return {};
}

/// As they stand behind a number of them.
constexpr std::array<std::string_view, kNuisances> kNuisanceNames{
    "connections were dropped", "connections ended before their peers had proven themselves",
    "sessions ended", "newer certificates were not believed"};

}  // namespace

Node::Core::Core(const NodeParts& parts, const NodeLimits& limits)
    : parts_(parts),
      limits_(limits),
      lowest_(parts.logger ? parts.logger->lowest("rpc") : LogLevel::error),
      log_limits_(parts.scheduler, limits_.warnings_per_second_max,
                  [this](Nuisance kind, std::uint64_t held_back) {
                    log(LogLevel::warning, "{} more {} within a second; at debug each has a line",
                        held_back, kNuisanceNames[static_cast<std::size_t>(kind)]);
                  }),
      budget_(limits.receive_bytes_max),
      learned_(limits_),
      half_open_(parts.scheduler, limits_,
                 [this](std::unique_ptr<Link> link, const std::string& source, Duration time) {
                   Session& session =
                       add_session(Side::listener, std::move(link),
                                   crypto::Handshake::listen(handshake_config(), parts_.entropy));
                   sessions_.entry(session).source = source;
                   session.start({time, limits_.linger_time_max});
                 }),
      dials_(parts.scheduler, parts.transport, limits_, *this) {}

Node::Core::~Core() {
  const Error gone(Code::cancelled, "node", "the node was destroyed");
  dials_.close(gone);
  for (auto& [name, incoming] : services_) incoming.close();
  drained_.close(gone);
  destroyed_.close();
}

Result<Address> Node::Core::listen(const Address& address) {
  Result<> may = check_may_listen(parts_.credentials.certificate(), parts_.scheduler.wall_now());
  if (!may) return std::move(may).error();
  Result<std::unique_ptr<Listener>> listener = parts_.transport.listen(
      address, [this](std::unique_ptr<Link> link) { on_link(std::move(link)); });
  if (!listener) return std::move(listener).error();
  listeners_.push_back(*std::move(listener));
  log(LogLevel::debug, "{}: listening", listeners_.back()->address().text());
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

Result<> Node::Core::learn(const PeerName& peer, const std::vector<std::string>& addresses) {
  return learned_.learn(peer, addresses);
}

std::vector<PeerInfo> Node::Core::peers() const {
  std::vector<PeerInfo> out;
  for (const auto& [id, entry] : sessions_.all())
    if (entry.session->up()) out.push_back(entry.session->peer());
  return out;
}

NodeStats Node::Core::stats() const {
  NodeStats out{.half_open = half_open_.size() - half_open_.waiting(),
                .half_open_waiting = half_open_.waiting(),
                .half_open_dropped = half_open_.dropped(),
                .dials = dials_.size(),
                .promised_bytes = budget_.used(),
                .sessions = {}};
  for (const auto& [id, entry] : sessions_.all()) out.sessions.push_back(entry.session->stats());
  return out;
}

Result<DialTarget> Node::Core::find_target(const PeerName& peer) const {
  Result<DialTarget> target = DialTarget::parse(peer, limits_.addresses_max);
  if (target) learned_.complete(*target);
  return target;
}

Task<std::unique_ptr<channel::Port>> Node::Core::open(PeerName peer, ChannelSpec spec,
                                                      Deadline deadline) {
  DialTarget target = co_await ok(find_target(peer));
  Session* session = sessions_.newest(target);
  const Deadline by(deadline.from(parts_.scheduler.now()));
  while (!session) {
    co_await ok(reach(target, false, deadline.never() ? deadline : by));
    session = sessions_.newest(target);
    if (session) break;
    dials_.count_failure(target);
    if (deadline.never())
      co_return Error(Code::unavailable, "open", "the session ended as soon as it was up");
  }
  co_return session->open(spec);
}

Task<> Node::Core::connect(PeerName peer, Deadline deadline) {
  DialTarget target = co_await ok(find_target(peer));
  const Deadline by(deadline.from(parts_.scheduler.now()));
  co_return co_await reach(std::move(target), true, deadline.never() ? deadline : by);
}

/// Waits until a session with the target is up, dialling once, or until the deadline where there is
/// one. The node may be destroyed meanwhile: it is looked at no more then.
Task<> Node::Core::reach(DialTarget target, bool another, Deadline deadline) {
  if (target.addresses.empty())
    co_return Error(Code::unavailable, "open",
                    fmt::format("no session with {} is open, and its address is not known; write "
                                "{}@HOST:PORT",
                                target.text, target.text));
  const Channel<char> destroyed = destroyed_;
  std::string last_try;
  for (;;) {
    const Channel<char> done = co_await ok(dials_.join(target, another));
    Result<char> up = co_await done.recv(deadline);
    if (destroyed.core()->ended())
      co_return Error(Code::cancelled, "open", "the node was destroyed");
    const Error& how = up.error();
    if (!done.core()->ended())
      co_return Error(how.status(), "open",
                      last_try.empty() ? std::string(how.detail())
                                       : fmt::format("the last try failed: {}", last_try));
    if (how.code() == Code::closed) co_return {};
    if (deadline.never() || !is_worth_a_retry(how.status()))
      co_return Error(how.status(), "open", how.detail());
    last_try = how.detail();
  }
}

crypto::HandshakeConfig Node::Core::handshake_config() const {
  return {.credentials = parts_.credentials,
          .trust = parts_.trust,
          .suites = parts_.suites,
          .psk = parts_.psk};
}

Result<std::uint64_t> Node::Core::on_dialed(const crypto::ExpectedPeer& who,
                                            std::unique_ptr<Link> link) {
  if (sessions_.all().size() >= limits_.sessions_max)
    return Error(Code::resource_exhausted, "open",
                 fmt::format("{} sessions are open, the most that the limit allows",
                             sessions_.all().size()));
  crypto::HandshakeConfig config = handshake_config();
  config.expected = who;
  Result<crypto::Handshake> handshake = crypto::Handshake::dial(config, parts_.entropy);
  if (!handshake) return std::move(handshake).error();
  log(LogLevel::debug, "{}: connected; the handshake with {} begins", link->peer_address(),
      who.text());
  Session& session = add_session(Side::dialler, std::move(link), *std::move(handshake));
  session.start({limits_.handshake_time_max, limits_.linger_time_max});
  return session.id();
}

void Node::Core::on_dialing(const crypto::ExpectedPeer& who, const Address& address) {
  log(LogLevel::debug, "{}: dialling {}", address.text(), who.text());
}

void Node::Core::on_dial_failed(const Address& address, const Error& why) {
  log(LogLevel::debug, "{}: dialled in vain: {}: {}", address.text(), code_name(why.status()),
      why.detail());
}

void Node::Core::on_dial_late(std::uint64_t id) {
  if (Session* session = sessions_.find(id))
    session->fail(Error(Code::deadline_exceeded, "open", "the dial took too long"));
}

void Node::Core::on_link(std::unique_ptr<Link> link) {
  const std::string from = link->peer_address();
  const bool room = sessions_.all().size() < limits_.sessions_max;
  if (room && half_open_.admit(link)) return log(LogLevel::debug, "{}: connected", from);
  tell_busy(std::move(link));
  log(warning_level(Nuisance::dropped), "{}: dropped: as many connections as the limits allow",
      from);
}

Session& Node::Core::add_session(Side side, std::unique_ptr<Link> link,
                                 crypto::Handshake handshake) {
  SessionTable::Entry& entry = sessions_.add(std::make_unique<Session>(
      next_session_id_++, side, Session::Parts{parts_.scheduler, buffers_, limits_, budget_, *this},
      std::move(link), std::move(handshake)));
  entry.shown_renewal = renewal_.number;
  return *entry.session;
}

void Node::Core::settle_half_open(Session& session) {
  const std::string source = std::exchange(sessions_.entry(session).source, {});
  if (!source.empty()) half_open_.settle(source);
}

void Node::Core::on_session_up(Session& session) {
  sessions_.index(session);
  settle_half_open(session);
  log(LogLevel::info, "{}: session with {} ({})", session.peer_address(), session.peer().name,
      session.peer().key);
  if (sessions_.entry(session).shown_renewal < renewal_.number) show_renewal(session);
  settle_twins(session);
  dials_.on_session_up(session.id(),
                       [&](const DialTarget& target) { return serves(session, target); });
}

/// Where two processes dialled each other at the same time, both sides keep the session that the
/// lower of them dialled, and open nothing more on the other.
void Node::Core::settle_twins(Session& session) {
  const ProcessKey own{parts_.credentials.certificate().claims.subject,
                       parts_.credentials.static_key().public_key()};
  const Side stays = own < session.process() ? Side::dialler : Side::listener;
  for (Session* other : sessions_.with_key(session.identity().key)) {
    if (!other->takes_opens() || other->process() != session.process()) continue;
    if (other->side() == session.side()) continue;
    Session& leaves = session.side() == stays ? *other : session;
    on_session_drains(leaves, "both sides dialled, and the other session stays");
    leaves.drain();
    if (&leaves == &session) return;
  }
}

void Node::Core::on_session_drains(Session& session, std::string_view why) {
  log(LogLevel::info, "{}: session with {} takes no new channels: {}", session.peer_address(),
      session.peer().name, why);
}

void Node::Core::on_session_pings(Session& session) {
  log(LogLevel::debug, "{}: {} is silent: a ping", session.peer_address(), session.peer().name);
}

void Node::Core::on_incoming(IncomingPort incoming) {
  const auto refuse = [&](Code code, const std::string& why) {
    log(LogLevel::debug, "{}: a channel of {} is refused: {}", incoming.port->peer().address,
        incoming.port->peer().name, why);
    incoming.port->reset(code, why);
  };
  const auto found = services_.find(incoming.spec.service);
  if (found == services_.end() || found->second.core()->alone())
    return refuse(Code::unimplemented,
                  fmt::format("no service named {} is served here", incoming.spec.service));
  if (found->second.size() == found->second.capacity() && found->second.capacity() > 0)
    return refuse(
        Code::resource_exhausted,
        fmt::format("too many channels wait to be accepted by {}", incoming.spec.service));
  Result<bool> taken = found->second.try_send(std::move(incoming));
  TUBING_ASSERT(taken.has_value());
}

/// A listener that has another pre-shared key cannot say so: it shares no key with us.
Error Node::Core::explain(const Session& session, const Error& why) const {
  const bool heard = session.was_up() || session.side() == Side::listener;
  if (heard || !parts_.psk || why.code() != Code::lost) return why;
  return Error(why.code(), "session",
               fmt::format("{}; check that both sides have the same pre-shared key", why.detail()));
}

void Node::Core::on_session_end(Session& session, const Error& reason) {
  const Error why = explain(session, reason);
  settle_half_open(session);
  // Who dialled in vain tells it to whoever wanted the session.
  const bool told = dials_.on_session_end(session.id(), why);
  const bool in_order = why.code() == Code::closed || why.code() == Code::cancelled;
  const Nuisance kind = session.was_up() ? Nuisance::ended : Nuisance::unproven;
  log(in_order || told ? LogLevel::info : warning_level(kind), "{}: session ended: {}: {}",
      session.peer_address(), code_name(why.status()), why.detail());
}

void Node::Core::on_session_gone(Session& session) {
  gone_.push_back(session.id());
  parts_.scheduler.at_turn_end(*this);
}

void Node::Core::on_turn_end() {
  for (const std::uint64_t id : std::exchange(gone_, {})) sessions_.erase(id);
  if (sessions_.all().empty()) drained_.close();
}

Task<> Node::Core::close(Deadline deadline) {
  listeners_.clear();
  half_open_.clear();
  dials_.close(Error(Code::cancelled, "open", "the node is closing"));
  for (const auto& [id, entry] : sessions_.all()) entry.session->close();
  if (sessions_.all().empty()) co_return {};
  if (drained_.core()->ended()) drained_ = Channel<char>{0};
  const Channel<char> drained = drained_;
  Result<char> waited = co_await drained.recv(deadline);
  if (waited.code() == Code::closed) co_return {};
  co_return std::move(waited).error();
}

Result<> Node::Core::renew(const crypto::Identity& identity,
                           const crypto::Certificate& certificate) {
  if (certificate.claims.subject != identity.public_key())
    return Error(Code::invalid_argument, "renew", "the certificate is for another key");
  renewal_ = {&identity, certificate, renewal_.number + 1};
  for (const auto& [id, entry] : sessions_.all())
    if (entry.session->up()) show_renewal(*entry.session);
  return {};
}

void Node::Core::show_renewal(Session& session) {
  Result<Bytes> renewal =
      crypto::make_renewal(*renewal_.identity, renewal_.certificate, session.session_hash());
  TUBING_ASSERT(renewal.has_value());  // renew() has looked at the key.
  sessions_.entry(session).shown_renewal = renewal_.number;
  session.show_certificate(*renewal);
}

/// One that does not last longer than what was shown before changes nothing: it crossed a handshake
/// that had it already.
Result<crypto::PeerIdentity> Node::Core::on_certificate(Session& session, ByteView renewal) {
  const crypto::RenewalCheck check{
      .session_hash = session.session_hash(),
      .current = session.identity(),
      .trust = parts_.trust,
      .required = session.side() == Side::dialler ? crypto::Usage::server : crypto::Usage::client};
  Result<crypto::PeerIdentity> renewed =
      crypto::verify_renewal(renewal, check, parts_.scheduler.wall_now());
  if (renewed) {
    log(LogLevel::info, "{}: the certificate of {} is renewed until {}", session.peer_address(),
        renewed->name, crypto::date_text(renewed->not_after));
    return renewed;
  }
  if (renewed.code() == Code::data_loss) return renewed;
  log(warning_level(Nuisance::unbelieved), "{}: a newer certificate of {} is not believed: {}",
      session.peer_address(), session.identity().name, renewed.error().detail());
  return session.identity();
}

std::size_t Node::Core::recheck() {
  std::size_t ended = 0;
  for (const auto& [id, entry] : sessions_.all()) {
    Session& session = *entry.session;
    if (!session.knows_peer() || session.ended()) continue;
    Result<> believed = parts_.trust.recheck(session.identity(), parts_.scheduler.wall_now());
    if (believed) continue;
    session.fail(std::move(believed).error());
    ++ended;
  }
  return ended;
}

}  // namespace tubing::rpc
