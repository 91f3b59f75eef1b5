// What a WireFlow does in a World: lost segments, ways on which nothing passes, ends that are gone.
#include <algorithm>

#include "tubing/sim/detail/wire_flow.h"

namespace tubing::sim::detail {

void WireFlow::send_hello() { fly({.arrival = from_.now() + draw_latency(), .kind = Kind::hello}); }

void WireFlow::send_reset() {
  orphan();
  if (resetting_) return;
  resetting_ = true;
  fly({.arrival = from_.now() + draw_latency(), .kind = Kind::reset});
}

void WireFlow::orphan() {
  orphan_ = true;
  severed_ = true;  // Nothing leaves any more; what has left stays in flight.
  rest_ = {};
  buffer_.clear();
  departure_.cancel();
  if (waiting_ == WireFate::blocked) lose_stream();
}

void WireFlow::leave_sender() {
  rest_ = {};  // The memory of the process.
  const bool on_line = departure_.pending();
  departure_.cancel();
  if (on_line) departure_ = from_.schedule(leaves_at_, [this] { depart(); });
}

void WireFlow::leave_receiver() {
  delivery_.cancel();
  open();
}

// Whether the first segment arrives now; where not, what becomes of it was begun.
bool WireFlow::passes() {
  Segment& front = flight_.front();
  const WireFate fate = way_->meet(front.kind == Kind::bytes);
  switch (fate) {
    case WireFate::arrives: retransmit_ = {}; return true;
    case WireFate::held: wait_for_way(fate); return false;
    case WireFate::breaks:
      take_front();
      arm_delivery();
      events_.on_broken(side_);
      return false;
    case WireFate::again:
    case WireFate::blocked: break;
  }
  if (front.kind == Kind::reset) {
    take_front();
    resetting_ = false;
    events_.on_reset_lost(side_);
  } else if (orphan_) {
    lose_stream();
  } else if (fate == WireFate::blocked) {
    wait_for_way(fate);
  } else {
    retransmit_ = next_retransmit();
    retry_at(to_.now() + retransmit_);
  }
  return false;
}

Duration WireFlow::next_retransmit() const {
  return std::clamp(2 * retransmit_, way_->retransmit_min(), way_->retransmit_max());
}

void WireFlow::wait_for_way(WireFate state) {
  waiting_ = state;
  waiting_since_ = to_.now();
}

void WireFlow::retry_at(Time at) {
  flight_.front().arrival = at;
  last_arrival_ = std::max(last_arrival_, at);
  arm_delivery();
}

// Behind a gap that nobody fills no byte is of use; a reset is.
void WireFlow::lose_stream() {
  waiting_ = WireFate::arrives;
  delivery_.cancel();
  std::erase_if(flight_, [](const Segment& segment) { return segment.kind != Kind::reset; });
  flight_bytes_ = 0;
  arm_delivery();
}

void WireFlow::on_way_change() {
  if (const std::uint64_t rate = way_->bytes_per_second(); rate != conditions_.bytes_per_second) {
    conditions_.bytes_per_second = rate;
    busy_until_ = Time::min();
  }
  if (waiting_ == WireFate::arrives) return;
  const WireFate state = way_->state();
  if (state == WireFate::arrives) {
    const bool was_held = std::exchange(waiting_, WireFate::arrives) == WireFate::held;
    return retry_at(was_held ? to_.now() : next_try());
  }
  if (state == WireFate::blocked && orphan_) return lose_stream();
  if (state != waiting_) wait_for_way(state);
}

std::string_view WireFlow::held_up() const {
  if (waiting_ == WireFate::blocked) return "cut";
  if (waiting_ == WireFate::held) return "held";
  if (flight_.empty()) return {};
  if (retransmit_ != Duration::zero()) return "lost";
  if (!takes() && flight_.front().arrival <= to_.now()) return "unread";
  return flight_bytes_ >= conditions_.window_bytes && !buffer_.empty() ? "window" : "";
}

StreamSnapshot WireFlow::snapshot() const {
  return {.written = written_,
          .arrived = delivered_,
          .in_flight = flight_bytes_,
          .waiting = buffer_.size() + rest_.size(),
          .held_up = std::string(held_up())};
}

// The sender never stopped trying, each time after a longer pause.
Time WireFlow::next_try() {
  Time next = waiting_since_;
  do {
    retransmit_ = next_retransmit();
    next += retransmit_;
  } while (next < to_.now() && retransmit_ < way_->retransmit_max());
  const Duration late = std::max(to_.now() - next, Duration::zero());
  if (late > Duration::zero()) next += (late / retransmit_ + 1) * retransmit_;
  return next;
}

}  // namespace tubing::sim::detail
