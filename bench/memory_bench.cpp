// What does it cost to keep channels and sessions that carry nothing? Resident memory, per piece.
#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "report.h"
#include "resident.h"
#include "two_processes.h"

namespace {

using namespace tubing;
using bench::resident_bytes;
using bench::Settings;
using bench::Side;

constexpr std::uint32_t kChannels = 10'000;
constexpr std::uint32_t kBatch = 500;  ///< Opened before their handlers are waited for.
constexpr std::uint32_t kSessions = 2000;

inline constexpr Service<std::uint64_t, std::uint64_t> kIdle{"bench.idle"};
/// What the server holds before it answers.
struct Held {
  std::uint64_t handlers = 0;  ///< Of kIdle.
  std::uint64_t sessions = 0;
  static constexpr std::string_view type_name = "bench.Held.v1";
  static constexpr auto fields =
      tubing::fields("handlers", &Held::handlers, "sessions", &Held::sessions);
};
/// Answers each request with the resident bytes of the server, once it holds so much.
inline constexpr Service<Held, std::uint64_t> kMemory{"bench.memory"};

Task<> serve_idle(Side side) {
  std::uint64_t handlers = 0;
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    co_await ok(
        serve(n, side.node, kIdle, [&](Duplex<std::uint64_t, std::uint64_t>& peer) -> Task<> {
          ++handlers;
          while (co_await peer.rx.recv()) {
          }
          --handlers;
          co_return peer.rx.end();
        }));
    co_await ok(serve(n, side.node, kMemory, [&](Duplex<std::uint64_t, Held>& peer) -> Task<> {
      while (auto wanted = co_await peer.rx.recv()) {
        while (handlers < wanted->handlers || side.node.peers().size() < wanted->sessions)
          co_await ok(sleep(std::chrono::milliseconds(1)));
        co_await ok(peer.tx.send(resident_bytes()));
      }
      co_return peer.rx.end();
    }));
    co_return {};
  });
}

/// The growth of both sides for each piece.
struct Growth {
  double server = 0;
  double client = 0;
};

Task<std::uint64_t> ask_memory(Duplex<Held, std::uint64_t>& memory, Held held) {
  co_await ok(memory.tx.send(held));
  co_return co_await memory.rx.recv();
}

double each(std::uint64_t before, std::uint64_t after, std::uint32_t pieces) {
  return (static_cast<double>(after) - static_cast<double>(before)) / pieces;
}

Growth idle_channels() {
  Settings settings;
  settings.limits.mux.channels_max = 2 * kChannels;
  Growth growth;
  bench::run_two_processes(settings, serve_idle, [&](Side side) -> Task<> {
    auto memory = co_await ok(open(side.node, kMemory, side.server));
    std::vector<Duplex<std::uint64_t, std::uint64_t>> channels;
    channels.reserve(kChannels);
    const std::uint64_t server = co_await ok(ask_memory(memory, {}));
    const std::uint64_t client = resident_bytes();
    while (channels.size() < kChannels) {
      channels.push_back(co_await ok(open(side.node, kIdle, side.server)));
      if (channels.size() % kBatch == 0)
        (void)co_await ok(ask_memory(memory, {.handlers = channels.size()}));
    }
    growth.server =
        each(server, co_await ok(ask_memory(memory, {.handlers = kChannels})), kChannels);
    growth.client = each(client, resident_bytes(), kChannels);
    co_return {};
  });
  return growth;
}

Growth idle_sessions() {
  Growth growth;
  bench::run_two_processes({}, serve_idle, [&](Side side) -> Task<> {
    auto memory = co_await ok(open(side.node, kMemory, side.server));
    std::vector<std::unique_ptr<rpc::Node>> nodes;
    nodes.reserve(kSessions);
    const std::uint64_t server = co_await ok(ask_memory(memory, {}));
    const std::uint64_t client = resident_bytes();
    for (std::uint32_t i = 0; i < kSessions; ++i) {
      nodes.push_back(side.new_node());
      // The channel ends at once; its session stays.
      auto idle = co_await ok(open(*nodes.back(), kIdle, side.server));
      idle.tx.close();
      if (Result<std::uint64_t> end = co_await idle.rx.recv(); end.code() != Code::closed)
        co_return Error(Code::internal, "bench", "the server did not close an idle channel");
    }
    growth.server =
        each(server, co_await ok(ask_memory(memory, {.sessions = kSessions + 1})), kSessions);
    growth.client = each(client, resident_bytes(), kSessions);
    co_return {};
  });
  return growth;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("Memory of what is idle: growth of resident memory, per piece", argc, argv);
  report.row("idle_channel_bytes", "bytes", "server; its handler waits in recv; goal 1024",
             [] { return idle_channels().server; });
  report.row("idle_channel_client_bytes", "bytes", "the opener's side",
             [] { return idle_channels().client; });
  report.row("idle_session_bytes", "bytes", "server; goal 32768",
             [] { return idle_sessions().server; });
  report.row("idle_session_client_bytes", "bytes", "the dialler's side, its Node included",
             [] { return idle_sessions().client; });
  return report.finish();
}
