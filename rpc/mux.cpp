#include "tubing/rpc/mux.h"

#include "tubing/rpc/detail/mux_state.h"

namespace tubing::rpc {

using detail::Amount;

namespace {

constexpr std::size_t kGiB = std::size_t{1} << 30;

}  // namespace

Mux::State::State(Side side, const MuxLimits& mux_limits, MuxEvents& mux_events,
                  ProcessBudget* process_budget)
    : limits(mux_limits),
      events(mux_events),
      spare(mux_limits.spare_bytes_max),
      own_next(side == Side::dialler ? 1 : 2),
      peer_next(side == Side::dialler ? 2 : 1),
      places_told(2 * std::uint64_t{mux_limits.channels_max}),
      places(places_told),
      peer_settings{.early_items = kEarlyItems,
                    .early_bytes = kEarlyBytes,
                    .message_bytes_max = kEarlyBytes,
                    .channels_max = mux_limits.channels_max},
      budget(mux_limits.receive_bytes_max, process_budget),
      process(process_budget),
      flush_left(mux_limits.flush_bytes_max) {
  TUBING_ASSERT(limits.early_items >= kEarlyItems && limits.early_bytes >= kEarlyBytes);
  TUBING_ASSERT(limits.early_bytes <= limits.message_bytes_max);
  TUBING_ASSERT(limits.channel_outbox_bytes <= limits.outbox_bytes_max);
  TUBING_ASSERT(limits.message_bytes_max <= limits.receive_bytes_max / 2);
  TUBING_ASSERT(process == nullptr || limits.message_bytes_max <= process->bytes_max() / 2);
  TUBING_ASSERT(limits.message_bytes_max <= kGiB && limits.outbox_bytes_max <= kGiB);
  TUBING_ASSERT(limits.frame_bytes_max <= kGiB && limits.window_bytes_max < 4 * kGiB);
  TUBING_ASSERT(limits.window_grown_max < 4 * kGiB, limits.window_grown_max);
  TUBING_ASSERT(limits.flush_bytes_max >= kRecordBytesMin, limits.flush_bytes_max);
  TUBING_ASSERT(limits.frame_bytes_max > 0 && limits.window_bytes_min > 0);
  TUBING_ASSERT(limits.channels_max > 0 && limits.class_ratio > 0);
}

Mux::State::~State() {
  table.for_each([&](Channel& channel) {
    budget.change_window(channel.window_charged, 0);
    budget.change_large(channel.large_charged, 0);
  });
  if (process == nullptr) return;
  process->leave(*this);
  process->serve();
}

detail::MuxChannel& Mux::State::add(ChannelId id, const OpenRequest& request, Amount send_window,
                                    Amount receive_window) {
  Channel& channel = table.insert(
      std::make_unique<Channel>(id, *names.keep(request.service), send_window, receive_window));
  channel.channel_class = request.channel_class;
  channel.datagram = request.delivery == Delivery::datagram;
  channel.ours = is_ours(id);
  channel.blocked_left = channel.ours ? 1 : 0;
  ++(channel.ours ? own_count : peer_count);
  ++(channel.ours ? own_open : peer_open);
  recharge(channel);
  return channel;
}

void Mux::State::forget_if_over(Channel& channel) {
  const bool over = channel.send == SendState::ended && channel.receive == ReceiveState::ended;
  if (over && channel.released && !channel.outbox.staging() && !channel.owing.linked()) {
    erase(channel);
  }
}

void Mux::State::erase(Channel& channel) {
  TUBING_ASSERT(channel.outbox.empty() && channel.window_charged + channel.large_charged == 0);
  TUBING_ASSERT(!channel.owing.linked() && channel.inbox == nullptr);
  deactivate(channel);
  room_waiters.remove(channel);
  if (!channel.broken) allow_late(channel);
  if (!channel.ours) ++peer_gone;
  --(channel.ours ? own_count : peer_count);
  names.drop(channel.service);
  table.erase(channel.id);
}

std::size_t Mux::State::message_bytes_max() const {
  return std::min<std::uint64_t>(limits.message_bytes_max, peer_settings.message_bytes_max);
}

bool Mux::State::is_large(const Channel& channel, std::size_t bytes) const {
  if (channel.datagram) return false;
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
  if (!channel.wants_write) ++channel.stalls;
  channel.wants_write = true;
  channel.wanted_bytes = static_cast<std::uint32_t>(bytes);
  if (has_credit(channel, bytes)) return room_waiters.push_back(channel);
  room_waiters.remove(channel);
  const bool lacks_bytes = channel.send_credit.has_item() && (channel.accepted || !channel.ours);
  if (!lacks_bytes || std::exchange(channel.told_blocked, true)) return;
  channel.owes_blocked = true;
  owing.push_back(channel);
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

void Mux::State::activate(Channel& channel) {
  if (channel.active.linked()) return;
  active[static_cast<std::size_t>(channel.channel_class)].push_back(channel);
  ++active_channels;
}

void Mux::State::deactivate(Channel& channel) {
  if (!channel.active.linked()) return;
  active[static_cast<std::size_t>(channel.channel_class)].remove(channel);
  --active_channels;
}

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
  deactivate(channel);
  room_waiters.remove(channel);
  if (channel.receive == ReceiveState::ended) count_end(channel);
}

void Mux::State::break_channel(Channel& channel) {
  channel.broken = true;
  drop_outbox(channel);
  if (channel.send != SendState::ended) end_sending(channel);
  if (channel.receive != ReceiveState::ended) end_receiving(channel);
  owing.remove(channel);
  channel.owes_accept = channel.owes_credit = false;
  channel.owes_blocked = channel.owes_stop = false;
  if (std::exchange(channel.unclaimed, false)) --unclaimed_count;
}

void Mux::State::reset(Channel& channel, Code status, std::string_view text) {
  if (channel.send == SendState::ended && channel.receive == ReceiveState::ended) return;
  const ResetFrame last{channel.id, status, text};
  if (channel.owes_credit && !channel.owes_accept) {
    channel.receive_credit.grant();
    const detail::Amount& granted = channel.receive_credit.granted();
    queue.push(CreditFrame{channel.id, granted.items, granted.bytes}, last);
  } else {
    queue.push(last);
  }
  allow_late(channel);
  break_channel(channel);
}

Mux::Mux(Side side, const MuxLimits& limits, MuxEvents& events, ProcessBudget* process)
    : state_(std::make_unique<State>(side, limits, events, process)) {}
Mux::~Mux() = default;

Result<> Mux::State::check_places(std::uint64_t more, bool passed) const {
  // What is passed belongs to a channel that is open, and those go on.
  const bool leaving = peer_goes_away && !passed;
  if (leaving || peer_is_done || owes_goodbye || owes_refused || is_done) {
    return Error(Code::unavailable, "open", "the session is ending; open on a new connection");
  }
  const std::uint64_t open_max = peer_settings.channels_max;
  if (own_open + more > open_max || own_count + more > limits.channels_max ||
      queue.frames() + more > 4 * std::size_t{limits.channels_max}) {
    return Error(Code::resource_exhausted, "open",
                 fmt::format("{} channels are open, the peer allows {}, this side {}; close some "
                             "first",
                             own_open, open_max, limits.channels_max));
  }
  if (own_opened() + more > places) {
    return Error(Code::resource_exhausted, "open",
                 fmt::format("the peer's application still holds too many of {} channels that have "
                             "ended; open later",
                             own_opened() - own_open));
  }
  return {};
}

Result<> Mux::State::check_carrier(const Channel* carrier) const {
  if (carrier == nullptr || carrier->broken || carrier->send == SendState::unaccepted ||
      carrier->send == SendState::ended || carrier->stopped) {
    return Error(Code::failed_precondition, "open",
                 "the channel that is to carry this one cannot send any more");
  }
  if (carrier->datagram) {
    return Error(Code::invalid_argument, "open",
                 "a datagram may be lost, and a channel in it; pass it over an ordered channel");
  }
  return {};
}

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
  if (auto room = s.check_places(1, request.carrier != ChannelId{}); !room)
    return std::move(room).error();
  State::Channel* carrier = nullptr;
  if (request.carrier != ChannelId{}) {
    carrier = s.table.find(request.carrier);
    if (auto able = s.check_carrier(carrier); !able) return std::move(able).error();
  }
  const ChannelId id{s.own_next};
  s.own_next += 2;
  const std::uint64_t bytes = s.budget.window(s.limits.window_bytes_min, s.limits.window_bytes_max);
  s.add(id, request, {s.peer_settings.early_items, s.peer_settings.early_bytes},
        {request.capacity, bytes});
  if (carrier == nullptr) {
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
  if (std::exchange(carrier->owes_accept, false)) {
    s.queue.push(carrier->accept_frame());
    carrier->blocked_left = 1;
  }
  s.queue.push(PassFrame{.id = id,
                         .channel_class = request.channel_class,
                         .delivery = request.delivery,
                         .items = request.capacity,
                         .bytes = bytes,
                         .carrier = carrier->id,
                         .out_type = request.out_type,
                         .in_type = request.in_type});
  return id;
}

Result<ChannelId> Mux::next_open(std::uint32_t ahead) const {
  if (auto room = state_->check_places(std::uint64_t{ahead} + 1, true); !room) {
    return std::move(room).error();
  }
  return ChannelId{state_->own_next + 2 * std::uint64_t{ahead}};
}

void Mux::accept(ChannelId id, std::uint32_t capacity) {
  State& s = *state_;
  TUBING_ASSERT(capacity > 0 && !s.is_ours(id), number(id));
  State::Channel* channel = s.table.find(id);
  if (channel == nullptr || channel->broken || channel->released) return;
  TUBING_ASSERT(!channel->accepted, number(id));
  channel->accepted = true;
  if (std::exchange(channel->unclaimed, false)) --s.unclaimed_count;
  channel->owes_accept = true;
  s.owing.push_back(*channel);
  channel->receive_credit.replace(
      {capacity, s.budget.window(s.limits.window_bytes_min, s.limits.window_bytes_max)});
  s.recharge(*channel);
  s.owe_credit_if_due(*channel);
  if (channel->inbox != nullptr && channel->inbox->unreserved()) s.request_reservation(*channel);
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
  if (channel->datagram) return true;
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
  if (channel->datagram && detail::Outbox::cost(bytes) > s.limits.channel_outbox_bytes) {
    channel->outbox.rollback(s.spare);
    return Error(
        Code::invalid_argument, "send",
        fmt::format("a datagram of {} bytes exceeds its channel's share of the outbox, {}; "
                    "send it in parts, or over an ordered channel",
                    bytes, s.limits.channel_outbox_bytes));
  }
  if (!s.has_credit(*channel, bytes) || !s.has_room(*channel, bytes)) {
    channel->outbox.rollback(s.spare);
    if (channel->datagram) return ++channel->dropped, true;
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
  if (channel->receive_credit.has_grown()) s.shrink_if_tight(*channel);
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

std::uint64_t Mux::accepted(ChannelId id) const {
  const State::Channel* channel = state_->table.find(id);
  return channel == nullptr || channel->released ? 0 : channel->send_credit.used().items;
}

void Mux::certificate(ByteView renewal) {
  TUBING_ASSERT(renewal.size() <= kRenewalBytesMax, renewal.size());
  state_->renewal.assign(renewal.begin(), renewal.end());
  state_->owes_certificate = true;
}

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

std::vector<ChannelStats> Mux::stats() const {
  std::vector<ChannelStats> all;
  all.reserve(state_->table.size());
  state_->table.for_each([&](const State::Channel& channel) { all.push_back(channel.stats()); });
  std::ranges::sort(all, {}, &ChannelStats::id);
  return all;
}

std::uint64_t Mux::promised_bytes() const { return state_->budget.used(); }

}  // namespace tubing::rpc
