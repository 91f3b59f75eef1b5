// tubesim: runs the scenarios of the simulator.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "tubing/channel/base/version.h"
#include "tubing/sim/cli/run_command.h"
#include "tubing/sim/cli/run_report.h"

namespace {

/// Returns `status`, or 2 where what was printed could not be written, and says so.
int exit_status(int status) {
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written && std::cout.flush().good()) return status;
  tubing::cli::put(stderr, "tubesim: standard output could not be written; is its disk full?\n");
  return tubing::cli::kExitUsage;
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
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_status(tubing::cli::kExitOk) : tubing::cli::kExitUsage;
  }
  if (list->parsed()) {
    tubing::cli::put(stdout, tubing::cli::list_text());
    return exit_status(tubing::cli::kExitOk);
  }
  return exit_status(run.run());
}
