// Which operation of unknown end did what a watch has shown?
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "tubing/sim/detail/watch_stream.h"

namespace tubing::sim::detail {
namespace {

using Sighting = WatchStreamJudge::Sighting;

bool are_same(const MapEvents& one, const MapEvents& other) {
  return std::ranges::equal(one, other,
                            [](const MapEvent& a, const MapEvent& b) { return a.is_same(b); });
}

/// Equal for operations that may have done the same.
std::string name_of(const std::vector<MapEffect>& effects) {
  std::string name;
  for (const MapEffect& effect : effects) {
    name += effect.anything ? "*" : "(";
    for (const MapEvent& event : effect.events) {
      for (const std::string& word : {event.table, event.key, event.value})
        name += fmt::format("{}:{}", word.size(), word);
      name += event.sure ? '!' : '?';
    }
  }
  return name;
}

/// Gives revisions, which come in their order, operations. Those that may have done the same form a
/// kind; what fits a revision fits every later one that the kind fits, so those of a kind that are
/// taken are always its first.
class Matching {
 public:
  enum class End : std::uint8_t { found, none, too_much_work };

  Matching(const std::vector<WatchStream>& streams, const std::vector<WatchCandidate>& candidates,
           WatchWork& work)
      : streams_(streams), work_(work) {
    std::map<std::string, std::uint32_t> known;
    for (const WatchCandidate& candidate : candidates) {
      const auto number = static_cast<std::uint32_t>(kinds_.size());
      const auto [found, fresh] = known.try_emplace(name_of(candidate.effects), number);
      if (fresh) add_kind(candidate.effects, number);
      kinds_[found->second].above.push_back(candidate.above);
    }
    for (Kind& kind : kinds_) std::ranges::sort(kind.above);
  }

  /// Finds a candidate for the revision; others that have one may get another.
  End match(std::uint64_t revision, const std::vector<Sighting>& sightings) {
    wanted_.push_back({revision, {}});
    if (!find_fitting(wanted_.back(), sightings)) return End::too_much_work;
    return augment(wanted_.size() - 1);
  }

 private:
  struct Kind {
    const std::vector<MapEffect>* effects;
    std::vector<std::uint64_t> above = {};  ///< Of each operation, in order.
    std::vector<std::size_t> holders = {};  ///< Of the first operations, who has them.
    std::size_t visited = 0;                ///< In this search: of the holders, the first so many.
  };
  struct Wanted {
    std::uint64_t revision;
    std::vector<std::uint32_t> kinds;  ///< That fit it.
  };
  /// One that may hand on what it holds.
  struct Step {
    std::size_t wanted;
    std::size_t to = 0;  ///< Another step, that could use it.
    std::uint32_t kind = 0;
    std::size_t place = 0;
  };
  using Place = std::tuple<std::string_view, std::string_view, std::string_view>;

  void add_kind(const std::vector<MapEffect>& effects, std::uint32_t number) {
    kinds_.push_back({&effects});
    std::vector<std::vector<std::uint32_t>*> lists;
    for (const MapEffect& effect : effects) {
      if (effect.anything) lists.push_back(&of_anything_);
      for (const MapEvent& event : effect.events)
        lists.push_back(&by_event_[Place(event.table, event.key, event.value)]);
    }
    for (std::vector<std::uint32_t>* list : lists)
      if (list->empty() || list->back() != number) list->push_back(number);
  }

  /// False where that is too much work.
  bool find_fitting(Wanted& wanted, const std::vector<Sighting>& sightings) {
    std::vector<const WatchStream*> silent;  // Passed the revision, and have not shown it.
    auto shows = sightings.begin();          // By stream.
    if (!work_.spend(streams_.size())) return false;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      const WatchStream& stream = streams_[i];
      if (shows != sightings.end() && shows->stream == i)
        ++shows;
      else if (stream.begin && *stream.begin < wanted.revision &&
               wanted.revision <= stream.stands_at)
        silent.push_back(&stream);
    }
    wanted.kinds = of_anything_;
    const MapEvent& event = sightings.front().told->events.front();
    const auto list = by_event_.find(Place(event.table, event.key, event.value));
    if (list == by_event_.end()) return work_.spend(wanted.kinds.size());
    for (const std::uint32_t kind : list->second) {
      for (const MapEffect& effect : *kinds_[kind].effects) {
        const std::uint64_t watches = sightings.size() + silent.size();
        if (!work_.spend(4 + effect.events.size() * watches)) return false;
        if (!explains(effect.events, sightings, silent)) continue;
        wanted.kinds.push_back(kind);
        break;
      }
    }
    return work_.spend(of_anything_.size());
  }

  /// Every watch that passed the revision must have shown just this, or seen nothing of it. What
  /// may have happened did where one has shown it.
  bool explains(const MapEvents& events, const std::vector<Sighting>& sightings,
                const std::vector<const WatchStream*>& silent) const {
    MapEvents happened;
    for (const MapEvent& event : events) {
      const auto shows = [&](const Sighting& sighting) {
        return std::ranges::any_of(sighting.told->events,
                                   [&](const MapEvent& shown) { return shown.is_same(event); });
      };
      if (event.sure || std::ranges::any_of(sightings, shows)) happened.push_back(event);
    }
    for (const Sighting& sighting : sightings)
      if (!are_same(streams_[sighting.stream].filter.seen(happened), sighting.told->events))
        return false;
    return std::ranges::none_of(happened, [&](const MapEvent& event) {
      return std::ranges::any_of(
          silent, [&](const WatchStream* stream) { return stream->filter.sees(event); });
    });
  }

  /// Breadth first: the shortest chain of revisions of which each gets what the next one has, to
  /// one that finds what nobody has.
  End augment(std::size_t wanted) {
    std::vector<Step> steps{{.wanted = wanted}};
    End end = End::none;
    for (std::size_t i = 0; i < steps.size() && end == End::none; ++i) {
      const Wanted& now = wanted_[steps[i].wanted];
      if (!work_.spend(1 + now.kinds.size()))
        end = End::too_much_work;
      else if (take_free(steps, i))
        end = End::found;
      else
        ask_holders(steps, i);
    }
    for (const Step& step : steps)
      for (const std::uint32_t kind : wanted_[step.wanted].kinds) kinds_[kind].visited = 0;
    return end;
  }

  bool take_free(const std::vector<Step>& steps, std::size_t at) {
    for (const std::uint32_t number : wanted_[steps[at].wanted].kinds) {
      Kind& kind = kinds_[number];
      const std::size_t free = kind.holders.size();
      if (free == kind.above.size() || kind.above[free] >= wanted_[steps[at].wanted].revision)
        continue;
      kind.holders.push_back(steps[at].wanted);
      for (std::size_t i = at; i > 0; i = steps[i].to)
        kinds_[steps[i].kind].holders[steps[i].place] = steps[steps[i].to].wanted;
      return true;
    }
    return false;
  }

  void ask_holders(std::vector<Step>& steps, std::size_t at) {
    const Wanted& wanted = wanted_[steps[at].wanted];
    for (const std::uint32_t number : wanted.kinds) {
      Kind& kind = kinds_[number];
      for (std::size_t& i = kind.visited;
           i < kind.holders.size() && kind.above[i] < wanted.revision; ++i)
        steps.push_back({.wanted = kind.holders[i], .to = at, .kind = number, .place = i});
    }
  }

  const std::vector<WatchStream>& streams_;
  WatchWork& work_;
  std::vector<Kind> kinds_;
  std::map<Place, std::vector<std::uint32_t>> by_event_;  ///< Kinds with an effect that has it.
  std::vector<std::uint32_t> of_anything_;
  std::vector<Wanted> wanted_;
};

}  // namespace

Ruling WatchWork::undecided() const {
  return {Verdict::undecided,
          fmt::format("{} steps were not enough (work_max); raise it, or check a shorter history",
                      max_),
          {}};
}

std::optional<Ruling> match_sightings(const WatchStreamJudge::Sightings& sightings,
                                      const std::vector<WatchStream>& streams,
                                      const std::vector<WatchCandidate>& candidates,
                                      WatchWork& work) {
  Matching matching(streams, candidates, work);
  for (const auto& [revision, seen] : sightings) {
    const Matching::End end = matching.match(revision, seen);
    if (end == Matching::End::too_much_work) return work.undecided();
    if (end == Matching::End::none)
      return Ruling::illegal(
          fmt::format("no operation explains what revision {} did, whatever became of those of "
                      "unknown end",
                      revision),
          {seen.front().told->at});
  }
  return std::nullopt;
}

}  // namespace tubing::sim::detail
