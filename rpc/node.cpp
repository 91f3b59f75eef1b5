#include "tubing/rpc/node.h"

#include "tubing/rpc/detail/node_core.h"

namespace tubing::rpc {

Node::Node(const NodeParts& parts, const NodeLimits& limits)
    : core_(std::make_unique<Core>(parts, limits)) {}
Node::~Node() = default;

Result<Address> Node::listen(const Address& address) { return core_->listen(address); }

Task<std::unique_ptr<channel::Port>> Node::open(PeerName peer, channel::ChannelSpec spec,
                                                Deadline deadline) {
  return core_->open(std::move(peer), std::move(spec), deadline);
}

Result<Receiver<channel::IncomingPort>> Node::accept(std::string service, std::uint32_t backlog) {
  return core_->accept(std::move(service), backlog);
}

Result<> Node::learn(PeerName peer, std::vector<std::string> addresses) {
  return core_->learn(peer, addresses);
}

Task<> Node::connect(PeerName peer, Deadline deadline) {
  return core_->connect(std::move(peer), deadline);
}

Task<> Node::close(Deadline deadline) { return core_->close(deadline); }

std::vector<PeerInfo> Node::peers() const { return core_->peers(); }
NodeStats Node::stats() const { return core_->stats(); }

Result<> Node::renew(const crypto::Identity& identity, const crypto::Certificate& certificate) {
  return core_->renew(identity, certificate);
}

std::size_t Node::recheck() { return core_->recheck(); }

}  // namespace tubing::rpc
