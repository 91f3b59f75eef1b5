// What the mux promises to its peer: windows, room for large messages, and the word that tells it.
#include "tubing/rpc/detail/mux_state.h"

namespace tubing::rpc {

// A window that shrank, or the early one, is charged until what it promised has been taken.
void Mux::State::recharge(Channel& channel) {
  const detail::ReceiveCredit& credit = channel.receive_credit;
  const bool ended = channel.receive == ReceiveState::ended;
  const bool holds = !channel.released && !channel.discarded;
  const std::uint64_t promised = ended ? credit.bytes_held() : credit.bytes_promised();
  std::uint64_t window = std::min<std::uint64_t>(channel.window_charged, promised);
  if (!ended) window = std::max<std::uint64_t>(window, credit.window().bytes);
  if (!holds) window = 0;
  const std::uint64_t large = holds && promised > window ? promised - window : 0;
  budget.change_window(channel.window_charged, window);
  budget.change_large(channel.large_charged, large);
  channel.window_charged = static_cast<std::uint32_t>(window);
  channel.large_charged = static_cast<std::uint32_t>(large);
}

bool Mux::State::try_reserve(Channel& channel) {
  detail::Inbox& inbox = *channel.inbox;
  const std::uint64_t end = inbox.end();
  const std::uint64_t limit = channel.receive_credit.limit().bytes;
  const bool unknown_to_peer = end > channel.receive_credit.granted().bytes;
  if (end > limit) {
    if (!budget.has_room(end - limit)) return false;
    if (process != nullptr && !process->may_reserve(*this, end - limit)) {
      process->wait(*this);
      return false;
    }
  }
  channel.receive_credit.grant_bytes(end);
  const bool is_next =
      channel.receive_credit.received().items == channel.receive_credit.taken().items + 1;
  if (unknown_to_peer && is_next && !channel.owes_accept) grow(channel);
  inbox.reserve();
  recharge(channel);
  if (unknown_to_peer) {
    channel.owes_credit = true;
    owing.push_back(channel);
  }
  return true;
}

void Mux::State::request_reservation(Channel& channel) {
  if (!reserve_waiters.empty() || !try_reserve(channel)) reserve_waiters.push_back(*channel.inbox);
}

// First come, first served: a large message at the front is not overtaken by smaller ones. What was
// given back may serve another session of the process, too.
void Mux::State::serve_reservations() {
  while (!reserve_waiters.empty()) {
    detail::Inbox& inbox = reserve_waiters.front();
    if (!try_reserve(inbox.channel())) break;
    reserve_waiters.remove(inbox);
  }
  if (process != nullptr) process->serve();
}

// One message, then the next session's turn.
bool Mux::State::on_room() {
  if (reserve_waiters.empty()) {
    process->leave(*this);
    return true;
  }
  detail::Inbox& inbox = reserve_waiters.front();
  if (!try_reserve(inbox.channel())) {
    if (budget.has_room(inbox.end() - inbox.channel().receive_credit.limit().bytes)) return false;
    process->leave(*this);
    return true;
  }
  reserve_waiters.remove(inbox);
  process->leave(*this);
  if (!reserve_waiters.empty()) process->wait(*this);
  events.on_output();
  return true;
}

void Mux::State::grow(Channel& channel) {
  const std::uint64_t window = channel.receive_credit.window().bytes;
  channel.receive_credit.grow(budget.grown_window(window, limits.window_grown_max));
  recharge(channel);
}

void Mux::State::shrink_if_tight(Channel& channel) {
  if (!budget.is_tight()) return;
  channel.receive_credit.shrink();
  recharge(channel);
}

void Mux::State::drop_inbox(Channel& channel) {
  if (channel.inbox == nullptr) return;
  reserve_waiters.remove(*channel.inbox);
  channel.inbox->discard(spare);
}

void Mux::State::owe_credit_if_due(Channel& channel) {
  if (channel.broken || channel.discarded) return;
  if (!channel.receive_credit.grant_is_due()) return;
  channel.owes_credit = true;
  owing.push_back(channel);
}

void Mux::State::owe_stop(Channel& channel) {
  channel.discarded = true;
  channel.owes_credit = false;
  channel.owes_stop = true;
  owing.push_back(channel);
}

// Behind the peer's close the stop tells that the rest of its messages will never be taken.
void Mux::State::stop_receiving(Channel& channel) {
  if (channel.discarded || channel.broken) return;
  if (channel.receive == ReceiveState::ended) {
    if (!channel.receive_credit.all_taken()) owe_stop(channel);
    recharge(channel);
    return;
  }
  channel.receive = ReceiveState::discarding;
  drop_inbox(channel);
  owe_stop(channel);
  recharge(channel);
  serve_reservations();
}

void Mux::State::end_receiving(Channel& channel) {
  channel.receive = ReceiveState::ended;
  if (channel.inbox != nullptr) {
    channel.receive_credit.drop(channel.inbox->bytes());
    drop_inbox(channel);
    channel.inbox.reset();
  }
  recharge(channel);
  serve_reservations();
  if (channel.send == SendState::ended) count_end(channel);
}

// What the peer may have sent before it knew: within its credit, and credit for what it took.
void Mux::State::allow_late(const Channel& channel) {
  constexpr std::uint64_t kOtherFrames = 16;  // Accept, close, stop, reset, blocked.
  const detail::ReceiveCredit& credit = channel.receive_credit;
  const detail::Amount limit = credit.limit();
  late_left += 2 * channel.send_credit.used().items + limits.credits_slack + kOtherFrames;
  if (channel.receive == ReceiveState::ended) return;
  late_left += limit.items - credit.received().items + 2 * (limit.bytes - credit.received().bytes);
}

}  // namespace tubing::rpc
