// IllegalCoreFinder: of a history without an order, the few operations that show it.
#pragma once

#include <cstdint>
#include <functional>
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
  std::size_t index = 0;    ///< In the history.
  std::size_t in_part = 0;  ///< Among the operations of the part, judged or not.
};

/// What becomes of an operation where less of a history is judged: it is not there, nobody knows
/// how it ended, or it is as it was.
enum class Fate : std::uint8_t { absent, open, whole };

/// Has the model take its hints from what the fates leave of a part; there is one for each judged
/// operation.
using Survey = std::function<void(const std::vector<Fate>&)>;

/// What the fates leave of judged operations.
struct LessKnown {
  LessKnown(std::span<const JudgedOperation> operations, const std::vector<Fate>& fates);

  std::vector<SearchOperation> searched;
  std::vector<std::size_t> places;    ///< Of those, among the judged ones.
  std::vector<std::size_t> place_of;  ///< The other way round; kNone.
};

/// Hints know the whole part, and so a search may die early. Looks for the return at which there
/// is no order even if nothing is known of what comes behind it.
/// `limits`: of a try; one that meets them looks later. Requires: there is no order.
/// Returns: the operation's place.
std::size_t find_fatal(StateSpace& space, std::span<const JudgedOperation> operations,
                       const SearchLimits& limits, const Survey& survey);

/// Operations that have no order, whatever became of those that were called beside them.
struct IllegalCore {
  std::vector<std::size_t> operations;  ///< Places among the judged ones, by their calls.
  std::size_t others = 0;  ///< Called by the last of their returns, and not over at `since`.
  /// False where no try succeeded: then `operations` is the fatal one alone.
  bool cut_down = false;
  /// Where the story begins: in one of these states. None: with the first operation of all.
  std::optional<std::int64_t> since;
  std::vector<StateSpace::State> states_before;
  /// The return that no order survives, and in which states the service could be right before it.
  std::int64_t until = 0;
  std::vector<StateSpace::State> states_behind;
};

/// Cuts down what an OrderSearch found without an order. Each cut keeps a legal history legal, so
/// that what remains is a proof by itself: a reader goes; any other operation becomes one of
/// unknown end; what was called behind the last return that is still known goes, since it stands
/// behind all of them; and what returned before some moment is replaced by all states that it may
/// have led to.
class IllegalCoreFinder {
 public:
  /// `died_at`: the place of the operation whose return no order survives; `limits`: within which
  /// that was found; `survey`: none, where the model has no hints. Requires: all outlive it.
  IllegalCoreFinder(StateSpace& space, std::span<const JudgedOperation> operations,
                    std::size_t died_at, const SearchLimits& limits, const Survey& survey)
      : space_(space),
        operations_(operations),
        died_at_(died_at),
        limits_(limits),
        survey_(survey) {}

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
  /// Takes the window's story where it is better than what there is.
  void tell(const Window& window, IllegalCore& best);
  /// The operations of a window that must stay; none where the work came to its end first.
  std::vector<std::size_t> shrink(const Window& window);
  bool has_no_order(const Window& window, const std::vector<std::size_t>& kept,
                    bool may_hint = true);
  /// When the last of them returned: what is called behind it does not matter to them.
  std::int64_t horizon(const std::vector<std::size_t>& kept) const;

  std::int64_t fatal_time() const { return operations_[died_at_].search.returned; }
  bool may_try() const { return work_ < work_max_; }

  StateSpace& space_;
  const std::span<const JudgedOperation> operations_;
  const std::size_t died_at_;
  const SearchLimits limits_;
  const Survey& survey_;
  std::uint64_t work_ = 0;
  std::uint64_t work_max_ = 0;
  /// How the last search without an order ended.
  struct Death {
    std::int64_t at = 0;
    std::vector<StateSpace::State> states;
  };
  Death last_death_;
};

}  // namespace tubing::sim::detail
