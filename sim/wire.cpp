#include "tubing/sim/wire.h"

#include <fmt/format.h>

#include "tubing/sim/detail/draw.h"

namespace tubing::sim {

using detail::WireConnection;
using rpc::Address;

namespace {

// The range that IANA leaves to ports chosen by the system.
constexpr std::uint32_t kChosenPortMin = 49152;
constexpr std::uint32_t kChosenPortMax = 65535;

void require_sound(const WireConditions& c) {
  TUBING_ASSERT(c.latency_min >= Duration(0) && c.latency_min <= c.latency_max);
  TUBING_ASSERT(c.chunk_bytes_min >= 1 && c.chunk_bytes_min <= c.chunk_bytes_max);
  TUBING_ASSERT(c.send_buffer_bytes >= 1);
}

}  // namespace

class Wire::WireListener final : public rpc::Listener {
 public:
  WireListener(Wire& wire, Address address, OnLink on_link)
      : wire_(wire), address_(std::move(address)), on_link_(std::move(on_link)) {
    wire_.listeners_.emplace(key_of(address_), this);
  }
  ~WireListener() override { wire_.listeners_.erase(key_of(address_)); }
  Address address() const override { return address_; }
  /// The callback may drop this listener.
  void accept(std::unique_ptr<rpc::Link> link) {
    const OnLink on_link = on_link_;
    on_link(std::move(link));
  }

 private:
  Wire& wire_;
  Address address_;
  OnLink on_link_;
};

// made --latency--> reach (the listener's end begins) --latency--> finish
class Wire::WireDialing final : public rpc::Dialing {
 public:
  WireDialing(Wire& wire, Address address, OnDialed on_dialed)
      : wire_(wire), address_(std::move(address)), on_dialed_(std::move(on_dialed)) {
    ++wire_.dialing_count_;
    after_latency([this] { reach(); });
  }
  ~WireDialing() override { --wire_.dialing_count_; }

 private:
  void after_latency(VirtualReactor::Callback step) {
    VirtualReactor& reactor = wire_.reactor_;
    step_ = reactor.schedule(reactor.world_now() + wire_.draw_latency(), std::move(step));
  }

  void reach() {
    const auto answer = wire_.answers_.find(key_of(address_));
    if (answer != wire_.answers_.end() && answer->second == DialAnswer::unanswered) return;
    after_latency([this] { finish(); });
    WireListener* listener = wire_.accepting(address_);
    if (listener == nullptr) return;
    WireConnection& connection = wire_.connect(address_);
    link_ = connection.make_link(WireSide::dialer);
    listener->accept(connection.make_link(WireSide::listener));
  }

  // The callback may drop this dialing.
  void finish() {
    const OnDialed on_dialed = std::move(on_dialed_);
    if (link_ != nullptr) return on_dialed(std::move(link_));
    on_dialed(Error(
        Code::unavailable, "dial",
        fmt::format("{} refuses connections; is somebody listening there?", address_.text())));
  }

  Wire& wire_;
  Address address_;
  OnDialed on_dialed_;
  std::unique_ptr<rpc::Link> link_;
  VirtualReactor::Event step_;
};

Wire::Wire(VirtualReactor& reactor, Prng prng, RunHash& hash)
    : reactor_(reactor), hub_{.hash = hash, .prng = prng} {}

Wire::~Wire() {
  TUBING_ASSERT(hub_.connections.empty() && "links are dropped before their wire",
                hub_.connections.size());
  TUBING_ASSERT(listeners_.empty() && dialing_count_ == 0, listeners_.size(), dialing_count_);
}

Result<std::unique_ptr<rpc::Listener>> Wire::listen(const Address& address, OnLink on_link) {
  if (address.host.empty())
    return Error(Code::invalid_argument, "listen", "the address names no host; write HOST:PORT");
  Address at = address;
  if (at.port == 0) {
    const Result<std::uint16_t> port = free_port(at.host);
    if (!port) return port.error();
    at.port = *port;
  }
  if (listeners_.contains(key_of(at)))
    return Error(Code::already_exists, "listen",
                 fmt::format("{} is in use; choose another port", at.text()));
  return std::make_unique<WireListener>(*this, std::move(at), std::move(on_link));
}

std::unique_ptr<rpc::Dialing> Wire::dial(const Address& address, OnDialed on_dialed) {
  return std::make_unique<WireDialing>(*this, address, std::move(on_dialed));
}

void Wire::set_conditions(const WireConditions& conditions) {
  require_sound(conditions);
  hub_.conditions = conditions;
}

void Wire::set_conditions(WireId id, const WireConditions& conditions) {
  require_sound(conditions);
  WireConnection* connection = find(id);
  if (connection == nullptr) return;
  connection->flow_from(WireSide::dialer).set_conditions(conditions);
  connection->flow_from(WireSide::listener).set_conditions(conditions);
}

void Wire::set_dial_answer(const Address& address, DialAnswer answer) {
  answers_[key_of(address)] = answer;
}

std::vector<WireId> Wire::connections() const {
  std::vector<WireId> ids;
  ids.reserve(hub_.connections.size());
  for (const auto& [id, connection] : hub_.connections) ids.push_back(id);
  return ids;
}

WireId Wire::id_of(const rpc::Link& link) {
  return static_cast<const detail::WireLink&>(link).id();
}

void Wire::cut(WireId id) {
  if (WireConnection* connection = find(id)) connection->cut("it was cut");
}

void Wire::cut_after(WireId id, WireSide from, std::uint64_t bytes) {
  if (WireConnection* connection = find(id)) connection->flow_from(from).cut_after(bytes);
}

void Wire::lose(WireId id, WireSide from) {
  if (WireConnection* connection = find(id)) connection->flow_from(from).lose();
}

void Wire::hold(WireId id, WireSide from) {
  if (WireConnection* connection = find(id)) connection->flow_from(from).hold();
}

void Wire::release(WireId id, WireSide from) {
  if (WireConnection* connection = find(id)) connection->flow_from(from).release();
}

bool Wire::corrupt(WireId id, WireSide from, std::uint64_t offset, std::byte mask) {
  WireConnection* connection = find(id);
  return connection != nullptr && connection->flow_from(from).corrupt(offset, mask);
}

void Wire::inject(WireId id, WireSide from, Bytes bytes) {
  if (WireConnection* connection = find(id)) connection->flow_from(from).inject(std::move(bytes));
}

Result<std::uint16_t> Wire::free_port(const std::string& host) const {
  for (std::uint32_t port = kChosenPortMin; port <= kChosenPortMax; ++port)
    if (!listeners_.contains({host, static_cast<std::uint16_t>(port)}))
      return static_cast<std::uint16_t>(port);
  return Error(Code::resource_exhausted, "listen",
               fmt::format("every port of {} is in use; drop a listener", host));
}

Wire::WireListener* Wire::accepting(const Address& address) const {
  const auto answer = answers_.find(key_of(address));
  if (answer != answers_.end() && answer->second != DialAnswer::accepted) return nullptr;
  const auto listener = listeners_.find(key_of(address));
  return listener == listeners_.end() ? nullptr : listener->second;
}

Duration Wire::draw_latency() {
  return detail::draw(hub_.prng, hub_.conditions.latency_min, hub_.conditions.latency_max);
}

WireConnection& Wire::connect(const Address& address) {
  const WireId id = hub_.next_id++;
  const detail::WireSpot here{.reactor = &reactor_};
  auto made = std::make_unique<WireConnection>(
      hub_, id, detail::WirePlace{.address = fmt::format("dialer-{}", id), .spot = here},
      detail::WirePlace{.address = address.text(), .spot = here});
  WireConnection& connection = *made;
  hub_.connections.emplace(id, std::move(made));
  if (on_connect_) on_connect_(id);
  return connection;
}

WireConnection* Wire::find(WireId id) const {
  const auto found = hub_.connections.find(id);
  return found == hub_.connections.end() ? nullptr : found->second.get();
}

}  // namespace tubing::sim
