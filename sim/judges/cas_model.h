// CasModel: a register that can also be written where it holds what the writer expects.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tubing/channel/fields.h"
#include "tubing/sim/judges/model.h"
#include "tubing/sim/judges/operation_reader.h"

namespace tubing::sim {

/// Operations: read and write as RegisterModel has them, and cas (from, to; result swapped), which
/// writes `to` where the register holds `from`, and says whether it did.
class CasModel {
 public:
  using State = std::string;  ///< The value, as JSON.
  struct Step {
    std::optional<std::string> expected;  ///< Of a cas.
    std::optional<std::string> written;
    std::optional<std::string> seen;
    std::optional<bool> swapped;
    static constexpr auto fields =
        tubing::fields("expected", &Step::expected, "written", &Step::written, "seen", &Step::seen,
                       "swapped", &Step::swapped);
  };

  std::string_view name() const { return "cas"; }
  Result<std::string> part(const Operation& operation) const { return part_by_key(operation); }
  State begin() const { return "null"; }
  bool changes_nothing(const Step& step) const { return !step.written || step.swapped == false; }
  std::string told(const State& state) const { return state; }

  Result<Step> read(const Operation& operation) const {
    OperationReader in(operation);
    Step step;
    if (in.is("read")) step.seen = in.result("value");
    if (in.is("write")) step.written = in.value("value");
    if (in.is("cas")) {
      step.expected = in.value("from");
      step.written = in.value("to");
      step.swapped = in.flag_result("swapped");
    }
    return in.finish(std::move(step));
  }

  bool apply(State& state, const Step& step) const {
    const bool writes = step.written && (!step.expected || *step.expected == state);
    if (step.swapped && *step.swapped != writes) return false;
    if (writes) state = *step.written;
    return !step.seen || *step.seen == state;
  }
};
static_assert(Model<CasModel>);

}  // namespace tubing::sim
