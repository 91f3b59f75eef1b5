// Objects that count revisions, and the tables of a key-value store as one of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/history_generator.h"

namespace tubing::sim {

/// Any object, as a service that tells at which revision it answered: each operation that is not a
/// read takes the next one, or one of those behind it.
class Revisioned final : public AtomicObject {
 public:
  /// `skipped_max`: revisions that nobody takes before one that somebody does.
  Revisioned(std::unique_ptr<AtomicObject> object, Prng& prng, std::uint64_t skipped_max)
      : object_(std::move(object)), prng_(prng), skipped_max_(skipped_max) {}

  void ask(Operation& operation, Prng& prng, const HistoryPlan& plan) override {
    object_->ask(operation, prng, plan);
  }
  std::vector<NamedValue> act(const Operation& operation) override;

 private:
  std::unique_ptr<AtomicObject> object_;
  Prng& prng_;
  const std::uint64_t skipped_max_;
  std::int64_t revision_ = 0;
};

/// Moves what Revisioned told to where it belongs.
void settle_revisions(History& history);

/// A history of `model` ("map" too) whose answers carry revisions; legal.
History draw_revisions(std::string_view model, const HistoryPlan& plan, Prng& prng,
                       std::uint64_t skipped_max = 1);

/// What the map that draw_revisions has may be asked.
enum class MapWords : std::uint8_t { keys, ranges, tables };

/// A store of tables. It keeps what it did at each change, unknown to the clients or not.
std::unique_ptr<AtomicObject> make_map_object(MapWords words, bool versions);

}  // namespace tubing::sim
