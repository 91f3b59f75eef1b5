#include "tubing/sim/detail/message_endpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "tubing/sim/world.h"

namespace tubing::sim::detail {
namespace {

std::string_view name_of(const PeerName& peer) {
  return std::string_view(peer.text).substr(0, peer.text.find('@'));
}

std::string_view host_part(std::string_view name) { return name.substr(0, name.find('/')); }

/// In the place of a fingerprint: it follows from the name.
std::string key_of(std::string_view name) {
  RunningHash hash;
  hash.add(name);
  return "sim-" + hash.text();
}

bool is_worth_a_retry(Code code) {
  return code == Code::unavailable || code == Code::deadline_exceeded;
}

Result<> check_spec(const channel::ChannelSpec& spec) {
  if (spec.capacity > 0) return {};
  return Error(Code::invalid_argument, "open",
               "capacity 0, a rendezvous, exists only in process; use at least 1");
}

}  // namespace

MessageEndpoint::MessageEndpoint(MessageFabric& fabric, Process& process)
    : fabric_(fabric),
      process_(process),
      reactor_(process.reactor()),
      scheduler_(process.scheduler()),
      host_(process.host().id()) {
  const HostSpec& spec = process.host().spec();
  info_ = std::make_shared<const PeerInfo>(PeerInfo{.name = spec.name,
                                                    .key = key_of(spec.name),
                                                    .roles = spec.roles,
                                                    .usage = spec.usage,
                                                    .address = process.name()});
  fabric_.join(*this);
}

MessageEndpoint::~MessageEndpoint() { cut(Departure::ended); }

void MessageEndpoint::on_session_gone(MessageSession& session) {
  std::erase(sessions_, &session);
  for (const auto& [name, dial] : dials_) {
    if (dial->session != &session) continue;
    dial->session = nullptr;
    dial->answer.cancel();
  }
}

void MessageEndpoint::cut(Departure how) {
  if (std::exchange(cut_, true)) return;
  dials_.clear();
  // The other side of each is told, or will notice.
  while (!sessions_.empty()) {
    MessageSession& session = *sessions_.back();
    session.detach(session.side_of(*this), how);
  }
  fabric_.leave(*this);
}

bool MessageEndpoint::is_named(std::string_view name) const {
  return name == info_->name || name == process_.name() || name == info_->key;
}

bool MessageEndpoint::accepts(std::string_view service) const {
  const auto found = services_.find(service);
  return found != services_.end() && !found->second.core()->alone();
}

bool MessageEndpoint::listens() const {
  return std::ranges::any_of(services_,
                             [](const auto& entry) { return !entry.second.core()->alone(); });
}

Result<Receiver<channel::IncomingPort>> MessageEndpoint::accept(std::string service,
                                                                std::uint32_t backlog) {
  Sender<channel::IncomingPort>& place = services_[service];
  if (place && !place.core()->alone())
    return Error(Code::already_exists, "accept",
                 fmt::format("service {} is accepted already", service));
  const Channel<channel::IncomingPort> incoming{backlog};
  place = incoming.tx();
  return incoming.rx();
}

void MessageEndpoint::on_incoming(channel::IncomingPort incoming) {
  const auto found = services_.find(incoming.spec.service);
  if (found == services_.end() || found->second.core()->alone())
    return incoming.port->reset(
        Code::unimplemented,
        fmt::format("no service named {} is served here", incoming.spec.service));
  if (found->second.size() == found->second.capacity() && found->second.capacity() > 0)
    return incoming.port->reset(
        Code::resource_exhausted,
        fmt::format("too many channels wait to be accepted by {}", incoming.spec.service));
  const Result<bool> taken = found->second.try_send(std::move(incoming));
  TUBING_ASSERT(taken.has_value());
}

// Dialling.

MessageEndpoint* MessageEndpoint::find_peer(std::string_view name, std::string_view service) {
  MessageEndpoint* listening = nullptr;
  for (MessageEndpoint* other : fabric_.endpoints()) {
    if (other == this || !other->is_named(name) || !other->listens()) continue;
    if (other->accepts(service)) return other;
    if (!listening) listening = other;
  }
  return listening;
}

// The newest with a process that accepts the service; else the newest, where nobody does.
MessageSession* MessageEndpoint::find_session(std::string_view name, std::string_view service) {
  MessageSession* newest = nullptr;
  for (std::size_t i = sessions_.size(); i-- > 0;) {
    MessageSession& session = *sessions_[i];
    const int side = session.side_of(*this);
    if (!session.up(side) || !session.is_named(1 - side, name)) continue;
    const MessageEndpoint* peer = session.endpoint(1 - side);
    if (peer == nullptr || peer->accepts(service)) return &session;
    if (!newest) newest = &session;
  }
  const MessageEndpoint* better = newest ? find_peer(name, service) : nullptr;
  return better && better->accepts(service) ? nullptr : newest;
}

Result<HostId> MessageEndpoint::find_host(std::string_view name) const {
  for (const Host& host : fabric_.world().hosts())
    if (host.name() == host_part(name) || key_of(host.name()) == name) return host.id();
  return Error(Code::unavailable, "open",
               fmt::format("no host is called {}; add it to the world", host_part(name)));
}

Task<std::unique_ptr<channel::Port>> MessageEndpoint::open(PeerName peer, channel::ChannelSpec spec,
                                                           Deadline deadline) {
  co_await ok(check_spec(spec));
  const std::string name(name_of(peer));
  if (name.empty())
    co_return Error(Code::invalid_argument, "open",
                    fmt::format("\"{}\" names no peer; write the name of its host", peer.text));
  const Deadline by(deadline.from(scheduler_.now()));
  for (;;) {
    if (cut_) co_return Error(Code::cancelled, "open", "the process has crashed");
    if (MessageSession* session = find_session(name, spec.service)) {
      const int side = session->side_of(*this);
      co_await ok(session->check_places(side, 0));
      MessageChannel& channel = session->open(side, spec);
      std::unique_ptr<channel::Port> port = channel.make_port(0);
      channel.send_open();
      co_return port;
    }
    co_await ok(reach(name, spec.service, deadline.never() ? deadline : by));
  }
}

/// Waits until a session is up, dialling once, or until the deadline where there is one.
Task<> MessageEndpoint::reach(std::string name, std::string service, Deadline deadline) {
  std::string last_try;
  for (;;) {
    co_await ok(find_host(name));
    const Channel<char> done = join_dial(name, service).done;
    Result<char> up = co_await done.recv(deadline);
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

MessageEndpoint::Dial& MessageEndpoint::join_dial(const std::string& name,
                                                  const std::string& service) {
  const auto found = dials_.find(name);
  if (found != dials_.end()) return *found->second;
  Dial& dial = *(dials_[name] = std::make_unique<Dial>());
  const auto failed = failures_.find(name);
  if (failed == failures_.end() || failed->second.not_before <= reactor_.world_now()) {
    begin_dial(name, service);
  } else {
    dial.answer = reactor_.schedule(failed->second.not_before,
                                    [this, name, service] { begin_dial(name, service); });
  }
  return dial;
}

void MessageEndpoint::begin_dial(const std::string& name, const std::string& service) {
  Dial& dial = *dials_[name];
  const NetworkConditions& conditions = fabric_.conditions();
  const Time now = reactor_.world_now();
  const HostId host = *find_host(name);
  const auto end_with = [this, name](Code code, std::string_view what) {
    return [this, name, code, text = fmt::format("{} {}", name, what)] {
      finish_dial(name, Error(code, "open", text));
    };
  };
  MessageRoute& there = fabric_.route(host_, host);
  dial.timeout = reactor_.schedule(now + there.draw_dial(conditions.dial_min, conditions.dial_max),
                                   end_with(Code::unavailable, "does not answer"));
  MessageRoute& back = fabric_.route(host, host_);
  fabric_.note(now, "dial", process());
  if (!there.draw_answers() || !fabric_.world().host(host).powered())
    return fabric_.links().counts().add(FaultKind::dial_unanswered);
  const Time arrival = now + there.draw_latency();
  const bool refused = fabric_.world().wires().refuses(host);
  if (MessageEndpoint* peer = refused ? nullptr : find_peer(name, service)) {
    dial.peer = peer;
    dial.arrival = peer->reactor().schedule(arrival, [this, name] { arrive_dial(name); });
    return;
  }
  if (!back.draw_answers()) return fabric_.links().counts().add(FaultKind::dial_unanswered);
  fabric_.links().counts().add(FaultKind::dial_refused);
  dial.answer = reactor_.schedule(arrival + back.draw_latency(),
                                  end_with(Code::unavailable, "refused: nobody listens there"));
}

// At the peer, in its time.
void MessageEndpoint::arrive_dial(const std::string& name) {
  Dial& dial = *dials_[name];
  MessageEndpoint& peer = *std::exchange(dial.peer, nullptr);
  dial.arrival.cancel();  // It came; the peer's queue may go before the dial.
  const Time now = peer.reactor().world_now();
  MessageRoute& back = fabric_.route(peer.host(), host_);
  if (!fabric_.route(host_, peer.host()).connected())
    return fabric_.links().counts().add(FaultKind::dial_unanswered);
  fabric_.note(now, "dialled", peer.process());
  MessageSession& session = fabric_.add_session(*this, peer);
  session.set_up(1);
  dial.session = &session;
  if (!back.draw_answers()) return fabric_.links().counts().add(FaultKind::half_open);
  dial.answer = reactor_.schedule(now + back.draw_latency(),
                                  [this, name] { finish_dial(name, Error(Code::closed, "open")); });
}

void MessageEndpoint::finish_dial(const std::string& name, const Error& how) {
  const auto found = dials_.find(name);
  const std::unique_ptr<Dial> dial = std::move(found->second);
  const std::string key = found->first;  // `name` may lie in the callback that goes with the dial.
  dials_.erase(found);
  if (how.code() == Code::closed) {
    failures_.erase(key);
    dial->session->set_up(0);
  } else {
    count_failure(key);
    if (dial->session) dial->session->lose(0, Error(Code::lost, "channel", how.detail()));
  }
  dial->done.close(how);
}

void MessageEndpoint::count_failure(const std::string& name) {
  const NetworkConditions& conditions = fabric_.conditions();
  Failures& failures = failures_[name];
  failures.wait = failures.wait == Duration::zero()
                      ? conditions.backoff_min
                      : std::min(2 * failures.wait, conditions.backoff_max);
  MessageRoute& there = fabric_.route(host_, *find_host(name));
  failures.not_before = reactor_.world_now() + there.draw_dial(failures.wait / 2, failures.wait);
}

void MessageEndpoint::on_peer_gone(const MessageEndpoint& peer) {
  for (const auto& [name, dial] : dials_) {
    if (dial->peer != &peer) continue;
    dial->arrival.cancel();
    dial->peer = nullptr;
  }
}

}  // namespace tubing::sim::detail
