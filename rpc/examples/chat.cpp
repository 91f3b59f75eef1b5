// A chat room: `chat host HOST:PORT` serves it as `room`; `chat join NAME room@HOST:PORT` joins.
#include <fmt/format.h>

#include <map>

#include "tubing/channel/stdio.h"
#include "tubing/rpc/program.h"
using namespace tubing;
using namespace std::literals;
inline constexpr Service<std::string, std::string> kChat{"chat.v1"};

Task<> tell(std::map<std::string, Sender<std::string>> members, std::string line) {
  fmt::print("{}\n", line);
  for (auto& [name, member] : members)
    if ((co_await member.send(line, within(1s))).code() == Code::deadline_exceeded)
      member.close(Error(Code::resource_exhausted, "chat", name + " reads too slowly"));
  co_return {};
}

Task<> host(rpc::Program& program, std::string address) {
  auto stop = co_await ok(signals(SIGINT, SIGTERM));
  auto at = co_await ok(program.node().listen(co_await ok(rpc::Address::parse(address))));
  fmt::print("room at {}\n", at.text());
  std::map<std::string, Sender<std::string>> members;  // outlives the handlers below
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, program.node(), kChat, [&](auto& peer) -> Task<> {
      const std::string name = peer.peer().name;  // proven by its key
      if (!members.emplace(name, peer.tx).second)
        co_return Error(Code::already_exists, "chat", name + " is in the room already");
      co_await ok(tell(members, name + " joined"));
      while (auto line = co_await peer.rx.recv()) co_await ok(tell(members, name + ": " + *line));
      members.erase(name);
      co_return co_await tell(members, name + " left");
    }));
    co_await ok(stop.recv());
    co_return n.cancel(), Result<>();
  });
}

Task<> join(rpc::Program& program, std::string room) {
  auto chat = co_await ok(open(program.node(), kChat, PeerName{room}));
  auto typed = co_await ok(read_lines(program.reactor(), STDIN_FILENO));
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    n.spawn("say", [&]() -> Task<> {
      while (auto line = co_await typed.recv()) co_await ok(chat.tx.send(*line));
      co_return chat.tx.close(), typed.end();  // the room then closes its side
    });
    while (auto line = co_await chat.rx.recv()) fmt::print("{}\n", *line);
    co_return n.cancel(), chat.rx.end();
  });
}

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc == 3 && argv[1] == "host"s)
    return rpc::run_program({.name = "room"}, [&](auto& p) { return host(p, argv[2]); });
  if (argc == 4 && argv[1] == "join"s)
    return rpc::run_program({.name = argv[2]}, [&](auto& p) { return join(p, argv[3]); });
  return fmt::print(stderr, "usage: chat host HOST:PORT | join NAME room@HOST:PORT\n"), 2;
}
