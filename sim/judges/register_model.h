// RegisterModel: one value for each key; what was written last is read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tubing/channel/fields.h"
#include "tubing/sim/judges/model.h"
#include "tubing/sim/judges/operation_reader.h"

namespace tubing::sim {

/// Operations: write (value), read (result value). Each may have a `key`, and a register that
/// nobody wrote holds null. A value is anything that a line can hold.
class RegisterModel {
 public:
  using State = std::string;  ///< The value, as JSON.
  struct Step {
    std::optional<std::string> written;
    std::optional<std::string> seen;
    static constexpr auto fields = tubing::fields("written", &Step::written, "seen", &Step::seen);
  };

  std::string_view name() const { return "register"; }
  Result<std::string> part(const Operation& operation) const { return part_by_key(operation); }
  State begin() const { return "null"; }
  bool changes_nothing(const Step& step) const { return !step.written; }
  std::string told(const State& state) const { return state; }

  Result<Step> read(const Operation& operation) const {
    OperationReader in(operation);
    Step step;
    if (in.is("read")) step.seen = in.result("value");
    if (in.is("write")) step.written = in.value("value");
    return in.finish(std::move(step));
  }

  bool apply(State& state, const Step& step) const {
    if (step.written) state = *step.written;
    return !step.seen || *step.seen == state;
  }
};
static_assert(Model<RegisterModel>);

}  // namespace tubing::sim
