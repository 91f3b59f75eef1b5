// OrderSearch: looks for an order of operations that a model could have taken one after another.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "tubing/sim/detail/configuration_set.h"
#include "tubing/sim/detail/state_space.h"

namespace tubing::sim::detail {

struct SearchOperation {
  StateSpace::Step step = 0;
  std::int64_t called = 0;
  std::int64_t returned = 0;
  bool changes_nothing = false;
  bool unknown = false;  ///< Has no return; need not take effect.
  /// Of the same client, which asked for this one only when that one had returned, in the same
  /// instant: it took effect first. Likewise all that stand `beside` it.
  std::size_t after = kNone;
  /// Took no time, as this one: of the same client, in the same instant, in any order.
  std::size_t beside = kNone;

  static constexpr std::size_t kNone = ~std::size_t{0};
};

/// A state in which a search may stand, and what took effect already though it has not returned.
struct Standing {
  StateSpace::State state = 0;
  std::vector<std::size_t> taken;
};

struct SearchLimits {
  std::size_t configurations_max;  ///< At one time.
  std::uint64_t work_max;          ///< Steps tried, and configurations compared.
  std::uint64_t memory_bytes_max;  ///< Of the state space and all configurations.
};

enum class SearchEnd : std::uint8_t {
  found,  ///< There is an order.
  none,   ///< There is none: no configuration survived `died_at`.
  too_narrow,
  too_many_configurations,
  too_much_work,
  too_much_memory,
};

/// Goes through calls and returns in the order of their times and keeps all configurations in which
/// the service may be: its state, which pending operations took effect already, and which of those
/// of unknown end. At a return, each configuration whose operation did not take effect yet takes
/// it, alone or behind other pending ones. A history of which none survives has no order.
///
/// What keeps it small: an operation takes effect as late as it can, right before a return that
/// needs it; a reader takes effect as soon as its result fits; of operations of unknown end with
/// equal steps the one called first is used first; a configuration that is dominated is dropped. A
/// narrow search keeps only the first few configurations of each return, and so may find an order
/// quickly, and cannot tell that there is none.
///
/// Source: Wing and Gong, "Testing and verifying concurrent objects" (1993); Lowe, "Testing for
/// linearizability" (2017), section 5, just-in-time linearization.
/// Differs: breadth first, so that memory holds one return's configurations and those of fewer
/// unknown operations come before those that they dominate.
class OrderSearch {
 public:
  /// Requires: both outlive it.
  OrderSearch(StateSpace& space, std::span<const SearchOperation> operations);

  /// Begins in the model's first state, or at `standings`, whose `taken` name operations by their
  /// index. `width`: how many configurations go on from a return.
  SearchEnd run(std::size_t width, const SearchLimits& limits,
                std::span<const Standing> standings = {});

  /// Behind a run without an order: the operation whose return no configuration survived.
  std::size_t died_at() const { return died_at_; }
  /// Behind the same: the states that there could be right before it, each once.
  std::vector<StateSpace::State> last_states() const;
  /// Steps that the last run tried, and all that it did.
  std::uint64_t steps() const { return steps_; }
  std::uint64_t work() const { return steps_ + comparisons() - compared_before_; }
  std::size_t configurations_peak() const { return peak_; }

  /// Calls `visit` right before the call of the operation, in later runs.
  void watch(std::function<void(std::size_t operation)> visit) { on_call_ = std::move(visit); }
  /// Where the search stands; for `visit`.
  std::vector<Standing> standings() const;

 private:
  /// Operations of unknown end with equal steps, by their calls.
  struct Class {
    StateSpace::Step step = 0;
    std::vector<std::size_t> operations;
    std::size_t called = 0;
  };
  struct Event {
    std::int64_t time = 0;
    bool is_return = false;
    std::size_t operation = 0;
  };

  std::uint64_t comparisons() const {
    return before_.comparisons() + needing_.comparisons() + behind_.comparisons();
  }
  std::uint64_t bytes() const {
    return space_.bytes() + before_.bytes() + needing_.bytes() + behind_.bytes();
  }
  void order_events();
  void give_places();
  void sort_unknown();
  void begin_at(std::span<const Standing> standings);
  void call(std::size_t operation);
  /// Returns: `found` where some configuration survives.
  SearchEnd take_return(std::size_t operation, std::size_t width, const SearchLimits& limits);
  void expand(std::size_t operation);
  void try_step(std::size_t operation, std::size_t needed, bool skips_same_state);
  /// Puts next_ where it belongs: behind the return, or among those that still need its operation.
  void keep(std::size_t needed);
  void read_what_fits();

  bool is_taken(std::size_t operation) const {
    return ((next_[word_[operation]] >> bit_[operation]) & 1) != 0;
  }
  void take(std::size_t operation) {
    next_[word_[operation]] |= std::uint64_t{1} << bit_[operation];
  }
  /// Whether what must take effect before it did.
  bool is_free(std::size_t operation) const {
    std::size_t before = operations_[operation].after;
    for (; before != SearchOperation::kNone; before = operations_[before].beside)
      if (!returned_[before] && !is_taken(before)) return false;
    return true;
  }

  StateSpace& space_;
  const std::span<const SearchOperation> operations_;
  std::vector<Event> events_;
  std::vector<std::uint32_t> word_;  ///< Of each operation: where its bit is in a configuration.
  std::vector<std::uint8_t> bit_;
  std::vector<std::uint32_t> class_;
  std::vector<Class> classes_;
  ConfigurationShape shape_;

  std::vector<std::size_t> readers_;  ///< Pending, in the order of their calls; writers likewise.
  std::vector<std::size_t> writers_;
  std::vector<bool> returned_;
  std::vector<std::uint64_t> current_;  ///< The configuration that is being expanded, and
  std::vector<std::uint64_t> next_;     ///< what becomes of it.
  ConfigurationSet before_;             ///< Of the return that is being taken: still to come,
  ConfigurationSet needing_;            ///< its operation has not taken effect,
  ConfigurationSet behind_;             ///< and done.
  std::uint64_t steps_ = 0;
  std::uint64_t compared_before_ = 0;  ///< In earlier runs.
  std::size_t peak_ = 0;
  std::size_t died_at_ = SearchOperation::kNone;
  std::function<void(std::size_t)> on_call_;
};

}  // namespace tubing::sim::detail
