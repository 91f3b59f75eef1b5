// Wires: the byte streams between the processes of a World, under the faults of its links.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "tubing/channel/base/prng.h"
#include "tubing/sim/detail/wire_connection.h"
#include "tubing/sim/links.h"
#include "tubing/sim/process_wire.h"

namespace tubing::sim {

/// What the TCP of every host is like.
struct WireOptions {
  /// How many bytes arrive at once, where so many were written; at least 1.
  std::size_t chunk_bytes_min = 64 * 1024;
  std::size_t chunk_bytes_max = 64 * 1024;
  /// Bytes that were written and have not left; beyond it a write waits. At least 1.
  std::size_t send_buffer_bytes = 256 * 1024;
  /// Bytes that have left and were not taken; beyond it nothing leaves. At least 1.
  std::size_t window_bytes = 256 * 1024;
  /// A chunk that was lost is sent again after so long, then after twice as long, up to the second.
  Duration retransmit_min = std::chrono::milliseconds(200);
  Duration retransmit_max = std::chrono::seconds(10);
  /// The same for a dial that nobody answers, until it has been tried so often: it then fails.
  Duration dial_retransmit = std::chrono::seconds(1);
  std::uint32_t dial_tries_max = 6;
  /// Connections that wait for a listener to take them; more are broken off.
  std::size_t backlog_max = 256;
};

/// Every connection between two processes, with what TCP makes of the faults of the link below it:
///
///   a chunk that is dropped, or not heard, arrives late, and so does all behind it;
///   where nothing passes, all waits, and goes on after it has ended, at the next retransmission;
///   a held link delivers when it is released; a bit that flips is the reader's to detect;
///   a reset breaks a connection for both ends, each when it hears of it.
///
/// A process that crashes has its connections broken off by its host; one whose host goes dark
/// leaves them half-open: nobody answers until power is back, and then by a reset. Each
/// connection has a line of its own of the link's bandwidth.
///
/// Threads: one.
class Wires final : LinkObserver, detail::WireWorld {
 public:
  Wires(World& world, const WireOptions& options, Prng prng);
  ~Wires();
  Wires(const Wires&) = delete;
  Wires& operator=(const Wires&) = delete;

  /// So many of a million dials to this host are refused, though somebody listens; 0 heals it.
  /// In message mode likewise.
  void refuse(HostId host, std::uint32_t ppm) { refused_ppm_[host] = ppm; }
  std::uint32_t refused_ppm(HostId host) const;
  /// Whether a dial to it is refused now; a rate of 0 draws nothing.
  bool refuses(HostId host);
  /// How many connections live.
  std::size_t size() const { return hub_.connections.size(); }
  /// All that live, and the dials that are still to become one.
  std::vector<ConnectionSnapshot> connections() const;
  std::vector<DialSnapshot> dials() const;
  /// What all streams from one host to another have carried.
  LinkTraffic traffic(HostId from, HostId to) const;

 private:
  friend class Host;
  friend class ProcessWire;
  using Key = std::pair<HostId, std::uint16_t>;
  /// The range that IANA leaves to ports chosen by the system begins here.
  static constexpr std::uint16_t kChosenPortMin = 49152;

  void on_power(HostId host);
  detail::LinkWay& way(HostId from, HostId to);
  void leave(const VirtualReactor& reactor, detail::WireLeave how);
  std::uint16_t next_port(HostId host);

  Time now() const override;
  EventQueue::Event schedule(Time at, EventQueue::Callback callback) override;
  void on_link_change(HostId from, HostId to) override;
  void on_link_ease(HostId from, HostId to) override;
  void on_deliver_late(HostId, HostId) override {}

  World& world_;
  const WireOptions options_;
  detail::WireHub hub_;
  std::map<std::pair<HostId, HostId>, std::unique_ptr<detail::LinkWay>> ways_;
  std::map<Key, ProcessWire::Listener*> listeners_;
  std::vector<const detail::WireDial*> dials_;  ///< In the order in which they began.
  std::map<HostId, std::uint32_t> refused_ppm_;
  std::map<HostId, std::uint16_t> ports_;  ///< The last one that a dial of the host came from.
};

}  // namespace tubing::sim
