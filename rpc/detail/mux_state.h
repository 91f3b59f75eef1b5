// Mux::State: what the parts of the mux share. Calls of the application lie in mux.cpp, frames that
// come in detail/mux_frames.cpp, frames that leave in detail/mux_flush.cpp, what is promised to the
// peer in detail/mux_promises.cpp.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "tubing/rpc/detail/channel_table.h"
#include "tubing/rpc/detail/frame_queue.h"
#include "tubing/rpc/detail/mux_channel.h"
#include "tubing/rpc/detail/receive_budget.h"
#include "tubing/rpc/mux.h"

namespace tubing::rpc {

struct Mux::State final : private ProcessBudget::Waiter {
  using Channel = detail::MuxChannel;
  using SendState = detail::SendState;
  using ReceiveState = detail::ReceiveState;
  template <detail::ListHook<Channel> Channel::* kHook>
  using List = detail::ChannelList<Channel, kHook>;

  static constexpr std::size_t kClasses = 3;

  State(Side side, const MuxLimits& limits, MuxEvents& events, ProcessBudget* process);
  ~State();

  // Ids and places.
  bool is_ours(ChannelId id) const { return number(id) % 2 == own_next % 2; }
  bool was_opened(ChannelId id) const {
    return number(id) != 0 && number(id) < (is_ours(id) ? own_next : peer_next);
  }
  /// How many we have opened since the session began.
  std::uint64_t own_opened() const { return (own_next - 1) / 2; }
  /// Errors: where `more` channels may not be opened.
  /// Whether so many more channels may be opened: to a service, or passed on open ones.
  Result<> check_places(std::uint64_t more, bool passed) const;
  Result<> check_carrier(const Channel* carrier) const;
  /// How many the peer may have opened since the session began.
  std::uint64_t peer_places() const { return 2 * std::uint64_t{limits.channels_max} + peer_gone; }
  bool owes_places() const {
    return peer_places() - places_told >= std::max(1U, limits.channels_max / 2);
  }
  void count_end(const Channel& channel) { --(channel.ours ? own_open : peer_open); }
  Channel& add(ChannelId id, const OpenRequest& request, detail::Amount send_window,
               detail::Amount receive_window);
  /// Erases the channel where nothing can happen on it any more.
  void forget_if_over(Channel& channel);
  void erase(Channel& channel);

  // Sending.
  bool has_credit(const Channel& channel, std::size_t bytes) const;
  bool has_room(const Channel& channel, std::size_t bytes) const;
  void drop_datagram(Channel& channel);
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
  bool has_active() const { return active_channels > 0; }
  void activate(Channel& channel);
  void deactivate(Channel& channel);
  void end_sending(Channel& channel);

  // Receiving.
  void recharge(Channel& channel);
  /// Grants the whole of a large message, now or when the budget has room for it.
  void request_reservation(Channel& channel);
  bool try_reserve(Channel& channel);
  void serve_reservations();
  bool on_room() override;
  void grow(Channel& channel);
  void shrink_if_tight(Channel& channel);
  void drop_inbox(Channel& channel);
  void owe_credit_if_due(Channel& channel);
  void owe_stop(Channel& channel);
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
  Result<> on(const PassFrame& frame);
  Result<> on(const AcceptFrame& frame);
  Result<> on(const DataFrame& frame);
  Result<> on(const DataBeginFrame& frame);
  Result<> on(const DataMoreFrame& frame);
  Result<> on(const CreditFrame& frame);
  Result<> on(const BlockedFrame& frame);
  Result<> on(const CloseFrame& frame);
  Result<> on(const StopFrame& frame);
  Result<> on(const ResetFrame& frame);
  Result<> on(const PingFrame& frame);
  Result<> on(const PongFrame& frame);
  Result<> on(const GoawayFrame& frame);
  Result<> on(const PlacesFrame& frame);
  Result<> on(const CertificateFrame& frame);
  Result<> on(const PaddingFrame& frame);
  Result<> on(const GoodbyeFrame& frame);
  Result<> check_new(FrameKind kind, ChannelId id, std::uint64_t items) const;
  /// Adds a channel of the peer's, or refuses it. Requires: check_new agreed.
  Result<> add_peers(ChannelId id, const OpenRequest& request, std::uint64_t bytes);
  Result<> refuse_open(ChannelId id, Code status, std::string_view text);
  /// The channel of a frame, or null where the frame is to be dropped or is a violation. `cost` is
  /// what it takes of `late_left` where it is dropped.
  Channel* find_for(FrameKind kind, ChannelId id, Result<>& verdict, std::uint64_t cost = 1);
  Result<> drop_late(FrameKind kind, ChannelId id, std::uint64_t cost);
  void allow_late(const Channel& channel);
  /// Likewise for the three kinds of data; counts what came against the credit.
  Channel* receive(FrameKind kind, ChannelId id, std::size_t bytes, Result<>& verdict);
  void deliver(Channel& channel);

  // Frames out.
  bool has_control() const;
  bool may_say_goodbye() const;
  bool write_control(FrameWriter& out);
  bool write_owed(FrameWriter& out);
  bool write_session_control(FrameWriter& out);
  void write_data(FrameWriter& out);
  void pad(FrameWriter& out) const;
  enum class Served : std::uint8_t { deficit_used, idle, record_full };
  Served serve(Channel& channel, FrameWriter& out);
  Served write_part(Channel& channel, FrameWriter& out);
  std::size_t next_class() const;
  void count_waits(std::size_t served, std::size_t bytes);

  const MuxLimits limits;
  MuxEvents& events;

  detail::ServiceNames names;
  detail::ChannelTable table;
  detail::SpareBlocks spare;
  std::uint64_t own_next;   ///< The id of our next channel.
  std::uint64_t peer_next;  ///< The only id that the peer's next open may have.
  std::size_t own_count = 0;
  std::size_t own_open = 0;  ///< Of ours, those that have not ended on the wire.
  std::size_t peer_count = 0;
  std::size_t peer_open = 0;        ///< Likewise of the peer's.
  std::uint64_t peer_gone = 0;      ///< Of the peer's, those that were erased or refused.
  std::uint64_t places_told;        ///< What our settings and places said of peer_places().
  std::uint64_t places;             ///< How many we may open since the session began.
  std::size_t unclaimed_count = 0;  ///< Channels of the peer's that are `unclaimed`.

  /// Frames on channels that have ended, and twice their bytes, that may still have been under way.
  std::uint64_t late_left = 0;
  bool has_settings = false;  ///< The peer's came; until then its limits are the least possible.
  SettingsFrame peer_settings;
  bool peer_is_done = false;  ///< Its goodbye or refused came.
  bool peer_goes_away = false;

  std::size_t outbox_bytes = 0;     ///< Of all channels, without the large message.
  Channel* large_sender = nullptr;  ///< Its outbox holds the session's one large message.
  std::size_t active_channels = 0;  ///< In the lists of `active`.
  bool room_freed = false;          ///< Somebody in room_waiters may fit now.
  /// Of each class, the most urgent first: those that have something to send.
  std::array<List<&Channel::active>, kClasses> active;
  /// What more urgent classes sent while this one waited, less what it was given for that.
  std::array<std::uint64_t, kClasses> waited{};
  std::optional<std::size_t> class_in_turn;  ///< Its turn was cut short by the end of a record.
  List<&Channel::owing> owing;
  List<&Channel::room_wait> room_waiters;
  detail::ChannelList<detail::Inbox, &detail::Inbox::reserve_wait> reserve_waiters;
  detail::ReceiveBudget budget;
  ProcessBudget* process;  ///< May be null.

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
  std::uint64_t last_pong = 0;
  Bytes renewal;  ///< The certificate to show.
  bool owes_certificate = false;
  std::uint32_t certificates = 0;  ///< That came since our last flush began.
  bool goes_away = false;
  bool owes_goaway = false;
  bool owes_goodbye = false;
  bool is_done = false;  ///< Our goodbye or refused left.

  std::size_t flush_left;
  ChannelId completed{};  ///< The last one of which a message ended in the record at hand.
};

}  // namespace tubing::rpc
