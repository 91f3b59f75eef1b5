#include "tubing/sim/detail/message_route.h"

#include <algorithm>
#include <utility>

#include "tubing/sim/detail/draw.h"

namespace tubing::sim::detail {

std::string_view fate_name(Fate fate) {
  switch (fate) {
    case Fate::flies: return "flies";
    case Fate::dropped: return "dropped";
    case Fate::cut: return "cut";
    case Fate::corrupted: return "corrupted";
    case Fate::reset: return "broken";
  }
  return "";
}

void MessageRoute::refresh() {
  const LinkFaults& faults = links_.faults(from_, to_);
  connected_ = links_.connected(from_, to_);
  held_ = faults.held;
  clean_ =
      connected_ && !faults.any() && !links_.card(from_).faulty() && !links_.card(to_).faulty();
  bytes_per_second_ = links_.conditions(from_, to_).bytes_per_second;
}

Fate MessageRoute::draw_fate_faulty(bool exposed) {
  if (!connected_) return ++traffic.cut, Fate::cut;
  if (!exposed) return Fate::flies;
  const LinkFaults& faults = links_.faults(from_, to_);
  if (strike(links_.drops(from_, to_), FaultKind::dropped)) return ++traffic.dropped, Fate::dropped;
  if (strike(strikes(LinkDraw::corrupt, faults.corrupt_ppm), FaultKind::corrupted))
    return ++traffic.corrupted, Fate::corrupted;
  if (strike(strikes(LinkDraw::reset, faults.reset_ppm), FaultKind::reset))
    return ++traffic.reset, Fate::reset;
  return Fate::flies;
}

bool MessageRoute::draw_answers() {
  if (clean_) return true;
  if (!connected_ || held_) return false;
  const LinkFaults& faults = links_.faults(from_, to_);
  return !links_.drops(from_, to_) && !links_.is_deaf(from_, to_) &&
         !strikes(LinkDraw::dial, faults.corrupt_ppm) && !strikes(LinkDraw::dial, faults.reset_ppm);
}

Duration MessageRoute::draw_delay() {
  if (clean_) return {};
  const LinkFaults& faults = links_.faults(from_, to_);
  if (!strike(strikes(LinkDraw::reorder, faults.reorder_ppm), FaultKind::reordered)) return {};
  ++traffic.reordered;
  Prng prng = links_.draws(from_, to_, LinkDraw::reorder);
  return draw(prng, Duration(1), faults.reorder_max + Duration(1));
}

Time MessageRoute::draw_arrival(Time now, std::size_t bytes) {
  Time leaves = now;
  if (bytes_per_second_ != 0) {
    using Wide = unsigned __int128;
    const Wide span = (Wide{bytes} * 1'000'000'000 + bytes_per_second_ - 1) / bytes_per_second_;
    // What would take longer than a simulation can never arrives in one.
    const Time busy_until = std::max(line_free_, now);
    const Wide most = (Time::max().time_since_epoch() / 2 - busy_until.time_since_epoch()).count();
    line_free_ = busy_until + Duration(static_cast<std::int64_t>(std::min(span, most)));
    leaves = line_free_;
  }
  return leaves + links_.draw_latency(from_, to_);
}

Duration MessageRoute::draw_notice() {
  Prng prng = links_.draws(from_, to_, LinkDraw::notice);
  return draw(prng, conditions_.notice_min, conditions_.notice_max);
}

Duration MessageRoute::draw_dial(Duration min, Duration max) {
  Prng prng = links_.draws(from_, to_, LinkDraw::dial);
  return draw(prng, min, max);
}

void MessageRoute::keep(KeptMessage message) {
  kept_bytes_ += message.bytes.size();
  kept_.push_back(std::move(message));
  while (kept_.size() > conditions_.kept_max || kept_bytes_ > conditions_.kept_bytes_max) {
    kept_bytes_ -= kept_.front().bytes.size();
    kept_.pop_front();
    ++traffic.forgotten;
  }
}

std::deque<KeptMessage> MessageRoute::take_kept() {
  kept_bytes_ = 0;
  return std::exchange(kept_, {});
}

}  // namespace tubing::sim::detail
