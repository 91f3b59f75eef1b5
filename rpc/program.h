// Program: a process with a name and keys of its own, ready to serve and to dial.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "tubing/channel/go.h"
#include "tubing/channel/stderr_writer.h"
#include "tubing/channel/uv_reactor.h"
#include "tubing/rpc/node.h"

namespace tubing::rpc {

struct ProgramOptions {
  std::string name = {};             ///< Whose key: NAME.key and NAME.cert in the key folder.
  std::string key_folder = {};       ///< Empty: $TUBING_KEYS, else the folder tubing in ~/.config.
  std::string_view passphrase = {};  ///< Of the key file, lent for `make`; empty: it has none.
  Logger* logger = nullptr;
  StderrWriter* standard_error = nullptr;  ///< For what is printed there; null: one of its own.
  NodeLimits limits = {};
  /// As in NodeParts; lent for as long as the program lives.
  std::span<const crypto::Suite> suites = crypto::kDefaultSuites;
  const crypto::Secret<crypto::kPskBytes>* psk = nullptr;
  /// Which files of the key folder say whom to believe: those that crypto::read_trust() lists. With
  /// tofu, `known_servers` is for whom we dial and `known_clients` for who dials us; absent: nobody
  /// is believed; writable: who comes first under a name is, and is added; read-only: who stands
  /// there. `revoked` counts in every mode.
  crypto::Trust::Mode trust = crypto::Trust::Mode::ca_only;
  /// The process is this program's: SIGHUP calls reload(), SIGQUIT prints report() on standard
  /// error, and both let it run on; what a reload has read is told there, unless only errors are
  /// wanted; without a logger, one prints there what $TUBING_LOG says (see
  /// StderrLogger). Neither signal keeps a program awake whose tasks all sleep. A SIGHUP that says
  /// that the terminal has gone ends the process, as usual.
  bool owns_process = false;
};

/// Everything that a program over TCP is made of, joined: the libuv loop, a Scheduler on it, the
/// system's entropy, the keys of `name`, and a Node. `tube key new NAME` makes the keys.
///
/// It keeps its secret key, in locked memory, so that reload() needs no passphrase.
///
/// Threads: the one that made it.
class Program {
 public:
  /// Errors: not_found for missing keys, with the command that makes them; those of reading them
  /// and of crypto::read_trust(); unauthenticated where our own certificate has expired, is not
  /// valid yet, or is not of an authority that we believe: every peer would refuse it.
  static Result<std::unique_ptr<Program>> make(const ProgramOptions& options);
  ~Program();

  Node& node();
  Scheduler& scheduler();
  channel::UvReactor& reactor();

  /// Runs `main_task` to its end, then says goodbye to the peers. Whom tofu has learned is written
  /// meanwhile, off the loop, and at the end; the logger is told where that fails.
  /// Returns: how the task ended.
  Result<> run(Task<> main_task);

  /// Reads the trust files and NAME.cert again, off the loop, and puts them in force. Sessions with
  /// peers that are believed no more end, peers are shown a certificate that lasts longer, and the
  /// logger is told what has changed. Those that call it at the same time go one after the other.
  ///
  /// NAME.key is not read again: a new key, another name, suites and a pre-shared key need a
  /// restart. Errors: of a trust file or the certificate, with its name, and with both or all of
  /// them; what a bad file said before stays in force, and every other one is taken all the same.
  Task<> reload();

  /// What waits, and what the node's sessions and channels hold and have done; see report_text().
  std::string report() const;

 private:
  struct Parts;
  explicit Program(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// Makes a Program that owns the process, whatever `options.owns_process` says, runs `main_task` in
/// it, and returns the exit status: 0, or 1 after printing the error to standard error.
///
///     int main() {
///       return rpc::run_program({.name = "alice"},
///                               [](rpc::Program& p) { return work(p.node()); });
///     }
int run_program(const ProgramOptions& options, const std::function<Task<>(Program&)>& main_task);

}  // namespace tubing::rpc
