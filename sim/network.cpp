#include "tubing/sim/network.h"

#include "tubing/sim/detail/message_endpoint.h"
#include "tubing/sim/world.h"

namespace tubing::sim {

Network::Network(Process& process)
    : endpoint_(std::make_unique<detail::MessageEndpoint>(process.world().fabric(), process)) {}

Network::~Network() = default;

Task<std::unique_ptr<channel::Port>> Network::open(PeerName peer, channel::ChannelSpec spec,
                                                   Deadline deadline) {
  return endpoint_->open(std::move(peer), std::move(spec), deadline);
}

Result<Receiver<channel::IncomingPort>> Network::accept(std::string service,
                                                        std::uint32_t backlog) {
  return endpoint_->accept(std::move(service), backlog);
}

Result<> Network::learn(PeerName peer, std::vector<std::string>) {
  if (!peer.text.empty()) return {};
  return Error(Code::invalid_argument, "learn", "a peer has a name; give its host's");
}

void Network::cut(Crash how) {
  endpoint_->cut(how == Crash::power ? detail::Departure::silent : detail::Departure::crashed);
}

}  // namespace tubing::sim
