// Frames that leave: what is owed comes first, made from the state of the moment; then data, the
// most urgent class first, in a deficit round robin over the channels that have some.
#include "tubing/rpc/detail/mux_state.h"

namespace tubing::rpc {
namespace {

/// No accept, credit, stop, close, ping or pong is longer. Units: bytes.
constexpr std::size_t kSmallFrameBytesMax = 31;
/// A part that ends because its turn or its record is over has at least this. Units: bytes.
constexpr std::size_t kPartBytesMin = 256;
/// A record in which a message of one channel ended takes no frame of another that is longer than
/// this: the message would have to wait for it. Units: bytes.
constexpr std::size_t kSharedFrameBytesMax = 2048;

}  // namespace

bool Mux::has_output() const {
  const State& s = *state_;
  return !s.is_done && (s.has_control() || s.has_active() || s.may_say_goodbye());
}

void Mux::begin_flush() {
  state_->flush_left = state_->limits.flush_bytes_max;
  state_->certificates = 0;
}

std::size_t Mux::fill_record(MutableBytes plaintext) {
  State& s = *state_;
  TUBING_ASSERT(plaintext.size() >= kRecordBytesMin, plaintext.size());
  if (s.is_done || s.flush_left < kRecordBytesMin) return 0;
  FrameWriter out(plaintext.first(std::min(plaintext.size(), s.flush_left)));
  s.completed = {};
  if (s.write_control(out)) s.write_data(out);
  if (s.may_say_goodbye() && out.room() > 0) {
    write_frame(out, GoodbyeFrame{});
    s.is_done = true;
  }
  if (s.limits.pad_to_bytes > 0) s.pad(out);
  s.flush_left -= out.size();
  if (s.room_freed) s.tell_writers();
  return out.size();
}

// One byte says that it is padding, so a record that lacks nothing gets none.
void Mux::State::pad(FrameWriter& out) const {
  const std::size_t over = out.size() % limits.pad_to_bytes;
  if (over == 0) return;
  const std::size_t missing = std::min(limits.pad_to_bytes - over, out.room());
  if (missing > 0) write_frame(out, PaddingFrame{missing - 1});
}

bool Mux::is_done() const { return state_->is_done; }

// A large value that waits for its reservation is still to be sent.
bool Mux::State::may_say_goodbye() const {
  return owes_goodbye && !is_done && !has_control() && !has_active() && large_sender == nullptr;
}

bool Mux::State::has_control() const {
  return owes_settings || owes_refused || owes_pong || owes_ping || owes_goaway ||
         owes_certificate || !queue.empty() || !owing.empty() || owes_places();
}

// Returns whether all of it fitted, so that data may follow.
bool Mux::State::write_control(FrameWriter& out) {
  if (owes_refused) {
    write_frame(out, RefusedFrame{refused_status, refused_text});
    owes_refused = false;
    is_done = true;
    return false;
  }
  if (owes_settings) {
    write_frame(out, SettingsFrame{.early_items = limits.early_items,
                                   .early_bytes = limits.early_bytes,
                                   .message_bytes_max = limits.message_bytes_max,
                                   .channels_max = limits.channels_max,
                                   .ping_after_ms = limits.ping_after_ms,
                                   .dead_after_ms = limits.dead_after_ms});
    owes_settings = false;
  }
  if (!write_session_control(out)) return false;
  while (!queue.empty()) {
    if (!queue.pop(out)) return false;
  }
  return write_owed(out);
}

// What is said of the session as a whole. A ping or a pong means that little else is said: nobody
// needs the spare memory soon.
bool Mux::State::write_session_control(FrameWriter& out) {
  if (out.room() < 4 * kSmallFrameBytesMax) return false;
  if (!has_active() && (owes_pong || owes_ping)) spare.trim();
  if (owes_pong) write_frame(out, PongFrame{pong_number});
  if (owes_ping) write_frame(out, PingFrame{last_ping});
  if (owes_goaway) write_frame(out, GoawayFrame{});
  if (owes_pong) pings = 0;
  owes_pong = owes_ping = owes_goaway = false;
  if (owes_places()) {
    places_told = peer_places();
    write_frame(out, PlacesFrame{places_told});
  }
  if (!owes_certificate) return true;
  if (out.room() < kCertificateFrameBytesMax) return false;
  write_frame(out, CertificateFrame{renewal});
  owes_certificate = false;
  renewal = {};
  return true;
}

bool Mux::State::write_owed(FrameWriter& out) {
  while (!owing.empty()) {
    if (out.room() < 4 * kSmallFrameBytesMax) return false;
    Channel& channel = owing.front();
    detail::ReceiveCredit& credit = channel.receive_credit;
    if (channel.owes_accept) {
      write_frame(out, channel.accept_frame());
      channel.blocked_left = 1;
    }
    if (channel.owes_credit) {
      credit.grant();
      write_frame(out, CreditFrame{channel.id, credit.granted().items, credit.granted().bytes});
      recharge(channel);
      ++channel.blocked_left;
    }
    if (channel.owes_blocked) write_frame(out, BlockedFrame{channel.id});
    if (channel.owes_stop) write_frame(out, StopFrame{channel.id});
    channel.owes_accept = channel.owes_credit = false;
    channel.owes_blocked = channel.owes_stop = false;
    owing.remove(channel);
    forget_if_over(channel);
  }
  return true;
}

// The most urgent class that has something to send, unless a less urgent one has waited enough.
std::size_t Mux::State::next_class() const {
  for (std::size_t c = kClasses - 1; c > 0; --c) {
    if (!active[c].empty() && waited[c] >= limits.class_wait_bytes_max) return c;
  }
  std::size_t c = 0;
  while (active[c].empty()) ++c;
  return c;
}

void Mux::State::count_waits(std::size_t served, std::size_t bytes) {
  const std::uint64_t given = std::uint64_t{limits.class_ratio} * bytes;
  waited[served] -= std::min(waited[served], given);
  for (std::size_t c = served + 1; c < kClasses; ++c) {
    if (!active[c].empty()) waited[c] += bytes;
  }
}

// A channel whose turn the end of the record cut short goes on with it in the next record.
void Mux::State::write_data(FrameWriter& out) {
  while (has_active()) {
    const std::size_t in_turn = class_in_turn.value_or(next_class());
    class_in_turn.reset();
    if (active[in_turn].empty()) continue;
    Channel& channel = active[in_turn].front();
    if (!channel.visited) channel.deficit += static_cast<std::uint32_t>(limits.frame_bytes_max);
    channel.visited = true;
    const std::size_t before = out.size();
    const Served served = serve(channel, out);
    count_waits(in_turn, out.size() - before);
    switch (served) {
      case Served::record_full: class_in_turn = in_turn; return;
      case Served::deficit_used:
        channel.visited = false;
        active[in_turn].move_front_to_back();
        break;
      case Served::idle:
        channel.visited = false;
        channel.deficit = 0;
        deactivate(channel);
        forget_if_over(channel);
        break;
    }
  }
}

Mux::State::Served Mux::State::serve(Channel& channel, FrameWriter& out) {
  while (!channel.outbox.empty()) {
    const std::size_t before = out.size();
    const Served served = write_part(channel, out);
    if (out.size() == before) return served;
    const std::size_t cost = out.size() - before;
    channel.deficit -= static_cast<std::uint32_t>(std::min<std::size_t>(channel.deficit, cost));
  }
  if (channel.send == SendState::closing) {
    if (out.room() < kSmallFrameBytesMax) return Served::record_full;
    write_frame(out, CloseFrame{channel.id});
    end_sending(channel);
  }
  return Served::idle;
}

// Writes one frame, or nothing and says why. A message that fits a frame is divided only where a
// whole record is too small for it; a longer one is cut to what its turn and the record leave.
Mux::State::Served Mux::State::write_part(Channel& channel, FrameWriter& out) {
  detail::Outbox& outbox = channel.outbox;
  const detail::Outbox::Front front = outbox.front();
  const bool large = outbox.large();
  std::size_t part = std::min(front.rest.size(), limits.frame_bytes_max);
  if (large) {
    part = std::min<std::uint64_t>(part, channel.send_credit.bytes_left());
    if (part == 0) return Served::idle;
  }
  const bool divided = front.begun || part < front.rest.size();
  if (part > channel.deficit) {
    if (!divided || channel.deficit < kPartBytesMin) return Served::deficit_used;
    part = channel.deficit;
  }
  if (out.room() < kDataHeadBytesMax + part) {
    const bool divisible = divided || out.size() == 0;
    if (!divisible || out.room() < kDataHeadBytesMax + kPartBytesMin) return Served::record_full;
    part = out.room() - kDataHeadBytesMax;
  }
  if (part > kSharedFrameBytesMax && completed != ChannelId{} && completed != channel.id) {
    return Served::record_full;
  }
  const ByteView payload = front.rest.first(part);
  if (front.begun) {
    write_frame(out, DataMoreFrame{channel.id, payload});
  } else if (part == front.rest.size()) {
    write_frame(out, DataFrame{channel.id, payload});
  } else {
    write_frame(out, DataBeginFrame{channel.id, front.rest.size(), payload});
  }
  if (part == front.rest.size()) completed = channel.id;
  if (large) channel.send_credit.use_bytes(part);
  const std::size_t held = outbox.bytes();
  outbox.pop(part, spare);
  if (!large) {
    outbox_bytes -= held - outbox.bytes();
  } else if (outbox.empty()) {
    large_sender = nullptr;
  }
  room_freed = true;
  return Served::idle;
}

}  // namespace tubing::rpc
