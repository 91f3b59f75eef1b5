#include "tests/fuzz/mux_app.h"

#include <algorithm>

#include "tests/fuzz/frame_walk.h"
#include "tubing/channel/base/assert.h"

namespace tubing::fuzz {

using rpc::ChannelId;
using rpc::number;

namespace {

/// Bytes that the two halves of the budget and the early credit of all channels allow together.
std::size_t untaken_bytes_max() {
  const rpc::MuxLimits limits = small_limits();
  return limits.receive_bytes_max + 3 * limits.channels_max * std::size_t{limits.early_bytes};
}

}  // namespace

rpc::MuxLimits small_limits() {
  rpc::MuxLimits limits;
  limits.channels_max = 4;
  limits.frame_bytes_max = 600;
  limits.flush_bytes_max = 8000;
  limits.outbox_bytes_max = 20'000;
  limits.channel_outbox_bytes = 6000;
  limits.receive_bytes_max = 80'000;
  limits.message_bytes_max = 30'000;
  limits.window_bytes_min = 500;
  limits.window_bytes_max = 4000;
  limits.spare_bytes_max = 10'000;
  limits.pings_max = 8;
  limits.credits_slack = 8;
  return limits;
}

MuxApp::Talk& MuxApp::heard(ChannelId id) {
  const auto at = talks_.find(id);
  TUBING_ASSERT(at != talks_.end(), number(id));
  TUBING_ASSERT(!at->second.released, number(id));
  return at->second;
}

void MuxApp::on_settings(const rpc::SettingsFrame&) {
  TUBING_ASSERT(!has_settings_ && !peer_is_done_);
  has_settings_ = true;
}

void MuxApp::on_open(ChannelId id, const rpc::OpenRequest& request) {
  TUBING_ASSERT(has_settings_ && !(goes_away_ && peer_goes_away_) && !talks_.contains(id),
                number(id));
  TUBING_ASSERT((number(id) % 2 == 1) == (side_ == rpc::Side::listener), number(id));
  TUBING_ASSERT(request.capacity >= 1 && request.service.size() <= rpc::kNameBytesMax);
  talks_[id] = Talk{};
  const auto is_theirs = [](const auto& entry) {
    return !entry.second.ours && !entry.second.released;
  };
  TUBING_ASSERT(std::ranges::count_if(talks_, is_theirs) <= 2 * small_limits().channels_max);
}

void MuxApp::on_accept(ChannelId id) {
  Talk& talk = heard(id);
  TUBING_ASSERT(talk.ours && !talk.accepted, number(id));
  talk.accepted = true;
}

void MuxApp::on_message(ChannelId id, ByteView message) {
  Talk& talk = heard(id);
  TUBING_ASSERT(!talk.ended && !talk.discards, number(id));
  TUBING_ASSERT(message.size() <= small_limits().message_bytes_max, message.size());
  if (peer != nullptr) {
    const auto& theirs = peer->sent.at(id);
    TUBING_ASSERT(talk.received < theirs.size(), talk.received, theirs.size());
    TUBING_ASSERT(message.size() == theirs[talk.received], message.size(), theirs[talk.received]);
    const auto fill = static_cast<std::byte>(talk.received);
    TUBING_ASSERT(std::ranges::all_of(message, [fill](std::byte b) { return b == fill; }));
  }
  ++talk.received;
  talk.untaken.push_back(message.size());
  untaken_bytes_ += message.size();
  TUBING_ASSERT(untaken_bytes_ <= untaken_bytes_max(), untaken_bytes_);
}

void MuxApp::on_writable(ChannelId id) {
  Talk& talk = heard(id);
  TUBING_ASSERT(talk.waits && !talk.closed && !talk.stopped, number(id));
  talk.waits = false;
}

void MuxApp::on_close(ChannelId id) {
  Talk& talk = heard(id);
  TUBING_ASSERT(!talk.ended && !talk.discards, number(id));
  if (peer != nullptr) TUBING_ASSERT(talk.received == peer->sent.at(id).size(), talk.received);
  talk.ended = true;
}

void MuxApp::on_stop(ChannelId id) {
  Talk& talk = heard(id);
  TUBING_ASSERT(!talk.stopped, number(id));
  talk.stopped = true;
}

void MuxApp::on_reset(ChannelId id, Code status, std::string_view text) {
  Talk& talk = heard(id);
  TUBING_ASSERT(status != Code::ok && text.size() <= rpc::kStatusTextBytesMax);
  talk.ended = talk.stopped = true;
}

void MuxApp::on_pong(std::uint64_t answered) {
  TUBING_ASSERT(answered <= last_ping_, answered, last_ping_);
}
void MuxApp::on_goaway() {
  TUBING_ASSERT(!peer_is_done_ && !peer_goes_away_);
  peer_goes_away_ = true;
}
void MuxApp::on_goodbye() {
  TUBING_ASSERT(!peer_is_done_);
  peer_is_done_ = true;
}
void MuxApp::on_refused(Code status, std::string_view text) {
  TUBING_ASSERT(!peer_is_done_ && status != Code::ok && text.size() <= rpc::kStatusTextBytesMax);
  peer_is_done_ = true;
}

void MuxApp::drop_untaken(Talk& talk) {
  for (const std::size_t bytes : talk.untaken) untaken_bytes_ -= bytes;
  talk.untaken.clear();
}

void MuxApp::take(ChannelId id, Talk& talk) {
  if (talk.untaken.empty() || talk.released) return;
  mux.taken(id, 1, talk.untaken.front());
  untaken_bytes_ -= talk.untaken.front();
  talk.untaken.pop_front();
}

void MuxApp::send(ChannelId id, Talk& talk, std::size_t size) {
  auto& sizes = sent[id];
  const auto accepted = mux.try_send(id, Bytes(size, static_cast<std::byte>(sizes.size())));
  if (!accepted) {
    const bool is_over = talk.closed || talk.stopped || talk.ended || !talk.may_talk();
    const bool is_long = size > small_limits().message_bytes_max || peer == nullptr;
    TUBING_ASSERT(is_over || is_long, accepted.error().text());
    return;
  }
  TUBING_ASSERT(talk.may_talk() && !talk.closed && !talk.stopped, number(id));
  if (*accepted) {
    sizes.push_back(size);
  } else {
    talk.waits = true;
  }
}

void MuxApp::act(Input& in) {
  const unsigned what = in.byte();
  switch (what % 16) {
    case 0: {
      const auto opened = mux.open({.service = "s", .capacity = 1 + in.byte() % 9u});
      if (!opened) return;
      sent[*opened];
      talks_[*opened].ours = true;
      return;
    }
    case 1: last_ping_ = mux.ping(); return;
    case 2:
      if (in.byte() % 4 != 0) return;
      goes_away_ = true;
      return mux.goaway();
    case 3:
      if (in.byte() % 4 == 0) mux.goodbye();
      return;
    case 4:
      if (in.byte() % 8 == 0) mux.refuse(Code::unavailable, as_text(in.piece()));
      return;
    default: break;
  }
  if (talks_.empty()) return;
  auto at = talks_.begin();
  std::advance(at, static_cast<long>(in.byte() % talks_.size()));
  act_on(at->first, what % 16, in);
  check_stats();
}

void MuxApp::act_on(ChannelId id, unsigned what, Input& in) {
  Talk& talk = talks_[id];
  switch (what) {
    case 5:
    case 6:
      if (talk.ours || talk.accepted || talk.released) return;
      talk.accepted = true;
      sent[id];
      return mux.accept(id, 1 + in.byte() % 9u);
    case 7:
      talk.ended = talk.stopped = true;
      drop_untaken(talk);
      talk.discards = true;
      return mux.reset(id, Code::aborted, "no");
    case 8:
      drop_untaken(talk);
      talk.released = true;
      return mux.release(id);
    case 9:
      if (talk.may_talk()) mux.close(id);
      talk.closed = talk.closed || talk.may_talk();
      return;
    case 10:
      if (!talk.may_talk()) return;
      drop_untaken(talk);
      talk.discards = true;
      return mux.stop(id);
    case 11:
    case 12: return take(id, talk);
    case 13: return send(id, talk, in.word() % 40'000u);
    case 14: return send(id, talk, in.byte());
    default:
      talk.waits =
          (talk.may_talk() && !talk.closed && !talk.stopped && !mux.may_send(id)) || talk.waits;
  }
}

void MuxApp::check_stats() const {
  TUBING_ASSERT(mux.channels() <= 3 * small_limits().channels_max, mux.channels());
  for (const rpc::ChannelStats& channel : mux.stats()) {
    TUBING_ASSERT(channel.outbox_bytes <= small_limits().outbox_bytes_max + 30'000);
    TUBING_ASSERT(channel.waiting_messages <= channel.received_messages, channel.id);
    TUBING_ASSERT(channel.waiting_bytes <= channel.received_bytes, channel.id);
  }
}

std::vector<Bytes> MuxApp::flush(std::size_t record_bytes) {
  std::vector<Bytes> records;
  std::size_t total = 0;
  mux.begin_flush();
  for (;;) {
    Bytes record(rpc::kRecordBytesMin + record_bytes);
    record.resize(mux.fill_record(record));
    if (record.empty()) break;
    TUBING_ASSERT(visit_frames(record, [](const auto&) {}), record.size());
    total += record.size();
    TUBING_ASSERT(total <= small_limits().flush_bytes_max + rpc::kControlFrameBytesMax, total);
    records.push_back(std::move(record));
  }
  return records;
}

void MuxApp::take_all() {
  for (auto& [id, talk] : talks_) {
    while (!talk.untaken.empty()) take(id, talk);
  }
}

void MuxApp::release_all() {
  for (auto& [id, talk] : talks_) {
    drop_untaken(talk);
    talk.released = true;
    mux.release(id);
  }
}

}  // namespace tubing::fuzz
