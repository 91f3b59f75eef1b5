#include "tubing/sim/detail/illegal_core.h"

#include <algorithm>
#include <array>
#include <limits>
#include <ranges>

namespace tubing::sim::detail {
namespace {

/// How many calls before the fatal return a story may begin, besides the first of all.
constexpr std::array<std::size_t, 8> kWindowCalls{2, 3, 5, 8, 13, 21, 34, 55};
/// A story of so many operations is short enough for one that begins earlier to be better.
constexpr std::size_t kShortStory = 4;
/// For one try to leave something out.
constexpr std::uint64_t kTryWorkMax = 300'000;
constexpr std::size_t kTryConfigurationsMax = 50'000;
constexpr std::size_t kStandingsMax = 10'000;
/// For the search that tells in which states stories may begin.
constexpr std::uint64_t kWindowsWorkMax = 20'000'000;
constexpr std::uint64_t kWindowsMemoryMax = std::uint64_t{256} << 20;

}  // namespace

LessKnown::LessKnown(std::span<const JudgedOperation> operations, const std::vector<Fate>& fates)
    : place_of(operations.size(), SearchOperation::kNone) {
  const auto first_whole = [&](std::size_t place) {
    while (place != SearchOperation::kNone && fates[place] != Fate::whole)
      place = operations[place].search.beside;
    return place == SearchOperation::kNone ? place : place_of[place];
  };
  for (std::size_t i = 0; i < operations.size(); ++i) {
    SearchOperation operation = operations[i].search;
    const bool opens = fates[i] == Fate::open && !operation.unknown;
    if (fates[i] == Fate::absent) continue;
    if (opens && operations[i].changes_nothing_without_results) continue;
    if (opens) {
      operation.step = operations[i].without_results;
      operation.changes_nothing = false;
      operation.unknown = true;
    }
    operation.after = opens ? SearchOperation::kNone : first_whole(operation.after);
    operation.beside = first_whole(operation.beside);
    place_of[i] = searched.size();
    searched.push_back(operation);
    places.push_back(i);
  }
}

std::size_t find_fatal(StateSpace& space, std::span<const JudgedOperation> operations,
                       const SearchLimits& limits, const Survey& survey) {
  std::vector<std::pair<std::int64_t, std::size_t>> returns;
  for (std::size_t i = 0; i < operations.size(); ++i)
    if (!operations[i].search.unknown) returns.emplace_back(operations[i].search.returned, i);
  std::ranges::sort(returns);
  // An order exists before the first of them, and none behind the last.
  std::size_t first = 0;
  std::size_t last = returns.size() - 1;
  std::size_t fatal = returns[last].second;
  if (limits.work_max == 0) return fatal;
  while (first <= last) {
    const std::size_t middle = first + (last - first) / 2;
    const std::int64_t time = returns[middle].first;
    std::vector<Fate> fates;
    for (const JudgedOperation& operation : operations)
      fates.push_back(operation.search.called > time     ? Fate::absent
                      : operation.search.returned > time ? Fate::open
                                                         : Fate::whole);
    const LessKnown known(operations, fates);
    survey(fates);
    space.take_hints(StateSpace::Hints::certain);
    OrderSearch search(space, known.searched);
    if (search.run(SIZE_MAX, limits) != SearchEnd::none) {
      first = middle + 1;
      continue;
    }
    const std::size_t place = known.places[search.died_at()];
    fatal = operations[place].search.returned == time ? place : returns[middle].second;
    if (middle == 0) break;
    last = middle - 1;
  }
  return fatal;
}

std::vector<IllegalCoreFinder::Window> IllegalCoreFinder::windows() {
  std::vector<std::size_t> called;
  for (std::size_t i = 0; i < operations_.size(); ++i)
    if (operations_[i].search.called <= fatal_time() && !operations_[i].search.unknown)
      called.push_back(i);
  std::vector<Window> windows(1);
  std::vector<SearchOperation> searched;
  searched.reserve(operations_.size());
  for (const JudgedOperation& operation : operations_) searched.push_back(operation.search);
  space_.take_hints(StateSpace::Hints::none);
  OrderSearch search(space_, searched);
  search.watch([&](std::size_t operation) {
    const std::int64_t now = operations_[operation].search.called;
    if (windows.back().since == now) return;
    const bool begins = std::ranges::any_of(kWindowCalls, [&](std::size_t calls) {
      return calls < called.size() && called[called.size() - calls] == operation;
    });
    if (!begins) return;
    std::vector<Standing> standings = search.standings();
    if (standings.size() <= kStandingsMax)
      windows.push_back({.since = now, .standings = std::move(standings)});
  });
  SearchLimits limits = limits_;
  limits.work_max = std::min(limits.work_max, kWindowsWorkMax);
  limits.memory_bytes_max = std::min(limits.memory_bytes_max, kWindowsMemoryMax);
  if (search.run(SIZE_MAX, limits) != SearchEnd::none) windows.resize(1);
  return windows;
}

IllegalCore IllegalCoreFinder::find(std::uint64_t work_max) {
  work_ = 0;
  work_max_ = work_max;
  IllegalCore best;
  // With hints the whole is soon told.
  if (survey_) tell({.since = {}, .standings = {}}, best);
  if (best.operations.empty() || best.operations.size() > kShortStory) {
    const std::vector<Window> all = windows();
    // From short ones to the whole: there is a story soon, and a fuller one where the work
    // suffices.
    for (const Window& window : std::views::reverse(all)) tell(window, best);
  }
  best.cut_down = !best.operations.empty();
  if (!best.cut_down) {
    best.operations.push_back(died_at_);
    best.until = fatal_time();
  }
  std::ranges::sort(best.states_before);
  const auto repeated = std::ranges::unique(best.states_before);
  best.states_before.erase(repeated.begin(), repeated.end());
  const std::int64_t last = horizon(best.operations);
  best.others = static_cast<std::size_t>(std::ranges::count_if(
                    operations_,
                    [&](const JudgedOperation& one) {
                      return one.search.called <= last && (!best.since || one.search.unknown ||
                                                           one.search.returned >= *best.since);
                    })) -
                best.operations.size();
  return best;
}

void IllegalCoreFinder::tell(const Window& window, IllegalCore& best) {
  std::vector<std::size_t> kept = shrink(window);
  // All states that there may be, not those alone that hints leave.
  if (survey_ && !window.since && !kept.empty() && !has_no_order(window, kept, false))
    last_death_ = {.at = horizon(kept), .states = {}};
  const bool better =
      best.operations.empty() || kept.size() <= kShortStory || kept.size() < best.operations.size();
  if (kept.empty() || !better) return;
  best.since = window.since;
  best.operations = std::move(kept);
  best.until = last_death_.at;
  best.states_behind = last_death_.states;
  best.states_before.clear();
  if (!window.since) best.states_before.push_back(space_.begin());
  for (const Standing& standing : window.standings) best.states_before.push_back(standing.state);
}

std::vector<std::size_t> IllegalCoreFinder::shrink(const Window& window) {
  // What returned later is the last to be taken, and the first to go.
  std::vector<std::size_t> able;
  std::vector<std::size_t> in_time;
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    const SearchOperation& operation = operations_[i].search;
    if (!operation.unknown && i != died_at_ && operation.called <= fatal_time() &&
        (!window.since || operation.returned >= *window.since))
      (operation.returned > fatal_time() ? able : in_time).push_back(i);
  }
  able.insert(able.end(), in_time.begin(), in_time.end());
  // The latest calls, more and more of them, until they have no order.
  std::vector<std::size_t> kept;
  for (std::size_t count = 0;; count = std::min(able.size(), 2 * count + 1)) {
    kept.assign(able.end() - static_cast<std::ptrdiff_t>(count), able.end());
    kept.push_back(died_at_);
    if (has_no_order(window, kept)) break;
    if (count == able.size() || !may_try()) return {};
  }
  for (std::size_t size = std::max<std::size_t>(kept.size() / 2, 1); size > 0; size /= 2) {
    for (std::size_t at = 0; at < kept.size();) {
      std::vector<std::size_t> fewer = kept;
      const std::size_t count = std::min(size, kept.size() - at);
      const auto begin = fewer.begin() + static_cast<std::ptrdiff_t>(at);
      fewer.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
      if (has_no_order(window, fewer))
        kept = std::move(fewer);
      else
        at += count;
    }
  }
  std::ranges::sort(kept);
  return kept;
}

bool IllegalCoreFinder::has_no_order(const Window& window, const std::vector<std::size_t>& kept,
                                     bool may_hint) {
  if (kept.empty() || !may_try()) return false;
  const std::int64_t last = horizon(kept);
  std::vector<Fate> fates(operations_.size(), Fate::open);
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    const SearchOperation& operation = operations_[i].search;
    const bool before = window.since && !operation.unknown && operation.returned < *window.since;
    if (operation.called > last || before) fates[i] = Fate::absent;
  }
  for (const std::size_t i : kept) fates[i] = Fate::whole;
  const LessKnown known(operations_, fates);
  std::vector<Standing> standings = window.standings;
  for (Standing& standing : standings) {
    std::erase_if(standing.taken,
                  [&](std::size_t i) { return known.place_of[i] == SearchOperation::kNone; });
    for (std::size_t& taken : standing.taken) taken = known.place_of[taken];
  }
  // Hints are those of a history from its beginning on.
  const bool hinted = may_hint && survey_ && !window.since;
  if (hinted) survey_(fates);
  space_.take_hints(hinted ? StateSpace::Hints::certain : StateSpace::Hints::none);
  OrderSearch search(space_, known.searched);
  const SearchLimits limits{.configurations_max = kTryConfigurationsMax,
                            .work_max = std::min(kTryWorkMax, work_max_ - work_),
                            .memory_bytes_max = limits_.memory_bytes_max};
  const SearchEnd end = search.run(SIZE_MAX, limits, standings);
  // To lay out a search costs, too.
  work_ += search.work() + known.searched.size();
  if (end != SearchEnd::none) return false;
  last_death_ = {.at = operations_[known.places[search.died_at()]].search.returned,
                 .states = search.last_states()};
  return true;
}

std::int64_t IllegalCoreFinder::horizon(const std::vector<std::size_t>& kept) const {
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
  for (const std::size_t i : kept) last = std::max(last, operations_[i].search.returned);
  return last;
}

}  // namespace tubing::sim::detail
