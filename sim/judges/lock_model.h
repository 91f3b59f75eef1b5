// LockModel: a lock for each key, whose holders have rising tokens that fence off earlier ones.
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/fields.h"
#include "tubing/sim/judges/model.h"
#include "tubing/sim/judges/operation_reader.h"

namespace tubing::sim {

/// Operations: acquire (result token: a number above each that was given before), try_acquire (the
/// same, or null where somebody holds the lock), release and use (token; result accepted: whether
/// this token holds the lock), expire (token: the service takes the lock from it, if it holds it).
/// Each may have a `key`. Record `expire` with an unknown end where a lease may run out unseen.
///
/// An acquire of unknown end may have taken the lock with a token that nobody knows: from then on
/// any token above the last one is taken for it.
class LockModel {
 public:
  enum class Kind : std::uint8_t { acquire, release, use, expire };
  struct State {
    std::int64_t last = 0;  ///< The highest token that was given, or the least that it may be.
    std::int64_t holder = kFree;
    static constexpr auto fields = tubing::fields("last", &State::last, "holder", &State::holder);
  };
  struct Step {
    Kind kind = Kind::acquire;
    std::int64_t token = 0;  ///< Of an acquire: 0 where it was refused.
    bool has_token = false;  ///< Of an acquire: whether its end is known.
    std::optional<bool> accepted = {};
    static constexpr auto fields =
        tubing::fields("kind", &Step::kind, "token", &Step::token, "has_token", &Step::has_token,
                       "accepted", &Step::accepted);
  };

  std::string_view name() const { return "lock"; }
  Result<std::string> part(const Operation& operation) const { return part_by_key(operation); }
  State begin() const { return {}; }
  bool changes_nothing(const Step& step) const {
    return step.kind == Kind::use || step.accepted == false ||
           (step.kind == Kind::acquire && step.has_token && step.token == 0);
  }
  std::string told(const State& state) const;
  Result<Step> read(const Operation& operation) const;
  bool apply(State& state, const Step& step) const;
  /// Tokens rise: one that somebody got is not passed over.
  void survey_part(const std::vector<TimedStep<Step>>& steps);
  bool leads_nowhere(const State& before, const Step& step, const State& after) const;

 private:
  static constexpr std::int64_t kFree = 0;
  static constexpr std::int64_t kSomebody = -1;  ///< With a token that nobody knows.

  static bool holds(const State& state, std::int64_t token) {
    return state.holder == kSomebody ? token >= state.last : state.holder == token;
  }
  static bool acquire(State& state, const Step& step);

  std::set<std::int64_t> tokens_;  ///< That somebody got.
};
static_assert(Model<LockModel>);

}  // namespace tubing::sim
