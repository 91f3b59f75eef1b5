// Session: one connection to one peer, and the channels that run over it.
#pragma once

#include <map>
#include <memory>

#include "tubing/channel/network.h"
#include "tubing/rpc/detail/secure_link.h"
#include "tubing/rpc/detail/session_clock.h"
#include "tubing/rpc/mux.h"
#include "tubing/rpc/node_limits.h"

namespace tubing::rpc {

class NodePort;
class Session;

/// What a session tells its node.
class SessionEvents {
 public:
  /// The peer has proven itself and speaks our version; channels may be opened.
  virtual void on_session_up(Session& session) = 0;
  /// The peer opened a channel.
  virtual void on_incoming(channel::IncomingPort incoming) = 0;
  /// The peer shows a newer certificate. Returns: who it is from now on, or why the session ends.
  virtual Result<crypto::PeerIdentity> on_certificate(Session& session, ByteView renewal) = 0;
  /// The session takes no new channels any more, because of its age or by the peer's wish.
  virtual void on_session_drains(Session& session, std::string_view why) = 0;
  /// The peer was silent for so long that it is asked for a sign of life.
  virtual void on_session_pings(Session& session) = 0;
  /// The session is of no more use; its ports have been told. Told once, also before it was up.
  virtual void on_session_end(Session& session, const Error& why) = 0;
  /// The last event; the session may be destroyed, though not from inside this call.
  virtual void on_session_gone(Session& session) = 0;

 protected:
  ~SessionEvents() = default;
};

/// Which run of which process the peer is: its identity, and the key that it made when it began.
struct ProcessKey {
  crypto::PublicKey identity;
  crypto::X25519Public process;
  friend auto operator<=>(const ProcessKey&, const ProcessKey&) = default;
};

///   connecting ──on_settings()──▶ up ──close()──▶ closing ──on_link_end()──▶ ended
///        │                         └─drain()─▶ draining ──the last channel has ended──▶ close()
///        └──────────────────on_link_end() from everywhere──────────────▶ ended
///
/// Invariant: every live NodePort of the session stands in `ports_`.
/// Threads: the Scheduler's alone.
class Session final : private SecureLinkEvents, private MuxEvents, private SessionClockEvents {
 public:
  struct Parts {
    Scheduler& scheduler;
    FlushBuffers& buffers;
    const NodeLimits& limits;
    ProcessBudget& budget;
    SessionEvents& events;
  };
  Session(std::uint64_t id, Side side, const Parts& parts, std::unique_ptr<Link> link,
          crypto::Handshake handshake);
  ~Session();

  void start(SecureLinkTimes times) { secure_.start(times); }
  /// Opens a channel to a service, or one that travels in a message of `carrier`.
  /// Requires: takes_opens(); for one that travels, that the mux said it may be opened.
  Result<std::unique_ptr<channel::Port>> open(const channel::ChannelSpec& spec,
                                              ChannelId carrier = {});
  /// A channel that the peer passed in a message of `carrier`. Errors: invalid_argument where it
  /// passed none by this number, or it was claimed.
  Result<channel::IncomingPort> claim(ChannelId carrier, ChannelId id);
  /// Resets what was passed on `carrier` and not claimed.
  void drop_unclaimed(ChannelId carrier);
  /// Says goodbye behind all that can still be sent, then ends.
  void close();
  /// Opens nothing more, and closes once the last channel has ended.
  /// Requires: up().
  void drain();
  /// Ends the session now; the peer is told why.
  void fail(Error why) { secure_.fail(std::move(why)); }
  /// Shows the peer a newer certificate of ours. Requires: up().
  void show_certificate(ByteView renewal);

  std::uint64_t id() const { return id_; }
  Side side() const { return side_; }
  /// Messages that a peer may send on a channel before it is accepted.
  std::uint32_t early_items() const { return early_items_; }
  bool up() const { return up_ && !closing_ && !secure_.ended(); }
  /// Whether new channels may be opened.
  bool takes_opens() const { return up() && !draining_; }
  bool was_up() const { return up_; }
  bool ended() const { return secure_.ended(); }
  /// Whether the peer has proven who it is.
  bool knows_peer() const { return identity_.has_value(); }
  /// Requires: knows_peer().
  const crypto::PeerIdentity& identity() const { return *identity_; }
  const PeerInfo& peer() const { return *peer_; }
  /// Requires: knows_peer(). Equal for two sessions with the same process.
  const ProcessKey& process() const { return process_; }
  const crypto::HashBytes& session_hash() const { return session_hash_; }
  std::string peer_address() const { return secure_.peer_address(); }
  SessionStats stats();

 private:
  friend class NodePort;

  void on_secured(const crypto::HandshakeResult& result) override;
  Result<> on_record(ByteView plaintext) override;
  void begin_flush() override { mux_.begin_flush(); }
  std::size_t fill_record(MutableBytes plaintext) override;
  bool has_output() const override { return mux_.has_output(); }
  bool is_done() const override { return mux_.is_done(); }
  void on_refusing(const Error& why) override;
  void on_link_end(const Error& why) override;
  void on_link_gone() override { events_.on_session_gone(*this); }

  void on_settings(const SettingsFrame& settings) override;
  void on_open(ChannelId id, const OpenRequest& request) override;
  void on_accept(ChannelId) override {}
  void on_message(ChannelId id, ByteView message) override;
  void on_writable(ChannelId id) override;
  void on_close(ChannelId id) override;
  void on_stop(ChannelId id) override;
  void on_reset(ChannelId id, Code status, std::string_view text) override;
  void on_taken_by_peer(ChannelId id, std::uint64_t messages) override;
  void on_certificate(ByteView renewal) override;
  void on_pong(std::uint64_t) override {}
  void on_goaway() override;
  void on_goodbye() override;
  void on_refused(Code status, std::string_view text) override;
  void on_output() override { secure_.request_flush(); }

  Time last_heard() const override { return secure_.last_heard(); }
  void on_ping_due() override;
  void on_silence(Duration silent) override;
  void on_drain_due() override;
  void on_end_due() override;
  void on_expired() override;

  void know(const crypto::PeerIdentity& identity);
  void close_if_drained();
  std::string_view state_name() const;
  std::unique_ptr<NodePort> make_port(ChannelId id);
  NodePort* find(ChannelId id);
  void forget(ChannelId id);

  const std::uint64_t id_;
  const Side side_;
  const std::uint32_t early_items_;
  Scheduler& scheduler_;
  const NodeLimits& limits_;
  SessionEvents& events_;
  Mux mux_;
  SecureLink secure_;
  SessionClock clock_;
  std::optional<crypto::PeerIdentity> identity_;
  // Shared: by the session and its ports, which may outlive it; it refers to nothing.
  std::shared_ptr<const PeerInfo> peer_;
  ProcessKey process_;
  crypto::HashBytes session_hash_{};
  std::map<ChannelId, NodePort*> ports_;
  /// What came in messages that nobody has read yet, by carrier.
  std::map<std::pair<ChannelId, ChannelId>, channel::IncomingPort> unclaimed_;
  NodePort* last_found_ = nullptr;     ///< Messages come in runs on one channel.
  std::optional<Error> peer_refused_;  ///< What the peer's last words were.
  std::optional<Error> fault_;         ///< Why what the peer just said ends the session.
  std::uint64_t pings_ = 0;
  bool up_ = false;
  bool draining_ = false;     ///< Our goaway was said: we open nothing more.
  bool peer_drains_ = false;  ///< The peer's came.
  bool closing_ = false;      ///< Our goodbye is on its way.
  bool goodbye_seen_ = false;
};

}  // namespace tubing::rpc
