// Whether revisions explain a history, by trying all placements of operations of unknown end:
// simple, slow, and nothing of the judge's.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/sim/client_order.h"
#include "tubing/sim/judges/history.h"
#include "tubing/sim/judges/model.h"

namespace tubing::sim {

template <Model M>
class WitnessByForce {
 public:
  WitnessByForce(M& model, const History& history) : model_(model), history_(history) {
    for (std::size_t at = 0; at < history_.size(); ++at) {
      if (history_[at].ending == Ending::failed) continue;
      const bool unknown = history_[at].ending == Ending::unknown;
      if (unknown)
        unknown_.push_back(at);
      else
        placed_.push_back({*history_[at].revision, is_read(at), at});
      if (!unknown) last_ = std::max(last_, *history_[at].revision);
    }
  }

  bool exists() { return place(0); }

 private:
  /// Revision, whether it reads, and which operation it is.
  using Placed = std::tuple<std::uint64_t, bool, std::size_t>;

  bool is_read(std::size_t at) {
    const auto step = *model_.read(history_[at]);
    if constexpr (requires { model_.reads(step); }) return model_.reads(step);
    return model_.changes_nothing(step);
  }

  bool place(std::size_t next) {
    if (next == unknown_.size()) return is_explained();
    if (place(next + 1)) return true;
    for (std::uint64_t revision = 1; revision <= last_; ++revision) {
      placed_.emplace_back(revision, false, unknown_[next]);
      const bool found = place(next + 1);
      placed_.pop_back();
      if (found) return true;
    }
    return false;
  }

  bool is_explained() {
    std::vector<Placed> order = placed_;
    std::ranges::sort(order);
    for (const Placed& one : order)
      for (const Placed& other : order) {
        const auto& [revision, reads, at] = one;
        const auto& [later, later_reads, later_at] = other;
        if (!reads && revision == 0) return false;
        if (at == later_at) continue;
        if (!reads && !later_reads && revision == later) return false;
        if (comes_first(history_[at], history_[later_at]) &&
            (later_reads ? later < revision : later <= revision))
          return false;
      }
    auto state = model_.begin();
    return std::ranges::all_of(order, [&](const Placed& placed) {
      return model_.apply(state, *model_.read(history_[std::get<2>(placed)]));
    });
  }

  M& model_;
  const History& history_;
  std::vector<std::size_t> unknown_;
  std::vector<Placed> placed_;
  std::uint64_t last_ = 0;
};

}  // namespace tubing::sim
