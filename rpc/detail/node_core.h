// Node::Core: the sessions, services and dials of a node.
#pragma once

#include <map>
#include <set>

#include "tubing/channel/alarm.h"
#include "tubing/rpc/detail/session.h"
#include "tubing/rpc/node.h"

namespace tubing::rpc {

/// Whom a PeerName means, and where to dial.
struct DialTarget {
  crypto::ExpectedPeer who;
  std::optional<Address> address;

  /// Errors: invalid_argument, with what a good name looks like.
  static Result<DialTarget> parse(const PeerName& peer);
};

class Node::Core final : private SessionEvents, private TurnHook {
 public:
  Core(const NodeParts& parts, const NodeLimits& limits) : parts_(parts), limits_(limits) {}
  ~Core();

  Result<Address> listen(const Address& address);
  Task<std::unique_ptr<channel::Port>> open(PeerName peer, channel::ChannelSpec spec,
                                            Deadline deadline);
  Result<Receiver<channel::IncomingPort>> accept(std::string service, std::uint32_t backlog);
  Task<> close(Deadline deadline);
  std::vector<PeerInfo> peers() const;

 private:
  struct Entry {
    std::unique_ptr<Session> session;
    bool half_open = true;
  };
  /// A connection being made; whoever wants the same peer waits for the same one.
  struct Dial {
    Dial(Scheduler& scheduler, std::function<void()> too_late)
        : deadline(scheduler, std::move(too_late)) {}
    Channel<char> done{0};  ///< Closed when the session is up, or with the error.
    std::unique_ptr<Dialing> dialing;
    std::uint64_t session_id = 0;
    Alarm deadline;
  };

  void on_session_up(Session& session) override;
  void on_incoming(channel::IncomingPort incoming) override;
  void on_session_end(Session& session, const Error& why) override;
  void on_session_gone(Session& session) override;
  void on_turn_end() override;

  Session* newest(const DialTarget& target) const;
  Channel<char> dial(const PeerName& peer, const DialTarget& target);
  void on_dialed(const std::string& peer, const crypto::ExpectedPeer& who,
                 Result<std::unique_ptr<Link>> link);
  void finish_dial(const std::string& peer, Error how);
  void on_link(std::unique_ptr<Link> link);
  Session& add_session(Side side, std::unique_ptr<Link> link, crypto::Handshake handshake);
  void settle_half_open(Session& session);
  void log(LogLevel level, std::string_view line);

  const NodeParts parts_;
  const NodeLimits limits_;
  FlushBuffers buffers_;
  std::map<std::string, Sender<channel::IncomingPort>> services_;
  std::map<std::uint64_t, Entry> sessions_;  ///< By number, in the order in which they came.
  std::map<std::string, std::unique_ptr<Dial>> dials_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<Dial>> done_dials_;  ///< Destroyed at the end of the turn.
  std::vector<std::uint64_t> gone_;                ///< Likewise.
  std::uint64_t next_session_id_ = 1;
  std::uint32_t half_open_ = 0;
  Channel<char> drained_{0};    ///< Closed when no session is left.
  Channel<char> destroyed_{0};  ///< Closed by the destructor, for tasks that were waiting.
};

}  // namespace tubing::rpc
