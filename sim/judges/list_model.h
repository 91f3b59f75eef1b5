// ListModel: a list for each key, to whose end values are appended.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tubing/channel/fields.h"
#include "tubing/sim/judges/model.h"
#include "tubing/sim/judges/operation_reader.h"

namespace tubing::sim {

/// Operations: append (value; result length, of the list then, where the service tells it), read
/// (result values, the whole list). Each may have a `key`; a list that nobody appended to is empty.
class ListModel {
 public:
  /// A number for each list that was met: its last value, behind a list that was met before.
  using State = std::uint32_t;
  struct Step {
    std::optional<std::string> appended;
    std::optional<std::int64_t> length;  ///< Behind an append.
    std::optional<std::uint32_t> seen;
    static constexpr auto fields =
        tubing::fields("appended", &Step::appended, "length", &Step::length, "seen", &Step::seen);
  };

  std::string_view name() const { return "list"; }
  Result<std::string> part(const Operation& operation) const { return part_by_key(operation); }
  State begin() const { return kEmpty; }
  bool changes_nothing(const Step& step) const { return !step.appended; }
  std::string told(const State& state) const;
  std::uint64_t bytes() const { return bytes_; }
  Result<Step> read(const Operation& operation);
  bool apply(State& state, const Step& step);
  /// The longest list that was read, and appends that know their place, show where each value went.
  void survey_part(const std::vector<TimedStep<Step>>& steps);
  bool leads_nowhere(const State& before, const Step& step, const State& after) const;

 private:
  static constexpr State kEmpty = 0;

  struct List {
    State before = kEmpty;
    std::int64_t length = 0;
    std::string last;
  };

  State longer(State list, const std::string& value);

  std::deque<List> lists_ = {{}};
  std::map<std::pair<State, std::string>, State> longer_;
  std::uint64_t bytes_ = 0;                     ///< Of all lists.
  std::map<std::int64_t, std::string> places_;  ///< What a list of each length ends with.
};
static_assert(Model<ListModel>);

}  // namespace tubing::sim
