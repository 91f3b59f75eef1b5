// Two processes that trust each other: a server in a child, and a client here.
#pragma once

#include <functional>

#include "tubing/channel/go.h"
#include "tubing/crypto/preamble.h"
#include "tubing/rpc/node.h"

namespace tubing::bench {

/// How both sides are set up.
struct Settings {
  crypto::Suite suite = crypto::Suite::chacha_poly;
  rpc::NodeLimits limits = {};
};

/// What one side runs.
struct Side {
  rpc::Node& node;
  Scheduler& scheduler;
  PeerName server;  ///< Whom the client dials.
  /// A further node of this process, on the same loop, that a peer takes for another process.
  std::function<std::unique_ptr<rpc::Node>()> new_node;
};

/// Forks a server that runs `serve` until the client's process has ended, and runs `client` here.
/// Both have keys of one authority, made for this call. An error ends the program.
void run_two_processes(const Settings& settings, const std::function<Task<>(Side)>& serve,
                       const std::function<Task<>(Side)>& client);

}  // namespace tubing::bench
