// Mux::State: what the three parts of the mux share. Calls of the application lie in mux.cpp,
// frames that come in detail/mux_frames.cpp, frames that leave in detail/mux_flush.cpp.
#pragma once

#include <string>

#include "tubing/rpc/detail/channel_table.h"
#include "tubing/rpc/detail/frame_queue.h"
#include "tubing/rpc/detail/mux_channel.h"
#include "tubing/rpc/detail/receive_budget.h"
#include "tubing/rpc/mux.h"

namespace tubing::rpc {

struct Mux::State {
  using Channel = detail::MuxChannel;
  using SendState = detail::SendState;
  using ReceiveState = detail::ReceiveState;
  template <detail::ChannelHook Channel::* kHook>
  using List = detail::ChannelList<Channel, kHook>;

  State(Side side, const MuxLimits& limits, MuxEvents& events);

  // Ids. `place` tells of which opener a channel is: one of ours, or the peer's.
  bool is_ours(ChannelId id) const { return number(id) % 2 == own_next % 2; }
  bool was_opened(ChannelId id) const {
    return number(id) != 0 && number(id) < (is_ours(id) ? own_next : peer_next);
  }
  Channel& add(ChannelId id, const OpenRequest& request, detail::Amount send_window,
               detail::Amount receive_window);
  /// Erases the channel where nothing can happen on it any more.
  void forget_if_over(Channel& channel);
  void erase(Channel& channel);

  // Sending.
  bool has_credit(const Channel& channel, std::size_t bytes) const;
  bool has_room(const Channel& channel, std::size_t bytes) const;
  bool is_large(const Channel& channel, std::size_t bytes) const;
  std::size_t message_bytes_max() const;
  Result<> check_sending(const Channel* channel) const;
  void await_writable(Channel& channel, std::size_t bytes);
  void accept_message(Channel& channel, std::size_t bytes);
  /// Tells a channel that waits for credit, after some came.
  void tell_if_writable(ChannelId id);
  /// Tells all those that wait for room and fit now.
  void tell_writers();
  void drop_outbox(Channel& channel);
  void activate(Channel& channel);
  void end_sending(Channel& channel);

  // Receiving.
  void recharge(Channel& channel);
  /// Grants the whole of a large message, now or when the budget has room for it.
  void request_reservation(Channel& channel);
  bool try_reserve(Channel& channel);
  void serve_reservations();
  void owe_credit_if_due(Channel& channel);
  void stop_receiving(Channel& channel);
  void end_receiving(Channel& channel);

  /// Ends both directions without a word to the peer.
  void break_channel(Channel& channel);
  void reset(Channel& channel, Code status, std::string_view text);

  // Frames in.
  template <class Frame>
  Result<> read(FrameReader& in);
  Result<> read_by_kind(FrameReader& in, FrameKind kind);
  Result<> on(const SettingsFrame& frame);
  Result<> on(const RefusedFrame& frame);
  Result<> on(const OpenFrame& frame);
  Result<> on(const AcceptFrame& frame);
  Result<> on(const DataFrame& frame);
  Result<> on(const DataBeginFrame& frame);
  Result<> on(const DataMoreFrame& frame);
  Result<> on(const CreditFrame& frame);
  Result<> on(const CloseFrame& frame);
  Result<> on(const StopFrame& frame);
  Result<> on(const ResetFrame& frame);
  Result<> on(const PingFrame& frame);
  Result<> on(const PongFrame& frame);
  Result<> on(const GoawayFrame& frame);
  Result<> on(const GoodbyeFrame& frame);
  Result<> refuse_open(const OpenFrame& frame, Code status, std::string_view text);
  /// The channel of a frame, or null where the frame is to be dropped or is a violation.
  Channel* find_for(FrameKind kind, ChannelId id, Result<>& verdict) const;
  /// Likewise for the three kinds of data; counts what came against the credit.
  Channel* receive(FrameKind kind, ChannelId id, std::size_t bytes, Result<>& verdict);
  void deliver(Channel& channel);

  // Frames out.
  bool has_control() const;
  bool may_say_goodbye() const;
  bool write_control(FrameWriter& out);
  bool write_owed(FrameWriter& out);
  void write_data(FrameWriter& out);
  enum class Served : std::uint8_t { deficit_used, idle, record_full };
  Served serve(Channel& channel, FrameWriter& out);
  Served write_part(Channel& channel, FrameWriter& out);
  std::size_t quantum(const Channel& channel) const;

  const MuxLimits limits;
  MuxEvents& events;

  detail::ChannelTable table;
  detail::SpareBlocks spare;
  std::uint64_t own_next;   ///< The id of our next channel.
  std::uint64_t peer_next;  ///< The only id that the peer's next open may have.
  std::size_t own_count = 0;
  std::size_t own_open = 0;  ///< Of ours, those that have not ended on the wire.
  std::size_t peer_count = 0;

  bool has_settings = false;  ///< The peer's came; until then its limits are the least possible.
  SettingsFrame peer_settings;
  bool peer_is_done = false;  ///< Its goodbye or refused came.
  bool peer_goes_away = false;

  std::size_t outbox_bytes = 0;     ///< Of all channels, without the large message.
  Channel* large_sender = nullptr;  ///< Its outbox holds the session's one large message.
  bool room_freed = false;          ///< Somebody in room_waiters may fit now.
  List<&Channel::active> active;
  List<&Channel::owing> owing;
  List<&Channel::room_wait> room_waiters;
  List<&Channel::reserve_wait> reserve_waiters;
  detail::ReceiveBudget budget;

  bool owes_settings = true;
  /// Opens and resets: at most 4 for each of our own channels, then 4 for each of the peer's.
  detail::FrameQueue queue;
  bool owes_refused = false;
  Code refused_status = Code::unknown;
  std::string refused_text;
  std::uint64_t last_ping = 0;
  bool owes_ping = false;
  std::uint64_t pong_number = 0;
  bool owes_pong = false;
  std::uint32_t pings = 0;  ///< That came since our last pong left.
  bool goes_away = false;
  bool owes_goaway = false;
  bool owes_goodbye = false;
  bool is_done = false;  ///< Our goodbye or refused left.

  std::size_t flush_left;
};

}  // namespace tubing::rpc
