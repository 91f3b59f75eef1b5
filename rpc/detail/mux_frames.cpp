// Frames that come: each is checked against the state of its channel before anything happens.
#include "tubing/rpc/detail/mux_state.h"

namespace tubing::rpc {
namespace {

using detail::Amount;

template <class... Args>
[[gnu::noinline, gnu::cold]] Error violation(FrameKind kind, fmt::format_string<Args...> format,
                                             Args&&... args) {
  return Error(Code::invalid_argument, "receive",
               fmt::format("{} {}; the peer broke the protocol, end the session", frame_name(kind),
                           fmt::format(format, std::forward<Args>(args)...)));
}

}  // namespace

Result<> Mux::on_record(ByteView plaintext) {
  FrameReader in(plaintext);
  if (in.done()) {
    return Error(Code::invalid_argument, "receive", "a record without a frame; end the session");
  }
  if (FrameKind{std::to_integer<std::uint8_t>(plaintext.front())} == FrameKind::padding) {
    return violation(FrameKind::padding, "comes alone in a record");
  }
  while (!in.done()) {
    const std::uint8_t kind = in.byte();
    if (auto taken = state_->read_by_kind(in, FrameKind{kind}); !taken) return taken;
  }
  if (state_->room_freed) state_->tell_writers();
  return {};
}

template <class Frame>
Result<> Mux::State::read(FrameReader& in) {
  Frame frame;
  if (!read_frame(in, frame)) return violation(Frame::kKind, "{}", in.fault());
  return on(frame);
}

Result<> Mux::State::read_by_kind(FrameReader& in, FrameKind kind) {
  if (peer_is_done && kind != FrameKind::padding)
    return violation(kind, "came after the last frame");
  if (!has_settings && kind != FrameKind::settings && kind != FrameKind::refused) {
    return violation(kind, "came before settings");
  }
  switch (kind) {
    case FrameKind::settings: return read<SettingsFrame>(in);
    case FrameKind::refused: return read<RefusedFrame>(in);
    case FrameKind::open: return read<OpenFrame>(in);
    case FrameKind::accept: return read<AcceptFrame>(in);
    case FrameKind::data: return read<DataFrame>(in);
    case FrameKind::data_begin: return read<DataBeginFrame>(in);
    case FrameKind::data_more: return read<DataMoreFrame>(in);
    case FrameKind::credit: return read<CreditFrame>(in);
    case FrameKind::close: return read<CloseFrame>(in);
    case FrameKind::stop: return read<StopFrame>(in);
    case FrameKind::reset: return read<ResetFrame>(in);
    case FrameKind::ping: return read<PingFrame>(in);
    case FrameKind::pong: return read<PongFrame>(in);
    case FrameKind::goaway: return read<GoawayFrame>(in);
    case FrameKind::goodbye: return read<GoodbyeFrame>(in);
    case FrameKind::certificate: return read<CertificateFrame>(in);
    case FrameKind::pass: return read<PassFrame>(in);
    case FrameKind::blocked: return read<BlockedFrame>(in);
    case FrameKind::places: return read<PlacesFrame>(in);
    case FrameKind::padding: return read<PaddingFrame>(in);
    case FrameKind::call:
    case FrameKind::answer:
    case FrameKind::cancel:
    case FrameKind::notify: return violation(kind, "is not spoken by this version");
  }
  return violation(kind, "frame with the kind {}", static_cast<unsigned>(kind));
}

Result<> Mux::State::on(const SettingsFrame& frame) {
  if (frame.version != kWireVersion) {
    return Error(Code::failed_precondition, "receive",
                 fmt::format("the peer speaks version {} of the wire, this side version {}; "
                             "upgrade the older one",
                             frame.version, kWireVersion));
  }
  if (has_settings) return violation(frame.kKind, "came twice");
  if (frame.early_items < kEarlyItems || frame.early_bytes < kEarlyBytes) {
    return violation(frame.kKind, "lowers the early credit below {} items and {} bytes",
                     kEarlyItems, kEarlyBytes);
  }
  if (frame.message_bytes_max < frame.early_bytes) {
    return violation(frame.kKind, "allows messages of {} bytes only, less than its early credit",
                     frame.message_bytes_max);
  }
  const std::uint64_t late = frame.dead_after_ms;
  if (std::max(frame.ping_after_ms, late) > UINT32_MAX ||
      (late != 0 && frame.ping_after_ms >= late)) {
    return violation(frame.kKind, "asks for pings after {} ms and gives up after {} ms",
                     frame.ping_after_ms, late);
  }
  has_settings = true;
  peer_settings = frame;
  places = 2 * std::min<std::uint64_t>(frame.channels_max, UINT32_MAX);
  room_freed = true;
  events.on_settings(frame);
  return {};
}

Result<> Mux::State::on(const RefusedFrame& frame) {
  peer_is_done = true;
  events.on_refused(frame.status, frame.text);
  return {};
}

Result<> Mux::State::refuse_open(ChannelId id, Code status, std::string_view text) {
  queue.push(ResetFrame{id, status, text});
  late_left += limits.early_items + 2 * std::uint64_t{limits.early_bytes};
  ++peer_gone;
  return {};
}

Result<> Mux::State::check_new(FrameKind kind, ChannelId id, std::uint64_t items) const {
  if (number(id) != peer_next) {
    return violation(kind, "has the channel {} where {} is next", number(id), peer_next);
  }
  if (items == 0) return violation(kind, "of channel {} has no capacity", number(id));
  if (queue.frames() >= 8 * std::size_t{limits.channels_max}) {
    return violation(kind, "of channel {} comes while {} answers to earlier ones wait", number(id),
                     queue.frames());
  }
  return {};
}

Result<> Mux::State::add_peers(ChannelId id, const OpenRequest& request, std::uint64_t bytes) {
  // Until the peer answers our goaway with its own, its opens may have crossed it; what it passes
  // belongs to a channel that is open, and those go on.
  const bool leaving = goes_away && peer_goes_away && request.carrier == ChannelId{};
  if (leaving || owes_goodbye) {
    return refuse_open(id, Code::unavailable, "this side is going away; dial again");
  }
  if (peer_open >= limits.channels_max || peer_count >= 2 * std::size_t{limits.channels_max}) {
    return refuse_open(id, Code::resource_exhausted, "too many channels are open");
  }
  Channel& channel =
      add(id, request, {request.capacity, bytes}, {limits.early_items, limits.early_bytes});
  channel.send = SendState::unaccepted;
  channel.unclaimed = request.carrier != ChannelId{};
  if (channel.unclaimed) ++unclaimed_count;
  events.on_open(id, request);
  return {};
}

Result<> Mux::State::on(const OpenFrame& frame) {
  if (auto fits = check_new(frame.kKind, frame.id, frame.items); !fits) return fits;
  peer_next += 2;
  return add_peers(frame.id,
                   {.service = frame.service,
                    .out_type = frame.out_type,
                    .in_type = frame.in_type,
                    .capacity = static_cast<std::uint32_t>(frame.items),
                    .channel_class = frame.channel_class,
                    .delivery = frame.delivery},
                   frame.bytes);
}

Result<> Mux::State::on(const PassFrame& frame) {
  if (auto fits = check_new(frame.kKind, frame.id, frame.items); !fits) return fits;
  Result<> verdict;
  const Channel* carrier = find_for(frame.kKind, frame.carrier, verdict, 0);
  if (!verdict) return verdict;
  peer_next += 2;
  if (carrier == nullptr || carrier->discarded) {
    return refuse_open(frame.id, Code::cancelled, "the channel that carried it has ended");
  }
  if (carrier->receive == ReceiveState::ended) {
    return violation(frame.kKind, "on channel {} after its close", number(frame.carrier));
  }
  if (carrier->datagram) {
    return violation(frame.kKind, "on channel {}, whose messages may be lost",
                     number(frame.carrier));
  }
  if (unclaimed_count >= limits.passes_unclaimed_max) {
    return refuse_open(frame.id, Code::resource_exhausted,
                       "too many channels wait in messages that nobody took");
  }
  return add_peers(frame.id,
                   {.out_type = frame.out_type,
                    .in_type = frame.in_type,
                    .capacity = static_cast<std::uint32_t>(frame.items),
                    .channel_class = frame.channel_class,
                    .delivery = frame.delivery,
                    .carrier = frame.carrier},
                   frame.bytes);
}

Result<> Mux::State::drop_late(FrameKind kind, ChannelId id, std::uint64_t cost) {
  if (cost > late_left) {
    return violation(kind, "on channel {}, which has ended, is more than was under way",
                     number(id));
  }
  late_left -= cost;
  return {};
}

detail::MuxChannel* Mux::State::find_for(FrameKind kind, ChannelId id, Result<>& verdict,
                                         std::uint64_t cost) {
  Channel* channel = table.find(id);
  if (channel == nullptr && !was_opened(id)) {
    verdict = violation(kind, "on channel {}, which was never opened", number(id));
    return nullptr;
  }
  if (channel == nullptr || channel->broken) {
    verdict = drop_late(kind, id, cost);
    return nullptr;
  }
  if (channel->ours && !channel->accepted && kind != FrameKind::accept) {
    verdict = violation(kind, "on channel {} before its accept", number(id));
    return nullptr;
  }
  return channel;
}

Result<> Mux::State::on(const AcceptFrame& frame) {
  if (was_opened(frame.id) && !is_ours(frame.id)) {
    return violation(frame.kKind, "of channel {}, which the peer itself opened", number(frame.id));
  }
  Result<> verdict;
  Channel* channel = find_for(frame.kKind, frame.id, verdict);
  if (channel == nullptr) return verdict;
  if (channel->accepted) return violation(frame.kKind, "of channel {} twice", number(frame.id));
  channel->accepted = true;
  channel->send_credit.replace({frame.items, frame.bytes});
  if (!channel->outbox.empty()) activate(*channel);
  if (!channel->released) events.on_accept(frame.id);
  tell_if_writable(frame.id);
  return {};
}

detail::MuxChannel* Mux::State::receive(FrameKind kind, ChannelId id, std::size_t bytes,
                                        Result<>& verdict) {
  Channel* channel = find_for(kind, id, verdict, 1 + bytes);
  if (channel == nullptr) return nullptr;
  if (channel->receive == ReceiveState::ended) {
    verdict = violation(kind, "on channel {} after its close", number(id));
    return nullptr;
  }
  const bool partial = channel->inbox != nullptr;
  if (partial != (kind == FrameKind::data_more)) {
    verdict =
        violation(kind, "on channel {} {}", number(id),
                  partial ? "inside of another message" : "without a message that it continues");
    return nullptr;
  }
  detail::ReceiveCredit& credit = channel->receive_credit;
  if (kind != FrameKind::data_more && !credit.receive_item()) {
    verdict = violation(kind, "on channel {} exceeds the credit of {} items", number(id),
                        credit.limit().items);
    return nullptr;
  }
  if (!credit.receive_bytes(bytes)) {
    verdict = violation(kind, "of {} bytes on channel {} exceeds the credit: {} of {} came", bytes,
                        number(id), credit.received().bytes, credit.limit().bytes);
    return nullptr;
  }
  return channel;
}

Result<> Mux::State::on(const DataFrame& frame) {
  Result<> verdict;
  Channel* channel = receive(frame.kKind, frame.id, frame.payload.size(), verdict);
  if (channel == nullptr) return verdict;
  if (frame.payload.size() > limits.message_bytes_max) {
    return violation(frame.kKind, "of {} bytes on channel {} exceeds the limit of {}",
                     frame.payload.size(), number(frame.id), limits.message_bytes_max);
  }
  if (channel->receive == ReceiveState::open) events.on_message(frame.id, frame.payload);
  return {};
}

Result<> Mux::State::on(const DataBeginFrame& frame) {
  if (frame.message_bytes > limits.message_bytes_max) {
    return violation(frame.kKind, "of a message of {} bytes on channel {} exceeds the limit of {}",
                     frame.message_bytes, number(frame.id), limits.message_bytes_max);
  }
  Result<> verdict;
  Channel* channel = receive(frame.kKind, frame.id, frame.payload.size(), verdict);
  if (channel == nullptr) return verdict;
  const std::uint64_t left = frame.message_bytes - frame.payload.size();
  channel->inbox = std::make_unique<detail::Inbox>(*channel, left);
  if (channel->receive == ReceiveState::discarding) return {};
  detail::Inbox& inbox = *channel->inbox;
  inbox.begin(frame.payload, spare);
  const detail::ReceiveCredit& credit = channel->receive_credit;
  const std::uint64_t end = credit.received().bytes + left;
  if (end <= credit.granted().bytes) {
    inbox.reserve();
    return {};
  }
  inbox.wait_for_reservation(end);
  if (channel->ours || channel->accepted) request_reservation(*channel);
  return {};
}

Result<> Mux::State::on(const DataMoreFrame& frame) {
  Result<> verdict;
  Channel* channel = receive(frame.kKind, frame.id, frame.payload.size(), verdict);
  if (channel == nullptr) return verdict;
  detail::Inbox& inbox = *channel->inbox;
  if (frame.payload.size() > inbox.left()) {
    return violation(frame.kKind, "of {} bytes on channel {}, whose message lacks {}",
                     frame.payload.size(), number(frame.id), inbox.left());
  }
  if (channel->receive == ReceiveState::discarding) {
    inbox.skip(frame.payload.size());
    if (inbox.left() == 0) channel->inbox.reset();
    return {};
  }
  inbox.add(frame.payload);
  if (inbox.left() == 0) deliver(*channel);
  return {};
}

// The message is moved out first: the application may release the channel inside of the event.
void Mux::State::deliver(Channel& channel) {
  if (channel.inbox->reserve_wait.linked()) {
    reserve_waiters.remove(*channel.inbox);
    serve_reservations();
  }
  ByteBuffer message = channel.inbox->finish();
  channel.inbox.reset();
  events.on_message(channel.id, message.view());
  spare.give(std::move(message));
}

Result<> Mux::State::on(const CreditFrame& frame) {
  Result<> verdict;
  Channel* channel = find_for(frame.kKind, frame.id, verdict);
  if (channel == nullptr) return verdict;
  detail::SendCredit& credit = channel->send_credit;
  if (credit.takes_unsent(frame.items)) {
    return violation(frame.kKind, "on channel {} grants {} items where {} were sent",
                     number(frame.id), frame.items, credit.used().items);
  }
  const std::uint64_t taken_before = credit.items_taken();
  if (!credit.raise({frame.items, frame.bytes})) {
    return violation(frame.kKind, "on channel {} grants nothing or takes back: {} items, {} bytes",
                     number(frame.id), frame.items, frame.bytes);
  }
  if (credit.idle_grants() > limits.credits_slack) {
    return violation(frame.kKind, "on channel {} came {} times more often than messages explain",
                     number(frame.id), credit.idle_grants());
  }
  channel->told_blocked = false;
  if (!channel->outbox.empty()) activate(*channel);
  const std::uint64_t taken = credit.items_taken();
  if (taken > taken_before && !channel->released) events.on_taken_by_peer(frame.id, taken);
  tell_if_writable(frame.id);
  return {};
}

// The peer had more to send than its window, and the application did not make it wait: grow.
Result<> Mux::State::on(const BlockedFrame& frame) {
  Result<> verdict;
  Channel* channel = find_for(frame.kKind, frame.id, verdict);
  if (channel == nullptr) return verdict;
  if (channel->receive == ReceiveState::ended) {
    return violation(frame.kKind, "on channel {} after its close", number(frame.id));
  }
  if (channel->blocked_left == 0) {
    return violation(frame.kKind, "on channel {} came more often than credit", number(frame.id));
  }
  --channel->blocked_left;
  const detail::ReceiveCredit& credit = channel->receive_credit;
  if (channel->discarded || 2 * credit.bytes_held() > credit.window().bytes) return {};
  grow(*channel);
  owe_credit_if_due(*channel);
  return {};
}

Result<> Mux::State::on(const CloseFrame& frame) {
  Result<> verdict;
  Channel* channel = find_for(frame.kKind, frame.id, verdict);
  if (channel == nullptr) return verdict;
  if (channel->receive == ReceiveState::ended) {
    return violation(frame.kKind, "of channel {} twice", number(frame.id));
  }
  const bool wanted = channel->receive == ReceiveState::open;
  if (wanted && channel->inbox != nullptr) {
    return violation(frame.kKind, "of channel {} cuts a message short", number(frame.id));
  }
  end_receiving(*channel);
  forget_if_over(*channel);
  if (wanted) events.on_close(frame.id);
  return {};
}

Result<> Mux::State::on(const StopFrame& frame) {
  Result<> verdict;
  Channel* channel = find_for(frame.kKind, frame.id, verdict);
  if (channel == nullptr) return verdict;
  if (channel->stopped) return violation(frame.kKind, "of channel {} twice", number(frame.id));
  channel->stopped = true;
  if (channel->send != SendState::ended) {
    drop_outbox(*channel);
    channel->wants_write = false;
    room_waiters.remove(*channel);
  }
  if (channel->send == SendState::open || channel->send == SendState::closing) {
    channel->send = SendState::closing;
    activate(*channel);
  }
  if (!channel->released) events.on_stop(frame.id);
  return {};
}

Result<> Mux::State::on(const ResetFrame& frame) {
  if (!was_opened(frame.id)) {
    return violation(frame.kKind, "of channel {}, which was never opened", number(frame.id));
  }
  Channel* channel = table.find(frame.id);
  if (channel == nullptr || channel->broken) return drop_late(frame.kKind, frame.id, 1);
  break_channel(*channel);
  if (!channel->released) {
    events.on_reset(frame.id, frame.status, frame.text);
  } else {
    forget_if_over(*channel);
  }
  return {};
}

Result<> Mux::State::on(const PingFrame& frame) {
  if (++pings > limits.pings_max) {
    return violation(frame.kKind, "came {} times before an answer could leave", pings);
  }
  pong_number = frame.number;
  owes_pong = true;
  return {};
}

Result<> Mux::State::on(const PongFrame& frame) {
  if (frame.number == 0 || frame.number > last_ping) {
    return violation(frame.kKind, "answers ping {}, the last was {}", frame.number, last_ping);
  }
  if (frame.number <= last_pong) {
    return violation(frame.kKind, "answers ping {} again", frame.number);
  }
  last_pong = frame.number;
  events.on_pong(frame.number);
  return {};
}

Result<> Mux::State::on(const GoawayFrame& frame) {
  if (peer_goes_away) return violation(frame.kKind, "came twice");
  peer_goes_away = true;
  events.on_goaway();
  return {};
}

Result<> Mux::State::on(const PlacesFrame& frame) {
  const std::uint64_t most =
      2 * std::min<std::uint64_t>(peer_settings.channels_max, UINT32_MAX) + own_opened();
  if (frame.total <= places || frame.total > most) {
    return violation(frame.kKind, "are {} where {} were given and {} were opened", frame.total,
                     places, own_opened());
  }
  places = frame.total;
  return {};
}

Result<> Mux::State::on(const CertificateFrame& frame) {
  if (++certificates > limits.certificates_max) {
    return violation(frame.kKind, "came {} times in a row", certificates);
  }
  events.on_certificate(frame.renewal);
  return {};
}

Result<> Mux::State::on(const PaddingFrame&) { return {}; }

Result<> Mux::State::on(const GoodbyeFrame&) {
  peer_is_done = true;
  events.on_goodbye();
  return {};
}

}  // namespace tubing::rpc
