#include "tubing/sim/judges/watch_judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "tubing/sim/detail/watch_stream.h"

namespace tubing::sim {
namespace {

using detail::WatchStream;
using detail::WatchTold;
using Wrong = std::optional<Ruling>;

/// A revision that somebody was told at a time; `at` is the line.
struct Heard {
  std::int64_t time;
  std::uint64_t revision;
  std::size_t at;
};

class WatchJudge {
 public:
  WatchJudge(const History& history, const WatchOptions& options)
      : history_(history), work_(options.work_max) {}

  /// With no watch there is nothing to judge.
  std::size_t judged() const { return watch_lines_ == 0 ? 0 : watch_lines_ + change_lines_; }

  Result<Ruling> judge() {
    if (Result<> taken = take_lines(); !taken) return taken.error();
    std::ranges::sort(changes_, {}, &detail::WatchedChange::revision);
    for (std::size_t i = 1; i < changes_.size(); ++i)
      if (changes_[i].revision == changes_[i - 1].revision)
        return Ruling::illegal(fmt::format("two changes took revision {}", changes_[i].revision),
                               {changes_[i - 1].at, changes_[i].at});
    if (auto wrong = check_times()) return *std::move(wrong);
    detail::WatchStreamJudge::Sightings sightings;
    detail::WatchStreamJudge judge(changes_, sightings, work_);
    for (std::size_t i = 0; i < streams_.size(); ++i)
      if (auto wrong = judge.judge(streams_[i], i)) return *std::move(wrong);
    return detail::match_sightings(sightings, streams_, candidates_, work_).value_or(Ruling());
  }

 private:
  Result<> take_lines();
  Result<> take_change(std::size_t at);
  Result<> take_watch(std::size_t at);
  Result<> open(OperationReader& in, std::size_t at, std::int64_t watch);
  Wrong check_times();

  const History& history_;
  detail::WatchWork work_;
  std::size_t watch_lines_ = 0;
  std::size_t change_lines_ = 0;
  std::vector<detail::WatchedChange> changes_;
  std::vector<detail::WatchCandidate> candidates_;
  std::vector<WatchStream> streams_;
  std::map<std::int64_t, std::size_t> open_;  ///< Of each watch the last stream.
};

Result<> WatchJudge::take_lines() {
  std::vector<std::size_t> watches;
  for (std::size_t at = 0; at < history_.size(); ++at) {
    if (history_[at].op.starts_with("watch."))
      watches.push_back(at);
    else if (Result<> taken = take_change(at); !taken)
      return taken;
  }
  watch_lines_ = watches.size();
  std::ranges::sort(watches, {},
                    [&](std::size_t at) { return std::pair(history_[at].called, at); });
  for (const std::size_t at : watches)
    if (Result<> taken = take_watch(at); !taken) return taken;
  return {};
}

Result<> WatchJudge::take_change(std::size_t at) {
  const Operation& operation = history_[at];
  Result<std::vector<detail::MapEffect>> effects = detail::effects_of(operation);
  if (!effects) return at_line(at, effects.error());
  if (effects->empty()) return {};
  ++change_lines_;
  if (operation.ending == Ending::unknown) {
    candidates_.push_back({at, operation.called, 0, *std::move(effects)});
    return {};
  }
  if (!operation.revision)
    return at_line(at, Error(Code::invalid_argument, "watch",
                             "\"rev\" is missing; the changes of a watched map need it"));
  changes_.push_back({*operation.revision, at, std::move(effects->front())});
  return {};
}

Result<> WatchJudge::take_watch(std::size_t at) {
  const Operation& operation = history_[at];
  OperationReader in(operation);
  const bool opens = in.is("watch.open");
  const bool batch = in.is("watch.batch");
  const bool progress = in.is("watch.progress");
  const bool compacted = in.is("watch.compacted");
  const bool lagging = in.is("watch.lagging");
  if (Result<bool> known = in.finish(true); !known) return at_line(at, known.error());
  if (operation.ending == Ending::failed) return {};
  const std::int64_t watch = in.number("watch");
  if (opens) return open(in, at, watch);
  WatchTold told{.at = at, .time = operation.returned};
  if (progress) told.kind = WatchTold::Kind::progress;
  if (compacted) told.kind = WatchTold::Kind::compacted;
  if (lagging) told.kind = WatchTold::Kind::lagging;
  if (batch) told.previous = static_cast<std::uint64_t>(in.number("previous"));
  if (compacted) told.revision = static_cast<std::uint64_t>(in.number("oldest"));
  if (lagging) told.revision = static_cast<std::uint64_t>(in.number("resume"));
  if (batch || progress) {
    if (!operation.revision) in.refuse("\"rev\" is missing");
    told.revision = operation.revision.value_or(0);
  }
  if (operation.ending != Ending::ok) in.refuse("it was told, so it must have ended ok");
  const auto of = open_.find(watch);
  if (of == open_.end()) in.refuse(fmt::format("watch {} was not opened before", watch));
  const Values none;
  Result<detail::MapEvents> events = detail::read_events(in, batch ? in.list("events") : none);
  if (!events) return at_line(at, events.error());
  told.events = *std::move(events);
  streams_[of->second].told.push_back(std::move(told));
  return {};
}

Result<> WatchJudge::open(OperationReader& in, std::size_t at, std::int64_t watch) {
  const Operation& operation = history_[at];
  WatchStream stream{.at = at, .time = operation.returned};
  if (in.has("table")) stream.filter.table = in.text("table");
  if (in.has("from")) stream.filter.from = in.text("from");
  if (in.has("to")) stream.filter.to = in.text("to");
  stream.from_now = !in.has("after");
  if (!stream.from_now) stream.begin = static_cast<std::uint64_t>(in.number("after"));
  if (stream.from_now) stream.begin = operation.revision;
  if (stream.from_now && in.has_results() && !operation.revision)
    in.refuse("it needs \"after\", or \"rev\" where it begins");
  if (Result<bool> read = in.finish(true); !read) return at_line(at, read.error());
  open_[watch] = streams_.size();
  streams_.push_back(std::move(stream));
  return {};
}

/// A change that is called behind a moment takes a higher revision than any that was told until
/// then; a watch that is opened without a revision begins at none below those.
Wrong WatchJudge::check_times() {
  std::vector<Heard> heard;
  std::vector<Heard> called;
  for (const detail::WatchedChange& change : changes_) {
    heard.push_back({history_[change.at].returned, change.revision, change.at});
    called.push_back({history_[change.at].called, change.revision, change.at});
  }
  for (const WatchStream& stream : streams_) {
    if (stream.from_now && stream.begin) {
      heard.push_back({stream.time, *stream.begin, stream.at});
      called.push_back({history_[stream.at].called, *stream.begin + 1, stream.at});
    }
    for (const WatchTold& told : stream.told)
      if (told.kind == WatchTold::Kind::batch || told.kind == WatchTold::Kind::progress)
        heard.push_back({told.time, told.revision, told.at});
  }
  for (const detail::WatchCandidate& candidate : candidates_)
    called.push_back({candidate.called, UINT64_MAX, candidate.at});
  const auto by_time = [](const Heard& h) { return std::pair(h.time, h.at); };
  std::ranges::sort(heard, {}, by_time);
  std::ranges::sort(called, {}, by_time);
  std::map<std::size_t, std::uint64_t> floors;
  const Heard* highest = nullptr;
  auto next = heard.begin();
  for (const Heard& call : called) {
    for (; next != heard.end() && next->time < call.time; ++next)
      if (highest == nullptr || next->revision > highest->revision) highest = &*next;
    const std::uint64_t floor = highest == nullptr ? 0 : highest->revision;
    floors[call.at] = floor;
    if (highest != nullptr && call.revision <= floor)
      return Ruling::illegal(
          fmt::format("revision {} had been told before the other was called, which went behind "
                      "it",
                      floor),
          {highest->at, call.at});
  }
  for (detail::WatchCandidate& candidate : candidates_) candidate.above = floors[candidate.at];
  return std::nullopt;
}

}  // namespace

Result<Ruling> judge_watches(const History& history, const WatchOptions& options) {
  WatchJudge judge(history, options);
  Result<Ruling> ruling = judge.judge();
  if (ruling) ruling->judged = judge.judged();
  return ruling;
}

}  // namespace tubing::sim
