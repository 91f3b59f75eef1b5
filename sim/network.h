// sim::Network: channels between simulated processes, message by message.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tubing/channel/network.h"
#include "tubing/sim/message_fabric.h"
#include "tubing/sim/process.h"

namespace tubing::sim {

/// A process's place in the network, in message mode: Process::network(). It keeps the contract of
/// channel::Network as rpc::Node does, without sessions' bytes under it: a value costs one event.
///
/// Peers are called by the names of their hosts: `open(self.network(), kChat, {"b"})` reaches that
/// process of host b which accepts the service; where none does, the first that accepts others, and
/// it refuses. "b/server" names one process. What stands behind an "@" is not looked at, so that
/// names written for a real network do. The first channel to a process waits for its answer, as a
/// dial does; others follow at once, in both directions. Each channel has an order of its own: one
/// that was opened later may come earlier.
///
/// What the faults of `World::links()` do to a channel:
///
/// | fault | ordered | datagram |
/// | --- | --- | --- |
/// | drop, deaf, corrupt | `lost` at both ends, once they notice | that message is gone |
/// | reset | `lost` at both ends at once | the same |
/// | cut, isolation | what is under way or sent is lost; then `lost` at both ends | the same, once
/// | | | they notice; sends vanish before |
/// | held | arrives once released, in order | arrives once released |
/// | duplicate, reorder | nothing | arrives twice; may be overtaken |
///
/// A side notices after a time that is drawn from NetworkConditions. A process that crashed is
/// noticed after the latency of the link, one whose host has no power as a cut is. Datagrams that
/// were dropped, not heard, or cut are kept for `Links::deliver_late`.
///
/// Threads: the Scheduler's alone.
class Network final : public channel::Network, public Seam {
 public:
  /// Requires: `process` runs.
  explicit Network(Process& process);
  ~Network() override;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Errors: as channel::Network; unavailable where no host has the name, it does not answer, or
  /// nobody on it accepts anything. With a deadline it goes on dialling until then.
  Task<std::unique_ptr<channel::Port>> open(PeerName peer, channel::ChannelSpec spec,
                                            Deadline deadline) override;
  Result<Receiver<channel::IncomingPort>> accept(std::string service,
                                                 std::uint32_t backlog) override;
  /// Names are enough here: it changes nothing. Errors: invalid_argument for an empty name.
  Result<> learn(PeerName peer, std::vector<std::string> addresses) override;

  void cut(Crash how) override;

 private:
  std::unique_ptr<detail::MessageEndpoint> endpoint_;
};

}  // namespace tubing::sim
