// Hosts: processes under test, each a Node with a certificate of its own; on a Wire or over TCP.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "tubing/channel/nursery.h"
#include "tubing/channel/select.h"
#include "tubing/channel/service.h"
#include "tubing/channel/timers.h"
#include "tubing/crypto/authority.h"
#include "tubing/rpc/node.h"
#include "tubing/sim/sim_run.h"

namespace tubing {

inline std::ostream& operator<<(std::ostream& out, Code code) { return out << code_name(code); }

}  // namespace tubing

namespace tubing::test {

using rpc::Address;
using rpc::Node;

inline const Address kServerAddress{"server.test", 7000};

/// Keeps every line, so that a test can ask what a node said of its sessions.
struct KeptLog final : Logger {
  void log(LogLevel level, std::string_view, std::string_view line) override {
    if (level >= LogLevel::warning) warnings += std::string(line) + "\n";
    lines += std::string(line) + "\n";
  }
  bool has(std::string_view part) const { return lines.contains(part); }
  bool warns(std::string_view part) const { return warnings.contains(part); }

  std::string lines;
  std::string warnings;
};

struct HostSpec {
  std::string name;
  crypto::Usage usage = crypto::Usage::both;
  std::int64_t seconds_left = 3600;  ///< Of its certificate; below 0 it has expired.
  bool foreign = false;              ///< Another authority signed it.
  rpc::NodeLimits limits = {};
};

inline bool has_good_papers(const HostSpec& spec) {
  return spec.seconds_left > 0 && !spec.foreign && spec.usage != crypto::Usage::client;
}
inline HostSpec with_good_papers(HostSpec spec) {
  if (!has_good_papers(spec)) {
    spec.seconds_left = 3600;
    spec.usage = crypto::Usage::both;
    spec.foreign = false;
  }
  return spec;
}

/// One process. Destroying `node` is the process's sudden end.
struct Host {
  Host(crypto::Credentials own, crypto::Trust believed)
      : credentials(std::move(own)), trust(std::move(believed)) {}

  std::optional<crypto::Identity> identity;  ///< For renewals.
  crypto::Credentials credentials;
  crypto::Trust trust;
  KeptLog log;
  std::optional<Node> node;
};

/// Makes hosts that trust one authority.
class Hosts {
 public:
  Hosts(Scheduler& scheduler, rpc::Transport& transport, crypto::Entropy& entropy)
      : scheduler_(scheduler),
        transport_(transport),
        entropy_(entropy),
        authority_(crypto::Authority::generate(entropy)),
        stranger_(crypto::Authority::generate(entropy)) {}

  crypto::Credentials credentials(const HostSpec& spec) {
    return credentials(crypto::Identity::generate(entropy_), spec);
  }
  crypto::Certificate issue(const crypto::Identity& identity, const HostSpec& spec) {
    const WallTime now = scheduler_.wall_now();
    crypto::Claims claims{.subject = identity.public_key(),
                          .name = spec.name,
                          .email = "",
                          .roles = {"tester"},
                          .usage = spec.usage,
                          .not_before = WallTime::from_seconds(now.seconds() - 86'400),
                          .not_after = WallTime::from_seconds(now.seconds() + spec.seconds_left)};
    auto certificate = (spec.foreign ? stranger_ : authority_).issue(claims, entropy_);
    REQUIRE(certificate);
    return *certificate;
  }
  crypto::Credentials credentials(const crypto::Identity& identity, const HostSpec& spec) {
    const WallTime now = scheduler_.wall_now();
    auto made = crypto::Credentials::make(identity, issue(identity, spec),
                                          crypto::X25519KeyPair::generate(entropy_),
                                          WallTime::from_seconds(now.seconds() + 86'400));
    REQUIRE(made);
    return *std::move(made);
  }
  Host& add(const HostSpec& spec) {
    crypto::Identity identity = crypto::Identity::generate(entropy_);
    auto host = std::make_unique<Host>(credentials(identity, spec),
                                       crypto::Trust::ca_only({authority_.public_key()}));
    host->identity.emplace(std::move(identity));
    restart(*host, spec.limits);
    hosts_.push_back(std::move(host));
    return *hosts_.back();
  }
  /// A new node with the keys of the last one.
  void restart(Host& host, const rpc::NodeLimits& limits = {}) {
    host.node.reset();
    host.node.emplace(
        rpc::NodeParts{scheduler_, transport_, entropy_, host.credentials, host.trust, &host.log},
        limits);
  }

 private:
  Scheduler& scheduler_;
  rpc::Transport& transport_;
  crypto::Entropy& entropy_;
  crypto::Authority authority_;
  crypto::Authority stranger_;
  std::vector<std::unique_ptr<Host>> hosts_;
};

/// A server that listens and a client, in one process and in virtual time.
struct NodePair {
  explicit NodePair(std::uint64_t seed = 1, const HostSpec& of_server = {.name = "server"},
                    const HostSpec& of_client = {.name = "client", .usage = crypto::Usage::client})
      : sim(seed),
        hosts(sim.scheduler(), sim.wire(), sim.entropy()),
        server(hosts.add(with_good_papers(of_server))),
        client(hosts.add(of_client)) {
    auto listening = server.node->listen(kServerAddress);
    REQUIRE(listening);
    // Who cannot serve is refused at listen: bad papers come to those that listen already.
    if (!has_good_papers(of_server)) server.credentials = hosts.credentials(of_server);
    wire().on_connect([this](sim::WireId id) { last_wire = id; });
  }

  /// Runs `body` in a nursery, which is cancelled when it has ended; checks that it ended well.
  template <class Body>
  void nursery(Body body) {
    const Result<> ran = sim.run(tubing::nursery([&](Nursery& n) -> Task<> {
      co_await ok(body(n));
      n.cancel();
      co_return {};
    }));
    CHECK_MESSAGE(ran, (ran ? "" : ran.error().text()));
  }

  Node& server_node() { return *server.node; }
  Node& client_node() { return *client.node; }
  sim::Wire& wire() { return sim.wire(); }

  const PeerName to_server{"server@" + kServerAddress.text()};
  sim::SimRun sim;
  Hosts hosts;
  Host& server;
  Host& client;
  sim::WireId last_wire = 0;  ///< The connection made last.
};

/// Channels of text both ways; eight values of room.
inline constexpr Service<std::string, std::string> kText{"text.v1", 8};
inline constexpr Service<std::string, std::string> kNowhere{"nowhere.v1"};

using TextOpener = Duplex<std::string, std::string>;

/// Sends back what comes.
inline Task<> echo(TextOpener& peer) {
  while (auto text = co_await peer.rx.recv()) co_await ok(peer.tx.send(*text));
  co_return peer.rx.end();
}

/// One value there and back on a new channel.
inline Task<> talk_once(channel::Network& from, PeerName to) {
  auto peer = co_await ok(open(from, kText, std::move(to)));
  co_await ok(peer.tx.send("ping"));
  const std::string answer = co_await ok(peer.rx.recv());
  if (answer != "ping") co_return Error(Code::data_loss, "talk", answer);
  peer.tx.close();
  co_return {};
}

/// Receives until the end, and returns how many values came.
template <class T>
Task<std::size_t> count_values(Receiver<T> rx) {
  std::size_t count = 0;
  while (auto value = co_await rx.recv()) ++count;
  co_await ok(rx.end());
  co_return count;
}

}  // namespace tubing::test
