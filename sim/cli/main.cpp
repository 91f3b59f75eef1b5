// tubesim: runs the scenarios of the simulator.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "tubing/channel/base/version.h"
#include "tubing/sim/cli/check_command.h"
#include "tubing/sim/cli/run_command.h"
#include "tubing/sim/cli/run_report.h"

namespace {

/// Returns `status`, or 2 where what was printed could not be written, and says so.
int exit_status(int status) {
  if (tubing::cli::all_written(stdout) && std::cout.flush().good()) return status;
  tubing::cli::put(stderr, "tubesim: standard output could not be written; is its disk full?\n");
  return tubing::cli::kExitUsage;
}

/// Empty where the first word is a command, or an option.
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (argc > 1 && command->get_name() == argv[1]) return {};
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  if (argc < 2) return fmt::format("say what to do: {}", names);
  if (argv[1][0] == '-') return {};
  return fmt::format("there is no command '{}'; there are: {}", argv[1], names);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs programs, networks and disks in a deterministic world, from a seed.",
               "tubesim");
  app.set_version_flag("--version", fmt::format("tubesim {}", tubing::kLibraryVersion),
                       "Print the version of the library");
  app.require_subcommand(1);
  CLI::App* list = app.add_subcommand("list", "Show the scenarios");
  tubing::cli::RunCommand run(app);
  tubing::cli::CheckCommand check(app);
  app.footer(
      "Examples:\n"
      "  tubesim run grid --seeds 1..1000 --check   every seed twice, compared event by event\n"
      "  tubesim run grid --seed 7 --trace t.txt    one seed, each event of it in a file\n"
      "  tubesim run grid --seed 7 --schedule s.txt one seed, with the faults of a file\n"
      "  tubesim check h.jsonl --model register     whether a recorded history is legal\n"
      "Exit status: 0 all passed, 1 a violation, 2 not as asked for, 130 interrupted.");
  if (const std::string unknown = unknown_command(app, argc, argv); !unknown.empty()) {
    tubing::cli::put(stderr, fmt::format("tubesim: {}; see tubesim --help\n", unknown));
    return tubing::cli::kExitUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // What asks for help, or for the version, is thrown too.
    if (error.get_exit_code() == 0) return exit_status(app.exit(error));
    const std::string command = argv[1][0] == '-' ? "" : fmt::format(" {}", argv[1]);
    tubing::cli::put(stderr,
                     fmt::format("tubesim: {}; see tubesim{} --help\n", error.what(), command));
    return tubing::cli::kExitUsage;
  }
  if (list->parsed()) {
    tubing::cli::put(stdout, tubing::cli::list_text());
    return exit_status(tubing::cli::kExitOk);
  }
  return exit_status(check.chosen() ? check.run() : run.run());
}
