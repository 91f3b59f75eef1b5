// WireFlow: one direction of a simulated connection, from a write to its arrival.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "tubing/channel/base/byte_buffer.h"
#include "tubing/channel/base/prng.h"
#include "tubing/sim/detail/wire_way.h"
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
  /// The listener's answer to a dial arrived. In a World alone, as those below.
  virtual void on_hello(WireSide from) = 0;
  /// The sender broke the connection off, and nothing of it follows.
  virtual void on_reset(WireSide from) = 0;
  /// Such a reset was lost on its way: nobody will say it again, unless asked.
  virtual void on_reset_lost(WireSide from) = 0;
  /// The way broke the connection.
  virtual void on_broken(WireSide from) = 0;

 protected:
  ~WireFlowEvents() = default;
};

/// A write goes into the send buffer; chunks leave it at the speed of the line, one after another,
/// and arrive in their order once the latency has passed and the receiver takes.
///
/// In a World a segment meets the faults of its way when it would arrive. One that is lost is sent
/// again, later each time, and what left behind it waits, as with TCP; so does all where nothing
/// passes, until that has an end. Where the sender has gone nobody sends anything again.
///
/// Invariants: at most one chunk is on the line; arrival times never fall along the flight; while
/// the receiver takes nothing and something has arrived, or the window is full, nothing leaves, so
/// the send buffer fills.
class WireFlow {
 public:
  /// `way` is null in a SimRun, where the conditions say all. The spots and the way outlive it.
  struct Parts {
    WireSpot& from;
    WireSpot& to;
    WireFlowEvents& events;
    WireSide side;
    WireWay* way = nullptr;
  };
  WireFlow(const Parts& parts, Prng prng);

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

  // In a World.

  void send_hello();
  /// What has not left never will; a reset follows what has. Again only when one was lost.
  void send_reset();
  /// The sender went dark: what has left may arrive, and nobody sends it again.
  void orphan();
  /// Faults or conditions of the way have changed.
  void on_way_change();
  /// The way is better than it was: what is under way arrives no later than if it were sent now.
  void hasten();
  /// The sender's, or the receiver's, spot has lost its process: what is due goes on without.
  void leave_sender();
  void leave_receiver();
  StreamSnapshot snapshot() const;
  std::size_t flight_bytes() const { return flight_bytes_; }
  /// Whether something is under way that ends it at the receiver.
  bool will_end() const { return resetting_ || (closed_ && !orphan_); }

 private:
  enum class Kind : std::uint8_t { bytes, fin, hello, reset };
  struct Segment {
    Time arrival;
    Bytes bytes = {};
    Kind kind = Kind::bytes;
    bool injected = false;  ///< Counts in no offset.
  };

  bool takes() const { return open_ && !held_; }
  bool stalled(Time now) const {
    return flight_bytes_ >= conditions_.window_bytes ||
           (!takes() && !flight_.empty() && flight_.front().arrival <= now);
  }
  std::string_view held_up() const;
  bool has_free_line() const { return way_ != nullptr && conditions_.bytes_per_second == 0; }
  Duration draw_latency();
  std::size_t draw_chunk();
  void take_rest();
  void send(Time now);
  void start_chunk(Time now);
  void depart();
  void leave_line(Time now);
  Time line_time(Time now, std::size_t count);
  void fly(Segment segment);
  void arm_delivery();
  void deliver();
  bool passes();
  void wait_for_way(WireFate state);
  void retry_at(Time at);
  Time next_try();
  Duration next_retransmit() const;
  void lose_stream();
  Segment take_front();
  void apply_faults(Segment& segment);
  void drop_flight();

  WireSpot& from_;
  WireSpot& to_;
  WireFlowEvents& events_;
  const WireSide side_;
  WireWay* const way_;
  Prng prng_;
  WireConditions conditions_;
  ByteView rest_;  ///< Of an unfinished write.
  ByteBuffer buffer_;
  std::deque<Segment> flight_;
  std::size_t flight_bytes_ = 0;
  EventQueue::Event departure_;  ///< Of the chunk on the line.
  std::size_t on_line_ = 0;      ///< Its size.
  Time leaves_at_{};             ///< When it has left.
  EventQueue::Event delivery_;   ///< Of the first segment in flight.
  EventQueue::Event cut_;
  Time last_arrival_{};
  Time busy_since_{};  ///< When the line last began to be busy without a gap.
  Time busy_until_ = Time::min();
  std::uint64_t busy_bytes_ = 0;  ///< Since then.
  std::uint64_t written_ = 0;     ///< Bytes that the sender wrote.
  std::uint64_t delivered_ = 0;   ///< Bytes of the stream that arrived.
  std::optional<std::uint64_t> cut_point_;
  std::map<std::uint64_t, std::byte> corrupted_;  ///< Masks by offset.
  WireFate waiting_ = WireFate::arrives;          ///< What keeps the first segment; if anything.
  Time waiting_since_{};
  Duration retransmit_{};  ///< After what time the first segment is sent again.
  bool open_ = false;
  bool held_ = false;
  bool lost_ = false;
  bool severed_ = false;
  bool closed_ = false;
  bool fin_sent_ = false;
  bool orphan_ = false;
  bool resetting_ = false;  ///< A reset is under way, or arrived.
};

}  // namespace tubing::sim::detail
