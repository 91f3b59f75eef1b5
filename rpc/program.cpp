#include "tubing/rpc/program.h"

#include "tubing/channel/stdio.h"
#include "tubing/crypto/key_set.h"
#include "tubing/crypto/system_entropy.h"
#include "tubing/rpc/tcp_transport.h"

namespace tubing::rpc {
namespace {

/// How long a program that ends waits for its peers to hear goodbye.
constexpr Duration kGoodbyeTimeMax = std::chrono::seconds(2);

Prng::Seed draw_seed(crypto::Entropy& entropy) {
  Prng::Seed seed{};
  entropy.fill(std::as_writable_bytes(std::span(seed)));
  return seed;
}

}  // namespace

struct Program::Parts {
  Parts(crypto::Credentials creds, crypto::Trust trusted, const ProgramOptions& options)
      : scheduler(reactor, Prng(draw_seed(entropy))),
        transport(reactor, options.logger),
        credentials(std::move(creds)),
        trust(std::move(trusted)),
        node(std::in_place,
             NodeParts{scheduler, transport, entropy, credentials, trust, options.logger,
                       options.suites, options.psk},
             options.limits) {}

  crypto::SystemEntropy entropy;
  channel::UvReactor reactor;
  Scheduler scheduler;
  TcpTransport transport;
  crypto::Credentials credentials;
  crypto::Trust trust;
  std::optional<Node> node;
};

Program::Program(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Program::~Program() = default;

Result<std::unique_ptr<Program>> Program::make(const ProgramOptions& options) {
  reserve_standard_descriptors();
  crypto::SystemEntropy entropy;
  Result<crypto::KeySet> keys =
      crypto::read_key_set(options.key_folder, options.name, options.passphrase);
  if (!keys) return std::move(keys).error();
  Result<crypto::Credentials> credentials = crypto::Credentials::make(
      keys->identity, keys->certificate, crypto::X25519KeyPair::generate(entropy),
      keys->certificate.claims.not_after);
  if (!credentials) return std::move(credentials).error();
  return std::unique_ptr<Program>(new Program(std::make_unique<Parts>(
      *std::move(credentials), crypto::Trust::ca_only(std::move(keys->authorities)), options)));
}

Node& Program::node() { return *parts_->node; }
Scheduler& Program::scheduler() { return parts_->scheduler; }
channel::UvReactor& Program::reactor() { return parts_->reactor; }

Result<> Program::run(Task<> main_task) {
  Result<> result = parts_->scheduler.run(std::move(main_task));
  // A peer that does not answer goodbye does not change how the task ended.
  (void)parts_->scheduler.run(node().close(within(kGoodbyeTimeMax)));
  return result;
}

int run_program(const ProgramOptions& options, const std::function<Task<>(Program&)>& main_task) {
  Result<std::unique_ptr<Program>> program = Program::make(options);
  if (!program) return exit_status(std::move(program).error());
  return exit_status((*program)->run(main_task(**program)));
}

}  // namespace tubing::rpc
