// MessageFabric: the network of a World in message mode; every sim::Network is an end of it.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "tubing/sim/detail/message_session.h"
#include "tubing/sim/links.h"
#include "tubing/sim/network_conditions.h"
#include "tubing/sim/network_snapshot.h"

namespace tubing::sim {

class World;

/// Carries messages between processes, over the links of their hosts. World owns it.
///
/// Threads: one.
class MessageFabric final : LinkObserver {
 public:
  MessageFabric(World& world, Links& links, const NetworkConditions& conditions);
  ~MessageFabric();
  MessageFabric(const MessageFabric&) = delete;
  MessageFabric& operator=(const MessageFabric&) = delete;

  const NetworkConditions& conditions() const { return conditions_; }
  const LinkTraffic& traffic(HostId from, HostId to) { return route(from, to).traffic; }
  /// How many channels still have an end, or a word under way.
  std::size_t channels() const;

  // For its parts.

  World& world() { return world_; }
  Links& links() { return links_; }
  Time now() const;
  detail::MessageRoute& route(HostId from, HostId to);
  std::uint64_t next_channel_id() const { return next_channel_id_; }
  std::uint64_t take_channel_id() { return next_channel_id_++; }
  /// Something happened in the network: into the hash.
  void note(Time at, std::string_view kind, std::uint64_t subject, ByteView payload = {});

  void join(detail::MessageEndpoint& endpoint);
  void leave(detail::MessageEndpoint& endpoint);
  /// In the order of their processes.
  const std::vector<detail::MessageEndpoint*>& endpoints() const { return endpoints_; }
  detail::MessageSession& add_session(detail::MessageEndpoint& dialler,
                                      detail::MessageEndpoint& listener);
  void forget_if_over(detail::MessageSession& session);

 private:
  void on_link_change(HostId from, HostId to) override;
  void on_link_ease(HostId from, HostId to) override;
  void on_deliver_late(HostId from, HostId to) override;

  World& world_;
  Links& links_;
  const NetworkConditions conditions_;
  std::vector<std::vector<std::unique_ptr<detail::MessageRoute>>> routes_;  ///< As in Links.
  std::vector<detail::MessageEndpoint*> endpoints_;
  std::vector<std::unique_ptr<detail::MessageSession>> sessions_;  ///< In the order of dialling.
  std::uint64_t next_channel_id_ = 1;
  int walks_ = 0;  ///< Over the list of sessions: nothing is destroyed meanwhile.
};

}  // namespace tubing::sim
