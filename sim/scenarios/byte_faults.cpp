#include "tubing/sim/scenarios/byte_faults.h"

#include <utility>

#include "tubing/sim/detail/draw.h"

namespace tubing::sim {
namespace {

using namespace std::chrono_literals;

WireOptions draw_wires(Prng& prng) {
  WireOptions wires;
  if (prng.chance(1, 2)) {
    wires.chunk_bytes_min = 1 + prng.below(200);
    wires.chunk_bytes_max = wires.chunk_bytes_min + prng.below(20'000);
  }
  if (prng.chance(1, 2)) wires.send_buffer_bytes = 1'000 + prng.below(100'000);
  if (prng.chance(1, 2)) wires.window_bytes = 1'000 + prng.below(100'000);
  wires.retransmit_min = detail::draw(prng, 5ms, 200ms);
  wires.retransmit_max = detail::draw(prng, 200ms, 2s);
  wires.dial_retransmit = detail::draw(prng, 50ms, 1s);
  return wires;
}

}  // namespace

WorldOptions draw_byte_world(Prng& prng) {
  WorldOptions options{.mode = Mode::byte};
  options.links.latency_min = detail::draw(prng, 1us, 1ms);
  options.links.latency_max = options.links.latency_min + detail::draw(prng, 0ns, 20ms);
  if (prng.chance(1, 3)) {
    options.links.tail_ppm = static_cast<std::uint32_t>(prng.below(20'000));
    options.links.latency_tail_max = detail::draw(prng, 1ms, 1s);
  }
  if (prng.chance(1, 3)) options.links.bytes_per_second = 200'000 + prng.below(10'000'000);
  options.wires = draw_wires(prng);
  if (prng.chance(1, 3))
    options.pace = {.pause_ppm = static_cast<std::uint32_t>(prng.below(500)), .pause_max = 200ms};
  // A peer that is silent is given up soon.
  options.node.mux.ping_after_ms = 300 + static_cast<std::uint32_t>(prng.below(1'000));
  options.node.mux.dead_after_ms = 2 * options.node.mux.ping_after_ms + 1'000;
  options.node.backoff_max = 1s;
  options.time_max = 10min;
  return options;
}

ByteFaults::ByteFaults(World& world, Prng prng) : world_(world), prng_(prng) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Kind::count); ++i)
    if (prng_.chance(1, 2)) kinds_.push_back(static_cast<Kind>(i));
  pause_max_ = draw(50ms, 2s);
  span_max_ = draw(10ms, 4s);
}

void ByteFaults::run_until(Time end) {
  if (!kinds_.empty()) strike(end);
  world_.at(end, [this] { heal(); });
}

Duration ByteFaults::draw(Duration min, Duration max) { return detail::draw(prng_, min, max); }

void ByteFaults::strike(Time end) {
  world_.at(world_.now() + draw(1ms, pause_max_), [this, end] {
    if (world_.now() >= end) return;
    const Kind kind = kinds_[prng_.below(kinds_.size())];
    const auto hosts = static_cast<HostId>(world_.hosts().size());
    const auto from = static_cast<HostId>(prng_.below(hosts));
    const auto to = static_cast<HostId>((from + 1 + prng_.below(hosts - 1)) % hosts);
    strike_link(kind, from, to);
    strike_host(kind, from);
    strike(end);
  });
}

void ByteFaults::strike_link(Kind kind, HostId from, HostId to) {
  switch (kind) {
    case Kind::cut:
      set_link(from, to, {.cut = true});
      if (prng_.chance(1, 2)) set_link(to, from, {.cut = true});
      return;
    case Kind::lossy_link:
      return set_link(from, to, {.drop_ppm = draw_ppm(400'000), .deaf_ppm = draw_ppm(200'000)});
    case Kind::corrupt: return set_link(from, to, {.corrupt_ppm = draw_ppm(100'000)});
    case Kind::reset: return set_link(from, to, {.reset_ppm = draw_ppm(100'000)});
    case Kind::hold: return set_link(from, to, {.held = true});
    case Kind::slow: {
      const LinkConditions before = world_.links().conditions(from, to);
      world_.links().set_conditions(
          from, to,
          {.latency_max = draw(1ms, 500ms), .bytes_per_second = 1'000 + prng_.below(50'000)});
      return after_a_while(
          [this, from, to, before] { world_.links().set_conditions(from, to, before); });
    }
    default: return;
  }
}

void ByteFaults::strike_host(Kind kind, HostId id) {
  Host& host = world_.host(id);
  Links& links = world_.links();
  switch (kind) {
    case Kind::isolate:
      links.isolate(id);
      return after_a_while([&links, id] { links.unisolate(id); });
    case Kind::partition:
      links.partition({{id}});
      return after_a_while([&links] { links.repair_all({.unisolate = false}); });
    case Kind::lossy_card:
      links.set_card(id, {.drop_ppm = draw_ppm(400'000), .deaf_ppm = draw_ppm(400'000)});
      return after_a_while([&links, id] { links.set_card(id, {}); });
    case Kind::refuse:
      world_.wires().refuse(id, draw_ppm(kPpm));
      return after_a_while([this, id] { world_.wires().refuse(id, 0); });
    case Kind::crash:
      for (const auto& process : host.processes()) process->crash();
      return after_a_while([this, &host] { start(host); });
    case Kind::power: host.power_off(); return after_a_while([&host] { host.power_on(); });
    case Kind::pause:
      for (const auto& process : host.processes())
        if (process->running()) process->pause_for(draw(1ms, span_max_));
      return;
    default: return;
  }
}

void ByteFaults::set_link(HostId from, HostId to, const LinkFaults& faults) {
  world_.links().set_faults(from, to, faults);
  after_a_while([this, from, to] { world_.links().set_faults(from, to, {}); });
}

void ByteFaults::after_a_while(EventQueue::Callback callback) {
  world_.at(world_.now() + draw(1ms, span_max_), std::move(callback));
}

void ByteFaults::start(Host& host) {
  if (!host.powered()) return;
  for (const auto& process : host.processes())
    if (!process->running() && !process->result()) process->start();
}

void ByteFaults::heal() {
  world_.links().repair_all();
  world_.links().set_conditions(world_.options().links);
  for (const Host& host : world_.hosts()) {
    world_.wires().refuse(host.id(), 0);
    world_.host(host.id()).power_on();
    start(world_.host(host.id()));
  }
}

}  // namespace tubing::sim
