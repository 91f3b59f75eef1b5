#include "tubing/sim/detail/free_revisions.h"

#include <algorithm>
#include <queue>
#include <tuple>

namespace tubing::sim::detail {

FreeRevisions::FreeRevisions(std::vector<std::uint64_t> claimed) : claimed_(std::move(claimed)) {
  std::ranges::sort(claimed_);
  run_first_ = run_last_ = claimed_;
  for (std::size_t i = 1; i < claimed_.size(); ++i)
    if (claimed_[i] == claimed_[i - 1] + 1) run_first_[i] = run_first_[i - 1];
  for (std::size_t i = claimed_.size(); i-- > 1;)
    if (claimed_[i] == claimed_[i - 1] + 1) run_last_[i - 1] = run_last_[i];
}

std::optional<std::uint64_t> FreeRevisions::next(std::uint64_t from) const {
  from = std::max<std::uint64_t>(from, 1);
  const auto found = std::ranges::lower_bound(claimed_, from);
  if (found == claimed_.end() || *found != from) return from;
  const std::uint64_t last = run_last_[static_cast<std::size_t>(found - claimed_.begin())];
  return last == UINT64_MAX ? std::nullopt : std::optional(last + 1);
}

std::optional<std::uint64_t> FreeRevisions::previous(std::uint64_t from) const {
  if (from == 0) return std::nullopt;
  const auto found = std::ranges::lower_bound(claimed_, from);
  if (found == claimed_.end() || *found != from) return from;
  const std::uint64_t first = run_first_[static_cast<std::size_t>(found - claimed_.begin())];
  return first <= 1 ? std::nullopt : std::optional(first - 1);
}

std::uint64_t FreeRevisions::count(std::uint64_t above, std::uint64_t last) const {
  if (last <= above) return 0;
  const auto taken =
      std::ranges::upper_bound(claimed_, last) - std::ranges::upper_bound(claimed_, above);
  return last - above - static_cast<std::uint64_t>(taken);
}

/// Each of a gap takes a free revision behind the one before it, and leaves one to the next. False
/// where there is none for one of them: its window is empty then.
bool FreeRevisions::tighten(std::vector<Demand>& demands) const {
  for (std::size_t i = 0; i < demands.size(); ++i) {
    const bool chained = i > 0 && demands[i].gap == demands[i - 1].gap;
    if (!chained) continue;
    const auto before = next(demands[i - 1].above + 1);
    if (!before) return false;
    demands[i].above = std::max(demands[i].above, *before);
  }
  for (std::size_t i = demands.size(); i-- > 1;) {
    if (demands[i].gap != demands[i - 1].gap) continue;
    const auto behind = previous(demands[i].last);
    demands[i - 1].last = std::min(demands[i - 1].last, behind && *behind > 0 ? *behind - 1 : 0);
  }
  return true;
}

std::optional<Overfull> FreeRevisions::share(std::vector<Demand> demands) const {
  if (!tighten(demands)) return Overfull{.demands = {0}};
  std::vector<std::size_t> order(demands.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(demands[i].above, i); });

  using Waiting = std::tuple<std::uint64_t, std::size_t>;
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> waiting;
  std::vector<std::pair<std::uint64_t, std::size_t>> placed;  // Revision, demand.
  std::size_t arrived = 0;
  std::uint64_t now = 1;
  while (arrived < order.size() || !waiting.empty()) {
    if (waiting.empty() && demands[order[arrived]].above != UINT64_MAX)
      now = std::max(now, demands[order[arrived]].above + 1);
    const std::optional<std::uint64_t> revision = next(now);
    now = revision.value_or(UINT64_MAX);
    const auto is_here = [&](const Demand& d) { return d.above < now || d.above == UINT64_MAX; };
    for (; arrived < order.size() && is_here(demands[order[arrived]]); ++arrived)
      waiting.emplace(demands[order[arrived]].last, order[arrived]);
    if (waiting.empty()) continue;
    const auto [last, demand] = waiting.top();
    waiting.pop();
    if (!revision || last < now) {
      // Those due until then, back to the last revision that was left free or given to a later one.
      Overfull wrong{.demands = {demand}, .above = demands[demand].above, .last = last};
      std::uint64_t first = now;
      for (std::size_t i = placed.size(); i-- > 0;) {
        const auto& [taken, by] = placed[i];
        if (const auto idle = next(taken + 1); idle && *idle < first) break;
        if (demands[by].last > last) break;
        wrong.demands.push_back(by);
        wrong.above = std::min(wrong.above, demands[by].above);
        first = taken;
      }
      wrong.room = count(wrong.above, last);
      return wrong;
    }
    placed.emplace_back(now, demand);
    if (now == UINT64_MAX) break;
    ++now;
  }
  return std::nullopt;
}

}  // namespace tubing::sim::detail
