#include "tubing/sim/detail/link_way.h"

#include "tubing/sim/world.h"

namespace tubing::sim::detail {

Duration LinkWay::draw_latency() { return world_.links().draw_latency(from_, to_); }

WireFate LinkWay::meet(bool data) {
  Links& links = world_.links();
  const WireFate now = state();
  if (now != WireFate::arrives) return now;
  if (links.drops(from_, to_)) {
    links.counts().add(FaultKind::dropped);
    ++traffic.dropped;
    return WireFate::again;
  }
  if (links.is_deaf(from_, to_)) {
    links.counts().add(FaultKind::deaf);
    ++traffic.deaf;
    return WireFate::again;
  }
  if (!data || !links.strikes(from_, to_, LinkDraw::reset, links.faults(from_, to_).reset_ppm))
    return WireFate::arrives;
  links.counts().add(FaultKind::reset);
  ++traffic.reset;
  return WireFate::breaks;
}

// A host reaches itself as long as it has power, whatever its card does.
WireFate LinkWay::state() const {
  if (!world_.host(to_).powered()) return WireFate::blocked;
  const Links& links = world_.links();
  if (from_ != to_ && !links.connected(from_, to_)) return WireFate::blocked;
  return links.faults(from_, to_).held ? WireFate::held : WireFate::arrives;
}

bool LinkWay::corrupt(MutableBytes bytes) {
  Links& links = world_.links();
  if (!links.strikes(from_, to_, LinkDraw::corrupt, links.faults(from_, to_).corrupt_ppm))
    return false;
  links.counts().add(FaultKind::corrupted);
  ++traffic.corrupted;
  const std::uint64_t bit = links.draws(from_, to_, LinkDraw::corrupt).below(8 * bytes.size());
  bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  return true;
}

std::uint64_t LinkWay::bytes_per_second() const {
  return world_.links().conditions(from_, to_).bytes_per_second;
}

std::uint64_t LinkWay::draw_seed() {
  return world_.links().draws(from_, to_, LinkDraw::chunks).next();
}

}  // namespace tubing::sim::detail
