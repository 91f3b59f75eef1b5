// Node: a process's place in the network. It listens, dials, and implements channel::Network.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tubing/channel/logger.h"
#include "tubing/channel/network.h"
#include "tubing/crypto/credentials.h"
#include "tubing/crypto/entropy.h"
#include "tubing/crypto/handshake.h"
#include "tubing/rpc/node_limits.h"
#include "tubing/rpc/stats.h"
#include "tubing/rpc/transport.h"

namespace tubing::rpc {

/// What a node is made of. All that is referred to outlives it.
struct NodeParts {
  Scheduler& scheduler;
  Transport& transport;
  crypto::Entropy& entropy;
  const crypto::Credentials& credentials;
  const crypto::Trust& trust;
  Logger* logger = nullptr;  ///< Told of sessions that come, go and are refused.
  /// A dialler asks for the first, a listener takes any of them. Not empty.
  std::span<const crypto::Suite> suites = crypto::kDefaultSuites;
  /// When given, every peer has to know it too.
  const crypto::Secret<crypto::kPskBytes>* psk = nullptr;
};

/// Sessions with peers, and channels over them, opened from either end.
///
///     rpc::Node node({scheduler, transport, entropy, credentials, trust});
///     co_await ok(node.listen(address));
///     auto incoming = co_await ok(accept(node, kChat));        // as a server
///     auto chat = co_await ok(open(node, kChat, {"bob@127.0.0.1:7000"}));  // as a client
///
/// One session with a process carries all channels to it, in both directions. Where two dial each
/// other at the same time, the session that the lower key dialled stays, and the other takes no new
/// channels. A server reaches a client that connected by the client's name alone; where several
/// clients have that name, the newest is meant. Losing a connection ends its channels with `lost`;
/// a peer that is silent for longer than the listener announced (MuxLimits) counts as lost.
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
  /// Errors: already_exists where the address is in use; invalid_argument, permission_denied;
  /// failed_precondition where our own certificate has expired, or is for dialling alone: every
  /// dialler would refuse it.
  Result<Address> listen(const Address& address);

  /// Opens a channel over a session with `peer`, and dials where there is none. A name may have
  /// several addresses, "NAME@HOST:PORT,HOST:PORT", or learned ones; they are tried in turn.
  ///
  /// Without a deadline it dials once: an error is told at once, but a peer that was dialled in
  /// vain is not dialled again before its backoff is over, and the open waits so long. With a
  /// deadline it goes on dialling until then, as long as another try may mend the error. Errors: as
  /// Network::open; the text names each address with its reason.
  Task<std::unique_ptr<channel::Port>> open(PeerName peer, channel::ChannelSpec spec,
                                            Deadline deadline) override;
  Result<Receiver<channel::IncomingPort>> accept(std::string service,
                                                 std::uint32_t backlog) override;
  /// No address forgets them. Errors: also resource_exhausted over `learned_max` peers.
  Result<> learn(PeerName peer, std::vector<std::string> addresses) override;
  /// Makes one more session with the peer, whatever others there are: for a pool, which one side
  /// dials. New channels go over the newest. Errors: as open().
  Task<> connect(PeerName peer, Deadline deadline = {});

  /// Stops listening, says goodbye to every peer behind what can still be sent, and waits until
  /// they have gone. Errors: deadline_exceeded, cancelled; the rest is then cut when the node goes.
  Task<> close(Deadline deadline = {});

  /// Who is connected now, in the order in which they came.
  std::vector<PeerInfo> peers() const;
  /// What the node and its sessions hold and have done. It takes a while where there are many.
  NodeStats stats() const;

  /// Shows every peer our newer certificate, so that sessions outlive the one before.
  /// Requires: the node's credentials were renewed with it; `identity` outlives the node, or its
  /// next renew(). Errors: invalid_argument where the certificate is for another key.
  Result<> renew(const crypto::Identity& identity, const crypto::Certificate& certificate);
  /// Asks the node's Trust again about every peer, after it has changed in its place; a session
  /// whose peer is believed no more ends `unauthenticated`. Returns: how many have ended.
  std::size_t recheck();

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace tubing::rpc
