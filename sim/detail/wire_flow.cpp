#include "tubing/sim/detail/wire_flow.h"

#include <algorithm>

namespace tubing::sim::detail {
namespace {

std::uint64_t draw(Prng& prng, std::uint64_t min, std::uint64_t max) {
  return min + prng.below(max - min + 1);
}

}  // namespace

WireFlow::WireFlow(const Parts& parts, Prng prng)
    : from_(parts.from),
      to_(parts.to),
      events_(parts.events),
      side_(parts.side),
      way_(parts.way),
      prng_(prng) {}

void WireFlow::set_conditions(const WireConditions& conditions) {
  conditions_ = conditions;
  busy_until_ = Time::min();
}

bool WireFlow::write(ByteView bytes) {
  TUBING_ASSERT(rest_.empty() && "a write waits for on_writable");
  TUBING_ASSERT(!closed_ && "no write comes behind close_write");
  if (severed_) return true;
  written_ += bytes.size();
  if (way_ != nullptr) way_->traffic.sent += bytes.size();
  rest_ = bytes;
  take_rest();
  send(from_.now());
  return rest_.empty();
}

void WireFlow::close() {
  closed_ = true;
  send(from_.now());
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
  cut_ = to_.schedule(to_.now(), [this] { events_.on_cut_point(side_); });
}

void WireFlow::inject(Bytes bytes) {
  if (severed_) return;
  fly({.arrival = from_.now(), .bytes = std::move(bytes), .injected = true});
}

Duration WireFlow::draw_latency() {
  if (way_ != nullptr) return way_->draw_latency();
  return Duration(draw(prng_, static_cast<std::uint64_t>(conditions_.latency_min.count()),
                       static_cast<std::uint64_t>(conditions_.latency_max.count())));
}

void WireFlow::take_rest() {
  if (rest_.empty()) return;
  const std::size_t limit = conditions_.send_buffer_bytes;
  const std::size_t room = limit - std::min(limit, buffer_.size());
  const ByteView taken = rest_.first(std::min(rest_.size(), room));
  buffer_.append(taken);
  rest_ = rest_.subspan(taken.size());
}

// A line without an end to its speed needs no event for each chunk. The sender's own call.
void WireFlow::send(Time now) {
  if (has_free_line() && !departure_.pending())
    while (!buffer_.empty() && !severed_ && !stalled(now)) {
      on_line_ = draw_chunk();
      leave_line(now);
    }
  start_chunk(now);
}

std::size_t WireFlow::draw_chunk() {
  const std::uint64_t drawn = draw(prng_, conditions_.chunk_bytes_min, conditions_.chunk_bytes_max);
  return std::min<std::uint64_t>(drawn, buffer_.size());
}

void WireFlow::start_chunk(Time now) {
  if (severed_ || departure_.pending() || stalled(now)) return;
  if (!buffer_.empty()) {
    on_line_ = draw_chunk();
    leaves_at_ = line_time(now, on_line_);
    departure_ = from_.schedule(leaves_at_, [this] { depart(); });
  } else if (closed_ && !fin_sent_) {
    fin_sent_ = true;
    fly({.arrival = now + draw_latency(), .kind = Kind::fin});
  }
}

// Exact: the whole busy period is divided, not each chunk.
Time WireFlow::line_time(Time now, std::size_t count) {
  const std::uint64_t rate = conditions_.bytes_per_second;
  if (rate == 0) return now;
  if (now > busy_until_) {
    busy_since_ = now;
    busy_bytes_ = 0;
  }
  busy_bytes_ += count;
  using Wide = unsigned __int128;
  const Wide nanoseconds = (Wide{busy_bytes_} * 1'000'000'000 + rate - 1) / rate;
  busy_until_ = busy_since_ + Duration(static_cast<std::int64_t>(nanoseconds));
  return busy_until_;
}

void WireFlow::leave_line(Time now) {
  const ByteView leaving = buffer_.view().first(on_line_);
  fly({.arrival = now + draw_latency(), .bytes = Bytes(leaving.begin(), leaving.end())});
  buffer_.consume(on_line_);
  take_rest();
}

void WireFlow::depart() {
  const bool was_waiting = !rest_.empty();
  leave_line(from_.now());
  send(from_.now());
  if (was_waiting && rest_.empty()) events_.on_taken(side_);
}

void WireFlow::fly(Segment segment) {
  if (lost_) return;
  segment.arrival = last_arrival_ = std::max(segment.arrival, last_arrival_);
  flight_bytes_ += segment.bytes.size();
  flight_.push_back(std::move(segment));
  arm_delivery();
}

void WireFlow::hasten() {
  const Time now = from_.now();
  if (departure_.pending()) {
    busy_until_ = Time::min();
    leaves_at_ = std::min(leaves_at_, line_time(now, on_line_));
    departure_ = from_.schedule(leaves_at_, [this] { depart(); });
  }
  Time behind = Time::min();
  for (Segment& segment : flight_) {
    segment.arrival = std::min(segment.arrival, std::max(behind, now + draw_latency()));
    behind = segment.arrival;
  }
  if (flight_.empty()) behind = now;
  last_arrival_ = std::min(last_arrival_, behind);
  if (!delivery_.pending() || flight_.empty()) return;
  delivery_.cancel();
  arm_delivery();
}

void WireFlow::arm_delivery() {
  if (flight_.empty() || delivery_.pending() || waiting_ != WireFate::arrives) return;
  // An answer to a dial, and a reset, wait for nobody to read.
  const Kind kind = flight_.front().kind;
  if (!takes() && (kind == Kind::bytes || kind == Kind::fin)) return;
  delivery_ = to_.schedule(flight_.front().arrival, [this] { deliver(); });
}

void WireFlow::deliver() {
  if (way_ != nullptr && !passes()) return;
  Segment segment = take_front();
  if (!segment.injected) apply_faults(segment);
  arm_delivery();
  start_chunk(std::max(from_.now(), to_.now()));
  switch (segment.kind) {
    case Kind::bytes:
      if (!segment.bytes.empty()) events_.on_arrival(side_, std::move(segment.bytes));
      return;
    case Kind::fin: return events_.on_fin(side_);
    case Kind::hello: return events_.on_hello(side_);
    case Kind::reset: return events_.on_reset(side_);
  }
}

WireFlow::Segment WireFlow::take_front() {
  Segment segment = std::move(flight_.front());
  flight_.pop_front();
  flight_bytes_ -= segment.bytes.size();
  return segment;
}

void WireFlow::apply_faults(Segment& segment) {
  Bytes& bytes = segment.bytes;
  if (cut_point_ && delivered_ + bytes.size() >= *cut_point_) {
    bytes.resize(*cut_point_ - delivered_);
    sever();
    cut_ = to_.schedule(to_.now(), [this] { events_.on_cut_point(side_); });
  }
  const std::uint64_t behind = delivered_ + bytes.size();
  while (!corrupted_.empty() && corrupted_.begin()->first < behind) {
    bytes[corrupted_.begin()->first - delivered_] ^= corrupted_.begin()->second;
    corrupted_.erase(corrupted_.begin());
  }
  delivered_ = behind;
  if (way_ == nullptr || bytes.empty()) return;
  way_->corrupt(bytes);
  way_->traffic.delivered += bytes.size();
}

void WireFlow::drop_flight() {
  flight_.clear();
  flight_bytes_ = 0;
  delivery_.cancel();
}

}  // namespace tubing::sim::detail
