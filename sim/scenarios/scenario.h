// Scenario: a world, programs in it, faults, and a judge; of one seed, and with one verdict.
#pragma once

#include <cstdint>
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
  bool faults = true;          ///< Whether a schedule of faults is drawn where none is given.
  /// The text of one to be used instead, which may have no fault at all; see Schedule.
  std::optional<std::string> schedule = {};
};

/// Who looks on. None changes what happens.
struct ScenarioSinks {
  TraceSink* trace = nullptr;
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
  std::string violation = {};      ///< What did not hold; empty for nothing.
  std::string hash = {};           ///< Over every event.
  std::uint64_t events = 0;        ///< That went into the hash.
  std::uint64_t operations = 0;    ///< That were done, and whose effect was judged.
  std::uint64_t begun = 0;         ///< Operations that were begun; those and more.
  std::uint64_t known = 0;         ///< Of these, whose outcome is known to who began them.
  std::vector<Tally> faults = {};  ///< How often each took effect.
  Duration simulated{};
  std::string schedule = {};  ///< The faults that were ordered, as text; see Schedule.
  std::string story = {};     ///< The same in words.

  static constexpr std::string_view type_name = "Outcome";
  static constexpr auto fields =
      tubing::fields("violation", &Outcome::violation, "hash", &Outcome::hash, "events",
                     &Outcome::events, "operations", &Outcome::operations, "begun", &Outcome::begun,
                     "known", &Outcome::known, "faults", &Outcome::faults, "simulated_ns",
                     &Outcome::simulated, "schedule", &Outcome::schedule, "story", &Outcome::story);
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

  bool knows(std::string_view option) const;
};

/// All there are, in the order of their names.
std::span<const Scenario> scenarios();
/// Null where none has this name.
const Scenario* find_scenario(std::string_view name);

}  // namespace tubing::sim
