// Talks: random lives of the ends of channels, and what must hold of them.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <string>

#include "tubing/channel/base/prng.h"
#include "tubing/channel/deadline.h"
#include "tubing/channel/nursery.h"
#include "tubing/channel/service.h"

namespace tubing::sim {

/// What talks did; a test sums these up, so that no operation is silently never tried.
struct TalkCounts {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t closed = 0;   ///< Receivers that got everything, then `closed`.
  std::uint64_t stopped = 0;  ///< Operations that ended so; likewise below.
  std::uint64_t reset = 0;
  std::uint64_t lost = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t flushed = 0;
  std::uint64_t selected = 0;
  std::uint64_t passed = 0;  ///< Ends of channels that travelled in a message.

  TalkCounts& operator+=(const TalkCounts& other);
};

/// One direction of one channel, as both ends know it together.
struct TalkDirection {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  bool closed = false;    ///< Its sender said complete.
  bool discards = false;  ///< Its receiver wanted no more: the rest need not come.
};

/// One channel: direction 0 is from the end that opened or made it.
struct Talk {
  std::uint64_t id = 0;
  TalkDirection directions[2];
};

/// What travels in a channel that itself came in a message.
struct TalkInner {
  std::uint64_t number = 0;
  std::string filler;
  static constexpr std::string_view type_name = "program.Inner";
  static constexpr auto fields =
      tubing::fields("number", &TalkInner::number, "filler", &TalkInner::filler);
};

/// What travels otherwise; `end` may be an end of a further channel, with the number of its Talk.
struct TalkNote {
  std::uint64_t number = 0;
  std::string filler;
  std::uint64_t talk = 0;
  Duplex<TalkInner, TalkInner> end;
  static constexpr std::string_view type_name = "program.Note";
  static constexpr auto fields =
      tubing::fields("number", &TalkNote::number, "filler", &TalkNote::filler, "talk",
                     &TalkNote::talk, "end", &TalkNote::end);
};

inline constexpr Service<TalkNote, TalkNote> kTalks{"program.v1", 4};

/// Every talk of a run, seen from above: by both ends at once, whatever processes they are in.
///
/// Threads: one.
class Talks {
 public:
  explicit Talks(TalkCounts& counts) : counts_(counts) {}

  Talk& add();
  Talk& at(std::uint64_t id) { return talks_[id]; }
  TalkCounts& counts() { return counts_; }

  /// A value came; its number has to be the next one of what was sent.
  void on_received(TalkDirection& direction, std::uint64_t number);
  /// An operation ended with this error; a recv names the direction that it was to end.
  void on_end(const Error& how, const TalkDirection* complete);
  void on_flushed(const TalkDirection& direction, std::uint64_t sent_before);
  template <class... Args>
  void fail(fmt::format_string<Args...> format, Args&&... args) {
    if (fault_.empty()) fault_ = fmt::format(format, std::forward<Args>(args)...);
  }
  /// What did not hold, first of all; empty for nothing.
  const std::string& fault() const { return fault_; }

 private:
  TalkCounts& counts_;
  std::deque<Talk> talks_;
  std::string fault_;
};

/// Lives the ends of talks that one process has, at random: sends, receives, selects, passes
/// channels on, cancels, closes, stops, resets, or drops them.
///
/// Requires: it outlives the tasks that it gave.
/// Threads: one.
class Talker {
 public:
  template <class V>
  using End = Duplex<V, V>;

  Talker(Talks& talks, Prng prng) : talks_(talks), prng_(prng) {}

  /// Nobody begins anything while it is paused, and nothing ends while it is calm.
  void set_paused(bool paused) { paused_ = paused; }
  void set_calm(bool calm) { calm_ = calm; }
  /// Some ends are dropped as they are.
  void set_drops(bool drops) { drops_ = drops; }

  /// One end's random life. `side` 0 is the end that made the channel.
  Task<> live(Nursery& n, Talk& talk, int side, End<TalkNote> end);
  /// Opens a channel, says which talk it is, and spawns its life.
  /// Errors: as tubing::open and send.
  Task<> open(Nursery& n, channel::Network& network, PeerName peer, Deadline deadline = {});
  /// Serves a channel that was opened so.
  Task<> serve(Nursery& n, End<TalkNote>& end);
  Prng& prng() { return prng_; }
  /// Ends that live: those of channels that were passed too.
  std::size_t living() const { return living_; }

 private:
  template <class V>
  Task<> live_end(Nursery& n, Talk& talk, int side, End<V> end);
  template <class V>
  Task<> step(Nursery& n, Talk& talk, int side, End<V>& end);
  template <class V>
  Task<> send_one(Nursery& n, TalkDirection& direction, const Sender<V>& tx);
  template <class V>
  Task<> recv_one(Nursery& n, TalkDirection& direction, const Receiver<V>& rx);
  template <class V>
  Task<> cancel_one(Nursery& n, TalkDirection& direction, const Receiver<V>& rx);
  template <class V>
  Task<> select_one(Nursery& n, Talk& talk, int side, End<V>& end);
  template <class V>
  Task<> flush_one(TalkDirection& direction, const Sender<V>& tx);
  template <class V>
  void end_one(Talk& talk, int side, End<V>& end, std::uint64_t draw);

  template <class V>
  V make_value(std::uint64_t number, End<TalkInner>& kept);
  template <class V>
  void on_received(Nursery& n, TalkDirection& direction, V value);
  void on_sent(Nursery& n, TalkDirection& direction, End<TalkInner> kept, std::uint64_t kept_talk);
  Deadline draw_deadline();

  Talks& talks_;
  Prng prng_;
  bool paused_ = false;
  bool calm_ = false;
  bool drops_ = false;
  std::size_t living_ = 0;
  std::uint64_t kept_talk_ = 0;  ///< Of the end that `make_value` put into the last value.
};

}  // namespace tubing::sim
