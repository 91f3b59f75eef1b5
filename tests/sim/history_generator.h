// Histories by construction: of objects that take each operation in one instant.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tubing/channel/base/prng.h"
#include "tubing/sim/judges/history.h"

namespace tubing::sim {

/// How many ask what of whom, and how long it takes.
struct HistoryPlan {
  std::size_t operations = 100;
  std::uint64_t clients = 5;
  std::uint64_t keys = 1;
  std::uint64_t values = 5;
  std::uint64_t unknown_per_million = 20'000;
  std::uint64_t failed_per_million = 0;
  std::int64_t span_max_ns = 100;  ///< Of an operation; short ones make many equal times.
  std::int64_t pause_max_ns = 20;  ///< Of a client, between two.
};

/// A service as it should be: each operation takes effect in one instant.
class AtomicObject {
 public:
  virtual ~AtomicObject() = default;
  /// Draws what a client asks for: the name and the arguments of an operation.
  virtual void ask(Operation& operation, Prng& prng, const HistoryPlan& plan) = 0;
  /// Takes effect now. Returns: the results.
  virtual std::vector<NamedValue> act(const Operation& operation) = 0;
};

/// "register", "cas", "list", "lock" or "queue".
std::unique_ptr<AtomicObject> atomic_object(std::string_view model);

/// Clients that call one operation after another. Each takes effect at a drawn time between its
/// call and its return; one of unknown end at any later time, or never. The history is legal.
History draw_history(const HistoryPlan& plan, AtomicObject& object, Prng& prng);

/// One result of one operation becomes that of another, or one operation that was known to end
/// takes another time: the history may be illegal.
void mutate(History& history, Prng& prng);

/// Behind the end of a history of registers, on k0: reads that see `value` again and again,
/// each right behind a write of another, and one more often than operations of unknown end could
/// have brought it back. Illegal, whatever else the history holds.
void add_stale_reads(History& history, const Value& value, const Value& other);

}  // namespace tubing::sim
