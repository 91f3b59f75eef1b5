// LinkWay: a link of a World as the segments of its connections meet it.
#pragma once

#include "tubing/sim/detail/wire_way.h"
#include "tubing/sim/wires.h"

namespace tubing::sim::detail {

class LinkWay final : public WireWay {
 public:
  LinkWay(World& world, const WireOptions& options, HostId from, HostId to)
      : world_(world), options_(options), from_(from), to_(to) {}

  Duration draw_latency() override;
  WireFate meet(bool data) override;
  WireFate state() const override;
  bool corrupt(MutableBytes bytes) override;
  std::uint64_t bytes_per_second() const override;
  std::uint64_t draw_seed() override;
  Duration retransmit_min() const override { return options_.retransmit_min; }
  Duration retransmit_max() const override { return options_.retransmit_max; }

 private:
  World& world_;
  const WireOptions& options_;
  const HostId from_;
  const HostId to_;
};

}  // namespace tubing::sim::detail
