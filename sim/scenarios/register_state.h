// RegisterState: what the programs of one run of the scenario `register` have in common.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tubing/sim/judges/history.h"
#include "tubing/sim/process.h"
#include "tubing/sim/scenarios/register_messages.h"
#include "tubing/sim/workload.h"

namespace tubing::sim {

/// What it does wrong where it is told to; ScenarioOptions::wrong names them.
enum class RegisterFlaw : std::uint8_t {
  none,
  no_sync,            ///< A replica answers before what it stored is synced.
  no_tie_break,       ///< Of two writes with one counter a replica keeps the one that came first.
  no_write_back,      ///< A read leaves what it found where it is.
  one_replica_reads,  ///< A read asks for one answer, and writes nothing back.
  small_quorum,       ///< Half of the replicas, or less, are enough for every round.
};
/// None for a name that is none of kRegisterWrongs; `none` for "".
std::optional<RegisterFlaw> register_flaw(std::string_view name);

/// What happened to replicas, beside what clients saw; for the story.
struct RegisterNote {
  enum class Kind : std::uint8_t {
    stored,    ///< A replica took an entry over.
    ignored,   ///< It has one with the same counter, by another client, and kept it for the first
               ///< time.
    returned,  ///< It is back after a crash, and found this entry on its disk.
  };
  Time at{};
  Kind kind = Kind::stored;
  std::size_t replica = 0;
  std::uint32_t key = 0;
  RegisterEntry entry = {};
  std::string kept = {};  ///< Of `ignored`: the value that it has.
};

/// The rounds of one operation: which replicas answered, as far as the client waited for them.
struct RegisterRounds {
  std::vector<std::size_t> asked;
  std::vector<std::size_t> stored;
};

struct RegisterState {
  RegisterFlaw flaw = RegisterFlaw::none;
  std::size_t replicas = 3;
  std::size_t clients = 2;
  std::vector<std::string> keys;
  Time healed{};  ///< From then on nothing goes wrong any more.

  std::vector<Workload> steps;    ///< By client, from 0.
  std::vector<std::size_t> next;  ///< By client: the step that is due; it outlives crashes.
  std::size_t clients_to_do = 0;

  Recorder recorder;
  std::vector<RegisterNote> notes;
  std::vector<RegisterRounds> rounds;  ///< By operation of the recorder's history.

  static std::string replica_name(std::size_t replica) { return "n" + std::to_string(replica); }
  static std::string client_name(std::size_t client) { return "c" + std::to_string(client + 1); }
  std::size_t quorum() const {
    const std::size_t majority = replicas / 2 + 1;
    return flaw == RegisterFlaw::small_quorum ? majority - 1 : majority;
  }
};

}  // namespace tubing::sim
