// Whether a history has an order, by trying all of them: simple, slow, and nothing of the judge's.
#pragma once

#include <utility>
#include <vector>

#include "tests/sim/client_order.h"
#include "tubing/sim/judges/history.h"
#include "tubing/sim/judges/model.h"

namespace tubing::sim {

/// Puts operations one behind another in every order that their times allow, and of those of
/// unknown end every subset.
template <Model M>
class OrderByForce {
 public:
  OrderByForce(M& model, const History& history)
      : model_(model), history_(history), placed_(history.size(), false) {
    steps_.reserve(history.size());
    for (const Operation& operation : history) steps_.push_back(*model_.read(operation));
  }

  bool exists() { return exists_behind(model_.begin()); }

  /// Calls `visit` with the state behind every order.
  template <class Visit>
  void each_end(Visit&& visit) {
    each_end_behind(model_.begin(), visit);
  }

 private:
  bool may_come_next(std::size_t next) const {
    if (placed_[next] || history_[next].ending == Ending::failed) return false;
    for (std::size_t i = 0; i < history_.size(); ++i)
      if (!placed_[i] && i != next && comes_first(history_[i], history_[next])) return false;
    return true;
  }

  bool is_done() const {
    bool done = true;
    for (std::size_t i = 0; i < history_.size(); ++i)
      done = done && (placed_[i] || history_[i].ending != Ending::ok);
    return done;
  }

  template <class Visit>
  void each_end_behind(const typename M::State& state, Visit& visit) {
    if (is_done()) visit(state);
    for (std::size_t i = 0; i < history_.size(); ++i) {
      if (!may_come_next(i)) continue;
      typename M::State after = state;
      if (!model_.apply(after, steps_[i])) continue;
      placed_[i] = true;
      each_end_behind(after, visit);
      placed_[i] = false;
    }
  }

  bool exists_behind(const typename M::State& state) {
    if (is_done()) return true;
    for (std::size_t i = 0; i < history_.size(); ++i) {
      if (!may_come_next(i)) continue;
      typename M::State after = state;
      if (!model_.apply(after, steps_[i])) continue;
      placed_[i] = true;
      const bool found = exists_behind(after);
      placed_[i] = false;
      if (found) return true;
    }
    return false;
  }

  M& model_;
  const History& history_;
  std::vector<typename M::Step> steps_;
  std::vector<bool> placed_;
};

}  // namespace tubing::sim
