#include "tubing/sim/wires.h"

#include "tubing/sim/detail/link_way.h"
#include "tubing/sim/world.h"

namespace tubing::sim {
namespace {

void require_sound(const WireOptions& o) {
  TUBING_ASSERT(o.chunk_bytes_min >= 1 && o.chunk_bytes_min <= o.chunk_bytes_max);
  TUBING_ASSERT(o.send_buffer_bytes >= 1 && o.window_bytes >= 1);
  TUBING_ASSERT(o.retransmit_min > Duration::zero() && o.retransmit_min <= o.retransmit_max);
  TUBING_ASSERT(o.dial_retransmit > Duration::zero() && o.dial_tries_max >= 1);
}

}  // namespace

Wires::Wires(World& world, const WireOptions& options, Prng prng)
    : world_(world),
      options_(options),
      hub_{.hash = world.run_hash(), .prng = prng, .counts = &world.links().counts()} {
  require_sound(options_);
  hub_.conditions = {.chunk_bytes_min = options_.chunk_bytes_min,
                     .chunk_bytes_max = options_.chunk_bytes_max,
                     .send_buffer_bytes = options_.send_buffer_bytes,
                     .window_bytes = options_.window_bytes};
  world.links().observe(*this);
}

Wires::~Wires() = default;

void Wires::on_power(HostId host) {
  for (HostId other = 0; other < world_.hosts().size(); ++other) on_link_change(other, host);
}

detail::LinkWay& Wires::way(HostId from, HostId to) {
  std::unique_ptr<detail::LinkWay>& way = ways_[{from, to}];
  if (way == nullptr) way = std::make_unique<detail::LinkWay>(world_, options_, from, to);
  return *way;
}

std::uint32_t Wires::refused_ppm(HostId host) const {
  const auto found = refused_ppm_.find(host);
  return found == refused_ppm_.end() ? 0 : found->second;
}

bool Wires::refuses(HostId host) {
  return world_.links().strikes(host, host, LinkDraw::refusal, refused_ppm(host));
}

void Wires::leave(const VirtualReactor& reactor, detail::WireLeave how) {
  for (const auto& [id, connection] : hub_.connections)
    while (const std::optional<WireSide> side = connection->side_of(reactor))
      connection->leave(*side, how);
}

std::vector<ConnectionSnapshot> Wires::connections() const {
  std::vector<ConnectionSnapshot> shots;
  shots.reserve(hub_.connections.size());
  for (const auto& [id, connection] : hub_.connections) shots.push_back(connection->snapshot());
  return shots;
}

std::vector<DialSnapshot> Wires::dials() const {
  std::vector<DialSnapshot> shots;
  shots.reserve(dials_.size());
  for (const detail::WireDial* dial : dials_)
    shots.push_back({.from = dial->from.text(), .to = dial->to.text(), .tries = dial->tries});
  return shots;
}

LinkTraffic Wires::traffic(HostId from, HostId to) const {
  const auto found = ways_.find({from, to});
  if (found == ways_.end()) return {};
  LinkTraffic traffic = found->second->traffic;
  for (const auto& [id, connection] : hub_.connections)
    traffic.in_flight += connection->in_flight(*found->second);
  return traffic;
}

std::uint16_t Wires::next_port(HostId host) {
  std::uint16_t& port = ports_[host];
  port = port < kChosenPortMin ? kChosenPortMin : static_cast<std::uint16_t>(port + 1);
  return std::max(port, kChosenPortMin);
}

Time Wires::now() const { return world_.now(); }

EventQueue::Event Wires::schedule(Time at, EventQueue::Callback callback) {
  return world_.schedule(at, std::move(callback));
}

void Wires::on_link_change(HostId from, HostId to) {
  const auto way = ways_.find({from, to});
  if (way == ways_.end()) return;
  for (const auto& [id, connection] : hub_.connections) connection->on_way_change(*way->second);
}

void Wires::on_link_ease(HostId from, HostId to) {
  const auto way = ways_.find({from, to});
  if (way == ways_.end()) return;
  for (const auto& [id, connection] : hub_.connections) connection->on_way_ease(*way->second);
}

}  // namespace tubing::sim
