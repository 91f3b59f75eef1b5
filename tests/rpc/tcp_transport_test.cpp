#include "tubing/rpc/tcp_transport.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/skip.h"

using tubing::Bytes;
using tubing::ByteView;
using tubing::Code;
using tubing::Error;
using tubing::MutableBytes;
using tubing::Result;
using tubing::Time;
using tubing::channel::UvReactor;
using tubing::rpc::Address;
using tubing::rpc::Dialing;
using tubing::rpc::Link;
using tubing::rpc::LinkEvents;
using tubing::rpc::Listener;
using tubing::rpc::TcpTransport;

namespace {

const Address kAnyPort{"127.0.0.1", 0};

// Owns a link and keeps what it told.
struct Peer : LinkEvents {
  std::unique_ptr<Link> link;
  Bytes received;
  int writable = 0;
  std::optional<Error> end;
  std::function<void(MutableBytes)> then_on_bytes;
  std::function<void()> then_on_writable;
  std::function<void()> then_on_end;

  explicit Peer(std::unique_ptr<Link> to_own) : link(std::move(to_own)) { link->start(*this); }
  void on_bytes(MutableBytes bytes) override {
    CHECK_FALSE(end);
    tubing::append(received, bytes);
    if (then_on_bytes) then_on_bytes(bytes);
  }
  void on_writable() override {
    CHECK_FALSE(end);
    ++writable;
    if (then_on_writable) then_on_writable();
  }
  void on_end(Error reason) override {
    CHECK_FALSE(end);
    end = reason;
    if (then_on_end) then_on_end();
  }
};

// Sends back what it gets, through a buffer of its own.
struct Echo {
  Peer peer;
  Bytes waiting;
  Bytes leaving;
  int unfinished = 0;
  bool writing = false;

  explicit Echo(std::unique_ptr<Link> link) : peer(std::move(link)) {
    peer.then_on_bytes = [this](MutableBytes bytes) {
      tubing::append(waiting, bytes);
      pump();
    };
    peer.then_on_writable = [this] {
      writing = false;
      pump();
    };
  }
  void pump() {
    while (!writing && !waiting.empty()) {
      leaving = std::exchange(waiting, {});
      writing = !peer.link->write(leaving);
      if (writing) ++unfinished;
    }
  }
};

// One loop with a listener on it, and the links that it accepted.
struct World {
  UvReactor reactor;
  TcpTransport transport{reactor};
  std::vector<std::unique_ptr<Link>> accepted;
  std::unique_ptr<Listener> listener;

  World() = default;
  explicit World(const Address& address) { listen(address); }

  void listen(const Address& address) {
    auto made = transport.listen(
        address, [this](std::unique_ptr<Link> link) { accepted.push_back(std::move(link)); });
    REQUIRE(made);
    listener = std::move(*made);
  }
  void run_until(const std::function<bool()>& done) {
    while (!done()) reactor.park(Time::max());
  }
  Result<std::unique_ptr<Link>> dial(const Address& address) {
    std::optional<Result<std::unique_ptr<Link>>> dialed;
    auto dialing = transport.dial(
        address, [&](Result<std::unique_ptr<Link>> result) { dialed = std::move(result); });
    CHECK_FALSE(dialed);
    run_until([&] { return dialed.has_value(); });
    return std::move(*dialed);
  }
  std::unique_ptr<Link> accept() {
    run_until([&] { return !accepted.empty(); });
    auto link = std::move(accepted.front());
    accepted.erase(accepted.begin());
    return link;
  }
  struct Pair {
    std::unique_ptr<Link> dialer;
    std::unique_ptr<Link> acceptor;
  };
  Pair connect() {
    auto dialed = dial(listener->address());
    REQUIRE(dialed);
    return {std::move(*dialed), accept()};
  }
  // Nothing is left on the loop once what was dropped has been let go.
  void check_idle() {
    listener.reset();
    accepted.clear();
    reactor.park(Time::min());
    CHECK_FALSE(reactor.has_sources());
  }
};

// A plain socket of the system, outside the loop.
struct RawSocket {
  int fd;

  explicit RawSocket(int flags = 0) : fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)) {
    REQUIRE(fd >= 0);
  }
  ~RawSocket() {
    if (fd >= 0) close(fd);
  }
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    return at;
  }
  int connect_to(std::uint16_t port) {
    const sockaddr_in at = loopback(port);
    return connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at);
  }
  std::uint16_t bind_any() {
    sockaddr_in at = loopback(0);
    socklen_t length = sizeof at;
    REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&at), length) == 0);
    REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length) == 0);
    return ntohs(at.sin_port);
  }
  bool readable() const {
    pollfd p{fd, POLLIN, 0};
    return poll(&p, 1, 0) == 1;
  }
  // Closes with a reset instead of an orderly end.
  void reset() {
    const linger at_once{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(std::exchange(fd, -1));
  }
};

// Lowers the number of descriptors that the process may have, until it is dropped.
struct DescriptorLimit {
  rlimit before = {};
  explicit DescriptorLimit(int max) {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit lowered{static_cast<rlim_t>(max), before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &lowered) == 0);
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before); }
};

int lowest_free_descriptor() {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  close(fd);
  return fd;
}

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  std::uint32_t x = 1;
  for (std::byte& b : bytes) b = static_cast<std::byte>((x = x * 1664525 + 1013904223) >> 24);
  return bytes;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

constexpr std::size_t kMuch = 8 * 1024 * 1024;

}  // namespace

TEST_CASE("eight mebibytes return whole from an echo under backpressure") {
  World world(kAnyPort);
  auto [dialer, acceptor] = world.connect();
  Peer client(std::move(dialer));
  Echo echo(std::move(acceptor));
  const Bytes sent = pattern(kMuch);
  REQUIRE_FALSE(client.link->write(sent));
  world.run_until([&] { return client.received.size() >= sent.size(); });
  CHECK(client.received == sent);
  CHECK(client.writable == 1);
  CHECK(echo.unfinished == echo.peer.writable);
}

TEST_CASE("a write that the system takes whole is done at once") {
  World world(kAnyPort);
  auto [dialer, acceptor] = world.connect();
  Peer client(std::move(dialer));
  Peer server(std::move(acceptor));
  for (int i = 0; i < 3; ++i) CHECK(client.link->write(tubing::as_bytes("abc")));
  CHECK(client.link->write({}));
  world.run_until([&] { return server.received.size() == 9; });
  CHECK(tubing::as_text(server.received) == "abcabcabc");
  CHECK(client.writable == 0);
}

TEST_CASE("a link knows its peer and never delays small segments") {
  World world(kAnyPort);
  auto [dialer, acceptor] = world.connect();
  CHECK(dialer->peer_address() == world.listener->address().text());
  CHECK(acceptor->peer_address().starts_with("127.0.0.1:"));
  CHECK(acceptor->peer_address() != dialer->peer_address());
  std::vector<int> nodelay;
  uv_walk(
      &world.reactor.loop(),
      [](uv_handle_t* handle, void* out) {
        if (handle->type != UV_TCP || uv_is_closing(handle)) return;
        uv_os_fd_t fd = -1;
        uv_fileno(handle, &fd);
        int on = 0;
        socklen_t size = sizeof on;
        getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size);
        static_cast<std::vector<int>*>(out)->push_back(on);
      },
      &nodelay);
  CHECK(nodelay == std::vector{1, 1});
}

TEST_CASE("all links of a loop read into one buffer that is lent to each in turn") {
  World world(kAnyPort);
  auto [first, first_far] = world.connect();
  auto [second, second_far] = world.connect();
  Peer a(std::move(first));
  Peer b(std::move(second));
  const std::byte* read_by_a = nullptr;
  const std::byte* read_by_b = nullptr;
  a.then_on_bytes = [&](MutableBytes bytes) { read_by_a = bytes.data(); };
  b.then_on_bytes = [&](MutableBytes bytes) { read_by_b = bytes.data(); };
  Peer to_a(std::move(first_far));
  Peer to_b(std::move(second_far));
  CHECK(to_a.link->write(pattern(1000)));
  CHECK(to_b.link->write(pattern(2000)));
  world.run_until([&] { return a.received.size() == 1000 && b.received.size() == 2000; });
  CHECK(read_by_a == read_by_b);
}

TEST_CASE("links work over IPv6") {
  const int probe = socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 loopback = {};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  const bool usable =
      probe >= 0 && bind(probe, reinterpret_cast<sockaddr*>(&loopback), sizeof loopback) == 0;
  if (probe >= 0) close(probe);
  if (!usable) tubing::tests::skip("no IPv6 loopback here; enable net.ipv6 on lo");
  World world(Address{"::1", 0});
  auto [dialer, acceptor] = world.connect();
  CHECK(dialer->peer_address().starts_with("[::1]:"));
  Peer client(std::move(dialer));
  Peer server(std::move(acceptor));
  REQUIRE(client.link->write(tubing::as_bytes("six")));
  world.run_until([&] { return server.received.size() == 3; });
}

TEST_CASE("a name is resolved for listening and for dialling") {
  World world(Address{"localhost", 0});
  const auto dialed = world.dial({"localhost", world.listener->address().port});
  REQUIRE(dialed);
  CHECK(world.accept() != nullptr);
}

TEST_CASE("a host without an address is refused by name") {
  World world;
  const Address nowhere{"a..b", 7000};
  const auto listened = world.transport.listen(nowhere, [](std::unique_ptr<Link>) {});
  REQUIRE_FALSE(listened);
  CHECK(listened.error().code() == Code::not_found);
  CHECK(contains(listened.error().detail(), "a..b:7000"));
  const auto dialed = world.dial(nowhere);
  REQUIRE_FALSE(dialed);
  CHECK(dialed.error().code() == Code::not_found);
  CHECK(contains(dialed.error().detail(), "a..b:7000"));
}

TEST_CASE("listening on an address in use is refused with advice") {
  World world(kAnyPort);
  const Address taken = world.listener->address();
  CHECK(taken.host == "127.0.0.1");
  CHECK(taken.port != 0);
  const auto second = world.transport.listen(taken, [](std::unique_ptr<Link>) {});
  REQUIRE_FALSE(second);
  CHECK(second.error().code() == Code::already_exists);
  CHECK(second.error().detail() ==
        taken.text() + " is in use; choose another port or stop the process that listens there");

  world.listener.reset();
  CHECK(world.transport.listen(taken, [](std::unique_ptr<Link>) {}));
}

TEST_CASE("listening on an address of another machine is refused with advice") {
  World world;
  const auto listened = world.transport.listen({"192.0.2.1", 0}, [](std::unique_ptr<Link>) {});
  REQUIRE_FALSE(listened);
  CHECK(listened.error().code() == Code::invalid_argument);
  CHECK(contains(listened.error().detail(), "192.0.2.1:0 is no address of this machine"));
}

TEST_CASE("a refused connection is unavailable and asks for the server") {
  World world;
  RawSocket silent;  // Holds the port, so that nobody else can listen on it.
  const Address address{"127.0.0.1", silent.bind_any()};
  const auto dialed = world.dial(address);
  REQUIRE_FALSE(dialed);
  CHECK(dialed.error().code() == Code::unavailable);
  CHECK(dialed.error().detail() ==
        "connection refused by " + address.text() + "; is a server listening there?");
  world.check_idle();
}

TEST_CASE("a dial that the system refuses at once is told from the loop too") {
  World world;
  const auto dialed = world.dial({"255.255.255.255", 7000});
  REQUIRE_FALSE(dialed);
  CHECK(dialed.error().code() == Code::unavailable);
  CHECK(contains(dialed.error().detail(), "255.255.255.255:7000 cannot be reached"));
}

TEST_CASE("a dialing that is dropped never calls back") {
  World world(kAnyPort);
  const Address numeric = world.listener->address();
  const Address named{"localhost", numeric.port};
  for (const Address& address : {numeric, named}) {
    CAPTURE(address.text());
    for (int turns = 0; turns < 3; ++turns) {
      bool called = false;
      auto dialing = world.transport.dial(
          address, [&](Result<std::unique_ptr<Link>> result) { called = true; });
      for (int i = 0; i < turns && !called; ++i) world.reactor.park(Time::min());
      if (called) continue;
      dialing.reset();
      for (int i = 0; i < 5; ++i) world.reactor.park(Time::min());
      CHECK_FALSE(called);
    }
  }
  world.listener.reset();
  world.accepted.clear();
  while (world.reactor.has_sources()) world.reactor.park(Time::max());
}

TEST_CASE("a dialing may be dropped in its own callback") {
  World world(kAnyPort);
  RawSocket silent;
  for (const Address& address :
       {world.listener->address(), Address{"127.0.0.1", silent.bind_any()}}) {
    std::unique_ptr<Dialing> dialing;
    bool called = false;
    dialing = world.transport.dial(address, [&](Result<std::unique_ptr<Link>> result) {
      dialing.reset();
      called = true;
    });
    world.run_until([&] { return called; });
  }
}

TEST_CASE("closing the write side delivers what is queued and ends in order") {
  World world(kAnyPort);
  auto [dialer, acceptor] = world.connect();
  Peer client(std::move(dialer));
  Peer server(std::move(acceptor));
  const Bytes sent = pattern(kMuch);
  REQUIRE_FALSE(client.link->write(sent));
  client.link->close_write();
  client.link->close_write();
  REQUIRE(server.link->write(tubing::as_bytes("still heard")));
  world.run_until([&] { return server.end.has_value(); });
  CHECK(server.received == sent);
  CHECK(server.end->code() == Code::closed);
  server.link.reset();
  world.run_until([&] { return client.end.has_value(); });
  CHECK(client.end->code() == Code::closed);
  CHECK(tubing::as_text(client.received) == "still heard");
}

TEST_CASE("a link that its peer drops ends in order") {
  World world(kAnyPort);
  auto [dialer, acceptor] = world.connect();
  Peer client(std::move(dialer));
  acceptor.reset();
  world.run_until([&] { return client.end.has_value(); });
  CHECK(client.end->code() == Code::closed);
  CHECK(client.link->write(tubing::as_bytes("to nobody")));
  client.link->close_write();
}

TEST_CASE("a connection that the peer resets is lost") {
  World world(kAnyPort);
  RawSocket raw;
  REQUIRE(raw.connect_to(world.listener->address().port) == 0);
  Peer server(world.accept());
  raw.reset();
  world.run_until([&] { return server.end.has_value(); });
  CHECK(server.end->code() == Code::lost);
  CHECK(contains(server.end->detail(), server.link->peer_address()));
  CHECK(contains(server.end->detail(), "connection reset by peer"));
}

TEST_CASE("a failed write is told from the loop after the last words of the peer") {
  World world(kAnyPort);
  RawSocket raw;
  REQUIRE(raw.connect_to(world.listener->address().port) == 0);
  Peer server(world.accept());
  REQUIRE(server.link->write(tubing::as_bytes("never read by the peer")));
  while (!raw.readable()) {
  }
  REQUIRE(send(raw.fd, "refused", 7, 0) == 7);
  raw.reset();
  const Bytes much = pattern(kMuch);
  REQUIRE_FALSE(server.link->write(much));
  CHECK_FALSE(server.end);
  world.run_until([&] { return server.end.has_value(); });
  CHECK(server.end->code() == Code::lost);
  CHECK(tubing::as_text(server.received) == "refused");
  CHECK(server.writable == 0);
}

TEST_CASE("a link dropped under a queued write is closed and quiet") {
  World world(kAnyPort);
  auto [dialer, acceptor] = world.connect();
  Peer client(std::move(dialer));
  Peer server(std::move(acceptor));
  {
    const Bytes gone = pattern(kMuch);
    REQUIRE_FALSE(client.link->write(gone));
    client.link.reset();
  }
  world.run_until([&] { return server.end.has_value(); });
  CHECK(server.received.size() < kMuch);
  CHECK(client.writable == 0);
  CHECK_FALSE(client.end);
  server.link.reset();
  world.check_idle();
}

TEST_CASE("a link may be dropped in each of its events") {
  World world(kAnyPort);
  for (const char* event : {"bytes", "writable", "end"}) {
    CAPTURE(event);
    const std::string name = event;
    auto [dialer, acceptor] = world.connect();
    Peer client(std::move(dialer));
    Peer server(std::move(acceptor));
    const auto drop = [&] { client.link.reset(); };
    const Bytes much = pattern(kMuch);
    if (name == "bytes") {
      client.then_on_bytes = [&](MutableBytes) { drop(); };
      REQUIRE(server.link->write(tubing::as_bytes("x")));
    } else if (name == "writable") {
      client.then_on_writable = drop;
      REQUIRE_FALSE(client.link->write(much));
    } else {
      client.then_on_end = drop;
      server.link.reset();
    }
    world.run_until([&] { return client.link == nullptr; });
    if (server.link) world.run_until([&] { return server.end.has_value(); });
  }
  world.check_idle();
}

TEST_CASE("a listener may be dropped while it accepts") {
  World world;
  std::vector<std::unique_ptr<Link>> links;
  std::unique_ptr<Listener> listener;
  auto made = world.transport.listen(kAnyPort, [&](std::unique_ptr<Link> link) {
    listener.reset();
    links.push_back(std::move(link));
  });
  REQUIRE(made);
  listener = std::move(*made);
  const std::uint16_t port = listener->address().port;
  RawSocket first;
  RawSocket second;
  REQUIRE(first.connect_to(port) == 0);
  REQUIRE(second.connect_to(port) == 0);
  world.run_until([&] { return !links.empty(); });
  world.reactor.park(Time::min());
  CHECK(links.size() == 1);
  links.clear();
  world.check_idle();
}

TEST_CASE("a listener is a source and so is a started link") {
  World world(kAnyPort);
  CHECK(world.reactor.has_sources());
  auto [dialer, acceptor] = world.connect();
  acceptor.reset();
  world.listener.reset();
  world.reactor.park(Time::min());
  CHECK_FALSE(world.reactor.has_sources());
  Peer client(std::move(dialer));
  CHECK(world.reactor.has_sources());
  world.run_until([&] { return client.end.has_value(); });
  world.check_idle();
}

TEST_CASE("a process without descriptors turns connections away and goes on") {
  World world(kAnyPort);
  const std::uint16_t port = world.listener->address().port;
  world.reactor.park(Time::min());  // UBSan's own checks need a descriptor, the first time.
  RawSocket early(SOCK_NONBLOCK);
  RawSocket late(SOCK_NONBLOCK);
  {
    const DescriptorLimit none(lowest_free_descriptor());
    early.connect_to(port);
    int parks = 0;
    for (; !early.readable() && parks < 100; ++parks) world.reactor.park(Time::max());
    CHECK(parks < 100);
    char byte;
    CHECK(recv(early.fd, &byte, 1, 0) <= 0);
    CHECK(world.accepted.empty());
  }
  late.connect_to(port);
  CHECK(world.accept() != nullptr);
}

TEST_CASE("a process without even a spare descriptor waits instead of spinning") {
  World world(kAnyPort);
  RawSocket raw(SOCK_NONBLOCK);
  // Asked for here, and parked once, since UBSan's own checks need a descriptor.
  const std::uint16_t port = world.listener->address().port;
  world.reactor.park(Time::min());
  {
    const DescriptorLimit none(3);
    raw.connect_to(port);
    world.reactor.park(Time::max());
    // It does not watch the socket now, though a connection waits there.
    const Time until = world.reactor.now() + std::chrono::milliseconds(20);
    int parks = 0;
    for (; world.reactor.now() < until; ++parks) world.reactor.park(until);
    CHECK(parks < 5);
    CHECK_FALSE(raw.readable());
    CHECK(world.accepted.empty());
  }
  CHECK(world.accept() != nullptr);
}
