// MessageEndpoint: one process in the network of message mode; what sim::Network is made of.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tubing/channel/network.h"
#include "tubing/sim/detail/message_session.h"
#include "tubing/sim/process.h"

namespace tubing::sim::detail {

/// Its sessions, its services, and whom it dials.
///
/// A dial:
///   begin_dial() ──arrive_dial(), at the peer──▶ answered ──finish_dial()──▶ up
///        └──refused, or dial_max is over: finish_dial(error)
class MessageEndpoint {
 public:
  MessageEndpoint(MessageFabric& fabric, Process& process);
  ~MessageEndpoint();
  MessageEndpoint(const MessageEndpoint&) = delete;
  MessageEndpoint& operator=(const MessageEndpoint&) = delete;

  Task<std::unique_ptr<channel::Port>> open(PeerName peer, channel::ChannelSpec spec,
                                            Deadline deadline);
  Result<Receiver<channel::IncomingPort>> accept(std::string service, std::uint32_t backlog);
  /// The process is gone; what it does from now on reaches nobody.
  void cut(Departure how);

  std::uint64_t process() const { return process_.id(); }
  HostId host() const { return host_; }
  VirtualReactor& reactor() { return reactor_; }
  // Shared: as `info_`.
  const std::shared_ptr<const PeerInfo>& info() const { return info_; }
  bool is_named(std::string_view name) const;
  bool accepts(std::string_view service) const;
  /// Whether it can be dialled: it accepts something.
  bool listens() const;

  void on_incoming(channel::IncomingPort incoming);
  void on_session(MessageSession& session) { sessions_.push_back(&session); }
  void on_session_gone(MessageSession& session);
  /// A process that may be on its way to answer is gone.
  void on_peer_gone(const MessageEndpoint& peer);

 private:
  struct Dial {
    Channel<char> done{0};
    MessageEndpoint* peer = nullptr;     ///< While the dial is on its way there.
    MessageSession* session = nullptr;   ///< Once the peer has answered.
    VirtualReactor::Event arrival = {};  ///< At the peer.
    VirtualReactor::Event answer = {};   ///< Here; at first the end of the backoff.
    VirtualReactor::Event timeout = {};
  };
  struct Failures {
    Duration wait{};
    Time not_before;  ///< In the world's time.
  };
  using Dials = std::map<std::string, std::unique_ptr<Dial>>;

  MessageSession* find_session(std::string_view name, std::string_view service);
  MessageEndpoint* find_peer(std::string_view name, std::string_view service);
  Result<HostId> find_host(std::string_view name) const;
  Task<> reach(std::string name, std::string service, Deadline deadline);
  Dial& join_dial(const std::string& name, const std::string& service);
  void begin_dial(const std::string& name, const std::string& service);
  void arrive_dial(const std::string& name);
  void finish_dial(const std::string& name, const Error& how);
  void count_failure(const std::string& name);

  MessageFabric& fabric_;
  Process& process_;
  VirtualReactor& reactor_;
  Scheduler& scheduler_;
  const HostId host_;
  // Shared: this, its sessions and the ports of its peers; it refers to nothing.
  std::shared_ptr<const PeerInfo> info_;
  std::map<std::string, Sender<channel::IncomingPort>, std::less<>> services_;
  std::vector<MessageSession*> sessions_;  ///< In the order in which they came.
  Dials dials_;
  std::map<std::string, Failures> failures_;  ///< As many as there are hosts at most.
  bool cut_ = false;
};

}  // namespace tubing::sim::detail
