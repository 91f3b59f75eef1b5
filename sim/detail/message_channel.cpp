// What an end of a channel does, and how channels end; arrivals lie in message_arrival.cpp,
// datagrams in message_datagrams.cpp.
#include "tubing/sim/detail/message_channel.h"

#include <fmt/format.h>

#include <algorithm>

#include "tubing/sim/detail/message_endpoint.h"
#include "tubing/sim/detail/message_port.h"
#include "tubing/sim/message_fabric.h"

namespace tubing::sim::detail {
MessageChannel::MessageChannel(MessageSession& session, std::uint64_t id, channel::ChannelSpec spec,
                               int opener)
    : session_(session), id_(id), spec_(std::move(spec)), opener_(opener) {
  for (const int end : {0, 1}) {
    ends_[end].endpoint = session.endpoint(side_of(end));
    ends_[end].out = &session.out(side_of(end));
    if (is_datagram()) ends_[end].datagrams = std::make_unique<DatagramFlow>();
  }
  ends_[0].opened = true;
  ends_[0].capacity = ends_[1].peer_capacity = spec_.capacity;
  session.count_open(opener_);
}

MessageChannel::~MessageChannel() {
  for (const int end : {0, 1}) {
    (void)drop_flight(end);
    drop_datagrams(end, false);
  }
  release_open_count(0);
}

Time MessageChannel::now_at(int end) const { return ends_[end].endpoint->reactor().world_now(); }

std::unique_ptr<channel::Port> MessageChannel::make_port(int end) {
  End& e = ends_[end];
  TUBING_ASSERT(e.port == nullptr && !e.released, id_);
  auto port = std::make_unique<MessagePort>(*this, end, session_.info(side_of(other(end))));
  if (e.endpoint == nullptr) {
    const Error lost(Code::lost, "channel", "the connection broke before the channel came");
    port->on_lost(&lost);
  } else {
    e.port = port.get();
  }
  return port;
}

std::uint32_t MessageChannel::accept(int end, std::uint32_t capacity) {
  TUBING_ASSERT(end == 1 && capacity > 0 && !ends_[1].knows_peer, id_);
  End& e = ends_[1];
  e.capacity = capacity;
  e.knows_peer = true;
  if (!e.broken) send(1, PacketKind::accept, 0);
  return room_of(e);
}

std::uint32_t MessageChannel::room_of(const End& end) const {
  return std::max(end.capacity, session_.fabric().conditions().early_items);
}

bool MessageChannel::has_credit(const End& e, std::size_t bytes) const {
  if (e.knows_peer) [[likely]]
    return e.sent < e.taken_known + e.peer_capacity;
  const NetworkConditions& conditions = session_.fabric().conditions();
  return e.sent < conditions.early_items && e.early_bytes + bytes <= conditions.early_bytes;
}

bool MessageChannel::has_room(int end) {
  End& e = ends_[end];
  if (e.send_over) return false;
  if (is_datagram() || has_credit(e, 1)) return true;
  hear_taken(end, now_at(end));
  if (has_credit(e, 1)) return true;
  wait_for_credit(end, 1);
  return false;
}

ByteBuffer& MessageChannel::begin_message(int end) {
  End& e = ends_[end];
  return e.datagrams ? e.datagrams->staged : e.flow.bytes;
}

void MessageChannel::rollback(int end) {
  End& e = ends_[end];
  if (e.datagrams) return e.datagrams->staged.clear();
  e.flow.drop_staged();
}

Result<> MessageChannel::check_size(std::size_t bytes) const {
  const std::size_t most = session_.fabric().conditions().message_bytes_max;
  if (bytes <= most) [[likely]]
    return {};
  return Error(
      Code::invalid_argument, "send",
      fmt::format("a message of {} bytes exceeds the limit of {}; send it in parts", bytes, most));
}

Result<bool> MessageChannel::commit(int end) {
  End& e = ends_[end];
  TUBING_ASSERT(!e.send_over && "nothing is sent behind the end", id_);
  if (e.datagrams) return commit_datagram(end);
  const std::size_t bytes = e.flow.staged_bytes();
  if (Result<> fits = check_size(bytes); !fits) {
    e.flow.drop_staged();
    return std::move(fits).error();
  }
  if (!has_credit(e, bytes)) hear_taken(end, now_at(end));
  if (!has_credit(e, bytes)) {
    e.flow.drop_staged();
    wait_for_credit(end, bytes);
    return false;
  }
  ++e.sent;
  if (!e.knows_peer) e.early_bytes += bytes;
  send(end, PacketKind::message, bytes);
  return true;
}

// The content of a message lies staged at the back of the flow.
void MessageChannel::send(int end, PacketKind kind, std::size_t bytes) {
  End& e = ends_[end];
  if (e.endpoint == nullptr) return e.flow.drop_staged();
  MessageFlow& flow = e.flow;
  ++e.out->traffic.sent;
  if (flow.dead) return flow.drop_staged();
  if (!attached(other(end))) {
    flow.drop_staged();
    flow.dead = true;
    return session_.on_sent_to_nobody(side_of(end));
  }
  const Time now = now_at(end);
  if (const Fate fate = e.out->draw_fate(is_exposed()); fate != Fate::flies) [[unlikely]] {
    const ByteView lost = flow.bytes.view().subspan(flow.flying_bytes);
    note(fate_name(fate), end, now, lost);
    flow.drop_staged();
    flow.dead = true;
    return break_off(now, fate == Fate::reset);
  }
  flow.last_arrival = std::max(flow.last_arrival, e.out->draw_arrival(now, kHeadBytes + bytes));
  flow.packets.push(
      {.arrival = flow.last_arrival, .bytes = static_cast<std::uint32_t>(bytes), .kind = kind});
  flow.flying_bytes += bytes;
  ++flow.sent;
  ++e.out->traffic.in_flight;
  arm_arrival(other(end));
}

void MessageChannel::carry(int end, MessageChannel& passed) {
  MessageFlow& flow = ends_[end].flow;
  if (flow.dead) return passed.break_off(now_at(end), false);
  passed.in_message_ = true;
  flow.carried.push({.packet = flow.sent, .channel = &passed});
}

void MessageChannel::close_send(int end) {
  End& e = ends_[end];
  if (std::exchange(e.send_over, true) || e.broken) return;
  e.wants_room = false;
  send(end, PacketKind::close, 0);
}

// Behind the peer's close it says that the rest of what came will never be taken.
void MessageChannel::stop(int end) {
  End& e = ends_[end];
  if (e.discards || e.broken) return;
  if (e.closed && (e.taken == e.received || is_datagram())) return;
  e.discards = true;
  send(end, PacketKind::stop, 0);
}

void MessageChannel::reset(int end, Code status, std::string_view text) {
  End& e = ends_[end];
  if (e.broken || (e.send_over && e.closed)) return;
  e.broken = e.send_over = true;
  e.wants_room = e.asked_taken = false;
  e.reset_status = status;
  e.reset_text = text;
  send(end, PacketKind::reset, 0);
}

void MessageChannel::release(int end) {
  End& e = ends_[end];
  e.port = nullptr;
  stop(end);
  e.released = true;
  release_open_count(end);
  forget_if_over();
}

void MessageChannel::release_open_count(int end) {
  if (end == 0 && std::exchange(counted_, false)) session_.count_end(opener_);
}

// Credit.

void MessageChannel::taken(int end, std::uint64_t items) {
  End& e = ends_[end];
  e.taken += items;
  if (!is_datagram()) tell_taken(end);
}

void MessageChannel::tell_taken(int end) {
  End& e = ends_[end];
  const bool due =
      e.taken == e.received || e.taken - e.told >= std::max<std::uint64_t>(1, e.capacity / 2);
  if (!due || e.told == e.taken || e.broken || e.discards) return;
  e.told = e.taken;
  End& sender = ends_[other(end)];
  if (sender.endpoint == nullptr || e.endpoint == nullptr || e.flow.dead) return;
  const Time now = now_at(end);
  if (!e.out->connected()) {
    e.flow.dead = true;
    return break_off(now, false);
  }
  if (sender.told_next <= sender.taken_known) {
    sender.told_next = e.taken;
    sender.told_at = now + e.out->draw_latency();
  } else {
    sender.told_last = e.taken;
    sender.told_last_at = now;
  }
  if (sender.wants_room || sender.asked_taken) arm_credit(other(end));
}

// Words that were said while one was under way follow it as one.
void MessageChannel::hear_taken(int end, Time now) {
  End& e = ends_[end];
  MessageRoute& in = *ends_[other(end)].out;
  if (in.held()) return;
  while (e.told_next > e.taken_known && e.told_at <= now) {
    e.taken_known = e.told_next;
    note("taken", end, e.told_at);
    if (e.told_last <= e.told_next) return;
    e.told_next = e.told_last;
    e.told_at = std::max(e.told_at, e.told_last_at + in.draw_latency());
  }
}

// Returns: whether any that the end has not heard was under way.
bool MessageChannel::lose_words(int end, Time now) {
  End& e = ends_[end];
  hear_taken(end, now);
  e.told_last = e.taken_known;
  e.credit.cancel();
  return std::exchange(e.told_next, e.taken_known) > e.taken_known;
}

void MessageChannel::hear_all_taken(int end) {
  End& e = ends_[end];
  e.taken_known = std::max({e.taken_known, e.told_next, e.told_last});
  tell_who_asked(end);
}

// What was heard meanwhile, by a send, counts before an end does.
void MessageChannel::tell_who_asked(int end) {
  End& e = ends_[end];
  if (std::exchange(e.asked_taken, false) && e.port) e.port->on_taken_by_peer(e.taken_known);
}

void MessageChannel::wait_for_credit(int end, std::size_t bytes) {
  ends_[end].wants_room = true;
  ends_[end].wanted_bytes = static_cast<std::uint32_t>(bytes);
  arm_credit(end);
}

std::uint64_t MessageChannel::ask_taken(int end) {
  End& e = ends_[end];
  hear_taken(end, now_at(end));
  if (e.taken_known < e.sent && !is_datagram() && !e.broken) {
    e.asked_taken = true;
    arm_credit(end);
  }
  return e.taken_known;
}

void MessageChannel::arm_credit(int end) {
  End& e = ends_[end];
  if (e.endpoint == nullptr || e.credit.pending() || e.told_next <= e.taken_known) return;
  if (ends_[other(end)].out->held()) return;
  e.credit = e.endpoint->reactor().schedule(e.told_at, [this, end] { on_credit(end); });
}

void MessageChannel::on_credit(int end) {
  End& e = ends_[end];
  hear_taken(end, now_at(end));
  tell_who_asked(end);
  admit(end);
  if (e.wants_room || e.asked_taken) arm_credit(end);
}

void MessageChannel::admit(int end) {
  End& e = ends_[end];
  if (!e.wants_room || e.send_over || !has_credit(e, e.wanted_bytes)) return;
  e.wants_room = false;
  if (e.port) e.port->on_writable();
}

// Ends from outside.

void MessageChannel::break_off(Time now, bool at_once) {
  for (const int end : {0, 1}) {
    End& e = ends_[end];
    if (at_once) {
      e.flow.dead = true;
      (void)drop_flight(end);
      (void)lose_words(end, now);
    }
    if (e.endpoint == nullptr || e.loss.pending()) continue;
    MessageRoute& in = *ends_[other(end)].out;
    expect_loss(end, now + (at_once ? in.draw_latency() : in.draw_notice()), at_once);
  }
}

void MessageChannel::expect_loss(int end, Time at, bool by_word) {
  End& e = ends_[end];
  e.loss_at = at;
  e.loss_by_word = by_word;
  e.loss = e.endpoint->reactor().schedule(at, [this, end] {
    lose(end, Error(Code::lost, "channel", "a message of this channel was lost on the way"));
  });
}

void MessageChannel::lose(int end, const Error& why) {
  if (!attached(end)) return;
  busy_ = true;
  hear_taken(end, now_at(end));
  note("lost", end, now_at(end));
  tell_who_asked(end);
  MessagePort* port = ends_[end].port;
  detach(end);
  if (port) port->on_lost(&why);
  busy_ = false;
  forget_if_over();
}

void MessageChannel::detach(int end) {
  End& e = ends_[end];
  e.arrival.cancel();
  e.credit.cancel();
  e.loss.cancel();
  (void)drop_flight(other(end));
  drop_datagrams(other(end), false);
  e.endpoint = nullptr;
  e.port = nullptr;
  release_open_count(end);
}

void MessageChannel::forget_process(int end) {
  MessagePort* port = ends_[end].port;
  // One that waited has not looked at the time since.
  if (attached(end)) hear_taken(end, std::max(now_at(end), session_.fabric().now()));
  detach(end);
  if (port) port->on_lost(nullptr);
}

void MessageChannel::on_cut(int end) {
  End& e = ends_[end];
  const Time now = session_.fabric().now();
  const bool word_lost = lose_words(other(end), now);
  const std::size_t lost = drop_flight(end);
  e.out->traffic.cut += lost;
  if (lost > 0 || word_lost) {
    e.flow.dead = true;
    break_off(now, false);
  }
  drop_datagrams(end, true);
}

void MessageChannel::hasten(int end) {
  const Time now = session_.fabric().now();
  MessageRoute& out = *ends_[end].out;
  hasten_datagrams(end, now);
  hasten_packets(end, now);
  End& peer = ends_[other(end)];
  if (peer.told_next > peer.taken_known)
    peer.told_at = std::min(peer.told_at, now + out.draw_latency());
  if (peer.credit.pending()) {
    peer.credit.cancel();
    arm_credit(other(end));
  }
  if (!peer.loss.pending() || !peer.loss_by_word) return;
  expect_loss(other(end), std::min(peer.loss_at, now + out.draw_latency()), true);
}

bool MessageChannel::is_over() const {
  if (in_message_ || busy_) return false;
  return std::ranges::all_of(ends_, [](const End& e) {
    return (e.released || e.endpoint == nullptr) && e.flow.packets.empty() &&
           (e.datagrams == nullptr || e.datagrams->flying == 0);
  });
}

// The last act: it may destroy this.
void MessageChannel::forget_if_over() {
  if (is_over()) session_.remove(*this);
}

void MessageChannel::note(std::string_view kind, int end, Time at, ByteView payload) {
  session_.fabric().note(at, kind, 2 * id_ + static_cast<std::uint64_t>(end), payload);
}

}  // namespace tubing::sim::detail
