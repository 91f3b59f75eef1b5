#include "tubing/sim/run_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace tubing::sim {
namespace {

// Two runs meet once per chunk; each may be ahead of the other by all but two of them: the one that
// it fills, and the last that was compared, which holds the events before a difference.
constexpr std::size_t kChunkEvents = 512;
constexpr std::size_t kChunks = 8;

struct Chunk {
  std::size_t size = 0;
  std::array<TraceEvent, kChunkEvents> events;
};

class Lockstep {
 public:
  /// What one of the two runs does.
  class Side final : public TraceSink {
   public:
    explicit Side(Lockstep& lockstep) : lockstep_(lockstep) {}
    void on_event(const TraceEvent& event) override;
    /// The run is over. Its last chunk is not full, so that it ends in no other than the other's.
    void finish() { lockstep_.post(*this); }

   private:
    friend class Lockstep;
    Chunk& chunk(std::uint64_t number) { return (*chunks_)[number % kChunks]; }

    Lockstep& lockstep_;
    std::unique_ptr<std::array<Chunk, kChunks>> chunks_ =
        std::make_unique<std::array<Chunk, kChunks>>();
    std::uint64_t posted_ = 0;  ///< Chunks; written under the lock, by this side alone.
  };

  Side& side(std::size_t run) { return run == 0 ? first_ : second_; }
  /// Requires: both have finished.
  std::optional<Divergence> take() { return std::move(found_); }

 private:
  void learn(const TraceEvent& event) {
    const std::lock_guard lock(mutex_);
    names_.learn(event);
  }
  void post(Side& side);
  void compare(std::uint64_t number);
  void report(std::uint64_t number, std::size_t index);

  std::mutex mutex_;
  std::condition_variable moved_;
  std::atomic<bool> differ_ = false;
  std::uint64_t compared_ = 0;
  TraceNames names_;
  std::optional<Divergence> found_;
  Side first_{*this};
  Side second_{*this};
};

void Lockstep::Side::on_event(const TraceEvent& event) {
  if (lockstep_.differ_.load(std::memory_order_relaxed)) return;
  if (event.kind.text() == kStartKind) lockstep_.learn(event);
  Chunk& into = chunk(posted_);
  into.events[into.size++] = event;
  if (into.size == kChunkEvents) lockstep_.post(*this);
}

void Lockstep::post(Side& side) {
  std::unique_lock lock(mutex_);
  if (differ_) return;
  ++side.posted_;
  while (!differ_ && compared_ < std::min(first_.posted_, second_.posted_)) compare(compared_);
  moved_.notify_all();
  moved_.wait(lock, [&] { return differ_ || side.posted_ + 2 <= compared_ + kChunks; });
  if (!differ_) side.chunk(side.posted_).size = 0;
}

void Lockstep::compare(std::uint64_t number) {
  const Chunk& a = first_.chunk(number);
  const Chunk& b = second_.chunk(number);
  const auto same = [&](std::size_t i) { return a.events[i].hash == b.events[i].hash; };
  // The hash is over all that was before it: where the last is the same, all are.
  if (a.size == b.size && (a.size == 0 || same(a.size - 1))) {
    ++compared_;
    return;
  }
  std::size_t index = 0;
  while (index < std::min(a.size, b.size) && same(index)) ++index;
  report(number, index);
  differ_ = true;
}

void Lockstep::report(std::uint64_t number, std::size_t index) {
  const auto next_of = [&](Side& side) -> std::optional<TraceEvent> {
    const Chunk& chunk = side.chunk(number);
    if (index < chunk.size) return chunk.events[index];
    return std::nullopt;
  };
  found_.emplace(Divergence{
      .before = {}, .first = next_of(first_), .second = next_of(second_), .names = names_});
  std::vector<TraceEvent>& before = found_->before;
  if (number > 0) {
    const Chunk& last = first_.chunk(number - 1);
    before.assign(last.events.begin(),
                  last.events.begin() + static_cast<std::ptrdiff_t>(last.size));
  }
  const auto begin = first_.chunk(number).events.begin();
  before.insert(before.end(), begin, begin + static_cast<std::ptrdiff_t>(index));
  if (before.size() > Divergence::kEventsBefore)
    before.erase(before.begin(), before.end() - Divergence::kEventsBefore);
}

/// What people have to look at: "the time, the payload".
std::string what_differs(const TraceEvent& a, const TraceEvent& b) {
  std::string what;
  const auto add = [&what](bool differs, const char* name) {
    if (differs) what += (what.empty() ? "" : ", ") + std::string(name);
  };
  add(a.at != b.at, "the time");
  add(a.turn != b.turn, "whose turn it is");
  add(a.kind.text() != b.kind.text(), "the kind");
  add(a.subject != b.subject, "the subject");
  add(a.payload_bytes != b.payload_bytes, "the length of the payload");
  add(a.payload.text() != b.payload.text(), "the payload");
  return what.empty() ? "the end of the payload, or how much was drawn before" : what;
}

}  // namespace

std::string Divergence::text() const {
  const auto line = [this](const std::optional<TraceEvent>& event) {
    return event ? trace_line(*event, names) : std::string("    (the run is over)");
  };
  const std::uint64_t number = first ? first->number : second->number;
  std::string text = fmt::format("two runs of one seed differ first in event {}", number);
  if (first && second) text += ", in " + what_differs(*first, *second);
  text += fmt::format("\n  run 1: {}\n  run 2: {}", line(first), line(second));
  if (!before.empty()) text += "\n  before that, in both:";
  for (const TraceEvent& event : before) text += "\n         " + trace_line(event, names);
  return text;
}

std::optional<Divergence> run_check(const std::function<void(std::size_t, TraceSink&)>& run) {
  Lockstep lockstep;
  const auto run_side = [&](std::size_t index) {
    run(index, lockstep.side(index));
    lockstep.side(index).finish();
  };
  std::thread second(run_side, 1);
  run_side(0);
  second.join();
  return lockstep.take();
}

}  // namespace tubing::sim
