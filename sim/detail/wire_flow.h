// WireFlow: one direction of a simulated connection, from a write to its arrival.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "tubing/channel/base/byte_buffer.h"
#include "tubing/channel/base/prng.h"
#include "tubing/sim/virtual_reactor.h"
#include "tubing/sim/wire_conditions.h"

namespace tubing::sim::detail {

/// What a flow tells its connection. Each call comes from the reactor's `park` and is the flow's
/// last act: the callee may destroy it.
class WireFlowEvents {
 public:
  virtual void on_arrival(WireSide from, Bytes bytes) = 0;
  /// The end of the stream arrived.
  virtual void on_fin(WireSide from) = 0;
  /// The rest of an unfinished write is in the send buffer.
  virtual void on_taken(WireSide from) = 0;
  /// As many bytes arrived as `cut_after` allows.
  virtual void on_cut_point(WireSide from) = 0;

 protected:
  ~WireFlowEvents() = default;
};

/// A write goes into the send buffer; chunks leave it at the speed of the line, one after another,
/// and arrive in their order once the latency has passed and the receiver takes.
///
/// Invariants: at most one chunk is on the line; arrival times never fall along the flight; while
/// the receiver takes nothing and something has arrived, nothing leaves, so the send buffer fills.
class WireFlow {
 public:
  WireFlow(VirtualReactor& reactor, WireFlowEvents& events, WireSide from, Prng prng);

  void set_conditions(const WireConditions& conditions);

  /// As rpc::Link::write. Requires: the last write is finished, the flow is not closed.
  bool write(ByteView bytes);
  /// Ends the stream behind all that was written. Idempotent.
  void close();
  /// Forgets what the send buffer had no room for, and ends the stream behind the rest.
  void abandon();
  /// Stops everything; nothing arrives any more.
  void sever();
  /// The receiver takes what arrives. Idempotent.
  void open();

  void hold();
  void release();
  /// Whatever is under way or leaves later never arrives.
  void lose() { lost_ = true, drop_flight(); }
  bool corrupt(std::uint64_t offset, std::byte mask);
  void cut_after(std::uint64_t bytes);
  void inject(Bytes bytes);

 private:
  struct Segment {
    Time arrival;
    Bytes bytes = {};
    bool fin = false;
    bool injected = false;  ///< Counts in no offset.
  };

  bool takes() const { return open_ && !held_; }
  bool stalled() const {
    return !takes() && !flight_.empty() && flight_.front().arrival <= reactor_.now();
  }
  void take_rest();
  void start_chunk();
  void depart(std::size_t count);
  Time line_time(std::size_t count);
  void fly(Segment segment);
  void arm_delivery();
  void deliver();
  void apply_faults(Segment& segment);
  void drop_flight();

  VirtualReactor& reactor_;
  WireFlowEvents& events_;
  const WireSide from_;
  Prng prng_;
  WireConditions conditions_;
  ByteView rest_;  ///< Of an unfinished write.
  ByteBuffer buffer_;
  std::deque<Segment> flight_;
  VirtualReactor::Event departure_;  ///< Of the chunk on the line.
  VirtualReactor::Event delivery_;   ///< Of the first segment in flight.
  VirtualReactor::Event cut_;
  Time last_arrival_{};
  Time busy_since_{};  ///< When the line last began to be busy without a gap.
  Time busy_until_ = Time::min();
  std::uint64_t busy_bytes_ = 0;  ///< Since then.
  std::uint64_t delivered_ = 0;   ///< Bytes of the stream that arrived.
  std::optional<std::uint64_t> cut_point_;
  std::map<std::uint64_t, std::byte> corrupted_;  ///< Masks by offset.
  bool open_ = false;
  bool held_ = false;
  bool lost_ = false;
  bool severed_ = false;
  bool closed_ = false;
  bool fin_sent_ = false;
};

}  // namespace tubing::sim::detail
