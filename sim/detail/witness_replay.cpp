#include "tubing/sim/detail/witness_replay.h"

#include <algorithm>

#include "tubing/channel/base/assert.h"

namespace tubing::sim::detail {
namespace {

/// Of a configuration that was met: a node and its vector, and what lies deeper of it.
constexpr std::uint64_t kMetBytes = 150;

}  // namespace

WitnessReplay::End WitnessReplay::replay() {
  State state = space_.begin();
  points_ = {{0, state, 0}};
  used_.assign(operations_.unknown.size(), 0);
  for (std::size_t position = 0; position < operations_.known.size(); ++position) {
    const WitnessOperation& operation = operations_.known[position];
    const State after = space_.apply(state, operation.step);
    if (takes_too_much_memory()) return End::undecided;
    if (after == StateSpace::kNone) {
      failed_ = position;
      failed_state_ = state;
      if (operations_.unknown.empty()) return End::none;
      if (const End end = resolve(position); end != End::found) return end;
      state = points_.back().state;
    } else {
      state = after;
    }
    if (operation.settles) settled_ = Point{position + 1, state, demands_.size()};
  }
  return End::found;
}

/// Searches from the last point from which it may help. Where that is in vain, whatever is placed
/// behind the last settled state may not do with all operations of unknown end either: then nothing
/// will. Otherwise from points farther and farther back, and at last from the beginning.
WitnessReplay::End WitnessReplay::resolve(std::size_t position) {
  const std::size_t to = position + 1;
  Point from = points_.back();
  if (settled_ && settled_->position >= from.position) from = *settled_;
  End end = begin_search(from, true, to);
  if (end == End::found) return end;
  if (from.demands == 0) return end;  // Nothing that was placed before could be given back.
  end = begin_search(settled_.value_or(points_.front()), false, to);
  if (end != End::found) return end;
  if (settled_ && settled_->position < from.position) {
    const Point settled = *settled_;
    if (begin_search(settled, true, to) == End::found) return End::found;
  }
  for (std::size_t back = 1;; back *= 2) {
    points_.resize(points_.size() - std::min(back, points_.size() - 1));
    const Point point = points_.back();
    end = begin_search(point, true, to);
    if (end == End::found || point.position == 0) return end;
  }
}

/// Without its demands a search may use every operation of unknown end, and changes nothing.
WitnessReplay::End WitnessReplay::begin_search(const Point& from, bool with_demands,
                                               std::size_t to) {
  if (with_demands) {
    base_ = used_;
    for (std::size_t i = from.demands; i < demands_.size(); ++i) --base_[demand_kinds_[i]];
  } else {
    base_.assign(operations_.unknown.size(), 0);
  }
  placed_.clear();
  stack_ = {{.position = from.position, .state = from.state}};
  const End end = search(to, nullptr);
  if (end == End::found && with_demands) accept(from, stack_.back());
  return end;
}

void WitnessReplay::accept(const Point& from, const Node& found) {
  while (points_.size() > 1 && points_.back().position > from.position) points_.pop_back();
  used_ = base_;
  demands_.resize(from.demands);
  demand_kinds_.resize(from.demands);
  for (const Placed& placed : chain(found.placed)) {
    demands_.push_back(placed.demand);
    demand_kinds_.push_back(placed.of);
    ++used_[placed.of];
  }
  points_.push_back({found.position, found.state, demands_.size()});
  if (!settled_ || settled_->position <= from.position) return;
  const auto behind = [&](const Demand& demand) { return demand.gap >= settled_->position; };
  settled_->demands =
      static_cast<std::size_t>(std::ranges::find_if(demands_, behind) - demands_.begin());
}

WitnessReplay::End WitnessReplay::find_ways(std::vector<std::vector<Demand>>& ways) {
  base_.assign(operations_.unknown.size(), 0);
  placed_.clear();
  stack_ = {{.state = space_.begin()}};
  return search(operations_.known.size(), &ways);
}

/// Depth first; what lies deepest without anything placed comes first. Returns with the node that
/// was looked for on top, or, with `ways`, when there is nothing left to try.
WitnessReplay::End WitnessReplay::search(std::size_t to, std::vector<std::vector<Demand>>* ways) {
  met_ = {};  // To clear it would take as long as the longest search.
  configurations_ = 0;
  steps_ = 0;
  while (!stack_.empty()) {
    if (stack_.back().position == to) {
      if (ways == nullptr) return End::found;
      if (ways->size() == options_.alternatives_max) {
        bound_ = "ways (alternatives_max)";
        return End::undecided;
      }
      ways->push_back(demands_of(stack_.back().placed));
      stack_.pop_back();
      continue;
    }
    step_into(to, ways);
    if (is_over_bounds()) return End::undecided;
  }
  return ways == nullptr || ways->empty() ? End::none : End::found;
}

/// First the operation itself; then each of unknown end with the operation behind it; then each
/// with others behind it. So no more are placed than will do, and what one of them does is not
/// tried again behind others.
void WitnessReplay::step_into(std::size_t to, std::vector<std::vector<Demand>>* ways) {
  TUBING_ASSERT(stack_.back().position < to);
  const bool all_ways = ways != nullptr;
  const std::uint32_t what = stack_.back().next++;
  if (what > operations_.unknown.size()) {
    const std::vector<Node> deeper = std::move(stack_.back().deeper);
    stack_.pop_back();
    stack_.insert(stack_.end(), deeper.rbegin(), deeper.rend());
    return;
  }
  std::optional<Node> placed;
  if (what > 0) {
    placed = place(stack_.back(), what - 1);
    if (!placed || !is_new(*placed, all_ways)) return;
    stack_.back().deeper.push_back(*placed);
    stack_.back().deeper.back().next = 1;
  }
  const std::optional<Node> after = apply_known(placed ? *placed : stack_.back());
  if (after && is_new(*after, all_ways)) stack_.push_back(*after);
}

std::optional<WitnessReplay::Node> WitnessReplay::apply_known(const Node& node) {
  ++steps_;
  const State after = space_.apply(node.state, operations_.known[node.position].step);
  if (after == StateSpace::kNone) return std::nullopt;
  return Node{.position = node.position + 1, .state = after, .placed = node.placed};
}

std::optional<WitnessReplay::Node> WitnessReplay::place(const Node& node, std::uint32_t of) {
  const std::vector<WitnessOperation>& kind = operations_.unknown[of];
  const std::uint32_t number = used(node, of);
  if (number == kind.size()) return std::nullopt;
  const WitnessOperation& operation = kind[number];
  const std::uint64_t above = std::max(operation.revision, revision_before(node.position));
  const std::uint64_t last = last_revision(node.position);
  if (last <= above || last <= node.slot) return std::nullopt;
  const auto slot = free_.next(std::max(above, node.slot) + 1);
  if (!slot || *slot > last) return std::nullopt;
  ++steps_;
  const State after = space_.apply(node.state, operation.step);
  if (after == StateSpace::kNone || after == node.state) return std::nullopt;
  const auto gap = static_cast<std::uint32_t>(node.position);
  placed_.push_back({{operation.at, above, last, gap}, of, node.placed});
  return Node{.position = node.position,
              .state = after,
              .placed = static_cast<std::uint32_t>(placed_.size() - 1),
              .slot = *slot};
}

/// The last revision that something before the operation can have.
std::uint64_t WitnessReplay::last_revision(std::size_t position) const {
  const WitnessOperation& operation = operations_.known[position];
  if (operation.reads) return operation.revision;
  return operation.revision == 0 ? 0 : operation.revision - 1;
}

std::uint64_t WitnessReplay::revision_before(std::size_t position) const {
  return position == 0 ? 0 : operations_.known[position - 1].revision;
}

std::uint32_t WitnessReplay::used(const Node& node, std::uint32_t of) const {
  std::uint32_t count = base_[of];
  for (std::uint32_t at = node.placed; at != kNone; at = placed_[at].before)
    count += placed_[at].of == of ? 1 : 0;
  return count;
}

std::vector<WitnessReplay::Placed> WitnessReplay::chain(std::uint32_t placed) const {
  std::vector<Placed> all;
  for (; placed != kNone; placed = placed_[placed].before) all.push_back(placed_[placed]);
  std::ranges::reverse(all);
  return all;
}

std::vector<Demand> WitnessReplay::demands_of(std::uint32_t placed) const {
  std::vector<Demand> demands;
  for (const Placed& one : chain(placed)) demands.push_back(one.demand);
  return demands;
}

bool WitnessReplay::is_new(const Node& node, bool all_ways) {
  const std::uint64_t key = (std::uint64_t{node.position} << 32) | node.state;
  std::vector<Met>& met = met_[key];
  for (const Met& one : met)
    if (covers(one, node, all_ways)) return false;
  met.push_back({node.slot, node.placed});
  ++configurations_;
  return true;
}

/// Whether whatever can follow the node can follow what was met as well: it used no more of each
/// kind. Where all ways count, it demanded nothing that the node does not, in the same order.
bool WitnessReplay::covers(const Met& met, const Node& node, bool all_ways) {
  ++steps_;
  if (met.slot > node.slot) return false;
  if (met.placed == kNone || met.placed == node.placed) return true;
  std::vector<Placed> fewer = chain(met.placed);
  std::vector<Placed> more = chain(node.placed);
  steps_ += fewer.size() + more.size();
  if (fewer.size() > more.size()) return false;
  if (all_ways) {
    std::size_t same = 0;
    for (const Placed& placed : more)
      if (same < fewer.size() && placed.demand == fewer[same].demand) ++same;
    return same == fewer.size();
  }
  const auto by_kind = [](const Placed& placed) { return std::pair(placed.of, placed.demand.at); };
  std::ranges::sort(fewer, {}, by_kind);
  std::ranges::sort(more, {}, by_kind);
  return std::ranges::includes(more, fewer, {}, by_kind, by_kind);
}

bool WitnessReplay::is_over_bounds() {
  if (steps_ > options_.steps_max)
    bound_ = "steps (steps_max; tubesim check --work-max)";
  else if (configurations_ > options_.configurations_max)
    bound_ = "configurations (configurations_max; tubesim check --configurations-max)";
  else
    return takes_too_much_memory();
  return true;
}

bool WitnessReplay::takes_too_much_memory() {
  const std::uint64_t bytes = space_.bytes() + placed_.capacity() * sizeof(Placed) +
                              stack_.capacity() * sizeof(Node) + configurations_ * kMetBytes;
  if (bytes <= options_.memory_bytes_max) return false;
  bound_ = "bytes of states (memory_bytes_max; tubesim check --memory-max)";
  return true;
}

}  // namespace tubing::sim::detail
