// Wire: rpc::Transport within one process and in virtual time, with faults to order.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "tubing/rpc/transport.h"
#include "tubing/sim/detail/wire_connection.h"

namespace tubing::sim {

/// What becomes of a dial.
enum class DialAnswer : std::uint8_t {
  accepted,    ///< Where somebody listens.
  refused,     ///< As though nobody did.
  unanswered,  ///< Nothing ever comes back.
};

/// A network of byte streams. Connections behave as TCP's do behind rpc::Link; their conditions and
/// faults are the caller's. All times and chunks are drawn from one generator, and what arrives
/// goes into the run's hash: time, connection, direction and bytes.
///
/// A fault on a connection that is gone does nothing.
///
/// Requires: all links, listeners and dialings are dropped before it; the reactor outlives it.
/// Threads: one.
class Wire final : public rpc::Transport {
 public:
  Wire(VirtualReactor& reactor, Prng prng, RunHash& hash);
  ~Wire() override;

  /// Errors: already_exists, invalid_argument for an address without a host, resource_exhausted
  /// where port 0 was asked for and none is free.
  Result<std::unique_ptr<rpc::Listener>> listen(const rpc::Address& address,
                                                OnLink on_link) override;
  /// Takes a latency there and one back. Errors: unavailable.
  std::unique_ptr<rpc::Dialing> dial(const rpc::Address& address, OnDialed on_dialed) override;

  /// Of dials, and of connections that are made later.
  void set_conditions(const WireConditions& conditions);
  void set_conditions(WireId id, const WireConditions& conditions);
  void set_dial_answer(const rpc::Address& address, DialAnswer answer);
  /// Called for each new connection before its first byte, for example to order a fault.
  void on_connect(std::function<void(WireId)> callback) { on_connect_ = std::move(callback); }
  void set_tap(WireTap tap) { hub_.tap = std::move(tap); }

  /// The connections that live, the oldest first.
  std::vector<WireId> connections() const;
  /// Requires: the link is of this wire.
  static WireId id_of(const rpc::Link& link);

  /// Breaks the connection now: both ends get `lost`, and what was under way is gone.
  void cut(WireId id);
  /// The same once `bytes` bytes of this direction have arrived, counted from its first.
  void cut_after(WireId id, WireSide from, std::uint64_t bytes);
  /// Half-open: nothing of this direction arrives from now on, and neither end is told.
  void lose(WireId id, WireSide from);
  /// Nothing of this direction arrives until `release`; then all does, in its order.
  void hold(WireId id, WireSide from);
  void release(WireId id, WireSide from);
  /// Flips the bits of `mask` in the byte at `offset` of this direction.
  /// Returns: whether that byte is still to arrive.
  bool corrupt(WireId id, WireSide from, std::uint64_t offset, std::byte mask = std::byte{1});
  /// Lets bytes arrive that the side never wrote, behind those that are under way.
  void inject(WireId id, WireSide from, Bytes bytes);

 private:
  class WireListener;
  class WireDialing;
  using Key = std::pair<std::string, std::uint16_t>;

  static Key key_of(const rpc::Address& address) { return {address.host, address.port}; }
  Result<std::uint16_t> free_port(const std::string& host) const;
  WireListener* accepting(const rpc::Address& address) const;
  Duration draw_latency();
  detail::WireConnection& connect(const rpc::Address& address);
  detail::WireConnection* find(WireId id) const;

  VirtualReactor& reactor_;
  detail::WireHub hub_;
  std::map<Key, WireListener*> listeners_;
  std::map<Key, DialAnswer> answers_;
  std::function<void(WireId)> on_connect_;
  std::size_t dialing_count_ = 0;
};

}  // namespace tubing::sim
