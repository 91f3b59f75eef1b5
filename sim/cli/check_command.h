// tubesim check: judges a recorded history.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "tubing/channel/base/result.h"
#include "tubing/sim/cli/check_rulings.h"

namespace tubing::cli {

inline constexpr int kExitUndecided = 3;

/// Exit status: 0 where the history is legal, 1 where it is illegal, 2 where it is malformed or
/// cannot be read, 3 where a limit was met before a verdict.
class CheckCommand {
 public:
  /// Requires: `app` outlives the command, which must stay where it is.
  explicit CheckCommand(CLI::App& app);
  CheckCommand(const CheckCommand&) = delete;
  CheckCommand& operator=(const CheckCommand&) = delete;

  bool chosen() const { return check_->parsed(); }
  /// Requires: chosen().
  /// Returns: the exit status.
  int run();

 private:
  Result<> check_options() const;
  void add_limit(const char* name, std::optional<std::uint64_t>& limit, std::uint64_t max,
                 const std::string& what);
  Result<int> judge();

  CLI::App* check_;
  std::string path_;
  std::string model_;
  std::string judge_;
  CheckLimits limits_;
  bool json_ = false;
};

}  // namespace tubing::cli
