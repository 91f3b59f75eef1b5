#include "tubing/sim/detail/illegal_core.h"

#include <algorithm>
#include <array>
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

}  // namespace

std::vector<IllegalCoreFinder::Window> IllegalCoreFinder::windows() {
  std::vector<std::size_t> called;
  for (std::size_t i = 0; i < operations_.size(); ++i)
    if (called_in_time(i) && !operations_[i].search.unknown) called.push_back(i);
  std::vector<Window> windows(1);
  std::vector<SearchOperation> searched;
  searched.reserve(operations_.size());
  for (const JudgedOperation& operation : operations_) searched.push_back(operation.search);
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
  if (search.run(SIZE_MAX, limits_) != SearchEnd::none) windows.resize(1);
  return windows;
}

IllegalCore IllegalCoreFinder::find(std::uint64_t work_max) {
  work_ = 0;
  work_max_ = work_max;
  IllegalCore best;
  const std::vector<Window> all = windows();
  // From short ones to the whole: there is a story soon, and a fuller one where the work suffices.
  for (const Window& window : std::views::reverse(all)) {
    std::vector<std::size_t> kept = shrink(window);
    const bool better = best.operations.empty() || kept.size() <= kShortStory ||
                        kept.size() < best.operations.size();
    if (kept.empty() || !better) continue;
    best.since = window.since;
    best.operations = std::move(kept);
    best.states_behind = last_states_;
    best.states_before.clear();
    if (!window.since) best.states_before.push_back(space_.begin());
    for (const Standing& standing : window.standings) best.states_before.push_back(standing.state);
  }
  best.cut_down = !best.operations.empty();
  if (!best.cut_down) best.operations.push_back(died_at_);
  std::ranges::sort(best.states_before);
  const auto repeated = std::ranges::unique(best.states_before);
  best.states_before.erase(repeated.begin(), repeated.end());
  for (std::size_t i = 0; i < operations_.size(); ++i) best.others += called_in_time(i) ? 1 : 0;
  best.others -= best.operations.size();
  return best;
}

std::vector<std::size_t> IllegalCoreFinder::shrink(const Window& window) {
  std::vector<std::size_t> able;
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    const SearchOperation& operation = operations_[i].search;
    if (!operation.unknown && i != died_at_ && called_in_time(i) &&
        (!window.since || operation.returned >= *window.since))
      able.push_back(i);
  }
  // The latest calls, more and more of them, until they have no order.
  std::vector<std::size_t> kept;
  for (std::size_t count = 0;; count = std::min(able.size(), 2 * count + 1)) {
    kept.assign(able.end() - static_cast<std::ptrdiff_t>(count), able.end());
    kept.push_back(died_at_);
    if (has_no_order(window, kept)) break;
    if (count == able.size() || !may_try()) return {};
  }
  std::vector<StateSpace::State> states = last_states_;
  for (std::size_t size = std::max<std::size_t>(kept.size() / 2, 1); size > 0; size /= 2) {
    for (std::size_t at = 0; at + 1 < kept.size();) {
      std::vector<std::size_t> fewer = kept;
      const std::size_t count = std::min(size, kept.size() - 1 - at);
      const auto begin = fewer.begin() + static_cast<std::ptrdiff_t>(at);
      fewer.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
      if (has_no_order(window, fewer)) {
        kept = std::move(fewer);
        states = last_states_;
      } else {
        at += count;
      }
    }
  }
  last_states_ = std::move(states);
  std::ranges::sort(kept);
  return kept;
}

bool IllegalCoreFinder::has_no_order(const Window& window, const std::vector<std::size_t>& kept) {
  if (!may_try()) return false;
  std::vector<bool> stays(operations_.size(), false);
  for (const std::size_t i : kept) stays[i] = true;
  std::vector<SearchOperation> searched;
  std::vector<std::size_t> place(operations_.size(), SearchOperation::kNone);
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    SearchOperation operation = operations_[i].search;
    if (!called_in_time(i)) continue;
    if (window.since && !operation.unknown && operation.returned < *window.since) continue;
    if (!stays[i]) {
      if (operations_[i].changes_nothing_without_results) continue;
      operation.step = operations_[i].without_results;
      operation.changes_nothing = false;
      operation.unknown = true;
      operation.after = SearchOperation::kNone;
    } else if (operation.after != SearchOperation::kNone) {
      const bool waits = stays[operation.after];
      operation.after = waits ? place[operation.after] : SearchOperation::kNone;
    }
    place[i] = searched.size();
    searched.push_back(operation);
  }
  std::vector<Standing> standings = window.standings;
  for (Standing& standing : standings) {
    std::erase_if(standing.taken,
                  [&](std::size_t i) { return place[i] == SearchOperation::kNone; });
    for (std::size_t& taken : standing.taken) taken = place[taken];
  }
  OrderSearch search(space_, searched);
  const SearchLimits limits{.configurations_max = kTryConfigurationsMax,
                            .work_max = std::min(kTryWorkMax, work_max_ - work_),
                            .state_bytes_max = limits_.state_bytes_max};
  const SearchEnd end = search.run(SIZE_MAX, limits, standings);
  // To lay out a search costs, too.
  work_ += search.work() + searched.size();
  if (end != SearchEnd::none) return false;
  last_states_ = search.last_states();
  return true;
}

}  // namespace tubing::sim::detail
