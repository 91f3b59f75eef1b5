// tube pipe: standard input and output through a network channel, in both directions.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "tubing/channel/logger.h"
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
  /// Requires: `app` outlives the command, which must stay where it is.
  explicit PipeCommand(CLI::App& app);
  PipeCommand(const PipeCommand&) = delete;
  PipeCommand& operator=(const PipeCommand&) = delete;

  bool chosen() const { return pipe_->parsed(); }
  /// Requires: chosen().
  /// Returns: the exit status.
  int run();

 private:
  /// Asks on the terminal where the key needs a passphrase and no file was named.
  Result<Passphrase> read_passphrase() const;
  Task<> main(rpc::Program& program);
  Task<> listen(rpc::Program& program);
  Task<> dial(rpc::Program& program);
  Task<> carry(rpc::Program& program, Duplex<Bytes, Bytes> peer);

  CLI::App* pipe_;
  std::string peer_;
  std::string listen_;
  std::string name_;
  std::string folder_;
  std::string passphrase_file_;
  bool progress_ = false;
  bool quiet_ = false;
};

}  // namespace tubing::cli
