// What the system may do to a process: take away its descriptors, or stop it for a while.
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "tests/rpc/node_hosts.h"
#include "tubing/channel/uv_reactor.h"
#include "tubing/crypto/system_entropy.h"
#include "tubing/rpc/tcp_transport.h"

using namespace tubing;
using namespace tubing::test;
using namespace std::chrono_literals;

namespace {

const HostSpec kClientSpec{.name = "client", .usage = crypto::Usage::client};

/// A process on a real loop, and what its transport says.
struct RealHosts {
  KeptLog log;
  channel::UvReactor reactor;
  Scheduler scheduler{reactor, Prng(1)};
  crypto::SystemEntropy entropy;
  rpc::TcpTransport tcp{reactor, &log};
  Hosts hosts{scheduler, tcp, entropy};
};

/// Lowers the number of descriptors that this process may have, until it is dropped.
struct NoDescriptors {
  rlimit before = {};
  NoDescriptors() {
    const int lowest_free = open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(lowest_free >= 0);
    close(lowest_free);
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit lowered{static_cast<rlim_t>(lowest_free), before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &lowered) == 0);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before); }
};

/// A stranger's socket, made while there were descriptors.
struct StrangerSocket {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  ~StrangerSocket() { close(fd); }
  void connect_to(std::uint16_t port) const {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at);
  }
  /// Whether the connection was taken and closed.
  bool turned_away() const {
    char byte = 0;
    const ssize_t got = recv(fd, &byte, 1, 0);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != ENOTCONN);
  }
};

}  // namespace

TEST_CASE("a node without descriptors serves those it has, says so once, and recovers") {
  RealHosts real;
  Host& server = real.hosts.add({.name = "server"});
  Host& client = real.hosts.add(kClientSpec);
  Host& second = real.hosts.add(kClientSpec);
  std::array<StrangerSocket, 3> strangers;
  const Result<> ran = real.scheduler.run(nursery([&](Nursery& n) -> Task<> {
    const Address address = co_await ok(server.node->listen({"127.0.0.1", 0}));
    const PeerName to_server{"server@" + address.text()};
    co_await ok(serve(n, *server.node, kText, echo));
    auto peer = co_await ok(open(*client.node, kText, to_server));
    co_await ok(peer.tx.send("before"));
    co_await ok(peer.rx.recv());
    Result<> dialled;
    {
      const NoDescriptors none;
      for (const StrangerSocket& stranger : strangers) {
        stranger.connect_to(address.port);
        while (!stranger.turned_away()) {
          co_await ok(peer.tx.send("meanwhile"));
          co_await ok(peer.rx.recv());
        }
      }
      dialled = co_await second.node->connect(to_server);
    }
    // Asked for here, since UBSan's own checks need a descriptor.
    CHECK(dialled.code() == Code::unavailable);
    if (!dialled)
      CHECK_MESSAGE(dialled.error().detail().contains("no descriptor is left to dial"),
                    dialled.error().text());
    co_await ok(second.node->connect(to_server));
    CHECK(server.node->peers().size() == 2);
    n.cancel();
    co_return {};
  }));
  CHECK_MESSAGE(ran, (ran ? "" : ran.error().text()));
  CHECK(real.log.warns("no descriptor is left: connections are turned away; raise the limit"));
  CHECK(std::ranges::count(real.log.lines, '\n') == 1);
}

namespace {

constexpr int kValues = 8;
enum ExitCode : int { kReadAllThenRefused = 3, kMissedValues = 4, kJudgedItself = 5, kBroken = 6 };

/// The life of a process that is stopped for a while: it says that it is there, and then reads to
/// the end.
[[noreturn]] void run_stopped_client(const Host& keys, const Address& address) {
  channel::UvReactor reactor;
  Scheduler scheduler(reactor, Prng(2));
  crypto::SystemEntropy entropy;
  rpc::TcpTransport tcp(reactor);
  rpc::Node node({scheduler, tcp, entropy, keys.credentials, keys.trust});
  int values = 0;
  std::string end;
  const Result<> ran = scheduler.run(nursery([&](Nursery&) -> Task<> {
    auto peer = co_await ok(open(node, kText, PeerName{"server@" + address.text()}));
    co_await ok(peer.tx.send("here"));
    while (auto text = co_await peer.rx.recv()) ++values;
    const Result<> how = peer.rx.end();
    if (!how) end = how.error().text();
    co_return {};
  }));
  if (!ran) _exit(kBroken);
  if (values != kValues) _exit(kMissedValues);
  _exit(end.contains("refused by the peer") ? kReadAllThenRefused : kJudgedItself);
}

/// Reads to the end. Returns: the text of how it ended.
Task<std::string> read_to_end(Receiver<std::string> rx) {
  while (auto text = co_await rx.recv()) continue;
  const Result<> how = rx.end();
  co_return how ? std::string("complete") : how.error().text();
}

}  // namespace

TEST_CASE("a process that was stopped for too long reads what came before it judges its peer") {
  RealHosts real;
  HostSpec spec{.name = "server"};
  // Without pings the first look after the stop is the verdict.
  spec.limits.mux.ping_after_ms = 0;
  spec.limits.mux.dead_after_ms = 300;
  Host& server = real.hosts.add(spec);
  Host& client = real.hosts.add(kClientSpec);
  auto address = server.node->listen({"127.0.0.1", 0});
  REQUIRE(address);
  const pid_t child = fork();
  if (child == 0) run_stopped_client(client, *address);
  REQUIRE(child > 0);
  const Result<> ran = real.scheduler.run(nursery([&](Nursery& n) -> Task<> {
    auto incoming = co_await ok(accept(*server.node, kText));
    auto peer = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
    co_await ok(peer.rx.recv());
    kill(child, SIGSTOP);
    int status = 0;
    waitpid(child, &status, WUNTRACED);
    CHECK(WIFSTOPPED(status));
    for (int i = 0; i < kValues; ++i) co_await ok(peer.tx.send("value"));
    const std::string end = co_await ok(read_to_end(peer.rx));
    CHECK_MESSAGE(end.contains("the peer was silent for"), end);
    kill(child, SIGCONT);
    n.cancel();
    co_return {};
  }));
  kill(child, SIGCONT);
  CHECK_MESSAGE(ran, (ran ? "" : ran.error().text()));
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == kReadAllThenRefused);
}
