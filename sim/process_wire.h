// ProcessWire: rpc::Transport of a process in a World.
#pragma once

#include <memory>
#include <vector>

#include "tubing/rpc/transport.h"
#include "tubing/sim/process.h"

namespace tubing::sim {

class Wires;

namespace detail {
class LinkWay;
}

/// Addresses are "HOST:PORT" with the names of the World's hosts. A process listens at its own host
/// alone. A dial of a host that is dark, or that cannot be reached, is unanswered, and tried again
/// until it is given up; where nobody listens it is refused.
///
/// Requires: the links, listeners and dialings of a process that ends in order are dropped before.
/// Threads: one.
class ProcessWire final : public rpc::Transport, public Seam {
 public:
  ProcessWire(Wires& wires, Host& host, VirtualReactor& reactor);
  ~ProcessWire() override;
  ProcessWire(const ProcessWire&) = delete;
  ProcessWire& operator=(const ProcessWire&) = delete;

  /// Errors: not_found for an address of another host, already_exists, resource_exhausted where
  /// port 0 was asked for and none is free; unavailable when the process has crashed.
  Result<std::unique_ptr<rpc::Listener>> listen(const rpc::Address& address,
                                                OnLink on_link) override;
  /// Errors: not_found where no host has this name, unavailable.
  std::unique_ptr<rpc::Dialing> dial(const rpc::Address& address, OnDialed on_dialed) override;

  void cut(Crash how) override;

 private:
  friend class Wires;
  class Listener;
  class Dialing;

  Time now() const;

  Wires& wires_;
  Host& host_;
  VirtualReactor& reactor_;
  bool cut_ = false;
  std::vector<Listener*> listeners_;
  std::vector<Dialing*> dialings_;
};

}  // namespace tubing::sim
