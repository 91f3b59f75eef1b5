// WitnessReplay: one part of a history, replayed in the order of its revisions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tubing/sim/detail/free_revisions.h"
#include "tubing/sim/detail/state_space.h"

namespace tubing::sim {

/// How much is tried for the sake of operations of unknown end, before it is `undecided`.
struct WitnessOptions {
  std::uint64_t steps_max = 20'000'000;        ///< And comparisons, in one search of a part.
  std::size_t configurations_max = 1'000'000;  ///< Of one search.
  std::size_t alternatives_max = 256;          ///< Ways to place them, of a part and of several.
  /// Of all that the search of a part keeps, as in LinearizabilityOptions.
  std::uint64_t memory_bytes_max = std::uint64_t{512} << 20;
};

namespace detail {

struct WitnessOperation {
  std::size_t at = 0;
  StateSpace::Step step = 0;
  bool reads = false;
  bool settles = false;
  std::uint64_t revision = 0;  ///< Of unknown end: above this one.
};

struct PartOperations {
  /// By revision, the change before those that read it.
  std::vector<WitnessOperation> known;
  /// Of unknown end: those that ask the same together, the one with the lowest revision first.
  std::vector<std::vector<WitnessOperation>> unknown;
};

class WitnessReplay {
 public:
  enum class End : std::uint8_t { found, none, undecided };

  /// Requires: all outlive it.
  WitnessReplay(StateSpace& space, const PartOperations& operations, const FreeRevisions& free,
                const WitnessOptions& options)
      : space_(space), operations_(operations), free_(free), options_(options) {}

  /// Looks for one way in which all answers are right. An operation of unknown end is placed only
  /// where nothing else helps, so what was placed before is mostly kept.
  End replay();
  /// Looks for all ways, but for those that demand what another does and more.
  End find_ways(std::vector<std::vector<Demand>>& ways);

  /// Behind `found`: what operations of unknown end must have done.
  const std::vector<Demand>& demands() const { return demands_; }
  /// Behind `none`: the place in `known` of the answer that nothing explains, and the state there.
  std::size_t failed() const { return failed_; }
  StateSpace::State failed_state() const { return failed_state_; }
  /// Behind `undecided`: what was met.
  std::string_view bound() const { return bound_; }
  const StateSpace& space() const { return space_; }
  const PartOperations& operations() const { return operations_; }

 private:
  using State = StateSpace::State;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// Where a search may begin anew.
  struct Point {
    std::size_t position = 0;
    State state = 0;
    std::size_t demands = 0;  ///< So many of the first were made before.
  };
  /// What was placed last, and before it.
  struct Placed {
    Demand demand;
    std::uint32_t of;  ///< Of the unknown that ask the same.
    std::uint32_t before;
  };
  struct Node {
    std::size_t position = 0;
    State state = 0;
    std::uint32_t placed = kNone;
    std::uint64_t slot = 0;  ///< The first revision that the last one placed in this gap can have.
    std::uint32_t next = 0;  ///< What to try; see step_into.
    std::vector<Node> deeper = {};  ///< With one more placed, for when nothing else is left.
  };
  /// What a search knew of a configuration that it met: none that demands more need be tried.
  struct Met {
    std::uint64_t slot;
    std::uint32_t placed;
  };

  End resolve(std::size_t position);
  End begin_search(const Point& from, bool with_demands, std::size_t to);
  End search(std::size_t to, std::vector<std::vector<Demand>>* ways);
  void step_into(std::size_t to, std::vector<std::vector<Demand>>* ways);
  std::optional<Node> apply_known(const Node& node);
  std::optional<Node> place(const Node& node, std::uint32_t of);
  /// Whether nothing that was met covers it; it is met then.
  bool is_new(const Node& node, bool all_ways);
  bool covers(const Met& met, const Node& node, bool all_ways);
  std::uint32_t used(const Node& node, std::uint32_t of) const;
  std::vector<Placed> chain(std::uint32_t placed) const;
  std::vector<Demand> demands_of(std::uint32_t placed) const;
  std::uint64_t last_revision(std::size_t position) const;
  std::uint64_t revision_before(std::size_t position) const;
  bool is_over_bounds();
  bool takes_too_much_memory();
  void accept(const Point& from, const Node& found);

  StateSpace& space_;
  const PartOperations& operations_;
  const FreeRevisions& free_;
  const WitnessOptions& options_;

  std::vector<Demand> demands_;
  std::vector<std::uint32_t> demand_kinds_;  ///< Of each demand: which of the unknown it is.
  std::vector<std::uint32_t> used_;          ///< By the demands, of each kind.
  std::vector<Point> points_;
  std::optional<Point> settled_;  ///< The last state that does not depend on any choice.
  std::size_t failed_ = 0;
  State failed_state_ = 0;

  std::vector<Node> stack_;
  std::vector<Placed> placed_;
  std::vector<std::uint32_t> base_;  ///< Used before the search, of each kind.
  std::unordered_map<std::uint64_t, std::vector<Met>> met_;
  std::size_t configurations_ = 0;
  std::uint64_t steps_ = 0;
  std::string_view bound_;
};

}  // namespace detail
}  // namespace tubing::sim
