#include "tubing/rpc/mux.h"

#include "tubing/rpc/detail/mux_state.h"

namespace tubing::rpc {

using detail::Amount;

Mux::State::State(Side side, const MuxLimits& mux_limits, MuxEvents& mux_events)
    : limits(mux_limits),
      events(mux_events),
      spare(mux_limits.spare_bytes_max),
      own_next(side == Side::dialler ? 1 : 2),
      peer_next(side == Side::dialler ? 2 : 1),
      peer_settings{.early_items = kEarlyItems,
                    .early_bytes = kEarlyBytes,
                    .message_bytes_max = kEarlyBytes,
                    .channels_max = mux_limits.channels_max},
      budget(mux_limits.receive_bytes_max),
      flush_left(mux_limits.flush_bytes_max) {
  TUBING_ASSERT(limits.early_items >= kEarlyItems && limits.early_bytes >= kEarlyBytes);
  TUBING_ASSERT(limits.early_bytes <= limits.message_bytes_max);
  TUBING_ASSERT(limits.channel_outbox_bytes <= limits.outbox_bytes_max);
  TUBING_ASSERT(limits.message_bytes_max <= limits.receive_bytes_max / 2);
  TUBING_ASSERT(limits.message_bytes_max < 0xFFFF'FFFF, limits.message_bytes_max);
  TUBING_ASSERT(limits.flush_bytes_max >= kRecordBytesMin, limits.flush_bytes_max);
  TUBING_ASSERT(limits.frame_bytes_max > 0 && limits.window_bytes_min > 0);
}

detail::MuxChannel& Mux::State::add(ChannelId id, const OpenRequest& request, Amount send_window,
                                    Amount receive_window) {
  Channel& channel = table.insert(
      std::make_unique<Channel>(id, request.channel_class, send_window, receive_window));
  channel.ours = is_ours(id);
  ++(channel.ours ? own_count : peer_count);
  if (channel.ours) ++own_open;
  recharge(channel);
  return channel;
}

void Mux::State::forget_if_over(Channel& channel) {
  const bool over = channel.send == SendState::ended && channel.receive == ReceiveState::ended;
  if (over && channel.released && !channel.outbox.staging()) erase(channel);
}

void Mux::State::erase(Channel& channel) {
  TUBING_ASSERT(channel.outbox.empty() && channel.window_charged + channel.large_charged == 0);
  active.remove(channel);
  owing.remove(channel);
  room_waiters.remove(channel);
  reserve_waiters.remove(channel);
  --(channel.ours ? own_count : peer_count);
  table.erase(channel.id);
}

std::size_t Mux::State::message_bytes_max() const {
  return std::min<std::uint64_t>(limits.message_bytes_max, peer_settings.message_bytes_max);
}

bool Mux::State::is_large(const Channel& channel, std::size_t bytes) const {
  return detail::Outbox::cost(bytes) > limits.channel_outbox_bytes ||
         bytes > channel.send_credit.window().bytes;
}

// A large message starts with credit for its first frame; for the rest the receiver reserves.
bool Mux::State::has_credit(const Channel& channel, std::size_t bytes) const {
  const detail::SendCredit& credit = channel.send_credit;
  if (!credit.has_item()) return false;
  if (!is_large(channel, bytes)) return bytes <= credit.bytes_left();
  return credit.bytes_left() >=
         std::min<std::uint64_t>(limits.frame_bytes_max, credit.window().bytes);
}

// A large message occupies the session's one place until it has left, so nothing may delay it but
// the receiver's budget: it waits for the accept, and for all that is before it.
bool Mux::State::has_room(const Channel& channel, std::size_t bytes) const {
  if (channel.outbox.large()) return false;
  if (is_large(channel, bytes)) {
    return (channel.accepted || !channel.ours) && channel.outbox.bytes() == 0 &&
           large_sender == nullptr && bytes <= message_bytes_max();
  }
  const std::size_t cost = detail::Outbox::cost(bytes);
  return channel.outbox.bytes() + cost <= limits.channel_outbox_bytes &&
         outbox_bytes + cost <= limits.outbox_bytes_max;
}

void Mux::State::await_writable(Channel& channel, std::size_t bytes) {
  channel.wants_write = true;
  channel.wanted_bytes = bytes;
  if (has_credit(channel, bytes)) {
    room_waiters.push_back(channel);
  } else {
    room_waiters.remove(channel);
  }
}

void Mux::State::accept_message(Channel& channel, std::size_t bytes) {
  const bool large = is_large(channel, bytes);
  channel.send_credit.use_item();
  if (large) {
    large_sender = &channel;
  } else {
    channel.send_credit.use_bytes(bytes);
    outbox_bytes += detail::Outbox::cost(bytes);
  }
  channel.outbox.commit(large);
  activate(channel);
}

void Mux::State::tell_if_writable(ChannelId id) {
  Channel* channel = table.find(id);
  if (channel == nullptr || !channel->wants_write || channel->send != SendState::open) return;
  if (!has_credit(*channel, channel->wanted_bytes)) return;
  const bool too_long = has_settings && channel->wanted_bytes > message_bytes_max();
  if (!too_long && !has_room(*channel, channel->wanted_bytes))
    return room_waiters.push_back(*channel);
  room_waiters.remove(*channel);
  channel->wants_write = false;
  events.on_writable(id);
}

// Each that waits now is looked at once: those refused again come back behind them.
void Mux::State::tell_writers() {
  room_freed = false;
  for (std::size_t left = room_waiters.size(); left > 0 && !room_waiters.empty(); --left) {
    const ChannelId id = room_waiters.front().id;
    room_waiters.remove(room_waiters.front());
    tell_if_writable(id);
  }
}

void Mux::State::activate(Channel& channel) { active.push_back(channel); }

void Mux::State::drop_outbox(Channel& channel) {
  if (channel.outbox.staging()) channel.outbox.rollback(spare);
  if (channel.outbox.large()) {
    large_sender = nullptr;
  } else {
    outbox_bytes -= channel.outbox.bytes();
  }
  channel.outbox.clear(spare);
  room_freed = true;
}

void Mux::State::end_sending(Channel& channel) {
  channel.send = SendState::ended;
  channel.wants_write = false;
  active.remove(channel);
  room_waiters.remove(channel);
  if (channel.ours && channel.receive == ReceiveState::ended) --own_open;
}

void Mux::State::recharge(Channel& channel) {
  const detail::ReceiveCredit& credit = channel.receive_credit;
  const bool ended = channel.receive == ReceiveState::ended;
  const bool holds = !channel.released && !channel.discarded;
  const std::uint64_t promised = ended ? credit.bytes_held() : credit.bytes_promised();
  std::uint64_t window = holds ? credit.window_charge() : 0;
  if (ended) window = std::min(window, promised);
  const std::uint64_t large = holds && promised > window ? promised - window : 0;
  budget.change_window(channel.window_charged, window);
  budget.change_large(channel.large_charged, large);
  channel.window_charged = window;
  channel.large_charged = large;
}

bool Mux::State::try_reserve(Channel& channel) {
  const std::uint64_t end = channel.inbox.end();
  const std::uint64_t limit = channel.receive_credit.limit().bytes;
  const bool unknown_to_peer = end > channel.receive_credit.granted().bytes;
  if (end > limit && !budget.has_room(end - limit)) return false;
  channel.receive_credit.grant_bytes(end);
  channel.inbox.reserve();
  recharge(channel);
  if (unknown_to_peer) {
    channel.owes_credit = true;
    owing.push_back(channel);
  }
  return true;
}

void Mux::State::request_reservation(Channel& channel) {
  if (!reserve_waiters.empty() || !try_reserve(channel)) reserve_waiters.push_back(channel);
}

// First come, first served: a large message at the front is not overtaken by smaller ones.
void Mux::State::serve_reservations() {
  while (!reserve_waiters.empty()) {
    Channel& channel = reserve_waiters.front();
    if (!try_reserve(channel)) return;
    reserve_waiters.remove(channel);
  }
}

void Mux::State::owe_credit_if_due(Channel& channel) {
  if (channel.broken || channel.discarded) return;
  if (!channel.receive_credit.grant_is_due()) return;
  channel.owes_credit = true;
  owing.push_back(channel);
}

void Mux::State::stop_receiving(Channel& channel) {
  if (channel.receive != ReceiveState::open) return;
  channel.receive = ReceiveState::discarding;
  channel.discarded = true;
  channel.inbox.discard(spare);
  reserve_waiters.remove(channel);
  channel.owes_credit = false;
  channel.owes_stop = true;
  owing.push_back(channel);
  recharge(channel);
  serve_reservations();
}

void Mux::State::end_receiving(Channel& channel) {
  channel.receive = ReceiveState::ended;
  channel.receive_credit.drop(channel.inbox.bytes());
  channel.inbox.discard(spare);
  reserve_waiters.remove(channel);
  channel.owes_stop = false;
  recharge(channel);
  serve_reservations();
  if (channel.ours && channel.send == SendState::ended) --own_open;
}

void Mux::State::break_channel(Channel& channel) {
  channel.broken = true;
  drop_outbox(channel);
  if (channel.send != SendState::ended) end_sending(channel);
  if (channel.receive != ReceiveState::ended) end_receiving(channel);
  owing.remove(channel);
  channel.owes_accept = channel.owes_credit = channel.owes_stop = false;
}

void Mux::State::reset(Channel& channel, Code status, std::string_view text) {
  if (channel.send == SendState::ended && channel.receive == ReceiveState::ended) return;
  queue.push(ResetFrame{channel.id, status, text});
  break_channel(channel);
}

Mux::Mux(Side side, const MuxLimits& limits, MuxEvents& events, ProcessBudget*)
    : state_(std::make_unique<State>(side, limits, events)) {}
Mux::~Mux() = default;

Result<ChannelId> Mux::open(const OpenRequest& request) {
  State& s = *state_;
  if (request.service.size() > kNameBytesMax || request.out_type.size() > kNameBytesMax ||
      request.in_type.size() > kNameBytesMax) {
    return Error(Code::invalid_argument, "open",
                 fmt::format("a name is longer than {} bytes; give a shorter one", kNameBytesMax));
  }
  if (request.capacity == 0) {
    return Error(Code::invalid_argument, "open",
                 "capacity 0, a rendezvous, exists only in process; use at least 1");
  }
  if (s.peer_goes_away || s.peer_is_done || s.owes_goodbye || s.owes_refused || s.is_done) {
    return Error(Code::unavailable, "open", "the session is ending; open on a new connection");
  }
  const std::uint64_t open_max = s.peer_settings.channels_max;
  if (s.own_open >= open_max || s.own_count >= s.limits.channels_max ||
      s.queue.frames() >= 4 * std::size_t{s.limits.channels_max}) {
    return Error(Code::resource_exhausted, "open",
                 fmt::format("{} channels are open, the peer allows {}, this side {}; close some "
                             "first",
                             s.own_open, open_max, s.limits.channels_max));
  }
  const ChannelId id{s.own_next};
  s.own_next += 2;
  const std::uint64_t bytes = s.budget.window(s.limits.window_bytes_min, s.limits.window_bytes_max);
  s.add(id, request, {s.peer_settings.early_items, s.peer_settings.early_bytes},
        {request.capacity, bytes});
  s.queue.push(OpenFrame{.id = id,
                         .channel_class = request.channel_class,
                         .delivery = request.delivery,
                         .items = request.capacity,
                         .bytes = bytes,
                         .service = request.service,
                         .out_type = request.out_type,
                         .in_type = request.in_type});
  return id;
}

void Mux::accept(ChannelId id, std::uint32_t capacity) {
  State& s = *state_;
  TUBING_ASSERT(capacity > 0 && !s.is_ours(id), number(id));
  State::Channel* channel = s.table.find(id);
  if (channel == nullptr || channel->broken || channel->released) return;
  TUBING_ASSERT(!channel->accepted, number(id));
  channel->accepted = true;
  channel->owes_accept = true;
  s.owing.push_back(*channel);
  channel->receive_credit.replace(
      {capacity, s.budget.window(s.limits.window_bytes_min, s.limits.window_bytes_max)});
  s.recharge(*channel);
  s.owe_credit_if_due(*channel);
  if (channel->inbox.unreserved()) s.request_reservation(*channel);
  channel->send = channel->stopped ? State::SendState::closing : State::SendState::open;
  if (channel->stopped) s.activate(*channel);
}

void Mux::reset(ChannelId id, Code status, std::string_view text) {
  State::Channel* channel = state_->table.find(id);
  if (channel == nullptr) return;
  state_->reset(*channel, status, text);
  state_->forget_if_over(*channel);
}

void Mux::release(ChannelId id) {
  State& s = *state_;
  State::Channel* channel = s.table.find(id);
  if (channel == nullptr || channel->released) return;
  if (channel->send == State::SendState::open || channel->send == State::SendState::unaccepted) {
    s.reset(*channel, Code::cancelled, "");
  } else {
    s.stop_receiving(*channel);
  }
  channel->released = true;
  s.recharge(*channel);
  s.serve_reservations();
  s.forget_if_over(*channel);
}

bool Mux::may_send(ChannelId id) {
  State& s = *state_;
  State::Channel* channel = s.table.find(id);
  if (channel == nullptr || channel->send != State::SendState::open) return false;
  if (s.has_credit(*channel, 1) && s.has_room(*channel, 1)) return true;
  s.await_writable(*channel, 1);
  return false;
}

ByteBuffer& Mux::begin_message(ChannelId id) {
  State::Channel* channel = state_->table.find(id);
  TUBING_ASSERT(channel != nullptr && channel->send == State::SendState::open, number(id));
  return channel->outbox.stage(state_->spare);
}

Result<bool> Mux::commit(ChannelId id) {
  State& s = *state_;
  State::Channel* channel = s.table.find(id);
  TUBING_ASSERT(channel != nullptr && channel->outbox.staging(), number(id));
  const std::size_t bytes = channel->outbox.staged_bytes();
  const std::size_t bytes_max = s.has_settings ? s.message_bytes_max() : s.limits.message_bytes_max;
  if (bytes > bytes_max) {
    channel->outbox.rollback(s.spare);
    return Error(Code::invalid_argument, "send",
                 fmt::format("a message of {} bytes exceeds the limit of {}; send it in parts",
                             bytes, bytes_max));
  }
  if (!s.has_credit(*channel, bytes) || !s.has_room(*channel, bytes)) {
    channel->outbox.rollback(s.spare);
    s.await_writable(*channel, bytes);
    return false;
  }
  s.accept_message(*channel, bytes);
  return true;
}

void Mux::rollback(ChannelId id) {
  State::Channel* channel = state_->table.find(id);
  TUBING_ASSERT(channel != nullptr && channel->outbox.staging(), number(id));
  channel->outbox.rollback(state_->spare);
}

Result<> Mux::State::check_sending(const Channel* channel) const {
  if (channel == nullptr) return Error(Code::closed, "send", "the channel has ended");
  if (channel->send == SendState::open) return {};
  if (channel->send == SendState::unaccepted) {
    return Error(Code::failed_precondition, "send", "the channel is not accepted yet");
  }
  if (channel->broken) return Error(Code::reset, "send", "the channel was reset");
  if (channel->stopped) return Error(Code::stopped, "send", "the peer wants no more");
  return Error(Code::closed, "send", "this side has closed the channel");
}

Result<bool> Mux::try_send(ChannelId id, ByteView message) {
  if (auto sending = state_->check_sending(state_->table.find(id)); !sending) {
    return std::move(sending).error();
  }
  begin_message(id).append(message);
  return commit(id);
}

void Mux::close(ChannelId id) {
  State::Channel* channel = state_->table.find(id);
  if (channel == nullptr || channel->send == State::SendState::ended) return;
  TUBING_ASSERT(channel->send != State::SendState::unaccepted, number(id));
  channel->send = State::SendState::closing;
  channel->wants_write = false;
  state_->room_waiters.remove(*channel);
  state_->activate(*channel);
}

void Mux::taken(ChannelId id, std::uint64_t items, std::uint64_t bytes) {
  State& s = *state_;
  State::Channel* channel = s.table.find(id);
  if (channel == nullptr || channel->released) return;
  if (channel->discarded) return;
  channel->receive_credit.take({items, bytes});
  s.recharge(*channel);
  s.serve_reservations();
  if (!channel->ours && !channel->accepted) return;
  s.owe_credit_if_due(*channel);
}

void Mux::stop(ChannelId id) {
  State::Channel* channel = state_->table.find(id);
  if (channel == nullptr) return;
  TUBING_ASSERT(channel->ours || channel->accepted || channel->broken, number(id));
  state_->stop_receiving(*channel);
}

std::uint64_t Mux::taken_by_peer(ChannelId id) const {
  const State::Channel* channel = state_->table.find(id);
  return channel == nullptr || !(channel->accepted || !channel->ours)
             ? 0
             : channel->send_credit.items_taken();
}

std::uint64_t Mux::accepted(ChannelId) const { return 0; }
Result<ChannelId> Mux::next_open(std::uint32_t ahead) const {
  return ChannelId{state_->own_next + 2 * std::uint64_t{ahead}};
}
void Mux::certificate(ByteView) {}
std::vector<ChannelStats> Mux::stats() const { return {}; }

std::uint64_t Mux::ping() {
  state_->owes_ping = true;
  return ++state_->last_ping;
}

void Mux::goaway() {
  if (state_->goes_away) return;
  state_->goes_away = state_->owes_goaway = true;
}

void Mux::goodbye() { state_->owes_goodbye = true; }

void Mux::refuse(Code status, std::string_view text) {
  state_->owes_refused = true;
  state_->refused_status = status;
  state_->refused_text = text.substr(0, kStatusTextBytesMax);
}

std::size_t Mux::channels() const { return state_->table.size(); }

}  // namespace tubing::rpc
