// Node::Core: a node's services, and what joins its sessions, its dials and its doorstep.
#pragma once

#include <fmt/format.h>

#include <map>

#include "tubing/crypto/renewal.h"
#include "tubing/rpc/detail/dials.h"
#include "tubing/rpc/detail/half_open.h"
#include "tubing/rpc/detail/log_limits.h"
#include "tubing/rpc/detail/session_table.h"
#include "tubing/rpc/node.h"

namespace tubing::rpc {

class Node::Core final : private SessionEvents, private DialsEvents, private TurnHook {
 public:
  Core(const NodeParts& parts, const NodeLimits& limits);
  ~Core();

  Result<Address> listen(const Address& address);
  Task<std::unique_ptr<channel::Port>> open(PeerName peer, channel::ChannelSpec spec,
                                            Deadline deadline);
  Task<> connect(PeerName peer, Deadline deadline);
  Result<Receiver<channel::IncomingPort>> accept(std::string service, std::uint32_t backlog);
  Result<> learn(const PeerName& peer, const std::vector<std::string>& addresses);
  Task<> close(Deadline deadline);
  std::vector<PeerInfo> peers() const;
  NodeStats stats() const;
  Result<> renew(const crypto::Identity& identity, const crypto::Certificate& certificate);
  std::size_t recheck();

 private:
  /// The newest certificate that we show, and who signs that it is ours.
  struct Renewal {
    const crypto::Identity* identity = nullptr;
    crypto::Certificate certificate;
    std::uint64_t number = 0;
  };

  void on_session_up(Session& session) override;
  void on_incoming(channel::IncomingPort incoming) override;
  Result<crypto::PeerIdentity> on_certificate(Session& session, ByteView renewal) override;
  void on_session_drains(Session& session, std::string_view why) override;
  void on_session_pings(Session& session) override;
  void on_session_end(Session& session, const Error& why) override;
  void on_session_gone(Session& session) override;
  Result<std::uint64_t> on_dialed(const crypto::ExpectedPeer& who,
                                  std::unique_ptr<Link> link) override;
  void on_dialing(const crypto::ExpectedPeer& who, const Address& address) override;
  void on_dial_failed(const Address& address, const Error& why) override;
  void on_dial_late(std::uint64_t session) override;
  void on_turn_end() override;

  Result<DialTarget> find_target(const PeerName& peer) const;
  Task<> reach(DialTarget target, bool another, Deadline deadline);
  void on_link(std::unique_ptr<Link> link);
  Session& add_session(Side side, std::unique_ptr<Link> link, crypto::Handshake handshake);
  crypto::HandshakeConfig handshake_config() const;
  void settle_half_open(Session& session);
  void settle_twins(Session& session);
  void show_renewal(Session& session);
  Error explain(const Session& session, const Error& why) const;

  /// A line that is not wanted costs one comparison.
  template <class... Args>
  void log(LogLevel level, fmt::format_string<Args...> text, Args&&... args) const {
    if (level >= lowest_ && parts_.logger)
      parts_.logger->log(level, "rpc", fmt::format(text, std::forward<Args>(args)...));
  }

  /// Of a line that may come often: no more than the limit are warnings within a second.
  LogLevel warning_level(Nuisance kind) {
    return log_limits_.admit(kind) ? LogLevel::warning : LogLevel::debug;
  }

  const NodeParts parts_;
  const NodeLimits limits_;
  const LogLevel lowest_;
  LogLimits log_limits_;
  ProcessBudget budget_;
  FlushBuffers buffers_;
  std::map<std::string, Sender<channel::IncomingPort>> services_;
  LearnedAddresses learned_;
  SessionTable sessions_;
  HalfOpen half_open_;
  Dials dials_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::uint64_t> gone_;  ///< Sessions that are destroyed at the end of the turn.
  Renewal renewal_;
  std::uint64_t next_session_id_ = 1;
  Channel<char> drained_{0};    ///< Closed when no session is left.
  Channel<char> destroyed_{0};  ///< Closed by the destructor, for tasks that were waiting.
};

}  // namespace tubing::rpc
