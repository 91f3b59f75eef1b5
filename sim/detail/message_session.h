// MessageSession: what two processes that talk in message mode know of each other.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "tubing/channel/network.h"
#include "tubing/sim/detail/message_channel.h"

namespace tubing::sim {
class MessageFabric;
}

namespace tubing::sim::detail {

/// How a process leaves its sessions.
enum class Departure : std::uint8_t {
  ended,    ///< Behind all that it sent.
  crashed,  ///< Its host breaks them off at once.
  silent,   ///< Nobody says so.
};

/// The dialler's side is 0, the listener's 1. Each side notices by itself that the other is gone:
/// soon where its process died, late where nobody can tell.
class MessageSession {
 public:
  MessageSession(MessageFabric& fabric, MessageEndpoint& dialler, MessageEndpoint& listener);
  ~MessageSession();

  MessageFabric& fabric() { return fabric_; }
  MessageEndpoint* endpoint(int side) { return sides_[side].endpoint; }
  /// Whose process was or is at that side; also when it is gone.
  std::uint64_t process(int side) const { return sides_[side].process; }
  HostId host(int side) const { return sides_[side].host; }
  MessageRoute& out(int side) { return *sides_[side].out; }
  /// Who that side is, as the other one sees it.
  // Shared: as Side::info.
  const std::shared_ptr<const PeerInfo>& info(int side) const { return sides_[side].info; }
  int side_of(const MessageEndpoint& endpoint) const {
    return sides_[0].endpoint == &endpoint ? 0 : 1;
  }
  bool is_named(int side, std::string_view name) const;
  bool up(int side) const { return sides_[side].up && sides_[side].endpoint != nullptr; }
  void set_up(int side) { sides_[side].up = true; }

  /// Errors: resource_exhausted where `ahead` channels and one more may not be open.
  Result<> check_places(int side, std::uint32_t ahead) const;
  /// Opens a channel; the port is the opener's. Requires: there is a place.
  MessageChannel& open(int side, const channel::ChannelSpec& spec);
  void count_open(int side) { ++sides_[side].open; }
  void count_end(int side) { --sides_[side].open; }
  MessageChannel* find(std::uint64_t id);
  std::size_t channels() const { return channels_.size(); }
  /// Destroys the channel, now or when nobody looks at the list.
  void remove(MessageChannel& channel);

  /// The side notices that the other is gone: all its channels are lost.
  void lose(int side, const Error& why);
  /// The process of that side is gone.
  void detach(int side, Departure how);
  /// The side has sent something to a peer that is gone.
  void on_sent_to_nobody(int side);
  void on_link_change(const MessageRoute& route, bool was_connected);
  void on_link_ease(MessageRoute& route);
  void deliver_late(const MessageRoute& route, const KeptMessage& message, Time now);
  bool is_over() const { return !sides_[0].endpoint && !sides_[1].endpoint && channels_.empty(); }
  /// Every link between the two passes messages.
  bool connected() const { return sides_[0].out->connected() && sides_[1].out->connected(); }

 private:
  /// How a side hears that the other is gone.
  enum class Notice : std::uint8_t {
    word,     ///< One is under way.
    silence,  ///< Of a link; healing that in time prevents the loss.
    timeout,
  };

  struct Side {
    MessageEndpoint* endpoint = nullptr;
    // Shared: the session, and the ports of the other side, which may outlive it.
    std::shared_ptr<const PeerInfo> info;
    MessageRoute* out = nullptr;
    std::uint64_t process = 0;
    HostId host = 0;
    bool up = false;
    std::uint32_t open = 0;  ///< Channels that it opened and that are open.
    VirtualReactor::Event loss = {};
    Time loss_at = Time::max();
    Notice by = Notice::timeout;
  };

  /// `at`, or behind all that the side sent in order.
  Time behind_all_of(int side, Time at) const;
  void expect_loss(int side, Time at, Notice by);
  template <class F>
  void for_each_channel(F f);
  /// Destroys the channels that are over, then perhaps this.
  void sweep();

  MessageFabric& fabric_;
  std::array<Side, 2> sides_;
  std::vector<std::unique_ptr<MessageChannel>> channels_;
  int walks_ = 0;  ///< Over the list of channels: nothing is destroyed meanwhile.
};

}  // namespace tubing::sim::detail
