// NodePort: one end of an untyped channel over a session.
#pragma once

#include <optional>
#include <vector>

#include "tubing/rpc/detail/session.h"

namespace tubing::rpc {

/// The Port of a session's channel. Until `attach` it keeps what came: early messages, which are
/// bounded by the early credit, and ends. The session keeps the channels that were passed on it
/// until they are claimed; it drops the rest once nothing can be claimed here any more.
/// Owns: its channel in the session's Mux, which it releases.
class NodePort final : public channel::Port {
 public:
  // Shared: the session and its ports hold `peer`; it refers to nothing.
  NodePort(Session& session, ChannelId id, std::shared_ptr<const PeerInfo> peer)
      : session_(&session), id_(id), peer_(std::move(peer)) {}
  ~NodePort() override;

  const PeerInfo& peer() const override { return *peer_; }
  std::uint32_t accept(std::uint32_t capacity) override;
  void attach(channel::PortEvents& events) override;
  void detach() override { events_ = nullptr; }
  bool has_room() override { return session_ && !send_ended_ && session_->mux_.may_send(id_); }
  ByteBuffer& begin_message() override;
  Result<bool> commit() override;
  void rollback() override { session_->mux_.rollback(id_); }
  void taken(std::uint64_t items, std::uint64_t bytes) override;
  void close_send() override;
  void stop() override;
  void reset(Code status, std::string_view text) override;
  std::uint64_t accepted() const override {
    return session_ ? session_->mux_.accepted(id_) : accepted_;
  }
  std::uint64_t taken_by_peer() const override { return taken_; }
  Result<std::uint64_t> next_passed(std::uint32_t ahead) override;
  std::unique_ptr<channel::Port> open_passed(const channel::ChannelSpec& spec) override;
  Result<channel::IncomingPort> claim(std::uint64_t number) override;

  // What the session tells.
  ChannelId id() const { return id_; }
  void on_message(ByteView message);
  void on_writable();
  void on_receive_end(Error how);
  void on_send_end(Error how);
  void on_taken_by_peer(std::uint64_t messages);
  /// Whether a message may still come here that carries another channel.
  bool takes_passed() const { return !receive_over_; }
  /// The session is gone.
  void on_lost(const Error& why);

 private:
  /// What came before `attach`.
  struct Early {
    std::vector<Bytes> messages;
    std::optional<Error> receive_end;
    std::optional<Error> send_end;
  };

  Early& early() {
    if (!early_) early_ = std::make_unique<Early>();
    return *early_;
  }
  /// No message will be read here any more: what was passed and not claimed is reset.
  void end_passing();
  /// Runs `f` on the mux where the session still lives, and has its output sent.
  template <class F>
  void with_mux(F f) {
    if (!session_) return;
    f(session_->mux_);
    session_->secure_.request_flush();
  }

  Session* session_;  ///< Null once the session is gone.
  const ChannelId id_;
  // Shared: the session and its ports; it refers to nothing.
  std::shared_ptr<const PeerInfo> peer_;
  channel::PortEvents* events_ = nullptr;
  std::unique_ptr<Early> early_;  ///< Null where nothing came, and after `attach`.
  std::uint64_t accepted_ = 0;    ///< Once the session is gone.
  std::uint64_t taken_ = 0;       ///< Of our messages, by the peer's code.
  bool attached_ = false;
  bool send_ended_ = false;
  bool receive_over_ = false;
};

}  // namespace tubing::rpc
