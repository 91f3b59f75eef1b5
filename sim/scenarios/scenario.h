// Scenario: a world, programs in it, faults, and a judge; of one seed, and with one verdict.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/channel/base/time.h"
#include "tubing/channel/fields.h"

namespace tubing::sim {

class TraceSink;

/// What may be chosen. Each scenario names those that it knows; of the others it takes no notice.
struct ScenarioOptions {
  std::uint32_t hosts = 0;     ///< 0: as many as the scenario takes by itself; likewise below.
  std::uint64_t messages = 0;  ///< Of each ordered pair of hosts.
  bool byte_mode = false;      ///< Channels over rpc::Node and byte streams, instead of messages.
  /// Whether a schedule of faults is drawn where none is given. The rest of the world is the same.
  bool faults = true;
  /// The text of one to be used instead, which may have no fault at all; see Schedule.
  std::optional<std::string> schedule = {};
  /// The text of what clients do, to be used instead of what would be drawn; see Workload.
  std::optional<std::string> workload = {};
  /// One of the scenario's own mistakes, which it then makes; empty for none.
  std::string wrong = {};
  /// Whether the Outcome tells the history of what clients did and, of a violation, all that led
  /// to it, instead of its faults alone.
  bool history = false;

  static constexpr std::string_view type_name = "ScenarioOptions";
  static constexpr auto fields =
      tubing::fields("hosts", &ScenarioOptions::hosts, "messages", &ScenarioOptions::messages,
                     "byte_mode", &ScenarioOptions::byte_mode, "faults", &ScenarioOptions::faults,
                     "schedule", &ScenarioOptions::schedule, "workload", &ScenarioOptions::workload,
                     "wrong", &ScenarioOptions::wrong, "history", &ScenarioOptions::history);
};

struct Outcome;

/// Who looks on. None changes what happens.
struct ScenarioSinks {
  TraceSink* trace = nullptr;
  /// Told once, when all is drawn and nothing has begun: an Outcome with schedule, workload and
  /// story alone. What it was told outlives a run that ends by an assertion.
  const std::function<void(const Outcome&)>* planned = nullptr;
};

/// How often something happened, by its name.
struct Tally {
  std::string name;
  std::uint64_t count = 0;

  static constexpr std::string_view type_name = "Tally";
  static constexpr auto fields = tubing::fields("name", &Tally::name, "count", &Tally::count);
};

/// What a run came to. All of it follows from scenario, seed and options.
struct Outcome {
  std::string violation = {};  ///< What did not hold; empty for nothing.
  /// Its class, the same for every run that fails in this way: "linearizability", "assertion
  /// 'n > 0'". A scenario that leaves it empty gets failure_class(violation).
  std::string failure = {};
  std::string hash = {};           ///< Over every event.
  std::uint64_t events = 0;        ///< That went into the hash.
  std::uint64_t operations = 0;    ///< That were done, and whose effect was judged.
  std::uint64_t begun = 0;         ///< Operations that were begun; those and more.
  std::uint64_t known = 0;         ///< Of these, whose outcome is known to who began them.
  std::vector<Tally> faults = {};  ///< How often each took effect.
  Duration simulated{};
  std::string schedule = {};  ///< The faults that were ordered, as text; see Schedule.
  std::string story = {};     ///< The same in words; with a history perhaps more.
  std::string workload = {};  ///< What clients did, as text; see Workload.
  std::string history = {};   ///< Where it was asked for: as history_line writes it.

  static constexpr std::string_view type_name = "Outcome";
  static constexpr auto fields =
      tubing::fields("violation", &Outcome::violation, "failure", &Outcome::failure, "hash",
                     &Outcome::hash, "events", &Outcome::events, "operations", &Outcome::operations,
                     "begun", &Outcome::begun, "known", &Outcome::known, "faults", &Outcome::faults,
                     "simulated_ns", &Outcome::simulated, "schedule", &Outcome::schedule, "story",
                     &Outcome::story, "workload", &Outcome::workload, "history", &Outcome::history);
};

struct Scenario {
  std::string_view name;
  std::string_view summary;  ///< One line for people.
  std::string_view options;  ///< Those of ScenarioOptions that it knows, by spaces.
  Outcome (*run)(std::uint64_t seed, const ScenarioOptions& options, const ScenarioSinks& sinks);
  /// Errors: invalid_argument for options that cannot be meant, as a schedule that is none.
  Result<> (*check)(const ScenarioOptions& options);
  /// The names of the faults that must take effect somewhere in a campaign.
  std::vector<std::string> (*faults)(const ScenarioOptions& options);
  /// Mistakes that it makes where it is told to, by spaces; see ScenarioOptions::wrong.
  std::string_view wrongs = {};
  /// The hosts that a schedule may name, for people, where ScenarioOptions::hosts says nothing.
  std::string_view hosts = {};

  bool knows(std::string_view option) const;
  bool errs(std::string_view wrong) const;
};

/// The class of a seed that did not run, since its world cannot have what the options say: a
/// schedule names a host that this seed did not draw.
inline constexpr std::string_view kRefused = "refused";
Outcome refused(const Error& why);

/// What kind of failure this is, without what differs from run to run: its first line with N for
/// each number; of an assertion, the condition that did not hold.
std::string failure_class(std::string_view violation);

/// All there are, in the order of their names.
std::span<const Scenario> scenarios();
/// Null where none has this name.
const Scenario* find_scenario(std::string_view name);

}  // namespace tubing::sim
