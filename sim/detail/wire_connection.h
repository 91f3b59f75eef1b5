// WireConnection: two flows and the two ends between them.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "tubing/rpc/transport.h"
#include "tubing/sim/detail/wire_flow.h"
#include "tubing/sim/running_hash.h"

namespace tubing::sim {

/// Sees each chunk as it arrives, and may change it: bytes altered, repeated, kept for later, or
/// none left. Called with the connection, the side that wrote it, and the chunk.
using WireTap = std::function<void(WireId, WireSide from, Bytes& chunk)>;

namespace detail {

class WireConnection;

/// What all connections of one Wire share.
struct WireHub {
  VirtualReactor& reactor;
  RunHash& hash;
  Prng prng;
  WireTap tap = {};
  WireConditions conditions = {};
  WireId next_id = 0;
  std::map<WireId, std::unique_ptr<WireConnection>> connections = {};
};

/// One connection. It lives until both its links were dropped.
///
/// States of an end, with what leads on:
///   linked --start--> started --on_fin, tell_lost--> ended;   any --drop--> dropped
class WireConnection final : WireFlowEvents {
 public:
  WireConnection(WireHub& hub, WireId id, std::string dialer, std::string listener);

  /// Makes the link of one end. Requires: once for each side.
  std::unique_ptr<rpc::Link> make_link(WireSide side);
  WireId id() const { return id_; }
  WireFlow& flow_from(WireSide side) { return flows_[index(side)]; }
  /// Both ends get `lost`, unless they have ended; nothing else arrives.
  void cut(std::string_view reason);

  void start(WireSide side, rpc::LinkEvents& events);
  bool write(WireSide side, ByteView bytes);
  void close_write(WireSide side);
  void drop(WireSide side);
  const std::string& peer_of(WireSide side) const { return end(other(side)).address; }

 private:
  struct End {
    std::string address;
    rpc::LinkEvents* events = nullptr;
    bool linked = true;
    bool ended = false;
    VirtualReactor::Event loss = {};
  };

  static std::size_t index(WireSide side) { return static_cast<std::size_t>(side); }
  End& end(WireSide side) { return ends_[index(side)]; }
  const End& end(WireSide side) const { return ends_[index(side)]; }
  bool deaf(const End& end) const { return end.ended || !end.linked; }
  void note(std::string_view kind, WireSide side, ByteView payload = {});
  void schedule_loss(WireSide side);
  void tell_lost(WireSide side);

  void on_arrival(WireSide from, Bytes bytes) override;
  void on_fin(WireSide from) override;
  void on_taken(WireSide from) override;
  void on_cut_point(WireSide from) override;

  WireHub& hub_;
  const WireId id_;
  std::array<End, 2> ends_;
  std::array<WireFlow, 2> flows_;
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
