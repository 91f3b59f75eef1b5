// WireConnection: two flows and the two ends between them.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "tubing/rpc/transport.h"
#include "tubing/sim/detail/wire_flow.h"
#include "tubing/sim/link_conditions.h"
#include "tubing/sim/running_hash.h"

namespace tubing::sim {

/// Sees each chunk as it arrives, and may change it: bytes altered, repeated, kept for later, or
/// none left. Called with the connection, the side that wrote it, and the chunk.
using WireTap = std::function<void(WireId, WireSide from, Bytes& chunk)>;

namespace detail {

class WireConnection;

/// What all connections of one SimRun, or of one World, share.
struct WireHub {
  RunHash& hash;
  Prng prng;                      ///< Of a SimRun; in a World each way draws from its own.
  FaultCounts* counts = nullptr;  ///< Of a World; none in a SimRun.
  WireTap tap = {};
  WireConditions conditions = {};
  WireId next_id = 0;
  std::map<WireId, std::unique_ptr<WireConnection>> connections = {};
};

/// One end of a connection that is to be made.
struct WirePlace {
  std::string address;
  WireSpot spot;
  WireWay* way = nullptr;  ///< Of what this end writes; none in a SimRun.
};

/// A dial, until there is a connection.
struct WireDial {
  rpc::Address from;
  rpc::Address to;
  std::uint32_t tries = 0;
};

/// How the process at one end went away.
enum class WireLeave : std::uint8_t {
  ended,    ///< In order: what it wrote is still sent.
  crashed,  ///< Its host breaks its connections off.
  dark,     ///< Nobody says anything.
};

/// One connection. It lives until both its links were dropped.
///
/// States of an end, with what leads on:
///   linked --start--> started --on_fin, tell_lost--> ended;   any --drop--> dropped
///   any --leave--> gone: no process any more, and its host answers by a reset
///
/// In a World neither end learns at once what becomes of the other: a reset takes its way, and may
/// be lost on it. What arrives at an end that is gone, dropped or broken is answered by another.
class WireConnection final : WireFlowEvents {
 public:
  using OnHello = std::move_only_function<void()>;

  WireConnection(WireHub& hub, WireId id, WirePlace dialer, WirePlace listener);

  /// Makes the link of one end. Requires: once for each side.
  std::unique_ptr<rpc::Link> make_link(WireSide side);
  WireId id() const { return id_; }
  WireFlow& flow_from(WireSide side) { return flows_[index(side)]; }
  /// Both ends get `lost`, unless they have ended; nothing else arrives. In a SimRun.
  void cut(std::string_view reason);

  // In a World.

  /// The listener's host answers the dial; `on_hello` is called when that arrives.
  void say_hello(OnHello on_hello);
  /// Whether the process of this reactor has an end here, that it has not left.
  std::optional<WireSide> side_of(const VirtualReactor& reactor) const;
  void leave(WireSide side, WireLeave how);
  void on_way_change(const WireWay& way);
  void on_way_ease(const WireWay& way);
  ConnectionSnapshot snapshot() const;
  /// What is under way on `way`. Units: bytes.
  std::size_t in_flight(const WireWay& way) const;

  void start(WireSide side, rpc::LinkEvents& events);
  bool write(WireSide side, ByteView bytes);
  void close_write(WireSide side);
  void drop(WireSide side);
  const std::string& peer_of(WireSide side) const { return end(other(side)).address; }

 private:
  struct End {
    std::string address;
    WireSpot spot;
    WireWay* way;
    rpc::LinkEvents* events = nullptr;
    bool linked = true;
    bool ended = false;
    bool broken = false;  ///< It was told of a loss, or will be once it is started.
    bool gone = false;
    EventQueue::Event loss = {};
  };

  static std::size_t index(WireSide side) { return static_cast<std::size_t>(side); }
  End& end(WireSide side) { return ends_[index(side)]; }
  const End& end(WireSide side) const { return ends_[index(side)]; }
  WireFlow::Parts parts(WireSide from);
  /// Whether it can be told nothing more.
  bool deaf(const End& end) const { return end.ended || !end.linked || end.gone; }
  /// Whether the end believes that its connection stands.
  bool stands(const End& end) const { return !deaf(end) && !end.broken; }
  std::string_view state() const;
  bool in_world() const { return hub_.counts != nullptr; }
  /// Something happened to this direction, at the time of one of the ends.
  void note(std::string_view kind, WireSide from, WireSide where, ByteView payload = {});
  void schedule_loss(WireSide side);
  void tell_lost(WireSide side);
  void break_end(WireSide side, std::string_view reason);
  bool answers_by_reset(WireSide side);

  void on_arrival(WireSide from, Bytes bytes) override;
  void on_fin(WireSide from) override;
  void on_taken(WireSide from) override;
  void on_cut_point(WireSide from) override;
  void on_hello(WireSide from) override;
  void on_reset(WireSide from) override;
  void on_reset_lost(WireSide from) override;
  void on_broken(WireSide from) override;

  WireHub& hub_;
  const WireId id_;
  std::array<End, 2> ends_;
  std::array<WireFlow, 2> flows_;
  OnHello on_hello_;
  bool cut_ = false;
  std::string cut_reason_;
};

/// One end's handle, as rpc::Link describes it.
class WireLink final : public rpc::Link {
 public:
  WireLink(WireConnection& connection, WireSide side) : connection_(connection), side_(side) {}
  ~WireLink() override { connection_.drop(side_); }
  void start(rpc::LinkEvents& events) override { connection_.start(side_, events); }
  bool write(ByteView bytes) override { return connection_.write(side_, bytes); }
  void close_write() override { connection_.close_write(side_); }
  std::string peer_address() const override { return connection_.peer_of(side_); }
  WireId id() const { return connection_.id(); }

 private:
  WireConnection& connection_;
  WireSide side_;
};

}  // namespace detail
}  // namespace tubing::sim
