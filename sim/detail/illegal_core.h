// IllegalCoreFinder: of a history without an order, the few operations that show it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tubing/sim/detail/order_search.h"

namespace tubing::sim::detail {

/// An operation of a part, and what remains of it where nobody knows how it ended.
struct JudgedOperation {
  SearchOperation search;
  StateSpace::Step without_results = 0;
  bool changes_nothing_without_results = false;
  std::size_t index = 0;  ///< In the history.
};

/// Operations that have no order, whatever became of those that were called beside them.
struct IllegalCore {
  std::vector<std::size_t> operations;  ///< Places among the judged ones, by their calls.
  std::size_t others = 0;
  /// False where no try succeeded: then `operations` is the fatal one alone.
  bool cut_down = false;
  /// Where the story begins: in one of these states. None: with the first operation of all.
  std::optional<std::int64_t> since;
  std::vector<StateSpace::State> states_before;
  /// In which the service could be when the last of them returned.
  std::vector<StateSpace::State> states_behind;
};

/// Cuts down what an OrderSearch found without an order. Each cut keeps a legal history legal, so
/// that what remains is a proof by itself: what was called behind the fatal return goes; a reader
/// goes; any other operation becomes one of unknown end; and what returned before some moment is
/// replaced by all states that it may have led to.
class IllegalCoreFinder {
 public:
  /// `died_at`: the place of the operation whose return no order survives; `limits`: within which
  /// that was found. Requires: both outlive it.
  IllegalCoreFinder(StateSpace& space, std::span<const JudgedOperation> operations,
                    std::size_t died_at, const SearchLimits& limits)
      : space_(space), operations_(operations), died_at_(died_at), limits_(limits) {}

  /// `work_max`: of all tries to leave something out.
  IllegalCore find(std::uint64_t work_max);
  /// What `find` did of it.
  std::uint64_t work() const { return work_; }

 private:
  /// Where a story may begin.
  struct Window {
    std::optional<std::int64_t> since;
    std::vector<Standing> standings;
  };

  std::vector<Window> windows();
  /// The operations of a window that must stay; none where the work came to its end first.
  std::vector<std::size_t> shrink(const Window& window);
  bool has_no_order(const Window& window, const std::vector<std::size_t>& kept);
  bool called_in_time(std::size_t operation) const {
    return operations_[operation].search.called <= operations_[died_at_].search.returned;
  }

  bool may_try() const { return work_ < work_max_; }

  StateSpace& space_;
  const std::span<const JudgedOperation> operations_;
  const std::size_t died_at_;
  const SearchLimits limits_;
  std::uint64_t work_ = 0;
  std::uint64_t work_max_ = 0;
  std::vector<StateSpace::State> last_states_;  ///< Of the last search without an order.
};

}  // namespace tubing::sim::detail
