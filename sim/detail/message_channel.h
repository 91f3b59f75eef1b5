// MessageChannel: both ends of a channel in message mode, and what is under way between them.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "tubing/channel/network.h"
#include "tubing/sim/detail/message_flow.h"
#include "tubing/sim/detail/message_route.h"

namespace tubing::sim::detail {

class MessageEndpoint;
class MessagePort;
class MessageSession;

/// The opener's end is 0, the acceptor's 1. An end acts on its own state alone, and on the other's
/// through what it sends.
///
/// Credit: a receiver's takes are told to the sender when half a window was taken, or all that
/// came; the word takes the latency of the link, and costs an event only where the sender waits for
/// it.
///
/// Invariants: what arrives in order is a prefix of what was sent; behind something that was lost
/// nothing arrives, and both ends are told `lost`. No more than the capacity, or the early credit,
/// waits at a receiver.
class MessageChannel {
 public:
  MessageChannel(MessageSession& session, std::uint64_t id, channel::ChannelSpec spec, int opener);
  ~MessageChannel();
  MessageChannel(const MessageChannel&) = delete;
  MessageChannel& operator=(const MessageChannel&) = delete;

  std::uint64_t id() const { return id_; }
  const channel::ChannelSpec& spec() const { return spec_; }
  bool is_datagram() const { return spec_.delivery == channel::Delivery::datagram; }
  MessageSession& session() { return session_; }
  /// Which end belongs to that side of the session.
  int end_of(int session_side) const { return session_side == opener_ ? 0 : 1; }
  int side_of(int end) const { return end == 0 ? opener_ : 1 - opener_; }
  std::size_t place = 0;  ///< In its session's list.

  // What ports do.

  /// Requires: once an end.
  std::unique_ptr<channel::Port> make_port(int end);
  /// The opener's first word to a service.
  void send_open() { send(0, PacketKind::open, 0); }
  std::uint32_t accept(int end, std::uint32_t capacity);
  bool has_room(int end);
  ByteBuffer& begin_message(int end);
  Result<bool> commit(int end);
  void rollback(int end);
  void taken(int end, std::uint64_t items);
  void close_send(int end);
  void stop(int end);
  void reset(int end, Code status, std::string_view text);
  /// The port is gone: what is open ends.
  void release(int end);
  std::uint64_t accepted(int end) const { return ends_[end].sent; }
  /// Who asks before all was taken is told when more is.
  std::uint64_t ask_taken(int end);
  std::uint64_t known_taken(int end) const { return ends_[end].taken_known; }
  /// `passed` travels in the message that was committed last.
  void carry(int end, MessageChannel& passed);

  // What happens to them.

  /// The carrier's message arrived. Returns: the acceptor's end.
  channel::IncomingPort arrive_carried();
  /// Something was lost, at `now`: nothing more passes, and both ends will notice; at once, where
  /// the connection broke, and not in silence.
  void break_off(Time now, bool at_once);
  /// The end is told, and is no part of this any more.
  void lose(int end, const Error& why);
  /// Its process is gone, and hears nothing more.
  void forget_process(int end);
  /// The link out of this end was cut: what is under way is gone.
  void on_cut(int end);
  /// The link out of this end is held no more, or its conditions changed.
  void on_release(int end);
  /// The link out of this end is better than it was: what is under way arrives no later than if it
  /// were sent now.
  void hasten(int end);
  /// A datagram that this end sent, and was dropped, arrives at `now` after all.
  void deliver_late(int end, ByteView bytes, Time now);
  /// Whether nothing can happen on it any more.
  bool is_over() const;
  /// Of what the end has sent in order.
  Time last_arrival(int end) const { return ends_[end].flow.last_arrival; }
  bool attached(int end) const { return ends_[end].endpoint != nullptr; }

 private:
  struct End {
    MessageEndpoint* endpoint =
        nullptr;  ///< Null once its process, or the session, is gone for it.
    MessagePort* port = nullptr;
    MessageRoute* out = nullptr;
    MessageFlow flow = {};
    std::unique_ptr<DatagramFlow> datagrams = nullptr;

    // Sending.
    std::uint64_t sent = 0;
    std::uint64_t early_bytes = 0;    ///< Sent before the accept was known.
    std::uint64_t taken_known = 0;    ///< By the peer's code, as it told.
    std::uint64_t told_next = 0;      ///< What arrives at `told_at`; nothing where not above it.
    std::uint64_t told_last = 0;      ///< What the peer has told since, at `told_last_at`.
    std::uint32_t wanted_bytes = 0;   ///< Of the message that was refused.
    std::uint32_t peer_capacity = 0;  ///< Once the peer's window is known.
    Time told_at;
    Time told_last_at;
    VirtualReactor::Event credit = {};  ///< Somebody waits for what arrives at `told_at`.
    bool knows_peer = false;
    bool wants_room = false;
    bool asked_taken = false;
    bool send_over = false;
    bool stopped = false;  ///< The peer's stop came.

    // Receiving.
    std::uint64_t received = 0;
    std::uint64_t taken = 0;
    std::uint64_t told = 0;  ///< Of those taken.
    std::uint32_t capacity = 0;
    bool opened = false;  ///< It has heard of the channel.
    bool closed = false;  ///< The peer's close came.
    bool discards = false;
    VirtualReactor::Event arrival = {};  ///< Of the first packet of the other's flow.
    VirtualReactor::Event loss = {};
    Time loss_at = Time::max();
    bool loss_by_word = false;  ///< One that is under way; else by silence.

    bool broken = false;  ///< By a reset: nothing more is told or sent.
    bool released = false;
    Code reset_status = Code::unknown;  ///< What its reset says, while that is under way.
    std::string reset_text;
  };

  static int other(int end) { return 1 - end; }
  Time now_at(int end) const;
  bool is_exposed() const { return !is_datagram(); }
  std::uint32_t room_of(const End& end) const;

  // Leaving.
  void send(int end, PacketKind kind, std::size_t bytes);
  bool has_credit(const End& end, std::size_t bytes) const;
  void wait_for_credit(int end, std::size_t bytes);
  Result<> check_size(std::size_t bytes) const;
  Result<bool> commit_datagram(int end);
  void send_datagram(int end, ByteView bytes);
  void launch(int end, ByteView bytes, Time arrival);
  void keep(int end, ByteView bytes);
  void release_open_count(int end);

  // Credit.
  void tell_taken(int end);
  void hear_taken(int end, Time now);
  /// What tells of takes and is under way to the end will never arrive.
  bool lose_words(int end, Time now);
  /// The peer's last word came, and all that it told before with it.
  void hear_all_taken(int end);
  void tell_who_asked(int end);
  void arm_credit(int end);
  void on_credit(int end);
  /// Lets in who waits for room, where there is some.
  void admit(int end);

  // Arriving.
  void arm_arrival(int end);
  void arrive(int end);
  void on_packet(int end, const Packet& packet, ByteView bytes);
  void on_open(int end);
  void on_accept(int end);
  void on_message(int end, ByteView bytes);
  void on_close(int end);
  void on_stop(int end);
  void on_reset(int end);
  void open_carried(int end, std::uint64_t packet);
  void on_datagram(int end, std::uint32_t place);
  void take_datagram(int end, ByteView bytes, Time at);
  std::size_t drop_flight(int from);
  void drop_datagrams(int from, bool keep_them);
  void hasten_packets(int from, Time now);
  void hasten_datagrams(int from, Time now);
  void expect_loss(int end, Time at, bool by_word);
  void note(std::string_view kind, int end, Time at, ByteView payload = {});
  void detach(int end);
  void forget_if_over();

  MessageSession& session_;
  const std::uint64_t id_;
  const channel::ChannelSpec spec_;
  const int opener_;  ///< The side of the session that opened it.
  std::array<End, 2> ends_;
  bool busy_ = false;        ///< Inside of its own callback: not destroyed before its end.
  bool in_message_ = false;  ///< A message carries it, and has not arrived.
  bool counted_ = true;      ///< Among those that its opener has open.
};

}  // namespace tubing::sim::detail
