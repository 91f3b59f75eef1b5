// Program: a process with a name and keys of its own, ready to serve and to dial.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "tubing/channel/go.h"
#include "tubing/channel/uv_reactor.h"
#include "tubing/rpc/node.h"

namespace tubing::rpc {

struct ProgramOptions {
  std::string name = {};             ///< Whose key: NAME.key and NAME.cert in the key folder.
  std::string key_folder = {};       ///< Empty: $TUBING_KEYS, else the folder tubing in ~/.config.
  std::string_view passphrase = {};  ///< Of the key file, lent for `make`; empty: it has none.
  Logger* logger = nullptr;
  NodeLimits limits = {};
  /// As in NodeParts; lent for as long as the program lives.
  std::span<const crypto::Suite> suites = crypto::kDefaultSuites;
  const crypto::Secret<crypto::kPskBytes>* psk = nullptr;
};

/// Everything that a program over TCP is made of, joined: the libuv loop, a Scheduler on it, the
/// system's entropy, the keys of `name`, and a Node. `tube key new NAME` makes the keys.
///
/// Threads: the one that made it.
class Program {
 public:
  /// Errors: not_found for missing keys, with the command that makes them; those of reading them.
  static Result<std::unique_ptr<Program>> make(const ProgramOptions& options);
  ~Program();

  Node& node();
  Scheduler& scheduler();
  channel::UvReactor& reactor();

  /// Runs `main_task` to its end, then says goodbye to the peers.
  /// Returns: how the task ended.
  Result<> run(Task<> main_task);

 private:
  struct Parts;
  explicit Program(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// Makes a Program, runs `main_task` in it, and returns the exit status: 0, or 1 after printing the
/// error to standard error.
///
///     int main() {
///       return rpc::run_program({.name = "alice"},
///                               [](rpc::Program& p) { return work(p.node()); });
///     }
int run_program(const ProgramOptions& options, const std::function<Task<>(Program&)>& main_task);

}  // namespace tubing::rpc
