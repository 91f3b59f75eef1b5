// HalfOpen: connections to us whose peer has not proven itself yet, and the caps on them.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "tubing/channel/alarm.h"
#include "tubing/rpc/node_limits.h"
#include "tubing/rpc/transport.h"

namespace tubing::rpc {

/// What counts as one address for the caps: the host of HOST:PORT, of IPv6 its /64 network, which
/// is the least that one customer gets.
std::string source_of(std::string_view peer_address);

/// Tells a dialler that we are busy, in 8 bytes before it has said anything, and drops it. Whether
/// they reach it is not known: nobody waits for that.
void tell_busy(std::unique_ptr<Link> link);

/// Decides about a connection before a byte of it is read. In total the caps refuse; of one address
/// the first `half_open_per_address_max` may begin their handshake, and the next ones wait in line,
/// no longer than a handshake may last.
///
///   admit() ──▶ begun ──settle()──▶ counted no more; the first that waits begins
///      └─────▶ waiting ──handshake_time_max──▶ told that we are busy, and dropped
///      └─────▶ refused
///
/// Threads: the Scheduler's alone.
class HalfOpen {
 public:
  /// Begins the handshake on a link of this source, and gives it no longer than this.
  using Begin = std::function<void(std::unique_ptr<Link>, const std::string& source, Duration)>;
  HalfOpen(Scheduler& scheduler, const NodeLimits& limits, Begin begin);

  /// Takes the link where it may begin or wait.
  /// Returns: whether it did; else it is the caller's still.
  bool admit(std::unique_ptr<Link>& link);
  /// A link of this source has proven itself or is gone.
  void settle(const std::string& source);
  /// Drops all that wait.
  void clear();

  std::size_t size() const { return begun_ + line_.size(); }
  std::size_t waiting() const { return line_.size(); }
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Waiting {
    std::unique_ptr<Link> link;
    std::string source;
    Time until;
  };
  struct Source {
    std::uint32_t begun = 0;
    std::list<std::list<Waiting>::iterator> line;  ///< Its own, the oldest first.
  };

  void begin(Source& source, const std::string& name, std::unique_ptr<Link> link, Duration time);
  void drop_late();

  Scheduler& scheduler_;
  const NodeLimits& limits_;
  const Begin begin_;
  Alarm alarm_;
  std::map<std::string, Source> sources_;
  std::list<Waiting> line_;  ///< Of all sources, the oldest first.
  std::uint32_t begun_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace tubing::rpc
