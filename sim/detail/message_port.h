// MessagePort: the Port of one end of a channel in message mode.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tubing/sim/detail/message_channel.h"

namespace tubing::sim::detail {

/// Until `attach` it keeps what came: early messages, which the early credit bounds, and ends. It
/// keeps the channels that came in messages until they are claimed, or can be no more.
class MessagePort final : public channel::Port {
 public:
  // Shared: the session and its ports hold `peer`; it refers to nothing.
  MessagePort(MessageChannel& channel, int end, std::shared_ptr<const PeerInfo> peer)
      : channel_(&channel), end_(end), peer_(std::move(peer)) {}
  ~MessagePort() override;

  const PeerInfo& peer() const override { return *peer_; }
  std::uint32_t accept(std::uint32_t capacity) override;
  void attach(channel::PortEvents& events) override;
  void detach() override { events_ = nullptr; }
  bool has_room() override { return channel_ && !send_ended_ && channel_->has_room(end_); }
  ByteBuffer& begin_message() override { return channel_->begin_message(end_); }
  Result<bool> commit() override { return channel_->commit(end_); }
  void rollback() override { channel_->rollback(end_); }
  void taken(std::uint64_t items, std::uint64_t) override {
    if (channel_) channel_->taken(end_, items);
  }
  void close_send() override;
  void stop() override;
  void reset(Code status, std::string_view text) override;
  std::uint64_t accepted() const override {
    return channel_ ? channel_->accepted(end_) : accepted_;
  }
  std::uint64_t taken_by_peer() const override {
    return channel_ ? channel_->ask_taken(end_) : taken_;
  }
  Result<std::uint64_t> next_passed(std::uint32_t ahead) override;
  std::unique_ptr<channel::Port> open_passed(const channel::ChannelSpec& spec) override;
  Result<channel::IncomingPort> claim(std::uint64_t number) override;

  // What the channel tells.

  void on_message(ByteView message);
  void on_writable();
  void on_receive_end(Error how);
  void on_send_end(Error how);
  void on_taken_by_peer(std::uint64_t messages);
  /// A channel came in the message that follows.
  void on_carried(std::uint64_t number, channel::IncomingPort incoming);
  /// The channel is no more to this end. `why` is null where nobody is to be told.
  void on_lost(const Error* why);
  std::size_t early_messages() const { return early_ ? early_->messages.size() : 0; }

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
  /// No message will be read here any more: what came in one and was not claimed is reset.
  void end_carrying();

  MessageChannel* channel_;  ///< Null once it is no more to this end.
  const int end_;
  // Shared: the session and its ports; it refers to nothing.
  std::shared_ptr<const PeerInfo> peer_;
  channel::PortEvents* events_ = nullptr;
  std::unique_ptr<Early> early_;  ///< Null where nothing came, and after `attach`.
  std::vector<std::pair<std::uint64_t, channel::IncomingPort>> unclaimed_;
  std::uint64_t accepted_ = 0;  ///< Once the channel is gone; likewise `taken_`.
  std::uint64_t taken_ = 0;
  bool attached_ = false;
  bool send_ended_ = false;
  bool receive_over_ = false;
};

}  // namespace tubing::sim::detail
