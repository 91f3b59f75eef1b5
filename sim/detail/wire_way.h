// WireSpot, WireWay: where the ends of a simulated connection are, and what lies between them.
#pragma once

#include <algorithm>

#include "tubing/channel/base/bytes.h"
#include "tubing/sim/network_snapshot.h"
#include "tubing/sim/virtual_reactor.h"

namespace tubing::sim::detail {

/// The time of a World, and what happens there to no process.
class WireWorld {
 public:
  virtual Time now() const = 0;
  virtual EventQueue::Event schedule(Time at, EventQueue::Callback callback) = 0;

 protected:
  ~WireWorld() = default;
};

/// Where one end of a connection lives: in a process, or, once that has gone, in its host alone.
struct WireSpot {
  VirtualReactor* reactor = nullptr;  ///< Of the process; none when it has gone.
  WireWorld* world = nullptr;         ///< None in a SimRun.

  /// An idle process has not looked at the time since its last turn: the world has.
  Time now() const {
    if (world == nullptr) return reactor->world_now();
    return reactor == nullptr ? world->now() : std::max(world->now(), reactor->world_now());
  }
  EventQueue::Event schedule(Time at, EventQueue::Callback callback) {
    if (reactor == nullptr) return world->schedule(at, std::move(callback));
    return reactor->schedule(at, std::move(callback));
  }
};

/// What becomes of a segment at the end of its way.
enum class WireFate : std::uint8_t {
  arrives,
  again,    ///< It was lost: its sender will send it again.
  blocked,  ///< Nothing passes; its sender goes on trying.
  held,     ///< It arrives as soon as the way is open again.
  breaks,   ///< Somebody on the way broke the connection off.
};

/// The way from one host to another, whose faults may change at any time.
class WireWay {
 public:
  virtual Duration draw_latency() = 0;
  /// For a segment that would arrive now; `data` where it is no control segment.
  virtual WireFate meet(bool data) = 0;
  /// Whether nothing at all arrives now: `blocked`, `held`, else `arrives`.
  virtual WireFate state() const = 0;
  /// May flip a bit. Returns: whether it did.
  virtual bool corrupt(MutableBytes bytes) = 0;
  virtual std::uint64_t bytes_per_second() const = 0;
  /// Seeds what the next connection draws for this direction.
  virtual std::uint64_t draw_seed() = 0;
  /// A lost segment is sent again after the first of these, then after twice as long, and so on up
  /// to the second.
  virtual Duration retransmit_min() const = 0;
  virtual Duration retransmit_max() const = 0;

  /// What was carried so far; `in_flight` is not counted here.
  LinkTraffic traffic;

 protected:
  ~WireWay() = default;
};

}  // namespace tubing::sim::detail
