// tube pipe: standard input and output through a network channel, in both directions.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>

#include "tubing/channel/base/time.h"
#include "tubing/channel/stderr_writer.h"
#include "tubing/rpc/program.h"
#include "tubing/tube/cli/passphrase.h"
#include "tubing/tube/cli/progress.h"

namespace tubing::cli {

/// The service that both ends of a pipe speak: chunks each way. An empty one says that the sender's
/// input has ended; closing, that all that came was written too.
inline constexpr Service<Bytes, Bytes> kPipe{
    .name = "tube.pipe.v1", .capacity = 32, .channel_class = channel::ChannelClass::bulk};

/// The subcommand `pipe`. A listening end serves one channel and ends with it. Each direction ends
/// on its own: after the end of standard input, what comes goes on.
///
/// Exit status: 0 where both inputs ended in order and both outputs were written, 1 otherwise.
class PipeCommand {
 public:
  /// `wall_now` tells the time of each line of the log.
  /// Requires: `app` outlives the command, which must stay where it is.
  PipeCommand(CLI::App& app, std::function<WallTime()> wall_now);
  PipeCommand(const PipeCommand&) = delete;
  PipeCommand& operator=(const PipeCommand&) = delete;

  bool chosen() const { return pipe_->parsed(); }
  /// Requires: chosen().
  /// Returns: the exit status.
  int run();

 private:
  /// Prints a line to standard error.
  void say(std::string_view line, bool over_progress = false);
  int refuse(const Error& error);
  /// Asks on the terminal where the key needs a passphrase and no file was named.
  Result<Passphrase> read_passphrase() const;
  void add_options();
  /// Runs as `name_`, with the logger that the options ask for.
  int run_named();
  /// Nothing where no pre-shared key is wanted.
  Result<std::optional<crypto::Secret<crypto::kPskBytes>>> read_psk() const;
  /// Errors: failed_precondition for a suite that this processor does not have.
  Result<crypto::Suite> chosen_suite() const;
  Task<> main(rpc::Program& program);
  Task<> listen(rpc::Program& program);
  Task<> dial(rpc::Program& program);
  Task<> carry(rpc::Program& program, Duplex<Bytes, Bytes> peer);

  const std::function<WallTime()> wall_now_;
  StderrWriter out_;
  CLI::App* pipe_;
  std::string peer_;
  std::string listen_;
  std::string name_;
  std::string folder_;
  std::string passphrase_file_;
  std::string psk_file_;
  std::string suite_ = "chacha";
  bool progress_ = false;
  bool quiet_ = false;
};

}  // namespace tubing::cli
