// Two muxes joined back to back: records are moved by hand, byte for byte.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tubing/rpc/mux.h"

namespace tubing::rpc {

constexpr std::size_t kPlainBytesMax = 65535 - 16;

inline ChannelId channel(std::uint64_t id) { return ChannelId{id}; }

/// One side: a Mux and an application that accepts what is opened, keeps what it is sent, and says
/// what happened in one word and the channel's number.
struct MuxEnd : MuxEvents {
  explicit MuxEnd(Side side, MuxLimits limits = {}, ProcessBudget* process = nullptr)
      : mux(side, limits, *this, process) {}

  void on_settings(const SettingsFrame& frame) override {
    has_settings = true;
    settings = frame;
  }
  void on_open(ChannelId id, const OpenRequest& request) override {
    if (request.carrier == ChannelId{}) {
      say("open", id, request.service);
    } else {
      say("pass", id, "in " + std::to_string(number(request.carrier)));
    }
    if (capacity > 0) mux.accept(id, capacity);
  }
  void on_accept(ChannelId id) override { say("accept", id); }
  void on_message(ChannelId id, ByteView message) override {
    if (keeps) messages[number(id)].emplace_back(as_text(message));
    ++count;
    if (takes) mux.taken(id, 1, message.size());
  }
  void on_writable(ChannelId id) override { say("writable", id); }
  void on_close(ChannelId id) override { say("close", id); }
  void on_stop(ChannelId id) override { say("stop", id); }
  void on_reset(ChannelId id, Code status, std::string_view text) override {
    say("reset", id,
        std::string(code_name(status)) + (text.empty() ? "" : " ") + std::string(text));
  }
  void on_taken_by_peer(ChannelId id, std::uint64_t messages) override {
    taken_by_peer[number(id)] = messages;
  }
  void on_certificate(ByteView renewal) override {
    log.push_back("certificate " + std::string(as_text(renewal)));
  }
  void on_pong(std::uint64_t number) override { say("pong", ChannelId{number}); }
  void on_goaway() override { log.push_back("goaway"); }
  void on_goodbye() override { log.push_back("goodbye"); }
  void on_refused(Code status, std::string_view text) override {
    log.push_back("refused " + std::string(code_name(status)) + " " + std::string(text));
  }

  void on_output() override { log.push_back("output"); }

  void say(std::string_view what, ChannelId id, std::string_view more = {}) {
    log.push_back(std::string(what) + " " + std::to_string(number(id)) + (more.empty() ? "" : " ") +
                  std::string(more));
  }
  /// What happened since the last call.
  std::string said() {
    std::string joined;
    for (const std::string& what : std::exchange(log, {})) {
      joined += (joined.empty() ? "" : " | ") + what;
    }
    return joined;
  }

  ChannelId open(std::uint32_t receives = 8, ChannelClass urgency = ChannelClass::normal) {
    return *mux.open({.service = "chat", .capacity = receives, .channel_class = urgency});
  }
  bool send(ChannelId id, std::string_view text) { return *mux.try_send(id, as_bytes(text)); }

  std::uint32_t capacity = 8;  ///< What it accepts channels with; 0 leaves them unanswered.
  bool takes = true;
  bool keeps = true;
  bool has_settings = false;
  SettingsFrame settings;
  std::map<std::uint64_t, std::uint64_t> taken_by_peer;  ///< As on_taken_by_peer told last.
  std::size_t count = 0;
  std::map<std::uint64_t, std::vector<std::string>> messages;
  std::vector<std::string> log;
  Mux mux;
};

/// Everything that `from` would send in one flush.
inline std::vector<Bytes> flush(MuxEnd& from, std::size_t record_bytes = kPlainBytesMax) {
  std::vector<Bytes> records;
  from.mux.begin_flush();
  for (;;) {
    Bytes record(record_bytes);
    record.resize(from.mux.fill_record(record));
    if (record.empty()) return records;
    record.shrink_to_fit();
    records.push_back(std::move(record));
  }
}

/// One flush of `from` reaches `to`. Returns: its bytes.
inline std::size_t move(MuxEnd& from, MuxEnd& to, std::size_t record_bytes = kPlainBytesMax) {
  std::size_t bytes = 0;
  for (const Bytes& record : flush(from, record_bytes)) {
    bytes += record.size();
    auto taken = to.mux.on_record(record);
    TUBING_ASSERT(taken.has_value(), taken.error().text());
  }
  return bytes;
}

struct MuxPair {
  explicit MuxPair(MuxLimits dialler = {}, MuxLimits listener = {})
      : a(Side::dialler, dialler), b(Side::listener, listener) {
    settle();
  }
  /// Moves flushes both ways until neither side has anything to say.
  void settle(std::size_t record_bytes = kPlainBytesMax) {
    while (move(a, b, record_bytes) + move(b, a, record_bytes) > 0) {
    }
  }

  MuxEnd a;
  MuxEnd b;
};

/// A record of the frames, in that order.
template <class... Frames>
Bytes record_of(const Frames&... frames) {
  Bytes bytes(kPlainBytesMax);
  FrameWriter out(bytes);
  (write_frame(out, frames), ...);
  bytes.resize(out.size());
  bytes.shrink_to_fit();
  return bytes;
}

}  // namespace tubing::rpc
