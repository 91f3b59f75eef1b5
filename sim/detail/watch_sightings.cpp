// Which operation of unknown end did what a watch has shown?
#include <fmt/format.h>

#include <algorithm>

#include "tubing/sim/detail/watch_stream.h"

namespace tubing::sim::detail {
namespace {

bool are_same(const MapEvents& one, const MapEvents& other) {
  return std::ranges::equal(one, other,
                            [](const MapEvent& a, const MapEvent& b) { return a.is_same(b); });
}

class Matching {
 public:
  Matching(const std::vector<WatchStream>& streams, const std::vector<WatchCandidate>& candidates)
      : streams_(streams), candidates_(candidates), holds_(candidates.size()) {}

  /// Finds a candidate for the revision; others that have one may get another.
  bool match(std::uint64_t revision, const std::vector<WatchStreamJudge::Sighting>& sightings) {
    std::vector<std::size_t> fitting;
    for (std::size_t i = 0; i < candidates_.size(); ++i)
      if (fits(candidates_[i], revision, sightings)) fitting.push_back(i);
    fitting_.push_back(std::move(fitting));
    tried_.assign(candidates_.size(), false);
    return augment(fitting_.size() - 1);
  }

 private:
  bool fits(const WatchCandidate& candidate, std::uint64_t revision,
            const std::vector<WatchStreamJudge::Sighting>& sightings) const {
    if (candidate.above >= revision) return false;
    return std::ranges::any_of(candidate.effects, [&](const MapEffect& effect) {
      return effect.anything || explains(effect.events, revision, sightings);
    });
  }

  /// Every watch that passed the revision must have shown just this, or seen nothing of it.
  bool explains(const MapEvents& events, std::uint64_t revision,
                const std::vector<WatchStreamJudge::Sighting>& sightings) const {
    for (const auto& sighting : sightings)
      if (!are_same(streams_[sighting.stream].filter.seen(events), sighting.told->events))
        return false;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      const WatchStream& stream = streams_[i];
      const bool passed = stream.begin && *stream.begin < revision && revision <= stream.stands_at;
      if (!passed ||
          std::ranges::find(sightings, i, &WatchStreamJudge::Sighting::stream) != sightings.end())
        continue;
      if (!stream.filter.seen(events).empty()) return false;
    }
    return true;
  }

  bool augment(std::size_t wanted) {
    for (const std::size_t candidate : fitting_[wanted]) {
      if (tried_[candidate]) continue;
      tried_[candidate] = true;
      if (!holds_[candidate] || augment(*holds_[candidate])) {
        holds_[candidate] = wanted;
        return true;
      }
    }
    return false;
  }

  const std::vector<WatchStream>& streams_;
  const std::vector<WatchCandidate>& candidates_;
  std::vector<std::vector<std::size_t>> fitting_;
  std::vector<std::optional<std::size_t>> holds_;
  std::vector<bool> tried_;
};

}  // namespace

std::optional<Ruling> match_sightings(const WatchStreamJudge::Sightings& sightings,
                                      const std::vector<WatchStream>& streams,
                                      const std::vector<WatchCandidate>& candidates) {
  Matching matching(streams, candidates);
  for (const auto& [revision, seen] : sightings)
    if (!matching.match(revision, seen))
      return Ruling::illegal(
          fmt::format("no operation explains what revision {} did, whatever became of those of "
                      "unknown end",
                      revision),
          {seen.front().told->at});
  return std::nullopt;
}

}  // namespace tubing::sim::detail
