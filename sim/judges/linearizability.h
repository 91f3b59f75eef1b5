// Linearizability: whether a service behaved as if it took its operations one after another.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/sim/detail/state_space.h"
#include "tubing/sim/judges/history.h"
#include "tubing/sim/judges/model.h"
#include "tubing/sim/judges/ruling.h"

namespace tubing::sim {

/// How far a judge is.
struct JudgeProgress {
  std::size_t parts_done = 0;
  std::size_t parts = 0;
  std::size_t operations_done = 0;  ///< Of all parts; those of one that is searched anew go back.
  std::size_t operations = 0;
};

struct LinearizabilityOptions {
  /// At one time.
  std::size_t configurations_max = 4'000'000;
  /// Beside what the history takes: of all that a search keeps, states with what they hold on the
  /// heap, configurations and the model's tables, as an allocator gives it. Of a model of your own,
  /// tables count where it tells their `bytes`.
  std::uint64_t memory_bytes_max = std::uint64_t{512} << 20;
  /// Steps of the model that are tried and configurations that are compared, in one part: 20 s.
  std::uint64_t work_max = 800'000'000;
  /// The same of all searches that cut illegal parts down; 0 leaves them whole.
  std::uint64_t story_work_max = 20'000'000;
  /// Called now and then, for people who wait.
  std::function<void(const JudgeProgress&)> on_progress = {};
};

/// Operations that no order explains, whatever became of the others.
struct IllegalPart {
  std::string part;                     ///< "key a"; empty where the model has one part only.
  std::vector<std::size_t> operations;  ///< In the history, by their calls.
  std::size_t others =
      0;  ///< Of the part, called by the last of their returns, not over at `since`.
  /// False where nothing could be left out within the limits: then `operations` is one by whose
  /// return there is no order of all that were called, and the others stand as they are.
  bool cut_down = false;
  std::optional<std::int64_t> since;       ///< Where the story begins, if not with the history.
  std::vector<std::string> states_before;  ///< That the service may have had there.
  std::int64_t until = 0;  ///< The return of one of the operations that no order survives.
  std::vector<std::string> states_behind;  ///< That there may have been then.

  static constexpr std::size_t kStatesToldMax = 5;

  /// In words, several lines. Requires: `history` is the one that was judged.
  std::string text(const History& history) const;
};

struct LinearizabilityReport {
  Verdict verdict = Verdict::legal;
  std::size_t operations = 0;
  std::size_t parts = 0;
  std::size_t illegal_parts = 0;
  std::optional<IllegalPart> illegal;  ///< The shortest of the illegal parts.
  std::string undecided;               ///< Which limit was met, where, and what to do.
  std::uint64_t steps = 0;             ///< Of the model, tried.
  std::size_t configurations_peak = 0;
};

namespace detail {

struct JudgedOperation;

/// Judges the parts of one history, one after another.
class LinearizabilityJudge {
 public:
  LinearizabilityJudge(const History& history, const LinearizabilityOptions& options)
      : history_(history), options_(options) {}

  /// `operations`: places in the history, none of which failed. `steps` gives two for each: what it
  /// was, and what it is without its results.
  struct Part {
    std::string name;
    std::vector<std::size_t> operations;
  };
  struct Steps {
    StateSpace::Step step = 0;
    StateSpace::Step without_results = 0;
    bool changes_nothing = false;
    bool changes_nothing_without_results = false;
  };
  void count(std::size_t operations, std::size_t parts);
  /// What is known of an operation of a part: nothing, that it was called, or all.
  enum class Known : std::uint8_t { nothing, call, all };
  /// Has the model take its hints from so much of a part; `touching`: operations of one client that
  /// touch are known to stand in their order. None, where it has no hints.
  using Survey = std::function<void(const std::vector<Known>&, bool touching)>;
  void judge(const Part& part, const std::vector<Steps>& steps, StateSpace& space,
             const Survey& survey);
  LinearizabilityReport take() { return std::move(report_); }

 private:
  std::vector<JudgedOperation> sorted(const Part& part, const std::vector<Steps>& steps) const;
  /// Whether there is no order even if operations of one client that touch may stand in any, where
  /// hints tell most; then it is told.
  bool is_illegal_untouched(const Part& part, StateSpace& space,
                            const std::vector<JudgedOperation>& operations, const Survey& survey);
  void tell(const Part& part, StateSpace& space, const std::vector<JudgedOperation>& operations,
            std::size_t died_at, const Survey& survey);
  void finish(const Part& part);
  void progress(std::size_t in_part);

  const History& history_;
  const LinearizabilityOptions& options_;
  LinearizabilityReport report_;
  JudgeProgress progress_;
  std::uint64_t story_work_left_ = options_.story_work_max;
};

/// The operation as it would be if nobody knew how it ended.
Operation without_end(Operation operation);

}  // namespace detail

/// Whether there is an order of all operations that respects their times (one that returned before
/// another was called stands before it) in which each, taken by the model alone and in one
/// instant, gives the results that it gave. Operations that failed are left out; one of unknown end
/// takes effect at any time behind its call, or never. Operations whose times touch overlap, but
/// for those of one client that it must have asked for one behind the other: see HISTORY.md.
///
/// Undecided where a limit of `options` is met. States are told apart by a hash of 128 bits.
///
///     const auto report = sim::check_linearizable(sim::RegisterModel(), history);
///     if (report && report->illegal) fmt::print("{}", report->illegal->text(history));
///
/// Errors: invalid_argument for an operation that the model cannot take, with its line.
template <Model M>
Result<LinearizabilityReport> check_linearizable(M model, const History& history,
                                                 const LinearizabilityOptions& options = {});

}  // namespace tubing::sim

#include "tubing/sim/detail/linearizability.inl.h"
