// DialTarget: whom a PeerName means, and where that peer can be dialled.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tubing/channel/network.h"
#include "tubing/crypto/trust.h"
#include "tubing/rpc/node_limits.h"
#include "tubing/rpc/transport.h"

namespace tubing::rpc {

struct DialTarget {
  std::string text;  ///< As it was written: what errors say, and what dials are found by.
  crypto::ExpectedPeer who;
  std::vector<Address> addresses;  ///< In the order in which they are tried; none: a name alone.
  bool named_address = false;      ///< The addresses were in the name itself.

  /// Reads "NAME", "NAME@HOST:PORT" or "NAME@HOST:PORT,HOST:PORT".
  /// Errors: invalid_argument, with what a good name looks like.
  static Result<DialTarget> parse(const PeerName& peer, std::uint32_t addresses_max);
};

/// The addresses that were learned, by the name or the key of their peer.
class LearnedAddresses {
 public:
  explicit LearnedAddresses(const NodeLimits& limits) : limits_(limits) {}

  /// Errors: invalid_argument, as Network::learn; resource_exhausted over `learned_max` peers.
  Result<> learn(const PeerName& peer, const std::vector<std::string>& addresses);
  /// Fills in the addresses of a target that names none.
  void complete(DialTarget& target) const;

 private:
  const NodeLimits& limits_;
  std::map<std::string, std::vector<Address>> addresses_;
};

}  // namespace tubing::rpc
