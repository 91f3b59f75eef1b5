// MuxChannel: what the mux knows of one channel.
#pragma once

#include "tubing/rpc/detail/channel_list.h"
#include "tubing/rpc/detail/credit.h"
#include "tubing/rpc/detail/inbox.h"
#include "tubing/rpc/detail/outbox.h"
#include "tubing/rpc/wire.h"

namespace tubing::rpc::detail {

/// Our messages: unaccepted -> open -> closing -> ended. A reset ends from everywhere.
enum class SendState : std::uint8_t {
  unaccepted,  ///< The peer opened, and the application has not called accept.
  open,
  closing,  ///< close, or the peer's stop: the close frame follows the outbox.
  ended,
};
/// The peer's messages: open -> discarding -> ended. A reset ends from everywhere.
enum class ReceiveState : std::uint8_t {
  open,
  discarding,  ///< We said stop: what comes is dropped until the peer's close.
  ended,
};

struct MuxChannel {
  MuxChannel(ChannelId channel, ChannelClass urgency, Amount send_window, Amount receive_window)
      : id(channel),
        channel_class(urgency),
        send_credit(send_window),
        receive_credit(receive_window) {}

  ChannelId id;
  ChannelClass channel_class;
  SendState send = SendState::open;
  ReceiveState receive = ReceiveState::open;
  bool ours = false;
  bool accepted = false;
  bool released = false;  ///< The application holds it no more: no events, no application's memory.
  bool broken = false;    ///< Ended by a reset; frames that crossed it are dropped.
  bool discarded = false;  ///< We said stop: the application holds none of its values.
  bool stopped = false;    ///< The peer said stop.

  SendCredit send_credit;
  Outbox outbox;
  std::size_t wanted_bytes = 0;  ///< The message that was refused, where wants_write.
  bool wants_write = false;

  ReceiveCredit receive_credit;
  Inbox inbox;
  std::uint64_t window_charged = 0;  ///< In the budget's half for windows.
  std::uint64_t large_charged = 0;   ///< In the budget's half for large messages.

  bool owes_accept = false;
  bool owes_credit = false;
  bool owes_stop = false;

  std::size_t deficit = 0;  ///< What it may still send in this round of the flush.
  bool visited = false;     ///< Got its quantum of this round.

  ChannelHook active;        ///< Has data or a close to send now.
  ChannelHook owing;         ///< Owes an accept, a credit or a stop.
  ChannelHook room_wait;     ///< Was refused for want of room in the outbox, not of credit.
  ChannelHook reserve_wait;  ///< Waits until its large message fits the budget.
};

}  // namespace tubing::rpc::detail
