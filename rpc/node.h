// Node: a process's place in the network. It listens, dials, and implements channel::Network.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "tubing/channel/logger.h"
#include "tubing/channel/network.h"
#include "tubing/crypto/credentials.h"
#include "tubing/crypto/entropy.h"
#include "tubing/rpc/mux.h"
#include "tubing/rpc/transport.h"

namespace tubing::rpc {

/// Every bound of a node, with its default.
struct NodeLimits {
  Duration handshake_time_max = std::chrono::seconds(5);  ///< A stranger has no longer.
  Duration dial_time_max = std::chrono::seconds(10);      ///< To connect and prove itself.
  Duration linger_time_max = std::chrono::seconds(1);     ///< To hear a refusal or a goodbye.
  std::uint32_t half_open_max = 1024;  ///< Connections that have not proven themselves yet.
  std::uint32_t sessions_max = 16 * 1024;
  MuxLimits mux = {};  ///< Of each session.
};

/// What a node is made of. All that is referred to outlives it.
struct NodeParts {
  Scheduler& scheduler;
  Transport& transport;
  crypto::Entropy& entropy;
  const crypto::Credentials& credentials;
  const crypto::Trust& trust;
  Logger* logger = nullptr;  ///< Told of sessions that come, go and are refused.
};

/// Sessions with peers, and channels over them, opened from either end.
///
///     rpc::Node node({scheduler, transport, entropy, credentials, trust});
///     co_await ok(node.listen(address));
///     auto incoming = co_await ok(accept(node, kChat));        // as a server
///     auto chat = co_await ok(open(node, kChat, {"bob@127.0.0.1:7000"}));  // as a client
///
/// One session with a peer carries all channels to it, whoever dialled; where both dial at the same
/// time there are two, and the newest is used. A server reaches a client that connected by the
/// client's name alone. Losing a connection ends its channels with `lost`.
///
/// Owns: its sessions; dropping the node cuts them. Channels that outlive it are lost.
/// Threads: the Scheduler's alone.
class Node final : public channel::Network {
 public:
  explicit Node(const NodeParts& parts, const NodeLimits& limits = {});
  ~Node() override;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Takes connections at `address`; more than one address may be listened at.
  /// Returns: where it listens; with port 0 given, the port that the system chose.
  /// Errors: already_exists where the address is in use; invalid_argument, permission_denied.
  Result<Address> listen(const Address& address);

  /// Errors: invalid_argument for a name without an address where no session with it is open.
  Task<std::unique_ptr<channel::Port>> open(PeerName peer, channel::ChannelSpec spec,
                                            Deadline deadline) override;
  Result<Receiver<channel::IncomingPort>> accept(std::string service,
                                                 std::uint32_t backlog) override;
  Result<> learn(PeerName peer, std::vector<std::string> addresses) override;

  /// Stops listening, says goodbye to every peer behind what can still be sent, and waits until
  /// they have gone. Errors: deadline_exceeded, cancelled; the rest is then cut when the node goes.
  Task<> close(Deadline deadline = {});

  /// Who is connected now, in the order in which they came.
  std::vector<PeerInfo> peers() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace tubing::rpc
