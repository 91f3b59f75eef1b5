// MessageRoute: one direction between two hosts, as messages meet it.
#pragma once

#include <deque>

#include "tubing/channel/base/bytes.h"
#include "tubing/sim/links.h"
#include "tubing/sim/network_conditions.h"
#include "tubing/sim/network_snapshot.h"

namespace tubing::sim::detail {

/// What becomes of a message that is sent.
enum class Fate : std::uint8_t {
  flies,
  dropped,
  cut,        ///< Nothing passes.
  corrupted,  ///< It will be dropped by its receiver.
  reset,      ///< The channel breaks.
};

std::string_view fate_name(Fate fate);

/// A datagram that did not arrive, and still may.
struct KeptMessage {
  std::uint64_t channel;
  std::uint8_t from;  ///< The channel's end that sent it.
  Bytes bytes;
};

class MessageRoute {
 public:
  MessageRoute(Links& links, const NetworkConditions& conditions, HostId from, HostId to)
      : links_(links), conditions_(conditions), from_(from), to_(to) {
    refresh();
  }

  HostId from() const { return from_; }
  HostId to() const { return to_; }
  /// Reads the state of the link again, after it has changed.
  void refresh();
  bool connected() const { return connected_; }
  bool held() const { return held_; }
  /// Whether no fault can strike.
  bool clean() const { return clean_; }
  /// Draws what becomes of a message that leaves now. Faults that come and go meet those alone that
  /// are `exposed`; a cut meets all.
  Fate draw_fate(bool exposed) { return clean_ ? Fate::flies : draw_fate_faulty(exposed); }
  /// Draws whether a word of a dial passes.
  bool draw_answers();
  /// Draws whether one that arrives now is not heard.
  bool draw_deaf() { return !clean_ && strike(links_.is_deaf(from_, to_), FaultKind::deaf); }
  bool draw_duplicate() {
    return !clean_ && strike(strikes(LinkDraw::duplicate, links_.faults(from_, to_).duplicate_ppm),
                             FaultKind::duplicated);
  }
  /// Draws by how much a message may be overtaken; zero: not at all.
  Duration draw_delay();
  /// Draws when a message of so many bytes arrives that leaves now, and has it occupy the line.
  Time draw_arrival(Time now, std::size_t bytes);
  /// Nothing occupies the line any more.
  void clear_line() { line_free_ = Time::min(); }
  Duration draw_latency() { return links_.draw_latency(from_, to_); }
  /// Draws when an end notices that it hears nothing more of the other.
  Duration draw_notice();
  /// Draws how long something of a dial takes.
  Duration draw_dial(Duration min, Duration max);

  void keep(KeptMessage message);
  std::deque<KeptMessage> take_kept();
  std::size_t kept() const { return kept_.size(); }

  LinkTraffic traffic;

 private:
  Fate draw_fate_faulty(bool exposed);
  bool strikes(LinkDraw what, std::uint32_t ppm) { return links_.strikes(from_, to_, what, ppm); }
  bool strike(bool strikes, FaultKind kind) {
    if (strikes) links_.counts().add(kind);
    return strikes;
  }

  Links& links_;
  const NetworkConditions& conditions_;
  const HostId from_;
  const HostId to_;
  bool clean_ = true;  ///< No fault can strike.
  bool connected_ = true;
  bool held_ = false;
  std::uint64_t bytes_per_second_ = 0;
  Time line_free_ = Time::min();
  std::deque<KeptMessage> kept_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace tubing::sim::detail
