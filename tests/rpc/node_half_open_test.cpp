// The caps on connections whose peer has not proven itself.
#include "tests/rpc/node_hosts.h"
#include "tubing/rpc/detail/half_open.h"

using namespace tubing;
using namespace tubing::test;
using namespace std::chrono_literals;

namespace {

/// A connection from some address.
struct NamedLink final : rpc::Link {
  NamedLink(std::string from, std::string& words) : address(std::move(from)), told(words) {}
  void start(rpc::LinkEvents&) override {}
  bool write(ByteView bytes) override {
    told += as_text(bytes);
    return true;
  }
  void close_write() override {}
  std::string peer_address() const override { return address; }
  std::string address;
  std::string& told;
};

/// What a dialler hears that finds no room, as HANDSHAKE.md has it.
const std::string kBusy("Tubg\0\1\0\0", 8);

struct Door {
  explicit Door(rpc::NodeLimits given) : limits(given) {}
  bool admit(const std::string& address) {
    std::unique_ptr<rpc::Link> link = std::make_unique<NamedLink>(address, told);
    return half_open.admit(link);
  }

  sim::SimRun sim{1};
  rpc::NodeLimits limits;
  std::string told;  ///< To all whose handshake has not begun.
  std::vector<std::string> begun;
  rpc::HalfOpen half_open{sim.scheduler(), limits,
                          [this](std::unique_ptr<rpc::Link>, const std::string& source, Duration) {
                            begun.push_back(source);
                          }};
};

}  // namespace

TEST_CASE("connections of one address wait in line and those of others go ahead") {
  Door door({.half_open_per_address_max = 2, .half_open_waiting_max = 3});
  int taken = 0;
  for (int port = 0; port < 10; ++port) taken += door.admit("10.0.0.1:" + std::to_string(port));
  CHECK(taken == 5);
  CHECK(door.begun.size() == 2);
  CHECK(door.half_open.waiting() == 3);
  CHECK(door.half_open.dropped() == 5);
  CHECK(door.admit("10.0.0.2:1"));
  CHECK(door.begun.back() == "10.0.0.2");
  door.half_open.settle("10.0.0.1");
  CHECK(door.begun.size() == 4);
  CHECK(door.begun.back() == "10.0.0.1");
  CHECK(door.half_open.waiting() == 2);
}

TEST_CASE("waiting in line lasts no longer than a handshake may") {
  Door door({.half_open_per_address_max = 1});
  for (int port = 0; port < 3; ++port) CHECK(door.admit("10.0.0.1:" + std::to_string(port)));
  const Result<> ran = door.sim.run([](Door& at) -> Task<> {
    co_await ok(sleep(4999ms));
    CHECK(at.half_open.waiting() == 2);
    co_await ok(sleep(2ms));
    CHECK(at.half_open.waiting() == 0);
    CHECK(at.told == kBusy + kBusy);
    at.half_open.settle("10.0.0.1");
    CHECK(at.half_open.size() == 0);
    co_return {};
  }(door));
  CHECK(ran);
}

TEST_CASE("in total half-open connections are refused whatever their address") {
  Door door({.half_open_max = 4});
  int taken = 0;
  for (int host = 0; host < 9; ++host) taken += door.admit("10.0.0." + std::to_string(host) + ":1");
  CHECK(taken == 4);
}

TEST_CASE("the addresses of one IPv6 network are one source") {
  CHECK(rpc::source_of("10.0.0.1:5") == "10.0.0.1");
  CHECK(rpc::source_of("[2001:db8:1:2:3::4]:5") == rpc::source_of("[2001:db8:1:2:9::1]:6"));
  CHECK(rpc::source_of("[2001:db8:1:2::1]:5") != rpc::source_of("[2001:db8:1:3::1]:5"));
}
