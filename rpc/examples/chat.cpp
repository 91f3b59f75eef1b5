// A chat room: `chat host HOST:PORT` serves it as `room`; `chat join NAME room@HOST:PORT` joins.
#include <fmt/format.h>

#include <map>

#include "tubing/channel/stdio.h"
#include "tubing/rpc/program.h"

using namespace tubing;

inline constexpr Service<std::string, std::string> kChat{"chat.v1"};
using Member = Duplex<std::string, std::string>;

Task<> host(rpc::Program& program, std::string address) {
  auto at = co_await ok(program.node().listen(co_await ok(rpc::Address::parse(address))));
  fmt::print("room at {}\n", at.text());
  auto stop = co_await ok(signals(SIGINT, SIGTERM));
  std::map<std::string, Sender<std::string>> members;  // outlives the handlers below
  auto tell_all = [&](std::string line) {
    fmt::print("{}\n", line);
    for (auto& [name, member] : members) (void)member.try_send(line);  // a slow one misses it
  };
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, program.node(), kChat, [&](Member& member) -> Task<> {
      const std::string name = member.peer.name;
      members[name] = member.tx;
      tell_all(name + " joined");
      while (auto line = co_await member.rx.recv()) tell_all(name + ": " + *line);
      members.erase(name);
      tell_all(name + " left");
      co_return member.rx.end();
    }));
    co_await ok(stop.recv());
    co_return n.cancel(), Result<>();
  });
}

Task<> join(rpc::Program& program, std::string room) {
  auto chat = co_await ok(open(program.node(), kChat, PeerName{room}));
  auto typed = co_await ok(read_lines(program.reactor(), 0));
  for (;;) {
    auto s = co_await ok(select(recv(typed), recv(chat.rx)));
    if (s.index() == 0) {
      Result<std::string> line = s.get<0>();
      if (!line) break;  // end of input
      co_await ok(chat.tx.send(*line));
    } else {
      fmt::print("{}\n", co_await ok(s.get<1>()));
    }
  }
  chat.tx.close();
  while (auto line = co_await chat.rx.recv()) fmt::print("{}\n", *line);
  co_return chat.rx.end();
}

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::string verb = argc > 1 ? argv[1] : "";
  if (!(verb == "host" && argc == 3) && !(verb == "join" && argc == 4))
    return fmt::print(stderr, "usage: chat host HOST:PORT | join NAME room@HOST:PORT\n"), 2;
  return rpc::run_program({.name = verb == "host" ? "room" : argv[2]}, [&](rpc::Program& p) {
    return verb == "host" ? host(p, argv[2]) : join(p, argv[3]);
  });
}
