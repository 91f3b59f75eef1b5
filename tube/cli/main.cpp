// tube: the program for people who run Tubing.
#include <fmt/format.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "tubing/channel/base/version.h"
#include "tubing/crypto/system_entropy.h"
#include "tubing/tube/cli/key_command.h"
#include "tubing/tube/cli/pipe_command.h"

namespace {

/// The one reading of the wall clock; all that need it are given it.
tubing::WallTime wall_time() {
  ::timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return {static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec};
}

std::string version_text() {
  return fmt::format("tube {}\nwire format {}\ncertificate format {}", tubing::kLibraryVersion,
                     tubing::kWireVersion, tubing::kCertificateVersion);
}

/// Returns `status`, or 1 where what was printed could not be written, and says so, with what was
/// changed all the same: a script must not take half a key's description for a whole one.
int exit_status(int status, const std::string& change = "") {
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written && std::cout.flush().good()) return status;
  const bool changed = status == tubing::cli::kExitOk && !change.empty();
  fmt::print(stderr, "tube: standard output could not be written; is its disk full, or closed?{}\n",
             changed ? " Still, " + change : "");
  return tubing::cli::kExitRefused;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Go's channels for C++, stretched over an encrypted network.", "tube");
  app.set_version_flag("--version", version_text(), "Print the versions of library and formats");
  app.require_subcommand(1);
  tubing::crypto::SystemEntropy entropy;
  tubing::cli::KeyCommand key(app, entropy, wall_time());
  tubing::cli::PipeCommand pipe(app, wall_time);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_status(tubing::cli::kExitOk) : tubing::cli::kExitUsage;
  }
  if (key.chosen()) return exit_status(key.run(), key.change());
  return pipe.chosen() ? pipe.run() : tubing::cli::kExitUsage;
}
