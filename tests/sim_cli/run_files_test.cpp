#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/sim_cli/folder.h"

using tubing::cli::content_of;
using tubing::cli::Finished;
using tubing::cli::Folder;
using tubing::cli::kFolder;
using tubing::cli::tubesim_in_folder;

namespace {

/// What it says of a run that it refuses before anything happens.
std::string refusal(const std::string& arguments) {
  CAPTURE(arguments);
  const Finished refused = tubesim_in_folder(arguments);
  CHECK(refused.status == 2);
  CHECK(refused.out.empty());
  CHECK_MESSAGE(refused.err.starts_with("tubesim: "), refused.err);
  CHECK(std::count(refused.err.begin(), refused.err.end(), '\n') == 1);
  return refused.err;
}

}  // namespace

TEST_CASE("tubesim refuses a file whose name is empty") {
  const Folder folder;
  for (const std::string option :
       {"--schedule", "--keep-schedule", "--workload", "--keep-workload", "--history", "--trace"}) {
    const std::string told = refusal("run register --seed 1 " + option + " ''");
    CHECK_MESSAGE(told.contains(option + ": the name of a file is empty; give one"), told);
  }
  CHECK(refusal("check --model register ''").contains("the name of a file is empty; give one"));
  CHECK(refusal("run register --seed 1 --wrong ''").contains("no mistake ''; it has: no_sync"));
}

TEST_CASE("tubesim begins all that it refuses with its name, and ends with who knows more") {
  const Folder folder;
  CHECK(refusal("run grid").contains("--seed is required; see tubesim run --help"));
  CHECK(refusal("run --seed 1").contains("scenario is required; see tubesim run --help"));
  CHECK(refusal("run grid --seed 1 --odd").contains("--odd; see tubesim run --help"));
  CHECK(refusal("run grid --seed 1 --hosts x").contains("; see tubesim run --help"));
  CHECK(refusal("check h --judge odd").contains("; see tubesim check --help"));
  CHECK(refusal("--odd").contains("; see tubesim --help"));
}

TEST_CASE("tubesim takes its scenario behind the seeds as well as before them") {
  const Folder folder;
  const Finished before = tubesim_in_folder("run files --seeds 1..2 --seed 5");
  CHECK(before.status == 0);
  CHECK(before.out.contains("files seed=5 "));
  CHECK(tubesim_in_folder("run --seeds 1..2 files --seed 5").out == before.out);
  CHECK(tubesim_in_folder("run --seeds 1..2 --seed 5 files").out == before.out);
  CHECK(refusal("run files --seeds 1 2").contains("not expected: 2"));
}

TEST_CASE("tubesim opens what it will write before it runs anything") {
  const Folder folder;
  std::ofstream(kFolder / "old") << "1s heal\n";
  for (const std::string option : {"--keep-schedule", "--keep-workload", "--history", "--trace"}) {
    const std::string others =
        option == "--keep-schedule" ? " --history new" : " --keep-schedule new";
    CHECK(refusal("run register --seed 1 " + option + " /no/folder/x" + others)
              .contains("/no/folder/x cannot be written: No such file or directory"));
    CHECK(refusal("run register --seed 1 " + option + " .").contains("Is a directory"));
  }
  CHECK(refusal("run register --seed 1 --keep-schedule old --trace /no/x").contains("/no/x"));
  CHECK(content_of("old") == "1s heal\n");
  CHECK_FALSE(std::filesystem::exists(kFolder / "new"));
}

TEST_CASE("tubesim writes no file twice, nor one that it reads") {
  const Folder folder;
  std::ofstream(kFolder / "old") << "1s heal\n";
  std::filesystem::create_symlink("old", kFolder / "link");
  CHECK(refusal("run register --seed 1 --trace t --keep-schedule t")
            .contains("--keep-schedule and --trace name the same file, t; name two"));
  CHECK(refusal("run register --seed 1 --history t --keep-workload ./t")
            .contains("--keep-workload and --history name the same file, t; name two"));
  CHECK(refusal("run register --seed 1 --schedule old --trace link")
            .contains("--schedule and --trace name the same file, link; name two"));
  CHECK(content_of("old") == "1s heal\n");
  CHECK_FALSE(std::filesystem::exists(kFolder / "t"));
  const Finished both =
      tubesim_in_folder("run register --seed 1 --keep-schedule /dev/null --history /dev/null");
  CHECK(both.status == 0);
}

TEST_CASE("tubesim puts what it writes in the place of all that a file held") {
  const Folder folder;
  std::ofstream(kFolder / "s") << std::string(100'000, '#');
  CHECK(tubesim_in_folder("run files --seed 1 --keep-schedule s --trace t").status == 0);
  CHECK(content_of("s").contains(" heal"));
  CHECK_FALSE(content_of("s").contains('#'));
  CHECK(content_of("t").ends_with("]\n"));
}

TEST_CASE("tubesim ends a campaign as soon as what it tells cannot be written") {
  tubing::cli::Process full({TUBESIM_PROGRAM, "run", "grid", "--seeds", "1..1000000000"}, {},
                            {.out = "/dev/full"});
  const Finished ended = full.finish();
  CHECK(ended.status == 2);
  CHECK(ended.err == "tubesim: standard output could not be written; is its disk full?\n");
}

TEST_CASE("tubesim tells a story although its files cannot be written") {
  const Folder folder;
  for (int seed = 1; seed <= 20; ++seed)
    std::filesystem::create_directory(kFolder /
                                      ("register-" + std::to_string(seed) + "-schedule.txt"));
  const Finished run =
      tubesim_in_folder("run register --seeds 1..20 --quiet --wrong one_replica_reads --shrink");
  CHECK(run.status == 1);
  CHECK(run.out.contains("what happened:\n"));
  CHECK(run.out.contains("its workload:\n    c"));
  CHECK(run.err.contains("-schedule.txt cannot be written: Is a directory"));
}

TEST_CASE("tubesim refuses a schedule with a host that a seed did not draw") {
  const Folder folder;
  std::ofstream(kFolder / "s") << "1s cut n0 -> c5\n";
  for (const std::string seeds : {"1", "1..40"}) {
    const std::string told = refusal("run register --quiet --schedule s --seeds " + seeds);
    CHECK(told.starts_with("tubesim: seed 1 has no world for what it is given: "));
    CHECK(told.contains("no host is called 'c5'; there are c1, c2, c3,"));
  }
}
