// FreeRevisions: those that no change is known to have, and who must share them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace tubing::sim::detail {

/// An operation of unknown end that must have taken effect, above one revision and not above
/// another.
struct Demand {
  std::size_t at = 0;  ///< In the history.
  std::uint64_t above = 0;
  std::uint64_t last = 0;
  std::uint32_t gap = 0;  ///< Those of one part and gap took effect in their order.
  friend bool operator==(const Demand&, const Demand&) = default;
};

/// More demands than free revisions: those of `demands` lie above `above` and not above `last`,
/// where `room` are free. The demands are places in what was handed in.
struct Overfull {
  std::vector<std::size_t> demands;
  std::uint64_t above = 0;
  std::uint64_t last = 0;
  std::uint64_t room = 0;
};

/// Numbers from 1 on but for those that are claimed.
class FreeRevisions {
 public:
  FreeRevisions() = default;
  /// In any order, each once.
  explicit FreeRevisions(std::vector<std::uint64_t> claimed);

  /// The first that is not below `from`, and the last that is not above it.
  std::optional<std::uint64_t> next(std::uint64_t from) const;
  std::optional<std::uint64_t> previous(std::uint64_t from) const;
  /// How many lie above one and not above the other.
  std::uint64_t count(std::uint64_t above, std::uint64_t last) const;

  /// Gives each demand a revision of its own: those of one gap, which stand one behind another in
  /// `demands`, in their order. The earliest deadline first is exact for this.
  /// Returns: none where there is a way.
  std::optional<Overfull> share(std::vector<Demand> demands) const;

 private:
  bool tighten(std::vector<Demand>& demands) const;

  std::vector<std::uint64_t> claimed_;
  std::vector<std::uint64_t> run_first_;  ///< Of the run of claimed ones that each stands in.
  std::vector<std::uint64_t> run_last_;
};

}  // namespace tubing::sim::detail
