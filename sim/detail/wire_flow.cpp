#include "tubing/sim/detail/wire_flow.h"

#include <algorithm>

namespace tubing::sim::detail {
namespace {

std::uint64_t draw(Prng& prng, std::uint64_t min, std::uint64_t max) {
  return min + prng.below(max - min + 1);
}

Duration draw(Prng& prng, Duration min, Duration max) {
  return Duration(
      draw(prng, static_cast<std::uint64_t>(min.count()), static_cast<std::uint64_t>(max.count())));
}

}  // namespace

WireFlow::WireFlow(VirtualReactor& reactor, WireFlowEvents& events, WireSide from, Prng prng)
    : reactor_(reactor), events_(events), from_(from), prng_(prng) {}

void WireFlow::set_conditions(const WireConditions& conditions) {
  conditions_ = conditions;
  busy_until_ = Time::min();
}

bool WireFlow::write(ByteView bytes) {
  TUBING_ASSERT(rest_.empty() && "a write waits for on_writable");
  TUBING_ASSERT(!closed_ && "no write comes behind close_write");
  if (severed_) return true;
  rest_ = bytes;
  take_rest();
  start_chunk();
  return rest_.empty();
}

void WireFlow::close() {
  closed_ = true;
  start_chunk();
}

void WireFlow::abandon() {
  rest_ = {};
  close();
}

void WireFlow::sever() {
  severed_ = true;
  rest_ = {};
  buffer_.clear();
  departure_.cancel();
  drop_flight();
}

void WireFlow::open() {
  open_ = true;
  arm_delivery();
}

void WireFlow::hold() {
  held_ = true;
  delivery_.cancel();
}

void WireFlow::release() {
  held_ = false;
  arm_delivery();
}

bool WireFlow::corrupt(std::uint64_t offset, std::byte mask) {
  if (offset < delivered_) return false;
  corrupted_[offset] ^= mask;
  return true;
}

void WireFlow::cut_after(std::uint64_t bytes) {
  cut_point_ = bytes;
  if (delivered_ < bytes) return;
  sever();
  cut_ = reactor_.schedule(reactor_.now(), [this] { events_.on_cut_point(from_); });
}

void WireFlow::inject(Bytes bytes) {
  if (severed_) return;
  fly({.arrival = reactor_.now(), .bytes = std::move(bytes), .injected = true});
}

void WireFlow::take_rest() {
  const std::size_t limit = conditions_.send_buffer_bytes;
  const std::size_t room = limit - std::min(limit, buffer_.size());
  const ByteView taken = rest_.first(std::min(rest_.size(), room));
  buffer_.append(taken);
  rest_ = rest_.subspan(taken.size());
}

void WireFlow::start_chunk() {
  if (severed_ || departure_.pending() || stalled()) return;
  if (!buffer_.empty()) {
    const std::uint64_t drawn =
        draw(prng_, conditions_.chunk_bytes_min, conditions_.chunk_bytes_max);
    const std::size_t count = std::min<std::uint64_t>(drawn, buffer_.size());
    departure_ = reactor_.schedule(line_time(count), [this, count] { depart(count); });
  } else if (closed_ && !fin_sent_) {
    fin_sent_ = true;
    const Duration latency = draw(prng_, conditions_.latency_min, conditions_.latency_max);
    fly({.arrival = reactor_.now() + latency, .fin = true});
  }
}

// Exact: the whole busy period is divided, not each chunk.
Time WireFlow::line_time(std::size_t count) {
  const std::uint64_t rate = conditions_.bytes_per_second;
  if (rate == 0) return reactor_.now();
  if (reactor_.now() > busy_until_) {
    busy_since_ = reactor_.now();
    busy_bytes_ = 0;
  }
  busy_bytes_ += count;
  using Wide = unsigned __int128;
  const Wide nanoseconds = (Wide{busy_bytes_} * 1'000'000'000 + rate - 1) / rate;
  busy_until_ = busy_since_ + Duration(static_cast<std::int64_t>(nanoseconds));
  return busy_until_;
}

void WireFlow::depart(std::size_t count) {
  const ByteView leaving = buffer_.view().first(count);
  const Duration latency = draw(prng_, conditions_.latency_min, conditions_.latency_max);
  fly({.arrival = reactor_.now() + latency, .bytes = Bytes(leaving.begin(), leaving.end())});
  buffer_.consume(count);
  const bool was_waiting = !rest_.empty();
  take_rest();
  start_chunk();
  if (was_waiting && rest_.empty()) events_.on_taken(from_);
}

void WireFlow::fly(Segment segment) {
  if (lost_) return;
  segment.arrival = last_arrival_ = std::max(segment.arrival, last_arrival_);
  flight_.push_back(std::move(segment));
  arm_delivery();
}

void WireFlow::arm_delivery() {
  if (!takes() || flight_.empty() || delivery_.pending()) return;
  delivery_ = reactor_.schedule(flight_.front().arrival, [this] { deliver(); });
}

void WireFlow::deliver() {
  Segment segment = std::move(flight_.front());
  flight_.pop_front();
  if (!segment.injected) apply_faults(segment);
  arm_delivery();
  start_chunk();
  if (segment.fin) {
    events_.on_fin(from_);
  } else if (!segment.bytes.empty()) {
    events_.on_arrival(from_, std::move(segment.bytes));
  }
}

void WireFlow::apply_faults(Segment& segment) {
  Bytes& bytes = segment.bytes;
  if (cut_point_ && delivered_ + bytes.size() >= *cut_point_) {
    bytes.resize(*cut_point_ - delivered_);
    sever();
    cut_ = reactor_.schedule(reactor_.now(), [this] { events_.on_cut_point(from_); });
  }
  const std::uint64_t behind = delivered_ + bytes.size();
  while (!corrupted_.empty() && corrupted_.begin()->first < behind) {
    bytes[corrupted_.begin()->first - delivered_] ^= corrupted_.begin()->second;
    corrupted_.erase(corrupted_.begin());
  }
  delivered_ = behind;
}

void WireFlow::drop_flight() {
  flight_.clear();
  delivery_.cancel();
}

}  // namespace tubing::sim::detail
