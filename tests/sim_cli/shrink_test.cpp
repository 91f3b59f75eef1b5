#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/sim_cli/folder.h"
#include "tubing/sim/judges/history.h"

using tubing::cli::content_of;
using tubing::cli::Finished;
using tubing::cli::Folder;
using tubing::cli::kFolder;
using tubing::cli::tubesim_in_folder;

namespace {

/// The rest of the line behind `words`.
std::string behind(const std::string& text, const std::string& words) {
  const std::size_t at = text.find(words);
  REQUIRE(at != std::string::npos);
  const std::size_t begin = at + words.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

TEST_CASE("tubesim cuts the first failing seed down and tells its story and how to repeat it") {
  const Folder folder;
  const Finished run =
      tubesim_in_folder("run register --seeds 1..20 --quiet --wrong one_replica_reads --shrink");
  CHECK(run.status == 1);
  CHECK(run.out.contains(" are enough"));
  CHECK(run.out.contains("what happened:\n"));
  CHECK(run.out.contains(" reads "));
  const std::string told = run.out.substr(run.out.find("are enough"));
  const std::string command = behind(told, "to repeat it: tubesim ");
  CHECK(command.contains("--wrong one_replica_reads"));
  const Finished again = tubesim_in_folder(command);
  CHECK(again.status == 1);
  const std::string violation = behind(told, "what did not hold:\n");
  CHECK(again.out.contains(violation));
  const std::string fails =
      behind(run.out.substr(run.out.rfind("\nseed ", run.out.find(" are enough"))), "\nseed ");
  const std::string seed = fails.substr(0, fails.find(' '));
  CHECK(behind(run.out, "register seed=").starts_with(seed + " "));
  const auto history = tubing::sim::read_history(content_of("register-" + seed + "-history.jsonl"));
  REQUIRE(history);
  CHECK(history->size() >= 2);
  CHECK(history->size() < 30);
}

TEST_CASE("what is cut down with the draws of another seed is repeated with those") {
  const Folder folder;
  bool found = false;
  for (const std::string wrong :
       {"no_sync", "no_write_back", "small_quorum", "no_tie_break", "one_replica_reads"}) {
    if (found) break;
    const Finished run =
        tubesim_in_folder("run register --seeds 1..200 --quiet --shrink --wrong " + wrong);
    const std::size_t enough = run.out.find(" are enough with the draws of seed ");
    if (enough == std::string::npos) continue;
    found = true;
    const std::string told = behind(run.out.substr(enough), "draws of seed ");
    const std::string seed = told.substr(0, told.find(','));
    const std::string command = behind(run.out.substr(enough), "to repeat it: tubesim ");
    CHECK(command.contains("--seed " + seed + " "));
    CHECK(tubesim_in_folder(command).status == 1);
  }
  CHECK(found);
}

TEST_CASE("tubesim tells of a shrunk seed as JSON where it is asked to") {
  const Folder folder;
  const Finished run =
      tubesim_in_folder("run register --seeds 1..20 --quiet --wrong small_quorum --shrink --json");
  CHECK(run.status == 1);
  CHECK(run.out.contains("\"failure\":\"linearizability\""));
  CHECK(run.out.contains("\"operations_before\":"));
  CHECK(run.out.contains("\"complete\":true"));
  CHECK(run.out.contains("\"repeat\":\"tubesim run register --seed "));
}

TEST_CASE("tubesim shrinks nothing where nothing fails") {
  const Folder folder;
  const Finished run = tubesim_in_folder("run register --seeds 1..3 --quiet --shrink");
  CHECK(run.status == 0);
  CHECK_FALSE(run.out.contains("are enough"));
  CHECK(std::filesystem::is_empty(kFolder));
}

TEST_CASE("tubesim keeps a workload and a history, and runs the workload again to the same hash") {
  const Folder folder;
  const Finished drawn =
      tubesim_in_folder("run register --seed 6 --keep-workload w --keep-schedule s --history h");
  CHECK(drawn.status == 0);
  const auto history = tubing::sim::read_history(content_of("h"));
  REQUIRE(history);
  CHECK(history->size() > 20);
  const Finished given = tubesim_in_folder("run register --seed 6 --workload w --schedule s");
  CHECK(given.status == 0);
  CHECK(given.out == drawn.out);
  std::ofstream(kFolder / "w") << "c1 +1ms read a\nc1 +1ms push a\n";
  const Finished refused = tubesim_in_folder("run register --seed 6 --workload w");
  CHECK(refused.status == 2);
  CHECK(refused.err.contains("w: line 2: there is no operation 'push'"));
}

TEST_CASE("tubesim refuses files and mistakes that a run cannot have") {
  const Folder folder;
  const auto advice = [](const std::string& arguments) {
    const Finished refused = tubesim_in_folder(arguments);
    CHECK(refused.status == 2);
    return refused.err;
  };
  CHECK(advice("run grid --seed 1 --history h").contains("grid does not know history"));
  CHECK(advice("run grid --seed 1 --workload w").contains("grid does not know workload"));
  CHECK(advice("run grid --seed 1 --wrong odd").contains("grid does not know wrong"));
  CHECK(advice("run register --seed 1 --wrong odd").contains("no mistake 'odd'; it has: no_sync"));
  CHECK(advice("run register --seeds 1..2 --history h").contains("use --seed N --history FILE"));
  CHECK(advice("run register --seeds 1..2 --keep-workload h").contains("--keep-workload FILE"));
  CHECK(advice("run register --seed 1 --hosts 9").contains("3 to 5 replicas"));
}
