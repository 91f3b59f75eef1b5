#include "churn.h"

#include <dirent.h>
#include <fmt/format.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <deque>
#include <fstream>
#include <memory>
#include <vector>

#include "tubing/channel/go.h"
#include "tubing/channel/uv_reactor.h"
#include "tubing/crypto/authority.h"
#include "tubing/crypto/system_entropy.h"
#include "tubing/rpc/node.h"
#include "tubing/rpc/tcp_transport.h"

namespace tubing::test {
namespace {

using namespace std::chrono_literals;

inline constexpr Service<std::string, std::string> kEcho{"churn.echo", 8};

void require(bool fact, const char* what) {
  if (fact) return;
  fmt::print(stderr, "churn: {} failed\n", what);
  std::abort();
}

template <class T>
T value_of(Result<T> result) {
  if (!result) fmt::print(stderr, "churn: {}\n", result.error().text());
  require(result.has_value(), "the set-up");
  return *std::move(result);
}

/// One process's loop, and nodes with keys of their own.
class Party {
 public:
  Party(const crypto::Authority& authority, std::uint64_t seed)
      : authority_(authority), scheduler_(reactor_, Prng(seed)) {}

  std::unique_ptr<rpc::Node> make_node(const std::string& name, Logger* logger = nullptr) {
    const crypto::Identity identity = crypto::Identity::generate(entropy_);
    const std::int64_t now = reactor_.wall_now().seconds();
    const crypto::Certificate certificate =
        value_of(authority_.issue({.subject = identity.public_key(),
                                   .name = name,
                                   .email = "",
                                   .roles = {},
                                   .not_before = WallTime::from_seconds(now - 60),
                                   .not_after = WallTime::from_seconds(now + 3600)},
                                  entropy_));
    credentials_.push_back(value_of(
        crypto::Credentials::make(identity, certificate, crypto::X25519KeyPair::generate(entropy_),
                                  certificate.claims.not_after)));
    return std::make_unique<rpc::Node>(
        rpc::NodeParts{scheduler_, transport_, entropy_, credentials_.back(), trust_, logger});
  }
  Scheduler& scheduler() { return scheduler_; }

 private:
  const crypto::Authority& authority_;
  crypto::SystemEntropy entropy_;
  channel::UvReactor reactor_;
  Scheduler scheduler_;
  rpc::TcpTransport transport_{reactor_};
  std::deque<crypto::Credentials> credentials_;
  crypto::Trust trust_ = crypto::Trust::ca_only({authority_.public_key()});
};

/// Opens channels and uses some of them, until the process is killed or tired of it. A channel is
/// closed, dropped, or left open behind.
Task<> visit(Scheduler& scheduler, std::unique_ptr<rpc::Node> node, PeerName server, Time until) {
  Prng prng(scheduler.prng().next());
  std::vector<Duplex<std::string, std::string>> left_open;
  while (scheduler.now() < until) {
    auto peer = co_await open(*node, kEcho, server, within(5s));
    if (!peer) {
      co_await ok(sleep(20ms));
      continue;
    }
    const std::uint64_t values = prng.below(20);
    for (std::uint64_t i = 0; i < values; ++i) {
      if (!co_await peer->tx.send(std::string(prng.below(2000), 'x'))) break;
      if (prng.below(2) == 0 && !co_await peer->rx.recv()) break;
    }
    const std::uint64_t end = prng.below(3);
    if (end == 0) peer->tx.close();
    if (end == 1 && left_open.size() < 5) left_open.push_back(*std::move(peer));
    co_await ok(sleep(std::chrono::milliseconds(prng.below(100))));
  }
  co_return {};
}

[[noreturn]] void run_client(const crypto::Authority& authority, std::uint16_t port,
                             const ChurnSpec& spec, std::uint64_t seed) {
  Party party(authority, seed);
  Scheduler& scheduler = party.scheduler();
  const Result<> done = scheduler.run([&]() -> Task<> {
    co_return co_await nursery([&](Nursery& n) -> Task<> {
      for (int i = 0; i < spec.sessions_each; ++i) {
        const auto life = std::chrono::milliseconds(scheduler.prng().below(2000));
        n.spawn("visit", visit(scheduler, party.make_node("client"),
                               {fmt::format("server@127.0.0.1:{}", port)}, scheduler.now() + life));
      }
      co_return {};
    });
  }());
  ::_exit(done ? 0 : 1);
}

/// Keeps `spec.processes` clients alive for the given time, and kills about half of them.
[[noreturn]] void run_clients(const crypto::Authority& authority, std::uint16_t port,
                              const ChurnSpec& spec) {
  constexpr int kTickMs = 20;
  struct Client {
    pid_t pid = -1;
    int ticks_to_live = 0;
  };
  ::close_range(3, ~0U, 0);
  Prng prng(static_cast<std::uint64_t>(spec.seconds));
  std::vector<Client> clients(static_cast<std::size_t>(spec.processes));
  for (int tick = 0; tick < spec.seconds * 1000 / kTickMs; ++tick) {
    for (Client& client : clients) {
      if (client.pid > 0 && --client.ticks_to_live == 0) ::kill(client.pid, SIGKILL);
      if (client.pid > 0 && ::waitpid(client.pid, nullptr, WNOHANG) == 0) continue;
      const std::uint64_t seed = prng.next();
      client = {.pid = ::fork(), .ticks_to_live = 10 + static_cast<int>(prng.below(180))};
      require(client.pid >= 0, "fork");
      if (client.pid == 0) run_client(authority, port, spec, seed);
    }
    ::poll(nullptr, 0, kTickMs);
  }
  for (const Client& client : clients) {
    ::kill(client.pid, SIGKILL);
    ::waitpid(client.pid, nullptr, 0);
  }
  ::_exit(0);
}

std::size_t count_descriptors() {
  std::size_t count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  require(folder != nullptr, "opening /proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

std::uint64_t resident_bytes() {
  ::malloc_trim(0);
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

struct SessionCount final : Logger {
  void log(LogLevel, std::string_view, std::string_view line) override {
    if (line.contains(": session with ")) ++sessions;
  }
  std::uint64_t sessions = 0;
};

struct Server {
  Party& party;
  rpc::Node& node;
  const crypto::Authority& authority;
  std::uint16_t port;
};

/// Has clients come for so long, and waits until the last trace of them has gone.
Task<Holdings> hold_out(Server server, ChurnSpec spec) {
  const pid_t clients = ::fork();
  require(clients >= 0, "fork");
  if (clients == 0) run_clients(server.authority, server.port, spec);
  while (::waitpid(clients, nullptr, WNOHANG) == 0) co_await ok(sleep(20ms));
  Scheduler& scheduler = server.party.scheduler();
  const Time begin = scheduler.now();
  while (!server.node.stats().sessions.empty() && scheduler.now() < begin + 20s)
    co_await ok(sleep(20ms));
  // What has not proven itself yet is cut after the handshake's time; its handlers end at once.
  const Time quiet = scheduler.now();
  std::size_t descriptors = count_descriptors();
  while (scheduler.now() < quiet + 10s) {
    co_await ok(sleep(100ms));
    const std::size_t now = count_descriptors();
    if (std::exchange(descriptors, now) == now && scheduler.now() > quiet + 500ms) break;
  }
  co_return Holdings{.sessions = server.node.stats().sessions.size(),
                     .strands = scheduler.strand_count(),
                     .descriptors = count_descriptors(),
                     .resident_bytes = resident_bytes()};
}

Task<> run_server(Server server, ChurnSpec spec, ChurnResult& result) {
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, server.node, kEcho, [&](auto& peer) -> Task<> {
      ++result.channels_seen;
      while (auto text = co_await peer.rx.recv()) co_await ok(peer.tx.send(*std::move(text)));
      co_return peer.rx.end();
    }));
    ChurnSpec first = spec;
    first.seconds = spec.warm_up_seconds;
    result.before = co_await ok(hold_out(server, first));
    result.after = co_await ok(hold_out(server, spec));
    n.cancel();
    co_return {};
  });
}

}  // namespace

ChurnResult run_churn(const ChurnSpec& spec) {
  crypto::SystemEntropy entropy;
  const crypto::Authority authority = crypto::Authority::generate(entropy);
  Party party(authority, 1);
  SessionCount log;
  const std::unique_ptr<rpc::Node> node = party.make_node("server", &log);
  const rpc::Address address = value_of(node->listen({"127.0.0.1", 0}));
  ChurnResult result;
  const Result<> done =
      party.scheduler().run(run_server({party, *node, authority, address.port}, spec, result));
  if (!done) fmt::print(stderr, "churn: {}\n", done.error().text());
  require(done.has_value(), "the server");
  result.sessions_seen = log.sessions;
  return result;
}

}  // namespace tubing::test
