// MuxChannel: what the mux knows of one channel.
#pragma once

#include <memory>

#include "tubing/rpc/detail/channel_list.h"
#include "tubing/rpc/detail/credit.h"
#include "tubing/rpc/detail/inbox.h"
#include "tubing/rpc/detail/outbox.h"
#include "tubing/rpc/detail/service_names.h"
#include "tubing/rpc/stats.h"
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

/// Small, as ten thousand of them may be idle: what only a busy channel needs is allocated.
struct MuxChannel {
  MuxChannel(ChannelId channel, const ServiceNames::Entry& name, Amount send_window,
             Amount receive_window)
      : id(channel), service(&name), send_credit(send_window), receive_credit(receive_window) {}

  /// Requires: it was accepted just now; nothing was granted since.
  AcceptFrame accept_frame() const {
    return {id, receive_credit.window().items, receive_credit.window().bytes};
  }
  ChannelStats stats() const;

  ChannelId id;
  const ServiceNames::Entry* service;

  SendCredit send_credit;
  Outbox outbox;
  ReceiveCredit receive_credit;
  std::unique_ptr<Inbox> inbox;  ///< The message that came in part, or null.

  ListHook<MuxChannel> active;     ///< Has data or a close to send now.
  ListHook<MuxChannel> owing;      ///< Owes an accept, a credit, a blocked or a stop.
  ListHook<MuxChannel> room_wait;  ///< Was refused for want of room in the outbox, not of credit.

  std::uint32_t window_charged = 0;  ///< In the budget's half for windows.
  std::uint32_t large_charged = 0;   ///< In the budget's half for large messages.
  std::uint32_t wanted_bytes = 0;    ///< The message that was refused, where wants_write.
  std::uint32_t deficit = 0;         ///< What it may still send in this round of the flush.
  std::uint32_t stalls = 0;          ///< Sends that had to wait.
  std::uint32_t dropped = 0;         ///< Datagrams that found no room.

  std::uint32_t blocked_left = 0;  ///< Blocked frames that our grants explain.

  ChannelClass channel_class = ChannelClass::normal;
  SendState send = SendState::open;
  ReceiveState receive = ReceiveState::open;
  bool ours = false;
  bool datagram = false;
  bool unclaimed = false;  ///< It came in a message, and nobody accepted it.
  bool accepted = false;
  bool released = false;  ///< The application holds it no more: no events, no application's memory.
  bool broken = false;    ///< Ended by a reset; frames that crossed it are dropped.
  bool discarded = false;  ///< We said stop: the application holds none of its values.
  bool stopped = false;    ///< The peer said stop.
  bool wants_write = false;
  bool owes_accept = false;
  bool owes_credit = false;
  bool owes_blocked = false;
  bool told_blocked = false;  ///< Since the last credit of bytes.
  bool owes_stop = false;
  bool visited = false;  ///< Got its quantum of this round.
};

inline ChannelStats MuxChannel::stats() const {
  const Amount& came = receive_credit.received();
  return {.id = number(id),
          .service = service->first,
          .ours = ours,
          .channel_class = channel_class,
          .sent_messages = send_credit.used().items,
          .sent_bytes = send_credit.used().bytes,
          .outbox_bytes = outbox.bytes(),
          .credit_items = send_credit.items_left(),
          .credit_bytes = send_credit.bytes_left(),
          .stalls = stalls,
          .dropped = dropped,
          .received_messages = came.items,
          .received_bytes = came.bytes,
          .waiting_messages = came.items - receive_credit.taken().items,
          .waiting_bytes = receive_credit.bytes_held(),
          .window_bytes = receive_credit.window().bytes};
}

}  // namespace tubing::rpc::detail
