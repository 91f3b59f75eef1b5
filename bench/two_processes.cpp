#include "two_processes.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>

#include "tubing/channel/uv_reactor.h"
#include "tubing/crypto/authority.h"
#include "tubing/crypto/system_entropy.h"
#include "tubing/rpc/tcp_transport.h"

namespace tubing::bench {
namespace {

[[noreturn]] void give_up(const Error& error) {
  fmt::print(stderr, "{}\n", error.text());
  std::exit(1);
}

template <class T>
T value_of(Result<T> result) {
  if (!result) give_up(result.error());
  return *std::move(result);
}

crypto::Credentials make_credentials(const crypto::Authority& authority, std::string name,
                                     WallTime now, crypto::Entropy& entropy) {
  const crypto::Identity identity = crypto::Identity::generate(entropy);
  const crypto::Certificate certificate =
      value_of(authority.issue({.subject = identity.public_key(),
                                .name = std::move(name),
                                .email = "",
                                .roles = {},
                                .not_before = WallTime::from_seconds(now.seconds() - 60),
                                .not_after = WallTime::from_seconds(now.seconds() + 3600)},
                               entropy));
  return value_of(crypto::Credentials::make(identity, certificate,
                                            crypto::X25519KeyPair::generate(entropy),
                                            certificate.claims.not_after));
}

/// One side's loop, keys and node.
class Party {
 public:
  Party(const crypto::Authority& authority, std::string name, const Settings& settings)
      : settings_(settings),
        trust_(crypto::Trust::ca_only({authority.public_key()})),
        node_(make_node(authority, name)),
        new_node_([this, &authority, name] { return make_node(authority, name); }) {}

  rpc::Node& node() { return *node_; }
  Side side(PeerName server) { return {*node_, scheduler_, std::move(server), new_node_}; }
  void run(Task<> task) {
    if (Result<> result = scheduler_.run(std::move(task)); !result) give_up(result.error());
  }

 private:
  std::unique_ptr<rpc::Node> make_node(const crypto::Authority& authority, std::string name) {
    credentials_.push_back(
        make_credentials(authority, std::move(name), reactor_.wall_now(), entropy_));
    return std::make_unique<rpc::Node>(rpc::NodeParts{.scheduler = scheduler_,
                                                      .transport = transport_,
                                                      .entropy = entropy_,
                                                      .credentials = credentials_.back(),
                                                      .trust = trust_,
                                                      .suites = {&settings_.suite, 1}},
                                       settings_.limits);
  }

  const Settings settings_;
  crypto::SystemEntropy entropy_;
  channel::UvReactor reactor_;
  Scheduler scheduler_{reactor_, Prng(1)};
  rpc::TcpTransport transport_{reactor_};
  std::deque<crypto::Credentials> credentials_;  ///< One a node; they stay where they are.
  crypto::Trust trust_;
  std::unique_ptr<rpc::Node> node_;
  std::function<std::unique_ptr<rpc::Node>()> new_node_;
};

[[noreturn]] void run_server(const crypto::Authority& authority, const Settings& settings,
                             int port_pipe, const std::function<Task<>(Side)>& serve) {
  Party party(authority, "server", settings);
  const rpc::Address address = value_of(party.node().listen({"127.0.0.1", 0}));
  if (::write(port_pipe, &address.port, sizeof address.port) != sizeof address.port) std::exit(1);
  party.run(serve(party.side({})));
  std::exit(0);
}

}  // namespace

void run_two_processes(const Settings& settings, const std::function<Task<>(Side)>& serve,
                       const std::function<Task<>(Side)>& client) {
  crypto::SystemEntropy entropy;
  const crypto::Authority authority = crypto::Authority::generate(entropy);
  int port_pipe[2];
  if (::pipe(port_pipe) != 0) std::abort();
  const pid_t server = ::fork();
  if (server < 0) std::abort();
  if (server == 0) run_server(authority, settings, port_pipe[1], serve);
  std::uint16_t port = 0;
  if (::read(port_pipe[0], &port, sizeof port) != sizeof port) std::abort();
  {
    Party party(authority, "client", settings);
    party.run(client(party.side({fmt::format("server@127.0.0.1:{}", port)})));
  }
  ::kill(server, SIGTERM);
  ::waitpid(server, nullptr, 0);
  ::close(port_pipe[0]);
  ::close(port_pipe[1]);
}

}  // namespace tubing::bench
