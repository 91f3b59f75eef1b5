#include "tests/sim/channel_program.h"

#include <fmt/format.h>

#include <deque>

#include "tests/rpc/node_hosts.h"
#include "tubing/channel/go.h"

namespace tubing::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kProgramTime = 20s;  ///< After that everything that still waits is cancelled.

class Program {
 public:
  Program(SimRun& sim, Place place, ProgramCounts& counts)
      : sim_(sim),
        place_(place),
        counts_(counts),
        talks_(counts),
        talker_(talks_, Prng(sim.workload().next())),
        prng_(talker_.prng()) {
    talker_.set_drops(place == Place::two_nodes);
  }

  Task<> run();
  const std::string& fault() const { return talks_.fault(); }

 private:
  Task<> run_in_process();
  Task<> run_over_link();
  Task<> live_between(Nursery& n, test::Host& server, test::Host& client);
  Task<> open_channels(Nursery& n, rpc::Node& node);
  Task<> disturb(std::optional<rpc::Node>& client);
  void check_credit(const rpc::Node& client, const rpc::Node& server);
  void check_credit(const rpc::ChannelStats& from, const rpc::ChannelStats& to);

  SimRun& sim_;
  const Place place_;
  ProgramCounts& counts_;
  Talks talks_;
  Talker talker_;
  Prng& prng_;
};

Task<> Program::run_in_process() {
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    const std::uint64_t channels = 1 + prng_.below(3);
    for (std::uint64_t i = 0; i < channels; ++i) {
      Talk& talk = talks_.add();
      auto [a, b] = make_duplex<TalkNote, TalkNote>(prng_.below(5));
      n.spawn("first", talker_.live(n, talk, 0, std::move(a)));
      n.spawn("second", talker_.live(n, talk, 1, std::move(b)));
    }
    co_await ok(sleep(kProgramTime));
    n.cancel();
    co_return {};
  });
}

Task<> Program::open_channels(Nursery& n, rpc::Node& node) {
  const std::uint64_t channels = 1 + prng_.below(3);
  for (std::uint64_t i = 0; i < channels; ++i)
    if (!co_await talker_.open(n, node, {"server@" + test::kServerAddress.text()})) co_return {};
  co_return {};
}

/// What both sides hold of each channel, when nothing is under way.
void Program::check_credit(const rpc::Node& client, const rpc::Node& server) {
  const rpc::NodeStats ours = client.stats();
  const rpc::NodeStats theirs = server.stats();
  for (const rpc::SessionStats& near : ours.sessions)
    for (const rpc::SessionStats& far : theirs.sessions)
      for (const rpc::ChannelStats& a : near.channels)
        for (const rpc::ChannelStats& b : far.channels) {
          if (a.id != b.id) continue;
          ++counts_.credit_checked;
          check_credit(a, b);
          check_credit(b, a);
        }
}

void Program::check_credit(const rpc::ChannelStats& from, const rpc::ChannelStats& to) {
  if (from.sent_messages != to.received_messages || from.sent_bytes != to.received_bytes)
    talks_.fail("channel {}: {} values of {} bytes were sent, {} of {} came", from.id,
                from.sent_messages, from.sent_bytes, to.received_messages, to.received_bytes);
  if (from.outbox_bytes > 0)
    talks_.fail("channel {}: {} bytes never left", from.id, from.outbox_bytes);
  if (from.credit_items + to.waiting_messages == 0 || from.credit_bytes + to.waiting_bytes == 0)
    talks_.fail("channel {}: there is no credit, and nothing to take", from.id);
  if (from.credit_items + to.waiting_messages > 16)
    talks_.fail("channel {}: credit for {} values beside {} that wait", from.id, from.credit_items,
                to.waiting_messages);
  if (from.credit_bytes > to.window_bytes)
    talks_.fail("channel {}: credit for {} bytes, the window has {}", from.id, from.credit_bytes,
                to.window_bytes);
}

Task<> Program::disturb(std::optional<rpc::Node>& client) {
  co_await ok(sleep(std::chrono::milliseconds(prng_.below(2000))));
  const std::uint64_t draw = prng_.below(6);
  if (draw == 0)
    for (const WireId wire : sim_.wire().connections()) sim_.wire().cut(wire);
  if (draw == 1) client.reset();
  co_return {};
}

Task<> Program::run_over_link() {
  sim_.wire().set_conditions({.latency_min = std::chrono::microseconds(prng_.below(500)),
                              .latency_max = std::chrono::microseconds(500 + prng_.below(20'000)),
                              .chunk_bytes_min = 1 + prng_.below(100),
                              .chunk_bytes_max = 200 + prng_.below(60'000)});
  test::Hosts hosts(sim_.scheduler(), sim_.wire(), sim_.entropy());
  test::Host& server = hosts.add({.name = "server"});
  test::Host& client = hosts.add({.name = "client", .usage = crypto::Usage::client});
  co_await ok(server.node->listen(test::kServerAddress));
  co_await ok(nursery([&](Nursery& n) -> Task<> {
    co_await ok(live_between(n, server, client));
    n.cancel();
    co_return {};
  }));
  // All strands and all handles are gone; the last words are still on their way.
  co_await ok(sleep(2s));
  for (const std::optional<rpc::Node>* node : {&server.node, &client.node}) {
    if (!*node) continue;
    for (const rpc::SessionStats& session : (*node)->stats().sessions)
      if (!session.channels.empty())
        talks_.fail("{} channels are left when all of it is over", session.channels.size());
  }
  co_return {};
}

Task<> Program::live_between(Nursery& n, test::Host& server, test::Host& client) {
  talker_.set_calm(true);  // At first nothing ends, so that both sides can be compared.
  co_await ok(serve(n, *server.node, kTalks,
                    [&](Talker::End<TalkNote>& end) -> Task<> { return talker_.serve(n, end); }));
  co_await ok(open_channels(n, *client.node));
  co_await ok(sleep(std::chrono::milliseconds(500 + prng_.below(1000))));
  talker_.set_paused(true);
  co_await ok(sleep(2s));
  check_credit(*client.node, *server.node);
  talker_.set_calm(false);
  talker_.set_paused(false);
  co_await ok(disturb(client.node));
  co_return co_await sleep(kProgramTime);
}

Task<> Program::run() {
  const Result<> ran =
      place_ == Place::one_process ? co_await run_in_process() : co_await run_over_link();
  if (!ran) talks_.fail("the program failed: {}", ran.error().text());
  co_return {};
}

}  // namespace

ProgramCounts& ProgramCounts::operator+=(const ProgramCounts& other) {
  TalkCounts::operator+=(other);
  credit_checked += other.credit_checked;
  return *this;
}

std::string run_channel_program(Place place, std::uint64_t seed, ProgramCounts& counts) {
  SimRun sim(seed);
  Program program(sim, place, counts);
  const Result<> ran = sim.run(program.run());
  if (!ran) return fmt::format("a wait did not end: {}", ran.error().text());
  return program.fault();
}

}  // namespace tubing::sim
