// ProcessNode: channel::Network of a process in byte mode: rpc::Node and all below it.
#pragma once

#include "tubing/crypto/authority.h"
#include "tubing/crypto/credentials.h"
#include "tubing/rpc/node.h"
#include "tubing/sim/host.h"

namespace tubing::sim {

/// The certificate authority of a World, and the identity of each of its hosts, which lasts over
/// crashes. All of it follows from the seed.
///
/// Threads: one.
class WorldKeys final {
 public:
  explicit WorldKeys(Prng prng);

  /// What a process of this host shows of itself, with a key of its own.
  /// Requires: the host's name, roles and usage are those that a certificate may have.
  crypto::Credentials credentials(const Host& host, crypto::Entropy& of_process, WallTime epoch);
  crypto::Trust trust() const { return crypto::Trust::ca_only({authority_.public_key()}); }

 private:
  const crypto::Identity& identity(HostId host);

  SeededEntropy entropy_;
  crypto::Authority authority_;
  std::vector<crypto::Identity> identities_;
};

/// A Node over the wires of the World that listens at its host, unless the host is a client, and
/// knows every host by its name, also those added later.
///
/// The first process of a host that asks for its network listens at port `kPortMin`, the next one
/// at the port behind it, and so on; a process keeps its port. `PeerName{"b"}` tries them in their
/// order, so that a host whose services are in several processes is called by "b@b:7001".
///
/// Threads: one.
class ProcessNode final {
 public:
  static constexpr std::uint16_t kPortMin = 7000;

  ProcessNode(Process& process, rpc::Transport& transport, std::uint16_t port);

  rpc::Node& node() { return node_; }
  void learn(const Host& host);

 private:
  const crypto::Credentials credentials_;
  const crypto::Trust trust_;
  rpc::Node node_;
};

}  // namespace tubing::sim
